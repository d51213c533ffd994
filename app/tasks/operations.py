"""Asking for a call, calling, and what came of it. Every operation flushes and never commits.

The task's row is the lock of everything under it, and the last lock of any transaction; who asks for several patients
asks in the order of their numbers. Where next: `rules.py` for when to try again, `jobs.py` for what tidies up.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import lock, session
from app.errors import Invalid, NotFound, NothingCameOfIt, Stale
from app.models import (
    Appointment,
    CallAttempt,
    CallTask,
    CallTaskReason,
    ClinicSetting,
    Employee,
    Patient,
    RefusalReason,
    User,
)
from app.tasks import queries, rules
from app.vocab import N_, AttemptResult, CardStatus, TaskReasonKind, TaskResult, TaskStatus

_KEPT = ("status", "due_at", "result", "comment", "responsible_id", "appointment_id")


# --- what other rooms ask -----------------------------------------------------------------------------


def ask(
    patient_id: int,
    kind: TaskReasonKind,
    *,
    due_on: date,
    doctor_id: int | None = None,
    appointment_id: int | None = None,
    planned_visit_id: int | None = None,
    waiting_entry_id: int | None = None,
    note: str = "",
    actor: User | None,
) -> CallTask | None:
    """Let a patient be called from a day on: a reason more under the open task, or a new task.

    The same reason twice is once: the earlier day counts, and what a person says is added. Nothing happens, and the
    answer is None, when the clinic has switched the module off, or the card is archived. Records `task.opened` or
    `task.reason_added`. Flushes, never commits.
    """
    due_at = rules.due_from(due_on)
    found = _open_task(patient_id, due_at, actor)
    if found is None:
        return None
    task, fresh = found
    of = {"appointment_id": appointment_id, "planned_visit_id": planned_visit_id, "waiting_entry_id": waiting_entry_id}
    known = None if fresh else session.scalars(
        select(CallTaskReason).where(
            CallTaskReason.task_id == task.id, CallTaskReason.kind == kind, CallTaskReason.closed_at.is_(None),
            *(getattr(CallTaskReason, name).is_not_distinct_from(pk) for name, pk in of.items()),
        )
    ).one_or_none()  # fmt: skip
    if known is not None:
        told = rules.added_note(known.note, note) if kind in rules.BY_PEOPLE else known.note
        if told == known.note and known.due_on <= due_on:
            return task
        known.note, known.due_on = told, min(known.due_on, due_on)
    else:
        session.add(
            CallTaskReason(
                task_id=task.id, kind=TaskReasonKind(kind), due_on=due_on, doctor_id=doctor_id, **of,
                note=note.strip()[: rules.LONGEST_TEXT], created_at=clock.now(),
                created_by_id=actor.id if actor else None,
            )
        )  # fmt: skip
    if not fresh:
        task.due_at = min(task.due_at, due_at)
        task.version += 1
    session.flush()
    after = {"reason_kind": str(kind), "due_at": audit.plain(task.due_at), "note": note.strip()}
    _record("task.opened" if fresh else "task.reason_added", task, after=after, actor=actor)
    return task


def _open_task(patient_id: int, due_at: datetime, actor: User | None) -> tuple[CallTask, bool] | None:
    """The patient's open task, locked, made when there is none (then True); None when nobody is to be called."""
    wanted = select(
        Patient.id, literal(str(TaskStatus.OPEN)), literal(due_at), literal(clock.now()),
        literal(actor.id if actor else None, CallTask.created_by_id.type),
    ).where(
        Patient.id == patient_id,
        Patient.status != CardStatus.ARCHIVED,
        func.coalesce(select(ClinicSetting.crm).scalar_subquery(), True),
    )  # fmt: skip
    columns = ("patient_id", "status", "due_at", "created_at", "created_by_id")
    row = session.execute(
        insert(CallTask)
        .from_select(columns, wanted)
        .on_conflict_do_update(
            index_elements=[CallTask.patient_id],
            # A constant, not a parameter: a statement prepared for any status would match no index.
            index_where=literal_column(f"status = '{TaskStatus.OPEN}'", Boolean),
            set_={"status": CallTask.status},  # changes nothing: it locks the row
        )
        .returning(CallTask, literal_column("(call_task.xmax = 0)", Boolean).label("fresh")),
        execution_options={"populate_existing": True},
    ).one_or_none()
    return (row[0], row.fresh) if row else None


def reasons_gone(
    *,
    kinds: Iterable[TaskReasonKind] | None = None,
    patient_id: int | None = None,
    appointment_id: int | None = None,
    planned_visit_id: int | None = None,
    waiting_entry_id: int | None = None,
    actor: User | None,
) -> None:
    """What somebody had to be called about is over; a task without reasons closes itself as not needed.

    At least one of patient, visit, planned visit and waiting entry says whose. One statement when there is nothing to
    do. Records `task.reason_gone` or `task.closed`. Flushes, never commits.
    """
    of = {
        CallTask.patient_id: patient_id,
        CallTaskReason.appointment_id: appointment_id,
        CallTaskReason.planned_visit_id: planned_visit_id,
        CallTaskReason.waiting_entry_id: waiting_entry_id,
    }
    wanted: list[ColumnElement[bool]] = [column == pk for column, pk in of.items() if pk is not None]
    if not wanted:
        raise ValueError("whose reasons?")
    if kinds is not None:
        wanted.append(CallTaskReason.kind.in_(tuple(kinds)))
    for task in _locked_with_reasons(*wanted):
        _end_reasons(task, *wanted, actor=actor)


