"""Changes of the schedule, as the desk says them. Every operation flushes and never commits.

Where next: `visits.py` (book, move, cancel, restore), `steps.py` (the patient comes and goes), `blocks.py`,
`undoing.py`, `hours.py`; `places.py` has the locks that they share.
"""

from app.schedule.operations.blocks import block_time, change_block, lift_block, lift_ended
from app.schedule.operations.hours import (
    change_day,
    copy_hours,
    day_by_pattern,
    end_pattern,
    make_hours,
    set_holiday,
    set_pattern,
)
from app.schedule.operations.saved import change_view, leave_views, remove_view, save_view, use_view
from app.schedule.operations.steps import arrive, complete, confirm, no_show, start, undo
from app.schedule.operations.undoing import Undone, undo_action, undo_last
from app.schedule.operations.visits import book, cancel, move, restore

__all__ = [
    "Undone",
    "arrive",
    "block_time",
    "book",
    "cancel",
    "change_block",
    "change_day",
    "change_view",
    "complete",
    "confirm",
    "copy_hours",
    "day_by_pattern",
    "end_pattern",
    "leave_views",
    "lift_block",
    "lift_ended",
    "make_hours",
    "move",
    "no_show",
    "remove_view",
    "restore",
    "save_view",
    "set_holiday",
    "set_pattern",
    "start",
    "undo",
    "undo_action",
    "undo_last",
    "use_view",
]
