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
from app.local.processes import end
from app.messages import jobs, operations, rules
from app.models import Appointment, ClinicSetting, OutboxMessage
from tests.conftest import Maker

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]


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


def until(true: Callable[[], Any], *, sweep: bool = False, seconds: float = 120) -> None:
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


# --- several visits of a day in one message ----------------------------------------------------------------


def two_messages() -> tuple[OutboxMessage, OutboxMessage]:
    """The messages of two visits of a patient on one day, due now."""
    make = Maker()
    patient, start = make.patient(), datetime.combine(clock.today() + timedelta(days=10), clock_time(10))
    visits = [make.appointment(patient, make.doctor(), start.replace(hour=hour)) for hour in (10, 14)]
    for visit in visits:
        with transaction():
            operations.plan_visit(visit, actor=None)
    rows = session.scalars(
        select(OutboxMessage).where(OutboxMessage.patient_id == patient.id, OutboxMessage.kind == "booked")
        .order_by(OutboxMessage.planned_time)
    ).all()  # fmt: skip
    with transaction():
        for row in rows:
            row.due_at = clock.now() - timedelta(seconds=1)
    return rows[0], rows[1]


def test_killed_while_sending_the_message_of_a_day(desk: Flask, worker: Any, simulator: Simulator) -> None:
    """The gateway has it, the worker dies: both visits are told once."""
    simulator.outbox.faults = ["hang_after"]
    one, two = two_messages()
    process = worker()
    until(lambda: simulator.outbox.messages, sweep=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    worker()
    until(lambda: "sent" in (again(one).status, again(two).status), sweep=True)
    for _ in range(3):
        jobs.sweep()
        session.rollback()
        time.sleep(0.3)
    [taken] = simulator.outbox.messages
    assert "10:00 и 14:00" in taken["text"]
    assert sorted((again(one).status, again(two).status)) == ["joined", "sent"]


def test_killed_before_the_gateway_took_the_message_of_a_day(desk: Flask, worker: Any, simulator: Simulator) -> None:
    simulator.outbox.faults = ["hang_before"]
    one, two = two_messages()
    process = worker()
    until(lambda: "sending" in (again(one).status, again(two).status) and not simulator.outbox.faults, sweep=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    moved = session.get_one(Appointment, again(two).appointment_id)
    with transaction():  # meanwhile the second visit moves
        moved.starts_at, moved.ends_at = moved.starts_at.replace(hour=16), moved.ends_at.replace(hour=16)
        operations.replan_visit(moved, actor=None)
    worker()
    until(lambda: "sent" in (again(one).status, again(two).status), sweep=True)
    told = [message["text"] for message in simulator.outbox.messages]
    assert len(told) == 1 and "10:00" in told[0] and "14:00" not in told[0]
    later = select(OutboxMessage).where(OutboxMessage.appointment_id == moved.id, OutboxMessage.status == "pending")
    assert all("16:00" in row.body for row in session.scalars(later))


def test_two_workers_tell_a_day_once(desk: Flask, worker: Any, simulator: Simulator) -> None:
    from app.queue import enqueue

    one, two = two_messages()
    for _ in range(5):
        for row in (one, two):
            assert enqueue("app.messages.jobs.send", row.id)
    worker()
    worker()
    until(lambda: sorted((again(one).status, again(two).status)) == ["joined", "sent"])
    time.sleep(0.5)
    assert len(simulator.outbox.messages) == 1


# --- delivery, and sending again ------------------------------------------------------------------------------


def test_delivery_is_asked_for_until_it_is_known(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.status = 0
    row = message()
    jobs.send(row.id)
    jobs.ask_delivery()
    assert again(row).status == "sent" and row.asked_at is not None
    asked = simulator.outbox.asked
    jobs.ask_delivery()
    assert simulator.outbox.asked == asked  # not yet again
    simulator.outbox.status = 1
    with clock.at(clock.now() + timedelta(minutes=3)):
        jobs.ask_delivery()
    assert again(row).status == "delivered"


def test_what_was_not_delivered_is_sent_again_under_a_new_reference(desk: Flask, simulator: Simulator) -> None:
    simulator.outbox.status = 25
    one, two = two_messages()
    jobs.send(one.id)
    jobs.ask_delivery()
    assert again(one).status == again(two).status == "failed" and "reached" in one.error
    with transaction():
        operations.send_again(one.id, actor=Maker().user())
    simulator.outbox.status = 1
    jobs.send(one.id)
    assert again(one).status == "sent" and again(two).status == "joined"
    first, second = simulator.outbox.messages
    assert second["id"] != first["id"] and not second["duplicate"] and "10:00 и 14:00" in second["text"]


def test_replies_are_fetched_and_taken_once(desk: Flask, simulator: Simulator) -> None:
    from app.models import IncomingMessage
    from app.schedule import jobs as schedule

    row = message("reminder")
    jobs.send(row.id)
    schedule.note_notified()
    visit = session.get_one(Appointment, row.appointment_id, populate_existing=True)
    assert visit.confirmation == "notified"
    simulator.outbox.reply(row.phone, "Да")
    for _ in range(3):
        schedule.take_replies()
    session.rollback()
    [reply] = session.scalars(select(IncomingMessage)).all()
    assert (reply.meaning, reply.appointment_id) == ("yes", visit.id)
    session.refresh(visit)
    assert visit.confirmation == "confirmed"


def test_a_gateway_that_is_down_or_mad_gives_no_replies(desk: Flask, simulator: Simulator) -> None:
    from app.models import IncomingMessage
    from app.schedule import jobs as schedule

    simulator.outbox.replies += [{"id": 1}, {"message": "да"}, {"id": 2, "phone": "x", "message": "да"}, "x", None]  # type: ignore[list-item]
    schedule.take_replies()
    desk.config["SMS_GATEWAY_URL"] = "http://127.0.0.1:9"
    schedule.take_replies()
    jobs.ask_delivery()
    assert session.scalars(select(IncomingMessage)).all() == []
