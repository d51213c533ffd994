"""Shifts of a desk, movements of its money, reversals.

Locks, everywhere in this order: desks by number, then shifts, then the series of numbers (bank_out, out, bank_in,
in). A movement is inserted; the database's trigger changes the balance. Where next: `categories.py`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import select, text

from app import access, audit, clock
from app.cash import queries, rules
from app.db import Fixed, next_number, session
from app.errors import (
    AlreadyReversed,
    DeskOfAnother,
    Invalid,
    NotAllowed,
    NotFound,
    OutsideWindow,
    ReasonNeeded,
    ShiftClosed,
    ShiftClosedAlready,
    ShiftOpen,
    WrongDesk,
)
from app.fiscal import operations as fiscal
from app.fiscal.queries import Device
from app.models import CashCount, CashDesk, CashMovement, CashShift, ExpenseCategory, User
from app.vocab import N_, CountMoment, DeskKind, MovementKind, ReportKind

_KIND = {
    rules.PAY_IN: MovementKind.PAY_IN,
    rules.WITHDRAWAL: MovementKind.WITHDRAWAL,
    rules.COLLECTION: MovementKind.COLLECTION,
    rules.SALARY: MovementKind.SALARY,
    rules.TRANSFER: MovementKind.TRANSFER_OUT,
    rules.CORRECTION: MovementKind.CORRECTION,
}


#: What the log keeps of a movement.
_KEPT = (
    "desk_id", "shift_id", "series", "number", "kind", "delta",
    "category_id", "counterparty", "comment", "reverses_id",
)  # fmt: skip


def lock_desks(desk_ids: Iterable[int]) -> dict[int, CashDesk]:
    """Desks, locked by number and read anew; ask for all that a change needs at once, so that nobody waits crosswise.

    Raises:
        NotFound: one of them does not exist.
    """
    wanted = sorted(set(desk_ids))
    found = {
        desk.id: desk
        for desk in session.scalars(
            select(CashDesk)
            .where(CashDesk.id.in_(wanted))
            .order_by(CashDesk.id)
            .with_for_update(of=CashDesk, key_share=True)
            .execution_options(populate_existing=True)
        )
    }
    if len(found) != len(wanted):
        raise NotFound()
    return found


def _shift_for(desk: CashDesk) -> int | None:
    """The open shift that a drawer's movement belongs to; the bank's desk needs none.

    Raises:
        WrongDesk: the desk is archived.
        ShiftClosed: the drawer has no open shift.
    """
    if desk.archived:
        raise WrongDesk()
    if desk.kind == DeskKind.NON_CASH:
        return None
    shift = queries.open_shift_of(desk.id)
    if shift is None:
        raise ShiftClosed({"desk": queries.called(desk.name, desk.branch.name)}, desk=desk.name)
    return shift.id


def _write(
    desk: CashDesk, kind: MovementKind, delta: Decimal, *, shift_id: int | None,
    category_id: int | None = None, patient_id: int | None = None, counterparty: str = "", comment: str = "",
    paired_id: int | None = None, reverses_id: int | None = None, actor: User | None,
) -> CashMovement:  # fmt: skip
    """One movement with its number, and what the fiscal device must be told of it.

    The desk must be locked, its new balance is read when next asked for.
    """
    rules.check_enough(desk.balance, delta, desk.name, lambda: queries.called(desk.name, desk.branch.name))
    rules.check_fits(desk.balance + delta)
    series, now = rules.series(desk.kind, delta), clock.now()
    movement = CashMovement(
        desk_id=desk.id, shift_id=shift_id, legal_entity_id=desk.legal_entity_id, kind=kind, delta=delta,
        series=series, year=clock.today().year, number=next_number(desk.legal_entity_id, series),
        moved_at=now, business_day=clock.today(), category_id=category_id, patient_id=patient_id,
        counterparty=counterparty.strip(), comment=comment.strip(), paired_id=paired_id, reverses_id=reverses_id,
        created_at=now, created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(movement)
    session.flush()
    session.expire(desk, ["balance"])
    fiscal.intend_cash(movement, desk, actor=actor)
    return movement


def _record(action: str, movement: CashMovement, *, actor: User | None) -> None:
    audit.record(action, movement, after=audit.facts(movement, _KEPT), patient_id=movement.patient_id, actor=actor)


# --- shifts -------------------------------------------------------------------------------------------


def open_shift(
    desk_id: int, counted: Decimal, *, pieces: Mapping[Decimal, int] | None = None, reason: str = "",
    actor: User | None,
) -> CashShift:  # fmt: skip
    """Open a drawer's shift with the cash counted in it, in sum or note by note too.

    The count must be what the last shift was closed with; otherwise a reason is needed and the difference becomes a
    surplus or a shortage of the new shift, so that opening + movements is always what lies in the drawer.

    Raises:
        NotFound, WrongDesk: the bank's desk has no shifts.
        ShiftOpen: it is open already.
        CountDiffers: with both sums, while there is no reason.
        Invalid: the notes and coins do not make the sum.
    """
    if pieces:
        rules.check_pieces(pieces, counted)
    desk = lock_desks([desk_id])[desk_id]
    if desk.archived or desk.kind == DeskKind.NON_CASH:
        raise WrongDesk()
    if queries.open_shift_of(desk.id) is not None:
        raise ShiftOpen()
    found = rules.difference(desk.balance, counted, reason)
    shift = CashShift(
        desk_id=desk.id,
        number=queries.last_shift_number(desk.id) + 1,
        opened_at=clock.now(),
        opened_by_id=actor.id if actor else None,
        business_day=clock.today(),
        opening=desk.balance,
        opened_with=counted,
        open_reason=reason.strip() if found else "",
    )
    session.add(shift)
    session.flush()
    if found:
        _found_by_count(desk, shift, found, reason, actor=actor)
    _keep_count(shift, CountMoment.OPENING, pieces)
    after = {**audit.facts(shift, ("desk_id", "number", "opening", "open_reason")), "counted": str(counted)}
    audit.record("cash.shift_opened", shift, after=after, actor=actor)
    return shift


def close_shift(
    shift_id: int, counted: Decimal, *, pieces: Mapping[Decimal, int] | None = None, reason: str = "",
    actor: User | None,
) -> CashShift:  # fmt: skip
    """Close a shift with the cash counted in the drawer, in sum or note by note too: {5000: 3, 0.50: 1}.

    A difference needs a reason and is moved as surplus or shortage, so that the desk holds what was counted.

    Raises:
        NotFound
        ShiftClosed: somebody closed it before.
        CountDiffers: with both sums, while there is no reason.
        Invalid: the notes and coins do not make the sum.
    """
    if pieces:
        rules.check_pieces(pieces, counted)
    shift = session.get(CashShift, shift_id)
    if shift is None:
        raise NotFound()
    desk = lock_desks([shift.desk_id])[shift.desk_id]
    session.refresh(shift, with_for_update={"of": CashShift})
    if shift.closed_at is not None:
        by = session.get(User, shift.closed_by_id) if shift.closed_by_id is not None else None
        raise ShiftClosedAlready(
            {
                "number": shift.number, "when": f"{clock.wall(shift.closed_at):%d.%m.%Y %H:%M}",
                "who": f"{by.last_name} {by.first_name}".strip() if by is not None else "—",
            },
            desk=desk.name,
        )  # fmt: skip
    expected = desk.balance
    found = rules.difference(expected, counted, reason)
    if found:
        _found_by_count(desk, shift, found, reason, actor=actor)
    closed_by_id = actor.id if actor else None  # read first: the four figures of a closing go into one UPDATE
    shift.expected, shift.counted, shift.close_reason = expected, counted, reason.strip() if found else ""
    shift.closed_at, shift.closed_by_id = clock.now(), closed_by_id
    session.flush()
    _keep_count(shift, CountMoment.CLOSING, pieces)
    names = ("desk_id", "number", "opening", "expected", "counted", "close_reason")
    audit.record("cash.shift_closed", shift, after=audit.facts(shift, names), actor=actor)
    return shift


def _keep_count(shift: CashShift, moment: CountMoment, pieces: Mapping[Decimal, int] | None) -> None:
    session.add_all(
        CashCount(shift_id=shift.id, moment=moment, value=value, pieces=many) for value, many in (pieces or {}).items()
    )
    session.flush()


def _found_by_count(desk: CashDesk, shift: CashShift, found: Decimal, reason: str, *, actor: User | None) -> None:
    kind = MovementKind.SURPLUS if found > 0 else MovementKind.SHORTAGE
    _record("cash.moved", _write(desk, kind, found, shift_id=shift.id, comment=reason, actor=actor), actor=actor)


# --- movements ----------------------------------------------------------------------------------------


def move(
    desk_id: int, kind: str, amount: Decimal, *, category_id: int | None = None, to_desk_id: int | None = None,
    counterparty: str = "", comment: str = "", actor: User | None,
) -> CashMovement:  # fmt: skip
    """Pay in, withdraw, hand over to the bank, pay a salary, transfer to another desk, or correct.

    A transfer is two paired movements of one transaction; the answer is the one that left. Only a correction's
    amount may be below zero, and only who has the right `cash.correct` corrects.

    Raises:
        Invalid, CategoryNeeded, NotFound, NotAllowed
        ShiftClosed: with the desk whose shift is not open.
        WrongDesk: the desk is archived, or the other desk is another legal entity's; a collection from the bank's desk.
        NotEnoughCash: with what is left.
    """
    rules.check_move(kind, category_id, desk_id, to_desk_id, counterparty + comment)
    delta = rules.delta_of(kind, amount)
    if kind == rules.CORRECTION:
        access.require(actor, "cash.correct")
    if category_id is not None:
        category = session.get(ExpenseCategory, category_id)
        if category is None or category.archived:
            raise Invalid(fields={"category_id": N_("There is no such expense category.")})
    desks = lock_desks([desk_id] if to_desk_id is None else [desk_id, to_desk_id])
    desk, other = desks[desk_id], desks[to_desk_id] if to_desk_id is not None else None
    if other is not None and other.legal_entity_id != desk.legal_entity_id:
        raise DeskOfAnother()
    if kind == rules.COLLECTION and desk.kind == DeskKind.NON_CASH:
        raise WrongDesk()
    shift_id = _shift_for(desk)
    other_shift_id = _shift_for(other) if other is not None else None
    movement = _write(
        desk, _KIND[kind], delta, shift_id=shift_id, category_id=category_id,
        counterparty=counterparty, comment=comment, actor=actor,
    )  # fmt: skip
    _record("cash.moved", movement, actor=actor)
    if other is not None:
        came = _write(
            other, MovementKind.TRANSFER_IN, amount, shift_id=other_shift_id,
            counterparty=counterparty, comment=comment, paired_id=movement.id, actor=actor,
        )  # fmt: skip
        _record("cash.moved", came, actor=actor)
    return movement


#: The desks are locked by number, as everybody locks them.
_TAKERS = """
    SELECT d.id, d.name, d.kind, d.archived, d.legal_entity_id, b.archived AS branch_archived,
        (SELECT s.id FROM cash_shift s WHERE s.desk_id = d.id AND s.closed_at IS NULL) AS shift_id,
        b.id AS branch_id, b.name AS branch, e.id AS entity_id, e.name AS entity, e.inn,
        COALESCE(NULLIF(e.address, ''), b.address) AS address, f.id AS device_id, f.taxation
    FROM cash_desk d JOIN branch b ON b.id = d.branch_id JOIN legal_entity e ON e.id = b.legal_entity_id
        LEFT JOIN fiscal_device f ON f.legal_entity_id = e.id AND f.branch_id = b.id AND NOT f.archived
    WHERE %s ORDER BY d.id FOR NO KEY UPDATE OF d
