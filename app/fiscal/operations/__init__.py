"""Changes of fiscal receipts; one module per subject. Flush, never commit.

Where next: `intents.py` (what must be printed), `carrying.py` (to the device), `corrections.py`,
`decisions.py` (what a person saw), `shifts.py`.
"""

from app.fiscal.operations.carrying import (
    Claim,
    claim,
    due,
    mark_failed,
    mark_later,
    mark_printed,
    mark_unknown,
    next_of,
    note,
    retry,
)
from app.fiscal.operations.corrections import correct, correctable
from app.fiscal.operations.decisions import decide_not_printed, decide_printed, undecided
from app.fiscal.operations.intents import intend_return, intend_reversal, intended
from app.fiscal.operations.shifts import (
    ask_to_close,
    begin_closing,
    keep_pending,
    mark_closed,
    new_task,
    no_more_closing,
)

__all__ = [
    "Claim",
    "ask_to_close",
    "begin_closing",
    "claim",
    "correct",
    "correctable",
    "decide_not_printed",
    "decide_printed",
    "due",
    "intend_return",
    "intend_reversal",
    "intended",
    "keep_pending",
    "mark_closed",
    "mark_failed",
    "mark_later",
    "mark_printed",
    "mark_unknown",
    "new_task",
    "next_of",
    "no_more_closing",
    "note",
    "retry",
    "undecided",
]
