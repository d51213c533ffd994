"""Changes of the schedule, as the desk says them. Every operation flushes and never commits.

Where next: `visits.py` (book, move, cancel, restore), `steps.py` (the patient comes and goes), `blocks.py`, `hours.py`;
`places.py` has the locks that they share.
"""

from app.schedule.operations.blocks import block_time, lift_block
from app.schedule.operations.hours import add_hours, remove_hours
from app.schedule.operations.steps import arrive, complete, confirm, no_show, start, undo
from app.schedule.operations.visits import book, cancel, move, restore

__all__ = [
    "add_hours",
    "arrive",
    "block_time",
    "book",
    "cancel",
    "complete",
    "confirm",
    "lift_block",
    "move",
    "no_show",
    "remove_hours",
    "restore",
    "start",
    "undo",
]
