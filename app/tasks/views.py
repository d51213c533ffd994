"""The pages of the calls: the list, the panel of a call, the report, a patient's calls on the card.

The list is kept fresh by `static/tasks/list.js`; deeds go through `api.py`. Where next: `queries/rows.py`.
"""

import csv
import io
from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, flash, redirect, request, url_for
from flask_babel import get_locale, gettext

from app import access, clock
from app.db import transaction
from app.errors import Invalid, NotAllowed, Refusal
from app.models import CallTask, Patient
from app.patients import queries as patients
from app.schemas import load
from app.tasks import forms, queries, rules
from app.tasks.asked import add_task, wanted
from app.vocab import AttemptResult, TaskReasonKind, TaskResult
from app.web import DeskView, actor, expose, fetched, guarded, may, say

PAGE = 25
#: The longest period of a report.
_MOST_DAYS = 366


def _query() -> dict[str, Any]:
    """The filters of the address; what cannot be understood is as if it were not there."""
    given = {name: value for name, value in request.args.items() if name in forms.ListQuery().fields and value}
    while True:
        try:
            return load(forms.ListQuery, {"page_size": PAGE, **given})
        except Invalid as refusal:
            wrong = set(refusal.facts["fields"]) & set(given)
            if not wrong:
                return load(forms.ListQuery, {"page_size": PAGE})
            given = {name: value for name, value in given.items() if name not in wrong}


def _words() -> dict[str, Any]:
    """The closed lists as templates show them."""
    return {"kinds": TaskReasonKind, "results": TaskResult, "attempt_results": AttemptResult}


class TasksView(DeskView):
    """«Задачи для обзвона»."""

    route_base = "/tasks"

    @expose("/")
    @guarded("task.see")
    def index(self) -> Any:
        """Whom to call, the most urgent first."""
        query = _query()
        employees = queries.employees()
        return self.page(
            "tasks/index.html", title=gettext("Call tasks"), **self._rows(query), employees=employees,
            doctors=[(pk, name) for pk, name, doctor in employees if doctor], reason_kinds=TaskReasonKind,
            people_kinds=rules.BY_PEOPLE, form=None,
        )  # fmt: skip

    def _rows(self, query: dict[str, Any]) -> dict[str, Any]:
        count, rows = queries.page(
            wanted(query), me=actor().id, limit=query["page_size"], offset=query["page"] * query["page_size"]
        )
        overdue, today = queries.counts()
        page = query["page"] if query["page"] * query["page_size"] < count else 0
        kept = {name: query[name] for name in ("when", "kind", "doctor_id", "q") if query[name]}
        if query["mine"]:
            kept["mine"] = 1
        return {
            "rows": rows, "count": count, "page_number": page, "size": query["page_size"], "query": query,
            "overdue": overdue, "due_today": today, "kept": kept, "may_money": may("payment.see"), **_words(),
        }  # fmt: skip

    @expose("/rows")
    @guarded("task.see")
    def rows(self) -> Any:
        """The rows of the list alone; 304 when nothing has changed since the ETag."""
        tag = f"{queries.stamp()}.{actor().id}.{get_locale()}"
        if request.if_none_match.contains(tag):
            answer = current_app.response_class(status=304)
        else:
            body, status = self.page("tasks/_rows.html", **self._rows(_query()))
            answer = current_app.response_class(body, status=status)
        answer.set_etag(tag)
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer

    @expose("/<int:pk>/panel")
    @guarded("task.see")
    def panel(self, pk: int) -> Any:
        """Everything for a call: whom to dial, why, what was tried, what may come of it."""
        task = fetched(CallTask, pk)
        row = queries.one(task.id, me=actor().id)
        assert row is not None
        now = clock.wall_now()
        history = queries.attempts(pk)
        missed = rules.missed([one["result"] for one in reversed(history)])
        return self.page(
            "tasks/_panel.html", row=row, history=history, refusals=queries.refusal_reasons(),
            employees=queries.employees(), may_money=may("payment.see"), **_words(),
            next_try=rules.next_try(missed + 1, now, *queries.open_days(now.date())),
            proposed=rules.in_working_time(
                rules.due_from(now.date() + timedelta(days=1)), *queries.open_days(now.date())
            ),
        )  # fmt: skip

    @expose("/add", methods=["POST"])
    @guarded("task.add")
    def add(self) -> Any:
        """Ask for a call by hand, from the list or from the card."""
        given = {name: value for name, value in request.form.items() if name in forms.NewTask().fields and value}
        on_card = request.form.get("back") == "card"
        patient_id = 0
        try:
            body = load(forms.NewTask, given)
            patient_id = body["patient_id"]
            with transaction():
                add_task(body)
            flash(gettext("The patient is on the list of those to be called."), "success")
        except NotAllowed:
            raise
        except Refusal as refusal:
            if not may("task.see") or on_card:
                self._complain(refusal)
            else:
                return self._again(refusal)
        if on_card and patient_id and may("card.see"):
            return redirect(url_for("PatientsView.card", pk=patient_id, tab="tasks") + "#tab")
        return redirect(url_for("TasksView.index") if may("task.see") else url_for("Home.index"))

    def _complain(self, refusal: Refusal) -> None:
        fields = refusal.facts.get("fields", {}) if isinstance(refusal, Invalid) else {}
        if not fields:
            say(refusal)
        for text in fields.values():
            flash(gettext(str(text)), "danger")

    def _again(self, refusal: Refusal) -> Any:
        """The list again with what was typed and what is wrong with it."""
        wrong = refusal.facts.get("fields", {}) if isinstance(refusal, Invalid) else {}
        if not wrong:
            say(refusal)
        typed = {name: request.form.get(name, "")[:2000] for name in forms.NewTask().fields}
        pk = typed["patient_id"]
        patient = fetched(Patient, int(pk)) if pk.isascii() and pk.isdigit() and len(pk) < 10 and int(pk) else None
        employees = queries.employees()
        return self.page(
            "tasks/index.html", 422, title=gettext("Call tasks"), **self._rows(_query()), employees=employees,
            doctors=[(pk, name) for pk, name, doctor in employees if doctor], reason_kinds=TaskReasonKind,
            people_kinds=rules.BY_PEOPLE, patient=patient,
            form={"typed": typed, "wrong": {name: gettext(str(text)) for name, text in wrong.items()}},
        )  # fmt: skip

    @expose("/patient/<int:pk>")
    @guarded("task.add")
    def patient_tasks(self, pk: int) -> Any:
        """The tab of the card: what the patient is to be called about, and what came of earlier calls."""
        patient = fetched(Patient, pk)
        own = access.account(actor()).own_only("task.add")
        if own is not None and not patients.treated_by(pk, own):
            raise NotAllowed(right="task.add")
        rows = queries.of_patient(pk, me=actor().id)
        return self.page(
            "tasks/patient.html", patient=patient, rows=rows, own=own is not None, employees=queries.employees(),
            **_words(),
        )  # fmt: skip

    @expose("/report")
    @guarded("task.report")
    def report(self) -> Any:
        """What came of the calls: by person, by reason, by result."""
        first, last = _period()
        figures = queries.figures(first, last)
        if request.args.get("format") == "csv":
            return _file(figures, first, last)
        return self.page(
            "tasks/report.html", title=gettext("Report of calls"), figures=figures, first=first, last=last, **_words()
        )


