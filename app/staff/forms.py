"""What a browser or a program may send about people, rights and settings.

`typed` reads a page's form by the same schemas as the addresses read JSON.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from werkzeug.datastructures import MultiDict

from app import clock
from app.access import ROLES_WITH_WINDOW
from app.schemas import Body, ClockField, DayField, PageQuery, TextField, WholeField, load, one_of
from app.vocab import N_, ReportKind

_FILL = {"required": N_("Fill in this field."), "null": N_("Fill in this field.")}


class InstantField(fields.Field):
    """A moment with its offset, 2026-11-23T18:00:00+03:00; without one it is the clinic's wall clock."""

    default_error_messages = {"invalid": N_("This is not a time: write it as 2026-11-23T18:00:00+03:00.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) and len(value) <= 40 else "")
        except ValueError as error:
            raise self.make_error("invalid") from error
        if not 1900 <= moment.year <= 2200:
            raise self.make_error("invalid")
        return moment if moment.tzinfo else moment.replace(tzinfo=clock.zone())


class ReportsField(fields.Field):
    """Some of the four reports, or the word `all`; None means all."""

    default_error_messages = {**_FILL, "invalid": N_("Choose at least one report.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[str] | None:
        if value == "all":
            return None
        known = {str(kind) for kind in ReportKind}
        if not isinstance(value, list) or not value or any(not isinstance(v, str) or v not in known for v in value):
            raise self.make_error("invalid")
        return sorted(set(value))


class Grant(Body):
    username = TextField(64)
    role = one_of(ROLES_WITH_WINDOW)
    reports = ReportsField(required=True)
    days_from = DayField(allow_none=True, load_default=None)
    days_to = DayField(allow_none=True, load_default=None)
    expires_at = InstantField(allow_none=True, load_default=None)
    reason = TextField(400, blank=False, required=True)


class GrantsQuery(PageQuery):
    pass


class RightChange(Body):
    right = TextField(60, required=True)
    allowed = one_of(("give", "take", "role"), required=True)
    reason = TextField(400, blank=False, required=True)


class NewLogin(Body):
    username = TextField(64, blank=False, required=True)
    roles = fields.List(fields.String(), required=True, error_messages={"required": N_("Choose at least one role.")})
    password = fields.String(required=True, error_messages=_FILL)


class Roles(Body):
    roles = fields.List(fields.String(), required=True, error_messages={"required": N_("Choose at least one role.")})


class NewPassword(Body):
    password = fields.String(required=True, error_messages=_FILL)


class Settings(Body):
    grid_step = WholeField(5, 30, required=True)
    waiting_limit = WholeField(1, 240, required=True)
    reminder_hours = WholeField(1, 240, required=True)
    second_reminder_hours = WholeField(0, 48, required=True)
    sending_from = ClockField(required=True)
    sending_to = ClockField(required=True)
    hours_weeks_ahead = WholeField(1, 52, required=True)
    crm = fields.Boolean(load_default=False)
    offer_minutes = WholeField(5, 2880, required=True)
    call_lead_days = WholeField(0, 90, required=True)
    survey_months = WholeField(1, 36, required=True)
    administrators_fill_work_orders = fields.Boolean(load_default=False)
    discount_limit_administrator = WholeField(0, 100, required=True)
    discount_limit_senior = WholeField(0, 100, required=True)
    discount_limit_doctor = WholeField(0, 100, required=True)
    paid_services_act = TextField(4000, load_default="")
    personal_data_processors = TextField(2000, load_default="")

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if "sending_from" in data and "sending_to" in data and data["sending_to"] <= data["sending_from"]:
            raise ValidationError(N_("Messages must end later than they begin."), "sending_to")


def typed(
    schema: type[Body], form: MultiDict[str, str], **read: Callable[[MultiDict[str, str]], Any]
) -> dict[str, Any]:
    """A page's form checked by a schema; empty fields are as if they had not come.

    `read` says how a field is found in the form where it is not one text. Raises Invalid.
    """
    given: dict[str, Any] = {}
    for name, field in schema().fields.items():
        if name in read:
            value = read[name](form)
        elif isinstance(field, fields.List):
            value = form.getlist(name) or None
        else:
            value = form.get(name)
            value = value if value is None or name == "password" or value.strip() else None
        if value is not None:
            given[name] = value
    return load(schema, given)
