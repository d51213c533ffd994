"""Rights and windows: may this account do it, with whose records, and how far back may it look.

Rights come from the roles' table and from what the director gave or took (`right_change`); windows from
`access_grant`. Both are read with the account on every request, so a change works at once.
Where next: `app/roles.py` for the table, `app/web.py` for who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, any_, func, inspect, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from app import audit, clock
from app.db import Fixed, as_loaded, given, lock, session
from app.errors import Invalid, NotAllowed, NotFound, OutsideWindow
from app.models import AccessGrant, ClinicSetting, Employee, RightChange, Role, User
from app.roles import ADMINISTRATOR, DIRECTOR, DOCTOR, GRANTABLE, RIGHTS, ROLES, SENIOR
from app.vocab import N_, ReportKind

ALL, OWN = "all", "own"
#: The roles whose window of days the director can widen, for all who have them.
ROLES_WITH_WINDOW = (ADMINISTRATOR, SENIOR, DOCTOR)


@dataclass(frozen=True)
class Account:
    """Who is asking: the roles, the employee behind the login, and the reach of every right held."""

    user_id: int
    roles: frozenset[str]
    employee_id: int | None
    branch_id: int | None
    name: str
    #: right → "all" or "own"; a right that is not there is not held.
    rights: Mapping[str, str]
    #: Modules that the clinic has switched off.
    off: frozenset[str] = frozenset()
    #: What the database held when the account was read (`NOW`).
    as_of: str = ""
    #: Surname and initials, as papers sign: «Смирнова А. П.».
    short_name: str = ""

    def may(self, right: str) -> bool:
        """Does the account hold the right, at least for its own records?"""
        return right in self.rights

    def own_only(self, right: str) -> int | None:
        """The employee whose records alone the right covers; None when it covers everybody's.

        Raises:
            NotAllowed: the right is not held at all.
        """
        reach = self.rights.get(right)
        if reach is None:
            raise NotAllowed(right=right)
        if reach == ALL:
            return None
        return self.employee_id or 0


def effective_rights(
    roles: frozenset[str],
    changes: Mapping[str, bool | None],
    fill_setting: bool,
    off: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """What the roles give, with what the director changed for this employee; nothing of a module that is off."""
    rights: dict[str, str] = {}
    for code, right in RIGHTS.items():
        if right.module in off:
            continue
        given = {right.by_role[role] for role in roles if role in right.by_role}
        if "yes" in given or ("setting" in given and fill_setting):
            rights[code] = ALL
        elif "own" in given:
            rights[code] = OWN
        change = changes.get(code)
        if change is True:
            rights.setdefault(code, ALL)
        elif change is False:
            rights.pop(code, None)
    return rights


@lru_cache(maxsize=1000)
def _rights(
    roles: frozenset[str], changes: frozenset[tuple[str, bool | None]], fill_setting: bool, off: frozenset[str]
) -> Mapping[str, str]:
    """The same, worked out once for what was read in this request: nothing of the database is kept."""
    return MappingProxyType(effective_rights(roles, dict(changes), fill_setting, off))


#: What can be seen in the database at this moment, as a word: equal words, equal contents, whatever was asked for.
#: A snapshot names every transaction that is seen; a server that was started anew might count them anew.
NOW = literal_column(
    "concat_ws(' ', pg_current_snapshot(), pg_postmaster_start_time(), current_database())", Text
).label("as_of")


#: The columns of an account itself, under names of their own.
_USER = {of.key: getattr(User, of.key).label(f"of_user_{of.key}") for of in inspect(User).column_attrs}


def _account_of(user_id: ColumnElement[int]) -> Select[Any]:
    """An account with the employee behind it, its roles, what the director changed, and the settings that matter."""
    newest = aliased(RightChange)
    changes = (
        select(func.json_object_agg(RightChange.right, RightChange.allowed))
        .where(
            RightChange.user_id == User.id,
            ~select(newest.id)
            .where(newest.user_id == User.id, newest.right == RightChange.right, newest.id > RightChange.id)
            .exists(),
        )
        .correlate(User)
        .scalar_subquery()
    )
    roles = (
        select(func.array_agg(aggregate_order_by(Role.name, Role.id), type_=ARRAY(Text)))
        .join(Role.user)
        .where(User.id == user_id)
        .scalar_subquery()
    )
    setting = select(ClinicSetting.administrators_fill_work_orders).scalar_subquery()
    crm = select(ClinicSetting.crm).scalar_subquery()
    return (
        select(
            *_USER.values(), Employee.id.label("employee_id"), Employee.branch_id, Employee.surname, Employee.name,
            Employee.patronymic, roles.label("roles"), changes.label("changes"), setting.label("fills"),
            crm.label("crm_on"), NOW,
        )
        .outerjoin(Employee, Employee.user_id == User.id)
        .where(User.id == user_id, User.active.is_(True))
    )  # fmt: skip


_ACCOUNT = Fixed(_account_of(given("user_id", Integer)))  # every request asks


def load(user_id: int) -> User | None:
    """An account that may sign in, with `user.account`, in one statement."""
    row = _ACCOUNT(user_id=user_id).one_or_none()
    if row is None:
        return None
    user = as_loaded(User, dict(zip(_USER, row, strict=False)))
    known = frozenset(row.roles or ())
    initials = " ".join(f"{part[0]}." for part in (row.name, row.patronymic) if part)
    off = frozenset({"crm"} if row.crm_on is False else ())
    user.account = Account(
        user_id=user.id,
        roles=known,
        employee_id=row.employee_id,
        branch_id=row.branch_id,
        name=f"{row.name} {row.surname}" if row.surname else user.get_full_name(),
        rights=_rights(known, frozenset((row.changes or {}).items()), bool(row.fills), off),
        off=off,
        as_of=row.as_of,
        short_name=f"{row.surname} {initials}".strip() if row.surname else user.get_full_name(),
    )
    return user


def account(user: User) -> Account:
    """The rights of a user, read once per loaded record."""
    held: Account | None = getattr(user, "account", None)
    if held is None:
        loaded = load(user.id)
        if loaded is None:
            raise NotAllowed()
        held = loaded.account
        user.account = held
    return held


def require(actor: User | None, right: str) -> None:
    """Refuse unless the actor holds the right. Jobs and commands have no actor and are trusted.

    Raises:
        NotAllowed
    """
    if actor is not None and not account(actor).may(right):
        raise NotAllowed(right=right)


def require_own(actor: User | None, right: str, employee_id: int | None) -> None:
    """Refuse unless the right covers this employee's records.

    Raises:
        NotAllowed
    """
    if actor is None:
        return
    own = account(actor).own_only(right)
    if own is not None and own != employee_id:
        raise NotAllowed(right=right)


def discount_limit(actor: User | None) -> Decimal:
    """The largest discount, in percent, that the actor may give: 100 for the director."""
    if actor is None:
        return Decimal(100)
    roles = account(actor).roles
    if DIRECTOR in roles:
        return Decimal(100)
    settings = session.get(ClinicSetting, 1)
    if settings is None:
        return Decimal(0)
    limits = {
        ADMINISTRATOR: settings.discount_limit_administrator,
        SENIOR: settings.discount_limit_senior,
        DOCTOR: settings.discount_limit_doctor,
    }
    return Decimal(max((limits[role] for role in roles if role in limits), default=0))


# --- windows of days ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """Days that were asked for and may be looked at; `grant_id` when only a grant opened them."""

    first: date
    last: date
    grant_id: int | None = None


def open_grants(user: User, report: str) -> list[AccessGrant]:
    """The director's grants that work now for this account and report."""
    held = account(user)
    return list(
        session.scalars(
            select(AccessGrant)
            .where(
                AccessGrant.revoked_at.is_(None),
                or_(AccessGrant.expires_at.is_(None), AccessGrant.expires_at > clock.now()),
                or_(AccessGrant.user_id == user.id, AccessGrant.role.in_(held.roles)),
                or_(AccessGrant.reports.is_(None), literal(report) == any_(AccessGrant.reports)),
            )
            .order_by(AccessGrant.id)
        )
    )


