"""How a paper of money is shown: the original once, then copies."""

from collections.abc import Callable

from flask import Response

from app import clock, pdf
from app.db import session
from app.documents import queries
from app.models import Printing
from app.vocab import PrintedKind


def shown(
    draw: Callable[[], bytes], name: str, kind: PrintedKind, subject_id: int, printing_id: int | None
) -> Response:
    """The paper as a file: the original of its first printing, else a copy of it that says when it was made.

    A paper that was never printed is drawn as it is now, and is a copy too.
    """
    row = session.get(Printing, printing_id) if printing_id and 0 < printing_id < 2**31 else None
    mine = row is not None and (row.kind, row.subject_id) == (kind, subject_id)
    made = queries.original(kind, subject_id) or draw()
    if row is not None and mine and row.number == 1:
        return pdf.as_pdf(made, name)
    day = clock.wall(row.created_at).date() if row is not None and mine else clock.today()
    return pdf.as_pdf(pdf.stamped(made, f"КОПИЯ, {day:%d.%m.%Y}"), name)
