"""The worker is killed anywhere, two come at once, the desk works meanwhile: all cards are there once, or none is."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import errors
from app.db import session, transaction
from app.local.processes import end
from app.models import AuditEvent, CardImport, CardImportRow, Patient, PatientPhone, User
from app.patients import jobs, operations, queries
from app.patients.operations import importing, writing
from tests.conftest import Maker
from tests.fiscal.test_killed import dies, dies_after, killed
from tests.patients.imports.conftest import applied, cards, carried, looked, state_of, table
from tests.test_races import together

ROOT = Path(__file__).resolve().parents[3]
MANY = 40


def people(surname: str, many: int = MANY) -> bytes:
    return table(*[[n, surname, "Анна", f"Отчество{n}", "", f"8 916 {n:07d}", "", ""] for n in range(1, many + 1)])


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PIECE", 7)


def taken(make: Maker, content: bytes) -> int:
    """A file whose columns were said; nothing is read yet."""
    with transaction():
        row = operations.take_file("картотека.csv", content, actor=None)
        pk = int(row.id)
    with transaction():
        operations.say_columns(pk, row.mapping, day_order="dmy", area_code="", headless=False, actor=None)
    return pk


def asked(make: Maker, pk: int) -> None:
    with transaction():
        operations.apply_import(pk, fill=False, with_maybe=False, actor=make.user("director"))


STEPS: dict[str, tuple[str, Any, str, Callable[..., Any]]] = {
    "a piece was read": ("reading", importing, "keep_rows", dies_after(importing.keep_rows)),
    "all was read": ("reading", importing, "all_read", dies_after(importing.all_read)),
    "a piece was judged": ("judging", importing, "_judge", dies_after(importing._judge)),
    "between two pieces": ("judging", jobs, "enqueue", dies),
    "all was compared": ("judging", queries, "compare", dies_after(queries.compare)),
    "the words are there": ("applying", writing, "keep_words", dies_after(writing.keep_words)),
    "some cards are written": ("applying", writing, "_rows", dies_after(writing._rows)),
    "the log is written": ("applying", writing, "_record", dies_after(writing._record)),
    "all is written, before the commit": ("applying", writing, "_finish", dies_after(writing._finish)),
    "after the commit": ("applying", jobs, "forget", dies),
}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("step", STEPS)
def test_killed_and_gone_on_with(
    app: Flask, make: Maker, surname: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    state, room, name, deadly = STEPS[step]
    one = surname()
    pk = taken(make, people(one))
    while state != "applying" and state_of(pk) != state:
        jobs.carry(pk)
    if state == "applying":
        assert carried(pk) == "judged"
        asked(make, pk)
    if step == "a piece was read":  # in the middle: the first piece is kept
        kept: list[int] = []
        real = importing.keep_rows
        deadly = lambda *args: (kept.append(1), len(kept) > 2 and dies(), real(*args))[2]  # noqa: E731
    session.remove()
    with monkeypatch.context() as patch:
        patch.setattr(room, name, deadly)
        killed(lambda: [jobs.carry(pk) for _ in range(MANY)])
    died_in = state_of(pk)
    assert len(cards(one)) == (MANY if step == "after the commit" else 0)
    if step == "a piece was read":
        assert session.scalar(select(func.count()).where(CardImportRow.import_id == pk)) == 14
    if died_in != "applied":
        assert pk in _left()
        if carried(pk) == "judged":
            asked(make, pk)
            assert carried(pk) == "applied"
    _check_once(pk, one, MANY)


def _left() -> list[int]:
    """What the sweep would find in a minute."""
    with transaction():
        session.execute(
            text("UPDATE card_import SET moved_at = moved_at - interval '1 minute' WHERE state <> 'applied'")
        )
    return list(queries.left_imports(jobs.STALE))


def _check_once(pk: int, surname: str, many: int) -> None:
    session.rollback()
    found = cards(surname)
    assert [card.old_number for card in found] == [str(n) for n in range(1, many + 1)]
    ids = [card.id for card in found]
    for asked_for in (
        select(func.count()).select_from(PatientPhone).where(PatientPhone.patient_id.in_(ids)),
        select(func.count()).where(AuditEvent.action == "card.imported", AuditEvent.patient_id.in_(ids)),
    ):
        assert session.scalar(asked_for) == many
    assert session.query(AuditEvent).filter_by(action="cards.imported", object_id=pk).count() == 1


@pytest.mark.usefixtures("small_pieces")
def test_a_file_that_kills_the_worker_is_given_up(
    app: Flask, make: Maker, surname: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = taken(make, people(surname()))
    monkeypatch.setattr(importing, "keep_rows", dies)
    for _ in range(importing.MOST_ATTEMPTS):
        assert state_of(pk) == "reading"
        session.remove()
        killed(lambda: jobs.carry(pk))
    jobs.carry(pk)
    assert state_of(pk) == "refused"
    row = session.get_one(CardImport, pk, populate_existing=True)
    assert "could not be worked through" in row.problem and row.content is None


def test_two_apply_at_once_and_both_workers_carry(app: Flask, make: Maker, surname: Any) -> None:
    one = surname()
    pk = looked(make, people(one))
    director = make.user("director").id

    def ask() -> Any:
        return operations.apply_import(pk, fill=False, with_maybe=False, actor=session.get_one(User, director)).id

    results = together(app, [ask] * 6)
    assert sum(result == pk for result in results) == 1, results
    assert all(result == pk or isinstance(result, errors.ImportBusy) for result in results), results
    workers = [threading.Thread(target=_in_context, args=(app, lambda: jobs.carry(pk))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert state_of(pk) == "applied"
    _check_once(pk, one, MANY)


def _in_context(app: Flask, call: Callable[[], Any]) -> None:
    with app.app_context():
        call()


def test_two_files_with_the_same_people_at_once(app: Flask, make: Maker, surname: Any) -> None:
    one = surname()
    numbers = [looked(make, people(one)) for _ in range(3)]
    for pk in numbers:
        asked(make, pk)
    workers = [threading.Thread(target=_in_context, args=(app, lambda pk=pk: jobs.carry(pk))) for pk in numbers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {carried(pk) for pk in numbers} == {"applied"}
    assert len(cards(one)) == MANY
    session.expire_all()
    written = [(session.get_one(CardImport, pk).counts or {})["written"] for pk in numbers]
    assert sorted(written) == [0, 0, MANY]


@pytest.mark.usefixtures("small_pieces")
def test_many_workers_at_one_file(app: Flask, make: Maker, surname: Any) -> None:
    one = surname()
    pk = taken(make, people(one))

    def work() -> None:
        for _ in range(40):
            jobs.carry(pk)

    workers = [threading.Thread(target=_in_context, args=(app, work)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert state_of(pk) == "judged"
    assert applied(make, pk) == "applied"
    _check_once(pk, one, MANY)


@pytest.mark.parametrize("moment", ["lock_word", "_record"])
def test_a_card_made_at_the_desk_meanwhile_is_not_made_twice(
    app: Flask, make: Maker, surname: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The desk saves one of these people: before the rows are compared for the last time, and after the cards are
    written but not yet seen."""
    one = surname()
    pk = looked(make, people(one))
    asked(make, pk)
    made: list[int] = []

    def at_the_desk() -> None:
        with app.app_context(), transaction():
            values = {"surname": one, "name": "Анна", "patronymic": "Отчество3", "phone": "8 916 0000003"}
            made.append(operations.create_card(values, actor=None).id)

    real = getattr(writing, moment)

    def with_the_desk(*args: Any) -> None:
        real(*args)
        if not made:  # while all cards are written and not yet seen: the desk need not wait
            desk = threading.Thread(target=at_the_desk)
            desk.start()
            desk.join(60)
            assert made, "the desk waits for the import"

    monkeypatch.setattr(writing, moment, with_the_desk)
    jobs.carry(pk)
    assert carried(pk) == "applied"
    found = cards(one)
    assert len(found) == MANY and [card.id for card in found if card.old_number == ""] == made
    row = session.query(CardImportRow).filter_by(import_id=pk, line=4).one()
    assert (row.verdict, row.twin_id, row.patient_id) == ("there", made[0], None)