def _period() -> tuple[date, date]:
    """The days of the address; this month so far when there are none, or nonsense."""
    today = clock.today()
    given = {name: value for name, value in request.args.items() if name in ("from", "to") and value}
    try:
        query = load(forms.ReportQuery, given)
    except Invalid as refusal:
        say(refusal)
        query = {"first": None, "last": None}
    last = query["last"] or today
    first = query["first"] or min(last, today).replace(day=1)
    if first > last:
        first = last
    return max(first, last - timedelta(days=_MOST_DAYS)), last


def _file(figures: queries.Figures, first: date, last: date) -> Response:
    """The report as a spreadsheet reads it: three tables one under another."""
    text = io.StringIO()
    write = csv.writer(text, delimiter=";").writerow
    results = [(str(result), gettext(result.label)) for result in TaskResult]

    def safe(name: str) -> str:
        return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name

    write([gettext("Report of calls"), f"{first:%d.%m.%Y}", f"{last:%d.%m.%Y}"])
    write([])
    tries = [gettext("Attempts"), gettext("Reached"), gettext("Closed")]
    write([gettext("Employee"), *tries, *(title for _, title in results)])
    for row in figures.people:
        name = safe(row["name"]) or gettext("By itself")
        write([name, row["attempts"], row["reached"], row["closed"], *(row[key] for key, _ in results)])
    write([])
    write([gettext("Reason"), gettext("Tasks"), *(title for _, title in results)])
    for row in figures.kinds:
        title: str = row["label"]
        write([gettext(title), row["closed"], *(row[key] for key, _ in results)])
    write([])
    write([gettext("Why patients refused"), gettext("Tasks")])
    for row in figures.refusals:
        write([safe(row["name"]), row["count"]])
    answer = current_app.response_class("\ufeff" + text.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="calls-{first}-{last}.csv"'
    return answer
