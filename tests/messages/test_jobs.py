"""Messages on their way: a real worker process, a real broker, a real gateway over HTTP (the simulator).

Whatever is killed, whenever: exactly one message.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app import clock
from app.db import session, transaction
from app.gateways.sms.simulator import Simulator, running
from app.local import Broker, end
from app.messages import jobs, operations, rules
from app.models import Appointment, ClinicSetting, OutboxMessage
from tests.conftest import Maker

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def broker_url(tmp_path: Path) -> Iterator[str]:
    """A broker; with REDIS_URL the one of the system, emptied."""
    if given := os.environ.get("REDIS_URL"):
        from redis import Redis

        Redis.from_url(given).flushdb()
        yield given
        return
    with Broker(tmp_path / "broker", durable=False) as broker:
        yield broker.url


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(tmp_path / "gateway.jsonl") as server:
        yield server


@pytest.fixture
def desk(fresh_app: Flask, broker_url: str, simulator: Simulator) -> Iterator[Flask]:
    """A clinic where nothing has happened, with its broker and its gateway."""
    fresh_app.config.update(REDIS_URL=broker_url, SMS_STALE_SECONDS=1.0, **account(simulator.url))
    with fresh_app.app_context():
        with transaction():
            operations.add_first_templates()
            hours = session.get(ClinicSetting, 1) or ClinicSetting(id=1)
            hours.sending_from, hours.sending_to = clock_time.min, clock_time.max  # whatever the hour of the test
            session.add(hours)
        yield fresh_app
        session.remove()


def account(url: str) -> dict[str, str]:
    return {"SMS_GATEWAY_URL": url, "SMS_GATEWAY_LOGIN": "clinic", "SMS_GATEWAY_PASSWORD": "secret"}


@pytest.fixture
def worker(desk: Flask, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`worker()` starts a worker process as run.py does."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ,
        "DATABASE_URL": desk.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": desk.config["REDIS_URL"],
        "SMS_STALE_SECONDS": "1",
        **account(desk.config["SMS_GATEWAY_URL"]),
    }

    def start() -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker{len(started)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "run.py", "worker"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        started.append(process)
        return process

    yield start
    for process in started:
        end(process, sign=signal.SIGKILL)


def message(kind: str = "booked") -> OutboxMessage:
    """A message of a freshly booked visit, due now."""
    make = Maker()
    start = datetime.combine(clock.today() + timedelta(days=10), clock_time(10))
    visit = make.appointment(make.patient(), make.doctor(), start)
    with transaction():
        operations.plan_visit(visit, actor=None)
    with transaction():
        row = session.scalars(
            select(OutboxMessage).where(OutboxMessage.appointment_id == visit.id, OutboxMessage.kind == kind)
        ).one()
        row.due_at = clock.now() - timedelta(seconds=1)
    return row


def again(row: OutboxMessage) -> OutboxMessage:
    session.rollback()
    session.refresh(row)
    return row


def until(true: Callable[[], Any], *, sweep: bool = False, seconds: float = 30) -> None:
    """Wait for something, with the clock of timed jobs ticking when asked."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        if sweep:
            jobs.sweep()
            session.rollback()
        time.sleep(0.1)


def hurry(row: OutboxMessage) -> None:
    """Let the pause before the next attempt be over."""
    session.rollback()
    with transaction():
        session.execute(
            text("UPDATE outbox_message SET due_at = now() - interval '1 s' WHERE id = :id"), {"id": row.id}
        )


def test_the_worker_sends_what_the_sweep_finds(desk: Flask, worker: Any, simulator: Simulator) -> None:
    row = message()
    worker()
    until(lambda: again(row).status == "sent", sweep=True)
    [taken] = simulator.outbox.messages
    assert (taken["id"], "+" + taken["phone"], taken["text"]) == (row.id, row.phone, row.body)
    assert row.parts == rules.parts(row.body) and row.price is not None and row.sent_at is not None and row.error == ""


def test_killed_between_sending_and_marking(desk: Flask, worker: Any, simulator: Simulator) -> None:
    """The gateway has taken the message, the worker dies before it knows: asked, found, not sent again."""
    simulator.outbox.faults = ["hang_after"]
    row = message()
    process = worker()
    until(lambda: simulator.outbox.messages, sweep=True)
    assert again(row).status == "sending"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert again(row).status == "sending"
    worker()
    until(lambda: again(row).status == "sent", sweep=True)
    assert [m["id"] for m in simulator.outbox.messages] == [row.id]
    assert simulator.outbox.asked >= 1


