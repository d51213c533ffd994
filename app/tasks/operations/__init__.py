"""Changes of the list of calls. Every operation flushes and never commits.

Where next: `asking.py` (the door for other rooms), `reopening.py` (its undoing), `calling.py` (the desk's deeds),
`rows.py` (what they share).
"""

from app.tasks.operations.asking import add, ask, patient_booked, reasons_gone, tidy
from app.tasks.operations.calling import change, claim, close, give_up, not_reached, postpone
from app.tasks.operations.reopening import reasons_back

__all__ = [
    "add",
    "ask",
    "change",
    "claim",
    "close",
    "give_up",
    "not_reached",
    "patient_booked",
    "postpone",
    "reasons_back",
    "reasons_gone",
    "tidy",
]
