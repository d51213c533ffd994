"""What the schedule answers: the day, free time, a patient's visits."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from app import clock
from app.db import transaction
from app.schedule import operations, queries
from tests.conftest import counted_statements

DAY = clock.today() + timedelta(days=60)


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return datetime.combine(DAY + timedelta(days=days), time(hour, minute))


@pytest.fixture
def doctor(make: Any) -> Any:
    row = make.doctor()
    make.hours(row, DAY, time(9), time(12))
    return row


def starts(**asked: Any) -> list[str]:
    asked = {"first": DAY, "days": 1, **asked}
    return [slot["starts_at"][11:] for slot in queries.free_slots(asked.pop("minutes", 30), **asked)]


def test_free_time_lies_between_visits_and_blocks(make: Any, doctor: Any) -> None:
    make.appointment(make.patient(), doctor, at(9, 30))
    make.appointment(make.patient(), doctor, at(10), status="no_show")
    with transaction():
        operations.block_time("block", at(11), at(11, 30), "Обход", doctor_id=doctor.id, actor=None)
    assert starts(doctor_id=doctor.id) == ["09:00", "10:00", "10:30", "11:30"]
    assert starts(doctor_id=doctor.id, minutes=60) == ["10:00"]
    assert starts(doctor_id=doctor.id, minutes=61) == []
    assert starts(doctor_id=doctor.id, limit=1) == ["09:00"]
    assert starts(doctor_id=doctor.id, after=time(10, 15), before=time(11)) == ["10:15"]


def test_a_chair_that_another_doctor_uses_is_not_free(make: Any) -> None:
    doctor, other, chair = make.doctor(), make.doctor(), make.chair()
    make.hours(doctor, DAY, time(9), time(10), chair_id=chair.id)
    make.appointment(make.patient(), other, at(9), chair_id=chair.id)
    assert starts(doctor_id=doctor.id) == ["09:30"]


def test_the_past_is_not_offered(make: Any, doctor: Any) -> None:
    with clock.at(at(10, 52)):
        assert starts(doctor_id=doctor.id) == ["10:55", "11:25"]
    with clock.at(at(13)):
        assert starts(doctor_id=doctor.id) == []


def test_weekdays_branch_and_the_weeks_after(app: Any, make: Any) -> None:
    doctor, branch = make.doctor(), make.branch()
    make.hours(doctor, DAY + timedelta(days=20), time(9), time(10), branch_id=branch.id)
    make.hours(doctor, DAY + timedelta(days=21), time(9), time(10))
    doctor_id = doctor.id
    with counted_statements(app) as seen:
        assert starts(doctor_id=doctor_id, days=60) == ["09:00", "09:30"] * 2
    assert len(seen) == 2
    assert starts(doctor_id=doctor.id, days=60, branch_id=branch.id) == ["09:00", "09:30"]
    weekday = (DAY + timedelta(days=21)).isoweekday()
    assert len(starts(doctor_id=doctor.id, days=60, weekdays=[weekday])) == 2
    assert starts(doctor_id=doctor.id, days=20) == []


def test_all_doctors_by_time(make: Any) -> None:
    branch, doctors = make.branch(), [make.doctor(), make.doctor()]
    for doctor in doctors:
        make.hours(doctor, DAY, time(9), time(10), branch_id=branch.id)
    found = queries.free_slots(30, first=DAY, days=1, branch_id=branch.id)
    assert [(s["starts_at"][11:], s["doctor_id"]) for s in found] == [
        ("09:00", doctors[0].id), ("09:00", doctors[1].id), ("09:30", doctors[0].id), ("09:30", doctors[1].id),
    ]  # fmt: skip


def test_every_free_time_can_be_booked(make: Any, doctor: Any) -> None:
    make.appointment(make.patient(), doctor, at(9, 50), 35)
    slots = queries.free_slots(20, first=DAY, days=1, doctor_id=doctor.id)
    assert slots
    for slot in slots:
        start, end = datetime.fromisoformat(slot["starts_at"]), datetime.fromisoformat(slot["ends_at"])
        with transaction():
            operations.book(make_patient(make), doctor.id, start, end, actor=None)
    assert starts(doctor_id=doctor.id, minutes=20) == []


def make_patient(make: Any) -> int:
    from app.db import session

    patient = make.patient()
    session.flush()
    return int(patient.id)


def test_the_day_has_columns_of_who_works_or_has_visits(app: Any, make: Any, doctor: Any) -> None:
    branch, guest = make.branch(), make.doctor()
    worker = make.doctor()
    make.hours(worker, DAY, branch_id=branch.id)
    make.appointment(make.patient(), guest, at(15), branch_id=branch.id)
    branch_id = branch.id
    with counted_statements(app) as seen:
        sheet = queries.day_sheet(DAY, branch_id=branch_id)
    assert len(seen) == 2
    assert {column["doctor_id"] for column in sheet.columns} == {guest.id, worker.id}
    assert [chair["chair_id"] for chair in sheet.chairs] == [branch.chair_id]
    assert [row["doctor_id"] for row in queries.day_sheet(DAY, doctor_id=guest.id).appointments] == [guest.id]


def test_the_version_changes_with_what_is_shown(make: Any, doctor: Any) -> None:
    from app.db import session
    from app.models import Patient

    patient = make.patient()
    visit = make.appointment(patient, doctor, at(9))
    seen = {queries.day_sheet(DAY).version}
    assert queries.day_sheet(DAY).version in seen

    def changed() -> None:
        version = queries.day_sheet(DAY).version
        assert version not in seen
        seen.add(version)

    with transaction():
        operations.confirm(visit.id, actor=None)
    changed()
    with transaction():
        session.get_one(Patient, patient.id).surname = "Переименованная"
    changed()
    with transaction():
        operations.block_time("hold", at(11), at(12), "Для важного", doctor_id=doctor.id, actor=None)
    changed()
    make.hours(make.doctor(), DAY)
    changed()


def test_coming_visits_of_a_patient(make: Any, doctor: Any) -> None:
    patient = make.patient()
    second, first = make.appointment(patient, doctor, at(11)), make.appointment(patient, doctor, at(9))
    make.appointment(patient, doctor, at(10), status="no_show")
    assert [row["id"] for row in queries.visits_of(patient.id, since=clock.wall_now())] == [first.id, second.id]
    assert len(queries.visits_of(patient.id)) == 3
    assert queries.visits_of(patient.id, doctor_id=doctor.id + 100_000) == []


def test_history_is_told_by_name(make: Any, doctor: Any) -> None:
    visit = make.appointment(make.patient(), doctor, at(9))
    with transaction():
        operations.arrive(visit.id, actor=make.user("administrator"))
    [row] = queries.history(visit.id)
    assert row["who"] == "Сотрудник1 И. О."
    assert (row["what"], row["from"]["status"], row["to"]["status"]) == ("appointment.arrived", "booked", "arrived")
