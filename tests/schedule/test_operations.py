"""Booking, moving, cancelling and meeting: what the desk can do, and what it is refused."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import (
    CardArchived,
    CardMerged,
    InThePast,
    Invalid,
    NotAllowed,
    NothingToUndo,
    OutsideHours,
    SlotTaken,
    Stale,
    TooEarly,
    WrongStatus,
    WrongTimes,
)
from app.models import Appointment, AuditEvent, CancelReason
from app.schedule import operations, queries

DAY = clock.today() + timedelta(days=30)


def at(hour: int, minute: int = 0, day: Any = None) -> datetime:
    return datetime.combine(day or DAY, time(hour, minute))


@pytest.fixture
def desk(make: Any) -> Any:
    return make.user("administrator")


@pytest.fixture
def senior(make: Any) -> Any:
    return make.user("senior")


@pytest.fixture
def doctor(make: Any) -> Any:
    """A doctor who sees patients on DAY from 8 to 20."""
    row = make.doctor()
    make.hours(row, DAY)
    return row


def book(patient: Any, doctor: Any, start: datetime, minutes: int = 30, **more: Any) -> Appointment:
    with transaction():
        return operations.book(patient.id, doctor.id, start, start + timedelta(minutes=minutes), **more)


def deeds(visit: Appointment) -> list[str]:
    return [row["what"] for row in queries.history(visit.id)]


def reason(make: Any) -> int:
    row = make._save(CancelReason(name=f"Причина {datetime.now().timestamp()}"))
    session.flush()
    return row.id


# --- booking ------------------------------------------------------------------------------------------------


def test_a_booking_is_recorded_and_is_a_first_visit(make: Any, doctor: Any, desk: Any) -> None:
    patient = make.patient()
    visit = book(patient, doctor, at(10), comment=" болит ", actor=desk)
    assert (visit.status, visit.version, visit.first_visit, visit.comment) == ("booked", 1, True, "болит")
    assert visit.created_by_id == desk.id
    assert deeds(visit) == ["appointment.booked"]
    assert not book(patient, doctor, at(12), actor=desk).first_visit


@pytest.mark.parametrize(
    ("start", "minutes"),
    [(at(10), 30), (at(9, 45), 30), (at(10, 15), 30), (at(10, 5), 10), (at(9), 120)],
    ids=["same", "over the start", "over the end", "nested", "enclosing"],
)
def test_a_busy_doctor_is_refused_with_who_is_in_the_way(
    make: Any, doctor: Any, desk: Any, start: datetime, minutes: int
) -> None:
    first = book(make.patient("Первый"), doctor, at(10), actor=desk)
    with pytest.raises(SlotTaken) as refused:
        book(make.patient(), doctor, start, minutes, actor=desk)
    facts = refused.value.facts
    assert facts["busy"] == "doctor"
    assert facts["by"]["id"] == first.id
    assert facts["by"]["doctor_id"] == doctor.id
    assert facts["by"]["starts_at"] == at(10).isoformat(timespec="minutes")
    assert facts["by"]["patient"].startswith("Первый")


@pytest.mark.parametrize("start", [at(9, 30), at(10, 30)], ids=["before", "after"])
def test_back_to_back_is_free(make: Any, doctor: Any, desk: Any, start: datetime) -> None:
    book(make.patient(), doctor, at(10), actor=desk)
    assert book(make.patient(), doctor, start, actor=desk).id


def test_a_cancelled_neighbour_and_a_no_show_leave_their_time(make: Any, doctor: Any, desk: Any) -> None:
    cancelled = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.cancel(cancelled.id, reason(make), "patient", actor=desk)
    missed = book(make.patient(), doctor, at(11), actor=desk)
    with transaction(), clock.at(at(11, 20)):
        operations.no_show(missed.id, actor=desk)
    assert book(make.patient(), doctor, at(10), actor=desk).id
    assert book(make.patient(), doctor, at(11), actor=desk).id


def test_a_chair_is_taken_once_and_an_empty_one_is_nobodys(make: Any, doctor: Any, desk: Any) -> None:
    other, chair = make.doctor(), make.chair()
    make.hours(other, DAY)
    book(make.patient(), doctor, at(10), chair_id=chair.id, actor=desk)
    with pytest.raises(SlotTaken) as refused:
        book(make.patient(), other, at(10, 15), chair_id=chair.id, actor=desk)
    assert refused.value.facts["busy"] == "chair"
    third = make.doctor()
    make.hours(third, DAY)
    assert book(make.patient(), other, at(12), actor=desk).chair_id is None
    assert book(make.patient(), third, at(12), actor=desk).chair_id is None


def test_a_patient_is_in_one_place_even_for_who_may_overbook(make: Any, doctor: Any, senior: Any) -> None:
    other, patient = make.doctor(), make.patient()
    make.hours(other, DAY)
    book(patient, doctor, at(10), actor=senior)
    with pytest.raises(SlotTaken) as refused:
        book(patient, other, at(10, 15), overbook_reason="очень надо", actor=senior)
    assert refused.value.facts["busy"] == "patient"


def test_overbooking_needs_the_right_and_a_reason(make: Any, doctor: Any, desk: Any, senior: Any) -> None:
    book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(NotAllowed):
        book(make.patient(), doctor, at(10), overbook_reason="боль", actor=desk)
    with pytest.raises(SlotTaken):
        book(make.patient(), doctor, at(10), overbook_reason="  ", actor=senior)
    visit = book(make.patient(), doctor, at(10), overbook_reason="боль", actor=senior)
    assert (visit.overbooked, visit.overbook_reason) == (True, "боль")
    with pytest.raises(SlotTaken):
        book(make.patient(), doctor, at(10, 20), actor=desk)
    free = book(make.patient(), doctor, at(15), overbook_reason="на всякий случай", actor=senior)
    assert not free.overbooked


def test_nobody_slips_into_the_time_of_an_overbooked_visit(make: Any, doctor: Any, desk: Any, senior: Any) -> None:
    first = book(make.patient(), doctor, at(10), actor=desk)
    second = book(make.patient(), doctor, at(10), overbook_reason="боль", actor=senior)
    with transaction():
        operations.cancel(first.id, reason(make), "patient", actor=desk)
    with pytest.raises(SlotTaken) as refused:
        book(make.patient(), doctor, at(10), actor=desk)
    assert refused.value.facts["by"]["id"] == second.id


def test_outside_hours_needs_the_right_and_a_reason(make: Any, doctor: Any, desk: Any, senior: Any) -> None:
    with pytest.raises(OutsideHours) as refused:
        book(make.patient(), doctor, at(19, 45), actor=desk)
    assert refused.value.facts["hours"] == [{"starts_at": f"{DAY}T08:00", "ends_at": f"{DAY}T20:00"}]
    with pytest.raises(NotAllowed):
        book(make.patient(), doctor, at(19, 45), outside_hours_reason="попросил", actor=desk)
    with pytest.raises(OutsideHours):
        book(make.patient(), doctor, at(19, 45), actor=senior)
    assert book(make.patient(), doctor, at(19, 45), outside_hours_reason="попросил", actor=senior).outside_hours_reason


def test_hours_that_touch_are_one(make: Any, desk: Any) -> None:
    doctor = make.doctor()
    make.hours(doctor, DAY, time(9), time(14))
    make.hours(doctor, DAY, time(14), time(20))
    assert book(make.patient(), doctor, at(13, 30), 60, actor=desk).id


def test_times_that_are_no_visit(make: Any, doctor: Any, desk: Any) -> None:
    patient = make.patient()
    for start, end in [(at(10), at(10)), (at(10), at(9)), (at(10), at(10, 4)), (at(23), at(23) + timedelta(hours=2))]:
        with pytest.raises(WrongTimes), transaction():
            operations.book(patient.id, doctor.id, start, end, actor=desk)


def test_earlier_today_is_written_down_late_yesterday_is_not(make: Any, desk: Any, senior: Any) -> None:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    make.hours(doctor, DAY - timedelta(days=1))
    with clock.at(at(15)):
        assert book(make.patient(), doctor, at(9), actor=desk).id
        with pytest.raises(InThePast):
            book(make.patient(), doctor, at(9) - timedelta(days=1), actor=desk)
        assert book(make.patient(), doctor, at(9) - timedelta(days=1), actor=senior).id


def test_who_and_what_must_exist(make: Any, doctor: Any, desk: Any) -> None:
    patient = make.patient()
    with pytest.raises(Invalid) as refused, transaction():
        operations.book(
            2_000_000_000, 2_000_000_000, at(10), at(11), chair_id=2_000_000_000, service_id=2_000_000_000, actor=desk
        )
    assert set(refused.value.facts["fields"]) == {"patient_id", "doctor_id", "chair_id", "service_id"}
    with pytest.raises(CardArchived):
        book(make.patient(status="archived"), doctor, at(10), actor=desk)
    merged = make.patient()  # from a window left open
    merged.status, merged.merged_into_id = "archived", patient.id
    session.commit()
    with pytest.raises(CardMerged):
        book(merged, doctor, at(10), actor=desk)
    assert session.scalar(select(func.count()).where(Appointment.patient_id == patient.id)) == 0


# --- moving -------------------------------------------------------------------------------------------------


def test_a_move_keeps_the_row_counts_and_asks_for_a_new_confirmation(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), 45, actor=desk)
    with transaction():
        operations.confirm(visit.id, actor=desk)
    with transaction():
        moved = operations.move(visit.id, 2, starts_at=at(15), actor=desk)
    assert moved.id == visit.id
    assert (moved.starts_at, moved.ends_at) == (at(15), at(15, 45))
    assert (moved.moves, moved.confirmation, moved.version) == (1, "not_notified", 3)
    last = queries.history(visit.id)[-1]
    assert last["what"] == "appointment.moved"
    assert last["from"]["starts_at"] == at(10).isoformat(timespec="minutes")
    assert last["to"]["starts_at"] == at(15).isoformat(timespec="minutes")


def test_an_edge_or_a_chair_is_no_move(make: Any, doctor: Any, desk: Any) -> None:
    visit, chair = book(make.patient(), doctor, at(10), actor=desk), make.chair()
    with transaction():
        operations.confirm(visit.id, actor=desk)
    with transaction():
        operations.move(visit.id, 2, ends_at=at(11), chair_id=chair.id, comment="ещё", actor=desk)
    assert (visit.moves, visit.confirmation, visit.chair_id, visit.comment) == (0, "confirmed", chair.id, "ещё")
    with transaction():
        operations.move(visit.id, 3, chair_id=None, actor=desk)
    assert visit.chair_id is None


def test_a_move_onto_itself_changes_nothing_but_overlaps_only_itself(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.move(visit.id, 1, starts_at=at(10), ends_at=at(10, 30), actor=desk)
    assert (visit.version, visit.moves) == (1, 0)
    with transaction():
        operations.move(visit.id, 1, starts_at=at(10, 15), actor=desk)
    assert (visit.starts_at, visit.ends_at) == (at(10, 15), at(10, 45))


def test_a_refused_move_leaves_all_as_it_was(make: Any, doctor: Any, desk: Any) -> None:
    other = book(make.patient(), doctor, at(12), actor=desk)
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(SlotTaken) as refused, transaction():
        operations.move(visit.id, 1, starts_at=at(12, 15), comment="нет", actor=desk)
    assert refused.value.facts["by"]["id"] == other.id
    session.refresh(visit)
    assert (visit.starts_at, visit.version, visit.comment) == (at(10), 1, "")


def test_a_stale_version_is_refused_with_the_visit_as_it_is(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.move(visit.id, 1, comment="один", actor=desk)
    with pytest.raises(Stale) as refused, transaction():
        operations.move(visit.id, 1, comment="два", actor=desk)
    assert refused.value.facts["current"]["comment"] == "один"
    assert refused.value.facts["current"]["version"] == 2


def test_an_overbooked_visit_moved_to_free_time_is_overbooked_no_more(
    make: Any, doctor: Any, desk: Any, senior: Any
) -> None:
    first = book(make.patient(), doctor, at(10), actor=desk)
    visit = book(make.patient(), doctor, at(10), overbook_reason="боль", actor=senior)
    with transaction():
        operations.move(visit.id, 1, ends_at=at(10, 20), actor=desk)
    assert visit.overbooked
    with transaction():
        operations.move(first.id, 1, ends_at=at(10, 25), actor=desk)
    with transaction():
        operations.move(visit.id, 2, starts_at=at(16), actor=desk)
    assert not visit.overbooked


def test_a_visit_follows_its_doctor_to_another_branch(make: Any, doctor: Any, desk: Any) -> None:
    branch, other = make.branch(), make.doctor()
    make.hours(other, DAY, branch_id=branch.id)
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.move(visit.id, 1, doctor_id=other.id, actor=desk)
    assert (visit.branch_id, visit.moves) == (branch.id, 1)


# --- cancelling and coming back -------------------------------------------------------------------------------


def test_a_cancellation_has_a_reason_and_may_be_late(make: Any, doctor: Any, desk: Any) -> None:
    early, late = book(make.patient(), doctor, at(10), actor=desk), book(make.patient(), doctor, at(12), actor=desk)
    why = reason(make)
    with transaction(), clock.at(at(9) - timedelta(days=1)):
        operations.cancel(early.id, why, "patient", "заболел", actor=desk)
    with transaction(), clock.at(at(9)):
        operations.cancel(late.id, why, "clinic", actor=desk)
    assert (early.late_cancel, early.cancel_comment, early.cancelled_by) == (False, "заболел", "patient")
    assert late.late_cancel
    third = book(make.patient(), doctor, at(14), actor=desk)
    for reason_id, by in [(2_000_000_000, "patient"), (why, "nobody")]:
        with pytest.raises(Invalid), transaction():
            operations.cancel(third.id, reason_id, by, actor=desk)


def test_only_before_arrival_is_a_visit_cancelled(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.arrive(visit.id, actor=desk)
    with pytest.raises(WrongStatus), transaction():
        operations.cancel(visit.id, reason(make), "patient", actor=desk)


def test_a_cancelled_visit_comes_back_if_its_time_is_free(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction():
        operations.cancel(visit.id, reason(make), "patient", actor=desk)
    other = book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(SlotTaken) as refused, transaction():
        operations.restore(visit.id, actor=desk)
    assert refused.value.facts["by"]["id"] == other.id
    with transaction():
        operations.move(other.id, 1, starts_at=at(11), actor=desk)
    with transaction():
        operations.restore(visit.id, actor=desk)
    assert (visit.status, visit.cancelled_at, visit.cancel_reason_id) == ("booked", None, None)


# --- meeting ------------------------------------------------------------------------------------------------


def test_a_visit_goes_its_way_and_back(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with clock.at(at(10)):
        for step, status in [("arrive", "arrived"), ("start", "in_progress"), ("complete", "completed")]:
            with transaction():
                getattr(operations, step)(visit.id, actor=desk)
            assert visit.status == status
        for status in ("in_progress", "arrived", "booked"):
            with transaction():
                operations.undo(visit.id, actor=desk)
            assert visit.status == status
        with pytest.raises(NothingToUndo), transaction():
            operations.undo(visit.id, actor=desk)
    assert (visit.arrived_at, visit.started_at, visit.completed_at) == (None, None, None)
    assert deeds(visit)[-3:] == ["appointment.undone"] * 3


@pytest.mark.parametrize("step", ["start", "complete", "restore"])
def test_steps_come_in_order(make: Any, doctor: Any, desk: Any, step: str) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(WrongStatus), transaction():
        getattr(operations, step)(visit.id, actor=desk)


def test_tomorrow_a_step_is_no_longer_undone(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with transaction(), clock.at(at(10)):
        operations.arrive(visit.id, actor=desk)
    with pytest.raises(NothingToUndo), transaction(), clock.at(at(1) + timedelta(days=1)):
        operations.undo(visit.id, actor=desk)


def test_a_no_show_only_after_the_start_and_undone_only_into_free_time(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(TooEarly), transaction(), clock.at(at(9, 59)):
        operations.no_show(visit.id, actor=desk)
    with clock.at(at(10, 20)):
        with transaction():
            operations.no_show(visit.id, actor=desk)
        other = book(make.patient(), doctor, at(10), actor=desk)
        with pytest.raises(SlotTaken), transaction():
            operations.undo(visit.id, actor=desk)
        with transaction():
            operations.cancel(other.id, reason(make), "clinic", actor=desk)
        with transaction():
            operations.undo(visit.id, actor=desk)
    assert visit.status == "booked"


def test_a_doctor_meets_own_patients_only(make: Any, desk: Any) -> None:
    doctor = make.user("doctor")
    visit = book(make.patient(), make.doctor(), at(10), actor=None, outside_hours_reason="тест")
    with pytest.raises(NotAllowed), transaction():
        operations.arrive(visit.id, actor=doctor)


def test_nothing_is_written_without_its_record(make: Any, doctor: Any, desk: Any) -> None:
    visit = book(make.patient(), doctor, at(10), actor=desk)
    with pytest.raises(RuntimeError), transaction():
        operations.arrive(visit.id, actor=desk)
        raise RuntimeError
    session.refresh(visit)
    assert visit.status == "booked"
    count = select(func.count()).where(AuditEvent.object_id == visit.id, AuditEvent.object_type == "appointment")
    assert session.scalar(count) == 1


# --- closed time and hours ------------------------------------------------------------------------------------


def test_blocked_time_takes_no_visit_and_a_visit_takes_no_block(make: Any, doctor: Any, desk: Any) -> None:
    with transaction():
        block = operations.block_time("block", at(13), at(14), "Совещание", doctor_id=doctor.id, actor=desk)
    with pytest.raises(SlotTaken) as refused:
        book(make.patient(), doctor, at(13, 30), actor=desk)
    assert refused.value.facts["by"]["kind"] == "block"
    assert refused.value.facts["by"]["reason"] == "Совещание"
    visit = book(make.patient(), doctor, at(14), actor=desk)
    with pytest.raises(SlotTaken) as refused, transaction():
        operations.block_time("hold", at(14, 15), at(15), "Для Иванова", doctor_id=doctor.id, actor=desk)
    assert refused.value.facts["by"]["id"] == visit.id
    with transaction():
        operations.lift_block(block.id, actor=desk)
    assert book(make.patient(), doctor, at(13, 30), actor=desk).id


def test_a_broken_chair_takes_nobody(make: Any, doctor: Any, desk: Any) -> None:
    chair = make.chair()
    with transaction():
        operations.block_time("block", at(9), at(18), "Ремонт", chair_id=chair.id, actor=desk)
    with pytest.raises(SlotTaken) as refused:
        book(make.patient(), doctor, at(10), chair_id=chair.id, actor=desk)
    assert refused.value.facts["busy"] == "chair"
    assert book(make.patient(), doctor, at(10), actor=desk).id
