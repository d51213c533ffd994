"""What the desk does with a task: claims it, calls, writes down what came of it.

Where next: `rules.py` for when to try again, `rows.py` for what the deeds share.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app import audit, clock
from app.db import session
from app.errors import Invalid, NotFound, NothingCameOfIt
from app.models import CallTask, RefusalReason, User
from app.tasks import queries, rules
from app.tasks.operations.rows import KEPT, attempt, check_employee, check_mine, end, let_go, locked, put_off, record
from app.vocab import N_, AttemptResult, TaskResult


def claim(task_id: int, *, actor: User) -> CallTask:
    """Call this patient: nobody else does until it is given up, written down, or a quarter of an hour has passed.

    Two at once: one wins, the other is told who. A person calls one patient at a time: what else the actor had claimed
    is given up. Claiming again prolongs. Records `task.claimed`. Flushes, never commits.

    Raises:
        NotFound, TaskClosed, TaskTaken
    """
    held = session.scalars(
        select(CallTask)
        .where(
            (CallTask.id == task_id)
            | ((CallTask.claimed_by_id == actor.id) & queries.IS_OPEN)
        )
        .order_by(CallTask.id)
        .with_for_update(of=CallTask)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    task = next((one for one in held if one.id == task_id), None)
    if task is None:
        raise NotFound()
    rules.check_open(task.status, task.result)
    check_mine(task, actor)
    mine = task.claimed_by_id == actor.id and rules.is_claimed(task.claimed_by_id, task.claimed_at, clock.now())
    for other in held:
        if other is not task and other.claimed_by_id == actor.id:
            let_go(other)
            other.version += 1
    task.claimed_by_id, task.claimed_at = actor.id, clock.now()
    if not mine:
        task.version += 1
        record("task.claimed", task, actor=actor)
    session.flush()
    return task


def give_up(task_id: int, *, actor: User) -> CallTask:
    """Let others call the patient; what the actor has not claimed is left as it is.

    Raises:
        NotFound, TaskClosed
    """
    task = locked(task_id)
    if task.claimed_by_id == actor.id:
        let_go(task)
        task.version += 1
        session.flush()
        record("task.given_up", task, actor=actor)
    return task


def not_reached(
    task_id: int,
    version: int | None = None,
    *,
    until: datetime | None = None,
    phone: str = "",
    comment: str = "",
    actor: User | None,
) -> CallTask:
    """The patient did not answer: the next try is in two hours, the next morning, in three days; then as chosen.

    `until` chooses another time. Records `task.tried`. Flushes, never commits.

    Raises:
        NotFound, TaskClosed, Stale, TaskTaken
        NextTryNeeded: tried often enough, a person must choose.
        Invalid: the chosen time has passed or is too far away.
    """
    task = locked(task_id, version)
    check_mine(task, actor)
    now = clock.wall_now()
    times = rules.missed(queries.results_of(task.id)) + 1
    next_at = rules.next_try(times, now, *queries.open_days(now.date())) if until is None else None
    next_at = next_at or rules.chosen_try(until, now)
    attempt(task, AttemptResult.NOT_REACHED, next_at=next_at, phone=phone, comment=comment, actor=actor)
    put_off(task, next_at, "task.tried", comment, actor)
    return task


def postpone(
    task_id: int,
    version: int | None = None,
    *,
    until: datetime | None,
    asked: bool = False,
    phone: str = "",
    comment: str = "",
    actor: User | None,
) -> CallTask:
    """Call at another time; `asked` when the patient was reached and asked for it.

    Records `task.postponed`. Flushes, never commits.

    Raises:
        NotFound, TaskClosed, Stale, TaskTaken, NextTryNeeded, Invalid
    """
    task = locked(task_id, version)
    check_mine(task, actor)
    next_at = rules.chosen_try(until, clock.wall_now())
    if asked:
        attempt(task, AttemptResult.POSTPONED, next_at=next_at, phone=phone, comment=comment, actor=actor)
    put_off(task, next_at, "task.postponed", comment, actor)
    return task


def close(
    task_id: int,
    version: int | None,
    result: str,
    *,
    refusal_reason_id: int | None = None,
    phone: str = "",
    comment: str = "",
    actor: User | None,
) -> CallTask:
    """End a task with what came of it; its reasons end with it.

    Booked, planned and waiting must be so: the patient has a coming visit, a planned one, an entry of the waiting list.
    Who had claimed the task has talked to the patient: that is an attempt too. Records `task.closed`.

    Raises:
        NotFound, TaskClosed, Stale, TaskTaken
        Invalid: an unknown result, a refusal without a known reason.
        NothingCameOfIt
    """
    task = locked(task_id, version)
    check_mine(task, actor)
    became = rules.check_result(result, refusal_reason_id)
    if refusal_reason_id is not None:
        reason = session.get(RefusalReason, refusal_reason_id)
        if reason is None or reason.archived:
            raise Invalid(fields={"refusal_reason_id": N_("Choose why the patient refused.")})
    made = queries.made_of(task.patient_id, became)
    if made is False:
        raise NothingCameOfIt(result=str(became))
    if actor is not None and task.claimed_by_id == actor.id:
        how = AttemptResult.TALKED if became in rules.TALKED else AttemptResult.NOT_REACHED
        attempt(task, how, phone=phone, comment=comment, actor=actor)
    visit_id = made if became == TaskResult.BOOKED else None
    end(task, became, refusal_reason_id=refusal_reason_id, appointment_id=visit_id, comment=comment, actor=actor)
    return task


def change(
    task_id: int,
    version: int | None,
    *,
    comment: str | None = None,
    responsible_id: Any = ...,
    actor: User | None,
) -> CallTask:
    """Write a comment on a task, or who is to call; None: whoever comes first. Records `task.changed`.

    Raises:
        NotFound, TaskClosed, Stale
        Invalid: nobody by that number works here.
    """
    task = locked(task_id, version)
    before = audit.facts(task, KEPT)
    if comment is not None:
        task.comment = comment.strip()
    if responsible_id is not ...:
        check_employee(responsible_id, "responsible_id")
        task.responsible_id = responsible_id
    after = audit.facts(task, KEPT)
    if after != before:
        task.version += 1
        session.flush()
        record("task.changed", task, before=before, after=after, actor=actor)
    return task
