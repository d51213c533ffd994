"""Who fits a free time, and which free times fit a waiting patient.

The rule is `../rules/fit.py`; here it stands in SQL, so that thousands of entries are asked in one statement.
Where next: `waiting.py` and `planned.py` for the lists themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import aliased, joinedload

from app import clock
from app.db import session
from app.errors import NotFound
from app.models import Appointment, Employee, Patient, TimeBlock, WaitingEntry, WaitingOffer
from app.schedule.queries.free import free_gaps
from app.schedule.queries.slot import look
from app.schedule.queries.visits import instant_text, moment_text, short_name
from app.schedule.rules import Opening, Span, Wish, is_named, pieces, planned_why, rounded_up, slots_in, why, why_not
from app.tables.schedule import BUSY
from app.vocab import (
    FREES_TIME,
    AppointmentStatus,
    OfferStatus,
    PlannedStatus,
    Urgency,
    WaitingKind,
    WaitingStatus,
    WantedDoctors,
)

#: So far ahead free times are looked for.
HORIZON = timedelta(days=30)
#: Planned visits that still wait for a date.
OPEN_PLANNED = (PlannedStatus.PLANNED, PlannedStatus.CALL_DUE, PlannedStatus.POSTPONED)
_OPEN_PLANNED = ", ".join(f"'{status}'" for status in OPEN_PLANNED)

_FITS = text(
    f"""
WITH place AS (
  SELECT e.speciality_id, coalesce(CAST(:branch AS int), c.branch_id,
    (SELECT h.branch_id FROM working_hours h WHERE h.doctor_id = :doctor AND h.starts_at >= :day
        AND h.starts_at < :ends_at AND h.ends_at > :starts_at ORDER BY h.starts_at LIMIT 1), e.branch_id) AS branch_id
  FROM employee e LEFT JOIN chair c ON c.id = CAST(:chair AS int)
  WHERE e.id = :doctor AND e.is_doctor AND NOT e.archived
), waiting AS (
  SELECT 'waiting' AS what, w.id, w.version, w.patient_id, w.kind, w.minutes, w.urgency, w.wanted_doctors, w.doctor_ids,
    w.speciality_id, w.windows, w.first_day, w.last_day, w.comment, w.created_at,
    CASE WHEN w.kind = '{WaitingKind.MOVE_UP}' THEN w.appointment_id END AS visit_id, piece.start,
    array_position(ARRAY['{Urgency.ACUTE}', '{Urgency.SOON}', '{Urgency.USUAL}'], CAST(w.urgency AS text)) AS rank,
    place.speciality_id AS of_doctor, place.branch_id
  FROM place CROSS JOIN waiting_entry w
  CROSS JOIN LATERAL (
    SELECT min(lower(p)) AS start
    FROM unnest(w.windows * int4multirange(int4range(
      least(greatest(:start, :now_minute + w.notice_hours * 60), :end), :end))) AS p
    WHERE upper(p) - lower(p) >= w.minutes
  ) piece
  WHERE w.status = '{WaitingStatus.WAITING}' AND w.first_day <= :on AND (w.last_day IS NULL OR w.last_day >= :on)
    AND w.minutes <= :end - :start AND w.windows && int4range(:start, :end) AND :weekday = ANY (w.weekdays)
    AND (w.branch_id IS NULL OR w.branch_id = place.branch_id)
    AND (w.wanted_doctors <> '{WantedDoctors.ANY}' AND :doctor = ANY (w.doctor_ids)
      OR w.wanted_doctors <> '{WantedDoctors.ONLY}'
        AND (w.speciality_id IS NULL OR w.speciality_id = place.speciality_id))
    AND piece.start IS NOT NULL
    AND (w.kind <> '{WaitingKind.MOVE_UP}'
      OR (SELECT v.starts_at FROM appointment v WHERE v.id = w.appointment_id
            AND v.status = '{AppointmentStatus.BOOKED}' AND v.starts_at > :now)
        > :day + piece.start * interval '1 minute')
    AND NOT EXISTS (SELECT FROM waiting_offer o WHERE o.entry_id = w.id AND o.status = '{OfferStatus.DECLINED}'
      AND o.doctor_id = :doctor AND o.starts_at < :ends_at AND o.ends_at > :starts_at)
), planned AS (
  SELECT 'planned', p.id, p.version, p.patient_id, p.status, p.minutes, '{Urgency.USUAL}',
    CASE WHEN p.doctor_id IS NULL THEN '{WantedDoctors.ANY}' ELSE '{WantedDoctors.ONLY}' END,
    CASE WHEN p.doctor_id IS NULL THEN '{{}}' ELSE ARRAY[p.doctor_id] END, p.speciality_id,
    CAST(NULL AS int4multirange), p.target_from, p.target_to, p.reason, p.created_at, CAST(NULL AS int),
    greatest(:start, :now_minute), 4, place.speciality_id, place.branch_id
  FROM place CROSS JOIN planned_visit p
  WHERE p.status IN ({_OPEN_PLANNED}) AND p.target_from <= :on + 180 AND p.target_to >= :on - 180
    AND p.target_from - p.tolerance_days <= :on AND p.target_to + p.tolerance_days >= :on
    AND (p.doctor_id IS NULL OR p.doctor_id = :doctor)
    AND (p.speciality_id IS NULL OR p.speciality_id = place.speciality_id)
    AND p.minutes <= :end - greatest(:start, :now_minute) AND :with_planned
), best AS (
  SELECT f.*, :doctor = ANY (f.doctor_ids) AND f.wanted_doctors <> '{WantedDoctors.ANY}' AS named
  FROM (SELECT * FROM waiting UNION ALL SELECT * FROM planned) f
  WHERE NOT EXISTS (SELECT FROM appointment a WHERE a.patient_id = f.patient_id AND a.{BUSY}
      AND a.starts_at >= :day AND a.starts_at < :ends_at
      AND a.starts_at < :day + (f.start + f.minutes) * interval '1 minute'
      AND a.ends_at > :day + f.start * interval '1 minute' AND a.id IS DISTINCT FROM f.visit_id)
  ORDER BY rank, named DESC, (f.kind = '{WaitingKind.MOVE_UP}'), :end - :start - f.minutes, f.created_at,
    f.what DESC, f.id
  LIMIT :limit
)
SELECT best.*, p.surname, p.name, p.patronymic, p.card_number, p.allergy, v.starts_at AS visit_at,
  (SELECT number FROM patient_phone t WHERE t.patient_id = p.id ORDER BY t.id LIMIT 1) AS phone
