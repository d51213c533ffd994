"""Who looked at whose card, and all that is known of a patient as one file."""

import io
import json
import threading
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app import clock
from app.cash import operations as cash
from app.db import session, transaction
from app.documents import operations as documents
from app.models import AuditEvent, CardOpening, Employee, Patient, SignedScan
from app.patients import operations, queries
from app.patients.api import PatientApi
from app.patients.views.card_zip import file_name
from tests.billing.test_operations import pay
from tests.conftest import Maker, counted_statements
from tests.documents.test_scans import sheet
from tests.patients.test_merging import lived, merge


def openings(patient_id: int) -> list[CardOpening]:
    session.expire_all()
    return session.query(CardOpening).filter_by(patient_id=patient_id).order_by(CardOpening.day).all()


def test_who_opened_a_card(make: Maker, client_of: Any, program: Any) -> None:
    patient = make.patient("Открытая")
    desk = client_of("administrator")
    for _ in range(3):
        desk.get(f"/patients/{patient.id}")
    desk.get(f"/patients/{patient.id}/family")  # a tab of what is open
    program("senior").get(f"patients/{patient.id}")
    client_of("doctor").get(f"/patients/{patient.id}")  # no patient of the doctor's: refused, not opened
    assert sorted(row.times for row in openings(patient.id)) == [1, 3]
    with clock.at(clock.wall_now() + timedelta(days=1)):
        client_of("administrator").get(f"/patients/{patient.id}")
    assert len(openings(patient.id)) == 3
    history = client_of("director").get(f"/patients/{patient.id}/history").text
    assert "Кто открывал карту и её документы" in history
    assert "Кто открывал карту" not in desk.get(f"/patients/{patient.id}/history").text


def test_a_card_is_read_and_its_opening_written_with_one_statement(
    app: Flask, make: Maker, branch: Any, program: Any
) -> None:
    """Besides the one that asks who the caller is; with the newest visits, work orders and payments."""
    pk, api = lived(make, branch, "Быстрая", 3), program("administrator")
    with counted_statements(app) as seen:
        card = api.get(f"patients/{pk}").json
    assert len(seen) == 2, seen
    assert [row.times for row in openings(pk) if row.user_id == make.user().id] == [1]
    with app.test_request_context():
        whole = operations.plain(session.get_one(Patient, pk))
        told = json.loads(PatientApi().answer(whole).data)
    assert {name: card[name] for name in told} == told  # as it is told after a change
    [visit] = card["appointments"]
    assert (visit["status"], len(visit["starts_at"])) == ("booked", len("2026-11-23T10:00"))
    orders, payments = card["work_orders"], card["payments"]
    assert [(order["status"], order["total"]) for order in orders[::-1]] == [
        ("paid", "1000.00"), ("paid", "1000.00"), ("reversal", "-1000.00"),
    ]  # fmt: skip
    assert [row["amount"] for row in payments] == ["2000.00", "50.00", "700.00"]
    assert payments[0]["paid_at"].endswith("+03:00") and all(row["number"] for row in payments)


def test_programs_are_told_of_a_card_what_they_may_see(make: Maker, branch: Any, program: Any) -> None:
    pk = lived(make, branch, "Рассказанная", 4)
    who = make.user("doctor")
    own = session.scalars(select(Employee.id).where(Employee.user_id == who.id)).one()
    at = datetime.combine(clock.today() + timedelta(days=611), time(7))  # no neighbour's visit: the doctor is shared
    make.appointment(session.get_one(Patient, pk), session.get_one(Employee, own), at)
    told = program("doctor").get(f"patients/{pk}").json
    assert {visit["doctor_id"] for visit in told["appointments"]} == {own}
    assert not {"work_orders", "payments"} & set(told)
    assert program("administrator").get("patients/999999999").status_code == 404


def test_a_card_that_became_another_is_looked_at_by_programs(make: Maker, program: Any, client_of: Any) -> None:
    one, other = make.patient("Сливаемая"), make.patient("Сливаемая")
    merge(make, one.id, other.id)
    assert program("administrator").get(f"patients/{one.id}").json["id"] == one.id
    assert [row.times for row in openings(one.id)] == [1] and not openings(other.id)
    assert client_of("administrator").get(f"/patients/{one.id}").status_code == 302
    assert [row.times for row in openings(one.id)] == [1]


