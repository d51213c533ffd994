"""The programs that are compared: started, asked as a browser asks, and measured side by side.

Ours runs as the product runs: gunicorn with two sync workers. Where next: `questions.py` for what they are asked.
"""

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import event

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = 8
#: So many questions come before those that count: a clinic that works has read its index today.
WARM = 50


class Asked(NamedTuple):
    """One request. A body goes to `/api/` as JSON, elsewhere as a form.

    `follow`: the answer says where the result will be; the time ends when it is there.
    """

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] | None = None
    follow: bool = False


class Answer(NamedTuple):
    status: int
    seconds: float
    body: bytes
    headers: Any


@dataclass
class Question:
    """One operation: how ours is asked, how the bare program is, and what the peers' best ratio was.

    `known`: ours is asked with the ETag of its first answer. `touch`: before each request somebody commits something
    else, so nothing that was remembered helps. `at_p95`: the aim is for the slowest twentieth.
    """

    name: str
    ours: Callable[[int], Asked]
    bare: Callable[[int], Asked]
    peer: float | None
    aim: float | None = None
    status: tuple[int, ...] = (200,)
    rounds: int | None = None
    known: bool = False
    touch: bool = False
    at_p95: bool = False
    found: dict[str, Any] = field(default_factory=dict)


class Program:
    """A server of gunicorn with two sync workers on a free port, and the browser that asks it."""

    def __init__(self, module: str, environ: dict[str, str], stack: ExitStack) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--worker-class", "sync", "--log-level", "error"]
        self.process = subprocess.Popen(
            [*command, "--no-control-socket", "--preload", "--bind", f"127.0.0.1:{self.port}", module],
            cwd=ROOT,
            env={**os.environ, **environ},
        )
        stack.callback(self.process.wait)
        stack.callback(self.process.terminate)
        self.environ = environ
        self.headers: dict[str, str] = {}
        self.token = ""

    def print_papers(self, stack: ExitStack) -> None:
        """Start the process that prints papers, as run.py starts it."""
        command = [sys.executable, "run.py", "worker", "papers"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **self.environ})
        stack.callback(process.wait)
        stack.callback(process.terminate)

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                self.ask(Asked("GET", "/"))
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start")

    def ask(self, asked: Asked) -> Answer:
        """The answer; of what is made meanwhile, the whole way to it."""
        answer = self._ask(asked)
        if not asked.follow or answer.status != 303:
            return answer
        started = time.perf_counter() - answer.seconds
        there = Asked("GET", answer.headers["Location"])
        while (found := self._ask(there)).status == 202:
            time.sleep(0.005)
        return found._replace(seconds=time.perf_counter() - started)

    def _ask(self, asked: Asked) -> Answer:
        """Ask on a connection of its own, as a sync worker wants it."""
        method, path, body, more, _ = asked
        headers, payload = {**self.headers, **(more or {})}, None
        if body is not None and path.startswith("/api/"):
            payload = json.dumps(body).encode()
            headers |= {
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
                "X-CSRFToken": self.token,
            }
        elif body is not None:
            payload = urlencode({**body, "request_id": uuid.uuid4(), "csrf_token": self.token}).encode()
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, payload, headers)
        answer = connection.getresponse()
        data = answer.read()
        took = time.perf_counter() - started
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            if cookie.startswith("frontdesk="):
                self.headers["Cookie"] = cookie.split(";")[0]
        connection.close()
        return Answer(answer.status, took, data, answer.headers)

    def sign_in(self, username: str, password: str) -> None:
        """A browser's session: every request after it is checked against the account and its rights."""
        self._read_token("/login/")
        status = self.ask(Asked("POST", "/login/", {"username": username, "password": password})).status
        assert status == 302, status
        self._read_token("/patients/")

    def _read_token(self, path: str) -> None:
        answer = self.ask(Asked("GET", path))
        page = answer.body.decode()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {page[:300]}")
        self.token = page.split('name="csrf-token" content="')[1].split('"')[0]


Asking = Callable[[int], Asked]


def _with_tag(program: Program, question: Question) -> Asking:
    """The question as this program is asked; of a poll, with the ETag of what was shown last."""
    if not question.known:
        return question.ours
    tag = program.ask(question.ours(0)).headers["ETag"]
    return lambda n: question.ours(n)._replace(headers={"If-None-Match": tag})


