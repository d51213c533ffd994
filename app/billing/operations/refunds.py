"""Money that goes back to a patient.

Where next: `../rules.py`, `take_back`.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import entry, id_of, lock_account, receipt_for
from app.cash import operations as cash
from app.db import next_numbers, session
from app.errors import NotFound, ReasonNeeded
from app.models import Branch, LedgerEntry, Patient, Payment, Refund, RefundPart, User, WorkOrder
from app.money import ZERO
from app.vocab import LedgerKind, PaymentMethod, ReceiptKind


def refund(payment_id: int, amount: Decimal, reason: str, *, actor: User | None) -> Refund:
    """Return money of a payment to the patient, the way it came and through the desk that took it.

    First what of it is still the patient's advance, then its bills, the newest first: they are owed again. A part that
    was paid from the advance goes back to the advance. Writes a return receipt.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        OverRefund: with what can be returned.
        NotEnoughCash, ShiftClosed: the desk that took it lacks the cash, or its shift is not open.
    """
    access.require(actor, "payment.refund")
    if not reason.strip():
        raise ReasonNeeded()
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise NotFound()
    lock_account(payment.patient_id)
    patient = session.get_one(Patient, payment.patient_id)
    undone = session.scalars(select(LedgerEntry.work_order_id).where(LedgerEntry.payment_id == payment.id)).all()
    session.execute(
        select(WorkOrder.id)
        .where(WorkOrder.id.in_({pk for pk in undone if pk is not None}))
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)
    )
    left = queries.returnable(payment.id)
    back = rules.take_back(left.parts, left.advance_left, left.bills, amount)
    desk_of = {part.id: part.desk_id for part in payment.parts}
    cash.lock_desks(desk_id for part, _ in back.parts if (desk_id := desk_of[part.part_id]) is not None)
    branch = session.get_one(Branch, payment.branch_id)
    movements = [
        cash.give_back(desk_id, share, patient_id=patient.id, actor=actor)
        if (desk_id := desk_of[part.part_id]) is not None
        else None
        for part, share in back.parts
    ]
    numbers = next_numbers(payment.legal_entity_id, {"refund": 1, "receipt": 1})
    now = clock.now()
    row = Refund(
        legal_entity_id=payment.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=numbers["refund"][0], payment_id=payment.id, patient_id=patient.id, amount=amount,
        reason=reason.strip(), business_day=clock.today(), refunded_at=now, created_at=now, created_by_id=id_of(actor),
        parts=[
            RefundPart(payment_part_id=part.part_id, amount=share, movement_id=movement.id if movement else None)
            for (part, share), movement in zip(back.parts, movements, strict=True)
        ],
    )  # fmt: skip
    session.add(row)
    session.flush()
    to_advance = sum((share for part, share in back.parts if part.method == PaymentMethod.ADVANCE), ZERO)
    link: dict[str, Any] = {"payment_id": payment.id, "refund_id": row.id, "actor": actor}
    changes: list[dict[str, Any]] = [{"advance": to_advance}] if to_advance else []
    changes += [{"advance": -back.from_advance}] if back.from_advance else []
    changes += [{"order_id": bill.work_order_id, "debt": bill.amount} for bill in back.bills]
    session.add_all(entry(LedgerKind.REFUND, patient.id, branch.id, **change, **link) for change in changes)
    session.flush()
    receipt = receipt_for(
        ReceiptKind.RETURN, numbers["receipt"][0], patient.id, patient.full_name, patient.card_number, branch,
        [(part.method, share) for part, share in back.parts],
        queries.receipt_lines([bill.work_order_id for bill in back.bills]),
        amount=amount, debt_left=queries.balance_of(patient.id).debt, actor=actor,
    )  # fmt: skip
    receipt.refund_id = row.id
    session.add(receipt)
    session.flush()
    after = {
        **audit.facts(row, ("number", "amount", "reason", "payment_id")),
        "parts": [f"{part.method} {share}" for part, share in back.parts],
        "from_advance": str(back.from_advance),
        "bills": [f"{bill.work_order_id}: {bill.amount}" for bill in back.bills],
    }
    audit.record("payment.refunded", row, after=after, patient_id=patient.id, actor=actor)
    return row
