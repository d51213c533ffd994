"""Changes of the cash desk; one module per subject. Flush, never commit.

Where next: `desks.py` (shifts, movements, reversals), `categories.py` (what money is spent on).
"""

from app.cash.operations.categories import add_category, merge_category
from app.cash.operations.desks import (
    check_taking,
    close_shift,
    desks_of_branch,
    give_back,
    lock_desks,
    look_at_shift,
    move,
    open_shift,
    received,
    reverse,
)

__all__ = [
    "add_category",
    "check_taking",
    "close_shift",
    "desks_of_branch",
    "give_back",
    "lock_desks",
    "look_at_shift",
    "merge_category",
    "move",
    "open_shift",
    "received",
    "reverse",
]
