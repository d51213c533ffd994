"""Papers: issued once, frozen, Cyrillic whole, and nobody else's."""

import hashlib
import io
import re
from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4

import pypdf
import pytest
from sqlalchemy import select

from app import clock, pdf
from app.db import session, transaction
from app.documents import operations, paper, queries, rules
from app.documents.operations import NoTemplate
from app.documents.paper import TemplateBroken
from app.errors import Invalid, NotAllowed, NotFound, Stale
from app.models import AuditEvent, DocumentTemplate, IssuedDocument, PatientConsent, Receipt, User
from app.patients import rules as patients
from app.vocab import TemplateKind

FULL = {
    "surname": "Ёлкина",
    "name": "Мария",
    "patronymic": "Сергеевна",
    "sex": "female",
    "birth_date": date(1990, 5, 17),
    "address": "г. Москва, ул. Лесная, д. 5 «А»",
    "identity_text": "паспорт 45 10 123456, выдан ОВД № 7",
}


def text_of(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)


def words_of(made: bytes) -> str:
    return " ".join(text_of(made).split())


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "Ноль рублей 00 копеек"),
        ("1", "Один рубль 00 копеек"),
        ("2.02", "Два рубля 02 копейки"),
        ("21.01", "Двадцать один рубль 01 копейка"),
        ("11", "Одиннадцать рублей 00 копеек"),
        ("15000.50", "Пятнадцать тысяч рублей 50 копеек"),
        ("1002003.11", "Один миллион две тысячи три рубля 11 копеек"),
    ],
)
def test_a_sum_in_words(amount, words):
    assert rules.rubles_in_words(Decimal(amount)) == words


def test_a_name_in_the_genitive():
    assert patients.genitive("Иванова", "Мария", "Сергеевна", None) == "Ивановой Марии Сергеевны"
    assert patients.genitive("Smith", "John", "", None)


def test_a_surname_with_initials_is_declined():
    for written, genitive, dative in (
        ("Петров П. П.", "Петрова П. П.", "Петрову П. П."), ("Иванова А.С.", "Ивановой А.С.", "Ивановой А.С."),
        ("Шевченко О. П.", "Шевченко О. П.", "Шевченко О. П."),
    ):  # fmt: skip
        words = written.split()
        parts = (words[0], words[1], " ".join(words[2:]))
        assert (patients.genitive(*parts, None), patients.dative(*parts, None)) == (genitive, dative)


def test_text_that_would_lose_its_letters_is_noticed():
    from xhtml2pdf import pisa

    pdf.use_font()
    whole = pdf.render("<p>Съешь же ещё этих мягких французских булок № 5 за 10 ₽ ☐</p>")
    assert "Съешь же ещё этих мягких французских булок № 5 за 10 ₽ ☐" in words_of(whole)
    assert not pdf.lost_letters(whole)
    out = io.BytesIO()
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(50, 50, "text")
    canvas.save()
    assert pdf.lost_letters(out.getvalue())
    assert pisa


def test_without_the_font_nothing_is_printed(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf, "_PLACES", (tmp_path,))
    with pytest.raises(pdf.NoFont):
        pdf.font_files()


def test_a_paper_reads_no_file_and_asks_no_host():
    made = pdf.render(
        '<p>Текст</p><img src="/etc/passwd"><img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png">'
    )
    assert words_of(made) == "Текст" and b"/Image" not in made.replace(b"/ImageB", b"").replace(
        b"/ImageC", b""
    ).replace(b"/ImageI", b"")


@pytest.mark.parametrize("kind", list(TemplateKind))
def test_shipped_texts_print_whole(make, kind):
    assert not operations.check_text(kind, paper.shipped(kind))
    made = operations.try_out(kind, paper.shipped(kind))
    words = words_of(made)
    assert all(part in words for part in ("Примерова", "Мария", "Сергеевна")) and "«Стоматология»" in words
    assert "ОБРАЗЕЦ" in words
    assert not pdf.lost_letters(made) and "None" not in words and "{{" not in words


