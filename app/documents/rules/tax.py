"""How what was paid for a mixed order is told apart: usual and expensive treatment, year by year."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app import money
from app.money import ZERO


@dataclass(frozen=True)
class OrderStood:
    """A bill at the end of a year: its lines by code less what was taken back by then, and what was paid of it."""

    usual: Decimal
    expensive: Decimal
    goods: Decimal
    paid: Decimal

    def by_code(self) -> tuple[Decimal, Decimal]:
        """What was paid for usual and for expensive treatment, in proportion, to the kopeck; goods are neither."""
        whole = self.usual + self.expensive + self.goods
        if whole <= 0:
            return ZERO, ZERO
        goods = money.rounded(self.paid * self.goods / whole)
        not_usual = money.rounded(self.paid * (self.goods + self.expensive) / whole)
        return self.paid - not_usual, not_usual - goods


@dataclass(frozen=True)
class OrderPaid:
    """A bill as the year sees it: as it stood before the year and by its end."""

    before: OrderStood
    by_end: OrderStood


def split(orders: Iterable[OrderPaid]) -> tuple[Decimal, Decimal]:
    """What was paid in the year for usual and for expensive treatment.

    A payment of a part of a mixed order goes to both in proportion, to the kopeck, so that the years of an order
    together make the sums of its lines. A line that was taken back is no longer among them from its year on. Never
    below zero: what was returned for an earlier year is that year's.
    """
    usual = expensive = ZERO
    for order in orders:
        before, by_end = order.before.by_code(), order.by_end.by_code()
        usual += by_end[0] - before[0]
        expensive += by_end[1] - before[1]
    return max(usual, ZERO), max(expensive, ZERO)
