"""Receipts on their way to the device: claimed by one job at a time, marked with what the device said.

A claim is fenced: only the worker that holds it may mark the receipt. Receipts of a device go in the order in which
they were written; one that waits for a person does not hold up the others. Where next: `jobs.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import aliased

from app import access, audit, clock
from app.db import after_commit, lock, session
from app.errors import NotAllowed, NotFound
from app.fiscal import rules
from app.gateways.kkt.atol import Printed
from app.models import FiscalDevice, FiscalReceipt, User
from app.queue import enqueue
from app.vocab import FiscalStatus


def hurry(receipt_id: int) -> None:
    """Send it as soon as it is committed; with a dead broker the sweep finds it."""
    after_commit(lambda: _enqueue(receipt_id))


def _enqueue(receipt_id: int) -> None:
    enqueue("app.fiscal.jobs.send", receipt_id, job_id=f"fiscal-{receipt_id}")


@dataclass(frozen=True)
class Claim:
    """A receipt that this worker, and no other, carries to the device.

    `ask_first`: it was tried before, so the device is asked. `lost`: nobody knows whether the device has it.
    """

    id: int
    uuid: str
    body: dict[str, Any]
    device_id: int
    since: datetime
    ask_first: bool
    lost: bool


def _ready(now: datetime, stale: timedelta) -> ColumnElement[bool]:
    """It is this one's turn: due, not in anybody's hands, and nothing of its device before it."""
    waiting = FiscalReceipt.status.in_((FiscalStatus.PLANNED, FiscalStatus.UNKNOWN)) & (FiscalReceipt.due_at <= now)
    dead = (FiscalReceipt.status == FiscalStatus.SENDING) & (FiscalReceipt.sending_since <= now - stale)
    earlier = aliased(FiscalReceipt)
    first = ~exists().where(
        earlier.device_id == FiscalReceipt.device_id,
        earlier.id < FiscalReceipt.id,
        earlier.status.in_((FiscalStatus.PLANNED, FiscalStatus.UNKNOWN, FiscalStatus.SENDING)),
    )
    return or_(waiting, dead) & first


def due(now: datetime, stale: timedelta) -> list[int]:
    """The receipts whose turn it is: of each device the oldest that waits, if it is due."""
    return list(session.scalars(select(FiscalReceipt.id).where(_ready(now, stale)).order_by("id")))


def next_of(device_id: int) -> int | None:
    """The receipt that waits for a device next; None when there is none, or one is on its way."""
    row = session.execute(
        select(FiscalReceipt.id, FiscalReceipt.status)
        .where(
            FiscalReceipt.device_id == device_id,
            FiscalReceipt.status.in_((FiscalStatus.PLANNED, FiscalStatus.UNKNOWN, FiscalStatus.SENDING)),
        )
        .order_by(FiscalReceipt.id)
        .limit(1)
    ).one_or_none()
    return row.id if row and row.status != FiscalStatus.SENDING else None


def claim(receipt_id: int, stale: timedelta) -> Claim | None:
    """Take a receipt; None when it is not due or another worker has it.

    The caller commits before the device is called.
    """
    now = clock.now()
    row = session.scalar(
        select(FiscalReceipt)
        .where(FiscalReceipt.id == receipt_id, _ready(now, stale))
        .with_for_update(of=FiscalReceipt, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    ask_first, lost = row.attempts > 0, row.status != FiscalStatus.PLANNED
    row.status, row.sending_since, row.attempts = FiscalStatus.SENDING, now, min(row.attempts + 1, 30_000)
    session.flush()
    return Claim(row.id, rules.wire(row.uuid, row.round), row.body, row.device_id, now, ask_first, lost)


def _mark(claim: Claim, change: Callable[[FiscalReceipt], None]) -> None:
    """Change the receipt of a claim; nothing when another worker took it over."""
    row = lock(FiscalReceipt, claim.id)
    if row is None or row.status != FiscalStatus.SENDING or row.sending_since != claim.since:
        return
    row.sending_since = None
    change(row)
    session.flush()


def mark_printed(claim: Claim, printed: Printed) -> None:
    """The device printed it: its fiscal numbers, for ever. What its drawer holds now it has to be asked."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.DONE, ""
        row.fn, row.document, row.sign = printed.fn, printed.document, printed.sign
        row.registration, row.shift_number, row.receipt_number = printed.registration, printed.shift, printed.number
        row.printed_at = printed.printed_at or clock.now()
        session.flush()
        after = {"number": row.document, "amount": str(row.amount)}
        audit.record("fiscal.printed", row, after=after, actor=None)
        if rules.touches_drawer(row.body):
            note_drawer(row.device_id, None)
        if printed.shift:
            _note_next_shift(row.device_id, printed.shift)

    _mark(claim, change)