def test_a_text_that_nobody_edited_follows_the_product(fresh_app):
    with fresh_app.app_context():
        rows = {row.kind: row for row in session.query(DocumentTemplate).all()}
        with transaction():
            rows["medical_card"].body = rows["contract"].body = "прежний текст"
            rows["contract"].created_by_id = session.scalars(select(User.id)).first()
            operations.ship_templates()
        session.expire_all()
        now = {row.kind: row for row in session.query(DocumentTemplate).filter(DocumentTemplate.active)}
        assert now["medical_card"].version == 2 and now["medical_card"].body == paper.shipped("medical_card")
        assert now["contract"].version == 1 and now["contract"].body == "прежний текст"
        assert session.query(DocumentTemplate).count() == len(TemplateKind) + 1


def test_what_the_law_wants_in_the_contract(make):
    words = words_of(operations.try_out("contract", paper.shipped("contract")))
    for must in (
        "ОГРН 1027700132195",
        "ИНН 7701234567",
        "Л041-01137-77/00000000",
        "паспорт РФ 45 10 123456",
        "г. Москва, ул. Лесная",
        "порядок оплаты",
        "сроки ожидания",
        "Ответственность сторон",
        "изменения и расторжения",
        "30.05.2026 № 659",
        "Восстановление зуба пломбой",
        "5 000,00",
    ):
        assert must in words, must


def test_issue_freezes_the_paper(make, app):
    patient = make.patient(**FULL)
    admin = make.user()
    with clock.at(datetime(2026, 11, 23, 10)), transaction():
        row = operations.issue("contract", patient.id, actor=admin)
        first = (row.id, row.number)
    assert row.pdf is None and row.sha256 is None
    make.printed(row.id)
    with transaction():
        operations.issue("consent_personal_data", patient.id, actor=admin)
        second = operations.issue("contract", patient.id, actor=admin).number
    session.expire_all()
    kept = session.get(IssuedDocument, first[0])
    assert second == first[1] + 1
    assert hashlib.sha256(kept.pdf).hexdigest() == kept.sha256
    words = words_of(kept.pdf)
    assert "Ёлкина Мария Сергеевна" in words and "«23» ноября 2026 г." in words and f"ДОГОВОР № {kept.number}" in words
    event = session.query(AuditEvent).filter_by(action="document.issued", object_id=kept.id).one()
    assert event.patient_id == patient.id and event.after["number"] == kept.number
    assert not session.query(PatientConsent).filter_by(patient_id=patient.id).count()
    with pytest.raises(Exception, match=r"append.only|invalid"), transaction():
        kept.sha256 = "0" * 64


def test_a_child_has_a_representative_in_the_papers(make):
    mother = make.patient(**FULL)
    child = make.patient(
        "Ёлкин", name="Пётр", patronymic="Ильич", guardian_id=mother.id, sex="male", birth_date=date(2018, 1, 2)
    )
    with transaction():
        row = operations.issue("consent_treatment", child.id, actor=make.user())
    words = words_of(make.printed(row.id))
    assert "Я, Ёлкина Мария Сергеевна" in words and "Ёлкина Петра Ильича" in words


def test_html_of_a_patient_is_text(make):
    patient = make.patient("<b>Злой</b>", address="<img src='/etc/passwd'>{{ 7 * 7 }}")
    with transaction():
        row = operations.issue("contract", patient.id, actor=make.user())
    words = words_of(make.printed(row.id))
    assert "<b>Злой</b>" in words and "{{ 7 * 7 }}" in words


def test_unknown_kind_and_patient(make):
    patient = make.patient()
    with pytest.raises(Invalid), transaction():
        operations.issue("passport", patient.id, actor=make.user())
    with pytest.raises(NotFound), transaction():
        operations.issue("contract", 2_000_000_000, actor=make.user())
    with pytest.raises(NotAllowed), transaction():
        operations.issue("contract", patient.id, actor=make.user("sysadmin"))


