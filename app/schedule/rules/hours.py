"""Decisions of doctors' hours «График»: what weekly patterns give, which days are closed, what a change displaces.

A pattern is a set of weekly shifts. Odd and even are the ISO numbers of weeks (Monday first): after week 53 comes
week 1, so twice in a row a week may be odd. Times are the wall clock's: summer time never shifts them.
Where next: `../operations/hours.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays

from app.errors import InThePast, Invalid
from app.schedule.rules.visits import SHORTEST, Hours, Span, joined, lies_within, of_day
from app.vocab import N_, Weeks

_DAY = timedelta(days=1)
#: Days changed at once at most, and shifts of a day.
MOST_DAYS, MOST_SHIFTS = 92, 8
#: The languages in which the calendar of public holidays has names.
_LANGUAGES = {"ru": "ru", "en": "en_US"}


@dataclass(frozen=True)
class Shift:
    """From … to … of a day, in a branch and usually a chair; 00:00 as the end is midnight."""

    start: time
    end: time
    branch_id: int
    chair_id: int | None

    def on(self, day: date) -> Hours:
        """These hours on a certain day."""
        span = of_day(day, self.start, self.end)
        return Hours(span.starts_at, span.ends_at, self.branch_id, self.chair_id)

    def minutes(self) -> tuple[int, int]:
        """From which to which minute of the day."""
        end = self.end.hour * 60 + self.end.minute
        return self.start.hour * 60 + self.start.minute, end or 24 * 60

    def meets(self, other: "Shift") -> bool:
        (start, end), (start_, end_) = self.minutes(), other.minutes()
        return start < end_ and start_ < end


@dataclass(frozen=True)
class Weekly(Shift):
    """A shift of every such weekday (1 is Monday), or of every odd or even week, from a day on, maybe to a day."""

    weekday: int
    weeks: str
    first_day: date
    last_day: date | None
    doctor_id: int
    id: int | None = None

    def falls_on(self, day: date) -> bool:
        """Does this shift take place on that day?"""
        return (
            day.isoweekday() == self.weekday
            and self.first_day <= day
            and (self.last_day is None or day <= self.last_day)
            and in_weeks(self.weeks, day)
        )

    def same_shift(self, other: "Weekly") -> bool:
        """Is it the same but for the days from which and to which it counts?"""
        return replace(self, first_day=other.first_day, last_day=other.last_day, id=other.id) == other


# --- weeks and holidays ---------------------------------------------------------------------------------


def week_of(day: date) -> int:
    """The ISO number of the week: 1 is the week with the year's first Thursday."""
    return day.isocalendar().week


def in_weeks(weeks: str, day: date) -> bool:
    """Is the day in a week of this kind: every, odd, even?"""
    return weeks == Weeks.EVERY or (week_of(day) % 2 == 1) == (weeks == Weeks.ODD)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=64)
def _holidays_of(year: int, language: str) -> Mapping[date, str]:
    return dict(holidays.country_holidays("RU", years=year, language=_LANGUAGES.get(language, "ru")))


def public_holidays(first: date, last: date, language: str = "ru") -> dict[date, str]:
    """The days off of Russia's calendar in a period, transferred ones included, with their names."""
    found: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        found.update({day: name for day, name in _holidays_of(year, language).items() if first <= day <= last})
    return dict(sorted(found.items()))


def closed_days(first: date, last: date, overrides: Mapping[date, bool]) -> set[date]:
    """The days on which patterns give no hours: public holidays, but for what the clinic says (True: closed)."""
    closed = {day for day in public_holidays(first, last) if overrides.get(day, True)}
    return closed | {day for day, shut in overrides.items() if shut and first <= day <= last}


# --- what patterns give -----------------------------------------------------------------------------------


