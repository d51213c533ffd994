"""What an erasure finds: whose rows are whose by the foreign keys, what stands in its way, what the law keeps.

Where next: `../rules/erasing.py` for what becomes of each table, `../operations/erasing.py`.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, Table, cast, func, literal, or_, select, union_all

from app.db import session
from app.models import (
    Appointment,
    CardErasure,
    DiaryEntry,
    FiscalReceipt,
    HealthSurvey,
    IssuedDocument,
    LedgerEntry,
    MedicalRecord,
    Patient,
    PatientAccount,
    Payment,
    WorkOrder,
)
from app.patients import rules
from app.tables.base import Model
from app.vocab import AppointmentStatus, FiscalStatus, WorkOrderStatus


@cache
def reach() -> dict[str, tuple[tuple[Column[Any], str], ...]]:
    """Every table whose rows are a patient's, itself or through others: {table: ((column, table it names), …)}."""
    found: dict[str, tuple[tuple[Column[Any], str], ...]] = {}
    known = {"patient"}
    while True:
        new = {}
        for table in Model.metadata.sorted_tables:
            named = [
                (column, key.column.table.name)
                for column in table.columns
                for key in column.foreign_keys
                if key.column.table.name in known and key.column.table.name != table.name
            ]
            if named and table.name not in known:
                new[table.name] = tuple(named)
        if not new:
            return found
        found |= new
        known |= set(new)


def rows_of(table: Table, cards: Sequence[int]) -> ColumnElement[bool]:
    """Which rows of a table are of these cards: by the column that names a patient, or by the row it belongs to."""
    conditions = []
    for column, named in reach()[table.name]:
        if named == "patient":
            conditions.append(column.in_(cards))
        else:
            owner = Model.metadata.tables[named]
            conditions.append(column.in_(select(owner.c[_key(column)]).where(rows_of(owner, cards))))
    return or_(*conditions)


def _key(column: Column[Any]) -> str:
    return str(next(iter(column.foreign_keys)).column.name)


def cards_of(patient_id: int) -> list[int]:
    """The card and all that were merged into it, one into another too."""
    merged = select(literal(patient_id).label("id")).cte("merged", recursive=True)
    merged = merged.union(select(Patient.id).join(merged, Patient.merged_into_id == merged.c.id))
    return sorted(session.scalars(select(merged.c.id)))


def counts(cards: Sequence[int]) -> dict[str, int]:
    """How many rows of which table are of these cards; one statement."""
    each = [
        select(literal(name).label("name"), func.count().label("many")).select_from(table).where(rows_of(table, cards))
        for name, table in ((name, Model.metadata.tables[name]) for name in reach())
    ]
    return {name: many for name, many in session.execute(union_all(*each)) if many}


def last_days(cards: Sequence[int]) -> dict[rules.Law, date]:
    """The day of the last visit or medical writing, of the last money, of the last paper: what the law counts from."""
    visit = select(func.max(cast(Appointment.starts_at, Date))).where(
        Appointment.patient_id.in_(cards), Appointment.status == AppointmentStatus.COMPLETED
    )
    written = [
        select(func.max(HealthSurvey.day)).where(HealthSurvey.patient_id.in_(cards)),
        select(func.max(DiaryEntry.day)).where(DiaryEntry.patient_id.in_(cards)),
        select(func.max(cast(MedicalRecord.created_at, Date))).where(MedicalRecord.patient_id.in_(cards)),
    ]
    moneys: list[Any] = [
        select(func.max(LedgerEntry.business_day)).where(LedgerEntry.patient_id.in_(cards)),
        select(func.max(Payment.business_day)).where(or_(Payment.patient_id.in_(cards), Payment.payer_id.in_(cards))),
        select(func.max(WorkOrder.issued_day)).where(WorkOrder.patient_id.in_(cards)),
    ]
    paper = select(func.max(IssuedDocument.day)).where(IssuedDocument.patient_id.in_(cards))
    row = session.execute(
        select(
            func.greatest(*(one.scalar_subquery() for one in (visit, *written))),
            func.greatest(*(one.scalar_subquery() for one in moneys)),
            paper.scalar_subquery(),
        )
    ).one()
    laws = (rules.Law.MEDICAL, rules.Law.MONEY, rules.Law.PAPERS)
    return {law: last for law, last in zip(laws, row, strict=True) if last}


def visits_to_come(cards: Sequence[int], limit: int = 5) -> list[Appointment]:
    """Visits that are not over: booked, arrived, in the chair."""
    going_on = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.IN_PROGRESS)
    return list(
        session.scalars(
            select(Appointment)
            .where(Appointment.patient_id.in_(cards), Appointment.status.in_(going_on))
            .order_by(Appointment.starts_at)
            .limit(limit)
        )
    )


def money_of(cards: Sequence[int]) -> tuple[Any, Any]:
    """What the cards owe and have paid ahead."""
    account = PatientAccount
    row = session.execute(
        select(func.coalesce(func.sum(account.debt), 0), func.coalesce(func.sum(account.advance), 0)).where(
            account.patient_id.in_(cards)
        )
    ).one()
    return row[0], row[1]


def unfinished(cards: Sequence[int]) -> tuple[int, int]:
    """Work orders that were not issued, and fiscal receipts that were not printed yet."""
    drafts = select(func.count()).where(WorkOrder.patient_id.in_(cards), WorkOrder.status == WorkOrderStatus.DRAFT)
    table = Model.metadata.tables[FiscalReceipt.__tablename__]
    waits = (FiscalStatus.PLANNED, FiscalStatus.SENDING, FiscalStatus.UNKNOWN)
    receipts = select(func.count()).select_from(table).where(rows_of(table, cards), table.c.status.in_(waits))
    row = session.execute(select(drafts.scalar_subquery(), receipts.scalar_subquery())).one()
    return row[0], row[1]


def erasure_of(patient_id: int) -> CardErasure | None:
    """How and when the card was emptied."""
    return session.scalar(select(CardErasure).where(CardErasure.patient_id == patient_id))
