"""A visit as the contract shows it, a patient's visits, the history of one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Text, cast, func, literal_column, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import Fixed, given, session
from app.models import (
    Appointment,
    AuditEvent,
    CancelReason,
    Employee,
    Patient,
    PatientAccount,
    PatientPhone,
    Service,
    ShelfItem,
    User,
    WorkOrder,
)
from app.vocab import FREES_TIME, WorkOrderStatus

_Holder = aliased(Employee)
Visit = dict[str, Any]
Line = Row[*tuple[Any, ...]]


def short_name(surname: str, name: str, patronymic: str = "") -> str:
    """Surname and initials: «Иванова М. С.»."""
    first = f" {name[0]}." if name else ""
    return f"{surname}{first} {patronymic[0]}." if patronymic else surname + first


_PHONE = (
    select(PatientPhone.number)
    .where(PatientPhone.patient_id == Appointment.patient_id)
    .order_by(PatientPhone.id)
    .limit(1)
    .correlate(Appointment)
    .scalar_subquery()
)
_UNPAID = (
    select(WorkOrder.id)
    .where(WorkOrder.appointment_id == Appointment.id, WorkOrder.status == WorkOrderStatus.ISSUED, WorkOrder.due > 0)
    .correlate(Appointment)
    .exists()
)
#: On whose shelf the visit lies: [user, surname, name, patronymic]; empty for nearly all.
_SHELF = (
    select(
        func.json_build_array(
            ShelfItem.user_id,
            func.coalesce(_Holder.surname, User.last_name),
            func.coalesce(_Holder.name, User.first_name),
            func.coalesce(_Holder.patronymic, ""),
        )
    )
    .select_from(ShelfItem)
    .join(User, User.id == ShelfItem.user_id)
    .outerjoin(_Holder, _Holder.user_id == ShelfItem.user_id)
    .where(ShelfItem.appointment_id == Appointment.id)
    .correlate(Appointment)
    .scalar_subquery()
)
#: What the contract shows of a visit as it is kept, under the same names.
_AS_KEPT = (
    Appointment.id,
    Appointment.version,
    Appointment.doctor_id,
    Appointment.chair_id,
    Appointment.branch_id,
    Appointment.service_id,
    Service.name.label("service"),
    Appointment.status,
    Appointment.confirmation,
    Appointment.first_visit,
    Appointment.overbooked,
    Appointment.overbook_reason,
    Appointment.outside_hours_reason,
    Appointment.comment,
    Appointment.moves,
    Appointment.cancelled_by,
    CancelReason.name.label("cancel_reason"),
    Appointment.cancel_comment,
    Appointment.late_cancel,
    Appointment.series_id,
)
_KEPT_NAMES = tuple(column.key for column in _AS_KEPT)
_NOTHING = literal_column("'0.00'", Text)
#: Visits as `as_visit` tells them; `where` and `order_by` say which.
VISITS = (
    select(
        *_AS_KEPT,
        Appointment.patient_id,
        Appointment.starts_at,
        Appointment.ends_at,
        Appointment.arrived_at,
        Appointment.started_at,
        Appointment.completed_at,
        Appointment.cancelled_at,
        _SHELF.label("shelf"),
        Patient.surname,
        Patient.name,
        Patient.patronymic,
        Patient.card_number,
        Patient.status.label("card_status"),
        Patient.allergy,
        Patient.health_alerts,
        func.coalesce(cast(PatientAccount.debt, Text), _NOTHING).label("debt"),
        func.coalesce(cast(PatientAccount.advance, Text), _NOTHING).label("advance"),
        Employee.surname.label("doctor_surname"),
        Employee.name.label("doctor_name"),
        Employee.patronymic.label("doctor_patronymic"),
        _PHONE.label("phone"),
        _UNPAID.label("unpaid"),
    )
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Employee, Employee.id == Appointment.doctor_id)
    .outerjoin(PatientAccount, PatientAccount.patient_id == Appointment.patient_id)
    .outerjoin(Service, Service.id == Appointment.service_id)
    .outerjoin(CancelReason, CancelReason.id == Appointment.cancel_reason_id)
)
_ONE = Fixed(VISITS.where(Appointment.id == given("pk")))


def moment_text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="minutes") if moment else None


def instant_text(instant: datetime | None) -> str | None:
    return instant.astimezone(clock.zone()).isoformat(timespec="seconds") if instant else None


def as_visit(row: Line, *, with_money: bool) -> Visit:
    """A visit as the contract shows it; sums only for who may see payments."""
    told: Visit = dict(zip(_KEPT_NAMES, row, strict=False))  # most of it, at once: a day has hundreds
    surname, name, patronymic = row.surname, row.name, row.patronymic
    told["patient"] = {
        "id": row.patient_id,
        "name": " ".join(filter(None, (surname, name, patronymic))),
        "short_name": short_name(surname, name, patronymic),
        "card_number": row.card_number,
        "draft": row.card_status == "draft",
        "phone": row.phone,
        "allergy": row.allergy,
        "alerts": row.health_alerts,
        "balance": {"debt": row.debt, "advance": row.advance} if with_money else None,
    }
    told["doctor"] = short_name(row.doctor_surname, row.doctor_name, row.doctor_patronymic)
    told["starts_at"] = row.starts_at.isoformat(timespec="minutes")
    told["ends_at"] = row.ends_at.isoformat(timespec="minutes")
    told["arrived_at"] = instant_text(row.arrived_at)
    told["started_at"] = instant_text(row.started_at)
    told["completed_at"] = instant_text(row.completed_at)
    told["cancelled_at"] = instant_text(row.cancelled_at)
    told["shelf"] = {"user_id": row.shelf[0], "who": short_name(*row.shelf[1:])} if row.shelf else None
    told["unpaid"] = row.unpaid if with_money else False
    return told


def visit(pk: int, *, with_money: bool = True) -> Visit | None:
    """One visit, as it is now."""
    row = _ONE(pk=pk).one_or_none()
    return as_visit(row, with_money=with_money) if row else None


def visits_of(
    patient_id: int, *, doctor_id: int | None = None, since: datetime | None = None, with_money: bool = True
) -> list[Visit]:
    """A patient's visits, the newest first; with `since` only those that are still to come, the nearest first."""
    asked = VISITS.where(Appointment.patient_id == patient_id)
    if doctor_id is not None:
        asked = asked.where(Appointment.doctor_id == doctor_id)
    if since is not None:
        asked = asked.where(Appointment.ends_at > since, Appointment.status.not_in(FREES_TIME))
        asked = asked.order_by(Appointment.starts_at)
    else:
        asked = asked.order_by(Appointment.starts_at.desc())
    return [as_visit(row, with_money=with_money) for row in session.execute(asked.limit(200))]


#: The name of who did a deed of the log; of an employee, or of a bare login.
WHO = (
    func.coalesce(Employee.surname, User.last_name, "").label("surname"),
    func.coalesce(Employee.name, User.first_name, "").label("name"),
    func.coalesce(Employee.patronymic, "").label("patronymic"),
)


def history(appointment_id: int) -> list[dict[str, Any]]:
    """Who did what with a visit, when, from what to what; the oldest first."""
    rows = session.execute(
        select(
            AuditEvent.at,
            AuditEvent.action,
            AuditEvent.before,
            AuditEvent.after,
            *WHO,
        )
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(Employee, Employee.user_id == AuditEvent.user_id)
        .where(AuditEvent.object_type == Appointment.__tablename__, AuditEvent.object_id == appointment_id)
        .order_by(AuditEvent.id)
    )
    return [
        {
            "who": short_name(row.surname, row.name, row.patronymic),
            "when": instant_text(row.at),
            "what": row.action,
            "from": row.before,
            "to": row.after,
        }
        for row in rows
    ]
