"""What the schedule is asked: the day, one visit, what stands in a slot, free time, the history of a visit.

Each is one or two statements. A visit is a dictionary as the contract of the API shows it, ready for JSON.
Where next: `operations.py`, `api.py`.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import Any

from sqlalchemy import Row, func, literal, null, or_, select, text, union_all

from app import clock, money
from app.db import session
from app.models import (
    Appointment,
    AuditEvent,
    Branch,
    CancelReason,
    Chair,
    ClinicSetting,
    Employee,
    Patient,
    PatientAccount,
    PatientPhone,
    Service,
    Speciality,
    TimeBlock,
    User,
    WorkingHours,
    WorkOrder,
)
from app.schedule.rules import BLOCK, VISIT, Busy, Hours, Span, rounded_up, slots_in
from app.tables.schedule import BUSY
from app.vocab import FREES_TIME, WorkOrderStatus

Visit = dict[str, Any]
_Row = Row[*tuple[Any, ...]]


def short_name(surname: str, name: str, patronymic: str = "") -> str:
    """Surname and initials: «Иванова М. С.»."""
    return " ".join([surname, *(f"{part[0]}." for part in (name, patronymic) if part)])


# --- visits -----------------------------------------------------------------------------------------------

_PHONE = (
    select(PatientPhone.number)
    .where(PatientPhone.patient_id == Appointment.patient_id)
    .order_by(PatientPhone.id)
    .limit(1)
    .correlate(Appointment)
    .scalar_subquery()
)
_UNPAID = (
    select(WorkOrder.id)
    .where(WorkOrder.appointment_id == Appointment.id, WorkOrder.status == WorkOrderStatus.ISSUED, WorkOrder.due > 0)
    .correlate(Appointment)
    .exists()
)
_VISITS = (
    select(
        Appointment.id,
        Appointment.version,
        Appointment.patient_id,
        Appointment.doctor_id,
        Appointment.chair_id,
        Appointment.branch_id,
        Appointment.service_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.status,
        Appointment.confirmation,
        Appointment.first_visit,
        Appointment.overbooked,
        Appointment.overbook_reason,
        Appointment.outside_hours_reason,
        Appointment.comment,
        Appointment.moves,
        Appointment.arrived_at,
        Appointment.started_at,
        Appointment.completed_at,
        Appointment.cancelled_at,
        Appointment.cancelled_by,
        Appointment.cancel_comment,
        Appointment.late_cancel,
        CancelReason.name.label("cancel_reason"),
        Service.name.label("service"),
        Patient.surname,
        Patient.name,
        Patient.patronymic,
        Patient.card_number,
        Patient.status.label("card_status"),
        Patient.allergy,
        PatientAccount.debt,
        PatientAccount.advance,
        Employee.surname.label("doctor_surname"),
        Employee.name.label("doctor_name"),
        Employee.patronymic.label("doctor_patronymic"),
        _PHONE.label("phone"),
        _UNPAID.label("unpaid"),
    )
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Employee, Employee.id == Appointment.doctor_id)
    .outerjoin(PatientAccount, PatientAccount.patient_id == Appointment.patient_id)
    .outerjoin(Service, Service.id == Appointment.service_id)
    .outerjoin(CancelReason, CancelReason.id == Appointment.cancel_reason_id)
)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="minutes") if moment else None


def _instant(instant: datetime | None) -> str | None:
    return instant.astimezone(clock.zone()).isoformat(timespec="seconds") if instant else None


def _sum(amount: Decimal) -> str:
    return str(money.rounded(amount))


def _visit(row: _Row, *, with_money: bool) -> Visit:
    """A visit as the contract shows it; sums only for who may see payments."""
    debt, advance = row.debt or money.ZERO, row.advance or money.ZERO
    return {
        "id": row.id,
        "version": row.version,
        "patient": {
            "id": row.patient_id,
            "name": " ".join(filter(None, (row.surname, row.name, row.patronymic))),
            "short_name": short_name(row.surname, row.name, row.patronymic),
            "card_number": row.card_number,
            "draft": row.card_status == "draft",
            "phone": row.phone,
            "allergy": row.allergy,
            "balance": {"debt": _sum(debt), "advance": _sum(advance)} if with_money else None,
        },
        "doctor_id": row.doctor_id,
        "doctor": short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic),
        "chair_id": row.chair_id,
        "branch_id": row.branch_id,
        "service_id": row.service_id,
        "service": row.service,
        "starts_at": _moment(row.starts_at),
        "ends_at": _moment(row.ends_at),
        "status": row.status,
        "confirmation": row.confirmation,
        "first_visit": row.first_visit,
        "overbooked": row.overbooked,
        "overbook_reason": row.overbook_reason,
        "outside_hours_reason": row.outside_hours_reason,
        "comment": row.comment,
        "moves": row.moves,
        "arrived_at": _instant(row.arrived_at),
        "started_at": _instant(row.started_at),
        "completed_at": _instant(row.completed_at),
        "cancelled_at": _instant(row.cancelled_at),
        "cancelled_by": row.cancelled_by,
        "cancel_reason": row.cancel_reason,
        "cancel_comment": row.cancel_comment,
        "late_cancel": row.late_cancel,
        "unpaid": row.unpaid if with_money else False,
    }


def visit(pk: int, *, with_money: bool = True) -> Visit | None:
    """One visit, as it is now."""
    row = session.execute(_VISITS.where(Appointment.id == pk)).one_or_none()
    return _visit(row, with_money=with_money) if row else None


def visits_of(
    patient_id: int, *, doctor_id: int | None = None, since: datetime | None = None, with_money: bool = True
) -> list[Visit]:
    """A patient's visits, the newest first; with `since` only those that are still to come, the nearest first."""
    asked = _VISITS.where(Appointment.patient_id == patient_id)
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    if since is not None:
        asked = asked.where(Appointment.ends_at > since, Appointment.status.not_in(FREES_TIME))
        asked = asked.order_by(Appointment.starts_at)
    else:
        asked = asked.order_by(Appointment.starts_at.desc())
    return [_visit(row, with_money=with_money) for row in session.execute(asked.limit(200))]


