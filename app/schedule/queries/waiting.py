"""The waiting list «Лист ожидания»: its rows, what a patient waits for, and what the forms offer.

Where next: `fits.py` for who fits a time, `planned.py` for visits without a date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, literal_column, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import page_of, session
from app.models import (
    Appointment,
    Branch,
    Employee,
    Patient,
    PatientPhone,
    RefusalReason,
    Service,
    Speciality,
    TimeBlock,
    WaitingEntry,
    WaitingOffer,
)
from app.patients import queries as patients
from app.schedule.queries.fits import as_windows
from app.schedule.queries.visits import instant_text, moment_text, short_name
from app.schedule.rules import URGENCIES, minutes_in_words
from app.vocab import OfferStatus, WaitingKind, WaitingStatus

Row = dict[str, Any]
#: Constants, not parameters: a statement prepared for any status would use no index of the open entries.
IS_WAITING = WaitingEntry.status.in_(
    [literal_column(f"'{status}'") for status in (WaitingStatus.WAITING, WaitingStatus.OFFERED)]
)


@dataclass(frozen=True)
class WantedEntries:
    """Which entries: `status` open (waiting and offered), or one of the statuses."""

    status: str = "open"
    kind: str | None = None
    doctor_id: int | None = None
    branch_id: int | None = None
    urgency: str | None = None
    q: str = ""


def _conditions(wanted: WantedEntries) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    found.append(IS_WAITING if wanted.status == "open" else WaitingEntry.status == wanted.status)
    if wanted.kind:
        found.append(WaitingEntry.kind == wanted.kind)
    if wanted.urgency:
        found.append(WaitingEntry.urgency == wanted.urgency)
    if wanted.branch_id:
        found.append(or_(WaitingEntry.branch_id.is_(None), WaitingEntry.branch_id == wanted.branch_id))
    if wanted.doctor_id:
        speciality = select(Employee.speciality_id).where(Employee.id == wanted.doctor_id).scalar_subquery()
        doctor = literal(wanted.doctor_id)
        named = and_(WaitingEntry.wanted_doctors != "any", doctor == func.any(WaitingEntry.doctor_ids))
        found.append(
            or_(
                named,
                and_(
                    WaitingEntry.wanted_doctors != "only",
                    or_(WaitingEntry.speciality_id.is_(None), WaitingEntry.speciality_id == speciality),
                ),
            )
        )
    if wanted.q.strip():
        found.append(WaitingEntry.patient_id.in_(patients.matching(wanted.q)))
    return found


_visit, _visit_doctor, _offer, _offer_doctor = (
    aliased(Appointment),
    aliased(Employee),
    aliased(WaitingOffer),
    aliased(Employee),
)


def _statement() -> Select[Any]:
    """Everything that a row shows; who asks adds which rows."""
    wanted = aliased(Employee)
    doctors = (
        select(func.json_agg(func.json_build_array(wanted.id, wanted.surname, wanted.name, wanted.patronymic)))
        .where(wanted.id == func.any(WaitingEntry.doctor_ids))
        .correlate(WaitingEntry)
        .scalar_subquery()
    )
    phone = (
        select(PatientPhone.number)
        .where(PatientPhone.patient_id == WaitingEntry.patient_id)
        .order_by(PatientPhone.id)
        .limit(1)
        .correlate(WaitingEntry)
        .scalar_subquery()
    )
    return (
        select(
            WaitingEntry, Patient, doctors.label("doctors"), phone.label("phone"), Speciality.name.label("speciality"),
            Branch.name.label("branch"), Service.name.label("service"), RefusalReason.name.label("refusal"),
            _visit.starts_at.label("visit_at"), _visit.status.label("visit_status"), _visit_doctor, _offer,
            _offer_doctor, TimeBlock.lifted_at.label("hold_lifted"),
        )
        .join(Patient, Patient.id == WaitingEntry.patient_id)
        .outerjoin(Speciality, Speciality.id == WaitingEntry.speciality_id)
        .outerjoin(Branch, Branch.id == WaitingEntry.branch_id)
        .outerjoin(Service, Service.id == WaitingEntry.service_id)
        .outerjoin(RefusalReason, RefusalReason.id == WaitingEntry.refusal_reason_id)
        .outerjoin(_visit, _visit.id == func.coalesce(WaitingEntry.booked_id, WaitingEntry.appointment_id))
        .outerjoin(_visit_doctor, _visit_doctor.id == _visit.doctor_id)
        .outerjoin(_offer, and_(_offer.entry_id == WaitingEntry.id, _offer.status == OfferStatus.OPEN))
        .outerjoin(_offer_doctor, _offer_doctor.id == _offer.doctor_id)
        .outerjoin(TimeBlock, TimeBlock.id == _offer.hold_id)
        .execution_options(populate_existing=True)
    )  # fmt: skip


def waiting_page(wanted: WantedEntries, *, limit: int, offset: int = 0) -> tuple[int, list[Row]]:
    """A page of the waiting list, the most urgent and the longest waiting first, and how many there are in all."""
    if wanted.status in ("open", WaitingStatus.WAITING, WaitingStatus.OFFERED):
        rank = case({name: place for place, name in enumerate(URGENCIES)}, value=WaitingEntry.urgency)
        order: tuple[Any, ...] = (rank, WaitingEntry.created_at, WaitingEntry.id)
    else:
        order = (WaitingEntry.closed_at.desc(), WaitingEntry.id.desc())
    many, found = page_of(_statement(), WaitingEntry, *_conditions(wanted), order=order, limit=limit, offset=offset)
    return many, [_row(one) for one in found]


def waiting_entry(entry_id: int) -> Row | None:
    """An entry as the list shows it; None when there is none."""
    found = session.execute(_statement().where(WaitingEntry.id == entry_id)).one_or_none()
    return _row(found) if found else None


def waiting_of(patient_id: int, *, only_open: bool = False) -> list[Row]:
    """What a patient waits for, the open entries first; the newest first."""
    asked = _statement().where(WaitingEntry.patient_id == patient_id)
    if only_open:
        asked = asked.where(IS_WAITING)
    asked = asked.order_by(WaitingEntry.closed_at.is_not(None), WaitingEntry.id.desc()).limit(50)
    return [_row(one) for one in session.execute(asked)]


def waiting_counts() -> dict[str, int]:
    """How many wait, and how many of them were offered a time that is still held."""
    row = session.execute(
        select(
            func.count().filter(WaitingEntry.status == WaitingStatus.WAITING),
            func.count().filter(WaitingEntry.status == WaitingStatus.OFFERED),
            func.count().filter(WaitingEntry.urgency == "acute"),
        ).where(IS_WAITING)
    ).one()
    return {"waiting": row[0], "offered": row[1], "acute": row[2]}


def _name(person: Any) -> str | None:
    return short_name(person.surname, person.name, person.patronymic) if person else None


def _row(found: Any) -> Row:
    entry, patient, offer = found[0], found[1], found[11]
    today = clock.today()
    given: Sequence[tuple[int, str, str, str]] = found.doctors or ()
    names = {pk: short_name(surname, name, patronymic) for pk, surname, name, patronymic in given}
    visit_id = entry.booked_id or entry.appointment_id
    return {
        "id": entry.id,
        "version": entry.version,
        "kind": entry.kind,
        "status": entry.status,
        "urgency": entry.urgency,
        "patient": {
            "id": patient.id,
            "name": patient.full_name,
            "short_name": _name(patient),
            "card_number": patient.card_number,
            "phone": found.phone,
            "allergy": patient.allergy,
        },
        "minutes": entry.minutes,
        "wanted_doctors": entry.wanted_doctors,
        "doctor_ids": list(entry.doctor_ids),
        "doctors": [names[pk] for pk in entry.doctor_ids if pk in names],
        "speciality_id": entry.speciality_id,
        "speciality": found.speciality,
        "branch_id": entry.branch_id,
        "branch": found.branch,
        "service_id": entry.service_id,
        "service": found.service,
        "weekdays": list(entry.weekdays),
        "windows": [
            {"from": minutes_in_words(low), "to": minutes_in_words(high)} for low, high in as_windows(entry.windows)
        ],
        "first_day": entry.first_day,
        "last_day": entry.last_day,
        "notice_hours": entry.notice_hours,
        "comment": entry.comment,
        "appointment": {
            "id": visit_id,
            "starts_at": moment_text(found.visit_at),
            "status": found.visit_status,
            "doctor": _name(found[10]),
        }
        if visit_id and found.visit_at
        else None,
        "offer": _offer_of(offer, found[12], found.hold_lifted),
        "refusal_reason": found.refusal,
        "booked_id": entry.booked_id,
        "since": clock.wall(entry.created_at).date(),
        "waits_days": (today - clock.wall(entry.created_at).date()).days,
        "closed_at": instant_text(entry.closed_at),
    }


def _offer_of(offer: WaitingOffer | None, doctor: Employee | None, lifted: datetime | None) -> Row | None:
    if offer is None:
        return None
    left = (offer.expires_at - clock.now()).total_seconds()
    return {
        "id": offer.id,
        "doctor_id": offer.doctor_id,
        "doctor": _name(doctor),
        "starts_at": moment_text(offer.starts_at),
        "ends_at": moment_text(offer.ends_at),
        "expires_at": instant_text(offer.expires_at),
        "minutes_left": max(0, int(-(-left // 60))) if lifted is None else 0,
    }


def visits_to_move_up(patient_id: int) -> list[tuple[int, datetime, str]]:
    """The patient's visits that are still to come: what could be wanted sooner."""
    rows = session.execute(
        select(Appointment.id, Appointment.starts_at, Employee.surname, Employee.name, Employee.patronymic)
        .join(Employee, Employee.id == Appointment.doctor_id)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.status == "booked",
            Appointment.starts_at > clock.wall_now(),
        )
        .order_by(Appointment.starts_at)
        .limit(20)
    )
    return [(pk, starts_at, short_name(*who)) for pk, starts_at, *who in rows]


def due_entries(day: date, *, limit: int = 200) -> list[int]:
    """The entries that wait in vain: the last wished day is behind, or the visit to be sooner is no longer ahead."""
    gone = or_(Appointment.status != "booked", Appointment.starts_at <= clock.wall_now())
    return list(
        session.scalars(
            select(WaitingEntry.id)
            .outerjoin(Appointment, Appointment.id == WaitingEntry.appointment_id)
            .where(
                WaitingEntry.status == WaitingStatus.WAITING,
                or_(
                    WaitingEntry.last_day < day,
                    and_(WaitingEntry.kind == WaitingKind.MOVE_UP, or_(Appointment.id.is_(None), gone)),
                ),
            )
            .order_by(WaitingEntry.id)
            .limit(limit)
        )
    )
