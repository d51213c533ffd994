"""Pages about people: password, language, logins, rights, other days, settings. Owner, colleague, outsider."""

from typing import Any

import pytest
from sqlalchemy import select

from app import access
from app.db import session, transaction
from app.models import AccessGrant, Employee, RightChange, User
from app.staff import operations

GOOD = "зимний сад 7"


def user_id(username: str) -> int:
    return session.scalars(select(User.id).where(User.username == username)).one()


def employee_id(username: str) -> int:
    return session.scalars(select(Employee.id).where(Employee.user_id == user_id(username))).one()


@pytest.fixture
def newcomer(make: Any, app: Any) -> Any:
    """A fresh administrator with a login of his own: (employee, user, browser)."""
    employee = make.doctor()
    with transaction():
        user = operations.give_login(
            employee.id, f"new{employee.id}", roles=["administrator"], password=GOOD, actor=make.user("director")
        )
        name, pk = user.username, user.id
    client = app.test_client()
    assert client.post("/login/", data={"username": name, "password": GOOD}).status_code == 302
    return employee, pk, client


# --- one's own ----------------------------------------------------------------------------------------


def test_a_new_password_ends_what_the_old_one_opened(newcomer: Any, app: Any, client_of: Any) -> None:
    """The other browser and the token of a program are closed; who changed his own password goes on."""
    employee, pk, client = newcomer
    username = session.get_one(User, pk).username
    other = app.test_client()
    other.post("/login/", data={"username": username, "password": GOOD})
    login = {"username": username, "password": GOOD, "provider": "db"}
    token = other.post("/api/v1/security/login", json=login).json["access_token"]

    def program() -> int:
        return int(app.test_client().get("/api/v1/services/", headers={"Authorization": f"Bearer {token}"}).status_code)

    assert other.get("/me/password").status_code == 200 and program() == 200
    client.post("/me/password", data={"old": GOOD, "new": "другой пароль", "again": "другой пароль"})
    assert client.get("/me/password").status_code == 200
    assert other.get("/me/password").status_code == 302 and program() == 401
    third = {"password": "третий пароль"}
    assert client_of("director").post(f"/staff/{employee.id}/login/password", data=third).status_code == 302
    assert client.get("/me/password").status_code == 302


def test_change_password(newcomer: Any, app: Any) -> None:
    _, pk, client = newcomer
    page = client.get("/me/password")
    assert page.status_code == 200 and 'name="old"' in page.text
    for wrong in (
        {},
        {"old": "nope", "new": "другой пароль", "again": "другой пароль"},
        {"old": GOOD, "new": "коротко", "again": "коротко"},
        {"old": GOOD, "new": "другой пароль", "again": "третий пароль"},
        {"old": "x" * 1_000_000, "new": "другой пароль", "again": "другой пароль"},
        {"old": GOOD, "new": "\x00" * 9, "again": "\x00" * 9},
    ):
        answer = client.post("/me/password", data=wrong)
        assert answer.status_code == 422 and "field-error" in answer.text
    done = client.post("/me/password", data={"old": GOOD, "new": "другой пароль", "again": "другой пароль"})
    assert done.status_code == 302
    username = session.get_one(User, pk).username
    fresh = app.test_client().post("/login/", data={"username": username, "password": "другой пароль"})
    assert fresh.status_code == 302


def test_language(newcomer: Any) -> None:
    client = newcomer[2]
    answer = client.get("/me/language/en", headers={"Referer": "http://localhost/me/password?a=1"})
    assert answer.status_code == 302 and answer.location == "/me/password?a=1"
    assert '<html lang="en">' in client.get("/me/password").text
    client.get("/me/language/ru")
    assert '<html lang="ru">' in client.get("/me/password").text
    assert client.get("/me/language/fr").status_code == 404
    for evil in (
        "http://evil.example/x",
        "http://localhost//evil.example",
        "javascript:alert(1)",
        "http://localhost/\\evil",
    ):
        assert client.get("/me/language/ru", headers={"Referer": evil}).location == "/"


def test_outsiders_are_asked_to_sign_in(app: Any) -> None:
    for address in (
        "/me/password",
        "/me/language/en",
        "/access/rights/",
        "/access/days/",
        "/settings/",
        "/staff/1/login",
    ):
        answer = app.test_client().get(address)
        assert answer.status_code == 302 and "/login/" in answer.location


# --- logins -------------------------------------------------------------------------------------------


