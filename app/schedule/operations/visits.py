"""Booking, moving, cancelling and restoring a visit. Where next: `places.py` for the locks, `steps.py` for the day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app import audit, clock
from app.db import session
from app.errors import (
    Invalid,
    SlotTaken,
    Stale,
)
from app.messages import operations as messages
from app.models import Appointment, CancelReason, User
from app.schedule import queries, rules
from app.schedule.operations import calls, waiting
from app.schedule.operations.places import (
    BOOKED_AS,
    KEPT,
    branch_for,
    change,
    check_known,
    check_still_free,
    hold,
    leave_shelf,
    locked_visit,
    may,
    refused,
    slot_of,
    write,
)
from app.schedule.rules import BOOKED, Slot
from app.vocab import N_, CancelledBy, Confirmation

#: The row of a new visit, built once; a constraint that refuses it gives none.
_BOOK = select(Appointment).from_statement(
    pg_insert(Appointment)
    .values(
        {
            name: bindparam(name)
            for name in (
                "patient_id", "doctor_id", "branch_id", "chair_id", "service_id", "starts_at", "ends_at", "comment",
                "overbooked", "overbook_reason", "outside_hours_reason", "first_visit", "series_id", "created_by_id",
                "created_at",
            )
        }
    )
    .on_conflict_do_nothing()
    .returning(Appointment)
)  # fmt: skip


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
    call_task_id: int | None = None,
    planned_visit_ids: Sequence[int] = (),
    waiting_entry_ids: Sequence[int] = (),
    series_id: int | None = None,
    batch: str | None = None,
    announce: bool = True,
    actor: User | None,
) -> Appointment:
    """Put a patient into free time of a doctor's day.

    Cancelled visits and no-shows leave their time free; back to back is not touching. Over another visit or a
    block, and outside the doctor's hours, only with the right and a reason. Earlier today is allowed (a walk-in
    written down late), an earlier day needs the right to book outside hours. The chair may stay empty until
    arrival. Two desks saving at once: one wins, the other is told who is in the way. `call_task_id` is the call that
    led to the booking; it is closed, as are the planned visits and the waiting entries that the booking fulfils. One
    of a series (`series_id`), booked at once with others (`batch`), may leave the telling to another (`announce`).

    Records `appointment.booked` and plans the messages. Flushes, never commits.

    Raises:
        WrongTimes, InThePast, Invalid, CardArchived, CardMerged, CardErased
        OutsideHours: with the hours of that day.
        SlotTaken: with the visit or block in the way.
        NotAllowed: a reason was given, but the right is missing.
    """
    rules.check_times(starts_at, ends_at)
    rules.check_not_past(starts_at, clock.today(), may_look_back=may(actor, "schedule.outside_hours"))
    slot = Slot(starts_at, ends_at, doctor_id, chair_id, patient_id)
    hold(slot)
    look = queries.look(slot, patient_id=patient_id, doctor_id=doctor_id, chair_id=chair_id, service_id=service_id)
    check_known(look, patient_id, chair_id=chair_id, service_id=service_id)
    branch_id = branch_for(look, slot, branch_id, chair_id)
    overbook_reason = rules.check_slot(
        slot, look.busy, reason=overbook_reason.strip(), may_overbook=may(actor, "schedule.overbook")
    )
    outside_hours_reason = rules.check_hours(
        slot,
        [hours for hours in look.hours if hours.branch_id == branch_id],
        reason=outside_hours_reason.strip(),
        may_go_outside=may(actor, "schedule.outside_hours"),
    )
    fulfils = waiting.to_close(patient_id, planned_visit_ids, waiting_entry_ids)
    # A constraint that refuses gives no row and breaks nothing; waiting for a neighbour's transaction is its business.
    visit: Appointment | None = session.scalars(
        _BOOK,
        {
            "patient_id": patient_id,
            "doctor_id": doctor_id,
            "branch_id": branch_id,
            "chair_id": chair_id,
            "service_id": service_id,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "comment": comment.strip(),
            "overbooked": bool(overbook_reason),
            "overbook_reason": overbook_reason,
            "outside_hours_reason": outside_hours_reason,
            "first_visit": look.first_visit,
            "series_id": series_id,
            "created_by_id": actor.id if actor else None,
            "created_at": clock.now(),
        },
    ).one_or_none()
    if visit is None:
        raise refused(slot, 0)
    booked_as = audit.facts(visit, BOOKED_AS) | ({"batch": batch} if batch else {})
    audit.record("appointment.booked", visit, after=booked_as, patient_id=patient_id, actor=actor)
    waiting.close(fulfils, visit, actor=actor)
    messages.plan_visit(visit, fresh=True, announce=announce, actor=actor)
    calls.booked(visit, task_id=call_task_id, actor=actor)
    waiting.no_calls(fulfils, actor=actor)
    session.flush()
    return visit


def check_version(visit: Appointment, version: int, actor: User | None) -> None:
    """Raises Stale when somebody has changed the visit since it was seen: with how it is now, and who did it."""
    if visit.version != version:
        current = queries.visit(visit.id, with_money=may(actor, "payment.see"))
        raise Stale(current=current, **queries.last_change(visit.id))


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
        Stale: somebody changed it meanwhile; carries the visit as it is now, and who did it when.
        WrongStatus, WrongTimes, InThePast, Invalid, OutsideHours, SlotTaken, NotAllowed
    """
    visit = locked_visit(appointment_id)
    check_version(visit, version, actor)
    before = audit.facts(visit, KEPT)
    old = slot_of(visit)
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
        rules.check_movable(visit.status, elsewhere=rules.is_elsewhere(old, new))
        moved = _replace(visit, old, new, overbook_reason.strip(), outside_hours_reason.strip(), actor)
    if comment is not None:
        visit.comment = comment.strip()
    after = audit.facts(visit, KEPT)
    if after == before:
        return visit
    visit.version += 1
    after["version"] = visit.version
    write(visit)
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
    if new != old:
        leave_shelf(visit)
    if moved:
        calls.moved(visit, actor=actor)
    session.flush()
    return visit


