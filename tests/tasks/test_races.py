"""Real threads, real PostgreSQL: one calls, one task, one result."""

from datetime import datetime, time, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import Refusal, TaskClosed, TaskTaken
from app.models import CallTask, CallTaskReason, User
from app.schedule import operations as schedule
from app.tasks import operations
from app.vocab import TaskReasonKind as Kind
from tests.conftest import Maker
from tests.test_races import together

TODAY = clock.today()


def asked(make: Maker, *kinds: Kind) -> tuple[int, int]:
    """A task with these reasons: its number and the patient's."""
    patient = make.patient()
    with transaction():
        for kind in kinds:
            task = operations.ask(patient.id, kind, due_on=TODAY, actor=None)
    assert task is not None
    return task.id, patient.id


def user(name: str) -> User:
    return session.scalars(select(User).where(User.username == name)).one()


def tasks_of(patient_id: int) -> list[CallTask]:
    session.rollback()
    return list(session.scalars(select(CallTask).where(CallTask.patient_id == patient_id).order_by(CallTask.id)))


def test_many_claim_one(app: Flask, make: Maker) -> None:
    task_id, _ = asked(make, Kind.DEBT)
    names = ("administrator", "administrator2", "senior", "director")
    deeds = [lambda name=names[n % 4]: operations.claim(task_id, actor=user(name)).claimed_by_id for n in range(20)]
    results = together(app, deeds)
    winners = {result for result in results if not isinstance(result, Refusal)}
    assert len(winners) == 1  # all five clicks of one person, and nobody else's
    assert sum(isinstance(result, TaskTaken) for result in results) == 15


def test_the_same_reason_at_once_is_one_task(app: Flask, make: Maker) -> None:
    patient_id = make.patient().id

    def ask(kind: Kind) -> Any:
        return lambda: operations.ask(patient_id, kind, due_on=TODAY, actor=None).id  # type: ignore[union-attr]

    results = together(app, [ask(Kind.DEBT) for _ in range(10)] + [ask(Kind.NO_SHOW) for _ in range(10)])
    assert len(set(results)) == 1
    kinds = session.scalars(select(CallTaskReason.kind).where(CallTaskReason.task_id == results[0]))
    assert sorted(kinds) == ["debt", "no_show"]


def test_closing_against_claiming(app: Flask, make: Maker) -> None:
    for _ in range(5):
        task_id, patient_id = asked(make, Kind.DEBT)
        closed, claimed = together(
            app,
            [
                lambda task_id=task_id: operations.close(task_id, None, "informed", actor=user("administrator")).id,
                lambda task_id=task_id: operations.claim(task_id, actor=user("senior")).id,
            ],
        )
        [task] = tasks_of(patient_id)
        if isinstance(closed, Refusal):
            assert isinstance(closed, TaskTaken) and task.status == "open" and task.claimed_by_id is not None
        else:
            assert isinstance(claimed, TaskClosed) and task.status == "closed" and task.claimed_by_id is None


def test_booking_against_closing(app: Flask, make: Maker) -> None:
    """Whoever is first, the task has one result and the booking stands."""
    doctor, day = make.doctor(), TODAY + timedelta(days=30)
    make.hours(doctor, day)
    for n in range(5):
        task_id, patient_id = asked(make, Kind.CANCELLED)
        start = datetime.combine(day, time(9 + n))

        def book(patient_id: int = patient_id, task_id: int = task_id, start: datetime = start) -> int:
            visit = schedule.book(
                patient_id, doctor.id, start, start + timedelta(minutes=30), call_task_id=task_id, actor=user("senior")
            )
            return visit.id

        def close(task_id: int = task_id) -> int:
            return operations.close(task_id, None, "informed", actor=user("administrator")).id

        booked, closed = together(app, [book, close])
        assert isinstance(booked, int)
        [task] = tasks_of(patient_id)
        assert task.status == "closed"
        if isinstance(closed, Refusal):
            assert isinstance(closed, TaskClosed) and (task.result, task.appointment_id) == ("booked", booked)
        else:
            assert task.result == "informed"


def test_the_last_reasons_gone_at_once(app: Flask, make: Maker) -> None:
    for _ in range(5):
        _, patient_id = asked(make, Kind.DEBT, Kind.NO_SHOW)
        together(
            app,
            [
                lambda kind=kind, patient_id=patient_id: operations.reasons_gone(
                    kinds=[kind], patient_id=patient_id, actor=None
                )
                for kind in (Kind.DEBT, Kind.NO_SHOW)
            ],
        )
        [task] = tasks_of(patient_id)
        assert (task.status, task.result) == ("closed", "not_needed")


def test_asking_against_the_end(app: Flask, make: Maker) -> None:
    """A reason that comes at the moment when the task ends is not lost."""
    for _ in range(5):
        task_id, patient_id = asked(make, Kind.DEBT)
        together(
            app,
            [
                lambda task_id=task_id: operations.close(task_id, None, "informed", actor=user("senior")).id,
                lambda patient_id=patient_id: operations.ask(patient_id, Kind.NO_SHOW, due_on=TODAY, actor=None).id,
            ],
        )
        found = tasks_of(patient_id)
        count = session.scalar(
            select(func.count()).where(CallTaskReason.task_id == found[-1].id, CallTaskReason.kind == "no_show")
        )
        assert count == 1 and len(found) in (1, 2)
        if len(found) == 2:
            assert [task.status for task in found] == ["closed", "open"]
