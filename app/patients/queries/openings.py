"""Who opened and took away which cards: by employee and day, by card, each by itself.

Where next: `../rules/openings.py` for what is worth a question.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from app import clock
from app.db import session
from app.models import AuditEvent, CardOpening, Patient, User
from app.patients import rules

#: Deeds that carry a card out of the house.
TAKEN = ("card.exported", "cards.exported")
#: A card and its papers are opened each by itself; it is one card.
_CARDS = func.count(CardOpening.patient_id.distinct())


@dataclass(frozen=True)
class Looked:
    """Which openings are asked about."""

    first: date
    last: date
    user_id: int | None = None
    patient_id: int | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [CardOpening.day.between(self.first, self.last)]
        if self.user_id is not None:
            found.append(CardOpening.user_id == self.user_id)
        if self.patient_id is not None:
            found.append(CardOpening.patient_id == self.patient_id)
        return found


def _who() -> ColumnElement[str]:
    return func.concat_ws(" ", User.last_name, User.first_name)


def _page(asked: Select[*tuple[Any, ...]], limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    count = session.scalar(select(func.count()).select_from(asked.order_by(None).subquery())) or 0
    return count, [dict(row) for row in session.execute(asked.limit(limit).offset(offset)).mappings()]


def looked_by_day(asked: Looked, *, limit: int, offset: int = 0) -> tuple[int, list[dict[str, Any]]]:
    """An employee's day a row, the newest first: cards, times, what was taken away, and whether it is worth a look."""
    days = (
        select(
            CardOpening.day, CardOpening.user_id, _who().label("who"), _CARDS.label("cards"),
            func.sum(CardOpening.times).label("times"), func.min(CardOpening.first_at).label("first_at"),
            func.max(CardOpening.last_at).label("last_at"),
        )
        .join(User, User.id == CardOpening.user_id)
        .where(*asked.conditions)
        .group_by(CardOpening.day, CardOpening.user_id, User.id)
        .order_by(CardOpening.day.desc(), _CARDS.desc(), CardOpening.user_id)
    )  # fmt: skip
    count, rows = _page(days, limit, offset)
    (usual, elsewhere), taken = _usual(asked), _taken(asked)
    for row in rows:
        row["taken"] = taken.get((row["user_id"], row["day"]), 0)
        row["usual"] = usual.get(row["user_id"], 0)
        row["strange"] = rules.asks_for_a_look(row["cards"], row["usual"], elsewhere)
    return count, rows


def _usual(asked: Looked) -> tuple[dict[int, int], int]:
    """How many cards each employee usually opens in a day, in the days before the asked ones' end; and the clinic."""
    days = (
        select(CardOpening.user_id, CardOpening.day, _CARDS.label("cards"))
        .where(CardOpening.day > asked.first - timedelta(days=60), CardOpening.day <= asked.last)
        .group_by(CardOpening.user_id, CardOpening.day)
    )
    by_user: dict[int, list[int]] = {}
    for row in session.execute(days):
        by_user.setdefault(row.user_id, []).append(row.cards)
    everybody = [cards for many in by_user.values() for cards in many]
    usual = {user: rules.usual(many) for user, many in by_user.items() if len(many) > 2}
    return usual, rules.usual(everybody) if len(everybody) > 2 else 0


def _taken(asked: Looked) -> dict[tuple[int, date], int]:
    """How often each employee took cards away on each day."""
    taken: dict[tuple[int, date], int] = {}
    for row in session.execute(select(AuditEvent.user_id, AuditEvent.at).where(*_of_days(asked))):
        key = row.user_id, clock.wall(row.at).date()
        taken[key] = taken.get(key, 0) + 1
    return taken


def _of_days(asked: Looked) -> list[ColumnElement[bool]]:
    """Deeds that carried cards away in these days."""
    begin, end = clock.day_starts(asked.first), clock.day_starts(asked.last + timedelta(days=1))
    return [AuditEvent.action.in_(TAKEN), AuditEvent.at >= begin, AuditEvent.at < end]


def looked_by_card(asked: Looked, *, limit: int, offset: int = 0) -> tuple[int, list[dict[str, Any]]]:
    """A card a row, whom most people looked at first: employees, times, the last time."""
    return _page(
        select(
            Patient.id, Patient.card_number, func.concat_ws(" ", Patient.surname, Patient.name, Patient.patronymic)
            .label("patient"), func.count(CardOpening.user_id.distinct()).label("people"),
            func.count(CardOpening.day.distinct()).label("days"), func.sum(CardOpening.times).label("times"),
            func.max(CardOpening.last_at).label("last_at"),
        )
        .join(Patient, Patient.id == CardOpening.patient_id)
        .where(*asked.conditions)
        .group_by(Patient.id)
        .order_by(func.count(CardOpening.user_id.distinct()).desc(), func.sum(CardOpening.times).desc(), Patient.id),
        limit,
        offset,
    )  # fmt: skip


def looked_one_by_one(asked: Looked, *, limit: int, offset: int = 0) -> tuple[int, list[dict[str, Any]]]:
    """Each opening by itself, the newest first."""
    return _page(
        select(
            CardOpening.day, CardOpening.user_id, _who().label("who"), CardOpening.first_at, CardOpening.last_at,
            CardOpening.times, CardOpening.what, Patient.id, Patient.card_number,
            func.concat_ws(" ", Patient.surname, Patient.name, Patient.patronymic).label("patient"),
        )
        .join(User, User.id == CardOpening.user_id)
        .join(Patient, Patient.id == CardOpening.patient_id)
        .where(*asked.conditions)
        .order_by(CardOpening.last_at.desc(), CardOpening.patient_id, CardOpening.user_id),
        limit,
        offset,
    )  # fmt: skip


def taken_away(asked: Looked, limit: int = 50) -> list[dict[str, Any]]:
    """Which cards and selections were exported by whom, the newest first."""
    conditions = _of_days(asked)
    if asked.user_id is not None:
        conditions.append(AuditEvent.user_id == asked.user_id)
    if asked.patient_id is not None:
        conditions.append(AuditEvent.patient_id == asked.patient_id)
    name = func.concat_ws(" ", Patient.surname, Patient.name, Patient.patronymic)
    found = session.execute(
        select(
            AuditEvent.at, AuditEvent.action, AuditEvent.after, _who().label("who"), Patient.id, Patient.card_number,
            name.label("patient"),
        )
        .join(User, User.id == AuditEvent.user_id)
        .outerjoin(Patient, Patient.id == AuditEvent.patient_id)
        .where(*conditions)
        .order_by(AuditEvent.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]


def lookers() -> list[tuple[int, str]]:
    """Who ever opened a card, by name."""
    seen = select(CardOpening.user_id).distinct()
    found = session.execute(select(User.id, _who().label("who")).where(User.id.in_(seen)).order_by(_who()))
    return [(row.id, row.who) for row in found]
