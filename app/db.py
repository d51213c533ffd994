"""The database session, the only place that commits, and broken promises as refusals.

`with transaction():` is the edge of a change: pages, jobs and commands open it, operations only flush.
Where next: `app/errors.py` for the refusals, `app/tables/` for the constraints.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from flask_appbuilder.models.sqla.base import SQLA
from psycopg import errors as pg
from sqlalchemy import BindParameter, ClauseElement, CursorResult, bindparam, event, select, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, scoped_session

from app import clock
from app.connections import PREPARED, begin_transaction, end_transaction
from app.errors import (
    AlreadyIssued,
    AlreadyReversed,
    AlreadyThere,
    CertificateExists,
    CertificateSpent,
    DirectoryInUse,
    HoursTaken,
    Invalid,
    NotCancellable,
    NotDue,
    NotEnoughAdvance,
    NotEnoughCash,
    NothingToReverse,
    OrderReversed,
    OverRefund,
    Refusal,
    ShiftClosed,
    ShiftOpen,
    SlotTaken,
)
from app.vocab import N_

Row = TypeVar("Row")

db = SQLA()
session: scoped_session[Session] = db.session


def given(name: str, type_: Any = None) -> BindParameter[Any]:
    """A value of a `Fixed` statement, which comes with each call."""
    return bindparam(name, None, type_)


class Fixed:
    """A statement that is always the same but for its values, the `given`s: compiled once, sent as it is.

    For what is asked all day long: to build and compile a statement anew takes longer than the database needs to
    answer it. What was changed in the session is written first, as before any query.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        made = self._statement.compile(dialect=PGDialect_psycopg(), compile_kwargs={"render_postcompile": True})
        values = {name: str(value) if isinstance(value, StrEnum) else value for name, value in made.params.items()}
        return str(made), values

    def __call__(self, **values: Any) -> CursorResult[Any]:
        """Send it with these values."""
        sql, constants = self._compiled
        session.flush()
        return session.connection().exec_driver_sql(sql, {**constants, **values}, PREPARED)


class Busy(Refusal):
    """Two people changed the same things crosswise; the database let one of them through."""

    code = "busy"
    status = 409
    sentence = N_("Somebody was changing the same thing at this moment. Try once more.")


#: What each broken promise of the database means at the desk. The rules say it more kindly first.
CONSTRAINTS: dict[str, Callable[[], Refusal]] = {
    "ex_appointment_doctor_busy": lambda: SlotTaken({"what": ""}, busy="doctor", by=None),
    "ex_appointment_chair_busy": lambda: SlotTaken({"what": ""}, busy="chair", by=None),
    "ex_appointment_patient_busy": lambda: SlotTaken({"what": ""}, busy="patient", by=None),
    "ex_working_hours_doctor": lambda: HoursTaken({"what": ""}),
    "ex_working_hours_chair": lambda: HoursTaken({"what": ""}),
    "ck_refund_within_payment": lambda: OverRefund(left="0.00"),
    "ck_work_order_line_reversed_within": NothingToReverse,
    "ck_work_order_reversed_stays": OrderReversed,
    "ck_refund_cancels_today": NotCancellable,
    "ck_work_order_due_within_total": lambda: NotDue(left="0.00"),
    "ck_work_order_issued_unchanged": AlreadyIssued,
    "ck_patient_account_advance_not_negative": lambda: NotEnoughAdvance(left="0.00"),
    "uq_certificate_number": CertificateExists,
    "ck_certificate_balance_within_amount": lambda: CertificateSpent({"left": "0,00", "number": ""}, left="0.00"),
    "ck_cash_desk_balance_not_negative": lambda: NotEnoughCash({"left": "0,00", "desk": ""}, left="0.00"),
    "ck_cash_movement_category_living": lambda: Invalid(
        fields={"category_id": N_("There is no such expense category.")}
    ),
    "ck_cash_movement_shift_open": lambda: ShiftClosed(desk=""),
    "uq_cash_shift_one_open_per_desk": ShiftOpen,
    "uq_cash_movement_reversed_once": AlreadyReversed,
}


def constraint_of(error: DBAPIError) -> str | None:
    """The name of the constraint that refused the statement, if one did."""
    diag = getattr(error.orig, "diag", None)
    return diag.constraint_name if diag else None


