"""Selections: who fits several conditions, against a plain look at everybody; kept under a name; as a file."""

import io
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from app import clock, errors
from app.billing import operations as billing
from app.db import session, transaction
from app.models import (
    Appointment,
    AuditEvent,
    Employee,
    Patient,
    PatientSelection,
    PatientTag,
    PatientTagged,
    ReferralSource,
    WorkOrder,
)
from app.patients import operations, queries
from app.patients.queries import Selection
from app.schedule import operations as schedule
from tests.billing.test_operations import billed
from tests.conftest import Maker


@pytest.fixture(scope="module")
def clinic(fresh_module_app: Flask) -> Any:
    """A dozen patients who differ in everything that is asked for."""
    with fresh_module_app.app_context():
        make = Maker()
        doctors = [make.doctor(), make.doctor()]
        services = [make.service("1000.00"), make.service("0.00")]
        tag = make._save(PatientTag(name="VIP"))
        today, worked = clock.today(), set()
        for n in range(12):
            sex = ("male", "female", None)[n % 3]
            born = None if n == 5 else today.replace(year=today.year - 3 * n - 1, day=min(today.day, 28))
            patient = make.patient(f"Выборов{n}", sex=sex, birth_date=born)
            if n % 4 == 0:
                make._save(PatientTagged(patient_id=patient.id, tag_id=tag.id))
            doctor, service = doctors[n % 2], services[n % 2]
            for ago in (n * 5, -n) if n and n % 3 == 0 else (n * 5,):
                day = today - timedelta(days=ago)
                start = datetime.combine(day, time(8 + n // 2, 30 * (n % 2)))
                with clock.at(start), transaction():
                    if (doctor.id, day) not in worked:
                        make.hours(doctor, day)
                        worked.add((doctor.id, day))
                    visit = schedule.book(patient.id, doctor.id, start, start + timedelta(minutes=15), actor=None)
                    if ago > 0:
                        schedule.arrive(visit.id, actor=None)
                        schedule.start(visit.id, actor=None)
                        schedule.complete(visit.id, actor=None)
            if n % 3 != 2:
                with transaction():
                    line = {"service_id": service.id, "quantity": n + 1}
                    order = billing.create_work_order(patient.id, doctor.id, [line], actor=None)
                    billing.issue(order.id, actor=None)
        yield {"doctors": doctors, "services": services, "tag": tag, "today": today}
        session.remove()


def plainly(wanted: Selection) -> set[int]:
    """The same by looking at everybody."""
    now, today = clock.wall_now(), clock.today()

    def age(patient: Patient) -> int | None:
        born = patient.birth_date
        return None if born is None else today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    def fits(patient: Patient) -> bool:
        visits = session.scalars(select(Appointment).where(Appointment.patient_id == patient.id)).all()
        orders = session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).all()
        came = [visit for visit in visits if visit.status == "completed"]
        debt = sum((order.due for order in orders), D(0))
        asked: list[bool] = []
        inside = [
            visit for visit in came
            if (wanted.visited_from is None or visit.starts_at.date() >= wanted.visited_from)
            and (wanted.visited_to is None or visit.starts_at.date() <= wanted.visited_to)
            and (wanted.doctor_id is None or visit.doctor_id == wanted.doctor_id)
        ]  # fmt: skip
        if wanted.visited_from or wanted.visited_to:
            asked.append(bool(inside))
        elif wanted.doctor_id:
            asked.append(any(one.doctor_id == wanted.doctor_id for one in [*visits, *orders]))
        if wanted.not_since:
            asked.append(bool(came) and all(visit.starts_at.date() < wanted.not_since for visit in came))
        if wanted.no_future:
            asked.append(not any(visit.starts_at > now and visit.status == "booked" for visit in visits))
        if wanted.service_id:
            asked.append(any(line.service_id == wanted.service_id for order in orders for line in order.lines))
        if wanted.debt_from is not None:
            asked.append(debt > 0 and debt >= wanted.debt_from)
        if wanted.sex:
            asked.append(patient.sex == wanted.sex)
        if wanted.tag_id:
            asked.append(any(tag.id == wanted.tag_id for tag in patient.tags))
        years = age(patient)
        if wanted.age_from is not None:
            asked.append(years is not None and years >= wanted.age_from)
        if wanted.age_to is not None:
            asked.append(years is not None and years <= wanted.age_to)
        return all(asked)

    return {patient.id for patient in session.scalars(select(Patient)) if fits(patient)}


def perhaps(strategy: Any) -> Any:
    return st.none() | st.none() | strategy


@settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_who_fits_is_who_plainly_fits(clinic: Any, data: Any) -> None:
    days = st.integers(-5, 70).map(lambda ago: clinic["today"] - timedelta(days=ago))
    wanted = Selection(
        doctor_id=data.draw(perhaps(st.sampled_from([doctor.id for doctor in clinic["doctors"]]))),
        visited_from=data.draw(perhaps(days)), visited_to=data.draw(perhaps(days)), not_since=data.draw(perhaps(days)),
        no_future=data.draw(perhaps(st.booleans())),
        service_id=data.draw(perhaps(st.sampled_from([service.id for service in clinic["services"]]))),
        debt_from=data.draw(perhaps(st.sampled_from([D(0), D(1000), D("3000.01")]))),
        tag_id=data.draw(perhaps(st.just(clinic["tag"].id))),
        sex=data.draw(perhaps(st.sampled_from(["male", "female"]))),
        age_from=data.draw(perhaps(st.integers(0, 35))), age_to=data.draw(perhaps(st.integers(0, 35))),
    )  # fmt: skip
    count, found = queries.select_cards(wanted, limit=100)
    assert {row["id"] for row in found} == plainly(wanted) and count == len(found)


@pytest.mark.parametrize("zero", [Selection(debt_from=D(0)), Selection(age_to=0)])
def test_zero_asks_something(zero: Selection) -> None:
    assert zero.asks and not Selection(no_future=False).asks and not Selection().asks


def test_a_leap_day(context: None) -> None:
    from app.patients.queries.selection import years_ago

    assert years_ago(date(2028, 2, 29), 1) == date(2027, 2, 28) and years_ago(date(2028, 2, 29), 4) == date(2024, 2, 28)


def test_kept_under_a_name(make: Maker, client_of: Any, context: None) -> None:
    desk, other = client_of("administrator"), client_of("administrator2")
    kept = desk.post("/patients/selections/keep", data={"name": "Должники", "debt_from": "0", "shared": "1"})
    assert kept.status_code == 303 and "debt_from=0" in kept.headers["Location"]
    desk.post("/patients/selections/keep", data={"name": "должники", "debt_from": "100", "shared": "1"})
    rows = session.scalars(select(PatientSelection).where(PatientSelection.name == "должники")).all()
    assert [row.criteria for row in rows] == [{"debt_from": "100"}]
    assert "должники" in other.get("/patients/selections/").text
    other.post("/patients/selections/keep", data={"name": "ДОЛЖНИКИ", "advance": "1", "shared": "1"})
    assert session.scalars(select(PatientSelection).where(PatientSelection.name == "ДОЛЖНИКИ")).first() is None
    assert other.post(f"/patients/selections/{rows[0].id}/forget", data={}).status_code == 404
    assert desk.post(f"/patients/selections/{rows[0].id}/forget", data={}).status_code == 303
    assert "должники" not in other.get("/patients/selections/").text
    desk.post("/patients/selections/keep", data={"name": "До\x00лжники", "debt_from": "1"})
    assert "Некоторые поля заполнены неверно" in desk.get("/patients/selections/").text
    user = make.user("administrator")
    with pytest.raises(errors.Invalid), transaction():
        operations.keep_selection(" ", {"advance": "1"}, actor=user)


@pytest.mark.parametrize(
    "wrong",
    ["debt_from=x", "debt_from=-5", "age_from=-1", "age_to=999", "visited_from=31.12.2026", "sex=x", "doctor_id=0",
     "unknown=1", "no_future=да", "page=-1", "tag_id=99999999999999", "advance=%00"],
)  # fmt: skip
def test_nonsense_is_told_and_shows_nobody(client_of: Any, wrong: str) -> None:
    answer = client_of("administrator").get(f"/patients/selections/?{wrong}")
    assert answer.status_code == 422 and "/patients/selections/export.xlsx" not in answer.text


def test_the_file_is_the_director_s_and_is_written_down(make: Maker, client_of: Any, context: None) -> None:
    patient = make.patient("=Файлова", birth_date=date(1911, 4, 4), phone="+79160000911")
    at = "/patients/selections/export.xlsx?age_from=110"
    assert client_of("administrator").get(at).status_code == 403
    assert client_of("director").get("/patients/selections/export.xlsx").status_code == 422
    answer = client_of("director").get(at)
    page = load_workbook(io.BytesIO(answer.data)).active
    assert not [cell.coordinate for line in page.iter_rows() for cell in line if cell.data_type == "f"]  # no formula
    rows = list(page.iter_rows(values_only=True))
    (mine,) = (row for row in rows if row[0] == patient.card_number)
    assert mine[1].startswith("=Файлова") and mine[2].date() == date(1911, 4, 4) and mine[3] == "+79160000911"
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "cards.exported")).all()[-1]
    assert event.after["rows"] == len(rows) - 1 and "age_from=110" in event.after["criteria"]


