"""Does a free time fit what a waiting patient wishes, why, why not, and who comes first.

The same rule stands in SQL where it must look at thousands of entries (`../queries/fits.py`); here it is in plain
values, with the reasons in words. Where next: `../operations/waiting.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from app.errors import Invalid, WrongStatus
from app.schedule.rules.visits import BOOKED, Span
from app.vocab import N_, Labelled, Urgency, WaitingKind, WantedDoctors

WHOLE_DAY = (0, 1440)
#: The order in which patients are offered a time.
URGENCIES: tuple[str, ...] = (Urgency.ACUTE, Urgency.SOON, Urgency.USUAL)

Windows = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Wish:
    """What a waiting patient wishes. `windows` are minutes of the day, half-open; `weekdays` from 1, Monday.

    `visit_at`: the visit that the patient wants sooner; only an earlier time fits then.
    """

    minutes: int
    first_day: date
    last_day: date | None = None
    kind: str = WaitingKind.NO_TIME
    wanted_doctors: str = WantedDoctors.ANY
    doctor_ids: tuple[int, ...] = ()
    speciality_id: int | None = None
    branch_id: int | None = None
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    windows: tuple[tuple[int, int], ...] = (WHOLE_DAY,)
    notice_hours: int = 0
    urgency: str = Urgency.USUAL
    visit_at: datetime | None = None


@dataclass(frozen=True)
class Opening(Span):
    """Free time of a doctor, in a branch."""

    doctor_id: int
    speciality_id: int | None
    branch_id: int


def wants_doctor(wish: Wish, doctor_id: int, speciality_id: int | None) -> bool:
    """Would the patient go to this doctor?"""
    if is_named(wish, doctor_id):
        return True
    if wish.wanted_doctors == WantedDoctors.ONLY:
        return False
    return wish.speciality_id is None or wish.speciality_id == speciality_id


def is_named(wish: Wish, doctor_id: int) -> bool:
    """Did the patient name this very doctor?"""
    return wish.wanted_doctors != WantedDoctors.ANY and doctor_id in wish.doctor_ids


def minute_of(moment: datetime, day: date) -> int:
    """A moment as minutes from the midnight that begins a day; whole minutes, the begun one counts."""
    return -(-(moment - datetime.combine(day, time())) // timedelta(minutes=1))


def merged(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Windows in order; those that touch or overlap are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def pieces(wish: Wish, opening: Opening, now: datetime) -> list[Span]:
    """The parts of a free time that lie in the wished hours, with the notice that is needed, long enough."""
    day = opening.starts_at.date()
    midnight = datetime.combine(day, time())
    start = max(minute_of(opening.starts_at, day), minute_of(now, day) + wish.notice_hours * 60)
    end = minute_of(opening.ends_at, day)
    found = []
    for low, high in merged(wish.windows):
        low, high = max(low, start), min(high, end)
        if high - low >= wish.minutes:
            found.append(Span(midnight + timedelta(minutes=low), midnight + timedelta(minutes=high)))
    return found


def fitting(wish: Wish, opening: Opening, now: datetime) -> Span | None:
    """The time to offer: the earliest part of the free time that fits, as long as the visit; None when none does."""
    if why_not(wish, opening, now):
        return None
    start = pieces(wish, opening, now)[0].starts_at
    return Span(start, start + timedelta(minutes=wish.minutes))


def why_not(wish: Wish, opening: Opening, now: datetime) -> list[str]:
    """Why a free time does not fit, as sentences; nothing when it does."""
    day = opening.starts_at.date()
    wrong = []
    if not wants_doctor(wish, opening.doctor_id, opening.speciality_id):
        wrong.append(N_("another doctor is wanted"))
    if wish.branch_id not in (None, opening.branch_id):
        wrong.append(N_("another branch is wanted"))
    if day.isoweekday() not in wish.weekdays:
        wrong.append(N_("does not suit on this weekday"))
    if day < wish.first_day or (wish.last_day is not None and day > wish.last_day):
        wrong.append(N_("does not suit on these days"))
    length = (opening.ends_at - opening.starts_at) // timedelta(minutes=1)
    if length < wish.minutes:
        wrong.append(N_("too short"))
    elif not (found := pieces(wish, opening, now)):
        wrong.append(N_("not in the wished hours, or too soon"))
    elif wish.visit_at is not None and found[0].starts_at >= wish.visit_at:
        wrong.append(N_("not sooner than the visit"))
    return wrong


def fit_order(
    wish: Wish, opening: Opening, *, since: datetime, planned: bool = False
) -> tuple[int, int, int, int, float]:
    """Who is offered a time first: the smaller comes first.

    Acute pain, then hurry; whose own doctor it is; who has no visit at all before who has a later one; whom the time
    suits with less left over; who has waited longer. In the statement planned visits come after all these.
    """
    length = (opening.ends_at - opening.starts_at) // timedelta(minutes=1)
    return (
        URGENCIES.index(wish.urgency),
        0 if is_named(wish, opening.doctor_id) else 1,
        1 if wish.kind == WaitingKind.MOVE_UP else 0,
        length - wish.minutes,
        since.timestamp(),
    )


def why(wish: Wish, opening: Opening, *, since: date) -> list[tuple[str, dict[str, Any]]]:
    """Why this patient is a good choice for this time: sentences with what fills them."""
    said: list[tuple[str, dict[str, Any]]] = []
    if wish.urgency == Urgency.ACUTE:
        said.append((N_("acute pain"), {}))
    elif wish.urgency == Urgency.SOON:
        said.append((N_("as soon as possible"), {}))
    if is_named(wish, opening.doctor_id):
        only = wish.wanted_doctors == WantedDoctors.ONLY
        said.append((N_("wants this doctor only") if only else N_("prefers this doctor"), {}))
    elif wish.wanted_doctors == WantedDoctors.PREFERRED:
        said.append((N_("prefers another doctor"), {}))
    if wish.visit_at is not None:
        said.append((N_("has a visit on %(moment)s"), {"moment": f"{wish.visit_at:%d.%m %H:%M}"}))
    if opening.ends_at - opening.starts_at == timedelta(minutes=wish.minutes):
        said.append((N_("takes the whole time"), {}))
    if list(wish.windows) != [WHOLE_DAY]:
        said.append((N_("comes at %(hours)s"), {"hours": windows_in_words(wish.windows)}))
    said.append((N_("waits since %(day)s"), {"day": f"{since:%d.%m}"}))
    return said


def planned_why(first: date, last: date) -> tuple[str, dict[str, Any]]:
    """Why a planned visit suits a time: it was planned for about then."""
    days = f"{first:%d.%m}" if first == last else f"{first:%d.%m}–{last:%d.%m}"
    return N_("planned for %(days)s"), {"days": days}


def windows_in_words(windows: Windows) -> str:
    """«09:00–12:00, 17:00–24:00»."""
    return ", ".join(f"{minutes_in_words(start)}–{minutes_in_words(end)}" for start, end in windows)


def minutes_in_words(minutes: int) -> str:
    """Minutes of the day as the clock shows them; the midnight that ends a day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


