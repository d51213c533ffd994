"""Which messages a visit has, after each thing that can happen to it."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

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


# --- one message for a day ------------------------------------------------------------------------------


def other_visit(make: Any, visit: Appointment, hour: int) -> Appointment:
    """Another visit of the same patient on the same day."""
    from app.models import Patient

    patient = session.get_one(Patient, visit.patient_id)
    start = visit.starts_at.replace(hour=hour)
    return make.appointment(patient, make.doctor(), start)  # type: ignore[no-any-return]


def claim(row: OutboxMessage, later: timedelta = timedelta(seconds=1)) -> Any:
    """A worker takes a message when it is due."""
    with clock.at(row.due_at + later), transaction():
        return operations.claim(row.id, timedelta(minutes=1))


def row_of(visit: Appointment, kind: str) -> OutboxMessage:
    return next(row for row in reversed(rows(visit)) if row.kind == kind and row.planned_time == visit.starts_at)


def test_two_visits_of_a_day_are_told_in_one_message(make: Any, visit: Appointment) -> None:
    plan(visit)
    second = other_visit(make, visit, 14)
    with clock.at(clock.now() + timedelta(minutes=1)):
        plan(second)
    first_row, second_row = row_of(visit, "booked"), row_of(second, "booked")
    assert first_row.due_at == second_row.due_at  # the first waits until the second cannot be undone any more
    taken = claim(first_row)
    assert taken is not None and "10:00 и 14:00" in taken.body
    with transaction():
        operations.mark_sent(taken)
    assert row_of(second, "booked").status == "joined" and row_of(second, "booked").joined_to_id == first_row.id
    assert "14:00" in row_of(second, "booked").said and "10:00" not in row_of(second, "booked").said
    assert claim(row_of(second, "booked")) is None
    assert row_of(visit, "reminder").status == row_of(second, "reminder").status == "pending"


def test_a_later_reminder_of_the_same_day_joins_the_first(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 18)
    plan(visit)
    plan(second)
    taken = claim(row_of(visit, "reminder"))
    assert taken is not None and "10:00 и 18:00" in taken.body
    assert row_of(second, "reminder").status == "joined"


def test_another_day_and_another_patient_are_not_joined(make: Any, visit: Appointment) -> None:
    plan(visit)
    stranger = make.appointment(make.patient(), make.doctor(), visit.starts_at.replace(hour=14))
    plan(stranger)
    tomorrow = other_visit(make, visit, 14)
    move(tomorrow, tomorrow.starts_at + DAY)
    taken = claim(row_of(visit, "booked"), timedelta(minutes=5))
    assert taken is not None and "14:00" not in taken.body
    assert row_of(stranger, "booked").status == row_of(tomorrow, "moved").status == "pending"


def test_a_joined_visit_that_is_moved_gets_its_own_correct_text(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 14)
    plan(visit)
    plan(second)
    with transaction():
        operations.mark_sent(claim_now(row_of(visit, "booked")))
    move(second, second.starts_at.replace(hour=16))
    moved = row_of(second, "moved")
    taken = claim(moved)
    assert taken is not None and "16:00" in taken.body and "14:00" not in taken.body and "10:00" not in taken.body
    assert row_of(second, "reminder").status == "pending"
    assert "booked" not in {row.kind for row in rows(second) if row.planned_time == second.starts_at}


def claim_now(row: OutboxMessage) -> Any:
    with clock.at(row.due_at + timedelta(seconds=1)):
        return operations.claim(row.id, timedelta(minutes=1))


def test_moved_between_the_claim_and_the_second_try(make: Any, visit: Appointment) -> None:
    """The worker died with the text of both; meanwhile one moved: the old text never leaves."""
    second = other_visit(make, visit, 14)
    plan(visit)
    plan(second)
    first = row_of(visit, "booked")
    due = first.due_at
    assert "14:00" in claim(first).body
    move(second, second.starts_at.replace(hour=16))
    with clock.at(due + timedelta(minutes=5)):
        with transaction():
            again = operations.claim(first.id, timedelta(minutes=1))
        assert again is not None and again.ask_first
        with transaction():  # the gateway does not know it
            fresh = operations.prepare(again)
    assert fresh is not None and "10:00" in fresh.body and "14:00" not in fresh.body
    assert "16:00" in row_of(second, "moved").body


def test_the_first_of_two_is_cancelled_between_the_tries(make: Any, visit: Appointment) -> None:
    """What was to be told with it is told by itself."""
    second = other_visit(make, visit, 14)
    plan(visit)
    plan(second)
    first = row_of(visit, "booked")
    due = first.due_at
    claim(first)
    cancel(visit)
    with clock.at(due + timedelta(minutes=5)):
        with transaction():
            again = operations.claim(first.id, timedelta(minutes=1))
        assert again is not None
        with transaction():
            assert operations.prepare(again) is None
        waiting = row_of(second, "booked")
        assert waiting.status == "pending" and waiting.joined_to_id is None
        with transaction():
            alone = operations.claim(waiting.id, timedelta(minutes=1))
        assert alone is not None and "14:00" in alone.body and "10:00" not in alone.body


def test_refused_for_good_tells_nobody(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 14)
    plan(visit)
    plan(second)
    taken = claim(row_of(visit, "booked"))
    with transaction():
        operations.mark_untaken(taken, "No money.", final=True)
    assert row_of(second, "booked").status == row_of(visit, "booked").status == "failed"
    with transaction():
        operations.send_again(row_of(visit, "booked").id, actor=make.user())
    with clock.at(clock.now() + timedelta(minutes=1)), transaction():
        again = operations.claim(row_of(visit, "booked").id, timedelta(minutes=1))
        assert again is not None and again.ask_first  # nothing arrives twice
        fresh = operations.prepare(again)
    assert fresh is not None and "10:00 и 14:00" in fresh.body


def test_waiting_for_the_next_try_when_the_first_visit_moves(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 14)
    plan(visit)
    plan(second)
    taken = claim(row_of(visit, "booked"))
    with transaction():
        operations.mark_untaken(taken, "No money.", final=False)
    assert row_of(second, "booked").status == "joined"
    move(visit, visit.starts_at + DAY)
    assert row_of(second, "booked").status == "pending"
    assert row_of(visit, "booked").status == "pending"  # told as a booking: nobody had heard of it


# --- the hours of sending, the second reminder, no-shows -------------------------------------------------


@pytest.fixture
def choices(visit: Appointment) -> Iterator[Any]:
    """The clinic's choices, put back afterwards."""
    from app.models import ClinicSetting

    row = session.get_one(ClinicSetting, 1)
    names = ("reminder_hours", "second_reminder_hours", "sending_from", "sending_to")
    before = {name: getattr(row, name) for name in names}
    yield row
    session.rollback()
    with transaction():
        for name, value in before.items():
            setattr(session.get_one(ClinicSetting, 1), name, value)


