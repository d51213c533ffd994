"""From money to the device with a real worker, broker and device over HTTP: killed anywhere, done once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.db import session, transaction
from app.fiscal import jobs, operations
from app.gateways.kkt.simulator import Simulator
from app.local.processes import end
from tests.conftest import Maker
from tests.fiscal.conftest import Shop
from tests.messages.test_jobs import until

pytestmark = pytest.mark.servers
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(fresh_app: Flask, broker_url: str, simulator: Simulator) -> Iterator[Shop]:
    fresh_app.config.update(REDIS_URL=broker_url, KKT_STALE_SECONDS=1.0)
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


@pytest.mark.parametrize(
    ("deed", "step"),
    [("pay", "getShiftStatus"), ("pay", "openShift"), ("pay", "sell"),
     ("pay_in", "getShiftStatus"), ("pay_in", "openShift"), ("pay_in", "cashIn")],
)  # fmt: skip
def test_the_worker_is_killed_while_the_device_is_silent(
    desk: Shop, worker: Any, simulator: Simulator, deed: str, step: str
) -> None:
    """The device has taken the task and says nothing; the worker dies; the next one asks and finishes."""
    device, add, seen = simulator.device, simulator.device.add, []

    def silent_once(uuid: str, task: dict[str, Any]) -> dict[str, Any]:
        if task["type"] == step and not seen:
            device.fault("silent", 1)
            seen.append(uuid)
        return add(uuid, task)

    device.add = silent_once  # type: ignore[method-assign]
    if deed == "pay":
        receipt_id = desk.pay(desk.bill().patient_id, ("cash", "1000")).id
    else:
        receipt_id = desk.move("pay_in", "1000").id

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
    assert len(device.papers) == 1 and device.state["cash"] == desk.balance() == 100_000


def test_the_worker_is_killed_while_it_levels(desk: Shop, worker: Any, simulator: Simulator) -> None:
    """Asked what is in the drawer, the device is silent and the worker dies; the next one levels it, once."""
    desk.move("pay_in", "1000")
    desk.carry()
    device, add, seen = simulator.device, simulator.device.add, []
    device.state["cash"] = 5

    def silent_once(uuid: str, task: dict[str, Any]) -> dict[str, Any]:
        if task["type"] == "getCashDrawerStatus" and not seen:
            device.fault("silent", 1)
            seen.append(uuid)
        return add(uuid, task)

    device.add = silent_once  # type: ignore[method-assign]
    with transaction():
        operations.ask_to_level(desk.device_id, actor=desk.make.user("senior"))
    process = worker()
    until(lambda: seen, sweep=False)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert desk.told().levelling_by
    worker()

    def done() -> bool:
        jobs.sweep()
        session.rollback()
        return device.state["cash"] == desk.balance() and desk.told().drawer == 1000

    until(done)
    assert len(device.counted) == 2 and not desk.told().levelling_by


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
