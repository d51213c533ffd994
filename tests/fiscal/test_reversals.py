"""What the device prints when a bill is taken back, and what stays on credit through payments, refunds, reversals."""

from decimal import Decimal

import pytest

from app.billing import operations as billing
from app.db import session
from app.models import FiscalReceipt, User
from tests.fiscal.conftest import said
from tests.test_races import together

FULL = (1000.0, 1.0, "fullPayment", "service")


def test_a_paid_bill_that_is_taken_back_becomes_an_advance(shop):
    order = shop.bill()
    shop.pay(order.patient_id, ("cash", "400"), ("card", "600"))
    advance, back = shop.reverse(order.id)
    ways = {"cash": 400.0, "electronically": 600.0}
    assert (advance.kind, said(advance).items, said(advance).paid, advance.amount) == (
        "sell", [(1000.0, 1.0, "advance", "payment")], ways, Decimal(1000),
    )  # fmt: skip
    assert (back.kind, said(back).items, said(back).paid) == ("sellReturn", [FULL], ways)
    spent = shop.pay(shop.bill(patient=order.patient).patient_id, ("advance", "1000"))
    assert said(spent).paid == {"prepaid": 1000.0}


def test_what_was_paid_from_the_advance_goes_back_to_it_without_a_second_receipt(shop):
    patient = shop.make.patient()
    shop.pay(patient.id, ("cash", "1000"))
    order = shop.bill(patient=patient)
    shop.pay(patient.id, ("advance", "1000"))
    (back,) = shop.reverse(order.id)
    assert (back.kind, said(back).items, said(back).paid) == ("sellReturn", [FULL], {"prepaid": 1000.0})


@pytest.mark.servers
def test_many_pay_parts_of_one_bill_at_once(app, shop):
    """Each receipt is written from the bill as the payment before has left it: the first one tells of the credit."""
    order, desk, by = shop.bill(), shop.branch.id, shop.make.user().id
    pk, patient_id = order.id, order.patient_id

    def part():
        ways = [{"method": "card", "amount": Decimal(100)}]
        taken = billing.take_payment(patient_id, ways, branch_id=desk, actor=session.get_one(User, by))
        return taken.amount

    assert together(app, [part] * 9) == [Decimal(100)] * 9
    session.expire_all()
    assert shop.on_credit(pk) == 100
    receipts = session.query(FiscalReceipt).filter_by(device_id=shop.device_id)
    assert sorted(said(receipt).paid.get("credit", 0) for receipt in receipts) == [0] * 8 + [900]


def test_a_part_of_a_bill_paid_on_credit(shop):
    order = shop.bill({"service_id": shop.make.service("600").id, "quantity": 1},
                      {"service_id": shop.make.service("400").id, "quantity": 1})  # fmt: skip
    shop.pay(order.patient_id, ("cash", "300"))
    assert shop.on_credit(order.id) == 700
    line = order.lines[0].id
    (back,) = shop.reverse(order.id, {line: 1})  # 600 of the 700 that are owed: no money is touched
    assert (back.amount, said(back).paid) == (0, {"credit": 600.0}) and shop.on_credit(order.id) == 100
    rest = shop.reverse(order.id)  # 100 owed, 300 paid
    assert [(one.kind, said(one).paid) for one in rest] == [
        ("sell", {"cash": 300.0}), ("sellReturn", {"cash": 300.0, "credit": 100.0}),
    ]  # fmt: skip
    assert shop.on_credit(order.id) == 0


def test_a_bill_paid_in_two_parts_is_taken_back_whole(shop):
    """The return tells of the payment of the credit, and of the services that were given on it."""
    order = shop.bill()
    shop.pay(order.patient_id, ("cash", "400"))
    shop.pay(order.patient_id, ("card", "600"))
    advance, back = shop.reverse(order.id)
    assert said(advance).paid == {"cash": 400.0, "electronically": 600.0}
    assert said(back).paid == {"cash": 400.0, "electronically": 600.0, "credit": 600.0}
    assert said(back).items == [
        (600.0, 1.0, "creditPayment", "payment"), (400.0, 1.0, "partialPayment", "service"),
        (600.0, 1.0, "partialPayment", "service"),
    ]  # fmt: skip
    assert shop.on_credit(order.id) == 0


