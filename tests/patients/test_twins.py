"""Who may be the person whose card is being written, and who is not: while one types, at saving, over JSON."""

from datetime import date
from typing import Any

import pytest
from flask import Flask

from app.db import transaction
from app.patients import operations, queries
from tests.conftest import Maker, counted_statements

BORN = date(1985, 5, 5)
#: Nobody else in the tests has them.
SNILS, INN = "123-456-789 64", "771234567859"


def twins(surname: str, name: str, born: date | None = BORN, phone: Any = None, **more: Any) -> list[int]:
    return [row["id"] for row in queries.possible_duplicates(surname, name, born, phone, **more)]


@pytest.mark.parametrize(
    ("surname", "name"),
    [
        ("Берёзкина", "Алёна"), ("березкина", "алена"), ("БЕРЁЗКИНА", "АЛЕНА"),  # ё is typed as е
        ("Бирёзкина", "Алёна"), ("Берзкина", "Алёна"), ("Берёззкина", "Алёна"), ("Бреёзкина", "Алёна"),  # one letter
        ("Березкин", "Алена"),  # of a mother who wrote her own
        ("Алёна", "Берёзкина"), ("алена", "березкина"),  # each in the other's field
    ],
)  # fmt: skip
def test_who_may_be_the_same(make: Maker, surname: str, name: str) -> None:
    card = make.patient("Берёзкина", name="Алёна", birth_date=BORN)
    assert card.id in twins(surname, name)


@pytest.mark.parametrize(
    ("surname", "name", "born"),
    [
        ("Близнецова", "Ирина", BORN),  # a twin: the same day, another name
        ("Близнецова", "Ольга", date(1961, 1, 1)),  # the mother, who is called the same
        ("Блезнецова", "Ольга", date(1961, 1, 1)), ("Блезнецова", "Ольга", None),  # a typo and nothing but the name
        ("Блезнецова", "Ольгя", BORN), ("Близнецов", "Олег", BORN),
        ("Блезнцова", "Ольга", BORN), ("Близнецовская", "Ольга", BORN), ("Близ", "Ольга", BORN),  # more than one letter
        ("Ольга", "Близнецова", date(1961, 1, 1)), ("Ольга", "Блезнецова", BORN),
        ("Близнецова", "", BORN), ("", "Ольга", BORN), ("%", "_", BORN),
    ],
)  # fmt: skip
def test_who_is_somebody_else(make: Maker, surname: str, name: str, born: date | None) -> None:
    card = make.patient("Близнецова", name="Ольга", birth_date=BORN)
    assert card.id not in twins(surname, name, born)


def test_short_surnames_are_not_guessed(make: Maker) -> None:
    card = make.patient("Ким", name="Виссарион", birth_date=BORN)
    assert twins("Ким", "Виссарион") == [card.id] and twins("Кин", "Виссарион") == []


def test_a_double_surname_and_a_double_name(make: Maker) -> None:
    card = make.patient("Римский-Корсаков", name="Анна-Мария", birth_date=BORN)
    for surname, name in (("Римский Корсаков", "Анна Мария"), ("Римский-Карсаков", "Анна-Мария")):
        assert twins(surname, name) == [card.id]
    assert twins("Римский-Карсаков", "Анна") == []


def test_a_number_of_a_person_is_the_person(make: Maker) -> None:
    """Whatever else the card says: she has married, and the birth date was mistyped."""
    card = make.patient("Девичья", name="Злата", birth_date=date(1985, 5, 6), snils=SNILS, inn=INN)
    namesake = make.patient("Замужняя", name="Злата", birth_date=BORN)
    for numbers in ({"snils": SNILS}, {"inn": INN}, {"snils": SNILS, "inn": INN}):
        found = queries.possible_duplicates("Замужняя", "Злата", BORN, None, **numbers)
        assert [(row["id"], row["certain"]) for row in found] == [(card.id, True), (namesake.id, False)]
        assert twins("", "", None, **numbers) == [card.id]
        assert twins("Замужняя", "Злата", but=card.id, **numbers) == [namesake.id]
        assert twins("", "", None, doctor_id=make.doctor().id, **numbers) == []
    assert twins("", "", None, snils="", inn="") == []  # most cards have none


def test_the_surest_come_first_and_nobody_twice(make: Maker) -> None:
    phone = "+79165550707"
    family = make.patient("Родственная", phone=phone)
    mistyped = make.patient("Черёмушкина", name="Инга", birth_date=BORN, phone="+79165550708")
    same = make.patient("Черемушкино", name="Инга", birth_date=BORN, phone="+79165550709", inn="526317984689")
    named = make.patient("Черемушкин", name="Инга")
    found = twins("Черемушкин", "Инга", BORN, [phone, "+79165550708"], inn="526317984689")
    assert found == [same.id, named.id, mistyped.id, family.id]
    # who is two letters away but has the phone is still one of the family
    assert twins("Чаремушкен", "Инга", BORN, "+79165550708") == [mistyped.id]


