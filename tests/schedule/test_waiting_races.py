"""Offers of free time when several come at the same moment: the first acceptance wins, nobody gets two places."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.db import session, transaction
from app.errors import OfferClosed, Refusal, SlotTaken
from app.models import Appointment, TimeBlock, WaitingEntry, WaitingOffer
from app.schedule import operations
from app.vocab import FREES_TIME
from tests.test_races import together

DAY = clock.today() + timedelta(days=23)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


@pytest.fixture
def doctor(make: Any) -> int:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    return int(doctor.id)


def waiting(make: Any, doctor: int, many: int) -> list[int]:
    patients = [make.patient().id for _ in range(many)]
    wishes: dict[str, Any] = {"wanted_doctors": "only", "doctor_ids": [doctor], "minutes": 30}
    with transaction():
        return [operations.wait_for_time(patient, **wishes, actor=None).id for patient in patients]


def offered(entries: list[int], doctor: int) -> list[int]:
    with transaction():
        return [operations.offer_time(pk, doctor, at(10), actor=None).id for pk in entries]


def standing(doctor: int) -> int:
    visits = select(func.count()).select_from(Appointment).where(
        Appointment.doctor_id == doctor, Appointment.status.not_in(FREES_TIME)
    )  # fmt: skip
    return session.scalar(visits) or 0


def statuses(model: Any, column: Any, ids: list[int]) -> list[str]:
    session.expire_all()
    return sorted(session.scalars(select(model.status).where(column.in_(ids))))


def test_the_first_acceptance_wins(app: Flask, make: Any, doctor: int) -> None:
    entries = waiting(make, doctor, 6)
    offers = offered(entries, doctor)

    def accept(offer: int) -> Any:
        return lambda: operations.accept_offer(offer, actor=None).visit.id

    results = together(app, [accept(offer) for offer in offers for _ in range(2)])
    won = [result for result in results if not isinstance(result, Refusal)]
    lost = [result for result in results if isinstance(result, Refusal)]
    assert len(won) == 1 and all(isinstance(refusal, OfferClosed) for refusal in lost), results
    assert standing(doctor) == 1
    assert statuses(WaitingOffer, WaitingOffer.id, offers) == ["accepted", *["lost"] * 5]
    assert statuses(WaitingEntry, WaitingEntry.id, entries) == ["booked", *["waiting"] * 5]


def test_an_offer_and_a_booking_of_one_time(app: Flask, make: Any, doctor: int) -> None:
    for _ in range(4):
        make_doctor = make.doctor()
        make.hours(make_doctor, DAY)
        [entry] = waiting(make, make_doctor.id, 1)
        patient, pk = make.patient().id, int(make_doctor.id)
        results = together(app, [
            lambda entry=entry, pk=pk: ("offer", operations.offer_time(entry, pk, at(10), actor=None).hold_id),
            lambda patient=patient, pk=pk: ("visit", operations.book(patient, pk, at(10), at(10, 30), actor=None).id),
        ])  # fmt: skip
        won = [result for result in results if not isinstance(result, Refusal)]
        assert len(won) == 1 and any(isinstance(result, SlotTaken) for result in results), results
        held = session.scalar(
            select(func.count()).select_from(TimeBlock).where(TimeBlock.doctor_id == pk, TimeBlock.lifted_at.is_(None))
        )
        assert standing(pk) + (held or 0) == 1


def test_an_offer_that_runs_out_while_it_is_accepted(app: Flask, make: Any, doctor: int) -> None:
    entries = waiting(make, doctor, 3)
    offers = offered(entries, doctor)
    late = session.get_one(WaitingOffer, offers[0]).expires_at
    session.rollback()

    def accept() -> int:
        with clock.at(late - timedelta(seconds=1)):
            return operations.accept_offer(offers[0], actor=None).visit.id

    def expire() -> int:
        with clock.at(late + timedelta(seconds=1)):
            return operations.expire_offers()

    results = together(app, [accept, expire, expire])
    booked = not isinstance(results[0], Refusal)
    assert standing(doctor) == int(booked)
    first, rest = entries[0], entries[1:]
    assert statuses(WaitingEntry, WaitingEntry.id, [first]) == (["booked"] if booked else ["waiting"])
    assert statuses(WaitingEntry, WaitingEntry.id, rest) == ["waiting", "waiting"], "nobody is left hanging"
    session.expire_all()
    hold = session.get_one(TimeBlock, session.get_one(WaitingOffer, offers[0]).hold_id)
    assert hold.lifted_at is not None


def test_two_desks_offer_one_time_and_share_its_hold(app: Flask, make: Any, doctor: int) -> None:
    entries = waiting(make, doctor, 6)

    def offer(entry: int) -> Any:
        return lambda: operations.offer_time(entry, doctor, at(10), actor=None).hold_id

    results = together(app, [offer(entry) for entry in entries])
    assert len(set(results)) == 1, results
    again = together(app, [offer(entries[0]), offer(entries[0])])
    assert all(isinstance(result, Refusal) for result in again), "nobody is offered two times"


def test_who_is_moved_sooner_and_who_cancels_the_same_visit(app: Flask, make: Any, doctor: int) -> None:
    from app.models import CancelReason

    patient = make.patient()
    with transaction():
        visit = operations.book(patient.id, doctor, at(16), at(16, 30), actor=None).id
        entry = operations.wait_for_time(
            patient.id, kind="move_up", appointment_id=visit, wanted_doctors="only", doctor_ids=[doctor], actor=None
        ).id
        offer = operations.offer_time(entry, doctor, at(10), actor=None).id
        reason = session.scalars(select(CancelReason.id).limit(1)).first()
        if reason is None:
            made = CancelReason(name="Заболел в гонке")
            session.add(made)
            session.flush()
            reason = made.id
    results = together(app, [
        lambda: operations.accept_offer(offer, actor=None).visit.id,
        lambda: operations.cancel(visit, reason, "patient", actor=None).id,
    ])  # fmt: skip
    assert not isinstance(results[0], Refusal), results
    assert standing(doctor) <= 1
    assert statuses(WaitingEntry, WaitingEntry.id, [entry]) == ["booked"]