@pytest.mark.parametrize(
    "body",
    [
        "{{ patient.fio",
        "{% for x in %}",
        "{{ nobody.fio }}",
        "{{ patient.nothing }}",
        "{% include 'frame' %}",
        "{{ patient.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ 'x' * 99999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ range(999999) }}",
        "{{ cycler }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ patient.fio | attr('__class__') }}",
        "{{ 1 / 0 }}",
        "{{ patient | tojson }}",
        "{{ self }}{{ self._TemplateReference__context }}",
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",  # a terabyte out of nothing
        "{{ 'xxxxxxxxxx'" + " | join('xxxxxxxxxx')" * 9 + " }}",
        "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
        "".join(f"{{% for {name} in patient.fio %}}" for name in "abc") + "{% endfor %}" * 3,
        "{% for a in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
        "{% for a in patient.fio recursive %}{{ loop(patient.fio) }}{% endfor %}",
        "{% block b %}{{ self.b() }}{% endblock %}",
        "{% filter upper %}{{ patient.fio }}{% endfilter %}",
        "{% import 'os' as os %}{{ os.system('id') }}",
        "{% extends '/etc/passwd' %}",
        "{{ config }}",
        "{{ url_for('Home.index') }}",
        "{{ request.environ }}",
        "".join(f"{{% for {name} in patient.fio %}}" for name in "abcd") + "{{ patient.fio }}" + "{% endfor %}" * 4,
    ],
)
def test_a_template_reads_its_fields_and_nothing_else(make, body):
    with pytest.raises(TemplateBroken):
        paper.fill_in(body, queries.sample_fields("contract"))


def test_a_changed_text_is_the_next_version(make, fresh_app):
    with fresh_app.app_context():
        director = make.user("senior")
        old = queries.active_template("consent_treatment")
        number, body = old.version, old.body
        with transaction():
            new = operations.new_version(old.id, old.name, body + "<p>Добавлено</p>", actor=director)
            assert new.version == number + 1 and new.active
        assert not session.get(DocumentTemplate, old.id).active
        assert queries.active_template("consent_treatment").version == number + 1
        with pytest.raises(Stale), transaction():
            operations.new_version(old.id, "x", body, actor=director)
        with pytest.raises(NotAllowed), transaction():
            operations.new_version(new.id, "x", body, actor=make.user())
        session.rollback()
        with pytest.raises(TemplateBroken), transaction():
            operations.new_version(new.id, "x", "{{ oops }}", actor=director)
        assert queries.active_template("consent_treatment").version == number + 1
        with transaction():
            operations.ship_templates()
        assert session.query(DocumentTemplate).filter_by(kind="consent_treatment").count() == 2


def test_no_text_yet(make, fresh_app):
    with fresh_app.app_context():
        patient = make.patient()
        with transaction():
            session.query(DocumentTemplate).update({"active": False})
        with pytest.raises(NoTemplate), transaction():
            operations.issue("contract", patient.id, actor=make.user())


# --- pages ------------------------------------------------------------------------------------------


def test_issue_from_the_card_once(make, client_of):
    patient, browser, key = make.patient(**FULL), client_of("administrator"), str(uuid4())
    form = {"kind": "contract", "patient_id": patient.id, "request_id": key}
    first = browser.post("/documents/issue", data=form)
    again = browser.post("/documents/issue", data=form)
    assert first.status_code == again.status_code == 303 and first.location == again.location
    assert session.query(IssuedDocument).filter_by(patient_id=patient.id).count() == 1
    one, two = browser.get(first.location), browser.get(first.location)
    assert one.data == two.data and one.mimetype == "application/pdf"
    assert one.headers["Content-Disposition"].startswith("inline") and "no-store" in one.headers["Cache-Control"]
    assert "Ёлкина" in text_of(one.data)
    tab = browser.get(f"/documents/patient/{patient.id}").text
    assert (
        first.location in tab
        and tab.count('name="kind"') == len(operations.FROM_CARD) - len(operations.OF_TREATMENT) + 1
    )
    assert all(f'value="{kind}"' in tab for kind in operations.FROM_CARD)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"kind": "contract"},
        {"kind": "x", "patient_id": "1"},
        {"kind": "contract", "patient_id": "abc"},
        {"kind": "contract", "patient_id": "-1"},
        {"kind": "contract", "patient_id": "99999999999"},
        {"kind": "contract", "patient_id": "²"},
        {"kind": "contract", "patient_id": "1999999999"},
        {"kind": "\x00" * 10, "patient_id": "1"},
        {"kind": "x" * 1_000_000, "patient_id": "1"},
    ],
)
def test_bad_input_is_a_sentence(make, client_of, form):
    answer = client_of("administrator").post("/documents/issue", data=form)
    assert answer.status_code in (404, 422), answer.text[:300]