def test_nothing_leaves_at_night(visit: Appointment, choices: Any) -> None:
    evening = datetime.combine(clock.today(), time(22, 30))
    with clock.at(evening):
        plan(visit)
        assert clock.wall(row_of(visit, "booked").due_at) == datetime.combine(clock.today() + DAY, time(9))


def test_a_message_that_was_late_waits_for_the_morning(visit: Appointment, choices: Any) -> None:
    plan(visit)
    row = row_of(visit, "booked")
    with clock.at(datetime.combine(clock.today(), time(23))), transaction():
        assert operations.claim(row.id, timedelta(minutes=1)) is None
    row = row_of(visit, "booked")
    assert row.status == "pending" and clock.wall(row.due_at) == datetime.combine(clock.today() + DAY, time(9))


def test_the_second_reminder_is_planned_where_the_clinic_wants_it(visit: Appointment, choices: Any) -> None:
    with transaction():
        choices.second_reminder_hours = 1
    plan(visit)
    assert clock.wall(row_of(visit, "second_reminder").due_at) == visit.starts_at - timedelta(hours=1)


def test_who_did_not_come_is_written_to_where_the_clinic_wants_it(make: Any, visit: Appointment) -> None:
    from app.models import MessageTemplate

    late = datetime.combine(clock.today(), time(11))
    missed = make.appointment(make.patient(), make.doctor(), late, status="no_show")
    with transaction():
        operations.tell_missed(missed, actor=None)
    assert rows(missed) == []  # the first text of this kind is switched off
    template = session.scalars(select(MessageTemplate).where(MessageTemplate.kind == "no_show")).one()
    with transaction():
        template.archived = False
    try:
        with transaction():
            operations.tell_missed(missed, actor=None)
        taken = claim(row_of(missed, "no_show"))
        assert taken is not None and "11:00" in taken.body
    finally:
        with transaction():
            session.get_one(MessageTemplate, template.id).archived = True


def test_a_text_switched_off_meanwhile_is_not_sent(visit: Appointment) -> None:
    from app.models import MessageTemplate

    plan(visit)
    template = session.scalars(select(MessageTemplate).where(MessageTemplate.kind == "booked")).one()
    with transaction():
        template.archived = True
    try:
        assert claim(row_of(visit, "booked")) is None
        row = row_of(visit, "booked")
        assert row.status == "cancelled" and "switched" in row.error
    finally:
        with transaction():
            session.get_one(MessageTemplate, template.id).archived = False


