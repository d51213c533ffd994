"""The page «Cash desk»: shifts, operations, the X report, closing with a count.

Where next: `operations.py`; the same over JSON is `api.py`.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app import access, clock, money
from app.cash import forms, operations, queries, rules
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal, ShiftClosedAlready
from app.fiscal import queries as fiscal
from app.fiscal import rules as fiscal_rules
from app.models import CashDesk, CashMovement, CashShift, ExpenseCategory
from app.schemas import Body, load
from app.vocab import N_, DeskKind, MovementKind, ReportKind
from app.web import DeskView, actor, expose, fetched, guarded, may, say, say_wrong


def _typed_pieces() -> dict[Decimal, int]:
    """How many notes and coins of each value were typed; an empty row is none."""
    found = {}
    for place, value in enumerate(rules.DENOMINATIONS, 1):
        text = request.form.get(f"pieces_{place}", "").strip()
        if not text:
            continue
        if not text.isascii() or not text.isdigit() or len(text) > 6:
            raise Invalid(fields={"counted": N_("Write how many notes and coins there are in whole numbers.")})
        if int(text):
            found[value] = int(text)
    return found


def typed(schema: type[Body], **known: Any) -> dict[str, Any]:
    """What came with a page's form, checked by a schema; fields left empty are as if they had not come."""
    names = schema().fields
    given = {name: value for name, value in request.form.items() if name in names and value.strip() != ""}
    return load(schema, {**given, **known})


