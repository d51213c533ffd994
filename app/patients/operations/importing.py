"""An old card index from a file: looked at without writing a card, then written whole or not at all.

The worker carries an import in pieces, each a transaction that leaves the number of the row it has reached. Writing is
one transaction of a few statements over all rows. Where next: `writing.py`, `../jobs.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal_column, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import undefer

from app import access, clock
from app.db import after_commit, lock, session
from app.errors import ImportApplied, ImportBusy, Invalid, NotFound, NothingToImport
from app.models import CardImport, CardImportRow, User
from app.patients import card_files, queries, rules
from app.patients.card_files import Head
from app.queue import enqueue
from app.spreadsheets import Cells
from app.vocab import IMPORT_WORKS, N_, CardVerdict, DayOrder, ImportState

#: Rows that are read or judged in one piece: about a second, so that other jobs are not kept waiting.
PIECE = 2_000
#: A piece that was begun so often and never done is given up.
MOST_ATTEMPTS = 6
#: What nobody loaded, and rows that became no card, are forgotten after so long.
FORGOTTEN = timedelta(days=30)
CROWDED = N_("This name is in the file %(many)s times: look whether the columns are understood rightly.")
_BROKEN = N_("The file could not be worked through. Nothing was written. Try again or call support.")


def take_file(file_name: str, content: bytes, *, actor: User | None) -> CardImport:
    """Keep a file and say what its columns seem to mean; its rows are read when the columns were checked.

    Raises:
        NotAllowed, FileRefused
    """
    access.require(actor, "card.import")
    head = card_files.look(content)
    row = CardImport(
        file_name=file_name, state=ImportState.MAPPING, content=content, sheet=head.sheet, head_line=head.line,
        headless=head.headless, columns=head.columns, mapping=head.mapping, moved_at=clock.now(),
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def say_columns(
    import_id: int, mapping: Sequence[str], *, day_order: str, area_code: str, headless: bool, actor: User | None
) -> CardImport:
    """What the columns mean, how days and short numbers are written; then the rows are read and judged by a job.

    Until the cards are written it may be said anew.

    Raises:
        NotAllowed, NotFound, ImportApplied, ImportBusy
        Invalid: no name among the columns, one thing in two of them, no such order or code.
    """
    access.require(actor, "card.import")
    row = _at_rest(import_id)
    if row.state == ImportState.REFUSED:
        raise NotFound()
    rules.check_mapping(mapping)
    if len(mapping) != len(row.columns):
        raise Invalid(fields={"mapping": N_("Unknown value.")})
    if day_order not in list(DayOrder):
        raise Invalid(fields={"day_order": N_("Unknown value.")})
    if area_code and not (area_code.isascii() and area_code.isdigit() and 3 <= len(area_code) <= 5):
        raise Invalid(fields={"area_code": N_("The code of a city has from 3 to 5 digits, for instance 495.")})
    if row.total is None:  # else the rows are there already, and what is a heading is settled
        row.headless = headless
    row.mapping, row.day_order, row.area_code = list(mapping), day_order, area_code
    row.counts, row.problem, row.facts = None, "", None
    _begin(row, ImportState.READING if row.total is None else ImportState.JUDGING)
    return row


def apply_import(import_id: int, *, fill: bool, with_maybe: bool, actor: User | None) -> CardImport:
    """Let the cards be written by a job. `fill`: the empty fields of cards that are there; `with_maybe`: new cards of
    rows that perhaps are there.

    Raises:
        NotAllowed, NotFound, ImportApplied, ImportBusy, NothingToImport
    """
    access.require(actor, "card.import")
    row = _at_rest(import_id)
    if row.state != ImportState.JUDGED:
        raise ImportBusy()
    many = row.counts or {}
    if not (many[CardVerdict.NEW] or (fill and many[CardVerdict.THERE]) or (with_maybe and many[CardVerdict.MAYBE])):
        raise NothingToImport()
    row.fill, row.with_maybe, row.applied_by_id = fill, with_maybe, actor.id if actor else None
    row.problem, row.facts = "", None
    _begin(row, ImportState.APPLYING)
    return row


def throw_away(import_id: int) -> None:
    """Forget a file that was not loaded, with all that was read from it.

    Raises:
        NotFound, ImportApplied, ImportBusy
    """
    row = _at_rest(import_id)
    session.execute(delete(CardImportRow).where(CardImportRow.import_id == row.id))
    session.delete(row)
    session.flush()


def _at_rest(import_id: int) -> CardImport:
    """The import, locked, when the worker has nothing to do with it."""
    state = session.scalar(select(CardImport.state).where(CardImport.id == import_id))
    if state in IMPORT_WORKS:  # without waiting for a piece of work to end
        raise ImportBusy()
    row = lock(CardImport, import_id)
    if row is None:
        raise NotFound()
    if row.state == ImportState.APPLIED:
        raise ImportApplied()
    if row.state in IMPORT_WORKS:
        raise ImportBusy()
    return row


def _begin(row: CardImport, state: ImportState) -> None:
    row.state, row.reached, row.done, row.attempts, row.moved_at = state, 0, 0, 0, clock.now()
    session.flush()
    pk = row.id

    def ask() -> None:
        enqueue("app.patients.jobs.carry", pk)

    after_commit(ask)


# --- what the worker does, piece by piece -------------------------------------------------------------------------


def claim(import_id: int) -> tuple[str, int] | None:
    """What is to be done with an import, and how often it was begun; None when there is nothing to do.

    What was begun too often is given up: a file that kills the worker may not do it for ever.
    """
    row = lock(CardImport, import_id)
    if row is None or row.state not in IMPORT_WORKS:
        return None
    if row.attempts >= MOST_ATTEMPTS:
        give_up(row, _BROKEN)
        return None
    row.attempts, row.moved_at = row.attempts + 1, clock.now()
    return row.state, row.attempts


def give_up(row: CardImport, why: str, facts: dict[str, Any] | None = None) -> None:
    """What was judged can be tried again; what was not is put aside with all that was read."""
    written = row.state == ImportState.APPLYING
    row.state = ImportState.JUDGED if written else ImportState.REFUSED
    row.problem, row.facts, row.moved_at = why, facts, clock.now()
    if not written:
        row.content = None
        session.execute(delete(CardImportRow).where(CardImportRow.import_id == row.id))


def refuse(import_id: int, why: str, facts: dict[str, Any]) -> None:
    """The file cannot be read to its end."""
    row = lock(CardImport, import_id)
    if row is not None and row.state == ImportState.READING:
        give_up(row, why, facts)


def file_of(import_id: int) -> tuple[bytes, Head, int]:
    """The file, where its rows are, and the last one that is kept already."""
    row = session.scalars(
        select(CardImport).where(CardImport.id == import_id).options(undefer(CardImport.content))
    ).one()
    return row.content or b"", Head(row.sheet, row.head_line, row.headless, row.columns, row.mapping), row.reached


def keep_rows(import_id: int, after: int, rows: Sequence[Cells]) -> bool:
    """Keep rows as they came. False: somebody else has gone on from `after` meanwhile."""
    row = lock(CardImport, import_id)
    if row is None or row.state != ImportState.READING or row.reached != after:
        return False
    kept = [{"import_id": import_id, "line": line, "cells": cells} for line, cells in rows]
    session.execute(insert(CardImportRow), kept)
    _moved(row, rows[-1][0], len(rows))
    return True


def all_read(import_id: int) -> None:
    """The rows are there: the file is no longer needed."""
    row = lock(CardImport, import_id)
    if row is None or row.state != ImportState.READING:
        return
    row.total, row.content = row.done, None
    row.state, row.reached, row.done, row.attempts, row.moved_at = ImportState.JUDGING, 0, 0, 0, clock.now()


def judge_piece(import_id: int) -> bool:
    """Understand the next rows; when all are understood, compare them. True: there is more to do."""
    row = lock(CardImport, import_id)
    if row is None or row.state != ImportState.JUDGING:
        return False
    cells = session.execute(
        select(CardImportRow.line, CardImportRow.cells)
        .where(CardImportRow.import_id == import_id, CardImportRow.line > row.reached)
        .order_by(CardImportRow.line)
        .limit(PIECE)
    ).all()
    if cells:
        _judge(row, [(line, one or []) for line, one in cells])
        _moved(row, cells[-1].line, len(cells))
        return True
    queries.compare(import_id, CROWDED)
    row.counts = queries.import_counts(import_id)
    row.state, row.attempts, row.moved_at = ImportState.JUDGED, 0, clock.now()
    return False


_JUDGED = text("""
UPDATE card_import_row r
SET card = j.card, why = j.why, facts = j.facts, warnings = j.warnings, name_key = j.name_key,
    patronymic_key = j.patronymic_key, born = j.born, old_key = j.old_key, numbers = j.numbers,
    verdict = CASE WHEN j.card IS NULL THEN 'refused' END, twin_id = NULL, twin_line = NULL, neighbour_id = NULL
