"""A price list that came as a file: its columns and rows, whoever made it and in whatever program.

How a file is read safely is `app/spreadsheets/reading.py`; what the rows mean is `rules.judge`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.spreadsheets import HEAD, Cells, FileRefused, Limits, tables
from app.vocab import N_

MOST_BYTES = 3 * 1024 * 1024
MOST_ROWS = 20_000
_LIMITS = Limits(bytes=MOST_BYTES, rows=MOST_ROWS, unpacked=48 * 1024 * 1024)

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
_MEANING = {heading: name for name, headings in HEADINGS.items() for heading in headings}


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
    for table in tables(content, _LIMITS):
        found = _understand(table)
        if found is not None:
            if not found.rows:
                raise FileRefused(N_("There are headings in the file but no rows below them."))
            return found
    raise FileRefused(N_("No headings were found: the first rows must name at least the columns “Code” and “Price”."))


def _understand(table: Iterable[Cells]) -> PriceFile | None:
    """The rows below the headings; None: there are no headings."""
    columns: list[tuple[str, str]] = []
    rows: list[dict[str, Any]] = []
    section = ""
    for number, cells in table:
        if not columns:
            columns = _headings(cells)
            if not columns and number >= HEAD:
                return None
            continue
        filled = [cell for cell in cells if cell]
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
