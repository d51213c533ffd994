"""What is needed to write to the patient of a visit: the phone, the fields, the clinic's texts and hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, exists, func, select

from app import clock
from app.db import Fixed, given
from app.messages import rules
from app.messages.rules import Sending
from app.models import (
    Appointment,
    Branch,
    ClinicSetting,
    Employee,
    LegalEntity,
    MessageTemplate,
    Patient,
    PatientConsent,
    PatientPhone,
)
from app.vocab import N_, CardStatus, ConsentKind

STOPPED = N_("The patient asked not to be written to.")
NO_PHONE = N_("The card has no phone for messages.")
ARCHIVED = N_("The card is in the archive.")
NO_TEXT = N_("The clinic has switched this message off.")


@dataclass(frozen=True)
class Letter:
    """What is needed to write to the patient of a visit; `why_not` is the sentence why nobody may (a message id)."""

    starts_at: datetime
    phone: str
    fields: dict[str, str]
    templates: dict[str, str]
    reminder_hours: int
    second_reminder_hours: int
    sending: Sending
    why_not: str = ""

    def body(self, kind: str, *, link: str = "") -> str | None:
        """The text of a kind about this visit alone; None when the clinic does not send this kind."""
        return text_for([self], self.templates.get(kind), link)


def text_for(letters: Sequence[Letter], template: str | None, link: str = "") -> str | None:
    """One text for several visits of a day, the earliest first; None without a template."""
    if not template:
        return None
    fields: Mapping[str, str] = rules.told_together(
        [one.fields for one in sorted(letters, key=lambda one: one.starts_at)]
    )
    return rules.text(template, {**fields, "link": link})[: rules.LONGEST_BODY]


def instant(moment: datetime) -> datetime:
    """A wall time of the clinic as an instant."""
    return moment.replace(tzinfo=clock.zone())


def _needed() -> Select[tuple[Any, ...]]:
    """Everything for the texts of a visit of this patient, doctor and branch."""
    patient = given("patient", Integer)
    templates = (
        select(func.json_object_agg(MessageTemplate.kind, MessageTemplate.body))
        .where(MessageTemplate.archived.is_(False))
        .scalar_subquery()
    )
    phone = (
        select(PatientPhone.number)
        .where(PatientPhone.patient_id == patient, PatientPhone.for_sms.is_(True))
        .order_by(PatientPhone.id)
        .limit(1)
        .scalar_subquery()
    )

    def consent(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            PatientConsent.patient_id == patient, PatientConsent.kind == ConsentKind.SERVICE_MESSAGES, *conditions
        )

    stopped = and_(
        consent(PatientConsent.withdrawn_at.is_not(None)),
        ~consent(PatientConsent.withdrawn_at.is_(None)),
    )
    return (
        select(
            phone.label("number"),
            stopped.label("stopped"),
            Patient.status,
            Patient.name,
            Patient.patronymic,
            Employee.surname,
            Employee.name.label("doctor_name"),
            Employee.patronymic.label("doctor_patronymic"),
            Branch.name.label("branch"),
            Branch.address,
            Branch.phone.label("branch_phone"),
            LegalEntity.short_name.label("clinic"),
            templates.label("templates"),
            ClinicSetting.reminder_hours,
            ClinicSetting.second_reminder_hours,
            ClinicSetting.sending_from,
            ClinicSetting.sending_to,
        )
        .select_from(Patient)
        .join(Employee, Employee.id == given("doctor"))
        .join(Branch, Branch.id == given("branch"))
        .join(LegalEntity, LegalEntity.id == Branch.legal_entity_id)
        .outerjoin(ClinicSetting, ClinicSetting.id == 1)
        .where(Patient.id == patient)
    )


_NEEDED = Fixed(_needed())


def letter(visit: Appointment) -> Letter:
    """Everything for the texts of a visit, in one statement."""
    row = _NEEDED(patient=visit.patient_id, doctor=visit.doctor_id, branch=visit.branch_id).one()
    initials = " ".join(f"{part[0]}." for part in (row.doctor_name, row.doctor_patronymic) if part)
    archived = ARCHIVED if row.status == CardStatus.ARCHIVED else ""
    return Letter(
        starts_at=visit.starts_at,
        phone=row.number or "",
        fields={
            "patient": f"{row.name} {row.patronymic}".strip(),
            "day": rules.day_in_words(visit.starts_at.date()),
            "time": f"{visit.starts_at:%H:%M}",
            "doctor": f"{row.surname} {initials}".strip(),
            "clinic": row.clinic,
            "branch": row.branch,
            "address": row.address,
            "phone": row.branch_phone,
        },
        templates=row.templates or {},
        reminder_hours=row.reminder_hours or 24,
        second_reminder_hours=row.second_reminder_hours or 0,
        sending=Sending(row.sending_from or time(9), row.sending_to or time(21)),
        why_not=STOPPED if row.stopped else archived or ("" if row.number else NO_PHONE),
    )
