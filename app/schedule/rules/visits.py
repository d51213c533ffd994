"""Decisions of the schedule: times, hours, who is in the way, which step comes after which.

Plain values in, an answer or a Refusal out. Where next: `operations/`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.errors import InThePast, NotAllowed, OutsideHours, ReasonNeeded, SlotTaken, TooEarly, WrongStatus, WrongTimes
from app.vocab import N_, AppointmentStatus

SHORTEST = timedelta(minutes=5)
#: Later than this before its start, a cancellation is late.
LATE = timedelta(hours=24)

DOCTOR, CHAIR, PATIENT = "doctor", "chair", "patient"
VISIT, BLOCK = "appointment", "block"

BOOKED, ARRIVED, IN_PROGRESS, COMPLETED, CANCELLED, NO_SHOW = AppointmentStatus

#: step → (from which status, to which).
STEPS: dict[str, tuple[AppointmentStatus, AppointmentStatus]] = {
    "arrive": (BOOKED, ARRIVED),
    "start": (ARRIVED, IN_PROGRESS),
    "complete": (IN_PROGRESS, COMPLETED),
    "no_show": (BOOKED, NO_SHOW),
    "cancel": (BOOKED, CANCELLED),
    "restore": (CANCELLED, BOOKED),
}

_TAKEN = {
    DOCTOR: N_("The doctor is busy: %(what)s. Choose another time."),
    CHAIR: N_("The chair is taken: %(what)s. Choose another time or another chair."),
    PATIENT: N_("The patient already has a visit at this time: %(what)s. Choose another time."),
}


@dataclass(frozen=True)
class Span:
    """From … to …, half-open: back to back is not touching."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True)
class Hours(Span):
    """A doctor sees patients then, in a branch, usually in a certain chair."""

    branch_id: int
    chair_id: int | None


@dataclass(frozen=True)
class Busy(Span):
    """A visit or a block that stands in the schedule. `who` is the patient's short name or the block's reason."""

    kind: str
    id: int
    doctor_id: int | None
    chair_id: int | None
    patient_id: int | None
    who: str
    overbooked: bool = False

    def facts(self) -> dict[str, object]:
        """What the caller is told about the row in the way."""
        return {
            "kind": self.kind,
            "id": self.id,
            "doctor_id": self.doctor_id,
            "chair_id": self.chair_id,
            "starts_at": self.starts_at.isoformat(timespec="minutes"),
            "ends_at": self.ends_at.isoformat(timespec="minutes"),
            "patient" if self.kind == VISIT else "reason": self.who,
        }


@dataclass(frozen=True)
class Slot(Span):
    """Where a visit is, or is to be."""

    doctor_id: int | None
    chair_id: int | None
    patient_id: int | None = None


# --- times --------------------------------------------------------------------------------------------


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """A visit begins and ends on one day (midnight ends it) and lasts 5 minutes at least.

    Raises:
        WrongTimes
    """
    if ends_at - starts_at < SHORTEST or (ends_at - timedelta(microseconds=1)).date() != starts_at.date():
        raise WrongTimes()


def check_not_past(starts_at: datetime, today: date, *, may_look_back: bool) -> None:
    """Earlier today is written down after the fact by anybody; an earlier day only by who may book outside hours.

    Raises:
        InThePast
    """
    if starts_at.date() < today and not may_look_back:
        raise InThePast()


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, with those that touch or overlap made one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.starts_at):
        if found and span.starts_at <= found[-1].ends_at:
            found[-1] = Span(found[-1].starts_at, max(found[-1].ends_at, span.ends_at))
        else:
            found.append(Span(span.starts_at, span.ends_at))
    return found


def lies_within(span: Span, hours: Iterable[Span]) -> bool:
    """Is the doctor there all the time, be it in several pieces of hours without a gap?"""
    return any(open_.starts_at <= span.starts_at and span.ends_at <= open_.ends_at for open_ in joined(hours))


def hours_in_words(hours: Iterable[Span]) -> str:
    """«09:00–15:00, 16:00–20:00»; a dash when there are none."""
    return ", ".join(f"{open_.starts_at:%H:%M}–{open_.ends_at:%H:%M}" for open_ in joined(hours)) or "—"


def check_hours(span: Span, hours: Sequence[Hours], *, reason: str, may_go_outside: bool) -> str:
    """The reason to keep: empty within the doctor's hours, required outside of them.

    Raises:
        OutsideHours: no reason; carries the hours of that day.
        NotAllowed: a reason, but no right.
    """
    if lies_within(span, hours):
        return ""
    if not reason:
        listed = [
            {"starts_at": h.starts_at.isoformat(timespec="minutes"), "ends_at": h.ends_at.isoformat(timespec="minutes")}
            for h in hours
        ]
        raise OutsideHours({"hours": hours_in_words(hours)}, hours=listed)
    if not may_go_outside:
        raise NotAllowed(right="schedule.outside_hours")
    return reason


# --- who is in the way ----------------------------------------------------------------------------------


def shared(slot: Slot, row: Busy) -> str | None:
    """What the slot and the row both need at the same moment: patient, doctor, chair; None when nothing."""
    if not slot.meets(row):
        return None
    if slot.patient_id is not None and slot.patient_id == row.patient_id:
        return PATIENT
    if slot.doctor_id is not None and slot.doctor_id == row.doctor_id:
        return DOCTOR
    if slot.chair_id is not None and slot.chair_id == row.chair_id:
        return CHAIR
    return None


