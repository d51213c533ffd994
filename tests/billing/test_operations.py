"""Work orders, payments and refunds on a real database, to the kopeck."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app import clock, errors
from app.billing import operations, queries
from app.cash import operations as cash
from app.db import session, transaction
from app.models import (
    CancelReason,
    CashDesk,
    CashMovement,
    LedgerEntry,
    PatientAccount,
    Receipt,
    ServicePrice,
    User,
    WorkOrder,
)
from app.schedule import operations as schedule
from tests.patients.test_races import one_behind_the_other

D = Decimal


@pytest.fixture
def branch(make):
    """A branch whose drawer is open and empty."""
    made = make.branch()
    with transaction():
        cash.open_shift(made.desk_id, D(0), actor=make.user())
    return made


def drafted(make, branch, price="1000.00", patient=None, lines=None, by="director"):
    patient = patient or make.patient()
    lines = lines or [{"service_id": make.service(price).id, "quantity": 1}]
    doctor = make.doctor()
    with transaction():
        return operations.create_work_order(patient.id, doctor.id, lines, branch_id=branch.id, actor=make.user(by))


def billed(make, branch, price="1000.00", patient=None, lines=None):
    order = drafted(make, branch, price, patient, lines)
    with transaction():
        return operations.issue(order.id, actor=make.user("director"))


def pay(make, branch, patient_id, *parts, **more):
    with transaction():
        return operations.take_payment(
            patient_id, [{"method": method, "amount": D(amount)} for method, amount in parts],
            branch_id=branch.id, actor=make.user(), **more,
        )  # fmt: skip


def give_back(make, payment, amount, by="senior"):
    with transaction():
        return operations.refund(payment.id, D(amount), "передумал", actor=make.user(by))


def held(desk_id):
    return session.scalar(select(CashDesk.balance).where(CashDesk.id == desk_id))


def owes(patient_id):
    found = queries.balance_of(patient_id)
    return found.debt, found.advance


def due(order):
    return session.scalar(select(WorkOrder.due).where(WorkOrder.id == order.id))


# --- work orders


def test_a_draft_has_the_prices_of_its_day_and_the_sum_of_its_lines(make, branch):
    services = [make.service("1000.01").id, make.service("333.33").id]
    order = drafted(
        make, branch,
        lines=[
            {"service_id": services[0], "quantity": 1, "tooth": "36"},
            {"service_id": services[1], "quantity": 3, "discount_percent": D("10")},
            {"service_id": services[1], "quantity": 1, "discount_amount": D("33.33"), "discount_reason": "акция"},
        ],
    )  # fmt: skip
    assert [line.total for line in order.lines] == [D("1000.01"), D("899.99"), D("300.00")]
    assert order.total == D("2200.00") and order.status == "draft" and order.due == 0


def test_price_changed_between_draft_and_issue_does_not_change_the_bill(make, branch):
    service = make.service("1000.00")
    order = drafted(make, branch, lines=[{"service_id": service.id, "quantity": 1}])
    with transaction():
        session.add(ServicePrice(service_id=service.id, valid_from=clock.today() + timedelta(days=1), price=D(1500)))
    with clock.at(clock.wall_now() + timedelta(days=2)):
        with transaction():
            operations.change_work_order(
                order.id, order.version, [{"service_id": service.id, "quantity": 2}], actor=make.user("director")
            )
        with transaction():
            operations.issue(order.id, actor=make.user("director"))
        assert (order.total, order.due) == (D(2000), D(2000))
        assert drafted(make, branch, lines=[{"service_id": service.id, "quantity": 1}]).total == D(1500)


def test_what_stands_in_a_draft_keeps_its_price_and_the_rest_is_priced(make, branch):
    """The price list was changed on the very day: what was written down stays, also of a bill that was reopened."""
    service, other = make.service("1000.00"), make.service("70.00")
    line = {"service_id": service.id, "quantity": 2}
    order = drafted(make, branch, lines=[line])
    for one, price in ((service, D(1500)), (other, D(80))):
        make._save(ServicePrice(service_id=one.id, valid_from=clock.today(), price=price))

    def saved(*lines):
        with transaction():
            operations.change_work_order(order.id, None, lines, actor=make.user())
        return [(line.price, line.total) for line in order.lines]

    assert saved(line) == [(D(1000), D(2000))]
    with transaction():
        operations.issue(order.id, actor=make.user())
    with transaction():
        operations.reopen(order.id, actor=make.user())
    twice = [{**line, "quantity": 3}, {**line, "quantity": 1, "tooth": "36"}, {"service_id": other.id, "quantity": 1}]
    assert saved(*twice) == [(D(1000), D(3000)), (D(1000), D(1000)), (D(80), D(80))]
    assert saved(twice[2]) == [(D(80), D(80))]
    assert saved(line) == [(D(1500), D(3000))]  # it had left the draft, and is new in it
    assert order.total == D(3000)


def test_a_kept_price_needs_no_price_list(make, branch):
    """All its prices were taken back: what was written down still costs what was written down."""
    service = make.service("1000.00")
    line = {"service_id": service.id, "quantity": 1}
    order = drafted(make, branch, lines=[line])
    with transaction():
        price = session.scalars(select(ServicePrice).where(ServicePrice.service_id == service.id)).one()
        price.annulled_at = clock.now()
    with transaction():
        operations.change_work_order(order.id, None, [line], actor=make.user())
    assert order.total == D(1000)


def test_a_service_without_a_price_is_refused_by_name(make, branch):
    service = make.service()
    with clock.at(clock.wall_now().replace(year=2019)), pytest.raises(errors.NoPrice) as refused:
        drafted(make, branch, lines=[{"service_id": service.id, "quantity": 1}])
    assert refused.value.words == {"service": service.name}


def test_discount_limit_follows_the_person(make, branch):
    service = make.service("1000")
    line = {"service_id": service.id, "quantity": 1}
    for by, percent in (("administrator", "5"), ("senior", "15"), ("director", "100")):
        assert drafted(make, branch, lines=[{**line, "discount_percent": D(percent)}], by=by)
    for more in ({"discount_percent": D("5.01")}, {"discount_amount": D("50.01")}):
        with pytest.raises(errors.DiscountTooLarge):
            drafted(make, branch, lines=[{**line, **more}], by="administrator")


def test_a_given_discount_is_not_multiplied(make, branch):
    """What the director gave for one line is there for one line, however it is written."""
    service = make.service("1000.00")
    line = {"service_id": service.id, "quantity": 1, "discount_percent": D(90)}
    order = drafted(make, branch, lines=[line])
    by_sum = {"service_id": service.id, "quantity": 1, "discount_amount": D(900)}
    for lines in ([line] * 5, [line, by_sum], [by_sum, by_sum]):
        with pytest.raises(errors.DiscountTooLarge), transaction():
            operations.change_work_order(order.id, None, lines, actor=make.user())
    with transaction():
        operations.change_work_order(
            order.id, None, [line, {"service_id": service.id, "quantity": 1}], actor=make.user()
        )
    assert order.total == D(1100)


def test_the_directors_discount_stays_when_another_changes_the_draft(make, branch):
    service, other = make.service("1000"), make.service("10")
    line = {"service_id": service.id, "quantity": 1, "discount_percent": D(50)}
    order = drafted(make, branch, lines=[line])
    with transaction():
        operations.change_work_order(
            order.id, None, [line, {"service_id": other.id, "quantity": 1}], actor=make.user("administrator")
        )
    assert order.total == D(510)
    with pytest.raises(errors.DiscountTooLarge), transaction():
        operations.change_work_order(order.id, None, [{**line, "quantity": 2}], actor=make.user("administrator"))


def test_bad_lines_name_their_place(make, branch):
    good = {"service_id": make.service().id, "quantity": 1}
    for line, field in (
        ({**good, "service_id": 2**30}, "lines.1.service_id"),
        ({**good, "quantity": 0}, "lines.1.quantity"),
        ({**good, "discount_amount": D("1000.01")}, "lines.1.discount_amount"),
    ):
        with pytest.raises(errors.Invalid) as refused:
            drafted(make, branch, lines=[good, line])
        assert list(refused.value.facts["fields"]) == [field]
    with pytest.raises(errors.WrongTooth):
        drafted(make, branch, lines=[{**good, "tooth": "19"}])


def test_issue_makes_a_debt_once(make, branch):
    order = billed(make, branch, "1500")
    assert (order.status, order.due, owes(order.patient_id)) == ("issued", D(1500), (D(1500), D(0)))
    with pytest.raises(errors.AlreadyIssued), transaction():
        operations.issue(order.id, actor=make.user("director"))
    with pytest.raises(errors.AlreadyIssued), transaction():
        operations.change_work_order(order.id, None, [], actor=make.user("director"))


def test_a_zero_bill_is_paid_at_once_and_can_be_reopened(make, branch):
    order = billed(make, branch, "0.00")
    assert (order.status, order.due, owes(order.patient_id)) == ("paid", D(0), (D(0), D(0)))
    with transaction():
        operations.reopen(order.id, actor=make.user("director"))
    assert order.status == "draft"


def test_reopen_only_before_any_money(make, branch):
    order = billed(make, branch, "700")
    with transaction():
        operations.reopen(order.id, actor=make.user("director"))
    assert (order.status, order.due, owes(order.patient_id)) == ("draft", D(0), (D(0), D(0)))
    with pytest.raises(errors.WrongStatus), transaction():
        operations.reopen(order.id, actor=make.user("director"))
    with transaction():
        operations.issue(order.id, actor=make.user("director"))
    payment = pay(make, branch, order.patient_id, ("cash", "100"))
    with pytest.raises(errors.AlreadyPaid), transaction():
        operations.reopen(order.id, actor=make.user("director"))
    give_back(make, payment, "100")
    with pytest.raises(errors.AlreadyPaid), transaction():
        operations.reopen(order.id, actor=make.user("director"))


def test_a_stale_draft_is_not_overwritten(make, branch):
    order = drafted(make, branch)
    line = {"service_id": make.service("5").id, "quantity": 1}
    with transaction():
        operations.change_work_order(order.id, 1, [line], actor=make.user("director"))
    with pytest.raises(errors.Stale) as refused, transaction():
        operations.change_work_order(order.id, 1, [line], actor=make.user("director"))
    assert refused.value.facts["current"]["version"] == 2


def test_a_doctor_writes_only_his_own(make, branch):
    doctor = make.user("doctor")
    from app import access

    own = access.account(doctor).employee_id
    patient, line = make.patient(), {"service_id": make.service().id, "quantity": 1}
    other = make.doctor()
    with pytest.raises(errors.NotAllowed), transaction():
        operations.create_work_order(patient.id, other.id, [line], actor=doctor)
    with pytest.raises(errors.Invalid), transaction():
        operations.create_work_order(patient.id, own, [line], actor=doctor)
    from types import SimpleNamespace

    make.appointment(
        patient, SimpleNamespace(id=own), clock.wall_now().replace(hour=9, minute=0, second=0, microsecond=0)
    )
    with transaction():
        assert operations.create_work_order(patient.id, own, [line], actor=doctor)
    foreign = drafted(make, branch)
    with pytest.raises(errors.NotAllowed), transaction():
        operations.issue(foreign.id, actor=doctor)


def test_no_order_for_a_visit_that_was_not_held(client_of, program, make, branch):
    """Cancelled or missed: refused with a sentence, on the page before anything is typed; without a visit it goes."""
    patient, doctor, service = make.patient("Неявкин"), make.doctor(), make.service()
    start = clock.wall_now().replace(hour=8, minute=0, second=0, microsecond=0)
    line = {"service_id": service.id, "quantity": 1}
    body = {"patient_id": patient.id, "doctor_id": doctor.id, "lines": [line]}
    desk, api = client_of("administrator"), program("administrator")
    why = {"cancelled_by": "patient", "cancel_reason_id": make._save(CancelReason(name="Не нужен наряд")).id}
    for hour, (status, word) in enumerate([("cancelled", "Отменён"), ("no_show", "Не пришёл")]):
        visit = make.appointment(patient, doctor, start + timedelta(hours=hour), status=status, **why)
        with pytest.raises(errors.VisitNotHeld), transaction():
            operations.create_work_order(
                patient.id, doctor.id, [line], appointment_id=visit.id, branch_id=branch.id, actor=make.user("director")
            )
        answer = api.post("work-orders/", {**body, "appointment_id": visit.id})
        assert (answer.status_code, answer.json["error"], answer.json["status"]) == (409, "visit_not_held", status)
        path = f"/work-orders/new?appointment={visit.id}"
        typed = {"doctor_id": doctor.id, "line_service_id": service.id, "line_quantity": 1, "do": "issue"}
        for page in (desk.get(path), desk.post(path, data=typed)):
            assert page.status_code == 409 and f"«{word}»" in page.text
    assert not session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).all()
    assert api.post("work-orders/", body).status_code == 201
    held = make.appointment(patient, doctor, start + timedelta(hours=3), status="completed")
    assert api.post("work-orders/", {**body, "appointment_id": held.id}).status_code == 201


@pytest.mark.servers
@pytest.mark.parametrize("what", ["begun", "issued"])
def test_an_order_waits_for_who_is_cancelling_its_visit(app, make, what):
    patient, doctor, line = make.patient(), make.doctor(), {"service_id": make.service().id, "quantity": 1}
    visit = make.appointment(patient, doctor, clock.wall_now() + timedelta(days=2))
    reason = make._save(CancelReason(name=f"Отменён, пока наряд {what}"))
    ids, reason_id, actor = (patient.id, doctor.id, visit.id), reason.id, make.user("director").id

    def cancelled():
        return schedule.cancel(ids[2], reason_id, "patient", actor=session.get_one(User, actor)).id

    def ordered():
        by = session.get_one(User, actor)
        return operations.create_work_order(*ids[:2], [line], appointment_id=ids[2], branch_id=1, actor=by).id

    draft = None
    if what == "issued":
        with transaction():
            draft = ordered()

    def issued():
        return operations.issue(draft, actor=session.get_one(User, actor)).id

    gone, refusal = one_behind_the_other(app, cancelled, issued if draft else ordered)
    assert gone == ids[2] and isinstance(refusal, errors.VisitNotHeld), (gone, refusal)
    session.expire_all()
    left = session.scalars(select(WorkOrder.status).where(WorkOrder.patient_id == ids[0])).all()
    assert left == (["draft"] if draft else [])


def test_a_draft_whose_visit_was_cancelled_is_not_issued(client_of, make):
    """The page says why and keeps the draft; when the visit stands again, it goes."""
    patient, doctor, line = make.patient("Передумкин"), make.doctor(), {"service_id": make.service().id, "quantity": 1}
    visit = make.appointment(patient, doctor, clock.wall_now() + timedelta(days=2))
    director, reason = make.user("director"), make._save(CancelReason(name="Наряд остался")).id
    with transaction():
        order = operations.create_work_order(
            patient.id, doctor.id, [line], appointment_id=visit.id, branch_id=1, actor=director
        )
        schedule.cancel(visit.id, reason, "patient", actor=director)
    refused = client_of("director").post(f"/work-orders/{order.id}/issue", follow_redirects=True)
    assert "«Отменён»" in refused.text and "Внутренняя ошибка" not in refused.text
    session.expire_all()
    assert (
        order.status,
        session.scalar(select(PatientAccount.debt).where(PatientAccount.patient_id == patient.id)) or 0,
    ) == ("draft", 0)
    with transaction():
        schedule.restore(visit.id, actor=director)
        assert operations.issue(order.id, actor=director).status == "issued"


# --- payments


def test_change_is_never_counted_as_cash(make, branch):
    order = billed(make, branch, "1500")
    payment = pay(make, branch, order.patient_id, ("cash", "1500"), tendered=D(2000))
    assert (payment.change, held(branch.desk_id), due(order)) == (D(500), D(1500), D(0))
    assert owes(order.patient_id) == (D(0), D(0))
    with pytest.raises(errors.TenderedTooLittle):
        pay(make, branch, order.patient_id, ("cash", "10"), tendered=D("9.99"))
    with pytest.raises(errors.Invalid):
        pay(make, branch, order.patient_id, ("card", "10"), tendered=D(10))


def test_two_equal_payments_on_one_day_are_two(make, branch):
    order = billed(make, branch, "1000")
    first = pay(make, branch, order.patient_id, ("cash", "500"))
    second = pay(make, branch, order.patient_id, ("cash", "500"))
    assert second.number == first.number + 1
    assert (held(branch.desk_id), owes(order.patient_id)) == (D(1000), (D(0), D(0)))
    assert len(queries.payments_of(order.patient_id)) == 2


def test_several_ways_and_the_rest_to_the_advance(make, branch):
    order = billed(make, branch, "1000")
    payment = pay(
        make, branch, order.patient_id, ("cash", "300"), ("card", "500"), ("transfer", "400"), ("cash", "100")
    )
    assert (held(branch.desk_id), held(branch.non_cash_id)) == (D(400), D(900))
    assert owes(order.patient_id) == (D(0), D(300))
    receipt = session.scalars(select(Receipt).where(Receipt.payment_id == payment.id)).one()
    assert receipt.snapshot["to_advance"] == "300.00" and receipt.snapshot["amount"] == "1300.00"
    assert [part["method"] for part in receipt.snapshot["parts"]] == ["cash", "card", "transfer", "cash"]
    assert receipt.snapshot["lines"][0]["total"] == "1000.00"


def test_the_oldest_bill_is_paid_first_unless_others_are_chosen(make, branch):
    patient = make.patient()
    old, new = billed(make, branch, "100", patient), billed(make, branch, "200", patient)
    pay(make, branch, patient.id, ("cash", "150"))
    assert (due(old), due(new)) == (D(0), D(150))
    another = billed(make, branch, "50", patient)
    pay(make, branch, patient.id, ("cash", "50"), bills=[{"work_order_id": another.id, "amount": D(50)}])
    assert (due(new), due(another)) == (D(150), D(0))
    for amount, refusal in (("150.01", errors.NotDue), ("150", errors.WrongSplit)):
        with pytest.raises(refusal):
            pay(make, branch, patient.id, ("cash", "10"), bills=[{"work_order_id": new.id, "amount": D(amount)}])


def test_somebody_elses_bill_is_not_paid(make, branch):
    mine, foreign = billed(make, branch), billed(make, branch)
    with pytest.raises(errors.NotDue):
        pay(make, branch, mine.patient_id, ("cash", "1"), bills=[{"work_order_id": foreign.id, "amount": D(1)}])


def test_paid_ahead_then_used(make, branch):
    patient = make.patient()
    pay(make, branch, patient.id, ("card", "1000"))
    assert owes(patient.id) == (D(0), D(1000))
    order = billed(make, branch, "1200", patient)
    with pytest.raises(errors.NotEnoughAdvance) as refused:
        pay(make, branch, patient.id, ("advance", "1000.01"))
    assert refused.value.facts == {"left": "1000.00"}
    pay(make, branch, patient.id, ("advance", "700"), ("cash", "500"))
    assert (due(order), owes(patient.id)) == (D(0), (D(0), D(300)))
    assert (held(branch.desk_id), held(branch.non_cash_id)) == (D(500), D(1000))
    with pytest.raises(errors.AdvanceOnlyForBills):
        pay(make, branch, patient.id, ("advance", "1"))


def test_the_right_desk_takes_the_money(make, branch):
    patient = make.patient()
    for method, desk in (("cash", branch.non_cash_id), ("card", branch.desk_id)):
        with pytest.raises(errors.WrongDesk), transaction():
            operations.take_payment(
                patient.id, [{"method": method, "amount": D(1), "desk_id": desk}], actor=make.user()
            )
    with transaction():
        paid = operations.take_payment(
            patient.id, [{"method": "cash", "amount": D(1), "desk_id": branch.desk_id}], actor=make.user()
        )
    assert paid.branch_id == branch.id
    with pytest.raises(errors.WrongDesk), transaction():
        operations.take_payment(
            patient.id, [{"method": "cash", "amount": D(1), "desk_id": branch.desk_id}], branch_id=1, actor=make.user()
        )


def test_cash_needs_an_open_shift(make):
    closed, patient = make.branch(), make.patient()
    with pytest.raises(errors.ShiftClosed):
        pay(make, closed, patient.id, ("cash", "1"))
    pay(make, closed, patient.id, ("card", "1"))
    assert owes(patient.id) == (D(0), D(1))


def test_sums_that_are_not_above_zero_are_refused(make, branch):
    patient = make.patient()
    for parts in ([], [("cash", "0")], [("cash", "-5")], [("cash", "0.001")], [("card", "5"), ("cash", "-1")]):
        with pytest.raises(errors.Invalid):
            pay(make, branch, patient.id, *parts)
    assert owes(patient.id) == (D(0), D(0))


# --- refunds


def test_a_refund_is_subtracted_not_added(make, branch):
    order = billed(make, branch, "1000")
    payment = pay(make, branch, order.patient_id, ("cash", "1000"))
    give_back(make, payment, "1000")
    assert (held(branch.desk_id), due(order), owes(order.patient_id)) == (D(0), D(1000), (D(1000), D(0)))
    deltas = session.scalars(select(CashMovement.delta).where(CashMovement.desk_id == branch.desk_id)).all()
    assert sorted(deltas) == [D(-1000), D(1000)]


def test_a_partial_refund_returns_only_its_part(make, branch):
    order = billed(make, branch, "1000")
    payment = pay(make, branch, order.patient_id, ("cash", "600"), ("card", "400"))
    back = give_back(make, payment, "700.50")
    assert [(part.payment_part.method, part.amount) for part in back.parts] == [("cash", D(600)), ("card", D("100.50"))]
    assert (held(branch.desk_id), held(branch.non_cash_id), due(order)) == (D(0), D("299.50"), D("700.50"))
    with pytest.raises(errors.OverRefund) as refused:
        give_back(make, payment, "299.51")
    assert refused.value.facts == {"left": "299.50"}
    give_back(make, payment, "299.50")
    with pytest.raises(errors.OverRefund):
        give_back(make, payment, "0.01")


def test_the_advance_goes_back_first_then_the_newest_bill(make, branch):
    patient = make.patient()
    old, new = billed(make, branch, "100", patient), billed(make, branch, "200", patient)
    payment = pay(make, branch, patient.id, ("cash", "350"))
    assert owes(patient.id) == (D(0), D(50))
    give_back(make, payment, "80")
    assert (owes(patient.id), due(old), due(new)) == ((D(30), D(0)), D(0), D(30))
    give_back(make, payment, "200")
    assert (due(old), due(new)) == (D(30), D(200))


def test_an_advance_spent_since_is_not_returned_from_its_payment(make, branch):
    patient = make.patient()
    ahead = pay(make, branch, patient.id, ("cash", "1000"))
    order = billed(make, branch, "800", patient)
    used = pay(make, branch, patient.id, ("advance", "800"))
    with pytest.raises(errors.OverRefund) as refused:
        give_back(make, ahead, "200.01")
    assert refused.value.facts == {"left": "200.00"}
    back = give_back(make, used, "300")
    assert back.parts[0].movement_id is None
    assert (owes(patient.id), due(order), held(branch.desk_id)) == ((D(300), D(500)), D(300), D(1000))
    give_back(make, ahead, "500")
    assert (owes(patient.id), held(branch.desk_id)) == ((D(300), D(0)), D(500))


def test_money_goes_back_before_what_came_from_the_advance(make, branch):
    patient = make.patient()
    pay(make, branch, patient.id, ("cash", "500"))
    billed(make, branch, "700", patient)
    payment = pay(make, branch, patient.id, ("advance", "500"), ("cash", "500"))
    assert owes(patient.id) == (D(0), D(300))
    give_back(make, payment, "300")
    assert (owes(patient.id), held(branch.desk_id)) == ((D(0), D(0)), D(700))
    give_back(make, payment, "700")
    assert (owes(patient.id), held(branch.desk_id)) == ((D(700), D(500)), D(500))


def test_a_refund_needs_cash_in_the_desk_the_right_and_a_reason(make, branch):
    payment = pay(make, branch, make.patient().id, ("cash", "100"))
    with transaction():
        cash.move(branch.desk_id, "collection", D(60), comment="В банк", actor=make.user())
    with pytest.raises(errors.NotEnoughCash) as refused:
        give_back(make, payment, "50")
    assert refused.value.facts["left"] == "40.00"
    with pytest.raises(errors.NotAllowed):
        give_back(make, payment, "1", by="administrator")
    with pytest.raises(errors.ReasonNeeded), transaction():
        operations.refund(payment.id, D(1), "  ", actor=make.user("senior"))
    give_back(make, payment, "40")
    receipt = session.scalars(select(Receipt).where(Receipt.refund_id.is_not(None)).order_by(Receipt.id.desc())).first()
    assert (receipt.kind, receipt.snapshot["amount"]) == ("return", "40.00")


def test_balances_are_sums_of_the_ledger(make, branch):
    patient = make.patient()
    billed(make, branch, "999.99", patient)
    first = pay(make, branch, patient.id, ("cash", "333.33"), ("card", "1000"))
    billed(make, branch, "0.01", patient)
    pay(make, branch, patient.id, ("advance", "0.01"))
    give_back(make, first, "700.77")
    entries = session.scalars(select(LedgerEntry).where(LedgerEntry.patient_id == patient.id)).all()
    assert owes(patient.id) == (sum(e.debt_change for e in entries), sum(e.advance_change for e in entries))
    kept = session.scalar(select(WorkOrder.due).where(WorkOrder.patient_id == patient.id, WorkOrder.due > 0))
    assert owes(patient.id)[0] == kept


def test_price_list_is_found_by_words_and_code(make):
    service = make.service("123.45", name=f"Удаление зуба мудрости {clock.now().timestamp()}")
    count, [row] = queries.price_list(f"мудрости удаление {service.name.split()[-1]}")
    assert (count, row.id, row.price) == (1, service.id, D("123.45"))
    assert queries.price_list(service.code.lower())[1][0].code.startswith(service.code)
    assert queries.price_list("%_\\ 100%")[0] == 0


def test_an_archived_service_is_offered_to_nobody(make, branch):
    service = make.service("100.00")
    line = {"service_id": service.id, "quantity": 1}
    order = drafted(make, branch, lines=[line])
    with transaction():
        service.archived = True
    with pytest.raises(errors.Invalid) as refused:
        drafted(make, branch, lines=[line])
    assert "lines.0.service_id" in refused.value.facts["fields"]
    with transaction():  # what was done before stays done
        operations.change_work_order(order.id, None, [{**line, "quantity": 2}], actor=make.user())
        operations.issue(order.id, actor=make.user())


def test_a_draft_made_by_mistake_is_annulled(make, branch):
    order = drafted(make, branch)
    with transaction():
        operations.annul(order.id, actor=make.user())
    assert (order.status, order.number > 0) == ("annulled", True)
    steps = (
        lambda: operations.change_work_order(order.id, None, [], actor=make.user()),
        lambda: operations.issue(order.id, actor=make.user()),
        lambda: operations.reopen(order.id, actor=make.user()),
        lambda: operations.annul(order.id, actor=make.user()),
    )
    for step in steps:
        with pytest.raises(errors.WrongStatus), transaction():
            step()
    bill = billed(make, branch)
    with pytest.raises(errors.AlreadyIssued), transaction():
        operations.annul(bill.id, actor=make.user())
    assert queries.settling(order.patient_id, None).orders == []


def test_a_bill_is_paid_to_the_legal_entity_that_issued_it(make, branch):
    """Another entity's bill is refused with its name; what is due here is paid, ticked alone."""
    other = make.branch()
    with transaction():
        cash.open_shift(other.desk_id, D(0), actor=make.user())
    here = billed(make, branch, "1000")
    there = billed(make, other, "500", patient=here.patient)
    for parts in ([("cash", "1500")], [("cash", "1000.01")]):
        with pytest.raises(errors.WrongEntity) as refused:
            pay(make, branch, here.patient_id, *parts)
        assert refused.value.facts["work_order_id"] == there.id
    assert owes(here.patient_id) == (D(1500), 0) and held(branch.desk_id) == 0
    pay(make, branch, here.patient_id, ("cash", "1000"))
    pay(make, branch, here.patient_id, ("card", "700"), bills=[])
    with pytest.raises(errors.WrongEntity):
        pay(make, branch, here.patient_id, ("advance", "500"))
    pay(make, other, here.patient_id, ("advance", "500"))
    assert owes(here.patient_id) == (0, D(200))
