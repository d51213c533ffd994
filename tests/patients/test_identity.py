"""The identity document of a card: what its parts may be, how it reads, and that it stays one unit."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app import clock
from app.db import session, transaction
from app.documents import queries as papers
from app.errors import Invalid, Refusal
from app.models import AuditEvent, CardMerge, Patient
from app.patients import operations, queries, rules
from tests.conftest import Maker
from tests.test_models import refused_by
from tests.test_races import together

TODAY, BORN = date(2026, 11, 23), date(1990, 5, 17)
PASSPORT = {
    "identity_type": "21", "identity_series": "45 10", "identity_number": "123456",
    "identity_issued_by": "ОВД «Лесной»", "identity_issued_on": date(2010, 6, 1), "identity_dept_code": "770001",
}  # fmt: skip
KEPT = {**PASSPORT, "identity_series": "4510", "identity_dept_code": "770-001", "identity_text": ""}
LINE = "паспорт РФ 45 10 123456, выдан 01.06.2010 ОВД «Лесной», код подразделения 770-001"


def test_a_passport_of_russia() -> None:
    kept = rules.identity(PASSPORT, BORN, TODAY)
    assert kept == KEPT and rules.identity_line(kept) == LINE
    assert rules.identity(kept, BORN, TODAY) == kept


@pytest.mark.parametrize("typed", ["II-МЮ", "ii-мю", "II МЮ", "ІІ-мю", "IIМЮ"])
def test_a_birth_certificate(typed: str) -> None:
    given = {"identity_type": "03", "identity_series": typed, "identity_number": "№ 654321"}
    kept = rules.identity(given, BORN, TODAY)
    assert (kept["identity_series"], kept["identity_number"]) == ("II-МЮ", "654321")
    assert rules.identity_line(kept) == "свидетельство о рождении II-МЮ 654321"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"identity_series": "451"}, "identity_series"), ({"identity_series": "45AB"}, "identity_series"),
        ({"identity_number": "12345"}, "identity_number"), ({"identity_number": ""}, "identity_number"),
        ({"identity_number": "١٢٣٤٥٦"}, "identity_number"),
        ({"identity_issued_on": TODAY + timedelta(days=1)}, "identity_issued_on"),
        ({"identity_issued_on": BORN - timedelta(days=1)}, "identity_issued_on"),
        ({"identity_dept_code": "77-01"}, "identity_dept_code"), ({"identity_type": None}, "identity_type"),
        ({"identity_type": "99"}, "identity_type"), ({"identity_type": "03"}, "identity_series"),
        ({"identity_type": "10"}, "identity_dept_code"),
        ({"identity_type": "07", "identity_number": "", "identity_dept_code": ""}, "identity_number"),
    ],
)  # fmt: skip
def test_what_no_document_is(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        rules.identity({**PASSPORT, **changed}, BORN, TODAY)
    assert field in wrong.value.facts["fields"]


@pytest.mark.parametrize(
    "line", ["45 10 123456", "4510123456", "Паспорт РФ 4510 № 123456", "паспорт: серия 45 10 номер 123456"]
)
def test_a_plain_line_is_a_passport(line: str) -> None:
    kept = rules.from_line(line)
    assert (kept["identity_type"], kept["identity_series"], kept["identity_number"]) == ("21", "4510", "123456")
    assert kept["identity_text"] == ""


@given(st.text(max_size=80))
def test_any_line_is_kept(line: str) -> None:
    kept = rules.from_line(line)
    assert kept["identity_type"] or kept["identity_text"] == line.strip()
    assert rules.identity(kept, None, TODAY)


def test_on_the_card_in_the_log_on_papers_and_for_programs(make: Maker, client_of: Any, program: Any) -> None:
    pk, clerk = make.patient("Паспортова", birth_date=BORN).id, client_of("administrator")
    sent = {"surname": "Паспортова", "name": "Ия", "version": "1", **PASSPORT, "identity_issued_on": "2010-06-01"}
    wrong = clerk.post(f"/patients/{pk}/edit", data={**sent, "identity_number": "12"})
    assert wrong.status_code == 422 and "6 цифр" in wrong.text and 'value="ОВД «Лесной»"' in wrong.text
    assert clerk.post(f"/patients/{pk}/edit", data=sent).status_code == 302
    assert LINE in clerk.get(f"/patients/{pk}").text
    assert "документ, удостоверяющий личность: — → Паспорт РФ" in clerk.get(f"/patients/{pk}/history").text
    card = program("administrator").get(f"patients/{pk}").json
    assert card["passport"] == LINE and card["identity_series"] == "4510" and card["identity_issued_on"] == "2010-06-01"
    changed = program("administrator").patch(f"patients/{pk}", {"version": card["version"], "passport": "46 11 654321"})
    assert changed.status_code == 200 and changed.json["passport"] == "паспорт РФ 46 11 654321"
    odd = {"version": changed.json["version"], "identity_series": "1", "identity_issued_on": "1980-01-01"}
    refused = program("administrator").patch(f"patients/{pk}", odd)
    assert refused.status_code == 422 and set(refused.json["fields"]) == {"identity_series", "identity_issued_on"}
    fields = papers.person(session.get_one(Patient, pk, populate_existing=True), TODAY)["passport"]
    assert fields == {
        "type": "Паспорт РФ", "code": "21", "series": "4611", "number": "654321", "issued_by": "", "issued_date": "",
        "dept_code": "", "text": "паспорт РФ 46 11 654321",
    }  # fmt: skip
    assert session.query(AuditEvent).filter_by(patient_id=pk, action="card.changed").count() == 2


def test_a_birth_date_after_the_document_is_refused(make: Maker) -> None:
    pk = make.patient(birth_date=BORN, **{**KEPT}).id
    with pytest.raises(Invalid) as wrong, transaction():
        operations.edit_card(pk, 1, {"birth_date": date(2015, 1, 1)}, actor=make.user())
    assert "identity_issued_on" in wrong.value.facts["fields"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("identity_series = '45'", "ck_patient_identity_number_of_its_type"),
        ("identity_number = ''", "ck_patient_identity_number_of_its_type"),
        ("identity_type = '03', identity_dept_code = ''", "ck_patient_identity_number_of_its_type"),
        ("identity_type = NULL, identity_number = '', identity_dept_code = ''", "ck_patient_identity_of_a_type"),
        ("identity_type = '22', identity_dept_code = ''", "ck_patient_identity_type_known"),
        ("identity_dept_code = '770001'", "ck_patient_identity_dept_code"),
        ("identity_issued_on = DATE '1980-01-01'", "ck_patient_identity_after_birth"),
    ],
)
def test_the_database_refuses_half_a_document(make: Maker, change: str, name: str) -> None:
    pk = make.patient(birth_date=BORN, **KEPT).id
    assert refused_by(f"UPDATE patient SET {change} WHERE id = :pk", pk=pk) == name


def merged(make: Maker, loser: int, winner: int, **chosen: str) -> int:
    with transaction():
        return operations.merge_cards(loser, winner, chosen, "Один человек", actor=make.user("senior")).id


@pytest.mark.parametrize("choice", ["", "winner", "loser", "both"])
def test_merging_takes_a_document_whole(make: Maker, client_of: Any, choice: str) -> None:
    other = {"identity_type": "91", "identity_number": "АБ-1", "identity_issued_by": "МФЦ"}
    a = make.patient("Слитная", birth_date=BORN, **KEPT).id
    b = make.patient("Слитная", birth_date=BORN, **other).id
    page = client_of("senior").get(f"/merging/{b}?with={a}").text
    assert LINE in page and "документ АБ-1, выдан МФЦ" in page and 'name="field_identity"' in page
    done = merged(make, a, b, **({"identity": choice} if choice else {}))
    card = session.get_one(Patient, b, populate_existing=True)
    said = {"loser": LINE, "both": f"документ АБ-1, выдан МФЦ; {LINE}"}.get(choice, "документ АБ-1, выдан МФЦ")
    assert queries.identity_of(card) == said
    with transaction():
        operations.part_cards(done, actor=make.user("senior"))
    session.expire_all()
    assert queries.identity_of(session.get_one(Patient, b)) == "документ АБ-1, выдан МФЦ"
    assert queries.identity_of(session.get_one(Patient, a)) == LINE


def test_a_document_changed_since_the_merge_is_not_half_taken_back(make: Maker) -> None:
    a, b = make.patient("Новая", **KEPT).id, make.patient("Новая").id
    done = merged(make, a, b)
    with transaction():
        card = session.get_one(Patient, b, populate_existing=True)
        operations.edit_card(b, card.version, {"identity_number": "999999"}, actor=make.user())
    with transaction():
        operations.part_cards(done, actor=make.user("senior"))
    card = session.get_one(Patient, b, populate_existing=True)
    assert queries.identity_of(card) == LINE.replace("123456", "999999")
    assert session.get_one(CardMerge, done).undone_at is not None


def test_two_desks_write_two_documents(app: Flask, make: Maker) -> None:
    """Whoever is second is told; the card has one whole document, not parts of two."""
    pk, desk = make.patient(birth_date=BORN).id, make.user()
    foreign = {"identity_type": "10", "identity_number": "AB 123", "identity_dept_code": ""}
    results = together(
        app,
        [lambda given=given: operations.edit_card(pk, 1, given, actor=desk).id for given in (PASSPORT, foreign) * 3],
    )
    assert sum(isinstance(one, int) for one in results) == 1 and all(isinstance(r, int | Refusal) for r in results)
    assert queries.identity_of(session.get_one(Patient, pk, populate_existing=True)) in (
        LINE, "иностранный паспорт AB 123",
    )  # fmt: skip


def test_the_migration_parses_what_is_plain(fresh_app: Flask) -> None:
    """The lines that were typed before: a passport when it plainly is one, else kept as typed."""
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    spec = spec_from_file_location("it", Path(__file__).parents[2] / "migrations/versions/20261201_identity.py")
    assert spec and spec.loader
    step = module_from_spec(spec)
    spec.loader.exec_module(step)
    lines = ["45 10 123456", "паспорт 4510 № 123456", "паспорт 45 10 123456, выдан ОВД", "II-МЮ 123456", "45 10 12345"]
    with fresh_app.app_context():
        for line in lines:
            found = session.scalar(text("SELECT regexp_match(:line, :plain, 'i')"), {"line": line, "plain": step.PLAIN})
            mine = rules.from_line(line)
            assert bool(found) == bool(mine["identity_type"]), line
            assert not found or (found[0] + found[1], found[2]) == (mine["identity_series"], mine["identity_number"])
    assert clock.today()
