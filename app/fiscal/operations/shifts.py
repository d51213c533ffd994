"""Shifts of a device: its totals are kept before it is told to close, and compared with the program's.

Where next: `jobs.py`, which talks to the device.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from app import access, audit, clock
from app.db import after_commit, lock, session
from app.errors import NotFound
from app.fiscal import queries
from app.models import FiscalDevice, FiscalShift, User
from app.queue import enqueue


def ask_to_close(device_id: int, *, actor: User | None) -> FiscalDevice:
    """Let the worker close the device's shift: the report «Z» comes out of it. Locks the device.

    Raises:
        NotAllowed, NotFound
    """
    access.require(actor, "fiscal.close")
    device, cashier = device_in_use(device_id, actor)
    device.closing_by = cashier
    session.flush()
    audit.record("fiscal.shift_closing", device, after={"number": device.shift_number}, actor=actor)
    after_commit(lambda: _enqueue(device_id))
    return device


def _enqueue(device_id: int) -> None:
    enqueue("app.fiscal.jobs.close_shift", device_id, job_id=f"fiscal-close-{device_id}")


def device_in_use(device_id: int, actor: User | None) -> tuple[FiscalDevice, str]:
    """A device that is not archived, locked, and the cashier whom its next paper names.

    Raises:
        NotFound
    """
    device = lock(FiscalDevice, device_id)
    if device is None or device.archived:
        raise NotFound()
    return device, (access.account(actor).name if actor else "") or "Кассир"


def begin_closing(device_id: int, number: int, told: Mapping[str, Any]) -> tuple[UUID, bool]:
    """Keep what the device tells of its shift before it is closed; the task's uuid, and whether it may be there.

    The caller commits before the device is told.
    """
    row = session.scalar(
        select(FiscalShift)
        .where(FiscalShift.device_id == device_id, FiscalShift.number == number)
        .with_for_update(of=FiscalShift)
    )
    if row is not None:
        return row.uuid, True
    row = FiscalShift(
        device_id=device_id, number=number, uuid=uuid4(), told=dict(told), counted=queries.counted(device_id, number),
        created_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.uuid, False


def new_task(device_id: int, number: int) -> UUID:
    """The device refused to close the shift: the next try is a new task.

    Raises:
        NotFound
    """
    row = _closing(device_id, number)
    row.uuid = uuid4()
    session.flush()
    return row.uuid


def mark_closed(device_id: int, number: int, document: int, told: Mapping[str, Any] | None = None) -> None:
    """The device closed its shift under this fiscal document: its last totals, and what the program's receipts make."""
    row = _closing(device_id, number)
    if row.closed_at is not None:
        return
    row.told, row.counted = dict(told or row.told), queries.counted(device_id, number)
    row.document, row.closed_at = document, clock.now()
    session.flush()
    session.execute(  # what the device said of this shift before is over, too, not only at the next look
        update(FiscalDevice)
        .where(FiscalDevice.id == device_id, FiscalDevice.shift_number <= number)
        .values(shift_state="closed", shift_number=number, shift_expires_at=None)
    )
    after = {"number": number, "differs": row.told != row.counted}
    audit.record("fiscal.shift_closed", row, after=after, actor=None)


def _closing(device_id: int, number: int) -> FiscalShift:
    found = session.scalar(
        select(FiscalShift.id).where(FiscalShift.device_id == device_id, FiscalShift.number == number)
    )
    row = lock(FiscalShift, found) if found is not None else None
    if row is None:
        raise NotFound()
    return row


def no_more_closing(device_id: int) -> None:
    """What was asked is done, or there is nothing to close."""
    device = lock(FiscalDevice, device_id)
    if device is not None:
        device.closing_by = ""
        session.flush()


def keep_pending(device_id: int, uuid: str) -> None:
    """A question that the device has not answered yet; empty: it has."""
    device = lock(FiscalDevice, device_id)
    if device is not None:
        device.pending = uuid
        session.flush()
