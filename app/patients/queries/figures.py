"""What stands on the card's first screen: the card, its visits and its money in figures, in one statement.

Where next: `../operations/looking.py`, which reads it and writes down who looked; `cards.py` for what else is known.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app import clock
from app.db import Fixed, given
from app.models import (
    Appointment,
    CardMerge,
    Employee,
    Patient,
    PatientAccount,
    PatientPhone,
    PatientTag,
    PatientTagged,
    Payment,
    ReferralSource,
    WorkOrder,
)
from app.money import ZERO
from app.patients.rules import IDENTITY
from app.vocab import AppointmentStatus, CancelledBy

#: What programs are told of a card besides, and so many of each at once.
LATEST = ("appointments", "work_orders", "payments")
MOST_TOLD = 50

_VISITS = ("total", "completed", "cancelled_by_patient", "cancelled_by_clinic", "no_shows", "moves",
           "late_cancellations", "first_visit", "last_visit", "next_visit")  # fmt: skip


@dataclass(frozen=True)
class Glance:
    """What a card shows at once.

    `patient`: the columns of the card, with `full_name`, `source` (its name), `phones` and `tags` (dictionaries),
    `guardian` and `payer` ({id, full_name} or None), `guardian_phones`. `by_doctor`: doctor, completed visits, the last
    of them.
    `late_by_patient`: of the late cancellations, those that the patient made.
    """

    patient: Any
    balance: dict[str, Decimal]
    figures: dict[str, Any]
    by_doctor: list[tuple[str, int, datetime]]
    late_by_patient: int
    doctor: str | None
    merged: bool


def glance_at(row: Any) -> Glance:
    """A row of `glanced`, in the words of a card."""
    return Glance(
        patient=row,
        balance={"debt": row.debt or ZERO, "advance": row.advance or ZERO},
        figures=_figures(row),
        by_doctor=[(name, many, datetime.fromisoformat(last)) for name, many, last in row.by_doctor or ()],
        late_by_patient=row.late_by_patient,
        doctor=row.doctor,
        merged=row.merged,
    )


def statistics(patient_id: int) -> dict[str, Any]:
    """The visits and the money of a patient in figures.

    A cancellation counts for whoever cancelled; the average bill is over issued bills.
    """
    return _figures(_FIGURES(patient=patient_id, now=clock.wall_now()).one())


def _figures(row: Any) -> dict[str, Any]:
    billed, many = Decimal(row.billed), row.bills
    return {
        **{name: getattr(row, name) for name in _VISITS},
        "billed": billed.quantize(ZERO),
        "paid": Decimal(row.paid).quantize(ZERO),
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
        count(off, by == CancelledBy.PATIENT, Appointment.late_cancel.is_(True)).label("late_by_patient"),
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


#: The columns of a card that its first screen shows, or programs are told.
_OF_CARD = (
    "id", "version", "card_number", "old_number", "status", "archive_reason", "erased_at", "merged_into_id", "surname",
    "name", "patronymic", "name_genitive", "name_dative", "birth_date", "sex", "email", "address", *IDENTITY, "snils",
    "inn", "insurance", "allergy", "health_alerts", "surveyed_on", "comment", "source_id", "doctor_id", "family_id",
    "guardian_id", "discount_percent", "discount_reason",
)  # fmt: skip


def _named(of: Any) -> Any:
    """Another card that this one names: {id, full_name}."""
    other = aliased(Patient)
    said = func.json_build_object("id", other.id, "full_name", _full_name(other))
    return select(said).where(other.id == of).correlate(Patient).scalar_subquery()


def _phones_of(card_id: Any) -> Any:
    """The phones of a card, in their order: [{number, owner, for_sms}]."""
    phone = PatientPhone
    number = func.json_build_object("number", phone.number, "owner", phone.owner, "for_sms", phone.for_sms)
    phones = select(func.json_agg(aggregate_order_by(number, phone.id))).where(phone.patient_id == card_id)
    nothing: ColumnElement[Any] = literal_column("'[]'::json")
    return func.coalesce(phones.correlate(Patient).scalar_subquery(), nothing)


def _full_name(card: Any) -> ColumnElement[str]:
    return func.concat_ws(" ", card.surname, card.name, func.nullif(card.patronymic, ""))


def _itself() -> list[Any]:
    """The columns of a card, its name, phones and tags."""
    tag = PatientTag
    word = func.json_build_object("name", tag.name, "alert", tag.alert)
    tags = (
        select(func.json_agg(aggregate_order_by(word, tag.alert.desc(), tag.name)))
        .join(PatientTagged, PatientTagged.tag_id == tag.id)
        .where(PatientTagged.patient_id == Patient.id)
    )
    nothing: ColumnElement[Any] = literal_column("'[]'::json")
    return [
        *(getattr(Patient, name) for name in _OF_CARD),
        _full_name(Patient).label("full_name"),
        _phones_of(Patient.id).label("phones"),
        func.coalesce(tags.correlate(Patient).scalar_subquery(), nothing).label("tags"),
    ]


def _card() -> list[Any]:
    """The card as `Glance.patient` says."""
    source = select(ReferralSource.name).where(ReferralSource.id == Patient.source_id)
    return [
        *_itself(),
        source.correlate(Patient).scalar_subquery().label("source"),
        _named(Patient.guardian_id).label("guardian"),
        _phones_of(Patient.guardian_id).label("guardian_phones"),
        _named(Patient.payer_id).label("payer"),
    ]


def latest_of(row: Any) -> dict[str, list[dict[str, Any]]]:
    """What a row of `with_latest` says: {appointments, work_orders, payments}, the newest first."""
    found: dict[str, list[dict[str, Any]]] = {name: getattr(row, name) or [] for name in LATEST}
    for one in (*found["appointments"], *found["payments"]):
        one |= {name: datetime.fromisoformat(one[name]) for name in ("starts_at", "ends_at", "paid_at") if name in one}
    return found


def with_latest() -> Select[Any]:
    """What programs are told of a card, the `patient` given: itself, its balance, and what `latest_of` says."""
    visit, order, paid = Appointment, WorkOrder, Payment
    bill = [order.id, order.number, order.status, _sum(order.total), _sum(order.due), order.issued_day]
    return (
        select(
            *_itself(),
            PatientAccount.debt,
            PatientAccount.advance,
            _newest(
                visit, [visit.id, visit.doctor_id, visit.starts_at, visit.ends_at, visit.status], visit.starts_at
            ).label("appointments"),
            _newest(order, bill, order.id).label("work_orders"),
            _newest(paid, [paid.id, paid.number, _sum(paid.amount), paid.paid_at], paid.id).label("payments"),
        )
        .outerjoin(PatientAccount, PatientAccount.patient_id == Patient.id)
        .where(Patient.id == given("patient"))
    )


def _newest(model: Any, columns: list[Any], by: Any) -> ColumnElement[Any]:
    """The newest of what the patient has, as JSON."""
    of_patient = select(*columns).where(model.patient_id == given("patient"))
    newest = of_patient.order_by(by.desc()).limit(MOST_TOLD).subquery("newest")
    row: ColumnElement[Any] = literal_column("newest")
    return select(func.json_agg(func.row_to_json(row))).select_from(newest).scalar_subquery()


def _sum(column: Any) -> ColumnElement[str]:
    """Money as the contract writes it."""
    return cast(column, Text).label(column.key)


def glanced() -> Select[Any]:
    """What a card shows at once, of the `patient` given at the wall clock's `now`."""
    visits, bills = _visits().subquery(), _bills().subquery()
    treats = select(_short_name()).where(Employee.id == Patient.doctor_id).correlate(Patient)
    merged = select(CardMerge.id).where(CardMerge.winner_id == given("patient"), CardMerge.undone_at.is_(None))
    return (
        select(
            *_card(),
            visits,
            bills,
            PatientAccount.debt,
            PatientAccount.advance,
            _by_doctor().scalar_subquery().label("by_doctor"),
            treats.scalar_subquery().label("doctor"),
            merged.exists().label("merged"),
        )
        .select_from(Patient)
        .join(visits, true())
        .join(bills, true())
        .outerjoin(PatientAccount, PatientAccount.patient_id == Patient.id)
        .where(Patient.id == given("patient"))
    )


def _of_figures() -> Fixed:
    visits, bills = _visits().subquery(), _bills().subquery()
    return Fixed(select(visits, bills).select_from(visits).join(bills, true()))


_FIGURES = _of_figures()
