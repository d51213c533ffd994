"""What weekly patterns give: against a naive model that walks every day, over New Year, in zones with summer time."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InThePast, Invalid
from app.schedule import rules
from app.schedule.rules import Hours, Shift, Span, Weekly

MONDAY = date(2026, 11, 23)  # week 48, even
DAYS = st.dates(date(2025, 12, 1), date(2027, 2, 28))
TIMES = st.sampled_from([time(hour, minute) for hour in range(24) for minute in (0, 30)])


@st.composite
def weekly(draw: st.DrawFn, doctor_id: int = 1) -> Weekly:
    start = draw(TIMES)
    end = draw(st.sampled_from([t for t in [time(h, m) for h in range(24) for m in (0, 30)] if t > start] + [time()]))
    first = draw(DAYS)
    last = draw(st.none() | st.integers(0, 120).map(lambda n: first + timedelta(days=n)))
    return Weekly(
        start, end, 1, draw(st.sampled_from([None, 1, 2])), draw(st.integers(1, 7)),
        draw(st.sampled_from(["every", "odd", "even"])), first, last, doctor_id, draw(st.integers(1, 10**6)),
    )  # fmt: skip


def naive(day: date, line: Weekly) -> bool:
    """Written another way: by counting Thursdays instead of the calendar's week numbers."""
    if (day - MONDAY).days % 7 != line.weekday - 1:
        return False
    if day < line.first_day or (line.last_day and day > line.last_day):
        return False
    thursday = day + timedelta(days=3 - day.weekday())
    number = (thursday - date(thursday.year, 1, 1)).days // 7 + 1
    return line.weeks == "every" or (number % 2 == 0) == (line.weeks == "even")


def line(weekday: int = 1, weeks: str = "every", start: int = 9, end: int = 15, **more: object) -> Weekly:
    values = {"first_day": MONDAY, "last_day": None, "doctor_id": 1, "chair_id": 1, "id": None, **more}
    return Weekly(
        time(start), time(end % 24), 1, values["chair_id"], weekday, weeks, values["first_day"], values["last_day"],
        values["doctor_id"], values["id"],
    )  # type: ignore[arg-type]  # fmt: skip


# --- against the naive model --------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(weekly(), max_size=6), DAYS, st.integers(0, 90), st.sets(DAYS, max_size=20), st.sets(DAYS, max_size=20))
def test_patterns_give_what_walking_every_day_gives(
    week: list[Weekly], first: date, length: int, closed: set[date], by_hand: set[date]
) -> None:
    last = first + timedelta(days=length)
    expected = []
    day = first
    while day <= last:
        if day not in closed and day not in by_hand:
            expected += sorted(((day, row) for row in week if naive(day, row)), key=lambda pair: pair[1].start)
        day += timedelta(days=1)
    made = rules.hours_made(first, last, week, closed=closed, by_hand=by_hand)
    assert [(day, row.start) for day, row in made] == [(day, row.start) for day, row in expected]
    assert sorted(map(str, made)) == sorted(map(str, expected))


@settings(max_examples=300)
@given(weekly(), weekly())
def test_two_patterns_meet_exactly_when_a_day_of_both_exists(one: Weekly, other: Weekly) -> None:
    start = max(one.first_day, other.first_day)
    meets = one.minutes()[0] < other.minutes()[1] and other.minutes()[0] < one.minutes()[1]
    days = [start + timedelta(days=n) for n in range(28)]
    expected = next((day for day in days if meets and naive(day, one) and naive(day, other)), None)
    assert rules.common_day(one, other) == expected


@settings(max_examples=50)
@given(st.lists(weekly(), max_size=5), st.lists(weekly(), max_size=3), DAYS, st.none() | st.integers(0, 60))
def test_a_new_week_changes_its_days_only(
    old: list[Weekly], lines: list[Weekly], first: date, length: int | None
) -> None:
    """Before the change, and after its last day, everything is as it was; between them it is exactly the new week."""
    last = None if length is None else first + timedelta(days=length)
    old = [Weekly(**{**vars(row), "id": number}) for number, row in enumerate(old)]
    cut = rules.new_week(old, lines, first, last)
    changed = {row.id: row for row in cut.changed}
    gone = {row.id for row in cut.gone}
    after = [changed.get(row.id, row) for row in old if row.id not in gone] + cut.added
    day = date(2025, 11, 20)
    while day < date(2027, 8, 1):
        if first <= day and (last is None or day <= last):
            wanted = [Weekly(**{**vars(row), "first_day": first, "last_day": last}) for row in lines]
        else:
            wanted = old
        assert sorted(str(row.on(day)) for row in after if naive(day, row)) == sorted(
            str(row.on(day)) for row in wanted if naive(day, row)
        )
        day += timedelta(days=1)


SPANS = st.tuples(st.integers(0, 46), st.integers(1, 12)).map(lambda pair: (pair[0] * 30, (pair[0] + pair[1]) * 30))


