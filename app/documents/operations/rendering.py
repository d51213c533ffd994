"""The bytes of an issued paper: made once from its frozen text, whoever prints it, however often, whatever is killed.

The lock on the paper's job is the claim: it goes with the process that holds it. Where next: `jobs.py`.
"""

import hashlib
from datetime import timedelta

from sqlalchemy import Select, delete, select, update

from app import clock
from app.db import session
from app.models import IssuedDocument, PaperJob
from app.vocab import N_

#: A paper that was begun so often and never finished takes the printing process with it.
MOST_ATTEMPTS = 5
#: What was handed over just now is on its way.
FRESH = timedelta(seconds=5)
GAVE_UP = N_("The program tried several times and could not print this paper.")


def _job(document_id: int) -> Select[PaperJob]:
    """The job of a paper, unless somebody has it in hand."""
    chosen = select(PaperJob).where(PaperJob.document_id == document_id).with_for_update(skip_locked=True)
    return chosen.execution_options(populate_existing=True)


def begin(document_id: int, *, again: bool = False) -> bool:
    """Count an attempt; False when there is nothing to do. Commit it before the work: that may kill the process.

    `again`: somebody asks for it, so what went wrong before does not count.
    """
    job = session.scalar(_job(document_id))
    if job is None or (job.error and not again):
        return False
    if again:
        job.error, job.attempts = "", 0
    if job.attempts >= MOST_ATTEMPTS:
        job.error = GAVE_UP
        return False
    job.attempts += 1
    session.flush()
    return True


def text_to_print(document_id: int) -> str | None:
    """The frozen text of a paper without bytes, locked until the transaction ends; None: printed, or in other hands."""
    if session.scalar(_job(document_id)) is None:
        return None
    return session.scalar(select(IssuedDocument.html).where(IssuedDocument.id == document_id))


def store(document_id: int, made: bytes) -> None:
    """Keep the bytes of a paper; the first stay for ever."""
    paper = IssuedDocument
    session.execute(
        update(paper)
        .where(paper.id == document_id, paper.sha256.is_(None))
        .values(pdf=made, sha256=hashlib.sha256(made).hexdigest())
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(PaperJob).where(PaperJob.document_id == document_id))


def give_up(document_id: int, why: str) -> None:
    """This text cannot be printed: say why, and do not try again by itself."""
    session.execute(update(PaperJob).where(PaperJob.document_id == document_id).values(error=why[:400]))


def due(limit: int = 200) -> list[int]:
    """Papers that wait for their bytes longer than a moment, the oldest first."""
    return list(
        session.scalars(
            select(PaperJob.document_id)
            .where(PaperJob.error == "", PaperJob.created_at <= clock.now() - FRESH)
            .order_by(PaperJob.document_id)
            .limit(limit)
        )
    )
