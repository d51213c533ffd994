"""A fiscal device behind ATOL's web server that prints on the screen: for the demo clinic and for tests.

`python -m app.gateways.kkt.simulator PORT|fd:N [file]`. On `/` lies the paper that it printed, and the switch of its
misdeeds. Under `/1`, `/2`, … it is as many other devices, each with its own memory, drawer and page: a clinic has one
in every branch. Where next: `device.py`.
"""

import json
import re
import socket
import sys
import threading
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.gateways.kkt import simulator_page as _html
from app.gateways.kkt.device import FAULTS, Device
from app.gateways.simulated import SimulatedServer, in_a_thread, serve

HANG = 60.0  # seconds
TASKS = "/api/v2/requests"
#: Which of the devices, and the rest of the path.
_OF_DEVICE = re.compile(r"(?:/(\d{1,6}))?(/.*)?", re.DOTALL)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Simulator"
    name = ""

    def _found(self) -> str:
        """The path within the device that is spoken to."""
        whole = _OF_DEVICE.fullmatch(urlsplit(self.path).path)
        self.name, path = (whole[1] or "", whole[2] or "/") if whole else ("", "")
        return path

    @property
    def device(self) -> Device:
        return self.server.one(self.name)

    def do_GET(self) -> None:
        path = self._found()
        if path.startswith(TASKS + "/"):
            if not self._misbehaves():
                self._result(path.removeprefix(TASKS + "/"))
        elif path == "/":
            self._say(200, _html.paper(self.device, self.name, self.server.names()), "text/html")
        elif path == "/state":
            self._json(200, self.device.state)
        else:
            self._json(404, {"error": {"code": 404, "description": "Нет такой страницы"}})

    def do_POST(self) -> None:
        path = self._found()
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1_000_000))
        if path == "/faults":
            self._faults(dict(parse_qsl(body.decode("utf-8", "replace"), True)))
        elif path != TASKS:
            self._json(404, {"error": {"code": 404, "description": "Нет такой страницы"}})
        elif not self._misbehaves():
            self._add(body)

    def _misbehaves(self) -> bool:
        fault = self.device.take_fault("offline", "error500")
        if fault == "offline":
            self._drop()
        elif fault == "error500":
            self._json(500, {"error": {"code": 500, "description": "Внутренняя ошибка"}})
        return bool(fault)

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _add(self, body: bytes) -> None:
        device = self.device
        try:
            asked = json.loads(body)
            uuid, given = str(asked["uuid"]), asked["request"]
            task = given[0] if isinstance(given, list) else given
            if not uuid or not isinstance(task, dict):
                raise ValueError
        except (ValueError, KeyError, IndexError, TypeError):
            self._json(400, {"error": {"code": 400, "description": "Задание не разобрано"}})
            return
        before = device.blocking()
        device.add(uuid, task)
        fault = device.take_fault("lost_answer", "silent")
        if fault == "lost_answer":
            self._drop()
            return
        if fault == "silent":
            self.server.stopping.wait(HANG)
            self.close_connection = True
            return
        blocked = before if before != uuid else ""
        self._json(
            201,
            {"uuid": uuid, "number": len(device.tasks), "isBlocked": bool(blocked), "blockedUUID": blocked},
        )

    def _result(self, uuid: str) -> None:
        task = self.device.poll(uuid)
        if task is None:
            self._json(404, {"error": {"code": 404, "description": "Задание не найдено"}})
            return
        error = {"code": task["code"], "description": task["why"] or "Ошибок нет"}
        self._json(200, {"results": [{"status": task["status"], "error": error, "result": task["result"]}]})

    def _faults(self, values: dict[str, str]) -> None:
        """`fault=no_paper&times=1`; without a fault: behave from now on. `hours=24`: the shift grows older."""
        fault, times, hours = values.get("fault", ""), values.get("times") or "1000000", values.get("hours") or "0"
        if (fault and fault not in FAULTS) or not times.isdigit() or not hours.isdigit():
            self._json(422, {"error": {"code": 422, "description": "Нет такой неисправности"}})
            return
        self.device.fault(fault, int(times))
        if int(hours):
            self.device.age(min(int(hours), 1000))
        if "page" not in values:
            self._json(200, {"fault": fault})
            return
        self.send_response(303)
        self.send_header("Location", f"/{self.name}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, answer: Any) -> None:
        self._say(status, json.dumps(answer, ensure_ascii=False), "application/json")

    def _say(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Patients' services stay out of the log."""


class Simulator(SimulatedServer):
    """The device's web server on a loopback port. Port 0: any free one."""

    def __init__(self, port: int = 0, *, bound: socket.socket | None = None, file: Path | None = None) -> None:
        self.device = Device(file)
        self._file = file
        self._devices = {"": self.device}
        self._lock = threading.Lock()
        if file is not None:
            for kept in file.parent.glob(f"{file.stem}-*.json"):
                self.one(kept.stem.removeprefix(f"{file.stem}-"))
        super().__init__(_Handler, port, bound=bound)

    def one(self, name: str) -> Device:
        """The device of this name, made when it is spoken to for the first time; the nameless one is `device`."""
        with self._lock:
            if name not in self._devices:
                own = self._file.with_name(f"{self._file.stem}-{name}.json") if self._file else None
                self._devices[name] = Device(own)
            return self._devices[name]

    def names(self) -> list[str]:
        """The devices under a name."""
        with self._lock:
            return sorted((name for name in self._devices if name), key=int)


def running(file: Path | None = None, port: int = 0) -> AbstractContextManager[Simulator]:
    """A simulator in a thread of this process, for tests."""
    return in_a_thread(Simulator(port, file=file))


if __name__ == "__main__":
    sys.exit(serve("app.gateways.kkt.simulator", Simulator, sys.argv[1:]))