def test_who_opened_a_paper_and_its_scan(make: Maker, client_of: Any) -> None:
    patient, desk = make.patient("Бумажная"), client_of("administrator")
    with transaction():
        pk = documents.issue("contract", patient.id, actor=make.user()).id
        scan = documents.attach_scan(pk, sheet(), actor=make.user()).id
    assert desk.get(f"/documents/{pk}.pdf").status_code == 202
    assert not openings(patient.id)  # nothing to be seen yet
    make.printed(pk)
    for path in (f"/documents/{pk}.pdf", f"/documents/{pk}.pdf", f"/documents/scans/{scan}"):
        assert desk.get(path).status_code == 200
    client_of("doctor").get(f"/documents/{pk}.pdf")  # refused, not opened
    noted = {(row.what, row.object_id): row.times for row in openings(patient.id)}
    assert noted == {("document", pk): 2, ("scan", scan): 1}
    history = client_of("director").get(f"/patients/{patient.id}/history").text
    assert history.count("Договор на платные медицинские услуги № ") == 2
    assert "Договор на платные медицинские услуги № " not in desk.get(f"/patients/{patient.id}/history").text


def test_many_windows_of_one_person_are_counted(app: Flask, make: Maker) -> None:
    pk, who = make.patient().id, make.user().id

    def look() -> None:
        from app.models import User

        with app.app_context():
            with transaction():
                operations.note_opening(pk, actor=session.get_one(User, who))
            session.remove()

    threads = [threading.Thread(target=look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.times for row in openings(pk)] == [20]


@pytest.mark.parametrize("broken", [
    "UPDATE card_opening SET times = 1", "UPDATE card_opening SET day = day - 1, times = times + 1",
    "DELETE FROM card_opening", "TRUNCATE card_opening",
])  # fmt: skip
def test_what_was_looked_at_is_not_taken_back(make: Maker, client_of: Any, broken: str) -> None:
    client_of("administrator").get(f"/patients/{make.patient().id}")
    with pytest.raises(DBAPIError):
        session.execute(text(broken))
    session.rollback()


@pytest.fixture
def branch(make: Maker) -> Any:
    branch = make.branch()
    with transaction():
        cash.open_shift(branch.desk_id, Decimal(0), actor=make.user())
    return branch


def opened(data: bytes) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return archive, json.loads(archive.read("card.json"))


def test_all_about_a_patient_as_one_file(make: Maker, client_of: Any) -> None:
    patient, stranger = make.patient("Выгружаемая", phone="+79161239988"), make.patient("Посторонняя")
    with transaction():
        paper = documents.issue("consent_personal_data", patient.id, actor=make.user())
        documents.issue("consent_personal_data", stranger.id, actor=make.user())
        operations.give_consent(patient.id, "personal_data", clock.today(), actor=make.user())
        session.add(SignedScan(
            document_id=paper.id, patient_id=patient.id, mimetype="image/png", content=b"PNG", sha256="1" * 64,
        ))  # fmt: skip
    printed = make.printed(paper.id)
    at = f"/patients/{patient.id}/card.zip"
    assert client_of("administrator").get(at).status_code == 403
    answer = client_of("director").get(at)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    said = unquote(answer.headers["Content-Disposition"].split("filename*=UTF-8''")[1])
    assert said == f"Карта № {patient.card_number} Выгружаемая И. П. {clock.today()}.zip"
    archive, told = opened(answer.data)
    day = f"{paper.day:%d.%m.%Y}"
    name = f"Документы/Согласие на обработку персональных данных № {paper.number} от {day}"
    assert archive.namelist() == [
        f"{name}.pdf", f"{name} — подписанный экземпляр 1.png", f"Карта № {patient.card_number}.html", "card.json",
    ]  # fmt: skip
    assert archive.read(f"{name}.pdf") == printed and archive.read(f"{name} — подписанный экземпляр 1.png") == b"PNG"
    assert told["patient"][0]["surname"] == "Выгружаемая" and "Посторонняя" not in str(told)
    assert told["patient_phone"][0]["number"] == "+79161239988"
    assert told["patient_consent"][0]["kind"] == "personal_data"
    page = archive.read(f"Карта № {patient.card_number}.html").decode()
    assert "Выгружаемая Иван Петрович" in page and "+7 916 123-99-88" in page and f"{name.split('/')[1]}.pdf" in page
    assert "Обработка персональных данных" in page and "<script" not in page
    session.expire_all()
    assert session.query(AuditEvent).filter_by(action="card.exported", patient_id=patient.id).count() == 1
    assert client_of("director").get("/patients/999999/card.zip").status_code == 404


def test_every_table_of_a_patient_is_in_the_file_and_nobody_else(make: Maker, branch: Any, client_of: Any) -> None:
    pk = lived(make, branch, "Всякая", 7)
    with transaction():
        for name in ("Ребёнок", "Плательщик", "Родная"):
            session.execute(update(Patient).where(Patient.surname == name).values(comment="чужая тайна"))
    answer = client_of("director").get(f"/patients/{pk}/card.zip")
    archive, told = opened(answer.data)
    session.expire_all()
    belong = {name for name, _ in queries.belongings(pk)}
    assert belong - {"audit_event", "card_opening"} <= set(told)
    for name in archive.namelist():
        if name.endswith((".html", ".json")):
            text = archive.read(name).decode()
            assert not [word for word in ("Ребёнок", "Плательщик", "Родная", "чужая тайна") if word in text], name
    [card] = told["patient"]
    assert card["surname"] == "Всякая"
    inner = {key for rows in told.values() for row in rows for key in row} & {
        "version", "search_name", "reversed_number", "sha256", "html", "created_by_id", "patient_id", "guardian_id",
        "payer_id", "from_id", "to_id", "user_id", "gateway_id", "family_id", "merged_into_id",
    }  # fmt: skip
    assert not inner
    assert any("doctor" in row for row in told["appointment"]) and told["work_order_line"][0]["service"]


def test_what_was_paid_for_somebody_else_is_told_as_that(make: Maker, branch: Any, client_of: Any) -> None:
    """Whoever pays is told of it, and how, in the file of her own card; the child's says nothing of the payer."""
    mother = make.patient("Платящая", birth_date=date(1985, 1, 1))
    child = make.patient("Оплаченная", payer_id=mother.id)
    paid, own = pay(make, branch, child.id, ("cash", "700")), pay(make, branch, mother.id, ("cash", "300"))
    assert paid.payer_id == mother.id
    director = client_of("director")
    archive, told = opened(director.get(f"/patients/{mother.id}/card.zip").data)
    assert [(row["id"], row["for_another"]) for row in told["payment"]] == [(paid.id, True), (own.id, False)]
    assert {row["payment_id"] for row in told["payment_part"]} == {paid.id, own.id}
    page = archive.read(f"Карта № {mother.card_number}.html").decode()
    assert page.count("Оплата за другого пациента") == 1 and "Оплаченная" not in page
    archive, told = opened(director.get(f"/patients/{child.id}/card.zip").data)
    assert [(row["id"], row["for_another"]) for row in told["payment"]] == [(paid.id, False)]
    assert "за другого" not in archive.read(f"Карта № {child.card_number}.html").decode()


@pytest.mark.parametrize("typed, name", [
    ("Договор № 12 от 23.11.2026", "Договор № 12 от 23.11.2026"), ("../../etc/passwd", "etc passwd"),
    ("a\x00b\\c:d", "a b c d"), ("...", "—"), ("я" * 300, "я" * 120), ("конец. ", "конец"),
])  # fmt: skip
def test_names_of_files(typed: str, name: str) -> None:
    assert file_name(typed) == name


def test_papers_are_read_one_at_a_time(make: Maker, client_of: Any, app: Flask) -> None:
    """A card with many papers asks for each of them by itself, and keeps none."""
    pk = make.patient("Бумажная").id
    with transaction():
        issued = [documents.issue("consent_personal_data", pk, actor=make.user()).id for _ in range(3)]
    for paper in issued:
        make.printed(paper)
    with counted_statements(app) as seen:
        answer = client_of("director").get(f"/patients/{pk}/card.zip")
    assert sum("issued_document.pdf" in statement for statement in seen) == 3
    assert len(opened(answer.data)[0].namelist()) == 5