FROM jsonb_to_recordset(CAST(:judged AS jsonb)) AS j(line int, card jsonb, why text, facts jsonb, warnings jsonb,
     name_key text, patronymic_key text, born date, old_key text, numbers text[])
WHERE r.import_id = :import_id AND r.line = j.line
""").bindparams(bindparam("judged", type_=JSONB))


def _judge(row: CardImport, rows: Sequence[Cells]) -> None:
    sources, tags = queries.import_directories()
    how = rules.Reading(
        mapping=row.mapping, headings=[column["heading"] for column in row.columns], today=clock.today(),
        day_order=row.day_order, area_code=row.area_code, sources=rules.directory(sources), tags=rules.directory(tags),
    )  # fmt: skip
    judged = []
    for line, cells in rows:
        understood = rules.understand(cells, how)
        judged.append({"line": line, **asdict(understood), **understood.keys})
    session.execute(_JUDGED, {"import_id": row.id, "judged": judged})


def _moved(row: CardImport, line: int, many: int) -> None:
    row.reached, row.done, row.attempts, row.moved_at = line, row.done + many, 0, clock.now()


#: What was left out can be looked up on the card; why is still told.
_WHY_ONLY = "(SELECT coalesce(jsonb_agg(w - 'facts'), '[]') FROM jsonb_array_elements(card_import_row.warnings) AS w)"


def forget() -> None:
    """What nobody loaded for a month is thrown away; so is what the rows of a loaded file said.

    Of rows that became cards at once, for their cards say it.
    """
    before = clock.now() - FORGOTTEN
    old = select(CardImport.id).where(
        CardImport.state != ImportState.APPLIED, CardImport.state.not_in(IMPORT_WORKS), CardImport.moved_at < before
    )
    gone = session.scalars(old.with_for_update(skip_locked=True)).all()
    session.execute(delete(CardImportRow).where(CardImportRow.import_id.in_(gone)))
    session.execute(delete(CardImport).where(CardImport.id.in_(gone)))
    loaded = CardImport.state == ImportState.APPLIED
    said: dict[str, Any] = {
        "cells": None, "card": None, "facts": None, "born": None, "numbers": [], "name_key": "", "patronymic_key": "",
        "old_key": "", "warnings": literal_column(_WHY_ONLY, JSONB),
    }  # fmt: skip
    session.execute(
        update(CardImportRow)
        .where(
            CardImportRow.import_id == CardImport.id, loaded, CardImportRow.cells.is_not(None),
            or_(CardImportRow.patient_id.is_not(None), CardImport.applied_at < before),
        )
        .values(said)
    )  # fmt: skip
