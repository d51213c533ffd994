"""The cash book КО-4: one sheet a day of a legal entity's drawers, all of it computed from the movements.

The bank's desks are not in it. A day without operations has no sheet. Where next: `cash_book_drawn.py`.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from app.db import session
from app.documents.queries import cash_orders
from app.models import CashDesk, CashMovement, LegalEntity
from app.money import ZERO
from app.vocab import DeskKind


@dataclass(frozen=True)
class BookRow:
    """An order of the day as the book has it."""

    number: int
    came_in: bool
    #: From whom or to whom; without a name, for what.
    whom: str
    account: str
    amount: Decimal


@dataclass
class BookSheet:
    """A day of the cash book."""

    entity: LegalEntity
    day: date
    #: 0: there were no operations, so there is no sheet.
    number: int
    opening: Decimal
    rows: list[BookRow] = field(default_factory=list)
    cashier: str = ""
    #: The day's operation with which it begins: what is printed of the sheet is counted under it.
    first: CashMovement | None = None

    @property
    def came_in(self) -> Decimal:
        return sum((row.amount for row in self.rows if row.came_in), ZERO)

    @property
    def went_out(self) -> Decimal:
        return sum((row.amount for row in self.rows if not row.came_in), ZERO)

    @property
    def state(self) -> str:
        """What can change of a sheet: while its day goes on, operations come to it."""
        return f"{len(self.rows)} operations"

    @property
    def closing(self) -> Decimal:
        return self.opening + self.came_in - self.went_out


def book_sheet(entity: LegalEntity, day: date) -> BookSheet:
    """The sheet of a day: the opening is what all earlier movements left in the drawers."""
    drawers = select(CashDesk.id).where(CashDesk.legal_entity_id == entity.id, CashDesk.kind != DeskKind.NON_CASH)
    of_drawers = CashMovement.desk_id.in_(drawers)
    opening = session.scalar(
        select(func.coalesce(func.sum(CashMovement.delta), 0)).where(of_drawers, CashMovement.business_day < day)
    )
    movements = session.scalars(
        select(CashMovement).where(of_drawers, CashMovement.business_day == day).order_by(CashMovement.id)
    ).all()
    number = 0
    if movements:
        number = session.scalar(
            select(func.count(CashMovement.business_day.distinct()))
            .where(of_drawers, CashMovement.business_day.between(date(day.year, 1, 1), day))
        ) or 0  # fmt: skip
    sheet = BookSheet(entity, day, number, Decimal(opening or 0), first=movements[0] if movements else None)
    for movement in movements:
        order = cash_orders.cash_order(movement)
        whom = ("от " if order.came_in else "") + order.person if order.person else order.basis
        sheet.rows.append(BookRow(order.number, order.came_in, whom, order.other_account, order.amount))
        sheet.cashier = order.cashier
    return sheet
