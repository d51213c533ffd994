"""A price list that came as a file: its columns and rows, whoever made it and in whatever program.

Nothing of the file is executed: formulas are read as the values that the program kept. A file that is not what it
says, or that would fill the memory, is refused with one sentence. What the rows mean is `rules.judge`.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook

from app.errors import Refusal
from app.spreadsheets import unsafe
from app.vocab import N_

#: A file may be no larger, have no more rows, columns, letters in a cell, and no more bytes when unpacked.
MOST_BYTES = 3 * 1024 * 1024
MOST_ROWS = 20_000
_COLUMNS, _CELL, _UNPACKED, _PARTS, _EMPTY = 60, 1000, 48 * 1024 * 1024, 500, 5_000
#: In so many rows from the top the headings must be found.
_HEAD = 40

HEADINGS: dict[str, tuple[str, ...]] = {
    "code": ("код", "код услуги", "код по номенклатуре", "код номенклатуры", "код 804н", "код мз", "артикул", "шифр",
             "code", "service code", "sku"),
    "name": ("наименование", "название", "услуга", "наименование услуги", "название услуги", "наименование работ",
             "name", "service", "service name", "title"),
    "category": ("категория", "категория услуг", "раздел", "группа", "группа услуг", "вид работ", "category", "group",
                 "section"),
    "price": ("цена", "стоимость", "цена услуги", "стоимость услуги", "розничная цена", "price", "cost"),
    "minutes": ("минуты", "минут", "мин", "длительность", "продолжительность", "время", "minutes", "duration"),
    "item_kind": ("что продается", "предмет расчета", "вид позиции", "what is sold", "kind"),
    "vat": ("ндс", "ставка ндс", "vat", "vat rate"),
    "tax_code": ("код для справки", "код для справки в налоговую", "код для налоговой", "код вычета",
                 "код для налогового вычета", "код для справки об оплате", "tax code", "code for the tax certificate"),
}  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MEANING = {heading: name for name, headings in HEADINGS.items() for heading in headings}


class FileRefused(Refusal):
    """A file that cannot be read as a price list; the sentence says why."""

    code = "file_refused"

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.sentence = sentence


@dataclass(frozen=True)
class PriceFile:
    """What was understood: the headings with their meaning (empty: not used), and the rows by meaning."""

    columns: list[tuple[str, str]]
    rows: list[dict[str, Any]]


def read(content: bytes) -> PriceFile:
    """The price list in a file.

    Raises:
        FileRefused
    """
    if not content:
        raise FileRefused(N_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise FileRefused(N_("The file is too large: %(most)s MB at most."), most=MOST_BYTES // 1024 // 1024)
    if content.startswith(b"PK"):
        return _first_with_headings(_sheets(content))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused(N_("This is a file of an old Excel. Save it as XLSX or CSV and choose it again."))
    return _first_with_headings([_lines(content)])


def _first_with_headings(tables: Iterable[Iterable[list[str]]]) -> PriceFile:
    for table in tables:
        found = _understand(table)
        if found is not None:
            if not found.rows:
                raise FileRefused(N_("There are headings in the file but no rows below them."))
            return found
    raise FileRefused(N_("No headings were found: the first rows must name at least the columns “Code” and “Price”."))


def _understand(table: Iterable[list[str]]) -> PriceFile | None:
    """The rows below the headings; None: there are no headings."""
    columns: list[tuple[str, str]] = []
    rows: list[dict[str, Any]] = []
    section, empty = "", 0
    for number, cells in enumerate(table, 1):
        filled = [cell for cell in cells if cell]
        empty = 0 if filled else empty + 1
        if empty > _EMPTY:
            break
        if not filled:
            continue
        if not columns:
            columns = _headings(cells)
            if not columns and number >= _HEAD:
                return None
            continue
        row = {meaning: cell for (_, meaning), cell in zip(columns, cells, strict=False) if meaning and cell}
        if len(filled) == 1 and "price" not in row and not re.search(r"\d", row.get("code", "")):
            section = filled[0]  # a line across the table: the name of the category of what follows
        elif row:
            if section and not any(meaning == "category" for _, meaning in columns):
                row["category"] = section
            rows.append({"line": number, **row})
        if len(rows) > MOST_ROWS:
            raise FileRefused(N_("There are too many rows in the file: %(most)s at most."), most=MOST_ROWS)
    return PriceFile(columns, rows) if columns else None


def _headings(cells: list[str]) -> list[tuple[str, str]]:
    """Each heading with its meaning; nothing when this is not the row of headings."""
    found, taken = [], set()
    for cell in cells:
        meaning = _MEANING.get(_plain(cell), "")
        if meaning in taken:
            meaning = ""
        taken.add(meaning)
        found.append((cell[:100], meaning))
    while found and not found[-1][0]:
        found.pop()
    return found if {"code", "price"} <= taken else []


def _plain(heading: str) -> str:
    words = re.sub(r"[^\w\s]", " ", heading.lower().replace("ё", "е")).split()
    if len(words) > 1 and words[-1] in ("руб", "рублей", "рублях", "rub", "мин", "min"):
        words.pop()
    if len(words) > 1 and words[-1] == "в":
        words.pop()
    return " ".join(words)


def _clean(value: Any) -> str:
    """A cell as text: a sum as it was meant, no control characters, not endless."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float):
        text = str(value)
        if abs(value) < 1e15:  # 1234.56 is kept by spreadsheets as 1234.5599999999999
            text = f"{Decimal(str(round(value, 6))):f}"
            text = text.rstrip("0").rstrip(".") if "." in text else text
    elif isinstance(value, datetime | date):
        text = value.isoformat()
    else:
        text = _UNPRINTABLE.sub(" ", str(value)[: _CELL * 2])
    return unsafe(" ".join(text.split())[:_CELL])


