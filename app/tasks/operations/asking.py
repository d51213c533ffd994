"""Asking for a call, and telling that its cause is over: the door for other rooms.

Who asks for several patients asks in the order of their numbers. Where next: `calling.py` for the desk's deeds.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from sqlalchemy import Boolean, ColumnElement, Select, and_, bindparam, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from app import audit, clock
from app.db import session
from app.errors import Invalid
from app.models import (
    Appointment,
    CallTask,
    CallTaskReason,
    ClinicSetting,
    Patient,
    PatientAccount,
    PlannedVisit,
    User,
    WaitingEntry,
)
from app.tasks import queries, rules
from app.tasks.operations.calling import change
from app.tasks.operations.rows import attempt, check_employee, end, record
from app.vocab import (
    FREES_TIME,
    N_,
    AppointmentStatus,
    AttemptResult,
    CardStatus,
    PlannedStatus,
    TaskReasonKind,
    TaskResult,
    TaskStatus,
    WaitingStatus,
)


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
    record("task.opened" if fresh else "task.reason_added", task, after=after, actor=actor)
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


def _locked_with_reasons(*wanted: ColumnElement[bool], limit: int | None = None) -> list[CallTask]:
    """The open tasks that have such an open reason, locked in their order."""
    has = select(CallTaskReason.id).where(
        CallTaskReason.task_id == CallTask.id, CallTaskReason.closed_at.is_(None), *wanted
    )
    return list(
        session.scalars(
            select(CallTask)
            .where(queries.IS_OPEN, has.correlate(CallTask).exists())
            .order_by(CallTask.id)
            .limit(limit)
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
            record("task.reason_gone", task, after={"reason_kind": reason.kind}, actor=actor)
    else:
        end(task, TaskResult.NOT_NEEDED, appointment_id=appointment_id, actor=actor)


#: A patient's open tasks, locked; built once, for every booking asks.
_OPEN_OF = (
    select(CallTask)
    .where(CallTask.patient_id == bindparam("patient"), queries.IS_OPEN)
    .with_for_update(of=CallTask)
    .execution_options(populate_existing=True)
)


def patient_booked(visit: Appointment, *, task_id: int | None = None, actor: User | None) -> None:
    """A patient was booked: what a booking settles is settled.

    The task that the actor is calling about (or that the booking names) is closed as booked, with the visit; any other
    loses the reasons that a booking settles. One statement when the patient has no open task. Flushes, never commits.
    """
    tasks = session.scalars(_OPEN_OF, {"patient": visit.patient_id}).all()
    for task in tasks:
        mine = actor is not None and task.claimed_by_id == actor.id
        calling = mine and rules.is_claimed(task.claimed_by_id, task.claimed_at, clock.now())
        if calling or task.id == task_id:
            if mine:
                attempt(task, AttemptResult.TALKED, actor=actor)
            end(task, TaskResult.BOOKED, appointment_id=visit.id, actor=actor)
        else:
            settled = CallTaskReason.kind.in_(rules.SETTLED_BY_BOOKING)
            _end_reasons(task, settled, appointment_id=visit.id, actor=actor)


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
    check_employee(doctor_id, "doctor_id")
    check_employee(responsible_id, "responsible_id")
    task = ask(patient_id, TaskReasonKind(kind), due_on=due_on, doctor_id=doctor_id, note=note, actor=actor)
    if task is None:
        raise Invalid(fields={"patient_id": N_("There is no such patient, or the card is archived.")})
    if responsible_id is not None and task.responsible_id != responsible_id:
        change(task.id, None, responsible_id=responsible_id, actor=actor)
    return task


def tidy(*, limit: int = 200) -> int:
    """End the reasons that went away without anybody telling; how many tasks were looked at.

    A debt that is paid; a visit that stands again, or can no longer be moved; a planned visit or an entry of the
    waiting list that is settled; everything of an archived card. Nothing while the module is off. Flushes, never
    commits.
    """
    if session.scalar(select(ClinicSetting.crm)) is False:
        return 0
    tasks = _locked_with_reasons(CallTaskReason.id.in_(_gone()), limit=limit)
    for task in tasks:
        _end_reasons(task, CallTaskReason.id.in_(_gone()), actor=None)
    return len(tasks)


def _gone() -> Select[int]:
    """The open reasons that are reasons no longer."""
    kind, today = CallTaskReason.kind, datetime.combine(clock.today(), time())
    lost, standing = (TaskReasonKind.CANCELLED, TaskReasonKind.NO_SHOW), tuple(rules.OF_A_STANDING_VISIT)
    return (
        select(CallTaskReason.id)
        .join(CallTask, CallTask.id == CallTaskReason.task_id)
        .join(Patient, Patient.id == CallTask.patient_id)
        .outerjoin(PatientAccount, PatientAccount.patient_id == Patient.id)
        .outerjoin(Appointment, Appointment.id == CallTaskReason.appointment_id)
        .outerjoin(PlannedVisit, PlannedVisit.id == CallTaskReason.planned_visit_id)
        .outerjoin(WaitingEntry, WaitingEntry.id == CallTaskReason.waiting_entry_id)
        .where(
            queries.IS_OPEN,
            CallTaskReason.closed_at.is_(None),
            or_(
                Patient.status == CardStatus.ARCHIVED,
                and_(kind == TaskReasonKind.DEBT, func.coalesce(PatientAccount.debt, 0) == 0),
                and_(kind.in_(lost), Appointment.status.not_in(FREES_TIME)),
                and_(
                    kind.in_(standing),
                    or_(Appointment.status != AppointmentStatus.BOOKED, Appointment.starts_at < today),
                ),
                PlannedVisit.status.in_((PlannedStatus.BOOKED, PlannedStatus.DECLINED, PlannedStatus.CLOSED)),
                WaitingEntry.status.in_((WaitingStatus.BOOKED, WaitingStatus.CANCELLED)),
            ),
        )
    )
