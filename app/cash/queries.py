"""Questions to the cash desk: which desks, what is in them, what happened in a shift.

Where next: `operations.py`; the report of days is `app/reports`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Row, and_, case, exists, func, select, true
from sqlalchemy.orm import aliased, joinedload, lazyload

from app import clock
from app.db import session
from app.fiscal.queries import Device
from app.models import Branch, CashCount, CashDesk, CashMovement, CashShift, ExpenseCategory, Patient, User
from app.money import ZERO
from app.vocab import DeskKind, MovementKind, PaymentMethod

#: A desk as it is kept, or as money comes into it.
D = TypeVar("D", CashDesk, "Desk")


def desks(branch_id: int | None = None) -> list[tuple[CashDesk, CashShift | None]]:
    """The desks in use with their open shifts, by branch, drawers first."""
    order = case((CashDesk.kind == DeskKind.MAIN, 0), (CashDesk.kind == DeskKind.ADDITIONAL, 1), else_=2)
    statement = (
        select(CashDesk, CashShift)
        .outerjoin(CashShift, and_(CashShift.desk_id == CashDesk.id, CashShift.closed_at.is_(None)))
        .where(CashDesk.archived.is_(False))
        .order_by(CashDesk.branch_id, order, CashDesk.id)
    )
    if branch_id is not None:
        statement = statement.where(CashDesk.branch_id == branch_id)
    return [(desk, shift) for desk, shift in session.execute(statement)]


def desk_for(branch_id: int, method: str) -> CashDesk | None:
    """The desk of a branch that takes this kind of payment; None when the branch has none."""
    return taker([(desk, shift.id if shift else None) for desk, shift in desks(branch_id)], method)


@dataclass(frozen=True)
class Place:
    """Where money is taken, as its papers name it."""

    branch_id: int
    branch: str
    legal_entity_id: int
    legal_entity: str
    inn: str
    address: str


@dataclass(frozen=True)
class Desk:
    """A desk as money comes into it: with its open shift, where it stands, and the device that prints there."""

    id: int
    name: str
    kind: str
    archived: bool
    legal_entity_id: int
    shift_id: int | None
    branch_archived: bool
    place: Place
    device: Device | None


def taker(found: Sequence[tuple[D, int | None]], method: str) -> D | None:
    """Of a branch's desks (with their open shifts) the one that takes this kind of payment.

    Cash goes to the main desk, or to another drawer whose shift is open when the main one's is not; card and
    transfer to the non-cash desk.
    """
    living = sorted((pair for pair in found if not pair[0].archived), key=lambda pair: pair[0].id)
    if method != PaymentMethod.CASH:
        return next((desk for desk, _ in living if desk.kind == DeskKind.NON_CASH), None)
    drawers = [pair for pair in living if pair[0].kind != DeskKind.NON_CASH]
    drawers.sort(key=lambda pair: (pair[1] is None, pair[0].kind != DeskKind.MAIN))
    return drawers[0][0] if drawers else None


def open_shift_of(desk_id: int) -> CashShift | None:
    """The shift of a desk that is open now."""
    return session.scalars(
        select(CashShift).where(CashShift.desk_id == desk_id, CashShift.closed_at.is_(None))
    ).one_or_none()


def closed_today(desk_id: int) -> CashShift | None:
    """The shift of a desk that was closed last, if that was today."""
    last = session.scalars(
        select(CashShift)
        .where(CashShift.desk_id == desk_id, CashShift.closed_at.is_not(None))
        .order_by(CashShift.number.desc())
        .limit(1)
    ).one_or_none()
    today = last is not None and last.closed_at is not None and clock.wall(last.closed_at).date() == clock.today()
    return last if today else None


def called(name: str, branch: str) -> str:
    """A desk as a sentence names it: with its branch, where the clinic has several."""
    many = session.scalar(select(func.count()).select_from(Branch).where(Branch.archived.is_(False))) or 0
    return f"{branch}: {name}" if many > 1 else name


def last_shift_number(desk_id: int) -> int:
    return session.scalar(select(func.max(CashShift.number)).where(CashShift.desk_id == desk_id)) or 0


def categories(*, archived: bool = False) -> list[ExpenseCategory]:
    """The expense categories that are offered, by name."""
    statement = select(ExpenseCategory).order_by(func.lower(ExpenseCategory.name)).limit(500)
    return list(session.scalars(statement if archived else statement.where(ExpenseCategory.archived.is_(False))))


Notes = list[tuple[Decimal, int]]


def counts_of(shift_id: int) -> dict[str, Notes]:
    """The notes and coins counted when a shift was opened and closed: value, pieces, the largest first; {} for none."""
    found: dict[str, Notes] = {}
    for count in session.scalars(
        select(CashCount).where(CashCount.shift_id == shift_id).order_by(CashCount.value.desc())
    ):
        found.setdefault(count.moment, []).append((count.value, count.pieces))
    return found


@dataclass(frozen=True)
class CategoryLine:
    """A category in its tree: how deep, how many operations are counted in it, their sum, what took its place."""

    category: ExpenseCategory
    depth: int
    count: int
    spent: Decimal
    heir: str | None


def category_tree(since: date | None = None) -> list[CategoryLine]:
    """All categories, parts under their whole, merged and archived ones last among their equals.

    Their operations from a day on, or all of them; those of a merged one are counted where it was merged into, as in
    the reports.
    """
    heir, written = aliased(ExpenseCategory), aliased(ExpenseCategory)
    counted_in = func.coalesce(written.merged_into_id, written.id)
    spent = (
        select(
            counted_in.label("category_id"), func.count().label("many"), func.sum(-CashMovement.delta).label("spent")
        )
        .join(written, written.id == CashMovement.category_id)
        .where(CashMovement.business_day >= since if since is not None else true())
        .group_by(counted_in)
        .subquery()
    )  # fmt: skip
    rows = session.execute(
        select(ExpenseCategory, spent.c.many, spent.c.spent, heir.name)
        .outerjoin(spent, spent.c.category_id == ExpenseCategory.id)
        .outerjoin(heir, heir.id == ExpenseCategory.merged_into_id)
        .order_by(ExpenseCategory.archived, func.lower(ExpenseCategory.name))
        .limit(1000)
    ).all()
    known = {row[0].id for row in rows}
    under: dict[int | None, list[Any]] = {}
    for row in rows:
        under.setdefault(row[0].parent_id if row[0].parent_id in known else None, []).append(row)

    def lines(parent: int | None, depth: int) -> list[CategoryLine]:
        return [
            line
            for category, many, sum_, name in under.get(parent, [])
            for line in (CategoryLine(category, depth, many or 0, sum_ or ZERO, name), *lines(category.id, depth + 1))
        ]

    return lines(None, 0)


def is_part_of(category_id: int, whole_id: int) -> bool:
    """Is a category this one, or a part of it, however deep?"""
    up = (
        select(ExpenseCategory.id, ExpenseCategory.parent_id)
        .where(ExpenseCategory.id == category_id)
        .cte("up", recursive=True)
    )
    above = aliased(ExpenseCategory)
    up = up.union(select(above.id, above.parent_id).join(up, above.id == up.c.parent_id))
    return session.scalar(select(exists().where(up.c.id == whole_id))) or False


def category_named(name: str) -> ExpenseCategory | None:
    """The category of this name, whatever the case of its letters."""
    return session.scalars(
        select(ExpenseCategory).where(func.lower(ExpenseCategory.name) == func.lower(name))
    ).one_or_none()


def other_side(movement: CashMovement) -> CashMovement | None:
    """The other movement of a transfer."""
    if movement.paired_id is not None:
        return session.get(CashMovement, movement.paired_id)
    return session.scalars(select(CashMovement).where(CashMovement.paired_id == movement.id)).one_or_none()


def reversal_of(movement_id: int) -> CashMovement | None:
    return session.scalars(select(CashMovement).where(CashMovement.reverses_id == movement_id)).one_or_none()


@dataclass
class KindLine:
    """What came in or went out in one way: how often and how much (signed)."""

    kind: str
    count: int
    amount: Decimal


@dataclass
class ShiftReport:
    """The X report: opening + came in − went out = what must be in the desk now.

    `since` is set when only a part of a shift of several days may be seen; `opening` is then that day's.
    """

    shift: CashShift
    opening: Decimal
    came_in: Decimal
    went_out: Decimal
    expected: Decimal
    since: date | None = None
    lines: list[KindLine] = field(default_factory=list)
    by_category: list[tuple[str, Decimal]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What can change of it: operations come to an open shift; closed, it is the last word on what it shows."""
        so_far = f"{sum(line.count for line in self.lines)} operations" if self.shift.closed_at is None else "closed"
        return so_far if self.since is None else f"{so_far} since {self.since}"


