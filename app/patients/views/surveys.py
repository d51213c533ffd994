"""«Анкета о здоровье»: the tab of the card, and the page where a filled in paper is written down.

Where next: `../operations/surveys.py`.
"""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app import clock
from app.answers import refusal_body
from app.db import transaction
from app.errors import Invalid, Refusal
from app.models import Patient
from app.patients import operations, queries
from app.patients.alerts import in_words
from app.patients.forms import SurveyBody, sent
from app.patients.reach import visible
from app.patients.rules import survey as rules
from app.vocab import Answer, CardStatus
from app.web import DeskView, actor, expose, guarded, may, say, say_wrong


class SurveysView(DeskView):
    """Health questionnaires of a patient."""

    route_base = "/surveys"

    @expose("/patient/<int:pk>", methods=["GET"])
    @guarded("survey.see")
    def patient_surveys(self, pk: int) -> Any:
        """The tab: the questionnaire that counts, and the older ones."""
        patient = visible(pk, right="survey.see")
        return self.page(
            "patients/surveys.html", patient=patient, surveys=queries.surveys_of(pk), questions=rules.QUESTIONS,
            answers=Answer, in_words=in_words, old=queries.survey_is_old(patient.surveyed_on),
            may_add=may("survey.edit") and patient.status != CardStatus.ARCHIVED,
        )  # fmt: skip

    @expose("/patient/<int:pk>/new", methods=["GET", "POST"])
    @guarded("survey.edit")
    def new(self, pk: int) -> Any:
        """Write down what the patient wrote; back to the tab."""
        patient = visible(pk, right="survey.edit")
        wrong: dict[str, str] = {}
        status = 200
        if request.method == "POST":
            try:
                values = sent(SurveyBody)
                with transaction():
                    operations.add_survey(pk, values.pop("day"), _answers(), values, actor=actor())
                flash(gettext("The questionnaire is written down."), "success")
                return redirect(url_for("PatientsView.card", pk=pk, tab="surveys"), 303)
            except Invalid as refusal:
                wrong, status, patient = refusal_body(refusal)["fields"], 422, visible(pk, right="survey.edit")
                if not wrong:
                    say_wrong(refusal)
            except Refusal as refusal:
                say(refusal)
                status, patient = refusal.status, visible(pk, right="survey.edit")
        return self.page(
            "patients/survey_form.html", status, title=gettext("Health questionnaire"), patient=patient, wrong=wrong,
            questions=rules.questions(patient.sex, [key for key, _ in patient.health_alerts]), answers=Answer,
            typed=request.form, earlier=_earlier(patient), today=clock.today(), longest=rules.LONGEST,
        )  # fmt: skip


def _answers() -> dict[str, tuple[str, str]]:
    """The answers as the page sends them; a question that it does not know is not looked for."""
    form = request.form
    return {key: (form.get(f"answer_{key}", ""), form.get(f"comment_{key}", "")) for key in rules.QUESTIONS
            if form.get(f"answer_{key}") or form.get(f"comment_{key}")}  # fmt: skip


def _earlier(patient: Patient) -> dict[str, str]:
    """What was answered before, beside the question: nothing is answered for the patient. «Не знаю» hides no «да»."""
    said: dict[str, str] = {}
    for row, _ in reversed(queries.surveys_of(patient.id)):
        for key, (answer, comment) in row.answers.items():
            words = ": ".join(filter(None, (gettext(Answer(answer).label), comment)))
            if answer == Answer.UNKNOWN:
                said.setdefault(key, words)
            else:
                said[key] = words if answer == Answer.YES else ""
    if patient.allergy:
        on_card = gettext("on the card: %(allergy)s", allergy=patient.allergy)
        said["allergy"] = "; ".join(filter(None, (said.get("allergy"), on_card)))
    return said
