"""Scans of signed papers: attached to the paper, never changed."""

import hashlib

from sqlalchemy import select

from app import access, audit, clock
from app.db import session
from app.documents import rules
from app.documents.operations.issuing import require_patient_of
from app.errors import AlreadyThere, NotFound
from app.models import IssuedDocument, SignedScan, User


def attach_scan(document_id: int, content: bytes, *, actor: User | None) -> SignedScan:
    """Attach the scan of a signed paper. Records `scan.attached`.

    Raises:
        NotAllowed, NotFound
        Invalid: no PDF and no picture, too large, broken.
        AlreadyThere: the same file is attached to this paper already.
    """
    access.require(actor, "document.print")
    paper = session.get(IssuedDocument, document_id)
    if paper is None:
        raise NotFound()
    require_patient_of(paper.patient_id, "document.print", actor=actor)
    mimetype, sha256 = rules.mimetype_of(content), hashlib.sha256(content).hexdigest()
    known = select(SignedScan.id).where(SignedScan.document_id == paper.id, SignedScan.sha256 == sha256)
    if session.scalar(known) is not None:
        raise AlreadyThere()
    row = SignedScan(
        document_id=paper.id, patient_id=paper.patient_id, mimetype=mimetype, content=content, sha256=sha256,
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    after = {"number": f"{paper.number}"}
    audit.record("scan.attached", row, after=after, patient_id=paper.patient_id, actor=actor)
    return row
