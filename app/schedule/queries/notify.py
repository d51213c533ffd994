"""The work list «Оповещение пациентов»: who comes on the next working days, and who has been told what.

Rows are ready to show; families of a day stand together.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import and_, cast, func, select, union
from sqlalchemy.orm import aliased
from sqlalchemy.types import Date

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Branch,
    Chair,
    Employee,
    IncomingMessage,
    OutboxMessage,
    Patient,
    PatientPhone,
    WorkingHours,
)
from app.schedule.queries.visits import short_name
from app.vocab import AppointmentStatus

_DAY = timedelta(days=1)
#: The next working day is looked for so far ahead.
_HORIZON = timedelta(days=60)


def working_days(count: int, *, branch_id: int | None = None) -> list[date]:
    """The next days, after today, when the clinic works or somebody is booked."""
    start = datetime.combine(clock.today() + _DAY, time())
    hours = select(cast(WorkingHours.starts_at, Date).label("day")).where(
        WorkingHours.starts_at >= start, WorkingHours.starts_at < start + _HORIZON
    )
    visits = select(cast(Appointment.starts_at, Date)).where(
        Appointment.starts_at >= start,
        Appointment.starts_at < start + _HORIZON,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    if branch_id is not None:
        hours = hours.where(WorkingHours.branch_id == branch_id)
        visits = visits.where(Appointment.branch_id == branch_id)
    days = union(hours, visits).subquery()
    return list(session.scalars(select(days.c.day).order_by(days.c.day).limit(count)))


def _statement() -> Any:
    leader = aliased(OutboxMessage)
    last = (
        select(
            func.json_build_object(
                "kind", OutboxMessage.kind, "status", OutboxMessage.status,
                "at", func.coalesce(leader.sent_at, OutboxMessage.sent_at, OutboxMessage.due_at),
                "sent", func.coalesce(leader.status, OutboxMessage.status).in_(("sent", "delivered")),
                "delivered", func.coalesce(leader.status, OutboxMessage.status) == "delivered",
                "error", OutboxMessage.error,
            )
        )
        .outerjoin(leader, leader.id == OutboxMessage.joined_to_id)
        .where(
            OutboxMessage.appointment_id == Appointment.id,
            OutboxMessage.planned_time == Appointment.starts_at,
            OutboxMessage.status != "cancelled",
        )
        # What was tried last, or leaves now, tells more than what only waits for its hour.
        .order_by(
            and_(OutboxMessage.status == "pending", OutboxMessage.due_at > clock.now() + timedelta(minutes=10)).asc(),
            func.coalesce(OutboxMessage.sending_since, OutboxMessage.due_at).desc(),
        )
        .limit(1)
        .correlate(Appointment)
        .scalar_subquery()
    )  # fmt: skip
    reply = (
        select(func.json_build_object("body", IncomingMessage.body, "at", IncomingMessage.received_at))
        .where(IncomingMessage.appointment_id == Appointment.id)
        .order_by(IncomingMessage.received_at.desc())
        .limit(1)
        .correlate(Appointment)
        .scalar_subquery()
    )
    phones = (
        select(
            func.json_agg(
                func.json_build_object("number", PatientPhone.number, "owner", PatientPhone.owner,
                                       "for_sms", PatientPhone.for_sms).op("ORDER BY")(PatientPhone.id)
            )
        )
        .where(PatientPhone.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )  # fmt: skip
    return (
        select(
            Appointment.id, Appointment.version, Appointment.starts_at, Appointment.ends_at, Appointment.confirmation,
            Appointment.notify_attempts, Appointment.patient_id, Appointment.comment, Appointment.first_visit,
            Patient.surname, Patient.name, Patient.patronymic, Patient.birth_date, Patient.family_id,
            Employee.surname.label("doctor_surname"), Employee.name.label("doctor_name"),
            Employee.patronymic.label("doctor_patronymic"), Chair.name.label("chair"), Branch.name.label("branch"),
            phones.label("phones"), last.label("message"), reply.label("reply"),
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Employee, Employee.id == Appointment.doctor_id)
        .join(Branch, Branch.id == Appointment.branch_id)
        .outerjoin(Chair, Chair.id == Appointment.chair_id)
        .where(Appointment.status == AppointmentStatus.BOOKED)
    )  # fmt: skip


def to_notify(
    days: Sequence[date], *, branch_id: int | None = None, doctor_id: int | None = None, confirmation: str | None = None
) -> list[dict[str, Any]]:
    """The visits of these days that are booked, by time; who comes with the family or twice a day stands together."""
    found: list[dict[str, Any]] = []
    for day in days:
        start = datetime.combine(day, time())
        asked = _statement().where(Appointment.starts_at >= start, Appointment.starts_at < start + _DAY)
        if branch_id is not None:
            asked = asked.where(Appointment.branch_id == branch_id)
        if doctor_id is not None:
            asked = asked.where(Appointment.doctor_id == doctor_id)
        rows = [_row(row) for row in session.execute(asked.order_by(Appointment.starts_at, Appointment.id))]
        found += _families_together(rows)
    return [row for row in found if confirmation in (None, row["confirmation"])]


def _row(row: Any) -> dict[str, Any]:
    message, reply = row.message, row.reply
    for told in (message, reply):
        if told and told["at"]:
            told["at"] = datetime.fromisoformat(told["at"])
    return {
        "id": row.id,
        "version": row.version,
        "day": row.starts_at.date(),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "confirmation": row.confirmation,
        "attempts": row.notify_attempts,
        "comment": row.comment,
        "first_visit": row.first_visit,
        "patient_id": row.patient_id,
        "patient": " ".join(filter(None, (row.surname, row.name, row.patronymic))),
        "age": _age(row.birth_date, row.starts_at.date()),
        "family": row.family_id,
        "phones": row.phones or [],
        "doctor": short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic),
        "chair": row.chair,
        "branch": row.branch,
        "message": message,
        "reply": reply,
        "together": 0,
    }


def _age(born: date | None, day: date) -> int | None:
    return None if born is None else day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _families_together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who belongs together follows the first of them; `together` is how many visits that are, 0 for who comes alone."""

    def key(row: dict[str, Any]) -> tuple[str, int]:
        return ("family", row["family"]) if row["family"] else ("patient", row["patient_id"])

    sizes = Counter(map(key, rows))
    first: dict[tuple[str, int], datetime] = {}
    for row in rows:
        first.setdefault(key(row), row["starts_at"])
        row["together"] = sizes[key(row)] if sizes[key(row)] > 1 else 0
    rows.sort(key=lambda row: (first[key(row)], key(row) if row["together"] else ("", 0), row["starts_at"], row["id"]))
    before = None
    for row in rows:
        row["follows"] = bool(row["together"]) and key(row) == before
        before = key(row)
    return rows


def stamp_of(rows: list[dict[str, Any]]) -> str:
    """Changes with anything that the rows show."""
    return blake2b(repr(rows).encode(), digest_size=12).hexdigest()