def test_unknown_papers(client_of):
    browser = client_of("administrator")
    for path in (
        "/documents/999999.pdf",
        "/documents/99999999999999.pdf",
        "/documents/receipts/999999.pdf",
        "/documents/work-orders/999999.pdf",
        "/documents/work-orders/99999999999999.pdf",
        "/documents/patient/99999999999",
    ):
        assert browser.get(path).status_code == 404, path


def test_a_doctor_prints_for_own_patients_only(make, client_of):
    stranger, own = make.patient(), make.patient()
    doctor = (
        session.query(__import__("app.models", fromlist=["Employee"]).Employee)
        .filter_by(user_id=make.user("doctor").id)
        .one()
    )
    make.appointment(own, doctor, datetime(2031, 1, 5, 9))
    browser = client_of("doctor")
    assert browser.post("/documents/issue", data={"kind": "contract", "patient_id": own.id}).status_code == 303
    assert browser.post("/documents/issue", data={"kind": "contract", "patient_id": stranger.id}).status_code == 404
    assert browser.get(f"/documents/patient/{stranger.id}").status_code == 404
    location = (
        client_of("administrator")
        .post("/documents/issue", data={"kind": "contract", "patient_id": stranger.id})
        .location
    )
    assert browser.get(location).status_code == 404
    pk = re.search(r"(\d+)\.pdf", location).group(1)
    for path in (f"/documents/{pk}-all.pdf", f"/documents/{pk}/preparing"):
        assert browser.get(path).status_code == 404
    assert browser.post(f"/documents/{pk}/prepare").status_code == 404
    listed = browser.get("/documents/journal/").text
    assert location not in listed and own.surname in listed and stranger.surname not in listed
    assert client_of("sysadmin").get(location).status_code == 403
    assert client_of("doctor").get("/documents/receipts/1.pdf").status_code == 403


SNAPSHOT = {
    "number": 17,
    "kind": "sale",
    "legal_entity": {"name": "ООО «Улыбка»", "inn": "7701234567", "address": "Москва"},
    "branch": "На Тверской",
    "day": "2026-11-23",
    "time": "14:05",
    "patient": "Ёлкина Мария Сергеевна",
    "card_number": 1001,
    "cashier": "Сотрудник А. Б.",
    "amount": "15000.50",
    "tendered": "16000.00",
    "change": "999.50",
    "to_advance": "500.50",
    "debt_left": "0.00",
    "lines": [
        {
            "name": "Пломба <script>",
            "tooth": "36",
            "quantity": 2,
            "price": "7500.00",
            "discount": "500.00",
            "total": "14500.00",
        }
    ],
    "parts": [{"method": "cash", "amount": "15000.50"}],
}


def test_a_receipt_of_a_part_says_how_much_of_its_services_it_pays():
    """The rest of a bill that was paid in part before: the table has the whole, the advance begins after the rest."""
    whole = {**SNAPSHOT, "amount": "5100.21", "to_advance": "4350.21", "for_lines": "750.00"}
    for kind, said in (("sale", True), ("return", False)):
        row = Receipt(kind=kind, number=17, business_day=date(2026, 11, 23), snapshot={**whole, "kind": kind})
        text = paper.fill_in(paper.shipped("receipt"), queries.receipt_fields(row))
        assert ("Из них за эти услуги" in text) == said
        slip = [line.text for line in rules.slip(queries.receipt_fields(row), 32, copy=False)]
        assert (f"{'За эти услуги':<26}750.00" in slip) == said
    full = Receipt(
        kind="sale", number=17, business_day=date(2026, 11, 23), snapshot={**SNAPSHOT, "for_lines": "14500.00"}
    )
    assert "Из них" not in paper.fill_in(paper.shipped("receipt"), queries.receipt_fields(full))