def window(user: User, report: str, first: date | None = None, last: date | None = None) -> Window:
    """The days of a report that the account asked for, if it may look at all of them.

    Without dates: today. The director looks at any day; others at today, and at what a grant opens.
    One grant must cover the whole span.

    Raises:
        NotAllowed: no right to the reports at all.
        OutsideWindow: `allowed` is the widest span that one grant (or today) opens.
        Invalid: the days are in the wrong order.
    """
    held = account(user)
    if not held.may("report.see"):
        raise NotAllowed(right="report.see")
    today = clock.today()
    first = first or last or today
    last = last or first
    if first > last:
        raise Invalid(fields={"from": N_("The first day is later than the last one.")})
    if held.may("report.any_day") or first == last == today:
        return Window(first, last)
    allowed = (today, today)
    for grant in open_grants(user, report):
        from_, to = grant.days_from or date.min, grant.days_to or today
        # today is open without a grant and may prolong one that ends yesterday, but never bridges closed days
        if from_ <= first and (last <= to or (last == today and to >= today - timedelta(days=1))):
            return Window(first, last, grant.id)
        allowed = max(allowed, (from_, to), key=lambda span: span[1] - span[0])
    raise OutsideWindow(
        {"from": f"{allowed[0]:%d.%m.%Y}", "to": f"{allowed[1]:%d.%m.%Y}"},
        allowed={"from": allowed[0].isoformat(), "to": allowed[1].isoformat()},
    )


