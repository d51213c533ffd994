"""The card's form: what a browser may send."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, EmailField, HiddenField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from app.models import Patient
from app.patients import queries
from app.vocab import Sex

_CLEAN = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$", message=_("There are characters here that cannot be printed."))


def _at_most(most: int) -> list[object]:
    return [Optional(), Length(max=most, message=_("This text is too long.")), _CLEAN]


def _needed(most: int) -> list[object]:
    return [DataRequired(_("Fill in this field.")), Length(max=most, message=_("This text is too long.")), _CLEAN]


class CardForm(FlaskForm):
    """A patient's card; surname and name are enough for a draft."""

    version = HiddenField()
    surname = StringField(_("Surname"), _needed(100))
    name = StringField(_("First name"), _needed(100))
    patronymic = StringField(_("Patronymic"), _at_most(100))
    birth_date = DateField(_("Birth date"), [Optional()])
    sex = SelectField(_("Sex"), [Optional()])
    phone = TelField(_("Phone"), _at_most(40))
    email = EmailField(_("E-mail"), _at_most(200))
    address = StringField(_("Address"), _at_most(500))
    passport = StringField(_("Identity document"), _at_most(500))
    snils = StringField(_("Insurance number (SNILS)"), _at_most(14))
    inn = StringField(_("Taxpayer number (INN)"), _at_most(12))
    allergy = StringField(_("Allergy"), _at_most(500))
    source_id = SelectField(_("Where they learned about us"), [Optional()])
    comment = TextAreaField(_("Comment"), _at_most(2000))

    def __init__(self, obj: Patient | None = None) -> None:
        phone = obj.phones[0].number if obj and obj.phones else ""
        super().__init__(obj=obj, phone=phone)
        if obj and not request.form:
            self.source_id.data, self.sex.data = str(obj.source_id or ""), obj.sex or ""
        sources = queries.sources()
        if obj and obj.source and obj.source not in sources:
            # archived since: it is no longer offered, but an edit does not lose it
            sources.append(obj.source)
        self.sex.choices = [("", ""), *((str(sex), _(sex.label)) for sex in Sex)]
        self.source_id.choices = [("", ""), *((str(source.id), source.name) for source in sources)]

    def values(self) -> dict[str, Any]:
        """What was sent, as the operations take it; a field that was not sent is not changed."""
        skipped = {"version", "csrf_token"}
        values = {field.name: field.data for field in self if field.name not in skipped and field.name in request.form}
        if "source_id" in values:
            values["source_id"] = int(values["source_id"]) if values["source_id"] else None
        return values

    def show_newer(self, current: Mapping[str, Any]) -> None:
        """Beside each field that somebody else has changed, what stands there now; saving again is then on purpose."""
        self.version.data = str(current["version"])
        phones = current["phones"]
        now = {**current, "phone": phones[0]["number"] if phones else ""}
        for name, typed in self.values().items():
            if (typed or "") != (now[name] or ""):
                self.show({name: f"{gettext('Now')}: {self._in_words(name, now[name]) or '—'}"})

    def _in_words(self, name: str, value: Any) -> str:
        if name in ("sex", "source_id"):
            return str(dict(self[name].choices).get(str(value or ""), ""))
        return f"{value:%d.%m.%Y}" if isinstance(value, date) else str(value or "")

    def show(self, fields: dict[str, str]) -> None:
        """Put the sentences of a refusal beside their fields."""
        for name, sentence in fields.items():
            if name in self:
                self[name].errors = [*self[name].errors, sentence]