def test_killed_before_the_gateway_took_it(desk: Flask, worker: Any, simulator: Simulator) -> None:
    simulator.outbox.faults = ["hang_before"]
    row = message()
    process = worker()
    until(lambda: again(row).status == "sending" and not simulator.outbox.faults, sweep=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert simulator.outbox.messages == []
    worker()
    until(lambda: again(row).status == "sent", sweep=True)
    assert [m["id"] for m in simulator.outbox.messages] == [row.id]


def test_a_lost_answer_is_asked_for(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.faults = ["lost_answer"]
    row = message()
    jobs.send(row.id)
    assert again(row).status == "sending" and row.error
    jobs.send(row.id)
    assert again(row).status == "sending"  # not yet
    hurry(row)
    time.sleep(1.1)
    jobs.send(row.id)
    assert again(row).status == "sent" and row.error == ""
    assert [m["duplicate"] for m in simulator.outbox.messages] == [False]


def test_nonsense_is_not_an_answer(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.faults = ["nonsense"]
    row = message()
    jobs.send(row.id)
    assert again(row).status == "sending"
    hurry(row)
    time.sleep(1.1)
    jobs.send(row.id)
    assert again(row).status == "sent" and len(simulator.outbox.messages) == 1


def test_a_wrong_number_fails_at_once_with_a_sentence(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.faults = ["error:7"]
    row = message()
    jobs.send(row.id)
    assert again(row).status == "failed" and "number" in row.error
    jobs.send(row.id)
    assert again(row).status == "failed" and simulator.outbox.messages == []


def test_no_money_is_tried_again(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.faults = ["error:3"]
    row = message()
    jobs.send(row.id)
    assert again(row).status == "pending" and "money" in row.error and row.due_at > clock.now()
    hurry(row)
    jobs.send(row.id)
    assert again(row).status == "sent" and len(simulator.outbox.messages) == 1


def test_a_gateway_that_is_down_is_waited_for(desk: Flask, simulator: Simulator) -> None:
    row = message()
    desk.config["SMS_GATEWAY_URL"] = "http://127.0.0.1:9"
    jobs.send(row.id)
    assert again(row).status == "pending" and row.error
    desk.config["SMS_GATEWAY_URL"] = simulator.url
    hurry(row)
    jobs.send(row.id)
    assert again(row).status == "sent" and len(simulator.outbox.messages) == 1


def test_without_a_gateway_messages_wait(desk: Flask) -> None:
    row = message()
    desk.config["SMS_GATEWAY_URL"] = ""
    jobs.sweep()
    jobs.send(row.id)
    assert again(row).status == "pending" and row.attempts == 0


def test_a_visit_moved_while_the_worker_was_dead_never_gets_the_old_text(desk: Flask, simulator: Simulator) -> None:
    row = message()
    with transaction():
        operations.claim(row.id, timedelta(seconds=1))  # and dies
    with transaction():
        visit = session.get_one(Appointment, row.appointment_id)
        visit.starts_at += timedelta(hours=1)
        visit.ends_at += timedelta(hours=1)
        operations.replan_visit(visit, actor=None)
    time.sleep(1.1)
    jobs.send(row.id)
    assert again(row).status == "cancelled"
    assert simulator.outbox.messages == []


def test_two_workers_and_a_pile_of_the_same_job_send_once(desk: Flask, worker: Any, simulator: Simulator) -> None:
    from app.queue import enqueue

    rows = [message() for _ in range(5)]
    for _ in range(6):
        for row in rows:
            assert enqueue("app.messages.jobs.send", row.id)
    worker()
    worker()
    until(lambda: all(again(row).status == "sent" for row in rows))
    time.sleep(0.5)
    assert sorted(m["id"] for m in simulator.outbox.messages) == sorted(row.id for row in rows)


def test_a_broker_that_is_down_loses_nothing(desk: Flask, tmp_path: Path, worker: Any, simulator: Simulator) -> None:
    alive = desk.config["REDIS_URL"]
    desk.config["REDIS_URL"] = f"unix://{tmp_path}/nobody.sock"
    row = message()  # the booking goes through
    jobs.sweep()
    session.rollback()
    assert again(row).status == "pending"
    desk.config["REDIS_URL"] = alive
    worker()
    until(lambda: again(row).status == "sent", sweep=True)
    assert len(simulator.outbox.messages) == 1
