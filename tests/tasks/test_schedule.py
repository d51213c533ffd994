"""What the schedule and the money tell the list of calls, and what ends by itself."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.models import CallTask, CallTaskReason, CancelReason, User
from app.schedule import operations as schedule
from app.tasks import jobs, operations
from app.vocab import TaskReasonKind as Kind
from tests.conftest import Maker

DAY = clock.today() + timedelta(days=20)


@pytest.fixture
def me(make: Maker) -> User:
    return make.user("senior")


@pytest.fixture
def doctor(make: Maker) -> Any:
    doctor = make.doctor()
    for ahead in (0, 1, 2):
        make.hours(doctor, DAY + timedelta(days=ahead))
    return doctor


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


def booked(patient: Any, doctor: Any, hour: int, me: User, **more: Any) -> Any:
    with transaction():
        return schedule.book(patient.id, doctor.id, at(hour), at(hour, 30), actor=me, **more)


def cancelled(visit: Any, me: User, **more: Any) -> None:
    with transaction():
        reason = CancelReason(name=f"Причина {datetime.now().timestamp()}")
        session.add(reason)
        session.flush()
        schedule.cancel(visit.id, reason.id, "patient", actor=me, **more)


def open_reasons(patient: Any) -> list[tuple[str, int | None]]:
    session.rollback()
    rows = session.execute(
        select(CallTaskReason.kind, CallTaskReason.appointment_id)
        .join(CallTask, CallTask.id == CallTaskReason.task_id)
        .where(CallTask.patient_id == patient.id, CallTask.status == "open", CallTaskReason.closed_at.is_(None))
        .order_by(CallTaskReason.id)
    )
    return [(kind, visit) for kind, visit in rows]


def test_a_cancelled_visit_asks_for_a_call_until_it_is_booked_again(make: Maker, doctor: Any, me: User) -> None:
    patient = make.patient()
    visit = booked(patient, doctor, 9, me)
    cancelled(visit, me)
    assert open_reasons(patient) == [("cancelled", visit.id)]
    task = session.scalars(select(CallTask).where(CallTask.patient_id == patient.id)).one()
    assert task.due_at == datetime.combine(clock.today() + timedelta(days=1), time(9))
    booked(patient, doctor, 10, me)
    assert open_reasons(patient) == []
    session.refresh(task)
    assert (task.result, task.appointment_id is not None) == ("not_needed", True)


def test_no_call_when_the_desk_arranged_something_or_another_visit_is_ahead(make: Maker, doctor: Any, me: User) -> None:
    arranged, other = make.patient(), make.patient()
    cancelled(booked(arranged, doctor, 9, me), me, call=False)
    assert open_reasons(arranged) == []
    first = booked(other, doctor, 10, me)
    booked(other, doctor, 11, me)
    cancelled(first, me)
    assert open_reasons(other) == []


def test_a_restored_visit_is_no_reason(make: Maker, doctor: Any, me: User) -> None:
    patient = make.patient()
    visit = booked(patient, doctor, 9, me)
    cancelled(visit, me)
    with transaction():
        schedule.restore(visit.id, actor=me)
    assert open_reasons(patient) == []


def test_a_no_show_and_its_undoing(make: Maker, doctor: Any, me: User) -> None:
    patient = make.patient()
    visit = booked(patient, doctor, 9, me)
    with clock.at(at(9, 20)), transaction():
        schedule.no_show(visit.id, actor=me)
    assert open_reasons(patient) == [("no_show", visit.id)]
    with clock.at(at(9, 25)), transaction():
        schedule.undo(visit.id, actor=me)
    assert open_reasons(patient) == []


def test_a_wish_to_move(make: Maker, doctor: Any, me: User) -> None:
    patient = make.patient()
    visit = booked(patient, doctor, 9, me)
    with transaction():
        schedule.confirm(visit.id, "asks_to_move", actor=me)
    assert open_reasons(patient) == [("asks_to_move", visit.id)]
    with transaction():
        schedule.confirm(visit.id, "confirmed", actor=me)
    assert open_reasons(patient) == []
    with transaction():
        schedule.confirm(visit.id, "asks_to_move", actor=me)
    with transaction():
        schedule.move(visit.id, visit.version, starts_at=at(12), actor=me)
    assert open_reasons(patient) == []
    with transaction():
        schedule.confirm(visit.id, "asks_to_move", actor=me)
    cancelled(visit, me)
    assert open_reasons(patient) == [("cancelled", visit.id)]  # one reason took the place of the other


def test_a_booking_from_a_call_closes_it(make: Maker, doctor: Any, program: Any) -> None:
    patient = make.patient()
    with transaction():
        task = operations.ask(patient.id, Kind.DOCTOR_REQUEST, due_on=clock.today(), note="Осмотр", actor=None)
    assert task is not None
    desk = program("administrator")
    desk.post(f"call-tasks/{task.id}/claim")
    body = {"patient_id": patient.id, "doctor_id": doctor.id, "call_task_id": task.id,
            "starts_at": f"{DAY}T09:00", "ends_at": f"{DAY}T09:30"}  # fmt: skip
    answer = desk.post("appointments/", body)
    assert answer.status_code == 201, answer.text
    session.refresh(task)
    assert (task.result, task.appointment_id, task.last_result) == ("booked", answer.json["id"], "talked")
    nonsense = desk.post("appointments/", {**body, "call_task_id": "x"})
    assert nonsense.status_code == 422


def test_cancelling_over_json_may_say_that_nobody_calls(make: Maker, doctor: Any, me: User, program: Any) -> None:
    patient = make.patient()
    visit = booked(patient, doctor, 9, me)
    with transaction():
        reason = CancelReason(name=f"Причина {datetime.now().timestamp()}")
        session.add(reason)
    desk = program("administrator")
    body = {"reason_id": reason.id, "by": "patient"}
    assert desk.post(f"appointments/{visit.id}/cancel", {**body, "call": "x"}).status_code == 422
    assert desk.post(f"appointments/{visit.id}/cancel", {**body, "call": False}).status_code == 200
    assert open_reasons(patient) == []


def test_a_debt_that_is_paid(make: Maker, doctor: Any, program: Any) -> None:
    patient, service, director = make.patient(), make.service("1000.00"), program("director")
    order = director.post(
        "work-orders/", {"patient_id": patient.id, "doctor_id": doctor.id, "lines": [{"service_id": service.id}]}
    ).json
    director.post(f"work-orders/{order['id']}/issue")
    with transaction():
        operations.ask(patient.id, Kind.DEBT, due_on=clock.today(), actor=None)
    part = {"method": "card", "amount": "400.00"}
    assert director.post("payments/", {"patient_id": patient.id, "parts": [part], "branch_id": 1}).status_code == 201
    assert [kind for kind, _ in open_reasons(patient)] == ["debt"]
    jobs.tidy()
    assert [kind for kind, _ in open_reasons(patient)] == ["debt"]
    part["amount"] = "600.00"
    assert director.post("payments/", {"patient_id": patient.id, "parts": [part], "branch_id": 1}).status_code == 201
    assert open_reasons(patient) == []


def test_what_nobody_told_is_found(make: Maker, doctor: Any, me: User) -> None:
    """An archived card, a debt that is gone, a visit that can no longer be moved; a living reason stays."""
    archived, debtor, late, alive = (make.patient() for _ in range(4))
    visit, standing = booked(late, doctor, 9, me), booked(alive, doctor, 10, me)
    with transaction():
        operations.ask(archived.id, Kind.BY_HAND, due_on=clock.today(), note="Снимок", actor=None)
        operations.ask(debtor.id, Kind.DEBT, due_on=clock.today(), actor=None)
        operations.ask(late.id, Kind.HOURS_CLOSED, due_on=clock.today(), appointment_id=visit.id, actor=None)
        operations.ask(alive.id, Kind.HOURS_CLOSED, due_on=clock.today(), appointment_id=standing.id, actor=None)
        archived.status, visit.status = "archived", "arrived"
        session.merge(archived), session.merge(visit)
    jobs.tidy()
    jobs.tidy()
    assert [open_reasons(one) for one in (archived, debtor, late)] == [[], [], []]
    assert open_reasons(alive) == [("hours_closed", standing.id)]
