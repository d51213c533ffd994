"""Doctors' hours «График»: the weekly pattern, a day otherwise, holidays, copying, making hours ahead.

A day is either as the pattern gives it, or set by hand (hours without a pattern, or an exception with its reason);
patterns never touch the latter. Where next: `hours_days.py`, which writes the dated hours.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import lock, session
from app.errors import HoursTaken, InThePast, Invalid, NotFound
from app.models import Employee, HolidayOverride, HoursException, HoursPattern, User
from app.schedule import queries, rules
from app.schedule.operations.hours_days import (
    Written,
    agree,
    check_places,
    clash_in_words,
    horizon,
    one_at_a_time,
    rewrite,
    set_by_hand,
    wanted_by_patterns,
)
from app.schedule.rules import Cut, Shift, Weekly
from app.vocab import N_

_DAY = timedelta(days=1)
_MOST_LINES = 56


def set_pattern(
    doctor_id: int,
    lines: Sequence[Weekly],
    *,
    first_day: date,
    last_day: date | None = None,
    make_tasks: bool = False,
    actor: User | None,
) -> Written:
    """Let a doctor's week be exactly these shifts from a day on (to `last_day`, then as it was before).

    The hours of future days that came from the pattern are made anew; days set by hand stay. Dated hours are made so
    many weeks ahead as the clinic has set; the daily job goes on. What the answer calls clashes was left out: somebody
    set other hours in that chair by hand. Records `working_hours.pattern_set`. Flushes, never commits.

    Raises:
        Invalid, InThePast
        HoursTaken: another doctor's pattern has the chair at that time.
        HoursHoldVisits: visits lose their hours, and `make_tasks` does not say yes.
    """
    one_at_a_time()
    lines = [replace(line, doctor_id=doctor_id, first_day=first_day, last_day=last_day, id=None) for line in lines]
    if len(lines) > _MOST_LINES:
        raise Invalid(fields={"lines": N_("Too many shifts for one week.")})
    if last_day is not None and last_day < first_day:
        raise Invalid(fields={"last_day": N_("The first day is later than the last one.")})
    if first_day < clock.today():
        raise InThePast()
    check_places(doctor_id, lines, "lines")
    rules.check_shifts(lines, "lines")
    old = queries.weekly([doctor_id], since=first_day)
    cut = rules.new_week(old, lines, first_day, last_day)
    _check_chairs(doctor_id, cut.added)
    _write_patterns(cut, actor)
    gone = [shift.id for shift in cut.gone if shift.id is not None]
    written = Written()
    last = max(horizon(), queries.last_dated([doctor_id]) or first_day)
    if first_day <= last:
        written = agree([doctor_id], first_day, last, besides=gone, make_tasks=make_tasks, note="", actor=actor)
    session.execute(delete(HoursPattern).where(HoursPattern.id.in_(gone)))
    _record(
        "working_hours.pattern_set", doctor_id, actor, first_day=first_day, last_day=last_day,
        hours_before=_week_in_words([shift for shift in old if shift.first_day <= first_day]),
        hours=_week_in_words(lines),
    )  # fmt: skip
    return written


def end_pattern(doctor_id: int, last_day: date, *, make_tasks: bool = False, actor: User | None) -> Written:
    """Let a doctor's pattern count up to a day; later hours that came from it go. Raises as `set_pattern`."""
    return set_pattern(doctor_id, [], first_day=last_day + _DAY, make_tasks=make_tasks, actor=actor)


def _check_chairs(doctor_id: int, added: Sequence[Weekly]) -> None:
    """No other doctor's pattern may have the chair at the same time, on any day to come.

    Raises:
        HoursTaken
    """
    chairs = {line.chair_id for line in added if line.chair_id is not None}
    if not chairs:
        return
    others = queries.weekly([], chair_ids=chairs, since=min(line.first_day for line in added), in_use=True)
    for line in added:
        for other in others:
            if other.doctor_id == doctor_id or other.chair_id != line.chair_id:
                continue
            day = rules.common_day(line, other)
            if day is not None:
                doctors, names = queries.hours_names([other.doctor_id], [other.chair_id or 0])
                chair = names[other.chair_id or 0]
                what = clash_in_words(other.on(day), doctors[other.doctor_id], chair)
                raise HoursTaken({"what": what}, doctor_id=other.doctor_id, day=day.isoformat())


def _write_patterns(cut: Cut, actor: User | None) -> None:
    for shift in cut.changed:
        row = lock(HoursPattern, shift.id or 0)
        assert row is not None
        row.first_day, row.last_day = shift.first_day, shift.last_day
    names = ("doctor_id", "branch_id", "chair_id", "weekday", "weeks", "start", "end", "first_day", "last_day")
    session.add_all(
        HoursPattern(**{name: getattr(shift, name) for name in names}, created_by_id=actor.id if actor else None)
        for shift in cut.added
    )
    session.flush()