def _replace(
    visit: Appointment, old: Slot, new: Slot, overbook_reason: str, outside_hours_reason: str, actor: User | None
) -> bool:
    """Check the new place of a visit and put it there; True when the patient must come at another time or elsewhere."""
    rules.check_times(new.starts_at, new.ends_at)
    if new.starts_at != old.starts_at:
        rules.check_not_past(new.starts_at, clock.today(), may_look_back=may(actor, "schedule.outside_hours"))
    hold(old, new)
    look = queries.look(
        new, patient_id=new.patient_id, doctor_id=new.doctor_id, chair_id=new.chair_id, besides=visit.id
    )
    check_known(look, new.patient_id, chair_id=new.chair_id, service_id=None)
    branch_id = _branch_after(visit, look, new)
    may_overbook = may(actor, "schedule.overbook")
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
        may_go_outside = may(actor, "schedule.outside_hours")
        outside = rules.check_hours(new, hours, reason=outside_hours_reason, may_go_outside=may_go_outside)
    moved = rules.is_elsewhere(old, new) or branch_id != visit.branch_id
    assert new.doctor_id is not None
    visit.doctor_id, visit.chair_id, visit.branch_id = new.doctor_id, new.chair_id, branch_id
    visit.starts_at, visit.ends_at = new.starts_at, new.ends_at
    visit.overbooked, visit.overbook_reason, visit.outside_hours_reason = bool(kept), kept, outside
    if moved:
        visit.moves += 1
        visit.confirmation = Confirmation.NOT_NOTIFIED
        visit.notify_attempts = 0
        visit.first_visit = look.first_visit
    return moved


def _branch_after(visit: Appointment, look: queries.Look, new: Slot) -> int:
    """A visit stays in its branch unless its new chair, or its doctor at that time, is in another one."""
    if new.chair_id is not None:
        return branch_for(look, new, None, new.chair_id)
    meeting = {hours.branch_id for hours in look.hours if hours.meets(new)}
    if not meeting or visit.branch_id in meeting:
        return visit.branch_id
    return branch_for(look, new, None, None)


def cancel(
    appointment_id: int, reason_id: int, by: str, comment: str = "", *, call: bool = True, actor: User | None
) -> Appointment:
    """Cancel a visit before the patient's arrival; its time is free again. Under 24 hours before it counts as late.

    Who has no other visit ahead is put on the list of those to be called; `call` False when the desk arranged
    something else (planned, waiting list, does not want any).

    Records `appointment.cancelled`, calls off its messages and tells the patient. Flushes, never commits.

    Raises:
        NotFound, WrongStatus
        Invalid: unknown reason, or not known who cancelled.
    """
    visit = locked_visit(appointment_id)
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
    change(visit, "appointment.cancelled", values, {"reason": reason.name}, actor)
    messages.call_off_visit(visit, actor=actor)
    calls.cancelled(visit, call=call, actor=actor)
    return visit


def restore(
    appointment_id: int,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    doctor_id: int | None = None,
    chair_id: Any = ...,
    actor: User | None,
) -> Appointment:
    """Bring a cancelled visit back to its time, if that is still free, or to another one.

    Another time or doctor makes it a move too: it is counted. Records `appointment.restored` and plans the messages
    anew. Flushes, never commits.

    Raises:
        NotFound, WrongStatus, InThePast, OutsideHours
        SlotTaken: carries in `free` the nearest free times of that doctor.
    """
    visit = locked_visit(appointment_id)
    status = rules.check_status(visit.status, "restore")
    before, old = audit.facts(visit, KEPT), slot_of(visit)
    start = starts_at or visit.starts_at
    end = ends_at or start + (visit.ends_at - visit.starts_at)
    chair = visit.chair_id if chair_id is ... else chair_id
    new = Slot(start, end, doctor_id or visit.doctor_id, chair, visit.patient_id)
    values: dict[str, Any] = {}
    try:
        if new == old:
            rules.check_not_past(visit.starts_at, clock.today(), may_look_back=may(actor, "schedule.outside_hours"))
            values = check_still_free(visit, actor)
        else:
            _replace(visit, old, new, "", "", actor)
        values |= {
            "status": status,
            "cancelled_at": None,
            "cancelled_by": None,
            "cancel_reason_id": None,
            "cancel_comment": "",
            "late_cancel": False,
            "confirmation": Confirmation.NOT_NOTIFIED,
            "notify_attempts": 0,
        }
        change(visit, "appointment.restored", values, {}, actor, before=before)
    except SlotTaken as refusal:
        refusal.facts["free"] = queries.free_near(new)
        raise
    messages.plan_visit(visit, actor=actor)
    calls.back(visit, actor=actor)
    return visit
