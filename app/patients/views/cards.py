"""The search and a patient's card as pages.

Where next: `selections.py`; the deeds are in `../operations`.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

from flask import current_app, flash, jsonify, redirect, request, send_file, url_for
from flask_babel import gettext

from app import access, audit, clock
from app.answers import refusal_body
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal, Stale
from app.models import Patient
from app.patients import operations, queries, rules
from app.patients.alerts import in_words
from app.patients.forms import CardForm
from app.patients.reach import require_reach, visible
from app.patients.views.card_zip import answer_name, card_zip
from app.vocab import N_, ConsentKind, OpenedKind, Sex, TemplateKind
from app.web import DeskView, actor, expose, guarded, may, say, say_wrong

PAGE = 25

#: Tabs of the card that other rooms own: title, address, right.
TABS = [
    (N_("Visits"), "ScheduleView.patient_visits", "schedule.see"),
    (N_("Money"), "SettlementView.patient_money", "payment.see"),
    (N_("Documents"), "DocumentsView.patient_documents", "document.print"),
    (N_("Questionnaire"), "SurveysView.patient_surveys", "survey.see"),
    (N_("Medical card"), "MedicalView.patient_record", "medical.see"),
    (N_("Messages"), "MessagesView.patient_messages", "message.see"),
    (N_("Plans and waiting"), "WaitingView.patient_wishes", "planned.see"),
    (N_("Calls"), "TasksView.patient_tasks", "task.add"),
    (N_("Family and consents"), "PatientsView.relatives", "card.see"),
    (N_("History"), "PatientsView.history", "card.see"),
]


#: What a card lacks, in words.
_LACKING = {
    "birth_date": N_("birth date"), "phone": N_("phone"), "guardian": N_("guardian of a minor"),
    "identity": N_("identity document"), "personal_data": N_("consent to processing of personal data"),
    "treatment": N_("consent to treatment"), "survey": N_("health questionnaire"),
}  # fmt: skip


def _whole(given: str | None) -> int:
    """A small number as a browser sends it; 0 for anything else."""
    return int(given) if given and len(given) < 10 and given.isascii() and given.isdigit() else 0


def _page_number() -> int:
    page = _whole(request.args.get("page"))
    return page if page < 100_000 else 0


class PatientsView(DeskView):
    """«Картотека»: search, new card, card, edit, archive."""

    route_base = "/patients"
    default_view = "index"

    @expose("/", methods=["GET"])
    @guarded("card.see")
    def index(self) -> Any:
        """The card index: a search and a page of what it found."""
        q, page = request.args.get("q", "")[:100], _page_number()
        own = access.account(actor()).own_only("card.see")
        archived = bool(request.args.get("archived"))
        count, found = queries.find(q, limit=PAGE, offset=page * PAGE, doctor_id=own, archived=archived)
        if not archived and not page and (closed := queries.archived_of_number(q, own)):
            count, found = count + len(closed), [*closed, *found]
        return self.page(
            "patients/index.html",
            title=gettext("Patients"),
            archived=archived,
            q=q,
            found=found,
            count=count,
            page=page,
            size=PAGE,
            may_start=may("card.edit") and access.account(actor()).own_only("card.edit") is None,
        )

    @expose("/<int:pk>", methods=["GET"])
    @guarded("card.see")
    def card(self, pk: int) -> Any:
        """A patient's card with its figures; the tabs follow."""
        require_reach(pk)
        seen = operations.look_at(pk, actor=actor()) if pk < 2**31 else None
        if seen is None:
            raise NotFound()
        patient = seen.patient
        if patient.merged_into_id:
            number = patient.card_number
            flash(gettext("Card № %(number)s was merged into this one.", number=number), "info")
            return redirect(url_for("PatientsView.card", pk=patient.merged_into_id))
        years = rules.age(patient.birth_date, clock.today())
        here = current_app.view_functions
        tabs = [(title, url_for(at, pk=pk)) for title, at, right in TABS if at in here and may(right)]
        # `?tab=documents` opens the tab of that room
        asked = request.args.get("tab", "")
        first = next((url for _, url in tabs if asked in (url.split("/")[1], url.rsplit("/")[-1])), tabs[0][1])
        return self.page(
            "patients/card.html",
            title=patient.full_name,
            patient=patient,
            age=years,
            balance=seen.balance,
            figures=seen.figures,
            by_doctor=seen.by_doctor,
            late_by_patient=seen.late_by_patient,
            sexes=Sex,
            family=queries.family(patient),
            identity=queries.identity_of(patient),
            signs=str(rules.signs(years)),
            doctor=seen.doctor,
            tabs=tabs,
            first=first,
            merges=queries.merges_of(pk) if seen.merged else [],
            erasure=queries.erasure_of(pk) if patient.erased_at else None,
            alerts=in_words(patient.health_alerts) if patient.erased_at is None else [],
            survey_old=queries.survey_is_old(patient.surveyed_on),
        )

    @expose("/<int:pk>/lacking", methods=["GET"])
    @guarded("card.see")
    def lacking(self, pk: int) -> Any:
        """What the card of a patient who has come lacks: a fragment for the panel of the visit."""
        patient = visible(pk)
        return self.page("patients/_lacking.html", patient=patient, found=queries.lacking(patient), words=_LACKING)

    @expose("/<int:pk>/family", methods=["GET"])
    @guarded("card.see")
    def relatives(self, pk: int) -> Any:
        """The tab «Family and consents»."""
        patient = visible(pk)
        family, today = queries.family(patient), clock.today()
        payers = [one for one in family if rules.signs(rules.age(one["birth_date"], today)) == rules.Signs.PATIENT
                  or one["id"] == patient.payer_id]  # fmt: skip
        return self.page(
            "patients/relatives.html", patient=patient, family=family, payers=payers, consents=queries.consents(pk),
            kinds=ConsentKind, today=today, signs=str(rules.signs(rules.age(patient.birth_date, today))),
        )  # fmt: skip

    @expose("/<int:pk>/family/<what>", methods=["POST"])
    @guarded("card.edit")
    def change_family(self, pk: int, what: str) -> Any:
        """Join a relative, leave the family, say who pays."""
        visible(pk)

        def work() -> None:
            given = _whole(request.form.get("relative_id"))
            if what == "join":
                if not given:
                    raise Invalid(fields={"relative_id": N_("Choose the relative.")})
                visible(given)
                operations.join_family(pk, given, actor=actor())
            elif what == "leave":
                operations.leave_family(pk, actor=actor())
            elif what == "payer":
                operations.set_payer(pk, given or None, actor=actor())
            else:
                raise NotFound()

        return self._done(pk, work)

    @expose("/<int:pk>/consents", methods=["POST"])
    @guarded("card.edit")
    def consent(self, pk: int) -> Any:
        """Write down a consent, or its withdrawal."""
        visible(pk)

        def work() -> None:
            if withdrawn := _whole(request.form.get("withdraw")):
                operations.withdraw_consent(pk, withdrawn, actor=actor())
                return
            try:
                day = date.fromisoformat(request.form.get("given_on", "")) if request.form.get("given_on") else None
            except ValueError as error:
                raise Invalid(fields={"given_on": N_("This is not a day.")}) from error
            operations.give_consent(pk, request.form.get("kind", ""), day, actor=actor())

        return self._done(pk, work)

    def _done(self, pk: int, work: Callable[[], None]) -> Any:
        """Do it, and come back to the tab; a refusal is said with its own sentence."""
        try:
            with transaction():
                work()
            flash(gettext("Written down."), "success")
        except Invalid as wrong:
            say_wrong(wrong)
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=pk, tab="family"), 303)

    @expose("/<int:pk>/history", methods=["GET"])
    @guarded("card.see")
    def history(self, pk: int) -> Any:
        """Who did what for this patient, the newest first."""
        visible(pk)
        openings = queries.openings_of(pk) if may("audit.see") else []
        return self.page(
            "patients/history.html", events=audit.timeline(pk), openings=openings, opened=OpenedKind,
            papers=TemplateKind,
        )  # fmt: skip

    @expose("/<int:pk>/card.zip", methods=["GET"])
    @guarded("card.export")
    def export(self, pk: int) -> Any:
        """All that is known of the patient as one file; who took it stands in the log."""
        patient = visible(pk)
        with transaction():
            audit.record("card.exported", patient, patient_id=pk, actor=actor())
        answer = send_file(
            card_zip(patient), mimetype="application/zip", as_attachment=True, download_name=answer_name(patient)
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/new", methods=["GET", "POST"])
    @guarded("card.edit")
    def new(self) -> Any:
        """A new card; cards that may be the same person are shown before it is saved anyway."""
        access.require_own(actor(), "card.edit", None)
        form, twins = CardForm(), []
        if form.validate_on_submit():
            values = form.values()
            try:
                twins = self._twins(values)
                if not twins or request.form.get("anyway"):
                    with transaction():
                        patient = operations.create_card(values, actor=actor())
                    flash(gettext("The card was saved."), "success")
                    return redirect(url_for("PatientsView.card", pk=patient.id))
            except Refusal as refusal:
                self._show(form, refusal)
        status = 422 if request.method == "POST" else 200
        return self.page(
            "patients/form.html",
            status,
            title=gettext("New card"),
            form=form,
            twins=twins,
            patient=None,
            phones=form.phone_rows(),
        )

    @expose("/twins", methods=["GET"])
    @guarded("card.edit")
    def twins(self) -> Any:
        """Cards that may be the person whose name is being typed: a part of the form, empty when there are none.

        `but` is the card that is being changed, which is no twin of itself.
        """
        but = _whole(request.args.get("but"))
        if but:
            require_reach(but, right="card.edit")
        else:
            access.require_own(actor(), "card.edit", None)
        typed = {key: request.args.get(key, "")[:100].replace("\x00", "").strip() for key in ("surname", "name")}
        numbers = [_as_kept(rules.phone, phone) for phone in request.args.getlist("phone")[: rules.MOST_PHONES]]
        try:
            born = date.fromisoformat(request.args.get("birth_date", ""))
        except ValueError:
            born = None
        found = queries.possible_duplicates(
            rules.person_name(typed["surname"]), rules.person_name(typed["name"]), born, numbers,
            snils=_as_kept(rules.snils, request.args.get("snils", "")),
            inn=_as_kept(rules.inn, request.args.get("inn", "")), but=but,
            doctor_id=access.account(actor()).own_only("card.edit"),
        )  # fmt: skip
        return self.page("patients/_twins.html", twins=found) if found else ""

    @expose("/cases", methods=["GET"])
    @guarded("card.edit")
    def cases(self) -> Any:
        """A name in its cases by the rules of the language, while it is being typed."""
        surname, name, patronymic = (
            rules.person_name(request.args.get(key, "")[:100].replace("\x00", "")) for key in rules.NAME
        )
        sex = request.args.get("sex", "")
        return jsonify(rules.in_cases(surname, name, patronymic, sex if sex in set(Sex) else None))

    def _twins(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        phones = values.get("phones") or ([{"number": values["phone"]}] if values.get("phone") else [])
        numbers = [phone.number for phone in rules.phones(phones)]
        surname, name = rules.person_name(values["surname"]), rules.person_name(values["name"])
        return queries.possible_duplicates(
            surname, name, values.get("birth_date"), numbers, snils=rules.snils(values.get("snils") or ""),
            inn=rules.inn(values.get("inn") or ""),
        )  # fmt: skip

    @staticmethod
    def _same_person(values: dict[str, Any], patient: Patient) -> list[dict[str, Any]]:
        """Cards that have the СНИЛС or the ИНН which this one gets now."""
        snils, inn = rules.snils(values.get("snils") or ""), rules.inn(values.get("inn") or "")
        return queries.possible_duplicates(
            "", "", None, None, snils=snils if snils != patient.snils else "", inn=inn if inn != patient.inn else "",
            but=patient.id, doctor_id=access.account(actor()).own_only("card.edit"),
        )  # fmt: skip

    @expose("/<int:pk>/edit", methods=["GET", "POST"])
    @guarded("card.edit")
    def edit(self, pk: int) -> Any:
        """Change a card; somebody else's newer change is not overwritten.

        A card often gets its СНИЛС long after it was begun by phone: who has it already is shown before it is saved.
        """
        patient, twins = visible(pk), []
        if request.method == "GET":
            try:
                operations.check_open(patient)
            except Refusal as refusal:
                if not patient.merged_into_id:  # else the card itself leads to the one that stayed, and says so
                    say(refusal)
                return redirect(url_for("PatientsView.card", pk=pk))
        form = CardForm(obj=patient)
        if form.validate_on_submit():
            try:
                version, values = _whole(request.form.get("version")), form.values()
                twins = [] if request.form.get("anyway") else self._same_person(values, patient)
                if not twins:
                    with transaction():
                        operations.edit_card(pk, version, values, actor=actor())
                    flash(gettext("The card was saved."), "success")
                    return redirect(url_for("PatientsView.card", pk=pk))
            except Refusal as refusal:
                patient = visible(pk)
                self._show(form, refusal)
        status = 422 if request.method == "POST" else 200
        return self.page(
            "patients/form.html",
            status,
            title=patient.full_name,
            form=form,
            twins=twins,
            patient=patient,
            phones=form.phone_rows(patient),
        )

    def _show(self, form: CardForm, refusal: Refusal) -> None:
        if isinstance(refusal, Invalid):
            form.show(refusal_body(refusal)["fields"])
            if refusal.facts["fields"]:
                return
        say(refusal)
        if isinstance(refusal, Stale):
            form.show_newer(refusal.facts["current"])

    @expose("/<int:pk>/archive", methods=["POST"])
    @guarded("card.archive")
    def archive(self, pk: int) -> Any:
        """Put a card into the archive, with the reason."""
        visible(pk)
        try:
            with transaction():
                operations.archive_card(pk, request.form.get("reason", "")[:400], actor=actor())
            flash(gettext("The card is in the archive."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=pk))

    @expose("/<int:pk>/restore", methods=["POST"])
    @guarded("card.archive")
    def restore(self, pk: int) -> Any:
        """Take a card out of the archive."""
        visible(pk)
        try:
            with transaction():
                operations.restore_card(pk, actor=actor())
            flash(gettext("The card was taken out of the archive."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=pk))


class PatientLookupView(DeskView):
    """Patients for a select that asks while one types."""

    route_base = "/lookup"

    @expose("/patients", methods=["GET"])
    @guarded("card.see")
    def patients(self) -> Any:
        """A page of matches as the select takes them."""
        page = max(_page_number() - 1, 0)
        own = access.account(actor()).own_only("card.see")
        count, found = queries.find(request.args.get("q", "")[:100], limit=20, offset=page * 20, doctor_id=own)
        results = [{"id": row["id"], "text": f"{row['full_name']}, № {row['card_number']}"} for row in found]
        return jsonify(results=results, pagination={"more": count > (page + 1) * 20})


def _as_kept(check: Callable[[str], str], typed: str) -> str:
    """A number as it is kept; nothing while it is not typed to its end."""
    with suppress(Invalid):
        return check(typed[:100])
    return ""
