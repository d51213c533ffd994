"""A person decides what the device does not tell: it was printed, with these numbers, or it was not.

A receipt of which nobody knows holds up the next ones of its device; the paper in the hand ends that. What the device
was to count in its drawer has no numbers. Where next: `carrying.py`, `corrections.py`, `drawer.py`.
"""

from dataclasses import replace

from app import access, audit, clock
from app.db import lock, session
from app.errors import Invalid, NotFound, WrongStatus
from app.fiscal import rules
from app.gateways.kkt.atol import Printed
from app.models import FiscalDevice, FiscalReceipt, User
from app.vocab import N_, FiscalStatus

LOOKED_AT = N_("Somebody looked at the device: this receipt was not printed.")
NOT_COUNTED = N_("Somebody looked at the device: its drawer was not told of this.")


def undecided(receipt: FiscalReceipt) -> bool:
    """Does nobody know whether the device did it?"""
    return receipt.status == FiscalStatus.UNKNOWN


def decide_printed(receipt_id: int, numbers: Printed, *, actor: User | None) -> FiscalReceipt:
    """Write down the fiscal numbers of a paper that the device printed and did not tell of.

    Locks the receipt, so that no worker asks for it meanwhile. Records `fiscal.decided`.

    Raises:
        NotAllowed, NotFound
        WrongStatus: it is known already, or being asked for at this moment.
        Invalid: no number of the document, or one that another receipt has.
    """
    row = _undecided(receipt_id, actor)
    if not rules.is_receipt(row.kind):
        raise NotFound()
    if not numbers.fn.isdigit() or numbers.document < 1:
        raise Invalid(fields={"document": N_("Write the numbers as they stand on the receipt.")})
    taken = session.query(FiscalReceipt.id).filter_by(fn=numbers.fn, document=numbers.document).first()
    if taken is not None:
        raise Invalid(fields={"document": N_("Another receipt has this number.")})
    device = session.get_one(FiscalDevice, row.device_id)
    told = replace(numbers, shift=numbers.shift or device.shift_number or 0)
    row.status, row.error = FiscalStatus.DONE, ""
    row.fn, row.document, row.sign, row.shift_number = told.fn, told.document, told.sign, told.shift
    row.printed_at = told.printed_at or clock.now()
    return _recorded(row, {"number": row.document, "amount": str(row.amount)}, actor)


def decide_counted(receipt_id: int, *, actor: User | None) -> FiscalReceipt:
    """Say that the device counted this cash in its drawer: its slip came out. Records `fiscal.decided`.

    Raises:
        NotAllowed, WrongStatus
        NotFound: or a receipt, which has numbers.
    """
    row = _undecided(receipt_id, actor)
    if rules.is_receipt(row.kind):
        raise NotFound()
    row.status, row.error, row.printed_at = FiscalStatus.DONE, "", clock.now()
    return _recorded(row, {"kind": row.kind, "amount": str(row.amount)}, actor)


def decide_not_printed(receipt_id: int, *, actor: User | None) -> FiscalReceipt:
    """Say that there is no paper: the receipt may be printed anew, or corrected; cash may be told of anew, or left.

    Records `fiscal.decided`.

    Raises:
        NotAllowed, NotFound, WrongStatus
    """
    row = _undecided(receipt_id, actor)
    row.status, row.error = FiscalStatus.FAILED, LOOKED_AT if rules.is_receipt(row.kind) else NOT_COUNTED
    return _recorded(row, {"error": row.error, "amount": str(row.amount)}, actor)


def _undecided(receipt_id: int, actor: User | None) -> FiscalReceipt:
    access.require(actor, "fiscal.correct")
    row = lock(FiscalReceipt, receipt_id)
    if row is None:
        raise NotFound()
    if not undecided(row):
        raise WrongStatus({"status": FiscalStatus(row.status).label})
    return row


def _recorded(row: FiscalReceipt, after: dict[str, object], actor: User | None) -> FiscalReceipt:
    session.flush()
    audit.record("fiscal.decided", row, after=after, actor=actor)
    return row
