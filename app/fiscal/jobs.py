"""What the worker does: carry one receipt to the device, look for those that are due, look at the devices.

A receipt whose outcome is unknown (the worker was killed, the answer was lost, the device hangs) is asked for under
its own uuid before anything is sent: one receipt, whatever is killed.
"""

import logging
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import current_app
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.fiscal import operations
from app.gateways.kkt import atol, tasks
from app.gateways.kkt.atol import Kkt, NoAnswer, NotTaken, Outcome
from app.models import FiscalDevice
from app.queue import enqueue
from app.vocab import N_

log = logging.getLogger(__name__)

#: How many times a task is asked for before the worker turns to something else.
POLLS = 15
NO_ADDRESS = N_("The device has no address: write it in the directory, or in KKT_URL.")
HANGS = N_("The device has not finished the task: look at its screen and its paper.")
NO_PAPER = N_("There is no paper: put in a new roll, the receipt will be printed by itself.")
BLOCKED = N_("The queue of the device is blocked by another task: finish or cancel it on the device.")
CANCELLED = N_("The task was cancelled on the device.")


class NotNow(Exception):
    """The receipt was certainly not handed over; `why` is a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def kkt(device_id: int) -> Kkt | None:
    """The wire to a device; None where it has no address."""
    config = current_app.config
    address = session.scalar(select(FiscalDevice.address).where(FiscalDevice.id == device_id)) or config["KKT_URL"]
    session.rollback()
    return Kkt(address.rstrip("/"), config["KKT_LOGIN"], config["KKT_PASSWORD"]) if address else None


def _stale() -> timedelta:
    return timedelta(seconds=current_app.config["KKT_STALE_SECONDS"])


def send(receipt_id: int) -> None:
    """Carry one receipt to its device. Safe to run twice, at once, and to be killed."""
    with transaction():
        claim = operations.claim(receipt_id, _stale())
    if claim is None:
        return
    device = kkt(claim.device_id)
    try:
        if device is None:
            raise NotNow(NO_ADDRESS)
        outcome = _printed(device, claim)
    except (NotNow, NotTaken) as error:
        with transaction():
            operations.mark_later(claim, error.why)
            operations.note(claim.device_id, problem=error.why)
    except NoAnswer as error:
        log.warning("receipt %s: %s", claim.id, error.why)
        with transaction():
            operations.mark_unknown(claim, error.why)
            operations.note(claim.device_id, problem=error.why)
    else:
        with transaction():
            _mark(claim, outcome)


def _printed(device: Kkt, claim: operations.Claim) -> Outcome:
    """Ask first when it may be there already; else open the shift and hand it over; wait for the end."""
    found = device.outcome(claim.uuid) if claim.ask_first else None
    if found is None:
        _open_shift(device, claim.body["operator"]["name"])
        taken = device.add(claim.uuid, claim.body)
        if taken.blocked_by:
            raise NoAnswer(BLOCKED)
        found = device.outcome(claim.uuid)
    return _waited(device, claim.uuid, found)


def _waited(device: Kkt, uuid: str, found: Outcome | None) -> Outcome:
    for _ in range(POLLS):
        if found is None or not found.waiting:
            break
        time.sleep(current_app.config["KKT_POLL_SECONDS"])
        found = device.outcome(uuid)
    if found is None or found.waiting:
        raise NoAnswer(HANGS)
    if found.status in ("blocked", "interrupted"):
        raise NoAnswer(BLOCKED)
    return found


def _mark(claim: operations.Claim, outcome: Outcome) -> None:
    if outcome.done:
        operations.mark_printed(claim, atol.printed(outcome.result))
    elif outcome.code in atol.EXPIRED:
        operations.mark_later(claim, outcome.description, refused=True, at_once=True)
    elif outcome.code == atol.NO_PAPER:
        operations.mark_later(claim, NO_PAPER, refused=True)
        operations.note(claim.device_id, problem=NO_PAPER)
    else:
        operations.mark_failed(claim, outcome.description or CANCELLED)


def _ask(device: Kkt, task: dict[str, Any]) -> dict[str, Any]:
    """Do something on the device that is no receipt.

    Raises:
        NotNow: it was not done, or not in time.
    """
    uuid = str(uuid4())
    try:
        if device.add(uuid, task).blocked_by:
            raise NotNow(BLOCKED)
        outcome = _waited(device, uuid, device.outcome(uuid))
    except (NotTaken, NoAnswer) as error:
        raise NotNow(error.why) from error
    if not outcome.done:
        raise NotNow(NO_PAPER if outcome.code == atol.NO_PAPER else outcome.description)
    return outcome.result


def _open_shift(device: Kkt, cashier: str) -> None:
    """A shift that takes receipts: one older than 24 hours is closed, a closed one opened."""
    state = atol.shift(_ask(device, tasks.ask("getShiftStatus"))).state
    if state == "expired":
        _ask(device, tasks.of_shift("closeShift", cashier))
    if state in ("expired", "closed"):
        _ask(device, tasks.of_shift("openShift", cashier))


def sweep() -> None:
    """Put everything that is due into the queue: new receipts, and what a dead broker, worker or device left."""
    for receipt_id in operations.due(clock.now(), _stale()):
        if not enqueue("app.fiscal.jobs.send", receipt_id, job_id=f"fiscal-{receipt_id}"):
            return


def look() -> None:
    """Ask each device about its shift and what the ОФД has not got."""
    for device_id in session.scalars(select(FiscalDevice.id).where(~FiscalDevice.archived)).all():
        device = kkt(device_id)
        try:
            if device is None:
                raise NotNow(NO_ADDRESS)
            shift = atol.shift(_ask(device, tasks.ask("getShiftStatus")))
            unsent = atol.not_sent(_ask(device, tasks.ask("ofdExchangeStatus")))
        except NotNow as error:
            with transaction():
                operations.note(device_id, problem=error.why)
            continue
        with transaction():
            operations.note(
                device_id, state=shift.state, number=shift.number, expires_at=shift.expires_at, not_sent=unsent
            )
