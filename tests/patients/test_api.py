"""The contract of patients, word for word, and what happens to nonsense."""

# ruff: noqa: E501  tables of nonsense read better in whole lines

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.conftest import Maker


def test_contract(program: Any, make: Maker) -> None:
    api = program("administrator")
    body = {
        "surname": "Договорова",
        "name": "Нина",
        "birth_date": "1991-05-06",
        "sex": "female",
        "phone": "89167771122",
    }
    answer = api.post("patients/", body)
    assert answer.status_code == 201
    assert {"id", "card_number", "status", "possible_duplicates"} <= set(answer.json)
    assert answer.json["status"] == "active"
    pk = answer.json["id"]
    [row] = api.get("patients/?q=договорова нин").json["result"]
    assert {"id", "card_number", "full_name", "birth_date", "phones", "last_visit", "balance"} <= set(row)
    assert row["full_name"] == "Договорова Нина" and row["birth_date"] == "1991-05-06"
    card = api.get(f"patients/{pk}").json
    changed = api.patch(f"patients/{pk}", {"version": card["version"], "comment": "Звонить после шести"})
    assert changed.status_code == 200 and changed.json["comment"] == "Звонить после шести"
    stale = api.patch(f"patients/{pk}", {"version": card["version"], "comment": "Другое"})
    assert (stale.status_code, stale.json["error"]) == (409, "stale")
    assert stale.json["current"]["comment"] == "Звонить после шести"
    assert api.get(f"patients/{pk}/balance").json == {"debt": "0.00", "advance": "0.00"}
    assert set(api.get(f"patients/{pk}/statistics").json) == {
        "total", "completed", "cancelled_by_patient", "cancelled_by_clinic", "no_shows", "moves", "late_cancellations",
        "first_visit", "last_visit", "next_visit", "billed", "paid", "average_bill",
    }  # fmt: skip
    again = api.post("patients/", body)
    assert [twin["id"] for twin in again.json["possible_duplicates"]] == [pk]


def test_the_same_key_gives_the_same_card(program: Any) -> None:
    api, key, body = program("administrator"), uuid4(), {"surname": "Однажды", "name": "Яна"}
    first, second = api.post("patients/", body, key=key), api.post("patients/", body, key=key)
    assert second.status_code == 201 and second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    other = api.post("patients/", {**body, "name": "Ян"}, key=key)
    assert (other.status_code, other.json["error"]) == (422, "key_reused")
    assert api.get("patients/?q=однажды").json["count"] == 1
    assert api.post("patients/", body, key="not-a-uuid").status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {}, [], "text", None, 1, {"surname": "А"}, {"surname": "А", "name": None}, {"surname": 1, "name": 2},
        {"surname": "А" * 101, "name": "Б"}, {"surname": "А", "name": "Б", "birth_date": "31.12.2000"},
        {"surname": "А", "name": "Б", "birth_date": "2999-01-01"}, {"surname": "А", "name": "Б", "phone": "1"},
        {"surname": "А\x00", "name": "Б"}, {"surname": "А", "name": "Б", "source_id": -1}, {"surname": "А", "name": "Б", "x": 1},
        {"surname": "А", "name": "Б", "source_id": 2**40}, {"surname": "А", "name": "Б", "sex": "?"},
        {"surname": "А", "name": "Б", "comment": "y" * 1_000_000}, {"surname": " ", "name": " "}, {"surname": "\ud800", "name": "Б"},
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(program: Any, wrong: Any) -> None:
    answer = program("administrator").post("patients/", wrong if wrong is not None else "null")
    assert answer.status_code == 422, answer.text[:200]
    assert answer.json["error"] == "invalid" and answer.json["message"]


@pytest.mark.parametrize(
    "path", ["patients/999999999999999999999", "patients/0", "patients/-1", "patients/x", "patients/5000000"]
)
def test_nobody_is_404(program: Any, path: str) -> None:
    answer = program("administrator").get(path)
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query", ["?page=x", "?page=-1", "?page_size=0", "?page_size=201", "?page_size=NaN", "?nope=1", "?q=" + "я" * 101]
)
def test_a_wrong_question_is_422(program: Any, query: str) -> None:
    answer = program("administrator").get("patients/" + query)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")


def test_html_stays_text(program: Any, client_of: Any) -> None:
    pk = program("administrator").post("patients/", {"surname": "<script>alert(1)</script>", "name": "Б"}).json["id"]
    page = client_of("administrator").get(f"/patients/{pk}").text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_outsiders(app: Flask, program: Any, make: Maker) -> None:
    """Without a login 401; without the right 403; a doctor sees own patients only."""
    pk = make.patient().id
    for path in ("patients/", f"patients/{pk}", f"patients/{pk}/statistics", f"patients/{pk}/balance"):
        answer = app.test_client().get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json["error"]) == (401, "unauthenticated")
        answer = program("sysadmin").get(path)
        assert (answer.status_code, answer.json["error"]) == (403, "not_allowed")
    assert program("doctor").get(f"patients/{pk}").status_code == 403
    assert app.test_client().get(f"/api/v1/patients/{pk}", headers={"Authorization": "Bearer x"}).status_code == 401


