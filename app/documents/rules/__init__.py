"""Decisions and words of papers, without a database; one module per subject.

Where next: `words.py` (sums, days, names in their cases), `receipts.py`, `scans.py`, `tax.py`.
"""

from app.documents.rules.receipts import receipt_fields, slip
from app.documents.rules.scans import mimetype_of
from app.documents.rules.tax import OrderPaid, split
from app.documents.rules.words import (
    age,
    age_in_words,
    counted,
    dative,
    genitive,
    long_day,
    rubles_in_words,
    short_day,
)

__all__ = [
    "OrderPaid",
    "age",
    "age_in_words",
    "counted",
    "dative",
    "genitive",
    "long_day",
    "mimetype_of",
    "receipt_fields",
    "rubles_in_words",
    "short_day",
    "slip",
    "split",
]
