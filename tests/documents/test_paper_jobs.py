"""The bytes of papers: a real worker process, a real broker, whatever is killed; gapless numbers under a crowd."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock, pdf, queue
from app.db import db, session, transaction
from app.documents import jobs, operations, queries
from app.errors import Invalid, NotAllowed
from app.local.processes import end
from app.models import AuditEvent, IssuedDocument, PaperJob, User
from tests.conftest import Maker, sign_in

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(fresh_app: Flask, broker_url: str) -> Iterator[Flask]:
    """A clinic where nothing was issued yet, with its broker."""
    fresh_app.config["REDIS_URL"] = broker_url
    with fresh_app.app_context():
        yield fresh_app
        session.remove()


@pytest.fixture
def printer(desk: Flask, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`printer()` starts the process that prints papers as run.py does."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ, "DATABASE_URL": desk.config["SQLALCHEMY_DATABASE_URI"], "REDIS_URL": desk.config["REDIS_URL"],
    }  # fmt: skip

    def start() -> subprocess.Popen[bytes]:
        log = (tmp_path / f"printer{len(started)}.log").open("wb")
        command = [sys.executable, "run.py", "worker", "papers"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        end(process, sign=signal.SIGKILL)


def issued(kind: str = "contract") -> int:
    """A paper, issued by nobody's window: committed, and handed to nobody."""
    patient = Maker().patient("Выданная")
    with transaction():
        return int(operations.issue(kind, patient.id, actor=Maker().user()).id)


def again(pk: int) -> IssuedDocument:
    session.rollback()
    session.expire_all()
    return session.get_one(IssuedDocument, pk)


def job_of(pk: int) -> PaperJob | None:
    session.rollback()
    session.expire_all()
    return session.get(PaperJob, pk)


