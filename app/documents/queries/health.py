"""What the health questionnaire and the medical card 043/у are filled in with; without answers, boxes and lines.

Papers are Russian in every language of the screen. Where next: `fields.py`.
"""

from typing import Any

from flask_babel import force_locale, gettext

from app.documents import rules
from app.models import HealthSurvey, MedicalRecord, Patient
from app.patients import queries as patients
from app.patients.rules import medical, survey
from app.vocab import TEETH, Answer, TemplateKind

#: The parts of a medical card that are texts.
_TEXTS = tuple(name for name in medical.RECORD_FIELDS if name not in ("formula", "hygiene_taught_on", "hygiene_checks"))
_ROWS = ("upper", "lower", "milk_upper", "milk_lower")


def health_fields(patient: Patient, kind: str) -> dict[str, Any]:
    """`survey` and `medical`: what is known, on the paper that is about it; a contract tells nobody's diagnosis."""
    asked = patients.newest_survey(patient.id) if kind == TemplateKind.HEALTH_QUESTIONNAIRE else None
    of_card = kind == TemplateKind.MEDICAL_CARD
    record = patients.medical_record(patient.id) if of_card else None
    diary = patients.diary_of(patient.id) if of_card else []
    return {"survey": survey_fields(patient, asked), "medical": medical_fields(record, diary)}


def survey_fields(patient: Patient, row: HealthSurvey | None) -> dict[str, Any]:
    """The questions with a box for each answer, the chosen one crossed."""
    questions = []
    with force_locale("ru"):
        for one in survey.questions(patient.sex):
            answer, comment = row.answers.get(one.key, ("", "")) if row else ("", "")
            if one.key == "allergy" and not row:
                comment = patient.allergy
            if one.key == "pregnancy" and row and row.pregnancy_weeks:
                comment = "; ".join(filter(None, (f"{row.pregnancy_weeks} нед.", comment)))
            boxes = {str(each): "☒" if answer == each else "☐" for each in Answer}
            questions.append({"text": gettext(one.text), "red": bool(one.alert), "comment": comment, **boxes})
    return {
        "questions": questions, "day": rules.short_day(row.day if row else None),
        "last_dentist": row.last_dentist if row else "", "complaints": row.complaints if row else "",
    }  # fmt: skip


def medical_fields(record: MedicalRecord | None, diary: list[patients.Written]) -> dict[str, Any]:
    """The parts of the card, the formula as four rows of teeth, the diary without what was corrected since."""
    marks = record.formula if record else {}
    rows = zip(_ROWS, TEETH, strict=True)
    days = {one.entry.id: one.entry.day for one in diary}
    return {
        **{name: getattr(record, name) if record else "" for name in _TEXTS},
        "hygiene_taught_on": rules.short_day(record.hygiene_taught_on if record else None),
        "hygiene_checks": ", ".join(rules.short_day(day) for day in (record.hygiene_checks if record else [])),
        **{name: [{"tooth": tooth, "marks": medical.signs_of(marks.get(tooth, []))} for tooth in row]
           for name, row in rows},
        "legend": ", ".join(f"{mark.sign} — {word}" for mark, word in _legend()),
        "diary": [
            {
                "day": rules.short_day(one.entry.day), "complaints": one.entry.complaints,
                "objective": one.entry.objective, "treatment": one.entry.treatment,
                "diagnosis": " ".join(filter(None, (one.entry.icd, one.entry.diagnosis))),
                "doctor": one.entry.doctor.short_name,
                "corrects": rules.short_day(days.get(one.entry.corrects_id or 0)),
            }
            for one in diary
            if one.corrected_by is None
        ],
    }  # fmt: skip


def _legend() -> list[tuple[medical.Mark, str]]:
    with force_locale("ru"):
        return [(mark, gettext(mark.meaning)) for mark in medical.MARKS.values()]
