"""Changes of the card index: a new card, an edit, the archive. Flush, never commit.

A card is a draft until it has a birth date and a phone. Where next: `rules.py`.
"""

from collections.abc import Mapping
from typing import Any

from app import access, audit, clock
from app.db import lock, session
from app.errors import CardArchived, Invalid, NotAllowed, NotFound, ReasonNeeded, Stale
from app.models import Patient, PatientPhone, ReferralSource, User
from app.patients import queries, rules
from app.vocab import N_, CardStatus, Sex

#: What a card's form holds besides the phones.
FIELDS = (
    "surname", "name", "patronymic", "birth_date", "sex", "email", "address", "passport", "snils", "inn",
    "allergy", "comment", "source_id",
)  # fmt: skip
LOGGED = (*FIELDS, "status")


def create_card(values: Mapping[str, Any], *, actor: User | None) -> Patient:
    """Start a patient's card; surname and name are enough for a draft.

    `values`: any of FIELDS, and `phone` as typed. Duplicates are not refused: the desk sees them and decides.
    Records `card.created`.

    Raises:
        NotAllowed: also to a doctor, who edits own patients' cards and starts none.
        Invalid: a name is missing, the phone or the birth date cannot be right, there is no such source.
    """
    access.require_own(actor, "card.edit", None)
    clean = _checked(values)
    if not clean.get("surname") or not clean.get("name"):
        raise Invalid(fields={key: N_("Fill in this field.") for key in ("surname", "name") if not clean.get(key)})
    number = rules.phone(values["phone"]) if values.get("phone") else None
    patient = Patient(**clean, created_by_id=actor.id if actor else None)
    if number:
        patient.phones.append(PatientPhone(number=number))
    patient.status = rules.card_status(patient.birth_date, bool(number))
    session.add(patient)
    session.flush()
    session.refresh(patient, ["card_number", "version"])
    audit.record("card.created", patient, after=_facts(patient), patient_id=patient.id, actor=actor)
    return patient


def edit_card(patient_id: int, version: int, values: Mapping[str, Any], *, actor: User | None) -> Patient:
    """Change what stands on a card; fields that are not given stay.

    `phone` changes the first phone, empty removes it. A draft that became complete is a full card.
    Records `card.changed` with what changed; an edit that changes nothing leaves no trace.

    Raises:
        NotFound, NotAllowed, CardArchived, Invalid
        Stale: somebody saved the card after `version` was read; `current` is the card now.
    """
    patient = _mine(patient_id, "card.edit", actor)
    if patient.status == CardStatus.ARCHIVED:
        raise CardArchived()
    if patient.version != version:
        raise Stale(current=plain(patient))
    before, clean = _facts(patient), _checked(values)
    for key in ("surname", "name"):
        if key in clean and not clean[key]:
            raise Invalid(fields={key: N_("Fill in this field.")})
    for key, value in clean.items():
        setattr(patient, key, value)
    if "phone" in values:
        _change_phone(patient, values["phone"] or "")
    patient.status = rules.card_status(patient.birth_date, bool(patient.phones))
    after = _facts(patient)
    if after != before:
        patient.version += 1
        session.flush()
        audit.record("card.changed", patient, before=before, after=after, patient_id=patient.id, actor=actor)
    return patient


def archive_card(patient_id: int, reason: str, *, actor: User | None) -> Patient:
    """Put a card into the archive: it is no longer offered for booking, and stays with all that happened.

    Raises:
        NotFound, NotAllowed, ReasonNeeded
    """
    if not reason.strip():
        raise ReasonNeeded()
    patient = _mine(patient_id, "card.archive", actor)
    if patient.status != CardStatus.ARCHIVED:
        patient.status, patient.archive_reason = CardStatus.ARCHIVED, reason.strip()
        patient.version += 1
        session.flush()
        audit.record("card.archived", patient, after={"reason": reason.strip()}, patient_id=patient.id, actor=actor)
    return patient


def restore_card(patient_id: int, *, actor: User | None) -> Patient:
    """Take a card out of the archive; a full card is full again, a draft a draft.

    Raises:
        NotFound, NotAllowed
    """
    patient = _mine(patient_id, "card.archive", actor)
    if patient.status == CardStatus.ARCHIVED:
        patient.status = rules.card_status(patient.birth_date, bool(patient.phones))
        patient.archive_reason = ""
        patient.version += 1
        session.flush()
        audit.record(
            "card.restored", patient, after={"status": str(patient.status)}, patient_id=patient.id, actor=actor
        )
    return patient


def plain(patient: Patient) -> dict[str, Any]:
    """The card as programs see it."""
    return {
        "id": patient.id,
        "card_number": patient.card_number,
        "status": str(patient.status),
        "version": patient.version,
        "full_name": patient.full_name,
        **{name: getattr(patient, name) for name in FIELDS},
        "phones": [{"number": p.number, "owner": p.owner, "for_sms": p.for_sms} for p in patient.phones],
        "balance": queries.balance_of(patient.id),
    }


def _mine(patient_id: int, right: str, actor: User | None) -> Patient:
    """The card, locked, if the right of the actor covers it."""
    access.require(actor, right)
    patient = lock(Patient, patient_id)
    if patient is None:
        raise NotFound()
    own = access.account(actor).own_only(right) if actor else None
    if own is not None and not queries.treated_by(patient_id, own):
        raise NotAllowed(right=right)
    return patient


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    clean = {key: values[key] for key in FIELDS if key in values}
    for key in ("surname", "name", "patronymic"):
        if clean.get(key):
            clean[key] = rules.person_name(clean[key])
        elif key in clean:
            clean[key] = ""
    for key, value in clean.items():
        if value is None and key not in ("birth_date", "sex", "source_id"):
            clean[key] = ""
    rules.check_birth_date(clean.get("birth_date"), clock.today())
    if "sex" in clean:
        clean["sex"] = clean["sex"] or None
        if clean["sex"] is not None and clean["sex"] not in set(Sex):
            raise Invalid(fields={"sex": N_("Unknown value.")})
    if clean.get("source_id") and session.get(ReferralSource, clean["source_id"]) is None:
        raise Invalid(fields={"source_id": N_("There is no such entry in the directory.")})
    return clean


def _change_phone(patient: Patient, typed: str) -> None:
    if not typed.strip():
        if patient.phones:
            patient.phones.pop(0)
        return
    number = rules.phone(typed)
    if any(phone.number == number for phone in patient.phones[1:]):
        patient.phones.pop(0)
    elif patient.phones:
        patient.phones[0].number = number
    else:
        patient.phones.append(PatientPhone(number=number))


def _facts(patient: Patient) -> dict[str, Any]:
    facts = audit.facts(patient, LOGGED)
    facts["phone"] = ", ".join(phone.number for phone in patient.phones)
    return facts