# --- the day ----------------------------------------------------------------------------------------------


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


def _frame(start: datetime, end: datetime, branch_id: int | None, doctor_id: int | None) -> Sequence[_Row]:
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
    ).where(TimeBlock.starts_at >= start, TimeBlock.starts_at < end, TimeBlock.lifted_at.is_(None))
    chairs = select(literal("chair"), Chair.id, null(), Chair.id, Chair.branch_id, null(), null(), Chair.name).where(
        Chair.archived.is_(False)
    )
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


def _place(row: _Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "doctor_id": row.doctor_id,
        "chair_id": row.chair_id,
        "branch_id": row.branch_id,
        "starts_at": _moment(row.starts_at),
        "ends_at": _moment(row.ends_at),
    }


def day_sheet(
    day: date, *, branch_id: int | None = None, doctor_id: int | None = None, with_money: bool = True
) -> DaySheet:
    """The schedule of a day, of one branch or all, of one doctor or all; two statements.

    Cancelled visits and no-shows are among the appointments, with their status. `version` is a digest of all
    that is shown, names and balances included, so that a screen asks "anything new?" and mostly hears no.
    """
    start = datetime.combine(day, time())
    end = start + timedelta(days=1)
    asked = _VISITS.where(Appointment.starts_at >= start, Appointment.starts_at < end)
    if branch_id is not None:
        asked = asked.where(Appointment.branch_id == branch_id)
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    visits = session.execute(asked.order_by(Appointment.starts_at, Appointment.id)).all()
    frame = _frame(start, end, branch_id, doctor_id)
    told = ([tuple(row) for row in visits], [tuple(row) for row in frame], with_money)  # a Row's own repr is slow
    digest = blake2b(repr(told).encode(), digest_size=12).hexdigest()
    doctors = {
        row.doctor_id: short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic)
        for row in (*frame, *visits)
        if row.doctor_id is not None
    }
    return DaySheet(
        day=day,
        version=digest,
        columns=[
            {"doctor_id": pk, "name": name} for pk, name in sorted(doctors.items(), key=lambda pair: (pair[1], pair[0]))
        ],
        chairs=[
            {"chair_id": row.id, "name": row.name, "branch_id": row.branch_id} for row in frame if row.what == "chair"
        ],
        hours=[_place(row) for row in frame if row.what == "hours"],
        blocks=[
            {**_place(row), "kind": row.what, "reason": row.name} for row in frame if row.what not in ("hours", "chair")
        ],
        appointments=[_visit(row, with_money=with_money) for row in visits],
    )