def change_day(
    doctor_id: int,
    days: Collection[date],
    shifts: Sequence[Shift],
    *,
    reason: str = "",
    make_tasks: bool = False,
    actor: User | None,
) -> Written:
    """Set certain days of a doctor by hand: other hours, or none at all with the reason (a vacation, an illness).

    All days or none. Patterns no longer touch them. Records `working_hours.day_set` for each. Flushes, never commits.

    Raises:
        Invalid, InThePast, ReasonNeeded
        HoursTaken: the chair is another doctor's then.
        HoursHoldVisits: visits lose their hours, and `make_tasks` does not say yes.
    """
    one_at_a_time()
    chosen = sorted(set(days))
    rules.check_days(chosen, clock.today())
    if len(shifts) > rules.MOST_SHIFTS:
        raise Invalid(fields={"shifts": N_("Too many shifts for one day.")})
    check_places(doctor_id, shifts, "shifts")
    rules.check_shifts(shifts)
    reason = reason.strip() if shifts else rules.require_reason(reason)
    have = _hours_on(doctor_id, chosen)
    wanted = {(doctor_id, day): [(shift, None) for shift in shifts] for day in chosen}
    written = rewrite(wanted, have, strict=True, make_tasks=make_tasks, note=reason, actor=actor)
    _set_exceptions(doctor_id, chosen, reason, actor)
    for day in chosen:
        before = rules.in_words(row.shift for row in have if row.day == day)
        after = rules.in_words(sorted(shifts, key=lambda shift: shift.start))
        _record("working_hours.day_set", doctor_id, actor, day=day, hours_before=before, hours=after, reason=reason)
    return written


def day_by_pattern(doctor_id: int, days: Collection[date], *, make_tasks: bool = False, actor: User | None) -> Written:
    """Let certain days of a doctor be again as the weekly pattern gives them. Records `working_hours.day_by_pattern`.

    Raises:
        Invalid, InThePast
        HoursTaken: meanwhile the chair is another doctor's.
        HoursHoldVisits: visits lose their hours, and `make_tasks` does not say yes.
    """
    one_at_a_time()
    chosen = sorted(set(days))
    rules.check_days(chosen, clock.today())
    check_places(doctor_id, [], "shifts")
    have = _hours_on(doctor_id, chosen)
    week = queries.weekly([doctor_id], since=chosen[0], in_use=True)
    made = wanted_by_patterns(chosen[0], chosen[-1], week, ())
    wanted = {(doctor_id, day): made.get((doctor_id, day), []) for day in chosen}
    written = rewrite(wanted, have, strict=True, make_tasks=make_tasks, actor=actor)
    _set_exceptions(doctor_id, chosen, "", actor)
    for day in chosen:
        before = rules.in_words(row.shift for row in have if row.day == day)
        after = rules.in_words(shift for shift, _ in wanted[doctor_id, day])
        _record("working_hours.day_by_pattern", doctor_id, actor, day=day, hours_before=before, hours=after)
    return written


def copy_hours(
    doctor_id: int,
    first: date,
    last: date,
    onto: date,
    *,
    reason: str,
    make_tasks: bool = False,
    actor: User | None,
) -> Written:
    """Copy a doctor's days as they stand onto a later period that begins on the same weekday.

    A day that comes out as the pattern has it anyway stays with the pattern; days off without a pattern's hours are
    off for `reason`. Vacations and holidays are not copied; days of the new period that are closed or set by hand are
    left alone and told of (`skipped`), and so are chairs that others have then (`clashes`). Records
    `working_hours.copied`. Flushes, never commits.

    Raises:
        Invalid, InThePast, ReasonNeeded
        HoursHoldVisits: visits lose their hours, and `make_tasks` does not say yes.
    """
    one_at_a_time()
    rules.check_copy(first, last, onto, clock.today())
    check_places(doctor_id, [], "shifts")
    reason = rules.require_reason(reason)
    source = queries.dated(first, last, [doctor_id])
    exceptions = queries.hours_exceptions(first, last, [doctor_id])
    shift_by = onto - first
    end = last + shift_by
    have = queries.dated(onto, end, [doctor_id])
    by_hand = {day for _, day in set_by_hand(onto, end, have, [doctor_id])}
    overrides = {day: shut for day, (shut, _) in queries.overrides(first, end).items()}
    closed = rules.closed_days(first, end, overrides)
    made = wanted_by_patterns(onto, end, queries.weekly([doctor_id], since=onto, in_use=True), ())
    wanted: dict[queries.DoctorDay, list[tuple[Shift, int | None]]] = {}
    off, skipped = [], []
    for day in rules.days_between(first, last):
        target = day + shift_by
        shifts = [row.shift for row in source if row.day == day]
        if not shifts and (day in closed or (doctor_id, day) in exceptions):
            continue
        given = [_bare(shift) for shift, _ in made.get((doctor_id, target), [])]
        if target in by_hand or (target in closed and shifts):
            skipped.append(target)
        elif set(given) != set(shifts):
            wanted[doctor_id, target] = [(shift, None) for shift in shifts]
            off += [] if shifts else [target]
    here = [row for row in have if (doctor_id, row.day) in wanted]
    written = rewrite(wanted, here, make_tasks=make_tasks, note=reason, actor=actor)
    _set_exceptions(doctor_id, off, reason, actor)
    written.skipped = skipped
    _record("working_hours.copied", doctor_id, actor, first_day=first, last_day=last, onto=onto)
    return written


