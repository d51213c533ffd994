"""Planning messages for visits, and what became of sending them.

A booking plans its messages in its own transaction; a job claims one, sends it, and marks it, each in a
transaction of its own. Where next: `jobs.py` for who calls the gateway.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import session
from app.messages import rules
from app.messages.queries import TOLD
from app.models import (
    Appointment,
    Branch,
    ClinicSetting,
    Employee,
    LegalEntity,
    MessageTemplate,
    OutboxMessage,
    Patient,
    PatientConsent,
    PatientPhone,
    User,
)
from app.vocab import N_, ConsentKind, MessageKind, MessageStatus

#: Why a message was not sent although nobody called it off.
CHANGED = N_("Not sent: the visit had changed by then, or its time had passed.")


@dataclass(frozen=True)
class _Letter:
    """What is needed to write to the patient of a visit."""

    phone: str
    fields: dict[str, str]
    templates: dict[str, str]
    reminder_hours: int

    def body(self, kind: str) -> str | None:
        """The text of a kind; None when the clinic does not send this kind."""
        template = self.templates.get(kind)
        return rules.text(template, self.fields) if template else None


def _letter(visit: Appointment) -> _Letter | None:
    """Everything for the texts of a visit, in one statement; None when the patient is not written to."""
    templates = (
        select(func.json_object_agg(MessageTemplate.kind, MessageTemplate.body))
        .where(MessageTemplate.archived.is_(False))
        .scalar_subquery()
    )
    phone = (
        select(PatientPhone.number)
        .where(PatientPhone.patient_id == visit.patient_id, PatientPhone.for_sms.is_(True))
        .order_by(PatientPhone.id)
        .limit(1)
        .scalar_subquery()
    )

    def consent(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            PatientConsent.patient_id == visit.patient_id,
            PatientConsent.kind == ConsentKind.SERVICE_MESSAGES,
            *conditions,
        )

    stopped = and_(
        consent(PatientConsent.withdrawn_at.is_not(None)),
        ~consent(PatientConsent.withdrawn_at.is_(None)),
    )
    row = session.execute(
        select(
            phone.label("phone"),
            Patient.name,
            Patient.patronymic,
            Employee.surname,
            Employee.name.label("doctor_name"),
            Employee.patronymic.label("doctor_patronymic"),
            Branch.name.label("branch"),
            Branch.address,
            Branch.phone.label("branch_phone"),
            LegalEntity.short_name.label("clinic"),
            templates.label("templates"),
            select(ClinicSetting.reminder_hours).scalar_subquery().label("hours"),
        )
        .select_from(Patient)
        .join(Employee, Employee.id == visit.doctor_id)
        .join(Branch, Branch.id == visit.branch_id)
        .join(LegalEntity, LegalEntity.id == Branch.legal_entity_id)
        .where(Patient.id == visit.patient_id, ~stopped)
    ).one_or_none()
    if row is None or row.phone is None or not row.templates:
        return None
    initials = " ".join(f"{part[0]}." for part in (row.doctor_name, row.doctor_patronymic) if part)
    return _Letter(
        phone=row.phone,
        fields={
            "patient": f"{row.name} {row.patronymic}".strip(),
            "day": rules.day_in_words(visit.starts_at.date()),
            "time": f"{visit.starts_at:%H:%M}",
            "doctor": f"{row.surname} {initials}".strip(),
            "clinic": row.clinic,
            "branch": row.branch,
            "address": row.address,
            "phone": row.branch_phone,
        },
        templates=row.templates,
        reminder_hours=row.hours or 24,
    )


def _of_visit(visit: Appointment) -> list[OutboxMessage]:
    """The messages of a visit, locked, the oldest first."""
    return list(
        session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.appointment_id == visit.id)
            .order_by(OutboxMessage.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _call_off(messages: Iterable[OutboxMessage]) -> set[str]:
    """Call off what has not been sent; gives the kinds that were waiting."""
    waiting = [message for message in messages if message.status == MessageStatus.PENDING]
    for message in waiting:
        message.status = MessageStatus.CANCELLED
    session.flush()
    return {message.kind for message in waiting}


def _plan(visit: Appointment, letter: _Letter, planned: dict[MessageKind, datetime], actor: User | None) -> None:
    """Write the messages that are to be sent. One per visit, kind and time: a called-off one comes to life again."""
    rows = [
        {
            "kind": kind,
            "patient_id": visit.patient_id,
            "appointment_id": visit.id,
            "planned_time": visit.starts_at,
            "phone": letter.phone,
            "body": body[: rules.LONGEST_BODY],
            "status": MessageStatus.PENDING,
            "due_at": due,
            "created_by_id": actor.id if actor else None,
        }
        for kind, due in planned.items()
        if (body := letter.body(kind)) is not None
    ]
    if not rows:
        return
    new = insert(OutboxMessage).values(rows)
    fresh = {name: new.excluded[name] for name in ("phone", "body", "status", "due_at", "created_by_id")}
    session.execute(
        new.on_conflict_do_update(
            constraint="uq_outbox_message_once",
            set_={**fresh, "attempts": 0, "sending_since": None, "error": ""},
            where=OutboxMessage.status.not_in(TOLD),
        )
    )


def _knows(messages: list[OutboxMessage], visit: Appointment, letter: _Letter) -> bool:
    """Is the last thing that the patient was told about the visit what is so now?"""
    told = [message for message in messages if message.status in TOLD]
    if not told:
        return False
    last = max(told, key=lambda message: (message.sending_since or message.created_at, message.id))
    return (
        last.kind != MessageKind.CANCELLED
        and last.planned_time == visit.starts_at
        and last.body == letter.body(last.kind)
    )


def _announce(
    visit: Appointment, kinds: tuple[MessageKind, ...], before: list[OutboxMessage], actor: User | None
) -> None:
    """Tell the patient the time of the visit, and remind of it.

    The first of `kinds` that was not yet sent for this time is used: who was told of this time, then of another,
    must hear of it again. Nobody hears what he knows.
    """
    now = clock.now()
    if visit.starts_at <= clock.wall(now):
        return
    letter = _letter(visit)
    if letter is None:
        return
    planned: dict[MessageKind, datetime] = {}
    used = {m.kind for m in before if m.planned_time == visit.starts_at and m.status in TOLD}
    if not _knows(before, visit, letter):
        kind = next((kind for kind in kinds if kind not in used), None)
        if kind is not None:
            planned[kind] = now + rules.UNDO_WINDOW
    remind = rules.reminder_due(visit.starts_at, letter.reminder_hours, clock.wall(now))
    if remind is not None:
        planned[MessageKind.REMINDER] = remind.replace(tzinfo=clock.zone())
    _plan(visit, letter, planned, actor)


def plan_visit(appointment: Appointment, *, announce: bool = True, actor: User | None) -> None:
    """Plan the messages of a visit that was booked (or restored): a confirmation, and a reminder before it.

    Only for a patient with a phone for messages who has not asked to stop. The confirmation waits for the undo
    window. `announce` False: only the reminder, another message tells of this visit. Flushes, never commits; safe to
    repeat.
    """
    session.flush()
    before = _of_visit(appointment)
    _call_off(before)
    _announce(appointment, (MessageKind.BOOKED, MessageKind.MOVED) if announce else (), before, actor)


def replan_visit(appointment: Appointment, *, actor: User | None) -> None:
    """Plan anew after a move: the old texts are called off, the patient hears of the new time and is reminded of it.

    A booking that the patient was not yet told about is told as a booking, at the new time. A move there and
    back within the undo window is not told at all. Flushes, never commits.
    """
    session.flush()
    before = _of_visit(appointment)
    waiting = _call_off(before)
    kinds = (MessageKind.MOVED, MessageKind.BOOKED)
    untold = MessageKind.BOOKED in waiting and not any(message.status in TOLD for message in before)
    _announce(appointment, kinds[::-1] if untold else kinds, before, actor)


def call_off_visit(appointment: Appointment, *, actor: User | None) -> None:
    """Call off what was planned for a cancelled visit and tell the patient about the cancellation.

    Nothing is told when the booking itself had not been told yet. Flushes, never commits.
    """
    session.flush()
    before = _of_visit(appointment)
    waiting = _call_off(before)
    untold = MessageKind.BOOKED in waiting and not any(message.status in TOLD for message in before)
    now = clock.now()
    if untold or appointment.starts_at <= clock.wall(now):
        return
    letter = _letter(appointment)
    if letter is not None:
        _plan(appointment, letter, {MessageKind.CANCELLED: now + rules.UNDO_WINDOW}, actor)


def forget_visit(appointment_id: int) -> None:
    """Throw away the messages of a booking that is being taken back before any of them was tried.

    Who took it back must have locked the visit and asked `queries.was_told`. Flushes, never commits.
    """
    session.execute(delete(OutboxMessage).where(OutboxMessage.appointment_id == appointment_id))


def add_first_templates() -> None:
    """Give a clinic that has no templates at all the ones that every clinic starts with."""
    if session.scalar(select(func.count()).select_from(MessageTemplate)) == 0:
        session.add_all(
            MessageTemplate(kind=kind, name=name, body=body) for kind, (name, body) in rules.FIRST_TEMPLATES.items()
        )
        session.flush()


# --- sending ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A message that this worker, and no other, is sending. `ask_first`: an earlier attempt may have got through."""

    id: int
    phone: str
    body: str
    since: datetime
    ask_first: bool
    #: False: only ask what became of it; it must not be sent any more.
    may_send: bool = True


