"""The first free times on a real database, against a naive model that looks at every quarter of an hour."""

from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.db import session
from app.models import Appointment, TimeBlock, WorkingHours
from app.schedule import queries

QUARTER, MIDNIGHT = timedelta(minutes=15), 96
DAYS = 3
FIRST = clock.today() + timedelta(days=200)


class Piece(NamedTuple):
    """Quarters of a day, half-open; 96 is the midnight that ends it."""

    day: int
    start: int
    end: int


@st.composite
def pieces(draw: st.DrawFn, shortest: int = 1, longest: int = 20) -> Piece:
    start = draw(st.integers(0, MIDNIGHT - shortest))
    return Piece(draw(st.integers(0, DAYS - 1)), start, min(MIDNIGHT, start + draw(st.integers(shortest, longest))))


VISITS = st.lists(
    st.tuples(pieces(longest=8), st.sampled_from(["booked", "arrived", "completed", "no_show"]), st.booleans()),
    max_size=8,
)
#: A block of the doctor or of the chair; when it ends by itself, in quarters from now; lifted?
BLOCKS = st.lists(
    st.tuples(pieces(longest=8), st.booleans(), st.sampled_from([None, -1, 1]), st.booleans()), max_size=4
)


def at(day: int, quarter: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), time()) + quarter * QUARTER


def apart(found: list[Piece]) -> list[Piece]:
    """Of pieces that overlap, the first; those that touch stay."""
    kept: list[Piece] = []
    for piece in found:
        if all(piece.day != k.day or piece.end <= k.start or k.end <= piece.start for k in kept):
            kept.append(piece)
    return kept


@pytest.fixture
def room(make: Any) -> SimpleNamespace:
    """A branch with a doctor, another doctor, and the chair that both may use; patients enough."""
    branch = make.branch()
    return SimpleNamespace(
        branch_id=branch.id, chair_id=branch.chair_id, doctor_id=make.doctor().id, other_id=make.doctor().id,
        patients=[make.patient().id for _ in range(8)],
    )  # fmt: skip


def naive(
    hours: list[Piece], busy: list[Piece], now: datetime, minutes: int, weekdays: set[int], after: int, before: int
) -> list[datetime]:
    """Where visits of so many minutes may begin, one after another in each free stretch of each piece of hours."""
    taken = {(piece.day, quarter) for piece in busy for quarter in range(piece.start, piece.end)}
    found = []
    for piece in hours:
        if (FIRST + timedelta(days=piece.day)).isoweekday() not in weekdays:
            continue
        quarter = piece.start
        while quarter < piece.end:
            stretch = quarter
            while stretch < piece.end and (piece.day, stretch) not in taken:
                stretch += 1
            moment = max(at(piece.day, max(quarter, after)), now)
            while moment + timedelta(minutes=minutes) <= at(piece.day, min(stretch, before)):
                found.append(moment)
                moment += timedelta(minutes=minutes)
            quarter = stretch + 1
    return sorted(found)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hours=st.lists(pieces(shortest=2, longest=60), min_size=1, max_size=4), visits=VISITS, blocks=BLOCKS,
    in_chair=st.booleans(), minutes=st.sampled_from([15, 20, 30, 45, 90]), now=st.integers(-50, 120),
    weekdays=st.sets(st.integers(0, 2), min_size=1), after=st.none() | st.integers(0, 95),
    before=st.none() | st.integers(1, 95), limit=st.sampled_from([1, 3, 200]),
)  # fmt: skip
def test_free_times_are_those_that_looking_at_every_quarter_finds(
    room: SimpleNamespace, hours: list[Piece], visits: Any, blocks: Any, in_chair: bool, minutes: int, now: int,
    weekdays: set[int], after: int | None, before: int | None, limit: int,
) -> None:  # fmt: skip
    hours = apart(hours)
    asked_days = {(FIRST + timedelta(days=n)).isoweekday() for n in weekdays}
    moment = at(0, now)
    chair_id = room.chair_id if in_chair else None
    busy: list[Piece] = []
    rows: list[Any] = [
        WorkingHours(
            doctor_id=room.doctor_id, branch_id=room.branch_id, chair_id=chair_id, starts_at=at(p.day, p.start),
            ends_at=at(p.day, p.end),
        )
        for p in hours
    ]  # fmt: skip
    standing: list[Piece] = []
    for (piece, status, of_other), patient_id in zip(visits, room.patients, strict=False):
        # Another doctor's visit matters only when it takes the chair.
        over = any(piece.day == k.day and piece.start < k.end and k.start < piece.end for k in standing)
        rows.append(
            Appointment(
                patient_id=patient_id, doctor_id=room.other_id if of_other else room.doctor_id,
                branch_id=room.branch_id, chair_id=room.chair_id if of_other else None,
                starts_at=at(piece.day, piece.start), ends_at=at(piece.day, piece.end), status=status,
                overbooked=over, overbook_reason="впритык" if over else "",
            )
        )  # fmt: skip
        if status != "no_show":
            standing = [*standing, piece]
            if in_chair or not of_other:
                busy.append(piece)
    for piece, of_chair, ends, lifted in blocks:
        expires_at = (moment + ends * QUARTER).replace(tzinfo=clock.zone()) if ends is not None else None
        rows.append(
            TimeBlock(
                kind="hold", branch_id=room.branch_id, doctor_id=None if of_chair else room.doctor_id,
                chair_id=room.chair_id if of_chair else None, starts_at=at(piece.day, piece.start),
                ends_at=at(piece.day, piece.end), reason="занято", expires_at=expires_at,
                lifted_at=clock.now() if lifted else None,
            )
        )  # fmt: skip
        if not lifted and (ends is None or ends > 0) and (in_chair or not of_chair):
            busy.append(piece)
    clocks = [time(quarter // 4, quarter % 4 * 15) if quarter is not None else None for quarter in (after, before)]
    try:
        session.add_all(rows)
        session.flush()
        with clock.at(moment):
            found = queries.free_slots(
                minutes, first=FIRST, days=DAYS, doctor_id=room.doctor_id, weekdays=sorted(asked_days), after=clocks[0],
                before=clocks[1], limit=limit,
            )  # fmt: skip
    finally:
        session.rollback()
    expected = naive(hours, busy, moment, minutes, asked_days, after or 0, MIDNIGHT if before is None else before)
    assert [slot["starts_at"] for slot in found] == [m.isoformat(timespec="minutes") for m in expected[:limit]]
    assert all(slot["chair_id"] == chair_id for slot in found)
    lengths = {datetime.fromisoformat(s["ends_at"]) - datetime.fromisoformat(s["starts_at"]) for s in found}
    assert lengths <= {timedelta(minutes=minutes)}
