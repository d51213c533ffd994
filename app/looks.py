"""How days, sums, phones and stored words look on a page, in the language of whoever looks.

Where next: `app/web.py`, whose pages these stand on; `app/clock.py` and `app/money.py` for what they show.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from flask import Flask, g
from flask_babel import get_locale, get_translations, gettext
from flask_wtf.csrf import generate_csrf
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app import clock, money
from app.phones import shown as shown_phone

#: Where the context of a page keeps its language and its year: a list asks for them at each day.
_HERE = "_language_and_year"


def hang_on(app: Flask) -> None:
    """Give the templates their filters, the words, and what every page has at hand.

    After the framework's own: its words look for the language and the catalogue anew at each, and a page that imports
    compares its names with all that templates know, each time.
    """

    def one(text: str, **values: Any) -> Markup:
        return _one(_catalogue(), text, values)

    def several(one: str, many: str, n: int) -> Markup:
        return _several(_catalogue(), one, many, n)

    templates = app.jinja_env
    templates.filters.update(
        money=shown_money, day=_day_on_page, time=shown_time, moment=shown_moment, phone=shown_phone
    )
    templates.globals.update(
        label=label,
        csrf_token=lambda: g.get("csrf_token") or generate_csrf(),  # once a page: it asks the settings at each form
        **_words(one, several),  # for what is drawn without the words of `of_this_page`: a macro of its own
    )
    templates.globals.update(  # they keep what the names above were when they were read
        once=templates.get_template("desk/macros.html").module.once,  # type: ignore[attr-defined]
        baselib=templates.get_template("appbuilder/baselib.html").module,
    )


def of_this_page() -> dict[str, Any]:
    """The words of one page, from the catalogue of its language, which is looked for once and not at each word."""
    catalogue = get_translations()

    def one(text: str, **values: Any) -> Markup:
        return _one(catalogue, text, values)

    def several(one: str, many: str, n: int) -> Markup:
        return _several(catalogue, one, many, n)

    return {**_words(one, several), _HERE: _language_and_year()}


def _words(one: Callable[..., Markup], several: Callable[[str, str, int], Markup]) -> dict[str, Any]:
    return {"_": one, "gettext": one, "ngettext": several}


def _one(catalogue: Any, text: str, values: Mapping[str, Any]) -> Markup:
    said = Markup(catalogue.ugettext(text))
    return said % values if values or "%" in said else said


@lru_cache(maxsize=4096)
def _several(catalogue: Any, one: str, many: str, n: int) -> Markup:
    return Markup(catalogue.ungettext(one, many, n)) % {"num": n}


def _catalogue() -> Any:
    """The words of the language of this moment; looked for anew when it has changed: a macro asks at each word."""
    locale, held = get_locale(), g.get("catalogue")
    if held is None or held[0] is not locale:
        held = g.catalogue = (locale, get_translations())
    return held[1]


def _language_and_year() -> tuple[str | None, int]:
    """The language by its name: two objects of one language are compared at length, a hundred times a page."""
    locale = get_locale()
    return str(locale) if locale else None, clock.today().year


def shown_money(amount: Decimal | str | None) -> str:
    """1 500,00 with thin spaces, below zero with a minus, not a hyphen; an empty string for nothing."""
    return "" if amount is None else money.shown(Decimal(amount)).replace("-", "−")


def shown_day(day: date | None, form: str = "EEE d MMMM") -> str:
    """пн 23 ноября; with the year when it is not this one."""
    return _in_words(day, form, *_language_and_year()) if day else ""


@pass_context
def _day_on_page(context: Context, day: date | None, form: str = "EEE d MMMM") -> str:
    return _in_words(day, form, *(context.parent.get(_HERE) or _language_and_year())) if day else ""


@lru_cache(maxsize=4096)
def _in_words(day: date, form: str, locale: str | None, this_year: int) -> str:
    return format_date(day, form if day.year == this_year else form + " yyyy", locale=locale)


def shown_time(moment: datetime | None) -> str:
    """10:05 by the clinic's clock."""
    if moment is None:
        return ""
    return f"{clock.wall(moment) if moment.tzinfo else moment:%H:%M}"


def shown_moment(moment: datetime | None) -> str:
    """23.11.2026 10:05 by the clinic's clock."""
    if moment is None:
        return ""
    return f"{clock.wall(moment) if moment.tzinfo else moment:%d.%m.%Y %H:%M}"


def label(values: Any, value: str | None) -> str:
    """The word that the desk uses for a stored value: `label(AppointmentStatus, row.status)`."""
    return gettext(values(value).label) if value else ""
