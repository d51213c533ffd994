"""The log of actions in words: what each deed is called, and how its before and after read.

Where next: `app/audit.py`, which writes the log.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.db import session
from app.models import AuditEvent, Employee, Patient, ReferralSource
from app.money import shown
from app.phones import shown as shown_phone
from app.vocab import (
    DEEDS,
    N_,
    AnsweredBy,
    AppointmentStatus,
    BlockKind,
    CancelledBy,
    CardStatus,
    Confirmation,
    ConsentKind,
    DeskKind,
    IdentityType,
    MessageKind,
    MovementKind,
    PlannedStatus,
    Sex,
    TaskReasonKind,
    TaskResult,
    TaskStatus,
    TemplateKind,
    Urgency,
    WaitingKind,
    WaitingStatus,
    WorkOrderStatus,
)

#: The values that mean something to a reader; numbers of rows and inner counters are left out.
FIELDS = {
    "status": N_("status"), "confirmation": N_("confirmation"), "starts_at": N_("start"), "ends_at": N_("end"),
    "comment": N_("comment"), "reason": N_("reason"), "amount": N_("sum"), "total": N_("total"), "number": N_("number"),
    "surname": N_("surname"), "name": N_("name"), "patronymic": N_("patronymic"), "birth_date": N_("birth date"),
    "sex": N_("sex"), "phone": N_("phone"), "email": N_("e-mail"), "address": N_("address"), "allergy": N_("allergy"),
    "name_genitive": N_("name in the genitive"), "name_dative": N_("name in the dative"),
    "passport": N_("identity document"), "identity_type": N_("identity document"), "identity_series": N_("series"),
    "identity_number": N_("number"), "identity_issued_by": N_("issued by"), "identity_issued_on": N_("issued on"),
    "identity_dept_code": N_("department code"), "identity_text": N_("identity document as typed"),
    "overbook_reason": N_("why over another visit"),
    "outside_hours_reason": N_("why outside hours"), "cancelled_by": N_("cancelled by"), "error": N_("cause"),
    "counted": N_("counted"), "expected": N_("expected"), "username": N_("login"), "price": N_("price"),
    "reason_kind": N_("why to call"), "due_at": N_("to be called"), "result": N_("result"), "note": N_("note"),
    "day": N_("day"), "first_day": N_("from day"), "last_day": N_("to day"), "onto": N_("onto"),
    "hours_before": N_("hours before"), "hours": N_("hours"), "cancel_comment": N_("comment to cancellation"),
    "target_from": N_("should come from"), "target_to": N_("should come until"), "call_on": N_("call on"),
    "urgency": N_("urgency"), "minutes": N_("minutes"), "wishes": N_("wishes"), "refusal": N_("reason of refusal"),
    "relative": N_("relative"), "payer": N_("who pays"), "given_on": N_("given on"), "tags": N_("tags"),
    "insurance": N_("insurance"), "doctor_id": N_("doctor"), "source_id": N_("source"), "guardian_id": N_("guardian"),
    "discount_percent": N_("discount in percent"), "discount_reason": N_("reason of the discount"),
    "snils": N_("SNILS"), "inn": N_("INN"),
    "file_name": N_("file"), "row": N_("row"), "old_number": N_("old card"), "written": N_("new cards"),
    "filled": N_("filled in"), "text": N_("text"), "answered_by": N_("answered"),
    "notify_attempts": N_("attempts to reach"), "asked_on": N_("day of the demand"),
}  # fmt: skip
_LISTS = {
    "reason_kind": (TaskReasonKind,), "result": (TaskResult,),
    "status": (AppointmentStatus, WorkOrderStatus, CardStatus, TaskStatus, PlannedStatus, WaitingStatus),
    "confirmation": (Confirmation,),
    "sex": (Sex,), "identity_type": (IdentityType,), "urgency": (Urgency,),
    "cancelled_by": (CancelledBy,), "answered_by": (AnsweredBy,),
    "kind": (ConsentKind, MovementKind, BlockKind, MessageKind, TemplateKind, DeskKind, WaitingKind),
}  # fmt: skip


def deed(action: str) -> str:
    """What a deed is called."""
    return gettext(DEEDS.get(action, "Changed"))


def in_words(field: str, value: Any) -> str:
    """The desk's word for a value of a closed list; empty for any other value."""
    for values in _LISTS.get(field, ()):
        if value in list(values):
            return gettext(values(value).label)
    return gettext(value) if field == "error" and value else ""


#: What a record of these tables is: said before its values.
_KINDS = {"patient_consent": ConsentKind, "issued_document": TemplateKind}
#: The log keeps the number of a row; people read its name.
_ROWS: dict[str, tuple[type[Any], str]] = {
    "doctor_id": (Employee, "short_name"), "source_id": (ReferralSource, "name"), "guardian_id": (Patient, "full_name"),
}  # fmt: skip
_DAYS = (
    "birth_date", "day", "first_day", "last_day", "onto", "target_from", "target_to", "call_on", "identity_issued_on",
    "asked_on", "given_on",
)  # fmt: skip


def _value(field: str, value: Any) -> str:
    if value in (None, ""):
        return "—"
    if word := in_words(field, value):
        return word
    if field in _ROWS and isinstance(value, int):
        model, name = _ROWS[field]
        row = session.get(model, value)  # the session has it already when another line of the page names it
        return str(getattr(row, name)) if row else "—"
    if field == "phone":
        return re.sub(r"\+\d+", lambda number: shown_phone(number[0]), str(value)).replace(
            "—SMS", f"({gettext('no SMS')})"
        )
    if field == "discount_percent":
        return f"{Decimal(str(value)).normalize():f}".replace(".", ",")
    if field in ("starts_at", "ends_at", "due_at", *_DAYS):
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
    kinds = _KINDS.get(event.object_type)
    parts = [gettext(kinds(after["kind"]).label)] if kinds and after.get("kind") in list(kinds) else []
    for field, title in FIELDS.items():
        if field in after and any(value not in (None, "") for value in (before.get(field), after[field])):
            new = _value(field, after[field])
            parts.append(
                f"{gettext(title)}: {_value(field, before[field])} → {new}"
                if field in before
                else f"{gettext(title)}: {new}"
            )
    return "; ".join(parts)
