"""What the printing worker does: make the bytes of one issued paper, look for those that wait.

The database owns the work: a row of `paper_job` for each paper without bytes. A paper is the same whoever prints it,
so a job may run twice, at once, and be killed: the first bytes stay.
"""

import logging
from collections.abc import Iterable

from app import pdf
from app.db import transaction
from app.documents import operations
from app.queue import PAPERS, enqueue

log = logging.getLogger(__name__)


def render(document_id: int, *, again: bool = False) -> None:
    """Make the bytes of a paper, unless they are there, or somebody makes them at this moment."""
    with transaction():
        if not operations.begin(document_id, again=again):
            return
    with transaction():
        html = operations.text_to_print(document_id)
        if html is None:
            return
        try:
            made = pdf.render(html)
        except pdf.NotPrintable as refusal:
            operations.give_up(document_id, refusal.sentence)
        else:
            operations.store(document_id, made)


def hand_over(document_ids: Iterable[int]) -> None:
    """Have papers printed whose issuing has been committed; where no queue can be reached, here and now.

    They are issued, so nothing that goes wrong here may look like a failure of that: the window says how far they are.
    """
    reachable = True
    for document_id in document_ids:
        reachable = reachable and _enqueued(document_id)
        if not reachable:
            try:
                render(document_id)
            except Exception:
                log.exception("paper %s is left for the sweep", document_id)


def sweep() -> None:
    """Put papers that wait into the queue: what a dead broker or worker left."""
    for document_id in operations.due():
        if not _enqueued(document_id):
            return


def _enqueued(document_id: int) -> bool:
    return enqueue("app.documents.jobs.render", document_id, job_id=f"paper-{document_id}", name=PAPERS)
