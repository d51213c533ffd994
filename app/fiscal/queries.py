"""What the desk asks about fiscal receipts: the queue, one receipt, the devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import segno
from sqlalchemy import func, select

from app import clock
from app.db import session
from app.fiscal import rules
from app.models import FiscalDevice, FiscalReceipt, Patient, Payment, Refund
from app.vocab import FiscalStatus


@dataclass(frozen=True)
class Line:
    """A receipt as the page shows it."""

    receipt: FiscalReceipt
    number: int
    patient_id: int
    patient: str


def receipts(*, unfinished: bool, limit: int, offset: int) -> tuple[int, list[Line]]:
    """Receipts, the newest first; `unfinished`: only those that are not printed, the oldest first."""
    which = FiscalReceipt.status != FiscalStatus.DONE if unfinished else FiscalReceipt.id > 0
    count = session.scalar(select(func.count()).select_from(FiscalReceipt).where(which)) or 0
    patient_id = func.coalesce(Payment.patient_id, Refund.patient_id)
    rows = session.execute(
        select(FiscalReceipt, func.coalesce(Payment.number, Refund.number), Patient)
        .outerjoin(Payment, Payment.id == FiscalReceipt.payment_id)
        .outerjoin(Refund, Refund.id == FiscalReceipt.refund_id)
        .join(Patient, Patient.id == patient_id)
        .where(which)
        .order_by(FiscalReceipt.id.asc() if unfinished else FiscalReceipt.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return count, [Line(row, number, patient.id, str(patient)) for row, number, patient in rows]


def waiting() -> int:
    """Receipts that are not printed yet."""
    return (
        session.scalar(select(func.count()).select_from(FiscalReceipt).where(FiscalReceipt.status != FiscalStatus.DONE))
        or 0
    )


def devices() -> Sequence[FiscalDevice]:
    return session.scalars(select(FiscalDevice).where(~FiscalDevice.archived).order_by(FiscalDevice.id)).all()


def left_of_shift(device: FiscalDevice) -> timedelta | None:
    """How long the device's shift may still take receipts; None when it is not open, zero when it is over."""
    if device.shift_state not in ("opened", "expired") or device.shift_expires_at is None:
        return None
    return max(device.shift_expires_at - clock.now(), timedelta())


def of_payment(payment_id: int) -> FiscalReceipt | None:
    """The fiscal receipt of a payment; None when it needs none."""
    return session.scalar(select(FiscalReceipt).where(FiscalReceipt.payment_id == payment_id))


def square_of(receipt: FiscalReceipt) -> str:
    """The square of a printed receipt as a drawing for a page (SVG); empty while it is not printed."""
    said = qr_of(receipt)
    return str(segno.make(said, error="m").svg_inline(scale=3, border=2, svgclass="qr", lineclass=None)) if said else ""


def qr_of(receipt: FiscalReceipt) -> str:
    """What the square of a printed receipt says; empty while it is not printed."""
    if receipt.printed_at is None or receipt.document is None:
        return ""
    wall, total = clock.wall(receipt.printed_at), sum(item.amount for item in rules.items_of(receipt.body))
    return rules.qr(wall, total, receipt.fn, receipt.document, receipt.sign, receipt.kind)
