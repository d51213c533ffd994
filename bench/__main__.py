"""`make bench`: build the large clinic, start the product and the bare program beside it, ask both in turn.

`--small` takes the clinic of one fiftieth, `--rounds N` asks each question N times, `--rebuild` pours anew. Prints for each
operation the median of both, the ratio, throughput at eight clients, the number of SQL statements and bytes.
"""

import argparse
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
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import event, select, text

from app.local import Broker, Postgres
from bench.clinic import Size, furnish, pour

ROOT = Path(__file__).resolve().parent.parent
SERIES = ["work_order", "payment", "receipt", "in", "out", "refund"]
FORM_LIMIT, STATEMENT_LIMIT = 100_000, 12


@dataclass
class Question:
    """One operation: how ours is asked, how the bare program is, and what the peers' best ratio was."""

    name: str
    ours: Callable[[int], tuple[str, str, Any]]
    bare: Callable[[int], str]
    peer: float | None
    status: tuple[int, ...] = (200,)
    rounds: int | None = None
    found: dict[str, Any] = field(default_factory=dict)


class Program:
    """A server of gunicorn with two sync workers on a free port."""

    def __init__(self, module: str, environ: dict[str, str], stack: ExitStack) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--worker-class", "sync", "--log-level", "error"]
        self.process = subprocess.Popen(
            [*command, "--no-control-socket", "--bind", f"127.0.0.1:{self.port}", module],
            cwd=ROOT,
            env={**os.environ, **environ},
        )
        stack.callback(self.process.wait)
        stack.callback(self.process.terminate)
        self.headers: dict[str, str] = {}
        self.token = ""

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                self.ask("GET", "/", None)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start")

    def ask(self, method: str, path: str, body: Any) -> tuple[int, int, float, bytes]:
        """Status, bytes, seconds, body of one request."""
        headers, payload = dict(self.headers), None
        if body is not None and path.startswith("/api/"):
            payload = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
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
        return answer.status, len(data), took, data

    def sign_in(self, username: str, password: str) -> None:
        """A browser's session for pages, a token for programs."""
        self._read_token("/login/")
        status = self.ask("POST", "/login/", {"username": username, "password": password})[0]
        assert status == 302, status
        self._read_token("/patients/")
        data = self.ask("POST", "/api/v1/security/login", {"username": username, "password": password})[3]
        self.headers["Authorization"] = f"Bearer {json.loads(data)['access_token']}"

    def _read_token(self, path: str) -> None:
        status, _, _, data = self.ask("GET", path, None)
        page = data.decode()
        if status != 200:
            raise SystemExit(f"{path} answered {status}: {page[:300]}")
        self.token = page.split('name="csrf-token" content="')[1].split('"')[0]


