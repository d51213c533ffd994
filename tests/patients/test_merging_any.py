"""Whatever two cards have, merged and parted they are as they were; chains of merges; what comes at the same moment."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app import clock, errors
from app.db import session, transaction
from app.models import (
    Appointment,
    CallTask,
    CardMerge,
    CardOpening,
    Family,
    NextVisitRefusal,
    Patient,
    PatientConsent,
    PatientPhone,
    PatientTag,
    PatientTagged,
    PlannedVisit,
    RefusalReason,
    TimeBlock,
    WaitingEntry,
    WaitingOffer,
)
from app.patients import operations, queries, rules
from tests.conftest import Maker
from tests.patients.test_merging import merge, part, picture
from tests.test_races import together

TODAY = clock.today()
FIRST = datetime(2100, 1, 4, 9)


def phone(pk: int, n: int) -> PatientPhone:
    return PatientPhone(patient_id=pk, number=f"+7916700000{n}", owner=f"кто {n}")


def tagged(pk: int, n: int) -> PatientTagged:
    return PatientTagged(patient_id=pk, tag_id=directory(PatientTag, n))


def refusal(pk: int, n: int) -> NextVisitRefusal:
    day = TODAY - timedelta(days=n)
    return NextVisitRefusal(patient_id=pk, refusal_reason_id=directory(RefusalReason, 1), business_day=day)


def consent(pk: int, n: int) -> PatientConsent:
    kind = ("personal_data", "advertising", "treatment")[n % 3]
    return PatientConsent(patient_id=pk, kind=kind, given_on=TODAY)


def opening(pk: int, n: int) -> CardOpening:
    now = clock.now()
    return CardOpening(patient_id=pk, user_id=1, day=TODAY - timedelta(days=n), first_at=now, last_at=now)


def planned(pk: int, n: int) -> PlannedVisit:
    return PlannedVisit(patient_id=pk, target_from=TODAY, target_to=TODAY, reason=f"осмотр {n}", call_on=TODAY)


def task(pk: int, _n: int) -> CallTask:
    return CallTask(patient_id=pk, due_at=clock.wall_now())


def waiting(pk: int, n: int) -> list[Any]:
    """Waits, and a time is offered that nobody has answered yet."""
    at = datetime(2100, 2, 1 + n, 9)
    place = {"branch_id": 1, "starts_at": at, "ends_at": at + timedelta(minutes=30)}
    hold = TimeBlock(kind="hold", doctor_id=directory(None, n), reason="предложено", **place)
    entry = WaitingEntry(patient_id=pk, first_day=TODAY, last_day=TODAY, status="offered")
    session.add_all([hold, entry])
    session.flush()
    return [WaitingOffer(
        entry_id=entry.id, hold_id=hold.id, doctor_id=hold.doctor_id, expires_at=clock.now(), status="open", **place,
    )]  # fmt: skip


def visit(pk: int, n: int) -> Appointment:
    at = FIRST + timedelta(days=n)
    return Appointment(
        patient_id=pk, doctor_id=directory(None, n), branch_id=1, starts_at=at, ends_at=at + timedelta(minutes=30),
        overbooked=True, overbook_reason="проба",
    )  # fmt: skip


_DIRECTORY: dict[Any, list[int]] = {}


def directory(model: Any, n: int) -> int:
    return _DIRECTORY[model][n % len(_DIRECTORY[model])]


KINDS: list[Callable[[int, int], Any]] = [
    phone, tagged, refusal, consent, opening, planned, task, waiting, visit,
]  # fmt: skip
facts = st.sets(st.tuples(st.sampled_from(range(len(KINDS))), st.integers(0, 2)), max_size=9)
values = st.fixed_dictionaries({}, optional={
    "comment": st.sampled_from(["раз", "два"]), "allergy": st.sampled_from(["лидокаин", "латекс"]),
    "email": st.sampled_from(["a@b.ru", "c@d.ru"]), "birth_date": st.sampled_from([date(1980, 1, 2), date(1990, 3, 4)]),
    "sex": st.sampled_from(["male", "female"]), "family": st.booleans(),
})  # fmt: skip
chosen = st.dictionaries(st.sampled_from(rules.MERGED_FIELDS), st.sampled_from(["winner", "loser", "both"]), max_size=6)


@pytest.fixture(scope="module")
def directories(app: Flask) -> None:
    with app.app_context():
        make = Maker()
        _DIRECTORY[PatientTag] = [make._save(PatientTag(name=f"Метка {uuid4()}")).id for _ in range(3)]
        _DIRECTORY[RefusalReason] = [make._save(RefusalReason(name=f"Причина {uuid4()}")).id]
        _DIRECTORY[None] = [make.doctor().id for _ in range(3)]


def card(make: Maker, has: set[tuple[int, int]], known: dict[str, Any]) -> int:
    known = dict(known)
    if known.pop("family", False):
        known["family_id"] = make._save(Family(name="Любая")).id
    pk: int = make.patient("Любая", status="active" if "birth_date" in known else "draft", **known).id
    with transaction():
        tasks = False
        for kind, n in sorted(has):
            if KINDS[kind] is task and tasks:
                continue  # one open task a patient
            tasks = tasks or KINDS[kind] is task
            rows = KINDS[kind](pk, n)
            session.add_all(rows if isinstance(rows, list) else [rows])
            session.flush()
    return pk


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(facts, values, facts, values, chosen)
def test_merged_and_parted_all_is_as_it_was(
    directories: None, make: Maker, has: Any, known: Any, others: Any, knows: Any, taken: Any
) -> None:
    loser, winner = card(make, has, known), card(make, others, knows)
    before = picture(loser, winner)
    at_once = {n for kind, n in has if KINDS[kind] is visit} & {n for kind, n in others if KINDS[kind] is visit}
    try:
        done = merge(make, loser, winner, **taken)
    except errors.NotMergeable:
        assert at_once and picture(loser, winner) == before
        return
    assert not at_once
    left = {name for name, _ in queries.belongings(loser)}
    assert left <= {"patient_phone", "patient_tagged", "next_visit_refusal", "patient_consent", "call_task",
                    "card_opening"}  # fmt: skip
    part(make, done)
    assert picture(loser, winner) == before


def test_a_chain_is_parted_from_its_end(make: Maker) -> None:
    a, b, c = (make.patient("Цепь", phone=f"+7916800000{n}").id for n in range(3))
    with transaction():
        session.execute(update(Patient).where(Patient.id.in_((a, b, c))).values(birth_date=date(1980, 1, 2)))
    before, number = picture(a, b, c), session.get_one(Patient, a).card_number
    first, second = merge(make, a, b), merge(make, b, c)
    assert [row["id"] for row in queries.find("+79168000000")[1]] == [c]
    # A phone that ends like the number, of somebody who stands before by name.
    make.patient("Аббатов", phone=f"+79168{number:06}")
    assert next(row["id"] for row in queries.find(f"{number}")[1]) == c
    with pytest.raises(errors.NotMergeable):
        part(make, first)
    part(make, second)
    part(make, first)
    assert picture(a, b, c) == before
    with pytest.raises(errors.NotMergeable):
        part(make, first)


def test_the_card_of_a_chain_is_opened_at_its_end(make: Maker, client_of: Any) -> None:
    a, b, c = (make.patient("Цепь").id for _ in range(3))
    merge(make, a, b)
    merge(make, b, c)
    page = client_of("senior").get(f"/patients/{a}", follow_redirects=True)
    assert page.request.path == f"/patients/{c}" and page.status_code == 200


def test_what_came_since_stays_with_the_card_that_stayed(make: Maker) -> None:
    loser, winner = make.patient("Новости").id, make.patient("Новости")
    done, winner_id = merge(make, loser, winner.id), winner.id
    visit_id = make.appointment(winner, make.doctor(), FIRST).id
    with transaction():
        session.add_all([phone(winner_id, 5), planned(winner_id, 5)])
    part(make, done)
    session.expire_all()
    assert session.get_one(Appointment, visit_id).patient_id == winner_id
    assert dict(queries.belongings(loser)).keys() <= {"audit_event", "patient_phone"}
    assert {"appointment", "patient_phone", "planned_visit"} <= dict(queries.belongings(winner_id)).keys()


@pytest.mark.parametrize("who", ["guardian_id", "payer_id"])
@pytest.mark.parametrize("turned", [True, False])
def test_who_signs_or_pays_for_the_other_is_another_person(make: Maker, who: str, turned: bool) -> None:
    a, b = make.patient("Двое").id, make.patient("Двое").id
    with transaction():
        session.execute(update(Patient).where(Patient.id == (a if turned else b)).values({who: b if turned else a}))
    with pytest.raises(errors.NotMergeable):
        merge(make, a, b)


def test_relatives_who_are_one_person_become_one(make: Maker) -> None:
    """Two cards of one family, each with a child: the children name the card that stays, and then their own again."""
    family = make._save(Family(name="Родные")).id
    a, b = (make.patient("Родные", family_id=family, status="draft").id for _ in range(2))
    mine, other = (make.patient("Детки", guardian_id=pk, payer_id=pk, family_id=family).id for pk in (a, b))
    before = picture(a, b, mine, other)
    done = merge(make, a, b)
    session.expire_all()
    assert {session.get_one(Patient, pk).guardian_id for pk in (mine, other)} == {b}
    assert a not in {row["id"] for row in queries.family(session.get_one(Patient, b))}
    part(make, done)
    assert picture(a, b, mine, other) == before


def test_two_merge_one_card_into_two(app: Flask, make: Maker) -> None:
    a, b, c = (make.patient("Тройня").id for _ in range(3))
    senior = make.user("senior")
    deeds = [lambda to=to: operations.merge_cards(a, to, {}, "разом", actor=senior).id for to in (b, c, b, c)]
    deeds += [lambda: operations.merge_cards(b, c, {}, "разом", actor=senior).id]
    together(app, deeds)
    session.expire_all()
    standing = select(func.count()).where(CardMerge.undone_at.is_(None))
    assert session.scalar(standing.where(CardMerge.loser_id == a)) == 1
    for pk in (a, b, c):  # nobody points at a card that is gone and back
        seen, at = {pk}, session.get_one(Patient, pk).merged_into_id
        while at:
            assert at not in seen
            seen.add(at)
            at = session.get_one(Patient, at).merged_into_id


def test_a_booking_at_the_same_moment_is_not_lost(app: Flask, make: Maker) -> None:
    """Who books while the card is being merged either comes before, and the visit moves, or is told of it."""
    a, b, doctor = make.patient("Разом").id, make.patient("Разом").id, make.doctor().id
    senior = make.user("senior")

    def book(n: int) -> Any:
        session.add(Appointment(
            patient_id=a, doctor_id=doctor, branch_id=1, starts_at=FIRST + timedelta(days=n),
            ends_at=FIRST + timedelta(days=n, minutes=30),
        ))  # fmt: skip
        session.flush()

    deeds: list[Any] = [lambda n=n: book(n) for n in range(8)]
    together(app, [*deeds, lambda: operations.merge_cards(a, b, {}, "разом", actor=senior).id])
    session.expire_all()
    assert session.get_one(Patient, a).merged_into_id == b
    assert session.query(Appointment).filter_by(patient_id=a).count() == 0
    with pytest.raises(errors.CardMerged), transaction():
        book(9)
