"""The device's drawer when it disagrees with the desks: what it was not told of is left, or the two are levelled.

A new device counts nothing in its drawer while the desks hold money; and what somebody pays in or out on the device
itself the program does not know. Where next: `intents.py` for what it is told of, `jobs.py`, which asks it.
"""

from app import access, audit
from app.db import after_commit, lock, session
from app.errors import NotFound, WrongStatus
from app.fiscal import queries, rules
from app.fiscal.operations.intents import cash_task
from app.fiscal.operations.shifts import device_in_use
from app.models import FiscalDevice, FiscalReceipt, User
from app.queue import enqueue
from app.vocab import FiscalStatus


def can_be_left(receipt: FiscalReceipt) -> bool:
    """Has the device certainly not counted it, so that nobody need tell it any more?"""
    return not rules.is_receipt(receipt.kind) and receipt.status in (FiscalStatus.FAILED, FiscalStatus.PLANNED)


def leave(receipt_id: int, *, actor: User | None) -> FiscalReceipt:
    """The device need not be told of this cash: somebody did it on the device, or it will be levelled.

    Locks the task, so that no worker carries it meanwhile. Records `fiscal.left`.

    Raises:
        NotAllowed, NotFound
        WrongStatus: it was counted, or nobody knows yet whether it was; a receipt, which is never left.
    """
    access.require(actor, "fiscal.correct")
    row = lock(FiscalReceipt, receipt_id)
    if row is None:
        raise NotFound()
    if not can_be_left(row):
        raise WrongStatus({"status": rules.status_word(row.kind, row.status)})
    row.status = FiscalStatus.LEFT
    session.flush()
    audit.record("fiscal.left", row, after={"kind": row.kind, "amount": str(row.amount)}, actor=actor)
    return row


def ask_to_level(device_id: int, *, actor: User | None) -> FiscalDevice:
    """Let the worker count in the device's drawer, or out of it, what makes it hold what the desks hold.

    Done when the device has nothing else to do. Locks the device. Records `fiscal.levelling`.

    Raises:
        NotAllowed, NotFound
    """
    access.require(actor, "fiscal.correct")
    device, cashier = device_in_use(device_id, actor)
    device.levelling_by = cashier
    session.flush()
    audit.record("fiscal.levelling", device, after={}, actor=actor)
    after_commit(lambda: _enqueue(device_id))
    return device


def _enqueue(device_id: int) -> None:
    enqueue("app.fiscal.jobs.level", device_id, job_id=f"fiscal-level-{device_id}")


def level(device_id: int, told: int, since: int) -> None:
    """Write the one task that levels a drawer of so many kopecks; `since`: the device's rest when it was asked.

    Nothing when the device has something to do, or did it since it was asked: it is asked again. The desks are read
    before that is looked at, so cash that moved in between is either in both sums or stops this. Locks the device.
    """
    device = lock(FiscalDevice, device_id)
    if device is None or device.archived or not device.levelling_by:
        return
    held = [drawer.desks for drawer in queries.drawers(device.legal_entity_id, device.branch_id)]
    if queries.rest_of(device_id) != since:
        return
    change = sum(held, -rules.roubles(told))
    cashier, device.levelling_by = device.levelling_by, ""
    session.flush()
    if change:
        cash_task(device_id, change, cashier, actor=None)
