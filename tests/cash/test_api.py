"""The cash desk over JSON, as the contract says it, and what it refuses."""

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.cash import operations
from app.db import session, transaction
from app.models import CashMovement

D = Decimal
HUGE = "9" * 1_000_000


@pytest.fixture
def branch(make):
    made = make.branch()
    with transaction():
        made.shift_id = operations.open_shift(made.desk_id, D(1000), reason="размен", actor=make.user()).id
    return made


def test_a_shift_by_the_contract(program, make):
    api, made = program("administrator"), make.branch()
    answer = api.post("cash/shifts/", {"desk_id": made.desk_id, "counted": "500.00"})
    assert (answer.status_code, answer.json["error"], answer.json["expected"]) == (422, "count_differs", "0.00")
    answer = api.post("cash/shifts/", {"desk_id": made.desk_id, "counted": "500.00", "reason": "размен"})
    assert (answer.status_code, answer.json["expected"]) == (201, "500.00")
    shift_id = answer.json["id"]
    desks = {row["id"]: row for row in api.get("cash/desks/").json["result"]}
    assert desks[made.desk_id] == {
        "id": made.desk_id, "name": "Касса", "kind": "main", "branch_id": made.id, "balance": "500.00",
        "open_shift_id": shift_id,
    }  # fmt: skip
    category = api.post("expense-categories/", {"name": f"Аренда {uuid4()}"})
    assert category.status_code == 201
    assert category.json["id"] in [row["id"] for row in api.get("expense-categories/?page_size=200").json["result"]]
    spent = api.post(
        "cash/movements/",
        {"desk_id": made.desk_id, "kind": "withdrawal", "amount": "120.00", "category_id": category.json["id"]},
    )
    assert spent.status_code == 201 and spent.json["number"] == 1
    back = api.post(f"cash/movements/{spent.json['id']}/reverse", {"reason": "ошибка"})
    assert (back.status_code, back.json["delta"]) == (201, "120.00")
    report = api.get(f"cash/shifts/{shift_id}").json
    assert (report["opening"], report["in"], report["out"], report["expected"]) == (
        "0.00",
        "620.00",
        "120.00",
        "500.00",
    )
    closed = api.post(f"cash/shifts/{shift_id}/close", {"counted": "500.00"})
    assert (closed.status_code, closed.json["difference"]) == (200, "0.00")
    again = api.post(f"cash/shifts/{shift_id}/close", {"counted": "500.00"})
    assert (again.status_code, again.json["error"]) == (409, "shift_closed")


def test_not_enough_cash_tells_what_is_left(program, branch):
    answer = program("administrator").post(
        "cash/movements/", {"desk_id": branch.desk_id, "kind": "collection", "amount": "1000.01", "comment": "В банк"}
    )
    assert (answer.status_code, answer.json["error"], answer.json["left"]) == (422, "not_enough_cash", "1000.00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"}, {"amount": "-5"}, {"amount": "NaN"}, {"amount": "1e5"}, {"amount": "0.001"}, {"amount": None},
        {"amount": True}, {"amount": ["5"]}, {"amount": HUGE}, {"amount": "99999999999"}, {"amount": "<b>5</b>"},
        {"kind": "payment"}, {"kind": "surplus"}, {"kind": 5}, {"kind": None}, {"kind": HUGE},
        {"desk_id": 0}, {"desk_id": -1}, {"desk_id": "x"}, {"desk_id": 2**31}, {"desk_id": 10**30}, {"desk_id": True},
        {"category_id": 2**30}, {"category_id": "x"}, {"kind": "withdrawal"}, {"kind": "transfer"},
        {"kind": "transfer", "to_desk_id": 2**31}, {"to_desk_id": 1}, {"comment": "a\x00b"}, {"comment": HUGE},
        {"comment": 5}, {"counterparty": "x" * 201}, {"unknown": 1}, {"id": 1},
    ],
)  # fmt: skip
def test_bad_movements_are_sentences_and_write_nothing(program, branch, wrong):
    answer = program("administrator").post(
        "cash/movements/", {"desk_id": branch.desk_id, "kind": "pay_in", "amount": "5.00", **wrong}
    )
    assert answer.status_code == 422, answer.json
    assert answer.json["message"]
    written = session.scalar(
        select(func.count()).select_from(CashMovement).where(CashMovement.desk_id == branch.desk_id)
    )
    assert written == 1  # the surplus of the opening


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b"[" * 100_000, b"\xff\xfe", b'{"desk_id": 1' + b" " * 10]
)
def test_what_is_not_json(program, body):
    api = program("administrator")
    answer = api.client.post("/api/v1/cash/movements/", data=body, headers=api.headers, content_type="application/json")
    assert answer.status_code == 422 and answer.json["message"]


