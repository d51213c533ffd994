"""What a user did in the schedule last, and whether it can still be undone.

Where next: `../rules/undoing.py` for what counts, `../operations/undoing.py` for the undoing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_

from app import clock
from app.db import session
from app.errors import NotUndoable, Refusal
from app.messages import queries as messages
from app.models import (
    Appointment,
    AuditEvent,
    CallTask,
    Employee,
    Patient,
    PlannedVisit,
    TimeBlock,
    User,
    WaitingEntry,
    WaitingOffer,
    WorkOrder,
)
from app.schedule.queries.slot import look
from app.schedule.queries.visits import WHO, instant_text, short_name
from app.schedule.rules import PATIENT, Slot, check_not_past, in_the_way, taken
from app.schedule.rules.undoing import AT_ONCE, BLOCK, LAST, STEP_DEEDS, VISIT, Action, Deed, as_actions, cannot, on_top
from app.vocab import FREES_TIME, PlannedStatus, WaitingStatus

_PAGE = 120
_PLACE = ("starts_at", "ends_at", "doctor_id", "chair_id")
_OPEN_WAITING = (WaitingStatus.WAITING, WaitingStatus.OFFERED)
_OPEN_PLANNED = (PlannedStatus.PLANNED, PlannedStatus.CALL_DUE, PlannedStatus.POSTPONED)

_DEEDS = (
    select(
        AuditEvent.id, AuditEvent.at, AuditEvent.user_id, AuditEvent.action, AuditEvent.object_type,
        AuditEvent.object_id, AuditEvent.patient_id, AuditEvent.before, AuditEvent.after, *WHO,
    )
    .outerjoin(User, User.id == AuditEvent.user_id)
    .outerjoin(Employee, Employee.user_id == AuditEvent.user_id)
    .where(AuditEvent.object_type.in_((VISIT, BLOCK)))
)  # fmt: skip


def _deeds(asked: Select[Any]) -> list[Deed]:
    return [
        Deed(
            id=row.id, at=row.at, user_id=row.user_id, who=short_name(row.surname, row.name, row.patronymic),
            action=row.action, object_type=row.object_type, object_id=row.object_id, patient_id=row.patient_id,
            before=row.before or {}, after=row.after or {},
        )
        for row in session.execute(asked)
    ]  # fmt: skip


def last_actions(user_id: int, *, limit: int = LAST) -> list[Action]:
    """What a user did in the schedule and did not undo, the newest first; a series is one action."""
    deeds: list[Deed] = []
    while True:
        asked = _DEEDS.where(AuditEvent.user_id == user_id).order_by(AuditEvent.id.desc()).limit(_PAGE)
        page = _deeds(asked.where(AuditEvent.id < deeds[-1].id) if deeds else asked)
        deeds += page
        actions = as_actions(deeds)
        # One more than asked for, so that the last series is whole.
        if len(actions) > limit or len(page) < _PAGE:
            return actions[:limit]


def own_deed(user_id: int, event_id: int) -> Deed | None:
    """A line of the log about the schedule, if it is this user's."""
    found = _deeds(_DEEDS.where(AuditEvent.user_id == user_id, AuditEvent.id == event_id))
    return found[0] if found else None


def _done_since(actions: Sequence[Action]) -> dict[tuple[str, int], list[Deed]]:
    """All that anybody did to what these actions concern, from the first of them on, the oldest first."""
    whats = {deed.what for action in actions for deed in action.deeds}
    done: dict[tuple[str, int], list[Deed]] = defaultdict(list)
    if whats:
        since = min(deed.id for action in actions for deed in action.deeds)
        asked = _DEEDS.where(
            tuple_(AuditEvent.object_type, AuditEvent.object_id).in_(sorted(whats)), AuditEvent.id >= since
        )
        for deed in _deeds(asked.order_by(AuditEvent.id)):
            done[deed.what].append(deed)
    return done


