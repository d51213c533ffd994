"""The report on patients and visits, laid out."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from app.reports import queries
from app.reports.operations import Opened
from app.reports.queries import Page, Row
from app.reports.tables.shapes import Column, Figure, Sheet, Table, to_card
from app.vocab import AppointmentStatus


def patients(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """Who came, who did not, who came for the first time, and what they were billed and paid."""
    scope: Any = (opened.window, opened.branch_id, opened.doctor_id)
    narrow: dict[str, Any] = {
        key: seek[key] for key in ("doctor", "status", "first", "money") if seek.get(key) is not None
    }
    whole = queries.patients(*scope, page=page, **narrow)
    totals = whole.totals if not narrow else queries.patients(*scope, page=Page(limit=0)).totals
    figures = [
        Figure(gettext("Visits"), totals["visits"], "int", {"status": "visits"}),
        Figure(gettext("Came"), totals["came"], "int", {"status": "came"}),
        Figure(gettext("Visits completed"), totals["completed"], "int", {"status": "completed"}),
        Figure(gettext("First visits"), totals["first_visits"], "int", {"first": True}),
        Figure(gettext("Repeat visits"), totals["repeat_visits"], "int", {"first": False}),
        Figure(gettext("Visits cancelled"), totals["cancelled"], "int", {"status": "cancelled"}),
        Figure(gettext("No-shows"), totals["no_show"], "int", {"status": "no_show"}),
        Figure(gettext("Average waiting, min"), totals["average_waiting"], "int", {"status": "came"}),
        Figure(gettext("Billed"), totals["billed"], "money", {"money": "billed"}),
        Figure(gettext("Paid"), totals["paid"], "money", {"money": "paid"}),
        Figure(gettext("Left to pay"), totals["debt"], "money", {"money": "debt"}),
    ]
    columns = [
        Column("starts_at", gettext("Time"), "wall"),
        Column("patient", gettext("Patient"), page=to_card),
        Column("card_number", gettext("Card"), "int"),
        Column("doctor", gettext("Doctor"), seek=lambda row: {"doctor": row["doctor_id"]}),
        Column("status", gettext("Status"), value=_visit_status),
        Column("first_visit", gettext("Visit"), value=_first_or_repeat),
        Column("waited", gettext("Waited, min"), "int"),
        Column("billed", gettext("Billed"), "money"),
        Column("paid", gettext("Paid"), "money"),
        Column("debt", gettext("Left to pay"), "money"),
        Column("next_visit", gettext("Next visit"), "wall"),
        Column("next_visit_refused", gettext("Why no next visit")),
    ]
    words = []
    if "status" in narrow:
        words.append(
            {"came": gettext("Came"), "visits": gettext("Visits")}.get(narrow["status"])
            or gettext(AppointmentStatus(narrow["status"]).label)
        )
    if "first" in narrow:
        words.append(gettext("First visits") if narrow["first"] else gettext("Repeat visits"))
    if "money" in narrow:
        words.append(
            {"billed": gettext("Billed"), "paid": gettext("Paid"), "debt": gettext("Left to pay")}[narrow["money"]]
        )
    if "doctor" in narrow:
        words.append(whole.rows[0]["doctor"] if whole.rows else gettext("Doctor"))
    table = Table(
        gettext("Visits and bills"),
        columns,
        whole.rows,
        whole.totals,
        whole.count,
        gettext("Nobody was booked in these days."),
    )
    return Sheet(opened.kind, gettext("Patients"), opened.window, [("", figures)], [table], table.count or 0, words)


def _visit_status(row: Row) -> str:
    return gettext(AppointmentStatus(row["status"]).label) if row["status"] else gettext("Without a visit")


def _first_or_repeat(row: Row) -> str:
    return "" if row["first_visit"] is None else gettext("first") if row["first_visit"] else gettext("repeat")
