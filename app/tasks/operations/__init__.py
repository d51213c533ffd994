"""Changes of the list of calls. Every operation flushes and never commits.

Where next: `asking.py` (the door for other rooms), `calling.py` (the desk's deeds), `rows.py` (what they share).
"""

from app.tasks.operations.asking import add, ask, patient_booked, reasons_gone, tidy
from app.tasks.operations.calling import change, claim, close, give_up, not_reached, postpone

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
    "reasons_gone",
    "tidy",
]
