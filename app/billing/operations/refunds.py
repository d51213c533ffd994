"""Money that goes back to a patient: a refund, the return of an advance, a mistake of today cancelled.

All three are one act with another answer to what is un-done. Where next: `rules.take_back`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import entry, id_of, place_of, receipt_for
from app.billing.operations.relatives import give_back_lent
from app.cash import operations as cash
from app.db import next_numbers, session
from app.errors import NotFound, ReasonNeeded
from app.fiscal import operations as fiscal
from app.models import Branch, CashMovement, LedgerEntry, Patient, Payment, Refund, RefundPart, User, WorkOrder
from app.money import ZERO
from app.patients.queries import lock_accounts
from app.vocab import DeskKind, LedgerKind, PaymentMethod, ReceiptKind, RefundKind

_DEEDS = {
    RefundKind.REFUND: "payment.refunded",
    RefundKind.ADVANCE: "advance.returned",
    RefundKind.CANCELLATION: "payment.cancelled",
}


def refund(payment_id: int, amount: Decimal, reason: str, *, actor: User | None) -> Refund:
    """Return money of a payment to the patient, the way it came and through the desk that took it.

    First what of it is still the patient's advance, then its bills, the newest first: they are owed again. A part that
    was paid from the advance goes back to the advance, to a relative's where it was a relative's. Writes a return
    receipt.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        OverRefund: with what can be returned.
        NotEnoughCash, ShiftClosed: the desk that took it lacks the cash, or its shift is not open.
        Busy: the relative's card was merged at this moment.
    """
    access.require(actor, "payment.refund")

    def undo(_: Payment, left: queries.Returnable) -> rules.Return:
        return rules.take_back(left.parts, left.advance_left, left.bills, amount)

    return _give_back(payment_id, undo, RefundKind.REFUND, reason, actor=actor)


def return_advance(payment_id: int, amount: Decimal, reason: str, *, actor: User | None) -> Refund:
    """Return of a patient's advance what one payment brought: as money, through the desk that took it.

    No more than the patient's advance, than this payment added to it, and than its money not returned yet; no bill is
    owed again. Writes a return receipt.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        OverRefund: with what can be returned.
        NotEnoughCash, ShiftClosed: the desk that took it lacks the cash, or its shift is not open.
    """
    access.require(actor, "payment.return_advance")

    def undo(_: Payment, left: queries.Returnable) -> rules.Return:
        return rules.take_back(rules.only_money(left.parts), left.advance_left, (), amount)

    return _give_back(payment_id, undo, RefundKind.ADVANCE, reason, actor=actor)


def cancel_payment(payment_id: int, reason: str, *, actor: User | None) -> Refund:
    """Cancel a payment taken by mistake: whole, on the same day, in the shifts that took it.

    Its bills are owed again, its advance is gone. The payment stays and the cancellation is linked to it.

    Raises:
        NotAllowed, NotFound, ReasonNeeded
        NotCancellable: another day, a closed shift, or something of it was returned.
        AdvanceSpent: its advance was spent meanwhile.
        NotEnoughCash
    """
    access.require(actor, "payment.cancel")

    def undo(payment: Payment, left: queries.Returnable) -> rules.Return:
        rules.check_cancellable(
            payment.amount, left.parts, of_today=payment.business_day == clock.today(),
            shift_open=not queries.of_closed_shifts([payment.id]),
        )  # fmt: skip
        rules.check_unspent(payment.amount, left.amount)
        return rules.take_back(left.parts, left.advance_left, left.bills, payment.amount)

    return _give_back(payment_id, undo, RefundKind.CANCELLATION, reason, actor=actor)


def _give_back(
    payment_id: int, undo: Callable[[Payment, queries.Returnable], rules.Return], kind: RefundKind, reason: str, *,
    actor: User | None,
) -> Refund:  # fmt: skip
    """Lock the patient's money, ask what is un-done, and write it: movements, refund, ledger, receipt."""
    if not reason.strip():
        raise ReasonNeeded()
    patient_of = select(Payment.patient_id).where(Payment.id == payment_id)
    lock_accounts(lambda: {*session.scalars(patient_of), *queries.lenders_of(payment_id).values()})
    payment = session.get(Payment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFound()
    lenders = queries.lenders_of(payment.id)
    patient = session.get_one(Patient, payment.patient_id)
    _lock_bills_of(payment.id)
    back = undo(payment, queries.returnable(payment.id))
    amount = sum((share for _, share in back.parts), ZERO)
    branch = session.get_one(Branch, payment.branch_id)
    movements = _money_out(payment, back, actor)
    numbers = next_numbers(payment.legal_entity_id, {"refund": 1, "receipt": 1})
    now = clock.now()
    row = Refund(
        legal_entity_id=payment.legal_entity_id, branch_id=branch.id, year=clock.today().year, kind=kind,
        number=numbers["refund"][0], payment_id=payment.id, patient_id=patient.id, amount=amount,
        reason=reason.strip(), business_day=clock.today(), refunded_at=now, created_at=now, created_by_id=id_of(actor),
        parts=[
            RefundPart(payment_part_id=part.part_id, amount=share, movement_id=movement.id if movement else None)
            for (part, share), movement in zip(back.parts, movements, strict=True)
        ],
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(_entries_of(row, back, actor))
    session.flush()
    for part, share in back.parts:
        if part.part_id in lenders:
            give_back_lent(lenders[part.part_id], row, share, actor=actor)
    receipt = receipt_for(
        ReceiptKind.RETURN, numbers["receipt"][0], patient.id, patient.full_name, patient.card_number, place_of(branch),
        [(part.method, share, {}) for part, share in back.parts],
        queries.receipt_lines([bill.work_order_id for bill in back.bills]),
        amount=amount, debt_left=queries.balance_of(patient.id).debt,
        for_lines=sum((bill.amount for bill in back.bills), ZERO), payer=queries.name_of_payer(payment),
        returned=_returned(payment, row), actor=actor,
    )  # fmt: skip
    receipt.refund_id = row.id
    session.add(receipt)
    session.flush()
    fiscal.intend_return(
        row, back.from_advance, [(bill.work_order_id, bill.amount) for bill in back.bills], actor=actor
    )
    after = {
        **audit.facts(row, ("number", "amount", "reason", "payment_id")),
        "parts": [f"{part.method} {share}" for part, share in back.parts],
        "from_advance": str(back.from_advance),
        "bills": [f"{bill.work_order_id}: {bill.amount}" for bill in back.bills],
    }
    audit.record(_DEEDS[kind], row, after=after, patient_id=patient.id, actor=actor)
    return row


def _lock_bills_of(payment_id: int) -> None:
    """The bills that a payment's entries name, locked by number."""
    undone = session.scalars(select(LedgerEntry.work_order_id).where(LedgerEntry.payment_id == payment_id)).all()
    session.execute(
        select(WorkOrder.id)
        .where(WorkOrder.id.in_({pk for pk in undone if pk is not None}))
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)
    )


def _returned(payment: Payment, row: Refund) -> dict[str, Any]:
    """What the paper of a refund says of the one it gives money back of."""
    paper = payment.receipt
    number = paper.number if paper is not None else payment.number
    of = {"number": number, "day": payment.business_day.isoformat(), "amount": str(payment.amount)}
    return {"reason": row.reason, "returned": of}


def _money_out(payment: Payment, back: rules.Return, actor: User | None) -> list[CashMovement | None]:
    """Each part's money leaves the desk that took it; a part of the advance was in no desk."""
    desk_of = {part.id: part.desk_id for part in payment.parts}
    wanted = [desk_of[part.part_id] for part, _ in back.parts]
    desks = cash.lock_desks(desk_id for desk_id in wanted if desk_id is not None)
    moved: list[CashMovement | None] = [None] * len(wanted)
    # the bank's first: the series of numbers are locked in one order
    drawers = {desk_id for desk_id, desk in desks.items() if desk.kind != DeskKind.NON_CASH}
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place] in drawers):
        desk_id, share = wanted[place], back.parts[place][1]
        if desk_id is not None:
            moved[place] = cash.give_back(desk_id, share, patient_id=payment.patient_id, actor=actor)
    return moved


def _entries_of(row: Refund, back: rules.Return, actor: User | None) -> list[LedgerEntry]:
    """The ledger of a refund: what goes back to the advance, what leaves it, which bills are owed again."""
    to_advance = sum((share for part, share in back.parts if part.method == PaymentMethod.ADVANCE), ZERO)
    changes: list[dict[str, Any]] = [{"advance": to_advance}] if to_advance else []
    changes += [{"advance": -back.from_advance}] if back.from_advance else []
    changes += [{"order_id": bill.work_order_id, "debt": bill.amount} for bill in back.bills]
    link: dict[str, Any] = {"payment_id": row.payment_id, "refund_id": row.id, "actor": actor}
    return [entry(LedgerKind.REFUND, row.patient_id, row.branch_id, **change, **link) for change in changes]
