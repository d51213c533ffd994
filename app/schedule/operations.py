"""Changes of the schedule: book, move, cancel, meet, block time, set doctors' hours.

Locks, everywhere in this order: the visit's row, then the words of the day (`_hold`): doctor, chair, patient. Under the
words one statement looks at everything in the slot, so a block or an overbooked visit cannot slip between the look
and the write; the EXCLUDE constraints stay the last lock. Where next: `rules.py`, `queries.py`.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.exc import IntegrityError

from app import access, audit, clock
from app.db import constraint_of, lock, lock_words, session
from app.errors import (
    CardArchived,
    HoursHoldVisits,
    HoursTaken,
    Invalid,
    NotFound,
    NothingToUndo,
    SlotTaken,
    Stale,
)
from app.messages import operations as messages
from app.models import Appointment, Branch, CancelReason, Chair, Employee, TimeBlock, User, WorkingHours
from app.schedule import queries, rules
from app.schedule.rules import BOOKED, CANCELLED, Slot, Span
from app.vocab import N_, AppointmentStatus, BlockKind, CancelledBy, CardStatus, Confirmation

#: What the log keeps of a visit.
_KEPT = (
    "patient_id", "doctor_id", "chair_id", "branch_id", "service_id", "starts_at", "ends_at", "status",
    "confirmation", "comment", "overbook_reason", "outside_hours_reason",
)  # fmt: skip
_KEPT_STEP = ("status", "confirmation", "arrived_at", "started_at", "completed_at", "cancelled_by", "late_cancel")
_BUSY_CONSTRAINTS = (
    "ex_appointment_doctor_busy",
    "ex_appointment_chair_busy",
    "ex_appointment_patient_busy",
)


def _may(actor: User | None, right: str) -> bool:
    return actor is None or access.account(actor).may(right)


def _hold(*slots: Slot) -> None:
    """Let one transaction at a time change what these slots need: the days of their doctors, chairs and patients."""
    words = {
        f"{who} {pk} {slot.starts_at:%Y-%m-%d}"
        for slot in slots
        for who, pk in (("doctor", slot.doctor_id), ("chair", slot.chair_id), ("patient", slot.patient_id))
        if pk is not None
    }
    lock_words(words)


def _visit(appointment_id: int) -> Appointment:
    """A visit, locked until the transaction ends.

    Raises:
        NotFound
    """
    visit = lock(Appointment, appointment_id)
    if visit is None:
        raise NotFound()
    return visit


def _slot(visit: Appointment) -> Slot:
    return Slot(visit.starts_at, visit.ends_at, visit.doctor_id, visit.chair_id, visit.patient_id)


def _branch(look: queries.Look, span: Span, branch_id: int | None, chair_id: int | None) -> int:
    """Where the visit takes place: the chair's branch, else the one asked for, else where the doctor is then."""
    if chair_id is not None and look.chair is not None:
        of_chair = int(look.chair["branch_id"])
        if branch_id is not None and branch_id != of_chair:
            raise Invalid(fields={"chair_id": N_("This chair is in another branch.")})
        return of_chair
    if branch_id is not None:
        return branch_id
    for hours in look.hours:
        if hours.meets(span):
            return hours.branch_id
    assert look.doctor is not None
    own = look.doctor["branch_id"]
    return int(
        own or session.scalars(select(Branch.id).where(Branch.archived.is_(False)).order_by(Branch.id)).first() or 0
    )


def _check_known(look: queries.Look, *, chair_id: int | None, service_id: int | None) -> None:
    """Patient, doctor, chair and service must be there and in use.

    Raises:
        Invalid, CardArchived
    """
    wrong = {}
    if look.patient_status is None:
        wrong["patient_id"] = N_("There is no such patient.")
    if look.doctor is None:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if chair_id is not None and look.chair is None:
        wrong["chair_id"] = N_("There is no such chair.")
    if service_id is not None and look.service is None:
        wrong["service_id"] = N_("There is no such service.")
    if wrong:
        raise Invalid(fields=wrong)
    if look.patient_status == CardStatus.ARCHIVED:
        raise CardArchived()


