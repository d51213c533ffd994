"""What happens in the schedule by itself. Every job is safe to run twice."""

import logging

from app.db import transaction
from app.schedule import operations

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
