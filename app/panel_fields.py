"""Fields of the generated forms that the framework gets wrong: dates, sums, whole numbers, relations to large tables.

Importing it corrects the framework's own table of conversions. Where next: `app/panels.py`.
"""

from typing import Any

from flask import url_for
from flask_appbuilder.fields import AJAXSelectField
from flask_appbuilder.forms import FieldConverter
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from wtforms import DateField, DateTimeLocalField, Field, IntegerField, StringField, ValidationError
from wtforms.validators import DataRequired, Optional, StopValidation
from wtforms.widgets import CheckboxInput, DateInput, DateTimeLocalInput, Select, TextArea, TextInput, html_params

from app import money


def _control(widget: type) -> type:
    """The widget with the desk's look, and nothing of the framework's."""

    class Control(widget):  # type: ignore[misc]
        def __call__(self, field: Any, **kwargs: Any) -> Markup:
            shown: Markup = super().__call__(field, **{**kwargs, "class": "form-control"})
            return shown

    return Control


Text, Area, Date, Moment, PlainSelect = map(_control, (TextInput, TextArea, DateInput, DateTimeLocalInput, Select))


class MomentField(DateTimeLocalField):
    """A wall time; the framework's picker drops the time of day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("format", ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])
        super().__init__(*args, **kwargs)


class _Understood(Field):
    """What could not be read has been complained about: whether it is too small or too large is not asked."""

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            raise StopValidation()


class SumField(_Understood, StringField):
    """A sum of money: «1 500,50» is understood, NaN is not."""

    data: Any = None

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            self.data = money.parse(valuelist[0])
            if self.data is None:
                raise ValueError(gettext("This is not a sum of money."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else money.shown(self.data)


class WholeField(_Understood, IntegerField):
    """A whole number that the database can hold."""

    data: Any = None

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist and len(valuelist[0]) > 10:
            raise ValueError(gettext("This number is out of bounds."))
        super().process_formdata(valuelist)
        if self.data is not None and not -(2**31) <= self.data < 2**31:
            self.data = None
            raise ValueError(gettext("This number is out of bounds."))


_CORRECTED = {
    "is_date": (DateField, Date),
    "is_datetime": (MomentField, Moment),
    "is_numeric": (SumField, Text),
    "is_integer": (WholeField, Text),
    "is_string": (StringField, Text),
    "is_text": (None, Area),
}
FieldConverter.conversion_table = tuple(
    (kind, _CORRECTED[kind][0] or field, _CORRECTED[kind][1]) if kind in _CORRECTED else (kind, field, widget)
    for kind, field, widget in FieldConverter.conversion_table
)


class _RemoteSelect:
    """A select that holds only the chosen row and asks the server while one types."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        own = {"id": field.id, "name": field.name, "class": "form-control", "data-remote": url_for(self.endpoint)}
        option = Markup('<option value="{}" selected>{}</option>').format(field.pk, field.text) if field.pk else ""
        return Markup("<select {}>{}</select>").format(Markup(html_params(**{**kwargs, **own})), option)


class RemoteSelectField(AJAXSelectField):
    """A relation to a large table: the whole table never reaches the page."""

    pk: int | None = None
    text = ""

    def __init__(
        self, label: Any, *, datamodel: Any, col_name: str, endpoint: str, required: bool = False, **kwargs: Any
    ) -> None:
        checks = [DataRequired(lazy_gettext("Choose a row from the list.")) if required else Optional()]
        super().__init__(
            label, validators=checks, datamodel=datamodel, col_name=col_name, widget=_RemoteSelect(endpoint), **kwargs
        )

    def process_data(self, value: Any) -> None:
        self.data = value
        if value is not None:
            self.pk, self.text = value.id, str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0]:
            related = self.datamodel.get_related_interface(self.col_name)
            chosen = related.get(valuelist[0]) if valuelist[0].isdigit() else None
            if chosen is None:
                raise ValidationError(gettext("Choose a row from the list."))
            self.process_data(chosen)


def tidy(field: Field) -> None:
    """Trim a text that came from a form, and complain about characters that cannot be printed."""
    if isinstance(field.data, str):
        field.data = field.data.strip().replace("\r\n", "\n")
        if any(ord(char) < 32 and char not in "\n\t" for char in field.data):
            field.errors = [*field.errors, gettext("There are characters here that cannot be printed.")]


def is_box(field: Field) -> bool:
    """Is the field a box to tick?"""
    return isinstance(field.widget, CheckboxInput)
