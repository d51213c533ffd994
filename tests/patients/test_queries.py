"""Finding a card among many, whoever may see it; likely duplicates; figures of a patient."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import event, text

from app.db import db, session, transaction
from app.patients import queries, rules
from tests.conftest import Maker, counted_statements


def found(typed: str, **kwargs: object) -> list[int]:
    return [row["id"] for row in queries.find(typed, **kwargs)[1]]  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", ["Римский-Корсаков", "корсаков", "римский корс", "КОРС ник", "римский-корс"])
def test_both_halves_of_a_double_name_are_found(make: Maker, typed: str) -> None:
    one = make.patient("Римский-Корсаков", name="Николай")
    assert one.id in found(typed)


@pytest.mark.parametrize("typed", ["О'Нил", "о’нил", "нил"])
def test_a_name_with_an_apostrophe_is_found_however_it_is_typed(make: Maker, typed: str) -> None:
    one = make.patient("О'Нил")
    assert one.id in found(typed)


def test_the_table_compares_names_as_the_search_reads_them(make: Maker) -> None:
    """Two places fold a name, one in SQL and one in Python: they must agree on every character."""
    for surname in ("Ёлкин", "Жан-Жак", "О'Нил", "О’Нил", "ОʼНил", "А‐Б", "А–Б", "Smith_%"):
        one = make.patient(surname)
        session.refresh(one)
        assert one.search_name == " " + rules.searchable(f"{surname} {one.name} {one.patronymic}")


def test_the_end_of_a_phone_needs_four_digits(make: Maker) -> None:
    one = make.patient(phone="+79267418530")
    for typed in ("8530", "418-53-0", "9267418530", "8 926 741-85-30", "+7 (926) 741 85 30"):
        assert one.id in found(typed), typed
    for typed in ("530", "+530", "8531", "1853"):
        assert one.id not in found(typed), typed


def test_a_card_number_comes_before_phones_that_end_so(make: Maker) -> None:
    by_number = make.patient("Ярцев")
    by_phone = make.patient("Абаев", phone=f"+7926555{by_number.card_number:04d}")
    assert found(f"{by_number.card_number}")[:2] == [by_number.id, by_phone.id]


def test_a_row_shows_what_the_desk_asks_for(make: Maker) -> None:
    from app.models import PatientPhone

    mark = f"Строкин{uuid4().hex[:6].translate(str.maketrans('0123456789', 'ghijklmnop'))}"
    one = make.patient(mark, birth_date=date(1990, 5, 6), phone="+79263334455")
    make._save(PatientPhone(patient_id=one.id, number="+79263334456", owner="мама"))
    [row] = queries.find(mark)[1]
    assert (row["id"], row["card_number"], row["full_name"]) == (one.id, one.card_number, f"{mark} Иван Петрович")
    assert row["birth_date"] == date(1990, 5, 6) and row["last_visit"] is None
    assert row["phones"] == [{"number": "+79263334455", "owner": ""}, {"number": "+79263334456", "owner": "мама"}]
    assert {key: str(value) for key, value in row["balance"].items()} == {"debt": "0.00", "advance": "0.00"}


def test_pages_of_a_search_neither_repeat_nor_lose(make: Maker) -> None:
    cards = {make.patient("Страницын").id for _ in range(7)}
    pages = [queries.find("страницын", limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [count for count, _ in pages] == [7, 7, 7]
    seen = [row["id"] for _, rows in pages for row in rows]
    assert len(seen) == 7 and set(seen) == cards


def test_an_archived_card_is_found_only_when_asked_for(make: Maker) -> None:
    one = make.patient("Архивнов", status="archived")
    assert one.id not in found("архивнов")
    assert one.id in found("архивнов", archived=True)


def test_a_doctor_finds_own_patients_only(make: Maker) -> None:
    doctor, other = make.doctor(), make.doctor()
    at = datetime(2026, 3, 2, 10)
    visited, strange, treated = (make.patient("Чужаков") for _ in range(3))
    make.appointment(visited, doctor, at)
    make.appointment(strange, other, at)
    with transaction():
        session.merge(treated).doctor_id = doctor.id
    assert set(found("чужаков", doctor_id=doctor.id)) == {visited.id, treated.id}
    assert queries.find("чужаков", doctor_id=doctor.id)[0] == 2
    assert set(found("", doctor_id=doctor.id, limit=100)) == {visited.id, treated.id}


def test_duplicates_are_namesakes_and_shared_phones(make: Maker) -> None:
    born = date(1985, 5, 5)
    same = make.patient("Двойников-Ёлкин", birth_date=born)
    unknown = make.patient("Двойников-Ёлкин")
    other = make.patient("Двойников-Ёлкин", birth_date=date(1999, 9, 9))
    family = make.patient("Мамина", name="Вера", phone="+79268889900")

    def twins(*args: object, **kwargs: object) -> list[int]:
        return [row["id"] for row in queries.possible_duplicates(*args, **kwargs)]  # type: ignore[arg-type]

    assert set(twins("двойников елкин", "иван", born, None)) == {same.id, unknown.id}
    assert set(twins("Двойников-Ёлкин", "Иван", None, None)) == {same.id, unknown.id, other.id}
    assert twins("Дочкина", "Оля", None, "+79268889900") == [family.id]
    assert twins("Двойников-Ёлкин", "Иван", born, "+79268889900")[-1] == family.id  # namesakes first
    assert twins("Двойников-Ёлкин", "Иван", born, None, but=same.id) == [unknown.id]
    assert twins("Дочкина", "Оля", None, "+79268889900", doctor_id=make.doctor().id) == []
    assert twins("%", "_", None, None) == []


@pytest.fixture
def many(fresh_app: Flask) -> Iterator[Flask]:
    """A clinic with 30,000 cards, its statistics fresh."""
    with fresh_app.app_context():
        with transaction():
            session.execute(
                text(
                    "INSERT INTO patient (status, surname, name, patronymic, address, identity_text, allergy, comment,"
                    " archive_reason) SELECT 'active', chr(1040 + n % 32) || chr(1072 + n / 32 % 32)"
                    " || chr(1072 + n / 1024 % 32) || 'ов', 'Пётр', '', '', '', '', '', ''"
                    " FROM generate_series(1, 30000) n"
                )
            )
            session.execute(
                text(
                    "INSERT INTO patient_phone (patient_id, number)"
                    " SELECT id, '+7916' || lpad((id * 7919 % 10000000)::text, 7, '0') FROM patient"
                )
            )
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE) patient, patient_phone, patient_account, appointment"))
        yield fresh_app


@pytest.mark.parametrize(
    "typed", ["", "аббов", "абб пет", "7919", "1024", "8 916 000 79 19", "+79160007919", "аббов 7919"]
)
def test_no_search_reads_every_card(many: Flask, typed: str) -> None:
    """The count, the page and its rows go through indexes, however the search is typed."""
    with counted_statements(many) as seen:
        queries.find(typed)
    assert 1 <= len(seen) <= 3, seen
    session.rollback()
    assert _cards_read(many, lambda: queries.find(typed)) <= 1500


def test_looking_for_duplicates_reads_no_whole_table(many: Flask) -> None:
    read = _cards_read(many, lambda: queries.possible_duplicates("Аббов", "Пётр", date(1980, 1, 1), "+79160007919"))
    assert read <= 1500


def _cards_read(app: Flask, call: object) -> int:
    """How many cards the plans of the statements of a call read, as PostgreSQL counts them itself."""
    asked: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        call()  # type: ignore[operator]
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    session.rollback()
    cards = 0
    with db.engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
            cards += _scanned(plan[0]["Plan"])
    return cards


def _scanned(plan: dict[str, object]) -> int:
    own = 0
    if plan.get("Relation Name") in ("patient", "patient_phone"):
        read = float(plan["Actual Rows"]) + float(plan.get("Rows Removed by Filter", 0))  # type: ignore[arg-type]
        own = int(read * float(plan["Actual Loops"]))  # type: ignore[arg-type]
    return own + sum(_scanned(part) for part in plan.get("Plans", ()))  # type: ignore[attr-defined]


def test_duplicates_are_one_statement(app: Flask, make: Maker) -> None:
    pk, born = make.patient("Единожды", phone="+79035550011", birth_date=date(1991, 2, 2)).id, date(1990, 1, 1)
    for day, phone in ((None, None), (born, None), (None, "+79035550011"), (born, "+79035550011")):
        with counted_statements(app) as seen:
            found = queries.possible_duplicates("Единожды", "Иван", day, phone)
        assert len(seen) == 1 and (pk in [row["id"] for row in found]) == (day is None or phone is not None)
    assert queries.possible_duplicates("Единожды", "Иван", None, "+79035550011", but=pk) == []
