"""Reversing orders: what they take back, where the money goes, what every report says of it."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app import clock, errors
from app.access import Window
from app.billing import operations, queries, rules
from app.db import session, transaction
from app.models import LedgerEntry, WorkOrder, WorkOrderLine
from app.reports import queries as reports
from tests.billing.test_operations import D, billed, branch, drafted, give_back, held, owes, pay  # noqa: F401
from tests.reports.agreement import agree


def reverse(make, order, lines=None, by="senior"):
    with transaction():
        return operations.reverse_order(order.id, "записан не тот зуб", lines=lines, actor=make.user(by))


def fresh(order):
    session.expire_all()
    return session.get_one(WorkOrder, order.id)


def proven():
    session.expire_all()
    broken = {promise.name: reports.breaches(promise) for promise in reports.PROMISES}
    assert not any(broken.values()), broken


def test_an_unpaid_bill_is_taken_back_whole(make, branch):  # noqa: F811
    order = billed(make, branch, "1000")
    row = reverse(make, order)
    assert (row.total, row.status, row.reverses_id, row.due) == (D(-1000), "reversal", order.id, 0)
    assert row.number != order.number and row.reason
    assert owes(order.patient_id) == (0, 0) and fresh(order).due == 0
    assert [line.quantity for line in row.lines] == [-1]
    proven()


def test_what_was_paid_goes_to_the_advance_and_can_be_returned(make, branch):  # noqa: F811
    order = billed(make, branch, "1000")
    first = pay(make, branch, order.patient_id, ("cash", "600"))
    second = pay(make, branch, order.patient_id, ("cash", "100"))
    reverse(make, order)
    assert owes(order.patient_id) == (0, D(700)), "300 of debt fell, 700 was paid"
    assert [(p.id, p.left) for p in queries.advance_sources(order.patient_id)] == [
        (second.id, D(100)), (first.id, D(600)),
    ]  # fmt: skip
    for payment, amount in ((first, D(600)), (second, D(100))):
        with transaction():
            operations.return_advance(payment.id, amount, "сторно", actor=make.user("senior"))
    assert owes(order.patient_id) == (0, 0) and held(branch.desk_id) == 0
    proven()


def test_lines_and_quantities_to_the_kopeck(make, branch):  # noqa: F811
    """3 × 33,33 less a third of a kopeck's trouble: the parts of the discount make the discount."""
    service, other = make.service("33.33"), make.service("500")
    lines = [
        {"service_id": service.id, "quantity": 3, "discount_amount": D("10.00"), "discount_reason": "Проба"},
        {"service_id": other.id, "quantity": 1},
    ]
    order = billed(make, branch, lines=lines)
    first, second = (line.id for line in order.lines)
    pay(make, branch, order.patient_id, ("card", "589.99"))
    taken = [reverse(make, order, {first: 1}).total for _ in range(3)]
    assert taken == [D("-30.00"), D("-29.99"), D("-30.00")], "each to the kopeck, together the line"
    assert owes(order.patient_id) == (0, D("89.99"))
    with pytest.raises(errors.OverReversal) as refused:
        reverse(make, order, {first: 1})
    assert refused.value.facts["left"] == 0
    reverse(make, order)
    assert owes(order.patient_id) == (0, D("589.99"))
    with pytest.raises(errors.NothingToReverse):
        reverse(make, order)
    assert second and sum(row.total for row in queries.reversals_of(order.id)) == -order.total
    proven()


def test_the_debt_falls_before_anything_goes_to_the_advance(make, branch):  # noqa: F811
    service, other = make.service("600"), make.service("400")
    order = billed(make, branch, lines=[{"service_id": pk.id, "quantity": 1} for pk in (service, other)])
    payment = pay(make, branch, order.patient_id, ("cash", "500"))
    reverse(make, order, {order.lines[1].id: 1})
    assert owes(order.patient_id) == (D(100), 0)
    give_back(make, payment, "500")
    assert owes(order.patient_id) == (D(600), 0), "no more is due than is left of the bill"
    proven()


def test_a_reversed_bill_and_its_reversal_stay(make, branch):  # noqa: F811
    order = billed(make, branch, "1000")
    row = reverse(make, order, None)
    for pk in (order.id, row.id):
        with pytest.raises(errors.OrderReversed), transaction():
            operations.reopen(pk, actor=make.user())
    with pytest.raises(errors.NothingToReverse):
        reverse(make, row)
    for pk, change in ((order.id, {"status": "draft"}), (row.id, {"reason": "другая"}), (row.id, {"total": D(0)})):
        with pytest.raises(errors.Refusal), transaction():
            session.execute(WorkOrder.__table__.update().where(WorkOrder.id == pk).values(**change))


def test_what_cannot_be_reversed(make, branch):  # noqa: F811
    draft, order = drafted(make, branch), billed(make, branch)
    with pytest.raises(errors.NothingToReverse):
        reverse(make, draft)
    for by in ("administrator", "doctor"):
        with pytest.raises(errors.NotAllowed):
            reverse(make, order, by=by)
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.reverse_order(order.id, " ", actor=make.user("senior"))
    for lines in ({10**8: 1}, {order.lines[0].id: 0}, {order.lines[0].id: -1}):
        with pytest.raises(errors.Invalid):
            reverse(make, order, lines)
    with pytest.raises(errors.OverReversal):
        reverse(make, order, {order.lines[0].id: 2})
    assert owes(order.patient_id) == (D(1000), 0)


