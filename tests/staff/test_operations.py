"""Logins given, changed, switched off; the rule about directors; the log never holds a password."""

from typing import Any

import pytest
from sqlalchemy import select

from app import access, audit
from app.db import session, transaction
from app.errors import (
    AlreadyThere,
    HasLogin,
    Invalid,
    LastDirector,
    NoLogin,
    NotAllowed,
    NotFound,
    OwnLogin,
)
from app.models import Employee, User
from app.staff import operations

GOOD = "зимний сад 7"


@pytest.fixture
def employee(make: Any) -> Any:
    return make.doctor()


def give(employee: Any, username: str, roles: list[str], actor: Any) -> User:
    with transaction():
        return operations.give_login(employee.id, username, roles=roles, password=GOOD, actor=actor)


def of(username: str) -> Employee:
    """The employee of a login."""
    return session.scalars(
        select(Employee).join(User, User.id == Employee.user_id).where(User.username == username)
    ).one()


def test_a_login_works_and_the_log_tells_it_without_the_password(make: Any, employee: Any, app: Any) -> None:
    username = f"vrach{employee.id}"
    give(employee, username, ["doctor"], make.user("director"))
    answer = app.test_client().post("/login/", data={"username": username, "password": GOOD})
    assert answer.status_code == 302
    [event] = [event for event in audit.history(employee) if event.action == "staff.login_given"]
    assert event.after == {"username": username, "roles": ["doctor"]} and GOOD not in str(event.after)


def test_one_login_per_employee_and_per_name(make: Any, employee: Any) -> None:
    director = make.user("director")
    give(employee, f"one{employee.id}", ["doctor"], director)
    with pytest.raises(HasLogin):
        give(employee, f"two{employee.id}", ["doctor"], director)
    with pytest.raises(AlreadyThere):
        give(make.doctor(), f"ONE{employee.id}", ["doctor"], director)
    with pytest.raises(NotFound):
        operations.give_login(10**6, "nobody", roles=["doctor"], password=GOOD, actor=director)


@pytest.mark.parametrize("username", ["administrator", "senior", "doctor"])
def test_who_may_not(make: Any, employee: Any, username: str) -> None:
    actor = make.user(username)
    for call in (
        lambda: operations.give_login(employee.id, "new", roles=["doctor"], password=GOOD, actor=actor),
        lambda: operations.set_roles(of("doctor2").id, ["senior"], actor=actor),
        lambda: operations.reset_password(of("doctor2").id, GOOD, actor=actor),
        lambda: operations.switch_login(of("doctor2").id, False, actor=actor),
        lambda: operations.change_settings({"grid_step": 5}, actor=actor),
    ):
        with pytest.raises(NotAllowed), transaction():
            call()


def test_a_sysadmin_stays_away_from_directors(make: Any, employee: Any) -> None:
    sysadmin = make.user("sysadmin")
    director = of("director").id
    for call in (
        lambda: operations.give_login(employee.id, "boss", roles=["director"], password=GOOD, actor=sysadmin),
        lambda: operations.set_roles(of("doctor2").id, ["director"], actor=sysadmin),
        lambda: operations.set_roles(director, ["doctor"], actor=sysadmin),
        lambda: operations.reset_password(director, GOOD, actor=sysadmin),
        lambda: operations.switch_login(director, False, actor=sysadmin),
    ):
        with pytest.raises(NotAllowed), transaction():
            call()
    with transaction():
        operations.reset_password(of("doctor2").id, "demo demo demo", actor=sysadmin)
    with transaction():
        session.get_one(User, of("doctor2").user_id).password = make.user("doctor").password


def test_nobody_changes_his_own_roles(make: Any) -> None:
    for username in ("sysadmin", "director"):
        actor, own = make.user(username), of(username).id
        with pytest.raises(OwnLogin), transaction():
            operations.set_roles(own, ["senior"], actor=actor)
        with pytest.raises(OwnLogin), transaction():
            operations.switch_login(own, False, actor=actor)


def test_the_last_director_stays(make: Any, employee: Any) -> None:
    with pytest.raises(LastDirector), transaction():
        operations.switch_login(of("director").id, False, actor=None)
    with pytest.raises(LastDirector), transaction():
        operations.set_roles(of("director").id, ["senior"], actor=None)
    give(employee, f"boss{employee.id}", ["director"], make.user("director"))
    with transaction():
        operations.switch_login(employee.id, False, actor=make.user("director"))  # one of two may go


def test_roles_and_switching_work_at_once(make: Any, employee: Any) -> None:
    director = make.user("director")
    user = give(employee, f"adm{employee.id}", ["administrator"], director)
    with transaction():
        operations.set_roles(employee.id, ["senior", "doctor"], actor=director)
    loaded = access.load(user.id)
    assert loaded is not None and loaded.account.roles == {"senior", "doctor"}
    with transaction():
        operations.switch_login(employee.id, False, actor=director)
    assert access.load(user.id) is None
    with transaction():
        operations.switch_login(employee.id, True, actor=director)
    assert access.load(user.id) is not None


def test_no_login_no_password(make: Any, employee: Any) -> None:
    with pytest.raises(NoLogin), transaction():
        operations.reset_password(employee.id, GOOD, actor=make.user("director"))


def test_own_password(make: Any, employee: Any, app: Any) -> None:
    user = give(employee, f"own{employee.id}", ["doctor"], make.user("director"))
    with pytest.raises(Invalid), transaction():
        operations.change_password("wrong", "другой пароль", actor=user)
    with pytest.raises(Invalid), transaction():
        operations.change_password(GOOD, "short", actor=user)
    with transaction():
        operations.change_password(GOOD, "другой пароль", actor=user)
    login = {"username": user.username}
    assert app.test_client().post("/login/", data={**login, "password": GOOD}).status_code == 401
    assert app.test_client().post("/login/", data={**login, "password": "другой пароль"}).status_code == 302


def test_settings_are_written_down(make: Any) -> None:
    director = make.user("director")
    with transaction():
        row = operations.change_settings({"waiting_limit": 20, "id": 5}, actor=director)
    event = audit.history(row)[-1]
    assert (event.before, event.after) == ({"waiting_limit": 15}, {"waiting_limit": 20})
    with transaction():
        operations.change_settings({"waiting_limit": 15}, actor=director)
