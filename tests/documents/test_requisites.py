"""A contract without the requisites of its clinic is void: it is refused with what is missing; other papers are not."""

from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from app.db import session, transaction
from app.documents import rules
from app.models import IssuedDocument, LegalEntity
from tests.conftest import REQUISITES, Maker, sign_in

WHOLE = {"name": "ООО «Улыбка»", "inn": "7701234567", "address": "Москва", "kpp": "770101001",
         "ogrn": "1027700132195", "licence": "Л041"}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "lacks", "missing"),
    [
        ("contract", (), []), ("contract", ("inn", "ogrn", "licence"), ["inn", "ogrn", "licence"]),
        ("contract", ("kpp",), []), ("tax_certificate", ("ogrn", "address", "licence"), []),
        ("tax_certificate", ("inn", "kpp"), ["inn", "kpp"]), ("referral", tuple(WHOLE), []),
    ],
)  # fmt: skip
def test_what_a_paper_needs(kind: str, lacks: tuple[str, ...], missing: list[str]) -> None:
    assert list(rules.missing_requisites(kind, {**WHOLE, **dict.fromkeys(lacks, " ")})) == missing


def test_an_entrepreneur_has_no_kpp() -> None:
    assert not rules.missing_requisites("tax_certificate", {**WHOLE, "inn": "500100732259", "kpp": ""})


@contextmanager
def newcomer(app: Flask) -> Any:
    """A clinic whose requisites nobody has filled in, as it is founded."""
    with app.app_context():
        with transaction():
            entity = session.get_one(LegalEntity, 1)
            for part in (*REQUISITES, "inn", "address"):
                setattr(entity, part, "")
        yield entity


def test_a_contract_of_a_newcomer_is_refused_and_says_where_to_go(fresh_app: Flask) -> None:
    with newcomer(fresh_app):
        patient = Maker().patient("Первая")
        desk = sign_in(fresh_app, "administrator")
        form = {"patient_id": patient.id}
        for answer in (
            desk.post("/documents/issue", data={**form, "kind": "contract"}),
            desk.post("/documents/first-visit", data=form),
        ):
            assert answer.status_code == 409
            assert (
                "В реквизитах «Улыбка» не заполнено: ИНН, ОГРН, юридический адрес, лицензия. Их заполняет директор"
                " в справочнике «Юрлица»"
            ) in answer.text
        assert not session.query(IssuedDocument).count()
        for kind in ("consent_treatment", "consent_personal_data", "health_questionnaire", "treatment_plan"):
            assert desk.post("/documents/issue", data={**form, "kind": kind}).status_code == 303, kind
        with transaction():
            entity = session.get_one(LegalEntity, 1)
            entity.inn, entity.ogrn, entity.address = "7701234567", "1027700132195", "Москва"
            entity.licence = "№ 5 от 2020 года"  # in one line, as before
        assert desk.post("/documents/issue", data={**form, "kind": "contract"}).status_code == 303
