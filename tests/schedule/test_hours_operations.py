"""Doctors' hours as they are written: patterns, days otherwise, holidays, copying, visits in closed hours."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import HoursHoldVisits, HoursTaken, InThePast, Invalid, OutsideHours, ReasonNeeded, Refusal
from app.models import AuditEvent, CallTaskReason, HoursException, HoursPattern, WorkingHours
from app.schedule import jobs, operations, queries, rules
from app.schedule.rules import Shift, Weekly
from tests.test_races import together

#: A Monday of week 48, even; nothing is closed for five weeks.
MONDAY = date(2026, 11, 23)
LAST = MONDAY + timedelta(weeks=8, days=6)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute))


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


@pytest.fixture(autouse=True)
def monday_morning(context: None) -> Iterator[None]:
    with clock.at(at(7)):
        yield


@pytest.fixture
def senior(make: Any) -> Any:
    return make.user("senior")


def line(
    weekday: int, start: int = 9, end: int = 15, weeks: str = "every", chair: Any = None, branch: int = 1
) -> Weekly:
    return Weekly(time(start), time(end % 24), branch, chair and chair.id, weekday, weeks, MONDAY, None, 0)


def shift(start: int = 9, end: int = 15, chair: Any = None, branch: int = 1) -> Shift:
    return Shift(time(start), time(end % 24), branch, chair and chair.id)


def set_pattern(doctor: Any, *lines: Weekly, **more: Any) -> Any:
    with transaction():
        return operations.set_pattern(doctor.id, list(lines), **{"first_day": MONDAY, "actor": None, **more})


def change(doctor: Any, days: list[date], *shifts: Shift, **more: Any) -> Any:
    with transaction():
        return operations.change_day(doctor.id, days, list(shifts), **{"actor": None, **more})


def book(make: Any, doctor: Any, start: datetime, minutes: int = 30) -> Any:
    return make.appointment(make.patient(), doctor, start, minutes, status="booked")


def stands(doctor: Any, first: date = MONDAY, last: date = LAST) -> list[tuple[date, str, bool]]:
    """Day, hours, by hand?"""
    return [
        (row.day, rules.in_words([row.shift]), row.pattern_id is None)
        for row in queries.dated(first, last, [doctor.id])
    ]


def reasons(visit: Any) -> list[Any]:
    return list(
        session.scalars(
            select(CallTaskReason).where(CallTaskReason.appointment_id == visit.id, CallTaskReason.closed_at.is_(None))
        )
    )


# --- patterns ---------------------------------------------------------------------------------------------------


def test_a_pattern_makes_hours_weeks_ahead_but_not_on_holidays(make: Any, senior: Any) -> None:
    doctor = make.doctor()
    written = set_pattern(doctor, line(1), line(4, 14, 24, weeks="odd"), actor=senior)
    found = stands(doctor)
    assert written.added == len(found)
    assert (MONDAY, "09:00–15:00", False) in found
    # Not 31 December, not 7 January: weeks 53 and 1 are odd both, and both Thursdays are days off.
    assert [row[0] for row in found if row[1] == "14:00–24:00"] == [day(10), day(24), day(59)]
    assert date(2027, 1, 4) not in [row[0] for row in found]
    assert found[-1][0] == date(2027, 1, 21)  # in week 3, the eighth after this one
    event = session.scalars(
        select(AuditEvent).where(AuditEvent.action == "working_hours.pattern_set").order_by(AuditEvent.id.desc())
    ).first()
    assert event is not None and event.object_id == doctor.id and "09:00–15:00" in event.after["hours"]


def test_several_shifts_a_day_in_two_branches(make: Any) -> None:
    doctor, chair, elsewhere = make.doctor(), make.chair(), make.branch()
    second = Weekly(time(15), time(20), elsewhere.id, elsewhere.chair_id, 1, "every", MONDAY, None, 0)
    set_pattern(doctor, line(1, 9, 13, chair=chair), second)
    rows = queries.dated(MONDAY, MONDAY, [doctor.id])
    assert [(row.branch_id, row.chair_id) for row in rows] == [(1, chair.id), (elsewhere.id, elsewhere.chair_id)]


def test_a_pattern_changed_in_the_middle_of_a_week_remakes_future_days_only(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, *(line(weekday) for weekday in range(1, 6)))
    monday = queries.dated(MONDAY, MONDAY, [doctor.id])
    change(doctor, [day(4)], shift(10, 12))
    with clock.at(at(12, day=day(1))):
        set_pattern(doctor, *(line(weekday, 14, 20) for weekday in range(1, 6)), first_day=day(2))
    week = stands(doctor, MONDAY, day(6))
    assert [row[1] for row in week] == ["09:00–15:00", "09:00–15:00", "14:00–20:00", "14:00–20:00", "10:00–12:00"]
    assert [row[2] for row in week] == [False] * 4 + [True]
    assert queries.dated(MONDAY, MONDAY, [doctor.id]) == monday  # what was, was not even rewritten


def test_an_ended_pattern_takes_its_hours_along_but_not_those_by_hand(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1), line(2))
    change(doctor, [day(14)], shift(10, 12))
    with transaction():
        operations.end_pattern(doctor.id, day(7), actor=None)
    assert [row[0] for row in stands(doctor)] == [day(0), day(1), day(7), day(14)]
    set_pattern(doctor)
    assert [row[0] for row in stands(doctor)] == [day(14)]
    assert session.scalar(select(func.count()).where(HoursPattern.doctor_id == doctor.id)) == 0


def test_a_pattern_for_some_weeks_leaves_the_old_one_after_it(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    set_pattern(doctor, line(1, 16, 20), first_day=day(7), last_day=day(20))
    assert [row[1] for row in stands(doctor, MONDAY, day(27))] == [
        "09:00–15:00",
        "16:00–20:00",
        "16:00–20:00",
        "09:00–15:00",
    ]
    with transaction():
        assert operations.make_hours([doctor.id], actor=None).added == 0


def test_making_hours_twice_is_once_and_days_by_hand_stay(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    change(doctor, [day(7)], reason="Учёба")
    before = stands(doctor)
    for _ in range(2):
        jobs.extend_hours()
    assert stands(doctor) == before
    assert day(7) not in [row[0] for row in before]
    with clock.at(at(7, day=day(14))):
        jobs.extend_hours()
        jobs.extend_hours()
    assert [row[0] for row in stands(doctor, last=LAST + timedelta(days=30))][len(before) :] == [
        date(2027, 1, 25), date(2027, 2, 1),
    ]  # fmt: skip


def test_who_no_longer_works_here_gets_no_new_hours(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    with transaction():
        session.get_one(type(doctor), doctor.id).archived = True
    with clock.at(at(7, day=day(14))):
        jobs.extend_hours()
    assert stands(doctor, LAST, LAST + timedelta(days=30)) == []


def test_a_chair_is_one_doctors_and_the_refusal_names_whose(make: Any) -> None:
    first, second, chair = make.doctor(), make.doctor(), make.chair()
    set_pattern(first, line(1, chair=chair), line(3, 9, 15, "odd", chair=chair))
    with pytest.raises(HoursTaken) as refused:
        set_pattern(second, line(1, 14, 20, chair=chair))
    assert first.surname in refused.value.words["what"] and chair.name in refused.value.words["what"]
    with pytest.raises(HoursTaken):
        set_pattern(second, line(1, 14, 20, chair=chair), first_day=day(700))  # beyond what is made
    set_pattern(second, line(1, 15, 20, chair=chair), line(3, 9, 15, "even", chair=chair))
    with pytest.raises(HoursTaken) as refused:
        change(second, [MONDAY], shift(14, 20, chair))
    assert first.surname in refused.value.words["what"]


def test_hours_by_hand_in_the_chair_leave_a_pattern_out_for_that_day(make: Any) -> None:
    first, second, chair = make.doctor(), make.doctor(), make.chair()
    change(first, [day(7)], shift(9, 11, chair))
    written = set_pattern(second, line(1, chair=chair))
    assert [(clash.day, first.surname in clash.what) for clash in written.clashes] == [(day(7), True)]
    assert day(7) not in [row[0] for row in stands(second)]
    change(first, [day(7)], reason="Отпуск")
    jobs.extend_hours()
    assert day(7) in [row[0] for row in stands(second)]


@pytest.mark.parametrize("what", ["doctor", "branch", "chair", "elsewhere"])
def test_unknown_places_are_sentences(make: Any, what: str) -> None:
    doctor, elsewhere = make.doctor(), make.branch()
    bad = {
        "doctor": (2_000_000_000, shift()),
        "branch": (doctor.id, Shift(time(9), time(10), 2_000_000_000, None)),
        "chair": (doctor.id, Shift(time(9), time(10), 1, 2_000_000_000)),
        "elsewhere": (doctor.id, Shift(time(9), time(10), 1, elsewhere.chair_id)),
    }[what]
    with pytest.raises(Invalid) as refused, transaction():
        operations.change_day(bad[0], [MONDAY], [bad[1]], actor=None)
    assert list(refused.value.facts["fields"]) == ["doctor_id" if what == "doctor" else "shifts.0"]


# --- days otherwise -----------------------------------------------------------------------------------------------


def test_a_day_otherwise_and_back(make: Any, senior: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1), line(2))
    change(doctor, [day(0), day(1)], shift(8, 12), shift(13, 24), reason="Замена", actor=senior)
    assert [row[1] for row in stands(doctor, MONDAY, day(1))] == ["08:00–12:00", "13:00–24:00"] * 2
    change(doctor, [day(1)], reason="Отпуск")
    assert [row[0] for row in stands(doctor, MONDAY, day(1))] == [MONDAY] * 2
    with transaction():
        operations.day_by_pattern(doctor.id, [day(0), day(1)], actor=senior)
    assert stands(doctor, MONDAY, day(1)) == [(day(0), "09:00–15:00", False), (day(1), "09:00–15:00", False)]
    assert session.scalar(select(func.count()).where(HoursException.doctor_id == doctor.id)) == 0


def test_a_day_off_needs_its_reason_and_no_day_is_past(make: Any) -> None:
    doctor = make.doctor()
    for days, refusal in (([MONDAY], ReasonNeeded), ([day(-1)], InThePast), ([], Invalid)):
        with pytest.raises(refusal):
            change(doctor, days)
    with pytest.raises(InThePast):
        set_pattern(doctor, line(1), first_day=day(-1))


# --- visits in closed hours ---------------------------------------------------------------------------------------


def test_closing_hours_asks_first_then_has_the_patients_called(make: Any, senior: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    inside, touching = book(make, doctor, at(14, day=day(7))), book(make, doctor, at(9, day=day(7)))
    gone = make.appointment(make.patient(), doctor, at(13, day=day(7)), status="no_show")
    with pytest.raises(HoursHoldVisits) as refused:
        change(doctor, [day(7)], shift(9, 14))
    assert refused.value.facts["appointments"] == [inside.id]
    assert refused.value.facts["visits"][0]["patient"].startswith("Больной")
    assert stands(doctor, day(7), day(7)) == [(day(7), "09:00–15:00", False)]
    written = change(doctor, [day(7)], shift(9, 14), reason="Совещание", make_tasks=True, actor=senior)
    assert [visit.id for visit in written.visits] == [inside.id]
    [reason] = reasons(inside)
    assert (reason.kind, reason.doctor_id, reason.note) == ("hours_closed", doctor.id, "Совещание")
    assert reasons(touching) == reasons(gone) == []
    sheet = queries.day_sheet(day(7), doctor_id=doctor.id)
    assert inside.id in [row["id"] for row in sheet.appointments]  # the visit stays where it is, and is seen
    # Hours again: nobody is to be called any more.
    with transaction():
        operations.day_by_pattern(doctor.id, [day(7)], actor=senior)
    assert reasons(inside) == []


@pytest.mark.parametrize("how", ["pattern", "holiday", "branch"])
def test_whatever_closes_hours_asks_first(make: Any, how: str) -> None:
    doctor, elsewhere = make.doctor(), make.branch()
    set_pattern(doctor, line(1))
    visit = book(make, doctor, at(10, day=day(7)))

    def close(**more: Any) -> Any:
        with transaction():
            if how == "pattern":
                return operations.end_pattern(doctor.id, day(6), actor=None, **more)
            if how == "holiday":
                return operations.set_holiday(day(7), True, name="Санитарный день", actor=None, **more)
            moved = [Shift(time(9), time(15), elsewhere.id, None)]
            return operations.change_day(doctor.id, [day(7)], moved, actor=None, **more)

    with pytest.raises(HoursHoldVisits):
        close()
    assert visit.id in [row.id for row in close(make_tasks=True).visits]
    assert len(reasons(visit)) == 1
    with transaction():
        operations.set_holiday(day(7), None, actor=None)


def test_a_visit_that_stood_outside_hours_is_no_bodys_task(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    book(make, doctor, at(18, day=day(7)))
    assert change(doctor, [day(7)], reason="Отпуск").visits == []


# --- holidays -------------------------------------------------------------------------------------------------------


def test_the_clinic_opens_a_holiday_and_closes_a_day(make: Any) -> None:
    doctor, holiday, usual = make.doctor(), date(2027, 1, 4), date(2027, 1, 11)
    set_pattern(doctor, line(1))
    steps = [(holiday, False, True), (usual, True, False), (holiday, None, False), (usual, None, True)]
    for when, closed, works in steps:
        with transaction():
            operations.set_holiday(when, closed, name="Так решили", actor=None)
        assert (when in [row[0] for row in stands(doctor)]) is works, (when, closed)


# --- copying --------------------------------------------------------------------------------------------------------


def test_a_period_is_copied_onto_a_later_one(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1), line(2), line(3))
    change(doctor, [day(0)], shift(8, 10), shift(12, 14))
    change(doctor, [day(1)], reason="Больничный")
    change(doctor, [day(5)], shift(10, 12))
    change(doctor, [day(16)], shift(20, 21))
    with transaction():
        written = operations.copy_hours(doctor.id, MONDAY, day(6), day(14), reason="Как 23.11", actor=None)
    assert stands(doctor, day(14), day(20)) == [
        (day(14), "08:00–10:00", True), (day(14), "12:00–14:00", True),
        (day(15), "09:00–15:00", False),  # an illness is not copied
        (day(16), "20:00–21:00", True),  # set by hand already
        (day(19), "10:00–12:00", True),
    ]  # fmt: skip
    assert written.skipped == [day(16)]


def test_a_day_without_hours_is_copied_as_a_day_off(make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1, weeks="odd"))
    with transaction():
        operations.copy_hours(doctor.id, MONDAY, day(6), day(7), reason="Как 23.11", actor=None)
    assert stands(doctor, day(7), day(13)) == []
    assert queries.hours_exceptions(day(7), day(7))[doctor.id, day(7)] == "Как 23.11"


# --- zones ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin"])
@pytest.mark.parametrize("odd_day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_the_wall_clock_never_shifts(make: Any, monkeypatch: Any, zone: str, odd_day: date) -> None:
    """On the two odd days of summer time a doctor works by the clock on the wall, as on any Sunday."""
    monkeypatch.setenv("CLINIC_TZ", zone)
    doctor, sunday = make.doctor(), odd_day - timedelta(days=7)
    lines = [Weekly(time(1), time(4), 1, None, 7, "every", sunday, None, 0), line(7, 9, 24)]
    with clock.at(datetime.combine(sunday, time(0, 5))):
        set_pattern(doctor, *lines, first_day=sunday)
        found = stands(doctor, sunday, odd_day + timedelta(days=7))
    assert {row[0] for row in found} == {sunday, odd_day, odd_day + timedelta(days=7)}
    assert [row[1] for row in found] == ["01:00–04:00", "09:00–24:00"] * 3
    kept = queries.dated(odd_day, odd_day, [doctor.id])
    assert kept[0].starts_at == datetime.combine(odd_day, time(1)) and kept[1].ends_at.hour == 0


# --- at the same moment -------------------------------------------------------------------------------------------


def _at_monday(deed: Any) -> Any:
    def wrapped() -> Any:
        with clock.at(at(7)):
            return deed()

    return wrapped


@pytest.mark.parametrize("by_pattern", [True, False])
def test_two_people_want_one_chair_at_once(app: Flask, make: Any, by_pattern: bool) -> None:
    chair, doctors = make.chair(), [make.doctor().id for _ in range(6)]

    def want(doctor_id: int) -> Any:
        if by_pattern:
            return operations.set_pattern(doctor_id, [line(1, chair=chair)], first_day=MONDAY, actor=None).added
        return operations.change_day(doctor_id, [MONDAY], [shift(chair=chair)], actor=None).added

    results = together(app, [_at_monday(lambda pk=pk: want(pk)) for pk in doctors])
    lost = [row for row in results if isinstance(row, Refusal)]
    assert len(lost) == 5 and all(isinstance(row, HoursTaken) and "Врачев" in row.words["what"] for row in lost)
    rows = session.scalars(
        select(WorkingHours).where(WorkingHours.chair_id == chair.id, WorkingHours.starts_at == at(9))
    )
    assert len(list(rows)) == 1


def test_jobs_at_once_make_hours_once(app: Flask, make: Any) -> None:
    doctor = make.doctor()
    set_pattern(doctor, line(1))
    with transaction():
        session.execute(WorkingHours.__table__.delete().where(WorkingHours.doctor_id == doctor.id))
    together(app, [_at_monday(lambda: operations.make_hours(actor=None).added)] * 4)
    days = [row[0] for row in stands(doctor)]
    assert MONDAY in days and len(days) == len(set(days))


def test_closing_hours_while_somebody_books_there(app: Flask, make: Any) -> None:
    """Either the booking sees the hours gone, or the closing sees the visit: never a visit nobody hears of."""
    desk = make.user("administrator").id
    for _ in range(6):
        doctor, patient = make.doctor(), make.patient()
        set_pattern(doctor, line(1))

        def book(doctor_id: int = doctor.id, patient_id: int = patient.id) -> Any:
            from app import access

            return operations.book(patient_id, doctor_id, at(10), at(10, 30), actor=access.load(desk)).id

        def close(doctor_id: int = doctor.id) -> Any:
            return operations.change_day(doctor_id, [MONDAY], [], reason="Отпуск", actor=None)

        booked, closed = together(app, [_at_monday(book), _at_monday(close)])
        if isinstance(booked, Refusal):
            assert isinstance(booked, OutsideHours) and not isinstance(closed, Refusal)
        else:
            assert isinstance(closed, HoursHoldVisits) and closed.facts["appointments"] == [booked]
    assert threading.active_count() < 50