FROM best JOIN patient p ON p.id = best.patient_id LEFT JOIN appointment v ON v.id = best.visit_id
WHERE p.status <> 'archived'
ORDER BY rank, named DESC, (best.kind = '{WaitingKind.MOVE_UP}'), :end - :start - best.minutes, best.created_at,
  best.what DESC, best.id
"""
)


def who_fits(
    doctor_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    branch_id: int | None = None,
    chair_id: int | None = None,
    with_planned: bool = True,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """The waiting patients whom a free time fits, best first, and then those whose planned visit is due; one statement.

    Whom an offer of this time was declined by, who has a visit then, and who was offered another time meanwhile, is
    not among them. `starts_at`/`ends_at` of a row are what to offer; `why` are sentences with what fills them. The
    branch is where the chair stands, or where the doctor works then.
    """
    day = starts_at.date()
    midnight = datetime.combine(day, time())
    now = rounded_up(clock.wall_now())
    rows = session.execute(
        _FITS,
        {
            "doctor": doctor_id, "branch": branch_id, "chair": chair_id, "starts_at": starts_at, "ends_at": ends_at,
            "day": midnight, "on": day, "weekday": day.isoweekday(), "start": _minutes(starts_at - midnight),
            "end": _minutes(ends_at - midnight), "now_minute": max(_minutes(now - midnight), -(10**6)), "now": now,
            "with_planned": with_planned, "limit": limit,
        },
    )  # fmt: skip
    return [_as_fit(row, doctor_id, Span(starts_at, ends_at)) for row in rows]


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)


def _as_fit(row: Any, doctor_id: int, span: Span) -> dict[str, Any]:
    start = datetime.combine(span.starts_at.date(), time()) + timedelta(minutes=row.start)
    waits = row.what == "waiting"
    wish = Wish(
        minutes=row.minutes, first_day=row.first_day, last_day=row.last_day,
        kind=row.kind if waits else WaitingKind.NO_TIME, wanted_doctors=row.wanted_doctors,
        doctor_ids=tuple(row.doctor_ids), speciality_id=row.speciality_id, urgency=row.urgency,
        windows=as_windows(row.windows) if waits else ((0, 1440),), visit_at=row.visit_at,
    )  # fmt: skip
    opening = Opening(span.starts_at, span.ends_at, doctor_id, row.of_doctor, row.branch_id)
    said = why(wish, opening, since=clock.wall(row.created_at).date())
    return {
        "what": row.what,
        "id": row.id,
        "version": row.version,
        "kind": row.kind,
        "urgency": row.urgency,
        "patient": {
            "id": row.patient_id,
            "name": " ".join(filter(None, (row.surname, row.name, row.patronymic))),
            "short_name": short_name(row.surname, row.name, row.patronymic),
            "card_number": row.card_number,
            "phone": row.phone,
            "allergy": row.allergy,
        },
        "minutes": row.minutes,
        "starts_at": moment_text(start),
        "ends_at": moment_text(start + timedelta(minutes=row.minutes)),
        "first_day": row.first_day,
        "last_day": row.last_day,
        "comment": row.comment,
        "appointment_id": row.visit_id,
        "why": said if waits else [planned_why(row.first_day, row.last_day), *(line for line in said if not line[1])],
    }


def as_windows(stored: Any) -> tuple[tuple[int, int], ...]:
    """The wished hours as they are stored, as minutes of the day."""
    return tuple((piece.lower, piece.upper) for piece in stored)


def wish_of(entry: WaitingEntry, visit_at: datetime | None = None) -> Wish:
    """What an entry of the waiting list wishes, as the rules read it."""
    return Wish(
        minutes=entry.minutes, first_day=entry.first_day, last_day=entry.last_day, kind=entry.kind,
        wanted_doctors=entry.wanted_doctors, doctor_ids=tuple(entry.doctor_ids), speciality_id=entry.speciality_id,
        branch_id=entry.branch_id, weekdays=tuple(entry.weekdays), windows=as_windows(entry.windows),
        notice_hours=entry.notice_hours, urgency=entry.urgency, visit_at=visit_at,
    )  # fmt: skip


# --- from an entry: which free times ----------------------------------------------------------------------


def times_for(entry_id: int, *, limit: int = 12) -> list[dict[str, Any]]:
    """The free times that fit an entry, the earliest first: within the hours, past no visit, none of the patient's own.

    Looked for from the wished first day on, a month ahead at most. Three statements.

    Raises:
        NotFound
    """
    doctor = aliased(Employee)
    row = session.execute(
        select(WaitingEntry, Appointment.starts_at)
        .outerjoin(Appointment, Appointment.id == WaitingEntry.appointment_id)
        .where(WaitingEntry.id == entry_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    entry, visit_at = row
    wish = wish_of(entry, visit_at if entry.kind == WaitingKind.MOVE_UP else None)
    now = rounded_up(clock.wall_now())
    low = max(entry.first_day, now.date())
    high = min(entry.last_day or low + HORIZON, low + HORIZON)
    if wish.visit_at is not None:
        high = min(high, wish.visit_at.date())
    if high < low:
        return []
    known = {row.id: row.speciality_id for row in session.execute(select(doctor.id, doctor.speciality_id))}
    own = _visits_between(entry.patient_id, low, high, besides=entry.appointment_id if wish.visit_at else None)
    gaps = free_gaps(
        entry.minutes, datetime.combine(low, time()), datetime.combine(high + timedelta(days=1), time()),
        branch_id=entry.branch_id, weekdays=entry.weekdays,
    )  # fmt: skip
    found: list[dict[str, Any]] = []
    for gap in gaps:
        opening = Opening(gap.starts_at, gap.ends_at, gap.doctor_id, known.get(gap.doctor_id), gap.branch_id)
        if why_not(wish, opening, now):
            continue
        for slot in _slots(wish, opening, now, own):
            found.append(
                {
                    "doctor_id": gap.doctor_id, "chair_id": gap.chair_id, "branch_id": gap.branch_id,
                    "starts_at": moment_text(slot.starts_at), "ends_at": moment_text(slot.ends_at),
                    "named": is_named(wish, gap.doctor_id),
                }
            )  # fmt: skip
    found.sort(key=lambda time_: (time_["starts_at"], not time_["named"], time_["doctor_id"]))
    return found[:limit]


def _slots(wish: Wish, opening: Opening, now: datetime, own: Sequence[Span]) -> list[Span]:
    return [
        slot
        for piece in pieces(wish, opening, now)
        for slot in slots_in(piece, wish.minutes)
        if not any(slot.meets(visit) for visit in own) and (wish.visit_at is None or slot.starts_at < wish.visit_at)
    ]


def _visits_between(patient_id: int, low: Any, high: Any, *, besides: int | None) -> list[Span]:
    rows = session.execute(
        select(Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id == patient_id,
            Appointment.starts_at >= datetime.combine(low, time()),
            Appointment.starts_at < datetime.combine(high + timedelta(days=1), time()),
            Appointment.status.not_in(FREES_TIME),
            Appointment.id != (besides or 0),
        )
    )
    return [Span(starts_at, ends_at) for starts_at, ends_at in rows]


# --- what is still free, and who was offered it -----------------------------------------------------------


@dataclass(frozen=True)
class FreeTime(Span):
    """What of a time is free now; held for an offer counts as free, since others may be offered it too."""

    branch_id: int | None
    chair_id: int | None
    #: Some of it is closed or held: perhaps for offers.
    held: bool


def still_free(doctor_id: int, chair_id: int | None, span: Span) -> FreeTime | None:
    """The longest part of a time in which the doctor (and the chair) is free and works; None when there is none.

    Raises:
        NotFound: no such doctor.
    """
    seen = look(span, doctor_id=doctor_id, chair_id=chair_id)
    if seen.doctor is None:
        raise NotFound()
    held = any(row.patient_id is None for row in seen.busy)
    holds = set(
        session.scalars(
            select(WaitingOffer.hold_id).where(
                WaitingOffer.status == OfferStatus.OPEN,
                WaitingOffer.hold_id.in_([row.id for row in seen.busy if row.patient_id is None]),
            )
        )
    ) if held else set()  # fmt: skip
    busy = [row for row in seen.busy if not (row.patient_id is None and row.id in holds)]
    found: list[FreeTime] = []
    for hours in seen.hours:
        low, high = max(hours.starts_at, span.starts_at), min(hours.ends_at, span.ends_at)
        for row in sorted(busy, key=lambda row: row.starts_at):
            if low < row.starts_at:
                found.append(FreeTime(low, min(row.starts_at, high), hours.branch_id, hours.chair_id, held))
            low = max(low, row.ends_at)
        found.append(FreeTime(low, high, hours.branch_id, hours.chair_id, held))
    found = [piece for piece in found if piece.ends_at > piece.starts_at]
    return max(found, key=lambda piece: piece.ends_at - piece.starts_at, default=None)


def open_offers(
    *, doctor_id: int | None = None, span: Span | None = None, hold_id: int | None = None
) -> list[dict[str, Any]]:
    """The offers that wait for an answer, of one doctor's time or all; the one that ends first comes first."""
    asked = (
        select(WaitingOffer, WaitingEntry, Employee)
        .join(WaitingEntry, WaitingEntry.id == WaitingOffer.entry_id)
        .join(TimeBlock, TimeBlock.id == WaitingOffer.hold_id)
        .join(Employee, Employee.id == WaitingOffer.doctor_id)
        .where(
            WaitingOffer.status == OfferStatus.OPEN,
            WaitingOffer.expires_at > clock.now(),
            TimeBlock.lifted_at.is_(None),
        )
        .options(joinedload(WaitingEntry.patient).selectinload(Patient.phones))
        .order_by(WaitingOffer.expires_at, WaitingOffer.id)
        .limit(200)
    )
    if doctor_id is not None:
        asked = asked.where(WaitingOffer.doctor_id == doctor_id)
    if span is not None:
        asked = asked.where(WaitingOffer.starts_at < span.ends_at, WaitingOffer.ends_at > span.starts_at)
    if hold_id is not None:
        asked = asked.where(WaitingOffer.hold_id == hold_id)
    return [as_offer(offer, entry, doctor) for offer, entry, doctor in session.execute(asked)]


def as_offer(offer: WaitingOffer, entry: WaitingEntry, doctor: Employee) -> dict[str, Any]:
    """An offer as the contract shows it."""
    left = offer.expires_at - clock.now()
    person = entry.patient
    return {
        "id": offer.id,
        "status": offer.status,
        "entry_id": entry.id,
        "kind": entry.kind,
        "patient": {
            "id": entry.patient_id,
            "name": person.full_name,
            "short_name": short_name(person.surname, person.name, person.patronymic),
            "phone": person.phones[0].number if person.phones else None,
        },
        "hold_id": offer.hold_id,
        "doctor_id": offer.doctor_id,
        "doctor": short_name(doctor.surname, doctor.name, doctor.patronymic),
        "branch_id": offer.branch_id,
        "chair_id": offer.chair_id,
        "starts_at": moment_text(offer.starts_at),
        "ends_at": moment_text(offer.ends_at),
        "expires_at": instant_text(offer.expires_at),
        "minutes_left": max(0, -(-left // timedelta(minutes=1))),
        "appointment_id": offer.appointment_id,
    }
