"""Papers of the cash desk: the orders КО-1 and КО-2, the cash book КО-4, the report of a shift. A GET draws only.

Where next: `queries.py`, `cash_book.py`.
"""

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
from app.pdf import as_pdf
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
        entity = fetched(LegalEntity, pk)
        try:
            day = date.fromisoformat(request.args.get("day") or clock.today().isoformat())
        except ValueError as error:
            raise Invalid(fields={"day": N_("This must be a day.")}) from error
        with transaction():
            operations.look_at_day(day, how="pdf", actor=actor())
        sheet = queries.book_sheet(entity, day)
        if not sheet.number:
            raise NoSheet()
        return as_pdf(drawn.book_sheet(sheet), f"ko-4-{day:%Y-%m-%d}")

    @expose("/shifts/<int:pk>.pdf")
    @guarded("cash.see")
    def shift(self, pk: int) -> Any:
        """The report of a shift on paper, as far as the account may look back."""
        shift = fetched(CashShift, pk)
        with transaction():
            since = operations.look_at_shift(shift, actor=actor())
        who = shift.closed_by_id if shift.closed_at else shift.opened_by_id
        cashier = queries.name_of(who, queries.employee_of(who))
        made = drawn.shift_report(cash.shift_report(shift, since), cashier, cash.counts_of(pk))
        return as_pdf(made, f"shift-{shift.desk_id}-{shift.number}")


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
