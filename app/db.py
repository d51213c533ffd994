"""The database session, the only place that commits, and broken promises as refusals.

`with transaction():` is the edge of a change: pages, jobs and commands open it, operations only flush.
Where next: `app/errors.py` for the refusals, `app/tables/` for the constraints.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import cache, cached_property, lru_cache, partial
from itertools import count, groupby
from typing import Any, NamedTuple, TypeVar

from flask_appbuilder.models.sqla.base import SQLA
from psycopg import errors as pg
from psycopg.types.json import Jsonb
from sqlalchemy import JSON, BindParameter, ClauseElement, ColumnElement, bindparam, event, func, inspect, select, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, make_transient_to_detached, scoped_session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql import Select, visitors

from app import clock
from app.connections import ANEW, NUMBERED, PLAIN, Rows, begin_transaction, end_transaction
from app.errors import (
    AlreadyIssued,
    AlreadyReversed,
    AlreadyThere,
    CardErased,
    CardMerged,
    CertificateExists,
    CertificateSpent,
    DeskStays,
    DirectoryInUse,
    HoursTaken,
    Invalid,
    NotCancellable,
    NotDue,
    NotEnoughAdvance,
    NotEnoughCash,
    NothingToReverse,
    NumberTooLarge,
    OrderReversed,
    OverRefund,
    Refusal,
    ScanTakenBack,
    ShiftClosed,
    ShiftOpen,
    SlotTaken,
    Stale,
    WrongDesk,
)
from app.vocab import N_

Row = TypeVar("Row")

db = SQLA()
session: scoped_session[Session] = db.session


def given(name: str, type_: Any = None) -> BindParameter[Any]:
    """A value of a `Fixed` statement, which comes with each call."""
    return bindparam(name, type_=type_, required=True)


class Fixed:
    """A statement that is always the same but for its values, the `given`s: compiled once, sent as it is.

    For what is asked all day long: to build and compile a statement anew takes longer than the database needs to
    answer it. What was changed in the session is written first, as before any query. What is not given stands in the
    statement as it is, so that the database may plan it once: with a parameter in its place it would not see that a
    partial index fits, and would plan anew each time, which takes it as long as the rest.

    `anew`: it is planned each time all the same. How a name begins may be rare or half of the clinic, and a plan that
    does not know it reads an index from end to end for either.
    """

    def __init__(self, statement: ClauseElement, *, anew: bool = False) -> None:
        self._statement = statement
        self._options = ANEW if anew else PLAIN

    @cached_property
    def _compiled(self) -> str:
        plain = visitors.cloned_traverse(self._statement, {}, {"bindparam": _as_it_is})
        return str(plain.compile(dialect=PGDialect_psycopg(), compile_kwargs={"render_postcompile": True}))

    def __call__(self, **values: Any) -> Rows:
        """Send it with these values. What comes back is as the driver reads it: no type of a column is asked."""
        session.flush()
        answer: Any = session.connection().exec_driver_sql(self._compiled, values, self._options)
        return answer


def _as_it_is(value: BindParameter[Any]) -> None:
    """A value stands in the statement, but for those that come with each call, which are not missed before."""
    value.literal_execute, value.required = not value.required, False


def holds(column: Any, words: str) -> ColumnElement[bool]:
    """The condition that a column holds these words, in capitals or not; nobody types ё, so е finds it too."""
    folded: ColumnElement[str] = func.replace(func.lower(column), "ё", "е")
    return folded.contains(words.lower().replace("ё", "е"), autoescape=True)


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
    "ck_payment_of_one_entity": WrongDesk,
    "ck_patient_account_advance_not_negative": lambda: NotEnoughAdvance(left="0.00"),
    "ck_patient_erased_stays": CardErased,
    "ck_patient_erased_is_archived": CardErased,
    "ck_patient_erased_takes_nothing": CardErased,
    "ck_patient_merged_takes_nothing": CardMerged,
    "uq_certificate_number": CertificateExists,
    "ck_certificate_balance_within_amount": lambda: CertificateSpent({"left": "0,00", "number": ""}, left="0.00"),
    "ck_cash_desk_balance_not_negative": lambda: NotEnoughCash({"left": "0,00", "desk": ""}, left="0.00"),
    "ck_cash_desk_moved_stays": DeskStays,
    "ck_cash_movement_category_living": lambda: Invalid(
        fields={"category_id": N_("There is no such expense category.")}
    ),
    "ck_medical_record_follows_newest": Stale,
    "uq_diary_entry_corrected_once": Stale,
    "ck_cash_movement_shift_open": lambda: ShiftClosed(desk=""),
    "uq_cash_shift_one_open_per_desk": ShiftOpen,
    "uq_cash_movement_reversed_once": AlreadyReversed,
    "uq_mistaken_scan_once": ScanTakenBack,
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
        case pg.NumericValueOutOfRange():
            return NumberTooLarge()
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
        except BaseException as error:
            info["failed"] = True
            session.rollback()
            refusal = refusal_of(error) if isinstance(error, DBAPIError) else None
            if refusal is not None:
                raise refusal from error
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
    """Do something once the current transaction has been written: enqueue a job; what writes opens its own."""
    session().info.setdefault("after", []).append(call)


def page_of(
    statement: Select[Any], model: Any, *conditions: Any, order: Iterable[Any], limit: int, offset: int
) -> tuple[int, Sequence[Any]]:
    """How many rows of `model` meet the conditions, and a page of them as `statement` reads them; one statement.

    A page beyond the last, as when the list has grown shorter meanwhile, becomes the first.
    """
    order = tuple(order)
    of_page = (
        select(model.id, func.count().over().label("in_all"))
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    found = session.execute(
        statement.add_columns(of_page.c.in_all).join(of_page, of_page.c.id == model.id).order_by(*order)
    ).all()
    if not found and offset:
        return page_of(statement, model, *conditions, order=order, limit=limit, offset=0)
    return (found[0].in_all if found else 0), found


def lock(model: type[Row], pk: int) -> Row | None:
    """A row, locked against other writers until the transaction ends, with its values read anew."""
    locked = select(model).where(model.id == pk).with_for_update(of=model)  # type: ignore[attr-defined]
    return session.execute(locked.execution_options(populate_existing=True)).scalar_one_or_none()


#: The series are locked by name, so that nobody waits crosswise.
_RESERVE = Fixed(
    text("""
    WITH taken AS (
        INSERT INTO number_series AS known (legal_entity_id, series, year, last_number)
        SELECT :entity, name, :year, many
        FROM unnest(CAST(:names AS text[]), CAST(:many AS int[])) AS asked (name, many) ORDER BY name
        ON CONFLICT (legal_entity_id, series, year)
        DO UPDATE SET last_number = known.last_number + EXCLUDED.last_number
        RETURNING series, last_number
    )
    SELECT true AS of_series, series AS name, last_number AS number FROM taken
    UNION ALL
    SELECT false, name, nextval(pg_get_serial_sequence(name, 'id')) FROM unnest(CAST(:tables AS text[])) AS name
    """)
)


def reserve(
    legal_entity_id: int, series: Mapping[str, int], rows: Mapping[type[Any], int] | None = None
) -> tuple[dict[str, range], dict[type[Any], list[int]]]:
    """The next numbers of several series of papers of this year, and ids of rows that are about to be written.

    `{"in": 2, "receipt": 1}` → their numbers: no gaps, no doubles. Locks the series until the transaction ends, so ask
    for them late. `{Payment: 1}` → its id, for `write`; an id that is not used is lost, and nobody minds.
    """
    tables = [model.__tablename__ for model, many in (rows or {}).items() for _ in range(many)]
    found = _RESERVE(
        entity=legal_entity_id, year=clock.today().year, names=list(series), many=list(series.values()), tables=tables
    ).all()
    last = {row.name: row.number for row in found if row.of_series}
    numbers = {name: range(last[name] - many + 1, last[name] + 1) for name, many in series.items()}
    ids: dict[type[Any], list[int]] = {
        model: [row.number for row in found if not row.of_series and row.name == model.__tablename__]
        for model in rows or {}
    }
    return numbers, ids


def next_numbers(legal_entity_id: int, series: Mapping[str, int]) -> dict[str, range]:
    """The next numbers of several series at once: `{"in": 2, "receipt": 1}` → their numbers."""
    return reserve(legal_entity_id, series)[0]


def next_number(legal_entity_id: int, series: str) -> int:
    """The next number of a series of papers of this year: no gaps, no doubles."""
    return next_numbers(legal_entity_id, {series: 1})[series][0]


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(word, 0)) FROM unnest(CAST(:words AS text[])) AS word")


def lock_word(word: str) -> None:
    """Let one transaction at a time do what the word names (for instance a doctor's day)."""
    lock_words([word])


def lock_words(words: Iterable[str]) -> None:
    """Several words at once, in the same order for everybody, so that nobody waits crosswise."""
    session.execute(_LOCK, {"words": sorted(words)})


def as_loaded(model: type[Row], values: Mapping[str, Any]) -> Row:
    """The record whose columns a `Fixed` statement has read, as if the session had read it itself."""
    mapper = inspect(model)
    pk = tuple(values[mapper.get_property_by_column(column).key] for column in mapper.primary_key)
    found = session.identity_map.get(mapper.identity_key_from_primary_key(pk))
    record: Any = model() if found is None else found
    for name, value in values.items():
        set_committed_value(record, name, value)
    if found is None:
        make_transient_to_detached(record)
        session.add(record)
    return record


# --- many rows at once ----------------------------------------------------------------------------------


class _Column(NamedTuple):
    """A column of a row that is written: its attribute and name in SQL, what it is when nothing was said, JSON or not.

    What the database itself fills in is left to it.
    """

    key: str
    name: str
    default: Callable[[], Any] | None
    by_database: bool
    json: bool


@cache
def _columns(model: type[Any]) -> list[_Column]:
    columns: list[_Column] = []
    for prop in inspect(model).column_attrs:
        column = prop.columns[0]
        by_database = column.server_default is not None or column.primary_key
        default: Callable[[], Any] | None = None
        if not by_database and column.default is not None:
            default = (
                partial(column.default.arg, None) if column.default.is_callable else partial(_same, column.default.arg)
            )
        json = isinstance(column.type, JSON)
        columns.append(_Column(prop.key, _quoted(column.name), default, by_database, json))
    return columns


def _same(value: Any) -> Any:
    return value


_quoted = PGDialect_psycopg().identifier_preparer.quote


def write(rows: Iterable[Any]) -> None:
    """Write new rows of several tables with one statement, and take those that have their ids into the session.

    For what is written together all day long: one way to the database instead of one for each table. The rows name each
    other by ids from `reserve`. Constraints and triggers look when all of them are there. What is None is left out.
    """
    session.flush()
    rows = list(rows)
    shape: list[tuple[type[Any], tuple[str, ...]]] = []
    values: list[Any] = []
    for row in rows:
        names = []
        model: Any = type(row)
        for key, name, default, by_database, json in _columns(model):
            if key not in row.__dict__ and not by_database:
                setattr(row, key, default() if default else None)
            value = row.__dict__.get(key)
            if value is not None or (json and key in row.__dict__):
                names.append(name)
                values.append(Jsonb(value) if json else str(value) if isinstance(value, StrEnum) else value)
        shape.append((model, tuple(names)))
    session.connection().exec_driver_sql(_insert(tuple(shape)), tuple(values), NUMBERED)
    known = [row for row in rows if None not in inspect(type(row)).primary_key_from_instance(row)]
    for row in known:
        make_transient_to_detached(row)
    session.add_all(known)


@lru_cache(maxsize=500)
def _insert(shape: tuple[tuple[type[Any], tuple[str, ...]], ...]) -> str:
    """The statement for rows of these tables with these columns; rows of one kind that stand together go together."""
    parts = []
    place = count(1)
    for number, ((model, names), alike) in enumerate(groupby(shape)):
        many = ", ".join(f"({', '.join(f'${next(place)}' for _ in names)})" for _ in alike)
        table = _quoted(model.__tablename__)
        parts.append(f"w{number} AS (INSERT INTO {table} ({', '.join(names)}) VALUES {many})")
    return f"WITH {', '.join(parts)} SELECT"


@event.listens_for(Session, "after_rollback")
def _forget(gone: Session) -> None:
    """What was to be done after a commit that did not happen is not done."""
    gone.info["after"] = []
