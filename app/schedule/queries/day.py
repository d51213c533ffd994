"""The day of the schedule: columns, hours, blocks and visits, with a version that changes with anything shown.

A screen asks every few seconds whether anything is new, and mostly hears no. `known_version` answers that without
looking at the day, when nothing at all was committed since it was last told.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import DateTime, literal, null, or_, select, union_all

from app import clock
from app.db import Fixed, given
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
    """A day of the clinic: columns, hours, blocks and visits."""

    day: date
    columns: list[dict[str, Any]]
    chairs: list[dict[str, Any]]
    hours: list[dict[str, Any]]
    blocks: list[dict[str, Any]]
    appointments: list[Visit]
    #: When the first hold of the day ends by itself: what is shown changes then although nobody wrote anything.
    ends_at: datetime | None

    @cached_property
    def _told(self) -> bytes:
        """All that is shown, as JSON."""
        return orjson.dumps(
            {name: getattr(self, name) for name in ("columns", "chairs", "hours", "blocks", "appointments")}
        )

    @cached_property
    def version(self) -> str:
        """A digest of all that is shown, names and balances included."""
        return blake2b(orjson.dumps(self._head()) + self._told, digest_size=12).hexdigest()

    def _head(self) -> dict[str, Any]:
        return {"day": self.day.isoformat()}

    def as_json(self) -> bytes:
        return orjson.dumps({**self._head(), "version": self.version})[:-1] + b"," + self._told[1:]


@dataclass(frozen=True)
class WeekSheet(DaySheet):
    """A week of one doctor, from Monday `day` on, as a day is told."""

    days: list[date]
    doctor_id: int

    def _head(self) -> dict[str, Any]:
        return {**super()._head(), "days": [day.isoformat() for day in self.days], "doctor_id": self.doctor_id}


# --- what was told, and when ----------------------------------------------------------------------------

_KEPT = 500
_told: OrderedDict[Hashable, tuple[str, datetime, datetime | None, str]] = OrderedDict()


def known_version(what: Hashable, as_of: str) -> str | None:
    """The version of a sheet that this process has told, when it must be the same now; else None.

    `as_of` is what this request sees in the database (`Account.as_of`): the word of a snapshot, which is another one
    as soon as anybody has committed anything. Only time itself changes a sheet otherwise, by ending a hold.
    """
    seen, since, until, version = _told.get(what, ("", clock.now(), None, ""))
    now = clock.now()
    return version if as_of and seen == as_of and since <= now and (until is None or now < until) else None


def keep_version(what: Hashable, as_of: str, sheet: DaySheet) -> None:
    """Remember what was told. `as_of` must have been read before the sheet was."""
    _told[what] = (as_of, clock.now(), sheet.ends_at, sheet.version)
    _told.move_to_end(what)
    while len(_told) > _KEPT:
        _told.popitem(last=False)


# --- looking at the day -----------------------------------------------------------------------------------


@cache
def _frame(of_branch: bool, of_doctor: bool) -> Fixed:
    """Hours, blocks and chairs of a span of days, with the doctors' names, in one statement."""
    start, end = given("start", DateTime()), given("end", DateTime())
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
        or_(TimeBlock.expires_at.is_(None), TimeBlock.expires_at > given("now", DateTime(timezone=True))),
    )
    chairs = select(
        literal("chair"), Chair.id, null(), Chair.id, Chair.branch_id, null(), null(), Chair.name, null(), null()
    ).where(Chair.archived.is_(False))
    if of_branch:
        hours = hours.where(WorkingHours.branch_id == given("branch"))
        blocks = blocks.where(TimeBlock.branch_id == given("branch"))
        chairs = chairs.where(Chair.branch_id == given("branch"))
    if of_doctor:
        hours = hours.where(WorkingHours.doctor_id == given("doctor"))
        blocks = blocks.where(or_(TimeBlock.doctor_id == given("doctor"), TimeBlock.doctor_id.is_(None)))
    frame = union_all(hours, blocks, chairs).subquery()
    return Fixed(
        select(
            frame,
            Employee.surname.label("doctor_surname"),
            Employee.name.label("doctor_name"),
            Employee.patronymic.label("doctor_patronymic"),
        )
        .outerjoin(Employee, Employee.id == frame.c.doctor_id)
        .order_by(frame.c.branch_id, frame.c.starts_at, frame.c.id)
    )


@cache
def _visits(of_branch: bool, of_doctor: bool) -> Fixed:
    """The visits of a span of days."""
    asked = VISITS.where(Appointment.starts_at >= given("start"), Appointment.starts_at < given("end"))
    if of_branch:
        asked = asked.where(Appointment.branch_id == given("branch"))
    if of_doctor:
        asked = asked.where(Appointment.doctor_id == given("doctor"))
    return Fixed(asked.order_by(Appointment.starts_at, Appointment.id))


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
    """What both sheets consist of, for a span of days: columns, chairs, hours, blocks, appointments."""
    kind = (branch_id is not None, doctor_id is not None)
    asked = {"start": start, "end": end, "branch": branch_id, "doctor": doctor_id, "now": clock.now()}
    visits: Sequence[Line] = _visits(*kind)(**asked).all()
    frame: Sequence[Line] = _frame(*kind)(**asked).all()
    doctors: dict[int, str] = {}
    for row in (*frame, *visits):
        if row.doctor_id is not None and row.doctor_id not in doctors:
            doctors[row.doctor_id] = short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic)
    return {
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
        "ends_at": min((row.expires_at for row in frame if row.expires_at is not None), default=None),
    }


def day_sheet(
    day: date, *, branch_id: int | None = None, doctor_id: int | None = None, with_money: bool = True
) -> DaySheet:
    """The schedule of a day, of one branch or all, of one doctor or all; two statements.

    Cancelled visits and no-shows are among the appointments, with their status.
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
