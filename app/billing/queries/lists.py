"""The lists of debtors and of advances: who, how much, since when, how to reach them.

A page goes on after its last row, so that the hundredth costs what the first one does.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.billing.queries.balances import Rows
from app.db import session
from app.models import Appointment, Patient, PatientAccount, PatientPhone, Payment, WorkOrder
from app.money import ZERO
from app.patients import queries as patients
from app.vocab import AppointmentStatus, WorkOrderStatus

#: What a list can be sorted by.
SORTS = ("sum", "name", "age")


def _since_bill() -> Any:
    """The day of the oldest unpaid bill."""
    return (
        select(func.min(WorkOrder.issued_day))
        .where(WorkOrder.patient_id == PatientAccount.patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
        .correlate(PatientAccount)
        .scalar_subquery()
    )


def _since_payment() -> Any:
    """The day of the last payment: an advance that nobody used since then."""
    return (
        select(func.max(Payment.business_day))
        .where(Payment.patient_id == PatientAccount.patient_id)
        .correlate(PatientAccount)
        .scalar_subquery()
    )


def debtors(q: str = "", *, sort: str = "sum", after: int | None = None, limit: int = 50) -> Rows:
    """Who owes, the largest sum first: id, full_name, card_number, amount, since, phone, last_visit.

    `after`: go on after this patient.

    `sort`: sum, name, or age, the oldest unpaid bill first.
    """
    return _listed(PatientAccount.debt, _since_bill, q, sort, after, limit)


def advances(q: str = "", *, sort: str = "sum", after: int | None = None, limit: int = 50) -> Rows:
    """Who has paid ahead, as `debtors`; the age is that of the last payment."""
    return _listed(PatientAccount.advance, _since_payment, q, sort, after, limit)


def debtors_total(q: str = "") -> tuple[int, Decimal]:
    """How many owe, and how much together."""
    return _total(PatientAccount.debt, q)


def advances_total(q: str = "") -> tuple[int, Decimal]:
    """How many have paid ahead, and how much together."""
    return _total(PatientAccount.advance, q)


def _found(statement: Any, amount: InstrumentedAttribute[Decimal], q: str) -> Any:
    statement = statement.where(amount > 0)
    return statement.where(PatientAccount.patient_id.in_(patients.matching(q))) if q.strip() else statement


def _total(amount: InstrumentedAttribute[Decimal], q: str) -> tuple[int, Decimal]:
    count, whole = session.execute(
        _found(select(func.count(), func.coalesce(func.sum(amount), ZERO)).select_from(PatientAccount), amount, q)
    ).one()
    return count, whole


def _listed(
    amount: InstrumentedAttribute[Decimal], since: Callable[[], Any], q: str, sort: str, after: int | None, limit: int
) -> Rows:
    keys: Any = {
        "sum": (amount, PatientAccount.patient_id),
        "name": (Patient.surname, Patient.name, Patient.id),
        "age": (since(), PatientAccount.patient_id),
    }[sort]
    base = _found(select(PatientAccount.patient_id, amount.label("amount")), amount, q)
    if sort == "name":
        base = base.join(Patient, Patient.id == PatientAccount.patient_id)
    if after is not None:
        last = select(*keys).select_from(PatientAccount).join(Patient, Patient.id == PatientAccount.patient_id)
        found = session.execute(last.where(PatientAccount.patient_id == after)).one_or_none()
        if found is None or None in found:
            return []
        base = base.where(tuple_(*keys) < tuple_(*found) if sort == "sum" else tuple_(*keys) > tuple_(*found))
    page = base.order_by(*(key.desc() if sort == "sum" else key for key in keys)).limit(limit).subquery("page")
    phone = (
        select(PatientPhone.number).where(PatientPhone.patient_id == page.c.patient_id).order_by(PatientPhone.id)
        .limit(1).correlate(page).scalar_subquery()
    )  # fmt: skip
    last_visit = (
        select(func.max(Appointment.starts_at))
        .where(Appointment.patient_id == page.c.patient_id, Appointment.status == AppointmentStatus.COMPLETED)
        .correlate(page)
        .scalar_subquery()
    )
    outer = {
        "sum": (page.c.amount.desc(), page.c.patient_id.desc()),
        "name": (Patient.surname, Patient.name, Patient.id),
        "age": (since(), page.c.patient_id),
    }[sort]
    name = func.concat_ws(" ", Patient.surname, Patient.name, func.nullif(Patient.patronymic, ""))
    return session.execute(
        select(
            Patient.id, name.label("full_name"), Patient.card_number, page.c.amount, since().label("since"),
            phone.label("phone"), last_visit.label("last_visit"),
        )
        .join(page, page.c.patient_id == Patient.id)
        .join(PatientAccount, PatientAccount.patient_id == Patient.id)
        .order_by(*outer)
    ).all()  # fmt: skip
