"""What a patient leaves the desk with: a visit, a plan, a place on the waiting list, or none and why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.access import Window
from app.db import session, transaction
from app.errors import CardArchived, CardMerged, Invalid
from app.models import NextVisitRefusal, RefusalReason
from app.reports import queries as reports
from app.schedule import operations, queries
from app.vocab import CardStatus


def reason(make: Any, name: str = "Лечится в другой клинике") -> int:
    found = session.scalar(select(RefusalReason.id).where(RefusalReason.name == name))
    return found or make._save(RefusalReason(name=name)).id


def refuse(patient_id: int, reason_id: int, **more: Any) -> None:
    with transaction():
        operations.refuse_next_visit(patient_id, reason_id, actor=None, **more)


def test_the_last_word_of_a_day_counts(make: Any, context: None) -> None:
    patient, first, second = make.patient(), reason(make), reason(make, "Уезжает")
    refuse(patient.id, first)
    refuse(patient.id, second, comment=" до весны ")
    said = queries.next_visit(patient.id).refused
    assert said is not None and (said.refusal_reason.name, said.comment) == ("Уезжает", "до весны")
    with clock.at(clock.wall_now() + timedelta(days=1)):
        assert queries.next_visit(patient.id).refused is None
    with pytest.raises(Invalid):
        refuse(patient.id, 2**31 - 1)
    patient.status = CardStatus.ARCHIVED
    patient.archive_reason = "Переехал"
    session.commit()
    with pytest.raises(CardArchived):
        refuse(patient.id, first)
    patient.merged_into_id = make.patient().id
    session.commit()
    for work in (lambda: refuse(patient.id, first), lambda: operations.plan(patient.id, months=6, actor=None)):
        with pytest.raises(CardMerged), transaction():
            work()


def test_two_desks_say_it_at_once(app: Flask, make: Any, context: None) -> None:
    patient_id, reason_id = make.patient().id, reason(make)

    def one(_: int) -> None:
        with app.app_context():
            refuse(patient_id, reason_id)
            session.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert len(session.scalars(select(NextVisitRefusal).where(NextVisitRefusal.patient_id == patient_id)).all()) == 1


def test_the_page_tells_what_is_next(make: Any, client_of: Any, context: None) -> None:
    patient, doctor = make.patient("Следующев"), make.doctor()
    desk, reason_id = client_of("administrator"), reason(make)
    url = f"/planned/next/{patient.id}"
    assert "Лечится в другой клинике" in desk.get(url).text
    said = desk.post(f"/planned/none/{patient.id}", data={"reason_id": reason_id, "comment": "", "payment": "7"})
    assert said.status_code == 303 and said.headers["Location"].endswith("/settlement/payments/7")
    assert "Следующий приём не нужен" in desk.get(url).text
    for wrong in ({}, {"reason_id": "нет"}, {"reason_id": reason_id, "payment": "//evil.example"}):
        answer = desk.post(f"/planned/none/{patient.id}", data=wrong)
        assert answer.headers["Location"] == f"/patients/{patient.id}"
    day = clock.today() + timedelta(days=3)
    make.hours(doctor, day)
    start = datetime.combine(day, time(10))
    with transaction():
        operations.book(patient.id, doctor.id, start, start + timedelta(hours=1), actor=None)
    page = desk.get(url).text
    assert "10:00" in page and doctor.short_name in page and "reason_id" not in page
    assert client_of("doctor").get(url).status_code == 403
    assert client_of("doctor").post(f"/planned/none/{patient.id}", data={}).status_code == 403


def test_the_report_says_why(make: Any, context: None) -> None:
    patient, doctor, today = make.patient(), make.doctor(), clock.today()
    make.hours(doctor, today)
    start = datetime.combine(today, time(9))
    with clock.at(start), transaction():
        operations.book(patient.id, doctor.id, start, start + timedelta(minutes=30), actor=None)
    refuse(patient.id, reason(make))
    rows = reports.patients(Window(today, today)).rows
    (mine,) = (row for row in rows if row["patient_id"] == patient.id)
    assert mine["next_visit"] is None and mine["next_visit_refused"] == "Лечится в другой клинике"
