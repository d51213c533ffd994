"""What a patient owes and has paid ahead, and who owes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, case, func, or_, select
from sqlalchemy.orm import aliased

from app.billing.rules import Relative
from app.db import Fixed, given, session
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


def _relatives() -> Fixed:
    me, other = aliased(Patient), aliased(Patient)
    return Fixed(
        select(
            other.id, func.concat_ws(" ", other.surname, other.name, func.nullif(other.patronymic, "")).label("name"),
            other.card_number, func.coalesce(PatientAccount.advance, 0).label("advance"), other.birth_date,
        )
        .select_from(me)
        .join(other, or_(other.family_id == me.family_id, other.guardian_id == me.id, other.id == me.guardian_id))
        .outerjoin(PatientAccount, PatientAccount.patient_id == other.id)
        .where(me.id == given("patient"), other.id != me.id, other.status != CardStatus.ARCHIVED)
        .order_by(other.surname, other.name, other.id)
        .limit(50)
    )  # fmt: skip


_RELATIVES = _relatives()


def relatives_of(patient_id: int) -> dict[int, Relative]:
    """The patient's relatives by number. One family, or one is the other's guardian."""
    return {
        row.id: Relative(row.name, row.card_number, row.advance, row.birth_date)
        for row in _RELATIVES(patient=patient_id)
    }


def _transfers() -> Fixed:
    patient = given("patient", Integer())
    mine = AdvanceTransfer.from_id == patient
    return Fixed(
        select(
            AdvanceTransfer.business_day, AdvanceTransfer.reason, Certificate.id.label("certificate_id"),
            Certificate.number.label("certificate"),
            func.concat_ws(" ", Patient.surname, Patient.name, func.nullif(Patient.patronymic, "")).label("relative"),
            case((mine, -AdvanceTransfer.amount), else_=AdvanceTransfer.amount).label("change"),
        )
        .outerjoin(Patient, Patient.id == case((mine, AdvanceTransfer.to_id), else_=AdvanceTransfer.from_id))
        .outerjoin(Certificate, Certificate.id == AdvanceTransfer.certificate_id)
        .where(or_(mine, AdvanceTransfer.to_id == patient))
        .order_by(AdvanceTransfer.id.desc())
        .limit(given("most", Integer()))
    )  # fmt: skip


_TRANSFERS = _transfers()


def transfers_of(patient_id: int, *, limit: int = 30) -> Rows:
    """Advances the patient passed and got, the newest first: day, reason, the relative or the certificate, change."""
    return _TRANSFERS(patient=patient_id, most=limit).all()
