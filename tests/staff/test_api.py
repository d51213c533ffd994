"""Access to other days over JSON, word for word with the contract; health."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock


def test_grant_list_revoke(program: Any) -> None:
    director = program("director")
    given = director.post(
        "access-grants/",
        {"username": "administrator2", "reports": ["patients", "cash"], "days_from": "2026-01-01", "reason": "Сверка"},
    )
    assert given.status_code == 201, given.text
    body = given.json
    assert body["username"] == "administrator2" and body["role"] is None
    assert body["reports"] == ["cash", "patients"] and body["days_from"] == "2026-01-01" and body["days_to"] is None
    listed = director.get("access-grants/?page_size=200").json
    assert listed["count"] >= 1 and body["id"] in {row["id"] for row in listed["result"]}
    revoked = director.post(f"access-grants/{body['id']}/revoke")
    assert revoked.status_code == 200 and revoked.json["status"] == "revoked"
    again = director.post(f"access-grants/{body['id']}/revoke")
    assert again.status_code == 200 and again.json["revoked_at"] == revoked.json["revoked_at"]


def test_all_reports_and_a_role(program: Any) -> None:
    director = program("director")
    until = (clock.now() + timedelta(hours=1)).isoformat()
    body = {"role": "senior", "reports": "all", "expires_at": until, "reason": "Отпуск"}
    given = director.post("access-grants/", body)
    assert given.status_code == 201 and given.json["reports"] == "all" and given.json["status"] == "open"
    director.post(f"access-grants/{given.json['id']}/revoke")


@pytest.mark.parametrize("username", ["administrator", "senior", "doctor", "sysadmin"])
def test_only_the_director(program: Any, username: str) -> None:
    other = program(username)
    body = {"username": username, "reports": "all", "reason": "хочу"}
    for answer in (
        other.get("access-grants/"),
        other.post("access-grants/", body),
        other.post("access-grants/1/revoke"),
    ):
        assert answer.status_code == 403 and answer.json["error"] == "not_allowed"


def test_nobody_without_a_token(app: Any) -> None:
    assert app.test_client().get("/api/v1/access-grants/").status_code == 401
    assert app.test_client().post("/api/v1/access-grants/", json={}).status_code == 401


GOOD = {"username": "administrator2", "reports": "all", "reason": "Сверка"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "nobody"}, "username"),
        ({"role": "administrator"}, "username"),
        ({"username": None}, "username"),
        ({"role": "director", "username": ...}, "role"),
        ({"role": "sysadmin", "username": ...}, "role"),
        ({"reports": []}, "reports"),
        ({"reports": ["salaries"]}, "reports"),
        ({"reports": [1]}, "reports"),
        ({"reports": [[]]}, "reports"),
        ({"reports": "some"}, "reports"),
        ({"reports": ...}, "reports"),
        ({"reason": "  "}, "reason"),
        ({"reason": "a" * 401}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "a" * 1_000_000}, "reason"),
        ({"days_from": "2026-13-01"}, "days_from"),
        ({"days_from": "0001-01-01"}, "days_from"),
        ({"days_from": 20260101}, "days_from"),
        ({"days_from": "2026-02-01", "days_to": "2026-01-01"}, "days_to"),
        ({"expires_at": "2020-01-01T00:00:00+03:00"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": ["x"]}, "expires_at"),
        ({"id": 5}, "id"),
    ],
)
def test_bad_input_is_a_sentence(program: Any, change: dict[str, Any], field: str) -> None:
    body = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
    answer = program("director").post("access-grants/", body)
    assert answer.status_code == 422, answer.text
    assert answer.json["error"] == "invalid" and field in answer.json["fields"], answer.json
    assert answer.json["fields"][field].strip()


@pytest.mark.parametrize("body", [[], "x", 5, None])
def test_a_body_that_is_no_object(program: Any, body: Any) -> None:
    assert program("director").post("access-grants/", body).status_code == 422


def test_an_unknown_grant(program: Any) -> None:
    for pk in ("999999", "0", "99999999999999999999"):
        assert program("director").post(f"access-grants/{pk}/revoke").status_code == 404


def test_a_repeated_request_grants_once(program: Any) -> None:
    from uuid import uuid4

    director, key = program("director"), uuid4()
    first = director.post("access-grants/", GOOD, key=key)
    second = director.post("access-grants/", GOOD, key=key)
    assert first.json["id"] == second.json["id"] and second.headers["Idempotent-Replayed"] == "true"
    director.post(f"access-grants/{first.json['id']}/revoke")


def test_health_needs_no_login(app: Any) -> None:
    answer = app.test_client().get("/api/v1/health")
    assert answer.status_code == 200
    assert set(answer.json) == {"status", "database", "broker", "version"}
    assert answer.json["status"] == "ok" and answer.json["version"][0].isdigit()