def _refused(slot: Slot, besides: int) -> SlotTaken:
    """The constraint refused what the look had not seen: look again, and name who is in the way."""
    busy = queries.look(
        slot, patient_id=slot.patient_id, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides=besides
    ).busy
    for what, row in rules.in_the_way(slot, busy):
        return rules.taken(what, row)
    return SlotTaken({"what": ""}, busy=None, by=None)


def _write(visit: Appointment) -> None:
    """Write a changed visit; the database may still find somebody in the way.

    Raises:
        SlotTaken
    """
    slot = _slot(visit)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        if constraint_of(error) not in _BUSY_CONSTRAINTS:
            raise
        raise _refused(slot, visit.id) from error


# --- booking and moving -------------------------------------------------------------------------------------


def book(
    patient_id: int,
    doctor_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    chair_id: int | None = None,
    branch_id: int | None = None,
    service_id: int | None = None,
    comment: str = "",
    overbook_reason: str = "",
    outside_hours_reason: str = "",
    actor: User | None,
) -> Appointment:
    """Put a patient into free time of a doctor's day.

    Cancelled visits and no-shows leave their time free; back to back is not touching. Over another visit or a
    block, and outside the doctor's hours, only with the right and a reason. Earlier today is allowed (a walk-in
    written down late), an earlier day needs the right to book outside hours. The chair may stay empty until
    arrival. Two desks saving at once: one wins, the other is told who is in the way.

    Records `appointment.booked` and plans the messages. Flushes, never commits.

    Raises:
        WrongTimes, InThePast, Invalid, CardArchived
        OutsideHours: with the hours of that day.
        SlotTaken: with the visit or block in the way.
        NotAllowed: a reason was given, but the right is missing.
    """
    rules.check_times(starts_at, ends_at)
    rules.check_not_past(starts_at, clock.today(), may_look_back=_may(actor, "schedule.outside_hours"))
    slot = Slot(starts_at, ends_at, doctor_id, chair_id, patient_id)
    _hold(slot)
    look = queries.look(slot, patient_id=patient_id, doctor_id=doctor_id, chair_id=chair_id, service_id=service_id)
    _check_known(look, chair_id=chair_id, service_id=service_id)
    branch_id = _branch(look, slot, branch_id, chair_id)
    overbook_reason = rules.check_slot(
        slot, look.busy, reason=overbook_reason.strip(), may_overbook=_may(actor, "schedule.overbook")
    )
    outside_hours_reason = rules.check_hours(
        slot,
        [hours for hours in look.hours if hours.branch_id == branch_id],
        reason=outside_hours_reason.strip(),
        may_go_outside=_may(actor, "schedule.outside_hours"),
    )
    # A constraint that refuses gives no row and breaks nothing; waiting for a neighbour's transaction is its business.
    visit = session.scalars(
        pg_insert(Appointment)
        .values(
            patient_id=patient_id,
            doctor_id=doctor_id,
            branch_id=branch_id,
            chair_id=chair_id,
            service_id=service_id,
            starts_at=starts_at,
            ends_at=ends_at,
            comment=comment.strip(),
            overbooked=bool(overbook_reason),
            overbook_reason=overbook_reason,
            outside_hours_reason=outside_hours_reason,
            first_visit=look.first_visit,
            created_by_id=actor.id if actor else None,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Appointment)
    ).one_or_none()
    if visit is None:
        raise _refused(slot, 0)
    audit.record("appointment.booked", visit, after=audit.facts(visit, _KEPT), patient_id=patient_id, actor=actor)
    messages.plan_visit(visit, actor=actor)
    session.flush()
    return visit


def _check_version(visit: Appointment, version: int, actor: User | None) -> None:
    if visit.version != version:
        raise Stale(current=queries.visit(visit.id, with_money=_may(actor, "payment.see")))