def _sheets(content: bytes) -> Iterator[Iterator[list[str]]]:
    """The sheets of a workbook, row by row; looked into before it is opened."""
    try:
        _check_archive(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                yield _rows_of(sheet)
        finally:
            book.close()
    except FileRefused:
        raise
    except Exception as error:  # whatever a broken archive makes the reader say
        raise _not_a_table() from error


def _not_a_table() -> FileRefused:
    return FileRefused(N_("This is not a table of Excel, whatever it is called. Save it as XLSX or CSV."))


def _rows_of(sheet: Any) -> Iterator[list[str]]:
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True, max_col=_COLUMNS), 1):
            if number > MOST_ROWS * 3:
                raise FileRefused(N_("There are too many rows in the file: %(most)s at most."), most=MOST_ROWS)
            yield [_clean(value) for value in values]
    except FileRefused:
        raise
    except Exception as error:
        raise _not_a_table() from error


def _check_archive(content: bytes) -> None:
    """No archive that unpacks into the memory of the machine, and none with declarations of its own."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise _not_a_table()
        if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
            raise FileRefused(N_("The file is too large when it is unpacked. Leave only the price list in it."))
        for part in parts:
            if part.flag_bits & 1:
                raise FileRefused(N_("The file is closed with a password. Take the password off and choose it again."))
            if part.filename.endswith((".xml", ".rels")):
                text = archive.read(part)
                if b"<!DOCTYPE" in text or b"<\0!\0D\0" in text or b"\0<\0!\0D" in text:
                    raise _not_a_table()


def _lines(content: bytes) -> Iterator[list[str]]:
    """The rows of a CSV file in the charset and with the delimiter that it has."""
    text = _decoded(content)
    head = "\n".join(text.splitlines()[:_HEAD])
    delimiter = max((";", "\t", ","), key=lambda one: (head.count(one), one == ";"))
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            if number > MOST_ROWS * 3:
                raise FileRefused(N_("There are too many rows in the file: %(most)s at most."), most=MOST_ROWS)
            yield [_clean(cell) for cell in cells[:_COLUMNS]]
    except csv.Error as error:
        raise FileRefused(N_("This is not a table: it can be read neither as XLSX nor as CSV.")) from error


def _decoded(content: bytes) -> str:
    charsets = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1251")
    for charset in charsets:
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FileRefused(N_("This is not a table: it can be read neither as XLSX nor as CSV."))
