"""What every change of a visit shares: locks, who and what a slot concerns, writing, recording.

Locks, everywhere in this order: the visit's row, then the words of the day (`hold`): doctor, chair, patient. Under the
words one statement looks at everything in the slot, so a block or an overbooked visit cannot slip between the look
and the write; the EXCLUDE constraints stay the last lock. Where next: `visits.py`.
"""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app import access, audit
from app.db import constraint_of, lock, lock_words, session
from app.errors import (
    Invalid,
    NotFound,
    SlotTaken,
)
from app.models import Appointment, Branch, Patient, ShelfItem, User
from app.patients import operations as cards
from app.schedule import queries, rules
from app.schedule.rules import Slot, Span
from app.vocab import N_, CardStatus

#: What the log keeps of a new visit.
BOOKED_AS = (
    "version", "patient_id", "doctor_id", "chair_id", "branch_id", "service_id", "starts_at", "ends_at", "status",
    "confirmation", "comment", "overbook_reason", "outside_hours_reason",
)  # fmt: skip
#: What it keeps of a change: all that a change may touch, so that every change can be taken back (`undoing.py`).
KEPT = (
    *BOOKED_AS, "first_visit", "moves", "notify_attempts", "arrived_at", "started_at", "completed_at", "cancelled_at",
    "cancelled_by", "cancel_reason_id", "cancel_comment", "late_cancel",
)  # fmt: skip
_BUSY_CONSTRAINTS = (
    "ex_appointment_doctor_busy",
    "ex_appointment_chair_busy",
    "ex_appointment_patient_busy",
)


def may(actor: User | None, right: str) -> bool:
    return actor is None or access.account(actor).may(right)


def hold(*slots: Slot) -> None:
    """Let one transaction at a time change what these slots need: the days of their doctors, chairs and patients."""
    words = {
        f"{who} {pk} {slot.starts_at:%Y-%m-%d}"
        for slot in slots
        for who, pk in (("doctor", slot.doctor_id), ("chair", slot.chair_id), ("patient", slot.patient_id))
        if pk is not None
    }
    lock_words(words)


def locked_visit(appointment_id: int) -> Appointment:
    """A visit, locked until the transaction ends.

    Raises:
        NotFound
    """
    visit = lock(Appointment, appointment_id)
    if visit is None:
        raise NotFound()
    return visit


def slot_of(visit: Appointment) -> Slot:
    return Slot(visit.starts_at, visit.ends_at, visit.doctor_id, visit.chair_id, visit.patient_id)


def branch_for(look: queries.Look, span: Span, branch_id: int | None, chair_id: int | None) -> int:
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


def check_known(
    look: queries.Look, patient_id: int | None, *, chair_id: int | None, service_id: int | None
) -> None:  # fmt: skip
    """Patient, doctor, chair and service must be there and in use.

    Raises:
        Invalid, CardArchived, CardMerged, CardErased
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
        cards.check_open(session.get_one(Patient, patient_id))


def refused(slot: Slot, besides: int) -> SlotTaken:
    """The constraint refused what the look had not seen: look again, and name who is in the way."""
    busy = queries.look(
        slot, patient_id=slot.patient_id, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides=besides
    ).busy
    for what, row in rules.in_the_way(slot, busy):
        return rules.taken(what, row)
    return SlotTaken({"what": ""}, busy=None, by=None)


def write(visit: Appointment) -> None:
    """Write a changed visit; the database may still find somebody in the way.

    Raises:
        SlotTaken
    """
    slot = slot_of(visit)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        if constraint_of(error) not in _BUSY_CONSTRAINTS:
            raise
        raise refused(slot, visit.id) from error


def leave_shelf(visit: Appointment) -> None:
    """A visit that was carried somewhere, or no longer can be, is on nobody's shelf."""
    session.execute(delete(ShelfItem).where(ShelfItem.appointment_id == visit.id))


def change(
    visit: Appointment,
    action: str,
    values: dict[str, Any],
    more: dict[str, Any],
    actor: User | None,
    *,
    before: dict[str, Any] | None = None,
) -> Appointment:
    """Write a step of a visit with its next version, and record it; `before` when the visit was touched already."""
    before = before or audit.facts(visit, KEPT)
    for name, value in values.items():
        setattr(visit, name, value)
    visit.version += 1
    write(visit)
    if visit.status != rules.BOOKED:
        leave_shelf(visit)
    audit.record(
        action,
        visit,
        before=before,
        after={**audit.facts(visit, KEPT), **more},
        patient_id=visit.patient_id,
        actor=actor,
    )
    session.flush()
    return visit


def check_still_free(visit: Appointment, actor: User | None) -> dict[str, Any]:
    """A visit that had left its time takes it again: nobody may have come between. Gives what to write of it."""
    slot = slot_of(visit)
    hold(slot)
    look = queries.look(
        slot,
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        chair_id=visit.chair_id,
        besides=visit.id,
    )
    may_overbook = may(actor, "schedule.overbook")
    reason = visit.overbook_reason if may_overbook else ""
    kept = rules.check_slot(slot, look.busy, reason=reason, may_overbook=may_overbook)
    return {"overbooked": bool(kept), "overbook_reason": kept}
