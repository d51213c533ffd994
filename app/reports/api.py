"""The reports over JSON: the same figures, days and refusals as the pages."""

from typing import Any

from app.db import transaction
from app.reports import files, queries, tables
from app.reports.forms import ReportQuery
from app.reports.operations import Opened, open_report
from app.reports.queries import EVERYTHING, Figures, Page
from app.vocab import ReportKind
from app.web import DeskApi, actor, asks, expose, guarded


def figures_of(opened: Opened, page: Page) -> Figures:
    """The figures of a report that was opened."""
    if opened.kind == ReportKind.CASH:
        return queries.cash(opened.window, opened.branch_id)
    if opened.kind == ReportKind.SERVICES:
        return queries.services(opened.window, opened.branch_id, opened.doctor_id)
    ask = queries.patients if opened.kind == ReportKind.PATIENTS else queries.bills_payments
    return ask(opened.window, opened.branch_id, opened.doctor_id, page=page)


class ReportApi(DeskApi):
    resource_name = "reports"
    openapi_spec_tag = "Reports"

    def _answer(self, kind: ReportKind, query: dict[str, Any]) -> Any:
        form = query["format"]
        with transaction():
            opened = open_report(
                kind, query["first"], query["last"], query["branch_id"], how=form or "json", actor=actor()
            )
        if form in files.TYPES:
            return files.answer(tables.lay_out(opened, {}, EVERYTHING), form)
        size = query["page_size"]
        found = figures_of(opened, Page(size, size * query["page"]))
        window = {"from": opened.window.first, "to": opened.window.last}
        return self.answer({"window": window, "rows": found.rows, "totals": found.totals})

    @expose("/patients", methods=["GET"])
    @guarded("report.see")
    @asks(ReportQuery)
    def patients(self, query: dict[str, Any]) -> Any:
        """Who was booked and came, what was billed and paid"""
        return self._answer(ReportKind.PATIENTS, query)

    @expose("/bills-payments", methods=["GET"])
    @guarded("report.see")
    @asks(ReportQuery)
    def bills_payments(self, query: dict[str, Any]) -> Any:
        """Bills and payments with the bridge between the debts"""
        return self._answer(ReportKind.BILLS_PAYMENTS, query)

    @expose("/services", methods=["GET"])
    @guarded("report.see")
    @asks(ReportQuery)
    def services(self, query: dict[str, Any]) -> Any:
        """Services of issued work orders by category, service and doctor"""
        return self._answer(ReportKind.SERVICES, query)

    @expose("/cash", methods=["GET"])
    @guarded("report.see")
    @asks(ReportQuery)
    def cash(self, query: dict[str, Any]) -> Any:
        """Money by desk and shift"""
        return self._answer(ReportKind.CASH, query)
