"""What a line of a work order may be, what it costs, and what a reversing order takes back of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app import money
from app.errors import (
    DiscountTooLarge,
    EmptyWorkOrder,
    Invalid,
    NothingToReverse,
    OverReversal,
    VisitNotHeld,
    WrongTooth,
)
from app.money import ZERO
from app.vocab import FREES_TIME, N_, AppointmentStatus

#: A tooth in the two-digit notation of FDI (ISO 3950): 11–48 permanent, 51–85 milk.
_TOOTH = re.compile(r"([1-4][1-8]|[5-8][1-5])?", re.ASCII)
MOST_LINES = 200


def check_held(status: str) -> None:
    """May work of a visit be written down? What was cancelled or missed had none.

    Raises:
        VisitNotHeld
    """
    if status in FREES_TIME:
        raise VisitNotHeld({"status": AppointmentStatus(status).label}, status=status)


def check_tooth(tooth: str) -> None:
    """Raises:
    WrongTooth: neither empty nor a tooth.
    """
    if not _TOOTH.fullmatch(tooth):
        raise WrongTooth(tooth=tooth[:20])


@dataclass(frozen=True)
class Cost:
    """What a line of a work order costs."""

    discount: Decimal
    total: Decimal


def cost(
    price: Decimal, quantity: int, *, percent: Decimal | None = None, amount: Decimal | None = None, limit: Decimal
) -> Cost:
    """Price × quantity less a discount in percent or in roubles, each line to the kopeck.

    `limit` is the largest discount in percent that the person at the desk may give, whichever way it is written.

    Raises:
        Invalid: quantity or discount out of bounds, both kinds of discount at once.
        DiscountTooLarge
    """
    if not 1 <= quantity <= 999:
        raise Invalid(fields={"quantity": N_("The quantity is from 1 to 999.")})
    if percent is not None and amount is not None:
        raise Invalid(fields={"discount_amount": N_("Give the discount in percent or in roubles, not both.")})
    gross = price * quantity
    if gross > money.LARGEST:
        raise Invalid(fields={"quantity": N_("This sum is too large.")})
    if percent is not None and not (0 <= percent <= 100 and percent == money.rounded(percent)):
        raise Invalid(fields={"discount_percent": N_("The discount is from 0 to 100 percent.")})
    if amount is not None and not (0 <= amount <= gross and amount == money.rounded(amount)):
        raise Invalid(fields={"discount_amount": N_("The discount is larger than the price.")})
    if (percent or ZERO) > limit or (amount or ZERO) * 100 > gross * limit:
        raise DiscountTooLarge(limit=f"{limit.normalize():f}")
    discount = money.percent_of(gross, percent) if percent is not None else amount or ZERO
    return Cost(discount, gross - discount)


def check_lines(lines: Sequence[object]) -> None:
    """Raises:
    EmptyWorkOrder
    Invalid: more lines than a work order has.
    """
    if not lines:
        raise EmptyWorkOrder()
    if len(lines) > MOST_LINES:
        raise Invalid(fields={"lines": N_("There are too many services in one work order.")})


@dataclass(frozen=True)
class LineLeft:
    """A line of a bill, and what reversing orders took back of it already."""

    line_id: int
    service: str
    price: Decimal
    quantity: int
    discount: Decimal
    taken: int = 0
    taken_discount: Decimal = ZERO

    @property
    def left(self) -> int:
        return self.quantity - self.taken

    def back(self, quantity: int) -> Cost:
        """What so many of it cost: the discount's share to the kopeck, and the last ones take what is left of it."""
        until = money.rounded(self.discount * (self.taken + quantity) / self.quantity)
        discount = until - self.taken_discount
        return Cost(discount, self.price * quantity - discount)


def take_lines_back(
    lines: Sequence[LineLeft], wanted: Mapping[int, int] | None
) -> list[tuple[LineLeft, int, Cost]]:  # fmt: skip
    """What a reversing order takes back: the wanted quantities by line, or all that is left.

    Raises:
        NothingToReverse
        OverReversal: with what is left of the line.
        Invalid: a line of another order, a quantity below one.
    """
    left = {line.line_id: line for line in lines}
    asked = {line.line_id: line.left for line in lines if line.left} if wanted is None else wanted
    if wanted is not None and not wanted:
        raise Invalid(fields={"lines": N_("Write how much of which line is taken back.")})
    if not asked:
        raise NothingToReverse()
    for line_id, quantity in asked.items():
        if line_id not in left or quantity < 1:
            raise Invalid(fields={"lines": N_("There is no such line in this work order.")})
        if quantity > left[line_id].left:
            raise OverReversal({"left": left[line_id].left, "service": left[line_id].service}, left=left[line_id].left)
    return [(line, asked[line.line_id], line.back(asked[line.line_id])) for line in lines if line.line_id in asked]
