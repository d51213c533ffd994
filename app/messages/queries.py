"""The outbox as people look at it.

Where next: `operations.py` for who writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, func, or_, select

from app import clock
from app.db import session
from app.models import OutboxMessage, Patient
from app.vocab import MessageStatus

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
