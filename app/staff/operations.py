"""Logins of employees, everybody's own password, the clinic's settings.

A director's login is touched by directors only, nobody changes his own roles, and the last director stays.
Where next: `app/access.py` for rights and windows.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from app import access, audit
from app.db import lock, lock_word, session
from app.errors import AlreadyThere, HasLogin, Invalid, LastDirector, NoLogin, NotFound, OwnLogin
from app.models import ClinicSetting, Employee, Role, User
from app.roles import DIRECTOR
from app.staff import rules
from app.vocab import N_

#: What a person may set on the page of settings.
SETTINGS = (
    "grid_step",
    "waiting_limit",
    "reminder_hours",
    "second_reminder_hours",
    "sending_from",
    "sending_to",
    "hours_weeks_ahead",
    "crm",
    "offer_minutes",
    "call_lead_days",
    "survey_months",
    "administrators_fill_work_orders",
    "discount_limit_administrator",
    "discount_limit_senior",
    "discount_limit_doctor",
    "paid_services_act",
    "personal_data_processors",
)


def _roles_of(user: User) -> list[str]:
    return sorted(role.name for role in user.roles)


def _held(actor: User | None) -> frozenset[str]:
    """The roles of who acts; a command of the system administrator's terminal counts as the director's."""
    return access.account(actor).roles if actor is not None else frozenset({DIRECTOR})


def _employee(employee_id: int) -> Employee:
    """An employee, locked.

    Raises:
        NotFound
    """
    row = lock(Employee, employee_id)
    if not isinstance(row, Employee):
        raise NotFound()
    return row


def _login_of(employee: Employee, actor: User | None) -> User:
    """The login of an employee, if the actor may touch it.

    Raises:
        NoLogin, NotAllowed
    """
    access.require(actor, "staff.edit")
    user = session.get(User, employee.user_id) if employee.user_id else None
    if user is None:
        raise NoLogin()
    rules.check_may_hand(_roles_of(user), by=_held(actor))
    return user


def _keep_a_director(user: User) -> None:
    """Refuse to lose the last director who can sign in. Two such changes at once wait for each other.

    Raises:
        LastDirector
    """
    if DIRECTOR not in _roles_of(user) or not user.active:
        return
    lock_word("directors")
    others = (
        select(func.count(User.id.distinct()))
        .join(User.roles)
        .where(Role.name == DIRECTOR, User.active.is_(True), User.id != user.id)
    )
    if not session.scalar(others):
        raise LastDirector()


def _named(roles: Collection[str]) -> list[Role]:
    return list(session.scalars(select(Role).where(Role.name.in_(roles)).order_by(Role.id)))


def give_login(employee_id: int, username: str, *, roles: Collection[str], password: str, actor: User | None) -> User:
    """Give an employee a login with one or several roles and a first password.

    Raises:
        NotAllowed: no right, or the role of director by somebody else than a director.
        HasLogin, NotFound, AlreadyThere: the login is somebody's.
        Invalid
    """
    access.require(actor, "staff.edit")
    employee = _employee(employee_id)
    if employee.user_id is not None:
        raise HasLogin()
    username = rules.username(username)
    rules.check_roles(roles)
    rules.check_may_hand(roles, by=_held(actor))
    rules.check_password(password, username)
    if session.scalar(select(User.id).where(func.lower(User.username) == username)):
        raise AlreadyThere()
    user = User(
        username=username,
        first_name=employee.name[:64],
        last_name=employee.surname[:64],
        email=f"{username}@login.invalid",  # the framework wants one for everybody; nothing is ever sent to it
        active=True,
        password=generate_password_hash(password),
        roles=_named(roles),
    )
    session.add(user)
    session.flush()
    employee.user_id = user.id
    session.flush()
    audit.record("staff.login_given", employee, after={"username": username, "roles": sorted(roles)}, actor=actor)
    return user


def set_roles(employee_id: int, roles: Collection[str], *, actor: User | None) -> None:
    """Change the roles of an employee's login; works on the next request.

    Raises:
        NotAllowed, NotFound, NoLogin, OwnLogin, LastDirector, Invalid
    """
    employee = _employee(employee_id)
    user = _login_of(employee, actor)
    rules.check_roles(roles)
    rules.check_may_hand(roles, by=_held(actor))
    before = _roles_of(user)
    if before == sorted(roles):
        return
    if actor is not None and actor.id == user.id:
        raise OwnLogin()
    if DIRECTOR not in roles:
        _keep_a_director(user)
    user.roles = _named(roles)
    session.flush()
    audit.record("staff.roles_changed", employee, before={"roles": before}, after={"roles": sorted(roles)}, actor=actor)


def reset_password(employee_id: int, password: str, *, actor: User | None) -> None:
    """Set a new password for an employee who forgot his.

    Raises:
        NotAllowed, NotFound, NoLogin, Invalid
    """
    employee = _employee(employee_id)
    user = _login_of(employee, actor)
    rules.check_password(password, user.username)
    user.password = generate_password_hash(password)
    session.flush()
    audit.record("staff.password_reset", employee, after={"username": user.username}, actor=actor)


def switch_login(employee_id: int, on: bool, *, actor: User | None) -> None:
    """Switch an employee's login off, or on again; works on the next request. The employee stays.

    Raises:
        NotAllowed, NotFound, NoLogin, OwnLogin, LastDirector
    """
    employee = _employee(employee_id)
    user = _login_of(employee, actor)
    if bool(user.active) == on:
        return
    if not on:
        if actor is not None and actor.id == user.id:
            raise OwnLogin()
        _keep_a_director(user)
    user.active = on
    session.flush()
    deed = "staff.login_switched_on" if on else "staff.login_switched_off"
    audit.record(deed, employee, after={"username": user.username}, actor=actor)


def change_password(old: str, new: str, *, actor: User) -> None:
    """Change one's own password.

    Raises:
        Invalid: the old one is wrong, the new one is too weak.
    """
    user = session.get_one(User, actor.id, with_for_update=True, populate_existing=True)
    if len(old) > rules.LONGEST_PASSWORD or not check_password_hash(user.password, old):
        raise Invalid(fields={"old": N_("This is not your present password.")})
    rules.check_password(new, user.username, "new")
    user.password = generate_password_hash(new)
    session.flush()
    employee_id = access.account(actor).employee_id
    audit.record("staff.own_password_changed", _Login(employee_id or user.id), actor=actor)


class _Login:
    """An account as the log names it: by its employee."""

    __tablename__ = "employee"

    def __init__(self, pk: int) -> None:
        self.id = pk


def change_settings(values: Mapping[str, Any], *, actor: User | None) -> ClinicSetting:
    """Change the clinic's own choices; they work from the next request on.

    Raises:
        NotAllowed
    """
    access.require(actor, "settings.edit")
    row = session.get_one(ClinicSetting, 1, with_for_update=True, populate_existing=True)
    before = audit.facts(row, SETTINGS)
    for name in SETTINGS:
        if name in values:
            setattr(row, name, values[name])
    session.flush()
    after = audit.facts(row, SETTINGS)
    if before != after:
        audit.record("settings.changed", row, before=before, after=after, actor=actor)
    return row