def _locked_with_reasons(*wanted: ColumnElement[bool]) -> list[CallTask]:
    """The open tasks that have such an open reason, locked in their order."""
    has = select(CallTaskReason.id).where(
        CallTaskReason.task_id == CallTask.id, CallTaskReason.closed_at.is_(None), *wanted
    )
    return list(
        session.scalars(
            select(CallTask)
            .where(CallTask.status == TaskStatus.OPEN, has.correlate(CallTask).exists())
            .order_by(CallTask.id)
            .with_for_update(of=CallTask)
            .execution_options(populate_existing=True)
        )
    )


def _end_reasons(
    task: CallTask, *wanted: ColumnElement[bool], appointment_id: int | None = None, actor: User | None
) -> None:
    """End these reasons of a locked task; the task ends with its last reason, else it waits for the next one."""
    open_reasons = select(CallTaskReason).where(
        CallTaskReason.task_id == task.id, CallTaskReason.closed_at.is_(None)
    ).order_by(CallTaskReason.due_on, CallTaskReason.id)  # fmt: skip
    ending = set(
        session.scalars(
            select(CallTaskReason.id)
            .join(CallTask, CallTask.id == CallTaskReason.task_id)
            .where(CallTaskReason.task_id == task.id, CallTaskReason.closed_at.is_(None), *wanted)
        )
    )
    reasons = list(session.scalars(open_reasons))
    left = [reason for reason in reasons if reason.id not in ending]
    gone = [reason for reason in reasons if reason.id in ending]
    for reason in gone:
        reason.closed_at = clock.now()
    if not gone:
        return
    if left:
        if task.last_result is None:
            task.due_at = rules.due_from(left[0].due_on)
        task.version += 1
        session.flush()
        for reason in gone:
            _record("task.reason_gone", task, after={"reason_kind": reason.kind}, actor=actor)
    else:
        _end(task, TaskResult.NOT_NEEDED, appointment_id=appointment_id, actor=actor)


def patient_booked(visit: Appointment, *, task_id: int | None = None, actor: User | None) -> None:
    """A patient was booked: what a booking settles is settled.

    The task that the actor is calling about (or that the booking names) is closed as booked, with the visit; any other
    loses the reasons that a booking settles. One statement when the patient has no open task. Flushes, never commits.
    """
    tasks = session.scalars(
        select(CallTask)
        .where(CallTask.patient_id == visit.patient_id, CallTask.status == TaskStatus.OPEN)
        .with_for_update(of=CallTask)
        .execution_options(populate_existing=True)
    ).all()
    for task in tasks:
        mine = actor is not None and task.claimed_by_id == actor.id
        calling = mine and rules.is_claimed(task.claimed_by_id, task.claimed_at, clock.now())
        if calling or task.id == task_id:
            if mine:
                _attempt(task, AttemptResult.TALKED, actor=actor)
            _end(task, TaskResult.BOOKED, appointment_id=visit.id, actor=actor)
        else:
            settled = CallTaskReason.kind.in_(rules.SETTLED_BY_BOOKING)
            _end_reasons(task, settled, appointment_id=visit.id, actor=actor)


# --- what the desk does ---------------------------------------------------------------------------------


def _locked(task_id: int, version: int | None = None) -> CallTask:
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


def _check_mine(task: CallTask, actor: User | None) -> None:
    who = queries.name_of(task.claimed_by_id) if task.claimed_by_id else ""
    rules.check_mine(task.claimed_by_id, task.claimed_at, clock.now(), me=actor.id if actor else None, who=who)


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
            | ((CallTask.claimed_by_id == actor.id) & (CallTask.status == TaskStatus.OPEN))
        )
        .order_by(CallTask.id)
        .with_for_update(of=CallTask)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    task = next((one for one in held if one.id == task_id), None)
    if task is None:
        raise NotFound()
    rules.check_open(task.status, task.result)
    _check_mine(task, actor)
    mine = task.claimed_by_id == actor.id and rules.is_claimed(task.claimed_by_id, task.claimed_at, clock.now())
    for other in held:
        if other is not task and other.claimed_by_id == actor.id:
            _let_go(other)
            other.version += 1
    task.claimed_by_id, task.claimed_at = actor.id, clock.now()
    if not mine:
        task.version += 1
        _record("task.claimed", task, actor=actor)
    session.flush()
    return task


