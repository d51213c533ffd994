"""Doctors' hours: patterns, dated hours, days set by hand, holidays, and which visits stand in them.

Where next: `hours_calendar.py` for what the page «График» shows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.db import session
from app.models import (
    Appointment,
    Branch,
    Chair,
    ClinicSetting,
    Employee,
    HolidayOverride,
    HoursException,
    HoursPattern,
    Patient,
    WorkingHours,
)
from app.schedule.queries.visits import Line, short_name
from app.schedule.rules import Hours, Shift, Span, Weekly, as_shift
from app.vocab import AppointmentStatus

#: A doctor's day.
DoctorDay = tuple[int, date]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def within(column: InstrumentedAttribute[datetime], first: date, last: date) -> ColumnElement[bool]:
    """Does it begin on one of these days?"""
    return and_(column >= midnight(first), column < midnight(last + timedelta(days=1)))


@dataclass(frozen=True)
class Dated:
    """Dated hours as they stand: of whom, when, where, and by which pattern; None: set by hand."""

    id: int
    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    branch_id: int
    chair_id: int | None
    pattern_id: int | None

    @property
    def day(self) -> date:
        return self.starts_at.date()

    @property
    def hours(self) -> Hours:
        return Hours(self.starts_at, self.ends_at, self.branch_id, self.chair_id)

    @property
    def shift(self) -> Shift:
        return as_shift(self.starts_at, self.ends_at, self.branch_id, self.chair_id)


def weeks_ahead() -> int:
    """So many weeks ahead hours are made from the patterns."""
    return session.scalar(select(ClinicSetting.hours_weeks_ahead)) or 8


def weekly(
    doctor_ids: Collection[int] | None = None, *, chair_ids: Collection[int] = (), since: date, in_use: bool = False
) -> list[Weekly]:
    """The weekly shifts that count on `since` or later: of these doctors, or in these chairs; None: of everybody.

    `in_use`: only of doctors who still see patients, in branches and chairs that are still there.
    """
    asked = select(
        HoursPattern.start, HoursPattern.end, HoursPattern.branch_id, HoursPattern.chair_id, HoursPattern.weekday,
        HoursPattern.weeks, HoursPattern.first_day, HoursPattern.last_day, HoursPattern.doctor_id, HoursPattern.id,
    ).where(or_(HoursPattern.last_day.is_(None), HoursPattern.last_day >= since))  # fmt: skip
    if doctor_ids is not None:
        asked = asked.where(or_(HoursPattern.doctor_id.in_(doctor_ids), HoursPattern.chair_id.in_(list(chair_ids))))
    if in_use:
        asked = (
            asked.join(Employee, Employee.id == HoursPattern.doctor_id)
            .join(Branch, Branch.id == HoursPattern.branch_id)
            .outerjoin(Chair, Chair.id == HoursPattern.chair_id)
            .where(
                Employee.archived.is_(False),
                Employee.is_doctor.is_(True),
                Branch.archived.is_(False),
                or_(Chair.id.is_(None), Chair.archived.is_(False)),
            )
        )
    rows = session.execute(asked.order_by(HoursPattern.doctor_id, HoursPattern.weekday, HoursPattern.start))
    return [Weekly(**row._mapping) for row in rows]


def dated(
    first: date, last: date, doctor_ids: Collection[int] | None = None, *, chair_ids: Collection[int] = ()
) -> list[Dated]:
    """The hours as they stand in a period: of these doctors, or of anybody in these chairs; None: of everybody."""
    asked = select(
        WorkingHours.id, WorkingHours.doctor_id, WorkingHours.starts_at, WorkingHours.ends_at, WorkingHours.branch_id,
        WorkingHours.chair_id, WorkingHours.pattern_id,
    ).where(within(WorkingHours.starts_at, first, last))  # fmt: skip
    if doctor_ids is not None:
        asked = asked.where(or_(WorkingHours.doctor_id.in_(doctor_ids), WorkingHours.chair_id.in_(list(chair_ids))))
    return [Dated(*row) for row in session.execute(asked.order_by(WorkingHours.starts_at, WorkingHours.id))]


def last_dated(doctor_ids: Collection[int] | None) -> date | None:
    """The last day for which hours were made from a pattern."""
    asked = select(func.max(WorkingHours.starts_at)).where(WorkingHours.pattern_id.is_not(None))
    if doctor_ids is not None:
        asked = asked.where(WorkingHours.doctor_id.in_(doctor_ids))
    found = session.scalar(asked)
    return found.date() if found else None


def hours_exceptions(first: date, last: date, doctor_ids: Collection[int] | None = None) -> dict[DoctorDay, str]:
    """The days on which doctors do not work by the pattern, with the reasons."""
    asked = select(HoursException.doctor_id, HoursException.day, HoursException.reason).where(
        HoursException.day.between(first, last)
    )
    if doctor_ids is not None:
        asked = asked.where(HoursException.doctor_id.in_(doctor_ids))
    return {(row.doctor_id, row.day): row.reason for row in session.execute(asked)}


def overrides(first: date, last: date) -> dict[date, tuple[bool, str]]:
    """What the clinic says of days against the calendar of holidays: closed or not, and why."""
    rows = session.execute(
        select(HolidayOverride.day, HolidayOverride.closed, HolidayOverride.name)
        .where(HolidayOverride.day.between(first, last))
        .order_by(HolidayOverride.day)
    )
    return {row.day: (row.closed, row.name) for row in rows}


@dataclass(frozen=True)
class Standing(Span):
    """A visit that waits for its doctor."""

    id: int
    doctor_id: int
    branch_id: int
    patient_id: int
    patient: str

    def facts(self) -> dict[str, object]:
        """What the caller is told about a visit in closed hours."""
        return {
            "id": self.id,
            "doctor_id": self.doctor_id,
            "starts_at": self.starts_at.isoformat(timespec="minutes"),
            "patient": self.patient,
        }


def standing_visits(days: Collection[DoctorDay], now: datetime) -> list[Standing]:
    """The booked visits of these doctors' days that are still to come, the earliest first."""
    if not days:
        return []
    first, last = min(day for _, day in days), max(day for _, day in days)
    rows = session.execute(
        select(
            Appointment.starts_at, Appointment.ends_at, Appointment.id, Appointment.doctor_id, Appointment.branch_id,
            Appointment.patient_id, Patient.surname, Patient.name, Patient.patronymic,
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            Appointment.doctor_id.in_({doctor for doctor, _ in days}),
            within(Appointment.starts_at, first, last),
            Appointment.ends_at > now,
            Appointment.status == AppointmentStatus.BOOKED,
        )
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()  # fmt: skip
    return [
        Standing(
            row.starts_at, row.ends_at, row.id, row.doctor_id, row.branch_id, row.patient_id,
            short_name(row.surname, row.name, row.patronymic),
        )
        for row in rows
        if (row.doctor_id, row.starts_at.date()) in days
    ]  # fmt: skip


def hours_places(
    doctor_ids: Collection[int], branch_ids: Collection[int], chair_ids: Collection[int]
) -> dict[str, dict[int, Line]]:
    """Doctors, branches and chairs by number, for checks and names: `{"doctor": …, "branch": …, "chair": …}`."""
    doctors = select(Employee.id, Employee.surname, Employee.name, Employee.patronymic).where(
        Employee.id.in_(doctor_ids), Employee.is_doctor.is_(True), Employee.archived.is_(False)
    )
    branches = select(Branch.id, Branch.name).where(Branch.id.in_(branch_ids), Branch.archived.is_(False))
    chairs = select(Chair.id, Chair.name, Chair.branch_id).where(Chair.id.in_(chair_ids), Chair.archived.is_(False))
    found: dict[str, dict[int, Line]] = {}
    for what, asked in (("doctor", doctors), ("branch", branches), ("chair", chairs)):
        found[what] = {row.id: row for row in session.execute(asked)}
    return found


def hours_names(doctor_ids: Collection[int], chair_ids: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
    """What doctors and chairs are called, archived ones too: for the sentence about who is in the way."""
    doctors = session.execute(
        select(Employee.id, Employee.surname, Employee.name, Employee.patronymic).where(Employee.id.in_(doctor_ids))
    )
    chairs = session.execute(select(Chair.id, Chair.name).where(Chair.id.in_(chair_ids)))
    return (
        {row.id: short_name(row.surname, row.name, row.patronymic) for row in doctors},
        {row.id: row.name for row in chairs},
    )
