"""The journal of issued papers: narrowed, paged, exported, and a doctor's own patients only."""

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from app import clock
from app.db import session, transaction
from app.documents import operations, queries
from app.models import AuditEvent, Employee
from tests.conftest import Maker, counted_statements
from tests.documents.test_scans import sheet


def issue(make: Maker, patient: Any, *kinds: str, by: str = "administrator") -> list[int]:
    ids = []
    for kind in kinds:
        with transaction():
            ids.append(int(operations.issue(kind, patient.id, actor=make.user(by)).id))
    return ids


def asked(**narrowed: Any) -> queries.Asked:
    return queries.Asked(first=clock.today(), last=clock.today(), **narrowed)


def found(**narrowed: Any) -> set[int]:
    return {row.id for row in queries.journal(asked(**narrowed), limit=1000)[1]}


def test_narrowed_by_all_that_people_ask_for(make: Maker) -> None:
    one, other = make.patient("Журнальная-Ёлкина", name="Анна"), make.patient("Журналов", name="Пётр")
    contract, referral = issue(make, one, "contract", "referral")
    [others] = issue(make, other, "contract", by="senior")
    make.printed(contract)
    with transaction():
        operations.attach_scan(contract, sheet(), actor=make.user())
        operations.give_up(referral, "why")
    mine = {contract, referral, others}

    def among(**narrowed: Any) -> set[int]:
        return found(**narrowed) & mine

    assert among() == mine
    assert among(kind="contract") == {contract, others}
    assert among(q="елкина анна") == {contract, referral} and among(q="журналов") == {others}
    assert among(q=f"№{other.card_number}") == {others} and among(q="%") == set()
    assert among(signed="yes") == {contract} and among(signed="no") == {referral, others}
    assert among(state="ready") == {contract} and among(state="failed") == {referral}
    assert among(state="waiting") == {others}
    assert among(issuer_id=make.user("senior").id) == {others}
    assert (make.user("senior").id, "Имя Сотрудник2") in queries.issuers(asked())
    yesterday = clock.today() - timedelta(days=1)
    assert not mine & {row.id for row in queries.journal(queries.Asked(yesterday, yesterday), limit=1000)[1]}


def test_the_page_and_its_file(make: Maker, client_of: Any) -> None:
    patient = make.patient("=Формулова")
    [pk] = issue(make, patient, "contract")
    desk = client_of("administrator")
    page = desk.get("/documents/journal/?q=%3Dформулова")
    assert page.status_code == 200 and f"/documents/{pk}.pdf" in page.text and "готовится" in page.text
    assert "journal.xlsx" not in page.text and desk.get("/documents/journal/journal.xlsx").status_code == 403
    director = client_of("director")
    file = director.get("/documents/journal/journal.xlsx?q=%3Dформулова")
    assert "no-store" in file.headers["Cache-Control"]
    rows = list(load_workbook(io.BytesIO(file.data)).active.iter_rows(values_only=True))
    assert len(rows) == 2 and rows[1][5].startswith("=Формулова") and rows[1][6] == patient.card_number
    sheet = load_workbook(io.BytesIO(file.data)).active
    assert sheet.cell(2, 6).data_type == "s"
    event = session.query(AuditEvent).filter_by(action="documents.exported").order_by(AuditEvent.id.desc()).first()
    assert event.after["rows"] == 1 and event.user_id == make.user("director").id


def test_only_kinds_that_can_be_there_are_offered(make: Maker, client_of: Any) -> None:
    page = client_of("administrator").get("/documents/journal/").text
    offered = set(re.findall(r'<option value="(\w+)"', page[page.index('id="j-kind"') : page.index('id="j-q"')]))
    assert {"contract", "referral", "tax_certificate", "refusal", "medical_card"} <= offered
    assert not offered & {"act", "work_order", "guarantee", "receipt"}
    assert "их печатают из наряда или из оплаты" in page


@pytest.mark.parametrize("nonsense", [
    "from=x&to=y", "from=2026-13-01", "from=9999-12-31&to=0001-01-01", "kind=x&signed=x&state=x&by=x",
    "page=-5", "page=99999999999999999999", "by=99999999999", "q=%00%25_", "from=2026-11-30&to=2026-11-01", "all=1",
])  # fmt: skip
def test_nonsense_asks_for_nothing(client_of: Any, nonsense: str) -> None:
    assert client_of("administrator").get(f"/documents/journal/?{nonsense}").status_code == 200


def test_pages_and_statements(make: Maker, client_of: Any, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.documents.views import journal

    patient = make.patient("Многобумажная")
    ids = issue(make, patient, *["referral"] * 5)
    monkeypatch.setattr(journal, "PAGE", 2)
    desk = client_of("administrator")
    with counted_statements(app) as few:
        first = desk.get("/documents/journal/?q=многобумажная").text
    assert f"/documents/{ids[4]}.pdf" in first and f"/documents/{ids[2]}.pdf" not in first and "из 3" in first
    last = desk.get("/documents/journal/?q=многобумажная&page=2").text
    assert f"/documents/{ids[0]}.pdf" in last and "Далее" not in last
    with counted_statements(app) as many:
        whole = desk.get("/documents/journal/?q=многобумажная&all=1").text
    assert all(f"/documents/{pk}.pdf" in whole for pk in ids) and len(many) <= len(few)


def test_a_doctor_sees_own_patients_papers(make: Maker, client_of: Any) -> None:
    own, stranger = make.patient("Докторская"), make.patient("Посторонняя")
    doctor = session.query(Employee).filter_by(user_id=make.user("doctor").id).one()
    make.appointment(own, doctor, datetime(2032, 1, 5, 9))
    issue(make, own, "contract")
    issue(make, stranger, "contract")
    page = client_of("doctor").get("/documents/journal/").text
    assert "Докторская" in page and "Посторонняя" not in page
    assert client_of("doctor").get("/documents/journal/journal.xlsx").status_code == 403
    assert client_of("sysadmin").get("/documents/journal/").status_code == 403


def test_an_annulled_certificate_is_marked(make: Maker) -> None:
    from app.models import TaxCertificate

    patient = make.patient("Аннулирова")
    [pk] = issue(make, patient, "contract")
    make._save(
        TaxCertificate(
            document_id=pk, legal_entity_id=1, patient_id=patient.id, payer_id=patient.id, tax_year=2025,
            correction=0, usual=1, expensive=0, annulled_at=clock.now(), annul_reason="проба",
        )
    )  # fmt: skip
    assert next(row for row in queries.journal(asked(), limit=1000)[1] if row.id == pk).annulled_at