def test_desks_write_the_same_people_all_the_time(app: Flask, make: Maker, surname: Any) -> None:
    """However they meet: nobody twice, and nobody is refused for it."""
    one = surname()
    pk = looked(make, people(one, 120))
    asked(make, pk)
    done: list[Any] = []

    def desk(first: int) -> None:
        for n in range(first, 121, 2):
            try:
                with transaction():
                    twins = queries.possible_duplicates(one, "Анна", None, f"+7916{n:07d}")
                    if not any(twin["full_name"].endswith(f"Отчество{n}") for twin in twins):
                        values = {"surname": one, "name": "Анна", "patronymic": f"Отчество{n}", "phone": f"8916{n:07d}"}
                        operations.create_card(values, actor=None)
                done.append(True)
            except errors.Refusal as refusal:
                done.append(refusal)

    desks = [threading.Thread(target=_in_context, args=(app, lambda first=first: desk(first))) for first in (1, 2)]
    for thread in desks:
        thread.start()
    assert carried(pk) == "applied"
    for thread in desks:
        thread.join()
    assert done == [True] * 120
    by_hand = {card.patronymic for card in cards(one) if not card.old_number}
    from_file = {card.patronymic for card in cards(one) if card.old_number}
    assert len(by_hand | from_file) == 120
    # a desk that looked before the cards appeared may have saved one after; the file has made none that was there
    seen = session.query(CardImportRow).filter_by(import_id=pk, verdict="there").count()
    assert len(from_file) == 120 - seen


