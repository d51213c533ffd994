"""How full the days of a month are: hours, booked, closed and free minutes.

Words: a minute of a doctor's hours is booked (a visit of the doctor stands there), closed (a block, or the chair is
taken by somebody else) or free; two visits side by side take a minute once. Where next: `free.py`.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import text

from app import clock
from app.db import session
from app.schedule.queries.hours_calendar import calendar_days
from app.tables.schedule import BUSY, STANDS

_MINUTES = "(SELECT coalesce(sum(extract(epoch FROM upper(piece) - lower(piece))), 0) / 60 FROM unnest({}) AS piece)"
_LOAD = text(
    f"""
WITH hours AS (
  SELECT doctor_id, chair_id, starts_at::date AS day, tsmultirange(tsrange(starts_at, ends_at)) AS open
  FROM working_hours
  WHERE starts_at >= :first AND starts_at < :last
    AND (CAST(:doctor AS int) IS NULL OR doctor_id = :doctor) AND (CAST(:branch AS int) IS NULL OR branch_id = :branch)
), visits AS (
  SELECT doctor_id, chair_id, branch_id, starts_at::date AS day, tsrange(starts_at, ends_at) AS span
  FROM appointment WHERE starts_at >= :first AND starts_at < :last AND {BUSY}
), busy AS (
  SELECT doctor_id, chair_id, day, span FROM visits
  UNION ALL
  SELECT doctor_id, chair_id, starts_at::date, tsrange(starts_at, ends_at)
  FROM time_block WHERE starts_at >= :first AND starts_at < :last AND {STANDS}
), booked AS (
  SELECT doctor_id, day, range_agg(span) AS span FROM visits GROUP BY 1, 2
), with_doctor AS (
  SELECT doctor_id, day, range_agg(span) AS span FROM busy WHERE doctor_id IS NOT NULL GROUP BY 1, 2
), in_chair AS (
  SELECT chair_id, day, range_agg(span) AS span FROM busy WHERE chair_id IS NOT NULL GROUP BY 1, 2
), pieces AS (
  SELECT h.day, h.doctor_id, h.open, h.open * coalesce(b.span, '{{}}') AS booked,
         h.open - coalesce(d.span, '{{}}') - coalesce(c.span, '{{}}') AS free
  FROM hours h
  LEFT JOIN booked b ON b.doctor_id = h.doctor_id AND b.day = h.day
  LEFT JOIN with_doctor d ON d.doctor_id = h.doctor_id AND d.day = h.day
  LEFT JOIN in_chair c ON c.chair_id = h.chair_id AND c.day = h.day
), sums AS (
  SELECT day, count(DISTINCT doctor_id) AS doctors, sum({_MINUTES.format("open")}) AS hours,
         sum({_MINUTES.format("booked")}) AS booked, sum({_MINUTES.format("free")}) AS free
  FROM pieces GROUP BY day
), counts AS (
  SELECT day, count(*) AS visits FROM visits
  WHERE (CAST(:doctor AS int) IS NULL OR doctor_id = :doctor) AND (CAST(:branch AS int) IS NULL OR branch_id = :branch)
  GROUP BY day
)
SELECT coalesce(s.day, n.day) AS day, s.doctors, s.hours, s.booked, s.free, n.visits
FROM sums s FULL JOIN counts n ON n.day = s.day
ORDER BY 1
"""
)


@dataclass(frozen=True)
class MonthSheet:
    """The days of a month with their load. `version` changes with anything that is shown."""

    month: str
    version: str
    days: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def month_load(
    day: date, *, branch_id: int | None = None, doctor_id: int | None = None, language: str = "ru"
) -> MonthSheet:
    """How full each day of the month of this day is, of a doctor, a branch or all; two statements.

    Per day: `doctors` at work, `hours`, `booked`, `closed` and `free` minutes (hours = booked + closed + free), and
    `visits`, counted by their beginning, those outside of hours among them. Cancelled visits and no-shows leave
    their time free. `holiday`: what the clinic calls the day, or None.
    """
    first = day.replace(day=1)
    count = calendar.monthrange(day.year, day.month)[1]
    named = {row["day"]: row["holiday"] for row in calendar_days(first, first.replace(day=count), language)}
    start = datetime.combine(first, time())
    rows = {
        row.day: row
        for row in session.execute(
            _LOAD,
            {
                "first": start,
                "last": start + timedelta(days=count),
                "doctor": doctor_id,
                "branch": branch_id,
                "now": clock.now(),
            },
        )
    }
    days = []
    for n in range(count):
        row = rows.get(first + timedelta(days=n))
        hours, booked, free = (int(row.hours or 0), int(row.booked or 0), int(row.free or 0)) if row else (0, 0, 0)
        days.append(
            {
                "day": (first + timedelta(days=n)).isoformat(),
                "doctors": row.doctors or 0 if row else 0,
                "hours": hours,
                "booked": booked,
                "closed": hours - booked - free,
                "free": free,
                "visits": row.visits or 0 if row else 0,
                "holiday": named[(first + timedelta(days=n)).isoformat()],
            }
        )
    return MonthSheet(
        month=f"{first:%Y-%m}", version=blake2b(repr(days).encode(), digest_size=12).hexdigest(), days=days
    )
