"""Two cards of one person: merged, all that belonged to one belongs to the other; parted, everything is as it was."""

import hashlib
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app import clock, errors
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import constraint_of, session, transaction
from app.models import (
    CallTask,
    CardImport,
    CardImportRow,
    CardMerge,
    CardOpening,
    DiaryEntry,
    HealthSurvey,
    IncomingMessage,
    IssuedDocument,
    MedicalRecord,
    NextVisitRefusal,
    OutboxMessage,
    Patient,
    PatientAccount,
    PatientPhone,
    PatientTag,
    PatientTagged,
    PlannedVisit,
    RefusalReason,
    SignedScan,
    TaxCertificate,
    WaitingEntry,
)
from app.patients import operations, queries, rules
from app.patients.views.merging import BELONGINGS
from app.reports import queries as reports
from tests.conftest import Maker
from tests.test_races import together

TODAY = clock.today()


@pytest.fixture
def branch(make: Maker) -> Any:
    branch = make.branch()
    with transaction():
        cash.open_shift(branch.desk_id, Decimal(0), actor=make.user())
    return branch


def lived(make: Maker, branch: Any, surname: str, n: int) -> int:
    """A card to which something of every kind happened; the number tells whose day it was."""
    patient = make.patient(surname, phone=f"+791655{n:05d}", birth_date=date(1990, 1, 2))
    director, doctor = make.user("director"), make.doctor()
    service, earlier = make.service("1000.00"), make.patient(surname)
    template = session.scalar(text("SELECT min(id) FROM document_template"))
    make.patient("Ребёнок", guardian_id=patient.id)
    make.patient("Плательщик", payer_id=patient.id)
    day = TODAY + timedelta(days=100 + n)
    visit = make.appointment(patient, doctor, datetime.combine(day, datetime.min.time()))
    reason = make._save(RefusalReason(name=f"Причина {random.random()}"))
    tag = make._save(PatientTag(name=f"Метка {random.random()}"))
    relative = make.patient("Родная", guardian_id=patient.id)
    day = TODAY - timedelta(days=n)
    with transaction():
        session.add_all([
            PatientTagged(patient_id=patient.id, tag_id=tag.id),
            NextVisitRefusal(patient_id=patient.id, refusal_reason_id=reason.id, business_day=day),
            CardOpening(patient_id=patient.id, user_id=director.id, day=day, first_at=clock.now(), last_at=clock.now()),
            CallTask(patient_id=patient.id, due_at=clock.wall_now()),
            IncomingMessage(gateway_id=f"g{random.random()}", phone="+79160000000", body="да", meaning="unknown",
                            received_at=clock.now(), patient_id=patient.id),
            OutboxMessage(kind="reminder", patient_id=patient.id, appointment_id=visit.id, phone="+79160000000",
                          planned_time=visit.starts_at, body="ждём", due_at=clock.now()),
            PlannedVisit(patient_id=patient.id, target_from=TODAY, target_to=TODAY, reason="осмотр", call_on=TODAY),
            WaitingEntry(patient_id=patient.id, first_day=TODAY, last_day=TODAY),
            HealthSurvey(patient_id=patient.id, day=day, answers={"heart": ["yes", ""]}, alerts=[["heart", f"{n}"]]),
            MedicalRecord(patient_id=patient.id, diagnosis=f"диагноз {n}"),
            DiaryEntry(patient_id=patient.id, day=day, doctor_id=doctor.id, treatment=f"лечение {n}"),
        ])  # fmt: skip
        operations.give_consent(patient.id, "personal_data", TODAY, actor=director)
        paper = IssuedDocument(
            kind="contract", legal_entity_id=branch.legal_entity_id, year=2026, number=random.randrange(10**8),
            day=TODAY, patient_id=patient.id, template_id=template, html="", pdf=b"%PDF",
            sha256=hashlib.sha256(b"%PDF").hexdigest(),
        )  # fmt: skip
        session.add(paper)
        session.flush()
        index = CardImport(
            file_name="картотека.csv", state="applied", sheet=0, head_line=1, headless=False, columns=[], mapping=[],
            moved_at=clock.now(), applied_at=clock.now(),
        )  # fmt: skip
        session.add(index)
        session.flush()
        session.add(CardImportRow(import_id=index.id, line=2, verdict="new", patient_id=patient.id))
        session.add(SignedScan(
            document_id=paper.id, patient_id=patient.id, mimetype="application/pdf", content=b"%PDF-1", sha256="1" * 64,
        ))  # fmt: skip
        session.add(TaxCertificate(
            document_id=paper.id, legal_entity_id=branch.legal_entity_id, patient_id=patient.id,
            payer_id=patient.id, tax_year=2000 + n, correction=0, usual=Decimal(1), expensive=Decimal(0),
        ))  # fmt: skip
    part = {"method": "cash", "amount": Decimal(700)}
    line = [{"service_id": service.id, "quantity": 1}]
    with transaction():
        order = billing.create_work_order(patient.id, doctor.id, line, branch_id=branch.id, actor=director)
        billing.issue(order.id, actor=director)
        paid = billing.take_payment(patient.id, [part], branch_id=branch.id, actor=director)
    with transaction():
        billing.refund(paid.id, Decimal(100), "проба", actor=director)
        second = billing.create_work_order(patient.id, doctor.id, line, branch_id=branch.id, actor=director)
        billing.issue(second.id, actor=director)
        billing.reverse_order(second.id, "проба", actor=director)
        billing.sell_certificate(
            patient.id, Decimal(50), [part | {"amount": Decimal(50)}], branch_id=branch.id, actor=director
        )
    with transaction():
        parts = [part | {"amount": Decimal(2000)}]
        billing.take_payment(patient.id, parts, branch_id=branch.id, actor=director)
    with transaction():
        billing.pass_advance(patient.id, relative.id, Decimal(30), "семья", branch_id=branch.id, actor=director)
        billing.pass_advance(relative.id, patient.id, Decimal(10), "семья", branch_id=branch.id, actor=director)
    merge(make, earlier.id, patient.id)
    return int(patient.id)


