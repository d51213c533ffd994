"""A doctor's calendar on a phone: the address is the secret, times stay, and nothing of the patient is told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.models import AuditEvent, CalendarFeed, Employee, User
from app.schedule import operations
from app.schedule.rules.feed import Entry, calendar_text

DAY = datetime(2026, 11, 24)


def own_doctor(username: str = "doctor") -> Employee:
    return session.scalars(select(Employee).join(User).where(User.username == username)).one()


def given(doctor_id: int) -> str:
    with transaction():
        return operations.give_feed(doctor_id, actor=None)


def read(app: Flask, secret: str, **headers: str) -> Any:
    return app.test_client().get(f"/calendar/{secret}.ics", headers=headers)


def events(answer: Any) -> dict[str, Any]:
    return {str(event["uid"]): event for event in Calendar.from_ical(answer.data).walk("VEVENT")}


@pytest.fixture
def doctor(make: Any) -> Any:
    return make.doctor()


@pytest.fixture(autouse=True)
def no_brake(app: Flask) -> None:
    app.extensions.pop("desk_brake", None)


def test_a_visit_in_the_calendar(app: Flask, make: Any, doctor: Any) -> None:
    patient = make.patient("Секретова", phone="+79161112233", comment="тайна")
    start = clock.wall_now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    visit = make.appointment(patient, doctor, start, comment="Пульпит")
    gone = make.appointment(make.patient(), doctor, start + timedelta(hours=1), status="no_show")
    make.appointment(make.patient(), doctor, start - timedelta(days=60))
    make.appointment(make.patient(), make.doctor(), start)
    answer = read(app, given(doctor.id))
    assert answer.status_code == 200 and answer.mimetype == "text/calendar"
    found = events(answer)
    assert len(found) == 2
    event = found[f"visit-{visit.id}@localhost"]
    assert (event["dtstart"].dt, event["dtend"].dt) == (
        start.replace(tzinfo=clock.zone()),
        (start + timedelta(minutes=30)).replace(tzinfo=clock.zone()),
    )
    assert str(event["summary"]) == "С. И." and event["sequence"] == 1 and str(event["status"]) == "CONFIRMED"
    assert str(found[f"visit-{gone.id}@localhost"]["status"]) == "CANCELLED"
    for secret in ("Секретов", "9161112233", "Пульпит", "тайна"):
        assert secret not in answer.text


def test_a_move_keeps_the_event_and_raises_its_number(app: Flask, make: Any, doctor: Any) -> None:
    start = clock.wall_now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=2)
    make.hours(doctor, start.date())
    visit = make.appointment(make.patient(), doctor, start)
    secret = given(doctor.id)
    before = read(app, secret)
    assert read(app, secret, **{"If-None-Match": before.headers["ETag"]}).status_code == 304
    with transaction():
        operations.move(visit.id, 1, starts_at=start + timedelta(hours=2), actor=None)
    after = read(app, secret, **{"If-None-Match": before.headers["ETag"]})
    event = events(after)[f"visit-{visit.id}@localhost"]
    assert after.status_code == 200 and event["sequence"] == 2
    assert event["dtstart"].dt.replace(tzinfo=None) == start + timedelta(hours=2)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin"])
@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28), datetime(2026, 3, 29), datetime(2026, 10, 24), datetime(2026, 10, 25)]
)
def test_ten_oclock_stays_ten_oclock(zone: str, day: datetime) -> None:
    """Also on the days when the clock is changed, and for a program that trusts the zone written in the file."""
    entry = Entry(
        1, 1, day.replace(hour=10), day.replace(hour=11), "booked", "И. М.", "", datetime(2026, 1, 1, tzinfo=UTC)
    )
    made = calendar_text("Приёмы", [entry], ZoneInfo(zone), "clinic")
    calendar = Calendar.from_ical(made)
    [event] = calendar.walk("VEVENT")
    assert event["dtstart"].params["TZID"] == zone
    assert event["dtstart"].dt.replace(tzinfo=None) == day.replace(hour=10)
    assert event["dtstart"].dt.utcoffset() == day.replace(hour=10, tzinfo=ZoneInfo(zone)).utcoffset()
    [described] = calendar.walk("VTIMEZONE")
    assert str(described["tzid"]) == zone
    offset = described.to_tz().utcoffset(day.replace(hour=10))
    assert offset == ZoneInfo(zone).utcoffset(day.replace(hour=10))


def test_a_revoked_address_is_nobodys(app: Flask, doctor: Any) -> None:
    first = given(doctor.id)
    second = given(doctor.id)
    assert read(app, first).status_code == 404 and read(app, second).status_code == 200
    feed = session.scalars(
        select(CalendarFeed).where(CalendarFeed.doctor_id == doctor.id, CalendarFeed.revoked_at.is_(None))
    ).one()
    assert second not in feed.secret_hash and feed.last_read_at is not None
    with transaction():
        operations.revoke_feed(feed.id, actor=None)
        operations.revoke_feed(feed.id, actor=None)
    assert read(app, second).status_code == 404
    deeds = session.scalars(select(AuditEvent).where(AuditEvent.object_type == "calendar_feed")).all()
    assert second not in repr([deed.after for deed in deeds])


def test_guessing_is_braked(app: Flask, doctor: Any) -> None:
    secret = given(doctor.id)
    answers = [read(app, f"nobody{n}").status_code for n in range(25)]
    assert answers[0] == 404 and answers[-1] == 429
    assert read(app, secret).status_code == 429  # the same place waits
    for odd in ("", "x" * 5000, "%00", "..%2f..%2fetc"):
        assert read(app, odd).status_code in (404, 429)


def test_who_may_give_an_address(app: Flask, client_of: Any, make: Any) -> None:
    mine, other = own_doctor().id, make.doctor().id
    doctor = client_of("doctor")
    page = doctor.get("/schedule/feeds/")
    assert page.status_code == 200 and page.text.count("<form") >= 1
    shown = doctor.post(f"/schedule/feeds/{mine}/give")
    assert shown.status_code == 200 and "/calendar/" in shown.text and shown.headers["Cache-Control"] == "no-store"
    assert "/calendar/" not in doctor.get("/schedule/feeds/").text
    assert doctor.post(f"/schedule/feeds/{other}/give").status_code == 403
    assert client_of("director").post(f"/schedule/feeds/{other}/give").status_code == 200
    feed = session.scalars(
        select(CalendarFeed.id).where(CalendarFeed.doctor_id == other, CalendarFeed.revoked_at.is_(None))
    ).one()
    assert doctor.post(f"/schedule/feeds/{feed}/revoke").status_code == 403
    assert client_of("administrator").get("/schedule/feeds/").status_code == 403
    assert client_of("director").post(f"/schedule/feeds/{2**40}/give").status_code == 404
    assert client_of("director").post(f"/schedule/feeds/{feed}/revoke").status_code == 200


def test_the_address_is_in_no_log(
    app: Flask, make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when the calendar breaks: who reads the log must not read the calendar."""
    from app.schedule import queries

    secret = given(make.doctor().id)

    def broken(_: int) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(queries, "entries", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    assert read(app, secret).status_code == 500
    assert "failed: GET /calendar/<secret>.ics" in caplog.text and secret not in caplog.text
