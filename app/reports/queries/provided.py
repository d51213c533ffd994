"""«Services provided»: lines of issued orders; drafts and bills taken back counted apart."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    false,
    func,
    select,
)

from app import clock
from app.access import Window
from app.db import session
from app.models import (
    Employee,
    LedgerEntry,
    Patient,
    Service,
    ServiceCategory,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.reports.queries.base import (
    BILLS,
    EVERYTHING,
    Figures,
    Page,
    Row,
    fio,
    moments,
    of_orders,
    rows_of,
    summed,
    within,
)
from app.reports.queries.bills import ledger

_GROSS = WorkOrderLine.price * WorkOrderLine.quantity


def _of_services(category: int | None, service: int | None, doctor: int | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if category is not None:
        wanted.append(Service.category_id == category)
    if service is not None:
        wanted.append(WorkOrderLine.service_id == service)
    if doctor is not None:
        wanted.append(WorkOrder.doctor_id == doctor)
    return wanted


def services(window: Window, branch_id: int | None = None, doctor_id: int | None = None) -> Figures:
    """Services of the orders issued in these days, by category, service and doctor.

    Reversing orders are lines below zero, on the day of the reversal. Net and «taken back» (bills issued in these days
    and reopened later, or the other way round) make what was billed.
    Drafts begun in these days are counted apart.
    """
    rows = rows_of(
        select(
            ServiceCategory.id.label("category_id"),
            ServiceCategory.name.label("category"),
            Service.id.label("service_id"),
            Service.code,
            Service.name.label("service"),
            Employee.id.label("doctor_id"),
            fio(Employee).label("doctor"),
            func.sum(WorkOrderLine.quantity).label("quantity"),
            summed(_GROSS).label("gross"),
            summed(WorkOrderLine.discount).label("discount"),
            summed(WorkOrderLine.total).label("net"),
        )
        .select_from(WorkOrder)
        .join(WorkOrderLine, WorkOrderLine.work_order_id == WorkOrder.id)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .join(ServiceCategory, ServiceCategory.id == Service.category_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(within(WorkOrder.issued_day, window), *of_orders(branch_id, doctor_id))
        .group_by(ServiceCategory.id, Service.id, Employee.id)
        .order_by(ServiceCategory.name, Service.code, Employee.surname, Employee.id)
    )
    orders = session.scalar(
        select(func.count())
        .select_from(WorkOrder)
        .where(within(WorkOrder.issued_day, window), WorkOrder.reverses_id.is_(None), *of_orders(branch_id, doctor_id))
    )
    drafts = session.execute(
        select(func.count(), summed(WorkOrder.total)).where(*_drafts(window, branch_id, doctor_id))
    ).one()
    billed = session.scalar(
        ledger(window, branch_id, doctor_id, summed(LedgerEntry.debt_change)).where(LedgerEntry.kind.in_(BILLS))
    )
    totals: Row = {
        name: sum((row[name] for row in rows), 0 if name == "quantity" else ZERO)
        for name in ("quantity", "gross", "discount", "net")
    }
    totals |= {
        "orders": orders,
        "taken_back": billed - totals["net"],
        "billed": billed,
        "drafts": drafts[0],
        "drafts_total": drafts[1],
    }
    return Figures(rows, totals, len(rows))


def _drafts(window: Window, branch_id: int | None, doctor_id: int | None) -> list[ColumnElement[bool]]:
    starts, ends = (moment.replace(tzinfo=clock.zone()) for moment in moments(window))
    return [
        WorkOrder.issued_day.is_(None),
        WorkOrder.created_at >= starts,
        WorkOrder.created_at < ends,
        *of_orders(branch_id, doctor_id),
    ]


def service_lines(
    window: Window,
    branch_id: int | None = None,
    doctor_id: int | None = None,
    *,
    page: Page = EVERYTHING,
    category: int | None = None,
    service: int | None = None,
    doctor: int | None = None,
) -> Figures:
    """The lines of the work orders behind a figure of the services."""
    base = (
        select(
            WorkOrder.issued_day.label("day"),
            WorkOrder.id.label("work_order_id"),
            WorkOrder.number,
            Patient.id.label("patient_id"),
            fio(Patient).label("patient"),
            fio(Employee).label("doctor"),
            Service.code,
            Service.name.label("service"),
            WorkOrderLine.tooth,
            WorkOrderLine.quantity,
            WorkOrderLine.price,
            _GROSS.label("gross"),
            WorkOrderLine.discount,
            WorkOrderLine.total.label("net"),
        )
        .select_from(WorkOrder)
        .join(WorkOrderLine, WorkOrderLine.work_order_id == WorkOrder.id)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(
            within(WorkOrder.issued_day, window),
            *of_orders(branch_id, doctor_id),
            *_of_services(category, service, doctor),
        )
    )
    whole = base.subquery()
    names = ("quantity", "gross", "discount", "net")
    found = session.execute(
        select(func.count(), *(summed(whole.c[name]).label(name) for name in names)).select_from(whole)
    ).one()
    rows = rows_of(page.of(base.order_by(WorkOrder.issued_day, WorkOrder.id, WorkOrderLine.position)))
    return Figures(rows, {name: getattr(found, name) for name in names}, found[0])


def _orders(condition: Any, amount: Any, page: Page) -> Figures:
    base = (
        select(
            WorkOrder.id.label("work_order_id"),
            WorkOrder.number,
            WorkOrder.created_at.label("at"),
            Patient.id.label("patient_id"),
            fio(Patient).label("patient"),
            Patient.card_number,
            fio(Employee).label("doctor"),
            amount.label("amount"),
        )
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(condition)
    )
    whole = base.subquery()
    count, total = session.execute(select(func.count(), summed(whole.c.amount)).select_from(whole)).one()
    return Figures(rows_of(page.of(base.order_by(WorkOrder.id))), {"amount": total}, count)


def drafts(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The drafts begun in these days and not issued to this moment."""
    return _orders(and_(*_drafts(window, branch_id, doctor_id)), WorkOrder.total, page)


def taken_back(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The orders whose bills of these days differ from their lines: reopened later, or issued earlier."""
    order = func.coalesce(LedgerEntry.reversal_id, LedgerEntry.work_order_id)
    billed = (
        ledger(window, None, None, order.label("work_order_id"), func.sum(LedgerEntry.debt_change).label("billed"))
        .where(LedgerEntry.kind.in_(BILLS))
        .group_by(order)
        .subquery()
    )
    counted = case((func.coalesce(within(WorkOrder.issued_day, window), false()), WorkOrder.total), else_=ZERO)
    amount = (
        select(billed.c.billed).where(billed.c.work_order_id == WorkOrder.id).correlate(WorkOrder).scalar_subquery()
    )
    different = and_(
        WorkOrder.id.in_(select(billed.c.work_order_id)), amount != counted, *of_orders(branch_id, doctor_id)
    )
    return _orders(different, amount - counted, page)
