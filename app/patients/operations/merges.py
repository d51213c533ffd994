"""Two cards of one person become one, and two again when that was a mistake.

Locks both cards and both accounts by number. Where next: `../queries/merges.py` for what belongs to a card.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from sqlalchemy import Column, String, Table, and_, func, or_, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from app import access, audit, clock
from app.db import constraint_of, lock, session
from app.errors import CardArchived, Invalid, NotFound, NotMergeable, ReasonNeeded
from app.models import AdvanceTransfer, CardMerge, Patient, User
from app.patients import queries, rules
from app.vocab import N_, CardStatus, TaskStatus

_SAME_TIME = N_("Both cards have a visit at the same time: cancel or move one of them first.")
_SAME_YEAR = N_("Both cards have a certificate for the tax office of the same year: annul one of them first.")
_TWO_PEOPLE = N_("One of them is the guardian, the payer or the giver of an advance of the other: they are two people.")
_MERGED = N_("One of these cards has been merged already.")
_PARTED = N_("These cards have been parted already.")
_SPENT = N_(
    "What one of the cards had paid ahead has paid a bill of the other since: return that payment, then part the cards."
)
_ERASED = N_("One of these cards was emptied on the patient's demand.")
_ON = N_("The card that stayed was merged on: part that merge first.")


def merge_cards(
    loser_id: int, winner_id: int, chosen: Mapping[str, str], reason: str, *, actor: User | None
) -> CardMerge:
    """The winner gets all that belongs to the loser, and those fields that were chosen from it; both, for texts.

    `chosen`: {field: "loser" or "both"}; what is not named stays as the winner has it, and an empty one is filled.
    The loser goes to the archive and is found by its number as the winner. Records `card.merged`.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        NotMergeable: they are two people, they were merged already, both have what there can be only one of.
    """
    access.require(actor, "card.merge")
    if not reason.strip():
        raise ReasonNeeded()
    if loser_id == winner_id:
        raise Invalid(fields={"with": N_("Choose another card.")})
    loser, winner = _locked(loser_id, winner_id)
    if loser.merged_into_id or winner.merged_into_id:
        raise NotMergeable({"why": _MERGED})
    if winner.status == CardStatus.ARCHIVED:
        raise CardArchived()
    _check_one_person(loser, winner)
    mine, other = (
        {name: getattr(card, name) for name in (*rules.MERGED_FIELDS, *rules.CASES)} for card in (winner, loser)
    )
    before = {name: _plain(value) for name, value in mine.items()}
    after = rules.merged(mine, other, chosen)
    after |= rules.merged_cases(mine, other, after)
    row = CardMerge(
        loser_id=loser.id, winner_id=winner.id, reason=reason.strip()[:400], moved={}, created_at=clock.now(),
        fields={
            "winner": before, "merged": {name: _plain(value) for name, value in after.items()},
            "loser": {"status": loser.status, "archive_reason": loser.archive_reason},
        },
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    row.moved = _belonging(loser.id, winner.id)
    session.add(row)
    session.flush()
    _move(row.moved, loser.id, winner.id)
    for name, value in after.items():
        setattr(winner, name, value)
    loser.status, loser.archive_reason, loser.merged_into_id = CardStatus.ARCHIVED, row.reason, winner.id
    loser.version += 1
    winner.version += 1
    session.flush()
    session.expire(winner)
    winner.status = rules.card_status(winner.birth_date, bool(winner.phones))
    session.flush()
    told = {"reason": row.reason, "number": f"{loser.card_number}", "name": loser.full_name}
    audit.record("card.merged", winner, after=told, patient_id=winner.id, actor=actor)
    return row


def part_cards(merge_id: int, *, actor: User | None) -> CardMerge:
    """Undo a merge: what was moved goes back, and so do the fields, unless somebody changed them since.

    What came after the merge stays with the card that stayed, but for the money of bills that go back: their payments,
    refunds and reversing orders go along. Records `card.parted`.

    Raises:
        NotAllowed, NotFound
        NotMergeable: it was undone already, the winner was merged on, the money is not there any more, a payment is for
            bills of both.
    """
    access.require(actor, "card.merge")
    row = lock(CardMerge, merge_id)
    if row is None:
        raise NotFound()
    loser, winner = _locked(row.loser_id, row.winner_id)
    if row.undone_at is not None or loser.merged_into_id != winner.id:
        raise NotMergeable({"why": _PARTED})
    if winner.merged_into_id:
        raise NotMergeable({"why": _ON})
    following = queries.follows(row.moved, winner.id)
    if following.mixed:
        numbers = ", ".join(map(str, following.mixed))
        raise NotMergeable({"why": gettext(
            "These payments are for bills of both cards: № %(numbers)s. Return each of them whole and take it anew, the"
            " bills of each card as a payment of their own; then part the cards.", numbers=numbers,
        )})  # fmt: skip
    transaction_id = session.scalar(select(func.pg_current_xact_id().cast(String)))
    row.undone_at, row.undone_by_id, row.undone_in = clock.now(), actor.id if actor else None, transaction_id
    session.flush()
    loser.merged_into_id = None
    loser.status, loser.archive_reason = row.fields["loser"]["status"], row.fields["loser"]["archive_reason"]
    session.flush()
    _move(_together(row.moved, following.rows), winner.id, loser.id)
    merged = row.fields["merged"]
    changed = {name for name, value in merged.items() if _plain(getattr(winner, name)) != value}
    if changed & set(rules.IDENTITY):
        changed |= set(rules.IDENTITY)
    for name in merged:
        if name not in changed:
            setattr(winner, name, _typed(Patient.__table__.c[name], row.fields["winner"][name]))
    loser.version += 1
    winner.version += 1
    session.flush()
    session.expire(winner)
    session.expire(loser)
    if winner.status != CardStatus.ARCHIVED:
        winner.status = rules.card_status(winner.birth_date, bool(winner.phones))
    session.flush()
    told = {"number": f"{loser.card_number}", "name": loser.full_name}
    audit.record("card.parted", winner, after=told, patient_id=winner.id, actor=actor)
    return row


def _together(moved: Mapping[str, list[Any]], more: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The keys of both, each once; all of a table in one, for the balances move with all entries of the ledger."""
    return {
        name: [*moved.get(name, ()), *(key for key in more.get(name, ()) if key not in moved.get(name, ()))]
        for name in {**moved, **more}
    }


