"""What a patient owes and has paid ahead, and who owes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.db import session
from app.models import Patient, PatientAccount, WorkOrder
from app.money import ZERO
from app.vocab import WorkOrderStatus

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


def debtors(*, limit: int = 50, offset: int = 0) -> tuple[int, Rows]:
    """Patients who owe, the largest debt first: patient, debt, advance, the day of the oldest unpaid bill."""
    owes = PatientAccount.debt > 0
    count = session.scalar(select(func.count()).select_from(PatientAccount).where(owes)) or 0
    oldest = (
        select(func.min(WorkOrder.issued_day))
        .where(WorkOrder.patient_id == PatientAccount.patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
        .correlate(PatientAccount)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Patient, PatientAccount.debt, PatientAccount.advance, oldest.label("since"))
        .join(PatientAccount, PatientAccount.patient_id == Patient.id)
        .where(owes)
        .order_by(PatientAccount.debt.desc(), Patient.id)
        .limit(limit)
        .offset(offset)
    ).all()
    return count, rows
