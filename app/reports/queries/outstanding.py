"""What stood when a day ended, and what moved it: unpaid bills, advances; behind the figures of «Bills and payments».

Where next: `bills.py`, whose figures these make.
"""

from datetime import date

from sqlalchemy import and_, func, select

from app.access import Window
from app.db import session
from app.models import Employee, LedgerEntry, Patient, Payment, WorkOrder
from app.reports.queries.base import EVERYTHING, UNPAID, Figures, Page, fio, of_orders, rows_of, summed, within
from app.vocab import LedgerKind


def open_bills(
    day: date, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The bills that were unpaid when a day ended: what the debt is made of."""
    then = (
        select(LedgerEntry.work_order_id, func.sum(LedgerEntry.debt_change).label("debt"))
        .where(LedgerEntry.business_day <= day, LedgerEntry.work_order_id.is_not(None))
        .group_by(LedgerEntry.work_order_id)
        .having(func.sum(LedgerEntry.debt_change) != 0)
        .subquery()
    )
    base = (
        select(
            WorkOrder.id.label("work_order_id"),
            WorkOrder.number,
            WorkOrder.issued_day.label("day"),
            WorkOrder.total,
            then.c.debt,
            Patient.id.label("patient_id"),
            fio(Patient).label("patient"),
            Patient.card_number,
            fio(Employee).label("doctor"),
            WorkOrder.doctor_id,
        )
        .join(then, then.c.work_order_id == WorkOrder.id)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(*of_orders(branch_id, doctor_id))
    )
    whole = base.subquery()
    count, debt = session.execute(select(func.count(), summed(whole.c.debt)).select_from(whole)).one()
    rows = rows_of(page.of(base.order_by(Patient.surname, Patient.name, WorkOrder.id)))
    return Figures(rows, {"debt": debt}, count)


def standing_advances(day: date, *, page: Page = EVERYTHING) -> Figures:
    """The patients who had paid ahead when a day ended: what the advances are made of."""
    base = (
        select(
            Patient.id.label("patient_id"),
            fio(Patient).label("patient"),
            Patient.card_number,
            func.sum(LedgerEntry.advance_change).label("advance"),
        )
        .join(LedgerEntry, LedgerEntry.patient_id == Patient.id)
        .where(LedgerEntry.business_day <= day)
        .group_by(Patient.id)
        .having(func.sum(LedgerEntry.advance_change) != 0)
    )
    whole = base.subquery()
    count, advance = session.execute(select(func.count(), summed(whole.c.advance)).select_from(whole)).one()
    return Figures(
        rows_of(page.of(base.order_by(Patient.surname, Patient.name, Patient.id))), {"advance": advance}, count
    )


def advance_moves(window: Window, branch_id: int | None = None, *, which: str, page: Page = EVERYTHING) -> Figures:
    """The entries of the ledger behind an advance figure of `bills_payments`, by its name without `advance_`."""
    change = LedgerEntry.advance_change
    condition, sign = {
        "in": (LedgerEntry.kind == LedgerKind.ADVANCE_IN, 1),
        "used": (LedgerEntry.kind == LedgerKind.ADVANCE_USED, -1),
        "returned": (and_(LedgerEntry.kind.in_(UNPAID), change < 0), -1),
        "restored": (and_(LedgerEntry.kind.in_(UNPAID), change > 0), 1),
        "to_certificate": (LedgerEntry.kind == LedgerKind.TO_CERTIFICATE, -1),
        "from_certificate": (LedgerEntry.kind == LedgerKind.FROM_CERTIFICATE, 1),
    }[which]
    base = (
        select(
            LedgerEntry.business_day.label("day"),
            LedgerEntry.created_at.label("at"),
            LedgerEntry.payment_id,
            Payment.number,
            Patient.id.label("patient_id"),
            fio(Patient).label("patient"),
            Patient.card_number,
            (change * sign).label("amount"),
        )
        .join(Patient, Patient.id == LedgerEntry.patient_id)
        .outerjoin(Payment, Payment.id == LedgerEntry.payment_id)
        .where(condition, within(LedgerEntry.business_day, window))
    )
    if branch_id is not None:
        base = base.where(LedgerEntry.branch_id == branch_id)
    whole = base.subquery()
    count, amount = session.execute(select(func.count(), summed(whole.c.amount)).select_from(whole)).one()
    return Figures(rows_of(page.of(base.order_by(LedgerEntry.id))), {"amount": amount}, count)
