"""`make run`: starts, says where, stops cleanly, survives a kill; says one sentence when it cannot."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from flask import Flask

ROOT = Path(__file__).parents[1]


class Started:
    """run.py in a folder of its own, without the demo clinic: this is about processes."""

    def __init__(self, var: Path, port: int, **environ: str) -> None:
        env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        env |= {"VAR_DIR": str(var), "PORT": str(port), "HOST": "127.0.0.1", "DEMO": "0", **environ}
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "run.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
        )
        self.said: list[str] = []

    def ready(self) -> "Started":
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith("Остановить"):
                return self
        raise AssertionError(self.said)

    def end(self) -> int:
        """What it returns, everything it said read."""
        out, _ = self.process.communicate(timeout=60)
        self.said += out.strip().splitlines()
        return self.process.returncode

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process | None:
        """The living process that is this part of the program."""
        for process in self.family():
            with suppress(psutil.Error):
                if process.cmdline()[-1:] == [name] or (name == "broker" and "-server" in process.name()):
                    return process
        return None

    def health(self) -> dict[str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/api/v1/health")
        answer = connection.getresponse()
        assert answer.status == 200
        return dict(json.loads(answer.read()))


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def started() -> Iterator[list[Started]]:
    programs: list[Started] = []
    yield programs
    for program in programs:
        if program.process.poll() is None:
            program.process.terminate()
            program.process.wait(60)
        assert program.process.stdout is not None
        program.process.stdout.close()


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole file: each test is also a later start."""
    return tmp_path_factory.mktemp("run") / "var"


def _all_gone(processes: list[psutil.Process], seconds: float = 20) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(var: Path, port: int, started: list[Started], sign: signal.Signals) -> None:
    program = Started(var, port).ready()
    started.append(program)
    assert f"Регистратура: http://127.0.0.1:{port}" in program.said
    assert program.health()["status"] == "ok"
    family = program.family()
    program.process.send_signal(sign)
    assert program.end() == 0
    assert program.said[-1] == "Остановлено."
    assert _all_gone(family, 0)
    assert not list(var.glob("*/*.sock"))


def test_killed_it_takes_everything_along_and_starts_again(var: Path, port: int, started: list[Started]) -> None:
    program = Started(var, port).ready()
    started.append(program)
    family = program.family()
    assert len(family) >= 7
    program.process.kill()
    again = Started(var, port).ready()  # at once, while the others are still on their way out
    started.append(again)
    assert _all_gone(family)
    assert again.health()["status"] == "ok"


def test_what_dies_is_started_again(var: Path, port: int, started: list[Started]) -> None:
    program = Started(var, port).ready()
    started.append(program)
    parts = ("desk", "papers", "clock", "broker")  # the two workers by their queues
    doomed = {name: program.part(name) for name in parts}
    for process in doomed.values():
        assert process is not None
        process.kill()
    deadline = time.monotonic() + 30
    for name in parts:
        while program.part(name) in (None, doomed[name]):
            assert time.monotonic() < deadline, f"{name} was not started again"
            time.sleep(0.1)
    assert program.health()["status"] == "ok"


def test_a_dead_database_ends_it_with_a_sentence(var: Path, port: int, started: list[Started]) -> None:
    program = Started(var, port).ready()
    started.append(program)
    family = program.family()
    next(p for p in family if p.name() == "postgres" and p.ppid() == program.process.pid).kill()
    assert program.end() == 1
    assert "База данных остановилась" in program.said[-1]
    assert _all_gone(family)


def test_two_at_once_in_one_folder(var: Path, port: int, started: list[Started]) -> None:
    program = Started(var, port).ready()
    started.append(program)
    second = Started(var, port)
    started.append(second)
    assert second.end() == 1
    assert len(second.said) == 1
    assert str(program.process.pid) in second.said[0]


def test_a_busy_port_is_found_before_anything_starts(tmp_path: Path, port: int, started: list[Started]) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        program = Started(tmp_path / "var", port)
        started.append(program)
        assert program.end() == 1
    assert len(program.said) == 1
    assert str(port) in program.said[0]
    assert not (tmp_path / "var" / "postgres").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("CLINIC_TZ", "Moon/Base"),
        ("BABEL_DEFAULT_LOCALE", "fr"),
        ("HOST", "no.invalid"),
    ],
)
def test_a_wrong_setting_gets_one_sentence(
    tmp_path: Path, port: int, started: list[Started], setting: str, value: str
) -> None:
    program = Started(tmp_path / "var", port, **{setting: value})
    started.append(program)
    assert program.end() == 1
    assert len(program.said) == 1
    assert value in program.said[0]


def test_no_database_there_gets_one_sentence(tmp_path: Path, port: int, started: list[Started]) -> None:
    program = Started(tmp_path / "var", port, DATABASE_URL="postgresql://127.0.0.1:1/clinic")
    started.append(program)
    assert program.end() == 1
    assert "не отвечает" in program.said[-1]


def test_the_application_opens_no_connection_before_the_fork(app: Flask) -> None:
    """The web processes are forked from one that has loaded the application: it must not hold a connection then."""
    from app import create_app
    from app.db import db

    made = create_app({"SQLALCHEMY_DATABASE_URI": app.config["SQLALCHEMY_DATABASE_URI"]})
    with made.app_context():
        assert db.engine.pool.checkedin() == db.engine.pool.checkedout() == 0
