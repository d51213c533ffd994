"""The medical card 043/у: the tab of the card, the page where a doctor fills it in, an entry of the diary.

Where next: `../operations/medical.py`.
"""

from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app import access, clock
from app.answers import refusal_body
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal, Stale
from app.models import DiaryEntry, MedicalRecord, Patient
from app.patients import operations, queries, rules
from app.patients.alerts import in_words
from app.patients.forms import EntryBody, RecordBody, sent
from app.patients.reach import visible
from app.patients.rules import medical
from app.vocab import N_, TEETH, CardStatus
from app.web import DeskView, actor, expose, fetched, guarded, may, say

#: The parts of the card as the form of the ministry calls them, in its order; the formula stands between.
PARTS = {
    "occupation": N_("Occupation"), "diagnosis": N_("Diagnosis"), "icd": N_("ICD-10 code"),
    "complaints": N_("Complaints"), "past_illnesses": N_("Past and accompanying diseases"),
    "anamnesis": N_("Course of the present disease"), "examination": N_("Objective findings, external examination"),
    "bite": N_("Bite"), "mucosa": N_("Mucosa, gums, alveolar processes and palate"),
    "findings": N_("X-ray and laboratory findings"), "shade": N_("Shade on the Vita scale"),
    "hygiene_taught_on": N_("Hygiene taught on"), "hygiene_checks": N_("Hygiene checked on"),
    "examination_plan": N_("Plan of examination"), "treatment_plan": N_("Plan of treatment"),
    "consultations": N_("Consultations"), "epicrisis": N_("Epicrisis"),
}  # fmt: skip
#: The parts that are one line.
_LINES = {"occupation": 200, "icd": 6, "bite": 1000, "shade": 40, "hygiene_taught_on": 10, "hygiene_checks": 400}
#: Below this age the milk teeth are shown at once.
_MILK_TEETH_UNTIL = 14


