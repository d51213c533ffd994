"""Who looked at whose card, and at which of its papers: written down, once a day and counted on."""

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app import clock
from app.db import Fixed, given
from app.models import CardOpening, User
from app.vocab import OpenedKind


def _opened() -> Fixed:
    new = insert(CardOpening).values(
        patient_id=given("patient"), user_id=given("who"), day=given("day"), what=given("what"),
        object_id=given("object"), first_at=given("at"), last_at=given("at"), times=1,
    )  # fmt: skip
    return Fixed(
        new.on_conflict_do_update(
            index_elements=["patient_id", "user_id", "day", "what", "object_id"],
            set_={
                "times": CardOpening.times + 1,
                "last_at": func.greatest(CardOpening.last_at, new.excluded.last_at),
            },
        ).returning(func.set_config("synchronous_commit", "off", True))  # of this transaction alone
    )


_OPENED = _opened()


def note_opening(
    patient_id: int, what: OpenedKind = OpenedKind.CARD, object_id: int = 0, *, actor: User
) -> None:  # fmt: skip
    """The account looks at this card now, or at this paper or scan of it.

    In a request that reads, the one statement is a transaction of its own: BEGIN and COMMIT around it would be two more
    ways to the database, for a page that needs five. Inside of `transaction()` it is written with the rest.

    Nobody waits for the disk before a card is shown: a power cut may take the openings of its last half second,
    and whatever else would be written with one.
    """
    _OPENED(patient=patient_id, who=actor.id, day=clock.today(), what=what.value, object=object_id, at=clock.now())
