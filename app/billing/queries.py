"""Questions about money: what a service costs, what a patient owes, what can be returned.

Where next: `operations.py`; the reports of days are `app/reports`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from app import clock
from app.billing.rules import Due, PaidPart, refundable
from app.db import session
from app.models import (
    Appointment,
    Branch,
    Employee,
    LedgerEntry,
    Patient,
    PatientAccount,
    Payment,
    PaymentPart,
    Receipt,
    Refund,
    RefundPart,
    Service,
    ServiceCategory,
    ServicePrice,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.vocab import LedgerKind, WorkOrderStatus

#: Rows of several tables, ready to show; each question says what is in them.
Rows = Sequence[Any]


@dataclass(frozen=True)
class Balance:
    """What a patient owes, and what is paid ahead."""

    debt: Decimal = ZERO
    advance: Decimal = ZERO


def balance_of(patient_id: int) -> Balance:
    """A patient's debt and advance."""
    row = session.execute(
        select(PatientAccount.debt, PatientAccount.advance).where(PatientAccount.patient_id == patient_id)
    ).one_or_none()
    return Balance(*row) if row else Balance()


def balances_of(patient_ids: Collection[int]) -> dict[int, Balance]:
    """The balances of many patients in one statement; who has none is absent."""
    rows = session.execute(
        select(PatientAccount.patient_id, PatientAccount.debt, PatientAccount.advance).where(
            PatientAccount.patient_id.in_(patient_ids)
        )
    )
    return {patient_id: Balance(debt, advance) for patient_id, debt, advance in rows}


# --- price list -----------------------------------------------------------------------------------------


def _price_on(day: date) -> Any:
    """The price of a service that is in force on a day."""
    return (
        select(ServicePrice.price)
        .where(ServicePrice.service_id == Service.id, ServicePrice.valid_from <= day)
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
        .where(ServicePrice.service_id.in_(service_ids), ServicePrice.valid_from <= day)
        .order_by(ServicePrice.service_id, ServicePrice.valid_from.desc())
    )
    return {row.service_id: row.price for row in rows}


def services_by_id(ids: Collection[int]) -> dict[int, Service]:
    return {service.id: service for service in session.scalars(select(Service).where(Service.id.in_(ids)))}


def price_list(q: str = "", *, day: date | None = None, limit: int = 25, offset: int = 0) -> tuple[int, Rows]:
    """The services offered on a day: id, code, name, category, minutes, price.

    Found by words of the name in any order, or by the start of the code.
    """
    price = _price_on(day or clock.today())
    found = (
        select(
            Service.id, Service.code, Service.name, ServiceCategory.name.label("category"), Service.minutes,
            price.label("price"),
        )
        .join(ServiceCategory, ServiceCategory.id == Service.category_id)
        .where(Service.archived.is_(False), price.is_not(None))
    )  # fmt: skip
    words = q.split()[:8]
    if words:
        by_name = and_(*(Service.name.icontains(word, autoescape=True) for word in words))
        found = found.where(or_(by_name, Service.code.istartswith(q.strip(), autoescape=True)))
    count = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    rows = session.execute(
        found.order_by(ServiceCategory.name, Service.code, Service.id).limit(limit).offset(offset)
    ).all()
    return count, rows


def services_named(q: str, *, limit: int, offset: int = 0) -> list[Service]:
    """The services of the directory, with or without a price, by words or code."""
    statement = select(Service).where(Service.archived.is_(False)).order_by(Service.code).limit(limit).offset(offset)
    words = q.split()[:8]
    if words:
        by_name = and_(*(Service.name.icontains(word, autoescape=True) for word in words))
        statement = statement.where(or_(by_name, Service.code.istartswith(q.strip(), autoescape=True)))
    return list(session.scalars(statement))


# --- who and where --------------------------------------------------------------------------------------


def first_branch() -> Branch | None:
    return session.scalars(select(Branch).where(Branch.archived.is_(False)).order_by(Branch.id).limit(1)).one_or_none()


