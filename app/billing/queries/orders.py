"""Work orders and bills, and who may be named in them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import case, exists, func, or_, select, text

from app import clock
from app.billing.queries.balances import Balance, Rows
from app.billing.queries.prices import prices_of
from app.billing.rules import Card, Due, LineLeft
from app.db import Fixed, session
from app.models import (
    Appointment,
    Branch,
    Employee,
    LedgerEntry,
    LegalEntity,
    Patient,
    Service,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.patients.queries import LOCKED_ACCOUNT
from app.vocab import LedgerKind, WorkOrderStatus


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


def assistants() -> list[Employee]:
    """Who may have helped the doctor: everybody who works, by name."""
    return list(
        session.scalars(
            select(Employee).where(Employee.archived.is_(False)).order_by(Employee.surname, Employee.name).limit(500)
        )
    )


def employees(ids: Collection[int]) -> list[Employee]:
    return list(session.scalars(select(Employee).where(Employee.id.in_(ids))))


def is_patient_of(patient_id: int, doctor_id: int) -> bool:
    """Has the patient a visit to this doctor, or a work order of his?"""
    visit = exists().where(Appointment.patient_id == patient_id, Appointment.doctor_id == doctor_id)
    order = exists().where(WorkOrder.patient_id == patient_id, WorkOrder.doctor_id == doctor_id)
    return bool(session.scalar(select(or_(visit, order))))


def unpaid_bills(patient_id: int) -> list[Due]:
    """A patient's bills that are not paid in full, the oldest first."""
    rows = session.execute(
        select(WorkOrder.id, WorkOrder.due)
        .where(WorkOrder.patient_id == patient_id, WorkOrder.status == WorkOrderStatus.ISSUED)
        .order_by(WorkOrder.issued_at, WorkOrder.id)
    )
    return [Due(pk, due) for pk, due in rows]


def issuer_of(order_id: int) -> tuple[int, str]:
    """The number of a bill and the legal entity that issued it."""
    row = session.execute(
        select(WorkOrder.number, LegalEntity.name)
        .join(LegalEntity, LegalEntity.id == WorkOrder.legal_entity_id)
        .where(WorkOrder.id == order_id)
    ).one()
    return row.number, row.name


def orders_by_id(ids: Collection[int]) -> list[WorkOrder]:
    return list(session.scalars(select(WorkOrder).where(WorkOrder.id.in_(ids)).order_by(WorkOrder.id)))


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


def orders_of_visit(appointment_id: int, *, but: int | None = None) -> Rows:
    """The work orders of a visit, the oldest first: id, number, total, status; all `but` this one."""
    return session.execute(
        select(WorkOrder.id, WorkOrder.number, WorkOrder.total, WorkOrder.status)
        .where(WorkOrder.appointment_id == appointment_id, WorkOrder.id != (but or 0))
        .order_by(WorkOrder.id)
    ).all()


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


def booked_service(visit: Appointment) -> tuple[Service, Decimal] | None:
    """The service that a visit was booked for, with its price of today.

    None when it cannot be billed today, without a price or from the archive, or when a work order of this visit has it
    already: nobody is billed twice by default. What was annulled or taken back by a reversing order does not count.
    """
    service = session.get(Service, visit.service_id) if visit.service_id is not None else None
    if service is None or service.archived:
        return None
    stands = (
        select(func.coalesce(func.sum(WorkOrderLine.quantity), 0))
        .join(WorkOrder, WorkOrder.id == WorkOrderLine.work_order_id)
        .where(
            WorkOrder.appointment_id == visit.id,
            WorkOrder.status != WorkOrderStatus.ANNULLED,
            WorkOrderLine.service_id == service.id,
        )
    )
    price = prices_of([service.id], clock.today()).get(service.id)
    return None if price is None or session.scalar(stands) else (service, price)


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


def reversals_of(work_order_id: int) -> list[WorkOrder]:
    """The reversing orders of a bill, the oldest first."""
    return list(session.scalars(select(WorkOrder).where(WorkOrder.reverses_id == work_order_id).order_by(WorkOrder.id)))


def left_to_reverse(order: WorkOrder) -> list[LineLeft]:
    """The lines of a bill with what was taken back of each."""
    taken = {
        line_id: (-quantity, -discount)
        for line_id, quantity, discount in session.execute(
            select(WorkOrderLine.reverses_id, func.sum(WorkOrderLine.quantity), func.sum(WorkOrderLine.discount))
            .where(WorkOrderLine.reverses_id.in_([line.id for line in order.lines]))
            .group_by(WorkOrderLine.reverses_id)
        )
    }
    return [
        LineLeft(
            line.id, line.called[1], line.price, line.quantity, line.discount, *taken.get(line.id, (0, ZERO))
        )
        for line in order.lines
    ]  # fmt: skip


