"""The outbox as people look at it, what patients were told, and what they answered.

Where next: `operations/` for who writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.messages import rules
from app.models import Appointment, ClinicSetting, IncomingMessage, OutboxMessage, Patient, PatientPhone, User
from app.vocab import AppointmentStatus, Confirmation, MessageStatus

#: The patient has the text, or may have it.
TOLD = (MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED)


@dataclass(frozen=True)
class Line:
    """A message with the name of whom it is for."""

    message: OutboxMessage
    patient: str
    card_number: int


def _lines(statement: object) -> list[Line]:
    rows = session.execute(statement).all()  # type: ignore[call-overload]
    return [
        Line(message=row[0], patient=" ".join(filter(None, (row[1], row[2], row[3]))), card_number=row[4])
        for row in rows
    ]


_WITH_NAMES = select(OutboxMessage, Patient.surname, Patient.name, Patient.patronymic, Patient.card_number).join(
    Patient, Patient.id == OutboxMessage.patient_id
)


def outbox(day: date, status: str | None = None, *, limit: int = 100, offset: int = 0) -> tuple[int, list[Line]]:
    """What is to be sent, or was sent, on a day; what failed first, then by the hour it is due."""
    start = datetime.combine(day, time(), clock.zone())
    end = start + timedelta(days=1)
    of_day = or_(
        and_(OutboxMessage.due_at >= start, OutboxMessage.due_at < end),
        and_(OutboxMessage.sent_at >= start, OutboxMessage.sent_at < end),
    )
    wanted = of_day if status is None else and_(of_day, OutboxMessage.status == status)
    count = session.scalar(select(func.count()).select_from(OutboxMessage).where(wanted)) or 0
    failed_first = (OutboxMessage.status != MessageStatus.FAILED).asc()
    page = (
        _WITH_NAMES.where(wanted)
        .order_by(failed_first, OutboxMessage.due_at.desc(), OutboxMessage.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return count, _lines(page)


def counts(day: date) -> dict[str, int]:
    """How many messages of a day there are in each status."""
    start = datetime.combine(day, time(), clock.zone())
    rows = session.execute(
        select(OutboxMessage.status, func.count())
        .where(
            or_(
                and_(OutboxMessage.due_at >= start, OutboxMessage.due_at < start + timedelta(days=1)),
                and_(OutboxMessage.sent_at >= start, OutboxMessage.sent_at < start + timedelta(days=1)),
            )
        )
        .group_by(OutboxMessage.status)
    )
    return {row[0]: row[1] for row in rows}


def of_patient(patient_id: int, *, limit: int = 100) -> list[Line]:
    """Messages to a patient, the newest first."""
    newest = _WITH_NAMES.where(OutboxMessage.patient_id == patient_id).order_by(OutboxMessage.id.desc())
    return _lines(newest.limit(limit))


def was_told(appointment_ids: Sequence[int]) -> set[int]:
    """The visits of which the patient was told something, or may have been: a message was at least tried."""
    tried = or_(
        OutboxMessage.status.in_((*TOLD, MessageStatus.JOINED)),
        OutboxMessage.attempts > 0,
        OutboxMessage.id.in_(select(OutboxMessage.joined_to_id).where(OutboxMessage.joined_to_id.is_not(None))),
    )
    return set(
        session.scalars(
            select(OutboxMessage.appointment_id).where(OutboxMessage.appointment_id.in_(appointment_ids), tried)
        )
    )


# --- who was told what ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A visit of which its patient was told at a time that still stands."""

    appointment_id: int
    patient_id: int
    planned_time: datetime


_LEADER = aliased(OutboxMessage)
_LEFT = (MessageStatus.SENT, MessageStatus.DELIVERED)
#: When the message, or the one that it was told in, left.
_TOLD_AT = func.coalesce(_LEADER.sent_at, OutboxMessage.sent_at)
_HAS_LEFT = or_(
    OutboxMessage.status.in_(_LEFT), and_(OutboxMessage.status == MessageStatus.JOINED, _LEADER.status.in_(_LEFT))
)


def _told(*conditions: ColumnElement[bool]) -> list[tuple[Told, str, datetime]]:
    rows = session.execute(
        select(
            OutboxMessage.appointment_id,
            OutboxMessage.patient_id,
            OutboxMessage.planned_time,
            OutboxMessage.kind,
            _TOLD_AT.label("told_at"),
        )
        .join(Appointment, Appointment.id == OutboxMessage.appointment_id)
        .outerjoin(_LEADER, _LEADER.id == OutboxMessage.joined_to_id)
        .where(
            Appointment.status == AppointmentStatus.BOOKED,
            Appointment.starts_at == OutboxMessage.planned_time,
            Appointment.starts_at > clock.wall_now(),
            OutboxMessage.kind.in_(rules.INVITING),
            _HAS_LEFT,
            *conditions,
        )
        .order_by(OutboxMessage.planned_time, OutboxMessage.id)
    )
    return [(Told(row[0], row[1], row[2]), row.kind, row.told_at) for row in rows]