def test_ids_of_nothing(program, branch):
    api = program("administrator")
    for path, body in (
        ("cash/shifts/999999999/close", {"counted": "1"}), ("cash/shifts/99999999999999/close", {"counted": "1"}),
        ("cash/movements/999999999/reverse", {"reason": "x"}),
    ):  # fmt: skip
        assert api.post(path, body).status_code == 404
    assert api.post("cash/shifts/", {"desk_id": 2**30, "counted": "1"}).status_code == 404
    assert api.get("cash/shifts/99999999999").status_code == 404


def test_every_post_is_done_once(program, branch):
    api = program("administrator")
    for path, body in (
        ("cash/movements/", {"desk_id": branch.desk_id, "kind": "pay_in", "amount": "7.00"}),
        ("expense-categories/", {"name": f"Такси {uuid4()}"}),
        ("cash/shifts/", {"desk_id": branch.desk_id, "counted": "5"}),  # refused, and the refusal is remembered
    ):
        key = uuid4()
        first, second = api.post(path, body, key=key), api.post(path, body, key=key)
        assert (first.status_code, first.json) == (second.status_code, second.json)
        assert second.headers["Idempotent-Replayed"] == "true"
        reused = api.post(path, {**body, "amount": "8.00"}, key=key)
        assert (reused.status_code, reused.json["error"]) == (422, "key_reused")
    moved = api.post("cash/movements/", {"desk_id": branch.desk_id, "kind": "pay_in", "amount": "1"})
    for path, body in (
        (f"cash/movements/{moved.json['id']}/reverse", {"reason": "x"}),
        (f"cash/shifts/{branch.shift_id}/close", {"counted": "1007.00"}),
    ):
        key = uuid4()
        first, second = api.post(path, body, key=key), api.post(path, body, key=key)
        assert first.status_code < 300 and (first.status_code, first.json) == (second.status_code, second.json)


def test_who_may(program, branch, app):
    doctor = program("doctor")
    calls = (
        ("cash/shifts/", {"desk_id": branch.desk_id, "counted": "1"}),
        (f"cash/shifts/{branch.shift_id}/close", {"counted": "1000"}),
        ("cash/movements/", {"desk_id": branch.desk_id, "kind": "pay_in", "amount": "1"}),
        ("cash/movements/1/reverse", {"reason": "x"}),
        ("expense-categories/", {"name": "Чужая"}),
    )
    for path, body in calls:
        assert doctor.post(path, body).status_code == 403
        assert app.test_client().post(f"/api/v1/{path}", json=body).status_code == 401
    for path in ("cash/desks/", f"cash/shifts/{branch.shift_id}", "expense-categories/"):
        assert doctor.get(path).status_code == 403
        assert app.test_client().get(f"/api/v1/{path}").status_code == 401
    correction = {"desk_id": branch.desk_id, "kind": "correction", "amount": "-10.00", "comment": "Опечатка"}
    assert program("senior").post("cash/movements/", correction).status_code == 403
    answer = program("director").post("cash/movements/", correction)
    assert (answer.status_code, answer.json["balance"]) == (201, "990.00")


def test_the_x_report_of_another_day_needs_the_window(program, make):
    from datetime import timedelta

    from app import clock

    made = make.branch()
    with clock.at(clock.wall_now() - timedelta(days=3)):
        with transaction():
            pk = operations.open_shift(made.desk_id, D(0), actor=make.user()).id
        with transaction():
            operations.close_shift(pk, D(0), actor=make.user())
    answer = program("administrator").get(f"cash/shifts/{pk}")
    assert (answer.status_code, answer.json["error"]) == (403, "outside_window")
    assert program("director").get(f"cash/shifts/{pk}").status_code == 200
