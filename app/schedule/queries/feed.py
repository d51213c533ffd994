"""Doctors' calendars for phones: who has one, and what stands in it."""

from typing import Any

from sqlalchemy import func, select

from app import clock
from app.db import session
from app.models import Appointment, AuditEvent, Branch, CalendarFeed, Chair, Employee, Patient
from app.schedule.queries.visits import short_name
from app.schedule.rules.feed import AHEAD, BACK, Entry, initials


def feeds(*, doctor_id: int | None = None) -> list[dict[str, Any]]:
    """The doctors, each with the calendar that works now, if any."""
    asked = (
        select(Employee, CalendarFeed.id, CalendarFeed.created_at, CalendarFeed.last_read_at)
        .outerjoin(CalendarFeed, (CalendarFeed.doctor_id == Employee.id) & CalendarFeed.revoked_at.is_(None))
        .where(Employee.is_doctor.is_(True), Employee.archived.is_(False))
        .order_by(Employee.surname, Employee.name, Employee.id)
    )
    if doctor_id is not None:
        asked = asked.where(Employee.id == doctor_id)
    return [
        {
            "doctor_id": doctor.id,
            "doctor": short_name(doctor.surname, doctor.name, doctor.patronymic),
            "feed_id": feed_id,
            "created_at": created_at,
            "last_read_at": last_read_at,
        }
        for doctor, feed_id, created_at, last_read_at in session.execute(asked)
    ]


def feed_of(secret_hash: str) -> CalendarFeed | None:
    """The calendar behind a secret address; None when there is none or it was revoked."""
    return session.scalar(
        select(CalendarFeed).where(CalendarFeed.secret_hash == secret_hash, CalendarFeed.revoked_at.is_(None))
    )


def entries(doctor_id: int) -> list[Entry]:
    """A doctor's visits, thirty days back and half a year ahead, cancelled ones too; one statement."""
    now = clock.wall_now()
    changed = (
        select(func.max(AuditEvent.at))
        .where(AuditEvent.object_type == Appointment.__tablename__, AuditEvent.object_id == Appointment.id)
        .correlate(Appointment)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Appointment.id,
            Appointment.version,
            Appointment.starts_at,
            Appointment.ends_at,
            Appointment.status,
            Patient.surname,
            Patient.name,
            Branch.name.label("branch"),
            Chair.name.label("chair"),
            func.coalesce(changed, Appointment.created_at).label("changed_at"),
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Branch, Branch.id == Appointment.branch_id)
        .outerjoin(Chair, Chair.id == Appointment.chair_id)
        .where(Appointment.doctor_id == doctor_id, Appointment.starts_at.between(now - BACK, now + AHEAD))
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [
        Entry(
            row.id,
            row.version,
            row.starts_at,
            row.ends_at,
            row.status,
            initials(row.surname, row.name),
            ", ".join(filter(None, (row.branch, row.chair))),
            row.changed_at,
        )
        for row in rows
    ]
