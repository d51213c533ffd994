"""What all reports are made with: figures, pages of rows, sums, and whose work orders.

A bill belongs to the branch and the doctor of its work order, wherever it was paid; money belongs to the branch that
took it. Days are business days, both included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    func,
    select,
)

from app.access import Window
from app.db import session
from app.models import (
    Branch,
    Employee,
    Role,
    User,
    WorkOrder,
)
from app.money import ZERO
from app.roles import DIRECTOR
from app.vocab import LedgerKind

Row = dict[str, Any]
#: What makes, and takes back, a bill.
BILLS = (LedgerKind.BILL, LedgerKind.BILL_REOPENED, LedgerKind.BILL_REVERSED)
#: What makes a bill that was paid due again: money returned, or left as an advance by a reversing order.
UNPAID = (LedgerKind.REFUND, LedgerKind.PAID_TO_ADVANCE)


@dataclass(frozen=True)
class Figures:
    """A report: its rows (perhaps a page of them), totals over all of them, and how many rows there are in all."""

    rows: list[Row]
    totals: Row
    count: int
    #: further tables that belong to the report, by name.
    more: Mapping[str, list[Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Which rows to read; totals are always of all."""

    limit: int | None = None
    offset: int = 0

    def of(self, statement: Any) -> Any:
        return statement.limit(self.limit).offset(self.offset or None)


EVERYTHING = Page()


def summed(value: Any) -> Any:
    return func.coalesce(func.sum(value), ZERO)


def within(column: Any, window: Window) -> ColumnElement[bool]:
    return and_(column >= window.first, column <= window.last)


def moments(window: Window) -> tuple[datetime, datetime]:
    """The days as wall clock moments, half-open."""
    return datetime.combine(window.first, time()), datetime.combine(window.last + timedelta(days=1), time())


def rows_of(statement: Any) -> list[Row]:
    return [dict(row) for row in session.execute(statement).mappings()]


def fio(person: Any) -> Any:
    """Surname and initials, made by the database."""
    return func.concat(
        person.surname,
        case((person.name != "", func.concat(" ", func.left(person.name, 1), ".")), else_=""),
        case((person.patronymic != "", func.concat(" ", func.left(person.patronymic, 1), ".")), else_=""),
    )


def of_orders(branch_id: int | None, doctor_id: int | None) -> list[ColumnElement[bool]]:
    """Whose work orders: conditions on `WorkOrder`."""
    conditions: list[ColumnElement[bool]] = []
    if branch_id is not None:
        conditions.append(WorkOrder.branch_id == branch_id)
    if doctor_id is not None:
        conditions.append(WorkOrder.doctor_id == doctor_id)
    return conditions


def branches() -> list[tuple[int, str]]:
    """The branches to choose from."""
    return [(pk, name) for pk, name in session.execute(select(Branch.id, Branch.name).order_by(Branch.name))]


def directors() -> list[str]:
    """Whom to ask for access to other days."""
    return list(
        session.scalars(
            select(func.concat(Employee.surname, " ", Employee.name))
            .join(User, User.id == Employee.user_id)
            .where(User.active, User.roles.any(Role.name == DIRECTOR))
            .order_by(Employee.surname)
        )
    )
