"""Closed and held time of a doctor or a chair. A hold may end by itself."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app import audit, clock
from app.db import lock, session
from app.errors import (
    Invalid,
    NotFound,
    Stale,
)
from app.models import TimeBlock, User
from app.schedule import queries, rules
from app.schedule.operations.places import branch_for, hold
from app.schedule.rules import Slot
from app.vocab import N_, BlockKind

#: What the log keeps of a block: all that a change may touch.
BLOCK_KEPT = (
    "version", "kind", "branch_id", "doctor_id", "chair_id", "starts_at", "ends_at", "reason",
    "expires_at", "lifted_at",
)  # fmt: skip
_LONGEST_HOLD = timedelta(days=92)


def block_time(
    kind: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    doctor_id: int | None = None,
    chair_id: int | None = None,
    branch_id: int | None = None,
    expires_at: datetime | None = None,
    actor: User | None,
) -> TimeBlock:
    """Close time of a doctor or a chair (a meeting, a repair), or hold it for somebody, maybe until a moment.

    `expires_at` is an instant with its zone; then the time is free again by itself, job or no job.

    Raises:
        WrongTimes, InThePast, ReasonNeeded, Invalid
        SlotTaken: a visit or another block stands there.
    """
    rules.check_times(starts_at, ends_at)
    rules.check_not_past(starts_at, clock.today(), may_look_back=False)
    reason = rules.require_reason(reason)
    if kind not in tuple(BlockKind):
        raise Invalid(fields={"kind": N_("Unknown value.")})
    _check_term(expires_at)
    slot = Slot(starts_at, ends_at, doctor_id, chair_id)
    block = TimeBlock(
        kind=BlockKind(kind),
        branch_id=_place(slot, branch_id),
        doctor_id=doctor_id,
        chair_id=chair_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        expires_at=expires_at,
        created_by_id=actor.id if actor else None,
    )
    session.add(block)
    session.flush()
    audit.record("time_block.added", block, after=audit.facts(block, BLOCK_KEPT), actor=actor)
    return block


def _check_term(expires_at: datetime | None) -> None:
    if expires_at is not None and not clock.now() < expires_at <= clock.now() + _LONGEST_HOLD:
        raise Invalid(fields={"expires_at": N_("Choose a moment from now on, within three months.")})


def _place(slot: Slot, branch_id: int | None, *, besides: int = 0) -> int:
    """Check that closed time may stand here, under the locks of the day; gives its branch.

    Raises:
        Invalid, SlotTaken
    """
    wrong = {}
    if slot.doctor_id is None and slot.chair_id is None:
        raise Invalid(fields={"doctor_id": N_("Choose the doctor or the chair.")})
    hold(slot)
    look = queries.look(slot, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides_block=besides)
    if slot.doctor_id is not None and look.doctor is None:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if slot.chair_id is not None and look.chair is None:
        wrong["chair_id"] = N_("There is no such chair.")
    if wrong:
        raise Invalid(fields=wrong)
    rules.check_slot(slot, look.busy, reason="", may_overbook=False)
    return branch_for(look, slot, branch_id, slot.chair_id)


def _standing(block_id: int) -> TimeBlock:
    """A block that still closes its time, locked.

    Raises:
        NotFound: or it was opened, or a hold has ended.
    """
    block = lock(TimeBlock, block_id)
    gone = block is None or block.lifted_at is not None
    if block is None or gone or (block.expires_at is not None and block.expires_at <= clock.now()):
        raise NotFound()
    return block


def change_block(
    block_id: int,
    version: int,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    doctor_id: Any = ...,
    chair_id: Any = ...,
    reason: str | None = None,
    expires_at: Any = ...,
    actor: User | None,
) -> TimeBlock:
    """Move closed or held time, change its boundaries, whose it is, what for, or until when.

    A new start without an end keeps the length. Records `time_block.changed`. Flushes, never commits.

    Raises:
        NotFound: it was opened meanwhile, or a hold has ended.
        Stale: somebody changed it meanwhile; carries the block as it is now.
        WrongTimes, InThePast, ReasonNeeded, Invalid, SlotTaken
    """
    block = _standing(block_id)
    if block.version != version:
        raise Stale(current={name: getattr(block, name) for name in ("id", *BLOCK_KEPT)})
    before = audit.facts(block, BLOCK_KEPT)
    start = starts_at or block.starts_at
    end = ends_at or (start + (block.ends_at - block.starts_at) if starts_at else block.ends_at)
    slot = Slot(
        start,
        end,
        block.doctor_id if doctor_id is ... else doctor_id,
        block.chair_id if chair_id is ... else chair_id,
    )
    if slot != Slot(block.starts_at, block.ends_at, block.doctor_id, block.chair_id):
        rules.check_times(start, end)
        if start != block.starts_at:
            rules.check_not_past(start, clock.today(), may_look_back=False)
        same = (slot.doctor_id, slot.chair_id) == (block.doctor_id, block.chair_id)
        block.branch_id = _place(slot, block.branch_id if same else None, besides=block.id)
        block.starts_at, block.ends_at = start, end
        block.doctor_id, block.chair_id = slot.doctor_id, slot.chair_id
    if reason is not None:
        block.reason = rules.require_reason(reason)
    if expires_at is not ...:
        _check_term(expires_at)
        block.expires_at = expires_at
    return _written(block, "time_block.changed", before, actor)


def _written(block: TimeBlock, action: str, before: dict[str, Any], actor: User | None) -> TimeBlock:
    after = audit.facts(block, BLOCK_KEPT)
    if after != before:
        block.version += 1
        session.flush()
        audit.record(action, block, before=before, after={**after, "version": block.version}, actor=actor)
        session.flush()
    return block


def lift_block(block_id: int, *, actor: User | None) -> TimeBlock:
    """Open closed or held time again; twice is the same as once.

    Raises:
        NotFound
    """
    block = lock(TimeBlock, block_id)
    if block is None:
        raise NotFound()
    if block.lifted_at is None:
        before = audit.facts(block, BLOCK_KEPT)
        block.lifted_at = clock.now()
        _written(block, "time_block.lifted", before, actor)
    return block


def lift_ended(*, limit: int = 200) -> int:
    """Lift the holds that ended by themselves, so that they stand in the log; how many there were.

    They count nowhere from their last moment on, whether this has run or not. Flushes, never commits.
    """
    ended = session.scalars(
        select(TimeBlock)
        .where(TimeBlock.lifted_at.is_(None), TimeBlock.expires_at <= clock.now())
        .order_by(TimeBlock.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for block in ended:
        before = audit.facts(block, BLOCK_KEPT)
        block.lifted_at = block.expires_at
        _written(block, "time_block.lifted", before, None)
    return len(ended)
