"""«Patients»: who was booked and came, with the money of their bills."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.access import Window
from app.models import (
    Appointment,
    Employee,
    LedgerEntry,
    NextVisitRefusal,
    Patient,
    RefusalReason,
    WorkOrder,
)
from app.money import ZERO
from app.reports.queries.base import BILLS, EVERYTHING, Figures, Page, fio, moments, of_orders, rows_of, summed, within
from app.vocab import FREES_TIME, AppointmentStatus

CAME = (AppointmentStatus.ARRIVED, AppointmentStatus.IN_PROGRESS, AppointmentStatus.COMPLETED)


def _patients_set(window: Window, branch_id: int | None, doctor_id: int | None) -> Any:
    """A row for each visit of the days with the money of its bills, and for each patient whose bills moved without one.

    Every entry of the ledger about bills is in exactly one row, so the sums are those of the report of bills.
    """
    starts, ends = moments(window)
    here = [Appointment.starts_at >= starts, Appointment.starts_at < ends]
    if branch_id is not None:
        here.append(Appointment.branch_id == branch_id)
    if doctor_id is not None:
        here.append(Appointment.doctor_id == doctor_id)
    later = (
        select(summed(LedgerEntry.debt_change))
        .where(LedgerEntry.work_order_id == WorkOrder.id, LedgerEntry.business_day > window.last)
        .correlate(WorkOrder)
        .scalar_subquery()
    )
    moved = (
        select(
            LedgerEntry.work_order_id,
            summed(case((LedgerEntry.kind.in_(BILLS), LedgerEntry.debt_change), else_=ZERO)).label("billed"),
            summed(case((LedgerEntry.kind.in_(BILLS), ZERO), else_=-LedgerEntry.debt_change)).label("paid"),
        )
        .where(within(LedgerEntry.business_day, window), LedgerEntry.work_order_id.is_not(None))
        .group_by(LedgerEntry.work_order_id)
        .cte("moved")
    )
    bill = (
        select(
            WorkOrder.patient_id,
            WorkOrder.doctor_id,
            moved.c.billed,
            moved.c.paid,
            (WorkOrder.due - later).label("debt"),
            case((WorkOrder.appointment_id.in_(select(Appointment.id).where(*here)), WorkOrder.appointment_id)).label(
                "visit_id"
            ),
        )
        .join(moved, moved.c.work_order_id == WorkOrder.id)
        .where(*of_orders(branch_id, doctor_id))
        .cte("bill")
    )
    of_visit = (
        select(
            bill.c.visit_id,
            func.sum(bill.c.billed).label("billed"),
            func.sum(bill.c.paid).label("paid"),
            func.sum(bill.c.debt).label("debt"),
        )
        .where(bill.c.visit_id.is_not(None))
        .group_by(bill.c.visit_id)
        .cte("of_visit")
    )
    visits = (
        select(
            Appointment.id.label("visit_id"),
            Appointment.starts_at,
            Appointment.patient_id,
            Appointment.doctor_id,
            Appointment.status,
            Appointment.first_visit,
            cast(
                func.round(func.extract("epoch", Appointment.started_at - Appointment.arrived_at) / 60), Integer
            ).label("waited"),
            func.coalesce(of_visit.c.billed, ZERO).label("billed"),
            func.coalesce(of_visit.c.paid, ZERO).label("paid"),
            func.coalesce(of_visit.c.debt, ZERO).label("debt"),
        )
        .outerjoin(of_visit, of_visit.c.visit_id == Appointment.id)
        .where(*here)
    )
    without = (
        select(
            null().label("visit_id"),
            null().label("starts_at"),
            bill.c.patient_id,
            bill.c.doctor_id,
            null().label("status"),
            null().label("first_visit"),
            null().label("waited"),
            func.sum(bill.c.billed).label("billed"),
            func.sum(bill.c.paid).label("paid"),
            func.sum(bill.c.debt).label("debt"),
        )
        .where(bill.c.visit_id.is_(None))
        .group_by(bill.c.patient_id, bill.c.doctor_id)
    )
    return union_all(visits, without).subquery("line")


def patients(
    window: Window,
    branch_id: int | None = None,
    doctor_id: int | None = None,
    *,
    page: Page = EVERYTHING,
    doctor: int | None = None,
    status: str | None = None,
    first: bool | None = None,
    money: str | None = None,
) -> Figures:
    """Who was booked and came; what was billed and paid for it in these days, and what is owed at their end.

    `doctor`, `status` (or `came`), `first` and `money` (billed, paid, debt, none) narrow the rows and the totals.
    """
    line = _patients_set(window, branch_id, doctor_id)
    wanted: list[ColumnElement[bool]] = []
    if doctor is not None:
        wanted.append(line.c.doctor_id == doctor)
    if status == "came":
        wanted.append(line.c.status.in_(CAME))
    elif status == "visits":
        wanted.append(line.c.visit_id.is_not(None))
    elif status is not None:
        wanted.append(line.c.status == status)
    if first is not None:
        wanted.append(line.c.first_visit.is_(first))
    if money is not None:
        wanted.append(line.c[money] != ZERO)
    came = line.c.status.in_(CAME)
    totals = rows_of(
        select(
            func.count().label("rows"),
            func.count(line.c.visit_id).label("visits"),
            func.count().filter(came).label("came"),
            *(func.count().filter(line.c.status == status).label(str(status)) for status in AppointmentStatus),
            func.count().filter(line.c.first_visit).label("first_visits"),
            func.count().filter(line.c.first_visit.is_(False)).label("repeat_visits"),
            cast(func.round(func.avg(line.c.waited)), Integer).label("average_waiting"),
            summed(line.c.billed).label("billed"),
            summed(line.c.paid).label("paid"),
            summed(line.c.debt).label("debt"),
        ).where(*wanted)
    )[0]
    count = totals.pop("rows")
    following = aliased(Appointment)
    next_visit = (
        select(func.min(following.starts_at))
        .where(
            following.patient_id == line.c.patient_id,
            following.starts_at > func.coalesce(line.c.starts_at, moments(window)[1]),
            following.status.not_in(FREES_TIME),
        )
        .correlate(line)
        .scalar_subquery()
    )
    refused = (
        select(RefusalReason.name)
        .join(NextVisitRefusal, NextVisitRefusal.refusal_reason_id == RefusalReason.id)
        .where(
            NextVisitRefusal.patient_id == line.c.patient_id,
            NextVisitRefusal.business_day == cast(func.coalesce(line.c.starts_at, moments(window)[0]), Date),
        )
        .correlate(line)
        .scalar_subquery()
    )
    rows = rows_of(
        page.of(
            select(
                line,
                fio(Patient).label("patient"),
                Patient.card_number,
                fio(Employee).label("doctor"),
                next_visit.label("next_visit"),
                refused.label("next_visit_refused"),
            )
            .join(Patient, Patient.id == line.c.patient_id)
            .join(Employee, Employee.id == line.c.doctor_id)
            .where(*wanted)
            .order_by(line.c.starts_at.nulls_last(), line.c.patient_id, line.c.doctor_id)
        )
    )
    return Figures(rows, totals, count)
