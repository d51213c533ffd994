"""An old card index that came as a file: its columns with first values, and its rows.

How a file is read safely is `app/spreadsheets/reading.py`; what a row means is `rules.understand`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.patients import rules
from app.spreadsheets import HEAD, Cells, FileRefused, Limits, tables
from app.vocab import N_, CardColumn

MOST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 50_000
_LIMITS = Limits(bytes=MOST_BYTES, rows=MOST_ROWS, unpacked=320 * 1024 * 1024, cell=2000)
_SAMPLES = 3


@dataclass(frozen=True)
class Head:
    """Which table of a file it is, the line of its headings, and the columns: [{heading, samples}] with their guess.

    Without headings the first line is a patient already.
    """

    sheet: int
    line: int
    headless: bool
    columns: list[dict[str, Any]]
    mapping: list[str]


def look(content: bytes) -> Head:
    """The beginning of a card index.

    Raises:
        FileRefused
    """
    plain = None
    for sheet, table in enumerate(tables(content, _LIMITS)):
        first = list(islice(table, HEAD))
        for at, (line, cells) in enumerate(first):
            if _are_headings(cells):
                return _head(sheet, line, cells, first[at + 1 :], headless=False)
        if plain is None and first:
            plain = (sheet, first)
    if plain is None:
        raise FileRefused(N_("The file is empty."))
    sheet, first = plain
    line, cells = first[0]
    return _head(sheet, line, cells, first, headless=True)


def rows(content: bytes, head: Head) -> Iterator[Cells]:
    """The rows of the card index with their numbers in the file, from below the headings.

    Raises:
        FileRefused: also while rows are read.
    """
    width = len(head.columns)
    for sheet, table in enumerate(tables(content, _LIMITS)):
        if sheet < head.sheet:
            continue
        many = 0
        for line, cells in table:
            if line < head.line + (not head.headless):
                continue
            many += 1
            if many > MOST_ROWS:
                raise FileRefused(N_("There are too many rows in the file: %(most)s at most."), most=MOST_ROWS)
            yield line, cells[:width]
        if not many:
            raise FileRefused(N_("There are headings in the file but no rows below them."))
        return


def _are_headings(cells: list[str]) -> bool:
    said = {one for one in rules.guess(cells) if one}
    return len(said) > 1 or CardColumn.FULL_NAME in said


def _head(sheet: int, line: int, cells: list[str], below: list[Cells], *, headless: bool) -> Head:
    width = max(len(row) for row in (cells, *(row for _, row in below)))
    headings = [""] * width if headless else [cell[:100] for cell in cells] + [""] * (width - len(cells))
    columns: list[dict[str, Any]] = [
        {"heading": heading, "samples": _samples([row[at] for _, row in below if at < len(row)])}
        for at, heading in enumerate(headings)
    ]
    while columns and not columns[-1]["heading"] and not columns[-1]["samples"]:
        columns.pop()
    return Head(sheet, line, headless, columns, rules.guess([column["heading"] for column in columns]))


def _samples(values: list[str]) -> list[str]:
    return list(dict.fromkeys(value[:60] for value in values if value))[:_SAMPLES]
