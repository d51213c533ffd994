"""Who works here, with which login and rights; who may look at other days.

Where next: `app/access.py`, which decides; this only lists.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app import access, clock
from app.db import session
from app.models import AccessGrant, Employee, RightChange, Role, User
from app.roles import GRANTABLE, RIGHTS, ROLES
from app.staff import rules
from app.vocab import N_


@dataclass(frozen=True)
class Login:
    """An account as lists show it."""

    user_id: int
    username: str
    active: bool
    name: str
    roles: tuple[str, ...]
    employee_id: int | None


def logins(*, active_only: bool = False) -> list[Login]:
    """Every login with the employee it belongs to, by surname."""
    held: dict[int, list[str]] = {}
    for user_id, role in session.execute(select(User.id, Role.name).join(User.roles).order_by(Role.id)):
        held.setdefault(user_id, []).append(role)
    rows = session.execute(
        select(User.id, User.username, User.active, User.first_name, User.last_name, Employee)
        .outerjoin(Employee, Employee.user_id == User.id)
        .order_by(func.coalesce(Employee.surname, User.last_name), User.id)
    )
    return [
        Login(
            user_id=row.id,
            username=row.username,
            active=bool(row.active),
            name=row.Employee.full_name if row.Employee else f"{row.last_name} {row.first_name}".strip(),
            roles=tuple(role for role in ROLES if role in held.get(row.id, ())),
            employee_id=row.Employee.id if row.Employee else None,
        )
        for row in rows
        if row.active or not active_only
    ]


@dataclass(frozen=True)
class RightLine:
    """One right of one employee: what the role says, what was changed, what is so now."""

    code: str
    title: str
    by_role: str
    changed: bool | None
    now: str
    can_give: bool
    can_take: bool


def rights_of(user: User) -> list[tuple[str, list[RightLine]]]:
    """Every right of an employee, by room, in the order of the table."""
    held = access.account(user)
    newest: dict[str, bool | None] = {}
    for change in access.right_changes(user.id):
        newest.setdefault(change.right, change.allowed)
    rooms: dict[str, list[RightLine]] = {}
    for code, right in RIGHTS.items():
        by_role = rules.strongest(right.by_role[role] for role in held.roles if role in right.by_role)
        changed, now = newest.get(code), held.rights.get(code, "")
        line = RightLine(
            code=code,
            title=right.title,
            by_role=rules.REACH[by_role],
            changed=changed,
            now={"all": N_("may"), "own": N_("may, own only")}.get(now, N_("may not")),
            can_give=code in GRANTABLE and not now,
            can_take=code in GRANTABLE and bool(now),
        )
        rooms.setdefault(rules.ROOMS[code.split(".")[0]], []).append(line)
    return list(rooms.items())


@dataclass(frozen=True)
class ChangeLine:
    """A line of the history of somebody's rights."""

    at: datetime
    who: str
    title: str
    allowed: bool | None
    reason: str


def _names(user_ids: set[int]) -> dict[int, str]:
    """How the people of these accounts are called."""
    rows = session.execute(
        select(User.id, User.first_name, User.last_name, Employee)
        .outerjoin(Employee, Employee.user_id == User.id)
        .where(User.id.in_(user_ids))
    )
    return {
        row.id: row.Employee.short_name if row.Employee else f"{row.last_name} {row.first_name}".strip() for row in rows
    }


def history_of(user: User) -> list[ChangeLine]:
    """How the rights of an employee were changed, the newest first."""
    changes = session.scalars(
        select(RightChange).where(RightChange.user_id == user.id).order_by(RightChange.id.desc()).limit(200)
    ).all()
    names = _names({change.created_by_id for change in changes if change.created_by_id})
    return [
        ChangeLine(
            at=change.created_at,
            who=names.get(change.created_by_id or 0, ""),
            title=RIGHTS[change.right].title if change.right in RIGHTS else change.right,
            allowed=change.allowed,
            reason=change.reason,
        )
        for change in changes
    ]


@dataclass(frozen=True)
class GrantLine:
    """A grant of days as it is listed. `status` is open, expired or revoked."""

    grant: AccessGrant
    to: str
    username: str | None
    made_by: str
    status: str


def grants(*, limit: int = 50, offset: int = 0) -> tuple[int, list[GrantLine]]:
    """Grants of days, those that work first, then the newest."""
    now = clock.now()
    works = AccessGrant.revoked_at.is_(None) & (AccessGrant.expires_at.is_(None) | (AccessGrant.expires_at > now))
    count = session.scalar(select(func.count()).select_from(AccessGrant)) or 0
    rows = session.scalars(
        select(AccessGrant).order_by(works.desc(), AccessGrant.id.desc()).limit(limit).offset(offset)
    ).all()
    return count, _grant_lines(list(rows))


def grant_line(grant: AccessGrant) -> GrantLine:
    """One grant as it is listed."""
    return _grant_lines([grant])[0]


def _grant_lines(rows: list[AccessGrant]) -> list[GrantLine]:
    now = clock.now()
    people = {row.user_id for row in rows} | {row.created_by_id for row in rows}
    names = _names({person for person in people if person})
    return [
        GrantLine(
            grant=row,
            to=ROLES.get(row.role, row.role) if row.role else names.get(row.user_id or 0, ""),
            username=row.user.username if row.user else None,
            made_by=names.get(row.created_by_id or 0, ""),
            status=rules.grant_status(row.revoked_at, row.expires_at, now),
        )
        for row in rows
    ]
