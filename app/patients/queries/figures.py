"""The visits and the money of a patient in figures: what stands on the card's first screen, in one statement.

Where next: `cards.py` for what else is known of a card.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app import clock
from app.db import Fixed, given
from app.models import Appointment, CardMerge, Employee, Patient, PatientAccount, WorkOrder
from app.money import ZERO
from app.vocab import AppointmentStatus, CancelledBy

_VISITS = ("total", "completed", "cancelled_by_patient", "cancelled_by_clinic", "no_shows", "moves",
           "late_cancellations", "first_visit", "last_visit", "next_visit")  # fmt: skip


@dataclass(frozen=True)
class Glance:
    """What a card shows at once: `by_doctor` is doctor, completed visits, the last of them."""

    balance: dict[str, Decimal]
    figures: dict[str, Any]
    by_doctor: list[tuple[str, int, datetime]]
    doctor: str | None
    merged: bool


def glance(patient_id: int) -> Glance:
    """The card's money, visits, doctors, and whether another card was merged into it: one statement."""
    row = _GLANCE(patient=patient_id, now=clock.wall_now()).one()._asdict()
    return Glance(
        balance={"debt": row["debt"] or ZERO, "advance": row["advance"] or ZERO},
        figures=_figures(row),
        by_doctor=[(name, many, datetime.fromisoformat(last)) for name, many, last in row["by_doctor"] or ()],
        doctor=row["doctor"],
        merged=row["merged"],
    )


def statistics(patient_id: int) -> dict[str, Any]:
    """The visits and the money of a patient in figures.

    A cancellation counts for whoever cancelled; the average bill is over issued bills.
    """
    return _figures(_GLANCE(patient=patient_id, now=clock.wall_now()).one()._asdict())


def _figures(row: Mapping[Any, Any]) -> dict[str, Any]:
    billed, many = Decimal(row["billed"]), row["bills"]
    return {
        **{name: row[name] for name in _VISITS},
        "billed": billed.quantize(ZERO),
        "paid": Decimal(row["paid"]).quantize(ZERO),
        "average_bill": (billed / many).quantize(ZERO) if many else ZERO,
    }


def _visits() -> Select[Any]:
    status, by, starts = Appointment.status, Appointment.cancelled_by, Appointment.starts_at

    def count(*conditions: ColumnElement[bool]) -> Any:
        return func.count().filter(*conditions)

    done, off = status == AppointmentStatus.COMPLETED, status == AppointmentStatus.CANCELLED
    return select(
        func.count().label("total"),
        count(done).label("completed"),
        count(off, by == CancelledBy.PATIENT).label("cancelled_by_patient"),
        count(off, by == CancelledBy.CLINIC).label("cancelled_by_clinic"),
        count(status == AppointmentStatus.NO_SHOW).label("no_shows"),
        func.coalesce(func.sum(Appointment.moves), 0).label("moves"),
        count(Appointment.late_cancel.is_(True)).label("late_cancellations"),
        func.min(starts).filter(done).label("first_visit"),
        func.max(starts).filter(done).label("last_visit"),
        func.min(starts).filter(status == AppointmentStatus.BOOKED, starts >= given("now")).label("next_visit"),
    ).where(Appointment.patient_id == given("patient"))


def _bills() -> Select[Decimal, Decimal, int]:
    return select(
        func.coalesce(func.sum(WorkOrder.total), 0).label("billed"),
        func.coalesce(func.sum(WorkOrder.total - WorkOrder.due), 0).label("paid"),
        func.count().filter(WorkOrder.reverses_id.is_(None)).label("bills"),
    ).where(WorkOrder.patient_id == given("patient"), WorkOrder.issued_day.is_not(None))


def _by_doctor() -> Select[Any]:
    seen = (
        select(Appointment.doctor_id, func.count().label("many"), func.max(Appointment.starts_at).label("last"))
        .where(Appointment.patient_id == given("patient"), Appointment.status == AppointmentStatus.COMPLETED)
        .group_by(Appointment.doctor_id)
        .subquery()
    )
    said = func.json_build_array(_short_name(), seen.c.many, seen.c.last)
    ordered = aggregate_order_by(said, seen.c.many.desc(), seen.c.last.desc())
    return select(func.json_agg(ordered)).select_from(seen).join(Employee, Employee.id == seen.c.doctor_id)


def _short_name() -> ColumnElement[str]:
    """Surname and initials, as `Employee.short_name` says them."""

    def initial(part: Any) -> Any:
        return func.nullif(func.left(part, 1), "") + "."

    return func.concat_ws(" ", Employee.surname, initial(Employee.name), initial(Employee.patronymic))


def _glance() -> Fixed:
    visits, bills = _visits().subquery(), _bills().subquery()
    treats = select(_short_name()).join(Patient, and_(Patient.doctor_id == Employee.id, Patient.id == given("patient")))
    merged = select(CardMerge.id).where(CardMerge.winner_id == given("patient"), CardMerge.undone_at.is_(None))
    return Fixed(
        select(
            visits,
            bills,
            PatientAccount.debt,
            PatientAccount.advance,
            _by_doctor().scalar_subquery().label("by_doctor"),
            treats.scalar_subquery().label("doctor"),
            merged.exists().label("merged"),
        )
        .select_from(visits)
        .join(bills, true())
        .outerjoin(PatientAccount, PatientAccount.patient_id == given("patient"))
    )


_GLANCE = _glance()
