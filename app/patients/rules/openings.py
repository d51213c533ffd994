"""When a day of looking into cards is worth a question."""

from collections.abc import Sequence
from statistics import median

#: Fewer cards than this a day are nobody's business.
FEW = 40


def usual(days: Sequence[int]) -> int:
    """How many cards a day an employee usually opens; a single wild day does not move it."""
    return int(median(days)) if days else 0


def asks_for_a_look(cards: int, usually: int, elsewhere: int) -> bool:
    """Many more cards than the employee usually opens in a day, or, for who has no usual yet, than the others do."""
    return cards >= FEW and cards > 2 * (usually or elsewhere)
