"""Money that came after a merge and belongs to what goes back when the cards are parted.

A bill goes back to the card it came from; so do the payments that paid for it, and all that was written with them.
Where next: `../operations/merges.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from app.db import session
from app.models import (
    AdvanceTransfer,
    LedgerEntry,
    Payment,
    PaymentPart,
    Receipt,
    Refund,
    RefundPart,
    WorkOrder,
)
from app.vocab import LedgerKind


@dataclass(frozen=True)
class Following:
    """What goes back too, as a merge keeps it: {table.column: keys}; `mixed`: numbers of payments for both cards."""

    rows: dict[str, list[list[int]]] = field(default_factory=dict)
    mixed: list[int] = field(default_factory=list)


def follows(moved: Mapping[str, Collection[Collection[Any]]], winner_id: int) -> Following:
    """What came since and goes back with what a merge had moved.

    A payment for bills of both cards cannot, unless all of it that was for the bills of one card was returned.
    """
    back = {int(pk) for (pk,) in moved.get("work_order.patient_id", ())}
    reversals = select(WorkOrder.id).where(WorkOrder.reverses_id.in_(back), WorkOrder.patient_id == winner_id)
    orders = back | set(session.scalars(reversals))
    known = {int(pk) for (pk,) in moved.get("payment.patient_id", ())}
    came, mixed = _payments_for(orders, known)
    payments = known | came
    found = {
        "work_order.patient_id": set(orders),
        "payment.patient_id": set(payments),
        # who paid for herself pays for herself on the other card too
        "payment.payer_id": _ids(Payment, Payment.id.in_(came), Payment.payer_id == winner_id),
        "ledger_entry.patient_id": _entries(orders, payments),
    }
    refunds = found["refund.patient_id"] = _ids(Refund, Refund.payment_id.in_(payments))
    found["receipt.patient_id"] = _ids(Receipt, or_(Receipt.payment_id.in_(payments), Receipt.refund_id.in_(refunds)))
    found["cash_movement.patient_id"] = set(
        session.scalars(
            select(PaymentPart.movement_id)
            .where(PaymentPart.payment_id.in_(payments), PaymentPart.movement_id.is_not(None))
            .union(
                select(RefundPart.movement_id).where(
                    RefundPart.refund_id.in_(refunds), RefundPart.movement_id.is_not(None)
                )
            )
        )
    )
    lent = found["advance_transfer.to_id"] = _ids(
        AdvanceTransfer,
        AdvanceTransfer.to_id == winner_id,
        AdvanceTransfer.id.in_(select(PaymentPart.transfer_id).where(PaymentPart.payment_id.in_(payments))),
    )
    # what refunds gave back to relatives is of the patient of the refund, and of whoever had lent it
    to_relatives = found["advance_transfer.from_id"] = _ids(
        AdvanceTransfer, AdvanceTransfer.refund_id.in_(refunds), AdvanceTransfer.from_id == winner_id
    )
    lent_before = {int(pk) for (pk,) in moved.get("advance_transfer.from_id", ())}
    of_lent = (
        select(RefundPart.refund_id)
        .join(PaymentPart, PaymentPart.id == RefundPart.payment_part_id)
        .where(PaymentPart.transfer_id.in_(lent_before))
    )
    returned = _ids(AdvanceTransfer, AdvanceTransfer.refund_id.in_(of_lent), AdvanceTransfer.to_id == winner_id)
    found["advance_transfer.to_id"] |= returned
    found["ledger_entry.patient_id"] |= _ids(
        LedgerEntry, LedgerEntry.transfer_id.in_(lent | to_relatives | returned), LedgerEntry.patient_id == winner_id
    )
    return Following({name: [[pk] for pk in sorted(ids)] for name, ids in found.items()}, sorted(_numbers(mixed)))


def _ids(model: Any, *where: ColumnElement[bool]) -> set[int]:
    return set(session.scalars(select(model.id).where(*where)))


def _numbers(payments: Collection[int]) -> set[int]:
    return set(session.scalars(select(Payment.number).where(Payment.id.in_(payments))))


def _entries(orders: Collection[int], payments: Collection[int]) -> set[int]:
    """The ledger of bills, but for what is of a payment that stays."""
    of_bill = and_(LedgerEntry.work_order_id.in_(orders), LedgerEntry.payment_id.is_(None))
    return _ids(LedgerEntry, or_(of_bill, LedgerEntry.payment_id.in_(payments)))


def _payments_for(orders: Collection[int], known: Collection[int]) -> tuple[set[int], set[int]]:
    """Payments of these bills: those that go back with them, and those that cannot, for they pay other bills too.

    What was returned whole of the bills of one card is in nobody's way: such a payment is of the other card.
    """
    touching = select(LedgerEntry.payment_id).where(LedgerEntry.work_order_id.in_(orders))
    returned = LedgerEntry.kind.in_((LedgerKind.PAYMENT, LedgerKind.REFUND))
    rows = session.execute(
        select(
            LedgerEntry.payment_id,
            LedgerEntry.work_order_id.in_(orders),
            func.coalesce(func.sum(LedgerEntry.debt_change).filter(returned), 0),
            func.bool_or(~returned),
        )
        .where(LedgerEntry.payment_id.in_(touching), LedgerEntry.work_order_id.is_not(None))
        .where(LedgerEntry.payment_id.not_in(known) if known else true())
        .group_by(LedgerEntry.payment_id, LedgerEntry.work_order_id)
    )
    #: {payment: (something is left of it on bills that go back, on bills that stay)}; None where it paid none.
    left: dict[int, list[bool | None]] = {}
    for payment_id, goes_back, paid, taken_back in rows:
        places = left.setdefault(payment_id, [None, None])
        places[not goes_back] = bool(places[not goes_back] or paid or taken_back)
    came = {pk for pk, (going, staying) in left.items() if staying is None or (going and not staying)}
    return came, {pk for pk, (going, staying) in left.items() if going and staying}
