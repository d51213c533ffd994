"""What the certificate for the tax office is made of: what a year paid, who may be the taxpayer, what was certified."""

from decimal import Decimal

from sqlalchemy import func, select

from app import clock
from app.db import session
from app.documents import rules
from app.models import IssuedDocument, LedgerEntry, Patient, Service, TaxCertificate, WorkOrder, WorkOrderLine
from app.patients import queries as patients
from app.patients import rules as cards
from app.vocab import LedgerKind, TaxCode

#: A deduction can be asked for during three years.
YEARS_BACK = 3


def paid_in_year(patient_id: int, year: int, legal_entity_id: int) -> tuple[Decimal, Decimal]:
    """What paid a patient's bills of a legal entity in a year, less returned: usual and expensive treatment."""
    paid_on = func.extract("year", LedgerEntry.business_day)
    paid = (
        select(
            LedgerEntry.work_order_id,
            func.sum(-LedgerEntry.debt_change).filter(paid_on < year).label("before"),
            func.sum(-LedgerEntry.debt_change).label("by_end"),
        )
        .where(
            LedgerEntry.patient_id == patient_id,
            LedgerEntry.kind.in_((LedgerKind.PAYMENT, LedgerKind.REFUND, LedgerKind.PAID_TO_ADVANCE)),
            LedgerEntry.work_order_id.is_not(None),
            paid_on <= year,
        )
        .group_by(LedgerEntry.work_order_id)
        .subquery()
    )
    dear = Service.tax_code == TaxCode.EXPENSIVE
    lines = (
        select(
            WorkOrderLine.work_order_id,
            func.coalesce(func.sum(WorkOrderLine.total).filter(~dear), 0).label("usual"),
            func.coalesce(func.sum(WorkOrderLine.total).filter(dear), 0).label("expensive"),
        )
        .join(Service, Service.id == WorkOrderLine.service_id)
        .group_by(WorkOrderLine.work_order_id)
        .subquery()
    )
    rows = session.execute(
        select(lines.c.usual, lines.c.expensive, func.coalesce(paid.c.before, 0), paid.c.by_end)
        .select_from(paid)
        .join(WorkOrder, WorkOrder.id == paid.c.work_order_id)
        .join(lines, lines.c.work_order_id == WorkOrder.id)
        .where(WorkOrder.legal_entity_id == legal_entity_id)
    )
    return rules.split(rules.OrderPaid(*row) for row in rows)


def relatives(patient: Patient) -> dict[int, str]:
    """Whose money it may be: the patient, the guardian, the family."""
    found = {patient.id: patient.full_name}
    if patient.guardian is not None:
        found[patient.guardian.id] = patient.guardian.full_name
    return found | {row["id"]: row["full_name"] for row in patients.family(patient)}


def payers(patient: Patient) -> list[tuple[int, str]]:
    """Who of them may be the taxpayer: whoever is known to be a child is not."""
    found, day = relatives(patient), clock.today()
    born = session.execute(select(Patient.id, Patient.birth_date).where(Patient.id.in_(found)))
    adults = {pk for pk, birth_date in born if cards.signs(cards.age(birth_date, day)) == cards.Signs.PATIENT}
    return [(pk, name) for pk, name in found.items() if pk in adults]


def years() -> list[int]:
    """The years a certificate can be for, the last whole one first."""
    now = clock.today().year
    return [now - 1, *range(now - 2, now - YEARS_BACK - 1, -1), now]


def certificates_of(patient_id: int) -> list[tuple[TaxCertificate, IssuedDocument, Patient]]:
    """A patient's certificates with their papers and taxpayers, the newest first."""
    found = session.execute(
        select(TaxCertificate, IssuedDocument, Patient)
        .join(IssuedDocument, IssuedDocument.id == TaxCertificate.document_id)
        .join(Patient, Patient.id == TaxCertificate.payer_id)
        .where(TaxCertificate.patient_id == patient_id)
        .order_by(TaxCertificate.id.desc())
        .limit(50)
    )
    return [(row, paper, payer) for row, paper, payer in found]
