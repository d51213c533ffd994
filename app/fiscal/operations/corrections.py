"""Corrections: what should have been printed then and certainly was not is told to the tax office now."""

from datetime import date
from typing import Any
from uuid import uuid4

from app import access, audit, clock
from app.db import lock, session
from app.errors import Invalid, NotCorrectable, NotFound
from app.fiscal.operations.carrying import hurry
from app.models import FiscalReceipt, User
from app.vocab import N_, FiscalKind, FiscalStatus

_CORRECTION = {
    FiscalKind.SELL: FiscalKind.SELL_CORRECTION,
    FiscalKind.SELL_RETURN: FiscalKind.SELL_RETURN_CORRECTION,
}
#: On the clinic's own initiative, or as the tax office prescribed (54-ФЗ, тег 1173).
SELF, INSTRUCTION = "self", "instruction"


def correctable(receipt: FiscalReceipt) -> bool:
    """Was it certainly not printed, so that a correction may take its place?"""
    return receipt.kind in _CORRECTION and receipt.status in (FiscalStatus.FAILED, FiscalStatus.PLANNED)


def correct(receipt_id: int, *, kind: str, day: date, number: str, actor: User | None) -> FiscalReceipt:
    """Replace a receipt that was not printed by a correction: of which day, on the ground of which document.

    Only what the device has certainly not printed: refused by it, or never handed over. Locks the receipt.

    Raises:
        NotAllowed, NotFound
        NotCorrectable: it is printed, or nobody knows yet whether it is.
        Invalid: a day to come, no number of the prescription.
    """
    access.require(actor, "fiscal.correct")
    if day > clock.today():
        raise Invalid(fields={"day": N_("This day has not come yet.")})
    if kind not in (SELF, INSTRUCTION):
        raise Invalid(fields={"kind": N_("Unknown value.")})
    number = number.strip()
    if kind == INSTRUCTION and not number:
        raise Invalid(fields={"number": N_("Write the number of the prescription.")})
    old = lock(FiscalReceipt, receipt_id)
    if old is None:
        raise NotFound()
    if not correctable(old):
        raise NotCorrectable()
    old.status = FiscalStatus.REPLACED
    session.flush()
    row = FiscalReceipt(
        uuid=uuid4(), device_id=old.device_id, kind=_CORRECTION[FiscalKind(old.kind)], payment_id=old.payment_id,
        refund_id=old.refund_id, reversal_id=old.reversal_id, corrects_id=old.id, amount=old.amount, bills=old.bills,
        body=_body(old, kind, day, number, actor), status=FiscalStatus.PLANNED, created_at=clock.now(),
        due_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"amount": str(row.amount), "day": f"{day:%Y-%m-%d}", "number": number}
    audit.record("fiscal.corrected", old, after=after, actor=actor)
    hurry(row.id)
    return row


def _body(old: FiscalReceipt, kind: str, day: date, number: str, actor: User | None) -> dict[str, Any]:
    """The same positions and payments, as a correction of that day."""
    cashier = access.account(actor).name if actor else old.body["operator"]["name"]
    return {
        **old.body,
        "type": str(_CORRECTION[FiscalKind(old.kind)]),
        "correctionType": kind,
        "correctionBaseDate": f"{day:%Y.%m.%d}",
        "correctionBaseNumber": number or "б/н",
        "operator": {**old.body["operator"], "name": cashier},
    }