def test_a_merged_card_stands_for_the_one_that_stayed(make: Maker) -> None:
    loser = make.patient("Прежнефамильная", name="Зоя", birth_date=BORN)
    winner = make.patient("Новофамильная", name="Зоя", birth_date=BORN)
    with transaction():
        operations.merge_cards(loser.id, winner.id, {}, "двойник", actor=make.user("director"))
    assert twins("Прежнефамильная", "Зоя") == twins("Новофамильноя", "Зоя") == [winner.id]


def test_every_way_is_one_statement(app: Flask, make: Maker) -> None:
    for born in (None, BORN):
        for phone in (None, "+79035550011"):
            for numbers in ({}, {"snils": SNILS}, {"inn": INN}):
                with counted_statements(app) as seen:
                    queries.possible_duplicates("Единственная", "Иван", born, phone, **numbers)
                assert len(seen) == 1


def test_the_form_says_so_while_it_is_typed(make: Maker, client_of: Any) -> None:
    snils, inn = "087-654-303 00", "366512608416"
    card = make.patient("Опечаткина", name="Фаина", birth_date=BORN, snils=snils, inn=inn)
    desk = client_of("administrator")

    def said(**typed: str) -> str:
        answer = desk.get("/patients/twins", query_string=typed)
        assert answer.status_code == 200
        return str(answer.text) if f"/patients/{card.id}" in answer.text else ""

    sure = "тот же СНИЛС или ИНН"
    assert said(surname="Опичаткина", name="Фаина", birth_date="1985-05-05")
    assert sure not in said(surname="Фаина", name="Опечаткина")
    assert sure in said(snils=snils) and sure in said(snils="08765430300") and sure in said(inn=inn)
    for unfinished in ({"snils": "087-654"}, {"inn": "3665"}, {"snils": "x" * 5000}, {"inn": "\x00"}):
        assert not said(**unfinished)


def test_saving_stops_before_the_same_person(make: Maker, client_of: Any) -> None:
    snils = "160-722-398 51"
    card = make.patient("Сохранялкина", name="Роза", birth_date=BORN, snils=snils)
    desk = client_of("administrator")
    for typed in (
        {"surname": "Сохронялкина", "name": "Роза", "birth_date": "1985-05-05"},
        {"surname": "Роза", "name": "Сохранялкина"},
        {"surname": "Иная", "name": "Лилия", "snils": "16072239851"},
    ):
        answer = desk.post("/patients/new", data=typed)
        assert answer.status_code == 422 and f"/patients/{card.id}" in answer.text, typed
        assert f'value="{typed["surname"]}"' in answer.text
    wrong = desk.post("/patients/new", data={"surname": "Иная", "name": "Лилия", "snils": "160-722-398 52"})
    assert wrong.status_code == 422 and "ошибка" in wrong.text


def test_a_program_is_told_of_a_typo(make: Maker, program: Any) -> None:
    card = make.patient("Программкина", name="Кира", birth_date=BORN)
    sent = {"surname": "Програмкина", "name": "Кира", "birth_date": "1985-05-05"}
    answer = program("administrator").post("patients/", sent)
    assert answer.status_code == 201
    assert [row["id"] for row in answer.json["possible_duplicates"]] == [card.id]


def test_a_card_that_gets_the_number_of_another_one_is_stopped(make: Maker, client_of: Any) -> None:
    """A card begun by phone gets its numbers at the first visit: then it is seen that the patient was here before."""
    snils, inn = "420-554-019 33", "773370857141"
    other = make.patient("Прежняя", name="Юна", birth_date=BORN, snils=snils, inn=inn)
    draft = make.patient("Черновикова", name="Юна", phone="+79165550990")
    desk, address = client_of("administrator"), f"/patients/{draft.id}/edit"
    assert f"but={draft.id}" in desk.get(address).text
    typed = {"surname": "Черновикова", "name": "Юна", "phone_number": "+79165550990"}
    while_typing = desk.get("/patients/twins", query_string={**typed, "but": draft.id, "phone": "+79165550990"})
    assert while_typing.text == ""  # not itself
    assert f"/patients/{other.id}" in desk.get("/patients/twins", query_string={"but": draft.id, "snils": snils}).text
    for number in ({"snils": snils}, {"inn": inn}):
        stopped = desk.post(address, data={**typed, **number, "version": "1"})
        assert stopped.status_code == 422 and f'href="/patients/{other.id}"' in stopped.text, number
        assert "сохранить и эту карту" in stopped.text and queries.possible_duplicates("", "", None, None, **number)
    assert desk.post(address, data={**typed, "snils": snils, "version": "1", "anyway": "1"}).status_code == 302
    # what stands there already stops nobody
    assert desk.post(address, data={**typed, "snils": snils, "version": "2", "comment": "да"}).status_code == 302


def test_a_doctor_is_told_of_own_patients_alone(make: Maker, client_of: Any) -> None:
    snils = "781-378-296 47"
    other = make.patient("Чужая", name="Юна", snils=snils)
    doctor = client_of("doctor")
    assert doctor.get("/patients/twins", query_string={"snils": snils, "but": other.id}).status_code == 403
    assert doctor.get("/patients/twins", query_string={"snils": snils}).status_code == 403
