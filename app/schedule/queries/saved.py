"""How a person likes to see the schedule: the saved views of one account."""

from typing import Any

from sqlalchemy import select

from app.db import session
from app.models import SavedView


def as_view(view: SavedView) -> dict[str, Any]:
    """A saved view as the page and the JSON show it."""
    return {"id": view.id, "name": view.name, "settings": view.settings, "last": view.used_at is not None}


def saved_views(user_id: int) -> list[dict[str, Any]]:
    """The saved views of an account in the order of their keys, 1…9; `last` marks the one that was used last."""
    views = session.scalars(select(SavedView).where(SavedView.user_id == user_id).order_by(SavedView.id))
    return [as_view(view) for view in views]
