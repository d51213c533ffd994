"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `names.py` for names in their cases; `typed.py` for how a
search is read.
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
from app.patients.rules.merging import BOTH, CASES, MERGED_FIELDS, NAME, merged, merged_cases
from app.patients.rules.names import dative, dative_of, genitive, genitive_of, genitive_of_text, in_cases
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
    "BOTH", "CASES", "MERGED_FIELDS", "MOST_PHONES", "NAME", "REGION", "TAIL", "Doubtful", "Phone", "Signs", "Wanted",
    "age", "card_status", "check_birth_date", "check_guardian", "choices", "dative", "dative_of", "doubtful",
    "genitive", "genitive_of", "genitive_of_text", "in_cases", "inn", "like", "meant", "merged", "merged_cases",
    "other_layout", "person_name", "phone", "phones", "searchable", "signs", "snils", "sound", "wanted",
]  # fmt: skip
