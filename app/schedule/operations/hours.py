"""Doctors' hours: adding and removing them."""

from collections.abc import Iterable
from datetime import date, time

from sqlalchemy import select

from app import audit
from app.db import session
from app.errors import (
    HoursHoldVisits,
    HoursTaken,
    Invalid,
)
from app.models import Branch, Chair, Employee, User, WorkingHours
from app.schedule import queries, rules
from app.schedule.operations.places import (
    hold,
)
from app.schedule.rules import Slot
from app.vocab import N_

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
    hold(*(Slot(row.starts_at, row.ends_at, row.doctor_id, None) for row in rows))
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
