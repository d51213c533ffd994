"""Prices that were written wrong: taken back, or written anew for the same day; what was written stays to be seen.

Bills keep the price that they were made with. Where next: `imports.py`, for a whole price list.
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, update

from app import access, audit, clock
from app.billing import queries
from app.billing.operations.base import id_of
from app.db import lock, session
from app.errors import Invalid, NotFound, PriceInForce
from app.models import ServicePrice, User
from app.vocab import N_

_KEPT = ("service_id", "valid_from", "price")


def take_price_back(price_id: int, *, actor: User | None) -> ServicePrice:
    """Take back a price whose day has not passed: the price before it is in force again.

    Raises:
        NotAllowed, NotFound
        PriceInForce: it has been in force for days, or was taken back already.
    """
    access.require(actor, "directory.edit")
    row = lock(ServicePrice, price_id)
    if row is None:
        raise NotFound()
    if not queries.may_be_taken_back(row):
        raise PriceInForce()
    row.annulled_at, row.annulled_by_id = clock.now(), id_of(actor)
    session.flush()
    audit.record("price.taken_back", row, after=audit.facts(row, _KEPT), actor=actor)
    return row


def check_first_day(day: date) -> None:
    """May prices be written that begin on this day? What a day that has passed was charged by stays, however they come.

    Raises:
        Invalid: the day has passed.
    """
    if day < clock.today():
        raise Invalid(fields={"valid_from": N_("This day has passed: prices of the past are not changed.")})


def make_room_for_price(service_id: int, day: date, price: Decimal, *, actor: User | None) -> None:
    """Take back another price that begins on the same day, when that is possible: this one is about to be written.

    Raises:
        Invalid: the day has passed.
    """
    check_first_day(day)
    another = ServicePrice.price != price
    take_back_beginning([service_id], day, another, actor=actor)


def take_back_beginning(
    service_ids: Collection[int], day: date, *which: ColumnElement[bool], actor: User | None
) -> None:  # fmt: skip
    """Take back the prices that begin on a day which has not passed: others are about to be written for it."""
    standing = (
        update(ServicePrice)
        .where(
            ServicePrice.service_id.in_(service_ids), ServicePrice.valid_from == day,
            ServicePrice.annulled_at.is_(None), *which,
        )
        .values(annulled_at=clock.now(), annulled_by_id=id_of(actor))
        .returning(ServicePrice)
    )  # fmt: skip
    for row in session.scalars(standing).all():
        audit.record("price.taken_back", row, after=audit.facts(row, _KEPT), actor=actor)
