"""The schedule as it stands on paper: lists of a day, a week by hours, a patient's slip, the sheets for an outage.

Words: a list is one doctor's or one chair's day; a line of it is a visit, a closed time or a free piece of the hours.
Cancelled visits are not printed. Where next: `day.py`, `app/schedule/papers.py`, which draws PDFs.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import func, select

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Branch,
    Chair,
    Employee,
    LegalEntity,
    Patient,
    Speciality,
    WorkingHours,
)
from app.schedule.queries.day import DaySheet, WeekSheet, day_sheet
from app.schedule.queries.lists import chairs
from app.schedule.queries.visits import Visit, visits_of
from app.schedule.rules import Span, hours_in_words, joined
from app.vocab import FREES_TIME, AppointmentStatus

#: A free piece shorter than this is a breath, not a time to be filled.
SHORTEST_FREE = timedelta(minutes=10)
#: After so many days nobody asks for the next working day any more: the clinic is closed.
_LOOK_AHEAD = 14
#: Another look of the sheets is another version of them.
_LAYOUT = 1


@dataclass(frozen=True)
class PaperLine:
    """A visit, a closed time (`why`), or, with neither, a free piece of the hours."""

    starts_at: datetime
    ends_at: datetime
    visit: Visit | None = None
    why: str = ""

    @property
    def time(self) -> str:
        return f"{self.starts_at:%H:%M}–{self.end}"

    @property
    def end(self) -> str:
        """The midnight that ends a day is 24:00."""
        return "24:00" if self.ends_at.date() > self.starts_at.date() else f"{self.ends_at:%H:%M}"


@dataclass(frozen=True)
class PaperList:
    """The day of one doctor, or of one chair; `id` is None for visits that have no chair yet."""

    id: int | None
    name: str
    hours: str
    lines: list[PaperLine]
    spans: list[Span] = field(default_factory=list)


def _span(row: dict[str, Any]) -> Span:
    return Span(datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"]))


def _frees(row: dict[str, Any]) -> bool:
    return row.get("status") in FREES_TIME


def _line(row: dict[str, Any]) -> PaperLine:
    span = _span(row)
    if "patient" in row:
        return PaperLine(span.starts_at, span.ends_at, visit=row)
    return PaperLine(span.starts_at, span.ends_at, why=row["reason"])


def gaps(hours: Iterable[Span], busy: Iterable[Span]) -> list[Span]:
    """What of the hours nobody takes, in order; pieces that are worth filling."""
    taken, found = joined(busy), []
    for open_ in joined(hours):
        at = open_.starts_at
        for span in taken:
            if span.meets(open_):
                found.append(Span(at, min(span.starts_at, open_.ends_at)))
                at = max(at, span.ends_at)
        found.append(Span(at, open_.ends_at))
    return [gap for gap in found if gap.ends_at - gap.starts_at >= SHORTEST_FREE]


def _listed(
    pk: int | None, name: str, hours: list[Span], rows: list[dict[str, Any]], busy: Iterable[Span], *, free: bool
) -> PaperList:
    lines = [_line(row) for row in rows if row.get("status") != AppointmentStatus.CANCELLED]
    if free:
        lines += [PaperLine(gap.starts_at, gap.ends_at) for gap in gaps(hours, busy)]
    lines.sort(key=lambda line: (line.starts_at, line.ends_at))
    return PaperList(pk, name, hours_in_words(hours), lines, joined(hours))


def doctors_lists(sheet: DaySheet, *, doctors: Collection[int] = (), free: bool = False) -> list[PaperList]:
    """A list per doctor of the day, of these doctors or of all; with `free` also the free pieces of their hours."""
    rows = [*sheet.appointments, *sheet.blocks]
    lists = []
    for column in sheet.columns:
        pk = column["doctor_id"]
        if doctors and pk not in doctors:
            continue
        hours = [row for row in sheet.hours if row["doctor_id"] == pk]
        spans = [_span(row) for row in hours]
        places = {row["chair_id"] for row in hours} - {None}
        own = [row for row in rows if row["doctor_id"] == pk]
        # a chair that is closed closes the doctor who works in it then
        own += [
            row
            for row in sheet.blocks
            if row["doctor_id"] is None and row["chair_id"] in places and any(_span(row).meets(span) for span in spans)
        ]
        in_chair = [row for row in rows if row["chair_id"] in places]
        busy = [_span(row) for row in (*own, *in_chair) if not _frees(row)]
        lists.append(_listed(pk, column["name"], spans, own, busy, free=free))
    return lists


def chairs_lists(sheet: DaySheet, *, chosen: Collection[int] = (), free: bool = False) -> list[PaperList]:
    """A list per chair of the day; at the end the visits that have no chair yet (`id` None), when there are any."""
    rows = [*sheet.appointments, *sheet.blocks]
    known = {chair["chair_id"] for chair in sheet.chairs}
    lists = []
    for chair in sheet.chairs:
        pk = chair["chair_id"]
        if chosen and pk not in chosen:
            continue
        spans = [_span(row) for row in sheet.hours if row["chair_id"] == pk]
        own = [row for row in rows if row["chair_id"] == pk]
        busy = [_span(row) for row in own if not _frees(row)]
        made = _listed(pk, chair["name"], spans, own, busy, free=free)
        if made.lines or made.spans or chosen:
            lists.append(made)
    left = [row for row in sheet.appointments if row["chair_id"] not in known]
    if left and not chosen and (rest := _listed(None, "", [], left, [], free=False)).lines:
        lists.append(rest)
    return lists


@dataclass(frozen=True)
class WeekHour:
    """A row of the printed week: what begins in this hour, by day; None where the doctor has no hours then."""

    hour: int
    cells: list[list[PaperLine] | None]


def week_by_hours(sheet: WeekSheet) -> tuple[list[date], list[WeekHour]]:
    """The days of a week that are worth a column, and a row per hour from the first to the last."""
    rows = [row for row in (*sheet.appointments, *sheet.blocks) if row.get("status") != AppointmentStatus.CANCELLED]
    lines = sorted((_line(row) for row in rows), key=lambda line: (line.starts_at, line.ends_at))
    spans = [_span(row) for row in sheet.hours]
    shown: list[Span | PaperLine] = [*spans, *lines]
    used = {span.starts_at.date() for span in shown}
    days = [day for day in sheet.days if day in used or day.weekday() < 5]
    if not used:
        return days, []
    first = min(span.starts_at.hour for span in shown)
    last = max(_last_hour(span) for span in shown)
    table = []
    for hour in range(first, last + 1):
        cells: list[list[PaperLine] | None] = []
        for day in days:
            start = datetime.combine(day, time(hour))
            here = [line for line in lines if start <= line.starts_at < start + timedelta(hours=1)]
            is_open = any(span.meets(Span(start, start + timedelta(hours=1))) for span in spans)
            cells.append(here if here or is_open else None)
        table.append(WeekHour(hour, cells))
    return days, table


def _last_hour(span: Span | PaperLine) -> int:
    """The hour in which the last minute lies."""
    return (span.ends_at - timedelta(minutes=1)).hour


# --- a patient's slip ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slip:
    """«Талон на приём»: where, when, to whom, and the patient's later visits, the nearest first."""

    id: int
    clinic: str
    branch: str
    address: str
    phone: str
    patient: str
    patient_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    doctor_id: int
    doctor: str
    speciality: str
    chair: str
    later: list[Visit]


