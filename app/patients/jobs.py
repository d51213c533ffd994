"""What the worker does with old card indexes: read, judge and write, in pieces; look for what was left.

Each piece is a transaction that begins where the one before it ended, so a worker may be killed at any moment, and two
may come at once. Nothing of a patient goes into the queue or into the log.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from itertools import dropwhile, islice
from traceback import extract_tb

from app.db import transaction
from app.patients import card_files, queries
from app.patients.operations import importing, writing
from app.queue import enqueue
from app.spreadsheets import FileRefused
from app.vocab import ImportState

log = logging.getLogger(__name__)

#: An import that has not moved for so long has no worker.
STALE = timedelta(seconds=30)


def carry(import_id: int) -> None:
    """Do the next piece of an import, and ask for the one after it. Safe to run twice, at once, and to be killed."""
    with transaction():
        claimed = importing.claim(import_id)
    if claimed is None:
        return
    state, attempt = claimed
    step: Callable[[int, int], bool] = {
        ImportState.READING: _read, ImportState.JUDGING: _judge, ImportState.APPLYING: _write,
    }[ImportState(state)]  # fmt: skip
    try:
        more = step(import_id, attempt)
    except FileRefused as refused:
        with transaction():
            importing.refuse(import_id, refused.sentence, refused.facts)
        return
    except Exception as error:  # what it says may name a patient
        where = extract_tb(error.__traceback__)[-1]
        log.error("import %s, %s: %s at %s:%s", import_id, state, type(error).__name__, where.filename, where.lineno)
        more = True  # begun so often in vain, it is given up
    if more:
        enqueue("app.patients.jobs.carry", import_id)


def _read(import_id: int, _: int) -> bool:
    """Keep the rows of the file, from where another worker stopped."""
    with transaction():
        content, head, reached = importing.file_of(import_id)
    rows = dropwhile(lambda row: row[0] <= reached, card_files.rows(content, head))
    while piece := list(islice(rows, importing.PIECE)):
        with transaction():
            if not importing.keep_rows(import_id, reached, piece):
                return False
        reached = piece[-1][0]
    with transaction():
        importing.all_read(import_id)
    return True


def _judge(import_id: int, _: int) -> bool:
    with transaction():
        return importing.judge_piece(import_id)


def _write(import_id: int, attempt: int) -> bool:
    with transaction():
        writing.keep_words(import_id)
    with transaction():
        written = writing.write_cards(import_id, attempt)
    if written:
        forget()
    return False


def sweep() -> None:
    """Put what a dead worker or broker left into the queue."""
    with transaction():
        left = queries.left_imports(STALE)
    for import_id in left:
        enqueue("app.patients.jobs.carry", import_id, job_id=f"cards-{import_id}")


def forget() -> None:
    """Forget what files said of people, when it is no longer needed."""
    with transaction():
        importing.forget()
