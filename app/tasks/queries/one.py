"""Questions about one task: what was tried, when the clinic works, what came of a call.

Where next: `rows.py` for the list.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import (
    Appointment,
    CallAttempt,
    CallTask,
    CallTaskReason,
    Employee,
    PlannedVisit,
    RefusalReason,
    User,
    WaitingEntry,
    WorkingHours,
)
from app.tasks import rules
from app.tasks.queries.rows import IS_OPEN, short_name
from app.vocab import AppointmentStatus, PlannedStatus, TaskResult, WaitingStatus


def results_of(task_id: int) -> list[str]:
    """What came of every attempt of a task, the oldest first."""
    return list(
        session.scalars(select(CallAttempt.result).where(CallAttempt.task_id == task_id).order_by(CallAttempt.id))
    )


def open_days(first: date) -> tuple[frozenset[date], date | None]:
    """The days from this one on when a doctor of the clinic works, and up to which day that is known.

    Without any hours ahead nothing is known: every day counts as open.
    """
    start = datetime.combine(first, datetime.min.time())
    end = start + timedelta(days=rules.HORIZON)
    day = func.date(WorkingHours.starts_at)
    found = session.scalars(
        select(day).where(WorkingHours.starts_at >= start, WorkingHours.starts_at < end).distinct()
    ).all()
    # hours may not have been written yet beyond the last of these days
    return frozenset(found), max(found, default=None)


def made_of(patient_id: int, result: TaskResult) -> int | bool | None:
    """What a result says was made: its number; False when there is no such thing; None when nothing has to be made."""
    match result:
        case TaskResult.BOOKED:
            found = (
                select(Appointment.id)
                .where(
                    Appointment.patient_id == patient_id,
                    Appointment.status == AppointmentStatus.BOOKED,
                    Appointment.starts_at >= clock.wall_now(),
                )
                .order_by(Appointment.created_at.desc(), Appointment.id.desc())
            )
        case TaskResult.PLANNED:
            open_plans = (PlannedStatus.PLANNED, PlannedStatus.CALL_DUE, PlannedStatus.POSTPONED)
            found = select(PlannedVisit.id).where(
                PlannedVisit.patient_id == patient_id, PlannedVisit.status.in_(open_plans)
            )
        case TaskResult.WAITING:
            found = select(WaitingEntry.id).where(
                WaitingEntry.patient_id == patient_id,
                WaitingEntry.status.in_((WaitingStatus.WAITING, WaitingStatus.OFFERED)),
            )
        case _:
            return None
    return session.scalars(found.limit(1)).first() or False


def open_kinds(patient_id: int) -> frozenset[str]:
    """What a patient is to be called about as it is: the kinds of the open reasons."""
    return frozenset(
        session.scalars(
            select(CallTaskReason.kind)
            .join(CallTask, CallTask.id == CallTaskReason.task_id)
            .where(CallTask.patient_id == patient_id, IS_OPEN, CallTaskReason.closed_at.is_(None))
        )
    )


def name_of(user_id: int | None) -> str:
    """How colleagues call the person behind a login: «Петрова А. С.»."""
    if user_id is None:
        return ""
    employee = session.scalars(select(Employee).where(Employee.user_id == user_id)).unique().one_or_none()
    if employee is not None:
        return employee.short_name
    user = session.get(User, user_id)
    return user.get_full_name() if user else ""


def summary(task_id: int) -> dict[str, Any]:
    """A task as it is now, for who was about to change an older one."""
    task = session.get_one(CallTask, task_id)
    return {
        "id": task.id, "version": task.version, "status": task.status, "due_at": task.due_at,
        "attempts": task.attempts, "last_result": task.last_result, "comment": task.comment, "result": task.result,
        "claimed_by": name_of(task.claimed_by_id), "responsible_id": task.responsible_id,
    }  # fmt: skip


def attempts(task_id: int) -> list[dict[str, Any]]:
    """Every try to reach the patient, the newest first: when, who, what came of it."""
    person = aliased(Employee)
    rows = session.execute(
        select(CallAttempt, short_name(person), User.first_name, User.last_name)
        .outerjoin(User, User.id == CallAttempt.created_by_id)
        .outerjoin(person, person.user_id == User.id)
        .where(CallAttempt.task_id == task_id)
        .order_by(CallAttempt.id.desc())
    )
    return [
        {
            "at": row.created_at, "by": name or " ".join(filter(None, (first, last))), "result": row.result,
            "phone": row.phone, "comment": row.comment, "next_try_at": row.next_try_at,
        }
        for row, name, first, last in rows
    ]  # fmt: skip


def refusal_reasons() -> list[tuple[int, str]]:
    """Why patients refuse: what is offered for choosing."""
    found = session.execute(
        select(RefusalReason.id, RefusalReason.name)
        .where(RefusalReason.archived.is_(False))
        .order_by(RefusalReason.name)
    )
    return [(pk, name) for pk, name in found]


def employees() -> list[tuple[int, str, bool]]:
    """Who works here: number, name, whether a doctor."""
    found = session.execute(
        select(Employee.id, short_name(Employee), Employee.is_doctor)
        .where(Employee.archived.is_(False))
        .order_by(Employee.surname, Employee.name)
    )
    return [(pk, name, doctor) for pk, name, doctor in found]
