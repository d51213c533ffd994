"""What lies on a person's shelf, and the visits of one series."""

from typing import Any

from sqlalchemy import select

from app.db import session
from app.models import Appointment, ShelfItem, User
from app.schedule.queries.visits import VISITS, WHO, Visit, as_visit, short_name
from app.tables.staff import Employee


def name_of(user_id: int) -> str:
    """The short name of an account."""
    row = session.execute(
        select(*WHO).select_from(User).outerjoin(Employee, Employee.user_id == User.id).where(User.id == user_id)
    ).one_or_none()
    return short_name(row.surname, row.name, row.patronymic) if row else ""


def shelf_of(user_id: int, *, with_money: bool = True) -> list[Visit]:
    """The visits on this user's shelf, the one that was put there first first."""
    asked = VISITS.join(ShelfItem, ShelfItem.appointment_id == Appointment.id).where(ShelfItem.user_id == user_id)
    rows = session.execute(asked.order_by(ShelfItem.put_at, Appointment.id).limit(50))
    return [as_visit(row, with_money=with_money) for row in rows]


def series_of(series_id: int | None, *, doctor_id: int | None = None) -> list[dict[str, Any]]:
    """The visits that were booked as one series, by time; short rows."""
    if series_id is None:
        return []
    asked = VISITS.where(Appointment.series_id == series_id)
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    names = ("id", "starts_at", "ends_at", "status", "doctor_id", "doctor")
    rows = session.execute(asked.order_by(Appointment.starts_at, Appointment.id).limit(200))
    return [{name: visit[name] for name in names} for visit in (as_visit(row, with_money=False) for row in rows)]