def doctors() -> list[Employee]:
    """The doctors who work, by name."""
    return list(
        session.scalars(
            select(Employee)
            .where(Employee.is_doctor, Employee.archived.is_(False))
            .order_by(Employee.surname, Employee.name)
            .limit(500)
        )
    )


def employees(ids: Collection[int]) -> list[Employee]:
    return list(session.scalars(select(Employee).where(Employee.id.in_(ids))))


def is_patient_of(patient_id: int, doctor_id: int) -> bool:
    """Has the patient a visit to this doctor, or a work order of his?"""
    visit = exists().where(Appointment.patient_id == patient_id, Appointment.doctor_id == doctor_id)
    order = exists().where(WorkOrder.patient_id == patient_id, WorkOrder.doctor_id == doctor_id)
    return bool(session.scalar(select(or_(visit, order))))


# --- bills ----------------------------------------------------------------------------------------------


def unpaid_bills(patient_id: int) -> list[WorkOrder]:
    """A patient's bills that are not paid in full, the oldest first."""
    return list(
        session.scalars(
            select(WorkOrder)
            .where(WorkOrder.patient_id == patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
            .order_by(WorkOrder.issued_at, WorkOrder.id)
        )
    )


def orders_by_id(ids: Collection[int]) -> list[WorkOrder]:
    return list(session.scalars(select(WorkOrder).where(WorkOrder.id.in_(ids)).order_by(WorkOrder.id)))


def drafts_of(patient_id: int) -> list[WorkOrder]:
    """A patient's orders that are not issued yet."""
    return list(
        session.scalars(
            select(WorkOrder)
            .where(WorkOrder.patient_id == patient_id, WorkOrder.status == WorkOrderStatus.DRAFT)
            .order_by(WorkOrder.id)
            .limit(50)
        )
    )


def orders_of(patient_id: int, *, doctor_id: int | None = None, limit: int = 50) -> Rows:
    """A patient's work orders, the newest first: order, doctor."""
    statement = (
        select(WorkOrder, Employee)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(WorkOrder.patient_id == patient_id)
        .order_by(WorkOrder.id.desc())
        .limit(limit)
    )
    return session.execute(statement if doctor_id is None else statement.where(WorkOrder.doctor_id == doctor_id)).all()


def _with_people(statement: Any, *, doctor_id: int | None, limit: int, offset: int = 0) -> Rows:
    if doctor_id is not None:
        statement = statement.where(WorkOrder.doctor_id == doctor_id)
    return session.execute(statement.limit(limit).offset(offset)).all()


def to_be_paid(*, branch_id: int | None = None, limit: int = 50, offset: int = 0) -> tuple[int, Rows]:
    """Issued bills that wait for money, the newest first: order, patient, doctor."""
    waits = [WorkOrder.status == WorkOrderStatus.ISSUED]
    if branch_id is not None:
        waits.append(WorkOrder.branch_id == branch_id)
    count = session.scalar(select(func.count()).select_from(WorkOrder).where(*waits)) or 0
    statement = (
        select(WorkOrder, Patient, Employee)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(*waits)
        .order_by(WorkOrder.issued_at.desc(), WorkOrder.id.desc())
    )
    return count, _with_people(statement, doctor_id=None, limit=limit, offset=offset)


def debtors(*, limit: int = 50, offset: int = 0) -> tuple[int, Rows]:
    """Patients who owe, the largest debt first: patient, debt, advance, the day of the oldest unpaid bill."""
    owes = PatientAccount.debt > 0
    count = session.scalar(select(func.count()).select_from(PatientAccount).where(owes)) or 0
    oldest = (
        select(func.min(WorkOrder.issued_day))
        .where(WorkOrder.patient_id == PatientAccount.patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
        .correlate(PatientAccount)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Patient, PatientAccount.debt, PatientAccount.advance, oldest.label("since"))
        .join(PatientAccount, PatientAccount.patient_id == Patient.id)
        .where(owes)
        .order_by(PatientAccount.debt.desc(), Patient.id)
        .limit(limit)
        .offset(offset)
    ).all()
    return count, rows


def orders_of_day(day: date, *, doctor_id: int | None = None, limit: int = 200) -> Rows:
    """Drafts that wait to be issued, and orders issued on a day, drafts first: order, patient, doctor."""
    statement = (
        select(WorkOrder, Patient, Employee)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(or_(WorkOrder.status == WorkOrderStatus.DRAFT, WorkOrder.issued_day == day))
        .order_by(case((WorkOrder.status == WorkOrderStatus.DRAFT, 0), else_=1), WorkOrder.id.desc())
    )
    return _with_people(statement, doctor_id=doctor_id, limit=limit)


def was_paid(work_order_id: int) -> bool:
    """Was any money ever taken for this order?"""
    return bool(
        session.scalar(
            select(
                exists().where(
                    LedgerEntry.work_order_id == work_order_id,
                    LedgerEntry.kind.in_((LedgerKind.PAYMENT, LedgerKind.REFUND)),
                )
            )
        )
    )


@dataclass(frozen=True)
class Owing:
    """A patient at the moment of paying: name, balance, the unpaid bills (the oldest first) with their lines."""

    full_name: str
    card_number: int
    balance: Balance
    dues: list[Due]
    lines: dict[int, list[dict[str, Any]]]


#: The account is locked before the bills: everybody who moves a patient's money locks in this order. Both are read as
#: they are once the lock is held; a bill issued meanwhile is not seen, and its patient simply pays ahead.
_OWING = text("""
    WITH account AS MATERIALIZED (
        SELECT debt, advance FROM patient_account WHERE patient_id = :patient FOR UPDATE
    ), dues AS MATERIALIZED (
        SELECT id, due, issued_at FROM work_order
        WHERE patient_id = :patient AND status = 'issued' AND (SELECT count(*) FROM account) >= 0
        ORDER BY id FOR UPDATE
    )
    SELECT concat_ws(' ', p.surname, p.name, nullif(p.patronymic, '')) AS full_name, p.card_number,
        account.debt, account.advance, dues.id, dues.due,
        (SELECT json_agg(json_build_object('name', s.name, 'tooth', l.tooth, 'quantity', l.quantity,
                 'price', l.price::text, 'discount', l.discount::text, 'total', l.total::text) ORDER BY l.position)
         FROM work_order_line l JOIN service s ON s.id = l.service_id WHERE l.work_order_id = dues.id) AS lines
    FROM patient p LEFT JOIN account ON true LEFT JOIN dues ON true
    WHERE p.id = :patient ORDER BY dues.issued_at, dues.id
""")


def owing_locked(patient_id: int) -> Owing | None:
    """A patient's balance and unpaid bills, locked until the transaction ends; None when there is no such patient."""
    rows = session.execute(_OWING, {"patient": patient_id}).all()
    if not rows:
        return None
    first = rows[0]
    return Owing(
        first.full_name,
        first.card_number,
        Balance(first.debt, first.advance) if first.debt is not None else Balance(),
        [Due(row.id, row.due) for row in rows if row.id is not None],
        {row.id: row.lines or [] for row in rows if row.id is not None},
    )


# --- payments -------------------------------------------------------------------------------------------


def allocated(payment: Payment) -> list[Due]:
    """What a payment paid on each bill."""
    return [
        Due(entry.work_order_id, -entry.debt_change)
        for entry in payment.entries
        if entry.kind == LedgerKind.PAYMENT and entry.work_order_id is not None
    ]


@dataclass(frozen=True)
class Returnable:
    """What of a payment can still be un-done: see `rules.take_back`."""

    parts: list[PaidPart]
    advance_left: Decimal
    bills: list[Due]

    @property
    def amount(self) -> Decimal:
        return refundable(self.parts, self.advance_left, self.bills)


def returnable(payment_id: int) -> Returnable:
    """What of a payment has not been returned: its parts, its share of the advance, its bills (the newest first)."""
    returned = (
        select(RefundPart.payment_part_id, func.sum(RefundPart.amount).label("amount"))
        .join(PaymentPart, PaymentPart.id == RefundPart.payment_part_id)
        .where(PaymentPart.payment_id == payment_id)
        .group_by(RefundPart.payment_part_id)
        .subquery()
    )
    parts = session.execute(
        select(PaymentPart.id, PaymentPart.method, PaymentPart.amount - func.coalesce(returned.c.amount, 0))
        .outerjoin(returned, returned.c.payment_part_id == PaymentPart.id)
        .where(PaymentPart.payment_id == payment_id)
        .order_by(PaymentPart.id)
    ).all()
    # of a refund's entries those below zero took from this payment's share of the advance; those above gave a part back
    share = session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.advance_change), 0)).where(
            LedgerEntry.payment_id == payment_id,
            or_(
                LedgerEntry.kind == LedgerKind.ADVANCE_IN,
                and_(LedgerEntry.kind == LedgerKind.REFUND, LedgerEntry.advance_change < 0),
            ),
        )
    ) or ZERO  # fmt: skip
    has = session.scalar(
        select(func.coalesce(func.max(PatientAccount.advance), 0))
        .join(Payment, Payment.patient_id == PatientAccount.patient_id)
        .where(Payment.id == payment_id)
    ) or ZERO  # fmt: skip
    bills = session.execute(
        select(LedgerEntry.work_order_id, -func.sum(LedgerEntry.debt_change))
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(LedgerEntry.payment_id == payment_id)
        .group_by(LedgerEntry.work_order_id, WorkOrder.issued_at)
        .having(func.sum(LedgerEntry.debt_change) < 0)
        .order_by(WorkOrder.issued_at.desc(), LedgerEntry.work_order_id.desc())
    ).all()
    return Returnable(
        [PaidPart(part_id, method, left) for part_id, method, left in parts],
        min(share, has),
        [Due(work_order_id, amount) for work_order_id, amount in bills if work_order_id is not None],
    )