def shift_report(shift: CashShift, since: date | None = None) -> ShiftReport:
    """What happened in a shift, by kind and by expense category; from a day on, if only that may be seen.

    Opening + came in − went out is what must be in the drawer. What the count at closing found comes after that.
    """
    before = ZERO
    chosen = [CashMovement.shift_id == shift.id]
    if shift.closed_at is not None and shift.difference:  # its movement is the last one of the shift
        last = select(func.max(CashMovement.id)).where(CashMovement.shift_id == shift.id)
        chosen.append(CashMovement.id < last.scalar_subquery())
    if since is not None and since > shift.business_day:
        before = (
            session.scalar(
                select(func.coalesce(func.sum(CashMovement.delta), 0)).where(*chosen, CashMovement.business_day < since)
            )
            or ZERO
        )
        chosen.append(CashMovement.business_day >= since)
    else:
        since = None
    rows = session.execute(
        select(CashMovement.kind, CashMovement.series, func.count(), func.sum(CashMovement.delta))
        .where(*chosen)
        .group_by(CashMovement.kind, CashMovement.series)
    ).all()
    order = {str(kind): place for place, kind in enumerate(MovementKind)}
    lines = [KindLine(kind, count, amount) for kind, _, count, amount in rows]
    lines.sort(key=lambda line: (line.amount < 0, order[line.kind]))
    merged = aliased(ExpenseCategory)
    spent = session.execute(
        select(ExpenseCategory.name, -func.sum(CashMovement.delta))
        .join(merged, ExpenseCategory.id == func.coalesce(merged.merged_into_id, merged.id))
        .join(CashMovement, CashMovement.category_id == merged.id)
        .where(*chosen)
        .group_by(ExpenseCategory.name)
        .order_by(ExpenseCategory.name)
    ).all()
    opening = shift.opening + before
    came_in = sum((line.amount for line in lines if line.amount > 0), ZERO)
    went_out = -sum((line.amount for line in lines if line.amount < 0), ZERO)
    return ShiftReport(
        shift, opening, came_in, went_out, opening + came_in - went_out, since, lines, [(n, a) for n, a in spent]
    )


