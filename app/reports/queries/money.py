"""«Cash flow»: movements by desk and shift; each row begins with what the one before left."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.access import Window
from app.models import (
    Branch,
    CashDesk,
    CashMovement,
    CashShift,
    ExpenseCategory,
    Patient,
    PaymentPart,
    RefundPart,
)
from app.money import ZERO
from app.reports.queries.base import (
    EVERYTHING,
    Figures,
    Page,
    Row,
    fio,
    rows_of,
    summed,
    within,
)
from app.vocab import DeskKind

_returned = aliased(PaymentPart)
#: How a patient's movement was paid; empty for the desk's own movements.
paid_by = func.coalesce(PaymentPart.method, _returned.method)


def _with_method(statement: Any) -> Any:
    """Movements joined with the part of a payment, or of a refund, that each of them is."""
    return (
        statement.outerjoin(PaymentPart, PaymentPart.movement_id == CashMovement.id)
        .outerjoin(RefundPart, RefundPart.movement_id == CashMovement.id)
        .outerjoin(_returned, _returned.id == RefundPart.payment_part_id)
    )


def _of_desks(branch_id: int | None) -> list[ColumnElement[bool]]:
    return [] if branch_id is None else [CashDesk.branch_id == branch_id]


def cash(window: Window, branch_id: int | None = None) -> Figures:
    """Money by desk and shift: opening, what came in, what went out, closing, counted, difference.

    Opening and closing are sums of the desk's movements, so each row begins with what the one before left.
    """
    merged = aliased(ExpenseCategory)
    grouped = _with_method(
        select(
            CashMovement.desk_id,
            CashMovement.shift_id,
            CashMovement.kind,
            paid_by.label("method"),
            func.coalesce(merged.merged_into_id, CashMovement.category_id).label("category_id"),
            CashMovement.delta,
        )
        .join(CashDesk, CashDesk.id == CashMovement.desk_id)
        .outerjoin(merged, merged.id == CashMovement.category_id)
    )
    grouped = grouped.where(within(CashMovement.business_day, window), *_of_desks(branch_id)).subquery()
    sums = rows_of(
        select(
            grouped.c.desk_id,
            grouped.c.shift_id,
            grouped.c.kind,
            grouped.c.method,
            grouped.c.category_id,
            ExpenseCategory.name.label("category"),
            func.count().label("count"),
            summed(case((grouped.c.delta > 0, grouped.c.delta))).label("in"),
            summed(case((grouped.c.delta < 0, -grouped.c.delta))).label("out"),
        )
        .outerjoin(ExpenseCategory, ExpenseCategory.id == grouped.c.category_id)
        .group_by(
            grouped.c.desk_id,
            grouped.c.shift_id,
            grouped.c.kind,
            grouped.c.method,
            grouped.c.category_id,
            ExpenseCategory.name,
            grouped.c.delta > 0,
        )
        .order_by(grouped.c.kind, grouped.c.method, ExpenseCategory.name)
    )
    since = (
        select(CashMovement.desk_id, func.sum(CashMovement.delta).label("moved"))
        .where(CashMovement.business_day >= window.first)
        .group_by(CashMovement.desk_id)
        .subquery()
    )
    desks = rows_of(
        select(
            CashDesk.id,
            CashDesk.name,
            CashDesk.kind,
            CashDesk.branch_id,
            Branch.name.label("branch"),
            CashDesk.archived,
            (CashDesk.balance - func.coalesce(since.c.moved, ZERO)).label("opening"),
        )
        .join(Branch, Branch.id == CashDesk.branch_id)
        .outerjoin(since, since.c.desk_id == CashDesk.id)
        .where(*_of_desks(branch_id))
        .order_by(Branch.name, CashDesk.kind != DeskKind.MAIN, CashDesk.kind == DeskKind.NON_CASH, CashDesk.name)
    )
    shifts = rows_of(
        select(
            CashShift.id,
            CashShift.desk_id,
            CashShift.number,
            CashShift.opened_at,
            CashShift.closed_at,
            CashShift.expected,
            CashShift.counted,
        )
        .join(CashDesk, CashDesk.id == CashShift.desk_id)
        .where(
            or_(
                within(CashShift.business_day, window),
                CashShift.id.in_({row["shift_id"] for row in sums if row["shift_id"] is not None}),
            ),
            *_of_desks(branch_id),
        )
        .order_by(CashShift.desk_id, CashShift.number)
    )
    return _cash_figures(desks, shifts, sums)


def _cash_figures(desks: Sequence[Row], shifts: Sequence[Row], sums: Sequence[Row]) -> Figures:
    """Put movements to their shifts, and the shifts of a desk one after another."""
    of: dict[tuple[int, int | None], list[Row]] = defaultdict(list)
    for row in sums:
        of[row["desk_id"], row["shift_id"]].append(row)
    shifts_of: dict[int, list[Row]] = defaultdict(list)
    for row in shifts:
        shifts_of[row["desk_id"]].append(row)
    rows: list[Row] = []
    for desk in desks:
        balance = desk["opening"]
        outside: list[Row | None] = [None] if (desk["id"], None) in of or not shifts_of[desk["id"]] else []
        for shift in [*outside, *shifts_of[desk["id"]]]:
            parts = of.get((desk["id"], shift["id"] if shift else None), [])
            came, went = sum((p["in"] for p in parts), ZERO), sum((p["out"] for p in parts), ZERO)
            if shift is None and not parts and not balance and (desk["archived"] or not desk["opening"]):
                continue
            counted, expected = (shift["counted"], shift["expected"]) if shift else (None, None)
            rows.append(
                {
                    "desk_id": desk["id"],
                    "desk": desk["name"],
                    "desk_kind": desk["kind"],
                    "branch_id": desk["branch_id"],
                    "branch": desk["branch"],
                    "shift_id": shift["id"] if shift else None,
                    "shift": shift["number"] if shift else None,
                    "opened_at": shift["opened_at"] if shift else None,
                    "closed_at": shift["closed_at"] if shift else None,
                    "opening": balance,
                    "in": came,
                    "out": went,
                    "closing": balance + came - went,
                    "counted": counted,
                    "expected": expected,
                    "difference": None if counted is None else counted - expected,
                    "incoming": [_part(p, "in") for p in parts if p["in"]],
                    "outgoing": [_part(p, "out") for p in parts if p["out"]],
                }
            )
            balance += came - went
    totals: Row = {
        "opening": sum((desk["opening"] for desk in desks), ZERO),
        "in": sum((row["in"] for row in rows), ZERO),
        "out": sum((row["out"] for row in rows), ZERO),
        "difference": sum((row["difference"] for row in rows if row["difference"] is not None), ZERO),
        "operations": sum(part["count"] for part in sums),
        "incoming": _together(sums, "in"),
        "outgoing": _together(sums, "out"),
    }
    totals["closing"] = totals["opening"] + totals["in"] - totals["out"]
    return Figures(rows, totals, len(rows))


def _part(row: Row, way: str) -> Row:
    return {
        "kind": row["kind"],
        "method": row["method"],
        "category_id": row["category_id"],
        "category": row["category"],
        "count": row["count"],
        "amount": row[way],
    }


def _together(sums: Sequence[Row], way: str) -> list[Row]:
    """The same kind, method and category of all desks, added up."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in sums:
        if row[way]:
            key = (row["kind"], row["method"], row["category_id"])
            part = _part(row, way)
            if key in found:
                found[key]["amount"] += part["amount"]
                found[key]["count"] += part["count"]
            else:
                found[key] = part
    return list(found.values())


