"""Who in the card index may be the person whose card is being written: the rule, in one statement.

While one types it is asked after each pause, so each reason to be the same goes through an index of its own. Where
next: `importing.py`, which asks the like of a whole file.
"""

from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Date, Integer, Select, Text, any_, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from app.db import Fixed, given
from app.models import Patient, PatientPhone
from app.patients import rules
from app.patients.queries.search import Found, as_found, of_doctor, shown

#: So many are shown.
MOST = 5
#: So many are looked at where a letter may be wrong: not each of them is one letter away.
_DOUBTFUL = 20


class _Why(IntEnum):
    """Why a card may be the same person; the surest first."""

    NUMBER = 0
    NAME = 1
    MISTYPED = 2
    PHONE = 3


def possible_duplicates(
    surname: str,
    name: str,
    birth_date: date | None,
    phone: str | Sequence[str] | None,
    *,
    snils: str = "",
    inn: str = "",
    but: int | None = None,
    doctor_id: int | None = None,
) -> list[Found]:
    """Cards that may be the same person, the surest first; five at most. `certain`: it is nobody else.

    Who has the СНИЛС or the ИНН, whatever else the card says. Who has the surname and name, or these two in each
    other's field: a namesake with another birth date is another person, one whose birth date nobody knows may be the
    same. Who has the name and the birth date, and a surname with one letter wrong: a twin has another name. Who has one
    of the phones, often the family. A merged card stands for the one that it became. A doctor is shown own patients.
    """
    first, second = (" ".join(rules.searchable(part[:100]).split()) for part in (surname, name))
    numbers = [phone] if isinstance(phone, str) else phone or []
    known: dict[str, Any] = {
        "born": birth_date, "phones": list(filter(None, numbers)), "snils": snils, "inn": inn, "doctor_id": doctor_id,
    }  # fmt: skip
    values = {key: value for key, value in known.items() if value}
    if first and second:
        values |= {"name": _beginning(first, second), "swapped": _beginning(second, first)}
        if birth_date and rules.one_wrong(first, first):
            values |= {"surname": first, "first_name": second}
    if not values.keys() & {"name", "phones", "snils", "inn"}:
        return []
    if "name" not in values:
        values.pop("born", None)
    found = []
    for row in _duplicates(frozenset(values))(**values, but=but or 0):
        typed_so = rules.one_wrong(first, rules.searchable(row.surname))
        why = [one for one in row.why if one != _Why.MISTYPED or typed_so]
        if why:
            found.append((min(why), -row.id, as_found(row) | {"certain": _Why.NUMBER in why}))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])[:MOST]]


def _beginning(*words: str) -> str:
    return f" {' '.join(map(rules.like, words))} %"


@cache
def _duplicates(asked: frozenset[str]) -> Fixed:
    """What asks for those who are the same by these values, each with all reasons."""
    reasons = _by_name(asked)
    for number in ("snils", "inn"):
        if number in asked:
            card = aliased(Patient)
            column = getattr(card, number)
            reasons.append(_cards(card, _Why.NUMBER).where(column == given(number, Text), column != ""))
    if "phones" in asked:
        shares = PatientPhone.number == any_(given("phones", ARRAY(Text)))
        reasons.append(
            select(PatientPhone.patient_id.label("id"), literal(_Why.PHONE.value).label("why")).where(shares)
        )
    same = union_all(*reasons).subquery()
    surest = func.min(same.c.why)
    found = (
        select(Patient.id, func.array_agg(same.c.why).label("why"))
        .join(same, same.c.id == Patient.id)
        .where(Patient.id != given("but", Integer))
        .group_by(Patient.id)
        .order_by(surest, Patient.id.desc())
        .limit(_DOUBTFUL if "surname" in asked else MOST)
    )
    if "doctor_id" in asked:
        found = found.where(of_doctor(given("doctor_id", Integer)))
    best = found.subquery()
    return Fixed(shown().add_columns(best.c.why).join(best, best.c.id == Patient.id))


def _cards(card: Any, why: _Why) -> Select[int, int]:
    return select(func.coalesce(card.merged_into_id, card.id).label("id"), literal(why.value).label("why"))


def _by_name(asked: frozenset[str]) -> list[Select[int, int]]:
    if "name" not in asked:
        return []
    card = aliased(Patient)
    called = [card.search_name.like(given(name, Text)) for name in ("name", "swapped")]
    if "born" not in asked:  # each from the index by name alone, which has no cards to be read for an OR
        return [_cards(card, _Why.NAME).where(one) for one in called]
    born = or_(card.birth_date == given("born", Date), card.birth_date.is_(None))
    reasons = [_cards(card, _Why.NAME).where(or_(*called), born)]
    if "surname" in asked:
        other = aliased(Patient)
        # as `search_name` has them, which starts with a space and has one between
        surname = func.substr(other.search_name, 2, func.length(other.surname))
        first_name = func.substr(other.search_name, func.length(other.surname) + 3, func.length(other.name))
        reasons.append(
            _cards(other, _Why.MISTYPED).where(
                other.birth_date == given("born", Date),
                other.merged_into_id.is_(None),
                first_name == given("first_name", Text),
                func.levenshtein_less_equal(surname, given("surname", Text), 2) <= 2,
            )
        )
    return reasons
