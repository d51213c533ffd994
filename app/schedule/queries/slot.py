"""What stands in a slot, in one statement, and small questions about one visit."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import func, select, text

from app import clock
from app.db import session
from app.models import (
    Appointment,
    AuditEvent,
    Employee,
    User,
)
from app.schedule.queries.visits import WHO, instant_text, short_name
from app.schedule.rules import BLOCK, VISIT, Busy, Hours, Span
from app.tables.schedule import BUSY, STANDS


@dataclass(frozen=True)
class Look:
    """What must be known before a visit is put somewhere; `None` where there is no such record."""

    patient_status: str | None
    doctor: dict[str, Any] | None
    chair: dict[str, Any] | None
    service: dict[str, Any] | None
    hours: list[Hours]
    busy: list[Busy]
    first_visit: bool


_LOOK = text(
    f"""
SELECT
  (SELECT status FROM patient WHERE id = :patient) AS patient_status,
  (SELECT json_build_object('branch_id', branch_id) FROM employee
    WHERE id = :doctor AND is_doctor AND NOT archived) AS doctor,
  (SELECT json_build_object('branch_id', branch_id) FROM chair WHERE id = :chair AND NOT archived) AS chair,
  (SELECT json_build_object('minutes', minutes) FROM service WHERE id = :service AND NOT archived) AS service,
  (SELECT json_agg(json_build_array(h.starts_at, h.ends_at, h.branch_id, h.chair_id) ORDER BY h.starts_at)
     FROM working_hours h WHERE h.doctor_id = :doctor AND h.starts_at >= :day AND h.starts_at < :ends) AS hours,
  (SELECT json_agg(json_build_array(a.starts_at, a.ends_at, '{VISIT}', a.id, a.doctor_id, a.chair_id, a.patient_id,
                                    json_build_array(p.surname, p.name, p.patronymic), a.overbooked))
     FROM appointment a JOIN patient p ON p.id = a.patient_id
    WHERE a.starts_at >= :day AND a.starts_at < :ends AND a.ends_at > :starts AND a.{BUSY} AND a.id <> :self
      AND (a.doctor_id = :doctor OR a.chair_id = :chair OR a.patient_id = :patient)) AS visits,
  (SELECT json_agg(json_build_array(b.starts_at, b.ends_at, '{BLOCK}', b.id, b.doctor_id, b.chair_id, NULL,
                                    b.reason, false))
     FROM time_block b
    WHERE b.starts_at >= :day AND b.starts_at < :ends AND b.ends_at > :starts AND b.{STANDS}
      AND b.id <> :self_block AND (b.doctor_id = :doctor OR b.chair_id = :chair)) AS blocks,
  NOT EXISTS (SELECT FROM appointment f WHERE f.patient_id = :patient AND f.starts_at < :starts AND f.{BUSY}
    AND f.id <> :self) AS first_visit
"""
)


def look(
    span: Span,
    *,
    patient_id: int | None = None,
    doctor_id: int | None,
    chair_id: int | None,
    service_id: int | None = None,
    besides: int = 0,
    besides_block: int = 0,
) -> Look:
    """Who and what a slot concerns, and what stands there already, in one statement.

    `besides` is the visit (or the block) that is being moved: it is not in its own way.
    """
    row = session.execute(
        _LOOK,
        {
            "patient": patient_id or 0,
            "doctor": doctor_id or 0,
            "chair": chair_id or 0,
            "service": service_id or 0,
            "day": datetime.combine(span.starts_at.date(), time()),
            "starts": span.starts_at,
            "ends": span.ends_at,
            "self": besides,
            "self_block": besides_block,
            "now": clock.now(),
        },
    ).one()
    busy = []
    for starts, ends, kind, pk, doctor, chair, patient, who, overbooked in (*(row.visits or ()), *(row.blocks or ())):
        name = short_name(*who) if kind == VISIT else who
        busy.append(Busy(_parsed(starts), _parsed(ends), kind, pk, doctor, chair, patient, name, overbooked))
    return Look(
        patient_status=row.patient_status,
        doctor=row.doctor,
        chair=row.chair,
        service=row.service,
        hours=[Hours(_parsed(s), _parsed(e), branch, chair) for s, e, branch, chair in row.hours or ()],
        busy=busy,
        first_visit=row.first_visit,
    )


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def came_before(visit: Appointment) -> bool:
    """Has the patient been here before this visit?"""
    return bool(
        session.scalar(
            select(
                select(Appointment.id)
                .where(
                    Appointment.patient_id == visit.patient_id,
                    Appointment.id != visit.id,
                    Appointment.starts_at < visit.starts_at,
                    Appointment.arrived_at.is_not(None),
                )
                .exists()
            )
        )
    )


def last_change(appointment_id: int) -> dict[str, Any]:
    """Who changed a visit last, and when: {by, changed_at}; empty when the log does not know."""
    row = session.execute(
        select(AuditEvent.at, *WHO)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(Employee, Employee.user_id == AuditEvent.user_id)
        .where(AuditEvent.object_type == Appointment.__tablename__, AuditEvent.object_id == appointment_id)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return {}
    return {"by": short_name(row.surname, row.name, row.patronymic), "changed_at": instant_text(row.at) or ""}


def last_deed(appointment_id: int, action: str) -> datetime | None:
    """When something was last done to a visit."""
    return session.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.object_type == Appointment.__tablename__,
            AuditEvent.object_id == appointment_id,
            AuditEvent.action == action,
        )
    )
