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
from app.db import constraint_of, session, transaction
from app.models import CashDesk, CashMovement, ExpenseCategory, User
from app.reports import queries as reports
from tests.cash.test_operations import D, branch, category, moved, opened  # noqa: F401
from tests.conftest import Maker
from tests.patients.test_races import one_behind_the_other

PIECES = {D(5000): 1, D(100): 3, D("0.50"): 1}


def close(shift_id: int, counted: str, pieces: dict[Decimal, int] | None = None, **more: Any) -> None:
    with transaction():
        operations.close_shift(shift_id, D(counted), pieces=pieces, actor=None, **more)


def test_a_closing_is_kept_note_by_note(make, branch):  # noqa: F811
    shift = opened(make, branch, "5300.50")
    for wrong, counted in (({D(5000): 2}, "5300.50"), ({D(3): 1}, "3"), ({D(5000): -1}, "5300.50"), (PIECES, "5300")):
        with pytest.raises(errors.Invalid):
            close(shift.id, counted, wrong, reason="Проба")
    assert queries.counts_of(shift.id) == {}
    close(shift.id, "5300.50", PIECES)
    assert queries.counts_of(shift.id) == {"closing": [(D(5000), 1), (D(100), 3), (D("0.50"), 1)]}
    plain = opened(make, branch, "5300.50")
    close(plain.id, "5300.50")
    assert queries.counts_of(plain.id) == {}


@pytest.mark.parametrize("counted", ["100", "107.50", "110"])
def test_the_report_of_a_closed_shift_adds_up(make, branch, counted: str):  # noqa: F811
    """What the count found stands below what must be there, and is not in the sums above it."""
    shift = opened(make, branch, "100")
    moved(make, branch, "pay_in", "7.50")
    close(shift.id, counted, reason="Пересчитали")
    report = queries.shift_report(shift)
    assert report.opening + report.came_in - report.went_out == report.expected == shift.expected == D("107.50")
    assert sum(line.amount for line in report.lines) == D("107.50")
    assert shift.difference == D(counted) - D("107.50")


