"""What a price list that came as a file is judged by; the price list of a day; the history of a price."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, literal, or_, select
from sqlalchemy.orm import defer

from app import clock
from app.billing import rules
from app.billing.queries.prices import price_on
from app.billing.rules import Known, Verdict
from app.db import session
from app.models import Employee, PriceImport, Service, ServiceCategory, ServicePrice, User

#: What was looked at and never applied is forgotten after so many days.
FORGOTTEN = 30


def judged(row: PriceImport) -> list[Verdict]:
    """The verdicts on the rows of a file by the price list as it is at this moment."""
    return rules.judge(row.rows, _known(row.valid_from), _categories())


def _known(day: date) -> dict[str, Known]:
    stands = ServicePrice.annulled_at.is_(None)
    begun = session.execute(
        select(ServicePrice.service_id, ServicePrice.price).where(ServicePrice.valid_from == day, stands)
    )
    begins = {row.service_id: row.price for row in begun}
    later = session.execute(
        select(ServicePrice.service_id, func.min(ServicePrice.valid_from).label("day"))
        .where(ServicePrice.valid_from > day, stands)
        .group_by(ServicePrice.service_id)
    )
    next_days = {row.service_id: row.day.isoformat() for row in later}
    found = session.execute(
        select(
            Service.id, Service.code, Service.name, ServiceCategory.name.label("category"), Service.minutes,
            Service.item_kind, Service.vat, Service.tax_code, Service.archived, price_on(day).label("price"),
        ).join(ServiceCategory, ServiceCategory.id == Service.category_id)
    )  # fmt: skip
    return {
        row.code: Known(
            row.id, row.name, row.category, row.minutes, row.item_kind, row.vat, row.tax_code, row.archived, row.price,
            begins.get(row.id), next_days.get(row.id, ""),
        )
        for row in found
    }  # fmt: skip


def _categories() -> dict[str, str | None]:
    found = session.execute(
        select(ServiceCategory.name, ServiceCategory.archived).order_by(ServiceCategory.archived.desc())
    )
    return {rules.category_key(row.name): None if row.archived else row.name for row in found}


def category_ids() -> dict[str, int]:
    return {row.name: row.id for row in session.execute(select(ServiceCategory.name, ServiceCategory.id))}


def service_ids(codes: Sequence[str]) -> dict[str, int]:
    found = session.execute(select(Service.code, Service.id).where(Service.code.in_(codes)))
    return {row.code: row.id for row in found}


def imports(limit: int = 20) -> list[PriceImport]:
    """The files that were looked at, the newest first, without their rows."""
    big = (PriceImport.rows, PriceImport.columns, PriceImport.verdicts)
    return list(
        session.scalars(
            select(PriceImport).options(*(defer(column) for column in big)).order_by(PriceImport.id.desc()).limit(limit)
        )
    )


def forget_old_imports() -> None:
    """What nobody applied for a month is removed."""
    before = clock.now() - timedelta(days=FORGOTTEN)
    session.execute(delete(PriceImport).where(PriceImport.applied_at.is_(None), PriceImport.created_at < before))


def whole_price_list(day: date) -> Sequence[Row[Any]]:
    """Every service that has a price on a day, by category and code.

    Archived ones are left out, but of a day that has passed: what was sold on it stays in its price list. When a
    service was archived is not kept, so each of them says that it is archived.
    """
    price = price_on(day)
    return session.execute(
        select(
            Service.id, Service.code, Service.name, ServiceCategory.name.label("category"), Service.minutes,
            Service.item_kind, Service.vat, Service.tax_code, price.label("price"), Service.archived,
        )
        .join(ServiceCategory, ServiceCategory.id == Service.category_id)
        .where(or_(Service.archived.is_(False), literal(day < clock.today())), price.is_not(None))
        .order_by(ServiceCategory.name, Service.code, Service.id)
    ).all()  # fmt: skip


def price_history(service_id: int) -> Sequence[Row[Any]]:
    """The prices of a service, the latest day first: the row, and who wrote it; those that were taken back too."""
    return session.execute(
        select(ServicePrice, Employee.surname, Employee.name, User.first_name, User.last_name)
        .outerjoin(User, User.id == ServicePrice.created_by_id)
        .outerjoin(Employee, Employee.user_id == ServicePrice.created_by_id)
        .where(ServicePrice.service_id == service_id)
        .order_by(ServicePrice.valid_from.desc(), ServicePrice.id.desc())
    ).all()  # fmt: skip
