"""Who is in the list and why: asking, calling, results; on the real database."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import Invalid, NextTryNeeded, NotFound, NothingCameOfIt, Stale, TaskClosed, TaskTaken
from app.models import (
    AuditEvent,
    CallAttempt,
    CallTask,
    CallTaskReason,
    ClinicSetting,
    PlannedVisit,
    RefusalReason,
    User,
)
from app.tasks import operations
from app.vocab import TaskReasonKind as Kind
from tests.conftest import Maker, counted_statements

MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def monday_at_ten(context: None) -> Iterator[None]:
    with clock.at(datetime.combine(MONDAY, time(10))):
        yield
    session.rollback()


@pytest.fixture
def me(make: Maker) -> User:
    return make.user("administrator")


@pytest.fixture
def other(make: Maker) -> User:
    return make.user("administrator2")


def asked(patient: Any, kind: Kind = Kind.DEBT, **values: Any) -> CallTask:
    with transaction():
        task = operations.ask(patient.id, kind, **{"due_on": MONDAY, "actor": None, **values})
    assert task is not None
    return task


def reasons(task: CallTask, *, closed: bool = False) -> list[str]:
    state = CallTaskReason.closed_at.is_not(None) if closed else CallTaskReason.closed_at.is_(None)
    found = session.scalars(
        select(CallTaskReason.kind).where(CallTaskReason.task_id == task.id, state).order_by(CallTaskReason.id)
    )
    return list(found)


def attempts(task: CallTask) -> list[str]:
    return list(session.scalars(select(CallAttempt.result).where(CallAttempt.task_id == task.id)))


def deeds(task: CallTask) -> list[str]:
    rows = select(AuditEvent.action).where(AuditEvent.object_type == "call_task", AuditEvent.object_id == task.id)
    return list(session.scalars(rows.order_by(AuditEvent.id)))


def refusal_reason() -> int:
    with transaction():
        row = RefusalReason(name=f"Дорого {datetime.now().timestamp()}")
        session.add(row)
    return row.id


# --- asking -------------------------------------------------------------------------------------------


def test_a_patient_stands_in_the_list_once_with_all_reasons(make: Maker) -> None:
    patient = make.patient()
    first = asked(patient, Kind.DEBT, due_on=TUESDAY)
    assert first.due_at == datetime.combine(TUESDAY, time(9))
    second = asked(patient, Kind.NO_SHOW, due_on=MONDAY)
    assert second.id == first.id
    assert reasons(first) == ["debt", "no_show"]
    assert first.due_at == datetime.combine(MONDAY, time(9))  # the earliest
    assert deeds(first) == ["task.opened", "task.reason_added"]


def test_the_same_reason_twice_is_once(make: Maker) -> None:
    patient, doctor = make.patient(), make.doctor()
    visit = make.appointment(patient, doctor, datetime.combine(MONDAY, time(9)))
    task = asked(patient, Kind.NO_SHOW, appointment_id=visit.id)
    version = task.version
    again = asked(patient, Kind.NO_SHOW, appointment_id=visit.id, due_on=TUESDAY)
    assert (again.id, again.version, reasons(task)) == (task.id, version, ["no_show"])
    assert deeds(task) == ["task.opened"]
    other_visit = make.appointment(patient, doctor, datetime.combine(TUESDAY, time(9)))
    asked(patient, Kind.NO_SHOW, appointment_id=other_visit.id)
    assert reasons(task) == ["no_show", "no_show"]


def test_the_same_reason_again_does_not_bring_a_put_off_call_forward(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient, Kind.DEBT)
    friday = datetime.combine(MONDAY + timedelta(days=4), time(12))
    with transaction():
        operations.postpone(task.id, until=friday, actor=me)
    asked(patient, Kind.DEBT)
    assert task.due_at == friday
    asked(patient, Kind.NO_SHOW)  # news is news
    assert task.due_at == datetime.combine(MONDAY, time(9))


def test_what_people_say_is_kept(make: Maker, me: User) -> None:
    patient = make.patient()
    with transaction():
        task = operations.add(patient.id, due_on=MONDAY, note="Снимок готов", actor=me)
        operations.add(patient.id, due_on=MONDAY, note="Спросить о боли", actor=me)
    [note] = session.scalars(select(CallTaskReason.note).where(CallTaskReason.task_id == task.id))
    assert note == "Снимок готов; Спросить о боли"


def test_nobody_is_asked_for_when_the_module_is_off_or_the_card_archived(make: Maker) -> None:
    patient = make.patient()
    assert operations.ask(999_999_999, Kind.DEBT, due_on=MONDAY, actor=None) is None
    assert operations.ask(make.patient(status="archived").id, Kind.DEBT, due_on=MONDAY, actor=None) is None
    session.merge(ClinicSetting(id=1, crm=False))
    session.flush()
    assert operations.ask(patient.id, Kind.DEBT, due_on=MONDAY, actor=None) is None
    session.rollback()
    assert operations.ask(patient.id, Kind.DEBT, due_on=MONDAY, actor=None) is not None


def test_by_hand_needs_words_and_a_sensible_day(make: Maker, me: User) -> None:
    patient = make.patient()
    for wrong in (
        {"note": "  "},
        {"due_on": MONDAY - timedelta(days=1)},
        {"due_on": MONDAY + timedelta(days=400)},
        {"kind": Kind.DEBT},
        {"doctor_id": 999_999},
        {"responsible_id": 999_999},
    ):
        with pytest.raises(Invalid):
            operations.add(patient.id, **{"due_on": MONDAY, "note": "Снимок", "actor": me, **wrong})
    with pytest.raises(Invalid):
        operations.add(999_999_999, due_on=MONDAY, note="Снимок", actor=me)


# --- reasons that are gone ----------------------------------------------------------------------------


def test_a_task_ends_with_its_last_reason(make: Maker) -> None:
    patient = make.patient()
    task = asked(patient, Kind.DEBT)
    asked(patient, Kind.NO_SHOW, due_on=TUESDAY)
    with transaction():
        operations.reasons_gone(kinds=[Kind.DEBT], patient_id=patient.id, actor=None)
    assert (task.status, reasons(task), reasons(task, closed=True)) == ("open", ["no_show"], ["debt"])
    assert task.due_at == datetime.combine(TUESDAY, time(9))  # what is left is due later
    with transaction():
        operations.reasons_gone(kinds=[Kind.NO_SHOW], patient_id=patient.id, actor=None)
    assert (task.status, task.result, task.closed_at) == ("closed", "not_needed", clock.now())
    assert deeds(task) == ["task.opened", "task.reason_added", "task.reason_gone", "task.closed"]
    assert asked(patient, Kind.DEBT).id != task.id  # a new reason opens a new task


def test_nothing_to_do_is_one_statement(make: Maker, app: Any) -> None:
    patient = make.patient()
    visit = make.appointment(patient, make.doctor(), datetime.combine(TUESDAY, time(9)))
    _ = visit.id, visit.patient_id
    with counted_statements(app) as seen:
        operations.reasons_gone(appointment_id=visit.id, actor=None)
    assert len(seen) == 1
    with counted_statements(app) as seen:
        operations.patient_booked(visit, actor=None)
    assert len(seen) == 1
    with pytest.raises(ValueError, match="whose"):
        operations.reasons_gone(kinds=[Kind.DEBT], actor=None)


def test_reasons_of_other_visits_stay(make: Maker) -> None:
    patient, doctor = make.patient(), make.doctor()
    one, two = (make.appointment(patient, doctor, datetime.combine(TUESDAY, time(hour))) for hour in (9, 12))
    task = asked(patient, Kind.CANCELLED, appointment_id=one.id)
    asked(patient, Kind.CANCELLED, appointment_id=two.id)
    with transaction():
        operations.reasons_gone(kinds=[Kind.CANCELLED], appointment_id=one.id, actor=None)
    left = session.scalars(
        select(CallTaskReason.appointment_id).where(
            CallTaskReason.task_id == task.id, CallTaskReason.closed_at.is_(None)
        )
    )
    assert (task.status, list(left)) == ("open", [two.id])


def test_a_booking_settles_what_it_settles(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient, Kind.CANCELLED)
    asked(patient, Kind.DEBT)
    visit = make.appointment(patient, make.doctor(), datetime.combine(TUESDAY, time(9)))
    with transaction():
        operations.patient_booked(visit, actor=me)
    assert (task.status, reasons(task)) == ("open", ["debt"])
    lone = asked(make.patient(), Kind.NO_SHOW)
    visit.patient_id = lone.patient_id
    with transaction():
        operations.patient_booked(visit, actor=me)
    assert (lone.status, lone.result, lone.appointment_id, attempts(lone)) == ("closed", "not_needed", visit.id, [])


def test_a_booking_during_the_call_is_its_result(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient, Kind.DEBT)
    visit = make.appointment(patient, make.doctor(), datetime.combine(TUESDAY, time(9)))
    with transaction():
        operations.claim(task.id, actor=me)
    with transaction():
        operations.patient_booked(visit, actor=me)
    assert (task.status, task.result, task.appointment_id, attempts(task)) == ("closed", "booked", visit.id, ["talked"])
    assert task.closed_by_id == me.id and task.claimed_by_id is None and reasons(task) == []


def test_a_booking_that_names_its_task_closes_it(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient, Kind.DOCTOR_REQUEST, note="Позвать на осмотр")
    visit = make.appointment(patient, make.doctor(), datetime.combine(TUESDAY, time(9)))
    with transaction():
        operations.patient_booked(visit, task_id=task.id, actor=me)
    assert (task.result, task.appointment_id) == ("booked", visit.id)


# --- calling ------------------------------------------------------------------------------------------


def test_who_calls_keeps_others_away(make: Maker, me: User, other: User) -> None:
    task = asked(make.patient())
    with transaction():
        operations.claim(task.id, actor=me)
    for deed in (
        lambda: operations.claim(task.id, actor=other),
        lambda: operations.not_reached(task.id, actor=other),
        lambda: operations.postpone(task.id, until=datetime.combine(TUESDAY, time(12)), actor=other),
        lambda: operations.close(task.id, None, "informed", actor=other),
    ):
        with pytest.raises(TaskTaken) as refusal:
            deed()
        assert refusal.value.facts["by"].startswith("Сотрудник")
        session.rollback()
    with transaction():
        operations.give_up(task.id, actor=other)
    assert task.claimed_by_id == me.id  # only one's own
    with transaction():
        operations.give_up(task.id, actor=me)
        operations.claim(task.id, actor=other)
    assert task.claimed_by_id == other.id


def test_a_claim_runs_out_and_can_be_prolonged(make: Maker, me: User, other: User) -> None:
    task = asked(make.patient())
    with transaction():
        operations.claim(task.id, actor=me)
    version = task.version
    with clock.at(datetime.combine(MONDAY, time(10, 14))), transaction():
        operations.claim(task.id, actor=me)
    assert task.version == version  # a prolonged claim is no news
    with clock.at(datetime.combine(MONDAY, time(10, 28))), pytest.raises(TaskTaken):
        operations.claim(task.id, actor=other)
    session.rollback()
    with clock.at(datetime.combine(MONDAY, time(10, 29))), transaction():
        operations.claim(task.id, actor=other)
    assert task.claimed_by_id == other.id


def test_one_calls_one_patient_at_a_time(make: Maker, me: User) -> None:
    one, two = asked(make.patient()), asked(make.patient())
    with transaction():
        operations.claim(one.id, actor=me)
    with transaction():
        operations.claim(two.id, actor=me)
    assert (one.claimed_by_id, two.claimed_by_id) == (None, me.id)


def test_tries_follow_the_rule_until_a_person_decides(make: Maker, me: User) -> None:
    doctor = make.doctor()
    for days in range(12):  # the clinic is open every day, whatever other tests have planned
        make.hours(doctor, MONDAY + timedelta(days=days))
    task = asked(make.patient())
    for expected in ("2026-11-23T12:00", "2026-11-24T09:00", "2026-11-27T09:00"):
        with clock.at(max(task.due_at, datetime.combine(MONDAY, time(10)))), transaction():
            operations.claim(task.id, actor=me)
            operations.not_reached(task.id, task.version, phone="+79160000001", actor=me)
        assert task.due_at.isoformat(timespec="minutes") == expected
        assert task.claimed_by_id is None
    with clock.at(task.due_at), pytest.raises(NextTryNeeded):
        operations.not_reached(task.id, actor=me)
    session.rollback()
    chosen = datetime.combine(MONDAY + timedelta(days=10), time(8, 30))
    with clock.at(task.due_at), transaction():
        operations.not_reached(task.id, until=chosen, actor=me)
    assert (task.due_at, task.attempts, task.last_result) == (chosen, 4, "not_reached")
    # reached at last: the counting begins anew
    with clock.at(chosen), transaction():
        operations.postpone(task.id, until=chosen + timedelta(hours=1), asked=True, actor=me)
    with clock.at(chosen + timedelta(hours=1)), transaction():
        operations.not_reached(task.id, actor=me)
    assert task.due_at == chosen + timedelta(hours=3)
    assert attempts(task) == ["not_reached"] * 4 + ["postponed", "not_reached"]


def test_tries_wait_for_a_day_when_the_clinic_works(fresh_app: Any) -> None:
    """Doctors see patients on Monday and Thursday only: nobody calls on Tuesday morning."""
    with fresh_app.app_context(), clock.at(datetime.combine(MONDAY, time(19))):
        fresh = Maker()
        doctor = fresh.doctor()
        for ahead in (0, 3, 7):
            fresh.hours(doctor, MONDAY + timedelta(days=ahead))
        task = asked(fresh.patient())
        with transaction():
            operations.not_reached(task.id, actor=None)
        assert task.due_at == datetime.combine(MONDAY + timedelta(days=3), time(9))
        session.remove()


def test_a_put_off_call_is_no_attempt_unless_the_patient_asked(make: Maker, me: User) -> None:
    task = asked(make.patient())
    noon = datetime.combine(TUESDAY, time(12))
    with transaction():
        operations.postpone(task.id, until=noon, actor=me)
    assert (task.due_at, task.attempts, attempts(task)) == (noon, 0, [])
    with transaction():
        operations.postpone(task.id, until=noon + timedelta(hours=1), asked=True, comment="После работы", actor=me)
    assert (task.attempts, task.last_result, attempts(task)) == (1, "postponed", ["postponed"])
    with pytest.raises(Invalid):
        operations.postpone(task.id, until=datetime.combine(MONDAY, time(9)), actor=me)
    with pytest.raises(NextTryNeeded):
        operations.postpone(task.id, until=None, actor=me)


# --- results ------------------------------------------------------------------------------------------


def test_results_must_be_true(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient)
    for result in ("booked", "planned", "waiting"):
        with pytest.raises(NothingCameOfIt):
            operations.close(task.id, task.version, result, actor=me)
    with transaction():
        session.add(
            PlannedVisit(patient_id=patient.id, target_from=TUESDAY, target_to=TUESDAY, reason="Осмотр", call_on=MONDAY)
        )
    with transaction():
        operations.close(task.id, task.version, "planned", actor=me)
    assert (task.status, task.result, task.appointment_id) == ("closed", "planned", None)


def test_a_booking_before_the_close_is_found(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient)
    visit = make.appointment(patient, make.doctor(), datetime.combine(TUESDAY, time(9)))
    with transaction():
        operations.claim(task.id, actor=me)
        operations.close(task.id, task.version, "booked", comment="Придёт с мамой", actor=me)
    assert (task.result, task.appointment_id, task.comment) == ("booked", visit.id, "Придёт с мамой")
    assert attempts(task) == ["talked"] and reasons(task) == []


def test_a_refusal_has_a_reason(make: Maker, me: User) -> None:
    task = asked(make.patient())
    for reason in (None, 999_999):
        with pytest.raises(Invalid):
            operations.close(task.id, None, "refused", refusal_reason_id=reason, actor=me)
    reason = refusal_reason()
    with transaction():
        operations.close(task.id, None, "refused", refusal_reason_id=reason, actor=me)
    assert (task.result, task.refusal_reason_id, attempts(task)) == ("refused", reason, [])


def test_a_wrong_number_is_an_attempt_that_reached_nobody(make: Maker, me: User) -> None:
    task = asked(make.patient())
    with transaction():
        operations.claim(task.id, actor=me)
        operations.close(task.id, None, "wrong_number", phone="+79160000001", actor=me)
    assert (task.result, attempts(task)) == ("wrong_number", ["not_reached"])


def test_what_is_closed_stays_closed(make: Maker, me: User) -> None:
    task = asked(make.patient())
    with transaction():
        operations.close(task.id, None, "informed", actor=me)
    for deed in (
        lambda: operations.claim(task.id, actor=me),
        lambda: operations.give_up(task.id, actor=me),
        lambda: operations.not_reached(task.id, actor=me),
        lambda: operations.change(task.id, None, comment="x", actor=me),
        lambda: operations.close(task.id, None, "informed", actor=me),
    ):
        with pytest.raises(TaskClosed):
            deed()
    with pytest.raises(NotFound):
        operations.claim(999_999_999, actor=me)


def test_an_older_look_is_stale(make: Maker, me: User) -> None:
    patient = make.patient()
    task = asked(patient)
    seen = task.version
    asked(patient, Kind.NO_SHOW)
    with pytest.raises(Stale) as refusal:
        operations.close(task.id, seen, "informed", actor=me)
    assert refusal.value.facts["current"]["version"] == task.version
    with transaction():
        operations.change(task.id, task.version, comment="Звонить дочери", responsible_id=None, actor=me)
    assert task.comment == "Звонить дочери"


def test_the_responsible_person(make: Maker, me: User) -> None:
    task, doctor = asked(make.patient()), make.doctor()
    with transaction():
        operations.change(task.id, None, responsible_id=doctor.id, actor=me)
    assert task.responsible_id == doctor.id
    with pytest.raises(Invalid):
        operations.change(task.id, None, responsible_id=999_999, actor=me)
    with transaction():
        operations.change(task.id, None, responsible_id=None, actor=me)
    assert task.responsible_id is None


def test_phones_stay_out_of_the_log(make: Maker, me: User) -> None:
    task = asked(make.patient(phone="+79165550011"))
    with transaction():
        operations.claim(task.id, actor=me)
        operations.not_reached(task.id, phone="+79165550011", actor=me)
    text = str(list(session.execute(select(AuditEvent.before, AuditEvent.after).where(
        AuditEvent.object_type == "call_task", AuditEvent.object_id == task.id
    ))))  # fmt: skip
    assert "5550011" not in text
    kept = session.scalar(select(func.count()).where(CallAttempt.task_id == task.id, CallAttempt.phone != ""))
    assert kept == 1
