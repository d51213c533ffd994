"""Money that goes back: the return of an advance, today's mistake cancelled; the traps by name."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app import clock, errors
from app.billing import operations, queries, rules
from app.billing.operations import refunds
from app.cash import operations as cash
from app.cash import queries as cash_queries
from app.db import session, transaction
from app.models import CashMovement, Payment, Receipt
from app.vocab import RefundKind
from tests.billing.test_operations import D, billed, branch, drafted, give_back, held, owes, pay  # noqa: F401


def return_advance(make, payment, amount, by="senior"):
    with transaction():
        return operations.return_advance(payment.id, D(amount), "не нужен", actor=make.user(by))


def cancel(make, payment, by="senior"):
    with transaction():
        return operations.cancel_payment(payment.id, "ошибка", actor=make.user(by))


def test_an_advance_goes_back_the_way_it_came(make, branch):  # noqa: F811
    patient = make.patient()
    payment = pay(make, branch, patient.id, ("cash", "1000"), ("card", "500"))
    row = return_advance(make, payment, "1200")
    assert (row.kind, [(p.payment_part.method, p.amount) for p in row.parts]) == (
        "advance", [("cash", D(1000)), ("card", D(200))],
    )  # fmt: skip
    assert owes(patient.id) == (0, D(300)) and held(branch.desk_id) == 0
    assert session.scalar(select(func.count()).select_from(Receipt).where(Receipt.refund_id == row.id)) == 1
    with pytest.raises(errors.OverRefund) as refused:
        return_advance(make, payment, "300.01")
    assert refused.value.facts["left"] == "300.00"


def test_no_bill_is_owed_again_by_the_return_of_an_advance(make, branch):  # noqa: F811
    order = billed(make, branch, "700")
    payment = pay(make, branch, order.patient_id, ("cash", "1000"))
    with pytest.raises(errors.OverRefund) as refused:
        return_advance(make, payment, "300.01")
    assert refused.value.facts["left"] == "300.00"
    return_advance(make, payment, "300")
    assert owes(order.patient_id) == (0, 0)


def test_a_spent_advance_is_not_returned(make, branch):  # noqa: F811
    patient = make.patient()
    payment = pay(make, branch, patient.id, ("cash", "1000"))
    billed(make, branch, "800", patient)
    used = pay(make, branch, patient.id, ("advance", "800"))
    for of, left in ((payment, "200.00"), (used, "0.00")):
        with pytest.raises(errors.OverRefund) as refused:
            return_advance(make, of, "500")
        assert refused.value.facts["left"] == left
    assert [(p.id, p.left) for p in queries.advance_sources(patient.id)] == [(payment.id, D(200))]


def test_sources_say_what_the_operation_allows(make, branch):  # noqa: F811
    patient = make.patient()
    first = pay(make, branch, patient.id, ("cash", "100"))
    second = pay(make, branch, patient.id, ("card", "250.50"))
    give_back(make, first, "40")
    assert [(p.id, p.left) for p in queries.advance_sources(patient.id)] == [
        (second.id, D("250.50")), (first.id, D(60)),
    ]  # fmt: skip
    for payment in queries.advance_sources(patient.id):
        assert queries.returnable(payment.id).advance == payment.left
        return_advance(make, payment, payment.left)
    assert owes(patient.id) == (0, 0) and queries.advance_sources(patient.id) == []


def test_an_advance_is_returned_with_a_right_a_reason_and_cash(make, branch):  # noqa: F811
    payment = pay(make, branch, make.patient().id, ("cash", "1000"))
    with pytest.raises(errors.NotAllowed):
        return_advance(make, payment, "10", by="administrator")
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.return_advance(payment.id, D(10), " ", actor=make.user("senior"))
    with transaction():
        cash.move(branch.desk_id, "collection", D(950), comment="В банк", actor=make.user("senior"))
    with pytest.raises(errors.NotEnoughCash):
        return_advance(make, payment, "60")
    assert held(branch.desk_id) == 50


def test_a_mistake_of_today_is_cancelled_whole(make, branch):  # noqa: F811
    order = billed(make, branch, "700")
    payment = pay(make, branch, order.patient_id, ("cash", "500"), ("card", "400"), tendered=D(2000))
    row = cancel(make, payment)
    assert (row.kind, row.amount, row.payment_id) == ("cancellation", D(900), payment.id)
    assert owes(order.patient_id) == (D(700), 0)
    assert held(branch.desk_id) == 0, "change counted as cash"
    assert session.get(Payment, payment.id).amount == 900, "the payment stays for ever"
    with pytest.raises(errors.NotCancellable):
        cancel(make, payment)
    assert owes(order.patient_id) == (D(700), 0)


def test_two_equal_payments_on_one_day_are_two(make, branch):  # noqa: F811
    patient = make.patient()
    first, second = (pay(make, branch, patient.id, ("cash", "100")) for _ in range(2))
    cancel(make, second)
    assert owes(patient.id) == (0, D(100)) and held(branch.desk_id) == 100
    assert [line.cancellable for line in queries.payments_of(patient.id)] == [False, True]
    assert queries.returnable(first.id).amount == 100 and queries.returnable(second.id).amount == 0


def test_what_was_partly_returned_is_not_cancelled(make, branch):  # noqa: F811
    patient = make.patient()
    payment = pay(make, branch, patient.id, ("cash", "1000"))
    give_back(make, payment, "0.01")
    with pytest.raises(errors.NotCancellable):
        cancel(make, payment)
    assert held(branch.desk_id) == D("999.99"), "a partial refund is subtracted, once"


def test_tomorrow_nothing_is_a_mistake_of_today(make, branch):  # noqa: F811
    payment = pay(make, branch, make.patient().id, ("cash", "1000"))
    with clock.at(clock.wall_now() + timedelta(days=1)), pytest.raises(errors.NotCancellable):
        cancel(make, payment)


def test_a_closed_shift_keeps_what_it_took(make, branch):  # noqa: F811
    patient = make.patient()
    payment = pay(make, branch, patient.id, ("cash", "1000"))
    with transaction():
        cash.close_shift(cash_queries.open_shift_of(branch.desk_id).id, D(1000), actor=make.user())
        cash.open_shift(branch.desk_id, D(1000), actor=make.user())
    assert not queries.payments_of(patient.id)[0].cancellable
    with pytest.raises(errors.NotCancellable):
        cancel(make, payment)
    give_back(make, payment, "1000")  # but the money can be returned


def test_a_spent_advance_is_not_cancelled(client_of, make, branch):  # noqa: F811
    patient = make.patient()
    payment = pay(make, branch, patient.id, ("cash", "1000"))
    billed(make, branch, "800", patient)
    pay(make, branch, patient.id, ("advance", "800"))
    with pytest.raises(errors.OverRefund) as refused:
        cancel(make, payment)
    assert refused.value.facts == {"spent": "800.00", "left": "200.00"} and refused.value.code == "over_refund"
    answer = client_of("senior").post(f"/settlement/payments/{payment.id}/cancel", data={"reason": "ошибка"})
    said = answer.text.replace("\u202f", " ").replace("\u2009", " ")
    assert answer.status_code == 422 and "из аванса, который она пополнила, 800,00 ₽ уже израсходовано" in said
    assert "только 200,00 ₽" in said


def test_a_mistake_is_cancelled_with_a_right_and_a_reason(make, branch):  # noqa: F811
    payment = pay(make, branch, make.patient().id, ("cash", "1000"))
    with pytest.raises(errors.NotAllowed):
        cancel(make, payment, by="administrator")
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.cancel_payment(payment.id, "", actor=make.user("senior"))


def test_the_database_refuses_a_partial_cancellation(make, branch):  # noqa: F811
    payment = pay(make, branch, make.patient().id, ("cash", "1000"))

    def half(_, left):
        return rules.take_back(left.parts, left.advance_left, left.bills, D(500))

    with pytest.raises(errors.NotCancellable), transaction():
        refunds._give_back(payment.id, half, RefundKind.CANCELLATION, "проба", actor=make.user("senior"))
    assert held(branch.desk_id) == 1000


@pytest.fixture
def advance(make):
    """An advance of 900 at the tests' own desk."""
    from app.models import CashDesk

    desk = session.scalars(select(CashDesk).where(CashDesk.branch_id == 1, CashDesk.kind == "main")).first()
    if cash_queries.open_shift_of(desk.id) is None:
        with transaction():
            cash.open_shift(desk.id, desk.balance, actor=make.user())
    patient = make.patient("Авансов")
    with transaction():
        return operations.take_payment(
            patient.id, [{"method": "cash", "amount": D(900)}], branch_id=1, actor=make.user()
        )


