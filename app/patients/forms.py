"""The card's form: what a browser may send."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, EmailField, HiddenField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, Regexp

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

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.sex.choices = [("", ""), *((str(sex), _(sex.label)) for sex in Sex)]
        self.source_id.choices = [("", ""), *((str(source.id), source.name) for source in queries.sources())]

    def values(self) -> dict[str, object]:
        """What was filled in, as the operations take it."""
        skipped = {"version", "csrf_token"}
        values = {field.name: field.data for field in self if field.name not in skipped}
        values["source_id"] = int(values["source_id"]) if values["source_id"] else None
        return values

    def show(self, fields: dict[str, str]) -> None:
        """Put the sentences of a refusal beside their fields."""
        for name, sentence in fields.items():
            if name in self:
                self[name].errors = [*self[name].errors, sentence]
