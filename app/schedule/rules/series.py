"""Which days a series falls on: every N days, or every N weeks on given weekdays, so many times."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

from app.errors import Invalid
from app.vocab import N_

#: So many visits at most are booked at once.
MOST = 50
_LAST = timedelta(days=730)


class Unit(StrEnum):
    DAYS = "days"
    WEEKS = "weeks"


def series_days(day: date, unit: str, every: int, weekdays: Collection[int], times: int) -> list[date]:
    """The days of a series after `day`: every so many days; or in every so many weeks on these weekdays (1 is Monday).

    Weeks begin on Monday, and the week of `day` itself is the first one; no weekdays means the weekday of `day`.

    Raises:
        Invalid: too long a series.
    """
    if unit == Unit.DAYS:
        days = [day + timedelta(days=every * n) for n in range(1, times + 1)]
    else:
        wanted = sorted(set(weekdays) or {day.isoweekday()})
        days, monday = [], day - timedelta(days=day.weekday())
        while len(days) < times:
            days += [found for n in wanted if (found := monday + timedelta(days=n - 1)) > day]
            monday += timedelta(weeks=every)
        days = days[:times]
    if days[-1] - day > _LAST:
        raise Invalid(fields={"times": N_("This series would end in more than two years. Make it shorter.")})
    return days
