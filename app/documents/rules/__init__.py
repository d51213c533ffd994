"""Decisions and words of papers, without a database; one module per subject.

Where next: `words.py` (sums, days), `personal_data.py` (what is agreed to), `dictionary.py` (what the fields mean),
`layout.py` and `problems.py` (what is wrong with a text), `receipts.py`, `scans.py`, `tax.py`.
"""

from app.documents.rules.dictionary import BARE, GROUPS, ROWS, grouped
from app.documents.rules.layout import check_layout
from app.documents.rules.personal_data import personal_data
from app.documents.rules.problems import Problem
from app.documents.rules.receipts import receipt_fields, slip
from app.documents.rules.requisites import missing_requisites
from app.documents.rules.scans import LARGEST, TOO_LARGE, mimetype_of
from app.documents.rules.tax import OrderPaid, OrderStood, split
from app.documents.rules.vat import vat_sentence, vat_words
from app.documents.rules.words import (
    age,
    age_in_words,
    bank_line,
    counted,
    days_between,
    licence_line,
    long_day,
    phone,
    policy_of,
    post_genitive,
    rubles_in_words,
    short_day,
    short_name,
    town_of,
)

__all__ = [
    "BARE",
    "GROUPS",
    "LARGEST",
    "ROWS",
    "TOO_LARGE",
    "OrderPaid",
    "OrderStood",
    "Problem",
    "age",
    "age_in_words",
    "bank_line",
    "check_layout",
    "counted",
    "days_between",
    "grouped",
    "licence_line",
    "long_day",
    "mimetype_of",
    "missing_requisites",
    "personal_data",
    "phone",
    "policy_of",
    "post_genitive",
    "receipt_fields",
    "rubles_in_words",
    "short_day",
    "short_name",
    "slip",
    "split",
    "town_of",
    "vat_sentence",
    "vat_words",
]
