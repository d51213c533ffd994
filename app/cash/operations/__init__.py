"""Changes of the cash desk; one module per subject. Flush, never commit.

Where next: `desks.py` (shifts, movements, reversals), `categories.py` (what money is spent on).
"""

from app.cash.operations.categories import add_category, merge_category
from app.cash.operations.desks import (
    close_shift,
    desks_of_branch,
    give_back,
    lock_desks,
    look_at_shift,
    move,
    numbers_for,
    open_shift,
    receive,
    reverse,
)

__all__ = [
    "add_category",
    "close_shift",
    "desks_of_branch",
    "give_back",
    "lock_desks",
    "look_at_shift",
    "merge_category",
    "move",
    "numbers_for",
    "open_shift",
    "receive",
    "reverse",
]
