"""The day of the schedule: columns, hours, blocks and visits, with a version that changes with anything shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import literal, null, or_, select, union_all

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Chair,
    Employee,
    TimeBlock,
    WorkingHours,
)
from app.schedule.queries.visits import VISITS, Line, Visit, as_visit, instant_text, moment_text, short_name


@dataclass(frozen=True)
class DaySheet:
    """A day of the clinic: columns, hours, blocks and visits. `version` changes with anything that is shown."""

    day: date
    version: str
    columns: list[dict[str, Any]]
    chairs: list[dict[str, Any]]
    hours: list[dict[str, Any]]
    blocks: list[dict[str, Any]]
    appointments: list[Visit]

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "day": self.day.isoformat()}


@dataclass(frozen=True)
class WeekSheet(DaySheet):
    """A week of one doctor, from Monday `day` on, as a day is told."""

    days: list[date]
    doctor_id: int

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "days": [day.isoformat() for day in self.days]}


def _frame(start: datetime, end: datetime, branch_id: int | None, doctor_id: int | None) -> Sequence[Line]:
    """Hours, blocks and chairs of a day, with the doctors' names, in one statement."""
    hours = select(
        literal("hours").label("what"),
        WorkingHours.id,
        WorkingHours.doctor_id,
        WorkingHours.chair_id,
        WorkingHours.branch_id,
        WorkingHours.starts_at,
        WorkingHours.ends_at,
        literal("").label("name"),
        null().label("version"),
        null().label("expires_at"),
    ).where(WorkingHours.starts_at >= start, WorkingHours.starts_at < end)
    blocks = select(
        TimeBlock.kind,
        TimeBlock.id,
        TimeBlock.doctor_id,
        TimeBlock.chair_id,
        TimeBlock.branch_id,
        TimeBlock.starts_at,
        TimeBlock.ends_at,
        TimeBlock.reason,
        TimeBlock.version,
        TimeBlock.expires_at,
    ).where(
        TimeBlock.starts_at >= start,
        TimeBlock.starts_at < end,
        TimeBlock.lifted_at.is_(None),
        or_(TimeBlock.expires_at.is_(None), TimeBlock.expires_at > clock.now()),
    )
    chairs = select(
        literal("chair"), Chair.id, null(), Chair.id, Chair.branch_id, null(), null(), Chair.name, null(), null()
    ).where(Chair.archived.is_(False))
    if branch_id is not None:
        hours = hours.where(WorkingHours.branch_id == branch_id)
        blocks = blocks.where(TimeBlock.branch_id == branch_id)
        chairs = chairs.where(Chair.branch_id == branch_id)
    if doctor_id is not None:
        hours = hours.where(WorkingHours.doctor_id == doctor_id)
        blocks = blocks.where(or_(TimeBlock.doctor_id == doctor_id, TimeBlock.doctor_id.is_(None)))
    frame = union_all(hours, blocks, chairs).subquery()
    return session.execute(
        select(
            frame,
            Employee.surname.label("doctor_surname"),
            Employee.name.label("doctor_name"),
            Employee.patronymic.label("doctor_patronymic"),
        )
        .outerjoin(Employee, Employee.id == frame.c.doctor_id)
        .order_by(frame.c.branch_id, frame.c.starts_at, frame.c.id)
    ).all()


def _place(row: Line) -> dict[str, Any]:
    return {
        "id": row.id,
        "doctor_id": row.doctor_id,
        "chair_id": row.chair_id,
        "branch_id": row.branch_id,
        "starts_at": moment_text(row.starts_at),
        "ends_at": moment_text(row.ends_at),
    }


def _shown(
    start: datetime, end: datetime, *, branch_id: int | None, doctor_id: int | None, with_money: bool
) -> dict[str, Any]:
    """What both sheets consist of, for a span of days: version, columns, chairs, hours, blocks, appointments."""
    asked = VISITS.where(Appointment.starts_at >= start, Appointment.starts_at < end)
    if branch_id is not None:
        asked = asked.where(Appointment.branch_id == branch_id)
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    visits = session.execute(asked.order_by(Appointment.starts_at, Appointment.id)).all()
    frame = _frame(start, end, branch_id, doctor_id)
    told = ([tuple(row) for row in visits], [tuple(row) for row in frame], with_money)  # a Row's own repr is slow
    doctors = {
        row.doctor_id: short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic)
        for row in (*frame, *visits)
        if row.doctor_id is not None
    }
    return {
        "version": blake2b(repr(told).encode(), digest_size=12).hexdigest(),
        "columns": [
            {"doctor_id": pk, "name": name} for pk, name in sorted(doctors.items(), key=lambda pair: (pair[1], pair[0]))
        ],
        "chairs": [
            {"chair_id": row.id, "name": row.name, "branch_id": row.branch_id} for row in frame if row.what == "chair"
        ],
        "hours": [_place(row) for row in frame if row.what == "hours"],
        "blocks": [
            {
                **_place(row),
                "kind": row.what,
                "reason": row.name,
                "version": row.version,
                "expires_at": instant_text(row.expires_at),
            }
            for row in frame
            if row.what not in ("hours", "chair")
        ],
        "appointments": [as_visit(row, with_money=with_money) for row in visits],
    }


def day_sheet(
    day: date, *, branch_id: int | None = None, doctor_id: int | None = None, with_money: bool = True
) -> DaySheet:
    """The schedule of a day, of one branch or all, of one doctor or all; two statements.

    Cancelled visits and no-shows are among the appointments, with their status. `version` is a digest of all
    that is shown, names and balances included, so that a screen asks "anything new?" and mostly hears no.
    """
    start = datetime.combine(day, time())
    return DaySheet(
        day=day,
        **_shown(start, start + timedelta(days=1), branch_id=branch_id, doctor_id=doctor_id, with_money=with_money),
    )


def week_sheet(day: date, doctor_id: int, *, with_money: bool = True) -> WeekSheet:
    """The week of a doctor from Monday to Sunday around a day, in all branches; two statements, as the day."""
    monday = day - timedelta(days=day.weekday())
    start = datetime.combine(monday, time())
    return WeekSheet(
        day=monday,
        days=[monday + timedelta(days=n) for n in range(7)],
        doctor_id=doctor_id,
        **_shown(start, start + timedelta(days=7), branch_id=None, doctor_id=doctor_id, with_money=with_money),
    )
