"""The waiting list and planned visits as pages, and the fragments that other pages open at their side.

Deeds go through `api/waiting.py`; `static/schedule/wishes.js` sends them. Where next: `queries/waiting.py`.
"""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app import access, clock
from app.db import transaction
from app.errors import Invalid, NotAllowed, Refusal
from app.models import Appointment, Patient, PlannedVisit, WaitingEntry
from app.patients import queries as patients
from app.schedule import forms, operations, queries, rules
from app.schemas import Query, load
from app.tasks.queries import refusal_reasons
from app.vocab import (
    AppointmentStatus,
    PlannedFrom,
    PlannedStatus,
    Urgency,
    WaitingKind,
    WaitingStatus,
    WantedDoctors,
)
from app.web import DeskView, actor, expose, fetched, guarded, may, say

PAGE = 25


def _query(schema: type[Query]) -> dict[str, Any]:
    """The filters of the address; what cannot be understood is as if it were not there."""
    given = {name: value for name, value in request.args.items() if name in schema().fields and value}
    given |= {key: request.args[key] for key in ("from", "to") if request.args.get(key)}
    while True:
        try:
            return load(schema, {"page_size": PAGE, **given})
        except Invalid as refusal:
            wrong = set(refusal.facts["fields"]) & set(given)
            if not wrong:
                return load(schema, {"page_size": PAGE})
            given = {name: value for name, value in given.items() if name not in wrong}


def _words() -> dict[str, Any]:
    """The closed lists as templates show them."""
    return {
        "kinds": WaitingKind, "waiting_statuses": WaitingStatus, "urgencies": Urgency, "wanted": WantedDoctors,
        "planned_statuses": PlannedStatus, "planned_from": PlannedFrom, "visit_statuses": AppointmentStatus,
        "windows_in_words": rules.windows_in_words,
    }  # fmt: skip


def _choices() -> dict[str, Any]:
    """What the forms offer."""
    return {
        "doctors": queries.doctors(), "specialities": queries.specialities(), "branches": queries.branches(),
        "services": queries.services(),
    }  # fmt: skip


def _asked_patient() -> Patient | None:
    pk = request.args.get("patient", type=int)
    return fetched(Patient, pk) if pk else None


def _asked_visit(patient: Patient | None) -> Appointment | None:
    """The visit that a form is opened from; of this patient."""
    pk = request.args.get("visit", type=int)
    visit: Appointment | None = fetched(Appointment, pk) if pk else None
    return visit if visit is not None and (patient is None or visit.patient_id == patient.id) else None


class WaitingView(DeskView):
    """«Лист ожидания»."""

    route_base = "/waiting"

    @expose("/")
    @guarded("waiting.see")
    def index(self) -> Any:
        """Who waits for a time, the most urgent first."""
        query = _query(forms.EntriesQuery)
        return self.page(
            "schedule/waiting.html", title=gettext("Waiting list"), **self._rows(query),
            doctors=queries.doctors(), branches=queries.branches(),
        )  # fmt: skip

    def _rows(self, query: dict[str, Any]) -> dict[str, Any]:
        asked = dict(query)
        page, size = asked.pop("page"), asked.pop("page_size")
        count, rows = queries.waiting_page(queries.WantedEntries(**asked), limit=size, offset=page * size)
        kept = {name: value for name, value in asked.items() if value and (name, value) != ("status", "open")}
        return {
            "rows": rows, "count": count, "page_number": page if page * size < count else 0, "size": size,
            "query": query, "kept": kept, "counts": queries.waiting_counts(), **_words(),
        }  # fmt: skip

    @expose("/rows")
    @guarded("waiting.see")
    def rows(self) -> Any:
        """The rows of the list alone."""
        return self.page("schedule/_waiting_rows.html", **self._rows(_query(forms.EntriesQuery)))

    @expose("/form")
    @guarded("waiting.edit")
    def form(self) -> Any:
        """The form of an entry: a new one, for a patient or from a visit, or one to change."""
        pk = request.args.get("entry", type=int)
        if pk:
            fetched(WaitingEntry, pk)
            entry = queries.waiting_entry(pk)
            assert entry is not None
            patient: Patient | None = fetched(Patient, entry["patient"]["id"])
        else:
            entry, patient = None, _asked_patient()
        visit = _asked_visit(patient)
        if visit is not None and patient is None:
            patient = fetched(Patient, visit.patient_id)
        kind = request.args.get("kind", "")
        if kind not in tuple(WaitingKind):
            kind = WaitingKind.NO_TIME
        return self.page(
            "schedule/_waiting_form.html", entry=entry, patient=patient, visit=visit, kind=kind, **_choices(),
            to_move_up=queries.visits_to_move_up(patient.id) if patient else [], **_words(),
        )  # fmt: skip

    @expose("/<int:pk>/panel")
    @guarded("waiting.see")
    def panel(self, pk: int) -> Any:
        """One entry: its wishes, the open offer, the free times that fit."""
        fetched(WaitingEntry, pk)
        entry = queries.waiting_entry(pk)
        assert entry is not None
        times = queries.times_for(pk) if entry["status"] == WaitingStatus.WAITING else []
        return self.page(
            "schedule/_waiting_panel.html", row=entry, times=times, refusals=refusal_reasons(),
            doctor_names={doctor["id"]: doctor["name"] for doctor in queries.doctors()},
            branch_names=dict(queries.branches()), **_words(),
        )  # fmt: skip

    @expose("/patient/<int:pk>")
    @guarded("planned.see")
    def patient_wishes(self, pk: int) -> Any:
        """The tab of the card: planned visits, and what the patient waits for."""
        patient = fetched(Patient, pk)
        own = access.account(actor()).own_only("planned.see")
        if own is not None and not patients.treated_by(pk, own):
            raise NotAllowed(right="planned.see")
        return self.page(
            "schedule/patient_wishes.html", patient=patient, planned=queries.planned_of(pk, own=own),
            waiting=queries.waiting_of(pk) if may("waiting.see") else [], **_words(),
        )  # fmt: skip


