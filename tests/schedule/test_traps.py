"""The traps of a schedule by name, by the clock of three clinics; one of them has two odd days in 2026.

On 29 March the hour from 2 to 3 is left out in Berlin, on 25 October it comes twice. A visit stands by the clock on the
wall: what was booked at 2:30 is at 2:30, lasts as long as was said, and touches its neighbours as on any other day.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from app import clock
from app.db import transaction
from app.errors import SlotTaken, WrongTimes
from app.models import Appointment, CancelReason, WorkingHours
from app.schedule import operations, queries
from tests.conftest import Maker

ZONES = [
    ("Europe/Moscow", date(2026, 3, 29)),
    ("Asia/Vladivostok", date(2026, 10, 25)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
]


class Room:
    """A doctor who works around the clock on one day, and somebody who books."""

    def __init__(self, make: Maker, day: date) -> None:
        self.make, self.day = make, day
        self.doctor, self.chair = make.doctor(), make.chair()
        start = datetime.combine(day, time())
        make._save(
            WorkingHours(doctor_id=self.doctor.id, branch_id=1, starts_at=start, ends_at=start + timedelta(days=1))
        )

    def at(self, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(self.day, time()) + timedelta(hours=hour, minutes=minute)

    def book(self, start: datetime, end: datetime, **more: Any) -> Appointment:
        patient = self.make.patient().id
        with transaction():
            visit: Appointment = operations.book(
                patient, more.pop("doctor_id", self.doctor.id), start, end, actor=None, **more
            )
        return visit

    def refused(self, start: datetime, end: datetime, **more: Any) -> int:
        with pytest.raises(SlotTaken) as refusal:
            self.book(start, end, **more)
        return int(refusal.value.facts["by"]["id"])


@pytest.fixture(params=ZONES, ids=[f"{zone} {day}" for zone, day in ZONES])
def room(request: pytest.FixtureRequest, make: Maker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    zone, day = request.param
    monkeypatch.setenv("CLINIC_TZ", zone)
    with clock.at(datetime.combine(day - timedelta(days=3), time(9))):
        yield Room(make, day)


def test_same_start(room: Room) -> None:
    first = room.book(room.at(2, 30), room.at(3, 30))
    assert room.refused(room.at(2, 30), room.at(2, 45)) == first.id


def test_nested(room: Room) -> None:
    first = room.book(room.at(2), room.at(4))
    assert room.refused(room.at(2, 30), room.at(3)) == first.id


def test_enclosing(room: Room) -> None:
    first = room.book(room.at(2, 30), room.at(3))
    assert room.refused(room.at(1), room.at(4)) == first.id


def test_touching(room: Room) -> None:
    room.book(room.at(2), room.at(3))
    assert room.book(room.at(3), room.at(4)).id
    assert room.book(room.at(1), room.at(2)).id


def test_empty_chair(room: Room) -> None:
    other = Room(room.make, room.day)
    empty = room.book(room.at(2, 30), room.at(3))
    assert other.book(room.at(2, 30), room.at(3)).id
    assert room.refused(room.at(2, 45), room.at(3), chair_id=room.chair.id) == empty.id
    taken = room.book(room.at(5), room.at(6), chair_id=room.chair.id)
    assert other.refused(room.at(5, 30), room.at(6), chair_id=room.chair.id) == taken.id
    assert other.book(room.at(5, 30), room.at(6)).chair_id is None


def test_cancelled_neighbour(room: Room) -> None:
    reason = room.make._save(CancelReason(name=f"Причина {datetime.now().timestamp()}"))
    first = room.book(room.at(2, 30), room.at(3, 30))
    with transaction():
        operations.cancel(first.id, reason.id, "patient", actor=None)
    second = room.book(room.at(2, 30), room.at(3, 30))
    with pytest.raises(SlotTaken) as refusal, transaction():
        operations.restore(first.id, actor=None)
    assert refusal.value.facts["by"]["id"] == second.id


def test_move_onto_itself(room: Room) -> None:
    visit = room.book(room.at(2, 30), room.at(3, 30))
    for start, end in [(room.at(2, 45), room.at(3, 45)), (room.at(2), room.at(4)), (room.at(2, 30), room.at(3))]:
        with transaction():
            operations.move(visit.id, visit.version, starts_at=start, ends_at=end, actor=None)
        assert (visit.starts_at, visit.ends_at) == (start, end)
    version = visit.version
    with transaction():
        operations.move(visit.id, version, starts_at=visit.starts_at, ends_at=visit.ends_at, actor=None)
    assert visit.version == version


def test_midnight(room: Room) -> None:
    last = room.book(room.at(23, 30), room.at(24))
    assert room.refused(room.at(23, 45), room.at(24)) == last.id
    with pytest.raises(WrongTimes):
        room.book(room.at(23, 30), room.at(24, 30))
    next_day = Room(room.make, room.day + timedelta(days=1))
    assert next_day.book(next_day.at(0), next_day.at(0, 30), doctor_id=next_day.doctor.id).id
    assert [row["ends_at"] for row in queries.day_sheet(room.day, doctor_id=room.doctor.id).appointments] == [
        f"{room.day + timedelta(days=1)}T00:00"
    ]


def test_the_clock_on_the_wall_stays(room: Room) -> None:
    """The hour that does not exist, and the one that comes twice, are hours of the day as all others."""
    visit = room.book(room.at(2, 30), room.at(3, 15))
    [row] = queries.day_sheet(room.day, doctor_id=room.doctor.id).appointments
    assert (row["starts_at"], row["ends_at"]) == (f"{room.day}T02:30", f"{room.day}T03:15")
    with transaction():
        operations.move(visit.id, 1, starts_at=room.at(1, 45), actor=None)
    assert (visit.starts_at, visit.ends_at) == (room.at(1, 45), room.at(2, 30))
    actor = room.make.user("senior")
    with transaction():
        operations.move(visit.id, 2, starts_at=room.at(10), actor=actor)
    with transaction():
        operations.undo_last(appointment_id=visit.id, actor=actor)
    assert (visit.starts_at, visit.ends_at) == (room.at(1, 45), room.at(2, 30))
    # Free pieces of a quarter of an hour count the day's 24 hours by the wall, 96 less what is taken.
    free = queries.free_slots(15, first=room.day, days=1, doctor_id=room.doctor.id, limit=200)
    assert len(free) == 93
    starts = [f"{room.at(0) + timedelta(days=7 * n):%Y-%m-%dT02:30}" for n in range(1, 3)]
    copy = room.book(room.at(2, 30), room.at(3))
    rows = operations.preview_series(copy.id, "weeks", 1, (), 2, actor=None)
    assert [row["starts_at"] for row in rows] == starts


def test_a_hold_ends_at_its_instant(room: Room) -> None:
    """Held until an instant, not for hours of a wall clock that jumps."""
    night = room.at(1, 30)
    with clock.at(night.replace(tzinfo=clock.zone())):
        until = clock.now() + timedelta(hours=1)
        with transaction():
            operations.block_time(
                "hold", room.at(10), room.at(11), "Звонят", doctor_id=room.doctor.id, expires_at=until, actor=None
            )
    with clock.at(until - timedelta(seconds=1)):
        room.refused(room.at(10), room.at(11))
    with clock.at(until):
        assert room.book(room.at(10), room.at(11)).id