def test_the_database_adds_the_notes_up(make, branch):  # noqa: F811
    shift = opened(make, branch, "100")
    for broken in (
        f"INSERT INTO cash_count VALUES ({shift.id}, 100, 1, 'closing')",  # not closed yet
        f"INSERT INTO cash_count VALUES ({shift.id}, 100, 0, 'closing')",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
            session.commit()
        session.rollback()
    close(shift.id, "100", {D(50): 2})
    for broken in (
        f"INSERT INTO cash_count VALUES ({shift.id}, 10, 1, 'closing')",
        f"UPDATE cash_count SET pieces = 3 WHERE shift_id = {shift.id}",
        f"DELETE FROM cash_count WHERE shift_id = {shift.id}",
        f"INSERT INTO cash_count VALUES ({shift.id}, 100, 2, 'opening')",
        "TRUNCATE cash_count",
    ):
        with pytest.raises(IntegrityError):
            session.execute(text(broken))
            session.commit()
        session.rollback()
    assert queries.counts_of(shift.id) == {"closing": [(D(50), 2)]}


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
    assert queries.counts_of(shift.id) == {"closing": [(D(5000), 1), (D(100), 3), (D("0.50"), 1)]} and "0,50" in report


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


def test_a_merge_that_would_go_in_a_circle_is_told(make, client_of):
    """Of a category into a part of its part, and of a category put into its own part: a sentence each."""
    whole, part, inner = (category(make, name) for name in ("Целое", "Часть", "Внутри"))
    part.parent_id, inner.parent_id = whole.id, part.id
    session.commit()
    director = client_of("director")
    page = director.post(
        f"/expense-categories/{whole.id}/merge", data={"heir_id": inner.id}, follow_redirects=True
    ).text
    assert "Выберите действующую статью, не входящую в эту." in page
    for wrong in (inner, whole):
        sent = {"name": whole.name, "parent": str(wrong.id)}
        answer = director.post(f"/expense-category-list/edit/{whole.id}", data=sent)
        assert answer.status_code == 422
        field = answer.text[answer.text.index('name="parent"') :]
        assert "Выберите действующую статью, не входящую в эту." in field[: field.index("form-group")]
    session.expire_all()
    assert (whole.parent_id, whole.merged_into_id) == (None, None)


def test_a_merge_that_the_database_refuses_is_told(make, client_of, monkeypatch):
    """What came between the check and the writing: the box is not empty."""
    whole, part = category(make, "Целое"), category(make, "Часть")
    part.parent_id = whole.id
    session.commit()
    monkeypatch.setattr(queries, "is_part_of", lambda *_: False)
    page = (
        client_of("director")
        .post(f"/expense-categories/{whole.id}/merge", data={"heir_id": part.id}, follow_redirects=True)
        .text
    )
    assert "Некоторые поля заполнены неверно" in page


def test_the_tree_counts_a_merged_category_where_it_was_merged_into(make, branch):  # noqa: F811
    opened(make, branch, "1000")
    paper, office = category(make, "Бумага"), category(make, "Канцелярия")
    moved(make, branch, "withdrawal", "10", category_id=paper.id)
    moved(make, branch, "withdrawal", "5", category_id=office.id)
    merge(make, paper, office)
    lines = {line.category.id: (line.count, line.spent) for line in queries.category_tree()}
    assert lines[office.id] == (2, D(15)) and lines[paper.id] == (0, D(0))


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


def test_an_opening_is_kept_note_by_note(make, branch, client_of):  # noqa: F811
    first = opened(make, branch, "100")
    close(first.id, "100")
    desk = client_of("administrator")
    at = f"/cash/desks/{branch.desk_id}/open"
    notes = {"pieces_6": "1", "pieces_8": "1"}  # 100 + 10
    assert "Причина" in desk.get(f"/cash/?desk={branch.desk_id}").text
    assert desk.post(at, data={"counted": "120", "reason": "Нашли", **notes}).status_code == 422
    page = desk.post(at, data={"counted": "110", **notes})
    assert page.status_code == 422 and 'value="1"' in page.text and "<details open>" in page.text
    assert desk.post(at, data={"counted": "110", "reason": "Нашли под ящиком", **notes}).status_code == 303
    shift = queries.open_shift_of(branch.desk_id)
    assert (shift.opening, shift.opened_with, shift.open_reason) == (D(100), D(110), "Нашли под ящиком")
    assert queries.counts_of(shift.id) == {"opening": [(D(100), 1), (D(10), 1)]}
    report = desk.get(f"/cash/shifts/{shift.id}").text
    assert "Пересчитано при открытии" in report and "Нашли под ящиком" in report and "110,00" in report
    with clock.at(clock.wall_now() + timedelta(days=1)):
        assert "Нашли под ящиком" not in client_of("administrator").get(f"/cash/shifts/{shift.id}").text


def refused(*statements: str, **values: Any) -> str | None:
    """The constraint that refuses these statements of one transaction."""
    try:
        for one in statements:
            session.execute(text(one), values)
        session.commit()
        return None
    except IntegrityError as error:
        return constraint_of(error)
    finally:
        session.rollback()


def test_the_database_keeps_the_figures_of_a_shift(make, branch):  # noqa: F811
    shift = opened(make, branch, "100")
    close(shift.id, "100")
    new = (
        "INSERT INTO cash_shift (desk_id, number, opened_at, business_day, opening, opened_with, open_reason)"
        " VALUES (:desk, {}, now(), current_date, {})"
    )
    desk = {"desk": branch.desk_id}
    assert refused(new.format(2, "99, 99, ''"), **desk) == "ck_cash_shift_follows"
    assert refused(new.format(3, "100, 100, ''"), **desk) == "ck_cash_shift_follows"
    assert refused(new.format(2, "100, 90, ''"), **desk) == "ck_cash_shift_opening_reason"
    assert refused(new.format(2, "100, 90, 'Нет'"), **desk) == "ck_cash_shift_opening_adds_up"
    second = opened(make, branch, "100")
    done = "UPDATE cash_shift SET closed_at = now(), expected = {}, counted = {}, close_reason = '{}' WHERE id = :pk"
    for figures, constraint in (
        ((100, 90, ""), "ck_cash_shift_closing_reason"),
        ((100, 90, "Нет"), "ck_cash_shift_closing_adds_up"),
        ((90, 90, ""), "ck_cash_shift_closing_adds_up"),
        ((90, 100, "Есть"), "ck_cash_shift_closing_adds_up"),
    ):
        assert refused(done.format(*figures), pk=second.id) == constraint
    assert refused("UPDATE cash_shift SET open_reason = 'Иначе' WHERE id = :pk", pk=second.id) == (
        "ck_cash_shift_unchanged"
    )
    assert refused(done.format(100, 100, ""), pk=second.id) is None


def test_two_changes_that_are_right_alone_make_no_circle(app: Flask, make):
    """One puts А under Б, the other Б under А; one merges А into Б, the other Б into В."""
    one, two, third = (category(make, name).id for name in ("А", "Б", "В"))
    parent = "UPDATE expense_category SET parent_id = {} WHERE id = {}"
    merged = "UPDATE expense_category SET archived = true, merged_into_id = {} WHERE id = {}"
    for statement, pairs in ((parent, ((one, two), (two, one))), (merged, ((two, one), (third, two)))):
        start, came = threading.Barrier(2), []

        def run(statement: str, heir: int, pk: int, start=start, came=came) -> None:
            with app.app_context():
                start.wait()
                came.append(refused(statement.format(heir, pk)))
                session.remove()

        threads = [threading.Thread(target=run, args=(statement, *pair)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(name is None for name in came) == [False, True], came
    assert not [found for found in reports.PROMISES if found.name == "category_tree" and reports.breaches(found)]


@pytest.mark.servers
def test_a_withdrawal_waits_for_who_archives_its_category(app: Flask, make, branch):  # noqa: F811
    """The page offered the category; it is in the archive when the money is to be written down."""
    shift, pk = opened(make, branch, "100"), category(make, "Уходит в архив").id
    desk_id, by = shift.desk_id, make.user("director").id

    def archived() -> bool:
        session.get_one(ExpenseCategory, pk).archived = True
        session.flush()
        return True

    def withdrawn() -> int:
        actor = session.get_one(User, by)
        return operations.move(desk_id, "withdrawal", D(10), category_id=pk, actor=actor).id

    gone, refusal = one_behind_the_other(app, archived, withdrawn)
    assert gone is True and isinstance(refusal, errors.Invalid) and "category_id" in refusal.facts["fields"]
    session.expire_all()
    assert session.get_one(CashDesk, desk_id).balance == 100


def test_nothing_is_put_under_a_merged_category(make, client_of):
    one, two, part = (category(make, name).id for name in ("Бывшая", "Нынешняя", "Часть"))
    with transaction():
        operations.merge_category(one, two, actor=make.user("director"))
    assert refused("UPDATE expense_category SET parent_id = :one WHERE id = :part", one=one, part=part) == (
        "ck_expense_category_parent_living"
    )