def test_a_doctor_selects_among_own_patients(make: Maker, client_of: Any, context: None) -> None:
    me = session.scalars(select(Employee).where(Employee.user_id == make.user("doctor").id)).one()
    own = make.patient("Свойская", birth_date=date(1912, 1, 1), doctor_id=me.id)
    make.patient("Чужая", birth_date=date(1912, 1, 1))
    page = client_of("doctor").get("/patients/selections/?age_from=110").text
    assert f'href="/patients/{own.id}"' in page and page.count('<tr><td class="muted">') == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("doctor_id=abc", "номер записи"), ("sex=x", "Неизвестное значение"), ("no_future=да", "Неизвестное значение"),
        ("source_id=99999999999999", ""), ("page=-1", "вне допустимых пределов"), ("unknown=1", "Такого поля нет"),
        ("visited_from=2026-05-01&visited_to=2026-01-01", "Первый день позже последнего"),
        ("age_from=50&age_to=5", "Возраст «от» больше возраста «до»"), ("age_from=" + "9" * 10_000, ""),
        ("tag_id=%00", ""), ("debt_from=" + "я" * 10_000, ""), ("service_id=1.5", ""),
    ],
)  # fmt: skip
def test_every_field_says_what_is_wrong_with_it(client_of: Any, wrong: str, said: str) -> None:
    answer = client_of("administrator").get(f"/patients/selections/?{wrong}")
    told = re.findall(r'(?:field-error|alert-danger)">([^<]+)<', answer.text)
    assert answer.status_code == 422 and len(told) == 1 and said in told[0], (answer.status_code, told)


