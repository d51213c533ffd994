"""The report on bills and payments, laid out."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app import money
from app.reports import queries
from app.reports.operations import Opened
from app.reports.queries import Figures, Page, Row
from app.reports.tables.shapes import Column, Figure, Sheet, Table, method_name, to_card, to_order


def bills_payments(opened: Opened, seek: Mapping[str, Any], page: Page) -> Sheet:
    """What was billed, paid and given back, what is owed; the bridge from the debt of the morning to the evening's."""
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
        words.append(method_name(method))
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
            Column("method", gettext("Method"), value=lambda row: method_name(row["method"])),
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
        Column("number", "№", "int", page=to_order),
        Column("patient", gettext("Patient"), page=to_card),
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

    return ", ".join(
        f"{method_name(method)} {money.shown(Decimal(amount))}" for method, amount in (row["methods"] or {}).items()
    )


def _behind_balance(opened: Opened, show: str, page: Page) -> Table:
    """The rows behind a debt or an advance."""
    day = opened.window.last if show.endswith("_end") else opened.window.first - timedelta(days=1)
    patient = [Column("patient", gettext("Patient"), page=to_card), Column("card_number", gettext("Card"), "int")]
    if show.startswith("debt"):
        found = queries.open_bills(day, opened.branch_id, opened.doctor_id, page=page)
        title = gettext("Unpaid bills at the start") if show == "debt_start" else gettext("Unpaid bills at the end")
        columns = [
            *patient,
            Column("number", gettext("Work order"), "int", page=to_order),
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
