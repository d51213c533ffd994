"""When to try again, and who may touch a task: the rules against a naive model."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Invalid, NextTryNeeded, TaskClosed, TaskTaken
from app.tasks import rules
from app.vocab import AttemptResult, TaskResult

MONDAY = date(2026, 11, 23)
moments = st.datetimes(datetime(2026, 11, 20), datetime(2026, 12, 20), allow_imaginary=False)
days = st.frozensets(st.integers(0, 13).map(lambda n: MONDAY + timedelta(days=n)), min_size=1)


def at(hour: int, minute: int = 0, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute))


@pytest.mark.parametrize(
    ("times", "now", "expected"),
    [
        (1, at(10, 15), at(12, 15)),
        (1, at(17, 59), at(19, 59)),
        (1, at(18, 0), at(9, 0, MONDAY + timedelta(1))),  # 20:00: the working time is over
        (1, at(23, 30), at(9, 0, MONDAY + timedelta(1))),
        (1, at(5, 0), at(9, 0)),
        (2, at(10, 15), at(9, 0, MONDAY + timedelta(1))),
        (3, at(10, 15), at(10, 15, MONDAY + timedelta(3))),
        (3, at(21, 15), at(9, 0, MONDAY + timedelta(4))),
        (4, at(10, 15), None),
        (9, at(10, 15), None),
    ],
)
def test_next_try(times: int, now: datetime, expected: datetime | None) -> None:
    assert rules.next_try(times, now) == expected


def test_closed_days_are_passed_over() -> None:
    friday, monday = MONDAY + timedelta(4), MONDAY + timedelta(7)
    works = frozenset({friday, monday})
    assert rules.next_try(2, at(10, day=friday), works, monday) == at(9, day=monday)
    assert rules.next_try(1, at(19, day=friday), works, monday) == at(9, day=monday)
    assert rules.next_try(3, at(10, day=friday), works, monday) == at(10, day=monday)
    # what lies beyond the known days counts as open
    assert rules.next_try(2, at(10, day=monday), works, monday) == at(9, day=monday + timedelta(1))


def naive(moment: datetime, open_days: frozenset[date], known_to: date) -> datetime:
    """Minute by minute until patients are called."""
    while not (
        rules.CALLS_FROM <= moment.time() < rules.CALLS_TO and (moment.date() > known_to or moment.date() in open_days)
    ):
        moment = (moment + timedelta(minutes=1)).replace(second=0, microsecond=0)
    return moment


@settings(max_examples=50)  # never timing; the model goes minute by minute
@given(moments, days)
def test_working_time_is_what_a_naive_model_finds(moment: datetime, open_days: frozenset[date]) -> None:
    known_to = max(open_days)
    assert rules.in_working_time(moment, open_days, known_to) == naive(moment, open_days, known_to)


@given(st.integers(1, 3), moments, days)
def test_the_next_try_is_later_and_in_working_time(times: int, now: datetime, open_days: frozenset[date]) -> None:
    known_to = max(open_days)
    found = rules.next_try(times, now, open_days, known_to)
    assert found is not None and found > now
    assert rules.CALLS_FROM <= found.time() < rules.CALLS_TO
    assert found.date() in open_days or found.date() > known_to
    wait = {1: timedelta(hours=2), 2: timedelta(0), 3: timedelta(days=3)}[times]
    assert found >= now + wait
    if times == 2:
        assert found.date() > now.date() and found.time() == rules.CALLS_FROM


@given(st.lists(st.sampled_from(list(AttemptResult))))
def test_missed_counts_the_last_ones_in_a_row(results: list[str]) -> None:
    tail = "".join("n" if one == AttemptResult.NOT_REACHED else "x" for one in results)
    assert rules.missed(results) == len(tail) - len(tail.rstrip("n"))


def test_a_chosen_time() -> None:
    assert rules.chosen_try(at(8), at(7)) == at(8)  # the patient asked for it: any hour
    with pytest.raises(NextTryNeeded):
        rules.chosen_try(None, at(10))
    for wrong in (at(10), at(9), at(10) + timedelta(days=400)):
        with pytest.raises(Invalid):
            rules.chosen_try(wrong, at(10))


def test_a_claim_is_somebodys_and_runs_out() -> None:
    rules.check_mine(None, None, at(10), me=1, who="")
    rules.check_mine(1, at(9, 59), at(10), me=1, who="Петрова")
    rules.check_mine(2, at(9, 45), at(10), me=1, who="Петрова")
    with pytest.raises(TaskTaken) as refusal:
        rules.check_mine(2, at(9, 46), at(10), me=1, who="Петрова")
    assert refusal.value.facts == {"by": "Петрова"}
    with pytest.raises(TaskTaken):
        rules.check_mine(2, at(9, 46), at(10), me=None, who="Петрова")


def test_results() -> None:
    assert rules.check_result("informed", None) is TaskResult.INFORMED
    assert rules.check_result("refused", 3) is TaskResult.REFUSED
    for result, reason in (("refused", None), ("booked", 3), ("not_needed", None), ("", None), ("x", None)):
        with pytest.raises(Invalid):
            rules.check_result(result, reason)
    with pytest.raises(TaskClosed):
        rules.check_open("closed", "booked")


def test_what_is_said_twice_stands_once() -> None:
    assert rules.added_note("", " Снимок готов ") == "Снимок готов"
    assert rules.added_note("Снимок готов", "Снимок готов") == "Снимок готов"
    assert rules.added_note("Снимок готов", "Спросить о боли") == "Снимок готов; Спросить о боли"
    assert rules.added_note("Снимок готов", "") == "Снимок готов"
