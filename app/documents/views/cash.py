"""Papers of the cash desk: the orders КО-1 and КО-2, the cash book КО-4, the report of a shift. A GET draws only.

Where next: `queries.py`, `cash_book.py`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import redirect, request, url_for

from app import access, clock
from app.cash import queries as cash
from app.db import transaction
from app.documents import drawn, operations, queries
from app.documents.views.copies import shown
from app.errors import Invalid, NotFound, Refusal
from app.models import CashMovement, CashShift, LegalEntity
from app.vocab import N_, DeskKind, PrintedKind, ReportKind
from app.web import DeskView, actor, expose, fetched, guarded


class NoSheet(Refusal):
    """A day without operations has no sheet in the cash book."""

    code = "no_sheet"
    status = 404
    sentence = N_("There were no operations with cash on this day: the cash book has no sheet for it.")


class CashPapersView(DeskView):
    """Papers that the accountant asks of the cash desk."""

    route_base = "/cash-papers"

    @expose("/orders/<int:pk>.pdf")
    @guarded("cash.see")
    def order(self, pk: int) -> Any:
        """КО-1 or КО-2 of a drawer's movement; of another day as the reports allow, a patient's paper as a receipt."""
        movement = _of_drawer(pk)
        name = f"{'ko-1' if movement.delta > 0 else 'ko-2'}-{movement.year}-{movement.number}"
        wanted = request.args.get("printing", type=int)
        return shown(lambda: _drawn(movement), name, PrintedKind.CASH_ORDER, pk, wanted, _state_of(movement))

    @expose("/orders/<int:pk>/print", methods=["POST"])
    @guarded("cash.see")
    def print_order(self, pk: int) -> Any:
        """Write down that a cash order is printed, then show it: the first is the original."""
        movement = _of_drawer(pk)
        with transaction():
            made = operations.print_paper(
                PrintedKind.CASH_ORDER, movement, lambda: _drawn(movement), state=_state_of(movement), actor=actor()
            ).id
        return redirect(url_for(".order", pk=pk, printing=made), 303)

    @expose("/book/<int:pk>.pdf")
    @guarded("cash.see")
    def book(self, pk: int) -> Any:
        """The sheet of the cash book of a legal entity: today's, or the day's that was asked for."""
        sheet, first = _sheet_of(pk, request.args)
        wanted = request.args.get("printing", type=int)
        name = f"ko-4-{sheet.day:%Y-%m-%d}"
        return shown(lambda: drawn.book_sheet(sheet), name, PrintedKind.BOOK_SHEET, first.id, wanted, sheet.state)

    @expose("/book/<int:pk>/print", methods=["POST"])
    @guarded("cash.see")
    def print_book(self, pk: int) -> Any:
        """Write down that a sheet of the cash book is printed, then show it: the first is the original."""
        sheet, first = _sheet_of(pk, request.form)
        with transaction():
            made = operations.print_paper(
                PrintedKind.BOOK_SHEET, first, lambda: drawn.book_sheet(sheet), state=sheet.state, number=sheet.number,
                actor=actor(),
            ).id  # fmt: skip
        return redirect(url_for(".book", pk=pk, day=sheet.day.isoformat(), printing=made), 303)

    @expose("/shifts/<int:pk>.pdf")
    @guarded("cash.see")
    def shift(self, pk: int) -> Any:
        """The report of a shift on paper, as far as the account may look back."""
        shift, draw, state = _report_of(pk)
        wanted = request.args.get("printing", type=int)
        return shown(draw, f"shift-{shift.desk_id}-{shift.number}", PrintedKind.SHIFT_REPORT, pk, wanted, state)

    @expose("/shifts/<int:pk>/print", methods=["POST"])
    @guarded("cash.see")
    def print_shift(self, pk: int) -> Any:
        """Write down that the report of a shift is printed, then show it: the first is the original."""
        shift, draw, state = _report_of(pk)
        with transaction():
            made = operations.print_paper(PrintedKind.SHIFT_REPORT, shift, draw, state=state, actor=actor()).id
        return redirect(url_for(".shift", pk=pk, printing=made), 303)


def _sheet_of(pk: int, asked: Mapping[str, str]) -> tuple[queries.BookSheet, CashMovement]:
    """The sheet of a legal entity's cash book on a day that the account may see, and the operation it begins with."""
    entity = fetched(LegalEntity, pk)
    try:
        day = date.fromisoformat(asked.get("day") or clock.today().isoformat())
    except ValueError as error:
        raise Invalid(fields={"day": N_("This must be a day.")}) from error
    with transaction():
        operations.look_at_day(day, how="pdf", actor=actor())
    sheet = queries.book_sheet(entity, day)
    if sheet.first is None:
        raise NoSheet()
    return sheet, sheet.first


def _report_of(pk: int) -> tuple[CashShift, Callable[[], bytes], str]:
    """A shift, its report as far as the account may look back, and what of the report can change."""
    shift: CashShift = fetched(CashShift, pk)
    with transaction():
        since = operations.look_at_shift(shift, actor=actor())
    report = cash.shift_report(shift, since)

    def draw() -> bytes:
        who = shift.closed_by_id if shift.closed_at else shift.opened_by_id
        cashier = queries.name_of(who, queries.employee_of(who))
        return drawn.shift_report(report, cashier, cash.counts_of(pk))

    return shift, draw, report.state


def _drawn(movement: CashMovement) -> bytes:
    return drawn.cash_order(queries.cash_order(movement))


def _state_of(movement: CashMovement) -> str:
    """What can change of a cash order: a later one reverses it, and then it is annulled."""
    return "reversed" if cash.reversal_of(movement.id) is not None else ""


def _of_drawer(pk: int) -> CashMovement:
    """A drawer's movement, if the account may look at its day; a patient's paper like a receipt, on any."""
    movement: CashMovement = fetched(CashMovement, pk)
    if movement.desk.kind == DeskKind.NON_CASH:
        raise NotFound()
    if movement.patient_id is None or not access.account(actor()).may("payment.see"):
        day = movement.business_day
        with transaction():
            window = access.window(actor(), ReportKind.CASH, day, day)
            access.record_opening(actor(), ReportKind.CASH, window, "pdf")
    return movement
