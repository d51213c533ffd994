"""The editor of texts: check, preview, versions; nothing typed is lost, nobody is overwritten unseen."""

import re
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest

from app.db import session, transaction
from app.documents import operations, paper, queries
from app.errors import Stale
from app.models import CardOpening, DocumentTemplate, IssuedDocument
from tests.documents.test_papers import FULL, text_of, words_of


def _saved(browser, kind, body, name="Текст"):
    row = queries.newest_of(kind)
    answer = browser.post(f"/document-templates/edit/{row.id}", data={"name": name, "body": body})
    assert answer.status_code == 303, unescape(answer.text)[:2000]
    session.rollback()
    return queries.newest_of(kind)


def _paid(make, patient):
    """An advance by card, where no drawer has to be open: its receipt's number."""
    from app.billing import operations as billing

    branch = make.branch()
    with transaction():
        payment = billing.take_payment(
            patient.id, [{"method": "card", "amount": Decimal(10)}], branch_id=branch.id, actor=make.user("director")
        )
        return payment.receipt.id


def test_the_editor_offers_the_fields_of_its_kind(make, client_of):
    director = client_of("director")
    page = unescape(director.get(f"/document-templates/edit/{queries.newest_of('contract').id}").text)
    for must in (
        "clinic.license.issuer_phone", "номер лицензии", "{{ totals.net | money }}", "ООО «Стоматология»",
        "{% for service in services %}", "{% if rep.signs %}",
    ):  # fmt: skip
        assert must in page, must
    assert "tax.number" not in page and "taxpayer" not in page
    page = director.get(f"/document-templates/edit/{queries.newest_of('tax_certificate').id}").text
    assert "tax.usual" in page
    page = director.get(f"/document-templates/edit/{queries.newest_of('receipt').id}").text
    assert "amount_words" in page and "patient.fio" not in page


def test_the_check_says_all_that_is_wrong_and_saves_nothing(make, client_of):
    director, row = client_of("director"), queries.newest_of("referral")
    at = f"/document-templates/{row.id}/check"
    said = unescape(director.post(at, data={"body": "<p>\n{{ patient.fioo }}\n{{ clinic.in }}<script>"}).text)
    assert "Строка 2: в этом документе нет поля «patient.fioo». Может быть, «patient.fio»?" in said
    assert "Строка 3" in said and 'data-to-line="3"' in said and "2 ошибки" in said
    said = unescape(director.post(at, data={"body": "{{ patient.fio | money }}"}).text)
    assert "Он для денежных сумм" in said
    said = unescape(director.post(at, data={"body": "{{ patient.fio() }}"}).text)
    assert "Поле пишется без круглых скобок: {{ patient.fio }}" in said
    assert "Ошибок нет" in director.post(at, data={"body": row.body}).text
    assert "слишком длинный" in director.post(at, data={"body": "x" * 2_000_000}).text
    assert "1 ошибка" in director.post(at, data={"body": "{{ rep.signs.x }}\x00"}).text
    assert queries.newest_of("referral").id == row.id


def test_the_preview_is_for_whom_it_is_asked(make, client_of):
    director, row = client_of("director"), queries.newest_of("referral")
    at, body = f"/document-templates/{row.id}/try.pdf", "<p>{{ patient.fio }}|{{ rep.fio }}|{{ signer.fio_short }}</p>"
    adult = words_of(director.post(at, data={"body": body}).data)
    assert "Примерова Мария Сергеевна||Примерова М. С." in adult and "ОБРАЗЕЦ" in adult
    child = words_of(director.post(at, data={"body": body, "whose": "child"}).data)
    assert "Примеров Пётр Ильич|Примерова Мария Сергеевна|Примерова М. С." in child
    patient = make.patient(**FULL)
    asked = {"body": body, "whose": "patient", "patient_id": patient.id}
    real = director.post(at, data=asked)
    assert real.mimetype == "application/pdf" and "Ёлкина Мария Сергеевна||" in words_of(real.data)
    assert session.query(CardOpening).filter_by(patient_id=patient.id, user_id=make.user("director").id).count() == 1
    for wrong in ("", "abc", "-1", "999999999", "²"):
        assert director.post(at, data={**asked, "patient_id": wrong}).status_code == 404, wrong
    assert not session.query(IssuedDocument).filter_by(patient_id=patient.id).count()
    act = queries.newest_of("act")
    none_yet = director.post(f"/document-templates/{act.id}/try.pdf", data={**asked, "body": act.body})
    assert none_yet.status_code == 422 and "Выберите другого" in none_yet.text


@pytest.mark.parametrize("kind", ["act", "work_order", "guarantee", "receipt", "contract", "tax_certificate"])
def test_a_preview_for_a_real_patient_of_each_kind(make, client_of, kind):
    from app.billing import operations as billing

    patient, doctor, service = make.patient(**FULL), make.doctor(), make.service("4321.00", name="Коронка на зуб")
    with transaction():
        order = billing.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], actor=None
        )
        if kind != "receipt":
            billing.issue(order.id, actor=None)
    if kind == "receipt":
        _paid(make, patient)
    row = queries.newest_of(kind)
    asked = {"body": row.body, "whose": "patient", "patient_id": patient.id}
    answer = client_of("director").post(f"/document-templates/{row.id}/try.pdf", data=asked)
    assert answer.mimetype == "application/pdf", answer.text[:500]
    assert "Ёлкина" in text_of(answer.data)


