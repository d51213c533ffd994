"""A price list from a file: what is read, what each row means, and that it is applied whole, once, or not at all."""

import csv
import io
import threading
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app import clock, errors, money
from app.billing import operations, price_files, queries, rules
from app.db import session, transaction
from app.models import AuditEvent, PriceImport, Service, ServicePrice
from app.spreadsheets import FileRefused
from app.vocab import PriceVerdict
from tests.test_races import together

LATER = clock.today() + timedelta(days=40)
HEAD = ["Код", "Наименование", "Категория", "Цена, руб."]


def xlsx(*rows: Any) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def table(*rows: Any, charset: str = "utf-8-sig", delimiter: str = ";") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(charset)


def known(**values: Any) -> rules.Known:
    usual = {
        "id": 1, "name": "Пломба", "category": "Терапия", "minutes": 30, "item_kind": "service", "vat": "none",
        "tax_code": "1", "archived": False, "price": Decimal("1000.00"),
    }  # fmt: skip
    return rules.Known(**{**usual, **values})


def verdict(row: dict[str, Any], **service: Any) -> rules.Verdict:
    (one,) = rules.judge([{"line": 2, **row}], {"A16.07.002": known(**service)}, {"терапия": "Терапия", "старое": None})
    return one


# --- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_csv_is_read_in_its_charset_and_with_its_delimiter(charset: str, delimiter: str) -> None:
    rows = (["Прайс клиники"], [], HEAD, ["А16.07.002", "Пломба, ёмкая; большая", "Терапия", "1 500,50"])
    found = price_files.read(table(*rows, charset=charset, delimiter=delimiter))
    assert [meaning for _, meaning in found.columns] == ["code", "name", "category", "price"]
    assert found.rows == [
        {"line": 4, "code": "А16.07.002", "name": "Пломба, ёмкая; большая", "category": "Терапия", "price": "1 500,50"}
    ]


def test_a_workbook_is_read_with_sections_and_columns_that_nobody_asked_for() -> None:
    found = price_files.read(
        xlsx(["ООО «Улыбка»"], ["Артикул", "Услуга", "Склад", "Стоимость", "НДС"], ["Терапия"],
             ["A16.07.002", "'=Пломба", 7, 1234.5599999999999, 0.2], [None], ["A16.07.003", "Штифт", None, 900, None])
    )  # fmt: skip
    assert [meaning for _, meaning in found.columns] == ["code", "name", "", "price", "vat"]
    assert found.rows == [
        {"line": 4, "code": "A16.07.002", "name": "=Пломба", "price": "1234.56", "vat": "0.2", "category": "Терапия"},
        {"line": 6, "code": "A16.07.003", "name": "Штифт", "price": "900", "category": "Терапия"},
    ]


def test_a_formula_is_not_executed() -> None:
    found = price_files.read(xlsx(HEAD, ["A16.07.002", "Пломба", "Терапия", "=1000*2"]))
    assert "price" not in found.rows[0]


def _zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def _with(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, part if info.filename == name else old.read(info))
    return out.getvalue()


