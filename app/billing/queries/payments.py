"""Payments: what they paid and what can be returned."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.billing.rules import Due, PaidPart, only_money, refundable
from app.db import session
from app.models import (
    AdvanceTransfer,
    CashMovement,
    CashShift,
    LedgerEntry,
    Patient,
    PatientAccount,
    Payment,
    PaymentPart,
    Receipt,
    Refund,
    RefundPart,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.vocab import LedgerKind


def allocated(payment: Payment) -> list[Due]:
    """What a payment paid on each bill."""
    return [
        Due(entry.work_order_id, -entry.debt_change)
        for entry in payment.entries
        if entry.kind == LedgerKind.PAYMENT and entry.work_order_id is not None
    ]


@dataclass(frozen=True)
class Returnable:
    """What of a payment can still be un-done: see `rules.take_back`."""

    parts: list[PaidPart]
    advance_left: Decimal
    bills: list[Due]

    @property
    def amount(self) -> Decimal:
        return refundable(self.parts, self.advance_left, self.bills)

    @property
    def advance(self) -> Decimal:
        """What of the patient's advance can be returned from this payment."""
        return refundable(only_money(self.parts), self.advance_left, ())


#: The entries that make a payment's share of the advance: what it brought, and what refunds took from it (their entries
#: above zero gave a part back that was paid from the advance).
_OF_ITS_SHARE = or_(
    LedgerEntry.kind.in_((LedgerKind.ADVANCE_IN, LedgerKind.PAID_TO_ADVANCE)),
    and_(LedgerEntry.kind == LedgerKind.REFUND, LedgerEntry.advance_change < 0),
)


def returnable(payment_id: int) -> Returnable:
    """What of a payment has not been returned: its parts, its share of the advance, its bills (the newest first)."""
    returned = (
        select(RefundPart.payment_part_id, func.sum(RefundPart.amount).label("amount"))
        .join(PaymentPart, PaymentPart.id == RefundPart.payment_part_id)
        .where(PaymentPart.payment_id == payment_id)
        .group_by(RefundPart.payment_part_id)
        .subquery()
    )
    parts = session.execute(
        select(PaymentPart.id, PaymentPart.method, PaymentPart.amount - func.coalesce(returned.c.amount, 0))
        .outerjoin(returned, returned.c.payment_part_id == PaymentPart.id)
        .where(PaymentPart.payment_id == payment_id)
        .order_by(PaymentPart.id)
    ).all()
    share = session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.advance_change), 0)).where(
            LedgerEntry.payment_id == payment_id, _OF_ITS_SHARE
        )
    ) or ZERO  # fmt: skip
    has = session.scalar(
        select(func.coalesce(func.max(PatientAccount.advance), 0))
        .join(Payment, Payment.patient_id == PatientAccount.patient_id)
        .where(Payment.id == payment_id)
    ) or ZERO  # fmt: skip
    bills = session.execute(
        select(LedgerEntry.work_order_id, -func.sum(LedgerEntry.debt_change))
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(LedgerEntry.payment_id == payment_id)
        .group_by(LedgerEntry.work_order_id, WorkOrder.issued_at)
        .having(func.sum(LedgerEntry.debt_change) < 0)
        .order_by(WorkOrder.issued_at.desc(), LedgerEntry.work_order_id.desc())
    ).all()
    return Returnable(
        [PaidPart(part_id, method, left) for part_id, method, left in parts],
        min(share, has),
        [Due(work_order_id, amount) for work_order_id, amount in bills if work_order_id is not None],
    )


def lenders_of(payment_id: int) -> dict[int, int]:
    """Whose advance paid a part of a payment: {part: relative}; of a card that was emptied nobody's any more."""
    rows = session.execute(
        select(PaymentPart.id, AdvanceTransfer.from_id)
        .join(AdvanceTransfer, AdvanceTransfer.id == PaymentPart.transfer_id)
        .join(Patient, Patient.id == AdvanceTransfer.from_id)
        .where(PaymentPart.payment_id == payment_id, Patient.erased_at.is_(None))
    )
    return {row.id: row.from_id for row in rows}


def of_closed_shifts(payment_ids: Collection[int]) -> set[int]:
    """Which of these payments came into a drawer whose shift is closed by now."""
    return set(
        session.scalars(
            select(PaymentPart.payment_id)
            .join(CashMovement, CashMovement.id == PaymentPart.movement_id)
            .join(CashShift, CashShift.id == CashMovement.shift_id)
            .where(PaymentPart.payment_id.in_(payment_ids), CashShift.closed_at.is_not(None))
        )
    )


def receipt_lines(order_ids: Collection[int]) -> list[dict[str, Any]]:
    """The lines of bills as a receipt keeps them."""
    rows = session.scalars(
        select(WorkOrderLine)
        .where(WorkOrderLine.work_order_id.in_(order_ids))
        .order_by(WorkOrderLine.work_order_id, WorkOrderLine.position)
    )
    return [
        {
            "name": line.called[1],
            "tooth": line.tooth,
            "quantity": line.quantity,
            "price": str(line.price),
            "discount": str(line.discount),
            "total": str(line.total),
            "kind": line.service.item_kind,
            "vat": line.service.vat,
        }
        for line in rows
    ]


def refunds_of(payment_id: int) -> list[Refund]:
    """What was returned of a payment, the oldest first."""
    return list(session.scalars(select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)))


def receipt_of_refund(refund_id: int) -> int | None:
    return session.scalar(select(Receipt.id).where(Receipt.refund_id == refund_id))
