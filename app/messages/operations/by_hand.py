"""What people send: a text of their own to the patients of some visits, and a failed message once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import lock, session
from app.errors import CannotWrite, Invalid, NotFound
from app.messages import rules
from app.messages.operations.answers import link_of
from app.messages.operations.letters import Letter, instant, letter, text_for
from app.messages.operations.sending import CHANGED
from app.models import Appointment, OutboxMessage, User
from app.vocab import N_, AppointmentStatus, MessageKind, MessageStatus

OVER = N_("The visit has begun, or is not booked any more.")
TWICE = N_("A message about this time has been written by hand already.")


@dataclass(frozen=True)
class Written:
    """What became of the wish to write about a visit: the message, or the sentence why not (a message id)."""

    appointment_id: int
    message_id: int | None
    why_not: str = ""
    due_at: datetime | None = None


def write(appointment_ids: Sequence[int], template: str, *, public_url: str = "", actor: User | None) -> list[Written]:
    """Write a text to the patients of some visits; one message for all visits of a patient on a day.

    `template` may use the fields of the clinic's texts. One message by hand per visit and planned time, whoever
    writes; none to whom asked not to be written to. It leaves at once, or in the morning. Locks the visits. Records
    `message.written`. Flushes, never commits.

    Raises:
        Invalid: the text is empty, too long, or names a field that there is not.
    """
    _check(template)
    visits = session.scalars(
        select(Appointment)
        .where(Appointment.id.in_(appointment_ids))
        .order_by(Appointment.id)
        .with_for_update(of=Appointment)
        .execution_options(populate_existing=True)
    ).all()
    written: dict[int, Written] = {}

    def day_of(visit: Appointment) -> tuple[int, date]:
        return visit.patient_id, visit.starts_at.date()

    for _, group in groupby(sorted(visits, key=lambda visit: (*day_of(visit), visit.starts_at)), day_of):
        for one in _write_about_a_day(list(group), template, public_url, actor):
            written[one.appointment_id] = one
    return [written[pk] for pk in dict.fromkeys(appointment_ids) if pk in written]


def _check(template: str) -> None:
    if not template.strip():
        raise Invalid(fields={"body": N_("Write the text.")})
    if len(template) > rules.LONGEST_BODY:
        raise Invalid(fields={"body": N_("This text is too long.")})
    if rules.unknown_fields(template):
        raise Invalid(fields={"body": N_("The text names a field that there is not: look at the list of fields.")})


def _write_about_a_day(
    visits: Sequence[Appointment], template: str, public_url: str, actor: User | None
) -> list[Written]:
    """To one patient about one day: the first message that can be written tells of all."""
    now = clock.wall_now()
    answers, told = [], []
    for visit in visits:
        written = letter(visit)
        why_not = written.why_not
        if visit.status != AppointmentStatus.BOOKED or visit.starts_at <= now:
            why_not = OVER
        pk = None if why_not else _row(visit, written, template, actor)
        if pk is None:
            answers.append(Written(visit.id, None, why_not or TWICE))
        else:
            told.append((pk, visit, written))
    if not told:
        return answers
    leader_id, first, written = told[0]
    link = link_of(first, public_url) if "{link}" in template else ""
    body = text_for([one for _, _, one in told], template, link) or ""
    for pk, visit, one in told:
        message = session.get_one(OutboxMessage, pk, populate_existing=True)
        message.said = message.body = text_for([one], template, link if visit is first else "") or ""
        if pk == leader_id:
            message.body = body
        else:
            message.status, message.joined_to_id = MessageStatus.JOINED, leader_id
        after = {"kind": message.kind, "phone": message.phone, "appointment_id": visit.id, "text": body}
        audit.record("message.written", message, after=after, patient_id=visit.patient_id, actor=actor)
        answers.append(Written(visit.id, leader_id, due_at=message.due_at))
    session.flush()
    return answers


def _row(visit: Appointment, written: Letter, template: str, actor: User | None) -> int | None:
    """The message of this visit and time, waiting to be sent; None when there is one already."""
    due = rules.in_hours(clock.wall_now(), written.sending)
    values: dict[str, Any] = {
        "phone": written.phone, "body": template, "said": template, "status": MessageStatus.PENDING,
        "due_at": instant(due), "created_by_id": actor.id if actor else None,
    }  # fmt: skip
    new = insert(OutboxMessage).values(
        kind=MessageKind.ASK, patient_id=visit.patient_id, appointment_id=visit.id, planned_time=visit.starts_at,
        created_at=clock.now(), **values,
    )  # fmt: skip
    return session.scalar(
        new.on_conflict_do_update(
            constraint="uq_outbox_message_once",
            set_={**values, "sending_since": None, "error": ""},
            where=OutboxMessage.status == MessageStatus.CANCELLED,
        ).returning(OutboxMessage.id)
    )


def send_again(message_id: int, *, actor: User) -> OutboxMessage:
    """Try a message once more that was not sent, or not delivered; and what was to be told with it.

    What the gateway took but could not deliver goes out under a new reference; of what nobody knows the gateway is
    asked first, so nothing arrives twice. Records `message.again`. Flushes, never commits.

    Raises:
        NotFound
        CannotWrite: it is not a failed one, what it says is no longer so, or the patient does not want it.
    """
    message = lock(OutboxMessage, message_id)
    if message is None:
        raise NotFound()
    visit = session.get_one(Appointment, message.appointment_id)
    written = letter(visit)
    now = clock.wall_now()
    if message.status != MessageStatus.FAILED:
        raise CannotWrite({"why": N_("Only a message that was not sent can be sent again.")})
    if not rules.still_true(
        message.kind, message.planned_time, status=visit.status, starts_at=visit.starts_at, now=now
    ):
        raise CannotWrite({"why": CHANGED})
    if written.why_not:
        raise CannotWrite({"why": written.why_not})
    if message.sent_at is not None:
        message.resends += 1
        message.attempts, message.sent_at = 0, None
    message.status, message.error = MessageStatus.PENDING, ""
    message.phone = written.phone
    message.due_at = instant(rules.in_hours(now, written.sending))
    _with_it(message)
    after = {"kind": message.kind, "phone": message.phone, "appointment_id": message.appointment_id}
    audit.record("message.again", message, after=after, patient_id=message.patient_id, actor=actor)
    session.flush()
    return message


def _with_it(message: OutboxMessage) -> None:
    """The visits that were to be told in a failed message wait again to be told in it."""
    day = datetime.combine(message.planned_time.date(), time())
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.patient_id == message.patient_id,
            OutboxMessage.kind == message.kind,
            OutboxMessage.planned_time >= day,
            OutboxMessage.planned_time < day + timedelta(days=1),
            OutboxMessage.status == MessageStatus.FAILED,
            OutboxMessage.attempts == 0,
            OutboxMessage.id != message.id,
        )
        .values(status=MessageStatus.PENDING, error="", due_at=message.due_at),
        execution_options={"synchronize_session": False},
    )
