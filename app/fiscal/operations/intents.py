"""What the device must do for a payment, a refund, a reversing order or a movement, written in the same transaction.

Where next: `rules.py` for what a receipt says, `carrying.py` for the way to the device.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from app import access, clock
from app.db import session
from app.fiscal import queries, rules
from app.fiscal.operations.carrying import hurry
from app.gateways.kkt import tasks
from app.models import (
    CashDesk,
    CashMovement,
    FiscalCredit,
    FiscalReceipt,
    LedgerEntry,
    Payment,
    Refund,
    User,
    WorkOrder,
)
from app.vocab import DeskKind, FiscalKind, FiscalStatus, LedgerKind, MovementKind

#: Of these the receipts tell the device.
_TOLD_BY_RECEIPTS = (MovementKind.PAYMENT, MovementKind.REFUND)


def intended(
    payment: Payment, pk: int, device: queries.Device, bills: Sequence[rules.Bill], *, client: str = "",
    actor: User | None,
) -> list[FiscalReceipt | FiscalCredit]:  # fmt: skip
    """The receipt that a payment needs, to be written with it under the id `pk`.

    `bills` are those that it pays, as they were before it: locked. `client` is the phone or e-mail to which the receipt
    goes as well, when the patient asked for it (tag 1008).
    """
    to_advance = sum(
        rules.kopecks(entry.advance_change) for entry in payment.entries if entry.kind == LedgerKind.ADVANCE_IN
    )
    sale = rules.sale(bills, [(part.method, rules.kopecks(part.amount)) for part in payment.parts], to_advance)
    row = _receipt(
        device, FiscalKind.SELL, sale.items, sale.payments, actor, client=client, id=pk,
        payment_id=payment.id, amount=payment.amount,
        bills=[[bill.id, many] for bill, many in zip(bills, sale.positions, strict=True)],
    )  # fmt: skip
    hurry(pk)
    return [row, *_credits(pk, dict(zip([bill.id for bill in bills], sale.credit, strict=True)))]


def intend_return(
    refund: Refund, from_advance: Decimal, bills: Iterable[tuple[int, Decimal]], *, actor: User | None
) -> FiscalReceipt | None:
    """Write which return receipt a refund needs: what leaves the advance, and the bills that are owed again."""
    device = queries.device_at(refund.legal_entity_id, refund.branch_id)
    if device is None:
        return None
    sold = queries.sold_by([refund.payment_id]).get(refund.payment_id)
    parts = [(part.payment_part.method, rules.kopecks(part.amount)) for part in refund.parts]
    shares = {pk: rules.kopecks(amount) for pk, amount in bills}
    back = rules.give_back(_groups(sold, shares, rules.kopecks(from_advance)), refund.payment.number)
    return _planned(
        device, FiscalKind.SELL_RETURN, back, rules.paid_by(parts), actor, refund_id=refund.id,
        amount=refund.amount, credit=_owed_again(sold, shares),
    )  # fmt: skip


def intend_reversal(
    reversal: WorkOrder, order: WorkOrder, unpaid: Sequence[LedgerEntry], *, actor: User | None
) -> None:
    """Write what the device must print for a reversing order: what was paid for it is returned and is an advance now.

    `unpaid` are the entries that moved what was paid to the advance; `order` is the bill as it is after them. What was
    told of on credit and is no longer owed is returned too. What no device has told of needs no return. The advance is
    written first, so that the device's drawer has the cash that it gives back.
    """
    device = queries.device_at(order.legal_entity_id, order.branch_id)
    if device is None:
        return
    taken = queries.lines_of(reversal.id)
    sold = queries.sold_by([entry.payment_id for entry in unpaid if entry.payment_id is not None])
    items: list[tasks.Item] = []
    parts: list[tuple[str, int]] = []
    owed_again = 0
    for entry in unpaid:
        told = sold.get(entry.payment_id or 0)
        if told is None:
            continue
        payment, share = session.get_one(Payment, entry.payment_id), rules.kopecks(entry.debt_change)
        weights = [rules.kopecks(part.amount) for part in payment.parts]
        parts += zip([part.method for part in payment.parts], rules.shares(share, weights), strict=True)
        items += rules.taken_back(rules.give_back(_groups(told, {order.id: share}, 0), payment.number), taken)
        owed_again += _owed_again(told, {order.id: share})[order.id]
    of_credit = max(rules.kopecks(queries.on_credit(order.id)) + owed_again - rules.kopecks(order.due), 0)
    if of_credit:
        items += rules.on_credit(taken, of_credit)
    kept = [(method, amount) for method, amount in parts if rules.is_money(method) and amount]
    if kept:
        amount = rules.roubles(sum(amount for _, amount in kept))
        advance = [rules.advance(sum(amount for _, amount in kept))]
        _planned(device, FiscalKind.SELL, advance, rules.paid_by(kept), actor, reversal_id=reversal.id, amount=amount)
    if items:
        ways = rules.paid_by(parts) | ({"credit": of_credit} if of_credit else {})
        _planned(
            device, FiscalKind.SELL_RETURN, items, ways, actor, reversal_id=reversal.id,
            amount=rules.roubles(sum(amount for _, amount in parts)), credit={order.id: owed_again - of_credit},
        )  # fmt: skip


def intend_cash(movement: CashMovement, desk: CashDesk, *, actor: User | None) -> FiscalReceipt | None:
    """Write that the device must count in its drawer the cash that came into a desk, or left it.

    Its drawer is all drawers of its organisation in its branch: a transfer between two of them is counted out and in
    again. Nothing of the bank's desk, of a patient's money, or without a device here. The desk is locked, so that cash
    is told of in the order in which it moved.
    """
    if desk.kind == DeskKind.NON_CASH or movement.kind in _TOLD_BY_RECEIPTS:
        return None
    device = queries.device_at(desk.legal_entity_id, desk.branch_id)
    if device is None:
        return None
    cashier = access.account(actor).name if actor else ""
    return cash_task(device.id, movement.delta, cashier, actor=actor, movement_id=movement.id)


def cash_task(
    device_id: int, change: Decimal, cashier: str, *, movement_id: int | None = None, actor: User | None
) -> FiscalReceipt:
    """One change of a device's drawer, on its way to the device as soon as it is committed."""
    kind = rules.drawer_kind(change)
    row = _task(
        device_id, kind, tasks.cash(str(kind), rules.kopecks(abs(change)), cashier), actor,
        amount=abs(change), movement_id=movement_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    hurry(row.id)
    return row


def _groups(sold: FiscalReceipt | None, shares: Mapping[int, int], of_advance: int) -> list[rules.Group]:
    """The positions that a return is of, with how much of each group goes back."""
    whole = sum(shares.values()) + of_advance
    if sold is None:
        return [rules.Group((), whole)]
    of_bill, rest = rules.positions(rules.items_of(sold.body), sold.bills)
    if not of_bill and shares:  # written before positions were known by their bills
        return [rules.Group(rest, whole)]
    groups = [rules.Group(of_bill.get(pk, ()), share) for pk, share in shares.items()]
    if not of_advance:
        return groups
    # what a reversing order made an advance of stands on no receipt of this payment
    return [*groups, rules.Group(rest or (rules.advance(of_advance),), of_advance)]


def _owed_again(sold: FiscalReceipt | None, shares: Mapping[int, int]) -> dict[int, int]:
    """How much of what goes back had paid what was on credit: it is on credit again."""
    if sold is None:
        return dict.fromkeys(shares, 0)
    of_bill, _ = rules.positions(rules.items_of(sold.body), sold.bills)
    return {
        pk: sum(
            item.amount
            for item in rules.give_back([rules.Group(of_bill.get(pk, ()), share)], 0)
            if item.method == rules.PAYS_CREDIT
        )
        for pk, share in shares.items()
    }


def _planned(
    device: queries.Device, kind: FiscalKind, items: list[tasks.Item], payments: dict[str, int],
    actor: User | None, *, credit: Mapping[int, int] | None = None, **of: Any,
) -> FiscalReceipt:  # fmt: skip
    row = _receipt(device, kind, items, payments, actor, **of)
    session.add(row)
    session.flush()
    session.add_all(_credits(row.id, credit or {}))
    session.flush()
    hurry(row.id)
    return row


def _receipt(
    device: queries.Device, kind: FiscalKind, items: list[tasks.Item], payments: dict[str, int], actor: User | None,
    *, client: str = "", **of: Any,
) -> FiscalReceipt:  # fmt: skip
    cashier = access.account(actor).name if actor else ""
    body = tasks.receipt(str(kind), items, payments, taxation=device.taxation, cashier=cashier, client=client)
    return _task(device.id, kind, body, actor, **of)


def _task(device_id: int, kind: FiscalKind, body: dict[str, Any], actor: User | None, **of: Any) -> FiscalReceipt:
    now = clock.now()
    return FiscalReceipt(
        uuid=uuid4(), device_id=device_id, kind=kind, created_at=now, due_at=now,
        created_by_id=actor.id if actor else None, status=FiscalStatus.PLANNED, body=body, **of,
    )  # fmt: skip


def _credits(receipt_id: int, changes: Mapping[int, int]) -> list[FiscalCredit]:
    return [
        FiscalCredit(receipt_id=receipt_id, work_order_id=pk, change=rules.roubles(change))
        for pk, change in changes.items()
        if change
    ]
