"""Originals and copies: a receipt or a cash order is handed out once, every further print says that it is a copy.

Printing is a deed of its own, written down before the paper is drawn; looking at a paper shows a copy. Where next:
`views.py`, `cash_views.py`.
"""

from flask import Response
from sqlalchemy import func, select

from app import audit, clock, pdf
from app.db import lock_word, session
from app.models import CashMovement, Printing, Receipt, User
from app.vocab import PrintedKind


def print_paper(kind: PrintedKind, subject: Receipt | CashMovement, *, actor: User | None) -> Printing:
    """Write down that a paper is printed; the first of its numbers is the original.

    Locks the paper's numbers. Records `paper.printed`.
    """
    lock_word(f"printing {kind} {subject.id}")
    last = session.scalar(
        select(func.max(Printing.number)).where(Printing.kind == kind, Printing.subject_id == subject.id)
    )
    row = Printing(
        kind=kind, subject_id=subject.id, number=(last or 0) + 1, created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"number": f"{subject.number}", "note": "" if row.number == 1 else f"{row.number}"}
    audit.record("paper.printed", subject, after=after, patient_id=subject.patient_id, actor=actor)
    return row


def shown(made: bytes, name: str, kind: PrintedKind, subject_id: int, printing_id: int | None) -> Response:
    """The paper as a file: the original of its first printing, else a copy that says when it was made."""
    row = session.get(Printing, printing_id) if printing_id and 0 < printing_id < 2**31 else None
    mine = row is not None and (row.kind, row.subject_id) == (kind, subject_id)
    if row is not None and mine and row.number == 1:
        return pdf.as_pdf(made, name)
    day = clock.wall(row.created_at).date() if row is not None and mine else clock.today()
    return pdf.as_pdf(pdf.stamped(made, f"КОПИЯ, {day:%d.%m.%Y}"), name)
