"""What stands on the papers of the clinic for an adult, a child, long names and an empty card."""

import io
from datetime import date, datetime

import pypdf
import pytest
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth

from app import clock, pdf
from app.db import session, transaction
from app.documents import operations, paper, queries
from app.models import Branch
from app.pdf import BOLD, FONT
from app.vocab import TemplateKind
from tests.conftest import Maker
from tests.documents.test_papers import text_of, words_of

LONG = {
    "surname": "Константинопольская-Преображенская",
    "name": "Александра-Виктория",
    "patronymic": "Константиновна-Иоанновна",
    "sex": "female",
    "birth_date": date(1955, 12, 31),
    "address": "628606, Ханты-Мансийский автономный округ — Югра, г. Нижневартовск, микрорайон Прибрежный-2, улица"
    " Героев Самотлора, дом 123, корпус 4, строение 5, квартира 1067",
    "identity_text": "паспорт гражданина Российской Федерации 67 04 № 123456, выдан 31.12.2015 Отделом УФМС России по"
    " Ханты-Мансийскому автономному округу — Югре в городе Нижневартовске, код подразделения 860-009",
    "allergy": "пенициллин, лидокаин, латекс, йод, пыльца берёзы, цитрусовые, мёд",
}
FROM_CARD = [kind for kind in operations.FROM_CARD if kind != TemplateKind.HEALTH_QUESTIONNAIRE]


def _drawn(kind, patient, actor):
    with transaction():
        pk = operations.issue(kind, patient.id, actor=actor).id
    return Maker().printed(pk)


def _pages(made):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages]


def _whole(made, kind):
    """Nothing of the template is left, no letter lost, no page with a lonely line."""
    words = words_of(made)
    assert not pdf.lost_letters(made), kind
    assert "{{" not in words and "{%" not in words and "None" not in words and "\ufffd" not in words, kind
    for page in _pages(made):
        assert len(" ".join(page.split())) > 180, (kind, page)


@pytest.mark.parametrize("kind", FROM_CARD)
def test_a_long_name_and_address_fit(make, kind):
    patient = make.patient(phone="+79161234567", **LONG)
    made = _drawn(kind, patient, make.user())
    _whole(made, kind)
    words = words_of(made).replace("- ", "-")
    assert "Константинопольская-Преображенская Александра-Виктория" in words
    assert len(_pages(made)) <= 3


ENDLESS = "Превысокомногорассмотрительствующий" * 4


@pytest.mark.parametrize(
    "body",
    [
        "<p>Просто {} конец</p>", "<p>Первые <b>слова</b> {} конец</p>", "<p><b>Слова</b> <b>{}</b></p>",
        "<p>{0}<b>{0}</b></p>", "<h2>Раздел {}</h2>", '<p class="small">{}</p>',
        '<table class="facts"><tr><td>Адрес</td><td>дом <b>5</b> {}</td></tr></table>',
        '<table class="grid"><tr><th>№</th><th>{0}</th></tr><tr><td>1</td><td><b>да</b> {0}</td></tr></table>',
    ],
)  # fmt: skip
def test_an_endless_word_is_broken_at_the_edge(body):
    made = pdf.render(paper.sheet("Длинное", "Низ", body.format(ENDLESS)))
    edge = _right_edge(made)
    assert edge <= (210 - 15) * mm + 0.5, edge
    said = "".join(text_of(made).split())
    assert said.count("Превысокомногорассмотрительствующий") == 4 * body.count("{"), said
    assert "конец" not in body or "ийконец" in said


def _right_edge(made):
    """How far to the right anything is written, in points."""
    found = [0.0]

    def see(text, _cm, tm, font, size):
        if font and text.strip():
            name = BOLD if "Bold" in font["/BaseFont"] else FONT
            found.extend(tm[4] + stringWidth(line.strip(), name, size) for line in text.splitlines())

    for page in pypdf.PdfReader(io.BytesIO(made)).pages:
        page.extract_text(visitor_text=see)
    return max(found)


@pytest.mark.parametrize("kind", FROM_CARD)
def test_an_empty_card_leaves_lines_to_write_on(make, kind):
    patient = make.patient("Ли", name="Вэй", phone=None)
    made = _drawn(kind, patient, make.user())
    _whole(made, kind)
    assert "Ли Вэй" in words_of(made) and "____" in text_of(made)


def test_the_contract_of_a_child_names_who_signs(make):
    mother = make.patient("Ёлкина", name="Мария", patronymic="Сергеевна", sex="female", birth_date=date(1990, 5, 17),
                          phone="+79161234567", address="г. Москва, ул. Лесная",
                          identity_text="45 10 123456")  # fmt: skip
    child = make.patient("Ёлкин", name="Пётр", patronymic="Ильич", sex="male", birth_date=date(2018, 1, 2),
                         guardian_id=mother.id, address="г. Москва, ул. Лесная, д. 5")  # fmt: skip
    with clock.at(datetime(2026, 11, 23, 10)):
        words = words_of(_drawn("contract", child, make.user()))
    for must in (
        "Ёлкина Мария Сергеевна, 17.05.1990 г. р.", "законный представитель", "потребителя Ёлкина Петра Ильича",
        "+7 916 123-45-67", "«23» ноября 2026 г.", "трёх экземплярах", "Заказчик Ёлкина Мария Сергеевна",
        "Ёлкина М. С.", "Постановлением Правительства РФ от 30.05.2026 № 659",
    ):  # fmt: skip
        assert must in words, must


