"""Background jobs: through a real broker, in a real worker; and what happens without a broker."""

import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, current_app
from redis import Redis

from app import queue
from app.local.broker import Broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("queue") / "broker", durable=False) as running:
        yield running


@pytest.fixture
def app(broker: Broker) -> Iterator[Flask]:
    """An application that has nothing but a broker."""
    Redis.from_url(broker.url).flushall()
    made = Flask("desk")
    made.config["REDIS_URL"] = broker.url
    with made.app_context():
        yield made


def note(path: str, word: str) -> None:
    """A job: needs the application, and counts its runs."""
    with Path(path).open("a") as file:
        file.write(f"{current_app.name} {word}\n")


def fail() -> None:
    raise RuntimeError("broken")


def test_a_job_runs_in_the_application(app: Flask, tmp_path: Path) -> None:
    assert queue.enqueue("tests.test_queue.note", str(tmp_path / "said"), "привет")
    queue.worker(app).work(burst=True)
    assert (tmp_path / "said").read_text() == "desk привет\n"


def test_the_same_id_twice_runs_once(app: Flask, tmp_path: Path) -> None:
    for _ in range(3):
        assert queue.enqueue("tests.test_queue.note", str(tmp_path / "said"), "раз", job_id="outbox-1")
    queue.worker(app).work(burst=True)
    assert (tmp_path / "said").read_text() == "desk раз\n"
    assert queue.enqueue("tests.test_queue.note", str(tmp_path / "said"), "два", job_id="outbox-1")
    queue.worker(app).work(burst=True)
    assert (tmp_path / "said").read_text() == "desk раз\ndesk два\n"


def test_a_failed_job_does_not_stop_the_worker(app: Flask, tmp_path: Path) -> None:
    assert queue.enqueue("tests.test_queue.fail", job_id="broken")
    assert queue.enqueue("tests.test_queue.note", str(tmp_path / "said"), "дальше")
    queue.worker(app).work(burst=True)
    assert (tmp_path / "said").read_text() == "desk дальше\n"
    # and the sweep may ask for it again at once
    assert queue.enqueue("tests.test_queue.note", str(tmp_path / "said"), "снова", job_id="broken")
    queue.worker(app).work(burst=True)
    assert "снова" in (tmp_path / "said").read_text()


def test_what_lies_in_the_broker_is_json(app: Flask, broker: Broker) -> None:
    assert queue.enqueue("tests.test_queue.note", "a", "b", job_id="seen")
    data = Redis.from_url(broker.url).hget("rq:job:seen", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data))[0] == "tests.test_queue.note"


def test_the_clock_puts_jobs_our_worker_can_read(
    app: Flask, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "TIMED_JOBS", [queue.TimedJob("tests.test_queue.tick", 60)])
    monkeypatch.setenv("TICKED", str(tmp_path / "ticked"))
    clock = queue.schedule(Redis.from_url(broker.url))
    clock.enqueue_jobs()
    clock.enqueue_jobs()  # not due again
    queue.worker(app).work(burst=True)
    assert (tmp_path / "ticked").read_text() == "."


def tick() -> None:
    with Path(os.environ["TICKED"]).open("a") as file:
        file.write(".")


def test_every_timed_job_exists() -> None:
    from rq.utils import import_attribute

    for job in queue.TIMED_JOBS:
        assert callable(import_attribute(job.function))
        assert job.seconds > 0


@pytest.mark.parametrize("url", ["", "unix:///nowhere/broker.sock", "redis://127.0.0.1:1/0"])
def test_without_a_broker_a_request_goes_on(url: str) -> None:
    app = Flask("desk")
    app.config["REDIS_URL"] = url
    with app.app_context():
        began = time.monotonic()
        assert queue.enqueue("tests.test_queue.note", "a", "b") is False
        assert time.monotonic() - began < 3  # a person waits
