"""What a patient owes and has paid ahead, and who owes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import aliased

from app.db import session
from app.models import AdvanceTransfer, Certificate, Patient, PatientAccount
from app.money import ZERO
from app.vocab import CardStatus

#: Rows of several tables, ready to show; each question says what is in them.
Rows = Sequence[Any]


@dataclass(frozen=True)
class Balance:
    """What a patient owes, and what is paid ahead."""

    debt: Decimal = ZERO
    advance: Decimal = ZERO


def balance_of(patient_id: int) -> Balance:
    """A patient's debt and advance."""
    row = session.execute(
        select(PatientAccount.debt, PatientAccount.advance).where(PatientAccount.patient_id == patient_id)
    ).one_or_none()
    return Balance(*row) if row else Balance()


def balances_of(patient_ids: Collection[int]) -> dict[int, Balance]:
    """The balances of many patients in one statement; who has none is absent."""
    rows = session.execute(
        select(PatientAccount.patient_id, PatientAccount.debt, PatientAccount.advance).where(
            PatientAccount.patient_id.in_(patient_ids)
        )
    )
    return {patient_id: Balance(debt, advance) for patient_id, debt, advance in rows}


def relatives_of(patient_id: int) -> dict[int, tuple[str, int, Decimal]]:
    """The patient's relatives: name, card, advance, by number. One family, or one is the other's guardian."""
    me, other = aliased(Patient), aliased(Patient)
    rows = session.execute(
        select(other, func.coalesce(PatientAccount.advance, 0))
        .select_from(me)
        .join(
            other,
            or_(other.family_id == me.family_id, other.guardian_id == me.id, other.id == me.guardian_id),
        )
        .outerjoin(PatientAccount, PatientAccount.patient_id == other.id)
        .where(me.id == patient_id, other.id != patient_id, other.status != CardStatus.ARCHIVED)
        .order_by(other.surname, other.name, other.id)
        .limit(50)
    )
    return {patient.id: (patient.full_name, patient.card_number, advance) for patient, advance in rows}


def transfers_of(patient_id: int) -> Rows:
    """Advances the patient passed and got, the newest first: transfer, the relative or the certificate, the change."""
    other = case((AdvanceTransfer.from_id == patient_id, AdvanceTransfer.to_id), else_=AdvanceTransfer.from_id)
    change = case((AdvanceTransfer.from_id == patient_id, -AdvanceTransfer.amount), else_=AdvanceTransfer.amount)
    return session.execute(
        select(AdvanceTransfer, Patient, Certificate, change)
        .outerjoin(Patient, Patient.id == other)
        .outerjoin(Certificate, Certificate.id == AdvanceTransfer.certificate_id)
        .where(or_(AdvanceTransfer.from_id == patient_id, AdvanceTransfer.to_id == patient_id))
        .order_by(AdvanceTransfer.id.desc())
        .limit(30)
    ).all()