def test_pages(client_of: Any, make: Maker) -> None:
    """A card is made, found, opened and changed in the browser; what was typed stays when something is wrong."""
    clerk = client_of("administrator")
    values = {"surname": "Страничкина", "name": "Ада", "phone": "89161110099", "birth_date": "1970-01-02"}
    wrong = clerk.post("/patients/new", data={**values, "phone": "12"})
    assert wrong.status_code == 422 and "Страничкина" in wrong.text
    made = clerk.post("/patients/new", data={**values, "request_id": str(uuid4())})
    assert made.status_code == 302
    card = clerk.get(made.headers["Location"])
    assert "Страничкина Ада" in card.text
    twin = clerk.post("/patients/new", data=values)
    assert twin.status_code == 422 and 'name="anyway"' in twin.text
    assert "Страничкина" in clerk.get("/patients/?q=страничк").text
    changed = clerk.post(made.headers["Location"] + "/edit", data={**values, "version": "1", "allergy": "Латекс"})
    assert changed.status_code == 302, changed.text
    assert "Латекс" in clerk.get(made.headers["Location"]).text
    stale = clerk.post(made.headers["Location"] + "/edit", data={**values, "version": "1", "allergy": "Йод"})
    assert stale.status_code == 422 and "Йод" in stale.text


def test_a_doctor_sees_and_changes_own_patients_only(program: Any, make: Maker) -> None:
    """And learns of nobody by pretending to start a card."""
    from app import access
    from app.db import session
    from app.models import Patient

    own, strange = make.patient("Докторов"), make.patient("Докторов", birth_date=None)
    employee = access.load(make.user("doctor").id).account.employee_id  # type: ignore[union-attr]
    session.get_one(Patient, own.id).doctor_id = employee
    session.commit()
    api = program("doctor")
    assert [row["id"] for row in api.get("patients/?q=докторов").json["result"]] == [own.id]
    assert api.get(f"patients/{own.id}").status_code == 200
    for path in ("", "/statistics", "/balance"):
        assert api.get(f"patients/{strange.id}{path}").json["error"] == "not_allowed"
    assert api.patch(f"patients/{own.id}", {"version": 1, "comment": "Мой"}).status_code == 200
    assert api.patch(f"patients/{strange.id}", {"version": 1, "comment": "Чужой"}).status_code == 403
    probe = api.post("patients/", {"surname": "Докторов", "name": "Иван"})
    assert probe.status_code == 403 and str(strange.card_number) not in probe.text


@pytest.mark.parametrize(
    "wrong",
    [
        {}, [], "x", {"version": "one"}, {"version": 0}, {"version": -1}, {"version": 2**40}, {"version": 1.5}, {"version": True},
        {"version": None}, {"version": 1, "id": 5}, {"version": 1, "card_number": 1}, {"version": 1, "status": "archived"},
        {"version": 1, "surname": ""}, {"version": 1, "surname": None}, {"version": 1, "phone": "1"},
        {"version": 1, "email": "не почта"}, {"version": 1, "inn": "1" * 13},
        {"version": 1, "birth_date": "1800-01-01"}, {"version": 1, "source_id": 999999}, {"version": 1, "allergy": "\x00"},
        {"version": 1, "comment": "y" * 1_000_000}, {"version": 1, "doctor_id": 999999999}, {"version": 1, "sex": ""},
    ],
)  # fmt: skip
def test_a_wrong_change_changes_nothing(program: Any, make: Maker, wrong: Any) -> None:
    api, pk = program("administrator"), make.patient().id
    before = api.get(f"patients/{pk}").json
    answer = api.patch(f"patients/{pk}", wrong)
    assert answer.status_code == 422 and answer.json["error"] == "invalid", answer.text[:200]
    assert api.get(f"patients/{pk}").json == before


def test_money_is_text_and_times_are_the_walls(program: Any, make: Maker) -> None:
    from datetime import datetime

    one = make.patient()
    make.appointment(one, make.doctor(), datetime(2026, 3, 2, 10), status="completed")
    figures = program("administrator").get(f"patients/{one.id}/statistics").json
    assert {figures[key] for key in ("billed", "paid", "average_bill")} == {"0.00"}
    assert figures["last_visit"] == "2026-03-02T10:00" and figures["next_visit"] is None