# --- what stands in a slot ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What must be known before a visit is put somewhere; `None` where there is no such record."""

    patient_status: str | None
    doctor: dict[str, Any] | None
    chair: dict[str, Any] | None
    service: dict[str, Any] | None
    hours: list[Hours]
    busy: list[Busy]
    first_visit: bool


_LOOK = text(
    f"""
SELECT
  (SELECT status FROM patient WHERE id = :patient) AS patient_status,
  (SELECT json_build_object('branch_id', branch_id) FROM employee
    WHERE id = :doctor AND is_doctor AND NOT archived) AS doctor,
  (SELECT json_build_object('branch_id', branch_id) FROM chair WHERE id = :chair AND NOT archived) AS chair,
  (SELECT json_build_object('minutes', minutes) FROM service WHERE id = :service AND NOT archived) AS service,
  (SELECT json_agg(json_build_array(h.starts_at, h.ends_at, h.branch_id, h.chair_id) ORDER BY h.starts_at)
     FROM working_hours h WHERE h.doctor_id = :doctor AND h.starts_at >= :day AND h.starts_at < :ends) AS hours,
  (SELECT json_agg(json_build_array(a.starts_at, a.ends_at, '{VISIT}', a.id, a.doctor_id, a.chair_id, a.patient_id,
                                    json_build_array(p.surname, p.name, p.patronymic), a.overbooked))
     FROM appointment a JOIN patient p ON p.id = a.patient_id
    WHERE a.starts_at >= :day AND a.starts_at < :ends AND a.ends_at > :starts AND a.{BUSY} AND a.id <> :self
      AND (a.doctor_id = :doctor OR a.chair_id = :chair OR a.patient_id = :patient)) AS visits,
  (SELECT json_agg(json_build_array(b.starts_at, b.ends_at, '{BLOCK}', b.id, b.doctor_id, b.chair_id, NULL,
                                    b.reason, false))
     FROM time_block b
    WHERE b.starts_at >= :day AND b.starts_at < :ends AND b.ends_at > :starts AND b.lifted_at IS NULL
      AND b.id <> :self_block AND (b.doctor_id = :doctor OR b.chair_id = :chair)) AS blocks,
  NOT EXISTS (SELECT FROM appointment f WHERE f.patient_id = :patient AND f.starts_at < :starts AND f.{BUSY}
    AND f.id <> :self) AS first_visit
"""
)