def receipt_lines(order_ids: Collection[int]) -> list[dict[str, Any]]:
    """The lines of bills as a receipt keeps them."""
    rows = session.scalars(
        select(WorkOrderLine)
        .where(WorkOrderLine.work_order_id.in_(order_ids))
        .order_by(WorkOrderLine.work_order_id, WorkOrderLine.position)
    )
    return [
        {
            "name": line.service.name,
            "tooth": line.tooth,
            "quantity": line.quantity,
            "price": str(line.price),
            "discount": str(line.discount),
            "total": str(line.total),
        }
        for line in rows
    ]


def receipt_of_refund(refund_id: int) -> int | None:
    return session.scalar(select(Receipt.id).where(Receipt.refund_id == refund_id))


@dataclass(frozen=True)
class PaymentLine:
    """A payment as the card shows it."""

    payment: Payment
    returned: Decimal
    left: Decimal
    receipt_id: int | None
    refunds: list[tuple[Refund, int | None]]


def payments_of(patient_id: int, *, limit: int = 30) -> list[PaymentLine]:
    """A patient's payments, the newest first, with what was and what can be returned."""
    found = session.execute(
        select(Payment, Receipt.id)
        .outerjoin(Receipt, Receipt.payment_id == Payment.id)
        .where(Payment.patient_id == patient_id)
        .order_by(Payment.id.desc())
        .limit(limit)
    ).all()
    refunds: dict[int, list[tuple[Refund, int | None]]] = {}
    for refund, receipt_id in session.execute(
        select(Refund, Receipt.id)
        .outerjoin(Receipt, Receipt.refund_id == Refund.id)
        .where(Refund.payment_id.in_([payment.id for payment, _ in found]))
        .order_by(Refund.id)
    ):
        refunds.setdefault(refund.payment_id, []).append((refund, receipt_id))
    lines = []
    for payment, receipt_id in found:
        back = refunds.get(payment.id, [])
        returned = sum((refund.amount for refund, _ in back), ZERO)
        lines.append(PaymentLine(payment, returned, payment.amount - returned, receipt_id, back))
    return lines
