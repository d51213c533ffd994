"""Planned visits «Запланировать прием»: who should come in about so many months, and when to call about it.

Where next: `waiting.py` for who waits for a nearer time, `fits.py` for who fits a free one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import page_of, session
from app.models import (
    Appointment,
    ClinicSetting,
    Employee,
    Patient,
    PatientPhone,
    PlannedVisit,
    RefusalReason,
    Service,
    Speciality,
)
from app.patients import queries as patients
from app.schedule.queries.fits import OPEN_PLANNED
from app.schedule.queries.visits import instant_text, moment_text, short_name
from app.schedule.queries.waiting import Row, waiting_of
from app.schedule.rules import fulfils
from app.vocab import PlannedStatus

#: Constants, not parameters: a statement prepared for any status would use no index of the open visits.
IS_PLANNED = PlannedVisit.status.in_([literal_column(f"'{status}'") for status in OPEN_PLANNED])


@dataclass(frozen=True)
class WantedPlans:
    """Which planned visits: `status` open, due (to be called now), or one of the statuses."""

    status: str = "open"
    doctor_id: int | None = None
    #: Whose planned visits alone the account sees.
    own: int | None = None
    first: date | None = None
    last: date | None = None
    q: str = ""


def _conditions(wanted: WantedPlans) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status == "open":
        found.append(IS_PLANNED)
    elif wanted.status == "due":
        found += [IS_PLANNED, PlannedVisit.call_on <= clock.today()]
    else:
        found.append(PlannedVisit.status == wanted.status)
    if wanted.own is not None:
        found.append(PlannedVisit.doctor_id == wanted.own)
    if wanted.doctor_id:
        speciality = select(Employee.speciality_id).where(Employee.id == wanted.doctor_id).scalar_subquery()
        found.append(
            or_(
                PlannedVisit.doctor_id == wanted.doctor_id,
                PlannedVisit.doctor_id.is_(None)
                & or_(PlannedVisit.speciality_id.is_(None), PlannedVisit.speciality_id == speciality),
            )
        )
    if wanted.first:
        found.append(PlannedVisit.target_to >= wanted.first)
    if wanted.last:
        found.append(PlannedVisit.target_from <= wanted.last)
    if wanted.q.strip():
        found.append(PlannedVisit.patient_id.in_(patients.matching(wanted.q)))
    return found


_doctor, _visit, _visit_doctor = aliased(Employee), aliased(Appointment), aliased(Employee)


def _statement() -> Select[Any]:
    phone = (
        select(PatientPhone.number)
        .where(PatientPhone.patient_id == PlannedVisit.patient_id)
        .order_by(PatientPhone.id)
        .limit(1)
        .correlate(PlannedVisit)
        .scalar_subquery()
    )
    return (
        select(
            PlannedVisit, Patient, _doctor, Speciality.name.label("speciality"), Service.name.label("service"),
            RefusalReason.name.label("refusal"), phone.label("phone"), _visit.starts_at.label("visit_at"),
            _visit_doctor,
        )
        .join(Patient, Patient.id == PlannedVisit.patient_id)
        .outerjoin(_doctor, _doctor.id == PlannedVisit.doctor_id)
        .outerjoin(Speciality, Speciality.id == PlannedVisit.speciality_id)
        .outerjoin(Service, Service.id == PlannedVisit.service_id)
        .outerjoin(RefusalReason, RefusalReason.id == PlannedVisit.refusal_reason_id)
        .outerjoin(_visit, _visit.id == PlannedVisit.appointment_id)
        .outerjoin(_visit_doctor, _visit_doctor.id == _visit.doctor_id)
        .execution_options(populate_existing=True)
    )  # fmt: skip


def planned_page(wanted: WantedPlans, *, limit: int, offset: int = 0) -> tuple[int, list[Row]]:
    """A page of planned visits, the earliest call first (closed ones: the newest), and how many there are in all."""
    if wanted.status in ("open", "due", *OPEN_PLANNED):
        order: tuple[Any, ...] = (PlannedVisit.call_on, PlannedVisit.target_from, PlannedVisit.id)
    else:
        order = (PlannedVisit.closed_at.desc(), PlannedVisit.id.desc())
    many, found = page_of(_statement(), PlannedVisit, *_conditions(wanted), order=order, limit=limit, offset=offset)
    return many, [_row(one) for one in found]


def planned_visit(planned_id: int) -> Row | None:
    """A planned visit as the list shows it; None when there is none."""
    found = session.execute(_statement().where(PlannedVisit.id == planned_id)).one_or_none()
    return _row(found) if found else None


def planned_of(patient_id: int, *, only_open: bool = False, own: int | None = None) -> list[Row]:
    """A patient's planned visits, the open ones first, the nearest first."""
    asked = _statement().where(PlannedVisit.patient_id == patient_id)
    if only_open:
        asked = asked.where(IS_PLANNED)
    if own is not None:
        asked = asked.where(PlannedVisit.doctor_id == own)
    asked = asked.order_by(PlannedVisit.closed_at.is_not(None), PlannedVisit.target_from, PlannedVisit.id).limit(50)
    return [_row(one) for one in session.execute(asked)]


