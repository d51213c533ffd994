"""How a report is laid out: figures on top, tables below, and what each figure is made of.

One description serves the page, the print, XLSX, CSV and PDF. `seek` of a figure or a cell is what stands after the
question mark of the same report to see the rows behind it. A module for each report; `shapes.py` is what they are made
of. Where next: `../views.py`, `../files.py`.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import ngettext

from app.reports.operations import Opened
from app.reports.queries import Page
from app.reports.tables.bills import bills_payments
from app.reports.tables.cash import cash
from app.reports.tables.patients import patients
from app.reports.tables.services import services
from app.reports.tables.shapes import Column, Sheet, Table
from app.vocab import ReportKind

__all__ = ["Column", "Sheet", "Table", "lay_out", "rows_in_words"]


def lay_out(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """The report that was opened, narrowed to what `seek` names."""
    return {
        ReportKind.PATIENTS: patients,
        ReportKind.BILLS_PAYMENTS: bills_payments,
        ReportKind.SERVICES: services,
        ReportKind.CASH: cash,
    }[ReportKind(opened.kind)](opened, seek, page)


def rows_in_words(count: int) -> str:
    """«45 строк»."""
    return ngettext("%(num)s row", "%(num)s rows", count)
