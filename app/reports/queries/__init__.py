"""The figures of the four reports: SQL aggregates over the whole set, rows beside them.

A file per report. Where next: `app/reports/tables/`, which lays the figures out.
"""

from app.reports.queries.base import EVERYTHING, Figures, Page, Row, branches, directors
from app.reports.queries.bills import bills_payments
from app.reports.queries.money import cash, cash_operations
from app.reports.queries.outstanding import advance_moves, open_bills, standing_advances
from app.reports.queries.promises import PROMISES, Breach, Promise, breaches
from app.reports.queries.provided import drafts, service_lines, services, taken_back
from app.reports.queries.visits import patients

__all__ = [
    "EVERYTHING",
    "PROMISES",
    "Breach",
    "Figures",
    "Page",
    "Promise",
    "Row",
    "advance_moves",
    "bills_payments",
    "branches",
    "breaches",
    "cash",
    "cash_operations",
    "directors",
    "drafts",
    "open_bills",
    "patients",
    "service_lines",
    "services",
    "standing_advances",
    "taken_back",
]