def told_on_phone(phone: str, at: datetime) -> list[Told]:
    """The coming visits of which somebody was told on this phone lately; the nearest first."""
    since = at - rules.REPLY_WITHIN < _TOLD_AT
    on_phone = func.coalesce(_LEADER.phone, OutboxMessage.phone) == phone
    return list(dict.fromkeys(told for told, _, _ in _told(on_phone, since)))


def told_but_not_noted() -> list[Told]:
    """Visits whose patients a message has asked to come, while the visit still says that nobody notified them."""
    hours = session.scalar(select(ClinicSetting.reminder_hours)) or 24
    waiting = Appointment.confirmation == Confirmation.NOT_NOTIFIED
    found = [
        told
        for told, kind, at in _told(waiting)
        if rules.counts_as_notice(kind, clock.wall(at), told.planned_time, hours)
    ]
    return list(dict.fromkeys(found))


def told_together(appointment_id: int, planned_time: datetime) -> list[int]:
    """The other visits that were told in the same message as this one at this time."""
    own = select(func.coalesce(OutboxMessage.joined_to_id, OutboxMessage.id)).where(
        OutboxMessage.appointment_id == appointment_id,
        OutboxMessage.planned_time == planned_time,
        OutboxMessage.kind.in_(rules.INVITING),
    )
    found = session.scalars(
        select(OutboxMessage.appointment_id)
        .where(or_(OutboxMessage.joined_to_id.in_(own), OutboxMessage.id.in_(own)))
        .distinct()
    )
    return sorted(pk for pk in found if pk != appointment_id)


def patients_of_phone(phone: str) -> list[int]:
    """Whose phone it is."""
    found = select(PatientPhone.patient_id).where(PatientPhone.number == phone).distinct()
    return sorted(session.scalars(found))


def written_to(phone: str) -> list[int]:
    """Who is written to on this phone: it is the first of theirs that takes messages."""
    other = aliased(PatientPhone)
    first = (
        select(func.min(other.id))
        .where(other.patient_id == PatientPhone.patient_id, other.for_sms.is_(True))
        .correlate(PatientPhone)
        .scalar_subquery()
    )
    found = select(PatientPhone.patient_id).where(PatientPhone.number == phone, PatientPhone.id == first)
    return sorted(session.scalars(found))


# --- what they answered ---------------------------------------------------------------------------------


def known_replies(gateway_ids: Sequence[str]) -> set[str]:
    """Those of the gateway's replies that have been taken."""
    found = select(IncomingMessage.gateway_id).where(IncomingMessage.gateway_id.in_(gateway_ids))
    return set(session.scalars(found)) if gateway_ids else set()


def waiting_replies() -> int:
    """How many replies nobody has looked at."""
    return session.scalar(select(func.count()).where(IncomingMessage.handled_at.is_(None))) or 0


@dataclass(frozen=True)
class ReplyLine:
    """A reply with who may have sent it: the patient, or everybody whose phone it is."""

    reply: IncomingMessage
    patients: list[tuple[int, str]]
    visit_at: datetime | None
    handled_by: str


def inbox(*, waiting: bool, limit: int, offset: int = 0) -> tuple[int, list[ReplyLine]]:
    """The replies, the newest first; with `waiting` only those that somebody must look at."""
    wanted = [IncomingMessage.handled_at.is_(None)] if waiting else []
    count = session.scalar(select(func.count(IncomingMessage.id)).where(*wanted)) or 0
    rows = session.execute(
        select(IncomingMessage, Appointment.starts_at, User.first_name, User.last_name)
        .outerjoin(Appointment, Appointment.id == IncomingMessage.appointment_id)
        .outerjoin(User, User.id == IncomingMessage.handled_by_id)
        .where(*wanted)
        .order_by(IncomingMessage.received_at.desc(), IncomingMessage.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    phones = {row[0].phone for row in rows}
    known = {row[0].patient_id for row in rows}
    owners = session.execute(
        select(PatientPhone.number, Patient.id, Patient.surname, Patient.name, Patient.patronymic)
        .join(Patient, Patient.id == PatientPhone.patient_id)
        .where(or_(PatientPhone.number.in_(phones), Patient.id.in_(known - {None})))
        .order_by(Patient.id)
    ).all()
    lines = []
    for reply, starts_at, first, last in rows:
        of = {
            row.id: " ".join(filter(None, (row.surname, row.name, row.patronymic)))
            for row in owners
            if (row.id == reply.patient_id if reply.patient_id else row.number == reply.phone)
        }
        lines.append(ReplyLine(reply, list(of.items()), starts_at, f"{first or ''} {last or ''}".strip()))
    return count, lines
