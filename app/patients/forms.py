"""The card's form and the conditions of a selection: what a browser may send."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from wtforms import (
    DateField,
    EmailField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, Optional, Regexp

from app.models import Patient
from app.patients import queries, rules
from app.patients.rules import medical
from app.phones import shown as shown_phone
from app.schemas import Body, DayField, IdField, MoneyField, PageQuery, TextField, WholeField, load, one_of
from app.vocab import N_, IdentityType, Sex

_CLEAN = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$", message=_("There are characters here that cannot be printed."))


def _at_most(most: int) -> list[object]:
    return [Optional(), Length(max=most, message=_("This text is too long.")), _CLEAN]


def _needed(most: int) -> list[object]:
    return [DataRequired(_("Fill in this field.")), Length(max=most, message=_("This text is too long.")), _CLEAN]


class SelectionQuery(PageQuery):
    """Conditions of a selection, as the address has them."""

    doctor_id = IdField(load_default=None)
    visited_from = DayField(load_default=None)
    visited_to = DayField(load_default=None)
    not_since = DayField(load_default=None)
    no_future = fields.Boolean(load_default=None, error_messages={"invalid": N_("Unknown value.")})
    service_id = IdField(load_default=None)
    debt_from = MoneyField(
        load_default=None, validate=validate.Range(min=0, error=N_("A debt is written as it is, without a minus."))
    )
    advance = fields.Boolean(load_default=None, error_messages={"invalid": N_("Unknown value.")})
    source_id = IdField(load_default=None)
    tag_id = IdField(load_default=None)
    age_from = WholeField(0, 130, load_default=None)
    age_to = WholeField(0, 130, load_default=None)
    sex = one_of(Sex, load_default=None)

    @validates_schema
    def in_their_order(self, data: dict[str, Any], **_: Any) -> None:
        """Nobody fits what ends before it begins: whoever typed so is told, not shown an empty list."""
        wrong = {}
        for first, last, said in (
            ("visited_from", "visited_to", N_("The first day is later than the last one.")),
            ("age_from", "age_to", N_("The age “from” is larger than the age “up to”.")),
        ):
            if data[first] is not None and data[last] is not None and data[first] > data[last]:
                wrong[last] = [said]
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def without_size(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data.pop("page_size", None)
        return data


class OpeningsQuery(PageQuery):
    """Which openings of cards: `?from=2026-11-23&to=2026-11-29&by=day`."""

    first = DayField(data_key="from", load_default=None)
    last = DayField(data_key="to", load_default=None)
    user_id = IdField(load_default=None)
    patient_id = IdField(load_default=None)
    by = one_of(("day", "card", "one"), load_default="day")


class DaysField(fields.Field):
    """Days in a row, as people write them: «12.03.2026, 15.09.2026»."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[date]:
        try:
            days = medical.days(str(value)[:400])
        except ValueError as error:
            raise ValidationError(N_("Write the days as 12.03.2026, 15.09.2026.")) from error
        if any(day.year < 1900 for day in days):
            raise ValidationError(N_("This day cannot be right."))
        return days


class SurveyBody(Body):
    """A filled in questionnaire, besides its answers."""

    day = DayField(required=True)
    pregnancy_weeks = WholeField(1, 42, allow_none=True)
    last_dentist = TextField(200)
    complaints = TextField(2000)


class RecordBody(Body):
    """The medical card 043/у, besides its formula."""

    occupation = TextField(200)
    diagnosis = TextField(2000)
    icd = TextField(10)
    complaints = TextField(4000)
    past_illnesses = TextField(4000)
    anamnesis = TextField(4000)
    examination = TextField(4000)
    bite = TextField(1000)
    mucosa = TextField(2000)
    findings = TextField(4000)
    shade = TextField(40)
    hygiene_taught_on = DayField(allow_none=True)
    hygiene_checks = DaysField()
    examination_plan = TextField(4000)
    treatment_plan = TextField(4000)
    consultations = TextField(4000)
    epicrisis = TextField(4000)


class EntryBody(Body):
    """An entry of the diary."""

    day = DayField(required=True)
    complaints = TextField(4000)
    objective = TextField(4000)
    diagnosis = TextField(2000)
    icd = TextField(10)
    treatment = TextField(4000)