# --- a real worker ------------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_a_worker_killed_in_the_middle_and_the_next_one_goes_on(
    fresh_app: Flask, broker_url: str, tmp_path: Path, surname: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process as run.py starts it, killed while it judges and again while it writes; the sweep finds the import."""
    from datetime import timedelta

    monkeypatch.setattr(jobs, "STALE", timedelta(seconds=1))
    fresh_app.config["REDIS_URL"] = broker_url
    one, many = surname(), 15_000
    environment = {**os.environ, "DATABASE_URL": fresh_app.config["SQLALCHEMY_DATABASE_URI"], "REDIS_URL": broker_url}
    started: list[subprocess.Popen[bytes]] = []

    def worker() -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker{len(started)}.log").open("wb")
        command = [sys.executable, "run.py", "worker"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return started[-1]

    def until(true: Callable[[], Any], *, sweep: bool = True) -> None:
        deadline = time.monotonic() + 240
        while not true():
            assert time.monotonic() < deadline, "it did not happen"
            if sweep:
                jobs.sweep()
            time.sleep(0.05)

    def progress(pk: int) -> tuple[str, int]:
        session.rollback()
        state, done = session.execute(select(CardImport.state, CardImport.done).where(CardImport.id == pk)).one()
        return state, done

    try:
        with fresh_app.app_context():
            make = Maker()
            rows = [[n, one, f"Имя{n % 3000}", f"Отч{n}", "", "", "", ""] for n in range(1, many + 1)]
            pk = taken(make, table(*rows))
            first = worker()
            until(lambda: progress(pk)[0] == "judging" and 0 < progress(pk)[1] < many)
            first.send_signal(signal.SIGKILL)
            first.wait()
            stopped = progress(pk)
            assert stopped[0] == "judging" and session.scalar(select(func.count(Patient.id))) == 0
            second = worker()
            until(lambda: progress(pk)[0] == "judged")
            asked(make, pk)
            writes = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE query LIKE '%INSERT INTO patient (id%' AND pid <> pg_backend_pid()"
            )
            until(lambda: session.rollback() or session.scalar(text(writes)) or progress(pk)[0] == "applied")
            second.send_signal(signal.SIGKILL)
            second.wait()
            before = progress(pk)[0], session.scalar(select(func.count(Patient.id)))
            assert before in (("applying", 0), ("applied", many)), before
            worker()
            until(lambda: progress(pk)[0] == "applied")
            assert session.scalar(select(func.count(Patient.id))) == many
            assert session.scalar(select(func.count()).where(AuditEvent.action == "card.imported")) == many
            assert all(one not in log.read_text() for log in tmp_path.glob("worker*.log"))
            session.remove()
    finally:
        for process in started:
            end(process, sign=signal.SIGKILL)
