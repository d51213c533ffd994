"""Decisions of the card index: plain values in, answers or refusals out.

Where next: `cards.py` for phones, names and complete cards; `typed.py` for how a search is read.
"""

from app.patients.rules.cards import REGION, age, card_status, check_birth_date, person_name, phone
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
    "REGION", "TAIL", "Doubtful", "Wanted", "age", "card_status", "check_birth_date", "choices", "doubtful", "like",
    "meant", "other_layout", "person_name", "phone", "searchable", "sound", "wanted",
]  # fmt: skip