Operation = Row[tuple[CashMovement, str | None, str | None, str | None, int | None]]


def operations_of(
    *, shift_id: int | None = None, desk_id: int | None = None, since: date | None = None, limit: int = 2_000
) -> Sequence[Operation]:
    """Movements of a shift, or of a desk, the newest first: movement, patient's name parts, who, reversed by."""
    mending = select(CashMovement.reverses_id, CashMovement.id.label("by")).where(
        CashMovement.reverses_id.is_not(None)
    ).subquery()  # fmt: skip
    statement = (
        select(
            CashMovement,
            Patient.surname + " " + Patient.name,
            User.last_name + " " + User.first_name,
            mending.c.by,
        )
        .outerjoin(Patient, Patient.id == CashMovement.patient_id)
        .outerjoin(User, User.id == CashMovement.created_by_id)
        .outerjoin(mending, mending.c.reverses_id == CashMovement.id)
        # of a transfer, the other desk: the few desks there are, each is read once
        .options(
            *(
                joinedload(side).options(lazyload(CashMovement.desk), lazyload(CashMovement.category))
                for side in (CashMovement.paired, CashMovement.pairing)
            )
        )
        .order_by(CashMovement.id.desc())
        .limit(limit)
    )
    if shift_id is not None:
        statement = statement.where(CashMovement.shift_id == shift_id)
    if desk_id is not None:
        statement = statement.where(CashMovement.desk_id == desk_id)
    if since is not None:
        statement = statement.where(CashMovement.business_day >= since)
    return session.execute(statement).all()  # type: ignore[return-value]
