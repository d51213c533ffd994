"""The report on cash, laid out."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.reports import queries
from app.reports.operations import Opened
from app.reports.queries import Figures, Page, Row
from app.reports.tables.shapes import Column, Figure, Seek, Sheet, Table, kind_name, method_name, to_card


def cash(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """What came into the desks and left them, and what is in them."""
    scope = (opened.window, opened.branch_id)
    whole = queries.cash(*scope)
    totals = whole.totals
    figures = [
        Figure(gettext("At the start"), totals["opening"]),
        Figure(gettext("Came in"), totals["in"], seek={"way": "in"}, sign="+"),
        Figure(gettext("Went out"), totals["out"], seek={"way": "out"}, sign="−"),
        Figure(gettext("At the end"), totals["closing"], sign="="),
        Figure(gettext("Difference of counts"), totals["difference"]),
        Figure(gettext("Operations"), totals["operations"], "int", {"show": "operations"}),
    ]
    keys = ("desk", "shift", "kind", "method", "category", "bare", "way")
    narrow = {key: seek[key] for key in keys if seek.get(key) is not None}
    title = gettext("Cash flow")
    if narrow or seek.get("show") == "operations":
        found = queries.cash_operations(*scope, page=page, **narrow)
        table = _operations_table(found, whole)
        words = _cash_words(narrow, whole) or [gettext("Operations")]
        return Sheet(opened.kind, title, opened.window, [("", figures)], [table], table.count or 0, words)
    found = queries.cash_operations(*scope, page=page)
    tables = [
        Table(
            gettext("By desk and shift"),
            [
                Column("branch", gettext("Branch")),
                Column("desk", gettext("Cash desk"), seek=lambda row: {"desk": row["desk_id"]}),
                Column(
                    "shift",
                    gettext("Shift"),
                    "int",
                    seek=lambda row: {"shift": row["shift_id"]} if row["shift_id"] else None,
                ),
                Column("opened_at", gettext("Opened"), "moment"),
                Column("closed_at", gettext("Closed"), "moment"),
                Column("opening", gettext("At the start"), "money"),
                Column("in", gettext("Came in"), "money", seek=lambda row: {**_of_row(row), "way": "in"}),
                Column("out", gettext("Went out"), "money", seek=lambda row: {**_of_row(row), "way": "out"}),
                Column("closing", gettext("At the end"), "money"),
                Column("counted", gettext("Counted"), "money"),
                Column("difference", gettext("Difference"), "money"),
            ],
            whole.rows,
            totals,
            None,
            gettext("No desk had money or a shift in these days."),
        ),
        *([_parts_table(gettext("Came in"), totals["incoming"], totals["in"], "in")] if totals["in"] else []),
        *([_parts_table(gettext("Went out"), totals["outgoing"], totals["out"], "out")] if totals["out"] else []),
        _operations_table(found, whole),
    ]
    return Sheet(opened.kind, title, opened.window, [("", figures)], tables, found.count)


def _of_row(row: Row) -> dict[str, Any]:
    return {"desk": row["desk_id"], **({"shift": row["shift_id"]} if row["shift_id"] else {})}


def _parts_table(title: str, parts: Sequence[Row], whole: Decimal, way: str) -> Table:
    def seek(row: Row) -> Seek:
        bare = True if row["category_id"] is None else None
        return {"way": way, "kind": row["kind"], "method": row["method"], "category": row["category_id"], "bare": bare}

    return Table(
        title,
        [
            Column("kind", gettext("Operation"), value=lambda row: kind_name(row["kind"]), seek=seek),
            Column("method", gettext("Method"), value=lambda row: method_name(row["method"])),
            Column("category", gettext("Expense category")),
            Column("count", gettext("Operations"), "int"),
            Column("amount", gettext("Amount"), "money", seek=seek),
        ],
        parts,
        {"amount": whole, "count": sum(part["count"] for part in parts)},
        empty=gettext("There was nothing in these days."),
    )


def _movement_number(row: Row) -> str:
    if row["delta"] > 0:  # the bank's desk has a series of its own
        return gettext("in %(number)s", number=row["number"])
    return gettext("out %(number)s", number=row["number"])


def _desk_name(whole: Figures) -> Callable[[Row], str]:
    """A desk by its name; where the report has several branches, after its branch's: each has a “Main desk”."""
    several = len({row["branch"] for row in whole.rows}) > 1
    return lambda row: f"{row['branch']}: {row['desk']}" if several else str(row["desk"])


def _operations_table(found: Figures, whole: Figures) -> Table:
    return Table(
        gettext("Operations"),
        [
            Column("at", gettext("Time"), "moment"),
            Column("number", "№", value=_movement_number),
            Column("desk", gettext("Cash desk"), value=_desk_name(whole)),
            Column("shift", gettext("Shift"), "int"),
            Column("kind", gettext("Operation"), value=lambda row: kind_name(row["kind"])),
            Column("method", gettext("Method"), value=lambda row: method_name(row["method"])),
            Column("category", gettext("Expense category")),
            Column("patient", gettext("Who"), value=lambda row: row["patient"] or row["counterparty"], page=to_card),
            Column("comment", gettext("Comment")),
            Column("came", gettext("Came in"), "money", value=lambda row: row["delta"] if row["delta"] > 0 else None),
            Column("went", gettext("Went out"), "money", value=lambda row: -row["delta"] if row["delta"] < 0 else None),
        ],
        found.rows,
        {"came": found.totals["in"], "went": found.totals["out"]},
        found.count,
        gettext("There was nothing in these days."),
    )


def _cash_words(narrow: Mapping[str, Any], whole: Figures) -> list[str]:
    words = []
    if "desk" in narrow or "shift" in narrow:
        row = next(
            (
                row
                for row in whole.rows
                if row["desk_id"] == narrow.get("desk", row["desk_id"])
                and row["shift_id"] == narrow.get("shift", row["shift_id"])
            ),
            None,
        )
        words.append(_desk_name(whole)(row) if row else gettext("Nothing"))
        if "shift" in narrow and row:
            words.append(gettext("shift %(number)s", number=row["shift"]))
    if "way" in narrow:
        words.append(gettext("Came in") if narrow["way"] == "in" else gettext("Went out"))
    if "kind" in narrow:
        words.append(kind_name(narrow["kind"]))
    if "method" in narrow:
        words.append(method_name(narrow["method"]))
    if "category" in narrow:
        parts = [*whole.totals["incoming"], *whole.totals["outgoing"]]
        words.append(next((p["category"] for p in parts if p["category_id"] == narrow["category"]), gettext("Nothing")))
    return words
