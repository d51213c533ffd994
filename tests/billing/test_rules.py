"""Decisions about money on plain values: rounding, spreading, un-doing."""

import itertools
from decimal import Decimal

import pytest

from app import errors
from app.billing import rules
from app.billing.rules import Due, PaidPart, Part

D = Decimal
ALL = D(100)


@pytest.mark.parametrize(
    ("price", "quantity", "percent", "discount", "total"),
    [
        ("333.33", 3, "10", "100.00", "899.99"),  # 99.999 → 100.00, half a kopeck up
        ("0.05", 1, "10", "0.01", "0.04"),  # 0.005 → 0.01
        ("0.04", 1, "10", "0.00", "0.04"),
        ("999.99", 1, "33.33", "333.30", "666.69"),
        ("100", 7, "0", "0.00", "700.00"),
        ("100", 1, "100", "100.00", "0.00"),
    ],
)
def test_a_discount_is_rounded_on_the_line_to_the_kopeck(price, quantity, percent, discount, total):
    found = rules.cost(D(price), quantity, percent=D(percent), limit=ALL)
    assert (found.discount, found.total) == (D(discount), D(total))
    assert found.discount + found.total == D(price) * quantity


def test_the_limit_holds_for_percent_and_for_roubles():
    assert rules.cost(D(1000), 1, amount=D(50), limit=D(5)).total == D(950)
    for more in ({"percent": D("5.01")}, {"amount": D("50.01")}):
        with pytest.raises(errors.DiscountTooLarge) as refused:
            rules.cost(D(1000), 1, limit=D(5), **more)
        assert refused.value.words == {"limit": "5"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0}, {"quantity": 1000}, {"percent": D("-1")}, {"percent": D("100.01")}, {"percent": D("1.001")},
        {"amount": D("1000.01")}, {"amount": D("-0.01")}, {"percent": D(1), "amount": D(1)},
    ],
)  # fmt: skip
def test_what_is_not_a_line(wrong):
    with pytest.raises(errors.Invalid):
        rules.cost(D(1000), **{"quantity": 1, "limit": ALL, **wrong})


@pytest.mark.parametrize("tooth", ["", "11", "48", "51", "85"])
def test_teeth(tooth):
    rules.check_tooth(tooth)


@pytest.mark.parametrize("tooth", ["0", "19", "49", "56", "86", "91", "1", "111", "1a", "٣٦", " 11", "11\n"])
def test_not_teeth(tooth):
    with pytest.raises(errors.WrongTooth):
        rules.check_tooth(tooth)


def test_change_is_tendered_less_the_cash_part():
    assert rules.change(D(1500), D(2000)) == D(500)
    assert rules.change(D(1500), None) == 0
    assert rules.change(D(0), D(0)) == 0
    with pytest.raises(errors.TenderedTooLittle):
        rules.change(D(1500), D("1499.99"))
    for cash, tendered in ((D(0), D(1)), (D(1), D("NaN")), (D(1), D(-5))):
        with pytest.raises(errors.Invalid):
            rules.change(cash, tendered)


DUES = [Due(1, D(100)), Due(2, D(200))]


def test_the_oldest_first_the_rest_ahead():
    assert rules.allocate(DUES, D(150)) == rules.Allocation((Due(1, D(100)), Due(2, D(50))), D(0))
    assert rules.allocate(DUES, D(350)).to_advance == D(50)
    assert rules.allocate([], D(5)) == rules.Allocation((), D(5))


def test_chosen_bills():
    assert rules.allocate(DUES, D(200), chosen=[Due(2, D(200))]) == rules.Allocation((Due(2, D(200)),), D(0))
    assert rules.allocate(DUES, D(200), chosen=[]).to_advance == D(200)
    for chosen, refusal in (
        ([Due(2, D("200.01"))], errors.NotDue),
        ([Due(3, D(1))], errors.NotDue),
        ([Due(1, D(60)), Due(1, D(40))], errors.NotDue),
        ([Due(1, D(0))], errors.Invalid),
        ([Due(1, D(-5))], errors.Invalid),
        ([Due(1, D(100)), Due(2, D(51))], errors.WrongSplit),
    ):
        with pytest.raises(refusal):
            rules.allocate(DUES, D(150 if refusal is errors.WrongSplit else 500), chosen=chosen)


def test_an_advance_pays_bills_only():
    assert rules.allocate(DUES, D(300), from_advance=D(300)).to_advance == 0
    assert rules.allocate(DUES, D(400), from_advance=D(300)).to_advance == D(100)
    with pytest.raises(errors.AdvanceOnlyForBills):
        rules.allocate(DUES, D(301), from_advance=D(301))


def test_parts():
    assert rules.check_parts([Part("cash", D(5)), Part("cash", D(5)), Part("card", D("0.01"))]) == D("10.01")
    for parts in (
        [], [Part("cash", D(0))], [Part("cash", D("-1"))], [Part("bitcoin", D(1))], [Part("advance", D(1), 7)],
        [Part("cash", D("NaN"))], [Part("cash", D("9999999999.99"))] * 2, [Part("cash", D(1))] * 21,
    ):  # fmt: skip
        with pytest.raises(errors.Invalid):
            rules.check_parts(parts)


def test_a_refund_goes_back_by_parts():
    parts = [PaidPart(1, "advance", D(300)), PaidPart(2, "cash", D(500)), PaidPart(3, "card", D(200))]
    back = rules.take_back(parts, D(50), [Due(2, D(600)), Due(1, D(350))], D(600))
    assert [(part.part_id, amount) for part, amount in back.parts] == [(2, D(500)), (3, D(100))]
    assert (back.from_advance, back.bills) == (D(50), (Due(2, D(550)),))


def test_whatever_is_returned_adds_up():
    """Property: debt and advance move by what goes back as money, for every amount up to the cap."""
    sums = (D("0.01"), D("33.33"), D(100))
    for cash, used, ahead, first in itertools.product(sums, (D(0), *sums), (D(0), D("0.01"), D(50)), sums):
        parts = [PaidPart(1, "cash", cash)] + ([PaidPart(2, "advance", used)] if used else [])
        paid = cash + used
        ahead, bills = min(ahead, cash), [Due(1, first)] if first else []
        most = rules.refundable(parts, ahead, bills)
        assert most == min(paid, ahead + first)
        for amount in (D("0.01"), most / 2, most):
            amount = amount.quantize(D("0.01"))
            if not 0 < amount <= most:
                continue
            back = rules.take_back(parts, ahead, bills, amount)
            as_money = sum((share for part, share in back.parts if part.method != "advance"), D(0))
            to_advance = amount - as_money
            debt, advance = sum((bill.amount for bill in back.bills), D(0)), to_advance - back.from_advance
            assert sum((share for _, share in back.parts), D(0)) == amount
            assert debt - advance == as_money
        with pytest.raises(errors.OverRefund):
            rules.take_back(parts, ahead, bills, most + D("0.01"))
