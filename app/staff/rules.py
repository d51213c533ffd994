"""Logins and passwords: what they may look like, and who may hand them out.

Where next: `operations.py`.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime

from app.errors import Invalid, NotAllowed
from app.roles import DIRECTOR, ROLES
from app.vocab import N_

SHORTEST_PASSWORD = 8
#: What the sign-in page takes.
LONGEST_PASSWORD = 200

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,63}")


def username(text: str) -> str:
    """A login as it is kept: small Latin letters, digits, dot, dash.

    Raises:
        Invalid
    """
    wanted = text.strip().lower()
    if not _USERNAME.fullmatch(wanted):
        raise Invalid(fields={"username": N_("A login is 3 to 64 Latin letters, digits, dots or dashes: ivanova.")})
    return wanted


def check_password(password: str, username: str, field: str = "password") -> None:
    """Refuse a password that is too short, too long, or the login itself.

    Raises:
        Invalid
    """
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(fields={field: N_("A password has 8 characters at least.")})
    if len(password) > LONGEST_PASSWORD or any(ord(char) < 32 for char in password):
        raise Invalid(fields={field: N_("This password is too long, or has characters that cannot be typed.")})
    if password.lower() == username.lower() or len(set(password)) < 3:
        raise Invalid(fields={field: N_("This password is too easy to guess.")})


def check_roles(roles: Collection[str]) -> None:
    """Refuse no role, or one that is not there.

    Raises:
        Invalid
    """
    if not roles or set(roles) - set(ROLES):
        raise Invalid(fields={"roles": N_("Choose at least one role.")})


def check_may_hand(roles: Collection[str], *, by: Collection[str]) -> None:
    """Only a director makes somebody a director, or touches a director's login.

    Otherwise whoever looks after logins could give himself the clinic.

    Raises:
        NotAllowed
    """
    if DIRECTOR in roles and DIRECTOR not in by:
        raise NotAllowed({}, right="staff.edit")


# --- rights in words ----------------------------------------------------------------------------------

#: What a role's share of a right is called, the strongest first.
REACH: dict[str, str] = {
    "yes": N_("yes"),
    "setting": N_("as the clinic's setting says"),
    "own": N_("own only"),
    "grant": N_("only if granted"),
    "no": N_("no"),
}
#: The groups of rights on the page of rights.
ROOMS: dict[str, str] = {
    "schedule": N_("Schedule"),
    "planned": N_("Planned visits"),
    "waiting": N_("Waiting list"),
    "task": N_("Call tasks"),
    "card": N_("Patients"),
    "document": N_("Patients"),
    "survey": N_("Patients"),
    "medical": N_("Patients"),
    "work_order": N_("Work orders and payments"),
    "payment": N_("Work orders and payments"),
    "cash": N_("Cash desk"),
    "fiscal": N_("Fiscal receipts"),
    "expense_category": N_("Cash desk"),
    "report": N_("Reports"),
    "directory": N_("Directories and settings"),
    "message": N_("Patients"),
    "settings": N_("Directories and settings"),
    "staff": N_("Employees and access"),
    "access": N_("Employees and access"),
    "audit": N_("Employees and access"),
}


def strongest(shares: Iterable[str]) -> str:
    """What several roles together give of a right."""
    held = set(shares)
    return next((share for share in REACH if share in held), "no")


def grant_status(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    """Does a grant of days still work: open, expired or revoked."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "open"


#: What the values in the log are called. A value that is not here (a number of another row, mostly) is not shown.
FACTS: dict[str, str] = {
    "surname": N_("Surname"),
    "name": N_("Name or title"),
    "patronymic": N_("Patronymic"),
    "birth_date": N_("Birth date"),
    "phones": N_("Phones"),
    "phone": N_("Phone"),
    "address": N_("Address"),
    "comment": N_("Comment"),
    "status": N_("Status"),
    "confirmation": N_("Confirmation"),
    "starts_at": N_("Start"),
    "ends_at": N_("End"),
    "cancelled_by": N_("Cancelled by"),
    "overbook_reason": N_("Reason of booking over"),
    "outside_hours_reason": N_("Reason of booking outside hours"),
    "reason": N_("Reason"),
    "number": N_("Number"),
    "total": N_("Total"),
    "amount": N_("Sum"),
    "price": N_("Price"),
    "delta": N_("Sum"),
    "discount": N_("Discount"),
    "expected": N_("Expected"),
    "counted": N_("Counted"),
    "difference": N_("Difference"),
    "counterparty": N_("From or to whom"),
    "kind": N_("Kind"),
    "archived": N_("Archived"),
    "username": N_("Login name"),
    "roles": N_("Roles"),
    "role": N_("Role"),
    "right": N_("Right"),
    "allowed": N_("Allowed"),
    "reports": N_("Reports"),
    "report": N_("Report"),
    "days_from": N_("Days from"),
    "days_to": N_("Days to"),
    "expires_at": N_("Works until"),
    "from": N_("From"),
    "to": N_("To"),
    "as": N_("Shown as"),
    "error": N_("What went wrong"),
    "body": N_("Text"),
    "inn": N_("INN"),
    "post": N_("Post"),
    "is_doctor": N_("Sees patients"),
    "version": N_("Version"),
    "grid_step": N_("Step of the grid, minutes"),
    "waiting_limit": N_("Waiting turns red after, minutes"),
    "reminder_hours": N_("Remind of a visit, hours before"),
    "second_reminder_hours": N_("Remind once more, hours before (0: no)"),
    "sending_from": N_("Send messages from"),
    "sending_to": N_("Send messages until"),
    "hours_weeks_ahead": N_("Make doctors' hours from the patterns, weeks ahead"),
    "crm": N_("Planned visits, call tasks and the waiting list are in use"),
    "offer_minutes": N_("Keep an offered time, minutes"),
    "call_lead_days": N_("Call about a planned visit, days before"),
    "administrators_fill_work_orders": N_("Administrators may fill in work orders"),
    "discount_limit_administrator": N_("Largest discount, percent: administrators"),
    "discount_limit_senior": N_("Largest discount, percent: senior administrators"),
    "discount_limit_doctor": N_("Largest discount, percent: doctors"),
    "paid_services_act": N_("Rules of paid medical services that the contract refers to"),
    "personal_data_processors": N_("Who processes personal data for the clinic: name, address"),
}
