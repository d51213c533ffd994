"""Doctors' hours: what is coming, what is in the way, what they hold."""

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy import func, literal, or_, select

from app.db import session
from app.models import (
    Appointment,
    Branch,
    Chair,
    Employee,
    WorkingHours,
)
from app.schedule.queries.visits import Line
from app.schedule.rules import Span
from app.vocab import FREES_TIME


def hours_in_the_way(doctor_id: int, chair_id: int | None, spans: Sequence[Span]) -> Line | None:
    """The first hours of the doctor, or of anybody in the chair, that meet one of the spans."""
    days = {datetime.combine(span.starts_at.date(), time()) for span in spans}
    rows = session.execute(
        select(WorkingHours.starts_at, WorkingHours.ends_at)
        .where(
            or_(WorkingHours.doctor_id == doctor_id, WorkingHours.chair_id == (chair_id or 0)),
            func.date_trunc("day", WorkingHours.starts_at).in_(days),
            WorkingHours.starts_at >= min(days),
        )
        .order_by(WorkingHours.starts_at)
    )
    return next(
        (row for row in rows if any(span.meets(Span(row.starts_at, row.ends_at)) for span in spans)),
        None,
    )


def visits_in_hours(hours_ids: Sequence[int]) -> Sequence[Line]:
    """The visits that stand in these hours and keep their time, the earliest first."""
    return session.execute(
        select(Appointment.id, Appointment.starts_at)
        .join(
            WorkingHours,
            (WorkingHours.doctor_id == Appointment.doctor_id)
            & (Appointment.starts_at < WorkingHours.ends_at)
            & (Appointment.ends_at > WorkingHours.starts_at),
        )
        .where(
            WorkingHours.id.in_(hours_ids),
            Appointment.starts_at >= func.date_trunc("day", WorkingHours.starts_at),
            Appointment.status.not_in(FREES_TIME),
        )
        .order_by(Appointment.starts_at)
    ).all()


def coming_hours(first: datetime, last: datetime | None = None, *, doctor_id: int | None = None) -> list[Line]:
    """Future hours with how many visits stand in each, the nearest first."""
    visits = (
        select(literal(1))
        .where(
            Appointment.doctor_id == WorkingHours.doctor_id,
            Appointment.starts_at < WorkingHours.ends_at,
            Appointment.ends_at > WorkingHours.starts_at,
            Appointment.status.not_in(FREES_TIME),
        )
        .correlate(WorkingHours)
    )
    asked = (
        select(
            WorkingHours.id,
            WorkingHours.doctor_id,
            WorkingHours.starts_at,
            WorkingHours.ends_at,
            Employee.surname,
            Employee.name,
            Employee.patronymic,
            Branch.name.label("branch"),
            Chair.name.label("chair"),
            visits.exists().label("holds_visits"),
        )
        .join(Employee, Employee.id == WorkingHours.doctor_id)
        .join(Branch, Branch.id == WorkingHours.branch_id)
        .outerjoin(Chair, Chair.id == WorkingHours.chair_id)
        .where(WorkingHours.starts_at >= first)
        .order_by(WorkingHours.starts_at, Employee.surname)
        .limit(400)
    )
    if last is not None:
        asked = asked.where(WorkingHours.starts_at < last)
    if doctor_id is not None:
        asked = asked.where(WorkingHours.doctor_id == doctor_id)
    return list(session.execute(asked))