def cash_operations(
    window: Window,
    branch_id: int | None = None,
    *,
    page: Page = EVERYTHING,
    desk: int | None = None,
    shift: int | None = None,
    kind: str | None = None,
    method: str | None = None,
    category: int | None = None,
    bare: bool | None = None,
    way: str | None = None,
) -> Figures:
    """Every operation of the days, or those behind a figure; `bare`: those without an expense category."""
    movement = CashMovement
    wanted = [within(movement.business_day, window), *_of_desks(branch_id)]
    if desk is not None:
        wanted.append(movement.desk_id == desk)
    if shift is not None:
        wanted.append(movement.shift_id == shift)
    if kind is not None:
        wanted.append(movement.kind == kind)
    if method is not None:
        wanted.append(paid_by == method)
    if category is not None:
        taken = select(ExpenseCategory.id).where(
            func.coalesce(ExpenseCategory.merged_into_id, ExpenseCategory.id) == category
        )
        wanted.append(movement.category_id.in_(taken))
    if bare:
        wanted.append(movement.category_id.is_(None))
    if way is not None:
        wanted.append(movement.delta > 0 if way == "in" else movement.delta < 0)
    base = _with_method(
        select(
            movement.id,
            movement.business_day.label("day"),
            movement.moved_at.label("at"),
            movement.series,
            movement.number,
            movement.desk_id,
            CashDesk.name.label("desk"),
            Branch.name.label("branch"),
            movement.shift_id,
            CashShift.number.label("shift"),
            movement.kind,
            paid_by.label("method"),
            movement.category_id,
            ExpenseCategory.name.label("category"),
            movement.patient_id,
            case((Patient.id.is_not(None), fio(Patient))).label("patient"),
            movement.counterparty,
            movement.comment,
            movement.delta,
            movement.reverses_id,
        )
        .join(CashDesk, CashDesk.id == movement.desk_id)
        .join(Branch, Branch.id == CashDesk.branch_id)
        .outerjoin(CashShift, CashShift.id == movement.shift_id)
        .outerjoin(ExpenseCategory, ExpenseCategory.id == movement.category_id)
        .outerjoin(Patient, Patient.id == movement.patient_id)
    ).where(*wanted)
    sums = select(
        func.count().label("count"),
        summed(case((movement.delta > 0, movement.delta))).label("in"),
        summed(case((movement.delta < 0, -movement.delta))).label("out"),
        summed(movement.delta).label("delta"),
    ).join(CashDesk, CashDesk.id == movement.desk_id)
    if method is not None:
        sums = _with_method(sums)
    totals = rows_of(sums.where(*wanted))[0]
    rows = rows_of(page.of(base.order_by(movement.moved_at, movement.id)))
    return Figures(rows, {key: totals[key] for key in ("in", "out", "delta")}, totals["count"])
