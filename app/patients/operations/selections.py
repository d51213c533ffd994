"""Selections of patients kept under a name: a person's own, or shown to everybody."""

from typing import Any

from sqlalchemy import func, select

from app import clock
from app.db import lock_word, session
from app.errors import AlreadyThere, Invalid, NotFound
from app.models import PatientSelection, User
from app.vocab import N_

MOST = 50


def keep_selection(name: str, criteria: dict[str, Any], *, shared: bool = False, actor: User) -> PatientSelection:
    """Keep conditions under a name; one's own selection of this name is written anew.

    Raises:
        Invalid: no name, no condition, too many selections.
        AlreadyThere: everybody sees a selection of this name, and it is somebody else's.
    """
    name = name.strip()
    if not name:
        raise Invalid(fields={"name": N_("Give the selection a name.")})
    if not criteria:
        raise Invalid(fields={"name": N_("Choose at least one condition.")})
    lock_word("patient selections")
    same = select(PatientSelection).where(func.lower(PatientSelection.name) == name.lower())
    row = session.scalars(same.where(PatientSelection.user_id == actor.id)).first()
    if shared and session.scalars(same.where(PatientSelection.shared, PatientSelection.user_id != actor.id)).first():
        raise AlreadyThere()
    if row is None:
        mine = select(func.count()).select_from(PatientSelection).where(PatientSelection.user_id == actor.id)
        if session.execute(mine).scalar_one() >= MOST:
            raise Invalid(fields={"name": N_("There are too many selections: remove one first.")})
        row = PatientSelection(user_id=actor.id, created_at=clock.now())
        session.add(row)
    row.name, row.criteria, row.shared = name, criteria, shared
    session.flush()
    return row


def forget_selection(selection_id: int, *, actor: User) -> None:
    """Remove a selection of one's own.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = session.get(PatientSelection, selection_id)
    if row is None or row.user_id != actor.id:
        raise NotFound()
    session.delete(row)
    session.flush()