def look(
    span: Span,
    *,
    patient_id: int | None = None,
    doctor_id: int | None,
    chair_id: int | None,
    service_id: int | None = None,
    besides: int = 0,
    besides_block: int = 0,
) -> Look:
    """Who and what a slot concerns, and what stands there already, in one statement.

    `besides` is the visit (or the block) that is being moved: it is not in its own way.
    """
    row = session.execute(
        _LOOK,
        {
            "patient": patient_id or 0,
            "doctor": doctor_id or 0,
            "chair": chair_id or 0,
            "service": service_id or 0,
            "day": datetime.combine(span.starts_at.date(), time()),
            "starts": span.starts_at,
            "ends": span.ends_at,
            "self": besides,
            "self_block": besides_block,
        },
    ).one()
    busy = []
    for starts, ends, kind, pk, doctor, chair, patient, who, overbooked in (*(row.visits or ()), *(row.blocks or ())):
        name = short_name(*who) if kind == VISIT else who
        busy.append(Busy(_parsed(starts), _parsed(ends), kind, pk, doctor, chair, patient, name, overbooked))
    return Look(
        patient_status=row.patient_status,
        doctor=row.doctor,
        chair=row.chair,
        service=row.service,
        hours=[Hours(_parsed(s), _parsed(e), branch, chair) for s, e, branch, chair in row.hours or ()],
        busy=busy,
        first_visit=row.first_visit,
    )


def _parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def came_before(visit: Appointment) -> bool:
    """Has the patient been here before this visit?"""
    return bool(
        session.scalar(
            select(
                select(Appointment.id)
                .where(
                    Appointment.patient_id == visit.patient_id,
                    Appointment.id != visit.id,
                    Appointment.starts_at < visit.starts_at,
                    Appointment.arrived_at.is_not(None),
                )
                .exists()
            )
        )
    )


def last_deed(appointment_id: int, action: str) -> datetime | None:
    """When something was last done to a visit."""
    return session.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.object_type == Appointment.__tablename__,
            AuditEvent.object_id == appointment_id,
            AuditEvent.action == action,
        )
    )


def hours_in_the_way(doctor_id: int, chair_id: int | None, spans: Sequence[Span]) -> _Row | None:
    """The first hours of the doctor, or of anybody in the chair, that meet one of the spans."""
    days = {datetime.combine(span.starts_at.date(), time()) for span in spans}
    rows = session.execute(
        select(WorkingHours.starts_at, WorkingHours.ends_at)
        .where(
            or_(WorkingHours.doctor_id == doctor_id, WorkingHours.chair_id == (chair_id or 0)),
            func.date_trunc("day", WorkingHours.starts_at).in_(days),
            WorkingHours.starts_at >= min(days),
        )
        .order_by(WorkingHours.starts_at)
    )
    return next(
        (row for row in rows if any(span.meets(Span(row.starts_at, row.ends_at)) for span in spans)),
        None,
    )


def visits_in_hours(hours_ids: Sequence[int]) -> Sequence[_Row]:
    """The visits that stand in these hours and keep their time, the earliest first."""
    return session.execute(
        select(Appointment.id, Appointment.starts_at)
        .join(
            WorkingHours,
            (WorkingHours.doctor_id == Appointment.doctor_id)
            & (Appointment.starts_at < WorkingHours.ends_at)
            & (Appointment.ends_at > WorkingHours.starts_at),
        )
        .where(
            WorkingHours.id.in_(hours_ids),
            Appointment.starts_at >= func.date_trunc("day", WorkingHours.starts_at),
            Appointment.status.not_in(FREES_TIME),
        )
        .order_by(Appointment.starts_at)
    ).all()


# --- free time ------------------------------------------------------------------------------------------------

#: The free pieces of every doctor's hours: hours minus visits and blocks of the doctor and of the chair.
_FREE = text(
    f"""
SELECT h.doctor_id, h.chair_id, h.branch_id, lower(free.gap) AS starts_at, upper(free.gap) AS ends_at
FROM working_hours h
JOIN employee e ON e.id = h.doctor_id AND NOT e.archived
CROSS JOIN LATERAL unnest(
  tsmultirange(tsrange(h.starts_at, h.ends_at)) - coalesce((
    SELECT range_agg(tsrange(busy.starts_at, busy.ends_at)) FROM (
      SELECT starts_at, ends_at FROM appointment WHERE doctor_id = h.doctor_id AND {BUSY}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM appointment WHERE chair_id = h.chair_id AND {BUSY}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM time_block WHERE doctor_id = h.doctor_id AND lifted_at IS NULL
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM time_block WHERE chair_id = h.chair_id AND lifted_at IS NULL
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
    ) busy), '{{}}'::tsmultirange)
) AS free(gap)
WHERE h.starts_at >= :first AND h.starts_at < :last
  AND (CAST(:doctor AS int) IS NULL OR h.doctor_id = :doctor)
  AND (CAST(:speciality AS int) IS NULL OR e.speciality_id = :speciality)
  AND (CAST(:branch AS int) IS NULL OR h.branch_id = :branch)
  AND extract(isodow FROM h.starts_at) = ANY (CAST(:weekdays AS int[]))
  AND upper(free.gap) - lower(free.gap) >= make_interval(mins => :minutes)
ORDER BY starts_at, h.doctor_id
"""
)
#: The first free time is nearly always within a week; only who finds too little there is looked for farther.
_NEAR = timedelta(days=7)


