"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `search.py` for finding a card, `selection.py` for many by conditions, `cards.py` for what is known of it,
`merges.py` for all that belongs to it, `health.py` for questionnaires and the medical card.
"""

from app.patients.queries.cards import (
    balance_of,
    by_doctor,
    consents,
    doctors,
    family,
    identity_of,
    named,
    possible_duplicates,
    sources,
    statistics,
    tags,
    treated_by,
)
from app.patients.queries.exporting import card_as_zip
from app.patients.queries.health import (
    Lacking,
    Written,
    correction_of,
    diary_of,
    lacking,
    medical_record,
    newest_survey,
    records_of,
    survey_is_old,
    surveys_of,
)
from app.patients.queries.merges import belongings, key_of, merges_of, openings_of, references
from app.patients.queries.search import Found, find, matching, of_doctor, rows
from app.patients.queries.selection import Selection, select_cards, selections, service_names

__all__ = [
    "Found", "Lacking", "Selection", "Written", "balance_of", "belongings", "by_doctor", "card_as_zip", "consents",
    "correction_of", "diary_of", "doctors", "family", "find", "identity_of", "key_of", "lacking", "matching",
    "medical_record", "merges_of", "named", "newest_survey", "of_doctor", "openings_of", "possible_duplicates",
    "records_of", "references", "rows", "select_cards", "selections", "service_names", "sources", "statistics",
    "survey_is_old", "surveys_of", "tags", "treated_by",
]  # fmt: skip
