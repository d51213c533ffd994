"""How what was paid for a mixed order is told apart: usual and expensive treatment, year by year."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app import money
from app.money import ZERO


@dataclass(frozen=True)
class OrderPaid:
    """A work order as the year sees it: the sums of its lines by code, what was paid before the year and by its end."""

    usual: Decimal
    expensive: Decimal
    before: Decimal
    by_end: Decimal


def split(orders: Iterable[OrderPaid]) -> tuple[Decimal, Decimal]:
    """What was paid in the year for usual and for expensive treatment.

    A payment of a part of a mixed order goes to both in proportion, to the kopeck, so that the years of an order
    together make the sums of its lines. Never below zero: what was returned for an earlier year is that year's.
    """
    usual = expensive = ZERO
    for order in orders:
        whole = order.usual + order.expensive
        if whole <= 0:
            continue
        dear = [money.rounded(paid * order.expensive / whole) for paid in (order.before, order.by_end)]
        expensive += dear[1] - dear[0]
        usual += (order.by_end - order.before) - (dear[1] - dear[0])
    return max(usual, ZERO), max(expensive, ZERO)