def test_what_was_returned_and_is_paid_again_is_no_payment_of_a_credit(shop):
    order = shop.bill()
    shop.pay(order.patient_id, ("cash", "1000"))
    shop.give_back(shop.last, "200")
    again = said(shop.pay(order.patient_id, ("cash", "200")))
    assert again.items == [(200.0, 1.0, "fullPayment", "service")] and again.paid == {"cash": 200.0}


def test_a_returned_payment_of_a_credit_is_on_credit_again(shop):
    order = shop.bill()
    shop.pay(order.patient_id, ("cash", "400"))
    shop.pay(order.patient_id, ("card", "600"))
    assert shop.on_credit(order.id) == 0
    shop.give_back(shop.last, "500")
    assert shop.on_credit(order.id) == 500
    again = said(shop.pay(order.patient_id, ("cash", "500")))
    assert again.items == [(500.0, 1.0, "creditPayment", "payment")] and shop.on_credit(order.id) == 0


def test_a_refund_of_one_bill_returns_the_services_of_that_bill(shop):
    """One payment of two bills and an advance: only the newest bill is owed again."""
    patient = shop.make.patient()
    first, second = shop.bill(patient=patient, price="300.00"), shop.bill(patient=patient, price="700.00")
    shop.pay(patient.id, ("cash", "1050"))
    part = shop.give_back(shop.last, "450")  # 50 of the advance, 400 of the second bill
    assert said(part).items == [(400.0, 1.0, "fullPayment", "service"), (50.0, 1.0, "advance", "payment")]
    assert part.body["items"][0]["name"].startswith(second.lines[0].service.code)
    assert first.lines[0].service.code not in str(part.body)


def test_what_became_an_advance_is_returned_as_one(shop):
    order = shop.bill()
    shop.pay(order.patient_id, ("cash", "1000"))
    shop.reverse(order.id)
    back = said(shop.give_back(shop.last, "700"))
    assert back.items == [(700.0, 1.0, "advance", "payment")] and back.paid == {"cash": 700.0}


def test_what_no_device_told_of_is_not_returned_by_one(shop):
    """The clinic bought the device later."""
    from app.db import session, transaction
    from app.models import FiscalDevice

    with transaction():
        session.get_one(FiscalDevice, shop.device_id).archived = True
    order = shop.bill()
    from app.billing import operations as billing

    with transaction():
        billing.take_payment(
            order.patient_id, [{"method": "cash", "amount": Decimal(1000)}], branch_id=shop.branch.id,
            actor=shop.make.user(),
        )  # fmt: skip
    with transaction():
        session.get_one(FiscalDevice, shop.device_id).archived = False
    assert shop.reverse(order.id) == []


def test_a_return_names_what_was_taken_back_and_no_more_than_was_sold(shop):
    """Three of one service and one of another, paid in part, taken back in three steps."""
    one, other = shop.make.service("773.36"), shop.make.service("500")
    order = shop.bill({"service_id": one.id, "quantity": 3}, {"service_id": other.id, "quantity": 1})
    shop.pay(order.patient_id, ("cash", "2000"))
    first, second = (line.id for line in order.lines)
    back: dict[str, float] = {}
    for lines in ({first: 1}, {first: 2}, {second: 1}):
        of = one if first in lines else other
        for receipt in shop.reverse(order.id, lines):
            for item in receipt.body["items"] if receipt.kind == "sellReturn" else ():
                assert item["name"].startswith(of.code), (lines, item["name"])
                back[of.code] = round(back.get(of.code, 0) + item["amount"], 2)
    assert back == {one.code: 2320.08, other.code: 500.0} and shop.on_credit(order.id) == 0