def until(true: Callable[[], Any], *, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_window_shows_progress_and_turns_into_the_paper(desk: Flask, printer: Any) -> None:
    patient, browser = Maker().patient(), sign_in(desk, "administrator")
    form = {"patient_id": patient.id, "request_id": str(uuid4())}
    at = browser.post("/documents/first-visit", data=form).location
    waits = browser.get(at)
    assert waits.status_code == 202 and "0 из 4" in waits.text and waits.headers["Cache-Control"] == "no-store"
    poll = at.replace("-all.pdf", "/preparing?together=1")
    assert browser.get(poll, headers={"HX-Request": "true"}).text.strip().startswith("<main")
    printer()
    until(lambda: browser.get(poll, headers={"HX-Request": "true"}).headers.get("HX-Refresh"))
    first, second = browser.get(at), browser.get(at)
    assert first.mimetype == "application/pdf" and first.data == second.data
    rows = session.query(IssuedDocument).filter_by(patient_id=patient.id).all()
    assert [row.sha256 for row in rows] == [hashlib.sha256(row.pdf).hexdigest() for row in rows]
    assert session.query(PaperJob).count() == 0


def test_a_printer_killed_in_the_middle_leaves_the_paper_to_the_next(
    desk: Flask, printer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty papers, the process killed while it prints: each has its bytes in the end, once."""
    ids = [issued() for _ in range(20)]
    jobs.hand_over(ids)
    process = printer()
    count = "SELECT count(*) FROM issued_document WHERE sha256 IS NOT NULL"
    until(lambda: session.rollback() or session.scalar(text(count)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {pk: again(pk).sha256 for pk in ids}
    assert any(before.values()) and not all(before.values())
    printer()
    with clock.at(clock.wall_now() + timedelta(minutes=1)):
        jobs.sweep()
    until(lambda: all(again(pk).sha256 for pk in ids))
    assert all(again(pk).sha256 == known for pk, known in before.items() if known)
    assert session.query(PaperJob).count() == 0


def test_the_sweep_finds_what_a_dead_broker_lost(desk: Flask, printer: Any) -> None:
    pk, fresh = issued(), issued()
    session.execute(
        text("UPDATE paper_job SET created_at = now() - interval '1 h' WHERE document_id = :pk"), {"pk": pk}
    )
    session.commit()
    assert operations.due() == [pk]
    jobs.sweep()
    printer()
    until(lambda: again(pk).sha256)
    assert again(fresh).sha256 is None  # on its way, as far as the sweep knows


def test_one_worker_serves_all_queues_the_desk_s_first(desk: Flask, broker_url: str) -> None:
    pk = issued()
    jobs.hand_over([pk])
    assert again(pk).sha256 is None
    queue.worker(desk).work(burst=True)
    assert again(pk).sha256


def test_without_a_broker_the_paper_is_there_at_once(desk: Flask) -> None:
    desk.config["REDIS_URL"] = "redis://127.0.0.1:9"
    patient, browser = Maker().patient(), sign_in(desk, "administrator")
    form = {"kind": "contract", "patient_id": patient.id, "request_id": str(uuid4())}
    answer = browser.get(browser.post("/documents/issue", data=form).location)
    assert answer.status_code == 200 and answer.data.startswith(b"%PDF-")


def test_printed_twice_and_by_many_at_once_the_first_bytes_stay(app: Flask, make: Maker) -> None:
    pk = issued()

    def print_it() -> None:
        with app.app_context():
            jobs.render(pk)
            session.remove()

    crowd = [threading.Thread(target=print_it) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    first = again(pk).sha256
    jobs.render(pk)
    with transaction():
        operations.store(pk, b"%PDF-other")
    assert first is not None and again(pk).sha256 == first and job_of(pk) is None


def killed_at(deed: Callable[[], Any]) -> None:
    """Do it in a process of its own that kills itself on the way."""
    child = os.fork()
    if not child:
        try:
            db.engine.dispose(close=False)  # the parent's connections are not ours
            deed()
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize("room, name", [(pdf, "render"), (operations, "store"), (operations, "begin")])
def test_killed_at_every_step(make: Maker, monkeypatch: pytest.MonkeyPatch, room: Any, name: str) -> None:
    pk = issued()
    session.remove()
    with monkeypatch.context() as patch:
        patch.setattr(room, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        killed_at(lambda: jobs.render(pk))
    assert again(pk).sha256 is None
    until(lambda: jobs.render(pk) or again(pk).sha256)  # the server notices the dead process a moment later
    assert job_of(pk) is None


def test_a_paper_that_kills_is_not_tried_for_ever(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = issued()

    def broken(_: str) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(pdf, "render", broken)
        for _ in range(operations.MOST_ATTEMPTS):
            with pytest.raises(MemoryError):
                jobs.render(pk)
        jobs.render(pk)
    assert job_of(pk).error == operations.GAVE_UP  # type: ignore[union-attr]
    jobs.render(pk)
    assert again(pk).sha256 is None
    jobs.render(pk, again=True)
    assert again(pk).sha256 and job_of(pk) is None


def test_a_machine_with_too_much_to_do_is_no_fault_of_the_text(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = issued()

    def slow(_: str) -> bytes:
        raise pdf.TooSlow()

    with monkeypatch.context() as patch:
        patch.setattr(pdf, "render", slow)
        jobs.render(pk)
    job = job_of(pk)
    assert job is not None and (job.attempts, job.error) == (1, "")
    jobs.render(pk)
    assert again(pk).sha256


def test_what_cannot_be_printed_says_so_and_can_be_tried_again(
    make: Maker, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, browser = make.patient(), client_of("administrator")

    def refused(_: str) -> bytes:
        raise pdf.NotPrintable()

    form = {"kind": "contract", "patient_id": patient.id, "request_id": str(uuid4())}
    with monkeypatch.context() as patch:
        patch.setattr(pdf, "render", refused)
        at = browser.post("/documents/issue", data=form).location
    page = browser.get(at)
    assert page.status_code == 202 and "не напечатан" in page.text and "упростите" in page.text
    assert "hx-get" not in page.text and "Попробовать ещё раз" in page.text
    pk = int(at.split("/")[-1].removesuffix(".pdf"))
    assert pk not in operations.due()
    assert "не напечатан" in browser.get(f"/documents/patient/{patient.id}").text
    listed = browser.get("/documents/journal/?state=failed").text
    assert "не напечатан" in listed and at in listed
    assert browser.post(f"/documents/{pk}/prepare", data={}).location == at
    assert browser.get(at).data.startswith(b"%PDF-")


def test_a_window_that_waits_long_says_what_to_do(make: Maker, client_of: Any) -> None:
    pk, browser = issued(), client_of("administrator")
    page = browser.get(f"/documents/{pk}.pdf")
    assert page.status_code == 202 and "Готовим" in page.text and "Подготовить сейчас" not in page.text
    with clock.at(clock.wall_now() + timedelta(minutes=1)):
        page = client_of("administrator").get(f"/documents/{pk}.pdf")
        assert "Подготовить сейчас" in page.text
    assert browser.post(f"/documents/{pk}/prepare", data={}).status_code == 303
    assert browser.get(f"/documents/{pk}.pdf").mimetype == "application/pdf"


@pytest.mark.parametrize("broken", [
    "UPDATE issued_document SET pdf = 'x', sha256 = encode(sha256('x'), 'hex') WHERE id = :printed",
    "UPDATE issued_document SET pdf = NULL, sha256 = NULL WHERE id = :printed",
    "UPDATE issued_document SET html = 'x' WHERE id = :waiting",
    "UPDATE issued_document SET number = number + 1 WHERE id = :waiting",
    "UPDATE issued_document SET pdf = 'x', sha256 = encode(sha256('x'), 'hex'), html = 'x' WHERE id = :waiting",
    "UPDATE issued_document SET pdf = 'x' WHERE id = :waiting",
    "UPDATE issued_document SET pdf = 'x', sha256 = repeat('0', 64) WHERE id = :waiting",
    "DELETE FROM paper_job WHERE document_id = :waiting",
    "INSERT INTO paper_job (document_id) VALUES (:printed)",
    "DELETE FROM issued_document WHERE id = :waiting", "TRUNCATE issued_document CASCADE",
])  # fmt: skip
def test_a_paper_gets_its_bytes_once_and_nothing_else_changes(make: Maker, broken: str) -> None:
    printed, waiting = issued(), issued()
    make.printed(printed)
    with pytest.raises(DBAPIError):
        session.execute(text(broken), {"printed": printed, "waiting": waiting})
    session.rollback()


def test_a_crowd_issues_without_gaps_and_without_waiting_crosswise(desk: Flask) -> None:
    """Twenty people issue at once: single papers and whole packages, whose kinds lie in another order each."""
    desk.config["REDIS_URL"] = ""
    patient, who = Maker().patient().id, Maker().user().id
    orders = [["contract", "consent_treatment", "health_questionnaire"], ["health_questionnaire", "contract"]]
    wrong: list[BaseException] = []

    def issue(n: int) -> None:
        with desk.app_context():
            try:
                actor = session.get_one(User, who)
                card = queries.card(patient)
                assert card is not None
                for kinds in (orders[n % 2], ["contract"], orders[(n + 1) % 2]):
                    with transaction():
                        operations.freeze([operations.FROM_CARD[0].__class__(kind) for kind in kinds], card, {},
                                          actor=actor)  # fmt: skip
            except BaseException as error:
                wrong.append(error)
            finally:
                session.remove()

    crowd = [threading.Thread(target=issue, args=(n,)) for n in range(20)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert not wrong, wrong[:3]
    for kind, many in (("contract", 60), ("health_questionnaire", 40), ("consent_treatment", 20)):
        numbers = session.scalars(text("SELECT number FROM issued_document WHERE kind = :kind"), {"kind": kind}).all()
        assert sorted(numbers) == list(range(1, many + 1))


def test_all_of_a_package_or_nothing(desk: Flask) -> None:
    from app.models import DocumentTemplate

    patient = Maker().patient()
    with transaction():
        session.query(DocumentTemplate).filter_by(kind="health_questionnaire").update({"active": False})
    with pytest.raises(operations.NoTemplate), transaction():
        operations.issue_first_visit(patient.id, actor=Maker().user())
    assert session.query(IssuedDocument).count() == 0
    with transaction():
        assert operations.issue("contract", patient.id, actor=Maker().user()).number == 1


# --- what a newcomer signs ----------------------------------------------------------------------------


def test_the_clinic_chooses_the_papers_of_a_first_visit(desk: Flask) -> None:
    desk.config["REDIS_URL"] = ""
    senior, at = sign_in(desk, "senior"), "/documents/first-visit-papers/"
    page = senior.get(at).text
    assert page.count('inputmode="numeric"') == len(operations.FROM_CARD)
    chosen = {"referral": "2", "consent_treatment": "1"}
    assert senior.post(at, data=chosen).status_code == 303
    assert queries.first_visit_kinds() == ["consent_treatment", "referral"]
    assert "Направление" in session.query(AuditEvent).filter_by(action="first_visit.chosen").one().after["text"]
    patient = Maker().patient()
    assert senior.post("/documents/first-visit", data={"patient_id": patient.id}).status_code == 303
    kinds = [row.kind for row in session.query(IssuedDocument).order_by(IssuedDocument.id)]
    assert kinds == ["consent_treatment", "referral"]
    for wrong in ({}, {"contract": "x"}, {"contract": "0"}, {"contract": "100"}, {"contract": "²"}):
        answer = senior.post(at, data=wrong)
        assert answer.status_code == 422 and "field-error" in answer.text
    assert queries.first_visit_kinds() == ["consent_treatment", "referral"]
    with pytest.raises(Invalid), transaction():
        operations.choose_first_visit({"tax_certificate": 1}, actor=None)
    for outsider in ("administrator", "doctor"):
        assert sign_in(desk, outsider).get(at).status_code == 403
        with pytest.raises(NotAllowed), transaction():
            operations.choose_first_visit({"contract": 1}, actor=Maker().user(outsider))


def test_what_goes_wrong_after_issuing_is_no_failure_of_it(
    make: Maker, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, browser = make.patient(), client_of("administrator")

    def broken(_: str) -> bytes:
        raise pdf.NoFont

    monkeypatch.setattr(pdf, "render", broken)
    form = {"kind": "contract", "patient_id": patient.id, "request_id": str(uuid4())}
    answer = browser.post("/documents/issue", data=form)
    assert answer.status_code == 303 and browser.get(answer.location).status_code == 202