"""
_AMONG = """d.id = ANY(CAST(:named AS int[])) OR b.id = :branch OR CAST(:branch AS int) IS NULL AND b.id IN
        (SELECT branch_id FROM cash_desk WHERE id = ANY(CAST(:named AS int[])))"""
#: Mostly nobody names a desk, and that needs no plan of its own each time.
_OF_BRANCH, _NAMED = (Fixed(text(_TAKERS % condition)) for condition in ("b.id = :branch", _AMONG))


def desks_of_branch(branch_id: int | None, named: Collection[int]) -> list[queries.Desk]:
    """The desks that may take a patient's money, locked by number.

    Those of the branch; without one, of the branches of the named desks. The named ones in any case.
    """
    rows = _NAMED(branch=branch_id, named=list(named)) if named else _OF_BRANCH(branch=branch_id)
    return [
        queries.Desk(
            row.id, row.name, row.kind, row.archived, row.legal_entity_id, row.shift_id, row.branch_archived,
            queries.Place(row.branch_id, row.branch, row.entity_id, row.entity, row.inn, row.address),
            Device(row.device_id, row.taxation) if row.device_id is not None else None,
        )
        for row in rows
    ]  # fmt: skip


def check_taking(desk: queries.Desk) -> None:
    """Can money come into it now?

    Raises:
        WrongDesk: an archived desk.
        ShiftClosed: a drawer whose shift is not open.
    """
    if desk.archived:
        raise WrongDesk()
    if desk.kind != DeskKind.NON_CASH and desk.shift_id is None:
        raise ShiftClosed({"desk": queries.called(desk.name, desk.place.branch)}, desk=desk.name)


def received(
    parts: Sequence[tuple[queries.Desk, Decimal]], *, ids: Iterable[int], numbers: Mapping[str, Iterable[int]],
    patient_id: int, actor: User | None,
) -> list[CashMovement]:  # fmt: skip
    """The movements of a patient's money that comes into locked desks. Only billing calls this, which writes them with
    the payment.

    `numbers` by series: as many of each as there are parts of its desks (`rules.series`).
    """
    now = clock.now()
    movements = []
    left = {name: iter(taken) for name, taken in numbers.items()}
    for pk, (desk, amount) in zip(ids, parts, strict=True):
        drawer, series = desk.kind != DeskKind.NON_CASH, rules.series(desk.kind, amount)
        movements.append(
            CashMovement(
                id=pk, desk_id=desk.id, shift_id=desk.shift_id if drawer else None,
                legal_entity_id=desk.legal_entity_id, kind=MovementKind.PAYMENT, delta=amount, series=series,
                year=clock.today().year,
                number=next(left[series]), moved_at=now, business_day=clock.today(), patient_id=patient_id,
                created_at=now, created_by_id=actor.id if actor else None,
            )
        )  # fmt: skip
    return movements


def give_back(desk_id: int, amount: Decimal, *, patient_id: int, actor: User | None) -> CashMovement:
    """A patient's money leaves the desk that took it. Only billing calls this; it writes the refund
    beside it.

    Raises:
        NotFound, Invalid, WrongDesk, ShiftClosed, NotEnoughCash
    """
    rules.check_amount(amount)
    desk = lock_desks([desk_id])[desk_id]
    return _write(desk, MovementKind.REFUND, -amount, shift_id=_shift_for(desk), patient_id=patient_id, actor=actor)


def reverse(movement_id: int, reason: str, *, actor: User | None) -> CashMovement:
    """Mend a mistake by an opposite movement linked to it, on the same desk, in the shift that is open now.

    Of a transfer both sides are reversed. The category stays, so that the sums by category are right.

    Raises:
        NotFound, ReasonNeeded, NotReversible, AlreadyReversed, ShiftClosed, NotEnoughCash
        NotAllowed: a correction is the director's, and so is its reversal.
        OutsideWindow: the movement is of a day that the account may not see.
    """
    if not reason.strip():
        raise ReasonNeeded()
    first = session.get(CashMovement, movement_id)
    if first is None:
        raise NotFound()
    if actor is not None and first.business_day != clock.today():
        access.window(actor, ReportKind.CASH, first.business_day, first.business_day)
    rules.check_reversible(first.kind)
    if first.kind == MovementKind.CORRECTION:
        access.require(actor, "cash.correct")
    sides = [first]
    if first.kind in (MovementKind.TRANSFER_OUT, MovementKind.TRANSFER_IN):
        second = queries.other_side(first)
        sides += [second] if second is not None else []
    desks = lock_desks(side.desk_id for side in sides)
    if any(queries.reversal_of(side.id) for side in sides):
        raise AlreadyReversed()
    shifts = {desk_id: _shift_for(desk) for desk_id, desk in desks.items()}
    # money leaves first: the series of numbers are locked in one order, and a desk that lacks it says so
    sides.sort(key=lambda side: side.delta < 0)
    mended: dict[int, CashMovement] = {}
    for side in sides:
        mended[side.id] = _write(
            desks[side.desk_id], MovementKind.REVERSAL, -side.delta, shift_id=shifts[side.desk_id],
            category_id=side.category_id, counterparty=side.counterparty, comment=reason,
            paired_id=next((row.id for row in mended.values()), None), reverses_id=side.id, actor=actor,
        )  # fmt: skip
        _record("cash.reversed", mended[side.id], actor=actor)
    return mended[first.id]


def look_at_shift(shift: CashShift, *, how: str, actor: User) -> date | None:
    """From which day on this account may see what happened in a shift; None when it may see all of it.

    A shift of today is everybody's who works at the desk. Of a shift that was opened on another day and is still open,
    or was closed today, who has no access to that day sees today's part. What a grant opened is recorded.

    Raises:
        OutsideWindow: the whole shift was on other days.
    """
    today = clock.today()
    last = today if shift.closed_at is None else clock.wall(shift.closed_at).date()
    if shift.business_day == last == today:
        return None
    try:
        window = access.window(actor, ReportKind.CASH, shift.business_day, last)
    except (OutsideWindow, NotAllowed):
        if last < today:
            raise
        return today
    access.record_opening(actor, ReportKind.CASH, window, how)
    return None