def in_the_way(slot: Slot, rows: Iterable[Busy], *, old: Slot | None = None) -> list[tuple[str, Busy]]:
    """The rows that need the same patient, doctor or chair then; the patient first, since nothing helps against it.

    What already stood side by side with the old place on purpose may stay side by side.
    """
    found = [(busy, row) for row in rows if (busy := shared(slot, row))]
    if old is not None:
        found = [(busy, row) for busy, row in found if busy == PATIENT or shared(old, row) != busy]
    return sorted(found, key=lambda pair: (pair[0] != PATIENT, pair[0] != DOCTOR, pair[1].starts_at))


def taken(busy: str, row: Busy) -> SlotTaken:
    """The refusal that names who is in the way."""
    what = f"{row.starts_at:%H:%M}–{row.ends_at:%H:%M}, {row.who}".removesuffix(".")  # the sentence has its own
    refusal = SlotTaken({"what": what}, busy=busy, by=row.facts())
    refusal.sentence = _TAKEN[busy]
    return refusal


def check_slot(slot: Slot, rows: Iterable[Busy], *, reason: str, may_overbook: bool, old: Slot | None = None) -> str:
    """The overbooking reason to keep: empty when the slot is free.

    A patient is never in two places. Over the doctor's or the chair's other visit, or over a block, only on
    purpose: with a reason and the right.

    Raises:
        SlotTaken: names the row in the way, and whether doctor, chair or patient is busy.
        NotAllowed: a reason, but no right.
    """
    found = in_the_way(slot, rows, old=old)
    if not found:
        return ""
    busy, row = found[0]
    if busy == PATIENT or not reason:
        raise taken(busy, row)
    if not may_overbook:
        raise NotAllowed(right="schedule.overbook")
    return reason


# --- steps ----------------------------------------------------------------------------------------------


def wrong_status(status: str) -> WrongStatus:
    """The refusal that names the status in the desk's words."""
    return WrongStatus({"status": AppointmentStatus(status).label}, status=status)


def check_status(status: str, step: str) -> AppointmentStatus:
    """The status after a step.

    Raises:
        WrongStatus
    """
    before, after = STEPS[step]
    if status != before:
        raise wrong_status(status)
    return after


def check_no_show(starts_at: datetime, now: datetime) -> None:
    """Only when the visit should have begun.

    Raises:
        TooEarly
    """
    if now < starts_at:
        raise TooEarly()


def is_elsewhere(old: Slot, new: Slot) -> bool:
    """Must the patient come at another time, or to another doctor?"""
    return (new.starts_at, new.doctor_id) != (old.starts_at, old.doctor_id)


def check_movable(status: str, *, elsewhere: bool) -> None:
    """A visit is moved until it begins; one in the chair may still take longer or change the chair.

    Raises:
        WrongStatus
    """
    if status in (BOOKED, ARRIVED) or (status == IN_PROGRESS and not elsewhere):
        return
    raise wrong_status(status)


#: status → the status before its step, and the moment that the step wrote down.
BEFORE_STEP: dict[AppointmentStatus, tuple[AppointmentStatus, str | None]] = {
    ARRIVED: (BOOKED, "arrived_at"),
    IN_PROGRESS: (ARRIVED, "started_at"),
    COMPLETED: (IN_PROGRESS, "completed_at"),
    NO_SHOW: (BOOKED, None),
}


def step_made(
    status: str,
    *,
    arrived_at: datetime | None,
    started_at: datetime | None,
    completed_at: datetime | None,
    cancelled_at: datetime | None,
    no_show_at: datetime | None,
) -> datetime | None:
    """When the step that led to this status was made; None for a visit that is only booked."""
    return {
        ARRIVED: arrived_at,
        IN_PROGRESS: started_at,
        COMPLETED: completed_at,
        CANCELLED: cancelled_at,
        NO_SHOW: no_show_at,
    }.get(AppointmentStatus(status))


def is_late(starts_at: datetime, now: datetime) -> bool:
    """Is it a late cancellation: less than 24 hours before the start?"""
    return starts_at - now < LATE


def require_reason(reason: str) -> str:
    """A reason of at least one word.

    Raises:
        ReasonNeeded
    """
    if not reason.strip():
        raise ReasonNeeded()
    return reason.strip()


# --- hours ------------------------------------------------------------------------------------------------


def of_day(day: date, start: time, end: time) -> Span:
    """From … to … on a day; 00:00 as the end is midnight."""
    ends_at = datetime.combine(day, end)
    return Span(datetime.combine(day, start), ends_at + timedelta(days=1) if end == time() else ends_at)


def days_of(first: date, last: date, weekdays: Iterable[int]) -> list[date]:
    """The days of a period that fall on these weekdays, from 1, Monday, to 7."""
    wanted = set(weekdays)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.isoweekday() in wanted]


# --- free time --------------------------------------------------------------------------------------------


def rounded_up(moment: datetime, minutes: int = 5) -> datetime:
    """The next moment on the grid."""
    start = datetime.combine(moment.date(), time())
    steps = -(-(moment - start) // timedelta(minutes=minutes))
    return start + steps * timedelta(minutes=minutes)


def slots_in(gap: Span, minutes: int, *, after: time | None = None, before: time | None = None) -> Iterator[Span]:
    """Slots of so many minutes, one after another, in a piece of free time; within `after` … `before` of the day."""
    day, length = gap.starts_at.date(), timedelta(minutes=minutes)
    moment = gap.starts_at if after is None else max(gap.starts_at, datetime.combine(day, after))
    end = gap.ends_at if before is None else min(gap.ends_at, datetime.combine(day, before))
    while moment + length <= end:
        yield Span(moment, moment + length)
        moment += length
