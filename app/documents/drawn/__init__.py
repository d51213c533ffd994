"""Forms of the cash desk drawn on A4 as their blanks are; one module per form.

Where next: `cash_orders.py` (КО-1, КО-2), `cash_book.py` (КО-4, the report of a shift).
"""

from app.documents.drawn.cash_book import book_sheet, cash_accountant, many, shift_report
from app.documents.drawn.cash_orders import (
    BOLD,
    CENTRE,
    RIGHT,
    SMALL,
    TEXT,
    TINY_RIGHT,
    TITLE,
    cash_order,
    codes,
    grid,
    line,
    p,
    signed,
    sum_shown,
)

__all__ = [
    "BOLD",
    "CENTRE",
    "RIGHT",
    "SMALL",
    "TEXT",
    "TINY_RIGHT",
    "TITLE",
    "book_sheet",
    "cash_accountant",
    "cash_order",
    "codes",
    "grid",
    "line",
    "many",
    "p",
    "shift_report",
    "signed",
    "sum_shown",
]
