"""What is known of a card: balance, likely duplicates, figures of visits and money, the family.

Where next: `search.py` for finding one.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Employee,
    Patient,
    PatientAccount,
    PatientConsent,
    PatientPhone,
    PatientTag,
    ReferralSource,
    WorkOrder,
)
from app.money import ZERO
from app.patients import rules
from app.patients.queries.search import Found, of_doctor, rows
from app.vocab import AppointmentStatus, CancelledBy, WorkOrderStatus


def balance_of(patient_id: int) -> dict[str, Decimal]:
    """What the patient owes and has paid ahead."""
    row = session.get(PatientAccount, patient_id)
    return {"debt": row.debt if row else ZERO, "advance": row.advance if row else ZERO}


def identity_of(patient: Patient) -> str:
    """The identity document of a card in one line, as papers write it; empty when there is none."""
    return rules.identity_line({name: getattr(patient, name) for name in rules.IDENTITY})


def treated_by(patient_id: int, doctor_id: int) -> bool:
    """Is this a patient of the doctor's?"""
    return bool(session.scalar(select(Patient.id).where(Patient.id == patient_id, of_doctor(doctor_id))))


def possible_duplicates(
    surname: str,
    name: str,
    birth_date: date | None,
    phone: str | None,
    *,
    but: int | None = None,
    doctor_id: int | None = None,
) -> list[Found]:
    """Cards that may be the same person: the same surname and name, or the same phone; five at most.

    A namesake with another birth date is another person; one whose birth date nobody knows may be the same.
    Namesakes come before those who only share the phone, who are often the family. A doctor is shown own patients.
    """
    named = aliased(Patient)
    namesakes = select(named.id, literal(0).label("rank")).where(
        named.search_name.like(f" {rules.like(rules.searchable(surname))} {rules.like(rules.searchable(name))} %")
    )
    if birth_date:
        namesakes = namesakes.where(or_(named.birth_date == birth_date, named.birth_date.is_(None)))
    same_phone = select(PatientPhone.patient_id, literal(1)).where(PatientPhone.number == phone)
    same = (union_all(namesakes, same_phone) if phone else namesakes).subquery()
    found = (
        select(Patient.id)
        .join(same, same.c.id == Patient.id)
        .where(Patient.id != (but or 0))
        .group_by(Patient.id)
        .order_by(func.min(same.c.rank), Patient.id.desc())
        .limit(5)
    )
    if doctor_id is not None:
        found = found.where(of_doctor(doctor_id))
    return rows(list(session.scalars(found)))


def statistics(patient_id: int) -> dict[str, Any]:
    """The visits and the money of a patient in figures: two statements.

    A cancellation counts for whoever cancelled; the average bill is over issued bills.
    """
    status, by = Appointment.status, Appointment.cancelled_by

    def count(*conditions: ColumnElement[bool]) -> Any:
        return func.count().filter(*conditions)

    now = clock.wall_now()
    visits = session.execute(
        select(
            func.count().label("total"),
            count(status == AppointmentStatus.COMPLETED).label("completed"),
            count(status == AppointmentStatus.CANCELLED, by == CancelledBy.PATIENT).label("cancelled_by_patient"),
            count(status == AppointmentStatus.CANCELLED, by == CancelledBy.CLINIC).label("cancelled_by_clinic"),
            count(status == AppointmentStatus.NO_SHOW).label("no_shows"),
            func.coalesce(func.sum(Appointment.moves), 0).label("moves"),
            count(Appointment.late_cancel.is_(True)).label("late_cancellations"),
            func.min(Appointment.starts_at).filter(status == AppointmentStatus.COMPLETED).label("first_visit"),
            func.max(Appointment.starts_at).filter(status == AppointmentStatus.COMPLETED).label("last_visit"),
            func.min(Appointment.starts_at)
            .filter(status == AppointmentStatus.BOOKED, Appointment.starts_at >= now)
            .label("next_visit"),
        ).where(Appointment.patient_id == patient_id)
    ).one()
    bills = session.execute(
        select(
            func.coalesce(func.sum(WorkOrder.total), 0),
            func.coalesce(func.sum(WorkOrder.total - WorkOrder.due), 0),
            func.count().filter(WorkOrder.reverses_id.is_(None)),
        ).where(WorkOrder.patient_id == patient_id, WorkOrder.status != WorkOrderStatus.DRAFT)
    ).one()
    billed, paid, many = Decimal(bills[0]), Decimal(bills[1]), bills[2]
    return {
        **visits._asdict(),
        "billed": billed.quantize(ZERO),
        "paid": paid.quantize(ZERO),
        "average_bill": (billed / many).quantize(ZERO) if many else ZERO,
    }


def by_doctor(patient_id: int) -> list[tuple[str, int, datetime | None]]:
    """With whom the patient was: doctor, completed visits, the last of them."""
    found = session.execute(
        select(Employee, func.count(), func.max(Appointment.starts_at))
        .join(Employee, Employee.id == Appointment.doctor_id)
        .where(Appointment.patient_id == patient_id, Appointment.status == AppointmentStatus.COMPLETED)
        .group_by(Employee.id)
        .order_by(func.count().desc())
    ).unique()
    return [(doctor.short_name, many, last) for doctor, many, last in found]


def family(patient: Patient) -> list[Found]:
    """The other cards of the patient's family."""
    if patient.family_id is None:
        return []
    ids = session.scalars(
        select(Patient.id).where(Patient.family_id == patient.family_id, Patient.id != patient.id).order_by(Patient.id)
    )
    return rows(list(ids))


def doctors(but: int | None = None) -> list[tuple[int, str]]:
    """Who may be a patient's treating doctor, by name; `but` is one more, who perhaps left."""
    found = session.scalars(
        select(Employee)
        .where(Employee.is_doctor, or_(Employee.archived.is_(False), Employee.id == but))
        .order_by(Employee.surname, Employee.name)
        .limit(500)
    )
    return [(doctor.id, doctor.short_name) for doctor in found]


def tags(patient: Patient | None = None) -> list[PatientTag]:
    """The tags that may be put on a card, and those that are on it."""
    worn = [tag.id for tag in patient.tags] if patient else []
    return list(
        session.scalars(
            select(PatientTag)
            .where(or_(PatientTag.archived.is_(False), PatientTag.id.in_(worn)))
            .order_by(PatientTag.alert.desc(), PatientTag.name)
        )
    )


def named(patient_id: Any) -> list[tuple[str, str]]:
    """A patient as a select shows one: none or one row."""
    given = str(patient_id or "")
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        return []
    patient = session.get(Patient, int(given))
    return [(given, f"{patient.full_name}, № {patient.card_number}")] if patient else []


def consents(patient_id: int) -> list[PatientConsent]:
    """What the patient agreed to, and took back; the newest first."""
    return list(
        session.scalars(
            select(PatientConsent)
            .where(PatientConsent.patient_id == patient_id)
            .order_by(PatientConsent.given_on.desc(), PatientConsent.id.desc())
        )
    )


def sources() -> list[ReferralSource]:
    """Where patients learn about the clinic: what is offered for choosing."""
    return list(
        session.scalars(select(ReferralSource).where(ReferralSource.archived.is_(False)).order_by(ReferralSource.name))
    )
