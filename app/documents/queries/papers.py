"""Reads of the documents' room: the papers of a patient, whose patient it is, who signs for the clinic.

Where next: `fields.py`, the values of a paper.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.billing import queries as billing
from app.db import session
from app.documents import rules
from app.models import (
    Appointment,
    Branch,
    DocumentTemplate,
    Employee,
    LegalEntity,
    Patient,
    Payment,
    Printing,
    Receipt,
    Refund,
    User,
    WorkOrder,
)
from app.vocab import PrintedKind


def active_template(kind: str) -> DocumentTemplate | None:
    """The version of a text that is printed now."""
    return session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.kind == kind, DocumentTemplate.active)
    ).one_or_none()


def receipts_of(patient_id: int) -> Sequence[Receipt]:
    """The receipts of a patient, the newest first."""
    return session.scalars(select(Receipt).where(Receipt.patient_id == patient_id).order_by(Receipt.id.desc())).all()


def receipt_fields(row: Receipt) -> dict[str, Any]:
    """A receipt's values as they were frozen, with the words that stand on paper."""
    return rules.receipt_fields(row.snapshot, row.kind, row.number, row.business_day, _payer_of(row))


def _payer_of(row: Receipt) -> str:
    """Who brought the money of a receipt, or gets it back, when it is somebody else than the patient.

    As the payer was called then; a receipt from before that was kept names the payer as the card does now. Who was
    forgotten since is not named on a new print.
    """
    kept = row.snapshot.get("payer")
    if kept == "":
        return ""
    refund = session.get(Refund, row.refund_id) if row.refund_id is not None else None
    payment_id = refund.payment_id if refund is not None else row.payment_id
    payment = session.get(Payment, payment_id) if payment_id is not None else None
    payer = payment.payer if payment is not None else None
    if payment is None or payer is None or payer.erased_at is not None:
        return ""
    return str(kept or (payer.full_name if payer.id != payment.patient_id else ""))


def original(kind: str, subject_id: int, state: str) -> bytes | None:
    """The original of a paper of money in a state as it was printed; None when it never was, or has a snapshot."""
    return session.scalar(
        select(Printing.pdf).where(
            Printing.kind == kind, Printing.subject_id == subject_id, Printing.state == state, Printing.original
        )
    )


def state_of(order: WorkOrder, kind: PrintedKind) -> str:
    """What can change of a paper of a bill: its lines, and on the work order itself what was reversed and paid of it.

    Of a reversing order its own; its bill has no other act while it is the newest.
    """
    if kind != PrintedKind.WORK_ORDER:
        return f"version {order.version}"
    back = sum((row.total for row in billing.reversals_of(order.id)), Decimal(0))
    return f"version {order.version}, reversed {-back}, due {order.due}"


def last_reversal(order_id: int) -> WorkOrder | None:
    """The newest reversing order of a bill: since then its act and its guarantee are other papers."""
    return session.scalar(
        select(WorkOrder).where(WorkOrder.reverses_id == order_id).order_by(WorkOrder.id.desc()).limit(1)
    )


def is_left(order: WorkOrder) -> bool:
    """Was anything of a bill not taken back?"""
    return any(line.left for line in billing.left_to_reverse(order))


def is_patient_of(doctor_id: int, patient_id: int) -> bool:
    """Has the patient a visit or a work order of this doctor, or is under the doctor's care?"""
    of_doctor = or_(
        exists().where(Appointment.patient_id == patient_id, Appointment.doctor_id == doctor_id),
        exists().where(WorkOrder.patient_id == patient_id, WorkOrder.doctor_id == doctor_id),
        exists().where(Patient.id == patient_id, Patient.doctor_id == doctor_id),
    )
    return bool(session.scalar(select(of_doctor)))


def legal_entity_for(actor: User | None) -> tuple[LegalEntity, Branch] | None:
    """Who signs: the legal entity of the actor's branch, else of the first branch that works."""
    query = select(Branch).where(Branch.archived.is_(False)).order_by(Branch.id)
    own = select(Employee.branch_id).where(Employee.user_id == actor.id).scalar_subquery() if actor else None
    branch = session.scalars(query.where(Branch.id == own)).first() if own is not None else None
    branch = branch or session.scalars(query.limit(1)).first()
    return (branch.legal_entity, branch) if branch else None


def is_erased(patient_id: int) -> bool:
    """Was the card emptied on the patient's demand?"""
    return bool(session.scalar(select(Patient.erased_at.is_not(None)).where(Patient.id == patient_id)))


def card(patient_id: int) -> Patient | None:
    """A patient with the representative and all phones."""
    return session.scalars(
        select(Patient)
        .options(joinedload(Patient.guardian).selectinload(Patient.phones), selectinload(Patient.phones))
        .where(Patient.id == patient_id)
    ).one_or_none()


def order_to_print(order_id: int) -> WorkOrder | None:
    """A work order with all that its print shows."""
    return session.scalars(
        select(WorkOrder)
        .options(
            joinedload(WorkOrder.patient), joinedload(WorkOrder.doctor),
            joinedload(WorkOrder.branch).joinedload(Branch.legal_entity), selectinload(WorkOrder.lines),
        )
        .where(WorkOrder.id == order_id)
    ).one_or_none()  # fmt: skip
