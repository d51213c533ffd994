"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `search.py` for finding a card, `cards.py` for what is known of it.
"""

from app.patients.queries.cards import (
    balance_of,
    by_doctor,
    consents,
    doctors,
    family,
    named,
    possible_duplicates,
    sources,
    statistics,
    tags,
    treated_by,
)
from app.patients.queries.search import Found, find, matching, of_doctor, rows

__all__ = [
    "Found", "balance_of", "by_doctor", "consents", "doctors", "family", "find", "matching", "named", "of_doctor",
    "possible_duplicates", "rows", "sources", "statistics", "tags", "treated_by",
]  # fmt: skip
