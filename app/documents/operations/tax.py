"""The certificate for the tax office (КНД 1151156): what was paid for a patient's treatment in a year.

Приказ ФНС России от 08.11.2023 № ЕА-7-11/824@. To whoever paid, what that payer paid; the same money is certified
once: a mistake is annulled, and the next paper has the next number of correction. Where next: `issuing.py`, which
freezes the paper.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app import access, audit, clock
from app.db import lock_word, session
from app.documents import queries
from app.documents.operations.issuing import NoLegalEntity, freeze
from app.errors import Invalid, NotFound, ReasonNeeded, Refusal
from app.models import Patient, TaxCertificate, User
from app.patients import operations as cards
from app.patients import queries as patients
from app.vocab import N_, TemplateKind


class AlreadyCertified(Refusal):
    """The payer has a certificate of this year of the patient. `number`, `payer`."""

    code = "already_certified"
    status = 409
    sentence = N_("For this year there is already certificate № %(number)s for %(payer)s: annul it first.")


class NothingPaid(Refusal):
    code = "nothing_paid"
    sentence = N_("Nothing was paid for this patient's treatment in %(year)s.")


class PaidByOthers(Refusal):
    """Something was paid in the year, but not by this person."""

    code = "paid_by_others"
    sentence = N_("%(name)s paid nothing for this patient's treatment in %(year)s. Choose who paid.")


class ChildTaxpayer(Refusal):
    code = "child_taxpayer"
    sentence = N_("Choose a grown-up relative: nobody under 18 is a taxpayer.")


class NoTaxpayer(Refusal):
    code = "no_taxpayer"
    sentence = N_("Write the INN or the identity document of %(name)s on the card: the tax office asks for it.")


def issue_certificate(patient_id: int, payer_id: int, year: int, *, actor: User | None) -> TaxCertificate:
    """Number and freeze the certificate of what a payer paid in a year for the patient, see `queries.paid_by_year`.

    Locks the patient's year. Records `document.issued`.

    Raises:
        NotAllowed, NotFound, NoTemplate, NoLegalEntity, NoRequisites
        Invalid: a year that is not offered; a taxpayer who is no relative and paid nothing.
        ChildTaxpayer, AlreadyCertified, NothingPaid, PaidByOthers, NoTaxpayer, CardErased, CardMerged
    """
    access.require(actor, "document.tax")
    patient = queries.card(patient_id)
    if patient is None:
        raise NotFound()
    cards.check_there(patient)
    if year not in queries.years():
        raise Invalid(fields={"year": N_("A certificate is for one of the last years.")})
    signing = queries.legal_entity_for(actor)
    if signing is None:
        raise NoLegalEntity()
    entity_id = signing[0].id
    lock_word(f"tax certificate {entity_id} {patient_id} {year}")
    rows = queries.paid_by_year(patient, entity_id)
    _check_taxpayer(patient, payer_id, rows)
    of_year = [
        (row, paper, payer)
        for row, paper, payer in queries.certificates_of(patient_id)
        if row.tax_year == year and row.legal_entity_id == entity_id
    ]
    paid = next((row for row in rows if row.year == year and row.payer_id in (payer_id, None)), None)
    for row, paper, payer in of_year:
        if row.annulled_at is None and (payer.id == payer_id or (paid is None and row.of_unknown)):
            raise AlreadyCertified({"number": paper.number, "payer": payer.full_name}, number=paper.number)
    if paid is None:
        if any(row.year == year for row in rows):
            raise PaidByOthers({"name": queries.relatives(patient).get(payer_id, ""), "year": year})
        raise NothingPaid(year=year)
    taxpayer = queries.card(payer_id)
    if taxpayer is None or not (taxpayer.inn or patients.identity_of(taxpayer)):
        raise NoTaxpayer(name=taxpayer.full_name if taxpayer else "")
    correction = 1 + max((row.correction for row, *_ in of_year if row.payer_id == payer_id), default=-1)
    values: dict[str, Any] = {
        "tax": {
            "year": str(year), "correction": str(correction), "usual": paid.usual, "expensive": paid.expensive,
            "same": payer_id == patient_id,
        },
        "taxpayer": queries.person(taxpayer, clock.today()),
    }  # fmt: skip
    [paper] = freeze([TemplateKind.TAX_CERTIFICATE], patient, values, actor=actor)
    made = TaxCertificate(
        document_id=paper.id, legal_entity_id=entity_id, patient_id=patient_id, payer_id=payer_id, tax_year=year,
        correction=correction, usual=paid.usual, expensive=paid.expensive, of_unknown=paid.of_unknown,
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _check_taxpayer(patient: Patient, payer_id: int, rows: Sequence[queries.Paid]) -> None:
    """A relative, or whoever paid, and no child.

    Raises:
        Invalid, ChildTaxpayer
    """
    if any(row.payer_id == payer_id for row in rows):
        return
    if payer_id not in queries.relatives(patient):
        raise Invalid(fields={"payer_id": N_("Choose who pays among the relatives.")})
    if payer_id not in dict(queries.payers(patient)):
        raise ChildTaxpayer()


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
