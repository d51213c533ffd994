"""Undoing the last actions of a user in the schedule, while nothing depends on them.

There is no table of undos: the log of actions is the memory. An undo puts back what the log says was there before, and
is written down itself, naming what it took back; so actions are undone one after another, the newest of each visit
first. Where next: `../rules/undoing.py`, `../queries/actions.py`.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import access, audit, clock
from app.db import lock, session
from app.errors import NotFound
from app.messages import operations as messages
from app.models import Appointment, TimeBlock, User
from app.schedule import queries, rules
from app.schedule.operations import calls
from app.schedule.operations.blocks import BLOCK_KEPT
from app.schedule.operations.places import KEPT, hold, leave_shelf, may, slot_of, write
from app.schedule.rules import Slot, undoing
from app.schedule.rules.undoing import Action, Deed
from app.tasks import operations as tasks
from app.vocab import FREES_TIME, AppointmentStatus


@dataclass(frozen=True)
class Undone:
    """What was taken back, and the visits and blocks that it concerned; a booking that was undone is no more."""

    action: Action
    visits: tuple[int, ...]
    blocks: tuple[int, ...]
    removed: bool


def undo_action(event_id: int, *, actor: User) -> Undone:
    """Take back one of the last 20 actions of this user, all of it or nothing.

    A visit goes back to the time, doctor, chair, status, answer and words that it had; moves and late cancellations
    are counted as if it had not been. The patient hears only what is so: what waits to be sent is called off or put
    back, so an undo within the undo window is not told at all.

    An undone booking **removes** the visit. It was a slip of the hand: a cancelled visit would need a reason that
    nobody has, would stand in the patient's statistics, and would ask for a call. The log keeps both lines; nobody
    was told, or the undo is refused.

    Locks the visits and blocks, then the words of their days. Records `appointment.taken_back` or
    `time_block.taken_back`. Flushes, never commits.

    Raises:
        NotFound: not a deed of this user in the schedule.
        NotUndoable: with the cause: undone already, changed since, a work order, a message, a call, the waiting list.
        SlotTaken: somebody is in the time that it would need again.
        InThePast, NotAllowed
    """
    action = _own_action(event_id, actor)
    for deed in action.deeds:
        access.require(actor, undoing.RIGHTS[deed.action])
    _lock(action)
    action = _own_action(event_id, actor)  # the list may have changed while we waited for the locks
    [refusal] = queries.why_not([action], may_look_back=may(actor, "schedule.outside_hours"))
    if refusal is not None:
        raise refusal
    removed = False
    for deed in action.deeds:
        if deed.object_type == undoing.BLOCK:
            _put_block_back(deed, actor)
        elif deed.action == "appointment.booked":
            _remove(deed, actor)
            removed = True
        else:
            _put_back(deed, actor)
    session.flush()
    return Undone(action, tuple(action.visits), tuple(action.blocks), removed)


def undo_last(
    *, appointment_id: int | None = None, block_id: int | None = None, version: int | None = None, actor: User
) -> Undone:
    """Take back the newest action of this user, or the one that made this version of a visit or a block.

    Raises:
        NotUndoable: there is none; and as `undo_action`.
    """
    actions = queries.last_actions(actor.id)
    if appointment_id is not None or block_id is not None:
        what = (undoing.VISIT, appointment_id) if appointment_id is not None else (undoing.BLOCK, block_id)
        actions = [
            action
            for action in actions
            if any(deed.what == what and version in (None, deed.version) for deed in action.deeds)
        ]
        if not actions:
            raise undoing.cannot("undone")
    if not actions:
        raise undoing.cannot("nothing")
    return undo_action(actions[0].id, actor=actor)


def _own_action(event_id: int, actor: User) -> Action:
    for action in queries.last_actions(actor.id):
        if any(deed.id == event_id for deed in action.deeds):
            return action
    deed = queries.own_deed(actor.id, event_id)
    if deed is None or deed.action not in undoing.RIGHTS:
        raise NotFound()
    newer = queries.last_actions(actor.id)
    old = bool(newer) and deed.id < min(one.id for action in newer for one in action.deeds)
    raise undoing.cannot("old", count=undoing.LAST) if old and len(newer) == undoing.LAST else undoing.cannot("undone")


def _lock(action: Action) -> None:
    """The rows first, in the order of their numbers, then the words of every day concerned."""
    visits = session.scalars(
        select(Appointment)
        .where(Appointment.id.in_(action.visits))
        .order_by(Appointment.id)
        .with_for_update(of=Appointment)
        .execution_options(populate_existing=True)
    ).all()
    blocks = [lock(TimeBlock, pk) for pk in action.blocks]
    deeds = {deed.object_id: deed for deed in action.deeds}
    slots: list[Slot] = []
    for visit in visits:
        slots += [slot_of(visit), queries.place_before(deeds[visit.id], visit, visit.patient_id)]
    slots += [queries.place_before(deeds[block.id], block) for block in blocks if block is not None]
    if slots:
        hold(*slots)


def _record(deed: Deed, row: Any, before: dict[str, Any], after: dict[str, Any], actor: User) -> None:
    more = {"undoes": [deed.id], "undone": deed.action, "version": row.version}
    audit.record(
        undoing.TAKEN_BACK[deed.object_type], row, before=before, after={**after, **more}, patient_id=deed.patient_id,
        actor=actor,
    )  # fmt: skip


def _remove(deed: Deed, actor: User) -> None:
    """A booking that never was: its messages and its reasons to call go with it; the log stays.

    Raises:
        NotUndoable: something was tied to it at this very moment.
    """
    visit = session.get_one(Appointment, deed.object_id)
    tasks.reasons_gone(appointment_id=visit.id, actor=actor)
    calls.undone(visit, deed.at, removed=True, actor=actor)
    messages.forget_visit(visit.id)
    _record(deed, visit, {"status": visit.status}, {"status": None}, actor)
    series_id = visit.series_id
    try:
        with session.begin_nested():
            session.delete(visit)
            session.flush()
    except IntegrityError as error:
        raise undoing.cannot("used") from error
    if series_id is not None:
        _end_series(series_id)


def _end_series(series_id: int) -> None:
    """Who is left alone of a series belongs to none."""
    left = session.scalars(select(Appointment).where(Appointment.series_id == series_id).limit(2)).all()
    if len(left) == 1:
        left[0].series_id = None
        session.flush()


def _put_back(deed: Deed, actor: User) -> None:
    visit = session.get_one(Appointment, deed.object_id)
    before, was = audit.facts(visit, KEPT), visit.status
    old = (visit.starts_at, visit.doctor_id, visit.branch_id)
    for name in deed.before:
        if name in KEPT and name != "version":
            setattr(visit, name, queries.before_of(deed, visit, name))
    visit.overbooked = bool(visit.overbook_reason)
    visit.version += 1
    write(visit)
    _record(deed, visit, before, audit.facts(visit, KEPT), actor)
    leave_shelf(visit)
    session.flush()
    _tell(visit, was, moved=old != (visit.starts_at, visit.doctor_id, visit.branch_id), actor=actor)
    if visit.status == rules.BOOKED:
        calls.undone(visit, deed.at, actor=actor)
    if visit.confirmation != before["confirmation"] and visit.status == rules.BOOKED:
        calls.answered(visit, actor=actor)


def _tell(visit: Appointment, was: str, *, moved: bool, actor: User) -> None:
    """What the patient hears, and whom the desk must call, after a visit went back."""
    status = AppointmentStatus(visit.status)
    if status == rules.CANCELLED:
        messages.call_off_visit(visit, actor=actor)
        calls.cancelled(visit, actor=actor)
    elif status == rules.NO_SHOW:
        calls.missed(visit, actor=actor)
    elif was in FREES_TIME:
        if was == rules.CANCELLED:
            messages.plan_visit(visit, actor=actor)
        calls.back(visit, actor=actor)
    elif moved and status == rules.BOOKED:
        messages.replan_visit(visit, actor=actor)
        calls.moved(visit, actor=actor)
    if status == rules.BOOKED and (moved or was in FREES_TIME):
        calls.check_hours(visit, actor=actor)


def _put_block_back(deed: Deed, actor: User) -> None:
    block = session.get_one(TimeBlock, deed.object_id)
    before = audit.facts(block, BLOCK_KEPT)
    if deed.action == "time_block.added":
        block.lifted_at = clock.now()
    for name in deed.before:
        if name in BLOCK_KEPT and name != "version":
            setattr(block, name, queries.before_of(deed, block, name))
    block.version += 1
    session.flush()
    _record(deed, block, before, audit.facts(block, BLOCK_KEPT), actor)
