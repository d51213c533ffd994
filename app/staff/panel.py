"""Generated views of the clinic's directories: legal entities, branches, chairs, specialities, employees; the log."""

import re
from contextlib import suppress
from datetime import date, datetime
from typing import Any, ClassVar

from flask import request, url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from wtforms.validators import Optional, Regexp

from app.deeds import in_words
from app.looks import label
from app.models import AuditEvent, Branch, Chair, Employee, LegalEntity, Speciality
from app.panels import DeskInterface, PanelView, ReadOnlyPanel, shown
from app.roles import RIGHTS, ROLES
from app.staff.rules import FACTS
from app.vocab import DEEDS, THINGS, ReportKind
from app.web import may

_name, _archived = lazy_gettext("Name"), lazy_gettext("Archived")
_ARCHIVE = lazy_gettext("No longer offered; stays where it was used.")


def _digits(*lengths: int) -> list[Any]:
    """So many digits, or nothing."""
    pattern = "|".join(rf"[0-9]{{{length}}}" for length in lengths)
    return [
        Optional(),
        Regexp(rf"^\s*({pattern})\s*$", message=lazy_gettext("Only digits, and as many as the form wants.")),
    ]


class LegalEntityPanel(PanelView):
    """Who signs contracts and takes money."""

    datamodel = DeskInterface(LegalEntity)
    route_base = "/legal-entities"
    one, list_title = lazy_gettext("Legal entity"), lazy_gettext("Legal entities")
    base_order = ("short_name", "asc")
    list_columns: ClassVar[list[str]] = ["short_name", "name", "inn", "phone", "archived"]
    show_columns: ClassVar[list[str]] = [
        "short_name", "name", "brand", "inn", "kpp", "ogrn", "okpo", "address", "phone", "email", "site",
        "licence_number", "licence_day", "licence_issuer", "licence_issuer_address", "licence_issuer_phone",
        "licence_works", "licence", "bank_name", "bank_bik", "bank_account", "bank_corr_account", "bank_details",
        "director_post", "director_post_genitive", "director_name", "director_name_genitive", "acting_on",
        "accountant_name", "account_cash", "account_patients", "account_bank", "account_salary", "account_expenses",
        "account_other", "archived",
    ]  # fmt: skip
    add_columns = edit_columns = show_columns
    search_columns: ClassVar[list[str]] = ["name", "inn", "archived"]
    order_columns: ClassVar[list[str]] = ["short_name", "name", "inn"]
    label_columns: ClassVar[dict[str, Any]] = {
        "short_name": lazy_gettext("Short name"), "name": lazy_gettext("Full name"), "inn": lazy_gettext("INN"),
        "kpp": lazy_gettext("KPP"), "ogrn": lazy_gettext("OGRN"), "okpo": lazy_gettext("OKPO"),
        "address": lazy_gettext("Address"), "phone": lazy_gettext("Phone"), "brand": lazy_gettext("Trade name"),
        "email": lazy_gettext("E-mail"), "site": lazy_gettext("Web site"),
        "licence_number": lazy_gettext("Number of the medical licence"),
        "licence_day": lazy_gettext("Day of the licence"), "licence_issuer": lazy_gettext("Who issued the licence"),
        "licence_issuer_address": lazy_gettext("Address of who issued it"),
        "licence_issuer_phone": lazy_gettext("Phone of who issued it"),
        "licence_works": lazy_gettext("Works and services of the licence"),
        "licence": lazy_gettext("Medical licence in one line"),
        "bank_name": lazy_gettext("Bank"), "bank_bik": lazy_gettext("BIK"),
        "bank_account": lazy_gettext("Account in the bank"),
        "bank_corr_account": lazy_gettext("Correspondent account"),
        "bank_details": lazy_gettext("Bank details in one line"),
        "director_post_genitive": lazy_gettext("Post of the head in the genitive"),
        "director_name_genitive": lazy_gettext("Name of the head in the genitive"),
        "acting_on": lazy_gettext("The head acts on the ground of"), "director_post": lazy_gettext("Post of the head"),
        "director_name": lazy_gettext("Name of the head"), "accountant_name": lazy_gettext("Chief accountant"),
        "account_cash": lazy_gettext("Account of the cash desk"),
        "account_patients": lazy_gettext("Account of settlements with patients"),
        "account_bank": lazy_gettext("Account of money on the way to the bank"),
        "account_salary": lazy_gettext("Account of salaries"),
        "account_expenses": lazy_gettext("Account of expenses"),
        "account_other": lazy_gettext("Account of everything else"), "archived": _archived,
    }  # fmt: skip
    description_columns: ClassVar[dict[str, Any]] = {
        "short_name": lazy_gettext("As it stands in lists and in messages to patients."),
        "brand": lazy_gettext("The name on the sign, when it is another one."),
        "licence_works": lazy_gettext("As the licence lists them: printed in the contract."),
        "licence": lazy_gettext("Number, day, who issued it: printed where the fields above are empty."),
        "bank_details": lazy_gettext("Printed where the fields above are empty."),
        "director_post_genitive": lazy_gettext("“генерального директора”: the contract says “in the person of”."),
        "director_name_genitive": lazy_gettext("Only when the rules of the language do not know it."),
        "acting_on": lazy_gettext("In the genitive: “Устава”, “доверенности № 3 от 01.02.2026”."),
        "archived": _ARCHIVE,
    }
    validators_columns: ClassVar[dict[str, Any]] = {
        "inn": _digits(10, 12), "kpp": _digits(9), "ogrn": _digits(13, 15), "okpo": _digits(8, 10),
        "bank_bik": _digits(9), "bank_account": _digits(20), "bank_corr_account": _digits(20),
    }  # fmt: skip


