"""How a report is laid out: figures on top, tables below, and what each figure is made of.

One description serves the page, the print, XLSX, CSV and PDF. `seek` of a figure or a cell is what stands after the
question mark of the same report to see the rows behind it. Where next: `views.py`, `files.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext, ngettext

from app.access import Window
from app.reports import queries
from app.reports.operations import Opened
from app.reports.queries import Figures, Page, Row
from app.vocab import AppointmentStatus, MovementKind, PaymentMethod, ReportKind

Seek = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table. `form`: text, int, money, day, moment, time, wall (a wall clock moment)."""

    key: str
    title: str
    form: str = "text"
    #: what of the same report the cell opens, by row.
    seek: Callable[[Row], Seek | None] | None = None
    #: another page the cell opens: (endpoint, arguments), by row.
    page: Callable[[Row], tuple[str, dict[str, Any]] | None] | None = None
    value: Callable[[Row], Any] | None = None

    def of(self, row: Row) -> Any:
        return self.value(row) if self.value else row.get(self.key)

    @property
    def number(self) -> bool:
        return self.form in ("int", "money")


@dataclass(frozen=True)
class Table:
    """Rows under a title, with what they add up to."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    totals: Row | None = None
    count: int | None = None
    empty: str = ""


@dataclass(frozen=True)
class Figure:
    """One number on top of the page. `sign` stands before it in a bridge: + − =."""

    title: str
    value: Any
    form: str = "money"
    seek: Seek | None = None
    sign: str = ""


@dataclass(frozen=True)
class Sheet:
    """A whole report, ready to be shown."""

    kind: str
    title: str
    window: Window
    figures: Sequence[tuple[str, Sequence[Figure]]]
    tables: Sequence[Table]
    #: rows of the table that comes by pages.
    count: int = 0
    #: what the rows are narrowed to, in words; empty for the whole report.
    narrowed: Sequence[str] = field(default_factory=tuple)


def _patient(row: Row) -> tuple[str, dict[str, Any]] | None:
    return ("PatientsView.card", {"pk": row["patient_id"]}) if row.get("patient_id") else None


def _order(row: Row) -> tuple[str, dict[str, Any]] | None:
    return ("DocumentsView.work_order", {"pk": row["work_order_id"]}) if row.get("work_order_id") else None


def _method(value: str | None) -> str:
    return gettext(PaymentMethod(value).label) if value else ""


def _kind(value: str | None) -> str:
    return gettext(MovementKind(value).label) if value else ""


def lay_out(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """The report that was opened, narrowed to what `seek` names."""
    return {
        ReportKind.PATIENTS: _patients,
        ReportKind.BILLS_PAYMENTS: _bills_payments,
        ReportKind.SERVICES: _services,
        ReportKind.CASH: _cash,
    }[ReportKind(opened.kind)](opened, seek, page)


# --- patients -----------------------------------------------------------------------------------------


def _patients(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
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
        Column("patient", gettext("Patient"), page=_patient),
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


# --- bills and payments -------------------------------------------------------------------------------


def _bills_payments(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    scope: Any = (opened.window, opened.branch_id, opened.doctor_id)
    block, method, show = seek.get("block"), seek.get("method"), seek.get("show")
    if opened.doctor_id is not None:
        method = None
        show = show if show in ("debt_start", "debt_end") else None
    narrowed = bool(block or method or show)
    found = queries.bills_payments(*scope, page=page, block=block, method=method, rows=not show)
    totals = found.totals
    figures: list[tuple[str, Sequence[Figure]]] = [
        (
            gettext("Debts of patients"),
            [
                Figure(gettext("Debt at the start"), totals["debt_start"], seek={"show": "debt_start"}),
                Figure(gettext("Billed"), totals["billed"], seek={"block": "bill"}, sign="+"),
                Figure(gettext("Paid for bills"), totals["paid"], seek={"block": "payment"}, sign="−"),
                Figure(gettext("Returned from bills"), totals["refunded"], seek={"block": "refund"}, sign="+"),
                Figure(gettext("Debt at the end"), totals["debt_end"], seek={"show": "debt_end"}, sign="="),
            ],
        ),
    ]
    tables: list[Table] = []
    if opened.doctor_id is None:
        advance = [
            Figure(gettext("Advances received"), totals["advance_in"], seek={"show": "in"}, sign="+"),
            Figure(gettext("Advances used"), totals["advance_used"], seek={"show": "used"}, sign="−"),
            Figure(gettext("Advances returned"), totals["advance_returned"], seek={"show": "returned"}, sign="−"),
            Figure(gettext("Returned into advances"), totals["advance_restored"], seek={"show": "restored"}, sign="+"),
        ]
        if totals["advance_to_certificate"] or totals["advance_from_certificate"]:
            bought, used = totals["advance_to_certificate"], totals["advance_from_certificate"]
            advance += [
                Figure(gettext("Certificates bought"), bought, seek={"show": "to_certificate"}, sign="−"),
                Figure(gettext("Certificates used"), used, seek={"show": "from_certificate"}, sign="+"),
            ]
        if opened.branch_id is None:
            advance = [
                Figure(gettext("Advances at the start"), totals["advance_start"], seek={"show": "advance_start"}),
                *advance,
                Figure(gettext("Advances at the end"), totals["advance_end"], seek={"show": "advance_end"}, sign="="),
            ]
        figures.append((gettext("Advances of patients"), advance))
        if not narrowed:
            tables.append(_methods_table(totals))
    if show:
        tables.append(_behind_balance(opened, show, page))
    else:
        tables += _blocks(found, block, whole=not narrowed)
    words = [tables[-1].title] if narrowed else []
    if method:
        words.append(_method(method))
    return Sheet(
        opened.kind,
        gettext("Bills and payments"),
        opened.window,
        figures,
        tables,
        (tables[-1].count if show else found.count) or 0,
        words,
    )


def _methods_table(totals: Row) -> Table:
    return Table(
        gettext("By method of payment"),
        [
            Column("method", gettext("Method"), value=lambda row: _method(row["method"])),
            Column("paid", gettext("Paid"), "money", seek=lambda row: {"block": "payment", "method": row["method"]}),
            Column(
                "refunded", gettext("Returned"), "money", seek=lambda row: {"block": "refund", "method": row["method"]}
            ),
            Column("net", gettext("Net of refunds"), "money"),
        ],
        totals["by_method"],
        {
            "method": gettext("Money, without advances"),
            "paid": totals["money_in"],
            "refunded": totals["money_out"],
            "net": totals["money_net"],
        },
    )


def _blocks(found: Figures, block: str | None, *, whole: bool) -> list[Table]:
    """The bills, the payments and the refunds as tables of their own. A page may hold the end of one and the next."""
    tables = []
    titles = {"bill": gettext("Bills"), "payment": gettext("Payments"), "refund": gettext("Refunds")}
    for name, title in titles.items():
        rows = [row for row in found.rows if row["block"] == name]
        if rows or block == name or (whole and not found.rows):
            only = block == name
            totals = found.more["of_rows"][0] if only else None
            tables.append(
                Table(
                    title,
                    _block_columns(name),
                    rows,
                    totals,
                    found.count if only else None,
                    gettext("There was nothing in these days."),
                )
            )
    return tables


def _block_columns(name: str) -> list[Column]:
    first = [
        Column("at", gettext("Time"), "moment"),
        Column("number", "№", "int", page=_order),
        Column("patient", gettext("Patient"), page=_patient),
        Column("card_number", gettext("Card"), "int"),
    ]
    if name == "bill":
        return [
            *first,
            Column("doctor", gettext("Doctor")),
            Column("amount", gettext("Billed"), "money"),
            Column("due", gettext("Unpaid now"), "money"),
        ]
    return [
        *first,
        Column("methods", gettext("Method"), value=_methods_words),
        Column("amount", gettext("Paid") if name == "payment" else gettext("Returned"), "money"),
        Column("to_bills", gettext("For bills"), "money"),
        Column("to_advance", gettext("Advance"), "money"),
        *([Column("reason", gettext("Reason"))] if name == "refund" else []),
    ]


def _methods_words(row: Row) -> str:
    from app import money

    return ", ".join(
        f"{_method(method)} {money.shown(Decimal(str(amount)))}" for method, amount in (row["methods"] or {}).items()
    )


def _behind_balance(opened: Opened, show: str, page: Page) -> Table:
    """The rows behind a debt or an advance."""
    day = opened.window.last if show.endswith("_end") else opened.window.first - timedelta(days=1)
    patient = [Column("patient", gettext("Patient"), page=_patient), Column("card_number", gettext("Card"), "int")]
    if show.startswith("debt"):
        found = queries.open_bills(day, opened.branch_id, opened.doctor_id, page=page)
        title = gettext("Unpaid bills at the start") if show == "debt_start" else gettext("Unpaid bills at the end")
        columns = [
            *patient,
            Column("number", gettext("Work order"), "int", page=_order),
            Column("day", gettext("Issued"), "day"),
            Column("doctor", gettext("Doctor")),
            Column("total", gettext("Total"), "money"),
            Column("debt", gettext("Debt"), "money"),
        ]
    elif show.startswith("advance"):
        found = queries.standing_advances(day, page=page)
        title = gettext("Advances at the start") if show == "advance_start" else gettext("Advances at the end")
        columns = [*patient, Column("advance", gettext("Advance"), "money")]
    else:
        found = queries.advance_moves(opened.window, opened.branch_id, which=show, page=page)
        title = {
            "in": gettext("Advances received"),
            "used": gettext("Advances used"),
            "returned": gettext("Advances returned"),
            "restored": gettext("Returned into advances"),
            "to_certificate": gettext("Certificates bought"),
            "from_certificate": gettext("Certificates used"),
        }[show]
        columns = [
            Column("at", gettext("Time"), "moment"),
            *patient,
            Column("number", gettext("Payment"), "int"),
            Column("amount", gettext("Amount"), "money"),
        ]
    return Table(title, columns, found.rows, found.totals, found.count, gettext("There was nothing in these days."))


# --- services -----------------------------------------------------------------------------------------


def _services(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
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
            Column("number", gettext("Work order"), "int", page=_order),
            Column("patient", gettext("Patient"), page=_patient),
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
        Column("number", gettext("Work order"), "int", page=_order),
        Column("patient", gettext("Patient"), page=_patient),
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


# --- cash ---------------------------------------------------------------------------------------------


def _cash(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
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
        table = _operations_table(found)
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
        _operations_table(found),
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
            Column("kind", gettext("Operation"), value=lambda row: _kind(row["kind"]), seek=seek),
            Column("method", gettext("Method"), value=lambda row: _method(row["method"])),
            Column("category", gettext("Expense category")),
            Column("count", gettext("Operations"), "int"),
            Column("amount", gettext("Amount"), "money", seek=seek),
        ],
        parts,
        {"amount": whole, "count": sum(part["count"] for part in parts)},
        empty=gettext("There was nothing in these days."),
    )


def _movement_number(row: Row) -> str:
    if row["series"] == "in":
        return gettext("in %(number)s", number=row["number"])
    return gettext("out %(number)s", number=row["number"])


def _operations_table(found: Figures) -> Table:
    return Table(
        gettext("Operations"),
        [
            Column("at", gettext("Time"), "moment"),
            Column("number", "№", value=_movement_number),
            Column("desk", gettext("Cash desk")),
            Column("shift", gettext("Shift"), "int"),
            Column("kind", gettext("Operation"), value=lambda row: _kind(row["kind"])),
            Column("method", gettext("Method"), value=lambda row: _method(row["method"])),
            Column("category", gettext("Expense category")),
            Column("patient", gettext("Who"), value=lambda row: row["patient"] or row["counterparty"], page=_patient),
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
        words.append(row["desk"] if row else gettext("Nothing"))
        if "shift" in narrow and row:
            words.append(gettext("shift %(number)s", number=row["shift"]))
    if "way" in narrow:
        words.append(gettext("Came in") if narrow["way"] == "in" else gettext("Went out"))
    if "kind" in narrow:
        words.append(_kind(narrow["kind"]))
    if "method" in narrow:
        words.append(_method(narrow["method"]))
    if "category" in narrow:
        parts = [*whole.totals["incoming"], *whole.totals["outgoing"]]
        words.append(next((p["category"] for p in parts if p["category_id"] == narrow["category"]), gettext("Nothing")))
    return words


def rows_in_words(count: int) -> str:
    """«45 строк»."""
    return ngettext("%(num)s row", "%(num)s rows", count)