def test_past_the_last_page_nobody_is_said_to_be_missing(make: Maker, client_of: Any, context: None) -> None:
    tag = make._save(PatientTag(name="Длинная подборка"))
    for n in range(51):
        make._save(PatientTagged(patient_id=make.patient(f"Листаева{n:02}").id, tag_id=tag.id))
    desk = client_of("administrator")
    shown = desk.get(f"/patients/selections/?tag_id={tag.id}&page=1").text
    assert "Листаева50" in shown and "51–51 из 51" in shown and "Листаева49" not in shown
    for path, start in (
        (f"/patients/selections/?tag_id={tag.id}&page=", f"/patients/selections/?tag_id={tag.id}"),
        ("/patients/?q=листаева&page=", "/patients/?q=%D0%BB%D0%B8%D1%81%D1%82%D0%B0%D0%B5%D0%B2%D0%B0"),
    ):
        for page in (3, 99_999):
            shown = desk.get(f"{path}{page}").text
            assert "такой страницы в нём уже нет" in shown and f'href="{start}"' in shown
            assert "Никто не найден. Введите" not in shown and "никто не подходит" not in shown


def test_a_kept_condition_is_shown_when_its_word_has_left_the_directory(
    make: Maker, client_of: Any, context: None
) -> None:
    """It still asks, so it must be seen; and sent again, it must not be lost."""
    source, doctor = make._save(ReferralSource(name="Ушедший источник")), make.doctor()
    patient = make.patient("Источникова", source_id=source.id, doctor_id=doctor.id)
    with transaction():
        session.merge(source).archived = session.merge(doctor).archived = True
    shown = client_of("administrator").get(f"/patients/selections/?source_id={source.id}&doctor_id={doctor.id}").text
    assert f"/patients/{patient.id}" in shown
    assert f'<option value="{source.id}" selected>уже нет в справочнике</option>' in shown
    assert f'<option value="{doctor.id}" selected>{doctor.short_name}</option>' in shown


def test_a_service_that_was_taken_back_was_not_provided(make: Maker) -> None:
    """Whole: the wrong patient was billed; a part of it is still a service that was provided."""
    branch = make.branch()

    def fits(service: int) -> set[int]:
        return {row["id"] for row in queries.select_cards(Selection(service_id=service), limit=9)[1]}

    order, part = (
        billed(make, branch, patient=make.patient(), lines=[{"service_id": make.service().id, "quantity": 2}])
        for _ in range(2)
    )
    for bill in (order, part):
        service, patient = bill.lines[0].service_id, bill.patient_id
        assert fits(service) == {patient}
        taken = None if bill is order else {bill.lines[0].id: 1}
        with transaction():
            billing.reverse_order(bill.id, "не тот пациент", lines=taken, actor=make.user("senior"))
        assert fits(service) == (set() if bill is order else {patient})
