"""Who looked at whose card, and at which of its papers: written down, once a day and counted on."""

from typing import Any

from sqlalchemy import Date, DateTime, Integer, Select, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from app import clock
from app.db import Fixed, given
from app.models import CardOpening, Patient, User
from app.patients import queries
from app.vocab import OpenedKind


def _opened(new: Insert, *, counted: bool = True) -> Any:
    """Written down, or counted on. Of this transaction alone nobody waits for the disk."""
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
    return written.returning(func.set_config("synchronous_commit", "off", True))


def _one() -> Insert:
    return insert(CardOpening).values(
        patient_id=given("patient"), user_id=given("who"), day=given("day"), what=given("what"),
        object_id=given("object"), first_at=given("at"), last_at=given("at"), times=1,
    )  # fmt: skip


def _looked(seen: Select[Any]) -> Fixed:
    """What is seen of a card, and the look: none at a card that became another one, for that one is looked at then."""
    card = select(
        Patient.id, given("who", Integer), given("day", Date), literal(OpenedKind.CARD.value), literal(0),
        given("at", DateTime(timezone=True)), given("at", DateTime(timezone=True)), literal(1),
    ).where(Patient.id == given("patient"), Patient.merged_into_id.is_(None))  # fmt: skip
    columns = ["patient_id", "user_id", "day", "what", "object_id", "first_at", "last_at", "times"]
    return Fixed(seen.add_cte(_opened(insert(CardOpening).from_select(columns, card)).cte("looked")))


_OPENED, _SEEN = Fixed(_opened(_one())), Fixed(_opened(_one(), counted=False))
_AT_A_GLANCE = _looked(queries.glanced())
_WITH_LATEST = _looked(queries.with_latest())


def look_at(patient_id: int, *, actor: User) -> queries.Glance | None:
    """A card as its first screen shows it; that the account looks is written down by the same statement.

    None: there is no such card. The caller has asked before whether the account may see it.
    """
    row = _AT_A_GLANCE(**_look(patient_id, actor)).one_or_none()
    return queries.glance_at(row) if row is not None else None


def look_at_all(patient_id: int, *, actor: User) -> Any:
    """The same for programs: the card, its balance, and its newest visits and money, see `queries.latest_of`."""
    return _WITH_LATEST(**_look(patient_id, actor)).one_or_none()


def _look(patient_id: int, actor: User) -> dict[str, Any]:
    return {
        "patient": patient_id, "now": clock.wall_now(), "who": actor.id, "day": clock.today(), "at": clock.now(),
    }  # fmt: skip


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
