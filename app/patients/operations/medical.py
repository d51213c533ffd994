"""The medical card 043/у and its diary: only added to, so that nothing a doctor wrote is lost.

The log says which parts were changed and never what stands there: a diagnosis is a medical secret (323-ФЗ, ст. 13),
and the log is read with other rights. What stood there before is in the older rows.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app import access, audit, clock
from app.db import session
from app.errors import Invalid, NotAllowed, NotFound, Stale
from app.models import DiaryEntry, Employee, MedicalRecord, User
from app.patients import queries
from app.patients.operations.cards import open_card
from app.patients.rules import medical as rules
from app.patients.rules.medical import ENTRY_FIELDS, RECORD_FIELDS
from app.vocab import N_


def save_record(
    patient_id: int, after_id: int | None, values: Mapping[str, Any], *, actor: User | None
) -> MedicalRecord:
    """Save the medical card as it stands now; what is not given stays as it was.

    `after_id` is the saving that was looked at; None when there was none. `formula`: {tooth: signs as typed}.
    Locks the card. Records `medical.saved` with the names of what changed; nothing changed, nothing is written.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged, CardErased, Invalid
        Stale: somebody saved it meanwhile.
    """
    open_card(patient_id, "medical.edit", actor)
    newest = queries.medical_record(patient_id)
    if (newest.id if newest else None) != after_id:
        raise Stale()
    before = {name: getattr(newest, name) for name in RECORD_FIELDS} if newest else dict(_EMPTY)
    clean = _checked(values)
    changed = [name for name, value in clean.items() if value != before[name]]
    if not changed and newest is not None:
        return newest
    row = MedicalRecord(
        patient_id=patient_id, after_id=after_id, created_at=clock.now(), created_by_id=actor.id if actor else None,
        **{**before, **clean},
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record("medical.saved", row, after={"parts": changed}, patient_id=patient_id, actor=actor)
    return row


def write_diary(
    patient_id: int,
    day: date,
    values: Mapping[str, Any],
    *,
    corrects_id: int | None = None,
    doctor_id: int | None = None,
    actor: User | None,
) -> DiaryEntry:
    """Add an entry to the diary, signed by the doctor whose account it is.

    `corrects_id`: the entry that was wrong; it stays, and reads as corrected by this one. A doctor corrects own
    entries. `doctor_id` only when no account writes. Locks the card. Records `diary.written` with the day alone.

    Raises:
        NotFound, NotAllowed: also to an account that is no doctor's.
        CardArchived, CardMerged, CardErased, Invalid
        Stale: the entry was corrected already.
    """
    patient = open_card(patient_id, "medical.edit", actor)
    doctor = session.get(Employee, (access.account(actor).employee_id if actor else doctor_id) or 0)
    if doctor is None or not doctor.is_doctor:
        raise NotAllowed(right="medical.edit")
    if day > clock.today():
        raise Invalid(fields={"day": N_("This day has not come yet.")})
    if day < (patient.birth_date or date(1900, 1, 1)):
        raise Invalid(fields={"day": N_("This day cannot be right.")})
    clean = {name: str(values.get(name) or "").strip() for name in ENTRY_FIELDS}
    clean["icd"] = rules.icd(clean["icd"])
    if not any(value for name, value in clean.items() if name != "icd"):
        raise Invalid(fields={"treatment": N_("Write what was found or done.")})
    if corrects_id is not None:
        _check_correctable(corrects_id, patient_id, doctor)
    row = DiaryEntry(
        patient_id=patient_id, day=day, doctor_id=doctor.id, corrects_id=corrects_id, created_at=clock.now(),
        created_by_id=actor.id if actor else None, **clean,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"day": day.isoformat(), "corrects": corrects_id}
    audit.record("diary.written", row, after=after, patient_id=patient_id, actor=actor)
    return row


def _check_correctable(entry_id: int, patient_id: int, doctor: Employee) -> None:
    entry = session.get(DiaryEntry, entry_id)
    if entry is None or entry.patient_id != patient_id:
        raise NotFound()
    if entry.doctor_id != doctor.id:
        raise NotAllowed(right="medical.edit")
    if queries.correction_of(entry_id) is not None:
        raise Stale()


#: A medical card that nobody has filled in yet.
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(RECORD_FIELDS, ""), "formula": {}, "hygiene_taught_on": None, "hygiene_checks": [],
}  # fmt: skip


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parts as they are kept.

    Raises:
        Invalid
    """
    wrong: dict[str, str] = {}
    clean: dict[str, Any] = {}
    for name in RECORD_FIELDS:
        if name not in values:
            continue
        try:
            clean[name] = _part(name, values[name])
        except Invalid as refusal:
            wrong |= refusal.facts["fields"]
    for name in ("hygiene_taught_on", "hygiene_checks"):
        days = clean.get(name) or []
        if any(day > clock.today() for day in (days if isinstance(days, list) else [days])):
            wrong[name] = N_("This day has not come yet.")
    if wrong:
        raise Invalid(fields=wrong)
    return clean


def _part(name: str, value: Any) -> Any:
    if name == "formula":
        return rules.formula(value)
    if name == "icd":
        return rules.icd(value or "")
    if name == "hygiene_taught_on":
        return value
    if name == "hygiene_checks":
        return list(value or [])
    return str(value or "").strip()