def sent(schema: type[Body]) -> dict[str, Any]:
    """The fields of the page's form that a schema knows; an empty day or number is none.

    Raises:
        Invalid
    """
    known = schema().fields
    given = {name: request.form[name] for name in known if name in request.form}
    texts = (fields.String, DaysField)
    return load(schema, {n: v if v.strip() or isinstance(known[n], texts) else None for n, v in given.items()})


def _as_shown(phones: list[dict[str, Any]]) -> list[str]:
    """Phones as people read them, whether they were typed or kept: number, whose, and that no messages go there."""
    return [
        " ".join(filter(None, (
            shown_phone(one["number"].strip()), one["owner"].strip(), "" if one["for_sms"] else f"({gettext('no SMS')})"
        )))
        for one in phones
    ]  # fmt: skip


def typed_phones() -> list[dict[str, Any]]:
    """The rows of phones as they were typed: number, owner, for_sms."""
    numbers, owners, uses = (request.form.getlist(name)[:50] for name in ("phone_number", "phone_owner", "phone_sms"))
    return [
        {
            "number": number[:40].replace("\x00", ""),
            "owner": owners[n][:100].replace("\x00", "") if n < len(owners) else "",
            "for_sms": n >= len(uses) or uses[n] != "no",
        }
        for n, number in enumerate(numbers)
    ]


