"""The certificate for the tax office (КНД 1151156): what was paid for a patient's treatment in a year.

Приказ ФНС России от 08.11.2023 № ЕА-7-11/824@. The same money is certified once, to one taxpayer: a mistake is
annulled, and the next paper has the next number of correction. Where next: `operations.py`, which freezes the paper.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app import access, audit, clock, money
from app.db import lock_word, session
from app.documents import operations, queries
from app.errors import Invalid, NotFound, ReasonNeeded, Refusal
from app.models import IssuedDocument, LedgerEntry, Patient, Service, TaxCertificate, User, WorkOrder, WorkOrderLine
from app.money import ZERO
from app.patients import queries as patients
from app.vocab import N_, LedgerKind, TaxCode, TemplateKind

#: A deduction can be asked for during three years.
YEARS_BACK = 3


class AlreadyCertified(Refusal):
    """This year of the patient has a certificate. `number`, `payer`."""

    code = "already_certified"
    status = 409
    sentence = N_("For this year there is already certificate № %(number)s for %(payer)s: annul it first.")


class NothingPaid(Refusal):
    code = "nothing_paid"
    sentence = N_("Nothing was paid for this patient's treatment in %(year)s.")


class NoTaxpayer(Refusal):
    code = "no_taxpayer"
    sentence = N_("Write the INN or the identity document of %(name)s on the card: the tax office asks for it.")


@dataclass(frozen=True)
class OrderPaid:
    """A work order as the year sees it: the sums of its lines by code, what was paid before the year and by its end."""

    usual: Decimal
    expensive: Decimal
    before: Decimal
    by_end: Decimal


def split(orders: Iterable[OrderPaid]) -> tuple[Decimal, Decimal]:
    """What was paid in the year for usual and for expensive treatment.

    A payment of a part of a mixed order goes to both in proportion, to the kopeck, so that the years of an order
    together make the sums of its lines. Never below zero: what was returned for an earlier year is that year's.
    """
    usual = expensive = ZERO
    for order in orders:
        whole = order.usual + order.expensive
        if whole <= 0:
            continue
        dear = [money.rounded(paid * order.expensive / whole) for paid in (order.before, order.by_end)]
        expensive += dear[1] - dear[0]
        usual += (order.by_end - order.before) - (dear[1] - dear[0])
    return max(usual, ZERO), max(expensive, ZERO)


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
    return split(OrderPaid(*row) for row in rows)


def payers(patient: Patient) -> list[tuple[int, str]]:
    """Who may be the taxpayer: the patient, the guardian, the family."""
    found = {patient.id: patient.full_name}
    if patient.guardian is not None:
        found[patient.guardian.id] = patient.guardian.full_name
    found |= {row["id"]: row["full_name"] for row in patients.family(patient)}
    return list(found.items())


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


def issue_certificate(patient_id: int, payer_id: int, year: int, *, actor: User | None) -> TaxCertificate:
    """Number and freeze the certificate of a patient's year for a taxpayer.

    Locks the patient's year. Records `document.issued`.

    Raises:
        NotAllowed, NotFound, NoTemplate, NoLegalEntity
        Invalid: a year that is not offered; a taxpayer who is no relative.
        AlreadyCertified, NothingPaid, NoTaxpayer
    """
    access.require(actor, "document.tax")
    patient = queries.card(patient_id)
    if patient is None:
        raise NotFound()
    if year not in years():
        raise Invalid(fields={"year": N_("A certificate is for one of the last years.")})
    if payer_id not in dict(payers(patient)):
        raise Invalid(fields={"payer_id": N_("Choose who pays among the relatives.")})
    signing = queries.legal_entity_for(actor)
    if signing is None:
        raise operations.NoLegalEntity()
    entity_id = signing[0].id
    lock_word(f"tax certificate {entity_id} {patient_id} {year}")
    standing = [
        (row, paper, payer)
        for row, paper, payer in certificates_of(patient_id)
        if row.tax_year == year and row.legal_entity_id == entity_id
    ]
    for row, paper, payer in standing:
        if row.annulled_at is None:
            raise AlreadyCertified({"number": paper.number, "payer": payer.full_name}, number=paper.number)
    usual, expensive = paid_in_year(patient_id, year, entity_id)
    if not usual + expensive:
        raise NothingPaid(year=year)
    taxpayer = queries.card(payer_id)
    if taxpayer is None or not (taxpayer.inn or taxpayer.passport.strip()):
        raise NoTaxpayer(name=taxpayer.full_name if taxpayer else "")
    correction = 1 + max((row.correction for row, *_ in standing), default=-1)
    values: dict[str, Any] = {
        "tax": {
            "year": str(year), "correction": str(correction), "usual": usual, "expensive": expensive,
            "same": payer_id == patient_id,
        },
        "taxpayer": queries.person(taxpayer, clock.today()),
    }  # fmt: skip
    paper = operations.freeze(TemplateKind.TAX_CERTIFICATE, patient, values, actor=actor)
    made = TaxCertificate(
        document_id=paper.id, legal_entity_id=entity_id, patient_id=patient_id, payer_id=payer_id, tax_year=year,
        correction=correction, usual=usual, expensive=expensive, created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def annul_certificate(certificate_id: int, reason: str, *, actor: User | None) -> TaxCertificate:
    """The certificate counts no more, for instance because money was returned since; its paper stays as it was.

    Locks it. Records `tax_certificate.annulled`.

    Raises:
        NotAllowed, NotFound, ReasonNeeded
    """
    access.require(actor, "document.tax")
    if not reason.strip():
        raise ReasonNeeded()
    row = session.scalars(select(TaxCertificate).where(TaxCertificate.id == certificate_id).with_for_update()).first()
    if row is None:
        raise NotFound()
    if row.annulled_at is None:
        row.annulled_at, row.annulled_by_id = clock.now(), actor.id if actor else None
        row.annul_reason = reason.strip()[:400]
        session.flush()
        after = {"reason": row.annul_reason, **audit.facts(row, ("tax_year", "correction"))}
        audit.record("tax_certificate.annulled", row, after=after, patient_id=row.patient_id, actor=actor)
    return row