def paid_for(work_order_id: int) -> list[tuple[int, Decimal]]:
    """What of a bill each payment still pays, the newest first: (payment, amount)."""
    paid = -func.sum(LedgerEntry.debt_change)
    rows = session.execute(
        select(LedgerEntry.payment_id, paid)
        .where(LedgerEntry.work_order_id == work_order_id, LedgerEntry.payment_id.is_not(None))
        .group_by(LedgerEntry.payment_id)
        .having(paid > 0)
        .order_by(LedgerEntry.payment_id.desc())
    )
    return [(payment_id, amount) for payment_id, amount in rows if payment_id is not None]


@dataclass(frozen=True)
class Owing:
    """A patient at the moment of paying: name, balance, the unpaid bills (the oldest first)."""

    full_name: str
    card_number: int
    balance: Balance
    dues: list[Due]
    #: The legal entity that issued each.
    entities: dict[int, int]
    card: Card


#: The account is locked before the bills: everybody who moves a patient's money locks in this order. Both are read as
#: they are once the lock is held; a bill issued meanwhile is not seen, and its patient simply pays ahead.
_OWING = Fixed(
    text(f"""
    WITH {LOCKED_ACCOUNT}, dues AS MATERIALIZED (
        SELECT id, due, issued_at, legal_entity_id FROM work_order
        WHERE patient_id = :patient AND status = 'issued' AND (SELECT count(*) FROM word) >= 0
        ORDER BY id FOR UPDATE
    )
    SELECT concat_ws(' ', p.surname, p.name, nullif(p.patronymic, '')) AS full_name, p.card_number, p.birth_date,
        (SELECT g.id FROM patient g WHERE g.id = p.guardian_id AND g.status <> 'archived') AS guardian_id,
        (SELECT g.id FROM patient g WHERE g.id = p.payer_id AND g.status <> 'archived') AS payer_id,
        account.debt, account.advance, dues.id, dues.due, dues.legal_entity_id
    FROM patient p LEFT JOIN account ON true LEFT JOIN dues ON true
    WHERE p.id = :patient ORDER BY dues.issued_at, dues.id
    """)
)


def owing_locked(patient_id: int) -> Owing | None:
    """A patient's balance and unpaid bills, locked until the transaction ends; None when there is no such patient."""
    rows = _OWING(patient=patient_id).all()
    if rows and rows[0].debt is None:
        rows = _OWING(patient=patient_id).all()  # as `lock_account` asks twice
    if not rows:
        return None
    first = rows[0]
    return Owing(
        first.full_name,
        first.card_number,
        Balance(first.debt, first.advance) if first.debt is not None else Balance(),
        [Due(row.id, row.due) for row in rows if row.id is not None],
        {row.id: row.legal_entity_id for row in rows if row.id is not None},
        Card(patient_id, first.birth_date, first.guardian_id, first.payer_id),
    )


@dataclass(frozen=True)
class PaidBill:
    """A bill that is about to be paid: what is due of it, what fiscal receipts told of on credit, and its lines as
    papers keep them."""

    number: int
    due: Decimal
    credit: Decimal
    lines: list[dict[str, Any]]


_PAID_BILLS = Fixed(
    text("""
    SELECT o.id, o.number, o.due,
        (SELECT COALESCE(sum(c.change), 0) FROM fiscal_credit c WHERE c.work_order_id = o.id) AS credit,
        (SELECT json_agg(json_build_object('code', COALESCE(l.code, s.code), 'name', COALESCE(l.name, s.name),
                 'tooth', l.tooth, 'quantity', l.quantity,
                 'price', CAST(l.price AS text), 'discount', CAST(l.discount AS text),
                 'total', CAST(l.total AS text), 'kind', s.item_kind, 'vat', s.vat) ORDER BY l.position)
         FROM work_order_line l JOIN service s ON s.id = l.service_id WHERE l.work_order_id = o.id) AS lines
    FROM work_order o WHERE o.id = ANY(CAST(:orders AS int[]))
    """)
)


def paid_bills(ids: Collection[int]) -> dict[int, PaidBill]:
    """Locked bills that are about to be paid, by id; asked once the lock is held: who paid before has written all."""
    if not ids:
        return {}
    return {row.id: PaidBill(row.number, row.due, row.credit, row.lines or []) for row in _PAID_BILLS(orders=list(ids))}
