"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `typed.py` for how a search is read.
"""

from app.patients.rules.cards import (
    MOST_PHONES,
    REGION,
    Phone,
    Signs,
    age,
    card_status,
    check_birth_date,
    check_guardian,
    inn,
    person_name,
    phone,
    phones,
    signs,
    snils,
)
from app.patients.rules.import_columns import check_mapping, guess
from app.patients.rules.import_rows import Reading, Understood, directory, understand
from app.patients.rules.merging import BOTH, MERGED_FIELDS, merged
from app.patients.rules.typed import (
    TAIL,
    Doubtful,
    Wanted,
    choices,
    doubtful,
    like,
    meant,
    old_key,
    other_layout,
    searchable,
    sound,
    wanted,
)

__all__ = [
    "BOTH", "MERGED_FIELDS", "MOST_PHONES", "REGION", "TAIL", "Doubtful", "Phone", "Reading", "Signs", "Understood",
    "Wanted", "age", "card_status", "check_birth_date", "check_guardian", "check_mapping", "choices", "directory",
    "doubtful", "guess", "inn", "like", "meant", "merged", "old_key", "other_layout", "person_name", "phone", "phones",
    "searchable", "signs", "snils", "sound", "understand", "wanted",
]  # fmt: skip
