"""How a request talks to the database: reading without transactions, what stays prepared, dead connections."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Integer, inspect, literal, select, text
from sqlalchemy.exc import DBAPIError

from app.billing.queries import lists
from app.connections import begin_request
from app.db import Fixed, given, session, transaction
from app.errors import NotFound
from app.models import ReferralSource
from tests.conftest import Maker, counted_statements


@pytest.fixture
def apart(app: Flask) -> Any:
    """A session of its own that reads, as a request that only looks."""
    with app.app_context():
        begin_request(session(), reads=True)
        yield session
        session.remove()


def _driver() -> Any:
    return session.connection().connection.driver_connection


def test_who_only_reads_needs_no_transaction(apart: Any) -> None:
    session.execute(text("SELECT 1"))
    assert _driver().autocommit and _driver().info.transaction_status.name == "IDLE"
    session.remove()
    session.execute(text("SELECT 1"))
    assert _driver().info.transaction_status.name == "INTRANS"


def test_a_transaction_is_one_all_the_same(apart: Any) -> None:
    session.execute(text("SELECT 1"))
    with pytest.raises(NotFound), transaction():
        session.add(ReferralSource(name="Не останется"))
        session.flush()
        assert _driver().info.transaction_status.name == "INTRANS"
        raise NotFound()
    assert session.scalar(text("SELECT count(*) FROM referral_source WHERE name = 'Не останется'")) == 0
    assert _driver().autocommit
    with transaction():
        session.add(ReferralSource(name="Останется"))
    assert session.scalar(text("SELECT count(*) FROM referral_source WHERE name = 'Останется'")) == 1


def test_after_its_transaction_a_request_reads(app: Flask, apart: Any) -> None:
    session.remove()
    begin_request(session(), reads=False)
    session.execute(text("SELECT 1"))
    assert _driver().info.transaction_status.name == "INTRANS"
    with transaction():
        session.execute(text("SELECT 1"))
    session.execute(text("SELECT 1"))
    assert _driver().info.transaction_status.name == "IDLE"


def test_a_change_outside_of_a_transaction_is_a_fault(apart: Any) -> None:
    session.add(ReferralSource(name="Нигде"))
    with pytest.raises(RuntimeError):
        session.flush()
    session.rollback()
    assert session.scalar(text("SELECT count(*) FROM referral_source WHERE name = 'Нигде'")) == 0


def test_what_is_prepared_stays_prepared(apart: Any) -> None:
    asked = Fixed(text("SELECT 'kept' AS word"))
    asked()
    backend = session.scalar(text("SELECT pg_backend_pid()"))
    session.remove()  # the request is over
    begin_request(session(), reads=True)
    assert session.scalar(text("SELECT pg_backend_pid()")) == backend
    kept = text("SELECT count(*) FROM pg_prepared_statements WHERE starts_with(statement, 'SELECT ''kept''')")
    assert session.scalar(kept) == 1
    asked()
    assert session.scalar(kept) == 1


def test_a_statement_is_planned_once_though_its_index_is_for_some_rows_only(apart: Any) -> None:
    """What does not change stands in the statement: a parameter would hide that the index of debtors fits."""
    for _ in range(8):
        lists.debtors()
    kept = text(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
        " WHERE statement LIKE '%patient_account.debt > 0%' AND statement LIKE '%last_visit%'"
    )
    generic, custom = session.execute(kept).one()
    assert generic >= 3 and custom <= 5


def test_a_plain_answer_knows_its_columns_by_name(apart: Any) -> None:
    asked = Fixed(select(literal("да").label("word"), given("number", Integer).label("number")))
    rows = asked(number=3)
    assert [(row.word, row.number) for row in rows] == [("да", 3)] and rows.one() == rows.first() == ("да", 3)
    nobody = Fixed(select(literal(1)).where(given("number", Integer) > 5))(number=3)
    assert (nobody.all(), nobody.first(), nobody.one_or_none()) == ([], None, None)
    with pytest.raises(ValueError, match="not enough"):
        nobody.one()


def test_a_broken_promise_is_told_as_of_any_statement(apart: Any) -> None:
    """A plain statement is refused with the error of the database, and its connection goes on."""
    with pytest.raises(DBAPIError):
        Fixed(select(literal(1) / given("number", Integer)))(number=0)
    session.rollback()
    assert session.scalar(text("SELECT 1")) == 1


def test_an_account_is_one_record_however_it_was_read(apart: Any, make: Maker) -> None:
    from app import access
    from app.models import User

    pk = make.user("administrator").id
    first = session.get_one(User, pk)
    read = access.load(pk)
    assert read is first and not inspect(read).modified
    session.expunge_all()
    again = access.load(pk)
    assert again is not None and again is session.get(User, pk) and again.username == first.username
    assert {role.name for role in again.roles} == again.account.roles


def test_a_connection_that_the_server_closed_is_not_used(app: Flask, apart: Any) -> None:
    backend = session.scalar(text("SELECT pg_backend_pid()"))
    session.remove()
    from app.db import db

    with db.engine.connect() as other, db.engine.connect() as killer:
        pids = [one.scalar(text("SELECT pg_backend_pid()")) for one in (other, killer)]
        victim, by = (other, killer) if pids[0] == backend else (killer, other)
        victim.rollback()
        by.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": backend})  # waits until it is gone
        by.rollback()
    for _ in range(3):
        assert session.scalar(text("SELECT 1")) == 1
        session.remove()


def test_a_page_that_shows_a_card_writes_who_looked(client_of: Any, make: Maker, app: Flask) -> None:
    pk, clerk = make.patient().id, client_of("administrator")
    for times in (1, 2):
        with counted_statements(app) as seen:
            assert clerk.get(f"/patients/{pk}").status_code == 200
        assert len(seen) <= 5, seen
        asked = text("SELECT times FROM card_opening WHERE patient_id = :id")
        assert session.scalar(asked, {"id": pk}) == times
        session.rollback()


def test_the_bar_is_of_this_account_at_this_moment(client_of: Any, app: Flask) -> None:
    """The bar is drawn once for many pages; never with another's name or rights, nor in another's language."""
    director, clerk = client_of("director"), client_of("administrator")

    def bar(client: Any, page: str = "/me/password") -> str:
        text: str = client.get(page).text
        return text[text.index('<header class="top') : text.index("</header>")]

    mine = bar(clerk)
    assert "/access/rights" not in mine and "Сотрудник" in mine
    assert bar(director) != mine and bar(clerk) == mine
    assert 'class="here"' in bar(clerk, "/patients/") and 'class="here"' not in mine
    clerk.get("/me/language/en")
    assert "Sign out" in bar(clerk) and "Выйти" in bar(director)
    clerk.get("/me/language/ru")
    assert bar(clerk) == mine