def throughput(program: Program, request: Callable[[int], tuple[str, str, Any]], start: int, total: int) -> float:
    """Operations a second of eight clients that ask `total` questions together."""
    numbers = iter(range(start, start + total))
    lock = threading.Lock()

    def client() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            program.ask(*request(number))

    started = time.perf_counter()
    clients = [threading.Thread(target=client) for _ in range(8)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return total / (time.perf_counter() - started)


class Facts:
    """Where in the poured clinic the questions look."""

    def __init__(self, connection: Any, today: date) -> None:
        one = lambda statement: connection.execute(text(statement)).scalar()  # noqa: E731
        self.today = today
        self.branch = one("SELECT min(id) FROM branch")
        self.doctors = list(
            connection.scalars(
                text("SELECT id FROM employee WHERE is_doctor AND branch_id = (SELECT min(id) FROM branch) ORDER BY id")
            )
        )
        self.low, self.many = one("SELECT min(id) FROM patient"), one("SELECT count(*) FROM patient")
        self.names = list(
            connection.scalars(text("SELECT DISTINCT surname FROM patient WHERE id % 977 = 0 ORDER BY 1 LIMIT 50"))
        )
        self.tails = list(
            connection.scalars(
                text("SELECT right(number, 4) FROM patient_phone WHERE id % 997 = 0 ORDER BY id LIMIT 50")
            )
        )

    def patient(self, n: int) -> int:
        return int(self.low) + (n * 7919) % int(self.many)

    def slot(self, n: int) -> tuple[int, str, str]:
        """A doctor's slot that is free: after the day's last visit, a year ahead and more."""
        day = self.today + timedelta(days=400 + n // (12 * 40))
        minute = 8 * 60 + (n // 12) % 40 * 15
        at = lambda m: f"{day}T{m // 60:02d}:{m % 60:02d}"  # noqa: E731
        return self.doctors[n % 12], at(minute), at(minute + 15)


def questions(f: Facts) -> list[Question]:
    """The operations of the comparison."""
    get = lambda path, **q: ("GET", path + ("?" + urlencode(q) if q else ""), None)  # noqa: E731
    bare = lambda path, **q: path + "?" + urlencode(q)  # noqa: E731
    year = {"from": f.today - timedelta(days=364), "to": f.today}
    kinds = ("patients", "bills-payments", "services", "cash")

    def book(n: int) -> tuple[str, str, Any]:
        doctor, at, to = f.slot(n)
        body = {
            "patient_id": f.patient(n),
            "doctor_id": doctor,
            "starts_at": at,
            "ends_at": to,
            "outside_hours_reason": "замер",
        }
        return "POST", "/api/v1/appointments/", body

    def bare_book(n: int) -> str:
        doctor, at, to = f.slot(n + 500_000)
        return bare("/book", patient=f.patient(n + 500_000), doctor=doctor, branch=f.branch, at=at, to=to)

    def pay(n: int) -> tuple[str, str, Any]:
        return (
            "POST",
            "/api/v1/payments/",
            {"patient_id": f.patient(n), "parts": [{"method": "card", "amount": "100.00"}]},
        )

    return [
        Question("schedule of a day", lambda n: get("/api/v1/schedule/day", day=f.today, branch_id=f.branch),
                 lambda n: bare("/day", day=f.today, branch=f.branch), 7.7),
        Question("25 patients by name", lambda n: get("/api/v1/patients/", q=f.names[n % len(f.names)][:4]),
                 lambda n: bare("/name", q=f.names[n % len(f.names)][:4]), 55),
        Question("25 patients by phone tail", lambda n: get("/api/v1/patients/", q=f.tails[n % len(f.tails)]),
                 lambda n: bare("/phone", q=f.tails[n % len(f.tails)]), 37),
        Question("card", lambda n: get(f"/patients/{f.patient(n)}"), lambda n: bare("/card", id=f.patient(n)), 7.2),
        Question("first page of patients", lambda n: get("/api/v1/patients/"), lambda n: "/patients", None),
        Question("first free 30 min, 60 days", lambda n: get("/api/v1/schedule/free", minutes=30, days=60, limit=10, branch_id=f.branch),
                 lambda n: bare("/free", branch=f.branch, first=f.today), 22),
        Question("book", book, bare_book, 7.7, (201,)),
        Question("take a payment", pay, lambda n: bare("/pay", patient=f.patient(n), branch=f.branch, amount="100.00", number=n + int(time.time())), 5.9, (201,)),
        *(Question(f"report of a day: {kind}", lambda n, kind=kind: get(f"/api/v1/reports/{kind}"),
                   lambda n: bare("/reports", branch=f.branch, first=f.today, last=f.today), None) for kind in kinds),
        *(Question(f"report of a year: {kind}", lambda n, kind=kind: get(f"/api/v1/reports/{kind}", **year),
                   lambda n: bare("/reports", branch=f.branch, first=year["from"], last=f.today), None, rounds=3) for kind in kinds),
        Question("one-page contract PDF", lambda n: ("POST", "/documents/issue", {"kind": "contract", "patient_id": f.patient(n)}),
                 lambda n: bare("/contract", id=f.patient(n)), None, (200, 201, 302, 303)),
    ]  # fmt: skip


@contextmanager
def counted(engine: Any) -> Iterator[list[str]]:
    """The statements sent inside."""
    seen: list[str] = []
    note = lambda _c, _u, statement, *_: seen.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def count_statements(flask_app: Any, asked: list[Question]) -> None:
    """How many SQL statements each operation of ours sends, seen inside one process."""
    from app.db import db

    flask_app.config["WTF_CSRF_ENABLED"] = False
    client = flask_app.test_client()
    client.post("/login/", data={"username": "director", "password": "demo"})
    with flask_app.app_context():
        engine = db.engine
    for question in asked:
        method, path, body = question.ours(900_000 + int(time.time()) % 90_000)
        client.get("/api/v1/health")
        with counted(engine) as seen:
            if path.startswith("/documents"):
                answer = client.post(path, data={**body, "request_id": str(uuid.uuid4())})
            else:
                answer = client.open(path, method=method, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code in question.status, (question.name, answer.status_code, answer.text[:300])
        question.found |= {"statements": len(seen), "bytes": len(answer.data)}


def measure(ours: Program, bare: Program, question: Question, rounds: int) -> None:
    """Ask both in turn; then eight clients each."""
    rounds = question.rounds or rounds
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    base = int(time.time()) % 15_000 * 30  # slots of an earlier run are taken
    for n in range(base, base + rounds):
        status, _, took, data = ours.ask(*question.ours(n))
        assert status in question.status, (question.name, status, data[:300])
        times["ours"].append(took)
        status, _, took, _ = bare.ask("GET", question.bare(n), None)
        assert status == 200, (question.name, status)
        times["bare"].append(took)
    question.found |= {side: statistics.median(found) * 1000 for side, found in times.items()}
    total = max(16, rounds)
    question.found["ours_rate"] = throughput(ours, question.ours, base + 1_000, total)
    question.found["bare_rate"] = throughput(bare, lambda n: ("GET", question.bare(n), None), base + 1_000, total)


def shown(asked: list[Question]) -> str:
    """The table."""
    lines = [
        f"{'operation':<34}{'ours ms':>9}{'bare ms':>9}{'ratio':>8}{'best peer':>10}{'op/s':>8}{'bare':>8}{'SQL':>5}{'bytes':>12}"
    ]
    for q in asked:
        f = q.found
        peer = f"×{q.peer}" if q.peer else "–"
        lines.append(
            f"{q.name:<34}{f['ours']:>9.1f}{f['bare']:>9.1f}{'×' + format(f['ours'] / f['bare'], '.1f'):>8}{peer:>10}"
            f"{f['ours_rate']:>8.0f}{f['bare_rate']:>8.0f}{f['statements']:>5}{f['bytes']:>12,}"
        )
    return "\n".join(lines)


def main() -> None:
    """Build, start, ask, print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    var = ROOT / "var" / ("bench-small" if options.small else "bench")
    var.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(var / "postgres"))
        broker = stack.enter_context(Broker(var / "broker"))
        os.environ |= {"VAR_DIR": str(var), "REDIS_URL": broker.url, "DATABASE_URL": postgres.url}

        from app import clock, create_app
        from app.cli import prepare_database
        from app.db import db, session
        from app.models import Patient

        flask_app = create_app()
        prepare_database(flask_app)
        with flask_app.app_context():
            if session.scalar(select(Patient.id).limit(1)) is None:
                print("pouring the clinic", flush=True)
                furnish()
                with db.engine.connect() as connection:
                    pour(connection, Size.small() if options.small else Size.large(), clock.today(), SERIES)
            with db.engine.connect() as connection:
                facts = Facts(connection, clock.today())
            session.rollback()
        asked = [q for q in questions(facts) if options.only in q.name]
        count_statements(flask_app, asked)

        font = ROOT / "app" / "static" / "vendor" / "DejaVuSans.ttf"
        bare_url = postgres.url.replace("+psycopg", "")
        ours = Program("app:create_app()", {}, stack)
        bare = Program("bench.bare:app", {"BARE_DATABASE_URL": bare_url, "BARE_FONT": str(font)}, stack)
        from bench.bare import SIGNER

        bare.headers["Cookie"] = "who=" + SIGNER.sign("1").decode()
        ours.wait()
        bare.wait()
        ours.sign_in("director", "demo")
        for question in asked:
            measure(ours, bare, question, options.rounds)
            print(f"  {question.name}", flush=True)
        print(shown(asked))


if __name__ == "__main__":
    main()
