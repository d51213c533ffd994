"""Decisions of the cash desk on plain values."""

from decimal import Decimal

import pytest

from app import errors
from app.cash import rules

D = Decimal


@pytest.mark.parametrize(
    ("kind", "amount", "delta"),
    [("pay_in", "5", "5"), ("withdrawal", "5", "-5"), ("collection", "5", "-5"), ("salary", "5", "-5"),
     ("transfer", "5", "-5"), ("correction", "5", "5"), ("correction", "-5", "-5")],
)  # fmt: skip
def test_which_way_money_goes(kind, amount, delta):
    assert rules.delta_of(kind, D(amount)) == D(delta)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "10000000000"])
def test_what_is_not_a_sum_to_move(amount):
    for kind in ("pay_in", "withdrawal", "transfer"):
        with pytest.raises(errors.Invalid):
            rules.delta_of(kind, D(amount))


def test_a_difference_needs_a_reason():
    assert rules.difference(D(100), D(100), "") == 0
    assert rules.difference(D(100), D("99.50"), "недостача") == D("-0.50")
    with pytest.raises(errors.CountDiffers) as refused:
        rules.difference(D(100), D("100.01"), "   ")
    assert refused.value.facts == {"counted": "100.01", "expected": "100", "difference": "0.01"}
    for counted in ("-0.01", "0.001", "NaN"):
        with pytest.raises(errors.Invalid):
            rules.difference(D(100), D(counted), "x")


def test_the_desk_never_holds_less_than_nothing():
    rules.check_enough(D(5), D(-5), "Касса")
    with pytest.raises(errors.NotEnoughCash) as refused:
        rules.check_enough(D("5.00"), D("-5.01"), "Касса")
    assert refused.value.facts == {"left": "5.00", "desk": "Касса"}


def test_what_belongs_to_a_kind():
    with pytest.raises(errors.CategoryNeeded):
        rules.check_move("withdrawal", None, 1, None, "")
    for kind, category, to in (
        ("pay_in", 1, None), ("transfer", 1, 2), ("transfer", None, None), ("transfer", None, 1), ("pay_in", None, 2),
        ("surplus", None, None), ("payment", None, None),
    ):  # fmt: skip
        with pytest.raises(errors.Invalid):
            rules.check_move(kind, category, 1, to, "кому")
    rules.check_move("salary", None, 1, None, "Смирнова")
    rules.check_move("transfer", None, 1, 2, "")
