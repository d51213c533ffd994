"""How a row of an old card index is read: names, days, phones, numbers of documents; nothing breaks it or is lost."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.patients import rules
from app.patients.rules import import_columns, import_rows
from app.vocab import CardColumn

TODAY = date(2026, 11, 29)


def understood(**said: str) -> rules.Understood:
    how = rules.Reading(
        mapping=list(said), headings=[name.upper() for name in said], today=TODAY, sources={"интернет": 7},
        tags=rules.directory({"VIP": 3, "Боится уколов": 4}), area_code="495",
    )  # fmt: skip
    return rules.understand(list(said.values()), how)


def card(**said: str) -> dict[str, Any]:
    one = understood(**{"surname": "Иванова", "name": "Анна", **said})
    assert one.card is not None
    return one.card


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"full_name": "Иванова Анна Сергеевна"}, ("Иванова", "Анна", "Сергеевна")),
        ({"full_name": "ИВАНОВА-ПЕТРОВА АННА"}, ("Иванова-Петрова", "Анна", "")),
        ({"full_name": "иванов и.и."}, ("Иванов", "И.", "и.")),
        ({"full_name": "Алиев Али Гасан оглы"}, ("Алиев", "Али", "Гасан оглы")),
        ({"full_name": "Ошибкина Анна", "surname": "Иванова"}, ("Иванова", "Анна", "")),
        ({"surname": " ё ", "name": "МАРИЯ", "patronymic": "-"}, ("Ё", "Мария", "")),
    ],
)
def test_names(said: dict[str, str], wanted: tuple[str, str, str]) -> None:
    one = understood(**said).card
    assert one is not None and (one["surname"], one["name"]) == wanted[:2]
    assert one["patronymic"].lower() == wanted[2].lower()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"surname": "", "name": "Анна"}, "no surname"), ({"surname": "123", "name": "Анна"}, "no surname"),
        ({"surname": "Иванова", "name": ""}, "no first name"), ({"full_name": "Иванова"}, "no first name"),
        ({"surname": "я" * 101, "name": "Анна"}, "100 letters"), ({"surname": "не указана", "name": "А"}, "no surname"),
    ],
)  # fmt: skip
def test_without_a_name_a_row_is_refused(said: dict[str, str], why: str) -> None:
    one = understood(**said)
    assert one.card is None and why in one.why and one.keys["name_key"] == ""


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("12.03.1985", "1985-03-12"), ("12/3/85", "1985-03-12"), ("12-03-26", "2026-03-12"),
        ("1985-03-12", "1985-03-12"),
        ("1985-03-12T00:00:00", "1985-03-12"), ("12.03.1985 0:00:00", "1985-03-12"), ("12 марта 1985 г.", "1985-03-12"),
        ("5 мая 2001", "2001-05-05"), ("12031985", "1985-03-12"), ("19850312", "1985-03-12"), ("31118", "1985-03-12"),
        ("31.02.1985", None), ("1985", None), ("12.13.1985", None), ("30.11.2026", None), ("01.01.1890", None),
        ("12 мухи 1985", None), ("когда-то", None), ("9" * 300, None),
    ],
)  # fmt: skip
def test_birth_dates(said: str, wanted: str | None) -> None:
    one = understood(surname="Иванова", name="Анна", birth_date=said)
    assert one.card is not None and one.card["birth_date"] == wanted
    assert bool(one.warnings) == (wanted is None)
    assert wanted is not None or one.card["comment"] == f"BIRTH_DATE: {said}"


def test_month_first() -> None:
    how = rules.Reading(["full_name", "birth_date"], ["", ""], TODAY, day_order="mdy")
    one = rules.understand(["Иванова Анна", "03/12/1985"], how).card
    assert one is not None and one["birth_date"] == "1985-03-12"


@pytest.mark.parametrize(
    ("said", "numbers", "wrong"),
    [
        ("8 (916) 123-45-67", ["+79161234567"], []), ("9161234567", ["+79161234567"], []),
        ("+7 916 123-45-67; 8(495)123-45-67", ["+79161234567", "+74951234567"], []),
        ("8 916 123-45-67 8 495 123-45-67", ["+79161234567", "+74951234567"], []),
        ("8 916 123-45-67 / 123-45-67", ["+79161234567", "+74951234567"], []),
        ("+375 29 123-45-67", ["+375291234567"], []), ("12, 8 916 123-45-67", ["+79161234567"], ["12"]),
        ("нет телефона", [], ["нет телефона"]), ("0000000000", [], ["0000000000"]),
    ],
)  # fmt: skip
def test_phones(said: str, numbers: list[str], wrong: list[str]) -> None:
    found, left = import_rows.phones(said, "495")
    assert ([one["number"] for one in found], left) == (numbers, wrong)


def test_whose_a_phone_is() -> None:
    found, _ = import_rows.phones("т. 8 916 123-45-67 мама, 8 916 123-45-68 (Ольга Ивановна); 8 916 123-45-69, раб.")
    assert [one["owner"] for one in found] == ["мама", "Ольга Ивановна", "раб"]


def test_numbers_of_documents_get_their_noughts_back_or_go_to_the_comment() -> None:
    assert card(snils="11223344595")["snils"] == "112-233-445 95" and card(inn="500100732259")["inn"] == "500100732259"
    assert card(snils="1223344553")["snils"] in ("", "012-233-445 53")
    wrong = card(
        snils="112-233-445 96", inn="500100732258", email="нет@", sex="?", source="Знакомые", tags="VIP; новая"
    )
    assert (wrong["snils"], wrong["inn"], wrong["email"], wrong["sex"], wrong["source_id"]) == ("", "", "", None, None)
    assert wrong["tags"] == [3]
    for kept in ("SNILS: 112-233-445 96", "INN: 500100732258", "EMAIL: нет@", "SOURCE: Знакомые", "TAGS: новая"):
        assert kept in wrong["comment"]
    assert card(source=" Интернет ")["source_id"] == 7 and card(tags="боится  уколов")["tags"] == [4]


def test_nothing_written_is_nothing() -> None:
    empty = card(allergy="нет", phone="-", email="—", comment="н/д", birth_date="  ", address="не указан")
    assert (empty["allergy"], empty["comment"], empty["address"], empty["phones"]) == ("", "", "", [])


def test_long_texts_are_kept_in_the_comment_and_said() -> None:
    one = understood(surname="Иванова", name="Анна", address="я" * 700, comment="ю" * 1900)
    assert one.card is not None and len(one.card["address"]) == 500 and len(one.card["comment"]) == 2000
    assert len(one.warnings) == 2


def test_the_day_of_a_consent() -> None:
    assert card(consent_on="01.02.2020")["consent_on"] == "2020-02-01"
    late = card(consent_on="01.02.2030")
    assert late["consent_on"] is None and late["comment"] == "CONSENT_ON: 01.02.2030"


WORDS = st.one_of(
    st.text(max_size=40),
    st.text("0123456789+-() .,;/", max_size=40),
    st.sampled_from(["12.03.1985", "8 916 123-45-67", "нет", "ж", "112-233-445 95", "Иванова", "=1+1", "\x00", "٣٤٥"]),
    st.text("я", min_size=400, max_size=2000),
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.sampled_from(["", *CardColumn]), WORDS), max_size=25), st.sampled_from(["", "495", "3412"])
)
def test_no_row_breaks_the_reading(cells: list[tuple[str, str]], area_code: str) -> None:
    how = rules.Reading([str(one) for one, _ in cells], ["Столбец"] * len(cells), TODAY, area_code=area_code)
    one = rules.understand([cell for _, cell in cells], how)
    assert (one.card is None) == bool(one.why) and one.why % one.facts is not None
    if one.card is None:
        return
    most = {"surname": 100, "name": 100, "patronymic": 100, "email": 200, "address": 500, "identity_text": 500,
            "snils": 14, "inn": 12, "allergy": 500, "insurance": 200, "old_number": 40, "comment": 2000}  # fmt: skip
    assert all(len(one.card[name]) <= length for name, length in most.items())
    assert one.card["surname"].strip() and one.card["name"].strip()
    assert all(rules.phone(phone["number"]) == phone["number"] for phone in one.card["phones"])
    assert len(one.keys["numbers"]) == len(set(one.keys["numbers"])) <= 10
    if one.card["birth_date"]:
        rules.check_birth_date(date.fromisoformat(one.card["birth_date"]), TODAY)


@given(st.integers(0, 999_999_999))
def test_a_mobile_number_taken_at_once_is_one_that_the_library_knows(number: int) -> None:
    found, _ = import_rows.phones(f"8 9{number:09d}")
    assert found == [{"number": rules.phone(f"+79{number:09d}"), "owner": ""}]


# --- columns ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "wanted"),
    [
        ("№ п/п|№ карты|ФИО пациента|Дата рождения|Пол|Моб. телефон|Домашний тел.",
         "|old_number|full_name|birth_date|sex|phone|phone"),
        ("Фамилия|Имя|Отчество|Д/р|E-mail|Адрес регистрации|Серия|Номер паспорта|Кем выдан",
         "surname|name|patronymic|birth_date|email|address|passport|passport|passport"),
        ("Номер телефона|Номер|Почтовый адрес|Эл. почта|СНИЛС|ИНН|Полис ДМС|Аллергоанамнез|Откуда узнали|Примечание",
         "phone|old_number|address|email|snils|inn|insurance|allergy|source|comment"),
        ("ID|Client|Birthday|Phone|Дата создания|Возраст|Согласие на обработку ПДн|Метки",
         "|full_name|birth_date|phone|||consent_on|tags"),
        ("Last name|First name|Middle name|Gender|Фамилия", "surname|name|patronymic|sex|"),
    ],
)  # fmt: skip
def test_headings_are_understood(headings: str, wanted: str) -> None:
    assert import_columns.guess(headings.split("|")) == wanted.split("|")
