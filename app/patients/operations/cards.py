"""Changes of the card index: a new card, an edit, the archive. Flush, never commit.

A card is a draft until it has a birth date and a phone. Where next: `families.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access, audit, clock, money
from app.db import lock, session
from app.errors import (
    CardArchived,
    CardErased,
    CardMerged,
    DiscountTooLarge,
    Invalid,
    NotAllowed,
    NotFound,
    NotMergeable,
    ReasonNeeded,
    Stale,
)
from app.models import Employee, Patient, PatientPhone, PatientTag, ReferralSource, User
from app.patients import queries, rules
from app.vocab import N_, CardStatus, Sex

#: What a card's form holds besides the phones.
FIELDS = (
    "surname", "name", "patronymic", "name_genitive", "name_dative", "birth_date", "sex", "email", "address", "snils",
    "inn", "allergy", "comment", "source_id", "insurance", "guardian_id", "doctor_id", "discount_percent",
    "discount_reason", *rules.IDENTITY,
)  # fmt: skip
LOGGED = (*FIELDS, "status")
#: What is empty as None, not as an empty text.
_NUMBERS = (
    "birth_date", "sex", "source_id", "guardian_id", "doctor_id", "discount_percent", "identity_type",
    "identity_issued_on",
)  # fmt: skip


def create_card(values: Mapping[str, Any], *, actor: User | None) -> Patient:
    """Start a patient's card; surname and name are enough for a draft.

    `values`: any of FIELDS; `phone` as typed, or `phones` with owner and for_sms; `tag_ids`; `passport`, a document as
    one line. Duplicates are not
    refused: the desk sees them and decides.
    Records `card.created`.

    Raises:
        NotAllowed: also to a doctor, who edits own patients' cards and starts none.
        Invalid: a name is missing, the phone or the birth date cannot be right, there is no such source.
    """
    access.require_own(actor, "card.edit", None)
    clean = _checked(values, None, actor)
    if not clean.get("surname") or not clean.get("name"):
        raise Invalid(fields={key: N_("Fill in this field.") for key in ("surname", "name") if not clean.get(key)})
    number = rules.phone(values["phone"]) if values.get("phone") else None
    patient = Patient(**clean, created_by_id=actor.id if actor else None)
    if values.get("phones") is not None:
        _write_phones(patient, values["phones"])
    elif number:
        patient.phones.append(PatientPhone(number=number))
    patient.tags = _tags(values.get("tag_ids") or ())
    patient.status = rules.card_status(patient.birth_date, bool(patient.phones))
    session.add(patient)
    session.flush()
    session.refresh(patient, ["card_number", "version"])
    audit.record("card.created", patient, after=_facts(patient), patient_id=patient.id, actor=actor)
    return patient


def edit_card(patient_id: int, version: int, values: Mapping[str, Any], *, actor: User | None) -> Patient:
    """Change what stands on a card; fields that are not given stay.

    `phone` changes the first phone, empty removes it; `phones` are all of them, `tag_ids` all tags. A draft that became
    complete is a full card.
    Records `card.changed` with what changed; an edit that changes nothing leaves no trace.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged, Invalid
        Stale: somebody saved the card after `version` was read; `current` is the card now.
    """
    patient = open_card(patient_id, "card.edit", actor)
    if patient.version != version:
        raise Stale(current=plain(patient))
    before, clean = _facts(patient), _checked(values, patient, actor)
    for key in ("surname", "name"):
        if key in clean and not clean[key]:
            raise Invalid(fields={key: N_("Fill in this field.")})
    for key, value in clean.items():
        setattr(patient, key, value)
    if values.get("phones") is not None:
        _write_phones(patient, values["phones"])
    elif "phone" in values:
        _change_phone(patient, values["phone"] or "")
    if values.get("tag_ids") is not None:
        patient.tags = _tags(values["tag_ids"])
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
    patient = locked_card(patient_id, "card.archive", actor)
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
    patient = locked_card(patient_id, "card.archive", actor)
    if patient.merged_into_id:
        raise NotMergeable({"why": N_("This card was merged: part the cards on the card that stayed.")})
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
    phones = [{"number": p.number, "owner": p.owner, "for_sms": p.for_sms} for p in patient.phones]
    return _plain(patient, phones, [tag.name for tag in patient.tags], queries.balance_of(patient.id))


def plain_row(row: Any) -> dict[str, Any]:
    """The same of a row that `look_at_all` has read."""
    balance = {"debt": row.debt or money.ZERO, "advance": row.advance or money.ZERO}
    return _plain(row, row.phones, [tag["name"] for tag in row.tags], balance)


def _plain(card: Any, phones: list[dict[str, Any]], tags: list[str], balance: dict[str, Decimal]) -> dict[str, Any]:
    return {
        "id": card.id,
        "card_number": card.card_number,
        "status": str(card.status),
        "merged_into_id": card.merged_into_id,
        "version": card.version,
        "full_name": card.full_name,
        **{name: getattr(card, name) for name in FIELDS},
        "passport": queries.identity_of(card),
        "phones": phones,
        "tags": tags,
        "balance": balance,
    }


def locked_card(patient_id: int, right: str, actor: User | None) -> Patient:
    """The card, locked, if the right of the actor covers it."""
    access.require(actor, right)
    patient = lock(Patient, patient_id)
    if patient is None:
        raise NotFound()
    if patient.erased_at is not None:
        raise CardErased()
    own = access.account(actor).own_only(right) if actor else None
    if own is not None and not queries.treated_by(patient_id, own):
        raise NotAllowed(right=right)
    return patient


def open_card(patient_id: int, right: str, actor: User | None) -> Patient:
    """The card, locked, if something new may be written into it."""
    patient = locked_card(patient_id, right, actor)
    check_open(patient)
    return patient


def check_open(patient: Patient) -> None:
    """Nothing new is written into a card that was emptied, became another one, or lies in the archive.

    Raises:
        CardErased, CardMerged, CardArchived
    """
    check_there(patient)
    if patient.status == CardStatus.ARCHIVED:
        raise CardArchived()


def check_there(patient: Patient) -> None:
    """A card that was emptied, or became another one, is nobody's any more; one in the archive still is.

    Raises:
        CardErased, CardMerged
    """
    if patient.erased_at is not None:
        raise CardErased()
    if patient.merged_into_id is not None:
        raise CardMerged()


def _checked(values: Mapping[str, Any], patient: Patient | None, actor: User | None) -> dict[str, Any]:
    """The fields as they are kept; what stands on the card already is not complained about."""
    clean = {key: values[key] for key in FIELDS if key in values}
    for key in ("surname", "name", "patronymic"):
        if clean.get(key):
            clean[key] = rules.person_name(clean[key])
        elif key in clean:
            clean[key] = ""
    _settle_cases(clean, patient)
    for key, value in clean.items():
        if key in _NUMBERS:
            clean[key] = value or None
        elif value is None:
            clean[key] = ""
    rules.check_birth_date(clean.get("birth_date"), clock.today())
    if values.get("passport") is not None:
        clean = {**rules.from_line(values["passport"]), **clean}
    if "birth_date" in clean or any(name in rules.IDENTITY for name in clean):
        clean |= _checked_document(clean, patient)
    for key, check in (("email", rules.email), ("snils", rules.snils), ("inn", rules.inn)):
        if clean.get(key) and (patient is None or clean[key] != getattr(patient, key)):
            clean[key] = check(clean[key])
    if clean.get("sex") is not None and clean["sex"] not in set(Sex):
        raise Invalid(fields={"sex": N_("Unknown value.")})
    for key, model in (("source_id", ReferralSource), ("doctor_id", Employee)):
        if clean.get(key) and session.get(model, clean[key]) is None:
            raise Invalid(fields={key: N_("There is no such entry in the directory.")})
    if clean.get("guardian_id"):
        _check_guardian(clean, patient)
    if "discount_percent" in clean:
        clean["discount_percent"] = _discount(clean, patient, actor)
    return clean


def _document(patient: Patient | None) -> dict[str, Any]:
    return {name: getattr(patient, name) for name in rules.IDENTITY} if patient else dict(rules.EMPTY)


def _checked_document(clean: Mapping[str, Any], patient: Patient | None) -> dict[str, Any]:
    """The identity document as it is kept, when it changes; with a new birth date the old one is looked at again."""
    given = {name: clean[name] for name in rules.IDENTITY if name in clean}
    born = clean.get("birth_date", patient.birth_date if patient else None)
    kept = rules.identity({**_document(patient), **given}, born, clock.today())
    return {name: kept[name] for name in given}


def _settle_cases(clean: dict[str, Any], patient: Patient | None) -> None:
    """Names in cases: spaces as one, what the rules say anyway is not kept, and a new name has cases of its own."""
    for key in rules.CASES:
        if clean.get(key):
            clean[key] = " ".join(clean[key].split())
    surname, name, patronymic = (clean.get(key, getattr(patient, key, "")) or "" for key in rules.NAME)
    sex = clean.get("sex", getattr(patient, "sex", None)) or None
    renamed = patient is not None and (surname, name, patronymic) != (
        patient.surname, patient.name, patient.patronymic,
    )  # fmt: skip
    for key, of_rules in zip(rules.CASES, (rules.genitive, rules.dative), strict=True):
        stood = getattr(patient, key, "") or ""
        given = clean.get(key, stood) or ""
        if given and ((renamed and given == stood) or given == of_rules(surname, name, patronymic, sex)):
            clean[key] = ""


def _check_guardian(clean: Mapping[str, Any], patient: Patient | None) -> None:
    guardian = session.get(Patient, clean["guardian_id"])
    if guardian is None or guardian.erased_at or (patient is not None and guardian.id == patient.id):
        raise Invalid(fields={"guardian_id": N_("Choose the guardian's card.")})
    if patient is None or guardian.id != patient.guardian_id:
        rules.check_guardian(guardian.birth_date, clock.today())
        if patient is not None and guardian.guardian_id == patient.id:
            raise Invalid(fields={"guardian_id": N_("The patient is the guardian of this person.")})


def _discount(clean: Mapping[str, Any], patient: Patient | None, actor: User | None) -> Decimal | None:
    """A card's discount as it is kept, «3.00» and not «3»; it is given by who may give as much, with a reason."""
    percent: Decimal | None = clean["discount_percent"]
    if percent is None or (patient is not None and percent == patient.discount_percent):
        return patient.discount_percent if percent and patient else None
    if not percent.is_finite() or not 0 < percent <= 100 or percent != money.rounded(percent):
        raise Invalid(fields={"discount_percent": N_("The discount is from 0 to 100 percent.")})
    if percent > (limit := access.discount_limit(actor)):
        raise DiscountTooLarge(limit=f"{limit.normalize():f}")
    if not (clean.get("discount_reason") or "").strip():
        raise Invalid(fields={"discount_reason": N_("Write why the patient has a discount.")})
    return money.rounded(percent)


def _tags(ids: Collection[int]) -> list[PatientTag]:
    found = list(session.scalars(select(PatientTag).where(PatientTag.id.in_(ids)))) if ids else []
    if len(found) != len(set(ids)):
        raise Invalid(fields={"tag_ids": N_("There is no such entry in the directory.")})
    return found


def _write_phones(patient: Patient, typed: Sequence[Mapping[str, Any]]) -> None:
    """The phones as they were written; a number that stays keeps its row."""
    standing = {phone.number: phone for phone in patient.phones}
    rows = []
    for wanted in rules.phones(typed):
        row = standing.get(wanted.number) or PatientPhone(number=wanted.number)
        row.owner, row.for_sms = wanted.owner, wanted.for_sms
        rows.append(row)
    patient.phones = rows


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
    facts["phone"] = ", ".join(
        " ".join(filter(None, (phone.number, phone.owner, "" if phone.for_sms else "—SMS"))) for phone in patient.phones
    )
    facts["tags"] = ", ".join(sorted(tag.name for tag in patient.tags))
    return facts
