"""Whom a free time fits: the statement against a naive model that tries every minute."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.db import session, transaction
from app.models import Branch, Employee, LegalEntity, Patient, Speciality, WaitingEntry
from app.schedule import queries, rules
from app.schedule.operations.waiting import _as_ranges

MONDAY = date(2027, 3, 1)
MINUTE = timedelta(minutes=1)

halves = st.tuples(st.integers(0, 47), st.integers(1, 48)).filter(lambda pair: pair[0] < pair[1])
windows = st.lists(halves.map(lambda pair: (pair[0] * 30, pair[1] * 30)), min_size=1, max_size=4)
wishes = st.fixed_dictionaries({
    "minutes": st.sampled_from([5, 30, 45, 60, 720]),
    "windows": windows,
    "weekdays": st.sets(st.integers(1, 7), min_size=1).map(sorted),
    "wanted_doctors": st.sampled_from(["any", "preferred", "only"]),
    "doctors": st.sets(st.integers(0, 2)),
    "speciality": st.sampled_from([None, 0, 1]),
    "branch": st.sampled_from([None, 0, 1]),
    "first": st.integers(-2, 8),
    "length": st.none() | st.integers(0, 6),
    "notice_hours": st.sampled_from([0, 1, 24, 72]),
    "urgency": st.sampled_from(["acute", "soon", "usual"]),
})  # fmt: skip
slots = st.tuples(st.integers(0, 7), st.integers(0, 47), st.integers(1, 48)).filter(lambda s: s[1] < s[2])


@pytest.fixture(scope="module")
def clinic(app: Flask) -> Any:
    """Three doctors of two specialities, two branches, a patient."""
    with app.app_context(), transaction():
        entity = LegalEntity(name="ООО «Модель»", short_name="Модель", inn="7701234567")
        specialities = [Speciality(name="Хирург-модель"), Speciality(name="Ортодонт-модель")]
        branches = [Branch(name="Модель 1", legal_entity=entity), Branch(name="Модель 2", legal_entity=entity)]
        session.add_all([entity, *specialities, *branches])
        session.flush()
        doctors = [
            Employee(surname="Модельный", name="Олег", is_doctor=True, speciality_id=pk, branch_id=branches[0].id)
            for pk in (specialities[0].id, specialities[1].id, None)
        ]
        patient = Patient(surname="Модельная", name="Анна", status="active")
        session.add_all([*doctors, patient])
        session.flush()
        return {
            "doctors": [row.id for row in doctors], "specialities": [row.id for row in specialities],
            "branches": [row.id for row in branches], "patient": patient.id,
            "of": {doctors[0].id: specialities[0].id, doctors[1].id: specialities[1].id, doctors[2].id: None},
        }  # fmt: skip


def entry_of(clinic: Any, wish: dict[str, Any]) -> WaitingEntry:
    chosen = [clinic["doctors"][n] for n in sorted(wish["doctors"])]
    wanted = wish["wanted_doctors"] if chosen else "any"
    first = MONDAY + timedelta(days=wish["first"])
    return WaitingEntry(
        patient_id=clinic["patient"], kind="no_time", status="waiting", minutes=wish["minutes"],
        windows=_as_ranges(wish["windows"]), weekdays=wish["weekdays"], wanted_doctors=wanted, doctor_ids=chosen,
        speciality_id=None if wish["speciality"] is None else clinic["specialities"][wish["speciality"]],
        branch_id=None if wish["branch"] is None else clinic["branches"][wish["branch"]], first_day=first,
        last_day=None if wish["length"] is None else first + timedelta(days=wish["length"]),
        notice_hours=wish["notice_hours"], urgency=wish["urgency"],
    )  # fmt: skip


def naive(
    clinic: Any, entry: WaitingEntry, spans: list[tuple[int, int]], doctor: int, branch: int, start: datetime,
    end: datetime, now: datetime,
) -> datetime | None:  # fmt: skip
    """The first minute at which the visit could begin: every one is tried, every wish is asked of each."""
    inside = [any(low <= minute < high for low, high in spans) for minute in range(1440)]
    moment = start
    while moment + entry.minutes * MINUTE <= end:
        first = moment.hour * 60 + moment.minute
        ok = (
            all(inside[first : first + entry.minutes])
            and moment >= now + timedelta(hours=entry.notice_hours)
            and moment.isoweekday() in entry.weekdays
            and entry.first_day <= moment.date()
            and (entry.last_day is None or moment.date() <= entry.last_day)
            and entry.branch_id in (None, branch)
        )
        if entry.wanted_doctors == "any" or doctor not in entry.doctor_ids:
            ok = ok and entry.wanted_doctors != "only" and entry.speciality_id in (None, clinic["of"][doctor])
        if ok:
            return moment
        moment += MINUTE
    return None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_wishes=st.lists(wishes, min_size=1, max_size=6),
    slot=slots,
    doctor=st.integers(0, 2),
    branch=st.integers(0, 1),
    hour=st.integers(-30, 30),
)
def test_the_statement_finds_whom_the_naive_model_finds(
    app: Flask, clinic: Any, given_wishes: list[dict[str, Any]], slot: tuple[int, int, int], doctor: int, branch: int,
    hour: int,
) -> None:  # fmt: skip
    day = MONDAY + timedelta(days=slot[0])
    midnight = datetime.combine(day, time())
    start, end = midnight + slot[1] * 30 * MINUTE, midnight + slot[2] * 30 * MINUTE
    now = midnight + timedelta(hours=hour)
    pk, place = clinic["doctors"][doctor], clinic["branches"][branch]
    with app.app_context(), clock.at(now):
        entries = [entry_of(clinic, wish) for wish in given_wishes]
        session.add_all(entries)
        session.flush()
        found = {
            row["id"]: row["starts_at"]
            for row in queries.who_fits(pk, start, end, branch_id=place, with_planned=False, limit=100)
        }
        opening = rules.Opening(start, end, pk, clinic["of"][pk], place)
        order = []
        for entry, wish in zip(entries, given_wishes, strict=True):
            expected = naive(clinic, entry, wish["windows"], pk, place, start, end, now)
            text = expected.isoformat(timespec="minutes") if expected else None
            assert found.get(entry.id) == text, wish
            pure = rules.Wish(
                minutes=entry.minutes, first_day=entry.first_day, last_day=entry.last_day,
                wanted_doctors=entry.wanted_doctors, doctor_ids=tuple(entry.doctor_ids),
                speciality_id=entry.speciality_id, branch_id=entry.branch_id, weekdays=tuple(entry.weekdays),
                windows=tuple(wish["windows"]), notice_hours=entry.notice_hours, urgency=entry.urgency,
            )  # fmt: skip
            fits = rules.fitting(pure, opening, now)
            assert (fits.starts_at if fits else None) == expected, wish
            if expected:
                key = rules.fit_order(pure, opening, since=datetime(2027, 1, 1))
                order.append((key, entry.id))
        mine = {entry.id for entry in entries}
        assert [pk for pk in found if pk in mine] == [pk for _, pk in sorted(order)], "best first"
        session.rollback()


def test_touching_windows_are_one_and_midnight_ends_a_day(app: Flask, clinic: Any) -> None:
    evening = datetime.combine(MONDAY, time(23, 30)), datetime.combine(MONDAY + timedelta(days=1), time())
    base = {
        "minutes": 30, "weekdays": [1], "wanted_doctors": "any", "doctors": set(), "speciality": None, "branch": None,
        "first": 0, "length": 0, "notice_hours": 0, "urgency": "usual",
    }  # fmt: skip
    with app.app_context(), clock.at(datetime.combine(MONDAY, time(7))):
        late = entry_of(clinic, {**base, "windows": [(1410, 1440)]})
        joined = entry_of(clinic, {**base, "minutes": 60, "windows": [(600, 630), (630, 660)]})
        session.add_all([late, joined])
        session.flush()
        doctor = clinic["doctors"][0]
        assert late.id in {row["id"] for row in queries.who_fits(doctor, *evening)}
        hour = datetime.combine(MONDAY, time(10)), datetime.combine(MONDAY, time(11))
        assert joined.id in {row["id"] for row in queries.who_fits(doctor, *hour)}
        assert joined.id not in {row["id"] for row in queries.who_fits(doctor, hour[0], hour[1] - MINUTE)}
        session.rollback()
