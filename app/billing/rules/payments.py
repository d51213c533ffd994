"""How a payment is spread over bills, and how a return goes back the way it came."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app import money
from app.errors import (
    AdvanceOnlyForBills,
    AdvanceSpent,
    BillsChanged,
    CertificateExpired,
    CertificateSpent,
    Invalid,
    NotCancellable,
    NotDue,
    NotEnoughAdvance,
    OverRefund,
    TenderedTooLittle,
    WrongSplit,
)
from app.money import ZERO
from app.patients import rules as patients
from app.vocab import N_, PaymentMethod

MOST_PARTS = 20
#: How long the address of a fiscal receipt's buyer may be (tag 1008).
LONGEST_ADDRESS = 64


@dataclass(frozen=True)
class Part:
    """A share of a payment: how, how much, into which desk, if that was said.

    An advance may be a relative's, or what is left on a certificate.
    """

    method: str
    amount: Decimal
    desk_id: int | None = None
    from_patient_id: int | None = None
    certificate: str | None = None


@dataclass(frozen=True)
class Due:
    """A bill and what is still to be paid on it."""

    work_order_id: int
    amount: Decimal


def receipt_to(text: str) -> str:
    """Where the electronic receipt goes: a phone in the international form or an e-mail; empty when nobody asked.

    Raises:
        Invalid: it is neither.
    """
    clean = text.strip()
    if not clean:
        return ""
    if "@" not in clean and not any(one.isdigit() for one in clean):
        raise Invalid(fields={"receipt_to": N_("Write a phone number or an e-mail address.")})
    try:
        known = patients.email(clean) if "@" in clean else patients.phone(clean)
    except Invalid as wrong:
        [said] = wrong.facts["fields"].values()
        raise Invalid(fields={"receipt_to": said}) from wrong
    if len(known) > LONGEST_ADDRESS:
        raise Invalid(fields={"receipt_to": N_("This text is too long.")})
    return known


def check_parts(parts: Sequence[Part]) -> Decimal:
    """The whole of a payment's parts.

    Raises:
        Invalid: no part, a part that is not above zero, an advance that names a desk.
    """
    if not parts or len(parts) > MOST_PARTS:
        raise Invalid(fields={"parts": N_("Write what is paid.")})
    for place, part in enumerate(parts):
        if part.method not in [str(method) for method in PaymentMethod]:
            raise Invalid(fields={f"parts.{place}.method": N_("Unknown value.")})
        if not part.amount.is_finite() or part.amount <= 0 or part.amount != money.rounded(part.amount):
            raise Invalid(fields={f"parts.{place}.amount": N_("The sum must be above zero.")})
        if part.method == PaymentMethod.ADVANCE and part.desk_id is not None:
            raise Invalid(fields={f"parts.{place}.desk_id": N_("The advance is not in a desk.")})
        if part.method != PaymentMethod.ADVANCE and part.from_patient_id is not None:
            raise Invalid(fields={f"parts.{place}.from_patient_id": N_("Only an advance is a relative's.")})
        if part.certificate is not None and (part.method != PaymentMethod.ADVANCE or part.from_patient_id is not None):
            raise Invalid(fields={f"parts.{place}.certificate": N_("A certificate is paid from as an advance.")})
    whole = sum((part.amount for part in parts), ZERO)
    if whole > money.LARGEST:
        raise Invalid(fields={"parts": N_("This sum is too large.")})
    return whole


def sum_of(parts: Sequence[Part], *methods: str) -> Decimal:
    """What is paid in these ways together."""
    return sum((part.amount for part in parts if part.method in methods), ZERO)


def change(cash: Decimal, tendered: Decimal | None) -> Decimal:
    """What the patient gets back from the cash given. It never was the clinic's: only `cash` comes into the desk.

    Raises:
        TenderedTooLittle
        Invalid: cash was given, but nothing is paid in cash.
    """
    if tendered is None:
        return ZERO
    if not tendered.is_finite() or not 0 <= tendered <= money.LARGEST or tendered != money.rounded(tendered):
        raise Invalid(fields={"tendered": N_("This is not a sum of money.")})
    if tendered and not cash:
        raise Invalid(fields={"tendered": N_("Nothing is paid in cash.")})
    if tendered < cash:
        raise TenderedTooLittle({"cash": money.shown(cash)}, cash=str(cash))
    return tendered - cash


@dataclass(frozen=True)
class Allocation:
    """How a payment is spread: over bills, and the rest to the advance."""

    bills: tuple[Due, ...]
    to_advance: Decimal


def spread(dues: Sequence[Due], whole: Decimal) -> tuple[Due, ...]:
    """Money over bills in the given order, each paid in full before the next gets anything."""
    return tuple(Due(*share) for share in shares([(due.work_order_id, due.amount) for due in dues], whole))


def shares(parts: Sequence[tuple[int, Decimal]], whole: Decimal) -> list[tuple[int, Decimal]]:
    """A sum over numbered amounts in the given order, each filled before the next gets anything."""
    given = []
    for number, amount in parts:
        share = min(amount, whole)
        if share > 0:
            given.append((number, share))
            whole -= share
    return given


def allocate(
    dues: Sequence[Due], whole: Decimal, *, from_advance: Decimal = ZERO, chosen: Sequence[Due] | None = None
) -> Allocation:
    """Spread a payment over the chosen bills, or over all that are due, the oldest first; the rest is an advance.

    `dues` are the patient's unpaid bills, the oldest first. `from_advance` is the share of `whole` paid from the
    advance: it can only pay bills, or it would go in circles.

    Raises:
        NotDue: more than is due on a chosen bill, or a bill that is not this patient's or not to be paid.
        WrongSplit: more spread over bills than is paid.
        AdvanceOnlyForBills
        Invalid
    """
    if chosen is None:
        bills = spread(dues, whole)
    else:
        left = {due.work_order_id: due.amount for due in dues}
        for place, bill in enumerate(chosen):
            if not bill.amount.is_finite() or bill.amount <= 0 or bill.amount != money.rounded(bill.amount):
                raise Invalid(fields={f"bills.{place}.amount": N_("The sum must be above zero.")})
            due = left.pop(bill.work_order_id, ZERO)
            if bill.amount > due:
                raise NotDue({"left": money.shown(due)}, left=str(due), work_order_id=bill.work_order_id)
        bills = tuple(chosen)
    spent = sum((bill.amount for bill in bills), ZERO)
    if spent > whole:
        raise WrongSplit({"parts": money.shown(whole), "bills": money.shown(spent)}, parts=str(whole), bills=str(spent))
    if from_advance > spent:
        raise AdvanceOnlyForBills({"due": money.shown(spent)}, due=str(spent))
    return Allocation(bills, whole - spent)


def check_seen(seen: Collection[Due], dues: Collection[Due]) -> None:
    """Is due what was looked at when the money was counted?

    Raises:
        BillsChanged
    """
    if {(due.work_order_id, due.amount) for due in seen} != {(due.work_order_id, due.amount) for due in dues}:
        raise BillsChanged(bills=[{"work_order_id": due.work_order_id, "due": str(due.amount)} for due in dues])


def check_advance(has: Decimal, wanted: Decimal) -> None:
    """Raises:
    NotEnoughAdvance: with what the patient has.
    """
    if wanted > has:
        raise NotEnoughAdvance({"left": money.shown(has)}, left=str(has))


def check_certificate(number: str, left: Decimal, wanted: Decimal, valid_until: date | None, today: date) -> None:
    """Whether so much can be taken of a certificate on a day.

    Raises:
        CertificateExpired
        CertificateSpent: with what is left.
    """
    if valid_until is not None and today > valid_until:
        raise CertificateExpired({"number": number, "day": f"{valid_until:%d.%m.%Y}"}, until=valid_until.isoformat())
    if wanted > left:
        raise CertificateSpent({"left": money.shown(left), "number": number}, left=str(left))


# --- refunds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaidPart:
    """A part of a payment and what of it has not been returned yet."""

    part_id: int
    method: str
    left: Decimal


@dataclass(frozen=True)
class Return:
    """How a refund un-does a payment.

    `parts` go back the way they came: (part, amount). `from_advance` leaves the patient's advance; `bills` are
    owed again.
    """

    parts: tuple[tuple[PaidPart, Decimal], ...]
    from_advance: Decimal
    bills: tuple[Due, ...]


def refundable(parts: Collection[PaidPart], advance_left: Decimal, bills: Collection[Due]) -> Decimal:
    """What of a payment can still be returned.

    No more than was paid and not returned; an advance that was spent on another bill since is returned from that bill's
    payment, not from here.
    """
    unreturned = sum((part.left for part in parts), ZERO)
    undoable = advance_left + sum((bill.amount for bill in bills), ZERO)
    return min(unreturned, undoable)


def take_back(parts: Sequence[PaidPart], advance_left: Decimal, bills: Sequence[Due], amount: Decimal) -> Return:
    """Un-do so much of a payment: first what of it is still the patient's advance, then its bills, the newest first.

    `parts` in the order they were paid; money goes back before what came from the advance. `advance_left` is what this
    payment added to the advance and the patient still has; `bills` is what it paid and was not un-done, newest first.

    Raises:
        Invalid: not above zero.
        OverRefund: with what can be returned.
    """
    if not amount.is_finite() or amount <= 0 or amount != money.rounded(amount):
        raise Invalid(fields={"amount": N_("The sum must be above zero.")})
    most = refundable(parts, advance_left, bills)
    if amount > most:
        raise OverRefund({"left": money.shown(most)}, left=str(most))
    money_first = sorted(parts, key=lambda part: part.method == PaymentMethod.ADVANCE)
    returned: list[tuple[PaidPart, Decimal]] = []
    rest = amount
    for part in money_first:
        share = min(part.left, rest)
        if share > 0:
            returned.append((part, share))
            rest -= share
    from_advance = min(advance_left, amount)
    return Return(tuple(returned), from_advance, spread(bills, amount - from_advance))


def only_money(parts: Sequence[PaidPart]) -> list[PaidPart]:
    """The parts that came into a desk: an advance goes back as money, never as an advance."""
    return [part for part in parts if part.method != PaymentMethod.ADVANCE]


def check_cancellable(whole: Decimal, parts: Sequence[PaidPart], *, of_today: bool, shift_open: bool) -> None:
    """A mistake is taken back whole, on its own day, in its own shift; afterwards money is returned.

    Raises:
        NotCancellable
    """
    if not of_today or not shift_open or sum((part.left for part in parts), ZERO) != whole:
        raise NotCancellable()


def check_unspent(whole: Decimal, left: Decimal) -> None:
    """Is all that a payment brought still where it put it, so that it can be taken back whole?

    Raises:
        AdvanceSpent: with what is spent, and what can be returned.
    """
    if left < whole:
        spent = whole - left
        raise AdvanceSpent({"spent": money.shown(spent), "left": money.shown(left)}, spent=str(spent), left=str(left))
