"""What every change of a task shares: the lock on its row, whose call it is, attempts, its end, the record.

The task's row is the lock of everything under it, and the last lock of any transaction.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app import audit, clock
from app.db import lock, session
from app.errors import Invalid, NotFound, Stale
from app.models import CallAttempt, CallTask, CallTaskReason, Employee, User
from app.tasks import queries, rules
from app.vocab import N_, AttemptResult, TaskResult, TaskStatus

KEPT = ("status", "due_at", "result", "comment", "responsible_id", "appointment_id")


def locked(task_id: int, version: int | None = None) -> CallTask:
    """An open task, locked.

    Raises:
        NotFound, TaskClosed
        Stale: somebody changed it since; carries the task as it is now.
    """
    task = lock(CallTask, task_id)
    if task is None:
        raise NotFound()
    rules.check_open(task.status, task.result)
    if version is not None and task.version != version:
        raise Stale(current=queries.summary(task.id))
    return task


def check_mine(task: CallTask, actor: User | None) -> None:
    who = queries.name_of(task.claimed_by_id) if task.claimed_by_id else ""
    rules.check_mine(task.claimed_by_id, task.claimed_at, clock.now(), me=actor.id if actor else None, who=who)


def check_employee(employee_id: int | None, field: str) -> None:
    if employee_id is not None:
        employee = session.get(Employee, employee_id)
        if employee is None or employee.archived:
            raise Invalid(fields={field: N_("There is no such employee.")})


def let_go(task: CallTask) -> None:
    task.claimed_by_id = task.claimed_at = None


def attempt(
    task: CallTask,
    result: AttemptResult,
    *,
    next_at: datetime | None = None,
    phone: str = "",
    comment: str = "",
    actor: User | None,
) -> None:
    session.add(
        CallAttempt(
            task_id=task.id, result=result, phone=phone[:20], comment=comment.strip(), next_try_at=next_at,
            created_at=clock.now(), created_by_id=actor.id if actor else None,
        )
    )  # fmt: skip
    task.attempts += 1
    task.last_result = result


def put_off(task: CallTask, next_at: datetime, action: str, comment: str, actor: User | None) -> None:
    before = audit.facts(task, ("due_at",))
    task.due_at = next_at
    let_go(task)
    task.version += 1
    session.flush()
    record(action, task, before=before, after={**audit.facts(task, ("due_at",)), "note": comment.strip()}, actor=actor)


def end(
    task: CallTask,
    result: TaskResult,
    *,
    refusal_reason_id: int | None = None,
    appointment_id: int | None = None,
    comment: str = "",
    actor: User | None,
) -> None:
    before = audit.facts(task, KEPT)
    for reason in session.scalars(
        select(CallTaskReason).where(CallTaskReason.task_id == task.id, CallTaskReason.closed_at.is_(None))
    ):
        reason.closed_at = clock.now()
    task.status, task.result = TaskStatus.CLOSED, result
    task.refusal_reason_id, task.appointment_id = refusal_reason_id, appointment_id
    task.closed_at, task.closed_by_id = clock.now(), actor.id if actor else None
    if comment.strip():
        task.comment = rules.added_note(task.comment, comment)
    let_go(task)
    task.version += 1
    session.flush()
    record("task.closed", task, before=before, after=audit.facts(task, KEPT), actor=actor)


def record(
    action: str,
    task: CallTask,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    actor: User | None,
) -> None:
    audit.record(action, task, before=before, after=after, patient_id=task.patient_id, actor=actor)
    session.flush()
