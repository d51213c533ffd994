"""Which papers a newcomer signs, and in which order they lie in the file: the clinic's choice."""

from collections.abc import Mapping

from sqlalchemy import delete

from app import access, audit
from app.db import lock_word, session
from app.documents import queries
from app.documents.operations.issuing import FROM_CARD, TITLES
from app.errors import Invalid
from app.models import FirstVisitPaper, User
from app.vocab import N_, TemplateKind


def choose_first_visit(places: Mapping[str, int], *, actor: User | None) -> None:
    """Print these kinds of papers at a first visit, in the order of their places. Records `first_visit.chosen`.

    Raises:
        NotAllowed
        Invalid: none at all; a kind that is not printed from the card; a place that is no small number.
    """
    access.require(actor, "directory.edit")
    wrong = {kind: N_("Unknown value.") for kind in places if kind not in FROM_CARD}
    wrong |= {kind: N_("A place is a number from 1 to 99.") for kind, place in places.items() if not 0 < place < 100}
    if not places:
        wrong[FROM_CARD[0]] = N_("Choose at least one paper.")
    if wrong:
        raise Invalid(fields=wrong)
    lock_word("papers of a first visit")
    before = queries.first_visit_kinds()
    session.execute(delete(FirstVisitPaper))
    chosen = sorted(places, key=lambda kind: (places[kind], FROM_CARD.index(kind)))  # type: ignore[arg-type]
    session.add_all(FirstVisitPaper(kind=kind, place=place) for place, kind in enumerate(chosen, 1))
    session.flush()
    if actor is not None and before != chosen:
        after = {"text": "; ".join(TITLES[TemplateKind(kind)] for kind in chosen)}
        audit.record("first_visit.chosen", actor, after=after, actor=actor)
