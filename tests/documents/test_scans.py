"""Scans of signed papers: attached once, told by their bytes, seen by whoever may see the paper."""

import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import errors
from app.db import session, transaction
from app.documents import operations, rules
from app.models import SignedScan
from tests.conftest import Maker


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("L", size).save(out, kind)
    return out.getvalue()


def sent(content: bytes, name: str = "scan.png") -> dict[str, Any]:
    return {"scan": (io.BytesIO(content), name)}


@pytest.fixture
def paper(make: Maker) -> Any:
    patient = make.patient("Подписавшая")
    with transaction():
        return operations.issue("consent_personal_data", patient.id, actor=make.user())


def test_a_scan_is_attached_and_opened(paper: Any, client_of: Any) -> None:
    desk, at = client_of("administrator"), f"/documents/{paper.id}/scan"
    for content, mimetype in (
        (picture(), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (b"%PDF-1.7 x", "application/pdf"),
    ):
        assert desk.post(at, data=sent(content)).status_code == 303
        row = session.query(SignedScan).order_by(SignedScan.id.desc()).first()
        answer = desk.get(f"/documents/scans/{row.id}")
        assert (answer.data, answer.mimetype) == (content, mimetype)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith(f'inline; filename="scan-{row.id}.')
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
        assert "no-store" in answer.headers["Cache-Control"]
    assert "sandbox" not in desk.get("/patients/").headers["Content-Security-Policy"]
    tab = desk.get(f"/documents/patient/{paper.patient_id}").text
    assert tab.count("/documents/scans/") == 3 and "Приложить скан" in tab
    again = desk.post(at, data=sent(picture()), follow_redirects=True)
    assert session.query(SignedScan).filter_by(document_id=paper.id).count() == 3 and again.status_code == 200
    assert "скан" in desk.get(f"/patients/{paper.patient_id}/history").text


NO_SCANS = {
    "empty": b"", "a program": b"MZ\x90", "a page": b"<svg onload='alert(1)'/>", "a gif": b"GIF89a" + b"0" * 50,
    "half a picture": picture()[:40], "a broken picture": b"\x89PNG\r\n\x1a\n" + b"0" * 100,
    "too large": b"x" * 3_670_017,
}  # fmt: skip


@pytest.mark.parametrize("content", NO_SCANS.values(), ids=NO_SCANS)
def test_what_is_no_scan(paper: Any, client_of: Any, content: bytes) -> None:
    answer = client_of("administrator").post(f"/documents/{paper.id}/scan", data=sent(content, "scan.pdf"))
    assert answer.status_code in (303, 413)
    assert not session.query(SignedScan).filter_by(document_id=paper.id).count()
    with pytest.raises(errors.Invalid):
        rules.mimetype_of(content)


def test_a_picture_that_unpacks_into_gigabytes() -> None:
    with pytest.raises(errors.Invalid):
        rules.mimetype_of(picture(size=(8000, 5001)))


def test_a_pdf_that_would_run_something_is_kept_as_it_is(paper: Any, client_of: Any) -> None:
    """A signed paper may come from any scanner; what is in it is neither judged nor run."""
    content = (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj trailer<</Root 1 0 R>>"
    )
    desk = client_of("administrator")
    assert desk.post(f"/documents/{paper.id}/scan", data=sent(content, "scan.html")).status_code == 303
    row = session.query(SignedScan).filter_by(document_id=paper.id).one()
    answer = desk.get(f"/documents/scans/{row.id}")
    assert (answer.data, answer.mimetype) == (content, "application/pdf")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_outsiders(paper: Any, client_of: Any, make: Maker) -> None:
    client_of("administrator").post(f"/documents/{paper.id}/scan", data=sent(picture()))
    scan = session.query(SignedScan).filter_by(document_id=paper.id).one().id
    doctor = client_of("doctor")
    assert doctor.get(f"/documents/scans/{scan}").status_code == 404
    doctor.post(f"/documents/{paper.id}/scan", data=sent(picture("JPEG")))
    assert session.query(SignedScan).filter_by(document_id=paper.id).count() == 1
    for path in ("/documents/scans/999999", "/documents/scans/0"):
        assert client_of("administrator").get(path).status_code == 404
    assert client_of("administrator").post("/documents/999999/scan", data=sent(picture())).status_code == 404


def test_a_scan_is_never_changed(paper: Any, client_of: Any) -> None:
    client_of("administrator").post(f"/documents/{paper.id}/scan", data=sent(picture()))
    for broken in ("UPDATE signed_scan SET content = 'x'", "DELETE FROM signed_scan", "TRUNCATE signed_scan"):
        with pytest.raises(DBAPIError, match="append-only"):
            session.execute(text(broken))
        session.rollback()
