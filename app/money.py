"""Roubles and kopecks: rounding, splitting, reading what a person typed.

Money is `Decimal` with two digits, never float. Where next: `app/billing/rules.py`.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

KOPECK = Decimal("0.01")
ZERO = Decimal("0.00")
#: What Numeric(12, 2) holds; a larger sum is a slip of the finger.
LARGEST = Decimal("9999999999.99")


def rounded(amount: Decimal) -> Decimal:
    """The amount to the kopeck, half a kopeck up, as a cash register does it."""
    return amount.quantize(KOPECK, ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, to the kopeck."""
    return rounded(amount * percent / 100)


def parse(text: str) -> Decimal | None:
    """What a person typed («1 500,50») as an amount; None when it is not a sum of money.

    Thin and ordinary spaces and a decimal comma are accepted; more than two digits after the comma,
    NaN, infinities and anything outside ±9 999 999 999.99 are not.
    """
    cleaned = "".join(text.split()).replace("\u2009", "").replace("₽", "").replace(",", ".").replace("−", "-")
    if not cleaned or len(cleaned) > 32 or cleaned.strip("+-.0123456789"):
        return None
    try:
        amount = Decimal(cleaned)
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) > LARGEST or amount != amount.quantize(KOPECK):
        return None
    return amount.quantize(KOPECK)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Divide an amount in proportion to weights so that the parts add up to it to the kopeck.

    The kopecks lost by rounding go to the parts that lost most, the earlier first. All weights
    zero: everything goes to the first part.
    """
    whole = sum(weights, ZERO)
    if not weights:
        return []
    if whole == 0:
        return [amount] + [ZERO] * (len(weights) - 1)
    exact = [amount * weight / whole for weight in weights]
    parts = [part.quantize(KOPECK, "ROUND_DOWN") for part in exact]
    lost = int((amount - sum(parts, ZERO)) / KOPECK)
    by_loss = sorted(range(len(parts)), key=lambda i: (-(exact[i] - parts[i]), i))
    for i in by_loss[:lost]:
        parts[i] += KOPECK
    return parts


def shown(amount: Decimal) -> str:
    """The amount as it stands on the screen: thin spaces between thousands, a comma, two digits."""
    return f"{rounded(amount):,.2f}".replace(",", "\u202f").replace(".", ",")
