"""What a fiscal receipt says, in kopecks: positions that add up to the kopeck, and the ways it was paid.

Where next: `operations.py`, which asks for these when money is taken or given back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from app.gateways.kkt import tasks
from app.gateways.kkt.tasks import NAME_LENGTH, Item
from app.money import split
from app.vocab import N_, FiscalKind, FiscalStatus, PaymentMethod

#: How each way of paying stands on a receipt.
WAYS = {
    PaymentMethod.CASH: "cash", PaymentMethod.CARD: "electronically", PaymentMethod.TRANSFER: "electronically",
    PaymentMethod.ADVANCE: "prepaid",
}  # fmt: skip
#: How a position says that it is the payment of what was sold on credit before.
PAYS_CREDIT = "creditPayment"
#: The same in words, and how a position is paid.
WORDS = {
    "cash": N_("Cash"), "electronically": N_("Non-cash"), "prepaid": N_("From the advance"), "credit": N_("On credit"),
}  # fmt: skip
METHODS = {
    "fullPayment": N_("full payment"), "partialPayment": N_("partial payment and credit"), "advance": N_("advance"),
    PAYS_CREDIT: N_("payment of the credit"),
}  # fmt: skip
_OBJECTS = {"goods": "commodity"}
#: What is no receipt: the device counts cash in its drawer.
DRAWER = (FiscalKind.CASH_IN, FiscalKind.CASH_OUT)
#: How such a one stands, where the words of a receipt would be wrong.
_COUNTED = {
    FiscalStatus.SENDING: N_("Being told"), FiscalStatus.DONE: N_("Counted by the device"),
    FiscalStatus.FAILED: N_("Not counted by the device"),
}  # fmt: skip
#: When the desk is told to close the device's shift: so much before the device stops by itself.
SHIFT_ENDS_SOON = timedelta(hours=2)
_KOPECK = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """A line of a bill: its total has the discount inside."""

    name: str
    quantity: int
    total: int
    object: str = "service"
    vat: str = "none"


def line(code: str, name: str, tooth: str, quantity: int, total: Decimal, *, kind: str, vat: str) -> Line:
    """A line of a bill as a receipt names it: code, service, tooth. `kind` is the item's: service, goods …"""
    of_tooth = f" (зуб {tooth})" if tooth else ""
    called = f"{code} {name}"[: NAME_LENGTH - len(of_tooth)].strip() + of_tooth
    return Line(called.strip(), quantity, kopecks(total), _OBJECTS.get(kind, "service"), vat)


@dataclass(frozen=True)
class Bill:
    """What a payment does to a bill: what was due before it, what it pays, what receipts told of on credit before."""

    id: int
    number: int
    lines: Sequence[Line]
    due: int
    paid: int
    credit: int = 0


@dataclass(frozen=True)
class Sale:
    """What the receipt of a payment says; for each bill how many positions, and how what is on credit changed."""

    items: list[Item]
    payments: dict[str, int]
    positions: list[int]
    credit: list[int]


@dataclass(frozen=True)
class Group:
    """Positions of a sale of which so much together is given back."""

    items: Sequence[Item]
    share: int


def wire(uuid: UUID, round_: int) -> str:
    """Under which uuid the device knows a receipt: another one each time after it said that it printed nothing."""
    return str(uuid if not round_ else uuid5(uuid, str(round_)))


def kopecks(amount: Decimal) -> int:
    return int(amount / _KOPECK)


def roubles(amount: int) -> Decimal:
    return amount * _KOPECK


def is_money(method: str) -> bool:
    """Did it come as money, not from what was paid ahead?"""
    return WAYS[PaymentMethod(method)] != "prepaid"


def is_receipt(kind: str) -> bool:
    """Is it printed as a fiscal document, and not only counted in the device's drawer?"""
    return kind not in DRAWER


def drawer_kind(change: Decimal) -> FiscalKind:
    """What the device is told of cash that came into a desk (+) or left it (−)."""
    return FiscalKind.CASH_IN if change > 0 else FiscalKind.CASH_OUT


def touches_drawer(body: Mapping[str, Any]) -> bool:
    """Does the device's drawer hold another sum after this?"""
    return not is_receipt(body["type"]) or any(way == "cash" and amount for way, amount in payments_of(body))


def status_word(kind: str, status: str) -> str:
    """How it stands, in the words of the desk (message id)."""
    known = FiscalStatus(status)
    return known.label if is_receipt(kind) else _COUNTED.get(known, known.label)


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


def sale(bills: Sequence[Bill], parts: Sequence[tuple[str, int]], to_advance: int) -> Sale:
    """The receipt of a payment.

    What was told of on credit before is paid first, as the payment of a credit. Else the services: paid in full, full
    payment; in part, partly on credit. What no bill takes is an advance.
    """
    told = [_bill_paid(bill) for bill in bills]
    items = [item for its, _ in told for item in its]
    if to_advance:
        items.append(advance(to_advance))
    given = sum(change for _, change in told) + sum(item.amount for item in items if item.method == PAYS_CREDIT)
    payments = paid_by(parts) | ({"credit": given} if given else {})
    return Sale(items, payments, [len(its) for its, _ in told], [change for _, change in told])


