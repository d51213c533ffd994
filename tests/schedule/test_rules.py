"""The decisions of the schedule, without a database."""

from datetime import date, datetime, time, timedelta

import pytest

from app.errors import InThePast, NotAllowed, OutsideHours, SlotTaken, WrongStatus, WrongTimes
from app.schedule import rules
from app.schedule.rules import Busy, Hours, Slot, Span

DAY = date(2026, 11, 23)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


def busy(start: datetime, end: datetime, *, doctor: int | None = 1, chair: int | None = None, patient: int = 7) -> Busy:
    return Busy(start, end, rules.VISIT, 5, doctor, chair, patient, "Иванова М. С.")


@pytest.mark.parametrize(
    ("start", "end", "meets"),
    [
        (at(9), at(10), False), (at(10, 30), at(11), False), (at(9), at(10, 1), True), (at(10, 29), at(11), True),
        (at(10, 5), at(10, 10), True), (at(9), at(12), True), (at(10), at(10, 30), True),
    ],
)  # fmt: skip
def test_spans_are_half_open(start: datetime, end: datetime, meets: bool) -> None:
    assert Span(start, end).meets(Span(at(10), at(10, 30))) is meets


def test_a_visit_ends_on_its_day_or_at_midnight() -> None:
    rules.check_times(at(23, 30), at(0) + timedelta(days=1))
    for start, end in [(at(10), at(10, 4)), (at(10), at(10)), (at(10), at(9)), (at(23), at(0, 5) + timedelta(days=1))]:
        with pytest.raises(WrongTimes):
            rules.check_times(start, end)


def test_an_earlier_day_needs_the_right() -> None:
    rules.check_not_past(at(0, 5), DAY, may_look_back=False)
    rules.check_not_past(at(9) - timedelta(days=3), DAY, may_look_back=True)
    with pytest.raises(InThePast):
        rules.check_not_past(at(23) - timedelta(days=1), DAY, may_look_back=False)


def test_hours_that_touch_are_one_and_a_gap_is_a_gap() -> None:
    hours = [Hours(at(9), at(14), 1, 1), Hours(at(14), at(16), 1, 2), Hours(at(17), at(20), 1, 2)]
    assert rules.lies_within(Span(at(13), at(15)), hours)
    assert not rules.lies_within(Span(at(15, 30), at(17, 30)), hours)
    assert not rules.lies_within(Span(at(8, 55), at(9, 30)), hours)
    assert rules.hours_in_words(hours) == "09:00–16:00, 17:00–20:00"
    assert rules.hours_in_words([]) == "—"


def test_outside_hours_on_purpose() -> None:
    span = Span(at(21), at(22))
    with pytest.raises(OutsideHours):
        rules.check_hours(span, [], reason="", may_go_outside=True)
    with pytest.raises(NotAllowed):
        rules.check_hours(span, [], reason="боль", may_go_outside=False)
    assert rules.check_hours(span, [], reason="боль", may_go_outside=True) == "боль"
    assert rules.check_hours(span, [Hours(at(20), at(23), 1, None)], reason="зря", may_go_outside=True) == ""


@pytest.mark.parametrize(
    ("slot", "what"),
    [
        (Slot(at(10), at(11), 1, None, 8), "doctor"),
        (Slot(at(10), at(11), 2, 3, 8), "chair"),
        (Slot(at(10), at(11), 2, None, 7), "patient"),
        (Slot(at(10), at(11), 1, 3, 7), "patient"),
        (Slot(at(10), at(11), 2, None, 8), None),
        (Slot(at(11), at(12), 1, 3, 7), None),
    ],
)
def test_what_two_visits_share(slot: Slot, what: str | None) -> None:
    assert rules.shared(slot, busy(at(10), at(11), chair=3)) == what


def test_an_empty_chair_is_nobodys() -> None:
    assert rules.shared(Slot(at(10), at(11), 2, None, 8), busy(at(10), at(11), chair=None)) is None


def test_the_refusal_says_who_is_there() -> None:
    slot = Slot(at(10), at(11), 1, None, 8)
    with pytest.raises(SlotTaken) as refused:
        rules.check_slot(slot, [busy(at(10, 30), at(11))], reason="", may_overbook=True)
    assert refused.value.words["what"] == "10:30–11:00, Иванова М. С"
    assert refused.value.facts["by"]["patient"] == "Иванова М. С."
    with pytest.raises(NotAllowed):
        rules.check_slot(slot, [busy(at(10, 30), at(11))], reason="боль", may_overbook=False)
    with pytest.raises(SlotTaken):
        rules.check_slot(slot, [busy(at(10), at(11), patient=8)], reason="боль", may_overbook=True)


def test_what_stood_side_by_side_may_stay() -> None:
    neighbour = busy(at(10), at(11))
    old, new = Slot(at(10, 30), at(11, 30), 1, None, 8), Slot(at(10, 45), at(11, 30), 1, None, 8)
    assert rules.check_slot(new, [neighbour], reason="", may_overbook=False, old=old) == ""
    with pytest.raises(SlotTaken):
        rules.check_slot(new, [neighbour], reason="", may_overbook=False, old=Slot(at(12), at(13), 1, None, 8))


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("arrive", "booked", "arrived"), ("start", "arrived", "in_progress"), ("complete", "in_progress", "completed"),
        ("no_show", "booked", "no_show"), ("cancel", "booked", "cancelled"), ("restore", "cancelled", "booked"),
    ],
)  # fmt: skip
def test_each_step_starts_from_one_status(step: str, before: str, after: str) -> None:
    for status in ("booked", "arrived", "in_progress", "completed", "cancelled", "no_show"):
        if status == before:
            assert rules.check_status(status, step) == after
        else:
            with pytest.raises(WrongStatus):
                rules.check_status(status, step)


@pytest.mark.parametrize(
    ("status", "elsewhere", "may"),
    [("booked", True, True), ("arrived", True, True), ("in_progress", True, False), ("in_progress", False, True),
     ("completed", False, False), ("cancelled", True, False), ("no_show", True, False)],
)  # fmt: skip
def test_what_is_moved(status: str, elsewhere: bool, may: bool) -> None:
    if may:
        rules.check_movable(status, elsewhere=elsewhere)
    else:
        with pytest.raises(WrongStatus):
            rules.check_movable(status, elsewhere=elsewhere)


def test_late_is_less_than_a_day_before() -> None:
    assert not rules.is_late(at(10), at(10) - timedelta(hours=24))
    assert rules.is_late(at(10), at(10) - timedelta(hours=23, minutes=59))


def test_slots_follow_each_other_within_the_wished_hours() -> None:
    gap = Span(at(9), at(11))
    assert [s.starts_at for s in rules.slots_in(gap, 45)] == [at(9), at(9, 45)]
    assert [s.starts_at for s in rules.slots_in(gap, 30, after=time(9, 50), before=time(10, 50))] == [
        at(9, 50),
        at(10, 20),
    ]
    assert list(rules.slots_in(gap, 150)) == []
    assert rules.rounded_up(at(9, 2)) == at(9, 5)
    assert rules.rounded_up(at(9, 5)) == at(9, 5)


def test_days_of_a_period() -> None:
    assert rules.days_of(DAY, DAY + timedelta(days=8), [1, 7]) == [
        DAY,
        DAY + timedelta(days=6),
        DAY + timedelta(days=7),
    ]
    assert rules.of_day(DAY, time(9), time(0)).ends_at == at(0) + timedelta(days=1)