def _locked(loser_id: int, winner_id: int) -> tuple[Patient, Patient]:
    """Both cards, and both accounts of money, by number: nobody pays, books or edits meanwhile."""
    queries.lock_account(loser_id, winner_id)
    found = {pk: lock(Patient, pk) for pk in sorted((loser_id, winner_id))}
    loser, winner = found[loser_id], found[winner_id]
    if loser is None or winner is None:
        raise NotFound()
    if loser.erased_at or winner.erased_at:
        raise NotMergeable({"why": _ERASED})
    return loser, winner


def _check_one_person(loser: Patient, winner: Patient) -> None:
    """Who signs, pays or gives an advance for the other is another person."""
    pair = (loser.id, winner.id)
    passed = select(AdvanceTransfer.id).where(AdvanceTransfer.from_id.in_(pair), AdvanceTransfer.to_id.in_(pair))
    if (
        {loser.guardian_id, loser.payer_id} & {winner.id}
        or {winner.guardian_id, winner.payer_id} & {loser.id}
        or session.scalar(passed.limit(1))
    ):
        raise NotMergeable({"why": _TWO_PEOPLE})


def _belonging(loser_id: int, winner_id: int) -> dict[str, list[Any]]:
    """The keys of all rows that name the loser, but those of which the winner has the like: {table.column: keys}."""
    moved = {}
    for table, column in queries.references():
        rows = session.execute(
            select(*queries.key_of(table, column)).where(column == loser_id, ~_like_winners(table, column, winner_id))
        ).all()
        if rows:
            moved[f"{table.name}.{column.name}"] = [[_plain(value) for value in row] for row in rows]
    return moved


#: Of what a card can have only one: the winner's stays, the loser's is not moved. By columns that make them alike.
_ONE_OF = {
    "patient_phone": ("number",), "patient_tagged": ("tag_id",), "next_visit_refusal": ("business_day",),
    "patient_consent": ("kind",), "call_task": (), "card_opening": ("user_id", "day", "what", "object_id"),
}  # fmt: skip


def _like_winners(table: Table, column: Column[Any], winner_id: int) -> Any:
    """Has the winner a row like this one already?"""
    if table.name not in _ONE_OF:
        return or_(False)
    other = table.alias()
    alike = [other.c[name] == table.c[name] for name in _ONE_OF[table.name]]
    if table.name == "patient_consent":
        alike += [other.c.withdrawn_at.is_(None), table.c.withdrawn_at.is_(None)]
    if table.name == "call_task":
        alike += [other.c.status == TaskStatus.OPEN, table.c.status == TaskStatus.OPEN]
    return select(other.c[column.name]).where(other.c[column.name] == winner_id, and_(True, *alike)).exists()


def _move(moved: Mapping[str, list[Any]], from_id: int, to_id: int) -> None:
    """Give rows to another card.

    Raises:
        NotMergeable: both have what there can be only one of; the money is not there.
    """
    by_name = {f"{table.name}.{column.name}": (table, column) for table, column in queries.references()}
    try:
        for name, keys in moved.items():
            table, column = by_name[name]
            of_key = queries.key_of(table, column)
            wanted = [tuple(_typed(*one) for one in zip(of_key, key, strict=True)) for key in keys]
            chosen = tuple_(*of_key).in_(wanted)
            session.execute(update(table).where(column == from_id, chosen).values({column.name: to_id}))
    except DBAPIError as error:
        why = {
            "ex_appointment_patient_busy": _SAME_TIME, "uq_tax_certificate_once": _SAME_YEAR,
            "uq_tax_certificate_unknown_once": _SAME_YEAR,
            "ck_patient_account_advance_not_negative": _SPENT, "ck_patient_account_debt_not_negative": _SPENT,
        }.get(constraint_of(error) or "")  # fmt: skip
        if why is None:
            raise
        raise NotMergeable({"why": why}) from error


def _plain(value: Any) -> Any:
    """A field as it is kept in JSON."""
    return value if value is None or isinstance(value, int | str) else str(value)


def _typed(column: Column[Any], value: Any) -> Any:
    """A kept value as the column takes it."""
    if value is None:
        return None
    kind = column.type.python_type
    return kind.fromisoformat(value) if hasattr(kind, "fromisoformat") else kind(value)