class PlannedView(DeskView):
    """«Запланированные приемы»."""

    route_base = "/planned"

    @expose("/")
    @guarded("planned.see")
    def index(self) -> Any:
        """Visits without a date, the earliest call first."""
        query = _query(forms.PlansQuery)
        return self.page(
            "schedule/planned.html", title=gettext("Planned visits"), **self._rows(query), doctors=queries.doctors()
        )

    def _rows(self, query: dict[str, Any]) -> dict[str, Any]:
        asked = dict(query)
        page, size = asked.pop("page"), asked.pop("page_size")
        own = access.account(actor()).own_only("planned.see")
        count, rows = queries.planned_page(queries.WantedPlans(**asked, own=own), limit=size, offset=page * size)
        names = {"first": "from", "last": "to"}
        kept = {
            names.get(name, name): value
            for name, value in asked.items()
            if value and (name, value) != ("status", "open")
        }
        return {
            "rows": rows, "count": count, "page_number": page if page * size < count else 0, "size": size,
            "query": query, "kept": kept, "counts": queries.planned_counts(own=own), "own": own is not None, **_words(),
        }  # fmt: skip

    @expose("/rows")
    @guarded("planned.see")
    def rows(self) -> Any:
        """The rows of the list alone."""
        return self.page("schedule/_planned_rows.html", **self._rows(_query(forms.PlansQuery)))

    def _own(self, pk: int) -> dict[str, Any]:
        planned: PlannedVisit = fetched(PlannedVisit, pk)
        access.require_own(actor(), "planned.see", planned.doctor_id)
        found = queries.planned_visit(pk)
        assert found is not None
        return found

    @expose("/form")
    @guarded("planned.edit")
    def form(self) -> Any:
        """The form of a planned visit: a new one, for a patient or from a visit, or one to change."""
        pk = request.args.get("planned", type=int)
        planned = self._own(pk) if pk else None
        patient = fetched(Patient, planned["patient"]["id"]) if planned else _asked_patient()
        visit = _asked_visit(patient)
        if visit is not None and patient is None:
            patient = fetched(Patient, visit.patient_id)
        made_from = request.args.get("from", "")
        own = access.account(actor()).own_only("planned.edit")
        if own is not None and patient is not None and not patients.treated_by(patient.id, own):
            raise NotAllowed(right="planned.edit")
        return self.page(
            "schedule/_planned_form.html", planned=planned, patient=patient, visit=visit,
            made_from=made_from if made_from in tuple(PlannedFrom) else PlannedFrom.CARD, own=own is not None,
            months=[(n, *rules.target_of(clock.today(), n)) for n in (1, 3, 6)], **_choices(), **_words(),
        )  # fmt: skip

    @expose("/next/<int:pk>")
    @guarded("planned.see")
    def next(self, pk: int) -> Any:
        """What is next for a patient who leaves, and the doors to it: a part of other pages."""
        patient = fetched(Patient, pk)
        own = access.account(actor()).own_only("planned.see")
        if own is not None and not patients.treated_by(pk, own):
            raise NotAllowed(right="planned.see")
        return self.page(
            "schedule/_next_visit.html", patient=patient, next=queries.next_visit(pk), refusals=refusal_reasons(),
            payment=request.args.get("payment", type=int),
        )  # fmt: skip

    @expose("/none/<int:pk>", methods=["POST"])
    @guarded("planned.edit")
    def none(self, pk: int) -> Any:
        """No next visit, and why; back to the payment it was said at, or to the card."""
        fetched(Patient, pk)
        own = access.account(actor()).own_only("planned.edit")
        if own is not None and not patients.treated_by(pk, own):
            raise NotAllowed(right="planned.edit")
        try:
            with transaction():
                form = load(
                    forms.NoNextVisit,
                    {name: request.form[name] for name in ("reason_id", "comment") if request.form.get(name)},
                )
                operations.refuse_next_visit(pk, form["reason_id"], comment=form["comment"], actor=actor())
            flash(gettext("Written down."), "success")
        except Refusal as refusal:
            say(refusal)
        payment = request.form.get("payment", type=int)
        if payment and 0 < payment < 2**31:
            return redirect(url_for("SettlementView.paid", pk=payment), 303)
        return redirect(url_for("PatientsView.card", pk=pk), 303)

    @expose("/<int:pk>/panel")
    @guarded("planned.see")
    def panel(self, pk: int) -> Any:
        """One planned visit, and what may become of it."""
        row = self._own(pk)
        return self.page(
            "schedule/_planned_panel.html", row=row, refusals=refusal_reasons(), **_words(),
            book_at=url_for("ScheduleView.day", patient=row["patient"]["id"], planned=pk),
        )  # fmt: skip