def move(
    appointment_id: int,
    version: int,
    *,
    doctor_id: int | None = None,
    chair_id: Any = ...,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    comment: str | None = None,
    overbook_reason: str = "",
    outside_hours_reason: str = "",
    actor: User | None,
) -> Appointment:
    """Move a visit to another time, doctor or chair, change its boundaries or its comment. The row stays the same.

    A new start without an end keeps the length. `chair_id` None empties the chair, not given leaves it. Another
    start, doctor or branch is a move: it is counted, the confirmation is asked for anew and the patient is told.
    An overbooked visit that comes to free time is no longer overbooked.

    Records `appointment.moved` or `appointment.changed`. Flushes, never commits.

    Raises:
        NotFound
        Stale: somebody changed it meanwhile; carries the visit as it is now.
        WrongStatus, WrongTimes, InThePast, Invalid, OutsideHours, SlotTaken, NotAllowed
    """
    visit = _visit(appointment_id)
    _check_version(visit, version, actor)
    before = audit.facts(visit, _KEPT)
    old = _slot(visit)
    start = starts_at or visit.starts_at
    end = ends_at or (start + (visit.ends_at - visit.starts_at) if starts_at else visit.ends_at)
    new = Slot(
        start,
        end,
        doctor_id or visit.doctor_id,
        visit.chair_id if chair_id is ... else chair_id,
        visit.patient_id,
    )
    moved = False
    if new != old:
        moved = _replace(visit, old, new, overbook_reason.strip(), outside_hours_reason.strip(), actor)
    if comment is not None:
        visit.comment = comment.strip()
    after = audit.facts(visit, _KEPT)
    if after == before:
        return visit
    visit.version += 1
    _write(visit)
    audit.record(
        "appointment.moved" if moved else "appointment.changed",
        visit,
        before=before,
        after=after,
        patient_id=visit.patient_id,
        actor=actor,
    )
    if moved and visit.status == BOOKED:
        messages.replan_visit(visit, actor=actor)
    session.flush()
    return visit


def _replace(
    visit: Appointment, old: Slot, new: Slot, overbook_reason: str, outside_hours_reason: str, actor: User | None
) -> bool:
    """Check the new place of a visit and put it there; True when the patient must come at another time or elsewhere."""
    elsewhere = (new.starts_at, new.doctor_id) != (old.starts_at, old.doctor_id)
    rules.check_movable(visit.status, elsewhere=elsewhere)
    rules.check_times(new.starts_at, new.ends_at)
    if new.starts_at != old.starts_at:
        rules.check_not_past(new.starts_at, clock.today(), may_look_back=_may(actor, "schedule.outside_hours"))
    _hold(old, new)
    look = queries.look(
        new, patient_id=new.patient_id, doctor_id=new.doctor_id, chair_id=new.chair_id, besides=visit.id
    )
    _check_known(look, chair_id=new.chair_id, service_id=None)
    branch_id = _branch_after(visit, look, new)
    may_overbook = _may(actor, "schedule.overbook")
    on_purpose = overbook_reason or (visit.overbook_reason if may_overbook else "")
    kept = rules.check_slot(new, look.busy, old=old, reason=on_purpose, may_overbook=may_overbook)
    if not kept and rules.in_the_way(new, look.busy):
        kept = visit.overbook_reason  # it stood side by side before, and still does
    hours = [piece for piece in look.hours if piece.branch_id == branch_id]
    narrower = (
        (new.doctor_id, branch_id) == (old.doctor_id, visit.branch_id)
        and old.starts_at <= new.starts_at
        and new.ends_at <= old.ends_at
    )
    if rules.lies_within(new, hours):
        outside = ""
    elif narrower:
        outside = visit.outside_hours_reason
    else:
        may_go_outside = _may(actor, "schedule.outside_hours")
        outside = rules.check_hours(new, hours, reason=outside_hours_reason, may_go_outside=may_go_outside)
    moved = elsewhere or branch_id != visit.branch_id
    assert new.doctor_id is not None
    visit.doctor_id, visit.chair_id, visit.branch_id = new.doctor_id, new.chair_id, branch_id
    visit.starts_at, visit.ends_at = new.starts_at, new.ends_at
    visit.overbooked, visit.overbook_reason, visit.outside_hours_reason = bool(kept), kept, outside
    if moved:
        visit.moves += 1
        visit.confirmation = Confirmation.NOT_NOTIFIED
        visit.first_visit = look.first_visit
    return moved


def _branch_after(visit: Appointment, look: queries.Look, new: Slot) -> int:
    """A visit stays in its branch unless its new chair, or its doctor at that time, is in another one."""
    if new.chair_id is not None:
        return _branch(look, new, None, new.chair_id)
    meeting = {hours.branch_id for hours in look.hours if hours.meets(new)}
    if not meeting or visit.branch_id in meeting:
        return visit.branch_id
    return _branch(look, new, None, None)


