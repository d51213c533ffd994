"""What the page «График» shows: days with their holidays, each doctor's shifts, visits and who waits for them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, or_, select, text

from app.db import session
from app.models import Employee, PlannedVisit, Speciality
from app.schedule import rules
from app.schedule.queries.hours import DoctorDay, dated, hours_exceptions, midnight, overrides, weekly
from app.schedule.queries.visits import Line, short_name
from app.schedule.rules import Weekly
from app.tables.schedule import BUSY
from app.vocab import PlannedStatus

_OPEN = (PlannedStatus.PLANNED, PlannedStatus.CALL_DUE, PlannedStatus.POSTPONED)

#: Visits of a doctor's day, and how many of them stand outside the hours; pieces without a gap are one.
_VISITS = text(
    f"""
SELECT a.doctor_id, a.starts_at::date AS day, count(*) AS visits,
       count(*) FILTER (WHERE NOT coalesce(tsrange(a.starts_at, a.ends_at) <@ h.open, false)) AS outside
FROM appointment a
LEFT JOIN (
  SELECT doctor_id, starts_at::date AS day, range_agg(tsrange(starts_at, ends_at)) AS open
  FROM working_hours WHERE starts_at >= :first AND starts_at < :last GROUP BY 1, 2
) h ON h.doctor_id = a.doctor_id AND h.day = a.starts_at::date
WHERE a.starts_at >= :first AND a.starts_at < :last AND a.{BUSY}
  AND (CAST(:doctor AS int) IS NULL OR a.doctor_id = :doctor)
GROUP BY 1, 2
"""
)


def calendar_days(first: date, last: date, language: str) -> list[dict[str, Any]]:
    """The days of a period: the number of the week, what holiday it is, whether the clinic is closed."""
    public, own = rules.public_holidays(first, last, language), overrides(first, last)
    closed = rules.closed_days(first, last, {day: shut for day, (shut, _) in own.items()})
    return [
        {
            "day": day.isoformat(),
            "week": rules.week_of(day),
            "holiday": own[day][1] if day in own else public.get(day),
            "public": day in public,
            "override": day in own,
            "closed": day in closed,
        }
        for day in rules.days_between(first, last)
    ]


def hours_calendar(
    first: date, last: date, *, doctor_id: int | None = None, branch_id: int | None = None, with_planned: bool
) -> list[dict[str, Any]]:
    """Each doctor with the days on which there is something to show; six statements whatever the period.

    `planned`: open planned visits that fit the doctor and the period; only for who may see them.
    """
    doctors = _doctors(doctor_id)
    ids = {row.id for row in doctors}
    days: dict[DoctorDay, dict[str, Any]] = {}

    def at(key: DoctorDay) -> dict[str, Any]:
        return days.setdefault(key, {"shifts": [], "by_hand": False, "reason": "", "visits": 0, "outside": 0})

    here: set[int] = set()
    for hours in dated(first, last, ids):
        found = at((hours.doctor_id, hours.day))
        found["shifts"].append(_shift(hours.shift))
        found["by_hand"] |= hours.pattern_id is None
        if hours.branch_id == branch_id:
            here.add(hours.doctor_id)
    for key, reason in hours_exceptions(first, last, ids).items():
        at(key).update(by_hand=True, reason=reason)
    bounds = {"first": midnight(first), "last": midnight(last + timedelta(days=1)), "doctor": doctor_id}
    for visit in session.execute(_VISITS, bounds):
        at((visit.doctor_id, visit.day)).update(visits=visit.visits, outside=visit.outside)
    planned = _planned(doctors, first, last) if with_planned else {}
    with_pattern = {shift.doctor_id for shift in weekly(ids, since=first)}
    return [
        {
            "id": row.id,
            "name": short_name(row.surname, row.name, row.patronymic),
            "speciality": row.speciality,
            "has_pattern": row.id in with_pattern,
            "planned": planned.get(row.id) if with_planned else None,
            "days": {day.isoformat(): value for (doctor, day), value in days.items() if doctor == row.id},
        }
        for row in doctors
        if branch_id is None or row.branch_id == branch_id or row.id in here
    ]


def _shift(shift: rules.Shift) -> dict[str, Any]:
    return {
        "start": f"{shift.start:%H:%M}",
        "end": f"{shift.end:%H:%M}",
        "branch_id": shift.branch_id,
        "chair_id": shift.chair_id,
    }


def _doctors(doctor_id: int | None) -> Sequence[Line]:
    asked = (
        select(
            Employee.id, Employee.surname, Employee.name, Employee.patronymic, Employee.branch_id,
            Employee.speciality_id, Speciality.name.label("speciality"),
        )
        .outerjoin(Speciality, Speciality.id == Employee.speciality_id)
        .where(Employee.is_doctor.is_(True), Employee.archived.is_(False))
        .order_by(Employee.surname, Employee.name, Employee.id)
    )  # fmt: skip
    if doctor_id is not None:
        asked = asked.where(Employee.id == doctor_id)
    return session.execute(asked).all()


def _planned(doctors: Sequence[Line], first: date, last: date) -> dict[int, dict[str, int]]:
    """How many planned visits of the period wait for each doctor: for the doctor alone, and for anybody like that."""
    rows = session.execute(
        select(PlannedVisit.doctor_id, PlannedVisit.speciality_id, func.count().label("many"))
        .where(
            PlannedVisit.status.in_(_OPEN),
            PlannedVisit.target_from - PlannedVisit.tolerance_days <= last,
            PlannedVisit.target_to + PlannedVisit.tolerance_days >= first,
            or_(PlannedVisit.doctor_id.is_(None), PlannedVisit.doctor_id.in_([row.id for row in doctors])),
        )
        .group_by(PlannedVisit.doctor_id, PlannedVisit.speciality_id)
    ).all()
    return {
        doctor.id: {
            "own": sum(row.many for row in rows if row.doctor_id == doctor.id),
            "any": sum(
                row.many for row in rows if row.doctor_id is None and row.speciality_id in (None, doctor.speciality_id)
            ),
        }
        for doctor in doctors
    }


def pattern_of(doctor_id: int, day: date) -> dict[str, Any]:
    """The weekly pattern of a doctor as it counts on a day: since when, to when, its shifts, and what comes later."""
    week = weekly([doctor_id], since=day)
    current = [shift for shift in week if shift.first_day <= day]
    return {
        "doctor_id": doctor_id,
        "day": day.isoformat(),
        "since": max((shift.first_day for shift in current), default=None),
        "to": min((shift.last_day for shift in current if shift.last_day), default=None),
        "changes": sorted({shift.first_day for shift in week if shift.first_day > day}),
        "lines": [_line(shift) for shift in current],
    }


def _line(shift: Weekly) -> Mapping[str, Any]:
    return {"weekday": shift.weekday, "weeks": shift.weeks, **_shift(shift)}


def holidays_ahead(first: date, last: date, language: str) -> list[dict[str, Any]]:
    """The public holidays of a period, and the days on which the clinic does otherwise."""
    return [day for day in calendar_days(first, last, language) if day["public"] or day["override"]]
