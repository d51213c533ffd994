"""The log of actions in words: what each deed is called, and how its before and after read.

Where next: `app/audit.py`, which writes the log.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.models import AuditEvent
from app.money import shown
from app.vocab import N_, AppointmentStatus, CancelledBy, CardStatus, Confirmation, Sex, WorkOrderStatus

DEEDS = {
    "access.granted": N_("Access to other days granted"),
    "access.revoked": N_("Access to other days revoked"),
    "access.right_changed": N_("Right changed"),
    "appointment.arrived": N_("Patient arrived"),
    "appointment.booked": N_("Visit booked"),
    "appointment.cancelled": N_("Visit cancelled"),
    "appointment.completed": N_("Visit completed"),
    "appointment.confirmed": N_("Confirmation noted"),
    "appointment.moved": N_("Visit moved or changed"),
    "appointment.no_show": N_("Patient did not come"),
    "appointment.restored": N_("Visit restored"),
    "appointment.started": N_("Visit started"),
    "appointment.undone": N_("Step undone"),
    "card.archived": N_("Card archived"),
    "card.changed": N_("Card changed"),
    "card.created": N_("Card created"),
    "cash.moved": N_("Cash operation"),
    "cash.reversed": N_("Cash operation reversed"),
    "cash.shift_closed": N_("Cash shift closed"),
    "cash.shift_opened": N_("Cash shift opened"),
    "directory.added": N_("Directory entry added"),
    "directory.changed": N_("Directory entry changed"),
    "directory.removed": N_("Directory entry removed"),
    "document.issued": N_("Document issued"),
    "expense_category.added": N_("Expense category added"),
    "message.failed": N_("Message not sent"),
    "message.sent": N_("Message sent"),
    "payment.refunded": N_("Money returned"),
    "payment.taken": N_("Payment taken"),
    "report.opened": N_("Report of other days opened"),
    "settings.changed": N_("Settings changed"),
    "staff.login_given": N_("Login given"),
    "staff.login_switched_off": N_("Login switched off"),
    "staff.login_switched_on": N_("Login switched on"),
    "staff.own_password_changed": N_("Own password changed"),
    "staff.password_reset": N_("Password reset"),
    "staff.roles_changed": N_("Roles changed"),
    "template.changed": N_("Template changed"),
    "time_block.added": N_("Time closed"),
    "time_block.lifted": N_("Closed time opened"),
    "work_order.changed": N_("Work order changed"),
    "work_order.created": N_("Work order created"),
    "work_order.issued": N_("Work order issued"),
    "work_order.reopened": N_("Work order taken back to draft"),
    "working_hours.added": N_("Working hours added"),
    "working_hours.removed": N_("Working hours removed"),
}

#: The values that mean something to a reader; numbers of rows and inner counters are left out.
FIELDS = {
    "status": N_("status"), "confirmation": N_("confirmation"), "starts_at": N_("start"), "ends_at": N_("end"),
    "comment": N_("comment"), "reason": N_("reason"), "amount": N_("sum"), "total": N_("total"), "number": N_("number"),
    "surname": N_("surname"), "name": N_("name"), "patronymic": N_("patronymic"), "birth_date": N_("birth date"),
    "sex": N_("sex"), "phone": N_("phone"), "email": N_("e-mail"), "address": N_("address"), "allergy": N_("allergy"),
    "passport": N_("identity document"), "overbook_reason": N_("why over another visit"),
    "outside_hours_reason": N_("why outside hours"), "cancelled_by": N_("cancelled by"), "error": N_("cause"),
    "counted": N_("counted"), "expected": N_("expected"), "username": N_("login"), "price": N_("price"),
}  # fmt: skip
_LISTS = {
    "status": (AppointmentStatus, WorkOrderStatus, CardStatus), "confirmation": (Confirmation,), "sex": (Sex,),
    "cancelled_by": (CancelledBy,),
}  # fmt: skip


def deed(action: str) -> str:
    """What a deed is called."""
    return gettext(DEEDS.get(action, "Changed"))


def _value(field: str, value: Any) -> str:
    if value in (None, ""):
        return "—"
    for values in _LISTS.get(field, ()):
        if value in set(values):
            return gettext(values(value).label)
    if field in ("starts_at", "ends_at", "birth_date"):
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return str(value)
        return f"{moment:%d.%m.%Y %H:%M}" if "T" in str(value) else f"{moment:%d.%m.%Y}"
    if field in ("amount", "total", "counted", "expected", "price"):
        return shown(Decimal(str(value)))
    return str(value)


def details(event: AuditEvent) -> str:
    """What changed, in words: «start: 23.11.2026 10:00 → 11:00; comment: …»."""
    before, after = event.before or {}, event.after or {}
    parts = []
    for field, title in FIELDS.items():
        if field in after and (before or after[field] not in (None, "")):
            new = _value(field, after[field])
            parts.append(
                f"{gettext(title)}: {_value(field, before[field])} → {new}"
                if field in before
                else f"{gettext(title)}: {new}"
            )
    return "; ".join(parts)