def merge(make: Maker, loser: int, winner: int, by: str = "senior", **chosen: str) -> int:
    with transaction():
        return operations.merge_cards(loser, winner, chosen, "Один человек", actor=make.user(by)).id


def part(make: Maker, merge_id: int) -> None:
    with transaction():
        operations.part_cards(merge_id, actor=make.user("senior"))


def picture(*patients: int) -> dict[str, list[Any]]:
    """Every row that names one of these patients, whatever table it is in; the log, which only grows, by what was."""
    session.expire_all()
    found: dict[str, list[Any]] = {}
    tables = {table.name: table for table, _ in queries.references()}
    for table, column in queries.references():
        rows = session.execute(select(table).where(column.in_(patients))).mappings().all()
        skipped = {"version"} if table.name in ("patient",) else set()
        found[f"{table.name}.{column.name}"] = sorted(
            str({key: value for key, value in row.items() if key not in skipped})
            for row in rows
            if not (table.name == "audit_event" and row["action"] in ("card.merged", "card.parted"))
        )
    for model, key in ((Patient, Patient.id), (PatientAccount, PatientAccount.patient_id)):
        rows = session.execute(select(model.__table__).where(key.in_(patients))).mappings().all()
        found[model.__tablename__] = sorted(str({k: v for k, v in row.items() if k != "version"}) for row in rows)
    assert tables
    return found


def breaches() -> dict[str, Any]:
    return {promise.name: reports.breaches(promise) for promise in reports.PROMISES}


def test_all_that_belongs_is_moved_and_moved_back(make: Maker, branch: Any) -> None:
    loser, winner = lived(make, branch, "Дважды", 1), lived(make, branch, "Дважды", 2)
    names = {table.name for table, _ in queries.references()}
    assert names == set(BELONGINGS)
    assert {name for name, _ in queries.belongings(loser)} == names, "a table nobody thought of here"
    before, promises = picture(loser, winner), breaches()
    sums = [session.get_one(PatientAccount, pk) for pk in (loser, winner)]
    debt, advance = (sum(getattr(one, name) for one in sums) for name in ("debt", "advance"))
    done = merge(make, loser, winner)
    session.expire_all()
    # what there can be only one of stays with the card that has it
    assert {name for name, _ in queries.belongings(loser)} <= {"call_task", "patient_consent"}
    account, old = session.get_one(PatientAccount, winner), session.get_one(PatientAccount, loser)
    assert (account.debt, account.advance, old.debt, old.advance) == (debt, advance, 0, 0)
    assert breaches() == promises
    part(make, done)
    assert picture(loser, winner) == before and breaches() == promises