def test_a_receipt_says_what_was_written_down():

    row = Receipt(kind="sale", number=17, business_day=date(2026, 11, 23), snapshot=SNAPSHOT)
    made = pdf.render(
        paper.sheet(
            "Квитанция", "Квитанция", paper.fill_in(paper.shipped("receipt"), queries.receipt_fields(row)), "a5"
        )
    )
    words = words_of(made)
    for must in (
        "КВИТАНЦИЯ № 17",
        "23.11.2026, 14:05",
        "Ёлкина Мария Сергеевна",
        "15 000,50 ₽",
        "999,50 ₽",
        "500,50 ₽",
        "Пятнадцать тысяч рублей 50 копеек",
        "Не является фискальным документом",
        "Пломба <script>",
        "Наличными",
    ):
        assert must in words, must
    bare = Receipt(kind="return", number=3, business_day=date(2026, 11, 23), snapshot={"amount": "10.00", "parts": []})
    words = words_of(pdf.render(paper.fill_in(paper.shipped("receipt"), queries.receipt_fields(bare))))
    assert "НА ВОЗВРАТ № 3" in words and "Десять рублей 00 копеек" in words


# --- the panel of templates ---------------------------------------------------------------------------


def test_templates_panel(make, client_of):
    director = client_of("director")
    assert director.get("/document-templates/list/").status_code == 200
    row = queries.active_template("contract")
    assert director.get(f"/document-templates/show/{row.id}").status_code == 200
    page = director.get(f"/document-templates/edit/{row.id}")
    assert page.status_code == 200 and "patient.passport.text" in page.text
    preview = director.get(f"/document-templates/{row.id}/preview.pdf")
    assert preview.mimetype == "application/pdf" and "Примерова" in text_of(preview.data)
    tried = director.post(f"/document-templates/{row.id}/try.pdf", data={"body": "<p>Проба {{ patient.fio }}</p>"})
    assert "Проба Примерова" in words_of(tried.data)
    assert director.post(f"/document-templates/{row.id}/try.pdf", data={"body": "{{ x }}"}).status_code == 422
    wrong = director.post(f"/document-templates/edit/{row.id}", data={"name": "Имя", "body": "Набрано {{ oops }}"})
    assert wrong.status_code == 422 and "Набрано {{ oops }}" in wrong.text
    empty = director.post(f"/document-templates/edit/{row.id}", data={"name": "", "body": ""})
    assert empty.status_code == 422
    long = director.post(f"/document-templates/edit/{row.id}", data={"name": "Имя", "body": "x" * 1_000_000})
    assert long.status_code == 422
    saved = director.post(f"/document-templates/edit/{row.id}", data={"name": "Договор", "body": row.body})
    assert saved.status_code == 303
    administrator = client_of("administrator")
    assert administrator.get("/document-templates/list/").status_code == 200
    assert administrator.get(f"/document-templates/edit/{row.id}").status_code == 403
    assert administrator.post(f"/document-templates/{row.id}/try.pdf", data={"body": "x"}).status_code == 403
    assert director.get("/document-templates/edit/999999").status_code == 404


def test_the_papers_of_a_first_visit_in_one_click(make, client_of):
    patient = make.patient(**FULL)
    desk, key = client_of("administrator"), str(uuid4())
    form = {"patient_id": patient.id, "request_id": key}
    first, second = (desk.post("/documents/first-visit", data=form) for _ in range(2))
    assert first.status_code == 303 and first.headers["Location"] == second.headers["Location"]
    rows = session.query(IssuedDocument).filter_by(patient_id=patient.id).order_by(IssuedDocument.id).all()
    assert [row.kind for row in rows] == queries.first_visit_kinds()
    assert [row.first_id for row in rows] == [None] + [rows[0].id] * 3
    file = desk.get(first.headers["Location"])
    assert file.mimetype == "application/pdf"
    said = text_of(file.data)
    places = [
        said.index(word)
        for word in ("ДОГОВОР", "обработку персональных данных", "медицинских вмешательств №", "АНКЕТА")
    ]
    assert places == sorted(places) and "Ёлкина" in said
    assert all(desk.get(first.headers["Location"]).data == file.data for _ in range(3))
    assert f"/documents/{rows[0].id}-all.pdf" in desk.get(f"/documents/patient/{patient.id}").text
    pages = sum(len(pypdf.PdfReader(io.BytesIO(row.pdf)).pages) for row in rows)
    assert len(pypdf.PdfReader(io.BytesIO(file.data)).pages) == pages
    assert client_of("doctor").get(first.headers["Location"]).status_code == 404
    assert desk.post("/documents/first-visit", data={"patient_id": "x"}).status_code == 422
    assert desk.get("/documents/99999999999-all.pdf").status_code == 404


