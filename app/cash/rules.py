"""Decisions of the cash desk: which way money goes, what a count may say, what may be reversed."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from app import money
from app.errors import CategoryNeeded, CountDiffers, Invalid, NotEnoughCash, NotReversible
from app.vocab import N_, DeskKind, MovementKind

PAY_IN, WITHDRAWAL, COLLECTION = "pay_in", "withdrawal", "collection"
SALARY, TRANSFER, CORRECTION = "salary", "transfer", "correction"
#: What the desk may do by itself, as the contract names it.
MOVES = (PAY_IN, WITHDRAWAL, COLLECTION, SALARY, TRANSFER, CORRECTION)
#: Mistakes in these are mended by a reversal; patients' money by a refund, a count by the next count.
REVERSIBLE = frozenset((
    MovementKind.PAY_IN, MovementKind.WITHDRAWAL, MovementKind.COLLECTION, MovementKind.SALARY,
    MovementKind.TRANSFER_OUT, MovementKind.TRANSFER_IN, MovementKind.CORRECTION,
))  # fmt: skip
#: The notes and coins of the Bank of Russia, in roubles; one and five kopecks are no longer made.
DENOMINATIONS = (
    *(Decimal(value) for value in (5000, 2000, 1000, 500, 200, 100, 50, 10, 5, 2, 1)), Decimal("0.50"), Decimal("0.10"),
)  # fmt: skip
#: Hours after which the open shift is shown as long, and after which a fiscal shift ends by law.
SHIFT_WARNING_HOURS, SHIFT_LONGEST_HOURS = 22, 24


def series(desk_kind: str, delta: Decimal) -> str:
    """The series that numbers a movement: a drawer's are the cash orders КО-1 and КО-2, which the bank's never thin."""
    way = "in" if delta > 0 else "out"
    return f"bank_{way}" if desk_kind == DeskKind.NON_CASH else way


def check_pieces(pieces: Mapping[Decimal, int], counted: Decimal) -> None:
    """Notes and coins that there are, and their sum is what was counted.

    Raises:
        Invalid
    """
    if any(value not in DENOMINATIONS or not 0 < many < 1_000_000 for value, many in pieces.items()):
        raise Invalid(fields={"counted": N_("Write how many notes and coins there are in whole numbers.")})
    if sum((value * many for value, many in pieces.items()), Decimal(0)) != counted:
        raise Invalid(fields={"counted": N_("The notes and coins do not make this sum: count again.")})


def over_limit(balance: Decimal, limit: Decimal | None) -> Decimal:
    """How much must go to the bank: what lies above the desk's limit (Указание 3210-У, п. 2)."""
    return max(balance - limit, Decimal(0)) if limit is not None else Decimal(0)


def check_amount(amount: Decimal, field: str = "amount") -> None:
    """A sum that can be moved: above zero, whole kopecks.

    Raises:
        Invalid
    """
    if not amount.is_finite() or amount != money.rounded(amount) or abs(amount) > money.LARGEST:
        raise Invalid(fields={field: N_("This is not a sum of money.")})
    if amount <= 0:
        raise Invalid(fields={field: N_("The sum must be above zero.")})


def check_fits(balance: Decimal) -> None:
    """Raises:
    Invalid: no desk holds so much.
    """
    if balance > money.LARGEST:
        raise Invalid(fields={"amount": N_("This sum is too large.")})


def delta_of(kind: str, amount: Decimal) -> Decimal:
    """How a movement changes the desk: pay-ins add, a correction is signed as written, the rest takes away.

    Raises:
        Invalid: not above zero; a correction of nothing.
    """
    if kind == CORRECTION:
        if amount == 0:
            raise Invalid(fields={"amount": N_("The sum must not be zero.")})
        check_amount(abs(amount))
        return amount
    check_amount(amount)
    return amount if kind == PAY_IN else -amount


def check_move(kind: str, category_id: int | None, desk_id: int, to_desk_id: int | None, said: str) -> None:
    """What belongs to a kind must be there, and nothing else; `said` is from or to whom, and why.

    Raises:
        CategoryNeeded: a withdrawal says what the money was spent on.
        Invalid: no or the same other desk; a category or another desk where there is none; neither a person nor a
            reason for money that leaves without a paper.
    """
    if kind not in MOVES:
        raise Invalid(fields={"kind": N_("Unknown value.")})
    if kind == WITHDRAWAL and category_id is None:
        raise CategoryNeeded()
    if category_id is not None and kind in (PAY_IN, TRANSFER):
        raise Invalid(fields={"category_id": N_("Only money that is spent has an expense category.")})
    if kind == TRANSFER and (to_desk_id is None or to_desk_id == desk_id):
        raise Invalid(fields={"to_desk_id": N_("Choose the other desk.")})
    if kind != TRANSFER and to_desk_id is not None:
        raise Invalid(fields={"to_desk_id": N_("Only a transfer has another desk.")})
    if kind in (COLLECTION, SALARY, CORRECTION) and not said.strip():
        raise Invalid(fields={"comment": N_("Write who gets the money, or why it is moved.")})


def check_enough(balance: Decimal, delta: Decimal, desk: str, called: Callable[[], str] | None = None) -> None:
    """A desk never holds less than nothing; `called` is how the sentence names it, when one must be said.

    Raises:
        NotEnoughCash: with what is left in the desk.
    """
    if balance + delta < 0:
        named = called() if called is not None else desk
        raise NotEnoughCash({"left": money.shown(balance), "desk": named}, left=str(balance), desk=desk)


def difference(expected: Decimal, counted: Decimal, reason: str) -> Decimal:
    """Counted less expected; anything but zero needs a reason.

    Raises:
        CountDiffers: with both sums.
        Invalid: the count is not a sum of money.
    """
    if not counted.is_finite() or counted != money.rounded(counted) or not 0 <= counted <= money.LARGEST:
        raise Invalid(fields={"counted": N_("This is not a sum of money.")})
    found = counted - expected
    if found and not reason.strip():
        raise CountDiffers(
            {"counted": money.shown(counted), "expected": money.shown(expected)},
            counted=str(money.rounded(counted)), expected=str(expected), difference=str(found),
        )  # fmt: skip
    return found


def check_reversible(kind: str) -> None:
    """Raises:
    NotReversible: a patient's payment or refund, a difference of a count, a reversal itself.
    """
    if kind not in REVERSIBLE:
        raise NotReversible()
