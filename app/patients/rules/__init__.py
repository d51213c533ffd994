"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `identity.py` for the document of a card; `typed.py` for
how a search is read.
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
from app.patients.rules.identity import EMPTY, IDENTITY, from_line, identity, identity_line
from app.patients.rules.merging import BOTH, MERGED_FIELDS, merged
from app.patients.rules.typed import (
    TAIL,
    Doubtful,
    Wanted,
    choices,
    doubtful,
    like,
    meant,
    other_layout,
    searchable,
    sound,
    wanted,
)

__all__ = [
    "BOTH", "EMPTY", "IDENTITY", "MERGED_FIELDS", "MOST_PHONES", "REGION", "TAIL", "Doubtful", "Phone", "Signs",
    "Wanted", "age", "card_status", "check_birth_date", "check_guardian", "choices", "doubtful", "from_line",
    "identity", "identity_line", "inn", "like", "meant", "merged", "other_layout", "person_name", "phone", "phones",
    "searchable", "signs", "snils", "sound", "wanted",
]  # fmt: skip