def test_give_a_login_on_the_page(make: Any, client_of: Any, app: Any) -> None:
    employee, client = make.doctor(), client_of("sysadmin")
    address = f"/staff/{employee.id}/login"
    assert client.get(address).status_code == 200
    typed = {"username": "Плохой логин", "roles": ["administrator"], "password": GOOD}
    refused = client.post(f"{address}/give", data=typed)
    assert refused.status_code == 422 and "Плохой логин" in refused.text and "field-error" in refused.text
    assert client.post(f"{address}/give", data={"roles": ["boss"], "username": "x" * 10**6}).status_code == 422
    assert (
        client.post(
            f"{address}/give", data={**typed, "username": f"s{employee.id}x", "roles": ["director"]}
        ).status_code
        == 403
    )
    done = client.post(f"{address}/give", data={**typed, "username": f"s{employee.id}x"})
    assert done.status_code == 302
    assert client.get(address).status_code == 200
    assert app.test_client().post("/login/", data={"username": f"s{employee.id}x", "password": GOOD}).status_code == 302


def test_a_directors_login_shows_a_sysadmin_no_buttons(client_of: Any, context: None) -> None:
    address = f"/staff/{employee_id('director')}/login"
    page = client_of("sysadmin").get(address)
    assert page.status_code == 200 and "/login/password" not in page.text and "/login/off" not in page.text
    assert client_of("sysadmin").post(f"{address}/password", data={"password": GOOD}).status_code == 403
    assert "/login/password" in client_of("director").get(address).text


def test_a_login_switched_off_is_out_at_once(newcomer: Any, client_of: Any) -> None:
    employee, _, client = newcomer
    assert client.get("/me/password").status_code == 200
    director = client_of("director")
    assert director.post(f"/staff/{employee.id}/login/off").status_code == 302
    assert client.get("/me/password").status_code == 302
    assert director.post(f"/staff/{employee.id}/login/on").status_code == 302


@pytest.mark.parametrize("username", ["administrator", "senior", "doctor"])
def test_who_may_not_touch_logins(client_of: Any, username: str, context: None) -> None:
    client, pk = client_of(username), employee_id("doctor2")
    assert client.get(f"/staff/{pk}/login").status_code == 403
    for deed in ("give", "roles", "password", "off", "on"):
        assert client.post(f"/staff/{pk}/login/{deed}").status_code == 403


def test_unknown_employees(client_of: Any) -> None:
    for pk in ("0", "999999", "99999999999999999999"):
        assert client_of("director").get(f"/staff/{pk}/login").status_code == 404
        assert client_of("director").post(f"/staff/{pk}/login/off").status_code == 404


# --- rights -------------------------------------------------------------------------------------------


def test_a_right_taken_and_given_works_on_the_next_request(newcomer: Any, client_of: Any) -> None:
    _, pk, client = newcomer
    director = client_of("director")
    address = f"/access/rights/{pk}"
    assert client.get("/messages/").status_code == 200
    page = director.get(address)
    assert page.status_code == 200 and "schedule.see" in page.text
    taken = director.post(address, data={"right": "message.see", "allowed": "take", "reason": "Проба"})
    assert taken.status_code == 302
    assert client.get("/messages/").status_code == 403
    director.post(address, data={"right": "message.see", "allowed": "role", "reason": "Вернуть"})
    assert client.get("/messages/").status_code == 200
    assert client.get("/audit/list/").status_code == 403
    director.post(address, data={"right": "audit.see", "allowed": "give", "reason": "<b>Ревизия</b>"})
    assert client.get("/audit/list/").status_code == 200
    page = director.get(address).text
    assert "&lt;b&gt;Ревизия" in page and "<b>Ревизия" not in page


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"right": "message.see", "allowed": "take"},
        {"right": "message.see", "allowed": "take", "reason": "   "},
        {"right": "message.see", "allowed": "maybe", "reason": "x"},
        {"right": "access.manage", "allowed": "give", "reason": "x"},
        {"right": "report.any_day", "allowed": "give", "reason": "x"},
        {"right": "no.such", "allowed": "give", "reason": "x"},
        {"right": "message.see", "allowed": "take", "reason": "x" * 10**6},
        {"right": "message.see\x00", "allowed": "take", "reason": "x"},
    ],
)
def test_bad_changes_of_rights(newcomer: Any, client_of: Any, form: dict[str, str]) -> None:
    pk = newcomer[1]
    answer = client_of("director").post(f"/access/rights/{pk}", data=form)
    assert answer.status_code == 422 and "alert" in answer.text
    assert session.scalars(select(RightChange).where(RightChange.user_id == pk)).first() is None


def test_only_the_director_manages_rights(client_of: Any, context: None) -> None:
    pk = user_id("administrator")
    for username in ("administrator", "senior", "doctor", "sysadmin"):
        client = client_of(username)
        for address in ("/access/rights/", f"/access/rights/{pk}", "/access/days/"):
            assert client.get(address).status_code == 403
        assert (
            client.post(
                f"/access/rights/{pk}", data={"right": "audit.see", "allowed": "give", "reason": "x"}
            ).status_code
            == 403
        )
        assert client.post("/access/days/", data={}).status_code == 403
        assert client.post("/access/days/1/revoke").status_code == 403


