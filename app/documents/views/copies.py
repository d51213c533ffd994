"""How a paper of money is shown: the original once, then copies."""

from collections.abc import Callable

from flask import Response

from app import clock, pdf
from app.db import session
from app.documents import queries
from app.models import Printing
from app.vocab import PrintedKind


def shown(
    draw: Callable[[], bytes], name: str, kind: PrintedKind, subject_id: int, printing_id: int | None, state: str = ""
) -> Response:
    """The paper as a file: the original of its first printing, else a copy of it that says when it was made.

    Without a printing it is a copy of what it says now (`state`); what was never printed so is drawn as it is.
    """
    row = session.get(Printing, printing_id) if printing_id and 0 < printing_id < 2**31 else None
    if row is not None and (row.kind, row.subject_id) != (kind, subject_id):
        row = None
    made = queries.original(kind, subject_id, row.state if row is not None else state) or draw()
    if row is not None and row.original:
        return pdf.as_pdf(made, name)
    day = clock.wall(row.created_at).date() if row is not None else clock.today()
    return pdf.as_pdf(pdf.stamped(made, f"КОПИЯ, {day:%d.%m.%Y}"), name)
