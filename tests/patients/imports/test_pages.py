"""The pages of the loading: from a file to the cards; who may; what is refused and how it is said."""

import io
import logging
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.db import session
from app.models import CardImport, CardImportRow
from app.patients import card_files
from tests.billing.test_price_files import GOOD, SHEET, _with, xlsx
from tests.patients.imports.conftest import HEAD, cards, carried, state_of, table


def send(client: Any, content: bytes, name: str = "картотека.csv", **more: str) -> Any:
    data = {"file": (io.BytesIO(content), name), "request_id": str(uuid4()), **more}
    return client.post("/patients/import/", data=data, content_type="multipart/form-data")


def number_of(answer: Any) -> int:
    assert answer.status_code == 303, answer.text
    return int(answer.location.split("/")[3])


def say(client: Any, pk: int, *mapping: str, **more: str) -> Any:
    data = {"mapping": list(mapping), "day_order": "dmy", "area_code": "", "request_id": str(uuid4()), **more}
    return client.post(f"/patients/import/{pk}/columns", data=data)


pytestmark = pytest.mark.usefixtures("context")
USUAL = ("old_number", "surname", "name", "patronymic", "birth_date", "phone", "snils", "comment")


def test_a_card_index_goes_through_the_pages(client_of: Any, make: Any, surname: Any) -> None:
    client, one, two = client_of("senior"), surname(), surname()
    standing = make.patient(two, phone="+79165550101", birth_date=None, name="Анна", patronymic="")
    rows = (
        ["А-12", one, "Анна", "Ильинична", "12.03.1985", "8 916 555-01-02", "", "<b>"],
        ["13", two, "Анна", "", "", "8 916 555-01-01", "", ""],
        ["14", two, "Анна", "", "", "", "", ""],
        ["15", one, "Анна", "", "12.03.85", "", "", ""],
        ["16", "", "Анна", "", "", "", "", "без фамилии"],
    )
    pk = number_of(send(client, table(*rows)))
    page = client.get(f"/patients/import/{pk}").location
    page = client.get(page).text
    assert "А-12 · 13 · 14" in page and '<option value="old_number" selected>' in page and "&lt;b&gt;" in page
    answer = say(client, pk, *USUAL)
    assert answer.status_code == 303 and "Файл читается" in client.get(answer.location).text
    assert client.get(f"/patients/import/{pk}/progress", headers={"HX-Request": "true"}).status_code == 200
    assert carried(pk) == "judged"
    done = client.get(f"/patients/import/{pk}/progress", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == f"/patients/import/{pk}"
    page = client.get(f"/patients/import/{pk}").text
    for words in (
        "Новая карта", "Карта уже есть", "Возможно, уже есть", "то же, что в строке 2", "В строке нет фамилии",
        f"№ {standing.card_number}",
    ):  # fmt: skip
        assert words in page, words
    assert "без фамилии" not in client.get(f"/patients/import/{pk}?show=new").text
    refused = client.get(f"/patients/import/{pk}/rows.xlsx?show=refused")
    book = load_workbook(io.BytesIO(refused.data)).active
    lines = list(book.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert lines[0] == (*HEAD, "Строка файла", "Почему")
    assert lines[1] == ("16", None, "Анна", None, None, None, None, "без фамилии", 6, "В строке нет фамилии.")
    body = {"fill": "0", "with_maybe": "0", "request_id": str(uuid4())}
    for _ in range(2):  # a double click does it once
        assert client.post(f"/patients/import/{pk}/apply", data=body).status_code == 303
    assert "Карты записываются" in client.get(f"/patients/import/{pk}").text
    assert carried(pk) == "applied"
    assert "Создана 1 карта." in client.get(f"/patients/import/{pk}").text
    (written,) = cards(one)
    for q in ("А-12", "№ а-12"):
        assert written.full_name in client.get("/patients/", query_string={"q": q}).text
    history = client.get(f"/patients/{written.id}/history").text
    assert "Карта загружена из файла" in history and "картотека.csv" in history
    assert "старая карта А-12" in client.get(f"/patients/{written.id}").text
    again = client.post(f"/patients/import/{pk}/apply", data={"request_id": str(uuid4())}, follow_redirects=True)
    assert "уже" in again.text
    forget = client.post(f"/patients/import/{pk}/forget", follow_redirects=True)
    assert session.get(CardImport, pk) is not None and "уже" in forget.text


def test_what_is_not_a_card_index_is_refused_with_a_sentence(client_of: Any) -> None:
    client = client_of("director")
    for content, said in (
        (b"", "Файл пустой"), (b"PK\x03\x04", "Это не таблица Excel"), (b"\xd0\xcf\x11\xe0", "старого Excel"),
        (b"%PDF-1.7\n\x00\x01", "Это не таблица"), (b"\x89PNG\r\n\x1a\n\x07\x01", "Это не таблица"),
        (_with(GOOD, SHEET, b"\0" * (321 * 1024 * 1024)), "В распакованном виде"), (b"\r\n;;\r\n", "Файл пустой"),
        (table(head=['"' + "x" * 200_000]), "Это не таблица"),
    ):  # fmt: skip
        answer = send(client, content)
        assert answer.status_code == 422 and said in answer.text, (content[:20], answer.status_code)
    assert "Выберите файл" in client.post("/patients/import/", data={}).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (table(), "нет ни одной строки"),
        (xlsx(HEAD), "нет ни одной строки"),
        (table(*[["1", "Ы", "Я"]] * 50_001), "Слишком много строк|слишком много строк"),
    ],
)
def test_what_the_worker_cannot_read_is_said_on_the_page(client_of: Any, content: bytes, said: str) -> None:
    import re

    client = client_of("director")
    pk = number_of(send(client, content))
    say(client, pk, *USUAL)
    assert carried(pk) == "refused"
    page = client.get(f"/patients/import/{pk}").text
    assert re.search(said, page), page[-3000:]
    assert session.scalar(select(CardImportRow.line).where(CardImportRow.import_id == pk).limit(1)) is None
    assert client.post(f"/patients/import/{pk}/forget").location == "/patients/import/"
    assert client.get(f"/patients/import/{pk}").status_code == 404


