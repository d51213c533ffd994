"""What patients answer: replies as the gateway gives them, the link in a message, and «стоп».

What an answer means for the visit is the schedule's business (`app/schedule/operations/notifying.py`).
"""

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import lock, session
from app.errors import NotFound
from app.messages.operations.letters import STOPPED
from app.models import Appointment, ConfirmLink, IncomingMessage, OutboxMessage, Patient, PatientConsent, User
from app.vocab import ConsentKind, MessageStatus, ReplyMeaning

#: Letters and digits that nobody confuses; twelve of them cannot be guessed (68 bits).
_ALPHABET = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_TOKEN = 12
LONGEST_REPLY = 2000


def link_of(visit: Appointment, public_url: str) -> str:
    """The address where the patient answers about this visit at this time; empty when the clinic has no such page."""
    if not public_url:
        return ""
    made = (
        insert(ConfirmLink)
        .values(
            token="".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN)),
            appointment_id=visit.id,
            planned_time=visit.starts_at,
            created_at=clock.now(),
        )
        .on_conflict_do_update(
            constraint="uq_confirm_link_one_per_time", set_={"appointment_id": ConfirmLink.appointment_id}
        )
        .returning(ConfirmLink.token)
    )
    return f"{public_url}/c/{session.execute(made).scalar_one()}"


def mark_answered(link: ConfirmLink) -> None:
    """The link has been answered: it does nothing more."""
    link.answered_at = clock.now()
    session.flush()


def take_in(
    gateway_id: str, phone: str, body: str, received_at: datetime, meaning: ReplyMeaning
) -> IncomingMessage | None:
    """Write a reply down, once; None when it has been taken before. It waits for the desk until it is understood."""
    new = (
        insert(IncomingMessage)
        .values(
            gateway_id=gateway_id, phone=phone[:20], body=body.replace("\0", "")[:LONGEST_REPLY],
            received_at=received_at, meaning=meaning,
        )
        .on_conflict_do_nothing(constraint="uq_incoming_message_once")
        .returning(IncomingMessage)
    )  # fmt: skip
    return session.scalars(new).one_or_none()


def understood(
    reply: IncomingMessage, *, patient_id: int | None, appointment_id: int | None = None, handled: bool
) -> None:
    """Whose reply it is, about which visit, and whether nobody at the desk has to look at it."""
    reply.patient_id, reply.appointment_id = patient_id, appointment_id
    if handled:
        reply.handled_at = clock.now()
    session.flush()


def handle(incoming_id: int, *, actor: User) -> IncomingMessage:
    """Somebody at the desk has looked at a reply; twice is the same as once. Records `reply.handled`.

    Raises:
        NotFound
    """
    reply = lock(IncomingMessage, incoming_id)
    if reply is None:
        raise NotFound()
    if reply.handled_at is None:
        reply.handled_at, reply.handled_by_id = clock.now(), actor.id
        session.flush()
        audit.record("reply.handled", reply, after={"comment": reply.body}, patient_id=reply.patient_id, actor=actor)
    return reply


def stop_writing(patient_ids: list[int], *, actor: User | None) -> None:
    """These patients do not want messages about visits any more: from now on nothing is sent.

    The consent is withdrawn (noted as withdrawn where none was kept), what waits is called off. Records
    `consent.withdrawn` for each. Flushes, never commits.
    """
    for patient_id in sorted(set(patient_ids)):
        patient = lock(Patient, patient_id)
        if patient is None:
            continue
        now = clock.now()
        in_force = update(PatientConsent).where(
            PatientConsent.patient_id == patient_id,
            PatientConsent.kind == ConsentKind.SERVICE_MESSAGES,
            PatientConsent.withdrawn_at.is_(None),
        )
        ended = session.execute(in_force.values(withdrawn_at=now).returning(PatientConsent.id)).all()
        if not ended and not _has_stopped(patient_id):
            session.add(
                PatientConsent(
                    patient_id=patient_id, kind=ConsentKind.SERVICE_MESSAGES, given_on=clock.today(), withdrawn_at=now,
                    created_by_id=actor.id if actor else None,
                )
            )  # fmt: skip
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.patient_id == patient_id,
                OutboxMessage.status.in_((MessageStatus.PENDING, MessageStatus.JOINED)),
                OutboxMessage.joined_to_id.is_(None) | OutboxMessage.joined_to_id.in_(_waiting(patient_id)),
            )
            .values(status=MessageStatus.CANCELLED, joined_to_id=None, error=STOPPED),
            execution_options={"synchronize_session": False},
        )
        audit.record("consent.withdrawn", patient, patient_id=patient_id, actor=actor)
        session.flush()


def _waiting(patient_id: int):  # type: ignore[no-untyped-def]  # the messages that wait to be sent
    return select(OutboxMessage.id).where(
        OutboxMessage.patient_id == patient_id, OutboxMessage.status == MessageStatus.PENDING
    )


def _has_stopped(patient_id: int) -> bool:
    found = select(PatientConsent.id).where(
        PatientConsent.patient_id == patient_id,
        PatientConsent.kind == ConsentKind.SERVICE_MESSAGES,
        PatientConsent.withdrawn_at.is_not(None),
    )
    return session.scalars(found.limit(1)).first() is not None