def _bare(shift: Shift) -> Shift:
    return Shift(shift.start, shift.end, shift.branch_id, shift.chair_id)


def set_holiday(
    day: date, closed: bool | None, *, name: str = "", make_tasks: bool = False, actor: User | None
) -> Written:
    """Close a day for the whole clinic, open a public holiday, or (None) let the calendar of holidays decide again.

    Hours that came from patterns go or come on that day; days set by hand stay. Records `holiday.closed`,
    `holiday.opened` or `holiday.lifted`. Flushes, never commits.

    Raises:
        InThePast, ReasonNeeded
        HoursHoldVisits: visits lose their hours, and `make_tasks` does not say yes.
    """
    one_at_a_time()
    if day < clock.today():
        raise InThePast()
    row = session.scalars(select(HolidayOverride).where(HolidayOverride.day == day)).one_or_none()
    if closed is None:
        if row is None:
            return Written()
        audit.record("holiday.lifted", row, after={"day": audit.plain(day), "name": row.name}, actor=actor)
        session.delete(row)
    else:
        name = rules.require_reason(name)
        if row is None:
            row = HolidayOverride(day=day, created_by_id=actor.id if actor else None)
            session.add(row)
        row.closed, row.name = closed, name
        session.flush()
        deed = "holiday.closed" if closed else "holiday.opened"
        audit.record(deed, row, after={"day": audit.plain(day), "name": name}, actor=actor)
    session.flush()
    if day > max(horizon(), queries.last_dated(None) or day):
        return Written()
    return agree(None, day, day, make_tasks=make_tasks, note=name, actor=actor)


def make_hours(
    doctor_ids: Collection[int] | None = None,
    *,
    first: date | None = None,
    last: date | None = None,
    actor: User | None,
) -> Written:
    """Make the dated hours that patterns give, so many weeks ahead as the clinic has set; twice is the same as once.

    Only adds: what stands stays, days set by hand are not touched, a chair that somebody else has is left to them and
    told of. The daily job calls it. Flushes, never commits.
    """
    one_at_a_time()
    first, last = first or clock.today(), last or horizon()
    week = queries.weekly(doctor_ids, since=first, in_use=True)
    if not week:
        return Written()
    doctors = {shift.doctor_id for shift in week}
    have = queries.dated(first, last, doctors)
    wanted = wanted_by_patterns(first, last, week, set_by_hand(first, last, have, doctors))
    return rewrite(wanted, have, only_add=True, actor=actor)


def _hours_on(doctor_id: int, days: Sequence[date]) -> list[queries.Dated]:
    return [row for row in queries.dated(days[0], days[-1], [doctor_id]) if row.day in set(days)]


def _set_exceptions(doctor_id: int, days: Sequence[date], reason: str, actor: User | None) -> None:
    """The reason of days that are otherwise; without one the days are no exceptions."""
    if not days:
        return
    if not reason:
        session.execute(
            delete(HoursException).where(HoursException.doctor_id == doctor_id, HoursException.day.in_(days))
        )
        return
    by = actor.id if actor else None
    rows = [{"doctor_id": doctor_id, "day": day, "reason": reason, "created_by_id": by} for day in days]
    written = insert(HoursException).values(rows)
    session.execute(
        written.on_conflict_do_update(constraint="uq_hours_exception_day", set_={"reason": written.excluded.reason})
    )


def _record(action: str, doctor_id: int, actor: User | None, **after: object) -> None:
    """Write the deed down with the doctor it concerns."""
    doctor = session.get(Employee, doctor_id)
    if doctor is None:
        raise NotFound()
    audit.record(action, doctor, after={name: audit.plain(value) for name, value in after.items()}, actor=actor)
    session.flush()


_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_WEEKS = {"every": "", "odd": " (нечёт.)", "even": " (чёт.)"}


def _week_in_words(lines: Sequence[Weekly]) -> str:
    """«пн 09:00–15:00, вт 14:00–20:00 (чёт.)», for the log, which is kept as the clinic reads it."""
    ordered = sorted(lines, key=lambda line: (line.weekday, line.weeks, line.start))
    return ", ".join(f"{_WEEKDAYS[line.weekday - 1]} {rules.in_words([line])}{_WEEKS[line.weeks]}" for line in ordered)