def test_the_desk_returns_an_advance_and_cancels_on_the_page(client_of, advance):
    browser = client_of("senior")
    page = browser.get(f"/settlement/{advance.patient_id}").text
    path = f"/settlement/payments/{advance.id}"
    assert f"{path}/return-advance" in page and f"{path}/cancel" in page
    for data, status in (({"amount": "901", "reason": "а"}, 422), ({"amount": "100"}, 422), ({"amount": "я"}, 422)):
        answer = browser.post(f"{path}/return-advance", data={**data, "request_id": str(uuid4())})
        assert answer.status_code == status, answer.text
    assert browser.post(f"{path}/cancel", data={"request_id": str(uuid4())}).status_code == 422
    data = {"amount": "400", "reason": "передумал", "request_id": str(uuid4())}
    for _ in range(2):
        assert browser.post(f"{path}/return-advance", data=data).status_code == 303
    assert owes(advance.patient_id) == (0, D(500))
    page = browser.get(f"/settlement/{advance.patient_id}").text
    assert f"{path}/cancel" not in page and f"{path}/return-advance" in page


def test_whom_the_director_did_not_let_sees_no_button(client_of, advance):
    browser = client_of("administrator")
    page = browser.get(f"/settlement/{advance.patient_id}").text
    for deed in ("return-advance", "cancel"):
        assert f"/settlement/payments/{advance.id}/{deed}" not in page
        data = {"amount": "1", "reason": "а", "request_id": str(uuid4())}
        assert browser.post(f"/settlement/payments/{advance.id}/{deed}", data=data).status_code == 403
    assert session.scalar(select(func.count()).select_from(CashMovement).where(CashMovement.kind == "refund",
                          CashMovement.patient_id == advance.patient_id)) == 0  # fmt: skip