def _rate(program: Program, request: Asking, start: int, total: int, status: tuple[int, ...], touch: Any) -> float:
    """Operations a second of eight clients that ask `total` questions together."""
    numbers = iter(range(start, start + total))
    lock = threading.Lock()
    wrong: list[int] = []

    def client() -> None:
        while True:
            with lock:
                number = next(numbers, None)
                if number is not None and touch:
                    touch()
            if number is None:
                return
            if (got := program.ask(request(number)).status) not in status:
                wrong.append(got)

    started = time.perf_counter()
    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    took = time.perf_counter() - started
    assert not wrong, wrong[:5]
    return total / took


def measure(programs: dict[str, Program], question: Question, rounds: int, touch: Callable[[], None]) -> None:
    """Ask all in turn, round by round, each time another one first; then eight clients each, in turn too.

    `programs`: "ours" and "bare" on the large clinic, and maybe "small", ours on the small one.
    """
    rounds = question.rounds or rounds
    asking: dict[str, Asking] = {
        side: question.bare if side == "bare" else _with_tag(program, question) for side, program in programs.items()
    }
    expected = {side: (200,) if side == "bare" else question.status for side in programs}
    sides = list(programs)
    times: dict[str, list[float]] = {side: [] for side in sides}
    base = int(time.time()) % 15_000 * 30  # slots of an earlier run are taken
    warm = 3 if question.rounds else WARM
    for n in range(-warm, rounds):
        for side in sides[n % len(sides) :] + sides[: n % len(sides)]:
            if question.touch:
                touch()
            answer = programs[side].ask(asking[side](base + warm + n))
            assert answer.status in expected[side], (question.name, side, answer.status, answer.body[:300])
            if n >= 0:
                times[side].append(answer.seconds)
    question.found |= {side: statistics.median(found) * 1000 for side, found in times.items()}
    ratios = [ours / bare for ours, bare in zip(times["ours"], times["bare"], strict=True)]
    for side, found in times.items():
        question.found[f"{side}_p95"] = sorted(found)[len(found) * 95 // 100] * 1000
    question.found["spread"] = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    total, rates = max(16, rounds), {side: [] for side in ("ours", "bare")}  # type: dict[str, list[float]]
    for batch in range(1 if question.rounds else 5):
        for side, found in rates.items():
            start = base + 1_000 + batch * total
            call = touch if question.touch else None
            found.append(_rate(programs[side], asking[side], start, total, expected[side], call))
    question.found |= {f"{side}_rate": statistics.median(found) for side, found in rates.items()}


@contextmanager
def counted(engine: Any) -> Iterator[list[str]]:
    """The statements sent inside."""
    seen: list[str] = []
    note = lambda _c, _u, statement, *_: seen.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def _print_here(flask_app: Any, location: str) -> None:
    """Do what the printing worker does with the paper of this address."""
    from app.documents import jobs

    with flask_app.app_context():
        jobs.render(int(location.rsplit("/", 1)[1].removesuffix(".pdf")))


def count_statements(flask_app: Any, asked: list[Question], touch: Callable[[], None], *, show: bool = False) -> None:
    """How many SQL statements each operation of ours sends, seen inside one process; `show` prints them."""
    from app.db import db

    flask_app.config["WTF_CSRF_ENABLED"] = False
    client = flask_app.test_client()
    client.post("/login/", data={"username": "director", "password": "demo"})
    with flask_app.app_context():
        engine = db.engine
    for question in asked:
        method, path, body, headers, follow = question.ours(900_000 + int(time.time()) % 90_000)
        headers = {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        if question.known:
            headers["If-None-Match"] = client.get(path).headers["ETag"]
        if question.touch:
            touch()
        with counted(engine) as seen:
            if path.startswith("/documents"):
                answer = client.post(path, data={**body, "request_id": str(uuid.uuid4())})
                if follow:
                    _print_here(flask_app, answer.location)
                    answer = client.get(answer.location)
            else:
                answer = client.open(path, method=method, json=body, headers=headers)
        assert answer.status_code in question.status, (question.name, answer.status_code, answer.text[:300])
        question.found |= {"statements": len(seen), "bytes": len(answer.data)}
        if show:
            print(question.name, *(" ".join(statement.split())[:240] for statement in seen), sep="\n    ")
