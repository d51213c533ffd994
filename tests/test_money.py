"""Kopecks add up: parsing, rounding, splitting."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import money

amounts = st.decimals(min_value=0, max_value=Decimal("9999999.99"), places=2)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1500", "1500.00"),
        ("1 500,50", "1500.50"),
        ("1\u202f500,5", "1500.50"),
        ("12,3 ₽", "12.30"),
        ("-5", "-5.00"),
        ("0", "0.00"),
    ],
)
def test_parse_what_people_type(typed: str, meant: str) -> None:
    assert money.parse(typed) == Decimal(meant)


@pytest.mark.parametrize(
    "typed", ["", " ", "NaN", "Infinity", "1e5", "1.234", "12,34,56", "--1", "abc", "1" * 30, "٣", "1_000"]
)
def test_parse_refuses_what_is_no_sum(typed: str) -> None:
    assert money.parse(typed) is None


@given(st.text())
def test_parse_never_fails(typed: str) -> None:
    amount = money.parse(typed)
    assert amount is None or amount == amount.quantize(money.KOPECK)


@given(amounts, st.lists(amounts, min_size=1, max_size=12))
def test_split_adds_up(amount: Decimal, weights: list[Decimal]) -> None:
    """The parts make the whole to the kopeck and none is more than a kopeck off its share."""
    parts = money.split(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    if whole:
        assert all(
            abs(part - amount * weight / whole) < money.KOPECK for part, weight in zip(parts, weights, strict=True)
        )


def test_half_a_kopeck_goes_up() -> None:
    assert money.percent_of(Decimal("0.10"), Decimal(5)) == Decimal("0.01")
    assert money.percent_of(Decimal("333.33"), Decimal("7.5")) == Decimal("25.00")


def test_shown_as_people_write_it() -> None:
    assert money.shown(Decimal("1234567.5")) == "1\u202f234\u202f567,50"
    assert money.shown(Decimal("-0.5")) == "-0,50"
