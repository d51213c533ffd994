"""What is known of a card: balance, likely duplicates, the family, the directories it chooses from.

Where next: `figures.py` for its visits and money, `search.py` for finding one.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Date, Integer, Text, any_, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from app.db import Fixed, given, session
from app.models import (
    Employee,
    Patient,
    PatientAccount,
    PatientConsent,
    PatientPhone,
    PatientTag,
    ReferralSource,
)
from app.money import ZERO
from app.patients import rules
from app.patients.queries.search import Found, as_found, of_doctor, rows, shown


def balance_of(patient_id: int) -> dict[str, Decimal]:
    """What the patient owes and has paid ahead."""
    row = session.get(PatientAccount, patient_id)
    return {"debt": row.debt if row else ZERO, "advance": row.advance if row else ZERO}


def identity_of(patient: Any) -> str:
    """The identity document of a card, or of a row of its columns, in one line, as papers write it; empty when there
    is none."""
    return rules.identity_line({name: getattr(patient, name) for name in rules.IDENTITY})


def treated_by(patient_id: int, doctor_id: int) -> bool:
    """Is this a patient of the doctor's?"""
    return bool(session.scalar(select(Patient.id).where(Patient.id == patient_id, of_doctor(doctor_id))))


def possible_duplicates(
    surname: str,
    name: str,
    birth_date: date | None,
    phone: str | Sequence[str] | None,
    *,
    but: int | None = None,
    doctor_id: int | None = None,
) -> list[Found]:
    """Cards that may be the same person: the same surname and name, or one of the phones; five at most.

    A namesake with another birth date is another person; one whose birth date nobody knows may be the same.
    Namesakes come before those who only share the phone, who are often the family. A doctor is shown own patients.
    """
    values: dict[str, Any] = {
        "name": f" {rules.like(rules.searchable(surname))} {rules.like(rules.searchable(name))} %",
        "but": but or 0,
    }
    numbers = [phone] if isinstance(phone, str) else phone or []
    given_too = {"born": birth_date, "phones": list(filter(None, numbers)) or None, "doctor_id": doctor_id}
    values |= {key: value for key, value in given_too.items() if value is not None}
    asked = _duplicates("born" in values, "phones" in values, "doctor_id" in values)
    return [as_found(row) for row in asked(**values)]


@cache
def _duplicates(born: bool, phone: bool, own: bool) -> Fixed:
    named = aliased(Patient)
    same: Any = select(named.id, literal(0).label("rank")).where(named.search_name.like(given("name", Text)))
    if born:
        same = same.where(or_(named.birth_date == given("born", Date), named.birth_date.is_(None)))
    if phone:
        shares = PatientPhone.number == any_(given("phones", ARRAY(Text)))
        same = union_all(same, select(PatientPhone.patient_id, literal(1)).where(shares))
    same = same.subquery()
    found = (
        select(Patient.id, func.min(same.c.rank).label("rank"))
        .join(same, same.c.id == Patient.id)
        .where(Patient.id != given("but", Integer))
        .group_by(Patient.id)
        .order_by(func.min(same.c.rank), Patient.id.desc())
        .limit(5)
    )
    if own:
        found = found.where(of_doctor(given("doctor_id", Integer)))
    best = found.subquery()
    return Fixed(shown().join(best, best.c.id == Patient.id).order_by(best.c.rank, Patient.id.desc()))


def family(patient: Any) -> list[Found]:
    """The other cards of the family of a card, or of a row of it; one that was merged is the card that it became."""
    if patient.family_id is None:
        return []
    ids = session.scalars(
        select(Patient.id)
        .where(Patient.family_id == patient.family_id, Patient.id != patient.id, Patient.merged_into_id.is_(None))
        .order_by(Patient.id)
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
