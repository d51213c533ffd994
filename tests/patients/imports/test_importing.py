"""An old card index from a file: each row's verdict, what is written, and that it is written whole or not at all."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import audit, clock, errors
from app.db import session, transaction
from app.models import AuditEvent, CardImport, CardImportRow, PatientTag, ReferralSource
from app.patients import jobs, operations, queries
from tests.patients.imports.conftest import applied, cards, carried, counts, looked, table, verdicts


def test_looking_writes_nothing_and_loading_writes_all(make: Any, surname: Any) -> None:
    one, two = surname(), surname()
    pk = looked(
        make,
        table(
            ["№ 0123", one, "Анна", "Сергеевна", "12.03.1985", "89161234567 мама, 8 495 123-45-67", "11223344595", ""],
            ["124", two, "пётр", "", "31.02.1985", "12", "112-233-445 96", "боится уколов"],
            ["125", "", "Иван", "", "", "", "", ""],
        ),
    )  # fmt: skip
    assert verdicts(pk) == [(2, "new"), (3, "new"), (4, "refused")]
    assert cards(one) == cards(two) == []
    assert applied(make, pk) == "applied"
    assert counts(pk) == {
        "new": 2,
        "there": 0,
        "maybe": 0,
        "twice": 0,
        "refused": 1,
        "warned": 1,
        "written": 2,
        "filled": 0,
    }
    (first,), (second,) = cards(one), cards(two)
    assert (first.status, first.old_number, first.snils) == ("active", "№ 0123", "112-233-445 95")
    assert [(phone.number, phone.owner) for phone in first.phones] == [("+79161234567", "мама"), ("+74951234567", "")]
    assert (second.name, second.status, second.birth_date, second.snils) == ("Пётр", "draft", None, "")
    assert second.comment == "боится уколов; Дата рождения: 31.02.1985; Телефон: 12; СНИЛС: 112-233-445 96"


def test_who_is_there_already(make: Any, surname: Any) -> None:
    same = surname()
    born = date(1985, 3, 12)
    known = make.patient(same, "+79165550111", name="Анна", patronymic="Ильинична", birth_date=born, old_number="0077")
    vague = make.patient(same, "+79165550112", name="Ольга", patronymic="", birth_date=None)
    pk = looked(
        make,
        table(
            ["", same, "Анна", "Ильинична", "12.03.1985", "", "", ""],  # name and birth date
            ["", same.upper(), "АННА", "", "", "8 916 555-01-11", "", ""],  # name and phone
            ["77", same, "Анна", "", "", "", "", ""],  # name and the old number
            ["", same, "Анна", "Сергеевна", "12.03.1985", "", "", ""],  # another patronymic
            ["", same, "Анна", "Ильинична", "13.03.1985", "8 916 555-01-11", "", ""],  # another birth date
            ["", same, "Ольга", "Петровна", "01.01.1990", "", "", ""],  # perhaps
            ["", same, "Мария", "", "", "8 916 555-01-11", "", ""],  # only the phone: the family
            ["", same, "Мария", "", "", "8 916 555-01-11", "", ""],  # the same row
            ["", same, "Вера", "", "", "", "", ""], ["", same, "Вера", "", "", "", "", ""],  # nothing but the name
            ["5", same, "Юлия", "", "", "", "", ""], ["6", same, "Юлия", "", "", "", "", ""],  # two old cards
            ["", same, "Лидия", "", "01.01.1990", "", "", ""], ["", same, "Лидия", "", "02.01.1990", "", "", ""],
        ),
    )  # fmt: skip
    assert [kind for _, kind in verdicts(pk)] == [
        "there", "there", "there", "new", "new", "maybe", "new", "twice", "new", "twice", "new", "new", "new", "new",
    ]  # fmt: skip
    rows = {row.line: row for row in session.query(CardImportRow).filter_by(import_id=pk)}
    assert {rows[line].twin_id for line in (2, 3, 4)} == {known.id} and rows[7].twin_id == vague.id
    assert rows[8].neighbour_id == known.id and rows[9].twin_line == 8
    assert [row.card["name"] for row in rows.values() if row.patient_id] == []
    assert applied(make, pk) == "applied"
    assert len(cards(same)) == 2 + 8
    assert counts(pk)["written"] == 8


def test_loading_the_same_file_again_adds_nobody(make: Any, surname: Any) -> None:
    one, two = surname(), surname()
    content = table(
        ["1", one, "Анна", "", "12.03.1985", "", "", ""],
        ["2", two, "Пётр", "", "", "", "", ""],
        ["", two, "Яков", "", "", "", "", ""],
    )
    assert applied(make, looked(make, content)) == "applied"
    pk = looked(make, content)
    assert [kind for _, kind in verdicts(pk)] == ["there", "there", "maybe"]
    with pytest.raises(errors.NothingToImport):
        applied(make, pk)
    assert applied(make, pk, with_maybe=True) == "applied"
    assert [card.name for card in cards(two)] == ["Пётр", "Яков", "Яков"] and len(cards(one)) == 1


def test_what_is_there_is_filled_where_it_says_nothing(make: Any, surname: Any) -> None:
    one, two = surname(), surname()
    with transaction():
        values = {
            "surname": one,
            "name": "Анна",
            "patronymic": "",
            "email": "было@mail.ru",
            "birth_date": date(1985, 3, 12),
        }
        first = operations.create_card(values, actor=None).id
        old = operations.create_card(values | {"surname": two}, actor=None).id
    with transaction():
        operations.archive_card(old, "переехал", actor=make.user("director"))
    head = ["Фамилия", "Имя", "Отчество", "Дата рождения", "Телефон", "E-mail", "Адрес"]
    rows = (
        [one, "Анна", "Ильинична", "12.03.1985", "8 916 123-00-00 мама", "стало@mail.ru", "Тула"],
        [one, "Анна", "Ильинична", "12.03.1985", "8 916 123-00-01", "", "Орёл"],
        [two, "Анна", "", "12.03.1985", "8 916 123-00-00", "", "Тула"],
    )
    pk = looked(make, table(*rows, head=head))
    assert applied(make, pk, fill=True) == "applied"
    assert (counts(pk)["written"], counts(pk)["filled"]) == (0, 1)
    (card,) = cards(one)
    assert (card.patronymic, card.email, card.address, card.status, card.version) == (
        "Ильинична", "было@mail.ru", "Тула", "active", 2,
    )  # fmt: skip
    assert [(phone.number, phone.owner) for phone in card.phones] == [("+79161230000", "мама")]
    (archived,) = cards(two)
    assert archived.address == "" and archived.version == 2
    event = audit.timeline(first)[0]
    assert event.action == "card.filled" and event.user_id == make.user("director").id
    assert event.after == {
        "patronymic": "Ильинична", "address": "Тула", "phone": "+79161230000 мама", "file_name": "картотека.csv",
        "row": 2,
    }  # fmt: skip


def test_a_card_that_is_there_gets_the_tags_and_the_consent_that_it_lacks(make: Any, surname: Any) -> None:
    one, two, three = surname(), surname(), surname()
    tags = [make._save(PatientTag(name=f"{word} {one}")) for word in ("Первая", "Вторая")]
    born = {"name": "Анна", "birth_date": date(1985, 3, 12)}
    with transaction():
        ids = [operations.create_card({**born, "surname": name}, actor=None).id for name in (one, two, three)]
        operations.edit_card(ids[0], 1, {"tag_ids": [tags[0].id]}, actor=make.user())
        taken = operations.give_consent(ids[1], "personal_data", date(2020, 1, 1), actor=make.user())
        operations.withdraw_consent(ids[1], taken.id, actor=make.user())
    head = ["Фамилия", "Имя", "Дата рождения", "Метки", "Дата согласия"]
    both = f"Первая {one}; Вторая {one}"
    rows = [[name, "Анна", "12.03.1985", both if name == one else "", "02.03.2021"] for name in (one, two)]
    pk = looked(make, table(*rows, [three, "Анна", "12.03.1985", "", "02.03.1984"], head=head))
    assert applied(make, pk, fill=True) == "applied"
    assert counts(pk)["filled"] == 2
    (card,) = cards(one)
    assert sorted(tag.name for tag in card.tags) == sorted(tag.name for tag in tags) and card.version == 3
    assert [row.given_on for row in queries.consents(ids[0])] == [date(2021, 3, 2)]
    assert [row.withdrawn_at is None for row in queries.consents(ids[1])] == [False]
    assert queries.consents(ids[2]) == [] and cards(three)[0].comment == "Дата согласия: 02.03.1984"
    told = {event.action: event.after for event in audit.timeline(ids[0])}
    assert told["card.filled"] == {"tags": f"Вторая {one}", "file_name": "картотека.csv", "row": 2}
    assert told["consent.given"] == {"kind": "personal_data", "given_on": "2021-03-02"}
    assert [event.action for event in audit.timeline(ids[1])].count("consent.given") == 1


def test_each_card_tells_where_it_comes_from_and_is_found(make: Any, surname: Any) -> None:
    one = surname()
    make._save(ReferralSource(name=f"Источник {one}"), PatientTag(name=f"Метка {one}"))
    head = [
        "№ карты",
        "ФИО",
        "Дата рождения",
        "Телефон",
        "Источник",
        "Метки",
        "Дата согласия",
        "Аллергия",
        "Паспорт",
        "Пол",
    ]
    row = ["К-7/а", f"{one} Ирма-Луиза Яновна", "1985-03-12", "8 916 777-00-77", f"источник {one.lower()}",
           f"метка {one.lower()}", "02.03.2021", "лидокаин", "4509 123456", "ж"]  # fmt: skip
    pk = looked(make, table(row, head=head))
    assert applied(make, pk) == "applied"
    (card,) = cards(one)
    assert card.source is not None and [tag.name for tag in card.tags] == [f"Метка {one}"]
    assert (card.allergy, card.sex) == ("лидокаин", "female")
    assert (card.identity_type, card.identity_series, card.identity_number) == ("21", "4509", "123456")
    (consent,) = queries.consents(card.id)
    assert (consent.kind, consent.given_on) == ("personal_data", date(2021, 3, 2))
    events = {event.action: event for event in audit.timeline(card.id)}
    assert set(events) == {"card.imported", "consent.given"}
    told = events["card.imported"].after
    assert told["surname"] == one and told["file_name"] == "картотека.csv" and told["phone"] == "+79167770077"
    assert events["card.imported"].user_id == make.user("director").id and "файл: картотека.csv" in _in_russian(
        events["card.imported"]
    )
    whole = session.query(AuditEvent).filter_by(action="cards.imported", object_id=pk).one()
    assert whole.after == {"file_name": "картотека.csv", "written": 1, "filled": 0}
    for asked in ("К-7/а", "№к-7/А", f"{one[:6]} ирма", f"луиза {one[:7]}", "777-00-77 " + one, _mistyped(one)):
        assert card.id in [found["id"] for found in queries.find(asked)[1]], asked
    row = session.query(CardImportRow).filter_by(import_id=pk).one()
    assert row.patient_id == card.id and row.cells is row.card is None and row.numbers == []


def _mistyped(word: str) -> str:
    return word[:4] + ("я" if word[4] != "я" else "ю") + word[5:]


def _in_russian(event: AuditEvent) -> str:
    from flask_babel import force_locale

    from app.deeds import details

    with force_locale("ru"):
        return details(event)


def test_the_old_number_leads_to_the_card_and_after_a_merge_to_the_one_that_stays(make: Any, surname: Any) -> None:
    one, number = surname(), str(uuid4().int % 10**8)
    loser = make.patient(one, old_number=f"00{number}")
    winner = make.patient(one)

    def found() -> list[int]:
        return [row["id"] for row in queries.find(number)[1]]

    assert found() == [loser.id]
    with transaction():
        operations.merge_cards(loser.id, winner.id, {}, "Один человек", actor=make.user("director"))
    assert found() == [winner.id]
    pk = looked(make, table([number, one, "Иван", "Петрович", "", "", "", ""]))
    row = session.query(CardImportRow).filter_by(import_id=pk).one()
    assert (row.verdict, row.twin_id) == ("there", winner.id)


def test_the_columns_may_be_said_anew(make: Any, surname: Any) -> None:
    one = surname()
    pk = looked(make, table(["1", "Анна", one, "", "", "", "", ""]))
    assert verdicts(pk) == [(2, "new")]
    with transaction():
        operations.say_columns(
            pk, ["old_number", "name", "surname", "patronymic", "birth_date", "phone", "snils", ""], day_order="dmy",
            area_code="", headless=False, actor=None,
        )  # fmt: skip
    assert carried(pk) == "judged" and applied(make, pk) == "applied"
    assert [card.name for card in cards(one)] == ["Анна"]
    for late in (lambda: applied(make, pk), lambda: operations.throw_away(pk)):
        with pytest.raises(errors.ImportApplied):
            late()
    for statement in ("UPDATE card_import SET file_name = 'x'", "DELETE FROM card_import"):
        with pytest.raises(DBAPIError):
            session.execute(text(f"{statement} WHERE id = :pk"), {"pk": pk})
        session.rollback()


def test_a_crowd_of_one_name_is_a_column_that_was_understood_wrongly(make: Any) -> None:
    rows = [[n, "Клиника", "Улыбка", "", "", f"8 916 {n:07d}", "", ""] for n in range(3000)]
    pk = looked(make, table(*rows, ["", "Клиника", "Улыбка-2", "", "", "", "", ""]))
    assert (counts(pk)["refused"], counts(pk)["new"]) == (3000, 1)
    row = session.query(CardImportRow).filter_by(import_id=pk, line=5).one()
    assert row.facts == {"many": 3000} and "rightly" in row.why


def test_what_was_read_of_people_is_forgotten(make: Any, surname: Any) -> None:
    left, loaded = surname(), surname()
    waiting = looked(make, table(["1", left, "Анна", "", "", "", "", ""]))
    done = looked(make, table(["1", loaded, "Анна", "", "", "", "", ""], ["2", "", "Пётр", "", "", "", "", ""]))
    assert applied(make, done) == "applied"
    jobs.forget()
    session.rollback()
    assert session.get(CardImport, waiting) is not None
    assert [bool(row.cells) for row in _rows(done)] == [False, True]
    with clock.at(clock.wall_now() + timedelta(days=31)):
        jobs.forget()
    session.rollback()
    session.expire_all()
    assert session.get(CardImport, waiting) is None and _rows(waiting) == []
    assert [bool(row.cells) for row in _rows(done)] == [False, False] and counts(done)["written"] == 1


def _rows(pk: int) -> list[CardImportRow]:
    return session.query(CardImportRow).filter_by(import_id=pk).order_by(CardImportRow.line).all()


def test_an_emptied_card_is_in_no_file_any_more(make: Any, surname: Any) -> None:
    """Not in rows that said the same person again either: they name the card, or the row that was written."""
    name = surname()
    row = ["С-7", name, "Захар", "Глебович", "17.11.1954", "8 916 700-00-01", "", "шрам на щеке"]
    first = looked(make, table(row, row))
    assert applied(make, first) == "applied"
    [card] = cards(name)
    again = looked(make, table(row, ["", surname(), "Вера", "", "", "8 916 700-00-01", "", ""]))
    assert [one for _, one in verdicts(again)] == ["there", "new"]
    with transaction():
        operations.erase_card(card.id, str(card.card_number), clock.today(), "Письмо", actor=make.user("director"))
    session.expire_all()
    for pk in (first, again):
        rows = session.query(CardImportRow).filter_by(import_id=pk).all()
        assert name.lower() not in repr([(one.cells, one.card, one.name_key) for one in rows]).lower()
        assert card.id not in {pk for one in rows for pk in (one.twin_id, one.neighbour_id, one.patient_id)}
    assert len(verdicts(again)) == 1  # the other person of the file stays
