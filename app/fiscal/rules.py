"""What a fiscal receipt says, in kopecks: positions that add up to the kopeck, and the ways it was paid.

Where next: `operations.py`, which asks for these when money is taken or given back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.gateways.kkt import tasks
from app.gateways.kkt.tasks import NAME_LENGTH, Item
from app.money import split
from app.vocab import FiscalKind, PaymentMethod

#: How each way of paying stands on a receipt.
WAYS = {
    PaymentMethod.CASH: "cash", PaymentMethod.CARD: "electronically", PaymentMethod.TRANSFER: "electronically",
    PaymentMethod.ADVANCE: "prepaid",
}  # fmt: skip
ADVANCE = Item("Аванс", 0, 1, method="advance", object="payment")
_KOPECK = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """A line of a bill: its total has the discount inside."""

    name: str
    quantity: int
    total: int
    object: str = "service"
    vat: str = "none"


@dataclass(frozen=True)
class Bill:
    """What a payment does to a bill: what was due before it, what it pays, whether something was paid before."""

    number: int
    lines: Sequence[Line]
    due: int
    paid: int
    begun: bool = False


def kopecks(amount: Decimal) -> int:
    return int(amount / _KOPECK)


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide kopecks in proportion to weights; they add up."""
    return [kopecks(part) for part in split(whole * _KOPECK, [Decimal(weight) for weight in weights])]


def priced(line: Line) -> list[Item]:
    """A line as positions with amount = price × quantity: what does not divide becomes two prices a kopeck apart."""
    low, dearer = divmod(line.total, line.quantity)
    item = Item(line.name[:NAME_LENGTH], low, line.quantity, object=line.object, vat=line.vat)
    if not dearer:
        return [item]
    return [replace(item, quantity=line.quantity - dearer), replace(item, price=low + 1, quantity=dearer)]


def _scaled(lines: Sequence[Line], whole: int) -> list[Line]:
    """The lines worth so much together: of a bill that was taken back in part, what is left of it."""
    totals = [line.total for line in lines]
    if sum(totals) == whole:
        return list(lines)
    return [
        replace(line, total=share, quantity=line.quantity if share == line.total else 1)
        for line, share in zip(lines, shares(whole, totals), strict=True)
        if share
    ]


def sale(bills: Sequence[Bill], parts: Sequence[tuple[str, int]], to_advance: int) -> tuple[list[Item], dict[str, int]]:
    """The positions and the payments of a receipt for a payment.

    Paid in full: the services, full payment. Paid in part for the first time: the services, partly on credit. What
    was begun before is the payment of a credit. What no bill takes is an advance.
    """
    items: list[Item] = []
    credit = 0
    for bill in bills:
        if bill.begun or not bill.lines:
            items.append(Item(f"Оплата по наряду № {bill.number}", bill.paid, 1, "creditPayment", "payment"))
            continue
        method = "fullPayment" if bill.paid == bill.due else "partialPayment"
        credit += bill.due - bill.paid
        for line in _scaled(bill.lines, bill.due):
            items += [replace(item, method=method) for item in priced(line)]
    if to_advance:
        items.append(replace(ADVANCE, price=to_advance))
    return items, paid_by(parts) | ({"credit": credit} if credit else {})


def paid_by(parts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Payments of a receipt by kind."""
    paid: dict[str, int] = {}
    for method, amount in parts:
        way = WAYS[PaymentMethod(method)]
        paid[way] = paid.get(way, 0) + amount
    return paid


def give_back(
    original: Sequence[Item], credit: int, parts: Sequence[tuple[str, int]], from_advance: int, number: int
) -> tuple[list[Item], dict[str, int]]:
    """The positions and payments of a return: the sale's own positions, or its share of them."""
    whole = sum(amount for _, amount in parts)
    if not credit and whole == sum(item.amount for item in original):
        return list(original), paid_by(parts)
    advances = [item for item in original if item.method == "advance"]
    others = [item for item in original if item.method != "advance"]
    of_advance = min(from_advance, whole, sum(item.amount for item in advances))
    items = []
    for group, share in ((others, whole - of_advance), (advances, of_advance)):
        if share and sum(item.amount for item in group) == 0:
            items.append(Item(f"Возврат оплаты № {number}", share, 1))
            continue
        parted = shares(share, [item.amount for item in group])
        items += [replace(item, price=part, quantity=1) for item, part in zip(group, parted, strict=True) if part]
    return items, paid_by(parts)


def items_of(body: Mapping[str, Any]) -> list[Item]:
    """The positions of a receipt, as it was sent."""
    return [
        Item(
            one["name"], tasks.kopecks(one["price"]), int(one["quantity"]), one["paymentMethod"], one["paymentObject"],
            one["tax"]["type"],
        )
        for one in body["items"]
        if one.get("type") == "position"
    ]  # fmt: skip


def qr(printed_at: datetime, total: int, fn: str, document: int, sign: str, kind: str) -> str:
    """What the square on a receipt says; the moment is the wall clock's, the total in kopecks."""
    way = 1 if kind == FiscalKind.SELL else 2
    return f"t={printed_at:%Y%m%dT%H%M}&s={total * _KOPECK:.2f}&fn={fn}&i={document}&fp={sign}&n={way}"


def pause_after(attempts: int) -> timedelta:
    """How long to wait before the device is asked or tried again."""
    return timedelta(seconds=min(5 * 2 ** min(attempts, 6), 120))
