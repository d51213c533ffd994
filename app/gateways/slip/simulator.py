"""A slip printer that prints on the screen: for the demo clinic, for who has no printer, and for tests.

`python -m app.gateways.slip.simulator PORT|fd:N PORT|fd:N`: the printer's own port, and the page with its paper. It
knows the orders of ESC/POS that our slips use. Where next: `escpos.py`.
"""

import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

#: What it can do wrong until it is told otherwise.
FAULTS = {"": "работает исправно", "no_paper": "нет бумаги", "offline": "выключен"}
KEPT = 50
#: How many bytes follow an order: ESC or GS and a letter.
_TAKES = {
    b"\x1b@": 0, b"\x1bt": 1, b"\x1ba": 1, b"\x1bE": 1, b"\x1b!": 1, b"\x1b-": 1, b"\x1bM": 1, b"\x1bd": 1, b"\x1bG": 1,
    b"\x1b{": 1, b"\x1b2": 0, b"\x1b3": 1, b"\x1dB": 1, b"\x1d!": 1, b"\x1db": 1, b"\x1dL": 2,
}  # fmt: skip
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 900px; padding: 20px; background: #f3f5f7 }
h1 { font-size: 21px } form { margin: 12px 0 } select, button { font: inherit; padding: 6px 10px }
pre { background: #fff; width: max-content; max-width: 100%; box-sizing: border-box; margin: 16px 0; padding: 16px;
  font: 13px/1.35 monospace; box-shadow: 0 1px 4px #0003; overflow-x: auto }
"""


class Paper:
    """What came out of the printer: slips, each a list of lines."""

    def __init__(self) -> None:
        self.slips: list[list[str]] = []
        self.page = 0
        self.fault = ""
        self._lock = threading.Lock()

    def print(self, data: bytes) -> None:
        """Read orders and text up to the cut."""
        lines, line, place = list[str](), bytearray(), 0
        while place < len(data):
            order = data[place : place + 2]
            if order == b"\x1dV":
                place += 4 if data[place + 2 : place + 3] in (b"A", b"B") else 3
            elif order in _TAKES:
                if order == b"\x1bt":
                    self.page = data[place + 2]
                place += 2 + _TAKES[order]
            elif data[place : place + 1] == b"\n":
                lines.append(line.decode("cp866"))
                line.clear()
                place += 1
            else:
                line += data[place : place + 1]
                place += 1
        while lines and not lines[-1].strip():
            lines.pop()
        if lines:
            with self._lock:
                self.slips = [*self.slips, lines][-KEPT:]


class _Tape(socketserver.BaseRequestHandler):
    """One connection of the printer's port: orders until it closes; asked for its paper, it says."""

    server: "_Printer"

    def handle(self) -> None:
        paper, got = self.server.paper, b""
        if paper.fault == "offline":
            return
        with suppress(OSError):
            while data := self.request.recv(65536):
                if b"\x10\x04\x04" in data:
                    self.request.sendall(b"\x72" if paper.fault == "no_paper" else b"\x12")
                    data = data.replace(b"\x10\x04\x04", b"")
                got += data
        paper.print(got)


class _Printer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    paper: Paper


class _Screen(BaseHTTPRequestHandler):
    server: "_Pages"

    def do_GET(self) -> None:
        paper = self.server.paper
        options = "".join(
            f'<option value="{name}"{" selected" if name == paper.fault else ""}>{word}'
            for name, word in FAULTS.items()
        )
        slips = "".join(f"<pre>{escape(chr(10).join(slip))}</pre>" for slip in reversed(paper.slips))
        self._say(
            '<!DOCTYPE html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Чековый принтер (имитация)</title><style>{_STYLE}</style><h1>Чековый принтер (имитация)</h1>"
            f'<form method="post">Принтер <select name="fault">{options}</select> <button>Переключить</button></form>'
            f"{slips or '<p>Ничего ещё не печатали.'}"
        )

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 1000))
        fault = parse_qs(body.decode("utf-8", "replace")).get("fault", [""])[0]
        self.server.paper.fault = fault if fault in FAULTS else ""
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Patients' services stay out of the log."""


class _Pages(ThreadingHTTPServer):
    daemon_threads = True
    paper: Paper


class Simulator:
    """The printer's port and its page, over one paper."""

    def __init__(self, tape: socket.socket, screen: socket.socket) -> None:
        self.paper = Paper()
        self._servers: list[_Printer | _Pages] = [
            _Printer(("127.0.0.1", 0), _Tape, bind_and_activate=False),
            _Pages(("127.0.0.1", 0), _Screen, bind_and_activate=False),
        ]
        for server, bound in zip(self._servers, (tape, screen), strict=True):
            server.socket.close()
            server.socket, server.server_address = bound, bound.getsockname()
            server.paper = self.paper
            server.server_activate()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_address[1]}"

    def start(self) -> None:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


@contextmanager
def running() -> Iterator[Simulator]:
    """A simulator in threads of this process, for tests."""
    server = Simulator(socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0)))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _bound(where: str) -> socket.socket:
    if where.startswith("fd:"):
        return socket.socket(fileno=int(where[3:]))
    return socket.create_server(("127.0.0.1", int(where)))


def main(arguments: list[str]) -> int:
    """Serve until stopped."""
    if len(arguments) != 2:
        print("python -m app.gateways.slip.simulator PORT|fd:N PORT|fd:N", file=sys.stderr)
        return 2
    Simulator(*(_bound(where) for where in arguments)).start()
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
