"""Scans of signed papers: attached to the paper, never changed; one attached by mistake is put out of sight."""

import hashlib
from datetime import datetime

from sqlalchemy import select

from app import access, audit, clock
from app.db import lock, session
from app.documents import queries, rules
from app.documents.operations.issuing import require_paper, require_patient_of
from app.errors import AlreadyThere, NotFound, ReasonNeeded, Refusal, ScanTakenBack
from app.models import IssuedDocument, MistakenScan, SignedScan, User
from app.vocab import N_


class NotOwnScan(Refusal):
    """A scan that somebody else attached, or on another day."""

    code = "not_own_scan"
    status = 403
    sentence = N_("A scan is taken back by who attached it, on the same day; later by the director.")


def attach_scan(document_id: int, content: bytes, *, actor: User | None) -> SignedScan:
    """Attach the scan of a signed paper. Records `scan.attached`.

    Raises:
        NotAllowed, NotFound
        Invalid: no PDF and no picture, too large, broken.
        AlreadyThere: the same file is attached to this paper already.
        ScanTakenBack: it was, and it was a mistake.
    """
    access.require(actor, "document.print")
    paper = session.get(IssuedDocument, document_id)
    if paper is None:
        raise NotFound()
    require_patient_of(paper.patient_id, "document.print", actor=actor)
    mimetype, sha256 = rules.mimetype_of(content), hashlib.sha256(content).hexdigest()
    known = select(SignedScan.id).where(SignedScan.document_id == paper.id, SignedScan.sha256 == sha256)
    if (there := session.scalar(known)) is not None:
        raise ScanTakenBack() if queries.is_mistaken(there) else AlreadyThere()
    row = SignedScan(
        document_id=paper.id, patient_id=paper.patient_id, mimetype=mimetype, content=content, sha256=sha256,
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"number": f"{paper.number}"}
    audit.record("scan.attached", row, after=after, patient_id=paper.patient_id, actor=actor)
    return row


def may_take_back(created_by_id: int | None, created_at: datetime, *, actor: User | None) -> bool:
    """May this account take back a scan that this login attached then? Own ones of today; the director any."""
    if actor is None or access.account(actor).may("document.take_back"):
        return True
    return created_by_id == actor.id and clock.wall(created_at).date() == clock.today()


def take_back_scan(scan_id: int, reason: str, *, actor: User | None) -> MistakenScan:
    """The scan was attached by mistake: it stays stored, and from now on only the director sees it.

    Locks the scan. Records `scan.taken_back`.

    Raises:
        NotAllowed, NotFound, NotOwnScan, ReasonNeeded, ScanTakenBack
    """
    access.require(actor, "document.print")
    scan = lock(SignedScan, scan_id)
    if scan is None:
        raise NotFound()
    paper = session.get_one(IssuedDocument, scan.document_id)
    require_paper(paper.kind, scan.patient_id, actor=actor)
    if not may_take_back(scan.created_by_id, scan.created_at, actor=actor):
        raise NotOwnScan()
    if queries.is_mistaken(scan_id):
        raise ScanTakenBack()
    if not reason.strip():
        raise ReasonNeeded()
    row = MistakenScan(
        scan_id=scan_id, reason=reason.strip()[:400], created_at=clock.now(), created_by_id=actor.id if actor else None
    )
    session.add(row)
    session.flush()
    after = {"number": f"{paper.number}", "reason": row.reason}
    audit.record("scan.taken_back", scan, after=after, patient_id=scan.patient_id, actor=actor)
    return row