def why_not(actions: Sequence[Action], *, may_look_back: bool = False) -> list[Refusal | None]:
    """For each action: None when it can be undone now, else the refusal that says why not.

    A newer change on top of it, a work order, a message that was sent about a booking, a call, the waiting list, or
    somebody in the time that it would need again. Rights are asked by who undoes. About a dozen statements for all,
    and one for each time that would be taken again.
    """
    done = _done_since(actions)
    visits = _by_id(Appointment, {pk for action in actions for pk in action.visits})
    blocks = _by_id(TimeBlock, {pk for action in actions for pk in action.blocks})
    ties = _ties([deed for action in actions for deed in action.deeds if deed.object_type == VISIT])
    answers: list[Refusal | None] = []
    for action in actions:
        refusals = (
            _deed_why_not(deed, done[deed.what], visits.get(deed.object_id), ties, may_look_back)
            if deed.object_type == VISIT
            else _block_why_not(deed, done[deed.what], blocks.get(deed.object_id))
            for deed in action.deeds
        )
        answers.append(next((refusal for refusal in refusals if refusal is not None), None))
    return answers


def _by_id(model: Any, pks: Iterable[int]) -> dict[int, Any]:
    wanted = sorted(pks)
    if not wanted:
        return {}
    rows = session.scalars(select(model).where(model.id.in_(wanted)).execution_options(populate_existing=True))
    return {row.id: row for row in rows}


def _deed_why_not(
    deed: Deed,
    done: list[Deed],
    visit: Appointment | None,
    ties: dict[int, list[NotUndoable]],
    may_look_back: bool,
) -> Refusal | None:
    if visit is None:
        return cannot("used")
    refusal = on_top(deed, done, visit.version)
    if refusal is not None:
        return refusal
    if deed.action in STEP_DEEDS and clock.wall(deed.at).date() != clock.today():
        return cannot("day_over")
    if ties.get(deed.id):
        return ties[deed.id][0]
    return None if deed.action == "appointment.booked" else _time_taken(visit, deed, may_look_back)


def before_of(deed: Deed, row: Any, name: str) -> Any:
    """What a column of a record held before the deed: from the log where the deed changed it, else as it is now."""
    if name not in deed.before:
        return getattr(row, name)
    value = deed.before[name]
    return datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value


def place_before(deed: Deed, row: Any, patient_id: int | None = None) -> Slot:
    """Where a visit or a block stood before the deed."""
    starts_at, ends_at, doctor_id, chair_id = (before_of(deed, row, name) for name in _PLACE)
    return Slot(starts_at, ends_at, doctor_id, chair_id, patient_id)


def _time_taken(visit: Appointment, deed: Deed, may_look_back: bool) -> Refusal | None:
    """Is somebody in the time that the visit would take again? Who stands side by side on purpose is not."""
    status = before_of(deed, visit, "status")
    moves = any(name in deed.before for name in _PLACE)
    if status in FREES_TIME or not (moves or visit.status in FREES_TIME):
        return None
    slot = place_before(deed, visit, visit.patient_id)
    try:
        check_not_past(slot.starts_at, clock.today(), may_look_back=may_look_back)
    except Refusal as refusal:
        return refusal
    busy = look(
        slot, patient_id=visit.patient_id, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides=visit.id
    ).busy
    on_purpose = bool(before_of(deed, visit, "overbook_reason"))
    for what, row in in_the_way(slot, busy):
        if what == PATIENT or not (on_purpose or row.overbooked):
            return taken(what, row)
    return None


def _block_why_not(deed: Deed, done: list[Deed], block: TimeBlock | None) -> Refusal | None:
    """As for a visit: who was booked over closed time on purpose does not keep it open."""
    if block is None:
        return cannot("used")
    refusal = on_top(deed, done, block.version)
    if refusal is not None:
        return refusal
    if session.scalar(select(WaitingOffer.id).where(WaitingOffer.hold_id == block.id).limit(1)):
        return cannot("waiting")
    if deed.action == "time_block.added":
        return None
    expires_at = before_of(deed, block, "expires_at")
    if expires_at is not None and expires_at <= clock.now():
        return cannot("ended")
    slot = place_before(deed, block)
    busy = look(slot, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides_block=block.id).busy
    return next((taken(what, row) for what, row in in_the_way(slot, busy) if not row.overbooked), None)


# --- what depends on a deed -------------------------------------------------------------------------------


