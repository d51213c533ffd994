"""Two people at the same moment: undo and a move, series and a booking, restoring and a booking, one shelf."""

from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import NotFound, NotUndoable, OnShelf, Refusal, SlotTaken, Stale
from app.models import Appointment, CancelReason, ShelfItem
from app.schedule import operations
from tests.conftest import Maker
from tests.schedule.test_managing import person
from tests.test_races import together

DAY = clock.today() + timedelta(days=130)
TIMES = 6


def at(hour: int, minute: int = 0, day: Any = None) -> datetime:
    return datetime.combine(day or DAY, time(hour, minute))


@pytest.fixture
def doctor(make: Maker) -> Any:
    row = make.doctor()
    for week in range(4):
        make.hours(row, DAY + timedelta(weeks=week))
    return row


def by(user_id: int) -> Any:
    """The account, in the session of the thread that asks."""
    from app.models import User

    return session.get_one(User, user_id)


def booked(make: Maker, doctor: Any, start: datetime, end: datetime, *, actor: Any) -> int:
    patient = make.patient().id
    with transaction():
        return int(operations.book(patient, doctor.id, start, end, actor=actor).id)


def standing(doctor_id: int) -> list[tuple[datetime, datetime]]:
    session.expire_all()
    rows = session.execute(
        select(Appointment.starts_at, Appointment.ends_at)
        .where(Appointment.doctor_id == doctor_id, Appointment.status == "booked")
        .order_by(Appointment.starts_at)
    )
    return [(start, end) for start, end in rows]


def nobody_meets(doctor_id: int) -> None:
    rows = standing(doctor_id)
    assert all(first[1] <= second[0] for first, second in pairwise(rows)), rows


def test_an_undo_and_a_move_by_another(app: Flask, make: Maker, doctor: Any) -> None:
    me, other = person(make).id, person(make).id
    for n in range(TIMES):
        visit = booked(make, doctor, at(8 + n), at(8 + n, 30), actor=by(me))
        with transaction():
            operations.move(visit, 1, starts_at=at(14 + n % 5, 30), actor=by(me))
        deeds = [
            lambda visit=visit: operations.undo_last(appointment_id=visit, actor=by(me)).visits[0],
            lambda visit=visit: operations.move(visit, 2, comment="звонил", actor=by(other)).id,
        ]
        results = together(app, deeds if n % 2 else deeds[::-1])
        lost = [result for result in results if isinstance(result, Refusal)]
        assert len(lost) == 1 and isinstance(lost[0], NotUndoable | Stale), results
        row = session.get_one(Appointment, visit, populate_existing=True)
        assert (row.starts_at == at(8 + n)) == isinstance(lost[0], Stale)
        assert row.version == 3
        with transaction():
            operations.move(visit, 3, starts_at=at(8 + n), actor=None)


def test_one_action_is_undone_once(app: Flask, make: Maker, doctor: Any) -> None:
    me = person(make).id
    visit = booked(make, doctor, at(10), at(10, 30), actor=by(me))
    results = together(app, [lambda: operations.undo_last(appointment_id=visit, actor=by(me)).removed] * 5)
    assert results.count(True) == 1
    assert all(isinstance(result, NotUndoable | NotFound) for result in results if result is not True), results
    assert session.get(Appointment, visit) is None


def test_an_undo_and_who_takes_the_old_time(app: Flask, make: Maker, doctor: Any) -> None:
    me = person(make).id
    for n in range(TIMES):
        patient = make.patient().id
        visit = booked(make, doctor, at(8 + n), at(8 + n, 30), actor=by(me))
        with transaction():
            operations.move(visit, 1, starts_at=at(8 + n, 30), actor=by(me))
        results = together(
            app,
            [
                lambda visit=visit: operations.undo_last(appointment_id=visit, actor=by(me)).visits[0],
                lambda n=n, patient=patient: (
                    operations.book(patient, doctor.id, at(8 + n, 15), at(8 + n, 30), actor=None).id
                ),
            ],
        )
        assert [type(result) for result in results].count(SlotTaken) == 1, results
        nobody_meets(doctor.id)


def test_a_series_and_a_booking_into_one_of_its_days(app: Flask, make: Maker, doctor: Any) -> None:
    days = [DAY + timedelta(weeks=n) for n in (1, 2, 3)]
    for n in range(TIMES):
        visit = booked(make, doctor, at(8 + n), at(8 + n, 30), actor=None)
        patient = make.patient().id
        slots = [{"starts_at": at(8 + n, 0, day)} for day in days]
        before = len(standing(doctor.id))
        series, booking = together(
            app,
            [
                lambda visit=visit, slots=slots: len(operations.book_series(visit, slots, actor=None)),
                lambda n=n, patient=patient: (
                    operations.book(patient, doctor.id, at(8 + n, 10, days[1]), at(8 + n, 40, days[1]), actor=None).id
                ),
            ],
        )
        assert isinstance(series, SlotTaken) != isinstance(booking, SlotTaken), (series, booking)
        assert len(standing(doctor.id)) - before == (3 if series == 3 else 1)
        nobody_meets(doctor.id)


def test_two_series_crosswise(app: Flask, make: Maker, doctor: Any) -> None:
    days = [DAY + timedelta(weeks=n) for n in (1, 2, 3)]
    one, two = booked(make, doctor, at(8), at(8, 30), actor=None), booked(make, doctor, at(9), at(9, 30), actor=None)
    slots = [{"starts_at": at(12, 0, day)} for day in days]
    results = together(
        app,
        [
            lambda: len(operations.book_series(one, slots, actor=None)),
            lambda: len(operations.book_series(two, slots[::-1], actor=None)),
        ],
    )
    assert [type(result) for result in results].count(SlotTaken) == 1, results
    assert len(standing(doctor.id)) == 5


def test_a_restore_and_a_booking(app: Flask, make: Maker, doctor: Any) -> None:
    reason = make._save(CancelReason(name=f"Причина {datetime.now().timestamp()}")).id
    for n in range(TIMES):
        visit = booked(make, doctor, at(8 + n), at(8 + n, 30), actor=None)
        with transaction():
            operations.cancel(visit, reason, "patient", actor=None)
        patient = make.patient().id
        results = together(
            app,
            [
                lambda visit=visit: operations.restore(visit, actor=None).id,
                lambda n=n, patient=patient: (
                    operations.book(patient, doctor.id, at(8 + n, 15), at(8 + n, 45), actor=None).id
                ),
            ],
        )
        assert [type(result) for result in results].count(SlotTaken) == 1, results
        nobody_meets(doctor.id)


def test_a_visit_lies_on_one_shelf(app: Flask, make: Maker, doctor: Any) -> None:
    people = [person(make).id for _ in range(6)]
    visit = booked(make, doctor, at(10), at(10, 30), actor=None)
    results = together(app, [lambda user=user: operations.put_on_shelf(visit, actor=by(user)).id for user in people])
    assert [type(result) for result in results].count(OnShelf) == 5
    assert session.scalar(select(func.count()).where(ShelfItem.appointment_id == visit)) == 1


def test_a_block_is_dragged_by_two(app: Flask, make: Maker, doctor: Any) -> None:
    with transaction():
        block = operations.block_time("block", at(10), at(11), "Ремонт", doctor_id=doctor.id, actor=None).id
    results = together(
        app,
        [lambda hour=hour: operations.change_block(block, 1, starts_at=at(hour), actor=None).id for hour in (12, 14)],
    )
    assert [type(result) for result in results].count(Stale) == 1, results