class BranchPanel(PanelView):
    """Places where patients are seen."""

    datamodel = DeskInterface(Branch)
    route_base = "/branches"
    one, list_title = lazy_gettext("Branch"), lazy_gettext("Branches")
    base_order = ("name", "asc")
    list_columns: ClassVar[list[str]] = ["name", "address", "phone", "legal_entity", "archived"]
    show_columns = add_columns = edit_columns = list_columns
    search_columns: ClassVar[list[str]] = ["name", "legal_entity", "archived"]
    order_columns: ClassVar[list[str]] = ["name", "address"]
    label_columns: ClassVar[dict[str, Any]] = {
        "name": _name, "address": lazy_gettext("Address"), "phone": lazy_gettext("Phone"),
        "legal_entity": lazy_gettext("Legal entity"), "archived": _archived,
    }  # fmt: skip
    description_columns: ClassVar[dict[str, Any]] = {
        "phone": lazy_gettext("As patients read it in messages."), "archived": _ARCHIVE,
    }  # fmt: skip


class ChairPanel(PanelView):
    """Dental chairs and rooms."""

    datamodel = DeskInterface(Chair)
    route_base = "/chairs"
    one, list_title = lazy_gettext("Chair"), lazy_gettext("Chairs")
    base_order = ("name", "asc")
    list_columns: ClassVar[list[str]] = ["name", "branch", "archived"]
    show_columns = add_columns = edit_columns = list_columns
    search_columns: ClassVar[list[str]] = ["name", "branch", "archived"]
    order_columns: ClassVar[list[str]] = ["name"]
    label_columns: ClassVar[dict[str, Any]] = {"name": _name, "branch": lazy_gettext("Branch"), "archived": _archived}
    description_columns: ClassVar[dict[str, Any]] = {"archived": _ARCHIVE}


class SpecialityPanel(PanelView):
    """What doctors are."""

    datamodel = DeskInterface(Speciality)
    route_base = "/specialities"
    one, list_title = lazy_gettext("Speciality"), lazy_gettext("Specialities")
    base_order = ("name", "asc")
    list_columns: ClassVar[list[str]] = ["name", "archived"]
    show_columns = add_columns = edit_columns = list_columns
    search_columns: ClassVar[list[str]] = ["name", "archived"]
    order_columns: ClassVar[list[str]] = ["name"]
    label_columns: ClassVar[dict[str, Any]] = {"name": _name, "archived": _archived}
    description_columns: ClassVar[dict[str, Any]] = {"archived": _ARCHIVE}


def _login(user: Any) -> Any:
    """The login, for who looks after logins."""
    if user is None:
        return ""
    return user.username if user.active else gettext("%(login)s (switched off)", login=user.username)


