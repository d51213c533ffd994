"""Who looked at whose card, and all that is known of a patient as one file."""

import io
import json
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.db import session, transaction
from app.documents import operations as documents
from app.models import AuditEvent, CardOpening
from app.patients import operations, queries
from tests.conftest import Maker


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


def test_who_opened_a_paper_and_its_scan(make: Maker, client_of: Any) -> None:
    patient, desk = make.patient("Бумажная"), client_of("administrator")
    with transaction():
        pk = documents.issue("contract", patient.id, actor=make.user()).id
        scan = documents.attach_scan(pk, b"%PDF-1.7 signed", actor=make.user()).id
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
    assert "Договор на платные" not in desk.get(f"/patients/{patient.id}/history").text


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


def test_all_about_a_patient_as_one_file(make: Maker, client_of: Any) -> None:
    patient, stranger = make.patient("Выгружаемая", phone="+79161239988"), make.patient("Посторонняя")
    with transaction():
        paper = documents.issue("consent_personal_data", patient.id, actor=make.user())
        documents.issue("consent_personal_data", stranger.id, actor=make.user())
        operations.give_consent(patient.id, "personal_data", clock.today(), actor=make.user())
    printed = make.printed(paper.id)
    at = f"/patients/{patient.id}/card.zip"
    assert client_of("administrator").get(at).status_code == 403
    answer = client_of("director").get(at)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        told = json.loads(archive.read("card.json"))
        assert told["patient"][0]["surname"] == "Выгружаемая" and "Посторонняя" not in str(told)
        assert told["patient_phone"][0]["number"] == "+79161239988"
        assert told["patient_consent"][0]["kind"] == "personal_data"
        assert archive.read(told["issued_document"][0]["pdf"]) == printed
        assert len(archive.namelist()) == 2
    # every table that has something of the patient is in it
    session.expire_all()
    assert {name for name, _ in queries.belongings(patient.id)} - {"audit_event", "card_opening"} <= set(told)
    assert session.query(AuditEvent).filter_by(action="card.exported", patient_id=patient.id).count() == 1
    assert client_of("director").get("/patients/999999/card.zip").status_code == 404