def test_what_is_returned_is_said_way_by_way(client_of, make):
    """300 in cash and 500 of the advance: the cashier hands out 300, and is offered no more than can go back."""
    from app.models import CashDesk

    desk_id = session.scalars(select(CashDesk.id).where(CashDesk.branch_id == 1, CashDesk.kind == "main")).first()
    if cash_queries.open_shift_of(desk_id) is None:
        with transaction():
            cash.open_shift(desk_id, held(desk_id), actor=make.user())
    here = make.branch()
    here.id = 1
    patient = make.patient()
    first = pay(make, here, patient.id, ("card", "500"))
    billed(make, here, "800", patient)
    second = pay(make, here, patient.id, ("advance", "500"), ("cash", "300"))
    senior, address = client_of("senior"), f"/settlement/{patient.id}"
    lines = {line.id: line for line in queries.payments_of(patient.id)}
    assert [(lines[one.id].left, lines[one.id].left_money) for one in (first, second)] == [(0, 0), (D(800), D(300))]
    page = senior.get(address).text
    assert f"/payments/{first.id}/refund" not in page and f"/payments/{second.id}/refund" in page
    assert (
        senior.post(f"/settlement/payments/{second.id}/refund", data={"amount": "800", "reason": "а"}).status_code
        == 303
    )
    said = senior.get(address).text.replace("\u202f", " ").replace("\u2009", " ")
    assert "наличными 300,00 ₽, в аванс 500,00 ₽" in said
    page = senior.get(f"/settlement/payments/{second.id}").text
    assert "fa-check-circle" not in page and "наличными 300,00" in page.replace("\u202f", " ")
    lines = {line.id: line for line in queries.payments_of(patient.id)}
    assert (lines[first.id].left, lines[first.id].left_money) == (D(500), D(500))
    for payment in (first, second):
        assert queries.returnable(payment.id).amount == lines[payment.id].left


def test_a_cancelled_payment_says_so(client_of, make, branch):  # noqa: F811
    payment = pay(make, branch, make.patient().id, ("card", "500"))
    cancel(make, payment)
    page = client_of("senior").get(f"/settlement/payments/{payment.id}").text
    assert "Отменена как ошибочная" in page and "fa-check-circle" not in page and "на карту 500,00" in page


def test_a_payment_of_long_ago_is_seen_and_returned(client_of, make, branch):  # noqa: F811
    patient = make.patient()
    first, *others = (pay(make, branch, patient.id, ("card", "10")) for _ in range(31))
    senior, path = client_of("senior"), f"/settlement/payments/{first.id}/refund"
    for address in (f"/settlement/{patient.id}", f"/settlement/patient/{patient.id}/money"):
        page = senior.get(address).text
        assert f"/documents/receipts/{first.receipt.id}/" not in page and "Все оплаты" in page
        assert f"/documents/receipts/{others[0].receipt.id}/" in page
        page = senior.get(f"{address}?payments=all").text
        assert f"/documents/receipts/{first.receipt.id}/" in page and "Все оплаты" not in page
    assert path in senior.get(f"/settlement/{patient.id}?payments=all").text
    refused = senior.post(path, data={"amount": "11", "reason": "передумал"})  # it comes back beside its payment
    assert refused.status_code == 422 and path in refused.text and 'value="11"' in refused.text
    assert senior.post(path, data={"amount": "10", "reason": "передумал"}).status_code == 303
    assert "Все оплаты" not in senior.get(f"/settlement/{make.patient().id}").text


def test_a_work_order_of_long_ago_is_seen_in_the_card(client_of, make, branch):  # noqa: F811
    patient, service = make.patient(), make.service("10")
    first, *_ = (
        drafted(make, branch, patient=patient, lines=[{"service_id": service.id, "quantity": 1}]) for _ in range(51)
    )
    browser, address = client_of("administrator"), f"/settlement/patient/{patient.id}/money"
    page = browser.get(address).text
    assert f'/work-orders/{first.id}"' not in page and "Все наряды" in page and page.count('status-draft"') == 50
    page = browser.get(f"{address}?orders=all").text
    assert f'/work-orders/{first.id}"' in page and "Все наряды" not in page
