"""Which messages a visit has, after each thing that can happen to it."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.messages import operations
from app.models import Appointment, OutboxMessage, PatientConsent, PatientPhone
from app.vocab import MessageStatus

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """It is noon: messages may leave."""
    with clock.at(datetime.combine(clock.today(), time(12))):
        yield


@pytest.fixture
def start() -> datetime:
    """Ten in the morning, ten days from now."""
    return datetime.combine(clock.today() + 10 * DAY, time(10))


@pytest.fixture
def visit(make: Any, start: datetime) -> Appointment:
    with transaction():
        operations.add_first_templates()
    return make.appointment(make.patient(), make.doctor(), start)  # type: ignore[no-any-return]


def plan(visit: Appointment) -> None:
    with transaction():
        operations.plan_visit(visit, actor=None)


def move(visit: Appointment, start: datetime) -> None:
    with transaction():
        visit.starts_at, visit.ends_at = start, start + timedelta(minutes=30)
        operations.replan_visit(visit, actor=None)


def cancel(visit: Appointment) -> None:
    from app.models import CancelReason

    with transaction():
        reason = session.scalars(select(CancelReason)).first() or CancelReason(name="Заболел")
        session.add(reason)
        session.flush()
        visit.status, visit.cancelled_by, visit.cancel_reason_id = "cancelled", "patient", reason.id
        operations.call_off_visit(visit, actor=None)


def send(visit: Appointment, kind: str) -> None:
    """Let a worker send the waiting message of this kind, when it is due."""
    row = one(visit, kind)
    with clock.at(row.due_at + timedelta(seconds=1)):
        with transaction():
            claim = operations.claim(row.id, timedelta(minutes=1))
        assert claim is not None
        with transaction():
            operations.mark_sent(claim)


def rows(visit: Appointment) -> list[OutboxMessage]:
    session.expire_all()
    return list(
        session.scalars(
            select(OutboxMessage).where(OutboxMessage.appointment_id == visit.id).order_by(OutboxMessage.id)
        )
    )


def one(visit: Appointment, kind: str) -> OutboxMessage:
    return next(row for row in rows(visit) if row.kind == kind and row.status == "pending")


def shown(visit: Appointment) -> list[tuple[str, str, datetime]]:
    return [(row.kind, row.status, row.planned_time) for row in rows(visit)]


def test_booking_plans_a_confirmation_and_a_reminder(visit: Appointment, start: datetime) -> None:
    plan(visit)
    assert shown(visit) == [("booked", "pending", start), ("reminder", "pending", start)]
    booked, reminder = rows(visit)
    assert timedelta(minutes=1) < booked.due_at - clock.now() <= timedelta(minutes=2)
    assert clock.wall(reminder.due_at) == start - DAY
    assert "Иван Петрович" in reminder.body and "10:00" in reminder.body and "{" not in reminder.body


def test_planning_twice_is_planning_once(visit: Appointment, start: datetime) -> None:
    plan(visit)
    plan(visit)
    assert shown(visit) == [("booked", "pending", start), ("reminder", "pending", start)]


def test_no_reminder_when_its_time_has_passed(make: Any, visit: Appointment) -> None:
    soon = make.appointment(
        make.patient(), make.doctor(), clock.wall_now().replace(minute=0, second=0, microsecond=0) + DAY / 2
    )
    if soon.starts_at.date() != soon.ends_at.date():
        pytest.skip("midnight")
    plan(soon)
    assert [row.kind for row in rows(soon)] == ["booked"]


def test_nobody_is_written_to_without_a_phone_or_against_his_wish(
    make: Any, visit: Appointment, start: datetime
) -> None:
    silent, stopped = make.patient(), make.patient()
    with transaction():
        session.scalars(select(PatientPhone).where(PatientPhone.patient_id == silent.id)).one().for_sms = False
        session.add(
            PatientConsent(
                patient_id=stopped.id, kind="service_messages", given_on=clock.today(), withdrawn_at=clock.now()
            )
        )
    for patient in (silent, stopped):
        other = make.appointment(patient, make.doctor(), start)
        plan(other)
        assert rows(other) == []


def test_past_visits_have_no_messages(make: Any, visit: Appointment) -> None:
    past = make.appointment(make.patient(), make.doctor(), datetime.combine(clock.today() - DAY, time(10)))
    plan(past)
    assert rows(past) == []


def test_a_move_before_anything_was_told_is_told_as_a_booking(visit: Appointment, start: datetime) -> None:
    plan(visit)
    move(visit, start + DAY)
    assert set(shown(visit)) == {
        ("booked", "cancelled", start), ("reminder", "cancelled", start),
        ("booked", "pending", start + DAY), ("reminder", "pending", start + DAY),
    }  # fmt: skip


def test_a_move_is_told_and_the_old_reminder_never_goes(visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    move(visit, start + DAY)
    assert set(shown(visit)) == {
        ("booked", "sent", start), ("reminder", "cancelled", start),
        ("moved", "pending", start + DAY), ("reminder", "pending", start + DAY),
    }  # fmt: skip


def test_there_and_back_within_the_undo_window_is_not_told(visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    move(visit, start + DAY)
    move(visit, start)
    assert {row for row in shown(visit) if row[1] != "cancelled"} == {
        ("booked", "sent", start),
        ("reminder", "pending", start),
    }


def test_who_was_told_of_another_time_hears_of_the_first_again(visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    move(visit, start + DAY)
    send(visit, "moved")
    move(visit, start)
    assert ("moved", "pending", start) in shown(visit)


def test_another_doctor_at_the_same_time_is_told(make: Any, visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    other = make.doctor().id
    with transaction():
        visit.doctor_id = other
        operations.replan_visit(visit, actor=None)
    assert ("moved", "pending", start) in shown(visit)


def test_cancelling_before_anything_was_told_is_silent(visit: Appointment) -> None:
    plan(visit)
    cancel(visit)
    assert {status for _, status, _ in shown(visit)} == {"cancelled"}
    assert len(rows(visit)) == 2


def test_cancelling_is_told_and_undone(visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    cancel(visit)
    assert ("cancelled", "pending", start) in shown(visit)
    with transaction():
        visit.status, visit.cancelled_by, visit.cancel_reason_id = "booked", None, None
        operations.plan_visit(visit, actor=None)
    assert {row for row in shown(visit) if row[1] != "cancelled"} == {
        ("booked", "sent", start),
        ("reminder", "pending", start),
    }


def test_a_restored_visit_is_told_when_its_cancellation_was(visit: Appointment, start: datetime) -> None:
    plan(visit)
    send(visit, "booked")
    cancel(visit)
    send(visit, "cancelled")
    with transaction():
        visit.status, visit.cancelled_by, visit.cancel_reason_id = "booked", None, None
        operations.plan_visit(visit, actor=None)
    assert ("moved", "pending", start) in shown(visit)


def test_only_one_worker_gets_a_message(visit: Appointment) -> None:
    plan(visit)
    row = one(visit, "booked")
    minute = timedelta(minutes=1)
    with transaction():
        assert operations.claim(row.id, minute) is None  # not due yet
    with clock.at(row.due_at + minute):
        with transaction():
            first = operations.claim(row.id, minute)
        with transaction():
            assert operations.claim(row.id, minute) is None
        assert first is not None and not first.ask_first
    with clock.at(row.due_at + 3 * minute):  # its worker died
        assert row.id in operations.due(clock.now(), minute)
        with transaction():
            second = operations.claim(row.id, minute)
        assert second is not None and second.ask_first
        with transaction():
            operations.mark_sent(first)  # too late: it is not his any more
        assert next(r for r in rows(visit) if r.id == row.id).status == MessageStatus.SENDING
        with transaction():
            operations.mark_sent(second)
    assert next(r for r in rows(visit) if r.id == row.id).status == MessageStatus.SENT


def test_what_is_no_longer_true_is_not_sent(visit: Appointment, start: datetime) -> None:
    plan(visit)
    row = one(visit, "reminder")
    with transaction():
        visit.status = "arrived"
    with clock.at(row.due_at + timedelta(minutes=1)), transaction():
        assert operations.claim(row.id, timedelta(minutes=1)) is None
    assert next(r for r in rows(visit) if r.id == row.id).status == MessageStatus.CANCELLED


def test_refusals_are_tried_again_with_growing_pauses_and_end(visit: Appointment) -> None:
    plan(visit)
    row = one(visit, "booked")
    pauses = []
    for _ in range(10):
        due = next(r for r in rows(visit) if r.id == row.id)
        if due.status != MessageStatus.PENDING:
            break
        with clock.at(due.due_at):
            with transaction():
                claim = operations.claim(row.id, timedelta(minutes=1))
            assert claim is not None
            with transaction():
                operations.mark_untaken(claim, "No money.", final=False)
            pauses.append((next(r for r in rows(visit) if r.id == row.id).due_at - clock.now()).total_seconds())
    assert pauses[:-1] == sorted(pauses[:-1]) and len(pauses) == 6
    last = next(r for r in rows(visit) if r.id == row.id)
    assert (last.status, last.error) == ("failed", "No money.")
