"""A card that was emptied, merged or put into the archive: what papers it still gets, and who reads the old ones."""

import io
from datetime import date
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock, errors
from app.db import constraint_of, session, transaction
from app.documents import operations
from app.models import IssuedDocument, Patient, SignedScan
from app.patients import operations as patients
from tests.conftest import Maker


def issued(make: Maker, pk: int, kind: str = "contract") -> IssuedDocument:
    with transaction():
        return operations.issue(kind, pk, actor=make.user("director"))


def erase(make: Maker, pk: int) -> None:
    number = str(session.get_one(Patient, pk, populate_existing=True).card_number)
    with transaction():
        patients.erase_card(pk, number, clock.today(), "Письмо", actor=make.user("director"))
    session.expire_all()


def merge(make: Maker, winner: int, loser: int) -> None:
    with transaction():
        patients.merge_cards(loser, winner, {}, "Одна и та же", actor=make.user("director"))
    session.expire_all()


def test_nothing_new_is_issued_for_a_card_that_is_gone(make: Maker, client_of: Any) -> None:
    erased, winner, loser = make.patient("Ушедшая"), make.patient("Главная"), make.patient("Главная")
    erase(make, erased.id)
    merge(make, winner.id, loser.id)
    client = client_of("director")
    for pk, refusal in ((erased.id, errors.CardErased), (loser.id, errors.CardMerged)):
        for work in (
            lambda pk=pk: operations.issue("contract", pk, actor=make.user("director")),
            lambda pk=pk: operations.issue_first_visit(pk, actor=make.user("director")),
            lambda pk=pk: operations.issue_certificate(pk, pk, clock.today().year, actor=make.user("director")),
        ):
            with pytest.raises(refusal), transaction():
                work()
        assert client.post("/documents/issue", data={"kind": "contract", "patient_id": pk}).status_code == 409
        assert "/documents/issue" not in client.get(f"/documents/patient/{pk}").text


def test_of_the_archive_only_what_was_written_is_issued(make: Maker, client_of: Any) -> None:
    pk = make.patient("Архивная").id
    with transaction():
        patients.archive_card(pk, "Уехала", actor=make.user("director"))
    with pytest.raises(errors.CardArchived):
        issued(make, pk)
    assert issued(make, pk, "medical_card").number
    page = client_of("director").get(f"/documents/patient/{pk}").text
    assert 'value="medical_card"' in page and 'value="contract"' not in page and "first-visit" not in page


def test_who_an_emptied_card_was_is_read_by_the_director_alone(make: Maker, client_of: Any) -> None:
    pk = make.patient("Скрытая").id
    paper = issued(make, pk)
    picture = io.BytesIO()
    Image.new("RGB", (60, 60)).save(picture, "PNG")
    with transaction():
        operations.attach_scan(paper.id, picture.getvalue(), actor=make.user("director"))
    session.expire_all()
    scan = session.query(SignedScan).filter_by(document_id=paper.id).one()
    addresses = f"/documents/{paper.id}.pdf", f"/documents/scans/{scan.id}"
    for address in addresses:
        assert client_of("administrator").get(address).status_code in (200, 202)
    erase(make, pk)
    for address in addresses:
        assert client_of("administrator").get(address).status_code == 403
        assert client_of("director").get(address).status_code in (200, 202)


@pytest.mark.parametrize("how", ["erased", "merged"])
def test_the_database_lets_nothing_be_written_of_who_is_gone(make: Maker, how: str) -> None:
    pk, other, doctor = make.patient("Бывшая").id, make.patient("Бывшая").id, make.doctor().id
    paper = issued(make, pk)
    if how == "erased":
        erase(make, pk)
    else:
        merge(make, other, pk)
    for statement in (
        "INSERT INTO issued_document (kind, legal_entity_id, year, number, day, patient_id, template_id, html)"
        " SELECT kind, legal_entity_id, year, 99999, day, :pk, template_id, 'x' FROM issued_document WHERE id = :paper",
        "INSERT INTO signed_scan (document_id, patient_id, content, mimetype, sha256)"
        " VALUES (:paper, :pk, 'x', 'image/png', repeat('0', 64))",
        "INSERT INTO health_survey (patient_id, day, answers, alerts)"
        " VALUES (:pk, current_date, jsonb_build_object('hepatitis', 'no'), '[]')",
        "INSERT INTO work_order (patient_id, legal_entity_id, branch_id, doctor_id, year, number, status, total)"
        " SELECT :pk, legal_entity_id, 1, :doctor, year, 99999, 'draft', 0 FROM issued_document WHERE id = :paper",
    ):
        with pytest.raises(DBAPIError) as error, session.begin_nested():
            session.execute(text(statement), {"pk": pk, "paper": paper.id, "doctor": doctor})
        assert constraint_of(error.value) == f"ck_patient_{how}_takes_nothing", statement


def test_a_merged_patient_s_year_is_certified_of_the_card_that_stayed(make: Maker) -> None:
    winner, loser = make.patient("Целая", birth_date=date(1980, 1, 1)), make.patient("Целая")
    merge(make, winner.id, loser.id)
    with pytest.raises(errors.CardMerged), transaction():
        operations.issue_certificate(loser.id, loser.id, clock.today().year, actor=make.user("director"))