def test_unknown_accounts(client_of: Any) -> None:
    for pk in ("0", "999999", "99999999999999999999"):
        assert client_of("director").get(f"/access/rights/{pk}").status_code == 404


# --- other days ---------------------------------------------------------------------------------------


def test_grant_and_revoke_on_the_page(newcomer: Any, client_of: Any) -> None:
    from app import clock

    _, pk, _ = newcomer
    director = client_of("director")
    username = session.get_one(User, pk).username
    yesterday = clock.today().replace(year=clock.today().year - 1)

    def sees() -> bool:
        session.rollback()
        user = access.load(pk)
        assert user is not None
        return access.may_see_day(user, "cash", yesterday)

    assert not sees()
    form = {"to": f"user:{username}", "which": "some", "reports": ["cash"], "reason": "Сверка", "days_to": ""}
    assert director.post("/access/days/", data=form).status_code == 302
    assert sees()
    user = access.load(pk)
    assert user is not None and not access.may_see_day(user, "patients", yesterday)
    grant = session.scalars(select(AccessGrant).where(AccessGrant.user_id == pk)).one()
    assert "Сверка" in director.get("/access/days/").text
    assert director.post(f"/access/days/{grant.id}/revoke").status_code == 302
    assert not sees()


def test_a_double_click_grants_once(newcomer: Any, client_of: Any) -> None:
    from uuid import uuid4

    director, pk = client_of("director"), newcomer[1]
    username = session.get_one(User, pk).username
    form = {"to": f"user:{username}", "which": "all", "reason": "Дважды", "request_id": str(uuid4())}
    for _ in range(2):
        assert director.post("/access/days/", data=form).status_code == 302
    session.rollback()
    assert len(session.scalars(select(AccessGrant).where(AccessGrant.user_id == pk)).all()) == 1


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"to": "user:nobody", "which": "all", "reason": "x"},
        {"to": "role:director", "which": "all", "reason": "x"},
        {"to": "administrator", "which": "all", "reason": "x"},
        {"to": "role:administrator", "which": "some", "reason": "x"},
        {"to": "role:administrator", "which": "some", "reports": ["x"], "reason": "x"},
        {"to": "role:administrator", "which": "all", "reason": ""},
        {"to": "role:administrator", "which": "all", "reason": "x", "days_from": "вчера"},
        {"to": "role:administrator", "which": "all", "reason": "x", "expires_at": "2001-01-01T10:00"},
        {"to": "role:administrator", "which": "all", "reason": "x", "days_from": "2026-02-02", "days_to": "2026-02-01"},
    ],
)
def test_bad_grants_come_back_with_what_was_typed(client_of: Any, form: dict[str, Any], context: None) -> None:
    def count() -> int:
        session.rollback()
        return len(session.scalars(select(AccessGrant.id)).all())

    before = count()
    answer = client_of("director").post("/access/days/", data=form)
    assert answer.status_code == 422 and "field-error" in answer.text
    assert count() == before
    if form.get("days_from") == "вчера":
        assert "вчера" in answer.text


# --- settings -----------------------------------------------------------------------------------------

SETTINGS = {
    "grid_step": "15", "waiting_limit": "15", "reminder_hours": "24", "administrators_fill_work_orders": "true",
    "discount_limit_administrator": "5", "discount_limit_senior": "15", "discount_limit_doctor": "10",
    "paid_services_act": "", "second_reminder_hours": "0", "sending_from": "09:00", "sending_to": "21:00",
    "hours_weeks_ahead": "8", "crm": "true", "offer_minutes": "60", "call_lead_days": "14", "survey_months": "12",
}  # fmt: skip


def test_settings(client_of: Any, context: None) -> None:
    director = client_of("director")
    assert director.get("/settings/").status_code == 200
    assert director.post("/settings/", data={**SETTINGS, "reminder_hours": "48"}).status_code == 302
    assert 'value="48"' in director.get("/settings/").text
    for wrong in (
        {"grid_step": "7"}, {"waiting_limit": "0"}, {"reminder_hours": "NaN"}, {"discount_limit_senior": "101"},
        {"discount_limit_doctor": "-1"}, {"waiting_limit": "1" * 50}, {"grid_step": ""},
        {"paid_services_act": "x" * 10**6}, {"sending_to": "08:00"}, {"sending_from": "в девять"},
    ):  # fmt: skip
        answer = director.post("/settings/", data={**SETTINGS, **wrong})
        assert answer.status_code == 422, wrong
    assert director.post("/settings/", data=SETTINGS).status_code == 302
    for username in ("administrator", "senior", "doctor", "sysadmin"):
        assert client_of(username).get("/settings/").status_code == 403
        assert client_of(username).post("/settings/", data=SETTINGS).status_code == 403
