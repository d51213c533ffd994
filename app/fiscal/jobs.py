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
from flask_babel import force_locale, gettext
from sqlalchemy import select

from app import clock, money
from app.db import session, transaction
from app.fiscal import operations, queries, rules
from app.gateways.kkt import atol, tasks
from app.gateways.kkt.atol import Kkt, NoAnswer, NotTaken, Outcome, Refused
from app.models import FiscalDevice, FiscalShift
from app.queue import enqueue
from app.vocab import N_, FiscalKind

log = logging.getLogger(__name__)

#: How many times a task is asked for before the worker turns to something else.
POLLS = 15
NO_ADDRESS = N_("The device has no address: write it in the directory, or in KKT_URL.")
MAYBE_PRINTED = N_("The fiscal device did not answer; whether it has done it will be asked.")
HANGS = N_("The device has not finished the task: look at its screen and its paper.")
NO_PAPER = N_("There is no paper: put in a new roll, the rest is done by itself.")
BLOCKED = N_("The queue of the device is blocked by another task: finish or cancel it on the device.")
NO_NUMBERS = N_("The device says that it is done, without fiscal numbers: look whether the receipt was printed.")
CANCELLED = N_("The task was cancelled on the device.")
NO_DRAWER = N_("The device does not tell what it counts in its drawer.")


class NotNow(Exception):
    """The receipt was certainly not handed over; `why` is a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Undone(NotNow):
    """The device answered that it cannot do this."""


def kkt(device_id: int) -> Kkt | None:
    """The wire to a device; None where it has no address. `{device}` in KKT_URL is the number of the device."""
    config = current_app.config
    common = config["KKT_URL"].replace("{device}", str(device_id))
    address = session.scalar(select(FiscalDevice.address).where(FiscalDevice.id == device_id)) or common
    session.rollback()
    return Kkt(address.rstrip("/"), config["KKT_LOGIN"], config["KKT_PASSWORD"]) if address else None


def _stale() -> timedelta:
    return timedelta(seconds=current_app.config["KKT_STALE_SECONDS"])


def send(receipt_id: int) -> None:
    """Carry one receipt to its device, then the next of it. Safe to run twice, at once, and to be killed."""
    with transaction():
        claim = operations.claim(receipt_id, _stale())
    if claim is None:
        return
    device = kkt(claim.device_id)
    try:
        if device is None:
            raise NotNow(NO_ADDRESS)
        outcome = _printed(device, claim)
    except Refused as error:
        with transaction():
            operations.mark_failed(claim, error.why)
    except (NotNow, NotTaken) as error:
        with transaction():
            operations.mark_later(claim, error.why)
            operations.note(claim.device_id, problem=error.why)
    except NoAnswer as error:
        log.warning("receipt %s: %s", claim.id, error.why)
        with transaction():
            operations.mark_unknown(claim, MAYBE_PRINTED if error.why == atol.NO_ANSWER else error.why)
            operations.note(claim.device_id, problem=error.why)
    else:
        with transaction():
            _mark(claim, outcome)
            following = operations.next_of(claim.device_id)
        if following is not None:
            enqueue("app.fiscal.jobs.send", following, job_id=f"fiscal-{following}")
        else:
            _look_into_drawer(device, claim.device_id)


def _printed(device: Kkt, claim: operations.Claim) -> Outcome:
    """Ask first when it may be there already; else open the shift and hand it over; wait for the end."""
    try:
        found = device.outcome(claim.uuid) if claim.ask_first else None
    except NoAnswer as error:
        if claim.lost:
            raise
        raise NotNow(error.why) from error  # it was never handed over, and was not now
    if found is None:
        _open_shift(device, claim.device_id, claim.body["operator"]["name"])
        taken = device.add(claim.uuid, claim.body)
        if taken.blocked_by:
            raise NoAnswer(_blocked(claim.device_id, taken.blocked_by))
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
        operations.note_works(claim.device_id)
    if outcome.done and not rules.is_receipt(claim.body["type"]):
        operations.mark_counted(claim, atol.drawer(outcome.result))
    elif outcome.done:
        numbers = atol.printed(outcome.result)
        if numbers.fn and numbers.document > 0:
            operations.mark_printed(claim, numbers)
        else:
            operations.mark_unknown(claim, NO_NUMBERS)
    elif outcome.code in atol.EXPIRED:
        operations.mark_later(claim, outcome.description, refused=True, at_once=True)
    elif outcome.code == atol.NO_PAPER:
        operations.mark_later(claim, NO_PAPER, refused=True)
        operations.note(claim.device_id, problem=NO_PAPER)
    else:
        operations.mark_failed(claim, outcome.description or CANCELLED)


def _ask(device: Kkt, device_id: int, task: dict[str, Any], uuid: str = "") -> dict[str, Any]:
    """Do something on the device that is no receipt; one thing at a time, so that a device that hangs is not heaped up.

    Raises:
        NotNow: it was not done, or not in time, or the device has not answered what it was asked before.
    """
    before = session.scalar(select(FiscalDevice.pending).where(FiscalDevice.id == device_id))
    session.rollback()
    mine = uuid or str(uuid4())
    try:
        if before:
            asked = device.outcome(before)
            if asked is not None:  # else it never got there
                _waited(device, before, asked)
            _keep_pending(device_id, "")
            before = ""
        taken = device.add(mine, task)
        if taken.blocked_by:
            raise NotNow(_blocked(device_id, taken.blocked_by))
        outcome = _waited(device, mine, device.outcome(mine))
    except NotTaken as error:
        raise NotNow(error.why) from error
    except NoAnswer as error:
        if not before:
            _keep_pending(device_id, mine)
        raise NotNow(error.why) from error
    if not outcome.done:
        raise Undone(NO_PAPER if outcome.code == atol.NO_PAPER else outcome.description)
    return outcome.result


def _blocked(device_id: int, uuid: str) -> str:
    """What blocks the queue of a device; when it is a task of ours, its name, in the clinic's language."""
    row = queries.sent_as(device_id, uuid)
    if row is None:
        return BLOCKED
    with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
        return gettext(
            "The queue of the device is blocked by “%(kind)s” for %(amount)s ₽ of %(when)s: finish or cancel it on the"
            " device.",
            kind=gettext(FiscalKind(row.kind).label), amount=money.shown(row.amount),
            when=f"{clock.wall(row.created_at):%d.%m.%Y %H:%M}",
        )  # fmt: skip


