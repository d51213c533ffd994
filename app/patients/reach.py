"""Whose cards the account of this request may see: everybody's, or a doctor's own patients'.

Pages and addresses of cards ask here first. Where next: `app/access.py`.
"""

from flask import request

from app import access
from app.errors import NotAllowed
from app.models import Patient
from app.patients import operations, queries
from app.web import actor, fetched


def visible(pk: int, *, right: str = "card.see") -> Patient:
    """The card, if the account of this request may see it; that it looks is noted. `right`: what of it is looked at.

    Raises:
        NotFound, NotAllowed
    """
    patient: Patient = fetched(Patient, pk)
    require_reach(pk, right=right)
    if request.method == "GET":
        operations.note_seen(pk, actor=actor())
    return patient


def require_reach(pk: int, *, right: str = "card.see") -> None:
    """Refuse a doctor the cards of other doctors' patients.

    Raises:
        NotAllowed
    """
    own = access.account(actor()).own_only(right)
    if own is not None and not queries.treated_by(pk, own):
        raise NotAllowed(right=right)
