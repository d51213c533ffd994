"""Text that goes into a spreadsheet: what people typed never becomes a formula, and is read back as it was."""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: More than any clinic has; a file is written row by row.
MOST_ROWS = 100_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def safe(text: Any) -> str:
    """Text as a spreadsheet may get it: no formula, no control characters."""
    cleaned = _UNPRINTABLE.sub("", str(text))
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned


def unsafe(text: str) -> str:
    """What `safe` was given, read back from the file."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def workbook(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """One sheet with a line of headings; text is never a formula.

    Days and sums stay days and numbers, and are shown as people write them: 23.11.2026, 1 500,00.
    """
    book = Workbook(write_only=True)
    page = book.create_sheet(title[:31])

    def cell(value: Any) -> Any:
        made = WriteOnlyCell(page, value=_UNPRINTABLE.sub("", value) if isinstance(value, str) else value)
        if isinstance(value, str):
            made.data_type = "s"
        elif isinstance(value, Decimal):
            made.number_format = "#,##0.00"
        elif isinstance(value, date) and not isinstance(value, datetime):
            made.number_format = "dd.mm.yyyy"
        return made

    for row in (heads, *rows):
        page.append([cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
