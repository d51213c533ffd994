"""A change of the schedule that ended reasons to call was undone: the reasons are there again."""

from datetime import datetime

from sqlalchemy import select, update

from app.db import session
from app.models import CallTask, CallTaskReason, User
from app.tasks.operations.asking import ask
from app.vocab import TaskReasonKind, TaskResult


def reasons_back(
    patient_id: int,
    *,
    ended_from: datetime,
    ended_to: datetime,
    booked_id: int | None = None,
    actor: User | None,
) -> None:
    """Ask again for the calls about a patient that ended between two moments: those of a change that is undone.

    `booked_id` is a booking that is about to be removed: calls that it had closed no longer name it. One statement
    when there is nothing to do. Records `task.opened` or `task.reason_added`. Flushes, never commits.
    """
    ended = session.scalars(
        select(CallTaskReason)
        .join(CallTask, CallTask.id == CallTaskReason.task_id)
        .where(
            CallTask.patient_id == patient_id,
            CallTaskReason.closed_at >= ended_from,
            CallTaskReason.closed_at <= ended_to,
        )
        .order_by(CallTaskReason.id)
    ).all()
    for reason in ended:
        ask(
            patient_id,
            TaskReasonKind(reason.kind),
            due_on=reason.due_on,
            doctor_id=reason.doctor_id,
            appointment_id=reason.appointment_id,
            planned_visit_id=reason.planned_visit_id,
            waiting_entry_id=reason.waiting_entry_id,
            note=reason.note,
            actor=actor,
        )
    if booked_id is not None:
        of_booking = update(CallTask).where(CallTask.appointment_id == booked_id)
        session.execute(
            of_booking.values(appointment_id=None, result=TaskResult.NOT_NEEDED, version=CallTask.version + 1)
        )
