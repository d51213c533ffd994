"""Who looked at whose card, and at which of its papers: written down, once a day and counted on."""

from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app import clock
from app.db import Fixed, given
from app.models import CardOpening, User
from app.vocab import OpenedKind


def _opened(*, counted: bool) -> Fixed:
    new = insert(CardOpening).values(
        patient_id=given("patient"), user_id=given("who"), day=given("day"), what=given("what"),
        object_id=given("object"), first_at=given("at"), last_at=given("at"), times=1,
    )  # fmt: skip
    known = ["patient_id", "user_id", "day", "what", "object_id"]
    once_more = {
        "times": CardOpening.times + 1,
        "last_at": func.greatest(CardOpening.last_at, new.excluded.last_at),
    }
    written = (
        new.on_conflict_do_update(index_elements=known, set_=once_more)
        if counted
        else new.on_conflict_do_nothing(index_elements=known)
    )
    return Fixed(written.returning(func.set_config("synchronous_commit", "off", True)))  # of this transaction alone


_OPENED, _SEEN = _opened(counted=True), _opened(counted=False)


def note_opening(
    patient_id: int, what: OpenedKind = OpenedKind.CARD, object_id: int = 0, *, actor: User
) -> None:  # fmt: skip
    """The account looks at this card now, or at this paper or scan of it.

    In a request that reads, the one statement is a transaction of its own: BEGIN and COMMIT around it would be two more
    ways to the database, for a page that needs five. Inside of `transaction()` it is written with the rest.

    Nobody waits for the disk before a card is shown: a power cut may take the openings of its last half second,
    and whatever else would be written with one.
    """
    _OPENED(**_opening(patient_id, what, object_id, actor))


def note_seen(patient_id: int, *, actor: User) -> None:
    """The account looks at a part of this card: an opening, if it has not opened the card today."""
    _SEEN(**_opening(patient_id, OpenedKind.CARD, 0, actor))


def _opening(patient_id: int, what: OpenedKind, object_id: int, actor: User) -> dict[str, Any]:
    return {
        "patient": patient_id, "who": actor.id, "day": clock.today(), "what": what.value, "object": object_id,
        "at": clock.now(),
    }  # fmt: skip
