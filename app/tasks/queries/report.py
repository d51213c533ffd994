"""What came of the calls of a period: by person, by reason, by result, and the bookings they brought."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import Appointment, CallAttempt, CallTask, CallTaskReason, Employee, RefusalReason, User
from app.tasks.queries.rows import short_name
from app.vocab import AppointmentStatus, AttemptResult, TaskReasonKind, TaskResult, TaskStatus

Row = dict[str, Any]


@dataclass(frozen=True)
class Figures:
    """A report: rows by person, by kind of reason, by result, by reason of refusal."""

    people: list[Row]
    kinds: list[Row]
    results: list[Row]
    refusals: list[Row]
    attempts: int
    closed: int
    booked: int
    came: int


def _between(column: Any, first: date, last: date) -> ColumnElement[bool]:
    zone = clock.zone()
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return and_(column >= start, column < end)


def _name(person: Any) -> Any:
    return func.coalesce(short_name(person), User.username, "").label("who")


def figures(first: date, last: date) -> Figures:
    """The calls of these days: attempts made and tasks closed then.

    A task has one result, but may have several reasons. Tasks whose reason went by itself are nobody's work: they are
    counted apart.
    """
    people: dict[str, Row] = {}

    def person(name: str) -> Row:
        return people.setdefault(
            name, {"name": name, "attempts": 0, "reached": 0, "closed": 0, **dict.fromkeys(map(str, TaskResult), 0)}
        )

    caller, closer = aliased(Employee), aliased(Employee)
    tries = session.execute(
        select(
            _name(caller), func.count(), func.count().filter(CallAttempt.result != AttemptResult.NOT_REACHED)
        )
        .outerjoin(User, User.id == CallAttempt.created_by_id)
        .outerjoin(caller, caller.user_id == User.id)
        .where(_between(CallAttempt.created_at, first, last))
        .group_by("who")
    )  # fmt: skip
    for name, many, reached in tries:
        person(name).update(attempts=many, reached=reached)
    closed = CallTask.status == TaskStatus.CLOSED, _between(CallTask.closed_at, first, last)
    by_result: dict[str, int] = {}
    ended = session.execute(
        select(_name(closer), CallTask.result, func.count())
        .outerjoin(User, User.id == CallTask.closed_by_id)
        .outerjoin(closer, closer.user_id == User.id)
        .where(*closed)
        .group_by("who", CallTask.result)
    )
    for name, result, many in ended:
        became = str(result)
        person(name)[became] += many
        by_result[became] = by_result.get(became, 0) + many
        if became != TaskResult.NOT_NEEDED:
            person(name)["closed"] += many
    total = sum(by_result.values())
    return Figures(
        people=sorted(people.values(), key=lambda row: (row["name"] == "", row["name"])),
        kinds=_kinds(*closed),
        results=[
            {"result": str(result), "label": result.label, "count": by_result[result],
             "share": round(by_result[result] * 100 / total)}
            for result in TaskResult if by_result.get(result)
        ],
        refusals=_refusals(*closed),
        attempts=sum(row["attempts"] for row in people.values()),
        closed=total - by_result.get(TaskResult.NOT_NEEDED, 0),
        booked=by_result.get(TaskResult.BOOKED, 0),
        came=_came(*closed),
    )  # fmt: skip


def _kinds(*closed: ColumnElement[bool]) -> list[Row]:
    """By kind of reason: tasks closed that had it, and what came of them."""
    tasks = func.count(CallTask.id.distinct())
    results = {str(result): tasks.filter(CallTask.result == result).label(str(result)) for result in TaskResult}
    rows = session.execute(
        select(CallTaskReason.kind, tasks.label("closed"), *results.values())
        .join(CallTask, CallTask.id == CallTaskReason.task_id)
        .where(*closed)
        .group_by(CallTaskReason.kind)
    )
    found = {row.kind: row._asdict() for row in rows}
    return [{**found[kind], "label": kind.label} for kind in TaskReasonKind if kind in found]


def _refusals(*closed: ColumnElement[bool]) -> list[Row]:
    rows = session.execute(
        select(RefusalReason.name, func.count().label("count"))
        .join(CallTask, CallTask.refusal_reason_id == RefusalReason.id)
        .where(CallTask.result == TaskResult.REFUSED, *closed)
        .group_by(RefusalReason.name)
        .order_by(func.count().desc(), RefusalReason.name)
    )
    return [dict(row._mapping) for row in rows]


def _came(*closed: ColumnElement[bool]) -> int:
    """Of the bookings that calls brought: how many patients have come by now."""
    return (
        session.scalar(
            select(func.count())
            .select_from(CallTask)
            .join(Appointment, Appointment.id == CallTask.appointment_id)
            .where(
                CallTask.result == TaskResult.BOOKED,
                Appointment.status.in_(
                    (AppointmentStatus.ARRIVED, AppointmentStatus.IN_PROGRESS, AppointmentStatus.COMPLETED)
                ),
                *closed,
            )
        )
        or 0
    )
