"""A card emptied on the patient's demand: what goes is nowhere any more, what the law keeps is as it was."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import JSON, LargeBinary, String, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from app import clock, errors, money
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import constraint_of, session, transaction
from app.documents import operations as documents
from app.models import (
    Appointment,
    AuditEvent,
    CallAttempt,
    CallTask,
    CallTaskReason,
    CancelReason,
    CardErasure,
    ConfirmLink,
    IncomingMessage,
    NextVisitRefusal,
    OutboxMessage,
    Patient,
    PatientTag,
    PatientTagged,
    PlannedVisit,
    RefusalReason,
    RequestKey,
    User,
    WaitingEntry,
)
from app.patients import operations, queries, rules
from app.patients.rules import Fate, Law
from app.tables.base import Model
from tests.conftest import Maker
from tests.test_races import together

TODAY = clock.today()
SECRETS = ("Секретова", "Агриппина", "Тайновна", "79167654321", "агриппина@почта", "Тайная улица", "секрет")


def erase(make: Maker, pk: int, **given: Any) -> CardErasure:
    number = str(session.get_one(Patient, pk, populate_existing=True).card_number)
    asked = {"card_number": number, "asked_on": TODAY, "reason": "Письмо № 5", "by": "director"} | given
    with transaction():
        return operations.erase_card(
            pk, asked["card_number"], asked["asked_on"], asked["reason"], actor=make.user(asked["by"])
        )


def known(make: Maker, *, visited: bool) -> int:
    """A card of which much is known, all of it with a secret in it."""
    desk = make.user()
    values = {
        "surname": "Секретова", "name": "Агриппина", "patronymic": "Тайновна", "birth_date": date(1971, 2, 3),
        "phone": "+79167654321", "email": "агриппина@почта.рф", "address": "Тайная улица, 1", "passport": "секрет 1",
        "comment": "секрет 2", "allergy": "секрет 3", "insurance": "секрет 4",
    }  # fmt: skip
    relative = make.patient("Родня")
    with transaction():
        pk = operations.create_card(values, actor=desk).id
        operations.edit_card(pk, 1, {"comment": "секрет 5"}, actor=desk)
        operations.give_consent(pk, "advertising", TODAY, actor=desk)
        operations.join_family(pk, relative.id, actor=desk)
        operations.set_payer(relative.id, pk, actor=desk)
    make.patient("Дитя", guardian_id=pk)
    doctor, reason = make.doctor(), make._save(RefusalReason(name=f"Причина {pk}"))
    at = datetime.combine(TODAY - timedelta(days=3), datetime.min.time()).replace(hour=pk % 24)
    why = {
        "cancelled_by": "patient",
        "cancel_comment": "секрет 6",
        "cancel_reason_id": make._save(CancelReason(name=f"Отмена {pk}")).id,
    }
    state = {"status": "completed"} if visited else {"status": "cancelled", **why}
    visit = make.appointment(session.get_one(Patient, pk), doctor, at, comment="секрет 7", **state)
    tag = make._save(PatientTag(name=f"Метка {pk}"))
    with transaction():
        task = CallTask(patient_id=pk, due_at=clock.wall_now(), comment="секрет 8")
        session.add(task)
        session.flush()
        session.add_all([
            CallTaskReason(task_id=task.id, kind="missed_call", due_on=TODAY, note="секрет 9"),
            CallAttempt(task_id=task.id, result="not_reached", phone="+79167654321", comment="секрет 10"),
            OutboxMessage(kind="reminder", patient_id=pk, appointment_id=visit.id, phone="+79167654321",
                          planned_time=visit.starts_at, body="Агриппина, ждём", due_at=clock.now(), said="секрет"),
            IncomingMessage(gateway_id=f"e{pk}", phone="+79167654321", body="секрет 11", meaning="unknown",
                            received_at=clock.now(), patient_id=pk),
            PlannedVisit(patient_id=pk, target_from=TODAY, target_to=TODAY, reason="секрет 12", call_on=TODAY),
            WaitingEntry(patient_id=pk, first_day=TODAY, last_day=TODAY, comment="секрет 13"),
            NextVisitRefusal(patient_id=pk, refusal_reason_id=reason.id, business_day=TODAY, comment="секрет 14"),
            PatientTagged(patient_id=pk, tag_id=tag.id),
            ConfirmLink(token=f"t{pk}", appointment_id=visit.id, planned_time=visit.starts_at, created_at=clock.now()),
        ])  # fmt: skip
    return pk


def everywhere(*secrets: str) -> dict[str, list[str]]:
    """In which tables of the whole database a secret stands."""
    session.expire_all()
    found = {}
    for table in Model.metadata.sorted_tables:
        rows = session.execute(text(f'SELECT t::text FROM "{table.name}" t')).scalars()
        if hits := [row for row in rows if any(secret.lower() in row.lower() for secret in secrets or SECRETS)]:
            found[table.name] = hits
    return found


def test_nothing_is_left_of_a_patient_whom_no_law_keeps(make: Maker) -> None:
    pk = known(make, visited=False)
    answers = [{"full_name": "Секретова Агриппина Тайновна"}, {"phones": [{"number": "+79167654321"}]}]
    for answer in answers:
        make._save(RequestKey(key=uuid4(), user_id=make.user().id, fingerprint="0" * 64, status=200, answer=answer))
    at_first = {"patient", "audit_event", "outbox_message", "call_attempt", "name_word", "request_key"}
    assert at_first <= set(everywhere())
    done = erase(make, pk)
    assert (done.kept, done.kept_until) == (None, None)
    assert everywhere() == {}
    card = session.get_one(Patient, pk)
    assert (card.full_name, card.status, card.birth_date, card.phones) == ("Обезличенная карта", "archived", None, [])
    assert session.scalar(select(OutboxMessage.status).where(OutboxMessage.patient_id == pk)) == "cancelled"
    assert session.scalar(select(CallTask.status).where(CallTask.patient_id == pk)) == "closed"
    assert session.scalar(select(PlannedVisit.status).where(PlannedVisit.patient_id == pk)) == "closed"
    assert session.scalar(select(WaitingEntry.status).where(WaitingEntry.patient_id == pk)) == "expired"
    assert all(consent.withdrawn_at for consent in queries.consents(pk))
    assert session.scalar(select(Patient.guardian_id).where(Patient.guardian_id == pk)) is None
    # the log still says what was done and when
    deeds = [event.action for event in session.query(AuditEvent).filter_by(patient_id=pk).order_by(AuditEvent.id)]
    assert {"card.created", "card.changed", "family.joined", "card.erased"} <= set(deeds)
    for asked in ("Секретова", "ctrhtnjdf", "79167654321", "7654321", "03.02.1971"):
        assert pk not in [row["id"] for row in queries.find(asked, archived=True)[1]], asked
    assert next(row["id"] for row in queries.find(str(card.card_number), archived=True)[1]) == pk


@pytest.fixture
def branch(make: Maker) -> Any:
    branch = make.branch()
    with transaction():
        cash.open_shift(branch.desk_id, Decimal(0), actor=make.user())
    return branch


def test_what_the_law_keeps_stays_as_it_was(make: Maker, branch: Any) -> None:
    pk, director = known(make, visited=True), make.user("director")
    line, doctor_id = [{"service_id": make.service("1000.00").id, "quantity": 1}], make.doctor().id
    with transaction():
        order = billing.create_work_order(pk, doctor_id, line, branch_id=branch.id, actor=director)
        billing.issue(order.id, actor=director)
        part = {"method": "cash", "amount": Decimal(1000)}
        billing.take_payment(pk, [part], branch_id=branch.id, actor=director)
        documents.issue("consent_personal_data", pk, actor=director)
    kept = {name for name, rule in rules.RULES.items() if rule.fate == Fate.KEPT and name != "card_erasure"}

    def picture() -> dict[str, list[str]]:
        session.expire_all()
        return {name: sorted(session.execute(text(f"SELECT t::text FROM {name} t")).scalars()) for name in sorted(kept)}

    before = picture()
    done = erase(make, pk)
    assert picture() == before
    day = TODAY - timedelta(days=3)
    assert done.kept_until == day.replace(year=day.year + 25)
    assert done.kept == {
        "surname": "Секретова", "name": "Агриппина", "patronymic": "Тайновна", "birth_date": "1971-02-03",
        "allergy": "секрет 3",
    }  # fmt: skip
    # the papers and the identity put away, and no other table
    assert set(everywhere()) <= {"issued_document", "receipt", "fiscal_receipt", "card_erasure", "printing"}
    assert session.get_one(Patient, pk).full_name == "Обезличенная карта"


def test_every_table_of_a_patient_has_a_rule() -> None:
    """A table that is added tomorrow must say what becomes of it; and so must each of its words."""
    assert set(queries.reach()) == set(rules.RULES)
    lists = {"status", "kind", "result", "meaning", "last_result", "confirmation", "cancelled_by", "urgency",
             "wanted_doctors", "made_from", "method"}  # fmt: skip
    for name, rule in rules.RULES.items():
        if rule.fate == Fate.REMOVED:
            continue
        columns = Model.metadata.tables[name].columns
        words = {one.name for one in columns if isinstance(one.type, String | Text | JSON | JSONB | LargeBinary)}
        assert words - lists <= set(rule.clears) | set(rule.words), name
        assert {*rule.clears, *rule.words} <= {one.name for one in columns}, name


def test_all_of_the_card_goes_but_what_says_nothing_of_the_patient() -> None:
    stays = set(rules.STAYS_ON_CARD) - {"surname", "name"}
    assert stays == {
        "id", "card_number", "status", "merged_into_id", "version", "created_at", "created_by_id", "search_name",
        "archive_reason", "erased_at", "surveyed_on", "health_alerts",  # the medical card's
    }  # fmt: skip
    for column in Patient.__table__.columns:
        assert (
            column.computed is not None
            or column.name in rules.STAYS_ON_CARD
            or column.nullable
            or isinstance(column.type, String | Text)
        )


@pytest.mark.parametrize("told, left", [
    (None, None), ({}, {}), ({"surname": "А", "status": "draft", "total": "5.00"},
                             {"surname": None, "status": "draft", "total": "5.00"}),
    ({"moves": 2, "source_id": 4, "for_sms": True, "phones": ["1"], "x": {"a": "b"}},
     {"moves": 2, "source_id": 4, "for_sms": True, "phones": None, "x": None}),
])  # fmt: skip
def test_what_the_log_forgets(told: Any, left: Any) -> None:
    assert rules.forgotten(told) == left


def test_how_long_the_law_keeps() -> None:
    last = {Law.MONEY: date(2026, 3, 1)}
    assert rules.kept_until({}) is None
    assert rules.kept_until(last) == date(2031, 12, 31)
    assert rules.kept_until(last | {Law.MEDICAL: date(2024, 2, 29)}) == date(2049, 3, 1)
    assert rules.kept_until({Law.PAPERS: date(2026, 3, 1)}) == date(2031, 3, 1)


@pytest.mark.parametrize("wrong", ["number", "day", "reason", "visit", "advance", "debt", "draft", "who", "twice"])
def test_what_is_not_erased(make: Maker, branch: Any, wrong: str) -> None:
    patient, director = make.patient("Секретова"), make.user("director")
    pk, given, sentence = patient.id, dict[str, Any](), ""
    if wrong == "number":
        given = {"card_number": "1"}
    if wrong == "day":
        given = {"asked_on": TODAY + timedelta(days=1)}
    if wrong == "reason":
        given = {"reason": " "}
    if wrong == "who":
        given = {"by": "senior"}
    if wrong == "visit":
        at = datetime(2100, 1, 2, 9)
        make.appointment(patient, make.doctor(), at)
        sentence = "02.01.2100 09:00"
    line, doctor_id = [{"service_id": make.service("1000.00").id, "quantity": 1}], make.doctor().id
    with transaction():
        if wrong in ("debt", "draft"):
            order = billing.create_work_order(pk, doctor_id, line, branch_id=branch.id, actor=director)
        if wrong == "debt":
            billing.issue(order.id, actor=director)
            sentence = money.shown(Decimal(1000))
        if wrong == "advance":
            part = [{"method": "cash", "amount": Decimal(70)}]
            billing.take_payment(pk, part, branch_id=branch.id, actor=director)
            sentence = "70,00"
    if wrong == "twice":
        erase(make, pk)
    with pytest.raises(errors.Refusal) as refused:
        erase(make, pk, **given)
    assert sentence in refused.value.words.get("why", "")
    name = session.get_one(Patient, pk, populate_existing=True).surname
    assert name == ("Обезличенная" if wrong == "twice" else "Секретова")


def test_merged_cards_go_together_and_are_not_parted(make: Maker) -> None:
    first, second, third = (make.patient("Двуликова", comment="двуликая") for _ in range(3))
    senior = make.user("senior")
    with transaction():
        operations.merge_cards(first.id, second.id, {}, "Двуликова одна", actor=senior)
        merge = operations.merge_cards(second.id, third.id, {}, "Двуликова одна", actor=senior).id
    with pytest.raises(errors.NotErasable):
        erase(make, first.id)
    erase(make, third.id)
    assert everywhere("двулик") == {}
    with pytest.raises(errors.NotMergeable), transaction():
        operations.part_cards(merge, actor=senior)
    another = make.patient().id
    with pytest.raises(errors.NotMergeable), transaction():
        operations.merge_cards(another, third.id, {}, "проба", actor=senior)


def refused(statement: str, **values: Any) -> str | None:
    try:
        session.execute(text(statement), values)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        return None
    except DBAPIError as error:
        return constraint_of(error)
    finally:
        session.rollback()


def test_the_database_lets_exactly_this_happen(make: Maker) -> None:
    pk, other = known(make, visited=False), known(make, visited=False)
    event = session.scalar(select(AuditEvent.id).where(AuditEvent.patient_id == pk).limit(1))
    log = "UPDATE audit_event SET after = '{}' WHERE id = :pk"
    assert refused(log, pk=event) == "ck_audit_event_append_only"
    assert refused("UPDATE patient SET erased_at = now(), status = 'archived' WHERE id = :pk", pk=pk) == (
        "ck_patient_erased_stays"
    )
    begin = (
        "WITH said AS (INSERT INTO card_erasure (patient_id, cards, asked_on, reason)"
        " VALUES (:pk, ARRAY[:pk]::int[], now(), 'x'))".replace("::", "\\:\\:")
    )
    assert refused(f"{begin} SELECT 1", pk=pk) == "ck_card_erasure_done"
    erase(make, pk)
    # another transaction may empty nothing more, and nothing comes back
    assert refused("UPDATE audit_event SET before = NULL WHERE id = :pk", pk=event) in (
        "ck_audit_event_append_only", None,
    )  # fmt: skip
    assert refused(log, pk=event) == "ck_audit_event_append_only"
    for statement, name in (
        ("UPDATE patient SET surname = 'Снова' WHERE id = :pk", "ck_patient_erased_stays"),
        ("UPDATE patient SET status = 'active', erased_at = NULL WHERE id = :pk", "ck_patient_erased_stays"),
        ("DELETE FROM card_erasure WHERE patient_id = :pk", "ck_card_erasure_append_only"),
        ("UPDATE card_erasure SET kept = NULL WHERE patient_id = :pk", "ck_card_erasure_append_only"),
        ("INSERT INTO patient_phone (patient_id, number) VALUES (:pk, '+79160000000')",
         "ck_patient_erased_takes_nothing"),
        ("INSERT INTO planned_visit (patient_id, target_from, target_to, reason, call_on, status, made_from, wishes,"
         " comment) VALUES (:pk, now(), now(), 'x', now(), 'planned', 'card', '', '')",
         "ck_patient_erased_takes_nothing"),
    ):  # fmt: skip
        assert refused(statement, pk=pk) == name, statement
    # within an erasure the log of others stays, and no word is put in place of another
    for change, whose in (("'{}'", pk), ("NULL", other), ("jsonb_set(after, '{surname}', '\"Иная\"')", other)):
        session.execute(
            text("INSERT INTO card_erasure (patient_id, cards, asked_on, reason) VALUES (:pk, ARRAY[:pk], now(), 'x')"),
            {"pk": other if whose == pk else make.patient().id},
        )
        statement = f"UPDATE audit_event SET after = {change} WHERE patient_id = :pk AND action = 'card.created'"
        assert refused(statement, pk=whose) == "ck_audit_event_append_only", change


def test_nobody_books_or_writes_to_an_erased_card(make: Maker, client_of: Any) -> None:
    from app.schedule import operations as schedule

    pk, desk = make.patient("Секретова", phone="+79167654321").id, make.user()
    erase(make, pk)
    with pytest.raises(errors.CardErased), transaction():
        operations.edit_card(pk, 3, {"surname": "Снова"}, actor=desk)
    with pytest.raises(errors.CardErased), transaction():
        operations.restore_card(pk, actor=make.user("senior"))
    with pytest.raises(errors.CardErased), transaction():
        operations.give_consent(pk, "advertising", actor=desk)
    doctor = make.doctor()
    with pytest.raises(errors.Refusal), transaction():
        schedule.plan(pk, months=6, reason="осмотр", actor=desk)
    with pytest.raises(errors.CardErased), transaction():
        make.appointment(session.get_one(Patient, pk), doctor, datetime(2100, 1, 1, 9))
    page = client_of("administrator").get(f"/patients/{pk}").text
    assert "Карта обезличена" in page and "Секретова" not in page and "Достать карту" not in page


def test_somebody_books_while_the_card_is_erased(app: Flask, make: Maker) -> None:
    """Ten book and one erases, all at once: either the visit is in the way, or the card takes no visit any more."""
    pk = make.patient("Гонкина").id
    number = session.get_one(Patient, pk).card_number
    director, doctors = make.user("director").id, [(doctor.id, doctor.branch_id) for doctor in (make.doctor(),) * 6]

    def book(n: int) -> Any:
        def work() -> None:
            doctor_id, branch_id = doctors[n]
            at = datetime(2100, 1, 1 + n, 9)
            session.add(Appointment(
                patient_id=pk, doctor_id=doctor_id, branch_id=branch_id, starts_at=at, ends_at=at.replace(hour=10),
            ))  # fmt: skip
            session.flush()

        return work

    def empty() -> None:
        operations.erase_card(pk, str(number), TODAY, "x", actor=session.get_one(User, director))

    together(app, [*(book(n) for n in range(6)), empty])
    session.expire_all()
    booked = session.query(Appointment).filter_by(patient_id=pk, status="booked").count()
    assert not (session.get_one(Patient, pk).erased_at and booked)


def test_the_page_says_what_goes_and_what_stays(make: Maker, client_of: Any) -> None:
    pk, director = known(make, visited=True), client_of("director")
    card = session.get_one(Patient, pk)
    at, number = f"/erasing/{pk}", card.card_number
    assert at in director.get(f"/patients/{pk}").text
    assert at not in client_of("senior").get(f"/patients/{pk}").text
    page = director.get(at).text
    assert "25 лет" in page and "Сообщения: 1" in page and f"{TODAY.year + 25}" in page
    sent = {"number": "0", "asked_on": str(TODAY), "reason": "Письмо"}
    wrong = director.post(at, data=sent)
    assert wrong.status_code == 422 and "Письмо" in wrong.text
    assert director.post(at, data=sent | {"asked_on": "вчера", "number": str(number)}).status_code == 422
    assert session.get_one(Patient, pk, populate_existing=True).erased_at is None
    assert director.post(at, data=sent | {"number": f"№ {number}"}).status_code == 303
    page = director.get(f"/patients/{pk}").text
    assert "Карта обезличена" in page and "Секретова Агриппина Тайновна" in page and "03.02.1971" in page
    assert "Секретова" not in client_of("senior").get(f"/patients/{pk}").text
    assert director.get(at).status_code == 303
    told = session.query(AuditEvent).filter_by(patient_id=pk, action="card.erased").one()
    assert json.dumps(told.after, ensure_ascii=False) == json.dumps({"number": str(number), "asked_on": str(TODAY)})


def test_outsiders(make: Maker, client_of: Any) -> None:
    pk = make.patient("Секретова").id
    for who in ("administrator", "senior", "doctor", "sysadmin"):
        assert client_of(who).get(f"/erasing/{pk}").status_code == 403
        assert client_of(who).post(f"/erasing/{pk}", data={"number": "1"}).status_code == 403
    assert client_of("director").get("/erasing/999999").status_code == 404
    assert session.get_one(Patient, pk, populate_existing=True).surname == "Секретова"