def slip(pk: int, *, doctor_id: int | None = None, most: int = 5) -> Slip | None:
    """What the slip of a visit says; of this doctor's visits only, when one is named. At most `most` later visits."""
    asked = (
        select(
            Appointment.id, Appointment.patient_id, Appointment.starts_at, Appointment.ends_at, Appointment.status,
            Appointment.doctor_id, Patient.surname, Patient.name, Patient.patronymic,
            Employee.surname.label("d_surname"), Employee.name.label("d_name"),
            Employee.patronymic.label("d_patronymic"), Speciality.name.label("speciality"), Chair.name.label("chair"),
            Branch.name.label("branch"), func.coalesce(func.nullif(Branch.address, ""), LegalEntity.address)
            .label("address"), func.coalesce(func.nullif(Branch.phone, ""), LegalEntity.phone).label("phone"),
            LegalEntity.short_name.label("clinic"),
        )
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Employee, Employee.id == Appointment.doctor_id)
        .join(Branch, Branch.id == Appointment.branch_id)
        .join(LegalEntity, LegalEntity.id == Branch.legal_entity_id)
        .outerjoin(Speciality, Speciality.id == Employee.speciality_id)
        .outerjoin(Chair, Chair.id == Appointment.chair_id)
        .where(Appointment.id == pk)
    )  # fmt: skip
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    row = session.execute(asked).one_or_none()
    if row is None:
        return None
    later = [
        visit
        for visit in visits_of(
            row.patient_id, doctor_id=doctor_id, since=max(clock.wall_now(), row.ends_at), with_money=False
        )
        if visit["id"] != pk
    ]
    return Slip(
        id=row.id, clinic=row.clinic, branch=row.branch, address=row.address or "", phone=row.phone or "",
        patient=" ".join(filter(None, (row.surname, row.name, row.patronymic))), patient_id=row.patient_id,
        starts_at=row.starts_at, ends_at=row.ends_at, status=row.status, doctor_id=row.doctor_id,
        doctor=" ".join(filter(None, (row.d_surname, row.d_name, row.d_patronymic))),
        speciality=row.speciality or "", chair=row.chair or "", later=later[:most],
    )  # fmt: skip


