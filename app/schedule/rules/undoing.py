"""What may be undone: which deeds, whose change stands on top of another, why something no longer can be.

The log of actions is the memory. A deed is a line of it; an undo is a line too, which names the deeds it took back.
Where next: `../queries/actions.py`, `../operations/undoing.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.errors import NotUndoable
from app.vocab import DEEDS, N_

#: So many of a user's last actions can be undone.
LAST = 20
#: What was written within this time of a deed belongs to it: a transaction reads the clock more than once.
AT_ONCE = timedelta(seconds=5)
VISIT, BLOCK = "appointment", "time_block"
#: deed → the right that it takes.
RIGHTS = {
    "appointment.booked": "schedule.book", "appointment.moved": "schedule.move", "appointment.changed": "schedule.move",
    "appointment.confirmed": "schedule.book", "appointment.arrived": "schedule.attend",
    "appointment.started": "schedule.attend", "appointment.completed": "schedule.attend",
    "appointment.no_show": "schedule.attend", "appointment.undone": "schedule.attend",
    "appointment.cancelled": "schedule.cancel", "appointment.restored": "schedule.cancel",
    "time_block.added": "schedule.block", "time_block.changed": "schedule.block", "time_block.lifted": "schedule.block",
}  # fmt: skip
TAKEN_BACK = {VISIT: "appointment.taken_back", BLOCK: "time_block.taken_back"}
#: Steps of the day, which are taken back on the same day only.
STEP_DEEDS = frozenset(deed for deed, right in RIGHTS.items() if right == "schedule.attend")

_CAUSES = {
    "undone": N_("This action has already been undone."),
    "nothing": N_("You have done nothing in the schedule yet that could be undone."),
    "old": N_("Only your last %(count)s actions in the schedule can be undone."),
    "later": N_("You changed this once more later: undo the later change first."),
    "changed": N_("%(who)s changed this after you: “%(what)s”. Look at it as it is now."),
    "by_itself": N_("This changed by itself after you: “%(what)s”. Look at it as it is now."),
    "day_over": N_("A step of the visit can be undone on the same day only."),
    "work_order": N_("There is a work order for this visit already, so this can no longer be undone."),
    "message": N_("The patient was already written to about this visit. Cancel it: the patient will be told."),
    "task": N_("A call was closed with this visit. Cancel the visit instead: the patient will be called again."),
    "planned": N_("A planned visit was made from this or closed by it. Cancel or change that first."),
    "waiting": N_("The waiting list depends on this: an entry or an offer. Change that first."),
    "ended": N_("The held time has ended meanwhile. Hold it anew."),
    "used": N_("Something else depends on this already, so it can no longer be undone."),
}


@dataclass(frozen=True)
class Deed:
    """A line of the log about a visit or a block."""

    id: int
    at: datetime
    user_id: int | None
    who: str
    action: str
    object_type: str
    object_id: int
    patient_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def what(self) -> tuple[str, int]:
        return self.object_type, self.object_id

    @property
    def version(self) -> int | None:
        """The version that the deed made; None: written before the log kept versions."""
        return self.after.get("version")

    @property
    def undoes(self) -> list[int]:
        """The deeds that this one took back; empty for any other deed."""
        return list(self.after.get("undoes", ()))


@dataclass(frozen=True)
class Action:
    """What a user did at once: one deed, or the bookings of a series. The newest deed is the first."""

    deeds: tuple[Deed, ...]

    @property
    def id(self) -> int:
        return self.deeds[0].id

    @property
    def last(self) -> Deed:
        return self.deeds[0]

    @property
    def visits(self) -> list[int]:
        return sorted(deed.object_id for deed in self.deeds if deed.object_type == VISIT)

    @property
    def blocks(self) -> list[int]:
        return sorted(deed.object_id for deed in self.deeds if deed.object_type == BLOCK)


def cannot(cause: str, **words: Any) -> NotUndoable:
    """The refusal that says why an action can no longer be undone."""
    refusal = NotUndoable(words, cause=cause)
    refusal.sentence = _CAUSES[cause]
    return refusal


def as_actions(deeds: Iterable[Deed]) -> list[Action]:
    """A user's deeds, the newest first, as actions: without what was undone, the bookings of a series as one."""
    gone: set[int] = set()
    found: list[list[Deed]] = []
    for deed in deeds:
        if deed.undoes:
            gone.update(deed.undoes)
        elif deed.action in RIGHTS and deed.id not in gone and deed.version is not None:
            batch = deed.after.get("batch")
            if batch is not None and found and found[-1][0].after.get("batch") == batch:
                found[-1].append(deed)
            else:
                found.append([deed])
    return [Action(tuple(group)) for group in found]


def standing(deeds: Iterable[Deed]) -> list[Deed]:
    """What was done to one object and still counts, the oldest first."""
    kept: list[Deed] = []
    for deed in deeds:
        if deed.undoes:
            kept = [one for one in kept if one.id not in deed.undoes]
        elif deed.version is not None:
            kept.append(deed)
    return kept


def on_top(deed: Deed, done: list[Deed], version: int) -> NotUndoable | None:
    """Is the deed the last one that counts of its object, which stands at `version`? Else why not.

    `done`: all that was done to the object from this deed on, the oldest first.
    """
    kept = standing(done)
    if deed.id not in {one.id for one in kept}:
        return cannot("undone")
    later = [one for one in kept if one.id > deed.id]
    if later:
        other = next((one for one in reversed(later) if one.user_id != deed.user_id), None)
        if other is None:
            return cannot("later")
        what = DEEDS.get(other.action, "Changed")
        return cannot("changed", who=other.who, what=what) if other.who else cannot("by_itself", what=what)
    if next(one.version for one in reversed(done) if one.version is not None) != version:
        return cannot("used")
    return None