def test_a_clinic_gets_texts_of_new_kinds_once_and_keeps_its_own(fresh_app: Any) -> None:
    from app.messages import rules
    from app.models import MessageTemplate

    with fresh_app.app_context():
        with transaction():
            session.execute(delete(MessageTemplate))
            session.add(MessageTemplate(kind="booked", name="Наш", body="Ждём {day}"))
        for _ in range(2):
            with transaction():
                operations.add_first_templates()
        found = {row.kind: row for row in session.scalars(select(MessageTemplate))}
        assert set(found) == set(rules.FIRST_TEMPLATES) and found["booked"].body == "Ждём {day}"
        assert found["no_show"].archived and not found["ask"].archived
        session.remove()


# --- by hand ------------------------------------------------------------------------------------------


def by_hand(visits: list[Appointment], text: str = "{patient}, ждём {day} в {time} {link}", url: str = "") -> Any:
    with transaction():
        return operations.write([visit.id for visit in visits], text, public_url=url, actor=None)


def test_by_hand_once_for_a_visit_and_its_time(visit: Appointment) -> None:
    [written] = by_hand([visit])
    assert written.message_id is not None
    taken = claim(row_of(visit, "ask"))
    assert taken is not None and taken.body == f"Иван Петрович, ждём {day_words(visit)} в 10:00"
    [second] = by_hand([visit])
    assert second.message_id is None and "by hand already" in second.why_not
    move(visit, visit.starts_at + DAY)
    assert by_hand([visit])[0].message_id is not None


def day_words(visit: Appointment) -> str:
    from app.messages import rules

    return rules.day_in_words(visit.starts_at.date())


def test_by_hand_one_message_for_a_day(make: Any, visit: Appointment) -> None:
    second, stranger = other_visit(make, visit, 14), make.appointment(make.patient(), make.doctor(), visit.starts_at)
    written = by_hand([second, stranger, visit])
    assert [one.appointment_id for one in written] == [second.id, stranger.id, visit.id]
    assert written[0].message_id == written[2].message_id != written[1].message_id
    taken = claim(row_of(visit, "ask"))
    assert taken is not None and "10:00 и 14:00" in taken.body
    assert claim(row_of(second, "ask")) is None


def test_by_hand_for_a_day_of_which_one_visit_moves(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 14)
    by_hand([visit, second])
    move(second, second.starts_at + DAY)
    taken = claim(row_of(visit, "ask"), timedelta(minutes=3))
    assert taken is not None and "10:00" in taken.body and "14:00" not in taken.body


def test_by_hand_when_the_first_visit_of_the_day_is_cancelled(make: Any, visit: Appointment) -> None:
    second = other_visit(make, visit, 14)
    by_hand([visit, second])
    cancel(visit)
    assert row_of(visit, "ask").status == "cancelled"
    taken = claim(row_of(second, "ask"), timedelta(minutes=3))
    assert taken is not None and "14:00" in taken.body and "10:00" not in taken.body


@pytest.mark.parametrize("text", ["", "  ", "{diagnosis}", "я" * 1001])
def test_by_hand_nonsense_is_refused(visit: Appointment, text: str) -> None:
    from app.errors import Invalid

    with pytest.raises(Invalid):
        by_hand([visit], text)
    session.rollback()
    assert rows(visit) == []


def test_stop_is_honoured_at_once(visit: Appointment) -> None:
    plan(visit)
    with transaction():
        operations.stop_writing([visit.patient_id], actor=None)
    assert {row.status for row in rows(visit)} == {"cancelled"}
    [written] = by_hand([visit])
    assert written.message_id is None and "asked not to be written" in written.why_not
    plan(visit)
    assert {row.status for row in rows(visit)} == {"cancelled"}
    with transaction():
        operations.stop_writing([visit.patient_id], actor=None)
    assert len(session.scalars(select(PatientConsent).where(PatientConsent.patient_id == visit.patient_id)).all()) == 1


def test_the_link_is_in_the_text_when_the_clinic_has_a_public_address(visit: Appointment) -> None:
    plan(visit)
    row = row_of(visit, "reminder")
    assert "/c/" not in row.body
    with clock.at(row.due_at + timedelta(seconds=1)), transaction():
        taken = operations.claim(row.id, timedelta(minutes=1), public_url="https://ulybka.example")
    assert taken is not None and "https://ulybka.example/c/" in taken.body
    token = taken.body.rsplit("/", 1)[1]
    assert len(token) == 12
    assert by_hand([visit], "{link}", "https://ulybka.example")[0].message_id is not None
    assert row_of(visit, "ask").body.endswith(token)  # one link for a visit and its time
