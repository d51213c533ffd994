"""What simulators that speak HTTP have in common: a server on a port of this machine, and two ways to run it.

Where next: `kkt/simulator.py`, `sms/simulator.py`.
"""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar


class SimulatedServer(ThreadingHTTPServer):
    """A web server on a loopback port. Port 0: any free one; `bound`: a socket that the parent has bound."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0, *, bound: socket.socket | None) -> None:
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), handler, bind_and_activate=bound is None)
        if bound is not None:
            self.socket.close()
            self.socket = bound
            self.server_address = bound.getsockname()
            self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
            self.server_activate()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever was killed while we answered does not matter."""


_Server = TypeVar("_Server", bound=SimulatedServer)


@contextmanager
def in_a_thread(server: _Server) -> Iterator[_Server]:
    """The simulator in a thread of this process, for tests."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def serve(name: str, make: Callable[..., SimulatedServer], arguments: list[str]) -> int:
    """The simulator as a process of its own: `python -m NAME PORT|fd:N [file]`, until stopped."""
    if not arguments:
        print(f"python -m {name} PORT|fd:N [file]", file=sys.stderr)
        return 2
    where = arguments[0]
    bound = socket.socket(fileno=int(where[3:])) if where.startswith("fd:") else None
    file = Path(arguments[1]) if len(arguments) > 1 else None
    server = make(0 if bound else int(where), bound=bound, file=file)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0
