"""Copying a visit as a series: separate visits with a common number; each is moved and cancelled by itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Sequence as DatabaseSequence
from sqlalchemy import select

from app import clock
from app.db import session
from app.errors import Invalid, Refusal
from app.models import Appointment, User
from app.schedule import queries, rules
from app.schedule.operations.places import hold, locked_visit, may
from app.schedule.operations.visits import book
from app.schedule.rules import Slot, series
from app.vocab import N_

_NUMBERS = DatabaseSequence("appointment_series")


def preview_series(
    appointment_id: int, unit: str, every: int, weekdays: Sequence[int], times: int, *, actor: User | None
) -> list[dict[str, Any]]:
    """What copying a visit would meet on each day: free, or the refusal, and then the nearest free time instead.

    Reads only: two statements or three a day. Rows are {starts_at, ends_at, doctor_id, chair_id, refusal, instead}.
    """
    visit = session.get_one(Appointment, appointment_id)
    rows = []
    for day in series.series_days(visit.starts_at.date(), unit, every, weekdays, times):
        slot = _copied(visit, datetime.combine(day, visit.starts_at.time()))
        look = queries.look(slot, patient_id=visit.patient_id, doctor_id=visit.doctor_id, chair_id=slot.chair_id)
        refusal: Refusal | None = None
        try:
            rules.check_not_past(slot.starts_at, clock.today(), may_look_back=may(actor, "schedule.outside_hours"))
            rules.check_slot(slot, look.busy, reason="", may_overbook=False)
            hours = [row for row in look.hours if row.branch_id == visit.branch_id]
            rules.check_hours(slot, hours, reason="", may_go_outside=False)
        except Refusal as found:
            refusal = found
        near = queries.free_near(slot, limit=1) if refusal is not None else []
        rows.append(
            {
                "starts_at": slot.starts_at.isoformat(timespec="minutes"),
                "ends_at": slot.ends_at.isoformat(timespec="minutes"),
                "doctor_id": slot.doctor_id,
                "chair_id": slot.chair_id,
                "refusal": refusal,
                "instead": near[0] if near else None,
            }
        )
    return rows


def _copied(visit: Appointment, starts_at: datetime) -> Slot:
    """The same length, doctor and chair at another time."""
    ends_at = starts_at + (visit.ends_at - visit.starts_at)
    return Slot(starts_at, ends_at, visit.doctor_id, visit.chair_id, visit.patient_id)


def book_series(
    appointment_id: int,
    slots: Sequence[dict[str, Any]],
    *,
    outside_hours_reason: str = "",
    actor: User | None,
) -> list[Appointment]:
    """Book copies of a visit at these times, all or none; together with it they are a series.

    A slot is {starts_at} and, where they differ from the visit's, {ends_at, doctor_id, chair_id}. The patient is told
    of the first one at once and reminded of each. Records `appointment.booked` for each; they are undone as one.
    Locks the visit, then the words of all the days at once. Flushes, never commits.

    Raises:
        NotFound, Invalid
        SlotTaken, OutsideHours, InThePast, NotAllowed: with `at`, the time that cannot be.
    """
    visit = locked_visit(appointment_id)
    if not 0 < len(slots) <= series.MOST:
        raise Invalid(fields={"slots": N_("Choose from 1 to 50 times.")})
    wanted = sorted((_wanted(visit, values) for values in slots), key=lambda slot: slot.starts_at)
    hold(*wanted)
    if visit.series_id is None:
        visit.series_id = session.scalar(select(_NUMBERS.next_value()))
    batch, made = clock.now().isoformat(), list[Appointment]()
    for slot in wanted:
        assert slot.doctor_id is not None
        try:
            copy = book(
                visit.patient_id, slot.doctor_id, slot.starts_at, slot.ends_at,
                chair_id=slot.chair_id, service_id=visit.service_id, comment=visit.comment,
                outside_hours_reason=outside_hours_reason, series_id=visit.series_id, announce=not made, batch=batch,
                actor=actor,
            )  # fmt: skip
        except Refusal as refusal:
            refusal.facts["at"] = slot.starts_at.isoformat(timespec="minutes")
            raise
        made.append(copy)
    session.flush()
    return made


def _wanted(visit: Appointment, values: dict[str, Any]) -> Slot:
    same = _copied(visit, values["starts_at"])
    return Slot(
        same.starts_at,
        values.get("ends_at") or same.ends_at,
        values.get("doctor_id") or same.doctor_id,
        values.get("chair_id", same.chair_id),
        visit.patient_id,
    )