def may_see_day(user: User, report: str, day: date) -> bool:
    """May the account see what this report tells of this day? For lists that would tell the same."""
    try:
        window(user, report, day, day)
    except (OutsideWindow, NotAllowed):
        return False
    return True


def look_back(user: User, report: str, how: str) -> date | None:
    """From which day on the account may see what this report tells; None: from the beginning. A grant used is recorded.

    For lists of all days that tell the same. `how`: page, json, xlsx.
    """
    today = clock.today()
    try:
        seen = window(user, report, date.min, today)
    except (OutsideWindow, NotAllowed):
        return today
    record_opening(user, report, seen, how)
    return None


def grant(
    *,
    username: str | None,
    role: str | None,
    reports: list[str] | None,
    days_from: date | None = None,
    days_to: date | None = None,
    expires_at: object = None,
    reason: str,
    actor: User | None,
) -> AccessGrant:
    """The director lets one account, or all of a role, see reports of other days.

    `reports` None means all four; without days any day; without `expires_at` until revoked.

    Raises:
        NotAllowed: only who manages access may grant.
        Invalid: nobody or both named, unknown name, report or role, days in the wrong order, term in the past.
    """
    require(actor, "access.manage")
    wrong: dict[str, str] = {}
    user_id = None
    if (username is None) == (role is None):
        wrong["username"] = N_("Name one employee or one role.")
    elif username is not None:
        user_id = session.scalar(select(User.id).where(User.username == username, User.active.is_(True)))
        if user_id is None:
            wrong["username"] = N_("There is no such login.")
    elif role not in ROLES_WITH_WINDOW:
        wrong["role"] = N_("There is no such role, or its access cannot be widened.")
    if reports is not None and (not reports or set(reports) - set(ReportKind)):
        wrong["reports"] = N_("Choose at least one report.")
    if days_from and days_to and days_from > days_to:
        wrong["days_to"] = N_("The first day is later than the last one.")
    if expires_at is not None and expires_at <= clock.now():  # type: ignore[operator]
        wrong["expires_at"] = N_("This term has already passed.")
    if not reason.strip():
        wrong["reason"] = N_("Write the reason.")
    if wrong:
        raise Invalid(fields=wrong)
    row = AccessGrant(
        user_id=user_id,
        role=role,
        reports=sorted(set(reports)) if reports is not None else None,
        days_from=days_from,
        days_to=days_to,
        expires_at=expires_at,
        reason=reason.strip(),
        created_by_id=actor.id if actor else None,
    )
    session.add(row)
    session.flush()
    names = ("user_id", "role", "reports", "days_from", "days_to", "expires_at", "reason")
    audit.record("access.granted", row, after=audit.facts(row, names), actor=actor)
    return row


def revoke(grant_id: int, *, actor: User | None) -> AccessGrant:
    """End a grant at once; what was opened under it stays in the log. Revoking twice is the same as once.

    Raises:
        NotAllowed, NotFound
    """
    require(actor, "access.manage")
    row = lock(AccessGrant, grant_id)
    if row is None:
        raise NotFound()
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.revoked_by_id = actor.id if actor else None
        audit.record("access.revoked", row, after={"reason": row.reason}, actor=actor)
        session.flush()
    return row


def record_opening(user: User, report: str, window: Window, how: str) -> None:
    """Write down a report of other days that was opened under a grant."""
    row = session.get(AccessGrant, window.grant_id) if window.grant_id else None
    if row is not None:
        days = {"from": window.first.isoformat(), "to": window.last.isoformat()}
        audit.record("report.opened", row, after={"report": report, "as": how, **days}, actor=user)


# --- rights of one employee -----------------------------------------------------------------------


def change_right(user: User, right: str, *, allowed: bool | None, reason: str, actor: User | None) -> RightChange:
    """The director gives one employee a right, takes it away, or lets the role decide again (None).

    Raises:
        NotAllowed, Invalid: not a right that can be given; no reason.
    """
    require(actor, "access.manage")
    if right not in GRANTABLE:
        raise Invalid(fields={"right": N_("This right cannot be given to one employee.")})
    if not reason.strip():
        raise Invalid(fields={"reason": N_("Write the reason.")})
    row = RightChange(
        user_id=user.id, right=right, allowed=allowed, reason=reason.strip(), created_by_id=actor.id if actor else None
    )
    session.add(row)
    session.flush()
    after = {"user_id": user.id, "right": right, "allowed": allowed, "reason": row.reason}
    audit.record("access.right_changed", row, after=after, actor=actor)
    return row


def right_changes(user_id: int) -> list[RightChange]:
    """Every change of this employee's rights, the newest first."""
    return list(
        session.scalars(select(RightChange).where(RightChange.user_id == user_id).order_by(RightChange.id.desc()))
    )


def role_titles(roles: frozenset[str]) -> list[str]:
    """The roles' names as people say them, in the order of the table."""
    return [ROLES[role] for role in ROLES if role in roles]