def give_up(task_id: int, *, actor: User) -> CallTask:
    """Let others call the patient; what the actor has not claimed is left as it is.

    Raises:
        NotFound, TaskClosed
    """
    task = _locked(task_id)
    if task.claimed_by_id == actor.id:
        _let_go(task)
        task.version += 1
        session.flush()
        _record("task.given_up", task, actor=actor)
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
    task = _locked(task_id, version)
    _check_mine(task, actor)
    now = clock.wall_now()
    times = rules.missed(queries.results_of(task.id)) + 1
    next_at = rules.next_try(times, now, *queries.open_days(now.date())) if until is None else None
    next_at = next_at or rules.chosen_try(until, now)
    _attempt(task, AttemptResult.NOT_REACHED, next_at=next_at, phone=phone, comment=comment, actor=actor)
    _put_off(task, next_at, "task.tried", comment, actor)
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
    task = _locked(task_id, version)
    _check_mine(task, actor)
    next_at = rules.chosen_try(until, clock.wall_now())
    if asked:
        _attempt(task, AttemptResult.POSTPONED, next_at=next_at, phone=phone, comment=comment, actor=actor)
    _put_off(task, next_at, "task.postponed", comment, actor)
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
    task = _locked(task_id, version)
    _check_mine(task, actor)
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
        _attempt(task, how, phone=phone, comment=comment, actor=actor)
    visit_id = made if became == TaskResult.BOOKED else None
    _end(task, became, refusal_reason_id=refusal_reason_id, appointment_id=visit_id, comment=comment, actor=actor)
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
    task = _locked(task_id, version)
    before = audit.facts(task, _KEPT)
    if comment is not None:
        task.comment = comment.strip()
    if responsible_id is not ...:
        _check_employee(responsible_id, "responsible_id")
        task.responsible_id = responsible_id
    after = audit.facts(task, _KEPT)
    if after != before:
        task.version += 1
        session.flush()
        _record("task.changed", task, before=before, after=after, actor=actor)
    return task


def add(
    patient_id: int,
    *,
    due_on: date,
    note: str,
    kind: TaskReasonKind = TaskReasonKind.BY_HAND,
    doctor_id: int | None = None,
    responsible_id: int | None = None,
    actor: User | None,
) -> CallTask:
    """Somebody at the clinic asks for a patient to be called: what about, and from which day on.

    Raises:
        Invalid: no words, a day that has passed or is far away, an unknown or archived patient, an unknown employee.
    """
    today = clock.today()
    wrong: dict[str, str] = {}
    if not note.strip():
        wrong["note"] = N_("Write what to talk about.")
    if kind not in rules.BY_PEOPLE:
        wrong["kind"] = N_("Unknown value.")
    if not today <= due_on <= today + timedelta(days=rules.LONGEST_WAIT.days):
        wrong["due_on"] = N_("Choose a day from today on, within a year.")
    if wrong:
        raise Invalid(fields=wrong)
    _check_employee(doctor_id, "doctor_id")
    _check_employee(responsible_id, "responsible_id")
    task = ask(patient_id, TaskReasonKind(kind), due_on=due_on, doctor_id=doctor_id, note=note, actor=actor)
    if task is None:
        raise Invalid(fields={"patient_id": N_("There is no such patient, or the card is archived.")})
    if responsible_id is not None and task.responsible_id != responsible_id:
        change(task.id, None, responsible_id=responsible_id, actor=actor)
    return task


def _check_employee(employee_id: int | None, field: str) -> None:
    if employee_id is not None:
        employee = session.get(Employee, employee_id)
        if employee is None or employee.archived:
            raise Invalid(fields={field: N_("There is no such employee.")})


# --- what they share ------------------------------------------------------------------------------------


def _let_go(task: CallTask) -> None:
    task.claimed_by_id = task.claimed_at = None


def _attempt(
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


def _put_off(task: CallTask, next_at: datetime, action: str, comment: str, actor: User | None) -> None:
    before = audit.facts(task, ("due_at",))
    task.due_at = next_at
    _let_go(task)
    task.version += 1
    session.flush()
    _record(action, task, before=before, after={**audit.facts(task, ("due_at",)), "note": comment.strip()}, actor=actor)


def _end(
    task: CallTask,
    result: TaskResult,
    *,
    refusal_reason_id: int | None = None,
    appointment_id: int | None = None,
    comment: str = "",
    actor: User | None,
) -> None:
    before = audit.facts(task, _KEPT)
    for reason in session.scalars(
        select(CallTaskReason).where(CallTaskReason.task_id == task.id, CallTaskReason.closed_at.is_(None))
    ):
        reason.closed_at = clock.now()
    task.status, task.result = TaskStatus.CLOSED, result
    task.refusal_reason_id, task.appointment_id = refusal_reason_id, appointment_id
    task.closed_at, task.closed_by_id = clock.now(), actor.id if actor else None
    if comment.strip():
        task.comment = rules.added_note(task.comment, comment)
    _let_go(task)
    task.version += 1
    session.flush()
    _record("task.closed", task, before=before, after=audit.facts(task, _KEPT), actor=actor)


def _record(
    action: str,
    task: CallTask,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    actor: User | None,
) -> None:
    audit.record(action, task, before=before, after=after, patient_id=task.patient_id, actor=actor)
    session.flush()
