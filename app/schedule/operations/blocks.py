"""Closed and held time of a doctor or a chair."""

from datetime import datetime

from app import audit, clock
from app.db import lock, session
from app.errors import (
    Invalid,
    NotFound,
)
from app.models import TimeBlock, User
from app.schedule import queries, rules
from app.schedule.operations.places import branch_for, hold
from app.schedule.rules import Slot
from app.vocab import N_, BlockKind


def block_time(
    kind: str,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    doctor_id: int | None = None,
    chair_id: int | None = None,
    branch_id: int | None = None,
    actor: User | None,
) -> TimeBlock:
    """Close time of a doctor or a chair (a meeting, a repair), or hold it for somebody.

    Raises:
        WrongTimes, InThePast, ReasonNeeded, Invalid
        SlotTaken: a visit or another block stands there.
    """
    rules.check_times(starts_at, ends_at)
    rules.check_not_past(starts_at, clock.today(), may_look_back=False)
    reason = rules.require_reason(reason)
    wrong = {}
    if doctor_id is None and chair_id is None:
        wrong["doctor_id"] = N_("Choose the doctor or the chair.")
    if kind not in tuple(BlockKind):
        wrong["kind"] = N_("Unknown value.")
    if wrong:
        raise Invalid(fields=wrong)
    slot = Slot(starts_at, ends_at, doctor_id, chair_id)
    hold(slot)
    look = queries.look(slot, doctor_id=doctor_id, chair_id=chair_id)
    if doctor_id is not None and look.doctor is None:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if chair_id is not None and look.chair is None:
        wrong["chair_id"] = N_("There is no such chair.")
    if wrong:
        raise Invalid(fields=wrong)
    rules.check_slot(slot, look.busy, reason="", may_overbook=False)
    block = TimeBlock(
        kind=BlockKind(kind),
        branch_id=branch_for(look, slot, branch_id, chair_id),
        doctor_id=doctor_id,
        chair_id=chair_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        created_by_id=actor.id if actor else None,
    )
    session.add(block)
    session.flush()
    names = ("kind", "branch_id", "doctor_id", "chair_id", "starts_at", "ends_at", "reason")
    audit.record("time_block.added", block, after=audit.facts(block, names), actor=actor)
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
        block.lifted_at = clock.now()
        audit.record("time_block.lifted", block, after=audit.facts(block, ("reason", "lifted_at")), actor=actor)
        session.flush()
    return block