class CardForm(FlaskForm):
    """A patient's card; surname and name are enough for a draft."""

    version = HiddenField()
    surname = StringField(_("Surname"), _needed(100))
    name = StringField(_("First name"), _needed(100))
    patronymic = StringField(_("Patronymic"), _at_most(100))
    name_genitive = StringField(_("Full name in the genitive (whose?)"), _at_most(300))
    name_dative = StringField(_("Full name in the dative (to whom?)"), _at_most(300))
    birth_date = DateField(_("Birth date"), [Optional()])
    sex = SelectField(_("Sex"), [Optional()])
    phone = TelField(_("Phone"), _at_most(40))
    email = EmailField(_("E-mail"), _at_most(200))
    address = StringField(_("Address"), _at_most(500))
    identity_type = SelectField(_("Document"), [Optional()])
    identity_series = StringField(_("Series"), _at_most(20))
    identity_number = StringField(_("Number of the document"), _at_most(30))
    identity_issued_by = StringField(_("Issued by"), _at_most(300))
    identity_issued_on = DateField(_("Issued on"), [Optional()])
    identity_dept_code = StringField(_("Department code"), _at_most(7))
    identity_text = StringField(_("Identity document as it was typed"), _at_most(500))
    snils = StringField(_("Insurance number (SNILS)"), _at_most(14))
    inn = StringField(_("Taxpayer number (INN)"), _at_most(12))
    allergy = StringField(_("Allergy"), _at_most(500))
    insurance = StringField(_("Insurance policy: company and number"), _at_most(200))
    guardian_id = SelectField(_("Guardian"), [Optional()], validate_choice=False)
    doctor_id = SelectField(_("Treating doctor"), [Optional()])
    discount_percent = StringField(_("Discount, %"), _at_most(8))
    discount_reason = StringField(_("Reason of the discount"), _at_most(200))
    tag_ids = SelectMultipleField(_("Tags"), [Optional()])
    source_id = SelectField(_("Where they learned about us"), [Optional()])
    comment = TextAreaField(_("Comment"), _at_most(2000))

    def __init__(self, obj: Patient | None = None) -> None:
        phone = obj.phones[0].number if obj and obj.phones else ""
        super().__init__(obj=obj, phone=phone)
        self.wrong_phones: dict[str, str] = {}
        if obj and not request.form:
            self.source_id.data, self.sex.data = str(obj.source_id or ""), obj.sex or ""
            self.identity_type.data = obj.identity_type or ""
            self.guardian_id.data, self.doctor_id.data = str(obj.guardian_id or ""), str(obj.doctor_id or "")
            self.tag_ids.data = [str(tag.id) for tag in obj.tags]
            percent = obj.discount_percent
            self.discount_percent.data = f"{percent.normalize():f}".replace(".", ",") if percent else ""
        sources = queries.sources()
        if obj and obj.source and obj.source not in sources:
            # archived since: it is no longer offered, but an edit does not lose it
            sources.append(obj.source)
        doctors, tags = queries.doctors(obj.doctor_id if obj else None), queries.tags(obj)
        self.doctor_id.choices = [("", ""), *((str(pk), name) for pk, name in doctors)]
        self.tag_ids.choices = [(str(tag.id), tag.name) for tag in tags]
        self.guardian_id.choices = [("", ""), *queries.named(self.guardian_id.data)]
        self.sex.choices = [("", ""), *((str(sex), _(sex.label)) for sex in Sex)]
        self.identity_type.choices = [("", ""), *((str(kind), _(kind.label)) for kind in IdentityType)]
        self.source_id.choices = [("", ""), *((str(source.id), source.name) for source in sources)]

    def values(self) -> dict[str, Any]:
        """What was sent, as the operations take it; a field that was not sent is not changed."""
        skipped = {"version", "csrf_token"}
        values = {field.name: field.data for field in self if field.name not in skipped and field.name in request.form}
        for name in ("source_id", "doctor_id", "guardian_id"):
            if name in values:
                given = str(values[name] or "")
                values[name] = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
        if "tags_shown" in request.form:
            values["tag_ids"] = [int(pk) for pk in self.tag_ids.data or []]
        if "discount_percent" in values:
            values["discount_percent"] = self._percent(values["discount_percent"])
        if "phone_number" in request.form:
            values["phones"] = typed_phones()
        return values

    def by_rules(self) -> dict[str, str]:
        """The name in its cases as the rules of the language have it: what stands in grey in the empty fields."""
        surname, name, patronymic = ((self[key].data or "")[:100] for key in rules.NAME)
        return rules.in_cases(surname, name, patronymic, self.sex.data or None)

    def phone_rows(self, patient: Patient | None = None) -> list[dict[str, Any]]:
        """The rows of phones to show: as typed, or as they stand; always one to write into."""
        if "phone_number" in request.form:
            return typed_phones()
        if request.form.get("phone"):
            return [{"number": request.form["phone"], "owner": "", "for_sms": True}]
        standing = patient.phones if patient else []
        rows = [{"number": shown_phone(one.number), "owner": one.owner, "for_sms": one.for_sms} for one in standing]
        return rows or [{"number": "", "owner": "", "for_sms": True}]

    @staticmethod
    def _percent(typed: str | None) -> Decimal | None:
        clean = (typed or "").replace(",", ".").replace("%", "").strip()
        try:
            return Decimal(clean) if clean else None
        except InvalidOperation:
            return Decimal("NaN")

    def show_newer(self, current: Mapping[str, Any]) -> None:
        """Beside each field that somebody else has changed, what stands there now; saving again is then on purpose."""
        self.version.data = str(current["version"])
        phones = current["phones"]
        now = {**current, "phone": shown_phone(phones[0]["number"]) if phones else ""}
        now["tag_ids"], now["phones"] = None, None
        typed_ones = [one for one in typed_phones() if one["number"].strip()]
        if "phone_number" in request.form and _as_shown(typed_ones) != _as_shown(phones):
            self.wrong_phones["phones"] = f"{gettext('Now')}: {', '.join(_as_shown(phones)) or '—'}"
        for name, typed in self.values().items():
            if name == "phone":
                typed = shown_phone(typed or "")
            if name not in ("tag_ids", "phones") and (typed or "") != (now[name] or ""):
                self.show({name: f"{gettext('Now')}: {self._in_words(name, now[name]) or '—'}"})

    def _in_words(self, name: str, value: Any) -> str:
        if name in ("sex", "source_id", "doctor_id", "identity_type"):
            return str(dict(self[name].choices).get(str(value or ""), ""))
        if name == "guardian_id":
            return ", ".join(text for _pk, text in queries.named(value))
        return f"{value:%d.%m.%Y}" if isinstance(value, date) else str(value or "")

    def show(self, fields: dict[str, str]) -> None:
        """Put the sentences of a refusal beside their fields."""
        for name, sentence in fields.items():
            if name.startswith("phones"):
                self.wrong_phones[name] = sentence
            elif name in self:
                self[name].errors = [*self[name].errors, sentence]
