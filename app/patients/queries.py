"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `rules.wanted` for how a typed search is read.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, false, func, literal, or_, select, text, union_all
from sqlalchemy.orm import aliased

from app import clock
from app.db import session
from app.models import (
    Appointment,
    Employee,
    Patient,
    PatientAccount,
    PatientPhone,
    ReferralSource,
    WorkOrder,
)
from app.patients import rules
from app.vocab import AppointmentStatus, CancelledBy, CardStatus, WorkOrderStatus

ZERO = Decimal("0.00")

Found = dict[str, Any]


def of_doctor(doctor_id: int) -> ColumnElement[bool]:
    """The patients of a doctor: who has a visit or a work order with them, or whom they treat."""
    return or_(
        Patient.doctor_id == doctor_id,
        exists().where(Appointment.patient_id == Patient.id, Appointment.doctor_id == doctor_id),
        exists().where(WorkOrder.patient_id == Patient.id, WorkOrder.doctor_id == doctor_id),
    )


def _matching(asked: rules.Wanted, doctor_id: int | None, archived: bool) -> Select[int, int]:
    """The ids of the cards that a search finds, with how well each fits (smaller is better)."""
    of_phone = select(PatientPhone.patient_id).where(
        PatientPhone.reversed_number.like(rules.like((asked.phone_tail or "")[::-1]) + "%")
    )
    rank: ColumnElement[int] = literal(1)
    conditions: list[ColumnElement[bool]] = []
    if asked.words:
        conditions += [Patient.search_name.like(f"% {rules.like(word)}%") for word in asked.words]
        # whose surname begins with the first word comes before whose name or patronymic does
        rank = case((Patient.search_name.like(f" {rules.like(asked.words[0])}%"), 0), else_=1)
        if asked.phone_tail:
            conditions.append(Patient.id.in_(of_phone))
    elif asked.card_number is not None and asked.phone_tail:
        # two looks into two indexes: an OR between them would read every card
        card = aliased(Patient)
        of_number = select(card.id).where(card.card_number == asked.card_number)
        conditions.append(Patient.id.in_(union_all(of_number, of_phone)))
        rank = case((Patient.card_number == asked.card_number, 0), else_=1)
    elif asked.card_number is not None:
        conditions.append(Patient.card_number == asked.card_number)
    elif asked.phone_tail:
        conditions.append(Patient.id.in_(of_phone))
    if doctor_id is not None:
        conditions.append(of_doctor(doctor_id))
    if not archived:
        conditions.append(Patient.status != CardStatus.ARCHIVED)
    return select(Patient.id.label("id"), rank.label("rank")).where(*conditions)


def find(
    q: str, *, limit: int = 25, offset: int = 0, doctor_id: int | None = None, archived: bool = False
) -> tuple[int, list[Found]]:
    """The cards that a search finds, best first, and how many there are (counted up to 1,000).

    Name parts in any order, the end of a phone, a card's number; an empty search is the whole index by name.
    Rows: id, card_number, status, full_name, birth_date, phones, last_visit, balance {debt, advance}.
    """
    asked = rules.wanted(q)
    if q.strip() and asked.nothing:
        return 0, []
    matching = _matching(asked, doctor_id, archived)
    if asked.nothing:
        total = _size_of_index() if doctor_id is None else _up_to(matching)
        page = matching.order_by(Patient.search_name, Patient.id)
    else:
        total = _up_to(matching)
        page = matching.order_by("rank", Patient.search_name, Patient.id)
    ids = list(session.scalars(page.limit(limit).offset(offset)))
    return total, rows(ids)


def matching(q: str) -> Select[int]:
    """The numbers of the cards that a typed search finds, archived ones too, to choose rows of another list by."""
    asked = rules.wanted(q)
    if asked.nothing:
        return select(Patient.id).where(false())
    return select(_matching(asked, None, archived=True).subquery().c.id)


def _up_to(matching: Select[int, int], most: int = 1000) -> int:
    """How many a search finds; past a thousand nobody counts."""
    return session.execute(select(func.count()).select_from(matching.limit(most).subquery())).scalar_one()


def _size_of_index() -> int:
    """How many cards there are, as the planner knows it; exact while the index is small."""
    estimate = session.execute(text("SELECT reltuples FROM pg_class WHERE oid = 'patient'::regclass")).scalar_one()
    if estimate > 20_000:
        return int(estimate)
    return session.execute(select(func.count(Patient.id)).where(Patient.status != CardStatus.ARCHIVED)).scalar_one()