class EmployeePanel(PanelView):
    """Everybody who works in the clinic. Logins have a page of their own."""

    datamodel = DeskInterface(Employee, eager=("user",))
    route_base = "/employees"
    class_permission_name = "staff"
    include_route_methods: ClassVar[set[str]] = {"list", "show", "add", "edit"}
    one, list_title = lazy_gettext("Employee"), lazy_gettext("Employees")
    show_template, edit_template = "staff/employee_show.html", "staff/employee_form.html"
    base_order = ("surname", "asc")
    list_columns: ClassVar[list[str]] = [
        "full_name", "post", "speciality", "branch", "phone", "is_doctor", "user", "archived",
    ]  # fmt: skip
    show_columns: ClassVar[list[str]] = [
        "surname", "name", "patronymic", "post", "phone", "is_doctor", "speciality", "branch", "acting_on",
        "post_genitive", "name_genitive", "name_dative", "user", "archived",
    ]  # fmt: skip
    add_columns = edit_columns = [name for name in show_columns if name != "user"]
    search_columns: ClassVar[list[str]] = ["surname", "speciality", "branch", "is_doctor", "archived"]
    order_columns: ClassVar[list[str]] = ["post", "is_doctor", "archived"]
    audited = (
        "surname", "name", "patronymic", "post", "phone", "is_doctor", "speciality_id", "branch_id", "acting_on",
        "post_genitive", "name_genitive", "name_dative", "archived",
    )  # fmt: skip
    label_columns: ClassVar[dict[str, Any]] = {
        "full_name": lazy_gettext("Employee"), "surname": lazy_gettext("Surname"), "name": lazy_gettext("First name"),
        "patronymic": lazy_gettext("Patronymic"), "post": lazy_gettext("Post"), "phone": lazy_gettext("Phone"),
        "is_doctor": lazy_gettext("Sees patients"), "speciality": lazy_gettext("Speciality"),
        "branch": lazy_gettext("Branch"), "user": lazy_gettext("Login name"), "archived": _archived,
        "acting_on": lazy_gettext("Signs contracts on the ground of"),
        "post_genitive": lazy_gettext("Post in the genitive"),
        "name_genitive": lazy_gettext("Full name in the genitive (whose?)"),
        "name_dative": lazy_gettext("Full name in the dative (to whom?)"),
    }  # fmt: skip
    description_columns: ClassVar[dict[str, Any]] = {
        "is_doctor": lazy_gettext("Has a column in the schedule."),
        "acting_on": lazy_gettext("“доверенности № 3 от 01.02.2026”; empty: the head of the clinic signs."),
        "name_genitive": lazy_gettext("Only when the rules of the language do not know it."),
        "name_dative": lazy_gettext("Only when the rules of the language do not know it."),
        "archived": lazy_gettext("No longer works here; the login is switched off on its own page."),
    }
    formatters_columns: ClassVar[dict[str, Any]] = {"user": _login}

    def begin(self, form: Any) -> None:
        """The page of doctors' hours sends here for a doctor."""
        form.is_doctor.data = request.args.get("doctor") == "1"


def _deed(action: str) -> str:
    return gettext(DEEDS[action]) if action in DEEDS else action


def _thing(what: tuple[str, int]) -> Any:
    """The thing as a person calls it; a card is a link."""
    table, number = what
    text = gettext("%(thing)s № %(number)s", thing=gettext(THINGS.get(table, table)), number=number)
    if table != "patient" or not may("card.see"):
        return text
    return Markup('<a href="{}">{}</a>').format(url_for("PatientsView.card", pk=number), text)


def _fact(name: str, value: Any) -> Any:
    """A value of the log in words, where there are words for it."""
    if word := in_words(name, value):
        return word
    if name == "roles" and isinstance(value, list):
        return ", ".join(gettext(ROLES.get(role, role)) for role in value)
    if name == "role" and value in ROLES:
        return gettext(ROLES[value])
    if name == "right" and value in RIGHTS:
        return gettext(RIGHTS[value].title)
    if name in ("reports", "report") and value:
        kinds = value if isinstance(value, list) else [value]
        return ", ".join(label(ReportKind, kind) if kind in set(ReportKind) else str(kind) for kind in kinds)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)", value):
        with suppress(ValueError):
            return shown(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value))
    return "—" if value is None or value == "" else shown(value)


def _facts(facts: dict[str, Any] | None) -> Any:
    """What changed, a line each."""
    lines = [
        Markup("<b>{}</b>: {}").format(gettext(FACTS[name]), _fact(name, value))
        for name, value in (facts or {}).items()
        if name in FACTS
    ]
    return Markup("<br>").join(lines)


class AuditPanel(ReadOnlyPanel):
    """The log of actions: who did what, when. Nobody changes it."""

    datamodel = DeskInterface(AuditEvent)
    route_base = "/audit"
    nothing = lazy_gettext("No action yet: what employees change is written here by itself.")
    class_permission_name = "audit"
    one, list_title = lazy_gettext("Action"), lazy_gettext("Log of actions")
    base_order = ("id", "desc")
    list_columns: ClassVar[list[str]] = ["at", "user", "action", "what"]
    show_columns: ClassVar[list[str]] = ["at", "user", "action", "what", "before", "after"]
    search_columns: ClassVar[list[str]] = ["at", "user", "action"]
    choices: ClassVar[dict[str, dict[str, str]]] = {"action": DEEDS}
    order_columns: ClassVar[list[str]] = ["at"]
    label_columns: ClassVar[dict[str, Any]] = {
        "at": lazy_gettext("When"), "user": lazy_gettext("Who"), "action": lazy_gettext("Action"),
        "what": lazy_gettext("With what"), "before": lazy_gettext("Before"), "after": lazy_gettext("After"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "action": _deed, "what": _thing, "before": _facts, "after": _facts,
        "user": lambda user: user if user is not None else gettext("by itself"),
    }  # fmt: skip
