"""The report on services, laid out."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.reports import queries
from app.reports.operations import Opened
from app.reports.queries import Figures, Page, Row
from app.reports.tables.shapes import Column, Figure, Seek, Sheet, Table, to_card, to_order


def services(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """What was done: by service, category, doctor or day, with discounts and what was taken back."""
    scope: Any = (opened.window, opened.branch_id, opened.doctor_id)
    whole = queries.services(*scope)
    totals = whole.totals
    figures = [
        Figure(gettext("Work orders issued"), totals["orders"], "int", {"show": "lines"}),
        Figure(gettext("Quantity"), totals["quantity"], "int", {"show": "lines"}),
        Figure(gettext("Without discount"), totals["gross"], seek={"show": "lines"}),
        Figure(gettext("Discount"), totals["discount"], seek={"show": "lines"}, sign="−"),
        Figure(gettext("Services, net"), totals["net"], seek={"show": "lines"}, sign="="),
    ]
    if totals["taken_back"]:
        figures += [
            Figure(gettext("Bills taken back"), totals["taken_back"], seek={"show": "taken_back"}, sign="+"),
            Figure(gettext("Billed"), totals["billed"], sign="="),
        ]
    apart = [
        Figure(gettext("Drafts"), totals["drafts"], "int", {"show": "drafts"}),
        Figure(gettext("Drafts, total"), totals["drafts_total"], seek={"show": "drafts"}),
    ]
    groups = [("", figures), (gettext("Not issued yet, counted apart"), apart)]
    narrow = {key: seek[key] for key in ("category", "service", "doctor") if seek.get(key) is not None}
    title = gettext("Services provided")
    if seek.get("show") in ("drafts", "taken_back"):
        ask = queries.drafts if seek["show"] == "drafts" else queries.taken_back
        found = ask(*scope, page=page)
        name = gettext("Drafts") if seek["show"] == "drafts" else gettext("Bills taken back")
        columns = [
            Column("at", gettext("Begun"), "moment"),
            Column("number", gettext("Work order"), "int", page=to_order),
            Column("patient", gettext("Patient"), page=to_card),
            Column("card_number", gettext("Card"), "int"),
            Column("doctor", gettext("Doctor")),
            Column("amount", gettext("Amount"), "money"),
        ]
        table = Table(name, columns, found.rows, found.totals, found.count, gettext("There was nothing in these days."))
        return Sheet(opened.kind, title, opened.window, groups, [table], found.count, [name])
    if narrow or seek.get("show") == "lines":
        table, words = _service_lines(scope, narrow, whole, page)
        return Sheet(opened.kind, title, opened.window, groups, [table], table.count or 0, words)
    sums = ("quantity", "gross", "discount", "net")
    groups_of = (
        []
        if not whole.rows
        else [
            _grouped(gettext("By category"), whole.rows, "category", gettext("Category"), sums),
            _grouped(gettext("By doctor"), whole.rows, "doctor", gettext("Doctor"), sums),
        ]
    )
    tables = [
        *groups_of,
        Table(
            gettext("By service"),
            [
                Column("category", gettext("Category"), seek=lambda row: {"category": row["category_id"]}),
                Column("code", gettext("Code")),
                Column("service", gettext("Service"), seek=lambda row: {"service": row["service_id"]}),
                Column("doctor", gettext("Doctor"), seek=lambda row: {"doctor": row["doctor_id"]}),
                *_sum_columns(lambda row: {"service": row["service_id"], "doctor": row["doctor_id"]}),
            ],
            whole.rows,
            totals,
            whole.count,
            gettext("No work order was issued in these days."),
        ),
    ]
    return Sheet(opened.kind, title, opened.window, groups, tables)


def _sum_columns(seek: Callable[[Row], Seek] | None) -> list[Column]:
    return [
        Column("quantity", gettext("Quantity"), "int", seek=seek),
        Column("gross", gettext("Without discount"), "money", seek=seek),
        Column("discount", gettext("Discount"), "money", seek=seek),
        Column("net", gettext("Net"), "money", seek=seek),
    ]


def _grouped(title: str, rows: Sequence[Row], key: str, column: str, sums: Sequence[str]) -> Table:
    """The rows added up by one of their columns."""
    found: dict[int, Row] = {}
    for row in rows:
        group = found.setdefault(
            row[f"{key}_id"], {f"{key}_id": row[f"{key}_id"], key: row[key], **dict.fromkeys(sums, 0)}
        )
        for name in sums:
            group[name] += row[name]

    def seek(row: Row) -> Seek:
        return {key: row[f"{key}_id"]}

    whole = {name: sum((row[name] for row in rows), Decimal(0) if name != "quantity" else 0) for name in sums}
    return Table(
        title,
        [Column(key, column, seek=seek), *_sum_columns(seek)],
        sorted(found.values(), key=lambda row: str(row[key])),
        whole,
        empty=gettext("No work order was issued in these days."),
    )


def _service_lines(scope: Any, narrow: Mapping[str, Any], whole: Figures, page: Page) -> tuple[Table, list[str]]:
    found = queries.service_lines(*scope, page=page, **narrow)
    names = {"category": "category", "service": "service", "doctor": "doctor"}
    words = [
        next((row[names[key]] for row in whole.rows if row[f"{key}_id"] == value), gettext("Nothing"))
        for key, value in narrow.items()
    ]
    columns = [
        Column("day", gettext("Day"), "day"),
        Column("number", gettext("Work order"), "int", page=to_order),
        Column("patient", gettext("Patient"), page=to_card),
        Column("doctor", gettext("Doctor")),
        Column("code", gettext("Code")),
        Column("service", gettext("Service")),
        Column("tooth", gettext("Tooth")),
        Column("quantity", gettext("Quantity"), "int"),
        Column("price", gettext("Price"), "money"),
        Column("discount", gettext("Discount"), "money"),
        Column("net", gettext("Net"), "money"),
    ]
    table = Table(
        gettext("Lines of work orders"),
        columns,
        found.rows,
        found.totals,
        found.count,
        gettext("No work order was issued in these days."),
    )
    return table, words or [gettext("Lines of work orders")]
