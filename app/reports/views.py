"""Pages of the four reports. A refused day is a page that keeps what was typed and says whom to ask.

Where next: `operations.open_report`, which every page, file and drill-down comes through.
"""

from collections.abc import Mapping
from typing import Any

from flask import current_app, redirect, request, url_for
from flask_babel import gettext

from app import clock, money
from app.answers import sentence
from app.db import transaction
from app.errors import Invalid, OutsideWindow
from app.reports import files, forms, queries, tables
from app.reports.operations import open_report
from app.reports.queries import EVERYTHING, Page
from app.schemas import load
from app.vocab import ReportKind
from app.web import DeskView, actor, expose, guarded, say

#: Rows of a page; the print and the files hold all.
PAGE_SIZE = 100
_ENDPOINTS = {
    ReportKind.PATIENTS: "ReportsView.patients",
    ReportKind.BILLS_PAYMENTS: "ReportsView.bills_payments",
    ReportKind.SERVICES: "ReportsView.services",
    ReportKind.CASH: "ReportsView.cash",
}


class ReportsView(DeskView):
    """The four reports."""

    route_base = "/reports"

    @expose("/")
    @guarded("report.see")
    def index(self) -> Any:
        """The first of the reports."""
        return redirect(url_for(".patients"))

    @expose("/patients")
    @guarded("report.see")
    def patients(self) -> Any:
        """Who was booked and came."""
        return self._report(ReportKind.PATIENTS, forms.PatientsQuery)

    @expose("/bills-payments")
    @guarded("report.see")
    def bills_payments(self) -> Any:
        """Bills and payments with the bridge."""
        return self._report(ReportKind.BILLS_PAYMENTS, forms.BillsQuery)

    @expose("/services")
    @guarded("report.see")
    def services(self) -> Any:
        """Services provided."""
        return self._report(ReportKind.SERVICES, forms.ServicesQuery)

    @expose("/cash")
    @guarded("report.see")
    def cash(self) -> Any:
        """Cash flow by desk and shift."""
        return self._report(ReportKind.CASH, forms.CashQuery)

    def _report(self, kind: ReportKind, schema: type[forms.ReportQuery]) -> Any:
        given = {key: value for key, value in request.args.items() if value != "" and key != "_l_"}
        try:
            query = load(schema, given)
            form, printed = query["format"], query["print"]
            how = form if form in files.TYPES else "print" if printed else "page"
            with transaction():
                opened = open_report(kind, query["first"], query["last"], query["branch_id"], how=how, actor=actor())
        except (OutsideWindow, Invalid) as refusal:
            return self._refused(kind, refusal)
        seek = {key: query[key] for key in _SEEK if query.get(key) is not None}
        if "first_visit" in seek:
            seek["first"] = seek.pop("first_visit")
        if form in files.TYPES:
            return files.answer(tables.lay_out(opened, seek, EVERYTHING), form)
        page = Page(files.MOST_PDF_ROWS) if printed else Page(PAGE_SIZE, PAGE_SIZE * query["page"])
        sheet = tables.lay_out(opened, seek, page)
        return self.page(
            "reports/report.html",
            title=sheet.title,
            sheet=sheet,
            kind=kind,
            branches=queries.branches(),
            typed=_typed(opened.window.first.isoformat(), opened.window.last.isoformat()),
            printed=printed,
            here=_here(kind, opened),
            seek=seek,
            page_number=query["page"],
            pages=-(-sheet.count // PAGE_SIZE),
            link=_link,
            cell=_cell,
            rows_in_words=tables.rows_in_words,
        )

    def _refused(self, kind: ReportKind, refusal: OutsideWindow | Invalid) -> Any:
        """The same page with what was typed, without a figure; a file was asked for: the same page."""
        wrong: Mapping[str, Any] = refusal.facts.get("fields", {})
        if isinstance(refusal, Invalid):
            say(refusal)
        return self.page(
            "reports/refused.html",
            refusal.status,
            title=gettext(kind.label),
            kind=kind,
            typed=_typed("", ""),
            wrong=wrong,
            words=sentence(refusal),
            outside=isinstance(refusal, OutsideWindow),
            allowed=refusal.facts.get("allowed"),
            branches=queries.branches(),
            directors=queries.directors() if isinstance(refusal, OutsideWindow) else [],
            here=_bare(kind),
        )


_SEEK = (
    "doctor",
    "status",
    "first_visit",
    "money",
    "block",
    "method",
    "show",
    "category",
    "service",
    "desk",
    "shift",
    "kind",
    "way",
    "bare",
)


def _typed(first: str, last: str) -> dict[str, str]:
    """What stands in the form: what was asked for, as it was typed."""
    today = clock.today().isoformat()
    return {
        "from": request.args.get("from", "")[:40] or first or today,
        "to": request.args.get("to", "")[:40] or last or today,
        "branch_id": request.args.get("branch_id", "")[:20],
    }


def _here(kind: ReportKind, opened: Any) -> Any:
    """Addresses of the same report and days: `here(show="lines")`."""
    base: dict[str, Any] = {"from": opened.window.first.isoformat(), "to": opened.window.last.isoformat()}
    if opened.branch_id is not None:
        base["branch_id"] = opened.branch_id

    def address(**more: Any) -> str:
        shown = {key: str(value).lower() if isinstance(value, bool) else value for key, value in more.items()}
        values: dict[str, Any] = {**base, **{key: value for key, value in shown.items() if value is not None}}
        return str(url_for(_ENDPOINTS[kind], **values))

    return address


def _bare(kind: ReportKind) -> Any:
    return lambda **more: url_for(_ENDPOINTS[kind], **more)


def _link(target: tuple[str, dict[str, Any]] | None) -> str | None:
    """The address of a page of another room, when there is such a page."""
    if target is None or target[0] not in current_app.view_functions:
        return None
    endpoint, values = target
    return str(url_for(endpoint, **values))


def _cell(column: tables.Column, value: Any) -> str:
    """A cell as it is shown on the screen."""
    if value is None or value == "":
        return ""
    if column.form == "money":
        return money.shown(value)
    if column.form == "day":
        return f"{value:%d.%m.%Y}"
    if column.form in ("moment", "wall"):
        moment = clock.wall(value) if value.tzinfo else value
        return f"{moment:%d.%m %H:%M}" if moment.year == clock.today().year else f"{moment:%d.%m.%Y %H:%M}"
    return str(value)