def free_slots(
    minutes: int,
    *,
    first: date,
    days: int = 14,
    doctor_id: int | None = None,
    speciality_id: int | None = None,
    branch_id: int | None = None,
    weekdays: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
    after: time | None = None,
    before: time | None = None,
    limit: int = 10,
) -> list[dict[str, Any]]:
    """The first free times of so many minutes, the earliest first: within hours, past no visit and no block.

    `weekdays` from 1, Monday, to 7. One statement when a week is enough, else two.
    """
    now = rounded_up(clock.wall_now())
    start = datetime.combine(first, time())
    end = start + timedelta(days=days)
    found: list[dict[str, Any]] = []
    near = min(start + _NEAR, end)
    for low, high in ((start, near), (near, end)):
        if len(found) >= limit or low >= high or high <= now:
            continue
        gaps = session.execute(
            _FREE,
            {
                "first": low,
                "last": high,
                "doctor": doctor_id,
                "speciality": speciality_id,
                "branch": branch_id,
                "weekdays": list(weekdays),
                "minutes": minutes,
            },
        )
        runs = [
            [(slot.starts_at, gap.doctor_id, gap.chair_id, gap.branch_id, slot.ends_at) for slot in slots]
            for gap in gaps
            if gap.ends_at > now
            for slots in [
                islice(slots_in(Span(max(gap.starts_at, now), gap.ends_at), minutes, after=after, before=before), limit)
            ]
        ]
        for starts_at, doctor, chair, branch, ends_at in islice(
            heapq.merge(*runs, key=lambda slot: slot[:2]), limit - len(found)
        ):
            found.append(
                {
                    "doctor_id": doctor,
                    "chair_id": chair,
                    "branch_id": branch,
                    "starts_at": _moment(starts_at),
                    "ends_at": _moment(ends_at),
                }
            )
    return found


# --- history, directories -----------------------------------------------------------------------------------


def history(appointment_id: int) -> list[dict[str, Any]]:
    """Who did what with a visit, when, from what to what; the oldest first."""
    rows = session.execute(
        select(
            AuditEvent.at,
            AuditEvent.action,
            AuditEvent.before,
            AuditEvent.after,
            func.coalesce(Employee.surname, User.last_name, "").label("surname"),
            func.coalesce(Employee.name, User.first_name, "").label("name"),
            func.coalesce(Employee.patronymic, "").label("patronymic"),
        )
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(Employee, Employee.user_id == AuditEvent.user_id)
        .where(AuditEvent.object_type == Appointment.__tablename__, AuditEvent.object_id == appointment_id)
        .order_by(AuditEvent.id)
    )
    return [
        {
            "who": short_name(row.surname, row.name, row.patronymic),
            "when": _instant(row.at),
            "what": row.action,
            "from": row.before,
            "to": row.after,
        }
        for row in rows
    ]


def grid() -> Mapping[str, int]:
    """The clinic's choices that the day page needs: step of the grid, and after how long waiting turns red."""
    row = session.execute(select(ClinicSetting.grid_step, ClinicSetting.waiting_limit)).one_or_none()
    return {"step": row.grid_step, "waiting_limit": row.waiting_limit} if row else {"step": 15, "waiting_limit": 15}