def test_found_by_the_old_number_and_shown_as_one(make: Maker, client_of: Any) -> None:
    first, second = make.patient("Двойная", phone="+79161110001"), make.patient("Двойная", phone="+79161110002")
    numbers = {pk: session.get_one(Patient, pk).card_number for pk in (first.id, second.id)}
    senior, desk = client_of("senior"), client_of("administrator")
    page = senior.get(f"/merging/{second.id}?with={first.id}").text
    assert "Один из" not in page and f"№ {numbers[first.id]}" in page and "Причина" in page
    assert "Объединить с другой картой" in senior.get(f"/patients/{second.id}").text
    answer = senior.post(f"/merging/{second.id}", data={"with": first.id, "reason": "Одна и та же"})
    assert answer.status_code == 303
    for asked in (str(numbers[first.id]), "+79161110001", "Двойная"):
        _, found = queries.find(asked)
        assert [row["id"] for row in found if row["full_name"].startswith("Двойная")] == [second.id], asked
    gone = desk.get(f"/patients/{first.id}")
    assert gone.status_code == 302 and gone.location.endswith(f"/patients/{second.id}")
    page = desk.get(f"/patients/{second.id}").text
    assert "+7 916 111-00-01" in page and "Разъединить" not in page
    merge_id = session.scalar(select(CardMerge.id).where(CardMerge.loser_id == first.id))
    assert desk.post(f"/merging/{merge_id}/part").status_code == 403
    assert senior.post(f"/patients/{first.id}/restore").status_code == 302
    assert session.get_one(Patient, first.id, populate_existing=True).merged_into_id == second.id
    assert senior.post(f"/merging/{merge_id}/part").status_code == 303
    assert senior.post(f"/merging/{merge_id}/part").status_code == 303
    assert "Эти карты уже разъединены" in senior.get(f"/patients/{second.id}").text
    assert next(row["id"] for row in queries.find(str(numbers[first.id]))[1]) == first.id


def test_what_both_cards_say(make: Maker) -> None:
    first = make.patient("Разная", name="Анна", allergy="лидокаин", email="a@b.ru", comment="раз")
    second = make.patient("Разная", name="Аня", allergy="пенициллин", comment="два", address="Тверь")
    done = merge(make, first.id, second.id, name="loser", comment="both")
    session.expire_all()
    card = session.get_one(Patient, second.id)
    assert (card.name, card.allergy, card.email) == ("Анна", "пенициллин; лидокаин", "a@b.ru")
    assert (card.comment, card.address) == ("два; раз", "Тверь")
    with transaction():
        card.comment = "написали позже"
    part(make, done)
    session.expire_all()
    card = session.get_one(Patient, second.id)
    assert (card.name, card.allergy, card.email, card.comment) == ("Аня", "пенициллин", "", "написали позже")


@pytest.mark.parametrize("who", ["guardian", "advance", "same time", "itself", "twice", "archived", "reason"])
def test_what_is_not_merged(make: Maker, branch: Any, who: str) -> None:
    first, second = make.patient("Чужая"), make.patient("Чужая")
    a, b, reason = first.id, second.id, "Один человек"
    if who == "guardian":
        with transaction():
            session.get_one(Patient, b).guardian_id = a
    if who == "advance":
        with transaction():
            operations.join_family(a, b, actor=make.user("director"))
            paid = [{"method": "cash", "amount": Decimal(10)}]
            billing.take_payment(a, paid, branch_id=branch.id, actor=make.user("director"))
        with transaction():
            billing.pass_advance(a, b, Decimal(5), "семья", branch_id=branch.id, actor=make.user("director"))
    if who == "same time":
        at = datetime.combine(TODAY + timedelta(days=200), datetime.min.time())
        for patient in (first, second):
            make.appointment(patient, make.doctor(), at)
    if who == "twice":
        merge(make, a, make.patient("Чужая").id)
    if who == "archived":
        with transaction():
            operations.archive_card(b, "уехала", actor=make.user("senior"))
    if who == "itself":
        b = a
    if who == "reason":
        reason = "  "
    before = picture(a, b)
    with pytest.raises(errors.Refusal), transaction():
        operations.merge_cards(a, b, {}, reason, actor=make.user("senior"))
    assert picture(a, b) == before


