"""The cash desk over JSON: desks, shifts, movements, expense categories."""

from typing import Any

from app.cash import forms, operations, queries
from app.db import transaction
from app.models import CashMovement, CashShift
from app.schemas import PageQuery
from app.web import DeskApi, actor, asks, expose, fetched, guarded, takes


def report_answer(report: queries.ShiftReport) -> dict[str, Any]:
    """The X report as the contract shows it."""
    shift = report.shift
    return {
        "id": shift.id,
        "number": shift.number,
        "desk_id": shift.desk_id,
        "business_day": shift.business_day,
        "opened_at": shift.opened_at,
        "closed_at": shift.closed_at,
        "since": report.since,
        "opening": report.opening,
        "in": report.came_in,
        "out": report.went_out,
        "by_kind": [{"kind": line.kind, "count": line.count, "amount": line.amount} for line in report.lines],
        "by_category": [{"category": name, "amount": amount} for name, amount in report.by_category],
        "expected": report.expected,
        "counted": shift.counted,
        "difference": shift.difference,
    }


class CashApi(DeskApi):
    resource_name = "cash"
    openapi_spec_tag = "Money"

    @expose("/desks/", methods=["GET"])
    @guarded("cash.see")
    def desks(self) -> Any:
        """The desks with their balances and open shifts"""
        rows = [
            {
                "id": desk.id,
                "name": desk.name,
                "kind": desk.kind,
                "branch_id": desk.branch_id,
                "balance": desk.balance,
                "open_shift_id": shift.id if shift else None,
            }
            for desk, shift in queries.desks()
        ]
        return self.listed(len(rows), rows)

    @expose("/shifts/", methods=["POST"])
    @guarded("cash.shift")
    @takes(forms.OpenShift)
    def open_shift(self, body: dict[str, Any]) -> Any:
        """Open a shift with the counted cash"""
        with transaction():
            shift = operations.open_shift(body["desk_id"], body["counted"], reason=body["reason"], actor=actor())
            report = queries.shift_report(shift)
        return self.created(report_answer(report))

    @expose("/shifts/<int:pk>", methods=["GET"])
    @guarded("cash.see")
    def shift(self, pk: int) -> Any:
        """The X report of a shift"""
        shift = fetched(CashShift, pk)
        with transaction():
            since = operations.look_at_shift(shift, how="json", actor=actor())
        return self.answer(report_answer(queries.shift_report(shift, since)))

    @expose("/shifts/<int:pk>/close", methods=["POST"])
    @guarded("cash.shift")
    @takes(forms.CloseShift)
    def close_shift(self, pk: int, body: dict[str, Any]) -> Any:
        """Close a shift with the counted cash"""
        fetched(CashShift, pk)
        with transaction():
            shift = operations.close_shift(pk, body["counted"], reason=body["reason"], actor=actor())
        return self.answer(
            {"id": shift.id, "expected": shift.expected, "counted": shift.counted, "difference": shift.difference}
        )

    @expose("/movements/", methods=["POST"])
    @guarded("cash.move")
    @takes(forms.Move)
    def move(self, body: dict[str, Any]) -> Any:
        """Pay in, withdraw, collect, pay a salary, transfer, correct"""
        with transaction():
            movement = operations.move(body.pop("desk_id"), body.pop("kind"), body.pop("amount"), **body, actor=actor())
        return self.created(movement_answer(movement))

    @expose("/movements/<int:pk>/reverse", methods=["POST"])
    @guarded("cash.move")
    @takes(forms.Reason)
    def reverse(self, pk: int, body: dict[str, Any]) -> Any:
        """Reverse a mistaken movement"""
        fetched(CashMovement, pk)
        with transaction():
            movement = operations.reverse(pk, body["reason"], actor=actor())
        return self.created({**movement_answer(movement), "reverses_id": movement.reverses_id})


def movement_answer(movement: CashMovement) -> dict[str, Any]:
    return {
        "id": movement.id,
        "number": movement.number,
        "series": movement.series,
        "kind": movement.kind,
        "desk_id": movement.desk_id,
        "delta": movement.delta,
        "balance": movement.desk.balance,
    }


class ExpenseCategoryApi(DeskApi):
    resource_name = "expense-categories"
    openapi_spec_tag = "Money"

    @expose("/", methods=["GET"])
    @guarded("expense_category.see")
    @asks(PageQuery)
    def index(self, query: dict[str, Any]) -> Any:
        """The expense categories that are offered"""
        found = queries.categories()
        first = query["page"] * query["page_size"]
        rows = [category_answer(row) for row in found[first : first + query["page_size"]]]
        return self.listed(len(found), rows)

    @expose("/", methods=["POST"])
    @guarded("expense_category.add")
    @takes(forms.NewCategory)
    def add(self, body: dict[str, Any]) -> Any:
        """Add an expense category"""
        with transaction():
            category = operations.add_category(body["name"], body["parent_id"], actor=actor())
        return self.created(category_answer(category))


def category_answer(category: Any) -> dict[str, Any]:
    return {"id": category.id, "name": category.name, "parent_id": category.parent_id}