def due(now: datetime, stale: timedelta, *, limit: int = 500) -> list[int]:
    """Messages to be sent now, and those whose worker died while sending."""
    return list(
        session.scalars(
            select(OutboxMessage.id)
            .where(_ready(now, stale))
            .order_by(OutboxMessage.due_at, OutboxMessage.id)
            .limit(limit)
        )
    )


def _ready(now: datetime, stale: timedelta) -> ColumnElement[bool]:
    return or_(
        OutboxMessage.status == MessageStatus.PENDING,
        and_(OutboxMessage.status == MessageStatus.SENDING, OutboxMessage.sending_since <= now - stale),
    ) & (OutboxMessage.due_at <= now)


def claim(message_id: int, stale: timedelta) -> Claim | None:
    """Take a message for sending; None when it is not due, another worker has it, or its text is no longer true.

    Locks the row without waiting. The caller commits before it calls the gateway.
    """
    now = clock.now()
    row = session.execute(
        select(OutboxMessage, Appointment.status, Appointment.starts_at)
        .join(Appointment, Appointment.id == OutboxMessage.appointment_id)
        .where(OutboxMessage.id == message_id, _ready(now, stale))
        .with_for_update(of=OutboxMessage, skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    message, status, starts_at = row
    tried = message.status == MessageStatus.SENDING or message.attempts > 0
    true = rules.still_true(message.kind, message.planned_time, status=status, starts_at=starts_at, now=clock.wall(now))
    if not true and not tried:
        message.status = MessageStatus.CANCELLED
        message.error = CHANGED
        session.flush()
        return None
    message.status = MessageStatus.SENDING
    message.sending_since = now
    message.attempts = min(message.attempts + 1, 30_000)
    session.flush()
    return Claim(message.id, message.phone, message.body, now, ask_first=tried, may_send=true)


def _mine(claim: Claim) -> OutboxMessage | None:
    """The message of a claim, locked; None when another worker took it over."""
    return session.scalar(
        select(OutboxMessage)
        .where(
            OutboxMessage.id == claim.id,
            OutboxMessage.status == MessageStatus.SENDING,
            OutboxMessage.sending_since == claim.since,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def mark_sent(claim: Claim, *, parts: int | None = None, price: Decimal | None = None) -> None:
    """Write down that the gateway has taken the message."""
    message = _mine(claim)
    if message is None:
        return
    message.status = MessageStatus.SENT
    message.sent_at = clock.now()
    message.parts = parts if parts is not None else rules.parts(message.body)
    message.price = price
    message.error = ""
    after = {"kind": message.kind, "phone": message.phone, "appointment_id": message.appointment_id}
    audit.record("message.sent", message, after=after, patient_id=message.patient_id, actor=None)
    session.flush()


def mark_untaken(claim: Claim, why: str, *, final: bool) -> None:
    """The gateway certainly has not got the message: try again later, or give up with a readable reason.

    `why` is a message id of the catalogue.
    """
    message = _mine(claim)
    if message is None:
        return
    message.error = why
    pause = rules.pause_after(message.attempts)
    if not claim.may_send:
        message.status = MessageStatus.CANCELLED
    elif final or pause is None:
        message.status = MessageStatus.FAILED
        after = {"kind": message.kind, "error": why, "appointment_id": message.appointment_id}
        audit.record("message.failed", message, after=after, patient_id=message.patient_id, actor=None)
    else:
        message.status = MessageStatus.PENDING
        message.due_at = clock.now() + pause
    session.flush()


def mark_unknown(claim: Claim, why: str) -> None:
    """Nobody knows whether the gateway has got it: it stays as being sent, and the sweep asks later."""
    message = _mine(claim)
    if message is None:
        return
    message.error = why
    pause = rules.pause_after(message.attempts)
    if pause is not None:
        message.due_at = clock.now() + pause
    else:
        message.status = MessageStatus.FAILED
        after = {"kind": message.kind, "error": why, "appointment_id": message.appointment_id}
        audit.record("message.failed", message, after=after, patient_id=message.patient_id, actor=None)
    session.flush()
