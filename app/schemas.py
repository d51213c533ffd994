"""What a program may send: fields that answer with a sentence, never with an error.

Every body and query of the API is a `Body` or `Query` of these fields; unknown names are refused.
Where next: `app/web.py`, which parses by them.
"""

from datetime import datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from app import money
from app.errors import Invalid
from app.vocab import N_


class Body(Schema):
    """What a program may send: unknown fields are refused, and every complaint is a sentence."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": N_("There is no such field."), "type": N_("The request must be a JSON object.")}


class Query(Body):
    """What may stand after the question mark."""


_REQUIRED = {"required": N_("Fill in this field."), "null": N_("Fill in this field.")}


class IdField(fields.Integer):
    """The number of a record."""

    default_error_messages = {**_REQUIRED, "invalid": N_("This must be the number of a record.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool | float):
            raise self.make_error("invalid", input=value)
        number = super()._deserialize(value, attr, data, **kwargs)
        if number is not None and not 0 < number < 2**31:
            raise self.make_error("invalid", input=value)
        return number


class WholeField(fields.Integer):
    """A whole number between two bounds; `said` where the field stands among others and must name itself."""

    default_error_messages = {**_REQUIRED, "invalid": N_("This must be a whole number.")}

    def __init__(self, low: int, high: int, *, said: str = N_("This number is out of bounds."), **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(low, high, error=said), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool | float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class TextField(fields.String):
    """A line or a paragraph: trimmed, no control characters, not endless."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": N_("This must be text."),
        "control": N_("There are characters here that cannot be printed."),
        "long": N_("This text is too long."),
        "blank": N_("Fill in this field."),
    }

    def __init__(self, most: int = 200, *, blank: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.blank = most, blank

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if any((ord(c) < 32 and c not in "\n\r\t") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text):
            raise self.make_error("control")
        if len(text) > self.most:
            raise self.make_error("long")
        if not any(c.isprintable() and not c.isspace() for c in text):
            text = ""  # marks that nobody sees
        if not text and not self.blank:
            raise self.make_error("blank")
        return text


class MoneyField(fields.Field):
    """A sum as a string, `"1500.00"`; the answer is Decimal."""

    default_error_messages = {**_REQUIRED, "invalid": N_("This is not a sum of money.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.make_error("invalid")
        amount = money.parse(str(value))
        if amount is None:
            raise self.make_error("invalid")
        return amount


class ClockField(fields.Field):
    """A time of day, 09:00."""

    default_error_messages = {
        "required": N_("Fill in this field."),
        "null": N_("Fill in this field."),
        "invalid": N_("This is not a time of day: write it as 09:00."),
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> time:
        try:
            if isinstance(value, str) and len(value) == 5:
                return datetime.strptime(value, "%H:%M").time()
        except ValueError:
            pass
        raise self.make_error("invalid")


class DayField(fields.Date):
    """A day, 2026-11-23, within the years that a clinic knows."""

    default_error_messages = {**_REQUIRED, "invalid": N_("This is not a day: write it as 2026-11-23.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        day = super()._deserialize(value, attr, data, **kwargs)
        if not 1900 <= day.year <= 2200:
            raise self.make_error("invalid")
        return day


class WallTimeField(fields.Field):
    """A moment on the clinic's wall clock, 2026-11-23T10:00, without zone."""

    default_error_messages = {**_REQUIRED, "invalid": N_("This is not a time: write it as 2026-11-23T10:00.")}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and len(value) in (16, 19):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError as error:
                raise self.make_error("invalid") from error
            if moment.tzinfo is None and 1900 <= moment.year <= 2200 and moment.second == 0:
                return moment
        raise self.make_error("invalid")


def one_of(values: Any, **kwargs: Any) -> fields.String:
    """One value of a closed list."""
    return fields.String(
        validate=validate.OneOf([str(value) for value in values], error=N_("Unknown value.")),
        error_messages={**_REQUIRED, "invalid": N_("Unknown value.")},
        **kwargs,
    )


def _flat(messages: Any, prefix: str = "") -> dict[str, str]:
    """Complaints of a schema as {field: sentence}; nested ones as `lines.0.tooth`."""
    if isinstance(messages, dict):
        flat: dict[str, str] = {}
        for key, value in messages.items():
            name = prefix if key == "_schema" and prefix else f"{prefix}.{key}" if prefix else str(key)
            flat.update(_flat(value, name))
        return flat
    first = messages[0] if isinstance(messages, list) and messages else messages
    return {prefix or "_schema": str(first)}


_OBJECT = N_("This must be an object.")
_LIST = {**_REQUIRED, "invalid": N_("This must be a list.")}


def listed(schema: type[Body], most: int, **kwargs: Any) -> fields.List:
    """A list of objects, not endless."""
    return fields.List(
        fields.Nested(schema, error_messages={"type": _OBJECT, "null": _OBJECT}),
        validate=validate.Length(max=most, error=N_("This list is too long.")),
        error_messages=_LIST,
        **kwargs,
    )


def load(schema: type[Schema], data: Any) -> dict[str, Any]:
    """Input checked by a schema.

    Raises:
        Invalid: with a sentence for every field that is wrong.
    """
    try:
        return dict(_made(schema).load(data))
    except ValidationError as error:
        raise Invalid(fields=_flat(error.messages)) from error


@cache
def _made(schema: Any) -> Schema:
    """A schema keeps nothing of what it reads: one for all requests."""
    made: Schema = schema()
    return made


class PageQuery(Query):
    """`?page=0&page_size=25`, 200 at most."""

    page = WholeField(0, 100_000, load_default=0)
    page_size = WholeField(1, 200, load_default=25)
