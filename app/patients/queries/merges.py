"""What belongs to a card, found by walking the foreign keys: a table that is added tomorrow cannot be forgotten.

Where next: `../operations/merges.py`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Row, Table, case, func, literal, select, union_all

from app.db import session
from app.models import CardErasure, CardMerge, CardOpening, IssuedDocument, PatientAccount, SignedScan, User
from app.tables.base import Model
from app.vocab import OpenedKind

#: The ledger moves the account itself; a merge is no belonging of its cards, and an erased card is not merged.
_NOT_MOVED = (PatientAccount.__tablename__, CardMerge.__tablename__, CardErasure.__tablename__)


@cache
def references() -> tuple[tuple[Table, Column[Any]], ...]:
    """Every column that names a patient, with its table."""
    return tuple(
        (table, column)
        for table in Model.metadata.sorted_tables
        if table.name not in _NOT_MOVED
        for column in table.columns
        if any(key.column.table.name == "patient" for key in column.foreign_keys)
    )


def key_of(table: Table, column: Column[Any]) -> list[Column[Any]]:
    """What tells rows of a table apart besides the patient."""
    return [one for one in table.primary_key if one is not column]


def belongings(patient_id: int) -> list[tuple[str, int]]:
    """How many rows of which table name the patient; one statement."""
    counts = [
        select(literal(table.name).label("name"), func.count().label("many"))
        .select_from(table)
        .where(column == patient_id)
        for table, column in references()
    ]
    found = union_all(*counts).subquery()
    rows = session.execute(
        select(found.c.name, func.sum(found.c.many)).group_by(found.c.name).having(func.sum(found.c.many) > 0)
    )
    return sorted((name, int(many)) for name, many in rows)


def merges_of(patient_id: int) -> Sequence[CardMerge]:
    """The cards that were merged into this one and still are, the newest first."""
    return session.scalars(
        select(CardMerge)
        .where(CardMerge.winner_id == patient_id, CardMerge.undone_at.is_(None))
        .order_by(CardMerge.id.desc())
    ).all()


def openings_of(patient_id: int, limit: int = 100) -> Sequence[Row[Any]]:
    """Who opened this card or a paper of it and when, the newest first: opening, name, kind and number of the paper."""
    who = func.concat_ws(" ", User.last_name, User.first_name)
    paper = case(
        (CardOpening.what == OpenedKind.DOCUMENT, CardOpening.object_id),
        (
            CardOpening.what == OpenedKind.SCAN,
            select(SignedScan.document_id).where(SignedScan.id == CardOpening.object_id).scalar_subquery(),
        ),
    )
    return session.execute(
        select(CardOpening, who.label("who"), IssuedDocument.kind, IssuedDocument.number)
        .join(User, User.id == CardOpening.user_id)
        .outerjoin(IssuedDocument, IssuedDocument.id == paper)
        .where(CardOpening.patient_id == patient_id)
        .order_by(CardOpening.last_at.desc())
        .limit(limit)
    ).all()