def rows(ids: Sequence[int]) -> list[Found]:
    """The cards of these ids, in their order, as search results show them: one statement."""
    if not ids:
        return []
    phones = (
        select(func.json_agg(func.json_build_object("number", PatientPhone.number, "owner", PatientPhone.owner)))
        .where(PatientPhone.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )
    last_visit = (
        select(func.max(Appointment.starts_at))
        .where(Appointment.patient_id == Patient.id, Appointment.status == AppointmentStatus.COMPLETED)
        .correlate(Patient)
        .scalar_subquery()
    )
    found = session.execute(
        select(
            Patient.id, Patient.card_number, Patient.status, Patient.surname, Patient.name, Patient.patronymic,
            Patient.birth_date, Patient.allergy, phones.label("phones"), last_visit.label("last_visit"),
            PatientAccount.debt, PatientAccount.advance,
        )
        .outerjoin(PatientAccount, PatientAccount.patient_id == Patient.id)
        .where(Patient.id.in_(ids))
    )  # fmt: skip
    by_id = {row.id: row for row in found}
    return [_found(by_id[pk]) for pk in ids if pk in by_id]


def _found(row: Any) -> Found:
    last: datetime | None = row.last_visit
    return {
        "id": row.id,
        "card_number": row.card_number,
        "status": row.status,
        "full_name": " ".join(filter(None, (row.surname, row.name, row.patronymic))),
        "birth_date": row.birth_date,
        "phones": row.phones or [],
        "last_visit": last.date() if last else None,
        "balance": {"debt": row.debt or ZERO, "advance": row.advance or ZERO},
        "allergy": row.allergy,
    }


def balance_of(patient_id: int) -> dict[str, Decimal]:
    """What the patient owes and has paid ahead."""
    row = session.get(PatientAccount, patient_id)
    return {"debt": row.debt if row else ZERO, "advance": row.advance if row else ZERO}


def treated_by(patient_id: int, doctor_id: int) -> bool:
    """Is this a patient of the doctor's?"""
    return bool(session.scalar(select(Patient.id).where(Patient.id == patient_id, of_doctor(doctor_id))))


def possible_duplicates(
    surname: str,
    name: str,
    birth_date: date | None,
    phone: str | None,
    *,
    but: int | None = None,
    doctor_id: int | None = None,
) -> list[Found]:
    """Cards that may be the same person: the same surname and name, or the same phone; five at most.

    A namesake with another birth date is another person; one whose birth date nobody knows may be the same.
    Namesakes come before those who only share the phone, who are often the family. A doctor is shown own patients.
    """
    named = aliased(Patient)
    namesakes = select(named.id, literal(0).label("rank")).where(
        named.search_name.like(f" {rules.like(rules.searchable(surname))} {rules.like(rules.searchable(name))} %")
    )
    if birth_date:
        namesakes = namesakes.where(or_(named.birth_date == birth_date, named.birth_date.is_(None)))
    same_phone = select(PatientPhone.patient_id, literal(1)).where(PatientPhone.number == phone)
    same = (union_all(namesakes, same_phone) if phone else namesakes).subquery()
    found = (
        select(Patient.id)
        .join(same, same.c.id == Patient.id)
        .where(Patient.id != (but or 0))
        .group_by(Patient.id)
        .order_by(func.min(same.c.rank), Patient.id.desc())
        .limit(5)
    )
    if doctor_id is not None:
        found = found.where(of_doctor(doctor_id))
    return rows(list(session.scalars(found)))


def statistics(patient_id: int) -> dict[str, Any]:
    """The visits and the money of a patient in figures: two statements.

    A cancellation counts for whoever cancelled; the average bill is over issued bills.
    """
    status, by = Appointment.status, Appointment.cancelled_by

    def count(*conditions: ColumnElement[bool]) -> Any:
        return func.count().filter(*conditions)

    now = clock.wall_now()
    visits = session.execute(
        select(
            func.count().label("total"),
            count(status == AppointmentStatus.COMPLETED).label("completed"),
            count(status == AppointmentStatus.CANCELLED, by == CancelledBy.PATIENT).label("cancelled_by_patient"),
            count(status == AppointmentStatus.CANCELLED, by == CancelledBy.CLINIC).label("cancelled_by_clinic"),
            count(status == AppointmentStatus.NO_SHOW).label("no_shows"),
            func.coalesce(func.sum(Appointment.moves), 0).label("moves"),
            count(Appointment.late_cancel.is_(True)).label("late_cancellations"),
            func.min(Appointment.starts_at).filter(status == AppointmentStatus.COMPLETED).label("first_visit"),
            func.max(Appointment.starts_at).filter(status == AppointmentStatus.COMPLETED).label("last_visit"),
            func.min(Appointment.starts_at)
            .filter(status == AppointmentStatus.BOOKED, Appointment.starts_at >= now)
            .label("next_visit"),
        ).where(Appointment.patient_id == patient_id)
    ).one()
    bills = session.execute(
        select(
            func.coalesce(func.sum(WorkOrder.total), 0),
            func.coalesce(func.sum(WorkOrder.total - WorkOrder.due), 0),
            func.count().filter(WorkOrder.reverses_id.is_(None)),
        ).where(WorkOrder.patient_id == patient_id, WorkOrder.status != WorkOrderStatus.DRAFT)
    ).one()
    billed, paid, many = Decimal(bills[0]), Decimal(bills[1]), bills[2]
    return {
        **visits._asdict(),
        "billed": billed.quantize(ZERO),
        "paid": paid.quantize(ZERO),
        "average_bill": (billed / many).quantize(ZERO) if many else ZERO,
    }


def by_doctor(patient_id: int) -> list[tuple[str, int, datetime | None]]:
    """With whom the patient was: doctor, completed visits, the last of them."""
    found = session.execute(
        select(Employee, func.count(), func.max(Appointment.starts_at))
        .join(Employee, Employee.id == Appointment.doctor_id)
        .where(Appointment.patient_id == patient_id, Appointment.status == AppointmentStatus.COMPLETED)
        .group_by(Employee.id)
        .order_by(func.count().desc())
    ).unique()
    return [(doctor.short_name, many, last) for doctor, many, last in found]


def family(patient: Patient) -> list[Found]:
    """The other cards of the patient's family."""
    if patient.family_id is None:
        return []
    ids = session.scalars(
        select(Patient.id).where(Patient.family_id == patient.family_id, Patient.id != patient.id).order_by(Patient.id)
    )
    return rows(list(ids))


def sources() -> list[ReferralSource]:
    """Where patients learn about the clinic: what is offered for choosing."""
    return list(
        session.scalars(select(ReferralSource).where(ReferralSource.archived.is_(False)).order_by(ReferralSource.name))
    )
