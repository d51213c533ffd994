"""How a request talks to the database: few round trips, and nothing planned twice.

A page that only reads needs no BEGIN and no ROLLBACK around it: each statement stands alone until a `transaction()`
begins, and again after it. So what is `PREPARED` stays so: the server parses it once a connection, and the driver
forgets all with every ROLLBACK. A connection that the server closed is noticed without asking it. Where next:
`app/db.py`.
"""

import select
import time
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGExecutionContext_psycopg
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import Pool

#: The execution options of a statement that the server keeps prepared.
PREPARED = {"prepared": True}
#: The same, and its answer is taken as the driver gives it: `Rows`.
PLAIN = {"prepared": True, "plain": True}
#: Answered so too, but planned each time, for the values that are asked.
ANEW = {"prepared": False, "plain": True}
#: A statement whose values stand in it by number, as the server knows them: the driver need not read it.
NUMBERED = {"numbered": True}
#: So many statements stay prepared on a connection; past them the one that was asked longest ago is forgotten.
MOST_PREPARED = 400
#: A connection that lay unused for so many seconds is asked whether it lives: a network may have dropped it silently.
SILENT = 30


class Rows(list[Any]):
    """What a statement answered, read to the end: tuples that know their columns by name."""

    def all(self) -> "Rows":
        return self

    def one(self) -> Any:
        (row,) = self
        return row

    def one_or_none(self) -> Any:
        return self.one() if self else None

    def first(self) -> Any:
        return self[0] if self else None


class _Context(PGExecutionContext_psycopg):
    """How a statement is carried out; a `PLAIN` one without SQLAlchemy's account of the columns.

    It would be made anew for each answer, and takes longer than the rest of what Python does for a short one.
    """

    def create_cursor(self) -> Any:
        pooled: Any = self._dbapi_connection
        if self.execution_options.get("numbered"):
            return psycopg.RawCursor(pooled.driver_connection)
        if not self.execution_options.get("plain"):
            return super().create_cursor()
        return pooled.driver_connection.cursor(row_factory=namedtuple_row)

    def _setup_result_proxy(self) -> Any:
        if not self.execution_options.get("plain"):
            return super()._setup_result_proxy()
        return Rows(() if self.cursor.rownumber is None else self.cursor.fetchall())


PGDialect_psycopg.execution_ctx_cls = _Context


def begin_request(session: Session, *, reads: bool) -> None:
    """A request begins; `reads`: one that changes nothing but within `transaction()`. Its session ends with it."""
    session.info["request"] = True
    _reading(session, reads)


def begin_transaction(session: Session) -> None:
    """What follows belongs together."""
    _reading(session, False)


def end_transaction(session: Session) -> None:
    """What was written is written; what a request does afterwards is reading."""
    _reading(session, session.info.get("request", False))


def _reading(session: Session, on: bool) -> None:
    """Let each statement stand alone, or not. A transaction that has begun goes on as it is.

    At the usual isolation a reader's statements do not share a snapshot anyway.
    """
    session.info["reading"] = on
    if session.in_transaction():
        _stand_alone(session.connection(), on)


def _stand_alone(connection: Connection, on: bool) -> None:
    driver = connection.connection.driver_connection
    if driver is not None and driver.info.transaction_status == TransactionStatus.IDLE:
        driver.autocommit = on


@event.listens_for(Session, "after_begin")
def _begin(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if session.info.get("reading"):
        _stand_alone(connection, True)


@event.listens_for(Session, "before_flush")
def _refuse_unwritten(session: Session, _context: Any, _instances: Any) -> None:
    """A change outside of `transaction()` would be written at once, piece by piece."""
    if session.info.get("reading"):
        raise RuntimeError("a change outside of transaction()")


@event.listens_for(Engine, "do_execute")
def _prepared(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    if context is None or "prepared" not in context.execution_options:
        return False
    cursor.execute(statement, parameters, prepare=context.execution_options["prepared"])
    return True


@event.listens_for(Pool, "connect")
def _made(driver: Any, _record: Any) -> None:
    driver.prepared_max = MOST_PREPARED


@event.listens_for(Pool, "checkin")
def _laid_aside(driver: Any, record: Any) -> None:
    record.info["since"] = time.monotonic()
    if driver is not None and not driver.closed:
        driver.autocommit = False


@event.listens_for(Pool, "checkout")
def _taken(driver: Any, record: Any, _proxy: Any) -> None:
    """What the server said last to an unused connection is that it is closed: then another one is made."""
    since = record.info.get("since")
    if since is None:
        return
    said, _, _ = select.select([driver.pgconn.socket], [], [], 0)
    if said or (time.monotonic() - since > SILENT and not _answers(driver)):
        raise DisconnectionError()


def _answers(driver: psycopg.Connection[Any]) -> bool:
    driver.autocommit = True
    try:
        driver.execute("SELECT 1")
    except psycopg.Error:
        return False
    driver.autocommit = False
    return True