def test_the_plan_lists_what_the_newest_order_says(make):
    from app.billing import operations as billing

    patient, doctor, service = make.patient(**FULL), make.doctor(), make.service("4321.00", name="Коронка на зуб")
    with transaction():
        billing.create_work_order(patient.id, doctor.id, [{"service_id": service.id, "quantity": 2}], actor=None)
    with transaction():
        plan = operations.issue("treatment_plan", patient.id, actor=make.user())
    said = words_of(make.printed(plan.id))
    assert "Коронка на зуб" in said and "8 642,00" in said.replace("\u00a0", " ") and "Восемь тысяч шестьсот" in said


def _of_card(kind, patient, make):
    with transaction():
        return words_of(make.printed(operations.issue(kind, patient.id, actor=make.user()).id)).replace("\u00a0", " ")


def test_papers_from_the_card_list_what_is_left_of_an_order_that_stands(make):
    from app.billing import operations as billing

    patient, doctor, desk = make.patient(**FULL), make.doctor(), make.user("senior")
    crown, filling, cleaning = (
        make.service(price, name=name)
        for price, name in (("2500.00", "Коронка"), ("1000.00", "Пломба"), ("3000.00", "Чистка"))
    )

    def order(*lines, issued=True):
        with transaction():
            row = billing.create_work_order(patient.id, doctor.id, list(lines), actor=None)
            if issued:
                billing.issue(row.id, actor=desk)
            return row

    stands = order({"service_id": crown.id, "quantity": 2, "discount_percent": Decimal(5), "discount_reason": "акция"},
                   {"service_id": filling.id, "quantity": 1})  # fmt: skip
    with transaction():
        billing.reverse_order(
            stands.id, "одна не нужна", lines={stands.lines[0].id: 1, stands.lines[1].id: 1}, actor=desk
        )
    with transaction():
        billing.reverse_order(order({"service_id": filling.id, "quantity": 1}).id, "ошибка", actor=desk)
    annulled = order({"service_id": filling.id, "quantity": 1}, issued=False)
    with transaction():
        billing.annul(annulled.id, actor=desk)
    for kind in ("contract", "treatment_plan"):
        said = _of_card(kind, patient, make)
        assert "Коронка" in said and "Пломба" not in said, kind
        assert "Скидка, ₽" in said and "125,00" in said and "Две тысячи триста семьдесят пять рублей" in said
    draft = order({"service_id": cleaning.id, "quantity": 1}, issued=False)
    done = order({"service_id": filling.id, "quantity": 1})
    assert draft.id < done.id
    said = _of_card("contract", patient, make)
    assert "Пломба" in said and "Чистка" not in said and "Скидка" not in said
    said = _of_card("treatment_plan", patient, make)
    assert "Чистка" in said and "Пломба" not in said and "Скидка" not in said


def test_an_act_names_no_contract_younger_than_itself(make, client_of):
    from app.billing import operations as billing

    patient, doctor, desk = make.patient(**FULL), make.doctor(), make.user()
    line = {"service_id": make.service("100.00").id, "quantity": 1}

    def contract(day):
        with clock.at(datetime(2026, 11, day, 10)), transaction():
            return operations.issue("contract", patient.id, actor=desk).number

    with clock.at(datetime(2026, 11, 20, 10)), transaction():
        order = billing.create_work_order(patient.id, doctor.id, [line], actor=None)
        billing.issue(order.id, actor=desk)
    contract(29)
    act = f"/documents/work-orders/{order.id}/act.pdf"
    assert "договор №" not in words_of(client_of("administrator").get(act).data)
    older = contract(18)
    assert f"договор № {older} от 18.11.2026" in words_of(client_of("administrator").get(act).data)
