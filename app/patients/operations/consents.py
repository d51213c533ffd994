"""Consents of a patient: each a fact of its own, with the day it was given and the moment it was withdrawn."""

from datetime import date

from sqlalchemy import select

from app import audit, clock
from app.db import session
from app.errors import Invalid, NotFound
from app.models import PatientConsent, User
from app.patients.operations.cards import locked_card
from app.vocab import N_, ConsentKind


def give_consent(patient_id: int, kind: str, given_on: date | None = None, *, actor: User | None) -> PatientConsent:
    """Write down a consent; one that is in force already stays as it is.

    Locks the card. Records `consent.given`.

    Raises:
        NotFound, NotAllowed
        Invalid: no such kind; a day that has not come.
    """
    locked_card(patient_id, "card.edit", actor)
    if kind not in tuple(ConsentKind):
        raise Invalid(fields={"kind": N_("Unknown value.")})
    day = given_on or clock.today()
    if day > clock.today():
        raise Invalid(fields={"given_on": N_("This day has not come yet.")})
    asked = select(PatientConsent).where(
        PatientConsent.patient_id == patient_id, PatientConsent.kind == kind, PatientConsent.withdrawn_at.is_(None)
    )
    standing = session.scalars(asked).first()
    if standing is not None:
        return standing
    row = PatientConsent(patient_id=patient_id, kind=kind, given_on=day, created_by_id=actor.id if actor else None)
    session.add(row)
    session.flush()
    after = audit.facts(row, ("kind", "given_on"))
    audit.record("consent.given", row, after=after, patient_id=patient_id, actor=actor)
    return row


def withdraw_consent(patient_id: int, consent_id: int, *, actor: User | None) -> PatientConsent:
    """The patient takes a consent back; what was given stays written down.

    Locks the card. Records `consent.taken_back`.

    Raises:
        NotFound, NotAllowed
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