def _bill_paid(bill: Bill) -> tuple[list[Item], int]:
    """The positions of a bill that is paid, in full or in part, and how what is on credit of it changes."""
    back = min(bill.credit, bill.paid)
    items = [Item(f"Оплата по наряду № {bill.number}", back, 1, PAYS_CREDIT, "payment")] if back else []
    paid, due = bill.paid - back, bill.due - bill.credit
    if not paid:
        return items, -back
    method = "fullPayment" if paid == due else "partialPayment"
    for line in _scaled(bill.lines, due):
        items += [replace(item, method=method) for item in priced(line)]
    return items, due - paid - back


def advance(amount: int) -> Item:
    """Money of which it is not known yet what it will pay for."""
    return Item("Аванс", amount, 1, method="advance", object="payment")


def on_credit(lines: Sequence[Line], amount: int) -> list[Item]:
    """The positions of lines that were told of on credit and are taken back, worth so much together."""
    return [replace(item, method="partialPayment") for line in _scaled(lines, amount) for item in priced(line)]


def paid_by(parts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Payments of a receipt by kind."""
    paid: dict[str, int] = {}
    for method, amount in parts:
        way = WAYS[PaymentMethod(method)]
        paid[way] = paid.get(way, 0) + amount
    return paid


def positions(
    items: Sequence[Item], bills: Sequence[Sequence[int]]
) -> tuple[dict[int, Sequence[Item]], Sequence[Item]]:
    """The positions of a receipt by their bills, and those that are of none."""
    found, place = {}, 0
    for bill_id, many in bills:
        found[bill_id] = items[place : place + many]
        place += many
    return found, items[place:]


def give_back(groups: Sequence[Group], number: int) -> list[Item]:
    """The positions of a return: the sale's own, or its share of them; without any, the return of a payment."""
    items: list[Item] = []
    for group in groups:
        whole = sum(item.amount for item in group.items)
        if group.share == whole:
            items += group.items
        elif whole == 0:
            items.append(Item(f"Возврат оплаты № {number}", group.share, 1))
        else:
            parted = shares(group.share, [item.amount for item in group.items])
            items += [
                replace(item, price=part, quantity=1) for item, part in zip(group.items, parted, strict=True) if part
            ]
    return items


def taken_back(items: Sequence[Item], lines: Sequence[Line]) -> list[Item]:
    """A share of a sale as a reversing order returns it: of the services those lines, and no others.

    The payment of a credit is returned as it is: it names no service.
    """
    services = [item for item in items if item.method != PAYS_CREDIT]
    back = [item for item in items if item.method == PAYS_CREDIT]
    for line in _scaled(lines, sum(item.amount for item in services)) if services else ():
        back += [replace(item, method=services[0].method) for item in priced(line)]
    return back


def items_of(body: Mapping[str, Any]) -> list[Item]:
    """The positions of a receipt, as it was sent; none of what is no receipt."""
    return [
        Item(
            one["name"], tasks.kopecks(one["price"]), int(one["quantity"]), one["paymentMethod"], one["paymentObject"],
            one["tax"]["type"],
        )
        for one in body.get("items", ())
        if one.get("type") == "position"
    ]  # fmt: skip


def payments_of(body: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The ways in which a receipt was paid, as it was sent; none of what is no receipt."""
    return [(one["type"], tasks.kopecks(one["sum"])) for one in body.get("payments", ())]


def qr(printed_at: datetime, total: int, fn: str, document: int, sign: str, kind: str) -> str:
    """What the square on a receipt says; the moment is the wall clock's, the total in kopecks."""
    way = 1 if kind in (FiscalKind.SELL, FiscalKind.SELL_CORRECTION) else 2
    return f"t={printed_at:%Y%m%dT%H%M}&s={total * _KOPECK:.2f}&fn={fn}&i={document}&fp={sign}&n={way}"


#: The ways of paying as a device adds them up.
SUMS = ("cash", "electronically", "prepaid", "credit")


def no_sums() -> dict[str, dict[str, int]]:
    """The sums of a shift that had no receipts, as the device and the program both tell them."""
    return {
        str(kind): {"count": 0, "sum": 0, **dict.fromkeys(SUMS, 0)}
        for kind in (FiscalKind.SELL, FiscalKind.SELL_RETURN)
    }


def add_up(sums: dict[str, int], body: Mapping[str, Any]) -> None:
    """Add a printed receipt to the sums of its kind."""
    sums["count"] += 1
    sums["sum"] += tasks.kopecks(body["total"])
    for way, amount in payments_of(body):
        sums[way] += amount


def pause_after(attempts: int) -> timedelta:
    """How long to wait before the device is asked or tried again."""
    return timedelta(seconds=min(5 * 2 ** min(attempts, 6), 120))