# --- cancelling and coming back -------------------------------------------------------------------------------


def cancel(appointment_id: int, reason_id: int, by: str, comment: str = "", *, actor: User | None) -> Appointment:
    """Cancel a visit before the patient's arrival; its time is free again. Under 24 hours before it counts as late.

    Records `appointment.cancelled`, calls off its messages and tells the patient. Flushes, never commits.

    Raises:
        NotFound, WrongStatus
        Invalid: unknown reason, or not known who cancelled.
    """
    visit = _visit(appointment_id)
    wrong = {}
    reason = session.get(CancelReason, reason_id)
    if reason is None or reason.archived:
        wrong["reason_id"] = N_("Choose the reason from the list.")
    if by not in tuple(CancelledBy):
        wrong["by"] = N_("Choose who cancelled: the patient or the clinic.")
    if wrong:
        raise Invalid(fields=wrong)
    status = rules.check_status(visit.status, "cancel")
    assert reason is not None
    values = {
        "status": status,
        "cancelled_at": clock.now(),
        "cancelled_by": CancelledBy(by),
        "cancel_reason_id": reason_id,
        "cancel_comment": comment.strip(),
        "late_cancel": rules.is_late(visit.starts_at, clock.wall_now()),
    }
    _change(visit, "appointment.cancelled", values, {"reason": reason.name, "comment": comment.strip()}, actor)
    messages.call_off_visit(visit, actor=actor)
    return visit


def restore(appointment_id: int, *, actor: User | None) -> Appointment:
    """Bring a cancelled visit back, if its time is still free.

    Records `appointment.restored` and plans the messages anew. Flushes, never commits.

    Raises:
        NotFound, WrongStatus, InThePast, SlotTaken
    """
    visit = _visit(appointment_id)
    status = rules.check_status(visit.status, "restore")
    rules.check_not_past(visit.starts_at, clock.today(), may_look_back=_may(actor, "schedule.outside_hours"))
    _check_still_free(visit, actor)
    values = {
        "status": status,
        "cancelled_at": None,
        "cancelled_by": None,
        "cancel_reason_id": None,
        "cancel_comment": "",
        "late_cancel": False,
        "confirmation": Confirmation.NOT_NOTIFIED,
    }
    _change(visit, "appointment.restored", values, {}, actor)
    messages.plan_visit(visit, actor=actor)
    return visit


def _check_still_free(visit: Appointment, actor: User | None) -> None:
    """A visit that had left its time takes it again: nobody may have come between."""
    slot = _slot(visit)
    _hold(slot)
    look = queries.look(
        slot,
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        chair_id=visit.chair_id,
        besides=visit.id,
    )
    may_overbook = _may(actor, "schedule.overbook")
    reason = visit.overbook_reason if may_overbook else ""
    kept = rules.check_slot(slot, look.busy, reason=reason, may_overbook=may_overbook)
    visit.overbooked, visit.overbook_reason = bool(kept), kept


# --- meeting the patient --------------------------------------------------------------------------------------


def _change(
    visit: Appointment, action: str, values: dict[str, Any], more: dict[str, Any], actor: User | None
) -> Appointment:
    """Write a step of a visit with its next version, and record it."""
    before = audit.facts(visit, _KEPT_STEP)
    for name, value in values.items():
        setattr(visit, name, value)
    visit.version += 1
    _write(visit)
    audit.record(
        action,
        visit,
        before=before,
        after={**audit.facts(visit, _KEPT_STEP), **more},
        patient_id=visit.patient_id,
        actor=actor,
    )
    session.flush()
    return visit


def _step(appointment_id: int, step: str, actor: User | None) -> tuple[Appointment, str]:
    """The visit, locked, and the status that the step leads to; a doctor takes steps of own visits only."""
    visit = _visit(appointment_id)
    access.require_own(actor, "schedule.attend", visit.doctor_id)
    return visit, rules.check_status(visit.status, step)


def arrive(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient has come: «Пациент пришёл». From now on the waiting minutes run.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "arrive", actor)
    visit.first_visit = not queries.came_before(visit)
    return _change(visit, "appointment.arrived", {"status": status, "arrived_at": clock.now()}, {}, actor)