def planned_counts(*, own: int | None = None) -> dict[str, int]:
    """How many planned visits are open, and about how many it is time to call."""
    asked = select(func.count(), func.count().filter(PlannedVisit.call_on <= clock.today())).where(IS_PLANNED)
    if own is not None:
        asked = asked.where(PlannedVisit.doctor_id == own)
    row = session.execute(asked).one()
    return {"open": row[0], "due": row[1]}


def lead_days() -> int:
    """So many days before its target a planned visit is called about."""
    return session.scalar(select(ClinicSetting.call_lead_days)) or 0


def wishes_of(patient_id: int, *, with_waiting: bool = True, own: int | None = None) -> dict[str, list[Row]]:
    """What a patient still wants: open planned visits, and open entries of the waiting list."""
    return {
        "planned": planned_of(patient_id, only_open=True, own=own),
        "waiting": waiting_of(patient_id, only_open=True) if with_waiting else [],
    }


def closes(wishes: dict[str, list[Row]], *, day: date, doctor_id: int) -> dict[str, list[int]]:
    """Which of a patient's wishes a visit on this day to this doctor fulfils: what the desk is offered to close."""
    speciality_id = session.scalar(select(Employee.speciality_id).where(Employee.id == doctor_id))
    visit: dict[str, Any] = {"day": day, "doctor_id": doctor_id, "speciality_id": speciality_id}
    planned = [
        row["id"]
        for row in wishes["planned"]
        if fulfils(
            **visit, target=(row["target_from"], row["target_to"]), tolerance_days=row["tolerance_days"],
            wanted_doctor_id=row["doctor_id"], wanted_speciality_id=row["speciality_id"],
        )
    ]  # fmt: skip
    waiting = [
        row["id"]
        for row in wishes["waiting"]
        if row["kind"] != "move_up"
        and (row["wanted_doctors"] != "only" or doctor_id in row["doctor_ids"])
        and fulfils(
            **visit,
            wanted_speciality_id=row["speciality_id"]
            if not (row["wanted_doctors"] != "any" and doctor_id in row["doctor_ids"])
            else None,
        )
    ]
    return {"planned": planned, "waiting": waiting}


def due_plans(day: date, *, limit: int = 200) -> Sequence[int]:
    """The planned visits about which it is time to call, and nobody was asked to yet."""
    return session.scalars(
        select(PlannedVisit.id)
        .where(
            PlannedVisit.status.in_((PlannedStatus.PLANNED, PlannedStatus.POSTPONED)), PlannedVisit.call_on <= day
        )
        .order_by(PlannedVisit.id)
        .limit(limit)
    ).all()  # fmt: skip


def _name(person: Any) -> str | None:
    return short_name(person.surname, person.name, person.patronymic) if person else None


def _row(found: Any) -> Row:
    planned, patient = found[0], found[1]
    today = clock.today()
    late = planned.closed_at is None and planned.target_to + timedelta(days=planned.tolerance_days) < today
    return {
        "id": planned.id,
        "version": planned.version,
        "status": planned.status,
        "made_from": planned.made_from,
        "patient": {
            "id": patient.id,
            "name": patient.full_name,
            "short_name": _name(patient),
            "card_number": patient.card_number,
            "phone": found.phone,
            "allergy": patient.allergy,
        },
        "target_from": planned.target_from,
        "target_to": planned.target_to,
        "tolerance_days": planned.tolerance_days,
        "late": late,
        "doctor_id": planned.doctor_id,
        "doctor": _name(found[2]),
        "speciality_id": planned.speciality_id,
        "speciality": found.speciality,
        "service_id": planned.service_id,
        "service": found.service,
        "minutes": planned.minutes,
        "reason": planned.reason,
        "wishes": planned.wishes,
        "comment": planned.comment,
        "call_on": planned.call_on,
        "call_due": planned.closed_at is None and planned.call_on <= today,
        "appointment": {
            "id": planned.appointment_id,
            "starts_at": moment_text(found.visit_at),
            "doctor": _name(found[8]),
        }
        if planned.appointment_id
        else None,
        "refusal_reason": found.refusal,
        "closed_at": instant_text(planned.closed_at),
    }
