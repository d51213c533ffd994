"""What is known of a patient's health: what the patient wrote, and what the doctors found (форма № 043/у).

All three tables are append-only (triggers): a change is a new row, so nothing that a doctor wrote is lost.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import LongText, Made, Model, Pk, index
from app.tables.staff import Employee

#: A code of МКБ-10: K02.1.
_ICD = "^[A-Z][0-9]{2}([.][0-9]{1,2})?$"


class HealthSurvey(Made, Model):
    """One «Анкета о здоровье» as a patient filled it in; the newest by its day counts.

    `answers`: {question: [answer, comment]}. `alerts`: what of it is dangerous, [[question, what was said]], as the
    rules had it on that day; each stands on the card until a newer survey says «no» to its question (trigger).
    """

    __tablename__ = "health_survey"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    day: Mapped[date]
    answers: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    alerts: Mapped[list[list[str]]] = mapped_column(JSONB)
    pregnancy_weeks: Mapped[int | None] = mapped_column(SmallInteger)
    last_dentist: Mapped[str] = mapped_column(String(200), default="", server_default="")
    complaints: Mapped[LongText]
    __table_args__ = (
        CheckConstraint("jsonb_typeof(answers) = 'object' AND answers <> '{}'", name="ck_health_survey_answered"),
        CheckConstraint("jsonb_typeof(alerts) = 'array'", name="ck_health_survey_alerts_listed"),
        CheckConstraint("pregnancy_weeks BETWEEN 1 AND 42", name="ck_health_survey_weeks_sane"),
        index("health_survey", "patient_id", "day"),
    )

    def __repr__(self) -> str:
        return f"{self.day}"


class MedicalRecord(Made, Model):
    """The medical card 043/у as it was saved once; the newest row counts.

    `after_id` is the row it was made from: two windows cannot both follow the same one (trigger). `formula`:
    {tooth: [marks]}.
    """

    __tablename__ = "medical_record"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    after_id: Mapped[int | None] = mapped_column(ForeignKey("medical_record.id"))
    occupation: Mapped[str] = mapped_column(String(200), default="", server_default="")
    diagnosis: Mapped[LongText]
    icd: Mapped[str] = mapped_column(String(6), default="", server_default="")
    complaints: Mapped[LongText]
    past_illnesses: Mapped[LongText]
    anamnesis: Mapped[LongText]
    examination: Mapped[LongText]
    formula: Mapped[dict[str, list[str]]] = mapped_column(JSONB, default=dict, server_default=sql("'{}'"))
    bite: Mapped[LongText]
    mucosa: Mapped[LongText]
    findings: Mapped[LongText]
    shade: Mapped[str] = mapped_column(String(40), default="", server_default="")
    hygiene_taught_on: Mapped[date | None]
    hygiene_checks: Mapped[list[date]] = mapped_column(ARRAY(Date()), default=list, server_default=sql("'{}'"))
    examination_plan: Mapped[LongText]
    treatment_plan: Mapped[LongText]
    consultations: Mapped[LongText]
    epicrisis: Mapped[LongText]
    __table_args__ = (
        CheckConstraint(f"icd = '' OR icd ~ '{_ICD}'", name="ck_medical_record_icd_code"),
        CheckConstraint("jsonb_typeof(formula) = 'object'", name="ck_medical_record_formula_of_teeth"),
        index("medical_record", "patient_id"),
        index("medical_record", "after_id"),
    )

    def __repr__(self) -> str:
        return f"043/у {self.id}"


class DiaryEntry(Made, Model):
    """What a doctor wrote into the diary of the medical card; a mistake is corrected by an entry that names it."""

    __tablename__ = "diary_entry"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    day: Mapped[date]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor: Mapped[Employee] = relationship(lazy="joined")
    complaints: Mapped[LongText]
    objective: Mapped[LongText]
    diagnosis: Mapped[LongText]
    icd: Mapped[str] = mapped_column(String(6), default="", server_default="")
    treatment: Mapped[LongText]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("diary_entry.id"))
    __table_args__ = (
        UniqueConstraint("corrects_id", name="uq_diary_entry_corrected_once"),
        CheckConstraint(f"icd = '' OR icd ~ '{_ICD}'", name="ck_diary_entry_icd_code"),
        CheckConstraint(
            "btrim(complaints || objective || diagnosis || treatment) <> ''", name="ck_diary_entry_not_blank"
        ),
        index("diary_entry", "patient_id", "day"),
        index("diary_entry", "doctor_id"),
    )

    def __repr__(self) -> str:
        return f"{self.day}"
