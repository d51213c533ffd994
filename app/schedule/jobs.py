"""What happens in the schedule by itself. Every job is safe to run twice."""

import logging
from pathlib import Path

from flask import current_app

from app import clock
from app.db import transaction
from app.gateways.sms.smsc import GatewayError
from app.messages import jobs as messages
from app.messages import queries as outbox
from app.schedule import operations, spare

log = logging.getLogger(__name__)


def lift_ended_holds() -> None:
    """Write down that holds have ended; they count nowhere from their last moment on."""
    with transaction():
        lifted = operations.lift_ended()
    if lifted:
        log.info("holds that ended: %s", lifted)


def extend_hours() -> None:
    """Make doctors' hours from their patterns, so many weeks ahead as the clinic has set."""
    with transaction():
        written = operations.make_hours(actor=None)
    if written.added or written.clashes:
        log.info("doctors' hours: %s made, %s in somebody's way", written.added, len(written.clashes))


def end_offers() -> None:
    """Offers of free time that nobody answered in time end; their patients wait on."""
    with transaction():
        ended = operations.expire_offers()
    if ended:
        log.info("offers of free time that nobody answered: %s", ended)


def call_planned() -> None:
    """About which planned visits it is time to call, and who waited in vain, goes to the list of calls."""
    with transaction():
        due = operations.call_due()
    with transaction():
        gone = operations.give_up()
    if due or gone:
        log.info("planned visits to call about: %s; waited in vain: %s", due, gone)


def note_notified() -> None:
    """Patients whom a message has asked to come count as notified."""
    for told in outbox.told_but_not_noted():
        with transaction():
            operations.note_notified(told.appointment_id, told.planned_time)


def take_replies() -> None:
    """Fetch what patients answered; each reply is taken once, in a transaction of its own."""
    through = messages.gateway()
    if through is None:
        return
    try:
        found = through.replies()
    except GatewayError as error:
        log.warning("replies are not known: %s", error.why)
        return
    known = outbox.known_replies([reply.id for reply in found])
    now = clock.now()
    for reply in found:
        if reply.id in known:
            continue
        received = min(reply.received_at.replace(tzinfo=clock.zone()), now) if reply.received_at else now
        with transaction():
            operations.take_reply(reply.id, reply.phone, reply.text, received)


def keep_spare_sheets() -> None:
    """Write the spare sheets anew where the schedule has changed since they were made."""
    written = spare.refresh(Path(current_app.config["SPARE_DIR"]))
    if written:
        log.info("spare sheets made for branches %s", written)
