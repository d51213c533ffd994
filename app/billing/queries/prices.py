"""What a service costs on a day."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from app import clock
from app.billing import rules
from app.billing.queries.balances import Rows
from app.db import holds, session
from app.models import Service, ServiceCategory, ServicePrice


def price_on(day: date) -> Any:
    """The price of a service that is in force on a day."""
    return (
        select(ServicePrice.price)
        .where(
            ServicePrice.service_id == Service.id, ServicePrice.valid_from <= day, ServicePrice.annulled_at.is_(None)
        )
        .order_by(ServicePrice.valid_from.desc())
        .limit(1)
        .correlate(Service)
        .scalar_subquery()
    )


def prices_of(service_ids: Collection[int], day: date) -> dict[int, Decimal]:
    """The prices in force on a day; a service without a price is absent."""
    rows = session.execute(
        select(ServicePrice.service_id, ServicePrice.price)
        .ext(distinct_on(ServicePrice.service_id))
        .where(
            ServicePrice.service_id.in_(service_ids), ServicePrice.valid_from <= day, ServicePrice.annulled_at.is_(None)
        )
        .order_by(ServicePrice.service_id, ServicePrice.valid_from.desc())
    )
    return {row.service_id: row.price for row in rows}


def may_be_taken_back(price: ServicePrice) -> bool:
    """Does this price stand, and has its day not passed? What a day that has passed was charged by stays."""
    return price.annulled_at is None and price.valid_from >= clock.today()


def services_by_id(ids: Collection[int]) -> dict[int, Service]:
    return {service.id: service for service in session.scalars(select(Service).where(Service.id.in_(ids)))}


def _sought(q: str) -> ColumnElement[bool]:
    """The services that somebody looks for: by words of the name in any order, or by the start of the code."""
    by_name = and_(*(holds(Service.name, word) for word in q.split()[:8]))
    return or_(by_name, Service.code.istartswith(rules.service_code(q) or q, autoescape=True))


def price_list(q: str = "", *, day: date | None = None, limit: int = 25, offset: int = 0) -> tuple[int, Rows]:
    """The services offered on a day: id, code, name, category, minutes, price.

    Found by words of the name in any order, or by the start of the code.
    """
    price = price_on(day or clock.today())
    found = (
        select(
            Service.id, Service.code, Service.name, ServiceCategory.name.label("category"), Service.minutes,
            price.label("price"),
        )
        .join(ServiceCategory, ServiceCategory.id == Service.category_id)
        .where(Service.archived.is_(False), price.is_not(None))
    )  # fmt: skip
    if q.strip():
        found = found.where(_sought(q))
    count = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = session.execute(
        found.order_by(ServiceCategory.name, Service.code, Service.id).limit(limit).offset(offset)
    ).all()
    return count, rows


def services_named(q: str, *, limit: int, offset: int = 0) -> list[Service]:
    """The services of the directory, with or without a price, by words or code."""
    statement = select(Service).where(Service.archived.is_(False)).order_by(Service.code).limit(limit).offset(offset)
    if q.strip():
        statement = statement.where(_sought(q))
    return list(session.scalars(statement))
