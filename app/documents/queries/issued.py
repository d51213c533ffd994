"""Reads of issued papers: those of a patient, of one file, their bytes, their scans; what a first visit needs.

Where next: `journal.py` for the list of all.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, true

from app.db import session
from app.models import Employee, FirstVisitPaper, IssuedDocument, MistakenScan, PaperJob, SignedScan, User
from app.vocab import TemplateKind


def first_visit_kinds() -> list[TemplateKind]:
    """What a newcomer signs, in the order of the file."""
    return [TemplateKind(kind) for kind in first_visit_places()]


def first_visit_places() -> dict[str, int]:
    """The place of each kind that is printed at a first visit, in order."""
    found = session.execute(select(FirstVisitPaper.kind, FirstVisitPaper.place).order_by(FirstVisitPaper.place))
    return {row.kind: row.place for row in found}


def issuer() -> Any:
    """Who issued a paper: the employee, else the login; for a statement that joins both."""
    return func.coalesce(
        func.nullif(func.concat_ws(" ", Employee.name, Employee.surname), ""),
        func.concat_ws(" ", User.first_name, User.last_name),
    )


def issued_papers(patient_id: int) -> Sequence[Row[Any]]:
    """The papers issued for a patient, the newest first, without their bytes.

    `together`: how many were issued as one file with it, when it is the first of them; `error`: why it has no bytes
    and will have none.
    """
    paper = IssuedDocument
    others = select(func.count()).where(_other.first_id == paper.id).correlate(paper).scalar_subquery()
    return session.execute(
        select(paper.id, paper.kind, paper.number, paper.year, paper.day, paper.created_at, paper.first_id,
               paper.sha256.is_not(None).label("ready"), PaperJob.error, (others + 1).label("together"),
               issuer().label("issued_by"))
        .outerjoin(PaperJob, PaperJob.document_id == paper.id)
        .outerjoin(User, User.id == paper.created_by_id)
        .outerjoin(Employee, Employee.user_id == paper.created_by_id)
        .where(paper.patient_id == patient_id)
        .order_by(paper.id.desc())
    ).all()  # fmt: skip


_other = IssuedDocument.__table__.alias("other").c


def scans_of(patient_id: int, *, mistaken: bool) -> dict[int, list[Any]]:
    """The scans of a patient's signed papers by the paper: id, mimetype, created_at, created_by_id, mistake.

    `mistaken`: with those that were attached by mistake, for who may see them; `mistake` is the reason, else None.
    """
    scan = SignedScan
    found: dict[int, list[Any]] = {}
    rows = (
        select(scan.document_id, scan.id, scan.mimetype, scan.created_at, scan.created_by_id,
               MistakenScan.reason.label("mistake"))
        .outerjoin(MistakenScan, MistakenScan.scan_id == scan.id)
        .where(scan.patient_id == patient_id, true() if mistaken else MistakenScan.id.is_(None))
        .order_by(scan.id)
    )  # fmt: skip
    for row in session.execute(rows):
        found.setdefault(row.document_id, []).append(row)
    return found


def stands() -> ColumnElement[bool]:
    """The condition that a scan was not attached by mistake."""
    return ~select(MistakenScan.id).where(MistakenScan.scan_id == SignedScan.id).exists()


def is_mistaken(scan_id: int) -> bool:
    """Was the scan attached by mistake?"""
    return bool(session.scalar(select(MistakenScan.id).where(MistakenScan.scan_id == scan_id)))


def printed_state(document_id: int, *, together: bool) -> Sequence[Any]:
    """How far a paper is, or all papers of the file that it is the first of: id, kind, number, ready, error, …"""
    paper = IssuedDocument
    found = (
        select(paper.id, paper.kind, paper.number, paper.year, paper.patient_id, paper.created_at,
               paper.sha256.is_not(None).label("ready"), func.coalesce(PaperJob.error, "").label("error"))
        .outerjoin(PaperJob, PaperJob.document_id == paper.id)
        .where((paper.id == document_id) | (paper.first_id == document_id) if together else paper.id == document_id)
        .order_by(paper.id)
    )  # fmt: skip
    return session.execute(found).all() if 0 < document_id < 2**31 else []


def stored_bytes(document_ids: Sequence[int]) -> list[bytes]:
    """The bytes of papers, in the order of their issuing; of those that have them."""
    paper = IssuedDocument
    found = select(paper.pdf).where(paper.id.in_(document_ids), paper.pdf.is_not(None)).order_by(paper.id)
    return [made for made in session.scalars(found) if made is not None]
