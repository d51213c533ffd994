"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `typed.py` for how a search is read;
`merging.py`, `erasing.py` for what becomes of a card's fields and rows.
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
from app.patients.rules.erasing import (
    IDENTITY,
    LOGGED,
    MEDICAL,
    RULES,
    SOURCES,
    STAYS_ON_CARD,
    Fate,
    Law,
    Now,
    Rule,
    forgotten,
    identity,
    kept_until,
)
from app.patients.rules.merging import BOTH, MERGED_FIELDS, merged
from app.patients.rules.openings import asks_for_a_look, usual
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
    "BOTH", "IDENTITY", "LOGGED", "MEDICAL", "MERGED_FIELDS", "MOST_PHONES", "REGION", "RULES", "SOURCES",
    "STAYS_ON_CARD", "TAIL", "Doubtful", "Fate", "Law", "Now", "Phone", "Rule", "Signs", "Wanted", "age",
    "asks_for_a_look", "card_status", "check_birth_date", "check_guardian", "choices", "doubtful", "forgotten",
    "identity", "inn", "kept_until", "like", "meant", "merged", "other_layout", "person_name", "phone", "phones",
    "searchable", "signs", "snils", "sound", "usual", "wanted",
]  # fmt: skip