def mark_counted(claim: Claim, told: int | None) -> None:
    """The device counted it in its drawer, for ever; `told`: the kopecks that it says are in it now."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error, row.printed_at = FiscalStatus.DONE, "", clock.now()
        session.flush()
        audit.record("fiscal.told", row, after={"kind": row.kind, "amount": str(row.amount)}, actor=None)
        note_drawer(row.device_id, told)

    _mark(claim, change)


def mark_unknown(claim: Claim, why: str) -> None:
    """Nobody knows whether it was printed: the device is asked about the same uuid until it says."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.UNKNOWN, why
        row.due_at = clock.now() + rules.pause_after(row.attempts)

    _mark(claim, change)


def mark_later(claim: Claim, why: str, *, refused: bool = False, at_once: bool = False) -> None:
    """Certainly not printed now; tried again by itself. `refused`: the device ended the task, so it needs a new one."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.PLANNED, why
        row.round += refused
        row.due_at = clock.now() + (timedelta() if at_once else rules.pause_after(row.attempts))

    _mark(claim, change)


def mark_failed(claim: Claim, why: str) -> None:
    """The device said that it cannot do this; somebody must look, the others go on."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.FAILED, why
        action = "fiscal.failed" if rules.is_receipt(row.kind) else "fiscal.not_told"
        audit.record(action, row, after={"error": why}, actor=None)
        if rules.touches_drawer(row.body):  # whether its drawer has less than the program thinks is asked
            note_drawer(row.device_id, None)

    _mark(claim, change)


def retry(receipt_id: int, *, actor: User | None) -> FiscalReceipt:
    """Try a receipt now: one that the device refused under a new task, any other under its own.

    Raises:
        NotAllowed, NotFound
    """
    access.require(actor, "fiscal.retry")
    row = lock(FiscalReceipt, receipt_id)
    if row is None:
        raise NotFound()
    if row.status in (FiscalStatus.DONE, FiscalStatus.SENDING, FiscalStatus.REPLACED, FiscalStatus.LEFT):
        raise NotAllowed()
    if row.status == FiscalStatus.FAILED:
        row.round += 1
        row.status = FiscalStatus.PLANNED
    row.due_at = clock.now()
    audit.record("fiscal.retried", row, after={"amount": str(row.amount)}, actor=actor)
    session.flush()
    hurry(row.id)
    return row


def note(
    device_id: int, *, problem: str = "", state: str = "", number: int = 0, expires_at: datetime | None = None,
    not_sent: int | None = None,
) -> None:  # fmt: skip
    """Write what a device said of itself; with a problem the rest stays as it was."""
    device = lock(FiscalDevice, device_id)
    if device is None:
        return
    device.asked_at, device.problem = clock.now(), problem
    if state:
        device.shift_state, device.shift_number, device.shift_expires_at = state, number, expires_at
    if not_sent is not None:
        device.not_sent = not_sent
    session.flush()


def note_works(device_id: int) -> None:
    """A device that does what it is told has no problem any more; not only at the next look."""
    session.execute(
        update(FiscalDevice).where(FiscalDevice.id == device_id, FiscalDevice.problem != "").values(problem="")
    )


def _note_next_shift(device_id: int, number: int) -> None:
    """A receipt of a later shift than is known: that one is open; until when, the device says when it is looked at."""
    session.execute(
        update(FiscalDevice)
        .where(FiscalDevice.id == device_id, FiscalDevice.shift_number < number, FiscalDevice.shift_state != "")
        .values(shift_state="opened", shift_number=number, shift_expires_at=None)
    )


def note_drawer(device_id: int, told: int | None) -> None:
    """Write what a device counts in its drawer, in kopecks; None: it has to be asked. Money is taken meanwhile."""
    known = {"drawer": None, "drawer_at": None} if told is None else {
        "drawer": rules.roubles(told), "drawer_at": clock.now(),
    }  # fmt: skip
    session.execute(update(FiscalDevice).where(FiscalDevice.id == device_id).values(**known))