def _keep_pending(device_id: int, uuid: str) -> None:
    with transaction():
        operations.keep_pending(device_id, uuid)


def _open_shift(device: Kkt, device_id: int, cashier: str) -> None:
    """A shift that takes receipts: one older than 24 hours is closed, a closed one opened."""
    shift = atol.shift(_ask(device, device_id, tasks.ask("getShiftStatus")))
    if shift.state == "expired":
        _close(device, device_id, shift.number, cashier)
    if shift.state in ("expired", "closed"):
        _ask(device, device_id, tasks.of_shift("openShift", cashier))


def _drawer(device: Kkt, device_id: int) -> int | None:
    """The kopecks that the device counts in its drawer; None: it cannot tell."""
    try:
        return atol.drawer(_ask(device, device_id, tasks.ask("getCashDrawerStatus")))
    except Undone as error:
        log.warning("device %s does not tell of its drawer: %s", device_id, error.why)
        return None


def _look_into_drawer(device: Kkt, device_id: int) -> None:
    """Ask what is in the drawer of a device that has a rest, unless it is known; it can wait for the next look."""
    known = session.scalar(select(FiscalDevice.drawer).where(FiscalDevice.id == device_id))
    session.rollback()
    if known is not None:
        return
    try:
        told = _drawer(device, device_id)
    except NotNow as error:
        log.warning("device %s: %s", device_id, error.why)
        return
    with transaction():
        operations.note_drawer(device_id, told)


def _close(device: Kkt, device_id: int, number: int, cashier: str) -> None:
    """Close the device's shift; its totals are kept first, and a close whose answer was lost is asked for."""
    told = atol.totals(_ask(device, device_id, tasks.ask("getShiftTotals")))
    with transaction():
        uuid, ask_first = operations.begin_closing(device_id, number, told)
    found = device.outcome(str(uuid)) if ask_first else None
    if found is not None:
        found = _waited(device, str(uuid), found)
        if not found.done:
            with transaction():
                uuid, found = operations.new_task(device_id, number), None
    result = found.result if found else _ask(device, device_id, tasks.of_shift("closeShift", cashier), str(uuid))
    with transaction():
        operations.mark_closed(device_id, number, atol.closed_with(result), told)