def start(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient sits down in the chair.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "start", actor)
    return _change(visit, "appointment.started", {"status": status, "started_at": clock.now()}, {}, actor)


def complete(appointment_id: int, *, actor: User | None) -> Appointment:
    """The doctor has finished.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "complete", actor)
    return _change(visit, "appointment.completed", {"status": status, "completed_at": clock.now()}, {}, actor)


def no_show(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient has not come; the time is free again.

    Raises:
        NotFound, NotAllowed, WrongStatus
        TooEarly: the visit should not have begun yet.
    """
    visit, status = _step(appointment_id, "no_show", actor)
    rules.check_no_show(visit.starts_at, clock.wall_now())
    return _change(visit, "appointment.no_show", {"status": status}, {}, actor)


def confirm(appointment_id: int, confirmation: str = Confirmation.CONFIRMED, *, actor: User | None) -> Appointment:
    """Write down what the patient answered about a coming visit; said twice is the same as once.

    Raises:
        NotFound, WrongStatus
    """
    visit = _visit(appointment_id)
    if visit.status != BOOKED:
        raise rules.wrong_status(visit.status)
    if visit.confirmation == confirmation:
        return visit
    return _change(visit, "appointment.confirmed", {"confirmation": Confirmation(confirmation)}, {}, actor)


def undo(appointment_id: int, *, actor: User | None) -> Appointment:
    """Take back the last step of a visit on the day it was made: arrival, start, end, no-show, cancellation.

    Raises:
        NotFound, NotAllowed
        NothingToUndo: no step, or not of today.
        SlotTaken: the visit had freed its time and somebody else is there now.
    """
    visit = _visit(appointment_id)
    access.require_own(actor, "schedule.attend", visit.doctor_id)
    made = rules.step_made(
        visit.status,
        arrived_at=visit.arrived_at,
        started_at=visit.started_at,
        completed_at=visit.completed_at,
        cancelled_at=visit.cancelled_at,
        no_show_at=queries.last_deed(visit.id, "appointment.no_show") if visit.status == rules.NO_SHOW else None,
    )
    if made is None or clock.wall(made).date() != clock.today():
        raise NothingToUndo()
    if visit.status == CANCELLED:
        access.require(actor, "schedule.cancel")
        return restore(appointment_id, actor=actor)
    if visit.status == rules.NO_SHOW:
        _check_still_free(visit, actor)
    status, cleared = rules.BEFORE_STEP[AppointmentStatus(visit.status)]
    values: dict[str, Any] = {"status": status, **({cleared: None} if cleared else {})}
    return _change(visit, "appointment.undone", values, {}, actor)


# --- closed and held time -------------------------------------------------------------------------------------


def block_time(
    kind: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    doctor_id: int | None = None,
    chair_id: int | None = None,
    branch_id: int | None = None,
    actor: User | None,
) -> TimeBlock:
    """Close time of a doctor or a chair (a meeting, a repair), or hold it for somebody.

    Raises:
        WrongTimes, InThePast, ReasonNeeded, Invalid
        SlotTaken: a visit or another block stands there.
    """
    rules.check_times(starts_at, ends_at)
    rules.check_not_past(starts_at, clock.today(), may_look_back=False)
    reason = rules.require_reason(reason)
    wrong = {}
    if doctor_id is None and chair_id is None:
        wrong["doctor_id"] = N_("Choose the doctor or the chair.")
    if kind not in tuple(BlockKind):
        wrong["kind"] = N_("Unknown value.")
    if wrong:
        raise Invalid(fields=wrong)
    slot = Slot(starts_at, ends_at, doctor_id, chair_id)
    _hold(slot)
    look = queries.look(slot, doctor_id=doctor_id, chair_id=chair_id)
    if doctor_id is not None and look.doctor is None:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if chair_id is not None and look.chair is None:
        wrong["chair_id"] = N_("There is no such chair.")
    if wrong:
        raise Invalid(fields=wrong)
    rules.check_slot(slot, look.busy, reason="", may_overbook=False)
    block = TimeBlock(
        kind=BlockKind(kind),
        branch_id=_branch(look, slot, branch_id, chair_id),
        doctor_id=doctor_id,
        chair_id=chair_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        created_by_id=actor.id if actor else None,
    )
    session.add(block)
    session.flush()
    names = ("kind", "branch_id", "doctor_id", "chair_id", "starts_at", "ends_at", "reason")
    audit.record("time_block.added", block, after=audit.facts(block, names), actor=actor)
    return block


