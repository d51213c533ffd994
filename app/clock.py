"""The clinic's clock: the only place that reads the time.

Schedule times are the wall clock of the clinic, without zone; records carry instants. Tests and the
demo set the clock with `at()`. Where next: `app/db.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from os import environ
from zoneinfo import ZoneInfo

_fixed: ContextVar[datetime | None] = ContextVar("fixed_clock", default=None)


def zone() -> ZoneInfo:
    """The clinic's time zone, from CLINIC_TZ."""
    return ZoneInfo(environ.get("CLINIC_TZ", "Europe/Moscow"))


def now() -> datetime:
    """This instant, with its offset from UTC."""
    return _fixed.get() or datetime.now(UTC)


def wall_now() -> datetime:
    """What the clock on the clinic's wall shows, without zone."""
    return now().astimezone(zone()).replace(tzinfo=None)


def today() -> date:
    """The clinic's calendar day, which is the business day of money taken now."""
    return wall_now().date()


def wall(instant: datetime) -> datetime:
    """An instant as the clinic's wall clock showed it."""
    return instant.astimezone(zone()).replace(tzinfo=None)


def day_starts(day: date) -> datetime:
    """The instant at which a day begins in the clinic."""
    return datetime.combine(day, time(), zone())


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let the clock show a wall time or an instant for a while: tests, and a demo made in the past."""
    instant = moment if moment.tzinfo else moment.replace(tzinfo=zone())
    token = _fixed.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