def _finish_closing(device: Kkt, device_id: int) -> None:
    """What closed while the worker died is written down."""
    left = session.execute(
        select(FiscalShift.number, FiscalShift.uuid).where(
            FiscalShift.device_id == device_id, FiscalShift.closed_at.is_(None)
        )
    ).all()
    session.rollback()
    for number, uuid in left:
        found = device.outcome(str(uuid))
        if found is not None and found.done:
            with transaction():
                operations.mark_closed(device_id, number, atol.closed_with(found.result))


def close_shift(device_id: int) -> None:
    """Close a device's shift because somebody asked for it. Safe to run twice and to be killed."""
    cashier = session.scalar(select(FiscalDevice.closing_by).where(FiscalDevice.id == device_id))
    session.rollback()
    device = kkt(device_id)
    if not cashier:
        return
    try:
        if device is None:
            raise NotNow(NO_ADDRESS)
        shift = atol.shift(_ask(device, device_id, tasks.ask("getShiftStatus")))
        if shift.state != "closed":
            _close(device, device_id, shift.number, cashier)
    except (NotNow, NoAnswer) as error:
        _problem(device_id, error.why)
    else:
        with transaction():
            operations.no_more_closing(device_id)
        look_at(device_id)


def level(device_id: int) -> None:
    """Level a device's drawer with the desks because somebody asked for it. Safe to run twice and to be killed.

    Not while the device has anything else to do: the sweep comes again.
    """
    asked = session.scalar(select(FiscalDevice.levelling_by).where(FiscalDevice.id == device_id))
    since = queries.rest_of(device_id)
    session.rollback()
    device = kkt(device_id)
    if not asked or since is None:
        return
    try:
        if device is None:
            raise NotNow(NO_ADDRESS)
        told = _drawer(device, device_id)
        if told is None:
            raise NotNow(NO_DRAWER)
    except (NotNow, NoAnswer) as error:
        _problem(device_id, error.why)
        return
    with transaction():
        operations.level(device_id, told, since)


def _problem(device_id: int, why: str) -> None:
    with transaction():
        operations.note(device_id, problem=why)


def sweep() -> None:
    """Put everything that is due into the queue: what a dead broker, worker or device left."""
    for receipt_id in operations.due(clock.now(), _stale()):
        if not enqueue("app.fiscal.jobs.send", receipt_id, job_id=f"fiscal-{receipt_id}"):
            return
    for device_id in session.scalars(select(FiscalDevice.id).where(FiscalDevice.closing_by != "")):
        enqueue("app.fiscal.jobs.close_shift", device_id, job_id=f"fiscal-close-{device_id}")
    levelled = select(FiscalDevice.id).where(FiscalDevice.levelling_by != "", ~FiscalDevice.archived)
    for device_id in session.scalars(levelled):
        enqueue("app.fiscal.jobs.level", device_id, job_id=f"fiscal-level-{device_id}")


def look() -> None:
    """Ask each device about its shift, its drawer and what the ОФД has not got."""
    for device_id in session.scalars(select(FiscalDevice.id).where(~FiscalDevice.archived)).all():
        look_at(device_id)


def look_at(device_id: int) -> None:
    """Ask one device."""
    device = kkt(device_id)
    try:
        if device is None:
            raise NotNow(NO_ADDRESS)
        shift = atol.shift(_ask(device, device_id, tasks.ask("getShiftStatus")))
        unsent = atol.not_sent(_ask(device, device_id, tasks.ask("ofdExchangeStatus")))
        told = _drawer(device, device_id)
        _finish_closing(device, device_id)
    except (NotNow, NoAnswer) as error:
        _problem(device_id, error.why)
        return
    with transaction():
        operations.note_drawer(device_id, told)
        operations.note(device_id, state=shift.state, number=shift.number, expires_at=shift.expires_at, not_sent=unsent)