def test_money_that_was_spent_since_is_not_parted(make: Maker, branch: Any) -> None:
    first, second = make.patient("Тратит"), make.patient("Тратит")
    director = make.user("director")
    with transaction():
        parts = [{"method": "cash", "amount": Decimal(100)}]
        billing.take_payment(first.id, parts, branch_id=branch.id, actor=director)
    done = merge(make, first.id, second.id)
    service, doctor = make.service("100.00"), make.doctor()
    with transaction():
        line = [{"service_id": service.id, "quantity": 1}]
        order = billing.create_work_order(second.id, doctor.id, line, branch_id=branch.id, actor=director)
        billing.issue(order.id, actor=director)
        paid = [{"method": "advance", "amount": Decimal(100)}]
        billing.take_payment(second.id, paid, branch_id=branch.id, actor=director)
    with pytest.raises(errors.NotMergeable):
        part(make, done)
    assert session.get_one(CardMerge, done, populate_existing=True).undone_at is None


def refused(statement: str, **values: Any) -> str | None:
    try:
        session.execute(text(statement), values)
        session.flush()
        return None
    except DBAPIError as error:
        return constraint_of(error)
    finally:
        session.rollback()


def test_without_a_merge_nobody_gives_money_to_another_card(make: Maker, branch: Any) -> None:
    first, second = make.patient("Богатая").id, make.patient("Бедная").id
    with transaction():
        parts = [{"method": "cash", "amount": Decimal(100)}]
        billing.take_payment(first, parts, branch_id=branch.id, actor=make.user())
    pair = {"a": first, "b": second}
    for table in ("payment", "ledger_entry", "receipt", "cash_movement"):
        assert refused(f"UPDATE {table} SET patient_id = :b WHERE patient_id = :a", **pair) == f"ck_{table}_append_only"
    recorded = (
        "INSERT INTO card_merge (loser_id, winner_id, reason, moved, fields) VALUES (:a, :b, 'проба', '{}', '{}');"
    )
    with_more = "UPDATE payment SET patient_id = :b, amount = amount + 1 WHERE patient_id = :a"
    session.execute(text(recorded.rstrip(";")), pair)
    assert refused(with_more, **pair) == "ck_payment_append_only"
    done = merge(make, first, second)
    for statement in (
        "UPDATE card_merge SET reason = 'иначе' WHERE id = :pk", "DELETE FROM card_merge WHERE id = :pk",
    ):  # fmt: skip
        assert refused(statement, pk=done) == "ck_card_merge_stays"
    # the merge was another transaction's
    assert refused("UPDATE payment SET patient_id = :a WHERE patient_id = :b", **pair) == "ck_payment_append_only"


def test_many_merge_and_pay_at_once(app: Flask, make: Maker, branch: Any) -> None:
    """Ten merge the same two cards either way while ten take money: one merge, and no rouble is lost."""
    a, b = make.patient("Разом").id, make.patient("Разом").id
    senior, parts = make.user("senior"), [{"method": "cash", "amount": Decimal(100)}]
    for pk in (a, b):  # who never paid has no account to wait at; then somebody may be asked to try once more
        with transaction():
            billing.take_payment(pk, parts, branch_id=branch.id, actor=senior)
    before = breaches()
    deeds: list[Any] = []
    for n in range(10):
        pair = (a, b) if n % 2 else (b, a)
        deeds.append(lambda pair=pair: operations.merge_cards(*pair, {}, "разом", actor=senior).id)
        deeds.append(lambda pk=pair[0]: billing.take_payment(pk, parts, branch_id=branch.id, actor=senior).amount)
    results = together(app, deeds)
    session.expire_all()
    merged = session.query(CardMerge).filter(CardMerge.loser_id.in_((a, b))).all()
    assert len(merged) == 1, results
    paid = sum((one for one in results if isinstance(one, Decimal)), Decimal(200))
    accounts = session.query(PatientAccount).filter(PatientAccount.patient_id.in_((a, b))).all()
    assert sum((one.advance for one in accounts), Decimal(0)) == paid and breaches() == before


def test_the_way_back_after_a_merge_leads_to_the_card(make: Maker, client_of: Any, program: Any) -> None:
    """«Назад» shows no page that offers to merge what is merged; a program is told where the old card leads."""
    loser, winner = make.patient("Обратная").id, make.patient("Обратная").id
    senior, told = client_of("senior"), program("administrator")
    assert told.get(f"patients/{loser}").json["merged_into_id"] is None
    merge(make, loser, winner)
    back = senior.get(f"/merging/{winner}?with={loser}")
    assert back.status_code == 303 and back.headers["Location"] == f"/patients/{winner}"
    assert told.get(f"patients/{loser}").json["merged_into_id"] == winner


