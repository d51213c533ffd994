"""The first free times."""

import heapq
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select, text

from app import clock
from app.db import session
from app.models import Appointment
from app.schedule.queries.visits import Line, moment_text
from app.schedule.rules import Slot, Span, rounded_up, slots_in
from app.tables.schedule import BUSY, STANDS
from app.vocab import FREES_TIME

_FREE = text(
    f"""
SELECT h.doctor_id, h.chair_id, h.branch_id, lower(free.gap) AS starts_at, upper(free.gap) AS ends_at
FROM working_hours h
JOIN employee e ON e.id = h.doctor_id AND NOT e.archived
CROSS JOIN LATERAL unnest(
  tsmultirange(tsrange(h.starts_at, h.ends_at)) - coalesce((
    SELECT range_agg(tsrange(busy.starts_at, busy.ends_at)) FROM (
      SELECT starts_at, ends_at FROM appointment WHERE doctor_id = h.doctor_id AND {BUSY}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM appointment WHERE chair_id = h.chair_id AND {BUSY}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM time_block WHERE doctor_id = h.doctor_id AND {STANDS}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
      UNION ALL
      SELECT starts_at, ends_at FROM time_block WHERE chair_id = h.chair_id AND {STANDS}
         AND starts_at >= date_trunc('day', h.starts_at) AND starts_at < h.ends_at
    ) busy), '{{}}'::tsmultirange)
) AS free(gap)
WHERE h.starts_at >= :first AND h.starts_at < :last
  AND (CAST(:doctor AS int) IS NULL OR h.doctor_id = :doctor)
  AND (CAST(:speciality AS int) IS NULL OR e.speciality_id = :speciality)
  AND (CAST(:branch AS int) IS NULL OR h.branch_id = :branch)
  AND extract(isodow FROM h.starts_at) = ANY (CAST(:weekdays AS int[]))
  AND upper(free.gap) - lower(free.gap) >= make_interval(mins => :minutes)
ORDER BY starts_at, h.doctor_id
"""
)
#: The first free time is nearly always within a week; only who finds too little there is looked for farther.
_NEAR = timedelta(days=7)


def free_gaps(
    minutes: int,
    start: datetime,
    end: datetime,
    *,
    doctor_id: int | None = None,
    speciality_id: int | None = None,
    branch_id: int | None = None,
    weekdays: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
) -> Sequence[Line]:
    """The pieces of free time of doctors' hours that begin between two moments, so many minutes long at least."""
    return session.execute(
        _FREE,
        {
            "first": start,
            "last": end,
            "doctor": doctor_id,
            "speciality": speciality_id,
            "branch": branch_id,
            "weekdays": list(weekdays),
            "minutes": minutes,
            "now": clock.now(),
        },
    ).all()


def free_slots(
    minutes: int,
    *,
    first: date,
    days: int = 14,
    doctor_id: int | None = None,
    speciality_id: int | None = None,
    branch_id: int | None = None,
    weekdays: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
    after: time | None = None,
    before: time | None = None,
    limit: int = 10,
) -> list[dict[str, Any]]:
    """The first free times of so many minutes, the earliest first: within hours, past no visit and no block.

    `weekdays` from 1, Monday, to 7. One statement when a week is enough, else two.
    """
    now = rounded_up(clock.wall_now())
    start = datetime.combine(first, time())
    end = start + timedelta(days=days)
    found: list[dict[str, Any]] = []
    near = min(start + _NEAR, end)
    for low, high in ((start, near), (near, end)):
        if len(found) >= limit or low >= high or high <= now:
            continue
        gaps = free_gaps(
            minutes, low, high, doctor_id=doctor_id, speciality_id=speciality_id, branch_id=branch_id, weekdays=weekdays
        )
        runs = [
            [(slot.starts_at, gap.doctor_id, gap.chair_id, gap.branch_id, slot.ends_at) for slot in slots]
            for gap in gaps
            if gap.ends_at > now
            for slots in [
                islice(slots_in(Span(max(gap.starts_at, now), gap.ends_at), minutes, after=after, before=before), limit)
            ]
        ]
        for starts_at, doctor, chair, branch, ends_at in islice(
            heapq.merge(*runs, key=lambda slot: slot[:2]), limit - len(found)
        ):
            found.append(
                {
                    "doctor_id": doctor,
                    "chair_id": chair,
                    "branch_id": branch,
                    "starts_at": moment_text(starts_at),
                    "ends_at": moment_text(ends_at),
                }
            )
    return found


def free_near(slot: Slot, *, limit: int = 5) -> list[dict[str, Any]]:
    """The free times of a doctor nearest to a slot that is taken, as long as it: of that day, else the first ones.

    Only when the slot's patient is nowhere else then.
    """
    minutes = int((slot.ends_at - slot.starts_at).total_seconds() // 60)
    day = max(slot.starts_at.date(), clock.today())
    own = session.execute(
        select(Appointment.starts_at, Appointment.ends_at).where(
            Appointment.patient_id == slot.patient_id,
            Appointment.starts_at >= datetime.combine(day, time()),
            Appointment.status.not_in(FREES_TIME),
        )
    ).all()

    def suits(row: dict[str, Any]) -> bool:
        span = Span(datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"]))
        return not any(span.meets(Span(*visit)) for visit in own)

    found = [row for row in free_slots(minutes, first=day, days=1, doctor_id=slot.doctor_id, limit=50) if suits(row)]

    def distance(row: dict[str, Any]) -> timedelta:
        return abs(datetime.fromisoformat(row["starts_at"]) - slot.starts_at)

    nearest = sorted(found, key=distance)[:limit]
    if len(nearest) < limit:
        later = free_slots(minutes, first=day + timedelta(days=1), days=30, doctor_id=slot.doctor_id, limit=limit + 20)
        nearest += [row for row in later if suits(row)][: limit - len(nearest)]
    return sorted(nearest, key=lambda row: str(row["starts_at"]))
