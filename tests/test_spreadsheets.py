"""Files with tables as they come: the same rows that openpyxl reads, in whatever charset; nonsense is refused."""

import io
import re
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from app.spreadsheets import FileRefused, Limits, sheets, tables

LIMITS = Limits(bytes=1 << 20, rows=10, unpacked=1 << 22, columns=5, cell=50)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes, limits: Limits = LIMITS) -> list[list[tuple[int, list[str]]]]:
    return [list(table) for table in tables(content, limits)]


def as_excel(content: bytes) -> bytes:
    """The workbook as Excel writes it: texts stand together in a part of their own, each once."""
    texts: dict[str, int] = {}

    def shared(found: re.Match[str]) -> str:
        return f'<c{found[1]} t="s"><v>{texts.setdefault(found[2], len(texts))}</v></c>'

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name).decode()
            if "/worksheets/" in name:
                part = re.sub(r'<c([^>]*?) t="inlineStr"><is>(.*?)</is></c>', shared, part, flags=re.DOTALL)
            if name == "xl/_rels/workbook.xml.rels":
                kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
                one = f'<Relationship Id="rId77" Type="{kind}" Target="/xl/sharedStrings.xml"/>'
                part = part.replace("</Relationships>", one + "</Relationships>")
            if name == "[Content_Types].xml":
                kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
                one = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/>'
                part = part.replace("</Types>", one + "</Types>")
            new.writestr(name, part)
        items = "".join(f"<si>{text}</si>" for text in texts)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEETS}">{items}</sst>')
    return out.getvalue()


SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
VALUES = st.one_of(
    st.none(), st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters="=", exclude_categories=["Cc", "Cs"]), max_size=20),
    st.datetimes(datetime(1901, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    st.dates(date(1901, 1, 1), date(2099, 1, 1)),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.lists(VALUES, max_size=4), max_size=6), st.booleans(), st.booleans())
def test_a_workbook_is_read_as_openpyxl_reads_it(rows: list[list[Any]], by_excel: bool, mac: bool) -> None:
    book = Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    content = as_excel(saved(book)) if by_excel else saved(book)
    theirs = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
    theirs.reset_dimensions()  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        ours = sheets.Book(archive)
        read_by_us = {number: _trimmed(cells) for number, cells in ours.rows(ours.paths[0])}
    for number, values in enumerate(theirs.iter_rows(values_only=True), 1):
        told = [None if isinstance(value, bool) or value == "" else value for value in values]
        assert read_by_us.get(number, []) == _trimmed(told), (number, values)


def _trimmed(cells: Any) -> list[Any]:
    found = list(cells)
    while found and found[-1] is None:
        found.pop()
    return found


def test_runs_hours_gaps_and_sheets_in_their_order() -> None:
    book = Workbook()
    first: Any = book.active
    first["B3"] = CellRichText("Ивано", TextBlock(InlineFont(b=True), "ва"))
    first["D3"], first["Z3"] = time(9, 30), "не нужно"
    second = book.create_sheet("Ещё", 0)
    second["A1"] = "'=первая"
    for content in (saved(book), as_excel(saved(book))):
        assert read(content) == [[(1, ["=первая"])], [(3, ["", "Иванова", "", "09:30:00", ""])]]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1251", "cp866", "utf-16"])
def test_lines_in_the_charsets_of_the_country(charset: str) -> None:
    text = 'Фамилия;Имя\r\n\r\n"Петрова; урождённая Сидорова";Анна\r\n'
    assert read(text.encode(charset)) == [
        [(1, ["Фамилия", "Имя"]), (3, ["Петрова; урождённая Сидорова", "Анна"])]
    ]  # fmt: skip


def test_the_limits_are_kept() -> None:
    with pytest.raises(FileRefused, match="file_refused"):
        read(b"a,b\n" * 31)
    ((_, cells),) = read(("я" * 60 + ",б,в,г,д,е").encode())[0]
    assert cells == ["я" * 50, "б", "в", "г", "д"]
    far = Workbook()
    far.active["A1"], far.active["A9000"] = "начало", "конец"  # type: ignore[index]
    assert [number for number, _ in read(saved(far))[0]] == [1, 9000]


def test_whoever_looks_at_the_first_rows_reads_no_more() -> None:
    """The texts of a large workbook are read as far as they are needed; what is broken further on is said there."""
    book: Any = Workbook()
    for n in range(5_000):
        book.active.append([f"Фамилия{n}", f"Имя{n}"])
    content, out = as_excel(saved(book)), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            half = part.rindex(b"<si>") if name == "xl/sharedStrings.xml" else len(part)
            new.writestr(name, part[:half])
    limits = Limits(bytes=1 << 20, rows=5_000, unpacked=1 << 24)
    found = tables(out.getvalue(), limits)
    table = next(found)
    assert [next(table) for _ in range(2)] == [(1, ["Фамилия0", "Имя0"]), (2, ["Фамилия1", "Имя1"])]
    with pytest.raises(FileRefused, match="file_refused"):
        list(table)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: b"PK\x03\x04" + tail)))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        for table in tables(content, LIMITS):
            for number, cells in table:
                assert number > 0 and not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(cells))
    except FileRefused as refused:
        assert refused.sentence % refused.facts