def test_outsiders(make: Maker, client_of: Any) -> None:
    first, second = make.patient().id, make.patient().id
    for who in ("administrator", "doctor"):
        assert client_of(who).get(f"/merging/{first}").status_code == 403
        assert client_of(who).post(f"/merging/{first}", data={"with": second, "reason": "x"}).status_code == 403
    senior = client_of("senior")
    for odd in ("0", "x", "999999999", "-1", "9" * 30, str(first)):
        assert senior.get(f"/merging/{first}?with={odd}").status_code in (200, 404)
        assert senior.post(f"/merging/{first}", data={"with": odd, "reason": "x"}).status_code in (404, 422)
    assert senior.post("/merging/999999/part").status_code == 404


texts = st.sampled_from(["", "да", "нет", "да; нет"])
cards = st.fixed_dictionaries({
    name: st.none() | st.integers(1, 3) if name.endswith("_id")
    else st.sampled_from([None, date(2020, 1, 2)]) if name.endswith("_on")
    else st.sampled_from([None, "21", "91"]) if name == "identity_type" else texts
    for name in rules.MERGED_FIELDS
})  # fmt: skip


@given(
    cards,
    cards,
    st.dictionaries(st.sampled_from([*rules.MERGED_FIELDS, "identity"]), st.sampled_from(["winner", "loser", "both"])),
)
def test_nothing_known_is_lost(winner: dict[str, Any], loser: dict[str, Any], chosen: dict[str, str]) -> None:
    changed = rules.merged(winner, loser, chosen)
    units = [{name: card[name] for name in rules.IDENTITY} for card in (winner, loser)]
    now = {name: changed.get(name, winner[name]) for name in rules.IDENTITY}
    assert {**now, "identity_text": ""} in [{**unit, "identity_text": ""} for unit in units]  # never of two documents
    assert any(now.values()) or (not any(units[0].values()) and not any(units[1].values()))
    for name in rules.MERGED_FIELDS:
        if name in rules.IDENTITY:
            continue
        value, mine, other = changed.get(name, winner[name]), winner[name], loser[name]
        assert value or not (mine or other)
        if name == "allergy" and name not in chosen:
            assert (mine or "") in value and (other or "") in value
        if name not in changed:
            assert value == mine
    assert not rules.merged(winner, winner, chosen)


def test_phones_of_both_are_kept_once(make: Maker) -> None:
    first, second = make.patient(phone="+79161112233"), make.patient(phone="+79161112233")
    with transaction():
        session.add(PatientPhone(patient_id=first.id, number="+79169998877"))
    done = merge(make, first.id, second.id)
    numbers = select(PatientPhone.number).where(PatientPhone.patient_id == second.id).order_by(PatientPhone.id)
    assert session.scalars(numbers).all() == ["+79161112233", "+79169998877"]
    part(make, done)
    assert session.scalars(numbers).all() == ["+79161112233"]


def test_two_windows_merge_the_same_cards(make: Maker, client_of: Any) -> None:
    """The second one is told, and led to the card that stayed; so is who merges a card with itself."""
    stays, goes, third = make.patient("Оставшаяся"), make.patient("Ушедшая"), make.patient("Третья")
    one, two = client_of("senior"), client_of("director")
    said = {"with": str(goes.id), "reason": "двойник"}
    for client in (one, two):
        assert "Ушедшая" in client.get(f"/merging/{stays.id}?with={goes.id}").text
    assert one.post(f"/merging/{stays.id}", data=said).status_code == 303
    assert "уже объединена" in two.post(f"/merging/{stays.id}", data=said).text
    # the other way round, and of a card that is not there any more
    for pk in (stays.id, third.id):
        page = two.post(f"/merging/{goes.id}", data=said | {"with": str(pk)}, follow_redirects=True)
        assert page.request.path == f"/patients/{stays.id}" and "уже объединена" in page.text
    assert two.get(f"/merging/{goes.id}", follow_redirects=True).request.path == f"/patients/{stays.id}"
    itself = two.post(f"/merging/{third.id}", data=said | {"with": str(third.id)})
    assert itself.status_code == 422 and "Выберите другую карту" in itself.text
    assert session.get_one(Patient, third.id, populate_existing=True).merged_into_id is None
