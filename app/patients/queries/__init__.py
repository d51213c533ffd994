"""Who is in the card index, and what is known of them: one question, one function, few statements.

Where next: `search.py` for finding a card, `cards.py` for what is known of it.
"""

from app.patients.queries.cards import (
    balance_of,
    by_doctor,
    family,
    possible_duplicates,
    sources,
    statistics,
    treated_by,
)
from app.patients.queries.search import Found, find, matching, of_doctor, rows

__all__ = [
    "Found", "balance_of", "by_doctor", "family", "find", "matching", "of_doctor", "possible_duplicates", "rows",
    "sources", "statistics", "treated_by",
]  # fmt: skip
