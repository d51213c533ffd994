"""Changes of the schedule, as the desk says them. Every operation flushes and never commits.

Where next: `visits.py` (book, move, cancel, restore), `steps.py` (the patient comes and goes), `blocks.py`,
`undoing.py`, `hours.py`; `places.py` has the locks that they share.
"""

from app.schedule.operations.blocks import block_time, change_block, lift_block, lift_ended
from app.schedule.operations.feed import give_feed, hash_of, note_reading, revoke_feed
from app.schedule.operations.hours import (
    change_day,
    copy_hours,
    day_by_pattern,
    end_pattern,
    make_hours,
    set_holiday,
    set_pattern,
)
from app.schedule.operations.next_visit import refuse_next_visit
from app.schedule.operations.notifying import Asked, answer_link, asked, note_notified, take_reply
from app.schedule.operations.offers import Accepted, accept_offer, decline_offer, expire_offers, offer_time
from app.schedule.operations.planned import call_due, change_plan, close_plan, decline_plan, plan, postpone_plan
from app.schedule.operations.saved import change_view, leave_views, remove_view, save_view, use_view
from app.schedule.operations.series import book_series, preview_series
from app.schedule.operations.shelf import put_on_shelf, take_off_shelf
from app.schedule.operations.steps import arrive, complete, confirm, no_show, start, undo
from app.schedule.operations.undoing import Undone, undo_action, undo_last
from app.schedule.operations.visits import book, cancel, move, restore
from app.schedule.operations.waiting import call_off, change_wishes, give_up, wait_for_time

__all__ = [
    "Accepted",
    "Asked",
    "Undone",
    "accept_offer",
    "answer_link",
    "arrive",
    "asked",
    "block_time",
    "book",
    "book_series",
    "call_due",
    "call_off",
    "cancel",
    "change_block",
    "change_day",
    "change_plan",
    "change_view",
    "change_wishes",
    "close_plan",
    "complete",
    "confirm",
    "copy_hours",
    "day_by_pattern",
    "decline_offer",
    "decline_plan",
    "end_pattern",
    "expire_offers",
    "give_feed",
    "give_up",
    "hash_of",
    "leave_views",
    "lift_block",
    "lift_ended",
    "make_hours",
    "move",
    "no_show",
    "note_notified",
    "note_reading",
    "offer_time",
    "plan",
    "postpone_plan",
    "preview_series",
    "put_on_shelf",
    "refuse_next_visit",
    "remove_view",
    "restore",
    "revoke_feed",
    "save_view",
    "set_holiday",
    "set_pattern",
    "start",
    "take_off_shelf",
    "take_reply",
    "undo",
    "undo_action",
    "undo_last",
    "use_view",
    "wait_for_time",
]
