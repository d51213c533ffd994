"""Consents of a patient: each a fact of its own, with the day it was given and the moment it was withdrawn."""

from datetime import date

from sqlalchemy import select

from app import audit, clock
from app.db import session
from app.errors import ConsentInForce, Invalid, NotFound
from app.models import PatientConsent, User
from app.patients import rules
from app.patients.operations.cards import locked_card, open_card
from app.vocab import N_, ConsentKind


def give_consent(patient_id: int, kind: str, given_on: date | None = None, *, actor: User | None) -> PatientConsent:
    """Write down a consent; one that is in force already stays as it is.

    Locks the card. Records `consent.given`.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged
        Invalid: no such kind; a day that has not come, or before the patient was born.
        ConsentInForce: since another day than the one that is given.
    """
    patient = open_card(patient_id, "card.edit", actor)
    if kind not in tuple(ConsentKind):
        raise Invalid(fields={"kind": N_("Unknown value.")})
    day = given_on or clock.today()
    rules.check_consent_day(day, patient.birth_date, clock.today())
    asked = select(PatientConsent).where(
        PatientConsent.patient_id == patient_id, PatientConsent.kind == kind, PatientConsent.withdrawn_at.is_(None)
    )
    standing = session.scalars(asked).first()
    if standing is not None:
        if given_on and given_on != standing.given_on:
            raise ConsentInForce({"day": f"{standing.given_on:%d.%m.%Y}"}, day=standing.given_on.isoformat())
        return standing
    row = PatientConsent(patient_id=patient_id, kind=kind, given_on=day, created_by_id=actor.id if actor else None)
    session.add(row)
    session.flush()
    after = audit.facts(row, ("kind", "given_on"))
    audit.record("consent.given", row, after=after, patient_id=patient_id, actor=actor)
    return row


def withdraw_consent(patient_id: int, consent_id: int, *, actor: User | None) -> PatientConsent:
    """The patient takes a consent back; what was given stays written down. Who has left may do so too.

    Locks the card. Records `consent.taken_back`.

    Raises:
        NotFound, NotAllowed, CardErased
    """
    locked_card(patient_id, "card.edit", actor)
    row = session.get(PatientConsent, consent_id)
    if row is None or row.patient_id != patient_id:
        raise NotFound()
    if row.withdrawn_at is None:
        row.withdrawn_at = clock.now()
        session.flush()
        after = audit.facts(row, ("kind", "given_on"))
        audit.record("consent.taken_back", row, after=after, patient_id=patient_id, actor=actor)
    return row
