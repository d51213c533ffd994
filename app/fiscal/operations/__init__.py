"""Changes of fiscal receipts; one module per subject. Flush, never commit.

Where next: `intents.py` (what must be printed and counted), `carrying.py` (to the device), `corrections.py`,
`decisions.py` (what a person saw), `drawer.py` (the device's cash), `shifts.py`.
"""

from app.fiscal.operations.carrying import (
    Claim,
    claim,
    due,
    mark_counted,
    mark_failed,
    mark_later,
    mark_printed,
    mark_unknown,
    next_of,
    note,
    note_drawer,
    note_works,
    retry,
)
from app.fiscal.operations.corrections import correct, correctable
from app.fiscal.operations.decisions import decide_counted, decide_not_printed, decide_printed, undecided
from app.fiscal.operations.drawer import ask_to_level, can_be_left, leave, level
from app.fiscal.operations.intents import intend_cash, intend_return, intend_reversal, intended
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
    "ask_to_level",
    "begin_closing",
    "can_be_left",
    "claim",
    "correct",
    "correctable",
    "decide_counted",
    "decide_not_printed",
    "decide_printed",
    "due",
    "intend_cash",
    "intend_return",
    "intend_reversal",
    "intended",
    "keep_pending",
    "leave",
    "level",
    "mark_closed",
    "mark_counted",
    "mark_failed",
    "mark_later",
    "mark_printed",
    "mark_unknown",
    "new_task",
    "next_of",
    "no_more_closing",
    "note",
    "note_drawer",
    "note_works",
    "retry",
    "undecided",
]
