"""Saved views of the schedule: a person's own, so nothing here goes into the log."""

from typing import Any

from sqlalchemy import func, select, update

from app import clock
from app.db import lock, session
from app.errors import AlreadyThere, Invalid, NotFound
from app.models import SavedView, User
from app.vocab import N_

MOST = 30


def save_view(name: str, settings: dict[str, Any], *, actor: User) -> SavedView:
    """Keep the way the schedule looks now under a name; it becomes the one used last.

    Raises:
        AlreadyThere: the person has a view of this name.
        Invalid: too many of them.
    """
    saved = select(func.count()).select_from(SavedView).where(SavedView.user_id == actor.id)
    if session.execute(saved).scalar_one() >= MOST:
        raise Invalid(fields={"name": N_("There are too many saved views: remove one first.")})
    _check_name(name, 0, actor)
    view = SavedView(user_id=actor.id, name=name, settings=settings)
    session.add(view)
    session.flush()
    return use_view(view.id, actor=actor)


def change_view(
    view_id: int, *, name: str | None = None, settings: dict[str, Any] | None = None, actor: User
) -> SavedView:
    """Rename a saved view, or let it look as the schedule looks now.

    Raises:
        NotFound: there is none, or it is somebody else's.
        AlreadyThere: another of the person's views has this name.
    """
    view = _own(view_id, actor)
    if name is not None:
        _check_name(name, view.id, actor)
        view.name = name
    if settings is not None:
        view.settings = settings
    session.flush()
    return view


def remove_view(view_id: int, *, actor: User) -> None:
    """Forget a saved view.

    Raises:
        NotFound
    """
    session.delete(_own(view_id, actor))
    session.flush()


def use_view(view_id: int, *, actor: User) -> SavedView:
    """Remember which view the person used last: the schedule opens with it, at any computer.

    Raises:
        NotFound
    """
    view = _own(view_id, actor)
    leave_views(actor=actor)
    view.used_at = clock.now()
    session.flush()
    return view


def leave_views(*, actor: User) -> None:
    """Back to the ordinary schedule: no view is the last one any more."""
    session.execute(update(SavedView).where(SavedView.user_id == actor.id).values(used_at=None))


def _own(view_id: int, actor: User) -> SavedView:
    view = lock(SavedView, view_id)
    if view is None or view.user_id != actor.id:
        raise NotFound()
    return view


def _check_name(name: str, besides: int, actor: User) -> None:
    taken = select(SavedView.id).where(SavedView.user_id == actor.id, SavedView.name == name, SavedView.id != besides)
    if session.scalar(taken) is not None:
        raise AlreadyThere()
