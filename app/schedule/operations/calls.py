"""Whom to call after a change of a visit: the schedule tells the list of call tasks, which decides the rest.

Where next: `app/tasks/operations.py`.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import select

from app import clock
from app.db import session
from app.models import Appointment, User
from app.schedule import queries, rules
from app.schedule.operations.places import slot_of
from app.schedule.rules.undoing import AT_ONCE
from app.tasks import operations as tasks
from app.tasks.rules import OF_A_STANDING_VISIT
from app.vocab import AppointmentStatus, Confirmation, TaskReasonKind


def booked(visit: Appointment, *, task_id: int | None = None, actor: User | None) -> None:
    """The patient has a visit: nobody needs to call about having none."""
    tasks.patient_booked(visit, task_id=task_id, actor=actor)


def cancelled(visit: Appointment, *, call: bool = True, actor: User | None) -> None:
    """Who cancelled and has no other visit ahead is called the next day, unless the desk arranged something else."""
    other = select(Appointment.id).where(
        Appointment.patient_id == visit.patient_id,
        Appointment.id != visit.id,
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.starts_at > clock.wall_now(),
    )
    if call and session.scalars(other.limit(1)).first() is None:
        _ask(visit, TaskReasonKind.CANCELLED, clock.today() + timedelta(days=1), actor)
    moved(visit, actor=actor)


def missed(visit: Appointment, *, actor: User | None) -> None:
    """Who did not come is called the same day."""
    _ask(visit, TaskReasonKind.NO_SHOW, clock.today(), actor)


def back(visit: Appointment, *, actor: User | None) -> None:
    """A visit that was cancelled or missed stands again: nobody calls about its loss."""
    gone = (TaskReasonKind.CANCELLED, TaskReasonKind.NO_SHOW)
    tasks.reasons_gone(kinds=gone, appointment_id=visit.id, actor=actor)


def moved(visit: Appointment, *, actor: User | None) -> None:
    """A visit no longer stands where it should not: nobody calls to move it."""
    tasks.reasons_gone(kinds=OF_A_STANDING_VISIT, appointment_id=visit.id, actor=actor)


def undone(visit: Appointment, at: datetime, *, removed: bool = False, actor: User | None) -> None:
    """A change made at that moment is undone: the calls that it had settled are to be made again."""
    booked_id = visit.id if removed else None
    tasks.reasons_back(
        visit.patient_id, ended_from=at - AT_ONCE, ended_to=at + AT_ONCE, booked_id=booked_id, actor=actor
    )


def check_hours(visit: Appointment, *, actor: User | None) -> None:
    """A visit that was put back into hours which were closed meanwhile must be moved: the patient is called."""
    slot = slot_of(visit)
    hours = [
        h for h in queries.look(slot, doctor_id=visit.doctor_id, chair_id=None).hours if h.branch_id == visit.branch_id
    ]
    ahead = visit.starts_at > clock.wall_now()
    if ahead and not visit.outside_hours_reason and not rules.lies_within(slot, hours):
        _ask(visit, TaskReasonKind.HOURS_CLOSED, clock.today(), actor)


def answered(visit: Appointment, *, unasked: bool = False, actor: User | None) -> None:
    """Who asks to move the visit is called, and who declined without being asked; who says otherwise no longer."""
    if visit.confirmation == Confirmation.ASKS_TO_MOVE or (unasked and visit.confirmation == Confirmation.DECLINED):
        _ask(visit, TaskReasonKind.ASKS_TO_MOVE, clock.today(), actor)
    else:
        tasks.reasons_gone(kinds=(TaskReasonKind.ASKS_TO_MOVE,), appointment_id=visit.id, actor=actor)


def _ask(visit: Appointment, kind: TaskReasonKind, day: date, actor: User | None) -> None:
    tasks.ask(visit.patient_id, kind, due_on=day, doctor_id=visit.doctor_id, appointment_id=visit.id, actor=actor)