class CashView(DeskView):
    route_base = "/cash"

    @expose("/")
    @guarded("cash.see")
    def index(self) -> Any:
        """The desks, and the chosen one: its shift, its operations, and what can be done now."""
        return self._desk(request.args.get("desk", type=int))

    def _desk(self, desk_id: int | None, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        desks = queries.desks()
        branch_id = access.account(actor()).branch_id
        mine = [pair for pair in desks if pair[0].branch_id == branch_id] or desks
        chosen = next((pair for pair in desks if pair[0].id == desk_id), None)
        if chosen is None and desk_id is not None:
            raise NotFound()
        desk, shift = chosen or (mine[0] if mine else (None, None))
        found = self._happened(desk, shift) if desk is not None else {}
        return self.page(
            "cash/desk.html", status, title=gettext("Cash desk"), desks=desks, desk=desk, shift=shift,
            several=len({row.branch_id for row, _ in desks}) > 1, categories=queries.categories(), typed=request.form,
            wrong=wrong or {}, kinds=MovementKind, desk_kinds=DeskKind, reversible=rules.REVERSIBLE,
            over=rules.over_limit(desk.balance, desk.cash_limit) if desk else None,
            denominations=rules.DENOMINATIONS, troubled=_troubled(), ending=_ending(desk), **found,
        )  # fmt: skip

    def _happened(self, desk: CashDesk, shift: CashShift | None) -> dict[str, Any]:
        """The operations of the open shift, as far as the account may look back; of the bank's desk those of today."""
        today = clock.today()
        if desk.kind == DeskKind.NON_CASH:
            return {"operations": queries.operations_of(desk_id=desk.id, since=today), "report": None, "long": False}
        if shift is None:
            return {"operations": [], "report": None, "long": False, "last": queries.closed_today(desk.id)}
        with transaction():
            since = operations.look_at_shift(shift, how="page", actor=actor())
        open_for = clock.now() - shift.opened_at
        return {
            "operations": queries.operations_of(shift_id=shift.id, since=since),
            "report": queries.shift_report(shift, since),
            "long": open_for > timedelta(hours=rules.SHIFT_WARNING_HOURS),
        }

    def _do(self, desk_id: int, work: Callable[[], str]) -> Any:
        """Do what a form asks and go back to the desk; refused, the page comes back with what was typed."""
        try:
            with transaction():
                done = work()
        except Refusal as refusal:
            say(refusal)
            return self._desk(desk_id, refusal.status, refusal.facts.get("fields"))
        flash(done, "success")
        return redirect(url_for("CashView.index", desk=desk_id), 303)

    @expose("/desks/<int:pk>/open", methods=["POST"])
    @guarded("cash.shift")
    def open_shift(self, pk: int) -> Any:
        """Open the shift with the counted cash."""
        fetched(CashDesk, pk)

        def work() -> str:
            form = typed(forms.OpenShift, desk_id=pk)
            shift = operations.open_shift(
                pk, form["counted"], pieces=_typed_pieces(), reason=form["reason"], actor=actor()
            )
            return gettext("Shift № %(number)s is open.", number=shift.number)

        return self._do(pk, work)

    @expose("/desks/<int:pk>/move", methods=["POST"])
    @guarded("cash.move")
    def move(self, pk: int) -> Any:
        """A pay-in, a withdrawal, a collection, a salary, a transfer, a correction."""
        fetched(CashDesk, pk)

        def work() -> str:
            form = typed(forms.Move, desk_id=pk)
            new = request.form.get("new_category", "").strip()
            if new and form["kind"] == rules.WITHDRAWAL:
                named = load(forms.NewCategory, {"name": new})
                form["category_id"] = self._category(named["name"]).id
            movement = operations.move(form.pop("desk_id"), form.pop("kind"), form.pop("amount"), **form, actor=actor())
            return gettext(
                "Done: № %(number)s for %(amount)s ₽.", number=movement.number, amount=money.shown(abs(movement.delta))
            )

        return self._do(pk, work)

    def _category(self, name: str) -> ExpenseCategory:
        """The category typed in place: the one that is there, or a new one."""
        known = queries.category_named(" ".join(name.split()))
        return known if known is not None and not known.archived else operations.add_category(name, actor=actor())

    @expose("/movements/<int:pk>/reverse", methods=["POST"])
    @guarded("cash.move")
    def reverse(self, pk: int) -> Any:
        """Reverse a mistake by a linked movement."""
        movement = fetched(CashMovement, pk)
        desk_id = movement.desk_id

        def work() -> str:
            form = typed(forms.Reason)
            mended = operations.reverse(pk, form["reason"], actor=actor())
            return gettext("Reversed by № %(number)s.", number=mended.number)

        return self._do(desk_id, work)

    @expose("/shifts/<int:pk>")
    @guarded("cash.see")
    def shift(self, pk: int) -> Any:
        """The X report of an open shift, the closing report of a closed one."""
        shift = fetched(CashShift, pk)
        with transaction():
            since = operations.look_at_shift(shift, how="page", actor=actor())
        return self.page(
            "cash/shift.html", title=gettext("Shift report"), shift=shift, report=queries.shift_report(shift, since),
            operations=queries.operations_of(shift_id=shift.id, since=since), kinds=MovementKind,
            counts=queries.counts_of(pk), reversible=rules.REVERSIBLE,
        )  # fmt: skip

    @expose("/shifts/<int:pk>/close", methods=["GET", "POST"])
    @guarded("cash.shift")
    def close_shift(self, pk: int) -> Any:
        """Count the cash by denominations and close the shift."""
        shift = fetched(CashShift, pk)
        status, wrong = 200, {}
        if request.method == "POST":
            try:
                with transaction():
                    form = typed(forms.CloseShift)
                    operations.close_shift(
                        pk, form["counted"], pieces=_typed_pieces(), reason=form["reason"], actor=actor()
                    )
                flash(gettext("The shift is closed."), "success")
                return redirect(url_for("CashView.shift", pk=pk), 303)
            except ShiftClosedAlready as closed:  # from another window: nothing is left to count here
                say(closed)
                return redirect(url_for("CashView.shift", pk=pk), 303)
            except Refusal as refusal:
                say(refusal)
                status, wrong = refusal.status, refusal.facts.get("fields", {})
                shift = fetched(CashShift, pk)
        elif shift.closed_at is not None:
            return redirect(url_for("CashView.shift", pk=pk))
        return self.page(
            "cash/close.html", status, title=gettext("Close the shift"), shift=shift, desk=shift.desk,
            denominations=rules.DENOMINATIONS, typed=request.form, wrong=wrong,
            over=rules.over_limit(shift.desk.balance, shift.desk.cash_limit), troubled=_troubled(),
            drawer=_drawer(shift.desk),
        )  # fmt: skip


def _troubled() -> fiscal.Troubled:
    """What of the fiscal devices waits for a person, for who may look at it."""
    return fiscal.troubled() if may("fiscal.see") else fiscal.Troubled()


def _ending(desk: CashDesk | None) -> tuple[int, str] | None:
    """The shift of a drawer's fiscal device that stops soon, and how long it takes receipts ("": it is over)."""
    if desk is None or desk.kind == DeskKind.NON_CASH or not may("fiscal.see"):
        return None
    device = fiscal.device_of_branch(desk.legal_entity_id, desk.branch_id)
    left = fiscal.left_of_shift(device) if device is not None else None
    if device is None or left is None or left > fiscal_rules.SHIFT_ENDS_SOON:
        return None
    minutes = int(left.total_seconds()) // 60
    said = gettext("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60) if left else ""
    return device.shift_number, said


def _drawer(desk: CashDesk) -> fiscal.Drawer | None:
    """What the fiscal device counts in the drawer of this desk, for who may look at it; None without a device."""
    found = fiscal.drawers(desk.legal_entity_id, desk.branch_id) if may("fiscal.see") else []
    return found[0] if found else None


class ExpenseCategoriesView(DeskView):
    """The tree of expense categories, for who keeps it in order."""

    route_base = "/expense-categories"

    @expose("/")
    @guarded("expense_category.see")
    def index(self) -> Any:
        """Every category with what was spent on it, as far as the account may look back; parts under their whole."""
        with transaction():
            since = access.look_back(actor(), ReportKind.CASH, "page")
        return self.page(
            "cash/categories.html", title=gettext("Expense categories"), tree=queries.category_tree(since), since=since,
            living=queries.categories(),
        )  # fmt: skip

    @expose("/<int:pk>/merge", methods=["POST"])
    @guarded("expense_category.edit")
    def merge(self, pk: int) -> Any:
        """Let another category take the place of one."""
        fetched(ExpenseCategory, pk)
        try:
            with transaction():
                heir = operations.merge_category(pk, load(forms.Merged, _heir())["heir_id"], actor=actor())
                said = gettext("Done: its operations are counted under “%(name)s” now.", name=heir.name)
            flash(said, "success")
        except Invalid as wrong:
            say_wrong(wrong)
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for(".index"), 303)


def _heir() -> dict[str, str]:
    return {"heir_id": request.form["heir_id"]} if request.form.get("heir_id") else {}