@settings(max_examples=300)
@given(SPANS, st.lists(SPANS, max_size=3), st.lists(SPANS, max_size=3))
def test_a_visit_is_displaced_when_it_loses_minutes(
    visit: tuple[int, int], old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    def hours(pairs: list[tuple[int, int]]) -> list[Hours]:
        return [Hours(_at(start), _at(end), 1, None) for start, end in pairs]

    def minutes(pairs: list[tuple[int, int]]) -> set[int]:
        return {minute for start, end in pairs for minute in range(start, end)} & set(range(*visit))

    lost = len(minutes(new)) < len(minutes(old))
    assert rules.is_displaced(Span(_at(visit[0]), _at(visit[1])), 1, hours(old), hours(new)) == lost
    assert rules.is_displaced(Span(_at(visit[0]), _at(visit[1])), 2, hours(old), hours(new)) is False


def _at(minute: int) -> datetime:
    return datetime.combine(MONDAY, time()) + timedelta(minutes=minute)


# --- by name --------------------------------------------------------------------------------------------------


def test_two_odd_weeks_follow_each_other_over_the_new_year() -> None:
    """2026 has a week 53: it is odd, and so is week 1 after it; even weeks are then three weeks apart."""
    odd, even = line(weeks="odd"), line(weeks="even")
    mondays = [MONDAY + timedelta(weeks=n) for n in range(9)]
    assert [rules.week_of(day) for day in mondays] == [48, 49, 50, 51, 52, 53, 1, 2, 3]
    assert [odd.falls_on(day) for day in mondays] == [False, True, False, True, False, True, True, False, True]
    assert [even.falls_on(day) for day in mondays] == [not odd.falls_on(day) for day in mondays]
    # The days around New Year belong to the week, not to the year.
    assert rules.week_of(date(2026, 12, 31)) == rules.week_of(date(2027, 1, 3)) == 53


def test_a_pattern_changes_in_the_middle_of_a_week() -> None:
    old = [line(weekday, id=weekday) for weekday in range(1, 6)]
    thursday = MONDAY + timedelta(days=3)
    cut = rules.new_week(old, [line(weekday, start=14, end=20) for weekday in range(1, 6)], thursday, None)
    week = [*cut.changed, *cut.added]
    starts = [row.start.hour for day, row in rules.hours_made(MONDAY, MONDAY + timedelta(days=11), week)]
    assert starts == [9, 9, 9, 14, 14, 14, 14, 14, 14, 14]
    assert [row.last_day for row in cut.changed] == [thursday - timedelta(days=1)] * 5


def test_the_same_week_again_changes_nothing() -> None:
    old = [line(weekday, id=weekday) for weekday in (1, 3)]
    cut = rules.new_week(old, [line(1), line(3)], MONDAY + timedelta(days=1), None)
    assert (cut.changed, cut.gone, cut.added) == ([], [], [])


def test_midnight_ends_a_shift() -> None:
    late = Shift(time(16), time(), 1, None)
    assert late.on(MONDAY).ends_at == datetime.combine(MONDAY + timedelta(days=1), time())
    assert rules.in_words([late]) == "16:00–24:00"
    rules.check_shifts([late, Shift(time(8), time(16), 1, None)])
    with pytest.raises(Invalid):
        rules.check_shifts([late, Shift(time(23, 55), time(), 1, None)])


@pytest.mark.parametrize("bad", [(9, 9), (15, 9)])
def test_a_shift_ends_after_it_begins(bad: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_shifts([Shift(time(8), time(9), 1, None), Shift(time(bad[0]), time(bad[1]), 1, None)])
    assert list(refused.value.facts["fields"]) == ["shifts.1"]


def test_odd_and_even_shifts_stand_at_the_same_hour() -> None:
    rules.check_shifts([line(weeks="odd"), line(weeks="even")], "lines")
    with pytest.raises(Invalid):
        rules.check_shifts([line(weeks="odd"), line(weeks="every", start=14, end=16)], "lines")


def test_holidays_of_russia_and_the_clinics_word() -> None:
    first, last = date(2026, 12, 28), date(2027, 1, 12)
    public = rules.public_holidays(first, last)
    assert public[date(2027, 1, 7)] == "Рождество Христово"
    assert rules.public_holidays(first, last, "en")[date(2027, 1, 7)] == "Christmas Day"
    assert date(2026, 12, 31) in public  # transferred by the government
    closed = rules.closed_days(first, last, {date(2027, 1, 8): False, date(2027, 1, 12): True})
    assert date(2027, 1, 8) not in closed
    assert {date(2027, 1, 7), date(2027, 1, 12)} <= closed
    assert date(2027, 1, 11) not in closed


def test_days_are_to_come_and_not_too_many() -> None:
    rules.check_days([MONDAY], MONDAY)
    with pytest.raises(InThePast):
        rules.check_days([MONDAY - timedelta(days=1), MONDAY], MONDAY)
    for days in ([], [MONDAY + timedelta(days=n) for n in range(93)]):
        with pytest.raises(Invalid):
            rules.check_days(days, MONDAY)


@pytest.mark.parametrize(
    ("last", "onto"), [(-1, 7), (6, 6), (6, 8), (200, 210)], ids=["turned round", "overlaps", "weekday", "too long"]
)
def test_a_copied_period_begins_on_its_weekday(last: int, onto: int) -> None:
    with pytest.raises(Invalid):
        rules.check_copy(MONDAY, MONDAY + timedelta(days=last), MONDAY + timedelta(days=onto), MONDAY)
