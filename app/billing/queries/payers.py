"""Who may pay for a patient, as the cards say it."""

from collections.abc import Collection

from sqlalchemy import and_, select, true
from sqlalchemy.orm import aliased

from app.billing.rules import Card
from app.db import session
from app.models import Patient, Payment
from app.patients import queries as patients
from app.vocab import CardStatus


def living_cards(ids: Collection[int], *, doctor_id: int | None = None) -> dict[int, Card]:
    """Cards that are in use, by number, with who pays for each; of a doctor's own patients only, when one is given."""
    guardian, payer = aliased(Patient), aliased(Patient)
    found = session.execute(
        select(Patient.id, Patient.birth_date, guardian.id, payer.id)
        .outerjoin(guardian, and_(guardian.id == Patient.guardian_id, guardian.status != CardStatus.ARCHIVED))
        .outerjoin(payer, and_(payer.id == Patient.payer_id, payer.status != CardStatus.ARCHIVED))
        .where(Patient.id.in_(ids), Patient.status != CardStatus.ARCHIVED)
        .where(true() if doctor_id is None else patients.of_doctor(doctor_id))
    )
    return {row[0]: Card(*row) for row in found}


def name_of_payer(payment: Payment) -> str:
    """Who paid, as the card is called now, when it is not the patient; empty too for a card that was emptied."""
    if payment.payer_id in (None, payment.patient_id):
        return ""
    payer = session.get_one(Patient, payment.payer_id)
    return "" if payer.erased_at is not None else payer.full_name