def branches() -> list[tuple[int, str]]:
    """The branches that are open."""
    rows = session.execute(select(Branch.id, Branch.name).where(Branch.archived.is_(False)).order_by(Branch.id))
    return [(pk, name) for pk, name in rows]


def chairs() -> list[dict[str, Any]]:
    """The chairs in use, by branch."""
    rows = session.execute(
        select(Chair.id, Chair.name, Chair.branch_id, Branch.name.label("branch"))
        .join(Branch, Branch.id == Chair.branch_id)
        .where(Chair.archived.is_(False), Branch.archived.is_(False))
        .order_by(Chair.branch_id, Chair.name)
    )
    return [dict(row._mapping) for row in rows]


def specialities() -> list[tuple[int, str]]:
    """What the doctors are, for «first free times»."""
    rows = session.execute(
        select(Speciality.id, Speciality.name).where(Speciality.archived.is_(False)).order_by(Speciality.name)
    )
    return [(pk, name) for pk, name in rows]


def cancel_reasons() -> list[tuple[int, str]]:
    """The reasons of a cancellation that are offered."""
    rows = session.execute(
        select(CancelReason.id, CancelReason.name).where(CancelReason.archived.is_(False)).order_by(CancelReason.name)
    )
    return [(pk, name) for pk, name in rows]


def services() -> list[dict[str, Any]]:
    """The services that a visit may be for, with their usual length."""
    rows = session.execute(
        select(Service.id, Service.code, Service.name, Service.minutes)
        .where(Service.archived.is_(False))
        .order_by(Service.name)
    )
    return [dict(row._mapping) for row in rows]


def doctors(*, doctor_id: int | None = None) -> list[dict[str, Any]]:
    """The doctors who see patients, by name."""
    asked = select(
        Employee.id, Employee.surname, Employee.name, Employee.patronymic, Employee.speciality_id, Employee.branch_id
    ).where(Employee.is_doctor.is_(True), Employee.archived.is_(False))
    if doctor_id is not None:
        asked = asked.where(Employee.id == doctor_id)
    return [
        {
            "id": row.id,
            "name": short_name(row.surname, row.name, row.patronymic),
            "speciality_id": row.speciality_id,
            "branch_id": row.branch_id,
        }
        for row in session.execute(asked.order_by(Employee.surname, Employee.name, Employee.id))
    ]


def coming_hours(first: datetime, last: datetime | None = None, *, doctor_id: int | None = None) -> list[_Row]:
    """Future hours with how many visits stand in each, the nearest first."""
    visits = (
        select(literal(1))
        .where(
            Appointment.doctor_id == WorkingHours.doctor_id,
            Appointment.starts_at < WorkingHours.ends_at,
            Appointment.ends_at > WorkingHours.starts_at,
            Appointment.status.not_in(FREES_TIME),
        )
        .correlate(WorkingHours)
    )
    asked = (
        select(
            WorkingHours.id,
            WorkingHours.doctor_id,
            WorkingHours.starts_at,
            WorkingHours.ends_at,
            Employee.surname,
            Employee.name,
            Employee.patronymic,
            Branch.name.label("branch"),
            Chair.name.label("chair"),
            visits.exists().label("holds_visits"),
        )
        .join(Employee, Employee.id == WorkingHours.doctor_id)
        .join(Branch, Branch.id == WorkingHours.branch_id)
        .outerjoin(Chair, Chair.id == WorkingHours.chair_id)
        .where(WorkingHours.starts_at >= first)
        .order_by(WorkingHours.starts_at, Employee.surname)
        .limit(400)
    )
    if last is not None:
        asked = asked.where(WorkingHours.starts_at < last)
    if doctor_id is not None:
        asked = asked.where(WorkingHours.doctor_id == doctor_id)
    return list(session.execute(asked))