def days_between(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def shifts_on(day: date, week: Iterable[Weekly], closed: Collection[date] = ()) -> list[Weekly]:
    """The shifts that the pattern gives on a day, the earliest first; none on a closed one."""
    if day in closed:
        return []
    return sorted((shift for shift in week if shift.falls_on(day)), key=lambda shift: shift.start)


def hours_made(
    first: date, last: date, week: Sequence[Weekly], *, closed: Collection[date] = (), by_hand: Collection[date] = ()
) -> list[tuple[date, Weekly]]:
    """The dated shifts of a period that a doctor's patterns give; days set by hand are nobody's business."""
    return [
        (day, shift)
        for day in days_between(first, last)
        if day not in by_hand
        for shift in shifts_on(day, week, closed)
    ]


def common_day(one: Weekly, other: Weekly) -> date | None:
    """The first day on which two weekly shifts stand at the same time; None when they never do."""
    if one.weekday != other.weekday or not one.meets(other):
        return None
    day = max(one.first_day, other.first_day)
    day += timedelta(days=(one.weekday - day.isoweekday()) % 7)
    # Odd and even weeks alternate, but for 53 and 1: within three weeks there is one of each kind.
    for _ in range(3):
        if one.falls_on(day) and other.falls_on(day):
            return day
        day += timedelta(days=7)
    return None


@dataclass(frozen=True)
class Cut:
    """What becomes of the weekly shifts of a doctor when a new week begins: stay, change their days, go, come."""

    changed: list[Weekly]
    gone: list[Weekly]
    added: list[Weekly]


def new_week(old: Sequence[Weekly], lines: Sequence[Weekly], first: date, last: date | None) -> Cut:
    """Let the doctor's week from `first` (to `last`) be exactly these lines; what runs beyond goes on as it was."""
    changed, gone, added = [], [], []
    wanted = [replace(line, first_day=first, last_day=last) for line in lines]
    for shift in old:
        if (shift.last_day is not None and shift.last_day < first) or (last is not None and shift.first_day > last):
            continue
        same = next((line for line in wanted if line.same_shift(shift)), None)
        if same is not None and shift.first_day <= first and shift.last_day == last:
            wanted.remove(same)
            continue
        parts = []
        if shift.first_day < first:
            parts.append(replace(shift, last_day=first - _DAY))
        if last is not None and (shift.last_day is None or shift.last_day > last):
            parts.append(replace(shift, first_day=last + _DAY))
        changed += parts[:1]
        added += [replace(part, id=None) for part in parts[1:]]
        gone += [] if parts else [shift]
    return Cut(changed, gone, added + wanted)


# --- checks -------------------------------------------------------------------------------------------------


def check_shifts(shifts: Sequence[Shift], place: str = "shifts") -> None:
    """Shifts of one doctor that may stand side by side: in order, 5 minutes at least, never two at once.

    Raises:
        Invalid: a sentence for each shift that is wrong, under `shifts.0`, `shifts.1`, …
    """
    wrong = {}
    for number, shift in enumerate(shifts):
        start, end = shift.minutes()
        if end - start < SHORTEST.total_seconds() / 60:
            wrong[f"{place}.{number}"] = N_("The end must be later than the beginning.")
        elif any(_at_once(shift, other) for other in shifts[:number]):
            wrong[f"{place}.{number}"] = N_("This shift overlaps another one of the same day.")
    if wrong:
        raise Invalid(fields=wrong)


def _at_once(one: Shift, other: Shift) -> bool:
    if isinstance(one, Weekly) and isinstance(other, Weekly):
        return common_day(one, other) is not None
    return one.meets(other)


def check_days(days: Collection[date], today: date) -> None:
    """Days that are still to come, and not too many at once.

    Raises:
        Invalid, InThePast
    """
    if not days or len(days) > MOST_DAYS:
        raise Invalid(fields={"days": N_("Choose from one day to three months of days.")})
    if min(days) < today:
        raise InThePast()


def check_copy(first: date, last: date, onto: date, today: date) -> None:
    """A period of days in order, copied onto a later one that begins on the same weekday.

    Raises:
        Invalid, InThePast
    """
    if last < first:
        raise Invalid(fields={"last": N_("The first day is later than the last one.")})
    if (last - first).days >= MOST_DAYS:
        raise Invalid(fields={"last": N_("Choose from one day to three months of days.")})
    if onto <= last:
        raise Invalid(fields={"onto": N_("Choose a day after the end of the copied period.")})
    if onto.isoweekday() != first.isoweekday():
        raise Invalid(fields={"onto": N_("The new period must begin on the same weekday as the copied one.")})
    if onto < today:
        raise InThePast()


# --- visits in closed hours -----------------------------------------------------------------------------------


def covered(span: Span, hours: Iterable[Hours], branch_id: int) -> timedelta:
    """How much of a visit lies within the doctor's hours in its branch."""
    own = joined(row for row in hours if row.branch_id == branch_id)
    parts = (min(span.ends_at, row.ends_at) - max(span.starts_at, row.starts_at) for row in own)
    return sum((part for part in parts if part > timedelta()), timedelta())


def is_displaced(span: Span, branch_id: int, old: Sequence[Hours], new: Sequence[Hours]) -> bool:
    """Does a visit lose the hours it stood in? One that had stood outside of them already loses nothing."""
    if lies_within(span, [row for row in new if row.branch_id == branch_id]):
        return False
    return covered(span, new, branch_id) < covered(span, old, branch_id)


def as_shift(starts_at: datetime, ends_at: datetime, branch_id: int, chair_id: int | None) -> Shift:
    """Dated hours as a shift of their day."""
    return Shift(starts_at.time(), ends_at.time(), branch_id, chair_id)


def in_words(shifts: Iterable[Shift]) -> str:
    """«09:00–15:00, 16:00–24:00»; a dash when there are none."""
    return ", ".join(f"{shift.start:%H:%M}–{end_in_words(shift.end)}" for shift in shifts) or "—"


def end_in_words(end: time) -> str:
    """Midnight at the end of a day is 24:00."""
    return "24:00" if end == time() else f"{end:%H:%M}"
