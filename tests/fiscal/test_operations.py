"""Which receipt a payment or a refund needs, and that the device prints it once whatever goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock, errors
from app.db import session, transaction
from app.fiscal import jobs, operations, rules
from app.gateways.kkt import tasks
from app.models import FiscalDevice, FiscalReceipt
from tests.fiscal.conftest import said

FULL = (1000.0, 1.0, "fullPayment", "service")


def test_a_bill_paid_in_full_is_a_full_payment(shop):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "400"), ("card", "600"))
    assert (receipt.kind, receipt.status, said(receipt).items) == ("sell", "planned", [FULL])
    assert said(receipt).paid == {"cash": 400.0, "electronically": 600.0}


def test_money_without_a_bill_is_an_advance_and_is_taken_off_later(shop):
    patient = shop.make.patient()
    assert said(shop.pay(patient.id, ("cash", "1000"))).items == [(1000.0, 1.0, "advance", "payment")]
    shop.bill(patient=patient)
    later = said(shop.pay(patient.id, ("advance", "1000")))
    assert (later.items, later.paid) == ([FULL], {"prepaid": 1000.0})


def test_part_now_is_a_credit_and_the_rest_pays_it(shop):
    order = shop.bill()
    first = said(shop.pay(order.patient_id, ("cash", "300")))
    assert first.items == [(1000.0, 1.0, "partialPayment", "service")]
    assert first.paid == {"cash": 300.0, "credit": 700.0}
    rest = said(shop.pay(order.patient_id, ("card", "700")))
    assert (rest.items, rest.paid) == ([(700.0, 1.0, "creditPayment", "payment")], {"electronically": 700.0})


def test_a_refund_returns_the_same_positions_or_a_share_of_them(shop):
    order = shop.bill({"service_id": shop.make.service("600").id, "quantity": 1},
                      {"service_id": shop.make.service("400").id, "quantity": 1})  # fmt: skip
    shop.pay(order.patient_id, ("cash", "1000"))
    part = shop.give_back(shop.last, "100")
    assert part.kind == "sellReturn" and said(part).paid == {"cash": 100.0}
    assert [item[0] for item in said(part).items] == [60.0, 40.0]
    other = shop.bill()
    shop.pay(other.patient_id, ("card", "1000"))
    whole = said(shop.give_back(shop.last, "1000"))
    assert (whole.items, whole.paid) == ([FULL], {"electronically": 1000.0})


def test_without_a_device_nothing_is_meant(shop):
    with transaction():
        session.get_one(FiscalDevice, shop.device_id).archived = True
    with pytest.raises(Exception, match="No row"):
        shop.pay(shop.bill().patient_id, ("cash", "1000"))


def test_a_refused_payment_leaves_no_receipt(shop):
    order = shop.bill()
    before = session.query(FiscalReceipt).count()
    with pytest.raises(errors.Refusal):
        shop.pay(order.patient_id, ("advance", "5"))
    assert session.query(FiscalReceipt).count() == before


lines = st.lists(st.tuples(st.integers(1, 999), st.integers(0, 10_000_000)), min_size=1, max_size=6)


@given(lines, st.integers(1, 10**8), st.data())
def test_every_receipt_adds_up_to_the_kopeck(drawn, due, data):
    bill_lines = [rules.Line(f"Услуга {n}", quantity, total) for n, (quantity, total) in enumerate(drawn)]
    for line in bill_lines:
        assert sum(item.amount for item in rules.priced(line)) == line.total
        assert sum(item.quantity for item in rules.priced(line)) == line.quantity
    paid, advance = data.draw(st.integers(1, due)), data.draw(st.integers(0, 1000))
    if not sum(line.total for line in bill_lines):
        return
    credit = data.draw(st.integers(0, due))
    bill = rules.Bill(1, 1, bill_lines, due, paid, credit)
    sale = rules.sale([bill], [("cash", paid + advance)], advance)
    assert sum(item.amount for item in sale.items) == sum(sale.payments.values())
    assert sum(sale.payments.values()) - sale.payments.get("credit", 0) == paid + advance
    # what was on credit and is owed still is on credit; and never more than is owed
    assert 0 <= credit + sale.credit[0] <= due - paid
    of_bill, rest = rules.positions(sale.items, [[1, sale.positions[0]]])
    assert sum(item.amount for item in rest) == advance
    back, of_advance = data.draw(st.integers(0, paid)), data.draw(st.integers(0, advance))
    returned = rules.give_back([rules.Group(of_bill[1], back), rules.Group(rest, of_advance)], 1)
    assert sum(item.amount for item in returned) == back + of_advance


# --- carried to the device


def test_the_shift_is_opened_and_the_receipt_has_its_numbers(shop):
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    assert (receipt.status, receipt.shift_number, receipt.receipt_number) == ("done", 1, 1)
    assert receipt.fn and receipt.document and receipt.sign and receipt.printed_at
    shop.send(receipt)
    assert len(shop.printed()) == 1


def test_a_shift_older_than_a_day_is_closed_and_a_new_one_opened(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.age(24)
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    assert (receipt.status, receipt.shift_number) == ("done", 2)


@pytest.mark.parametrize("fault", ["lost_answer", "error500", "offline", "no_paper"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_one_receipt_whatever_goes_wrong_at_any_step(shop, fault, step):
    """The fault strikes at the first, the second, the third request of the journey."""
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))  # the shift is open
    device, receipt = shop.simulator.device, shop.pay(shop.bill().patient_id, ("cash", "1000"))
    device.fault(fault, step)
    for _ in range(8):
        receipt = shop.send(receipt)
        assert len(shop.printed()) <= 2
    assert receipt.status == "done" and len(shop.printed()) == 2
    assert device.state["cash"] == 200_000


@pytest.mark.parametrize(("fault", "why"), [("hang", jobs.HANGS), ("blocked", jobs.BLOCKED)])
def test_a_device_that_stands_is_told_and_asked_again(shop, fault, why):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    device, receipt = shop.simulator.device, shop.pay(shop.bill().patient_id, ("cash", "1000"))
    device.fault(fault)
    for _ in range(3):
        receipt = shop.send(receipt)
        assert receipt.status in ("unknown", "planned") and receipt.error == why
    assert session.get_one(FiscalDevice, shop.device_id).problem == why
    waiting = [task for task in device.tasks if task["status"] != "ready"]
    assert len(waiting) == 1, "it is asked about the same task again, and not heaped up"
    device.fault("")
    for _ in range(3):
        receipt = shop.send(receipt)
    assert receipt.status == "done" and len(shop.printed()) == 2


@pytest.mark.parametrize("fault", ["offline", "error500", "hang"])
def test_a_receipt_that_was_never_handed_over_is_not_doubted(shop, fault):
    """However often it is tried: nobody is asked whether it was printed, and a correction may take its place."""
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    shop.simulator.device.fault(fault)
    for _ in range(3):
        receipt = shop.send(receipt)
        assert receipt.status == "planned" and receipt.error != jobs.MAYBE_PRINTED
    with transaction():
        operations.correct(receipt.id, kind="self", day=clock.today(), number="", actor=shop.make.user("senior"))


def test_a_receipt_whose_answer_was_lost_is_in_doubt_until_the_device_says(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    device, add = shop.simulator.device, shop.simulator.device.add

    def lost(uuid, task):
        if task["type"] == "sell":
            device.fault("lost_answer", 1)
        return add(uuid, task)

    device.add = lost
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    assert receipt.status == "unknown"
    device.fault("offline")
    for _ in range(2):
        receipt = shop.send(receipt)
        assert (receipt.status, receipt.error) == ("unknown", jobs.MAYBE_PRINTED)
    device.fault("")
    assert shop.send(receipt).status == "done" and len(shop.printed()) == 2


def test_a_device_that_prints_again_has_no_problem_any_more(shop):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    shop.simulator.device.fault("no_paper", 1)
    receipt = shop.send(receipt)
    problem = session.get_one(FiscalDevice, shop.device_id, populate_existing=True).problem
    assert problem == jobs.NO_PAPER
    for _ in range(2):
        receipt = shop.send(receipt)
    assert receipt.status == "done"
    assert session.get_one(FiscalDevice, shop.device_id, populate_existing=True).problem == ""


def test_a_worker_that_died_after_handing_over_prints_no_second_receipt(shop, app, monkeypatch):
    """Killed after the POST: the claim stays, the next worker asks for the same uuid."""
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    with transaction():
        claim = operations.claim(receipt.id, jobs.timedelta(seconds=60))
    kkt = jobs.kkt(claim.device_id)
    jobs._open_shift(kkt, claim.device_id, "Смирнова")
    kkt.add(claim.uuid, claim.body)
    assert shop.send(receipt).status == "sending"  # not stale yet: nobody else touches it
    monkeypatch.setitem(app.config, "KKT_STALE_SECONDS", 0.0)
    assert shop.send(receipt).status == "done"
    assert len(shop.printed()) == 1


def test_what_the_device_refuses_waits_for_a_person_who_tries_again(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.state["cash"] = 0  # somebody took the cash out on the device itself
    returned = shop.send(shop.give_back(shop.last, "1000"))
    assert (returned.status, returned.error) == ("failed", "Недостаточно наличных в денежном ящике")
    shop.simulator.device.state["cash"] = 100_000
    with transaction():
        operations.retry(returned.id, actor=shop.make.user())
    assert shop.send(returned).status == "done"
    with pytest.raises(errors.NotAllowed), transaction():
        operations.retry(returned.id, actor=shop.make.user())


def test_a_printed_receipt_is_never_changed(shop):
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    planned = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    for statement in (
        f"UPDATE fiscal_receipt SET status = 'planned', document = NULL WHERE id = {receipt.id}",
        f"DELETE FROM fiscal_receipt WHERE id = {planned.id}",
        f"UPDATE fiscal_receipt SET body = '{{}}' WHERE id = {planned.id}",
    ):
        with pytest.raises(DBAPIError, match="stays as it is"):
            session.execute(text(statement))
        session.rollback()


def test_the_device_tells_of_its_shift(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    jobs.look()
    session.expire_all()
    device = session.get_one(FiscalDevice, shop.device_id)
    assert (device.shift_state, device.shift_number, device.not_sent, device.problem) == ("opened", 1, 2, "")
    assert device.shift_expires_at


def test_names_are_cut_and_keep_the_tooth(shop):
    service = shop.make.service("1000", name="Я" * 180)
    order = shop.bill({"service_id": service.id, "quantity": 1, "tooth": "36"})
    name = shop.pay(order.patient_id, ("cash", "1000")).body["items"][0]["name"]
    assert len(name) == tasks.NAME_LENGTH and name.endswith(" (зуб 36)")
