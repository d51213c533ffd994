"""The list of those to be called, as the page and the API show it: a page of rows in one statement.

Where next: `report.py` for what came of the calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, and_, case, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app import clock
from app.db import Fixed, given, page_of, session
from app.models import (
    Appointment,
    CallTask,
    CallTaskReason,
    Employee,
    Patient,
    PatientAccount,
    PatientPhone,
    User,
)
from app.money import ZERO
from app.patients import queries as patients
from app.patients import rules as cards
from app.tasks import rules
from app.vocab import AppointmentStatus, TaskStatus

Row = dict[str, Any]
#: A constant, not a parameter: a statement prepared for any status would use no index of the open tasks.
IS_OPEN = CallTask.status == literal_column(f"'{TaskStatus.OPEN}'")
#: Nobody looks at a number above this; the menu says «999+».
MOST_COUNTED = 1000


def short_name(person: Any) -> ColumnElement[str]:
    """«Петрова А. С.», made by the database; null for nobody."""
    initial = func.concat(" ", func.left(person.name, 1), ".")
    second = case((person.patronymic != "", func.concat(" ", func.left(person.patronymic, 1), ".")), else_="")
    return case((person.id.is_not(None), func.concat(person.surname, initial, second)))


@dataclass(frozen=True)
class Wanted:
    """Which tasks: `when` is overdue, today, later, closed or empty (all open)."""

    when: str = ""
    kind: str | None = None
    doctor_id: int | None = None
    #: Whose: the responsible employee, or who is calling now (employee, login).
    mine: tuple[int | None, int] | None = None
    q: str = ""


def _day_starts(day: date) -> datetime:
    return datetime.combine(day, time())


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    today = clock.today()
    closed = wanted.when == "closed"
    found: list[ColumnElement[bool]] = [CallTask.status == TaskStatus.CLOSED if closed else IS_OPEN]
    tomorrow = _day_starts(today + timedelta(days=1))
    match wanted.when:
        case "overdue":
            found.append(CallTask.due_at < _day_starts(today))
        case "today":
            found.append(and_(CallTask.due_at >= _day_starts(today), CallTask.due_at < tomorrow))
        case "later":
            found.append(CallTask.due_at >= tomorrow)
    reason = select(CallTaskReason.id).where(CallTaskReason.task_id == CallTask.id)
    if not closed:
        reason = reason.where(CallTaskReason.closed_at.is_(None))
    if wanted.kind:
        found.append(reason.where(CallTaskReason.kind == wanted.kind).exists())
    if wanted.doctor_id:
        found.append(reason.where(CallTaskReason.doctor_id == wanted.doctor_id).exists())
    if wanted.mine is not None:
        employee_id, user_id = wanted.mine
        found.append(or_(CallTask.responsible_id == (employee_id or 0), CallTask.claimed_by_id == user_id))
    if wanted.q.strip():
        found.append(CallTask.patient_id.in_(patients.matching(wanted.q)))
    return found


def _counts() -> Fixed:
    due = (
        select(CallTask.due_at)
        .where(IS_OPEN, CallTask.due_at < given("tomorrow", DateTime()))
        .order_by(CallTask.due_at)
        .limit(MOST_COUNTED)
        .subquery()
    )
    overdue = func.count().filter(due.c.due_at < given("today", DateTime()))
    return Fixed(select(overdue.label("late"), func.count().label("all")).select_from(due))


#: Asked with every page: the menu shows them.
_COUNTS = _counts()


def counts() -> tuple[int, int]:
    """How many are overdue, and how many are due today; one index is read, up to a thousand entries."""
    today = clock.today()
    row = _COUNTS(today=_day_starts(today), tomorrow=_day_starts(today + timedelta(days=1))).one()
    return row.late, row.all - row.late


def stamp() -> str:
    """Something that differs whenever the list of open tasks does; a claim that ran out counts too."""
    fresh = CallTask.claimed_at > clock.now() - rules.CLAIM_LASTS
    row = session.execute(
        select(
            func.count(), func.coalesce(func.sum(CallTask.version), 0), func.coalesce(func.max(CallTask.id), 0),
            func.count().filter(fresh),
        ).where(IS_OPEN)
    ).one()  # fmt: skip
    return ".".join(str(value) for value in (clock.today().toordinal(), *row))


def _reasons() -> Any:
    """The reasons of a task as JSON: those still open, or all when it is closed; the earliest first."""
    doctor, visit = aliased(Employee), aliased(Appointment)
    one = func.json_build_object(
        "kind", CallTaskReason.kind, "due_on", CallTaskReason.due_on, "note", CallTaskReason.note,
        "doctor_id", CallTaskReason.doctor_id, "doctor", short_name(doctor), "visit_at", visit.starts_at,
        "appointment_id", CallTaskReason.appointment_id, "planned_visit_id", CallTaskReason.planned_visit_id,
        "waiting_entry_id", CallTaskReason.waiting_entry_id,
    )  # fmt: skip
    return (
        select(func.json_agg(aggregate_order_by(one, CallTaskReason.due_on, CallTaskReason.id)))
        .outerjoin(doctor, doctor.id == CallTaskReason.doctor_id)
        .outerjoin(visit, visit.id == CallTaskReason.appointment_id)
        .where(
            CallTaskReason.task_id == CallTask.id,
            or_(CallTaskReason.closed_at.is_(None), CallTask.status == TaskStatus.CLOSED),
        )
        .correlate(CallTask)
        .scalar_subquery()
    )


def _statement() -> Select[Any]:
    """Everything that a row shows; who asks adds which rows."""
    phone = func.json_build_object("number", PatientPhone.number, "owner", PatientPhone.owner)
    phones = (
        select(func.json_agg(aggregate_order_by(phone, PatientPhone.id)))
        .where(PatientPhone.patient_id == CallTask.patient_id)
        .correlate(CallTask)
        .scalar_subquery()
    )

    def visit(what: Any, *conditions: ColumnElement[bool]) -> Any:
        of_patient = select(what).where(Appointment.patient_id == CallTask.patient_id, *conditions)
        return of_patient.correlate(CallTask).scalar_subquery()

    last = visit(func.max(Appointment.starts_at), Appointment.status == AppointmentStatus.COMPLETED)
    coming = visit(
        func.min(Appointment.starts_at),
        Appointment.status == AppointmentStatus.BOOKED,
        Appointment.starts_at >= clock.wall_now(),
    )
    responsible, caller, closer = aliased(Employee), aliased(Employee), aliased(Employee)
    caller_user = aliased(User)
    return (
        select(
            CallTask,
            Patient.surname, Patient.name, Patient.patronymic, Patient.birth_date, Patient.card_number, Patient.allergy,
            PatientAccount.debt, PatientAccount.advance,
            phones.label("phones"), _reasons().label("reasons"), last.label("last"), coming.label("next"),
            short_name(responsible).label("responsible"),
            func.coalesce(short_name(caller), caller_user.username).label("caller"),
            short_name(closer).label("closer"),
        )
        .join(Patient, Patient.id == CallTask.patient_id)
        .outerjoin(PatientAccount, PatientAccount.patient_id == CallTask.patient_id)
        .outerjoin(responsible, responsible.id == CallTask.responsible_id)
        .outerjoin(caller_user, caller_user.id == CallTask.claimed_by_id)
        .outerjoin(caller, caller.user_id == CallTask.claimed_by_id)
        .outerjoin(closer, and_(CallTask.closed_by_id.is_not(None), closer.user_id == CallTask.closed_by_id))
        .execution_options(populate_existing=True)
    )  # fmt: skip


def page(wanted: Wanted, *, me: int, limit: int, offset: int = 0) -> tuple[int, list[Row]]:
    """A page of tasks, the most urgent first (closed ones: the newest first), and how many there are in all."""
    closed = wanted.when == "closed"
    order = (CallTask.closed_at.desc(), CallTask.id.desc()) if closed else (CallTask.due_at, CallTask.id)
    many, found = page_of(_statement(), CallTask, *_conditions(wanted), order=order, limit=limit, offset=offset)
    return many, [_row(one, me) for one in found]


def one(task_id: int, *, me: int) -> Row | None:
    """A task as the list shows it; None when there is no such task."""
    found = session.execute(_statement().where(CallTask.id == task_id)).one_or_none()
    return _row(found, me) if found else None


def of_patient(patient_id: int, *, me: int, limit: int = 50) -> list[Row]:
    """The tasks of a patient, the open one first, then the newest."""
    found = session.execute(
        _statement()
        .where(CallTask.patient_id == patient_id)
        .order_by(CallTask.status.desc(), CallTask.id.desc())
        .limit(limit)
    )
    return [_row(one, me) for one in found]


def _row(found: Any, me: int) -> Row:
    task: CallTask = found[0]
    today = clock.today()
    claimed = rules.is_claimed(task.claimed_by_id, task.claimed_at, clock.now())
    reasons = [_reason(reason) for reason in found.reasons or ()]
    doctors: dict[int, str] = {}
    for reason in reasons:
        if reason["doctor_id"]:
            doctors[reason["doctor_id"]] = reason["doctor"]
    names: Sequence[str] = (found.surname, found.name, found.patronymic)
    return {
        "id": task.id, "version": task.version, "status": task.status, "due_at": task.due_at,
        "overdue_days": max(0, (today - task.due_at.date()).days) if task.status == TaskStatus.OPEN else 0,
        "due_now": task.due_at <= clock.wall_now(),
        "patient": {
            "id": task.patient_id, "name": " ".join(filter(None, names)), "card_number": found.card_number,
            "birth_date": found.birth_date, "age": cards.age(found.birth_date, today), "allergy": found.allergy,
        },
        "phones": found.phones or [], "reasons": reasons, "doctors": list(doctors.values()),
        "last_visit": found.last, "next_visit": found.next,
        "balance": {"debt": found.debt or ZERO, "advance": found.advance or ZERO},
        "attempts": task.attempts, "last_result": task.last_result, "comment": task.comment,
        "responsible_id": task.responsible_id, "responsible": found.responsible,
        "claimed": {"by": found.caller, "mine": task.claimed_by_id == me, "at": task.claimed_at} if claimed else None,
        "result": task.result, "closed_at": task.closed_at, "closed_by": found.closer,
        "appointment_id": task.appointment_id,
    }  # fmt: skip


def _reason(given: dict[str, Any]) -> dict[str, Any]:
    visit_at = given["visit_at"]
    return {
        **given,
        "due_on": date.fromisoformat(given["due_on"]),
        "visit_at": datetime.fromisoformat(visit_at) if visit_at else None,
    }
