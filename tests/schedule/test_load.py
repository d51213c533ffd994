"""How full the days of a month are, against a model that counts minute by minute."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.schedule import queries
from tests.conftest import counted_statements

MONTH = date(2031, 3, 1)
DAYS = (date(2031, 3, 1), date(2031, 3, 31))
#: From … to … in minutes of a day, touching midnight at both ends.
SPANS = st.tuples(st.integers(0, 285), st.integers(1, 40)).map(
    lambda pair: (pair[0] * 5, min(1440, (pair[0] + pair[1]) * 5))
)
WHO = st.integers(0, 1)
HOURS = st.lists(st.tuples(WHO, st.sampled_from(DAYS), SPANS, st.booleans()), max_size=6)
VISITS = st.lists(
    st.tuples(
        WHO,
        st.sampled_from(DAYS),
        SPANS,
        st.sampled_from(["booked", "completed", "cancelled", "no_show"]),
        st.integers(-1, 1),
    ),
    max_size=8,
)
BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(["doctor", "chair"]),
        WHO,
        st.sampled_from(DAYS),
        SPANS,
        st.sampled_from(["stands", "lifted", "ended", "held"]),
    ),
    max_size=4,
)


class People(NamedTuple):
    """Two doctors with a chair each, patients, a branch of their own."""

    doctors: list[int]
    chairs: list[int]
    patients: list[int]
    branch_id: int
    reason: int


@pytest.fixture
def people(make: Any) -> People:
    from app.models import CancelReason

    branch = make.branch().id
    return People(
        [make.doctor(branch).id for _ in range(2)],
        [make.chair(branch).id for _ in range(2)],
        [make.patient().id for _ in range(8)],
        branch,
        make._save(CancelReason(name=f"Передумал {branch}")).id,
    )


def at(day: date, minute: int) -> datetime:
    return datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)


def apart(hours: list[Any]) -> list[Any]:
    """The hours of which none overlaps an earlier one of the same doctor; each doctor has an own chair."""
    kept: list[Any] = []
    for who, day, (start, end), seated in hours:
        if all(other[:2] != (who, day) or end <= other[2][0] or other[2][1] <= start for other in kept):
            kept.append((who, day, (start, end), seated))
    return kept


def naive(
    day: date, hours: list[Any], visits: list[Any], blocks: list[Any], only: int | None
) -> tuple[int, int, int, int]:
    """Minutes of hours, booked and free, and the number of visits, counted one by one."""
    total = booked = free = 0
    busy = [visit for visit in visits if visit[3] in ("booked", "completed") and visit[1] == day]
    standing = [block for block in blocks if block[4] in ("stands", "held") and block[2] == day]
    for who, _, (start, end), seated in [h for h in hours if h[1] == day and only in (None, h[0])]:
        for minute in range(start, end, 5):
            inside = lambda span: span[0] <= minute < span[1]  # noqa: B023, E731
            own = any(visit[0] == who and inside(visit[2]) for visit in busy)
            taken = (
                own
                or any(seated and visit[4] == who and inside(visit[2]) for visit in busy)
                or any(inside(b[3]) and b[1] == who and (b[0] == "doctor" or seated) for b in standing)
            )
            total, booked, free = total + 5, booked + 5 * own, free + 5 * (not taken)
    return total, booked, free, len([visit for visit in busy if only in (None, visit[0])])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=HOURS.map(apart), visits=VISITS, blocks=BLOCKS)
def test_the_month_counts_as_a_child_would(make: Any, people: People, hours: Any, visits: Any, blocks: Any) -> None:
    """Overlapping, nested, touching, side by side, in an empty chair, cancelled, held and lifted, up to midnight."""
    from app.db import session
    from app.models import Appointment, TimeBlock, WorkingHours

    doctors, chairs, patients, branch_id, reason = people
    try:
        for who, day, (start, end), seated in hours:
            session.add(
                WorkingHours(doctor_id=doctors[who], branch_id=branch_id, chair_id=chairs[who] if seated else None,
                             starts_at=at(day, start), ends_at=at(day, end))
            )  # fmt: skip
        for patient, (who, day, (start, end), status, seat) in zip(patients, visits, strict=False):
            why = {"cancelled_by": "clinic", "cancel_reason_id": reason} if status == "cancelled" else {}
            row = Appointment(
                patient_id=patient, doctor_id=doctors[who], branch_id=branch_id, status=status, overbooked=True,
                overbook_reason="Острая боль", starts_at=at(day, start), ends_at=at(day, end), **why,
            )  # fmt: skip
            row.chair_id = chairs[seat] if seat >= 0 else None
            session.add(row)
        for kind, who, day, (start, end), state in blocks:
            ended = {"ended": -timedelta(hours=1), "held": timedelta(hours=1)}.get(state)
            block = TimeBlock(kind="hold" if ended else "block", branch_id=branch_id, reason="Обход")
            block.starts_at, block.ends_at = at(day, start), at(day, end)
            block.doctor_id = doctors[who] if kind == "doctor" else None
            block.chair_id = chairs[who] if kind == "chair" else None
            block.lifted_at = clock.now() if state == "lifted" else None
            block.expires_at = clock.now() + ended if ended else None
            session.add(block)
        session.flush()
        for only in (None, 0, 1):
            asked = {"branch_id": branch_id, "doctor_id": None if only is None else doctors[only]}
            found = {row["day"]: row for row in queries.month_load(MONTH, **asked).days}
            assert len(found) == 31
            for day in DAYS:
                row = found[day.isoformat()]
                assert (row["hours"], row["booked"], row["free"], row["visits"]) == naive(
                    day, hours, visits, blocks, only
                )
                assert row["closed"] == row["hours"] - row["booked"] - row["free"] >= 0
                assert row["doctors"] == len({h[0] for h in hours if h[1] == day and only in (None, h[0])})
    finally:
        session.rollback()


def test_a_month_is_two_statements_and_knows_what_changed(app: Any, make: Any) -> None:
    branch, doctor = make.branch(), make.doctor()
    make.hours(doctor, DAYS[0], branch_id=branch.id)
    with counted_statements(app) as seen:
        first = queries.month_load(MONTH, branch_id=branch.id)
    assert len(seen) == 2
    assert [row["holiday"] for row in first.days if row["day"] == "2031-03-08"] == ["Международный женский день"]
    assert queries.month_load(date(2031, 3, 31), branch_id=branch.id) == first
    make.appointment(make.patient(), doctor, at(DAYS[0], 600), branch_id=branch.id)
    assert queries.month_load(MONTH, branch_id=branch.id).version != first.version


def test_the_week_of_a_doctor(app: Any, make: Any) -> None:
    doctor, other, branch = make.doctor(), make.doctor(), make.branch()
    monday = date(2031, 3, 3)
    make.hours(doctor, monday)
    make.hours(doctor, monday + timedelta(days=6), branch_id=branch.id, chair_id=branch.chair_id)
    make.hours(other, monday)
    sunday = make.appointment(make.patient(), doctor, at(monday, 6 * 1440 + 1410))
    make.appointment(make.patient(), doctor, at(monday, 7 * 1440))
    make.appointment(make.patient(), other, at(monday, 600))
    doctor_id = doctor.id
    with counted_statements(app) as seen:
        week = queries.week_sheet(monday + timedelta(days=3), doctor_id)
    assert len(seen) == 2
    assert week.day == monday and [day.isoweekday() for day in week.days] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["id"] for row in week.appointments] == [sunday.id]
    assert [row["starts_at"][:10] for row in week.hours] == ["2031-03-03", "2031-03-09"]
    assert queries.week_sheet(monday, doctor_id).version == week.version
