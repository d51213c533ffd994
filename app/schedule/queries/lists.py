"""What forms of the schedule offer: branches, chairs, doctors, services, reasons, the clinic's choices."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.db import session
from app.models import (
    Branch,
    CancelReason,
    Chair,
    ClinicSetting,
    Employee,
    Service,
    Speciality,
)
from app.schedule.queries.visits import short_name


def grid() -> Mapping[str, int]:
    """The clinic's choices that the day page needs: step of the grid, and after how long waiting turns red."""
    row = session.execute(select(ClinicSetting.grid_step, ClinicSetting.waiting_limit)).one_or_none()
    return {"step": row.grid_step, "waiting_limit": row.waiting_limit} if row else {"step": 15, "waiting_limit": 15}


def branches() -> list[tuple[int, str]]:
    """The branches that are open."""
    rows = session.execute(select(Branch.id, Branch.name).where(Branch.archived.is_(False)).order_by(Branch.id))
    return [(pk, name) for pk, name in rows]


def chairs() -> list[dict[str, Any]]:
    """The chairs in use, by branch."""
    rows = session.execute(
        select(Chair.id, Chair.name, Chair.branch_id, Branch.name.label("branch"))
        .join(Branch, Branch.id == Chair.branch_id)
        .where(Chair.archived.is_(False), Branch.archived.is_(False))
        .order_by(Chair.branch_id, Chair.name)
    )
    return [dict(row._mapping) for row in rows]


def specialities() -> list[tuple[int, str]]:
    """What the doctors are, for «first free times»."""
    rows = session.execute(
        select(Speciality.id, Speciality.name).where(Speciality.archived.is_(False)).order_by(Speciality.name)
    )
    return [(pk, name) for pk, name in rows]


def cancel_reasons() -> list[tuple[int, str]]:
    """The reasons of a cancellation that are offered."""
    rows = session.execute(
        select(CancelReason.id, CancelReason.name).where(CancelReason.archived.is_(False)).order_by(CancelReason.name)
    )
    return [(pk, name) for pk, name in rows]


def services() -> list[dict[str, Any]]:
    """The services that a visit may be for, with their usual length."""
    rows = session.execute(
        select(Service.id, Service.code, Service.name, Service.minutes)
        .where(Service.archived.is_(False))
        .order_by(Service.name)
    )
    return [dict(row._mapping) for row in rows]


def doctors(*, doctor_id: int | None = None) -> list[dict[str, Any]]:
    """The doctors who see patients, by name."""
    asked = select(
        Employee.id,
        Employee.surname,
        Employee.name,
        Employee.patronymic,
        Employee.speciality_id,
        Employee.branch_id,
        Employee.color,
    ).where(Employee.is_doctor.is_(True), Employee.archived.is_(False))
    if doctor_id is not None:
        asked = asked.where(Employee.id == doctor_id)
    return [
        {
            "id": row.id,
            "name": short_name(row.surname, row.name, row.patronymic),
            "speciality_id": row.speciality_id,
            "branch_id": row.branch_id,
            "color": row.color,
        }
        for row in session.execute(asked.order_by(Employee.surname, Employee.name, Employee.id))
    ]