def test_a_child_without_a_guardian_leaves_lines_for_one(make):
    child = make.patient("Сиротин", name="Пётр", sex="male", birth_date=date(2020, 1, 2))
    for kind in ("contract", "consent_treatment", "consent_personal_data", "refusal", "consent_extraction"):
        words = words_of(_drawn(kind, child, make.user()))
        assert "Я, Сиротин" not in words and "/ Сиротин П." not in words, kind
        assert "Сиротин" in words
    # from 15 the consent to treatment is one's own, the contract is not
    youth = make.patient("Юнцов", name="Олег", sex="male", birth_date=date(clock.today().year - 16, 1, 1))
    assert "Я, Юнцов Олег" in words_of(_drawn("consent_xray", youth, make.user()))
    assert "/ Юнцов О." not in words_of(_drawn("contract", youth, make.user()))


def test_who_signs_for_the_clinic(make):
    signing = queries.legal_entity_for(make.user())
    entity = session.get(Branch, signing[1].id).legal_entity
    patient = make.patient(birth_date=date(1990, 1, 1))
    kept = (entity.director_name, entity.director_post, entity.licence_number, entity.licence_works)
    with transaction():
        entity.director_name, entity.director_post = "Орлов Виктор Сергеевич", "Генеральный директор"
        entity.licence_number, entity.licence_works = "Л041-01137-77/1", "стоматология терапевтическая"
    employee = queries.employee_of(make.user().id)
    try:
        words = words_of(_drawn("contract", patient, make.user()))
        assert "в лице генерального директора Орлова Виктора Сергеевича" in words
        assert "на основании Устава" in words and "/ Орлов В. С." in words
        assert "№ Л041-01137-77/1" in words and "стоматология терапевтическая" in words
        with transaction():
            employee.acting_on, employee.post = "доверенности № 3 от 01.02.2026", "Администратор"
        words = words_of(_drawn("contract", patient, make.user()))
        assert "в лице администратора" in words and "на основании доверенности № 3 от 01.02.2026" in words
    finally:
        with transaction():
            entity.director_name, entity.director_post, entity.licence_number, entity.licence_works = kept
            employee.acting_on = ""


def test_the_plan_names_the_contract_it_belongs_to(make):
    patient = make.patient(birth_date=date(1990, 1, 1))
    with clock.at(datetime(2026, 11, 23, 10)), transaction():
        number = operations.issue("contract", patient.id, actor=make.user()).number
    words = words_of(_drawn("treatment_plan", patient, make.user()))
    assert f"медицинских услуг № {number} от 23.11.2026" in words


@pytest.mark.parametrize("kind", operations.OF_TREATMENT)
def test_each_consent_says_its_risk_and_leaves_a_line_for_the_tooth(make, kind):
    patient = make.patient(birth_date=date(1990, 1, 1), sex="female", allergy="лидокаин")
    made = _drawn(kind, patient, make.user())
    words = words_of(made)
    assert len(_pages(made)) == 1
    if kind != TemplateKind.REFUSAL:
        for must in (
            "Возможный риск",
            "Другие варианты",
            "нужное отметить",
            "☐",
            "отмечена аллергия: лидокаин",
            "323-ФЗ",
        ):
            assert must in words, must
    assert "подпись" in words and ("Зуб" in words or "Область" in words or "Объём" in words or "Аппарат" in words)


def test_the_signatures_stay_with_what_is_signed():
    """However many services an order has, the page with the signatures has words above them."""
    values = queries.sample_fields("act")
    for many in range(8, 40, 3):
        rows = [{**values["services"][n % 2], "no": str(n)} for n in range(many)]
        body = paper.fill_in(paper.shipped("act"), {**values, "services": rows})
        last = _pages(pdf.render(paper.sheet("Акт", "Акт", body)))[-1]
        assert ("исполнитель" in last) and "претензий" in last, many


def _issued(kind, *, child=False, **of_clinic):
    values = queries.sample_fields(kind, child=child)
    body = paper.fill_in(paper.shipped(kind), {**values, "clinic": {**values["clinic"], **of_clinic}})
    return pdf.render(paper.sheet(str(kind), str(kind), body))


@pytest.mark.parametrize("child", [False, True])
@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("consent_advertising", "следующей организации:"), ("consent_personal_data", "Оператор персональных данных:"),
        ("consent_treatment", "в медицинской организации:"), ("refusal", "в медицинской организации:"),
    ],
)  # fmt: skip
def test_the_name_of_the_clinic_needs_no_case(kind, before, child):
    assert f"{before} Общество с ограниченной ответственностью «Стоматология»" in words_of(_issued(kind, child=child))


def test_the_certificate_counts_its_own_pages():
    long_name = "Общество с ограниченной ответственностью " + "«Стоматология для всей семьи» " * 40
    apart = _issued("tax_certificate", child=True, legal_name=long_name)
    for made, many in ((_issued("tax_certificate"), 1), (apart, 2)):
        assert len(_pages(made)) == many and f"Справка составлена на {many} стр." in words_of(made)


def test_a_phone_and_a_number_stay_whole():
    values = queries.sample_fields("consent_treatment")
    assert values["clinic"]["license"]["text"].endswith("тел.\u00a0+7\u00a0495\u00a0777-27-77")
    assert values["patient"]["phone"] == "+7\u00a0916\u00a0123-45-67"
    lines = [line.strip() for page in _pages(_issued("tax_certificate")) for line in page.splitlines()]
    assert "от 08.11.2023 № ЕА-7-11/824@" in [line.replace("\u00a0", " ") for line in lines]


def test_each_question_of_the_questionnaire_has_its_line():
    values = queries.sample_fields("health_questionnaire")
    values["survey"].update(last_dentist="не помнит", complaints="скол")
    made = pdf.render(paper.sheet("Анкета", "Анкета", paper.fill_in(paper.shipped("health_questionnaire"), values)))
    lines = [line.strip() for line in text_of(made).splitlines()]
    assert "Когда вы в последний раз были у стоматолога: не помнит" in lines and "Что вас беспокоит: скол" in lines
