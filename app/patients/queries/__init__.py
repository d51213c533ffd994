"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `search.py` for finding a card, `selection.py` for many by conditions, `cards.py` for what is known of it,
`figures.py` for its visits and money, `merges.py` for all that belongs to it.
"""

from app.patients.queries.cards import (
    AS_SHOWN,
    balance_of,
    consents,
    doctors,
    family,
    named,
    possible_duplicates,
    sources,
    tags,
    treated_by,
)
from app.patients.queries.exporting import card_as_zip
from app.patients.queries.figures import Glance, glance, statistics
from app.patients.queries.merges import belongings, key_of, merges_of, openings_of, references
from app.patients.queries.search import Found, find, matching, of_doctor, rows
from app.patients.queries.selection import Selection, select_cards, selections, service_names

__all__ = [
    "AS_SHOWN", "Found", "Glance", "Selection", "balance_of", "belongings", "card_as_zip", "consents", "doctors",
    "family", "find", "glance", "key_of", "matching", "merges_of", "named", "of_doctor", "openings_of",
    "possible_duplicates", "references", "rows", "select_cards", "selections", "service_names", "sources", "statistics",
    "tags", "treated_by",
]  # fmt: skip