def test_the_database_takes_back_no_more_than_was_there(make, branch, monkeypatch):  # noqa: F811
    order = billed(make, branch, "1000")
    reverse(make, order)
    monkeypatch.setattr(queries, "left_to_reverse", lambda order: [
        rules.LineLeft(line.id, "", line.price, line.quantity, line.discount) for line in order.lines
    ])  # fmt: skip
    with pytest.raises(errors.NothingToReverse):
        reverse(make, order)
    assert session.scalar(select(func.count()).select_from(WorkOrder).where(WorkOrder.reverses_id == order.id)) == 1
    with pytest.raises(errors.Refusal), transaction():
        session.execute(LedgerEntry.__table__.delete().where(LedgerEntry.reversal_id.is_not(None)))


def test_the_four_reports_count_it_on_its_day(make, branch):  # noqa: F811
    order = billed(make, branch, "1000")
    pay(make, branch, order.patient_id, ("cash", "1000"))
    today = clock.today()
    later = clock.wall_now() + timedelta(days=3)
    with clock.at(later):
        reverse(make, order)
        now = Window(later.date(), later.date())
        bills = reports.bills_payments(now, branch.id)
        assert (bills.totals["billed"], bills.totals["refunded"]) == (D(-1000), D(1000))
        assert bills.totals["advance_restored"] == 1000 and bills.totals["money_out"] == 0
        assert {row["block"]: row["number"] for row in bills.rows} == dict.fromkeys(
            ("bill", "refund"), queries.reversals_of(order.id)[0].number
        )
        provided = reports.services(now, branch.id)
        assert [(row["quantity"], row["net"]) for row in provided.rows] == [(-1, D(-1000))]
        assert provided.totals["taken_back"] == 0 and reports.patients(now, branch.id).totals["billed"] == -1000
        for window in (now, Window(today, today), Window(today, later.date())):
            agree(window, branch.id)
        assert reports.services(Window(today, later.date()), branch.id).totals["net"] == 0
    assert reports.bills_payments(Window(today, today), branch.id).totals["billed"] == 1000


def test_a_zero_bill_is_settled_and_can_be_reversed(make, branch):  # noqa: F811
    order = billed(make, branch, "0.00")
    assert fresh(order).status == "paid"
    reverse(make, order)
    assert owes(order.patient_id) == (0, 0)
    proven()


def test_the_discounts_of_all_parts_are_the_discount():
    """Whatever is taken back in whatever steps, together it is the line, and no step is below zero."""
    from hypothesis import given
    from hypothesis import strategies as st

    @given(
        price=st.decimals("0.01", "99999.99", places=2), quantity=st.integers(1, 30),
        share=st.decimals("0", "1", places=4), data=st.data(),
    )  # fmt: skip
    def check(price, quantity, share, data):
        gross = price * quantity
        discount = min((gross * share).quantize(Decimal("0.01")), gross)
        taken, taken_discount, total = 0, D(0), D(0)
        while taken < quantity:
            back = data.draw(st.integers(1, quantity - taken))
            line = rules.LineLeft(1, "", price, quantity, discount, taken, taken_discount)
            cost = line.back(back)
            assert cost.discount >= 0 and cost.total == price * back - cost.discount and cost.total >= 0
            taken, taken_discount, total = taken + back, taken_discount + cost.discount, total + cost.total
        assert (taken_discount, total) == (discount, gross - discount)

    check()


def test_the_desk_reverses_on_the_page(client_of, make):
    patient, doctor, service = make.patient("Сторнова"), make.doctor(), make.service("1500.00")
    with transaction():
        order = operations.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 2}], branch_id=1, actor=make.user()
        )
        operations.issue(order.id, actor=make.user())
    line = order.lines[0].id
    browser, path = client_of("senior"), f"/work-orders/{order.id}/reverse"
    assert path in browser.get(f"/work-orders/{order.id}").text
    assert path not in client_of("administrator").get(f"/work-orders/{order.id}").text
    key = {"request_id": str(uuid4())}
    for bad in ({}, {"reason": "а"}, {f"line_{line}": "3", "reason": "а"}, {f"line_{line}": "я", "reason": "а"},
                {f"line_{line}": "1"}):  # fmt: skip
        answer = browser.post(path, data={**bad, "request_id": str(uuid4())})
        assert answer.status_code == 422, (bad, answer.status_code)
    data = {f"line_{line}": "1", "reason": "лишний зуб", **key}
    answers = [browser.post(path, data=data) for _ in range(2)]
    assert {(a.status_code, a.location) for a in answers} == {(303, answers[0].location)}
    page = browser.get(answers[0].location).text
    assert "лишний зуб" in page and f"/work-orders/{order.id}" in page
    page = browser.get(f"/work-orders/{order.id}").text
    assert answers[0].location in page and owes(patient.id) == (D(1500), 0)
    assert client_of("administrator").post(path, data={**data, "request_id": str(uuid4())}).status_code == 403
    assert session.scalar(select(func.count()).select_from(WorkOrderLine).where(WorkOrderLine.reverses_id == line)) == 1
