"""The inside of a workbook of Excel: its sheets row by row, as a stream.

openpyxl builds an object for each cell; a card index has a million of them. Formats, numbers of days and their
meaning are openpyxl's. Where next: `reading.py`, which looks at the archive before it is opened here.
"""

import zipfile
from collections.abc import Iterator
from itertools import islice
from posixpath import normpath
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

_MOST_ROW = 1_048_576


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


class Book:
    """A workbook in an archive: `paths` of its sheets in their order, `rows` of one of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._epoch = CALENDAR_WINDOWS_1900
        #: What belongs to the workbook: by its number in the workbook, and by its kind.
        self._at: dict[str | None, str] = {}
        self._of_kind: dict[str, str] = {}
        for one in self._parts("xl/_rels/workbook.xml.rels", "Relationship"):
            target = one.get("Target", "")
            path = normpath(target[1:] if target.startswith("/") else f"xl/{target}")
            self._at[one.get("Id")] = self._of_kind[one.get("Type", "").rpartition("/")[2]] = path
        self.paths = self._sheets()
        self._texts = _Texts(self._parts(self._of_kind.get("sharedStrings", ""), "si"))
        self._dates = self._date_styles()

    def _parts(self, path: str, *wanted: str) -> Iterator[Element]:
        """The elements of these names, each whole; what was handed over is forgotten."""
        if path not in self._archive.namelist():
            return
        with self._archive.open(path) as part:
            for _, element in iterparse(part):
                if _local(element) in wanted:
                    yield element
                    element.clear()

    def _sheets(self) -> list[str]:
        """Where the sheets are, as the workbook orders them."""
        order = []
        for one in self._parts("xl/workbook.xml", "workbookPr", "sheet"):
            if _local(one) == "workbookPr":
                if one.get("date1904") in ("1", "true"):
                    self._epoch = CALENDAR_MAC_1904
                continue
            ids = (value for name, value in one.items() if name.endswith("}id"))
            order.append(self._at.get(next(ids, None), ""))
        return [path for path in order if path in self._archive.namelist()]

    def _date_styles(self) -> set[str]:
        """The numbers of the styles that show a number as a day or an hour."""
        formats = {str(number): code for number, code in BUILTIN_FORMATS.items()}
        for one in self._parts(self._of_kind.get("styles", ""), "numFmt", "cellXfs"):
            if _local(one) == "numFmt":
                formats[one.get("numFmtId", "")] = one.get("formatCode", "")
            else:
                numbers = [style.get("numFmtId", "0") for style in one]
                return {str(at) for at, number in enumerate(numbers) if is_date_format(formats.get(number, ""))}
        return set()

    def rows(self, path: str) -> Iterator[tuple[int, list[Any]]]:
        """The rows of a sheet with their numbers; what is not there is None."""
        number = 0
        for row in self._parts(path, "row"):
            said = row.get("r", "")
            at = int(said) if said.isdigit() and len(said) < 9 else 0
            number = at if number < at <= _MOST_ROW else number + 1
            yield number, self._cells(row)

    def _cells(self, row: Element) -> list[Any]:
        cells: list[Any] = []
        for cell in row:
            at = _column(cell.get("r", ""))
            if at is None:
                at = len(cells)
            if at >= len(cells):
                cells.extend([None] * (at + 1 - len(cells)))
            cells[at] = self._value(cell)
        return cells

    def _value(self, cell: Element) -> Any:
        """What a cell shows; of a formula, what the program kept of it."""
        kind, value = cell.get("t", "n"), None
        for child in cell:
            name = _local(child)
            if name == "v":
                value = child.text
            elif name == "is" and kind == "inlineStr":
                return _text(child)
        if not value or kind == "b":
            return None
        if kind == "s":
            return self._texts.at(int(value))
        if kind != "n":
            return value
        number = float(value) if not value.lstrip("-").isdigit() else int(value)
        return self._day(number) if cell.get("s") in self._dates else number

    def _day(self, number: float) -> Any:
        try:
            return from_excel(number, self._epoch)
        except (ValueError, OverflowError):
            return None


class _Texts:
    """The texts that all sheets share, read as far as they are asked for.

    Programs write them in the order in which the rows need them, so whoever looks at the first rows of a large file
    does not read all of its texts.
    """

    def __init__(self, items: Iterator[Element]) -> None:
        self._items = items
        self._read: list[str] = []

    def at(self, place: int) -> str:
        """The text of this number.

        Raises:
            LookupError: the file has no such text.
        """
        missing = place + 1 - len(self._read)
        if missing > 0:
            self._read += [_text(item) for item in islice(self._items, missing)]
        if place < 0:
            raise LookupError(place)
        return self._read[place]


def _column(reference: str) -> int | None:
    """The place that «AB12» names, from nought."""
    at = 0
    for letter in reference[:3]:
        if not "A" <= letter <= "Z":
            break
        at = at * 26 + ord(letter) - 64
    return at - 1 if at else None


def _text(item: Element) -> str:
    """A text with its runs; how it is read aloud in Japanese is left out."""
    said = []
    for child in item:
        name = _local(child)
        if name == "t":
            said.append(child.text or "")
        elif name == "r":
            said += [one.text or "" for one in child if _local(one) == "t"]
    return "".join(said)
