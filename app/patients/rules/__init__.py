"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `names.py` for names in their cases; `identity.py` for the
document of a card; `typed.py` for how a search is read; `merging.py`, `erasing.py` for what becomes of a card.
"""

from app.patients.rules.cards import (
    MOST_PHONES,
    REGION,
    Phone,
    Signs,
    age,
    card_status,
    check_birth_date,
    check_consent_day,
    check_guardian,
    check_payer,
    email,
    inn,
    person_name,
    phone,
    phones,
    signs,
    snils,
)
from app.patients.rules.erasing import (
    LOGGED,
    MEDICAL,
    PERSON,
    RULES,
    SOURCES,
    STAYS_ON_CARD,
    Fate,
    Law,
    Now,
    Rule,
    forgotten,
    kept_until,
    put_away,
)
from app.patients.rules.identity import EMPTY, IDENTITY, from_line, identity, identity_line
from app.patients.rules.import_columns import check_mapping, guess
from app.patients.rules.import_rows import Reading, Understood, directory, understand
from app.patients.rules.merging import BOTH, CASES, MERGED_FIELDS, NAME, merged, merged_cases
from app.patients.rules.names import dative, dative_of, genitive, genitive_of, genitive_of_text, in_cases
from app.patients.rules.openings import asks_for_a_look, usual
from app.patients.rules.typed import (
    TAIL,
    Doubtful,
    Wanted,
    choices,
    doubtful,
    like,
    meant,
    old_key,
    one_wrong,
    other_layout,
    searchable,
    sound,
    wanted,
)

__all__ = [
    "BOTH", "CASES", "EMPTY", "IDENTITY", "LOGGED", "MEDICAL", "MERGED_FIELDS", "MOST_PHONES", "NAME", "PERSON",
    "REGION", "RULES", "SOURCES", "STAYS_ON_CARD", "TAIL", "Doubtful", "Fate", "Law", "Now", "Phone", "Reading",
    "Rule", "Signs", "Understood", "Wanted", "age", "asks_for_a_look", "card_status", "check_birth_date",
    "check_consent_day", "check_guardian", "check_mapping", "check_payer", "choices", "dative", "dative_of",
    "directory", "doubtful", "email", "forgotten", "from_line", "genitive", "genitive_of", "genitive_of_text", "guess",
    "identity", "identity_line", "in_cases", "inn", "kept_until", "like", "meant", "merged", "merged_cases", "old_key",
    "one_wrong", "other_layout", "person_name", "phone", "phones", "put_away", "searchable", "signs", "snils", "sound",
    "understand", "usual", "wanted",
]  # fmt: skip