def _ties(deeds: Sequence[Deed]) -> dict[int, list[NotUndoable]]:
    """deed → what holds it in place: work orders, messages, calls, planned visits, the waiting list."""
    found: dict[int, list[NotUndoable]] = defaultdict(list)
    booked = {deed.object_id: deed for deed in deeds if deed.action == "appointment.booked"}
    if booked:
        for cause, held in _holds_booking(booked):
            for pk in held:
                found[booked[pk].id].append(cannot(cause))
    others = [deed for deed in deeds if deed.action != "appointment.booked"]
    pks = sorted({deed.object_id for deed in others})
    if pks:
        orders = session.execute(
            select(WorkOrder.appointment_id, WorkOrder.created_at, WorkOrder.issued_at).where(
                WorkOrder.appointment_id.in_(pks)
            )
        ).all()
        waiting = session.execute(
            select(WaitingEntry.booked_id, WaitingEntry.closed_at).where(WaitingEntry.booked_id.in_(pks))
        ).all()
        arranged = _arranged_instead(pks)
        for deed in others:
            since = deed.at - AT_ONCE
            of_visit = [row for row in orders if row.appointment_id == deed.object_id]
            if any(max(row.created_at, row.issued_at or row.created_at) > deed.at for row in of_visit):
                found[deed.id].append(cannot("work_order"))
            if any(pk == deed.object_id and closed is not None and closed >= since for pk, closed in waiting):
                found[deed.id].append(cannot("waiting"))
            if deed.action == "appointment.cancelled" and deed.object_id in arranged:
                found[deed.id].append(cannot(arranged[deed.object_id]))
    return found


def _holds_booking(booked: dict[int, Deed]) -> list[tuple[str, set[int]]]:
    """What would be left without its visit, by cause."""

    def having(column: Any) -> set[int]:
        return set(session.scalars(select(column).where(column.in_(pks))))

    # Calls that the booking itself had closed come back with its undoing (`tasks.reasons_back`).
    called = {
        pk
        for pk, closed_at in session.execute(
            select(CallTask.appointment_id, CallTask.closed_at).where(CallTask.appointment_id.in_(booked))
        )
        if pk is not None and closed_at is not None and closed_at > booked[pk].at + AT_ONCE
    }
    pks = sorted(booked)
    return [
        ("work_order", having(WorkOrder.appointment_id)),
        ("message", messages.was_told(pks)),
        ("task", called),
        ("planned", having(PlannedVisit.appointment_id)),
        ("waiting", having(WaitingEntry.booked_id) | having(WaitingOffer.appointment_id)),
    ]


def _arranged_instead(pks: list[int]) -> dict[int, str]:
    """Cancelled visits in whose place something was arranged that is still open."""
    planned = select(PlannedVisit.from_appointment_id).where(
        PlannedVisit.from_appointment_id.in_(pks), PlannedVisit.status.in_(_OPEN_PLANNED)
    )
    waiting = select(WaitingEntry.appointment_id).where(
        WaitingEntry.appointment_id.in_(pks), WaitingEntry.status.in_(_OPEN_WAITING)
    )
    found = {pk: "planned" for pk in session.scalars(planned) if pk is not None}
    return found | {pk: "waiting" for pk in session.scalars(waiting) if pk is not None}


# --- the list ---------------------------------------------------------------------------------------------


def action_rows(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """Actions as the list shows them: what, when, of whom, on which day; the deed's words are the caller's."""
    visits = _by_id(Appointment, {pk for action in actions for pk in action.visits})
    blocks = _by_id(TimeBlock, {pk for action in actions for pk in action.blocks})
    patients = _by_id(Patient, {deed.patient_id for action in actions for deed in action.deeds if deed.patient_id})
    rows = []
    for action in actions:
        deed = action.last
        thing = (visits if deed.object_type == VISIT else blocks).get(deed.object_id)
        patient = patients.get(deed.patient_id or 0)
        name = short_name(patient.surname, patient.name, patient.patronymic) if patient else ""
        rows.append(
            {
                "id": action.id,
                "at": instant_text(deed.at),
                "action": deed.action,
                "who": name or (thing.reason if isinstance(thing, TimeBlock) else ""),
                "starts_at": thing.starts_at.isoformat(timespec="minutes") if thing is not None else None,
                "count": len(action.deeds),
                "appointments": action.visits,
                "blocks": action.blocks,
            }
        )
    return rows