GOOD = xlsx(HEAD, ["A16.07.002", "Пломба", "Терапия", 1000])
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"), (b"x" * (price_files.MOST_BYTES + 1), "too large"), (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel"),
        (b"PK\x03\x04 not a zip at all", "not a table of Excel"),
        (_zip(**{"word__document.xml": b"<w/>"}), "not a table"),
        (GOOD[: len(GOOD) // 2], "not a table of Excel"),
        (_with(GOOD, SHEET, b"<worksheet><sheetData><row"), "not a table"),
        (_with(GOOD, SHEET, b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>'), "not a table of Excel"),
        (_with(GOOD, SHEET, b"\0" * (49 * 1024 * 1024)), "unpacked"), (b"%PDF-1.7\n\x00\x01\xff\x98", "neither"),
        ("Просто текст без таблицы".encode(), "No headings"), (xlsx(["Код", "Название"]), "No headings"),
        (table(HEAD), "no rows"), (table(HEAD, *[["A1", "b", "c", "1"]] * 20_001), "too many rows"),
        (table(HEAD) + b'"' + b"x" * 200_000, "neither"),
        (_with(GOOD, SHEET, b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
               b'<row r="1"><c r="A1"/></row><row r="999999999"><c r="A999999999"/></row></sheetData></worksheet>'),
         "No headings"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_price_list_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(FileRefused) as refused:
        price_files.read(content)
    assert said in refused.value.sentence % refused.value.facts


# --- verdicts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "kind", "why"),
    [
        ({"code": "а16.07.002", "price": "1000"}, "same", ""),
        ({"code": "A16.07.002", "price": "1 000,00 руб."}, "same", ""),
        ({"code": "A16.07.002", "price": "1000.01"}, "price", ""),
        ({"code": "A16.07.002", "price": "0"}, "price", ""),
        ({"code": "A16.07.002", "price": "1000", "name": " Пломба  новая "}, "changed", ""),
        ({"code": "A16.07.002", "price": "1000", "vat": "20 %", "tax_code": "2"}, "changed", ""),
        ({"code": "A16.07.002", "price": "1000", "vat": "0.05"}, "changed", ""),
        ({"code": "A16.07.002", "price": "1000", "vat": "НДС 22%", "minutes": "45 мин"}, "changed", ""),
        ({"code": "A16.07.009", "price": "500", "name": "Штифт", "category": "ТЕРАПИЯ"}, "new", ""),
        ({"code": "A16.07.009", "price": "500", "name": "Штифт"}, "refused", "needs a category"),
        ({"code": "A16.07.009", "price": "500", "category": "Терапия"}, "refused", "needs a name"),
        ({"code": "A16.07.009", "price": "500", "name": "Штифт", "category": "Нет"}, "refused", "no category"),
        ({"code": "A16.07.009", "price": "500", "name": "Штифт", "category": "Старое"}, "refused", "archived"),
        ({"code": "A16.07.002", "price": "10.005"}, "refused", "more than two digits"),
        ({"code": "A16.07.002", "price": "1.500"}, "refused", "more than two digits"),
        ({"code": "A16.07.002", "price": "-1"}, "refused", "below zero"),
        ({"code": "A16.07.002", "price": "дорого"}, "refused", "not a price"),
        ({"code": "A16.07.002", "price": "99999999999"}, "refused", "not a price"),
        ({"code": "A16.07.002"}, "refused", "no price"), ({"price": "5"}, "refused", "no code"),
        ({"code": "ГИГ-1", "price": "5"}, "refused", "Latin letters"),
        ({"code": "A16.07.002", "price": "1", "vat": "18%"}, "refused", "no such rate"),
        ({"code": "A16.07.002", "price": "1", "tax_code": "3"}, "refused", "1 or 2"),
        ({"code": "A16.07.002", "price": "1", "minutes": "3"}, "refused", "5 to 720"),
        ({"code": "A16.07.002", "price": "1", "item_kind": "дар"}, "refused", "service"),
        ({"code": "A16.07.002", "price": "1", "name": "я" * 401}, "refused", "400"),
    ],
)  # fmt: skip
def test_each_row_gets_its_verdict(row: dict[str, Any], kind: str, why: str) -> None:
    one = verdict(row)
    assert one.kind == kind and why in one.why % one.facts and bool(why) == bool(one.why)


def test_what_stands_in_the_way_of_a_row() -> None:
    row = {"code": "A16.07.002", "price": "900"}
    assert verdict(row, archived=True).why.startswith("The service is archived")
    taken = verdict(row, begins=Decimal("1000.00"))
    assert (taken.kind, taken.price, taken.replaces) == ("price", "900.00", True)
    assert verdict({**row, "price": "1000"}, begins=Decimal("1000.00")).kind == "same"
    first, second = rules.judge(
        [{"line": 2, **row}, {"line": 3, "code": "А 16.07.002", "price": "1"}], {"A16.07.002": known()}, {}
    )
    assert first.kind == "price" and second.kind == "refused" and second.facts == {"line": 2}


@given(st.lists(st.dictionaries(st.sampled_from(list(price_files.HEADINGS)), st.text(max_size=30)), max_size=5))
def test_no_row_breaks_the_judge(rows: list[dict[str, str]]) -> None:
    verdicts = rules.judge([{"line": n, **row} for n, row in enumerate(rows)], {}, {})
    assert sum(rules.counts(verdicts).values()) == len(rows)
    for one in verdicts:
        assert one.kind == PriceVerdict.REFUSED or money.parse(one.price) is not None
        _ = one.why % one.facts


# --- applying --------------------------------------------------------------------------------------------------


def price_of(service_id: int, day: date) -> Decimal | None:
    session.expire_all()
    return queries.prices_of([service_id], day).get(service_id)


def looked(make: Any, *rows: Any, day: date = LATER) -> tuple[int, str]:
    """The file of these rows is looked at: its number and what was shown."""
    with transaction():
        row = operations.look_at_prices("прайс.csv", table(HEAD, *rows), day, actor=make.user("director"))
        pk = row.id
    return pk, shown(pk)


def shown(pk: int) -> str:
    session.expire_all()
    return rules.digest(queries.judged(session.get_one(PriceImport, pk)))


def apply(make: Any, pk: int, seen: str, **more: Any) -> dict[str, int]:
    with transaction():
        return operations.apply_prices(pk, seen, actor=make.user("director"), **more)


def test_looking_writes_no_price_and_applying_writes_all(make: Any) -> None:
    one, two = make.service("1000.00"), make.service("2000.00")
    category, code = one.category.name, f"A{uuid4().int % 10**9}"
    pk, seen = looked(
        make, [one.code, one.name, category, "1100"], [two.code, "Переименована", "", "2000"],
        [f"А{code[1:]}", "Новая", category, "300,50"],
    )  # fmt: skip
    assert price_of(one.id, LATER) == 1000 and two.name != "Переименована"
    assert session.scalar(select(func.count()).select_from(Service).where(Service.code == code)) == 0
    many = apply(make, pk, seen)
    assert (many["new"], many["price"], many["changed"], many["refused"]) == (1, 1, 1, 0)
    added = session.scalars(select(Service).where(Service.code == code)).one()
    assert (price_of(one.id, LATER - timedelta(days=1)), price_of(one.id, LATER)) == (1000, 1100)
    assert price_of(added.id, LATER) == Decimal("300.50") and added.category.name == category
    assert price_of(added.id, LATER - timedelta(days=1)) is None
    assert session.get_one(Service, two.id).name == "Переименована" and price_of(two.id, LATER) == 2000
    assert session.scalar(select(func.count()).select_from(ServicePrice).where(ServicePrice.service_id == two.id)) == 1
    event = session.scalars(
        select(AuditEvent).where(AuditEvent.action == "prices.imported", AuditEvent.object_id == pk)
    ).one()
    assert event.user_id == make.user("director").id
    with pytest.raises(errors.ImportApplied):
        apply(make, pk, seen)


def test_what_changed_since_the_look_is_said_and_nothing_is_written(make: Any) -> None:
    one, two = make.service("1000.00"), make.service("1000.00")
    pk, seen = looked(make, [one.code, "", "", "1100"], [two.code, "", "", "1200"])
    make._save(ServicePrice(service_id=two.id, valid_from=LATER, price=Decimal("1300")))
    with pytest.raises(errors.PricesChanged):
        apply(make, pk, seen)
    assert price_of(one.id, LATER) == 1000
    apply(make, pk, shown(pk))
    assert (price_of(one.id, LATER), price_of(two.id, LATER)) == (1100, 1200)


def test_refused_rows_are_left_out_only_on_purpose(make: Any) -> None:
    one, gone = make.service("1000.00"), make.service("1000.00")
    pk, _ = looked(make, [one.code, "", "", "1100"], [gone.code, "", "", "1200"])
    with transaction():
        session.get_one(Service, gone.id).archived = True
    with pytest.raises(errors.RowsRefused):
        apply(make, pk, shown(pk))
    assert price_of(one.id, LATER) == 1000
    apply(make, pk, shown(pk), skip_refused=True)
    assert (price_of(one.id, LATER), price_of(gone.id, LATER)) == (1100, 1000)


def test_a_file_with_a_mistake_is_written_anew_for_the_same_day(make: Any, client_of: Any) -> None:
    one, right = make.service("1000.00"), make.service("1000.00")
    apply(make, *looked(make, [one.code, "", "", "110"], [right.code, "", "", "1300"]))
    pk, seen = looked(make, [one.code, "", "", "1100"], [right.code, "", "", "1300"])
    page = client_of("director").get(f"/prices/import/{pk}").text
    assert page.count("заменит цену, записанную с этого же дня") == 1
    many = apply(make, pk, seen)
    assert (many["price"], many["same"]) == (1, 1)
    assert (price_of(one.id, LATER), price_of(one.id, LATER - timedelta(days=1))) == (1100, 1000)
    written = session.scalars(
        select(ServicePrice).where(ServicePrice.service_id == one.id, ServicePrice.valid_from == LATER)
    ).all()
    assert sorted((row.price, row.annulled_at is None) for row in written) == [(110, False), (1100, True)]
    gone = next(row.id for row in written if row.annulled_at)
    event = select(AuditEvent).where(AuditEvent.action == "price.taken_back", AuditEvent.object_id == gone)
    assert session.scalars(event).one().user_id == make.user("director").id


def test_a_price_that_is_written_already_takes_over_and_the_page_says_so(make: Any, client_of: Any) -> None:
    one, after = make.service("1000.00"), LATER + timedelta(days=9)
    make._save(ServicePrice(service_id=one.id, valid_from=after, price=Decimal("3000")))
    pk, seen = looked(make, [one.code, "", "", "2000"])
    assert f"до {after:%d.%m.%Y}" in client_of("director").get(f"/prices/import/{pk}").text
    apply(make, pk, seen)
    assert [price_of(one.id, LATER + timedelta(days=n)) for n in (-1, 0, 8, 9)] == [1000, 2000, 2000, 3000]


def test_the_past_stays_and_an_applied_file_too(make: Any) -> None:
    one = make.service("1000.00")
    with pytest.raises(errors.Invalid):
        looked(make, [one.code, "", "", "1"], day=clock.today() - timedelta(days=1))
    pk, seen = looked(make, [one.code, "", "", "1"])
    with clock.at(clock.wall_now() + timedelta(days=41)), pytest.raises(errors.Invalid):
        apply(make, pk, seen)
    same, seen_same = looked(make, [one.code, "", "", "1000"])
    with pytest.raises(errors.NothingToImport):
        apply(make, same, seen_same)
    apply(make, pk, seen)
    for statement in (
        "UPDATE price_import SET file_name = 'x' WHERE id = :pk",
        "DELETE FROM price_import WHERE id = :pk",
    ):
        with pytest.raises(DBAPIError):
            session.execute(text(statement), {"pk": pk})
        session.rollback()


def test_two_people_apply_at_once_and_one_of_them_does(app: Any, make: Any) -> None:
    services = [make.service("1000.00") for _ in range(5)]
    rows = [[one.code, "", "", "1500"] for one in services]
    director = make.user("director").id
    asked = [looked(make, *rows) for _ in range(3)] * 3

    def deed(pk: int, seen: str) -> Any:
        from app.models import User

        return lambda: operations.apply_prices(pk, seen, actor=session.get_one(User, director))

    results = together(app, [deed(pk, seen) for pk, seen in asked])
    assert sum(isinstance(result, dict) for result in results) == 1, results
    assert all(isinstance(r, dict | errors.PricesChanged | errors.ImportApplied) for r in results), results
    session.expire_all()
    for one in services:
        assert price_of(one.id, LATER) == 1500
        assert session.scalar(select(func.count()).where(ServicePrice.service_id == one.id)) == 2


def test_two_files_for_the_same_day_leave_one_price(app: Any, make: Any) -> None:
    one, director = make.service("1000.00"), make.user("director").id
    apply(make, *looked(make, [one.code, "", "", "110"]))
    asked = [looked(make, [one.code, "", "", str(price)]) for price in range(1100, 1104)]

    def deed(pk: int, seen: str) -> Any:
        from app.models import User

        return lambda: operations.apply_prices(pk, seen, actor=session.get_one(User, director))

    results = together(app, [deed(pk, seen) for pk, seen in asked])
    assert sum(isinstance(result, dict) for result in results) == 1, results
    assert all(isinstance(result, dict | errors.PricesChanged) for result in results), results
    standing = select(func.count()).where(
        ServicePrice.service_id == one.id, ServicePrice.valid_from == LATER, ServicePrice.annulled_at.is_(None)
    )
    assert session.scalar(standing) == 1


def test_a_price_edited_during_the_apply_waits_or_is_seen(app: Any, make: Any) -> None:
    """Somebody has written a price and not yet committed: applying waits for it, then says what changed."""
    one, two = make.service("1000.00"), make.service("1000.00")
    pk, seen = looked(make, [one.code, "", "", "1100"], [two.code, "", "", "1200"])
    director = make.user("director").id
    session.commit()
    written, result = threading.Event(), []

    def other() -> None:
        from app.models import User

        with app.app_context():
            written.wait()
            try:
                with transaction():
                    result.append(operations.apply_prices(pk, seen, actor=session.get_one(User, director)))
            except errors.Refusal as refusal:
                result.append(refusal)

    thread = threading.Thread(target=other)
    thread.start()
    with transaction():
        session.add(ServicePrice(service_id=two.id, valid_from=LATER - timedelta(days=1), price=Decimal("1200")))
        session.flush()
        written.set()
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'service_price'::regclass AND NOT granted"
        while thread.is_alive() and not session.scalar(text(waiting)):
            thread.join(0.02)
        assert thread.is_alive(), result
    thread.join()
    assert isinstance(result[0], errors.PricesChanged), result
    assert (price_of(one.id, LATER), price_of(two.id, LATER)) == (1000, 1200)


@pytest.mark.parametrize("statement", ["UPDATE service_price SET price = 1", "DELETE FROM service_price"])
def test_a_price_that_is_written_stays(make: Any, statement: str) -> None:
    one = make.service("1000.00")
    with pytest.raises(DBAPIError, match="append"):
        session.execute(text(f"{statement} WHERE service_id = :pk"), {"pk": one.id})
    session.rollback()


# --- pages -----------------------------------------------------------------------------------------------------


def send(client: Any, content: bytes, name: str = "прайс.csv", **more: str) -> Any:
    data = {"file": (io.BytesIO(content), name), "valid_from": LATER.isoformat(), "request_id": str(uuid4()), **more}
    return client.post("/prices/import", data=data, content_type="multipart/form-data")


def test_a_file_goes_through_the_pages(client_of: Any, make: Any) -> None:
    client, one = client_of("director"), make.service("1000.00", "Осмотр <b>")
    answer = send(client, table(HEAD, [one.code, "Осмотр & снимок", "", "1700"], ["Щ1", "", "", "1"]))
    assert answer.status_code == 303, answer.text
    page = client.get(answer.location).text
    assert "Осмотр &amp; снимок" in page and "1\u202f700,00" in page and "Код – латинские буквы" in page
    seen = page.split('name="seen" value="')[1].split('"')[0]
    refused = client.post(f"{answer.location}/apply", data={"seen": seen, "request_id": str(uuid4())})
    assert refused.status_code == 422 and "Строк с отказом: 1" in refused.text
    stale = client.post(f"{answer.location}/apply", data={"seen": "old", "skip_refused": "1"})
    assert stale.status_code == 409 and "прайс изменился" in stale.text
    body = {"seen": seen, "skip_refused": "1", "request_id": str(uuid4())}
    for _ in range(2):  # a double click does it once
        done = client.post(f"{answer.location}/apply", data=body)
        assert done.status_code == 303, done.text
    assert price_of(one.id, LATER) == 1700
    page = client.get(answer.location).text
    assert "применён" in page and 'name="seen"' not in page and "Осмотр &amp; снимок" in page
    history = client.get(f"/prices/service/{one.id}").text
    assert history.count("<tr>") == 3 and "Сотрудник" in history and "1\u202f700,00" in history
    assert f"/prices/service/{one.id}" in client.get(f"/service-list/edit/{one.id}").text


def test_a_file_of_refused_rows_is_not_called_old(client_of: Any) -> None:
    director = client_of("director")
    page = director.get(send(director, table(HEAD, ["Щ1", "", "", "1"])).location).text
    assert "исправьте строки с отказом" in page and "нет ничего нового" not in page


def test_a_wrong_file_comes_back_with_a_sentence(client_of: Any) -> None:
    client = client_of("director")
    for answer, said in (
        (send(client, b"PK\x03\x04"), "Это не таблица Excel"),
        (send(client, table(HEAD, ["A1", "", "", "1"]), valid_from="2020-01-01"), "Этот день прошёл"),
        (client.post("/prices/import", data={"valid_from": LATER.isoformat()}), "Выберите файл"),
        (client.post("/prices/import", data={}), "Заполните это поле"),
    ):
        assert answer.status_code == 422 and said in answer.text
    assert send(client_of("administrator"), b"").status_code == 403
    assert client_of("doctor").get("/prices/").status_code == 200


def test_another_file_under_the_same_key_is_noticed(client_of: Any, make: Any) -> None:
    client, one, key = client_of("director"), make.service(), str(uuid4())
    first = send(client, table(HEAD, [one.code, "", "", "1"]), request_id=key)
    assert send(client, table(HEAD, [one.code, "", "", "1"]), request_id=key).location == first.location
    assert send(client, table(HEAD, [one.code, "", "", "2"]), request_id=key).status_code == 409


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_the_price_list_as_a_file_comes_back_as_it_went(fresh_app: Any, locale: str) -> None:
    from tests.conftest import Maker, sign_in

    with fresh_app.app_context():
        make = Maker()
        for number, name in enumerate(["=2+2", "-минус", "Пломба 'обычная'", "@сумма", "Ё & <b>"]):
            service = make.service(f"{number}.{number}5", name)
            with transaction():
                service.vat, service.tax_code = ("vat20", "2") if number % 2 else ("none", "1")
                service.item_kind = "goods" if number == 3 else "service"
    client = sign_in(fresh_app, "director")
    client.get(f"/lang/{locale}")
    content = client.get("/prices/file").data
    for row in load_workbook(io.BytesIO(content)).active.iter_rows():  # type: ignore[union-attr]
        for cell in row:
            assert cell.data_type != "f" and not str(cell.value).startswith(("=", "@", "-"))
    with fresh_app.app_context():
        with transaction():
            pk = operations.look_at_prices("прайс.xlsx", content, clock.today(), actor=None).id
        verdicts = queries.judged(session.get_one(PriceImport, pk))
        assert [v.kind for v in verdicts] == ["same"] * 5, verdicts


def test_the_price_list_of_a_day_on_screen_and_paper(client_of: Any, make: Any) -> None:
    one = make.service("1000.00", "Услуга для печати")
    make._save(ServicePrice(service_id=one.id, valid_from=LATER, price=Decimal("77777")))
    client = client_of("administrator")
    today, later = (client.get(f"/prices/?day={day}&print=1").text for day in ("нет", LATER.isoformat()))
    assert "77\u202f777,00" not in today and "77\u202f777,00" in later
    assert f"Прайс-лист на {LATER:%d.%m.%Y}" in later and "print.js" in later and "ООО «Улыбка»" in later


def test_a_service_of_the_archive_stays_in_the_price_lists_of_past_days(client_of: Any, make: Any) -> None:
    gone = make.service("1000.00", "Услуга до архива")
    with transaction():
        session.get_one(Service, gone.id).archived = True
    client, yesterday = client_of("administrator"), clock.today() - timedelta(days=1)
    past, today = (client.get(f"/prices/?day={day}").text for day in (yesterday, clock.today()))
    assert "Услуга до архива" in past and "сейчас в архиве" in past
    assert "Услуга до архива" not in today
    book = load_workbook(io.BytesIO(client.get(f"/prices/file?day={yesterday}").data))
    assert any("Услуга до архива" in [cell.value for cell in row] for row in book.active.iter_rows())  # type: ignore[union-attr]


# --- the price of a day ----------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.dictionaries(st.integers(0, 30), st.integers(0, 10**6), max_size=6),
    st.lists(st.integers(-2, 33), min_size=1, max_size=8),
)
def test_the_price_of_a_day_is_the_last_that_began(app: Any, set_on: dict[int, int], asked: list[int]) -> None:
    from tests.conftest import Maker

    start = date(2026, 1, 1)
    with app.app_context():
        make = Maker()
        category = make.service().category_id
        name = f"X{uuid4().int % 10**12}"
        service = make._save(Service(code=name, name=name, category_id=category, minutes=30))
        with transaction():
            session.add_all(
                ServicePrice(service_id=service.id, valid_from=start + timedelta(n), price=Decimal(kopecks) / 100)
                for n, kopecks in set_on.items()
            )
        for n in asked:
            begun = [day for day in set_on if day <= n]
            naive = Decimal(set_on[max(begun)]) / 100 if begun else None
            day = start + timedelta(n)
            assert queries.prices_of([service.id], day).get(service.id) == naive
            listed = {row.id: row.price for row in queries.whole_price_list(day)}
            assert listed.get(service.id) == naive
            assert {row.id: row.price for row in queries.price_list(service.code, day=day)[1]}.get(service.id) == naive
