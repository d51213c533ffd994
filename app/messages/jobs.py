"""What the worker does: send one message, look for those that are due, ask which were delivered.

The row's own number is the gateway's reference. A message whose outcome is unknown (the worker was killed, the
answer was lost) is asked for first and sent only when the gateway does not know it: one message, whatever is killed.
"""

import logging
from datetime import timedelta

from flask import current_app

from app import clock
from app.db import transaction
from app.gateways.sms.smsc import Gateway, GatewayError, NoAnswer, NotDelivered, NotTaken, Taken
from app.messages import operations
from app.queue import enqueue

log = logging.getLogger(__name__)


def gateway() -> Gateway | None:
    """The clinic's gateway; None where none is set up: messages wait, and the page of messages says so."""
    config = current_app.config
    if not config["SMS_GATEWAY_URL"]:
        return None
    return Gateway(
        url=config["SMS_GATEWAY_URL"],
        login=config["SMS_GATEWAY_LOGIN"],
        password=config["SMS_GATEWAY_PASSWORD"],
        sender=config["SMS_SENDER"],
    )


def public_url() -> str:
    """Where patients reach the clinic's pages; empty when they cannot."""
    return str(current_app.config["PUBLIC_URL"])


def _stale() -> timedelta:
    return timedelta(seconds=current_app.config["SMS_STALE_SECONDS"])


def send(message_id: int) -> None:
    """Send one message, if it is due and nobody else has it. Safe to run twice, at once, and to be killed."""
    through = gateway()
    if through is None:
        return
    with transaction():
        claim = operations.claim(message_id, _stale(), public_url=public_url())
    if claim is None:
        return
    try:
        taken = _hand_over(through, claim)
    except NotDelivered as lost:
        with transaction():
            operations.mark_undelivered(claim, lost.why)
    except NotTaken as refused:
        log.warning("message %s not taken: %s", claim.id, refused.why)
        with transaction():
            operations.mark_untaken(claim, refused.why, final=refused.final)
    except NoAnswer as silence:
        log.warning("message %s: %s", claim.id, silence.why)
        with transaction():
            operations.mark_unknown(claim, silence.why)
    else:
        if taken is not None:
            with transaction():
                operations.mark_sent(claim, parts=taken.parts, price=taken.price)


def _hand_over(through: Gateway, claim: operations.Claim) -> Taken | None:
    """Ask first when an earlier attempt may have got through, then send what is so now; None: nothing to be sent."""
    if claim.ask_first:
        found = through.status(claim.phone, reference=claim.reference)
        if found is not None:
            return found
        with transaction():
            fresh = operations.prepare(claim, public_url=public_url())
        if fresh is None:
            return None
        claim = fresh
    return through.send(claim.phone, claim.body, reference=claim.reference)


def sweep() -> None:
    """Put everything that is due into the queue: new messages, and what a dead broker or worker left."""
    if gateway() is None:
        return
    for message_id in operations.due(clock.now(), _stale()):
        if not enqueue("app.messages.jobs.send", message_id, job_id=f"message-{message_id}"):
            return


def ask_delivery() -> None:
    """Ask the gateway which messages came to the phone, until it is known or no longer asked."""
    through = gateway()
    if through is None:
        return
    for sent in operations.undelivered(clock.now()):
        try:
            found = through.status(sent.phone, reference=sent.reference)
        except NotDelivered as lost:
            with transaction():
                operations.mark_lost(sent, lost.why)
            continue
        except GatewayError as error:
            log.warning("delivery is not known: %s", error.why)
            return  # the next tick asks again
        with transaction():
            if found is not None and found.delivered:
                operations.mark_delivered(sent)
            else:
                operations.mark_asked(sent)