# --- for an outage ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SpareBranch:
    """A branch on paper: today and its next working day. `version` changes with anything that would be printed."""

    id: int
    name: str
    phone: str
    version: str
    days: list[tuple[date, list[PaperList]]]


def next_working_day(day: date, branch_id: int) -> date | None:
    """The first day after this one on which a branch has hours or visits."""
    start = datetime.combine(day + timedelta(days=1), time())
    end = start + timedelta(days=_LOOK_AHEAD)
    hours = select(func.min(WorkingHours.starts_at)).where(
        WorkingHours.branch_id == branch_id, WorkingHours.starts_at >= start, WorkingHours.starts_at < end
    )
    visits = select(func.min(Appointment.starts_at)).where(
        Appointment.branch_id == branch_id,
        Appointment.starts_at >= start,
        Appointment.starts_at < end,
        Appointment.status.not_in(FREES_TIME),
    )
    first = [moment for moment in (session.scalar(hours), session.scalar(visits)) if moment is not None]
    return min(first).date() if first else None


def spare_branches() -> Sequence[tuple[int, str, str]]:
    """The branches whose sheets are kept: those that are open (number, name, phone)."""
    rows = session.execute(select(Branch.id, Branch.name, Branch.phone).where(Branch.archived.is_(False)))
    return sorted((pk, name, phone) for pk, name, phone in rows)


def spare_sheet(pk: int, name: str, phone: str, *, today: date) -> SpareBranch:
    """All that the spare sheet of a branch says, for today and the next working day."""
    days = [today, *filter(None, (next_working_day(today, pk),))]
    sheets = [day_sheet(day, branch_id=pk) for day in days]
    told = (_LAYOUT, name, phone, [(sheet.day, sheet.version) for sheet in sheets])
    return SpareBranch(
        id=pk,
        name=name,
        phone=phone,
        version=blake2b(repr(told).encode(), digest_size=12).hexdigest(),
        days=[(sheet.day, doctors_lists(sheet, free=True)) for sheet in sheets],
    )


def chair_names(branch_id: int | None = None) -> dict[int, str]:
    """How the chairs are called, by number; with the branch where a paper has several."""
    rows = [row for row in chairs() if branch_id in (None, row["branch_id"])]
    several = len({row["branch_id"] for row in rows}) > 1
    return {row["id"]: f"{row['name']}, {row['branch']}" if several else row["name"] for row in rows}
