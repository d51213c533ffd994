"""The page «График» and its JSON: who may, what it shows, bad input, and the calendar in a real browser."""

import json
import re
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.db import session
from app.models import CallTaskReason, HolidayOverride, PlannedVisit, Speciality
from app.schedule import queries, rules
from tests.browser import torn, windows
from tests.conftest import counted_statements, make_app


def _open_monday() -> date:
    """A Monday some weeks ahead on whose days, as far as the tests look, there is no holiday."""
    mondays = [rules.monday_of(clock.today()) + timedelta(weeks=weeks) for weeks in range(2, 7)]
    return next(
        monday
        for monday in mondays
        if not {0, 1, 4, 14} & {(day - monday).days for day in rules.public_holidays(monday, monday + timedelta(20))}
    )


FIRST = _open_monday()
PAGES = ["/schedule/hours/", "/api/v1/hours/", "/api/v1/hours/1/pattern", "/api/v1/hours/holidays"]
POSTS = ["1/pattern", "1/days", "1/copy", "holidays"]


def line(weekday: int, start: str = "09:00", end: str = "15:00", **more: Any) -> dict[str, Any]:
    return {"weekday": weekday, "start": start, "end": end, "branch_id": 1, **more}


def day(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


@pytest.fixture
def senior(program: Any) -> Any:
    return program("senior")


@pytest.fixture
def doctor(make: Any, senior: Any) -> Any:
    """A doctor who works on Mondays from 9 to 15, beginning with FIRST; nothing is closed then."""
    row = make.doctor()
    body = {"first_day": FIRST.isoformat(), "lines": [line(1, weeks="odd"), line(1, weeks="even")]}
    assert senior.post(f"hours/{row.id}/pattern", body).status_code == 200
    return row


def calendar(senior: Any, doctor: Any, first: str, days: int = 28) -> dict[str, Any]:
    answer = senior.get(f"hours/?doctor_id={doctor.id}&from={first}&days={days}")
    assert answer.status_code == 200
    return dict(answer.json)


# --- who may ------------------------------------------------------------------------------------------------------


def test_only_who_may_change_hours_gets_there(app: Flask, client_of: Any) -> None:
    outsider = app.test_client()
    assert [outsider.get(page).status_code for page in PAGES] == [302, 401, 401, 401]
    for login in ("doctor", "administrator", "sysadmin"):
        client = client_of(login)
        assert [client.get(page).status_code for page in PAGES] == [403] * 4, login
        assert [client.post(f"/api/v1/hours/{path}", json={}).status_code for path in POSTS] == [403] * 4, login
    for login in ("senior", "director"):
        assert client_of(login).get("/schedule/hours/").status_code == 200


def test_the_page_gives_the_scripts_what_they_need(client_of: Any, make: Any) -> None:
    doctor = make.doctor()
    client = client_of("senior")
    page = client.get(f"/schedule/hours/?doctor={doctor.id}&from=2026-12-31").text
    found = re.search(r'<script type="application/json" id="rota-settings">(.*?)</script>', page, re.S)
    assert found
    given = json.loads(found.group(1))
    assert (given["first"], given["doctor_id"]) == ("2026-12-28", doctor.id)
    for query in ("from=x", "from=0001-01-01", "doctor=x", "doctor=99999999999999", "branch=x"):
        assert client.get(f"/schedule/hours/?{query}").status_code == 200
    assert client.get("/schedule/hours/?branch=2000000000").status_code == 404


def test_a_clinic_without_doctors_is_told_what_to_do(fresh_app: Flask) -> None:
    from app.db import transaction
    from app.models import Employee
    from tests.conftest import sign_in

    with fresh_app.app_context(), transaction():
        for row in session.scalars(select(Employee).where(Employee.is_doctor.is_(True))):
            row.archived = True
    director = sign_in(fresh_app, "director")
    page = director.get("/schedule/hours/").text
    assert 'href="/employees/add?doctor=1"' in page
    assert "data-calendar" not in page
    ticked = re.compile(r'<input[^>]*checked[^>]*name="is_doctor"|<input[^>]*name="is_doctor"[^>]*checked')
    assert "«Ведёт приём»" in page and ticked.search(director.get("/employees/add?doctor=1").text)
    assert not ticked.search(director.get("/employees/add").text)


# --- what it shows --------------------------------------------------------------------------------------------------


def test_the_calendar_tells_of_shifts_visits_and_holidays(senior: Any, make: Any, doctor: Any) -> None:
    make.appointment(make.patient(), doctor, datetime.combine(FIRST, time(10)))
    make.appointment(make.patient(), doctor, datetime.combine(FIRST, time(14, 45)))
    make.appointment(make.patient(), doctor, datetime.combine(FIRST, time(11)), status="no_show")
    reason = {"days": [day(1)], "shifts": [], "reason": "Отпуск"}
    assert senior.post(f"hours/{doctor.id}/days", reason).status_code == 200
    [row] = calendar(senior, doctor, day(0))["doctors"]
    assert row["has_pattern"] is True
    monday = row["days"][day(0)]
    assert monday["shifts"] == [{"start": "09:00", "end": "15:00", "branch_id": 1, "chair_id": None}]
    assert (monday["visits"], monday["outside"], monday["by_hand"]) == (2, 1, False)
    assert (row["days"][day(1)]["reason"], row["days"][day(1)]["by_hand"]) == ("Отпуск", True)
    days = {one["day"]: one for one in calendar(senior, doctor, "2026-12-28", 14)["days"]}
    assert (days["2027-01-07"]["holiday"], days["2027-01-07"]["closed"]) == ("Рождество Христово", True)
    assert (days["2026-12-28"]["week"], days["2027-01-04"]["week"]) == (53, 1)


def test_opening_hours_shows_who_waits(app: Flask, client_of: Any, senior: Any, make: Any) -> None:
    from app.models import ClinicSetting, Employee

    speciality = make._save(Speciality(name=f"Подолог {datetime.now().timestamp()}"))
    doctor, other = make.doctor(), make.doctor()
    session.get_one(Employee, doctor.id).speciality_id = speciality.id

    def plan(first: int, **more: Any) -> None:
        target = {"target_from": FIRST + timedelta(days=first), "target_to": FIRST + timedelta(days=first + 10)}
        values = {**target, "reason": "Осмотр", "call_on": FIRST, "patient_id": make.patient().id, **more}
        make._save(PlannedVisit(**values))

    plan(0, doctor_id=doctor.id)
    plan(-12, doctor_id=doctor.id, tolerance_days=5)
    plan(-12, doctor_id=doctor.id)
    plan(0, doctor_id=other.id)
    plan(0, speciality_id=speciality.id)
    plan(0, doctor_id=doctor.id, status="closed")
    [row] = calendar(senior, doctor, day(0))["doctors"]
    assert row["planned"]["own"] == 2
    [others] = calendar(senior, other, day(0))["doctors"]
    assert (row["planned"]["any"] - others["planned"]["any"], others["planned"]["own"]) == (1, 1)
    setting = session.get_one(ClinicSetting, 1)
    try:
        setting.crm = False
        make._save(setting)
        assert calendar(senior, doctor, day(0))["doctors"][0]["planned"] is None
    finally:
        setting.crm = True
        make._save(setting)


def test_the_week_of_everybody_is_a_few_statements(app: Flask, client_of: Any, make: Any, doctor: Any) -> None:
    branch = make.branch()
    client = client_of("senior")
    with counted_statements(app) as seen:
        answer = client.get("/api/v1/hours/").json
    assert {doctor.id} <= {row["id"] for row in answer["doctors"]}
    assert len(seen) <= 14, seen
    assert client.get(f"/api/v1/hours/?branch_id={branch.id}").json["doctors"] == []


# --- changing ---------------------------------------------------------------------------------------------------------


def test_closing_hours_over_json_asks_and_then_makes_tasks(senior: Any, make: Any, doctor: Any) -> None:
    visit = make.appointment(make.patient("Ждущая"), doctor, datetime.combine(FIRST, time(10)))
    body = {"days": [day(0)], "shifts": [], "reason": "Больничный"}
    refused = senior.post(f"hours/{doctor.id}/days", body)
    assert (refused.status_code, refused.json["error"]) == (409, "hours_hold_visits")
    assert refused.json["visits"][0]["patient"] == "Ждущая И. П."
    done = senior.post(f"hours/{doctor.id}/days", {**body, "make_tasks": True})
    assert [row["id"] for row in done.json["visits"]] == [visit.id]
    assert session.scalars(select(CallTaskReason.kind).where(CallTaskReason.appointment_id == visit.id)).all() == [
        "hours_closed"
    ]
    back = senior.post(f"hours/{doctor.id}/days", {"days": [day(0)], "by_pattern": True})
    assert (back.status_code, back.json["added"]) == (200, 1)


def test_a_pattern_is_read_back_as_it_was_set(senior: Any, doctor: Any) -> None:
    pattern = senior.get(f"hours/{doctor.id}/pattern?day={day(3)}").json
    assert [(row["weekday"], row["weeks"], row["start"]) for row in pattern["lines"]] == [
        (1, "even", "09:00"), (1, "odd", "09:00"),
    ] or [(row["weekday"], row["weeks"]) for row in pattern["lines"]] == [(1, "odd"), (1, "even")]  # fmt: skip
    assert pattern["since"] == day(0)
    senior.post(f"hours/{doctor.id}/pattern", {"first_day": day(9), "lines": [line(3)]})
    assert senior.get(f"hours/{doctor.id}/pattern?day={day(3)}").json["changes"] == [day(9)]
    copied = senior.post(f"hours/{doctor.id}/copy", {"first": day(0), "last": day(6), "onto": day(14)})
    assert (copied.status_code, copied.json["added"]) == (200, 1)


def test_the_clinic_names_its_days(senior: Any, make: Any) -> None:
    closed = date(clock.today().year + 1, 9, 14)
    assert senior.post("hours/holidays", {"day": closed.isoformat(), "closed": True}).status_code == 422
    body = {"day": closed.isoformat(), "closed": True, "name": "Санитарный день"}
    assert senior.post("hours/holidays", body).status_code == 200
    listed = senior.get(f"hours/holidays?day={closed}").json["result"]
    assert [row["holiday"] for row in listed if row["day"] == closed.isoformat()] == ["Санитарный день"]
    assert senior.post("hours/holidays", {"day": closed.isoformat(), "closed": None}).status_code == 200
    assert session.scalar(select(HolidayOverride).where(HolidayOverride.day == closed)) is None


D0 = day(0)
NONSENSE = [
    None, [], "x", 5, {}, {"lines": "x", "first_day": "x"}, {"first_day": "2026-13-01", "lines": []},
    {"first_day": D0, "lines": [5]}, {"first_day": D0, "lines": [{}]}, {"first_day": D0, "lines": [line(8)]},
    {"first_day": D0, "lines": [line(1, end="09:00")]}, {"first_day": D0, "lines": [line(1, weeks="никогда")]},
    {"first_day": D0, "lines": [line(1)] * 100}, {"first_day": D0, "lines": [line(1, branch_id=2**40)]},
    {"first_day": D0, "lines": [line(1), line(1)]}, {"first_day": "1999-01-01", "lines": [line(1)]},
    {"first_day": D0, "last_day": "2000-01-01", "lines": []}, {"first_day": "2199-12-30", "lines": [{"weekday": []}]},
    {"days": [], "shifts": []}, {"days": ["x"]}, {"days": [D0] * 200, "reason": "x"}, {"days": {"a": 1}},
    {"days": [D0], "shifts": [{"start": "25:00", "end": "1", "branch_id": None}]}, {"days": [D0], "reason": "\x00"},
    {"days": [D0], "reason": "я" * 300}, {"days": [D0], "by_pattern": "может"}, {"days": ["1950-01-01"], "reason": "x"},
    {"first": D0, "last": day(-9), "onto": day(7)}, {"first": D0, "last": "2199-01-01", "onto": "2199-01-02"},
    {"day": D0, "closed": "да", "name": {}}, {"day": "1999-01-01", "closed": True, "name": "x"},
    {"day": None, "closed": None},
]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
def test_nonsense_is_a_sentence(senior: Any, doctor: Any, path: str) -> None:
    path = path.replace("1/", f"{doctor.id}/")
    before = queries.dated(FIRST, FIRST + timedelta(days=30), [doctor.id])
    for body in NONSENSE:
        answer = senior.post(f"hours/{path}", body)
        assert answer.status_code in (404, 409, 422), (body, answer.status_code)
        assert answer.json["message"], body
    session.rollback()
    assert queries.dated(FIRST, FIRST + timedelta(days=30), [doctor.id]) == before
    for query in ("from=x", "days=0", "days=9999", "doctor_id=x", "branch_id=2000000000", "doctor_id=2000000000"):
        assert senior.get(f"hours/?{query}").status_code in (404, 422), query
    assert senior.post("hours/2000000000/days", {"days": [day(0)], "reason": "x"}).status_code == 404


# --- in a browser -----------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_calendar_in_a_browser(server: Any, app: Flask, make: Any) -> None:
    """A pattern, a day off by keyboard, hours that hold a visit, several days at once, a failed load."""
    doctor = make.doctor()
    make.appointment(make.patient("Записанная"), doctor, datetime.combine(FIRST, time(10)))
    strict = make_app(app.config["SQLALCHEMY_DATABASE_URI"], WTF_CSRF_ENABLED=True)

    def shifts(offset: int) -> list[str]:
        session.rollback()
        when = FIRST + timedelta(days=offset)
        return [rules.in_words([row.shift]) for row in queries.dated(when, when, [doctor.id])]

    with windows(strict) as people:
        page = people.sign_in("senior")
        page.goto(f"{people.base}/schedule/hours/?doctor={doctor.id}&from={FIRST}")
        page.click("[data-note] button")
        form = page.locator("[data-form=pattern]")
        form.locator(".pattern-day button.btn-default").first.click()
        form.locator("[name=start]").fill("09:00")
        form.locator("[name=end]").fill("00:00")
        form.locator("[data-like-monday]").click()
        form.locator("[type=submit]").click()
        monday = page.locator(f'.rota-day[data-day="{FIRST}"]')
        monday.get_by_text("09:00–24:00").wait_for()
        assert shifts(0) == shifts(4) == ["09:00–24:00"]

        # By keyboard: from Monday to Tuesday, open, close the day.
        monday.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.fill("[name=reason]", "Учёба")
        page.click("[data-off]")
        page.locator(f'.rota-day[data-day="{day(1)}"]').get_by_text("Учёба").wait_for()
        assert shifts(1) == []

        # Monday holds a visit: first a question with the patient's name, then the yes.
        monday.click()
        page.click("[data-off]")
        page.locator("[data-refusal]").wait_for()
        page.fill("[name=reason]", "Больничный")
        page.click("[data-off]")
        page.locator("[data-held]").get_by_text("Записанная").wait_for()
        assert shifts(0) == ["09:00–24:00"]
        page.click("[data-yes]")
        monday.get_by_text("Больничный").wait_for()
        assert shifts(0) == []

        # Several days at once, and back to the pattern.
        page.locator(f'.rota-day[data-day="{day(0)}"]').click()
        page.locator(f'.rota-day[data-day="{day(1)}"]').click(modifiers=["Control"])
        page.click("[data-back]")
        monday.get_by_text("09:00–24:00").wait_for()
        page.wait_for_selector("[data-side]", state="hidden")
        assert shifts(0) == shifts(1) == ["09:00–24:00"]

        # A failed load never looks like an empty month.
        with torn(page, "**/api/v1/hours/?*", f"/api/v1/hours/?from={day(0)}"):
            page.click('[data-move="1"]')
            page.locator("[data-load-failed]").wait_for()
            assert page.locator(".rota-day").count() == 0
        page.click("[data-retry]")
        page.locator(".rota-day").first.wait_for()
        assert people.faults == []
