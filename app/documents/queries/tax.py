"""What the certificate for the tax office is made of: what a year paid, who may be the taxpayer, what was certified."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Integer, case, cast, func, select

from app import clock
from app.db import session
from app.documents import rules
from app.models import (
    IssuedDocument,
    LedgerEntry,
    Patient,
    Payment,
    Service,
    TaxCertificate,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.patients import queries as patients
from app.patients import rules as cards
from app.vocab import ItemKind, LedgerKind, TaxCode

#: A deduction can be asked for during three years.
YEARS_BACK = 3


@dataclass(frozen=True)
class Paid:
    """What somebody paid in a year for usual and for expensive treatment."""

    year: int
    #: None: whoever is chosen.
    payer_id: int | None
    name: str
    usual: Decimal
    expensive: Decimal
    #: With what was paid by nobody knows whom.
    of_unknown: bool


def paid_by_year(patient: Patient, legal_entity_id: int) -> list[Paid]:
    """Who paid a patient's bills of a legal entity, year by year, the newest first, less what was returned to them.

    A payment counts for its payer, and so does all that was returned of it. Of a payment that was taken before payers
    were written down, and of one by a child, nobody knows whose money it was. Where a standing certificate has counted
    it, it is that payer's: money is certified once. Where nothing else of the year is known, it is whose the clerk
    says. Else it is the patient's own, of a child the guardian's or who pays for the card, as КО-1 names them; where
    the card names nobody, it waits until it does.
    """
    sums = _sums(patient.id, legal_entity_id)
    day = clock.today()
    born = {
        card.id: card
        for card in session.scalars(select(Patient).where(Patient.id.in_({pk for _, pk in sums if pk is not None})))
    }
    children = {pk for pk, card in born.items() if not _of_age(card.birth_date, day)}
    counted = {row.tax_year: payer for row, _, payer in certificates_of(patient.id)
               if row.legal_entity_id == legal_entity_id and row.of_unknown and row.annulled_at is None}  # fmt: skip
    own = next((card for card in (patient, patient.guardian, patient.payer)
                if card is not None and _of_age(card.birth_date, day)), None)  # fmt: skip
    found = []
    for year in sorted({year for year, _ in sums}, reverse=True):
        payers: dict[Patient | None, list[rules.OrderPaid]] = {}
        unknown: list[rules.OrderPaid] = []
        for (of_year, pk), orders in sums.items():
            if of_year != year:
                continue
            if pk is None or pk in children:
                unknown += orders
            else:
                payers.setdefault(born[pk], []).extend(orders)
        whose = counted.get(year) or (own if payers else None)
        if unknown and (whose is not None or not payers):
            payers[whose] = payers.get(whose, []) + unknown
        for payer, orders in payers.items():
            usual, expensive = rules.split(orders)
            if usual + expensive:
                found.append(Paid(
                    year, payer.id if payer else None, payer.full_name if payer else "", usual, expensive,
                    bool(unknown) and payer is whose,
                ))  # fmt: skip
    return found


def _sums(patient_id: int, legal_entity_id: int) -> dict[tuple[int, int | None], list[rules.OrderPaid]]:
    """What each payer's payments paid of each bill: {(year, payer): bills}."""
    year = cast(func.extract("year", LedgerEntry.business_day), Integer)
    rows = session.execute(
        select(WorkOrder.id, Payment.payer_id, year, func.sum(-LedgerEntry.debt_change))
        .select_from(LedgerEntry)
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(
            LedgerEntry.patient_id == patient_id,
            LedgerEntry.kind.in_((LedgerKind.PAYMENT, LedgerKind.REFUND, LedgerKind.PAID_TO_ADVANCE)),
            WorkOrder.patient_id == patient_id,
            WorkOrder.legal_entity_id == legal_entity_id,
        )
        .group_by(WorkOrder.id, Payment.payer_id, year)
        .order_by(year, WorkOrder.id)
    )
    lines = _lines(patient_id, legal_entity_id)
    before: dict[tuple[int, int | None], rules.OrderStood] = {}
    found: dict[tuple[int, int | None], list[rules.OrderPaid]] = {}
    for order_id, payer_id, of_year, paid in rows:
        stood = before.get((order_id, payer_id), rules.OrderStood(ZERO, ZERO, ZERO, ZERO))
        written = [sums for since, sums in lines[order_id] if since is None or since <= of_year]
        usual, expensive, goods = (sum(column, ZERO) for column in zip(*written, strict=True))
        before[order_id, payer_id] = rules.OrderStood(usual, expensive, goods, stood.paid + paid)
        one = rules.OrderPaid(stood, before[order_id, payer_id])
        found.setdefault((of_year, payer_id), []).append(one)
    return found


def _lines(patient_id: int, legal_entity_id: int) -> dict[int, list[tuple[int | None, tuple[Decimal, ...]]]]:
    """The lines of each bill, usual, expensive, goods: as it was issued; below zero by the year they were taken back.

    Goods are sold, not treated with: the tax office deducts nothing for them, whatever their code.
    """
    bill = func.coalesce(WorkOrder.reverses_id, WorkOrder.id)
    since = case((WorkOrder.reverses_id.is_not(None), cast(func.extract("year", WorkOrder.issued_day), Integer)))
    goods, dear = Service.item_kind == ItemKind.GOODS, Service.tax_code == TaxCode.EXPENSIVE
    kinds = (~goods & ~dear, ~goods & dear, goods)
    rows = session.execute(
        select(
            bill, since,
            *(func.coalesce(func.sum(WorkOrderLine.total).filter(of), ZERO) for of in kinds),
        )
        .join(WorkOrderLine, WorkOrderLine.work_order_id == WorkOrder.id)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .where(WorkOrder.patient_id == patient_id, WorkOrder.legal_entity_id == legal_entity_id)
        .group_by(bill, since)
    )  # fmt: skip
    found: dict[int, list[tuple[int | None, tuple[Decimal, ...]]]] = {}
    for order_id, of_year, *sums in rows:
        found.setdefault(order_id, []).append((of_year, tuple(sums)))
    return found


def _of_age(birth_date: date | None, day: date) -> bool:
    return cards.signs(cards.age(birth_date, day)) == cards.Signs.PATIENT


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
    adults = {pk for pk, birth_date in born if _of_age(birth_date, day)}
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