class MedicalView(DeskView):
    """The medical card of a patient and its diary."""

    route_base = "/medical"

    @expose("/patient/<int:pk>", methods=["GET"])
    @guarded("medical.see")
    def patient_record(self, pk: int) -> Any:
        """The tab: the card as it was saved last, and the diary."""
        patient = visible(pk, right="medical.see")
        records = queries.records_of(pk)
        return self._shown(patient, records[0][0] if records else None, records=records, diary=queries.diary_of(pk))

    @expose("/patient/<int:pk>/saved/<int:record_id>", methods=["GET"])
    @guarded("medical.see")
    def saved(self, pk: int, record_id: int) -> Any:
        """The card as it was saved once, in place of the tab."""
        patient = visible(pk, right="medical.see")
        row: MedicalRecord = fetched(MedicalRecord, record_id)
        if row.patient_id != pk:
            raise NotFound()
        return self._shown(patient, row, records=queries.records_of(pk), diary=[], older=True)

    def _shown(self, patient: Patient, row: MedicalRecord | None, **more: Any) -> Any:
        return self.page(
            "patients/medical.html", patient=patient, record=row, parts=PARTS, teeth=TEETH, signs_of=medical.signs_of,
            marks=medical.MARKS, milk=_milk(patient), own=access.account(actor()).employee_id,
            may_write=may("medical.edit") and patient.status != CardStatus.ARCHIVED,
            **{"older": False, **more},
        )  # fmt: skip

    @expose("/patient/<int:pk>/edit", methods=["GET", "POST"])
    @guarded("medical.edit")
    def edit(self, pk: int) -> Any:
        """Fill in the card; somebody else's newer saving is not overwritten unseen."""
        patient = visible(pk, right="medical.edit")
        row = queries.medical_record(pk)
        wrong: dict[str, str] = {}
        status, after = 200, row.id if row else None
        if request.method == "POST":
            try:
                values: dict[str, Any] = sent(RecordBody)
                if teeth := _typed_teeth():
                    values["formula"] = teeth
                with transaction():
                    operations.save_record(pk, _whole(request.form.get("after")), values, actor=actor())
                flash(gettext("The medical card is saved."), "success")
                return redirect(url_for("PatientsView.card", pk=pk, tab="medical"), 303)
            except Invalid as refusal:
                wrong, status, after = refusal_body(refusal)["fields"], 422, _whole(request.form.get("after"))
            except Refusal as refusal:
                say(refusal)
                status = refusal.status
                if isinstance(refusal, Stale):
                    row = queries.medical_record(pk)
                    after, wrong = (row.id if row else None), _newer(row)
            patient = visible(pk, right="medical.edit")
        return self.page(
            "patients/medical_form.html", status, title=gettext("Medical card 043/у"), patient=patient, after=after,
            alerts=in_words(patient.health_alerts),
            wrong=wrong, typed=request.form if request.method == "POST" else _as_typed(row), parts=PARTS, lines=_LINES,
            teeth=TEETH, marks=medical.MARKS, codes=medical.COMMON_CODES, milk=_milk(patient), today=clock.today(),
        )  # fmt: skip

    @expose("/patient/<int:pk>/diary", methods=["GET", "POST"])
    @guarded("medical.edit")
    def diary(self, pk: int) -> Any:
        """An entry of the diary; with `corrects`, one that takes the place of a mistaken one."""
        patient = visible(pk, right="medical.edit")
        corrected = _corrected(pk)
        wrong: dict[str, str] = {}
        status = 200
        if request.method == "POST":
            try:
                values = sent(EntryBody)
                with transaction():
                    operations.write_diary(
                        pk, values.pop("day"), values, corrects_id=corrected.id if corrected else None, actor=actor()
                    )
                flash(gettext("The entry is written."), "success")
                return redirect(url_for("PatientsView.card", pk=pk, tab="medical"), 303)
            except Invalid as refusal:
                wrong, status = refusal_body(refusal)["fields"], 422
            except Refusal as refusal:
                say(refusal)
                status = refusal.status
            patient, corrected = visible(pk, right="medical.edit"), _corrected(pk)
        typed: Any = request.form
        if request.method == "GET" and corrected:
            typed = {name: getattr(corrected, name) for name in ("day", *medical.ENTRY_FIELDS)}
        return self.page(
            "patients/diary_form.html", status, title=gettext("Entry of the diary"), patient=patient, wrong=wrong,
            typed=typed, corrected=corrected, codes=medical.COMMON_CODES, today=clock.today(),
            alerts=in_words(patient.health_alerts),
        )  # fmt: skip


def _whole(given: str | None) -> int | None:
    return int(given) if given and len(given) < 10 and given.isascii() and given.isdigit() else None


def _corrected(pk: int) -> DiaryEntry | None:
    """The entry of this patient that the address says is to be corrected."""
    wanted = _whole(request.values.get("corrects"))
    if wanted is None:
        return None
    entry: DiaryEntry = fetched(DiaryEntry, wanted)
    if entry.patient_id != pk:
        raise NotFound()
    return entry


def _milk(patient: Patient) -> bool:
    years = rules.age(patient.birth_date, clock.today())
    return years is not None and years < _MILK_TEETH_UNTIL


def _typed_teeth() -> dict[str, str]:
    """What was typed for the teeth; empty when the page had no formula at all."""
    return {
        name.removeprefix("tooth_"): value[:40] for name, value in request.form.items() if name.startswith("tooth_")
    }


def _as_typed(row: MedicalRecord | None) -> dict[str, Any]:
    """A saved card as the page's fields have it."""
    if row is None:
        return {}
    values = {name: _text(getattr(row, name)) for name in PARTS}
    return {**values, **{f"tooth_{tooth}": medical.signs_of(found) for tooth, found in row.formula.items()}}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{day:%d.%m.%Y}" for day in value)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _newer(row: MedicalRecord | None) -> dict[str, str]:
    """Beside each part that stands otherwise now, what stands there; saving again is then on purpose."""
    now, word = _as_typed(row), gettext("Now")
    return {
        name: f"{word}: {now.get(name) or '—'}"
        for name, value in request.form.items()
        if (name in PARTS or name.startswith("tooth_")) and value.strip() != now.get(name, "")
    }