# --- wishes that can be met -------------------------------------------------------------------------------


def check_wishes(
    *,
    minutes: int,
    windows: Windows,
    wanted_doctors: str,
    doctor_ids: Sequence[int],
    first_day: date,
    last_day: date | None,
    today: date,
) -> None:
    """Wishes must be such that some time can meet them.

    Raises:
        Invalid
    """
    wrong = {}
    if any(not 0 <= start < end <= WHOLE_DAY[1] for start, end in windows) or not windows:
        wrong["windows"] = N_("The end of the hours must be later than their start.")
    elif max(end - start for start, end in merged(windows)) < minutes:
        wrong["windows"] = N_("The visit does not fit into these hours.")
    if wanted_doctors != WantedDoctors.ANY and not doctor_ids:
        wrong["doctor_ids"] = N_("Choose the doctors.")
    if last_day is not None and last_day < first_day:
        wrong["last_day"] = N_("The last day is earlier than the first one.")
    elif last_day is not None and last_day < today:
        wrong["last_day"] = N_("This day has already passed.")
    if wrong:
        raise Invalid(fields=wrong)


def check_sooner(status: str | None, starts_at: datetime | None, now: datetime) -> None:
    """Only a visit that is still to come can be wanted sooner.

    Raises:
        Invalid
    """
    if status != BOOKED or starts_at is None or starts_at <= now:
        raise Invalid(fields={"appointment_id": N_("Choose the visit that the patient wants sooner.")})


def offer_ends(now: datetime, minutes: int, starts_at: datetime) -> datetime:
    """Until when an offer is kept (wall clock): so many minutes, but not longer than until the time itself.

    Raises:
        Invalid: the time has passed.
    """
    if starts_at <= now:
        raise Invalid(fields={"starts_at": N_("This time has already passed. Choose a time in the future.")})
    return min(now + timedelta(minutes=minutes), starts_at)


def ended(status: Labelled) -> WrongStatus:
    """The refusal that names the status of a wish that is no longer open."""
    return WrongStatus({"status": status.label}, status=str(status))


# --- planned visits ---------------------------------------------------------------------------------------


def after_months(day: date, months: int) -> date:
    """The same day so many months later; the last one of the month when it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))


def target_of(day: date, months: int) -> tuple[date, date]:
    """«In three months»: from that day on, two weeks."""
    first = after_months(day, months)
    return first, first + timedelta(days=13)


def call_day(target_from: date, lead_days: int, today: date) -> date:
    """When to call about a planned visit: so many days before, but not in the past."""
    return max(today, target_from - timedelta(days=lead_days))


def check_target(target_from: date, target_to: date, today: date) -> None:
    """Raises:
    Invalid: the days are in the wrong order, have passed, or are farther away than five years.
    """
    wrong = {}
    if target_to < target_from:
        wrong["target_to"] = N_("The last day is earlier than the first one.")
    elif target_to < today:
        wrong["target_to"] = N_("This day has already passed.")
    elif target_from > today + timedelta(days=5 * 366):
        wrong["target_from"] = N_("This is too far away.")
    if wrong:
        raise Invalid(fields=wrong)


def fulfils(
    *,
    day: date,
    doctor_id: int,
    speciality_id: int | None,
    target: tuple[date, date] | None = None,
    tolerance_days: int = 0,
    wanted_doctor_id: int | None = None,
    wanted_speciality_id: int | None = None,
) -> bool:
    """Is a visit on this day to this doctor what was planned? The desk is offered to close it then."""
    if wanted_doctor_id not in (None, doctor_id) or wanted_speciality_id not in (None, speciality_id):
        return False
    if target is None:
        return True
    room = timedelta(days=max(tolerance_days, 14))
    return target[0] - room <= day <= target[1] + room
