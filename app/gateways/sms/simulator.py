"""A gateway that speaks SMSC's protocol and sends nothing: for the demo clinic and for tests.

`python -m app.gateways.sms.simulator PORT [file]`, or PORT as `fd:N` for a socket that the parent has bound. It keeps
what it took in the file, so that a restart forgets nothing. On `/` a person plays the patients' phones: reads what
came, answers, and switches the gateway's misdeeds.
"""

import json
import socket
import sys
import threading
import time
from contextlib import AbstractContextManager, suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from app import clock
from app.gateways.simulated import SimulatedServer, in_a_thread, serve
from app.gateways.sms import simulator_page as _html

PRICE = Decimal("4.10")
#: What it can do wrong, each for the next so many requests to send.php:
#: hang_before (takes nothing and is silent), hang_after (takes the message and is silent), lost_answer (takes it and
#: drops the line), error:N (refuses with SMSC's code N), nonsense (answers what is not JSON).
FAULTS = ("hang_before", "hang_after", "lost_answer", "nonsense", "error")
HANG = 60.0  # seconds
_ERRORS = {
    1: "parameters error",
    2: "authorise error",
    3: "no money",
    4: "ip banned",
    7: "invalid number",
    8: "not possible",
    9: "duplicate request",
}


class Outbox:
    """What the gateway has taken, in order; the same reference twice is taken twice and seen by the test."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.messages: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.status = 1
        self.asked = 0
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    kept = json.loads(line)
                    (self.replies if "received" in kept else self.messages).append(kept)

    def _keep(self, what: dict[str, Any]) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(what, ensure_ascii=False) + "\n")

    def reply(self, phone: str, text: str) -> dict[str, Any]:
        """A patient answers; the clinic's program fetches it."""
        with self._lock:
            reply = {
                "id": len(self.replies) + 1,
                "received": f"{clock.wall_now():%d.%m.%Y %H:%M:%S}",
                "phone": phone.lstrip("+"),
                "message": text,
                "to_phone": "79000000000",
            }
            self.replies.append(reply)
            self._keep(reply)
            return reply

    def take(self, reference: int | None, phone: str, text: str, sender: str) -> dict[str, Any]:
        """Accept a message; without a reference it gets one."""
        with self._lock:
            known = {message["id"] for message in self.messages}
            number = reference or max(known, default=0) + 1
            message = {
                "id": number,
                "phone": phone,
                "text": text,
                "sender": sender,
                "at": clock.wall_now().isoformat(timespec="seconds"),
                "duplicate": number in known,
            }
            self.messages.append(message)
            self._keep(message)
            return message

    def find(self, reference: int, phone: str) -> dict[str, Any] | None:
        with self._lock:
            self.asked += 1
            return next((m for m in self.messages if m["id"] == reference and m["phone"] == phone), None)

    def next_fault(self) -> str:
        with self._lock:
            return self.faults.pop(0) if self.faults else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Simulator"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(dict(parse_qsl(self.rfile.read(min(length, 1_000_000)).decode("utf-8", "replace"), True)))

    def _answer(self, form: dict[str, str]) -> None:
        address = urlsplit(self.path)
        values = {**dict(parse_qsl(address.query, True)), **form}
        pages = {
            "/sys/send.php": self._send,
            "/sys/status.php": self._status,
            "/sys/get.php": self._get,
            "/sys/balance.php": self._balance,
            "/reply": self._reply,
            "/messages": self._messages,
            "/faults": self._faults,
            "/": self._page,
        }
        page = pages.get(address.path)
        if page is None:
            self.send_error(404)
            return
        page(values)

    def _json(self, answer: Any) -> None:
        self._say(json.dumps(answer, ensure_ascii=False), "application/json")

    def _say(self, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang(self) -> None:
        self.server.stopping.wait(HANG)
        self.close_connection = True

    def _send(self, values: dict[str, str]) -> None:
        outbox = self.server.outbox
        fault, _, number = outbox.next_fault().partition(":")
        if fault == "hang_before":
            return self._hang()
        if fault == "error":
            return self._error(int(number))
        if not values.get("login") or not values.get("psw"):
            return self._error(2)
        phone, text = values.get("phones", ""), values.get("mes", "")
        if not phone or not text:
            return self._error(1)
        if not phone.isdigit() or not 7 <= len(phone) <= 15:
            return self._error(7)
        reference = values.get("id", "")
        if reference and not (reference.isdigit() and 1 <= int(reference) < 2**31):
            return self._error(1)
        message = outbox.take(int(reference) if reference else None, phone, text, values.get("sender", ""))
        if fault == "hang_after":
            return self._hang()
        if fault == "lost_answer":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if fault == "nonsense":
            return self._say("<html>bad gateway", "text/html")
        units = len(text.encode("utf-16-le")) // 2
        count = 1 if units <= 70 else -(-units // 67)
        return self._json({"id": message["id"], "cnt": count, "cost": str(PRICE * count)})

    def _error(self, code: int) -> None:
        self._json({"error": _ERRORS.get(code, "error"), "error_code": code})

    def _status(self, values: dict[str, str]) -> None:
        found = None
        with suppress(ValueError):
            found = self.server.outbox.find(int(values.get("id", "")), values.get("phone", ""))
        if found is None:
            self._json({"status": -3, "id": values.get("id"), "phone": values.get("phone")})
            return
        now = int(time.time())
        answer = {"last_timestamp": now, "err": 0, "id": found["id"], "phone": found["phone"]}
        self._json({"status": self.server.outbox.status, **answer})

    def _get(self, values: dict[str, str]) -> None:
        """Replies of patients: `get_answers=1`; the same ones again and again, as the real one does."""
        if not values.get("login") or not values.get("psw"):
            return self._error(2)
        return self._json(self.server.outbox.replies if values.get("get_answers") == "1" else [])

    def _reply(self, values: dict[str, str]) -> None:
        """A person at the page plays the patient's phone."""
        phone, text = values.get("phone", ""), values.get("text", "").strip()
        if self.command != "POST" or not phone or not text:
            self.send_error(422)
            return
        self.server.outbox.reply(phone, text)
        self._go(f"/?phone={quote(phone)}")

    def _go(self, where: str) -> None:
        self.send_response(303)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _balance(self, values: dict[str, str]) -> None:
        del values
        self._json({"balance": str(Decimal(10_000) - PRICE * len(self.server.outbox.messages))})

    def _messages(self, values: dict[str, str]) -> None:
        del values
        self._json({"messages": self.server.outbox.messages, "asked": self.server.outbox.asked})

    def _faults(self, values: dict[str, str]) -> None:
        """`fault=hang_after&times=1`; without a fault: behave from now on. `status=25`: what to say of messages."""
        outbox = self.server.outbox
        fault, status = values.get("fault", ""), values.get("status", "1")
        known = not fault or fault.partition(":")[0] in FAULTS
        if not known or not status.lstrip("-").isdigit() or not values.get("times", "1").isdigit():
            self.send_error(422)
            return
        outbox.faults = [fault] * min(int(values.get("times", "1")), 1000) if fault else []
        outbox.status = int(status)
        if "page" in values:
            self._go("/")
            return
        self._json({"faults": outbox.faults})

    def _page(self, values: dict[str, str]) -> None:
        outbox, phone = self.server.outbox, values.get("phone", "").lstrip("+")
        self._say(_html.conversation(outbox, phone) if phone else _html.overview(outbox), "text/html")

    def log_message(self, *args: Any) -> None:
        """Phones stay out of the log."""


class Simulator(SimulatedServer):
    """The gateway on a loopback port; `outbox` is what it took. Port 0: any free one."""

    def __init__(self, port: int = 0, *, bound: socket.socket | None = None, file: Path | None = None) -> None:
        self.outbox = Outbox(file)
        super().__init__(_Handler, port, bound=bound)


def running(file: Path | None = None) -> AbstractContextManager[Simulator]:
    """A simulator in a thread of this process, for tests."""
    return in_a_thread(Simulator(file=file))


if __name__ == "__main__":
    sys.exit(serve("app.gateways.sms.simulator", Simulator, sys.argv[1:]))
