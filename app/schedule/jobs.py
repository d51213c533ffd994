"""What happens in the schedule by itself. Every job is safe to run twice."""

import logging

from app.db import transaction
from app.schedule import operations

log = logging.getLogger(__name__)


def extend_hours() -> None:
    """Make doctors' hours from their patterns, so many weeks ahead as the clinic has set."""
    with transaction():
        written = operations.make_hours(actor=None)
    if written.added or written.clashes:
        log.info("doctors' hours: %s made, %s in somebody's way", written.added, len(written.clashes))