def test_columns_that_say_no_name_are_refused(client_of: Any, surname: Any) -> None:
    client = client_of("director")
    pk = number_of(send(client, table(["1", surname(), "Анна", "", "", "", "", ""])))
    for mapping, more, said in (
        ([""] * 8, {}, "в каких столбцах фамилия и имя"),
        (["surname", "surname", "name", *[""] * 5], {}, "Два столбца"),
        (["full_name", "nonsense", *[""] * 6], {}, "Неизвестное значение"),
        (["full_name"], {}, "Неизвестное значение"),
        (USUAL, {"area_code": "4"}, "В коде города"),
        (USUAL, {"day_order": "ymd"}, ""),
    ):
        answer = say(client, pk, *mapping, **more)
        assert answer.status_code == 422 and said in answer.text, (mapping, answer.text[-2000:])
    assert state_of(pk) == "mapping"


def test_a_file_without_headings(client_of: Any, surname: Any) -> None:
    client, one, two = client_of("director"), surname(), surname()
    pk = number_of(send(client, f"{one} Анна Ильинична\t245-67-89\n{two} И.И.\t\n".encode("cp1251")))
    assert "Столбец 1" in client.get(f"/patients/import/{pk}/columns").text
    say(client, pk, "full_name", "phone", area_code="495", headless="1")
    assert carried(pk) == "judged"
    client.post(f"/patients/import/{pk}/apply")
    assert carried(pk) == "applied"
    ((first,), (second,)) = cards(one), cards(two)
    assert first.phones[0].number == "+74952456789" and (second.name, second.patronymic) == ("И.", "И.")


def test_only_this_address_takes_a_large_file(app: Any, client_of: Any, surname: Any) -> None:
    rows = [[str(n), surname(), "Анна", "", "", "", "", "я" * 1900] for n in range(1400)]
    large = table(*rows)
    assert 5 * 1024 * 1024 < len(large) < card_files.MOST_BYTES
    client = client_of("senior")
    assert number_of(send(client, large))
    refused = send(client, b"x" * (card_files.MOST_BYTES + 1_000_000))
    assert refused.status_code == 413 and "не больше 32 МБ" in refused.text
    data = {"file": (io.BytesIO(large), "прайс.csv"), "valid_from": "2030-01-01"}
    assert client.post("/prices/import", data=data, content_type="multipart/form-data").status_code == 413
    outsider = app.test_client()
    assert send(outsider, large).status_code in (302, 413)
    for role in ("administrator", "doctor", "sysadmin"):
        assert client_of(role).get("/patients/import/").status_code == 403


def test_nothing_of_a_patient_is_logged_or_queued(
    client_of: Any, surname: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.patients import jobs
    from app.patients.operations import importing, writing

    queued: list[Any] = []
    monkeypatch.setattr(importing, "enqueue", lambda *args, **more: queued.append((args, more)))
    monkeypatch.setattr(jobs, "enqueue", lambda *args, **more: queued.append((args, more)))
    one = surname()
    caplog.set_level(logging.DEBUG)
    client = client_of("director")
    pk = number_of(send(client, table(["1", one, "Анна", "", "", "8 916 123-45-67", "", ""])))
    say(client, pk, *USUAL)
    assert carried(pk) == "judged"
    monkeypatch.setattr(writing, "_TAGS", "SELECT CAST(r.card ->> 'surname' AS int) FROM card_import_row r")
    client.post(f"/patients/import/{pk}/apply")
    assert carried(pk) == "judged"  # tried again and again, then given up
    session.rollback()
    page = client.get(f"/patients/import/{pk}").text
    assert "Файл не удалось обработать" in page and cards(one) == []
    assert {args for args, _ in queued} == {("app.patients.jobs.carry", pk)}
    assert "Щ" not in caplog.text and "1234567" not in caplog.text and f"import {pk}" in caplog.text
