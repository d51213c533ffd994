"""What is known of a patient's health: questionnaires, the medical card and its diary; and what the card still lacks.

Where next: `../rules/survey.py`, `../rules/medical.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import ClinicSetting, DiaryEntry, HealthSurvey, MedicalRecord, Patient, PatientConsent, User
from app.patients import rules
from app.patients.queries.cards import identity_of
from app.patients.rules import survey
from app.vocab import CardStatus, ConsentKind

#: So many savings of a medical card are listed; all are kept.
_LISTED = 50


def surveys_of(patient_id: int) -> list[tuple[HealthSurvey, str]]:
    """The questionnaires of a patient with who wrote them down; the first is the one that counts."""
    found = session.execute(
        select(HealthSurvey, User.first_name, User.last_name)
        .outerjoin(User, User.id == HealthSurvey.created_by_id)
        .where(HealthSurvey.patient_id == patient_id)
        .order_by(HealthSurvey.day.desc(), HealthSurvey.id.desc())
    )
    return [(row, " ".join(filter(None, (last, first)))) for row, first, last in found]


def newest_survey(patient_id: int) -> HealthSurvey | None:
    """The questionnaire that counts."""
    return session.scalar(
        select(HealthSurvey)
        .where(HealthSurvey.patient_id == patient_id)
        .order_by(HealthSurvey.day.desc(), HealthSurvey.id.desc())
        .limit(1)
    )


def survey_is_old(surveyed_on: date | None) -> bool:
    """Is the newest questionnaire, of this day, so old that it is asked for anew? No statement when there is none."""
    if surveyed_on is None:
        return False
    months = session.scalar(select(ClinicSetting.survey_months)) or 12
    return survey.is_old(surveyed_on, months, clock.today())


def medical_record(patient_id: int) -> MedicalRecord | None:
    """The medical card as it was saved last."""
    return session.scalar(
        select(MedicalRecord).where(MedicalRecord.patient_id == patient_id).order_by(MedicalRecord.id.desc()).limit(1)
    )


def records_of(patient_id: int) -> list[tuple[MedicalRecord, str]]:
    """Every saving of the medical card with who saved it, the newest first."""
    found = session.execute(
        select(MedicalRecord, User.first_name, User.last_name)
        .outerjoin(User, User.id == MedicalRecord.created_by_id)
        .where(MedicalRecord.patient_id == patient_id)
        .order_by(MedicalRecord.id.desc())
        .limit(_LISTED)
    )
    return [(row, " ".join(filter(None, (last, first)))) for row, first, last in found]


@dataclass(frozen=True)
class Written:
    """An entry of the diary, and the later one that corrects it."""

    entry: DiaryEntry
    corrected_by: int | None


def diary_of(patient_id: int) -> list[Written]:
    """The diary in the order of its days, the oldest first."""
    later = aliased(DiaryEntry)
    found = session.execute(
        select(DiaryEntry, later.id)
        .outerjoin(later, later.corrects_id == DiaryEntry.id)
        .where(DiaryEntry.patient_id == patient_id)
        .order_by(DiaryEntry.day, DiaryEntry.id)
    )
    return [Written(entry, corrected_by) for entry, corrected_by in found]


def correction_of(entry_id: int) -> int | None:
    """The entry that corrects this one."""
    return session.scalar(select(DiaryEntry.id).where(DiaryEntry.corrects_id == entry_id))


@dataclass(frozen=True)
class Lacking:
    """What a card lacks when its patient has come: birth_date, phone, guardian, identity, a consent, a questionnaire.

    `since` is the day of a questionnaire that is too old.
    """

    what: str
    since: date | None = None


def lacking(patient: Patient) -> Sequence[Lacking]:
    """What is to be asked of a patient who has come; two statements."""
    today = clock.today()
    given = set(
        session.scalars(
            select(PatientConsent.kind).where(
                PatientConsent.patient_id == patient.id, PatientConsent.withdrawn_at.is_(None)
            )
        )
    )
    signs = rules.signs(rules.age(patient.birth_date, today))
    checks = (
        ("birth_date", patient.birth_date is None),
        ("phone", not patient.phones),
        ("guardian", signs != rules.Signs.PATIENT and patient.guardian_id is None),
        ("identity", not identity_of(patient)),
        *((str(kind), kind not in given) for kind in (ConsentKind.PERSONAL_DATA, ConsentKind.TREATMENT)),
        ("survey", patient.surveyed_on is None),
    )
    found = [Lacking(what) for what, is_so in checks if is_so]
    if survey_is_old(patient.surveyed_on):
        found.append(Lacking("old_survey", patient.surveyed_on))
    return found if patient.status != CardStatus.ARCHIVED else []
