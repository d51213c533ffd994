"""Who fits several wishes at once: two statements, the count and a page.

Where next: `search.py` for finding one card.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Patient,
    PatientAccount,
    PatientSelection,
    PatientTagged,
    Service,
    WorkOrder,
    WorkOrderLine,
)
from app.patients.queries.search import Found, of_doctor, rows
from app.vocab import FREES_TIME, AppointmentStatus, CardStatus, WorkOrderStatus


@dataclass(frozen=True)
class Selection:
    """Conditions on patients; those that are None ask nothing, and all the others must hold.

    Days are included. `debt_from` 0 is any debt. `not_since`: was here, but not since this day. `no_future`: no visit
    is booked from now on.
    A service that was taken back whole was not provided.
    """

    doctor_id: int | None = None
    visited_from: date | None = None
    visited_to: date | None = None
    not_since: date | None = None
    no_future: bool | None = None
    service_id: int | None = None
    debt_from: Decimal | None = None
    advance: bool | None = None
    source_id: int | None = None
    tag_id: int | None = None
    age_from: int | None = None
    age_to: int | None = None
    sex: str | None = None

    @property
    def asks(self) -> bool:
        """Is there any condition?"""
        given = [getattr(self, field.name) for field in fields(self)]
        return any(value is not None and value is not False for value in given)


def select_cards(
    wanted: Selection, *, limit: int, offset: int = 0, doctor_id: int | None = None
) -> tuple[int, list[Found]]:
    """The cards that fit, by name, as search results show them, and how many there are; of a doctor, own patients."""
    asked = select(Patient.id).where(Patient.status != CardStatus.ARCHIVED, *_conditions(wanted))
    if doctor_id is not None:
        asked = asked.where(of_doctor(doctor_id))
    count = session.scalar(select(func.count()).select_from(asked.subquery())) or 0
    ids = session.scalars(asked.order_by(Patient.search_name, Patient.id).limit(limit).offset(offset))
    return count, rows(list(ids))


def _conditions(wanted: Selection) -> list[ColumnElement[bool]]:
    found = [*_of_visits(wanted), *_of_money(wanted)]
    today = clock.today()
    if wanted.source_id is not None:
        found.append(Patient.source_id == wanted.source_id)
    if wanted.sex is not None:
        found.append(Patient.sex == wanted.sex)
    if wanted.tag_id is not None:
        found.append(exists().where(PatientTagged.patient_id == Patient.id, PatientTagged.tag_id == wanted.tag_id))
    if wanted.age_from is not None:
        found.append(Patient.birth_date <= years_ago(today, wanted.age_from))
    if wanted.age_to is not None:
        found.append(Patient.birth_date > years_ago(today, wanted.age_to + 1))
    return found


def _of_visits(wanted: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    came = [Appointment.patient_id == Patient.id, Appointment.status == AppointmentStatus.COMPLETED]
    days = [
        *([Appointment.starts_at >= _starts(wanted.visited_from)] if wanted.visited_from else []),
        *([Appointment.starts_at < _starts(wanted.visited_to + timedelta(days=1))] if wanted.visited_to else []),
    ]
    if days:
        doctor = [Appointment.doctor_id == wanted.doctor_id] if wanted.doctor_id is not None else []
        found.append(exists().where(*came, *days, *doctor))
    elif wanted.doctor_id is not None:
        found.append(of_doctor(wanted.doctor_id))
    if wanted.not_since is not None:
        found.append(exists().where(*came))
        found.append(~exists().where(*came, Appointment.starts_at >= _starts(wanted.not_since)))
    if wanted.no_future:
        coming = and_(Appointment.starts_at > clock.wall_now(), Appointment.status.not_in(FREES_TIME))
        found.append(~exists().where(Appointment.patient_id == Patient.id, coming))
    return found


def _of_money(wanted: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.service_id is not None:
        line = aliased(WorkOrderLine)  # of a reversing order, its quantity below zero
        taken_back = select(func.coalesce(func.sum(line.quantity), 0)).where(line.reverses_id == WorkOrderLine.id)
        provided = exists().where(
            WorkOrder.patient_id == Patient.id,
            WorkOrderLine.work_order_id == WorkOrder.id,
            WorkOrderLine.service_id == wanted.service_id,
            WorkOrder.status.in_((WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)),
            WorkOrderLine.quantity + taken_back.scalar_subquery() > 0,
        )
        found.append(provided)
    if wanted.debt_from is not None:
        owes = and_(PatientAccount.debt > 0, PatientAccount.debt >= wanted.debt_from)
        found.append(exists().where(PatientAccount.patient_id == Patient.id, owes))
    if wanted.advance:
        found.append(exists().where(PatientAccount.patient_id == Patient.id, PatientAccount.advance > 0))
    return found


def years_ago(day: date, years: int) -> date:
    """The same day so many years before; 29 February is 28 where there is none."""
    year = max(day.year - years, 1)
    return date(year, day.month, 28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def _starts(day: date) -> datetime:
    return datetime.combine(day, time())


def selections(user_id: int) -> list[PatientSelection]:
    """The selections a person kept, and those that everybody sees, by name."""
    return list(
        session.scalars(
            select(PatientSelection)
            .where(or_(PatientSelection.user_id == user_id, PatientSelection.shared))
            .order_by(func.lower(PatientSelection.name), PatientSelection.id)
            .limit(200)
        )
    )


def service_names() -> list[tuple[int, str]]:
    """The services to choose from, by code."""
    found = session.execute(
        select(Service.id, Service.code, Service.name)
        .where(Service.archived.is_(False))
        .order_by(Service.code)
        .limit(5000)
    )
    return [(pk, f"{code} {name}") for pk, code, name in found]
