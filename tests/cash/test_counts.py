"""What is kept of a closing note by note, the limit of a drawer, categories that take each other's place."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import clock, errors
from app.access import Window
from app.cash import operations, queries, rules
from app.db import session, transaction
from app.models import CashDesk, CashMovement, ExpenseCategory
from app.reports import queries as reports
from tests.cash.test_operations import D, branch, category, moved, opened  # noqa: F401
from tests.conftest import Maker

PIECES = {D(5000): 1, D(100): 3, D("0.50"): 1}


def close(shift_id: int, counted: str, pieces: dict[Decimal, int] | None = None, **more: Any) -> None:
    with transaction():
        operations.close_shift(shift_id, D(counted), pieces=pieces, actor=None, **more)


def test_a_closing_is_kept_note_by_note(make, branch):  # noqa: F811
    shift = opened(make, branch, "5300.50")
    for wrong, counted in (({D(5000): 2}, "5300.50"), ({D(3): 1}, "3"), ({D(5000): -1}, "5300.50"), (PIECES, "5300")):
        with pytest.raises(errors.Invalid):
            close(shift.id, counted, wrong, reason="Проба")
    assert queries.counts_of(shift.id) == []
    close(shift.id, "5300.50", PIECES)
    assert queries.counts_of(shift.id) == [(D(5000), 1), (D(100), 3), (D("0.50"), 1)]
    plain = opened(make, branch, "5300.50")
    close(plain.id, "5300.50")
    assert queries.counts_of(plain.id) == []


def test_the_database_adds_the_notes_up(make, branch):  # noqa: F811
    shift = opened(make, branch, "100")
    for broken in (
        f"INSERT INTO cash_count VALUES ({shift.id}, 100, 1)",  # not closed yet
        f"INSERT INTO cash_count VALUES ({shift.id}, 100, 0)",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
            session.commit()
        session.rollback()
    close(shift.id, "100", {D(50): 2})
    for broken in (
        f"INSERT INTO cash_count VALUES ({shift.id}, 10, 1)",
        f"UPDATE cash_count SET pieces = 3 WHERE shift_id = {shift.id}",
        f"DELETE FROM cash_count WHERE shift_id = {shift.id}",
        "TRUNCATE cash_count",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
            session.commit()
        session.rollback()
    assert queries.counts_of(shift.id) == [(D(50), 2)]


def test_the_page_keeps_the_notes_and_warns_of_the_limit(make, branch, client_of):  # noqa: F811
    shift = opened(make, branch, "5300.50")
    session.get_one(CashDesk, branch.desk_id).cash_limit = D(5000)
    session.commit()
    desk, at = client_of("administrator"), f"/cash/shifts/{shift.id}/close"
    page = desk.get(at).text.replace("\u202f", " ")
    assert "300,50 ₽ лежит сверх лимита" in page
    assert "сверх лимита" in desk.get(f"/cash/?desk={branch.desk_id}").text
    form = {"counted": "5300,50", **{f"pieces_{n}": "" for n in range(1, 14)}}
    for wrong in ({"pieces_1": "-1"}, {"pieces_1": "1,5"}, {"pieces_1": "1"}, {"pieces_1": "²"}):
        refused = desk.post(at, data=form | wrong)
        assert refused.status_code == 422 and f'value="{wrong["pieces_1"]}"' in refused.text
    done = desk.post(at, data=form | {"pieces_1": "1", "pieces_6": "3", "pieces_12": "1", "pieces_2": "0"})
    assert done.status_code == 303
    report = desk.get(f"/cash/shifts/{shift.id}").text
    assert queries.counts_of(shift.id) == [(D(5000), 1), (D(100), 3), (D("0.50"), 1)] and "0,50" in report


@pytest.mark.parametrize(("balance", "limit", "over"), [("10", None, "0"), ("10", "10", "0"), ("10.01", "10", "0.01")])
def test_the_limit(balance: str, limit: str | None, over: str) -> None:
    assert rules.over_limit(D(balance), None if limit is None else D(limit)) == D(over)


# --- categories


def merge(make: Maker, one: ExpenseCategory, heir: ExpenseCategory, by: str = "director") -> None:
    with transaction():
        operations.merge_category(one.id, heir.id, actor=make.user(by))


def test_a_merged_category_is_counted_under_its_heir(make, branch):  # noqa: F811
    opened(make, branch, "1000")
    paper, office, supplies = (category(make, name) for name in ("Бумага", "Канцелярия", "Запасы"))
    part = category(make, "Скрепки")
    part.parent_id = paper.id
    session.commit()
    moved(make, branch, "withdrawal", "10", category_id=paper.id)
    moved(make, branch, "withdrawal", "5", category_id=office.id)
    merge(make, paper, office)
    merge(make, office, supplies)
    session.expire_all()
    assert (paper.merged_into_id, office.merged_into_id, part.parent_id) == (supplies.id, supplies.id, supplies.id)
    today = clock.today()
    out = {row["category"]: row["amount"] for row in reports.cash(Window(today, today), branch.id).totals["outgoing"]}
    assert out[supplies.name] == 15 and paper.name not in out and office.name not in out
    behind = reports.cash_operations(Window(today, today), branch.id, category=supplies.id)
    assert behind.totals["delta"] == -15 and behind.totals["count" if "count" in behind.totals else "out"]
    written = session.scalars(select(CashMovement.category_id).where(CashMovement.desk_id == branch.desk_id)).all()
    assert {paper.id, office.id} <= set(written)
    shift = queries.open_shift_of(branch.desk_id)
    assert queries.shift_report(shift).by_category == [(supplies.name, D(15))]
    with pytest.raises(errors.Invalid):
        moved(make, branch, "withdrawal", "1", category_id=paper.id)


def test_what_is_not_merged(make, client_of):
    one, two = category(make, "Первая"), category(make, "Вторая")
    inner = category(make, "Внутренняя")
    inner.parent_id = one.id
    session.commit()
    with pytest.raises(errors.NotAllowed):
        merge(make, one, two, by="senior")
    for wrong in (one, inner):
        with pytest.raises(errors.Invalid):
            merge(make, one, wrong)
    merge(make, two, one)
    for again in ((two, one), (inner, two)):
        with pytest.raises(errors.Invalid):
            merge(make, *again)
    page = client_of("director").get("/expense-categories/").text
    assert "Первая" in page and "→ " in page and "Объединить" in page
    assert "Объединить" not in client_of("administrator").get("/expense-categories/").text
    assert client_of("administrator").post(f"/expense-categories/{one.id}/merge", data={}).status_code == 403
    assert client_of("director").post(f"/expense-categories/{one.id}/merge", data={"heir_id": "x"}).status_code == 303


def test_an_administrator_sees_what_was_spent_today_only(make, branch, client_of):  # noqa: F811
    with clock.at(clock.wall_now() - timedelta(days=3)):
        shift = opened(make, branch, "1000")
        spent = category(make, "Давняя")
        moved(make, branch, "withdrawal", "777.77", category_id=spent.id)
        close(shift.id, "222.23")
    at = "/expense-categories/"
    assert "777,77" in client_of("director").get(at).text
    page = client_of("administrator").get(at).text
    assert spent.name in page and "777,77" not in page and "Операции сегодня" in page


def test_the_database_keeps_the_tree(make):
    one, two, merged = (category(make, name) for name in ("А", "Б", "В"))
    merge(make, merged, two)
    pk = {"one": one.id, "two": two.id, "merged": merged.id}
    for broken in (
        "UPDATE expense_category SET merged_into_id = :merged, archived = true WHERE id = :one",
        "UPDATE expense_category SET merged_into_id = :two, archived = false WHERE id = :one",
        "UPDATE expense_category SET merged_into_id = :one, archived = true WHERE id = :one",
        "UPDATE expense_category SET parent_id = CASE id WHEN :one THEN :two ELSE :one END WHERE id IN (:one, :two)",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken), pk)
            session.commit()
        session.rollback()


def test_crosswise_merges_leave_one_of_them(app: Flask, make):
    one, two = category(make, "Туда").id, category(make, "Сюда").id
    who, start, done = make.user("director").id, threading.Barrier(2), []

    def run(pair):
        with app.app_context():
            from app.models import User

            start.wait()
            try:
                with transaction():
                    operations.merge_category(*pair, actor=session.get(User, who))
                done.append("merged")
            except errors.Invalid:
                done.append("refused")
            finally:
                session.remove()

    threads = [threading.Thread(target=run, args=(pair,)) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.expire_all()
    living = [pk for pk in (one, two) if not session.get_one(ExpenseCategory, pk).archived]
    assert sorted(done) == ["merged", "refused"] and len(living) == 1
