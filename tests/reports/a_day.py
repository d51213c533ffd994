"""A day at the desk, made through the operations of every room, with figures that can be checked by hand."""

from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

from app import clock
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import session, transaction
from app.models import Employee, User

DAY = datetime(2026, 11, 23)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)


def money(text):
    return Decimal(text)


def at(day, hour, minute=0):
    return clock.at(day.replace(hour=hour, minute=minute))


def user(name):
    return session.query(User).filter_by(username=name).one()


def order(patient, doctor, lines, branch, **more):
    with transaction():
        row = billing.create_work_order(
            patient.id, doctor.id, lines, branch_id=branch.id, actor=user("director"), **more
        )
        return row.id


def issue(order_id):
    with transaction():
        billing.issue(order_id, actor=user("director"))


def pay(patient, parts, branch, **more):
    with transaction():
        return billing.take_payment(
            patient.id,
            [{"method": m, "amount": money(a)} for m, a in parts],
            branch_id=branch.id,
            actor=user("senior"),
            **more,
        ).id


def make_day(make):
    """Two days and a bit: debts left from yesterday, a full day, a bill reopened tomorrow."""
    branch = make.branch()
    own = session.query(Employee).filter_by(user_id=user("doctor").id).one()
    other = make.doctor(branch.id)
    hygiene, filling, checkup = make.service("1000.00"), make.service("1500.00"), make.service("800.00")
    anna, boris, vera = make.patient("Аннина"), make.patient("Борисов"), make.patient("Верина")
    category = None

    with at(BEFORE, 9), transaction():
        cash.open_shift(branch.desk_id, money("0"), actor=user("administrator"))
    with at(BEFORE, 10):
        old = order(vera, other, [{"service_id": filling.id, "quantity": 2}], branch)
        issue(old)
        paid_old = pay(vera, [("cash", "1000.00")], branch)
    with at(BEFORE, 20), transaction():
        from app.models import CashShift

        shift = session.query(CashShift).filter_by(desk_id=branch.desk_id).one()
        cash.close_shift(shift.id, money("1000.00"), actor=user("administrator"))

    with at(DAY, 9), transaction():
        shift_id = cash.open_shift(branch.desk_id, money("1000.00"), actor=user("administrator")).id
        category = cash.add_category(f"Материалы {branch.id}", actor=user("administrator")).id
    visit = make.appointment(
        anna,
        own,
        DAY.replace(hour=10),
        branch_id=branch.id,
        status="completed",
        first_visit=True,
        arrived_at=DAY.replace(hour=9, minute=50, tzinfo=clock.zone()),
        started_at=DAY.replace(hour=10, minute=2, tzinfo=clock.zone()),
    )
    make.appointment(boris, other, DAY.replace(hour=11), branch_id=branch.id, status="no_show")
    make.appointment(vera, other, DAY.replace(hour=12), branch_id=branch.id)
    following = make.appointment(anna, other, AFTER.replace(hour=15), branch_id=branch.id)
    with at(DAY, 11):
        # 2 × 1000 + 1500 − 10 % = 3350, from the visit
        first = order(
            anna,
            own,
            [
                {"service_id": hygiene.id, "quantity": 2},
                {
                    "service_id": filling.id,
                    "quantity": 1,
                    "tooth": "36",
                    "discount_percent": money("10"),
                    "discount_reason": "Акция",
                },
            ],
            branch,
            appointment_id=visit.id,
        )
        issue(first)
        pay(anna, [("cash", "2000.10"), ("card", "1000.20")], branch)  # 349.70 stays due
    with at(DAY, 12):
        advance = pay(boris, [("transfer", "5000.00")], branch)
        second = order(
            boris, other, [{"service_id": checkup.id, "quantity": 1}, {"service_id": hygiene.id, "quantity": 1}], branch
        )
        issue(second)
        pay(boris, [("advance", "700.00"), ("cash", "600.00")], branch)  # 500 of 1800 stays due
    with at(DAY, 13), transaction():
        billing.refund(advance, money("1000.00"), "Уезжает", actor=user("senior"))
        billing.refund(paid_old, money("400.00"), "Ошибка", actor=user("senior"))
    with at(DAY, 14):
        third = order(vera, other, [{"service_id": checkup.id, "quantity": 3}], branch)
        issue(third)
        with transaction():
            billing.reopen(third, actor=user("senior"))
        fourth = order(vera, other, [{"service_id": hygiene.id, "quantity": 4}], branch)
        issue(fourth)
        zero = order(
            vera,
            own,
            [
                {
                    "service_id": checkup.id,
                    "quantity": 1,
                    "discount_percent": money("100"),
                    "discount_reason": "Гарантия",
                }
            ],
            branch,
        )
        issue(zero)
    with at(DAY, 15), transaction():
        actor = user("administrator")
        cash.move(branch.desk_id, "pay_in", money("10000.00"), comment="Размен", actor=actor)
        wrong = cash.move(branch.desk_id, "withdrawal", money("55.00"), category_id=category, actor=actor).id
        cash.reverse(wrong, "Не то", actor=actor)
        cash.move(
            branch.desk_id, "withdrawal", money("350.50"), category_id=category, counterparty="Магазин", actor=actor
        )
        cash.move(branch.desk_id, "collection", money("2000.00"), counterparty="Банк", actor=actor)
    with at(DAY, 20), transaction():
        # 1000 + 2000.10 + 600 − 400 + 10000 − 350.50 − 2000 = 10849.60
        cash.close_shift(shift_id, money("10840.00"), reason="Недостача", actor=user("administrator"))
    with at(AFTER, 10), transaction():
        billing.reopen(fourth, actor=user("senior"))
    for row in (own, other, anna, boris, vera, hygiene, filling, checkup, visit, following):
        session.refresh(row)
    return SimpleNamespace(
        branch=branch,
        own=own,
        other=other,
        anna=anna,
        boris=boris,
        vera=vera,
        hygiene=hygiene,
        filling=filling,
        checkup=checkup,
        shift_id=shift_id,
        category=category,
        visit=visit,
        following=following,
        first=first,
        second=second,
        third=third,
        fourth=fourth,
        zero=zero,
    )
