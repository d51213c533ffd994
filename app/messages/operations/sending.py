"""Sending: who claims a message, what it says at that moment, and what became of it.

A claim is fenced: only the worker that holds it may mark the message. The text is made when the message leaves, from
what is so then, and tells of all visits of the patient on that day that wait for the same kind of message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, update

from app import audit, clock
from app.db import lock_word, session
from app.messages import rules
from app.messages.operations.answers import link_of
from app.messages.operations.letters import NO_TEXT, Letter, instant, letter, text_for
from app.messages.operations.planning import release
from app.models import Appointment, OutboxMessage
from app.vocab import N_, MessageKind, MessageStatus

#: Why a message was not sent although nobody called it off.
CHANGED = N_("Not sent: the visit had changed by then, or its time had passed.")
_ROUND = 100_000_000  # the gateway takes references up to 2**31


@dataclass(frozen=True)
class Claim:
    """A message that this worker, and no other, is sending. `ask_first`: an earlier attempt may have got through."""

    id: int
    phone: str
    body: str
    since: datetime
    ask_first: bool
    #: What the gateway knows the message by: the row's number, another one each time it is sent again by hand.
    reference: int


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


def reference_of(message: OutboxMessage) -> int:
    return message.id + message.resends * _ROUND


def claim(message_id: int, stale: timedelta, *, public_url: str = "") -> Claim | None:
    """Take a message for sending; None when it is not due, another worker has it, or its text is no longer true.

    One claim at a time for a patient's day, so that two workers do not tell the same day in two messages. Locks the
    row without waiting. The caller commits before it calls the gateway, and with `ask_first` asks `prepare` before it
    sends.
    """
    _one_at_a_time(message_id)
    now = clock.now()
    message = session.scalar(
        select(OutboxMessage)
        .where(OutboxMessage.id == message_id, _ready(now, stale))
        .with_for_update(of=OutboxMessage, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if message is None:
        return None
    tried = message.status == MessageStatus.SENDING or message.attempts > 0
    if not tried and not _make_text(message, now, public_url):
        session.flush()
        return None
    message.status = MessageStatus.SENDING
    message.sending_since = now
    message.attempts = min(message.attempts + 1, 30_000)
    session.flush()
    return Claim(message.id, message.phone, message.body, now, tried, reference_of(message))


def prepare(claim: Claim, *, public_url: str = "") -> Claim | None:
    """What a message that certainly never got through says now; None when it must not be sent any more.

    Flushes; the caller commits before it calls the gateway.
    """
    _one_at_a_time(claim.id)
    message = _mine(claim)
    if message is None or not _make_text(message, clock.now(), public_url):
        session.flush()
        return None
    session.flush()
    return Claim(claim.id, message.phone, message.body, claim.since, claim.ask_first, claim.reference)


def _one_at_a_time(message_id: int) -> None:
    of = session.execute(
        select(OutboxMessage.patient_id, OutboxMessage.planned_time).where(OutboxMessage.id == message_id)
    ).one_or_none()
    if of is not None:
        lock_word(f"messages {of.patient_id} {of.planned_time:%Y-%m-%d}")


# --- what it says -------------------------------------------------------------------------------------


def _make_text(message: OutboxMessage, now: datetime, public_url: str) -> bool:
    """Write what the message says now, for all visits that it tells of; False when it does not leave now."""
    wall = clock.wall(now)
    visit = session.get_one(Appointment, message.appointment_id, populate_existing=True)
    written = letter(visit)
    why_not = written.why_not
    if not rules.still_true(
        message.kind, message.planned_time, status=visit.status, starts_at=visit.starts_at, now=wall
    ):
        why_not = CHANGED
    elif message.kind != MessageKind.ASK and message.kind not in written.templates:
        why_not = why_not or NO_TEXT
    if why_not:
        message.status, message.error = MessageStatus.CANCELLED, why_not
        session.flush()
        release([message.id])
        return False
    if not written.sending.holds(wall):
        message.status, message.sending_since = MessageStatus.PENDING, None
        message.due_at = instant(rules.in_hours(wall, written.sending))
        return False
    others, complete = _told_too(message, wall)
    message.phone = written.phone
    if message.kind == MessageKind.ASK:
        _keep_words(message, complete)
    else:
        _write(message, visit, written, others, public_url)
    return True


def _told_too(message: OutboxMessage, wall: datetime) -> tuple[list[tuple[OutboxMessage, Appointment]], bool]:
    """Other messages to the same patient about the same day, locked: joined already, or waiting for the same kind.

    What was joined and is no longer so leaves the message; then the second answer is False. Who is changing such a
    visit right now will tell of it anew.
    """
    joined = session.scalar(select(func.count()).where(OutboxMessage.joined_to_id == message.id)) or 0
    day = datetime.combine(message.planned_time.date(), time())
    waiting = and_(OutboxMessage.status == MessageStatus.PENDING, OutboxMessage.attempts == 0)
    if message.kind == MessageKind.ASK:
        waiting = literal(False)  # what people write is told together only when they wrote it together
    rows = session.execute(
        select(OutboxMessage, Appointment)
        .join(Appointment, Appointment.id == OutboxMessage.appointment_id)
        .where(
            OutboxMessage.patient_id == message.patient_id,
            OutboxMessage.kind == message.kind,
            OutboxMessage.id != message.id,
            OutboxMessage.planned_time >= day,
            OutboxMessage.planned_time < day + timedelta(days=1),
            or_(OutboxMessage.joined_to_id == message.id, waiting),
        )
        .order_by(OutboxMessage.id)
        .with_for_update(of=OutboxMessage, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    told, kept = [], 0
    for other, visit in rows:
        if rules.still_true(other.kind, other.planned_time, status=visit.status, starts_at=visit.starts_at, now=wall):
            kept += other.joined_to_id is not None
            told.append((other, visit))
        elif other.joined_to_id is not None:
            other.status, other.joined_to_id, other.error = MessageStatus.CANCELLED, None, CHANGED
    session.flush()
    return told, kept == joined


def _write(
    message: OutboxMessage,
    visit: Appointment,
    written: Letter,
    others: Sequence[tuple[OutboxMessage, Appointment]],
    public_url: str,
) -> None:
    template = written.templates[message.kind]
    link = link_of(visit, public_url) if public_url and "{link}" in template else ""
    letters = [written]
    for other, its_visit in others:
        its_letter = letter(its_visit)
        letters.append(its_letter)
        other.status, other.joined_to_id = MessageStatus.JOINED, message.id
        other.phone = written.phone
        other.said = other.body = its_letter.body(other.kind) or other.body
    message.said = written.body(message.kind) or ""
    message.body = text_for(letters, template, link) or message.said


def _keep_words(message: OutboxMessage, complete: bool) -> None:
    """The words of a person stay as they are, unless they name a visit that is no longer so."""
    if not complete:
        message.body = message.said
        session.flush()
        release([message.id])


# --- what became of it ----------------------------------------------------------------------------------


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
    message.asked_at = None
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
    pause = rules.pause_after(message.attempts)
    if final or pause is None:
        _fail(message, why)
    else:
        message.error = why
        message.status = MessageStatus.PENDING
        message.due_at = clock.now() + pause
    session.flush()


def mark_unknown(claim: Claim, why: str) -> None:
    """Nobody knows whether the gateway has got it: it stays as being sent, and the sweep asks later."""
    message = _mine(claim)
    if message is None:
        return
    pause = rules.pause_after(message.attempts)
    if pause is None:
        _fail(message, why)
    else:
        message.error = why
        message.due_at = clock.now() + pause
    session.flush()


def mark_undelivered(claim: Claim, why: str) -> None:
    """The gateway took it in an earlier attempt, and could not deliver it."""
    message = _mine(claim)
    if message is not None:
        message.sent_at = message.sending_since
        _fail(message, why)
        session.flush()


def _fail(message: OutboxMessage, why: str) -> None:
    """Nothing more is tried; whose visits were told in it have not been told either."""
    message.status, message.error = MessageStatus.FAILED, why
    session.flush()
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.joined_to_id == message.id)
        .values(status=MessageStatus.FAILED, joined_to_id=None, error=why),
        execution_options={"synchronize_session": False},
    )
    after = {"kind": message.kind, "error": why, "appointment_id": message.appointment_id}
    audit.record("message.failed", message, after=after, patient_id=message.patient_id, actor=None)


# --- was it delivered -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnTheWay:
    """A message that the gateway took, and of which it is not known yet whether it was delivered."""

    id: int
    phone: str
    reference: int


def undelivered(now: datetime, *, limit: int = 200) -> list[OnTheWay]:
    """Whose delivery is to be asked about now: often at first, rarely later, after some days no more."""
    age = func.extract("epoch", literal(now) - OutboxMessage.sent_at)
    since = func.extract("epoch", literal(now) - OutboxMessage.asked_at)
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.status == MessageStatus.SENT,
            OutboxMessage.sent_at > now - rules.DELIVERY_KNOWN_WITHIN,
            or_(OutboxMessage.asked_at.is_(None), since >= func.greatest(60, age / 4)),
        )
        .order_by(OutboxMessage.sent_at)
        .limit(limit)
    )
    return [OnTheWay(row.id, row.phone, reference_of(row)) for row in rows]


def _on_the_way(sent: OnTheWay) -> OutboxMessage | None:
    """It, locked; None when meanwhile it is known, or was sent again."""
    message = session.scalar(
        select(OutboxMessage)
        .where(OutboxMessage.id == sent.id, OutboxMessage.status == MessageStatus.SENT)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return message if message is not None and reference_of(message) == sent.reference else None


def mark_asked(sent: OnTheWay) -> None:
    """The gateway does not know yet."""
    message = _on_the_way(sent)
    if message is not None:
        message.asked_at = clock.now()
        session.flush()


def mark_delivered(sent: OnTheWay) -> None:
    """It is on the patient's phone."""
    message = _on_the_way(sent)
    if message is not None:
        message.status = MessageStatus.DELIVERED
        session.flush()


def mark_lost(sent: OnTheWay, why: str) -> None:
    """It never came to the phone."""
    message = _on_the_way(sent)
    if message is not None:
        _fail(message, why)
        session.flush()
