"""Originals and copies: a paper of money is handed out once, every further print says that it is a copy.

A paper whose subject has changed since says something else: it has an original of that, which names the one that it
takes the place of. Printing is a deed of its own, written down before the paper is drawn; looking at a paper shows a
copy. Where next: `views.py`, `cash_views.py`.
"""

from collections.abc import Callable
from datetime import date

from sqlalchemy import select

from app import access, audit, clock, pdf
from app.cash import operations as cash
from app.db import lock_word, next_number, session
from app.documents import queries, rules
from app.errors import NotFound, Refusal
from app.fiscal import queries as fiscal
from app.gateways.slip import escpos
from app.models import CashMovement, CashShift, Printing, Receipt, ServiceAct, User, WorkOrder
from app.vocab import N_, PrintedKind, ReportKind


class NoPrinter(Refusal):
    code = "no_printer"
    sentence = N_("This branch has no slip printer: add it in the directory “Slip printers”.")


class SlipNotPrinted(Refusal):
    """The printer did not print. `why` is a sentence."""

    code = "slip_not_printed"
    status = 503
    sentence = "%(why)s"


#: Papers of the desk itself; of the others somebody is the patient.
_OF_DESK = (PrintedKind.BOOK_SHEET, PrintedKind.SHIFT_REPORT)


def print_paper(
    kind: PrintedKind, subject: Receipt | CashMovement | WorkOrder | CashShift,
    draw: Callable[[], bytes] | None = None, *, state: str = "", number: int | None = None, actor: User | None,
) -> Printing:  # fmt: skip
    """Write down that a paper is printed; the first of a state is the original, and is kept as it was drawn.

    `state` is what can change of the subject (`queries.state_of`); a report of an open shift tells of its moment, so a
    later one takes no earlier one's place. `number` is the paper's, when it is not its subject's.
    Locks the paper's numbers. Records `paper.printed`.
    """
    lock_word(f"printing {kind} {subject.id}")
    before = session.execute(
        select(Printing.number, Printing.state, Printing.created_at)
        .where(Printing.kind == kind, Printing.subject_id == subject.id)
        .order_by(Printing.number.desc())
    ).all()
    original = all(row.state != state for row in before)
    made = draw() if draw and original else None
    if made is not None and before and kind != PrintedKind.SHIFT_REPORT:
        made = pdf.stamped(made, f"ВЗАМЕН НАПЕЧАТАННОГО {clock.wall(before[0].created_at):%d.%m.%Y}", left=True)
    row = Printing(
        kind=kind, subject_id=subject.id, number=before[0].number + 1 if before else 1, state=state, original=original,
        pdf=made, created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"number": f"{number or subject.number}", "note": "" if row.number == 1 else f"{row.number}"}
    patient_id = None if kind in _OF_DESK or isinstance(subject, CashShift) else subject.patient_id
    audit.record("paper.printed", subject, after=after, patient_id=patient_id, actor=actor)
    return row


def number_act(order: WorkOrder, *, actor: User | None) -> ServiceAct:
    """Give the act of a bill, or of what a reversing order left of one, its number; it keeps the one that it has.

    The bill is locked by who prints. Locks the series of acts.
    """
    known = queries.act_of(order.id)
    if known is not None:
        return known
    day = clock.today()
    row = ServiceAct(
        work_order_id=order.id, legal_entity_id=order.legal_entity_id, year=day.year,
        number=next_number(order.legal_entity_id, PrintedKind.ACT), day=day, created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def print_slip(receipt_id: int, *, address: str = "", actor: User | None) -> Printing:
    """Print a receipt on the slip printer of the branch the actor works in; counted like any print of it.

    `address` (host:port) is for a printer without one of its own.
    The printer is called before the commit: what it did not print is not counted. Locks the paper's numbers.

    Raises:
        NotFound
        NoPrinter: the branch has none, or it has no address.
        SlipNotPrinted: with what the printer, or nobody, said.
    """
    receipt = session.get(Receipt, receipt_id)
    if receipt is None:
        raise NotFound()
    printer = fiscal.slip_printer_of(access.account(actor).branch_id if actor else None)
    if printer is None:
        raise NoPrinter()
    host, _, port = (printer.address or address).rpartition(":")
    if not host:
        raise NoPrinter()
    made = print_paper(PrintedKind.RECEIPT, receipt, actor=actor)
    rows = rules.slip(queries.receipt_fields(receipt), printer.columns, copy=made.number > 1)
    try:
        escpos.send(host, int(port), rows, code_page=printer.code_page)
    except escpos.NotPrinted as error:
        raise SlipNotPrinted({"why": error.why}) from error
    return made


def look_at_day(day: date, *, how: str, actor: User) -> None:
    """Refuse the cash book of a day that the account may not see; what a grant opened is recorded.

    Raises:
        NotAllowed, OutsideWindow
    """
    window = access.window(actor, ReportKind.CASH, day, day)
    access.record_opening(actor, ReportKind.CASH, window, how)


def look_at_shift(shift: CashShift, *, actor: User) -> date | None:
    """From which day on the report of this shift may be printed."""
    return cash.look_at_shift(shift, how="pdf", actor=actor)
