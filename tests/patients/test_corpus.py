"""The corpus of hard searches: who is meant stands first, among three thousand others; nobody is invented."""

from collections.abc import Iterator
from datetime import date

import pytest
from faker import Faker
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.db import session, transaction
from app.models import NameWord, Patient, PatientPhone
from app.patients import queries, rules
from tests.conftest import counted_statements
from tests.patients.corpus import AMONG, FIRST, NOBODY, NOT_AMONG, NOT_FIRST, PEOPLE


@pytest.fixture(scope="module")
def index(fresh_module_app: Flask) -> Iterator[dict[str, int]]:
    """The people of the corpus among 3,000 others; gives their cards."""
    names = Faker("ru_RU")
    names.seed_instance(7)
    taken = {rules.searchable(surname) for surname, *_ in PEOPLE.values()}
    with fresh_module_app.app_context():
        with transaction():
            ids: dict[str, int] = {}
            for key, (surname, name, patronymic, born, phone, guardian) in PEOPLE.items():
                card = Patient(
                    surname=surname, name=name, patronymic=patronymic, birth_date=date.fromisoformat(born),
                    guardian_id=ids.get(guardian), phones=[PatientPhone(number=phone)] if phone else [],
                )  # fmt: skip
                session.add(card)
                session.flush()
                ids[key] = card.id
            for n in range(3000):
                surname = names.last_name_male()
                if not taken & {rules.searchable(surname), rules.searchable(surname) + "а"}:
                    session.add(
                        Patient(
                            surname=surname, name=names.first_name_male(), patronymic=names.middle_name_male(),
                            birth_date=date(1950 + n % 60, 1 + n % 11, 1),
                        )
                    )  # fmt: skip
        yield ids
        session.remove()


def found(typed: str) -> list[int]:
    return [row["id"] for row in queries.find(typed)[1]]


def written(typed: str, index: dict[str, int]) -> str:
    """The search with the numbers of the cards it names."""
    for key, pk in index.items():
        if f"{{{key}}}" in typed:
            typed = typed.replace(f"{{{key}}}", str(session.get_one(Patient, pk).card_number))
    return typed


def test_the_corpus_is_large() -> None:
    assert len(FIRST) + len(AMONG) + len(NOBODY) >= 270 and len(NOT_AMONG) + len(NOT_FIRST) >= 29


def test_who_is_meant_stands_first(index: dict[str, int]) -> None:
    of_card = {pk: key for key, pk in index.items()}
    wrong = {}
    for typed, who in FIRST.items():
        first = next(iter(found(written(typed, index))), None)
        if first != index[who]:
            wrong[typed] = (who, of_card.get(first or 0, first))
    assert wrong == {}


def test_who_is_meant_is_found(index: dict[str, int]) -> None:
    for typed, whom in AMONG.items():
        assert {index[who] for who in whom} <= set(found(typed)), typed


def test_who_is_not_meant_is_not_found(index: dict[str, int]) -> None:
    wrong = {}
    for typed, whom in NOT_AMONG.items():
        if there := {who for who in whom if index[who] in found(written(typed, index))}:
            wrong[typed] = there
    for typed, whom in NOT_FIRST.items():
        if found(written(typed, index))[:1] in [[index[who]] for who in whom]:
            wrong[typed] = set(whom)
    assert wrong == {}


def test_nobody_is_invented(index: dict[str, int]) -> None:
    assert {typed: found(typed) for typed in NOBODY if found(typed)} == {}


def test_no_search_costs_more_than_three_statements(fresh_module_app: Flask, index: dict[str, int]) -> None:
    for typed in (*list(FIRST)[::5], *AMONG, *NOBODY):
        for offset in (0, 25):
            with counted_statements(fresh_module_app) as seen:
                queries.find(typed, offset=offset)
            assert len(seen) <= 3, (typed, offset, seen)


def test_the_pages_of_one_word_are_the_whole_list_in_order(index: dict[str, int]) -> None:
    """Surnames first, then the others, each by name: wherever a page begins and ends."""
    cards = session.execute(select(Patient.id, Patient.search_name)).all()
    for typed in ("и", "петр", "иван", "сем", "борис", "алексеев"):
        begun = f" {typed}"
        meant = [card for card in cards if begun in card.search_name]
        meant.sort(key=lambda card: (not card.search_name.startswith(begun), card.search_name, card.id))
        for limit, offset in ((25, 0), (7, 0), (7, 7), (40, 20), (25, max(0, len(meant) - 10))):
            total, rows = queries.find(typed, limit=limit, offset=offset)
            assert [row["id"] for row in rows] == [card.id for card in meant[offset : offset + limit]], (typed, offset)
            assert total == min(len(meant), 1000)


def test_a_search_costs_one_statement_and_a_mistake_three(fresh_module_app: Flask, index: dict[str, int]) -> None:
    for typed, most in (("иванов", 1), ("2233", 1), ("иваноф", 3), ("bdfyjd", 3), ("Щщщщщ", 3), ("", 3)):
        with counted_statements(fresh_module_app) as seen:
            queries.find(typed)
        assert len(seen) <= most, (typed, seen)


def test_a_new_word_is_known_at_once(index: dict[str, int]) -> None:
    with transaction():
        card = Patient(surname="Вяземский-Ярцев", name="Ёван", patronymic="")
        session.add(card)
    assert session.get(NameWord, "еван") is not None
    assert found("вяземскей") == [card.id]
    with transaction():
        card.surname = "Тургенев"
    assert found("тургинев") == [card.id] and found("вяземскей") == []


@given(st.text(alphabet=st.characters(min_codepoint=1072, max_codepoint=1103), min_size=1, max_size=20))
def test_what_the_same_keys_write_is_the_word(word: str) -> None:
    assert rules.searchable(rules.other_layout(rules.other_layout(word))) == rules.searchable(word)


@given(st.text(max_size=200))
def test_any_text_is_read(typed: str) -> None:
    for word in rules.doubtful(rules.wanted(typed, date(2026, 11, 23))):
        assert word.typed and "\x00" not in word.typed + word.layout