def test_what_the_check_refuses_is_neither_previewed_nor_saved(make, client_of):
    director, row = client_of("director"), queries.newest_of("referral")
    for body, words in (
        ("<p>{{ patient.fio }}</p><hr width='половина'>", "Этот текст не печатается"),
        ("<p>x</p>" * 12_501, "слишком длинный"),
        ("<p>{{ (services | first).name }}</p>", "у пациента без нарядов или без отчества"),
        ("<p>{ patient.fio }</p>", "Поле пишется в двойных скобках: {{ patient.fio }}."),
    ):
        said = unescape(director.post(f"/document-templates/{row.id}/check", data={"body": body}).text)
        assert "1 ошибка" in said and words in said, said
        kept = director.post(f"/document-templates/edit/{row.id}", data={"name": row.name, "body": body})
        assert kept.status_code == 422 and body[:20] in unescape(kept.text)
    long = director.post(f"/document-templates/{row.id}/try.pdf", data={"body": "<p>x</p>" * 12_501})
    assert long.status_code == 422 and "слишком длинный" in long.text
    assert queries.newest_of("referral").id == row.id


def test_versions_are_listed_compared_and_taken_again(client_of, fresh_app):
    with fresh_app.app_context():
        from tests.conftest import sign_in

        director = sign_in(fresh_app, "director")
        first = queries.newest_of("guarantee")
        before = first.body
        second = _saved(director, "guarantee", before + "<p>Добавлена строка</p>")
        page = unescape(director.get(f"/document-templates/edit/{second.id}").text)
        assert "версия 2" in page and "Сравнить с последней" in page and "Взять этот текст" in page
        different = unescape(director.get("/document-templates/compare/guarantee?old=1&new=2").text)
        assert 'class="line-come"' in different and "<p>Добавлена строка</p>" in different
        assert "Тексты одинаковы" in director.get("/document-templates/compare/guarantee?old=0&new=1").text
        taken = unescape(director.get(f"/document-templates/edit/{second.id}?take=1").text)
        assert "текст версии 1" in taken and "Добавлена строка" not in taken
        assert "текст из поставки" in unescape(director.get(f"/document-templates/edit/{second.id}?take=0").text)
        old = director.get(f"/document-templates/edit/{first.id}")
        assert old.status_code == 302 and old.location.endswith(f"/edit/{second.id}?take=1")
        third = _saved(director, "guarantee", before)
        assert (third.version, third.body) == (3, before)
        assert [row.version for row in queries.versions_of("guarantee")] == [3, 2, 1]
        same = director.post(f"/document-templates/edit/{third.id}", data={"name": third.name, "body": before})
        assert same.status_code == 303 and queries.newest_of("guarantee").version == 3
        for nonsense in ("old=9", "new=77", "old=-1&new=abc"):
            assert director.get(f"/document-templates/compare/guarantee?{nonsense}").status_code in (200, 404)
        assert director.get("/document-templates/compare/nothing").status_code == 404
        assert director.get(f"/document-templates/edit/{third.id}?take=99").status_code == 404


def test_two_people_at_one_text(client_of, fresh_app):
    with fresh_app.app_context():
        from tests.conftest import sign_in

        one, other = sign_in(fresh_app, "director"), sign_in(fresh_app, "senior")
        row = queries.newest_of("referral")
        at, body = f"/document-templates/edit/{row.id}", row.body
        assert one.post(at, data={"name": "Первый", "body": body + "<p>Первый</p>"}).status_code == 303
        late = other.post(at, data={"name": "Второй", "body": body + "<p>Второй</p>"})
        page = unescape(late.text)
        assert late.status_code == 409 and "<p>Второй</p>" in page and "сохранил версию 2" in page
        assert "compare/referral?old=1&new=2" in page
        session.rollback()
        assert queries.newest_of("referral").version == 2
        again = re.search(r'<form method="post" action="([^"]+/edit/\d+)"', late.text).group(1)
        assert other.post(again, data={"name": "Второй", "body": body + "<p>Второй</p>"}).status_code == 303
        session.rollback()
        newest = queries.newest_of("referral")
        assert newest.version == 3 and "Второй" in newest.body
        with pytest.raises(Stale) as stale, transaction():
            operations.new_version(row.id, "x", body, actor=None)
        assert stale.value.facts["newest"] == 3


def test_papers_of_money_are_printed_from_the_text_of_the_clinic(make, fresh_app):
    with fresh_app.app_context():
        from tests.conftest import sign_in

        director = sign_in(fresh_app, "director")
        _saved(director, "receipt", "<p>Квитанция клиники № {{ number }} на {{ amount | money }} ₽</p>")
        assert "клиники" in operations.text_of("receipt")
        with transaction():
            session.query(DocumentTemplate).filter_by(kind="act").update({"active": False})
        assert operations.text_of("act") == paper.shipped("act")


def test_a_receipt_once_printed_keeps_its_bytes(make, fresh_app):
    with fresh_app.app_context():
        from tests.conftest import sign_in

        pk = _paid(make, make.patient(**FULL))
        director = sign_in(fresh_app, "director")
        printed = director.post(f"/documents/receipts/{pk}/print", data={"request_id": str(uuid4())})
        original = director.get(printed.location).data
        _saved(director, "receipt", "<p>Другой текст {{ number }}</p>")
        assert director.get(printed.location).data == original
        assert "Другой текст" not in words_of(director.get(f"/documents/receipts/{pk}.pdf").data)


def test_outsiders(make, client_of):
    row = queries.newest_of("referral")
    desk = client_of("administrator")
    for path in (f"/document-templates/{row.id}/check", f"/document-templates/{row.id}/try.pdf"):
        assert desk.post(path, data={"body": "x"}).status_code == 403
        assert client_of("doctor").post(path, data={"body": "x"}).status_code == 403
        assert client_of("director").post(path.replace(str(row.id), "999999"), data={"body": "x"}).status_code == 404
    assert desk.get("/document-templates/compare/referral").status_code == 200
    assert client_of("sysadmin").get("/document-templates/compare/referral").status_code in (200, 403)
