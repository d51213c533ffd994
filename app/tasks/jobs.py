"""What happens to call tasks by itself: reasons that went away without anybody telling are ended."""

from app.db import transaction
from app.tasks import operations


def tidy() -> None:
    """End what is no longer a reason: a paid debt, a visit that stands again or no longer, an archived card.

    Safe to run twice and at once; does nothing when the clinic has switched the module off.
    """
    with transaction():
        operations.tidy()
