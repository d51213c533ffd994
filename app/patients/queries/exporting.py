"""All that is known of a patient, for whoever has the right to it (152-ФЗ, ст. 14): found by the foreign keys too.

Other people's data are not given: no relative's card, no name of theirs. Nor is the clinic's own: who did what, how
messages are carried. Where next: `../views/card_zip.py`, which makes a file of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Column, LargeBinary, RowMapping, Table, func, or_, select

from app.db import session
from app.models import Employee, IssuedDocument, MistakenScan, Patient, PatientAccount, Payment, SignedScan
from app.patients.queries.merges import references
from app.tables.base import Model

#: Rows that are the clinic's own, or a relative's.
_OWN = ("audit_event", "card_opening", "patient")
#: Columns that are the clinic's own: how it works, not what it knows of the patient.
_INNER = frozenset({
    "search_name", "reversed_number", "sha256", "version", "html", "gateway_id", "attempts", "error", "sending_since",
    "asked_at", "resends", "said", "price", "parts", "claimed_at", "series_id", "archive_reason", "doctor_ids",
    "erased_at", "notify_attempts", "overbook_reason", "outside_hours_reason",
})  # fmt: skip
#: Rows that belong to a patient's row: table → its column.
_PARTS = {"work_order_line": "work_order_id", "payment_part": "payment_id", "refund_part": "refund_id"}


@dataclass(frozen=True)
class Paper:
    """A file of the card: an issued paper, or the scan of a signed one (`scan` counts them)."""

    pk: int
    kind: str
    number: int
    day: date
    mimetype: str = "application/pdf"
    scan: int = 0


def told(patient_id: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every table that has something of the patient, with its rows in words: directories by name, no inner numbers.

    A payment that the patient made for somebody else is `for_another`; for whom is not said.
    """
    own: list[tuple[Any, Any]] = [
        (Patient.__table__, Patient.__table__.c.id), (PatientAccount.__table__, PatientAccount.__table__.c.patient_id),
    ]  # fmt: skip
    given: dict[str, list[Any]] = {}
    for table, column in (*own, *((t, c) for t, c in references() if t.name not in _OWN)):
        given.setdefault(table.name, []).append(column == patient_id)
    for name, column in _PARTS.items():
        table = Model.metadata.tables[name]
        [key] = table.c[column].foreign_keys
        owner = key.column.table
        whose = or_(*(person == patient_id for t, person in references() if t is owner))
        given[name] = [table.c[column].in_(select(owner.c.id).where(whose))]
    names: dict[str, dict[Any, str]] = {}
    for name, conditions in given.items():
        table = Model.metadata.tables[name]
        columns = [one for one in table.columns if not isinstance(one.type, LargeBinary) and one.name not in _INNER]
        found: dict[Any, dict[str, Any]] = {}
        for condition in conditions:
            for row in session.execute(select(table).with_only_columns(*columns).where(condition)).mappings():
                said = found[tuple(row[key.name] for key in table.primary_key)] = _in_words(table, row, names)
                if name == Payment.__tablename__:
                    said["for_another"] = row["patient_id"] != patient_id
        if found:
            yield name, [found[key] for key in sorted(found)]


def _in_words(table: Table, row: RowMapping, names: dict[str, dict[Any, str]]) -> dict[str, Any]:
    """A row with the names of directories in place of their numbers; numbers of people and inner rows are left out."""
    said: dict[str, Any] = {}
    for column in table.columns:
        if column.name not in row:
            continue
        if not column.foreign_keys:
            said[column.name] = row[column.name]
            continue
        [key] = column.foreign_keys
        to = key.column.table.name
        if to in (*_PARTS.values(), "work_order", "payment", "refund", "issued_document"):
            said[column.name] = row[column.name]
        elif row[column.name] is not None and _named(to) is not None:
            known = names.setdefault(to, {})
            if row[column.name] not in known:
                known[row[column.name]] = _name(to, row[column.name])
            said[column.name.removesuffix("_id")] = known[row[column.name]]
    return said


@cache
def _named(table: str) -> Column[Any] | None:
    """The column that names the rows of a directory; None: rows of people, or of nothing with a name."""
    known: Column[Any] | None = None
    if table not in ("ab_user", "patient", "family"):
        known = Model.metadata.tables[table].c.get("name")
    return known


def _name(table: str, pk: Any) -> str:
    if table == Employee.__tablename__:
        doctor = session.get(Employee, pk)
        return doctor.short_name if doctor else ""
    column = _named(table)
    assert column is not None
    return str(session.scalar(select(column).where(column.table.c.id == pk)) or "")


def papers(patient_id: int) -> list[Paper]:
    """The issued papers of a card and the scans of their signed copies, in the order of their days.

    A paper that is being printed at this moment has no file yet; a scan attached by mistake may be another patient's.
    """
    paper = (IssuedDocument.kind, IssuedDocument.number, IssuedDocument.day)
    issued = session.execute(
        select(IssuedDocument.id, *paper)
        .where(IssuedDocument.patient_id == patient_id, IssuedDocument.sha256.is_not(None))
        .order_by(IssuedDocument.day, IssuedDocument.id)
    )
    scans = session.execute(
        select(
            SignedScan.id, *paper, SignedScan.mimetype,
            func.row_number().over(partition_by=SignedScan.document_id, order_by=SignedScan.id),
        )
        .join(IssuedDocument, IssuedDocument.id == SignedScan.document_id)
        .outerjoin(MistakenScan, MistakenScan.scan_id == SignedScan.id)
        .where(SignedScan.patient_id == patient_id, MistakenScan.id.is_(None))
        .order_by(IssuedDocument.day, SignedScan.id)
    )  # fmt: skip
    return [*(Paper(*row) for row in issued), *(Paper(*row) for row in scans)]


def content_of(paper: Paper) -> bytes:
    """The file itself: one at a time, for a card may have hundreds."""
    column: Any = SignedScan.content if paper.scan else IssuedDocument.pdf
    return bytes(session.scalar(select(column).where(column.class_.id == paper.pk)) or b"")
