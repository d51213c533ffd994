"""Meeting the patient: arrival, start, end, no-show, the patient's answer, and taking the last step back."""

from typing import Any

from app import access, clock
from app.errors import (
    NothingToUndo,
)
from app.messages import operations as messages
from app.models import Appointment, User
from app.schedule import queries, rules
from app.schedule.operations import calls
from app.schedule.operations.places import change, check_still_free, locked_visit
from app.schedule.operations.visits import check_version, restore
from app.schedule.rules import BOOKED, CANCELLED
from app.vocab import AnsweredBy, AppointmentStatus, Confirmation


def _step(appointment_id: int, step: str, actor: User | None) -> tuple[Appointment, str]:
    """The visit, locked, and the status that the step leads to; a doctor takes steps of own visits only."""
    visit = locked_visit(appointment_id)
    access.require_own(actor, "schedule.attend", visit.doctor_id)
    return visit, rules.check_status(visit.status, step)


def arrive(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient has come: «Пациент пришёл». From now on the waiting minutes run.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "arrive", actor)
    values = {"status": status, "arrived_at": clock.now(), "first_visit": not queries.came_before(visit)}
    return change(visit, "appointment.arrived", values, {}, actor)


def start(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient sits down in the chair.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "start", actor)
    return change(visit, "appointment.started", {"status": status, "started_at": clock.now()}, {}, actor)


def complete(appointment_id: int, *, actor: User | None) -> Appointment:
    """The doctor has finished.

    Raises:
        NotFound, NotAllowed, WrongStatus
    """
    visit, status = _step(appointment_id, "complete", actor)
    return change(visit, "appointment.completed", {"status": status, "completed_at": clock.now()}, {}, actor)


def no_show(appointment_id: int, *, actor: User | None) -> Appointment:
    """The patient has not come; the time is free again.

    Raises:
        NotFound, NotAllowed, WrongStatus
        TooEarly: the visit should not have begun yet.
    """
    visit, status = _step(appointment_id, "no_show", actor)
    rules.check_no_show(visit.starts_at, clock.wall_now())
    change(visit, "appointment.no_show", {"status": status}, {}, actor)
    messages.tell_missed(visit, actor=actor)
    calls.missed(visit, actor=actor)
    return visit


def confirm(
    appointment_id: int,
    confirmation: str = Confirmation.CONFIRMED,
    *,
    version: int | None = None,
    by: AnsweredBy | None = None,
    actor: User | None,
) -> Appointment:
    """Write down what the patient answered about a coming visit; said twice is the same as once.

    Each try that reached nobody counts. With `version` the answer is about the visit as it was seen. Who declined
    without talking to anybody (`by`) is called.

    Raises:
        NotFound, WrongStatus
        Stale: somebody changed the visit meanwhile.
    """
    visit = locked_visit(appointment_id)
    if visit.status != BOOKED:
        raise rules.wrong_status(visit.status)
    values: dict[str, Any] = {"confirmation": Confirmation(confirmation)}
    if confirmation == Confirmation.NOT_REACHED:
        values["notify_attempts"] = min(visit.notify_attempts + 1, 1000)
    elif visit.confirmation == confirmation:
        return visit
    if version is not None:
        check_version(visit, version, actor)
    change(visit, "appointment.confirmed", values, {"answered_by": by} if by else {}, actor)
    calls.answered(visit, unasked=by is not None, actor=actor)
    return visit


def undo(appointment_id: int, *, actor: User | None) -> Appointment:
    """Take back the last step of a visit on the day it was made: arrival, start, end, no-show, cancellation.

    Raises:
        NotFound, NotAllowed
        NothingToUndo: no step, or not of today.
        SlotTaken: the visit had freed its time and somebody else is there now.
    """
    visit = locked_visit(appointment_id)
    access.require_own(actor, "schedule.attend", visit.doctor_id)
    made = rules.step_made(
        visit.status,
        arrived_at=visit.arrived_at,
        started_at=visit.started_at,
        completed_at=visit.completed_at,
        cancelled_at=visit.cancelled_at,
        no_show_at=queries.last_deed(visit.id, "appointment.no_show") if visit.status == rules.NO_SHOW else None,
    )
    if made is None or clock.wall(made).date() != clock.today():
        raise NothingToUndo()
    if visit.status == CANCELLED:
        access.require(actor, "schedule.cancel")
        return restore(appointment_id, actor=actor)
    missed = visit.status == rules.NO_SHOW
    free = check_still_free(visit, actor) if missed else {}
    status, cleared = rules.BEFORE_STEP[AppointmentStatus(visit.status)]
    values: dict[str, Any] = {"status": status, **({cleared: None} if cleared else {}), **free}
    change(visit, "appointment.undone", values, {}, actor)
    if missed:
        calls.back(visit, actor=actor)
    return visit