def refusal_of(error: DBAPIError) -> Refusal | None:
    """The refusal that an error of the database means; None when it is a fault of ours."""
    known = CONSTRAINTS.get(constraint_of(error) or "")
    if known:
        return known()
    match error.orig:
        case pg.UniqueViolation() | pg.ExclusionViolation():
            return AlreadyThere()
        case pg.ForeignKeyViolation() as e:
            return DirectoryInUse() if "still referenced" in str(e) else Invalid(fields={})
        case pg.DeadlockDetected() | pg.SerializationFailure() | pg.LockNotAvailable():
            return Busy()
        case pg.CheckViolation() | pg.NotNullViolation() | pg.DataError():
            return Invalid(fields={})
    return None


@contextmanager
def transaction() -> Iterator[None]:
    """Everything inside is written together, or nothing is.

    Re-entrant: an inner `transaction()` belongs to the outer one, and a refusal inside it undoes all of it.
    After the commit, what `after_commit` collected is called.

    Raises:
        Refusal: in place of a broken constraint.
    """
    info = session().info
    if info.get("depth"):
        try:
            yield
        except BaseException:
            info["failed"] = True
            session.rollback()
            raise
        return
    info.update(depth=1, failed=False, after=[])
    begin_transaction(session())
    try:
        yield
        if info["failed"]:
            session.rollback()
        else:
            session.commit()
    except DBAPIError as error:
        session.rollback()
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
    except BaseException:
        session.rollback()
        raise
    finally:
        info["depth"] = 0
        end_transaction(session())
    if not info["failed"]:
        for call in info["after"]:
            call()


def after_commit(call: Callable[[], None]) -> None:
    """Do something once the current transaction has been written: enqueue a job, never write."""
    session().info.setdefault("after", []).append(call)


def lock(model: type[Row], pk: int) -> Row | None:
    """A row, locked against other writers until the transaction ends, with its values read anew."""
    locked = select(model).where(model.id == pk).with_for_update(of=model)  # type: ignore[attr-defined]
    return session.execute(locked.execution_options(populate_existing=True)).scalar_one_or_none()


def next_number(legal_entity_id: int, series: str, year: int | None = None) -> int:
    """The next number of a series of papers of this year: no gaps, no doubles.

    Locks the series until the transaction ends, so ask for it late.
    """
    year = year or clock.today().year
    return session.execute(
        text(
            "INSERT INTO number_series (legal_entity_id, series, year, last_number) VALUES (:entity, :series, :year, 1)"
            " ON CONFLICT (legal_entity_id, series, year) DO UPDATE SET last_number = number_series.last_number + 1"
            " RETURNING last_number"
        ),
        {"entity": legal_entity_id, "series": series, "year": year},
    ).scalar_one()


def next_numbers(legal_entity_id: int, series: Mapping[str, int]) -> dict[str, range]:
    """The next numbers of several series at once: `{"in": 2, "receipt": 1}` → their numbers, locked by name."""
    year = clock.today().year
    asked = sorted(series.items())
    rows = ", ".join(f"(:entity, :series{i}, :year, :many{i})" for i in range(len(asked)))
    values: dict[str, int | str] = {"entity": legal_entity_id, "year": year}
    for i, (name, many) in enumerate(asked):
        values |= {f"series{i}": name, f"many{i}": many}
    taken = session.execute(
        text(
            f"INSERT INTO number_series (legal_entity_id, series, year, last_number) VALUES {rows}"
            " ON CONFLICT (legal_entity_id, series, year)"
            " DO UPDATE SET last_number = number_series.last_number + EXCLUDED.last_number"
            " RETURNING series, last_number"
        ),
        values,
    )
    return {name: range(last - series[name] + 1, last + 1) for name, last in taken}


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(word, 0)) FROM unnest(CAST(:words AS text[])) AS word")


def lock_word(word: str) -> None:
    """Let one transaction at a time do what the word names (for instance a doctor's day)."""
    lock_words([word])


def lock_words(words: Iterable[str]) -> None:
    """Several words at once, in the same order for everybody, so that nobody waits crosswise."""
    session.execute(_LOCK, {"words": sorted(words)})


@event.listens_for(Session, "after_rollback")
def _forget(gone: Session) -> None:
    """What was to be done after a commit that did not happen is not done."""
    gone.info["after"] = []
