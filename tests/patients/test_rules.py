"""Phones, names, searches: what the desk types and what is meant."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.patients import rules


@pytest.mark.parametrize(
    "typed", ["8 (916) 123-45-67", "+7 916 123 45 67", "89161234567", "9161234567", "7 916 1234567", " +79161234567 "]
)
def test_phone_is_kept_in_one_form(typed: str) -> None:
    assert rules.phone(typed) == "+79161234567"


@pytest.mark.parametrize("typed", ["123-45-67", "abc", "+7 916", "0" * 40, "84951234567 / 89161234567", "<b>1</b>"])
def test_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.phone(typed)
    assert "phone" in refused.value.facts["fields"]


@given(st.text(max_size=60))
def test_any_text_is_a_phone_or_a_refusal(typed: str) -> None:
    with suppress(Invalid):
        assert rules.phone(typed).startswith("+")


@pytest.mark.parametrize(
    ("typed", "words", "tail", "number"),
    [
        ("Иванова", ("иванова",), None, None),
        ("алёна ко", ("алена", "ко"), None, None),
        ("4567", (), "4567", 4567),
        ("№ 1024", (), "1024", 1024),
        ("45-67", (), "4567", 4567),
        ("8 916 123-45-67", (), "9161234567", None),
        ("Иван 4567", ("иван",), "4567", 4567),
        ("Иван 45", ("иван",), None, None),
        ("12", (), None, 12),
        ("%_'\"", (), None, None),
    ],
)
def test_search_is_read(typed: str, words: tuple[str, ...], tail: str | None, number: int | None) -> None:
    read = rules.wanted(typed)
    assert (read.words, read.phone_tail, read.card_number, read.born) == (words, tail, number, None)


@given(st.text(max_size=100))
def test_any_text_is_a_search(typed: str) -> None:
    rules.wanted(typed)


def test_age_turns_on_the_birthday() -> None:
    born = date(2010, 11, 23)
    assert rules.age(born, date(2026, 11, 22)) == 15
    assert rules.age(born, date(2026, 11, 23)) == 16


def test_draft_until_birth_date_and_phone() -> None:
    assert rules.card_status(None, True) == "draft"
    assert rules.card_status(date(2000, 1, 1), False) == "draft"
    assert rules.card_status(date(2000, 1, 1), True) == "active"
