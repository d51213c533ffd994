"""From payment to receipt with a real worker, broker and device over HTTP: killed anywhere, printed once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.db import session
from app.fiscal import jobs
from app.gateways.kkt.simulator import Simulator
from app.local import Broker, end
from tests.conftest import Maker
from tests.fiscal.conftest import Shop
from tests.messages.test_jobs import until

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(fresh_app: Flask, tmp_path: Path, simulator: Simulator) -> Iterator[Shop]:
    with Broker(tmp_path / "broker", durable=False) as broker:
        fresh_app.config.update(REDIS_URL=broker.url, KKT_STALE_SECONDS=1.0)
        with fresh_app.app_context():
            yield Shop(Maker(), simulator)
            session.remove()


@pytest.fixture
def worker(desk: Shop, fresh_app: Flask, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """`worker()` starts a worker process as run.py does."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        **os.environ, "DATABASE_URL": fresh_app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": fresh_app.config["REDIS_URL"], "KKT_STALE_SECONDS": "1", "KKT_POLL_SECONDS": "0.05",
    }  # fmt: skip

    def start() -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker{len(started)}.log").open("wb")
        started.append(
            subprocess.Popen([sys.executable, "run.py", "worker"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        )
        return started[-1]

    yield start
    for process in started:
        end(process, sign=signal.SIGKILL)


@pytest.mark.parametrize("step", ["getShiftStatus", "openShift", "sell"])
def test_the_worker_is_killed_while_the_device_is_silent(
    desk: Shop, worker: Any, simulator: Simulator, step: str
) -> None:
    """The device has taken the task and says nothing; the worker dies; the next one asks and finishes."""
    device, add, seen = simulator.device, simulator.device.add, []

    def silent_once(uuid: str, task: dict[str, Any]) -> dict[str, Any]:
        if task["type"] == step and not seen:
            device.fault("silent", 1)
            seen.append(uuid)
        return add(uuid, task)

    device.add = silent_once  # type: ignore[method-assign]
    receipt_id = desk.pay(desk.bill().patient_id, ("cash", "1000")).id

    def status() -> str:
        session.rollback()
        return desk.of(id=receipt_id).status

    process = worker()
    until(lambda: seen, sweep=False)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert status() == "sending"
    worker()

    def done() -> bool:
        jobs.sweep()
        return status() == "done"

    until(done)
    assert len(device.printed) == 1 and device.state["cash"] == 100_000


def test_a_receipt_whose_job_was_never_enqueued_is_found(desk: Shop, worker: Any, fresh_app: Flask) -> None:
    """The web process was killed between the commit and the queue."""
    url, fresh_app.config["REDIS_URL"] = fresh_app.config["REDIS_URL"], ""
    receipt_id = desk.pay(desk.bill().patient_id, ("card", "1000")).id
    fresh_app.config["REDIS_URL"] = url
    worker()

    def done() -> bool:
        jobs.sweep()
        session.rollback()
        return desk.of(id=receipt_id).status == "done"

    until(done)
    assert len(desk.printed()) == 1
