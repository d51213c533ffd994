"""Who belongs together: relatives may pay with each other's advances, and one of them pays for another."""

from sqlalchemy import func, select, update

from app import audit, clock
from app.db import session
from app.errors import Invalid
from app.models import Family, Patient, User
from app.patients import rules
from app.patients.operations.cards import open_card
from app.vocab import N_


def join_family(patient_id: int, relative_id: int, *, actor: User | None) -> Family:
    """Two patients are relatives: their families become one; who has none joins the other's.

    Locks both cards by number. Records `family.joined` on the patient's card and on the relative's.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged
        Invalid: a patient is no relative of oneself.
    """
    if patient_id == relative_id:
        raise Invalid(fields={"relative_id": N_("Choose another patient.")})
    cards = {pk: open_card(pk, "card.edit", actor) for pk in sorted((patient_id, relative_id))}
    patient, relative = cards[patient_id], cards[relative_id]
    if patient.family_id is not None and patient.family_id == relative.family_id:
        return session.get_one(Family, patient.family_id)
    kept = relative.family_id or patient.family_id
    if kept is None:
        family = Family(name=relative.surname, created_by_id=actor.id if actor else None)
        session.add(family)
        session.flush()
        kept = family.id
    left = patient.family_id if kept == relative.family_id else None
    if left is not None:
        session.execute(update(Patient).where(Patient.family_id == left).values(family_id=kept))
    patient.family_id = relative.family_id = kept
    session.flush()
    for one, other in ((patient, relative), (relative, patient)):
        audit.record("family.joined", one, after={"relative": other.full_name}, patient_id=one.id, actor=actor)
    return session.get_one(Family, kept)


def leave_family(patient_id: int, *, actor: User | None) -> None:
    """The patient is of this family no more, and nobody of it pays for the patient; the last one left is alone.

    Records `family.left`.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged
    """
    patient = open_card(patient_id, "card.edit", actor)
    family_id = patient.family_id
    if family_id is None:
        return
    patient.family_id = patient.payer_id = None
    session.flush()
    session.execute(
        update(Patient).where(Patient.family_id == family_id, Patient.payer_id == patient_id).values(payer_id=None)
    )
    living = Patient.family_id == family_id, Patient.merged_into_id.is_(None)
    if session.scalar(select(func.count(Patient.id)).where(*living)) == 1:
        session.execute(update(Patient).where(Patient.family_id == family_id).values(family_id=None, payer_id=None))
    audit.record("family.left", patient, patient_id=patient_id, actor=actor)


def set_payer(patient_id: int, payer_id: int | None, *, actor: User | None) -> Patient:
    """Who of the family pays for the patient; None: the patient, or the guardian of a minor.

    Records `family.payer`.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged
        Invalid: not one of the family; a child.
    """
    patient = open_card(patient_id, "card.edit", actor)
    payer = session.get(Patient, payer_id) if payer_id else None
    if payer_id and (
        payer is None or payer.id == patient_id or payer.family_id is None or payer.family_id != patient.family_id
    ):
        raise Invalid(fields={"payer_id": N_("Choose who pays among the relatives.")})
    if patient.payer_id != payer_id:
        if payer:
            rules.check_payer(payer.birth_date, clock.today())
        patient.payer_id = payer_id
        session.flush()
        after = {"payer": payer.full_name if payer else ""}
        audit.record("family.payer", patient, after=after, patient_id=patient_id, actor=actor)
    return patient
