"""A table that came as a file, whoever made it and in whatever program: its rows as texts, one by one.

Nothing of the file is executed: formulas are read as the values that the program kept. A file that is not what it
says, or that would fill the memory, is refused with one sentence. What the rows mean is said by the rooms.
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

from app.errors import Refusal
from app.spreadsheets import sheets
from app.spreadsheets.writing import unsafe
from app.vocab import N_

#: In so many rows from the top the headings must be found.
HEAD = 40
#: After so many empty rows nothing more is looked for.
_EMPTY = 5_000
_PARTS, _CHUNK = 500, 1 << 20
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

#: What no text has; a file of DOS may end with its mark.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")

#: A row that is not empty: its number in the file, its cells.
Cells = tuple[int, list[str]]


@dataclass(frozen=True)
class Limits:
    """What a file may hold: bytes as it comes and unpacked, rows; columns and letters of a cell beyond are not read."""

    bytes: int
    rows: int
    unpacked: int
    columns: int = 60
    cell: int = 1000


class FileRefused(Refusal):
    """A file that cannot be read as the table it should be; the sentence says why."""

    code = "file_refused"

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.sentence = sentence


def tables(content: bytes, limits: Limits) -> Iterator[Iterator[Cells]]:
    """The tables of a file, each row by row: the sheets of a workbook, or the lines of a CSV.

    A table must be read before the next one is taken.

    Raises:
        FileRefused: now, or while rows are read.
    """
    if not content:
        raise FileRefused(N_("The file is empty."))
    if len(content) > limits.bytes:
        raise FileRefused(N_("The file is too large: %(most)s MB at most."), most=limits.bytes // 1024 // 1024)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused(N_("This is a file of an old Excel. Save it as XLSX or CSV and choose it again."))
    if content.startswith(b"PK"):
        return _sheets(content, limits)
    return iter([_filled(_lines(content), limits)])


def _filled(rows: Iterable[tuple[int, list[Any]]], limits: Limits) -> Iterator[Cells]:
    """The rows that say something, cleaned; not endless."""
    many, last = 0, 0
    for number, values in rows:
        cells = [_clean(value, limits.cell) for value in values[: limits.columns]]
        if not any(cells):
            if number - last > _EMPTY:
                return
            continue
        many, last = many + 1, number
        if many > limits.rows * 3:
            raise FileRefused(N_("There are too many rows in the file: %(most)s at most."), most=limits.rows)
        yield number, cells


def _clean(value: Any, most: int) -> str:
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
        text = _UNPRINTABLE.sub(" ", str(value)[: most * 2])
    return unsafe(" ".join(text.split())[:most])


def _sheets(content: bytes, limits: Limits) -> Iterator[Iterator[Cells]]:
    """The sheets of a workbook, row by row; looked into before it is opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive, limits)
            book = sheets.Book(archive)
            for path in book.paths:
                yield _whole(_filled(book.rows(path), limits))
    except FileRefused:
        raise
    except Exception as error:  # whatever a broken archive makes the reader say
        raise _not_a_table() from error


def _whole(rows: Iterator[Cells]) -> Iterator[Cells]:
    try:
        yield from rows
    except FileRefused:
        raise
    except Exception as error:
        raise _not_a_table() from error


def _not_a_table() -> FileRefused:
    return FileRefused(N_("This is not a table of Excel, whatever it is called. Save it as XLSX or CSV."))


def _check(archive: zipfile.ZipFile, limits: Limits) -> None:
    """No archive that unpacks into the memory of the machine, and none with declarations of its own."""
    parts = archive.infolist()
    if "xl/workbook.xml" not in archive.namelist():
        raise _not_a_table()
    if len(parts) > _PARTS or sum(part.file_size for part in parts) > limits.unpacked:
        raise FileRefused(N_("The file is too large when it is unpacked. Leave only the table in it."))
    for part in parts:
        if part.flag_bits & 1:
            raise FileRefused(N_("The file is closed with a password. Take the password off and choose it again."))
        if part.filename.endswith((".xml", ".rels")) and _declares(archive, part):
            raise _not_a_table()


def _declares(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Has this part a DOCTYPE, in whatever charset?"""
    with archive.open(part) as opened:
        tail = b""
        while chunk := opened.read(_CHUNK):
            text = tail + chunk
            if b"<!DOCTYPE" in text or b"<\0!\0D\0" in text or b"\0<\0!\0D" in text:
                return True
            tail = text[-16:]
    return False


def _lines(content: bytes) -> Iterator[tuple[int, list[Any]]]:
    """The rows of a CSV file in the charset and with the delimiter that it has."""
    text = _decoded(content)
    head = "\n".join(text[:100_000].splitlines()[:HEAD])
    delimiter = max((";", "\t", ","), key=lambda one: (head.count(one), one == ";"))
    try:
        yield from enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1)
    except csv.Error as error:
        raise FileRefused(N_("This is not a table: it can be read neither as XLSX nor as CSV.")) from error


def _decoded(content: bytes) -> str:
    """UTF-8, else the charsets of Windows and DOS, whichever makes the likelier Russian."""
    charsets = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", _of_windows_or_dos(content))
    for charset in charsets:
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text[:100_000]):
            return text
    raise FileRefused(N_("This is not a table: it can be read neither as XLSX nor as CSV."))


def _of_windows_or_dos(content: bytes) -> str:
    def likely(charset: str) -> int:
        text = content[:100_000].decode(charset, "replace")
        return sum(text.count(letter) for letter in "оеаинтОЕАИНТ")

    return "cp866" if likely("cp866") > likely("cp1251") else "cp1251"
