"""What is known of a card: balance, the family, the directories it chooses from.

Where next: `figures.py` for its visits and money, `search.py` for finding one, `twins.py` for who may be the same.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select

from app.db import session
from app.models import (
    Employee,
    Patient,
    PatientAccount,
    PatientConsent,
    PatientTag,
    ReferralSource,
)
from app.money import ZERO
from app.patients import rules
from app.patients.queries.search import Found, of_doctor, rows


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
