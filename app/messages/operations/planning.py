"""What messages a visit has: planned when it is booked, anew when it moves, called off when it is cancelled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ARRAY, DateTime, Integer, Text, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from app import clock
from app.db import Fixed, given, session
from app.messages import rules
from app.messages.operations.letters import Letter, instant, letter
from app.messages.queries import TOLD
from app.models import Appointment, MessageTemplate, OutboxMessage, User
from app.vocab import MessageKind, MessageStatus


@dataclass(frozen=True)
class _Past:
    """The messages of a visit, locked: what the patient was told, or may have been, and the kinds that still waited."""

    told: list[OutboxMessage]
    waited: set[str]

    @property
    def untold(self) -> bool:
        """The booking was still waiting to be told, and nothing else had been."""
        return MessageKind.BOOKED in self.waited and not self.told


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


def _call_off(visit: Appointment) -> _Past:
    """Call off what has not been sent of a visit. What was to be told in one message with it goes by itself."""
    messages = _of_visit(visit)
    joined = {message.joined_to_id for message in messages if message.joined_to_id is not None}
    # After the lock, so that it is what is so now: the message that tells of this visit too may be on its way.
    waiting_leaders = set(
        session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.id.in_(joined), OutboxMessage.status == MessageStatus.PENDING)
        )
        if joined
        else ()
    )
    waiting = [
        message
        for message in messages
        if message.status == MessageStatus.PENDING or message.joined_to_id in waiting_leaders
    ]
    told = [
        message
        for message in messages
        if message.status in TOLD or (message.status == MessageStatus.JOINED and message not in waiting)
    ]
    left = [m.joined_to_id for m in waiting if m.joined_to_id is not None and m.kind == MessageKind.ASK]
    for message in waiting:
        message.status, message.joined_to_id = MessageStatus.CANCELLED, None
    session.flush()
    if left:
        # What a person wrote for several visits names this one too: each of the others is told by itself.
        alone = update(OutboxMessage).where(OutboxMessage.id.in_(left), OutboxMessage.status == MessageStatus.PENDING)
        session.execute(alone.values(body=OutboxMessage.said), execution_options={"synchronize_session": False})
        release(left)
    if waiting:
        release([message.id for message in waiting])
    return _Past(told, {message.kind for message in waiting})


def release(leaders: Iterable[int]) -> None:
    """Let those who were to be told in these messages be told by themselves."""
    mine = select(OutboxMessage.id).where(OutboxMessage.joined_to_id.in_(list(leaders)))
    session.execute(
        update(OutboxMessage)
        # Whoever holds such a row is changing that visit right now, and sees for himself that nothing was told.
        .where(OutboxMessage.id.in_(mine.with_for_update(skip_locked=True)))
        .values(status=MessageStatus.PENDING, joined_to_id=None, due_at=clock.now()),
        execution_options={"synchronize_session": False},
    )


def _plan(visit: Appointment, letter: Letter, planned: dict[MessageKind, datetime], actor: User | None) -> None:
    """Write the messages that are to be sent. One per visit, kind and time: a called-off one comes to life again.

    What else is to be told about that day to this patient waits until this change can no longer be undone, so that one
    text tells of all.
    """
    texts = [
        (str(kind), body, instant(due)) for kind, due in planned.items() if (body := letter.body(kind)) is not None
    ]
    if not texts:
        return
    kinds, bodies, dues = zip(*texts, strict=True)
    day = datetime.combine(visit.starts_at.date(), time())
    _WRITE(
        kinds=list(kinds), bodies=list(bodies), dues=list(dues), patient=visit.patient_id, visit=visit.id,
        planned_time=visit.starts_at, phone=letter.phone, actor=actor.id if actor else None, day=day,
        next_day=day + timedelta(days=1),
        until=instant(rules.in_hours(clock.wall_now() + rules.UNDO_WINDOW, letter.sending)),
    )  # fmt: skip


def _write() -> Insert:
    """The rows of `_plan`, and the others of that day that wait for it, in one statement."""
    patient, visit = given("patient", Integer), given("visit", Integer)
    others = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.patient_id == patient,
            OutboxMessage.appointment_id != visit,
            OutboxMessage.status == MessageStatus.PENDING,
            OutboxMessage.attempts == 0,
            OutboxMessage.planned_time >= given("day"),
            OutboxMessage.planned_time < given("next_day"),
            OutboxMessage.due_at < given("until"),
        )
        .with_for_update(skip_locked=True)
    )
    others_wait = (
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(others))
        .values(due_at=given("until"))
        .returning(OutboxMessage.id)
        .cte("others_wait")
    )
    texts = (
        func.unnest(
            given("kinds", ARRAY(Text)),
            given("bodies", ARRAY(Text)),
            given("dues", ARRAY(DateTime(timezone=True))),
        )
        .table_valued("kind", "body", "due_at")
        .render_derived(name="texts")
    )
    rows: dict[str, Any] = {
        "kind": texts.c.kind,
        "patient_id": patient,
        "appointment_id": visit,
        "planned_time": given("planned_time", DateTime()),
        "phone": given("phone", Text),
        "body": texts.c.body,
        "said": texts.c.body,
        "status": literal(str(MessageStatus.PENDING)),
        "due_at": texts.c.due_at,
        "attempts": literal(0),
        "resends": literal(0),
        "error": literal(""),
        "created_by_id": given("actor", Integer),
    }
    new = insert(OutboxMessage).from_select(list(rows), select(*rows.values()).select_from(texts))
    fresh = {name: new.excluded[name] for name in ("phone", "body", "said", "status", "due_at", "created_by_id")}
    return new.on_conflict_do_update(
        constraint="uq_outbox_message_once",
        set_={**fresh, "attempts": 0, "sending_since": None, "error": ""},
        where=OutboxMessage.status.not_in((*TOLD, MessageStatus.JOINED)),
    ).add_cte(others_wait)


_WRITE = Fixed(_write())


def _knows(told: list[OutboxMessage], visit: Appointment, letter: Letter) -> bool:
    """Is the last thing that the patient was told about the visit what is so now?"""
    if not told:
        return False

    def when(message: OutboxMessage) -> tuple[datetime, int]:
        return message.sending_since or message.created_at, message.id

    last = max(told, key=when)
    if last.kind in (MessageKind.CANCELLED, MessageKind.NO_SHOW) or last.planned_time != visit.starts_at:
        return False
    # What a person wrote cannot be compared; then what the desk's own text said before it counts.
    own = [one for one in told if one.kind != MessageKind.ASK and one.planned_time == visit.starts_at]
    if not own:
        return True
    last = max(own, key=when)
    return last.said == letter.body(last.kind)


def _announce(visit: Appointment, kinds: tuple[MessageKind, ...], past: _Past, actor: User | None) -> None:
    """Tell the patient the time of the visit, and remind of it.

    The first of `kinds` that was not yet sent for this time is used: who was told of this time, then of another,
    must hear of it again. Nobody hears what he knows. Nothing leaves at night.
    """
    now = clock.wall_now()
    if visit.starts_at <= now:
        return
    written = letter(visit)
    if written.why_not:
        return
    planned: dict[MessageKind, datetime] = {}
    used = {m.kind for m in past.told if m.planned_time == visit.starts_at}
    due = rules.in_hours(now + rules.UNDO_WINDOW, written.sending)
    if due < visit.starts_at and not _knows(past.told, visit, written):
        kind = next((kind for kind in kinds if kind not in used), None)
        if kind is not None:
            planned[kind] = due
    remind = rules.reminder_due(visit.starts_at, written.reminder_hours, now, written.sending)
    if remind is not None:
        planned[MessageKind.REMINDER] = remind
    if written.second_reminder_hours:
        again = rules.reminder_due(visit.starts_at, written.second_reminder_hours, now, written.sending)
        if again is not None and again != remind:
            planned[MessageKind.SECOND_REMINDER] = again
    _plan(visit, written, planned, actor)


def plan_visit(appointment: Appointment, *, fresh: bool = False, announce: bool = True, actor: User | None) -> None:
    """Plan the messages of a visit that was booked (or restored): a confirmation, and reminders before it.

    Only for a patient with a phone for messages who has not asked to stop. The confirmation waits for the undo
    window. `announce` False: only the reminders, another message tells of this visit. `fresh`: the visit was made in
    this transaction, so nothing was planned for it and nobody else sees it. Flushes, never commits; safe to repeat.
    """
    session.flush()
    past = _Past([], set()) if fresh else _call_off(appointment)
    _announce(appointment, (MessageKind.BOOKED, MessageKind.MOVED) if announce else (), past, actor)


def replan_visit(appointment: Appointment, *, actor: User | None) -> None:
    """Plan anew after a move: the old texts are called off, the patient hears of the new time and is reminded of it.

    A booking that the patient was not yet told about is told as a booking, at the new time. A move there and
    back within the undo window is not told at all. Flushes, never commits.
    """
    session.flush()
    past = _call_off(appointment)
    kinds = (MessageKind.MOVED, MessageKind.BOOKED)
    _announce(appointment, kinds[::-1] if past.untold else kinds, past, actor)


def call_off_visit(appointment: Appointment, *, actor: User | None) -> None:
    """Call off what was planned for a cancelled visit and tell the patient about the cancellation.

    Nothing is told when the booking itself had not been told yet. Flushes, never commits.
    """
    session.flush()
    past = _call_off(appointment)
    now = clock.wall_now()
    if past.untold or appointment.starts_at <= now:
        return
    _tell(appointment, MessageKind.CANCELLED, before=appointment.starts_at, actor=actor)


def tell_missed(appointment: Appointment, *, actor: User | None) -> None:
    """Write to the patient who did not come, where the clinic does that. Flushes, never commits."""
    session.flush()
    _call_off(appointment)
    end = appointment.starts_at + rules.MISSED_LATELY
    _tell(appointment, MessageKind.NO_SHOW, before=end, actor=actor)


def _tell(visit: Appointment, kind: MessageKind, *, before: datetime, actor: User | None) -> None:
    written = letter(visit)
    due = rules.in_hours(clock.wall_now() + rules.UNDO_WINDOW, written.sending)
    if not written.why_not and due < before:
        _plan(visit, written, {kind: due}, actor)


def forget_visit(appointment_id: int) -> None:
    """Throw away the messages of a booking that is being taken back before any of them was tried.

    Who took it back must have locked the visit and asked `queries.was_told`. Flushes, never commits.
    """
    session.execute(delete(OutboxMessage).where(OutboxMessage.appointment_id == appointment_id))


def add_first_templates() -> None:
    """Give the clinic a first text of every kind that it has none of; what it has is left alone. Safe to repeat.

    A kind that a newer edition knows comes to an older clinic with it; what nobody asked for comes switched off.
    """
    have = set(session.scalars(select(MessageTemplate.kind)))
    session.add_all(
        MessageTemplate(kind=kind, name=name, body=body, archived=kind in rules.OFF_AT_FIRST)
        for kind, (name, body) in rules.FIRST_TEMPLATES.items()
        if kind not in have
    )
    session.flush()
