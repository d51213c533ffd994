"""Changes of the outbox and of what patients answered. Every operation flushes and never commits.

A booking plans its messages in its own transaction; a job claims one, sends it, and marks it, each in a transaction of
its own. Where next: `planning.py` (what a visit's messages are), `sending.py` (claims, one text for a day),
`by_hand.py`, `answers.py`; `letters.py` has what they share.
"""

from app.messages.operations.answers import handle, link_of, mark_answered, stop_writing, take_in, understood
from app.messages.operations.by_hand import Written, send_again, write
from app.messages.operations.letters import Letter, letter
from app.messages.operations.planning import (
    add_first_templates,
    call_off_visit,
    forget_visit,
    plan_visit,
    replan_visit,
    tell_missed,
)
from app.messages.operations.sending import (
    CHANGED,
    Claim,
    OnTheWay,
    claim,
    due,
    mark_asked,
    mark_delivered,
    mark_lost,
    mark_sent,
    mark_undelivered,
    mark_unknown,
    mark_untaken,
    prepare,
    undelivered,
)

__all__ = [
    "CHANGED",
    "Claim",
    "Letter",
    "OnTheWay",
    "Written",
    "add_first_templates",
    "call_off_visit",
    "claim",
    "due",
    "forget_visit",
    "handle",
    "letter",
    "link_of",
    "mark_answered",
    "mark_asked",
    "mark_delivered",
    "mark_lost",
    "mark_sent",
    "mark_undelivered",
    "mark_unknown",
    "mark_untaken",
    "plan_visit",
    "prepare",
    "replan_visit",
    "send_again",
    "stop_writing",
    "take_in",
    "tell_missed",
    "undelivered",
    "understood",
    "write",
]
