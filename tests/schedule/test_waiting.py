"""The waiting list and planned visits: who is put on them, offered, booked, called about."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.errors import AlreadyThere, Invalid, OfferClosed, OutsideHours, SlotTaken, Stale, WrongStatus
from app.models import Appointment, CallTask, CallTaskReason, PlannedVisit, RefusalReason, TimeBlock, WaitingEntry
from app.models import WaitingOffer as Offer
from app.schedule import operations, queries
from app.vocab import TaskReasonKind

TODAY = clock.today()
DAY = TODAY + timedelta(days=20)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute))


@pytest.fixture
def doctor(make: Any) -> Any:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    return doctor


def refusal() -> int:
    found = session.scalars(select(RefusalReason.id).limit(1)).first()
    if found is None:
        with transaction():
            row = RefusalReason(name="Передумал")
            session.add(row)
            session.flush()
            found = row.id
    return found


def waits(patient: Any, doctor: Any, **wishes: Any) -> WaitingEntry:
    with transaction():
        return operations.wait_for_time(
            patient.id, **{"wanted_doctors": "only", "doctor_ids": [doctor.id], "minutes": 30, **wishes}, actor=None
        )


def fitting(doctor: Any, start: datetime, end: datetime) -> list[int]:
    return [row["id"] for row in queries.who_fits(doctor.id, start, end) if row["what"] == "waiting"]


def reasons(patient: Any, kind: str) -> list[CallTaskReason]:
    return list(
        session.scalars(
            select(CallTaskReason)
            .join(CallTask)
            .where(CallTask.patient_id == patient.id, CallTaskReason.kind == kind, CallTaskReason.closed_at.is_(None))
        )
    )


def test_a_freed_time_finds_who_waits_for_it_and_the_other_way_round(make: Any, doctor: Any) -> None:
    other = make.doctor()
    make.hours(other, DAY)
    mine = waits(make.patient(), doctor, windows=[(600, 720), (1020, 1200)])
    waits(make.patient(), other)
    assert fitting(doctor, at(9), at(10)) == []
    assert fitting(doctor, at(9), at(10, 30)) == [mine.id]
    [row] = [row for row in queries.who_fits(doctor.id, at(9), at(10, 30)) if row["id"] == mine.id]
    assert (row["starts_at"], row["ends_at"]) == (f"{DAY}T10:00", f"{DAY}T10:30")
    times = queries.times_for(mine.id)
    assert times[0]["starts_at"] == f"{DAY}T10:00"
    assert {time_["doctor_id"] for time_ in times} == {doctor.id}


def test_an_offer_holds_the_time_and_acceptance_books_it(make: Any, doctor: Any) -> None:
    patient, user = make.patient(), make.user()
    entry = waits(patient, doctor)
    with transaction():
        offer = operations.offer_time(entry.id, doctor.id, at(10), actor=user)
    assert entry.status == "offered"
    assert reasons(patient, TaskReasonKind.WAITING_OFFER)
    other = make.patient().id
    with pytest.raises(SlotTaken), transaction():
        operations.book(other, doctor.id, at(10, 15), at(10, 45), actor=user)
    assert fitting(doctor, at(10), at(11)) == [], "who was offered a time is not offered another"
    with transaction():
        done = operations.accept_offer(offer.id, actor=user)
    assert done.visit.starts_at == at(10) and done.freed is None
    entry = session.get_one(WaitingEntry, entry.id)
    assert (entry.status, entry.booked_id) == ("booked", done.visit.id)
    assert not reasons(patient, TaskReasonKind.WAITING_OFFER)
    assert session.get_one(TimeBlock, offer.hold_id).lifted_at is not None
    with pytest.raises(OfferClosed), transaction():
        operations.accept_offer(offer.id, actor=user)


def test_several_are_offered_one_time_and_the_first_who_accepts_has_it(make: Any, doctor: Any) -> None:
    first, second = waits(make.patient(), doctor), waits(make.patient(), doctor, minutes=60)
    with transaction():
        one = operations.offer_time(first.id, doctor.id, at(10), actor=None)
        two = operations.offer_time(second.id, doctor.id, at(10), actor=None)
    assert one.hold_id == two.hold_id
    block = session.get_one(TimeBlock, one.hold_id)
    assert (block.starts_at, block.ends_at) == (at(10), at(11)), "the hold grows to the longest offer"
    with transaction():
        operations.accept_offer(one.id, actor=None)
    two = session.get_one(Offer, two.id)
    assert (two.status, two.entry.status) == ("lost", "waiting")
    with pytest.raises(OfferClosed) as lost, transaction():
        operations.accept_offer(two.id, actor=None)
    assert lost.value.facts["offer_status"] == "lost"
    assert fitting(doctor, at(10, 30), at(12)) == [second.id], "who lost waits on"


def test_a_declined_offer_frees_the_time_when_nobody_else_was_offered_it(make: Any, doctor: Any) -> None:
    first, second = waits(make.patient(), doctor), waits(make.patient(), doctor)
    with transaction():
        one = operations.offer_time(first.id, doctor.id, at(10), actor=None)
        two = operations.offer_time(second.id, doctor.id, at(10), actor=None)
        operations.decline_offer(one.id, actor=None)
    block = session.get_one(TimeBlock, one.hold_id)
    assert block.lifted_at is None
    assert block.reason == queries.short_name(*_name(second)), "the hold bears the names of those still offered"
    with transaction():
        operations.decline_offer(two.id, actor=None)
    assert block.lifted_at is not None
    assert not {first.id, second.id} & set(fitting(doctor, at(10), at(10, 30))), "a declined time is not shown again"
    assert set(fitting(doctor, at(11), at(11, 30))) == {first.id, second.id}


def _name(entry: WaitingEntry) -> tuple[str, str, str]:
    return entry.patient.surname, entry.patient.name, entry.patient.patronymic


def test_an_offer_ends_by_itself(make: Any, doctor: Any) -> None:
    entry = waits(make.patient(), doctor)
    with transaction():
        offer = operations.offer_time(entry.id, doctor.id, at(10), actor=None)
    with clock.at(offer.expires_at + timedelta(seconds=1)):
        with pytest.raises(OfferClosed) as late, transaction():
            operations.accept_offer(offer.id, actor=None)
        assert late.value.facts["offer_status"] == "expired", "before the job has come, too"
        other = make.patient().id
        with transaction():
            operations.book(other, doctor.id, at(10), at(10, 30), actor=None)
        with transaction():
            operations.expire_offers()
    entry = session.get_one(WaitingEntry, entry.id)
    assert (entry.status, session.get_one(Offer, offer.id).status) == ("waiting", "expired")
    assert not reasons(entry.patient, TaskReasonKind.WAITING_OFFER)


def test_a_hold_lifted_by_hand_ends_its_offers(make: Any, doctor: Any) -> None:
    entry = waits(make.patient(), doctor)
    with transaction():
        offer = operations.offer_time(entry.id, doctor.id, at(10), actor=None)
        operations.lift_block(offer.hold_id, actor=None)
    with pytest.raises(OfferClosed), transaction():
        operations.accept_offer(offer.id, actor=None)
    with transaction():
        operations.expire_offers()
    assert session.get_one(WaitingEntry, entry.id).status == "waiting"


def test_who_wants_a_visit_sooner_is_moved_and_the_old_time_is_the_next_round(make: Any, doctor: Any) -> None:
    patient, waiting = make.patient(), make.patient()
    later = make.appointment(patient, doctor, at(16))
    sooner = waits(patient, doctor, kind="move_up", appointment_id=later.id)
    next_one = waits(waiting, doctor, windows=[(900, 1080)])
    assert fitting(doctor, at(17), at(18)) == [next_one.id], "a later time is not sooner"
    assert fitting(doctor, at(10), at(10, 30)) == [sooner.id]
    with transaction():
        offer = operations.offer_time(sooner.id, doctor.id, at(10), actor=None)
        done = operations.accept_offer(offer.id, actor=None)
    assert done.visit.id == later.id
    moved = session.get_one(Appointment, later.id)
    assert (moved.starts_at, moved.moves) == (at(10), 1)
    assert done.freed is not None
    assert (done.freed.starts_at, done.freed.ends_at) == (at(16), at(16, 30))
    assert fitting(doctor, done.freed.starts_at, done.freed.ends_at) == [next_one.id]


def test_a_time_is_offered_only_if_it_is_free_and_within_hours(make: Any, doctor: Any) -> None:
    patient = make.patient()
    entry = waits(patient, doctor)
    make.appointment(make.patient(), doctor, at(10))
    own = make.doctor()
    make.appointment(patient, own, at(12))
    with pytest.raises(SlotTaken), transaction():
        operations.offer_time(entry.id, doctor.id, at(10, 15), actor=None)
    with pytest.raises(SlotTaken) as busy, transaction():
        operations.offer_time(entry.id, doctor.id, at(12), actor=None)
    assert busy.value.facts["busy"] == "patient"
    with pytest.raises(OutsideHours), transaction():
        operations.offer_time(entry.id, doctor.id, at(21), actor=None)
    with pytest.raises(Invalid), transaction():
        operations.offer_time(entry.id, doctor.id, at(10, day=TODAY - timedelta(days=1)), actor=None)
    assert fitting(doctor, at(12), at(12, 30)) == [], "the patient has a visit elsewhere then"


def test_wishes_that_nothing_can_meet_are_refused(make: Any, doctor: Any) -> None:
    patient = make.patient()
    for wrong, field in (
        ({"windows": [(600, 600)]}, "windows"),
        ({"windows": [(600, 615)]}, "windows"),
        ({"doctor_ids": []}, "doctor_ids"),
        ({"doctor_ids": [2**30]}, "doctor_ids"),
        ({"last_day": TODAY - timedelta(days=1), "first_day": TODAY - timedelta(days=5)}, "last_day"),
        ({"kind": "move_up"}, "appointment_id"),
        ({"branch_id": 2**30}, "branch_id"),
    ):
        with pytest.raises(Invalid) as refused:
            waits(patient, doctor, **wrong)
        assert field in refused.value.facts["fields"], wrong


def test_a_visit_is_wanted_sooner_once(make: Any, doctor: Any) -> None:
    patient = make.patient()
    visit = make.appointment(patient, doctor, at(16))
    waits(patient, doctor, kind="move_up", appointment_id=visit.id)
    with pytest.raises(AlreadyThere):
        waits(patient, doctor, kind="move_up", appointment_id=visit.id)
    with pytest.raises(Invalid):
        waits(make.patient(), doctor, kind="move_up", appointment_id=visit.id)


def test_an_entry_is_changed_by_its_version_and_called_off_with_a_reason(make: Any, doctor: Any) -> None:
    entry = waits(make.patient(), doctor)
    version = entry.version
    with transaction():
        operations.change_wishes(entry.id, version, minutes=45, windows=[(540, 600)], actor=None)
    assert queries.waiting_entry(entry.id)["windows"] == [{"from": "09:00", "to": "10:00"}]  # type: ignore[index]
    with pytest.raises(Stale) as stale, transaction():
        operations.change_wishes(entry.id, version, minutes=30, actor=None)
    assert stale.value.facts["current"]["minutes"] == 45
    with transaction():
        offer = operations.offer_time(entry.id, doctor.id, at(9), actor=None)
        operations.call_off(entry.id, None, refusal(), actor=None)
    assert session.get_one(TimeBlock, offer.hold_id).lifted_at is not None
    with pytest.raises(WrongStatus), transaction():
        operations.call_off(entry.id, None, refusal(), actor=None)


def test_who_waited_in_vain_becomes_a_call_and_is_not_lost(make: Any, doctor: Any) -> None:
    patient = make.patient()
    entry = waits(patient, doctor, last_day=TODAY + timedelta(days=1))
    with clock.at(at(9, day=TODAY + timedelta(days=2))), transaction():
        operations.give_up()
        operations.give_up()
    assert session.get_one(WaitingEntry, entry.id).status == "expired"
    assert len(reasons(patient, TaskReasonKind.WAITING_EXPIRED)) == 1


def test_a_visit_that_took_place_ends_the_wish_to_have_it_sooner(make: Any, doctor: Any) -> None:
    came, cancelled = make.patient(), make.patient()
    visit = make.appointment(came, doctor, at(9))
    gone = make.appointment(cancelled, doctor, at(10))
    one = waits(came, doctor, kind="move_up", appointment_id=visit.id)
    two = waits(cancelled, doctor, kind="move_up", appointment_id=gone.id)
    with transaction():
        session.get_one(Appointment, visit.id).status = "completed"
        session.get_one(Appointment, gone.id).status = "no_show"
    assert fitting(doctor, at(8), at(8, 30)) == []
    with transaction():
        operations.give_up()
    one, two = session.get_one(WaitingEntry, one.id), session.get_one(WaitingEntry, two.id)
    assert (one.status, one.booked_id, two.status) == ("booked", visit.id, "expired")


# --- planned visits -----------------------------------------------------------------------------------------


def plans(patient: Any, **values: Any) -> PlannedVisit:
    with transaction():
        return operations.plan(patient.id, **{"months": 3, "reason": "Осмотр", **values}, actor=None)


def test_a_visit_is_planned_in_months_and_called_about_before(make: Any) -> None:
    patient = make.patient()
    with clock.at(datetime(2026, 11, 30, 12)):
        planned = plans(patient)
        assert (planned.target_from, planned.target_to) == (date(2027, 2, 28), date(2027, 3, 13))
        assert planned.call_on == date(2027, 2, 14), "so many days before as the clinic has set"
        soon = plans(patient, months=None, target_from=date(2026, 12, 1))
        assert soon.call_on == date(2026, 11, 30), "not in the past"
    with clock.at(datetime(2027, 2, 14, 9)), transaction():
        operations.call_due()
        operations.call_due()
    assert session.get_one(PlannedVisit, planned.id).status == "call_due"
    assert {r.planned_visit_id for r in reasons(patient, TaskReasonKind.PLANNED_VISIT)} == {planned.id, soon.id}


def test_a_booking_closes_what_it_fulfils_and_its_call(make: Any, doctor: Any) -> None:
    patient = make.patient()
    planned = plans(patient, months=None, target_from=TODAY, target_to=DAY, doctor_id=doctor.id)
    entry = waits(patient, doctor)
    with transaction():
        operations.call_due()
    assert reasons(patient, TaskReasonKind.PLANNED_VISIT)
    wishes = queries.wishes_of(patient.id)
    assert queries.closes(wishes, day=DAY, doctor_id=doctor.id) == {"planned": [planned.id], "waiting": [entry.id]}
    assert queries.closes(wishes, day=DAY, doctor_id=make.doctor().id) == {"planned": [], "waiting": []}
    with transaction():
        visit = operations.book(
            patient.id, doctor.id, at(10), at(10, 30), planned_visit_ids=[planned.id], waiting_entry_ids=[entry.id],
            actor=None,
        )  # fmt: skip
    planned, entry = session.get_one(PlannedVisit, planned.id), session.get_one(WaitingEntry, entry.id)
    assert (planned.status, planned.appointment_id) == ("booked", visit.id)
    assert (entry.status, entry.booked_id) == ("booked", visit.id)
    assert not reasons(patient, TaskReasonKind.PLANNED_VISIT)
    stranger, theirs = make.patient().id, plans(patient).id
    with pytest.raises(Invalid) as refused, transaction():
        operations.book(stranger, doctor.id, at(12), at(12, 30), planned_visit_ids=[theirs], actor=None)
    assert "planned_visit_id" in refused.value.facts["fields"]


def test_a_planned_visit_is_put_off_declined_closed(make: Any) -> None:
    patient = make.patient()
    planned = plans(patient, months=None, target_from=TODAY, target_to=DAY)
    with transaction():
        operations.call_due()
        operations.postpone_plan(planned.id, None, TODAY + timedelta(days=40), actor=None)
    planned = session.get_one(PlannedVisit, planned.id)
    assert (planned.status, planned.target_from) == ("postponed", TODAY + timedelta(days=40))
    assert not reasons(patient, TaskReasonKind.PLANNED_VISIT), "nobody calls before"
    with clock.at(at(9, day=TODAY + timedelta(days=40))), transaction():
        operations.call_due()
    assert reasons(patient, TaskReasonKind.PLANNED_VISIT)
    with transaction():
        operations.decline_plan(planned.id, None, refusal(), actor=None)
    assert not reasons(patient, TaskReasonKind.PLANNED_VISIT)
    with pytest.raises(WrongStatus), transaction():
        operations.close_plan(planned.id, None, actor=None)
    with pytest.raises(Stale), transaction():
        operations.change_plan(plans(patient).id, 77, reason="Другое", actor=None)


def test_planned_visits_that_are_due_come_after_those_who_wait(make: Any, doctor: Any) -> None:
    planned = plans(make.patient(), months=None, target_from=DAY, target_to=DAY, doctor_id=doctor.id)
    entry = waits(make.patient(), doctor)
    rows = queries.who_fits(doctor.id, at(10), at(11))
    assert [(r["what"], r["id"]) for r in rows] == [("waiting", entry.id), ("planned", planned.id)]
    assert [r["what"] for r in queries.who_fits(doctor.id, at(10), at(11), with_planned=False)] == ["waiting"]