def lift_block(block_id: int, *, actor: User | None) -> TimeBlock:
    """Open closed or held time again; twice is the same as once.

    Raises:
        NotFound
    """
    block = lock(TimeBlock, block_id)
    if block is None:
        raise NotFound()
    if block.lifted_at is None:
        block.lifted_at = clock.now()
        audit.record("time_block.lifted", block, after=audit.facts(block, ("reason", "lifted_at")), actor=actor)
        session.flush()
    return block


# --- doctors' hours -------------------------------------------------------------------------------------------

#: Hours are written for a year at once at most.
_MOST_DAYS = 366


def add_hours(
    doctor_id: int,
    branch_id: int,
    chair_id: int | None,
    days: Iterable[date],
    start_time: time,
    end_time: time,
    *,
    actor: User | None,
) -> list[WorkingHours]:
    """Let a doctor see patients on these days from … to …, in a branch and usually a chair; midnight ends a day.

    All days or none. Records `working_hours.added` for each. Flushes, never commits.

    Raises:
        WrongTimes, Invalid
        HoursTaken: the doctor, or another doctor in this chair, has hours then.
    """
    spans = [rules.of_day(day, start_time, end_time) for day in sorted(set(days))]
    wrong = {}
    doctor, branch = session.get(Employee, doctor_id), session.get(Branch, branch_id)
    chair = session.get(Chair, chair_id) if chair_id is not None else None
    if doctor is None or not doctor.is_doctor or doctor.archived:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if branch is None or branch.archived:
        wrong["branch_id"] = N_("There is no such branch.")
    if chair_id is not None and (chair is None or chair.archived):
        wrong["chair_id"] = N_("There is no such chair.")
    elif chair is not None and chair.branch_id != branch_id:
        wrong["chair_id"] = N_("This chair is in another branch.")
    if not spans:
        wrong["days"] = N_("No day fits: check the dates and the weekdays.")
    elif len(spans) > _MOST_DAYS:
        wrong["days"] = N_("Too many days: a year at once at most.")
    if wrong:
        raise Invalid(fields=wrong)
    for span in spans:
        rules.check_times(span.starts_at, span.ends_at)
    clash = queries.hours_in_the_way(doctor_id, chair_id, spans)
    if clash:
        raise HoursTaken({"what": f"{clash.starts_at:%d.%m.%Y %H:%M}–{clash.ends_at:%H:%M}"})
    rows = [
        WorkingHours(
            doctor_id=doctor_id,
            branch_id=branch_id,
            chair_id=chair_id,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            created_by_id=actor.id if actor else None,
        )
        for span in spans
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        audit.record("working_hours.added", row, after=audit.facts(row, _KEPT_HOURS), actor=actor)
    session.flush()
    return rows


_KEPT_HOURS = ("doctor_id", "branch_id", "chair_id", "starts_at", "ends_at")


def remove_hours(hours_ids: Iterable[int], *, actor: User | None) -> int:
    """Take hours away that hold no visits; how many were removed.

    Raises:
        HoursHoldVisits: nothing is removed while visits stand in one of them.
    """
    rows = list(
        session.scalars(
            select(WorkingHours)
            .where(WorkingHours.id.in_(sorted(set(hours_ids))))
            .order_by(WorkingHours.id)
            .with_for_update(of=WorkingHours)
        )
    )
    _hold(*(Slot(row.starts_at, row.ends_at, row.doctor_id, None) for row in rows))
    held = queries.visits_in_hours([row.id for row in rows])
    if held:
        first = held[0]
        raise HoursHoldVisits(
            {"count": len(held), "first": f"{first.starts_at:%d.%m.%Y %H:%M}"},
            appointments=[row.id for row in held],
        )
    for row in rows:
        audit.record("working_hours.removed", row, before=audit.facts(row, _KEPT_HOURS), actor=actor)
        session.delete(row)
    session.flush()
    return len(rows)
