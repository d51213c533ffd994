"""The pages of the schedule as a browser gets them, with their rights and bad input."""

import json
import re
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app import clock
from app.db import session
from app.models import CancelReason, Employee

DAY = clock.today() + timedelta(days=70)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


def settings(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="schedule-settings">(.*?)</script>', page, re.S)
    assert found
    return dict(json.loads(found.group(1)))


@pytest.fixture
def desk(client_of: Any) -> Any:
    return client_of("administrator")


def test_the_day_page_gives_the_scripts_what_they_need(desk: Any, make: Any) -> None:
    make._save(CancelReason(name="Передумал </script><b>"))
    patient = make.patient("О'Коннор <i>")
    page = desk.get(f"/schedule/?day={DAY}&patient={patient.id}")
    assert page.status_code == 200
    given = settings(page.text)
    assert (given["day"], given["by"], given["patient"]["id"]) == (DAY.isoformat(), "doctor", patient.id)
    assert given["rights"]["book"] is True
    assert given["rights"]["overbook"] is False
    assert given["urls"]["day"] == "/api/v1/schedule/day"
    assert "О'Коннор <i>" not in page.text
    assert "</script><b>" not in page.text
    assert "onclick" not in page.text


@pytest.mark.parametrize(
    "query", ["day=x", "day=0001-01-01", "by=%00", "branch=x", "patient=x", "visit=x", "day=2026-02-30"]
)
def test_a_strange_address_shows_today(desk: Any, query: str) -> None:
    page = desk.get(f"/schedule/?{query}")
    assert page.status_code == 200
    assert settings(page.text)["day"] == clock.today().isoformat()


def test_unknown_branch_or_patient_is_a_sentence(desk: Any) -> None:
    for query in ("branch=2000000000", "patient=2000000000", "branch=99999999999999", "branch=-1"):
        assert desk.get(f"/schedule/?{query}").status_code == 404
        assert desk.get(f"/schedule/print?{query}").status_code in (200, 404)
    assert desk.get("/schedule/patient/2000000000").status_code == 404


def test_the_printed_day_needs_no_scripts(desk: Any, make: Any) -> None:
    doctor, patient = make.doctor(), make.patient("Печатная <b>")
    make.hours(doctor, DAY)
    make.appointment(patient, doctor, at(9), comment="<script>alert(1)</script>")
    page = desk.get(f"/schedule/print?day={DAY}").text
    assert doctor.surname in page
    assert "Печатная &lt;b&gt;" in page
    assert "<script>alert" not in page
    assert "08:00–20:00" in page


def test_a_patients_visits_are_a_fragment(desk: Any, make: Any) -> None:
    patient = make.patient()
    assert "<table" not in desk.get(f"/schedule/patient/{patient.id}").text
    make.appointment(patient, make.doctor(), at(9), comment="Комментарий <i>")
    page = desk.get(f"/schedule/patient/{patient.id}").text
    assert "<html" not in page
    assert "Комментарий &lt;i&gt;" in page


def test_a_doctor_sees_the_own_column_only(client_of: Any, make: Any) -> None:
    own = session.scalars(select(Employee).where(Employee.user_id == make.user("doctor").id)).one()
    other, patient = make.doctor(), make.patient("Чужая")
    make.appointment(patient, other, at(9))
    make.appointment(make.patient("Своя"), own, at(9))
    doctor = client_of("doctor")
    given = settings(doctor.get(f"/schedule/?day={DAY}").text)
    assert [row["id"] for row in given["doctors"]] == [own.id]
    assert (given["rights"]["book"], given["rights"]["attend"]) == (False, True)
    printed = doctor.get(f"/schedule/print?day={DAY}").text
    assert "Своя" in printed
    assert "Чужая" not in printed
    assert "<table" not in doctor.get(f"/schedule/patient/{patient.id}").text
    assert doctor.get(f"/schedule/?patient={patient.id}").status_code == 403
    listed = doctor.get("/appointment-list/list/").text
    assert "Чужая" not in listed


def test_who_may_not_gets_no_page(app: Any, client_of: Any) -> None:
    pages = ["/schedule/", "/schedule/print", "/schedule/patient/1"]
    assert [app.test_client().get(page).status_code for page in pages] == [302] * 3
    sysadmin = client_of("sysadmin")
    assert [sysadmin.get(page).status_code for page in pages] == [403] * 3


@pytest.fixture
def senior(client_of: Any) -> Any:
    return client_of("senior")


# --- the generated panel ----------------------------------------------------------------------------------------


def test_reasons_are_a_directory(senior: Any) -> None:
    name = f"Причина {uuid4()}"
    assert senior.post("/cancel-reasons/add", data={"name": name}).status_code == 302
    assert name in senior.get("/cancel-reasons/list/").text


def test_visits_are_listed_not_changed(senior: Any, make: Any) -> None:
    doctor = make.doctor()
    visit = make.appointment(make.patient("Перечисленная"), doctor, at(9))
    assert "Перечисленная" in senior.get(f"/appointment-list/list/?_flt_0_doctor={doctor.id}").text
    assert senior.get(f"/appointment-list/show/{visit.id}").status_code == 200
    assert senior.get("/appointment-list/add").status_code == 404
    assert senior.get(f"/appointment-list/edit/{visit.id}").status_code == 404
