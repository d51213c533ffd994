"""The whole product on one machine, in one command: `make run`, or `.venv/bin/python run.py`.

Starts what is not given by DATABASE_URL and REDIS_URL (app/local/), prepares the database, then keeps the web server,
the workers and the clock running until Ctrl+C. Logs of all of them are in VAR_DIR/logs. `run.py worker` and `run.py
clock` (exactly one of the latter) are these processes alone; a worker serves all queues, or those that are named.
Where next: config.py.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
WEB_PROCESSES = 2

try:
    import psutil

    import config
    from app.local.broker import Broker
    from app.local.postgres import Postgres
    from app.local.processes import LocalServiceError, end, log_size, spawn, tail
except ModuleNotFoundError as missing:
    sys.exit(f"Не установлен пакет {missing.name}: выполните make setup, затем make run.")


class CannotRun(Exception):
    """Why the program does not start, or goes no further: one sentence."""


class Child:
    """One of our processes: how it is started, and what to do when it dies."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self._start = start
        self.process = start()
        self._started = time.monotonic()
        self._died: float | None = None
        self._pause = 0.0

    def revive(self) -> None:
        """Start it again when it has died: at once after a long life, ever later when it keeps dying young."""
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._died is None:
            self._died = now
            self._pause = 0.0 if now - self._started > 30 else min(max(self._pause * 2, 1.0), 30.0)
        if now >= self._died + self._pause:
            self.process = self._start()
            self._started = now
            self._died = None


class Desk:
    """Everything that runs on this machine, in the order in which it starts; it stops in the reverse order."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.var = config.var_dir(environ)
        self.logs = self.var / "logs"
        self.host, self.port = config.address(environ)
        self.postgres: Postgres | None = None
        self.broker: Broker | None = None
        self.children: list[Child] = []
        self._web_log_start = 0
        self.slips = ""
        self.kkt = ""
        self.stopping = threading.Event()
        self.exit = ExitStack()

    def run(self) -> None:
        """Start everything, say where it is, and watch over it until somebody asks to stop."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name), lambda *_: self.stopping.set())
        with self.exit:
            self._be_the_only_one()
            config.settings(self.environ)  # a wrong one is told now, not by a child's log
            self._stop_left_overs()
            self.exit.callback((self.var / "run.pids").unlink, missing_ok=True)
            web_socket = self.exit.enter_context(self._take_port())
            self._start_services()
            logins = self._prepare()
            if self.stopping.is_set():
                return
            if logins:
                self._start_gateway()
                self._start_kkt()
                self._start_slips()
            self._start_web(web_socket)
            self._wait_for_health()
            if not self.stopping.is_set():
                self._start_workers()  # after the first page: on two cores they would only slow it down
                self._welcome(logins)
            while not self.stopping.wait(0.5):
                self._watch()
        print("Остановлено.", flush=True)

    def _be_the_only_one(self) -> None:
        """Hold VAR_DIR for ourselves. The lock goes with the process, however that ends."""
        try:
            self.var.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            lock = self.exit.enter_context((self.var / "run.lock").open("a+"))
        except OSError as error:
            raise CannotRun(f"Нельзя писать в папку {self.var}: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotRun(
                f"Программа уже работает с папкой {self.var} (процесс {lock.read().strip() or '?'}): "
                "остановите её или задайте другую VAR_DIR."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def _stop_left_overs(self) -> None:
        """End what a killed run left behind. On Linux the kernel has told them to stop; they may still be at it."""
        path = self.var / "run.pids"
        with suppress(OSError, ValueError):
            for pid, started in json.loads(path.read_text()):
                with suppress(psutil.Error):
                    process = psutil.Process(pid)
                    if abs(process.create_time() - started) < 1:  # else the number belongs to somebody else now
                        end(process, wait=10)
        path.unlink(missing_ok=True)

    def _record_children(self) -> None:
        pids = []
        for child in self.children:
            with suppress(psutil.Error):
                pids.append((child.process.pid, psutil.Process(child.process.pid).create_time()))
        (self.var / "run.pids").write_text(json.dumps(pids))

    def _take_port(self) -> socket.socket:
        """Bind the address before anything is started, and keep it: the web server gets this very socket."""
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            taken = socket.socket(family, kind, protocol)
        except (socket.gaierror, UnicodeError) as error:
            raise CannotRun(f"HOST={self.host}: такого адреса нет.") from error
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_DEFER_ACCEPT"):
            # Browsers open connections ahead of need; two idle ones would hold both web processes.
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
        try:
            taken.bind(where)
            taken.listen(128)  # who comes while we start waits for the first page
        except OSError as error:
            taken.close()
            if isinstance(error, PermissionError):
                raise CannotRun(f"Порт {self.port} разрешён только администратору: задайте PORT больше 1023.") from None
            raise CannotRun(
                f"Адрес {self.host}:{self.port} занят другой программой или не принадлежит этой машине: "
                "освободите его или задайте другой PORT."
            ) from error
        return taken

    def _start_services(self) -> None:
        if not self.environ.get("DATABASE_URL"):
            if not (self.var / "postgres" / "PG_VERSION").exists():
                print("Создаю базу данных…", flush=True)
            self.postgres = Postgres(self.var / "postgres", log=self.logs / "postgres.log", take_over=True).start()
            self.exit.callback(self.postgres.stop)
            self.environ["DATABASE_URL"] = self.postgres.url
        if not self.environ.get("REDIS_URL"):
            self.broker = Broker(self.var / "broker", log=self.logs / "broker.log", take_over=True).start()
            self.exit.callback(self.broker.stop)
            self.environ["REDIS_URL"] = self.broker.url

    def _prepare(self) -> list[list[str]]:
        """Migrations, roles and, on first start of a local database, the demo clinic.

        Gives the demo logins that exist, as pairs of role and login. Skipped when the program, the database's version
        and its accounts are what they were the last time: that is what makes the second start quick.
        """
        local = self.postgres is not None or self.environ.get("DEMO") == "1"
        wants_demo = local and self.environ.get("DEMO") != "0" and config.is_loopback(self.host)
        memory = self.var / "prepared.json"
        with suppress(OSError, ValueError, KeyError):
            known = json.loads(memory.read_text())
            if known["state"] == self._state(wants_demo):
                return self._refuse_demo_abroad(known["logins"])
        memory.unlink(missing_ok=True)
        answer = self._run_prepare(wants_demo)
        if answer is None:
            return []
        memory.write_text(json.dumps({"state": self._state(wants_demo), "logins": answer}))
        return self._refuse_demo_abroad(answer)

    def _state(self, wants_demo: bool) -> str:
        """A fingerprint of all that preparing depends on; one of a database that cannot be asked never matches."""
        import psycopg

        sources = hashlib.sha256(repr(wants_demo).encode())
        for path in sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("migrations/**/*.py")]):
            sources.update(path.read_bytes())
        try:
            url = self.environ["DATABASE_URL"].replace("+psycopg", "", 1)
            with psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute(
                    "SELECT (SELECT version_num FROM alembic_version),"
                    " (SELECT md5(string_agg(concat_ws(' ', username, password, active), ' ' ORDER BY id))"
                    " FROM ab_user)"
                ).fetchone()
        except psycopg.Error:
            row = None
        return f"{sources.hexdigest()} {row or time.time()}"

    def _run_prepare(self, wants_demo: bool) -> list[list[str]] | None:
        """Prepare in a process of its own: the application's memory is not ours to hold. None: asked to stop."""
        log = self.logs / "prepare.log"
        size = log_size(log)
        answer = self.var / "prepare.json"
        answer.unlink(missing_ok=True)
        command = [sys.executable, ROOT / "run.py", "prepare", answer, "demo" if wants_demo else "plain"]
        process = self._spawn(command, "prepare")
        self.exit.callback(end, process)
        began = time.monotonic()
        patient = False
        while process.poll() is None and not self.stopping.wait(0.05):
            if not patient and time.monotonic() - began > 5:
                patient = True
                print("Готовлю базу данных, в первый раз это занимает около минуты…", flush=True)
        if self.stopping.is_set():
            return None
        if process.returncode != 0:
            raise CannotRun(f"База данных не подготовлена: {_last_line(log, size)} Подробности: {log}")
        logins: list[list[str]] = json.loads(answer.read_text())
        answer.unlink()
        return logins

    def _refuse_demo_abroad(self, logins: list[list[str]]) -> list[list[str]]:
        """Passwords everybody knows are for this machine only."""
        if logins and not config.is_loopback(self.host):
            raise CannotRun(
                f"В базе есть учётные записи примера с паролем demo, поэтому открывать её по адресу {self.host} "
                "нельзя: задайте HOST=127.0.0.1 или начните свою клинику (make init) в другой VAR_DIR."
            )
        return logins

    def _start_web(self, web_socket: socket.socket) -> None:
        self._web_log_start = log_size(self.logs / "web.log")
        command = [
            *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{web_socket.fileno()}", "--no-control-socket"),
            *("--workers", str(WEB_PROCESSES), "--worker-class", "sync", "--timeout", "60", "--graceful-timeout", "5"),
            # Imported once, before the fork: half the time to the first page; nothing here opens no connection.
            "--preload",
            "app:served()",
        ]
        self._keep_running("web", lambda: self._spawn(command, "web", keep=(web_socket.fileno(),)))

    def _start_gateway(self) -> None:
        """For the demo clinic a gateway that sends nothing; its port stays ours while it is started again."""
        if self.environ.get("SMS_GATEWAY_URL"):
            return
        taken = self.exit.enter_context(socket.create_server(("127.0.0.1", 0)))
        taken.set_inheritable(True)
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.environ.setdefault("PUBLIC_URL", f"http://{host}:{self.port}")  # the links in messages open here
        self.environ.update(SMS_GATEWAY_URL=url, SMS_GATEWAY_LOGIN="demo", SMS_GATEWAY_PASSWORD="demo")
        simulator = [sys.executable, "-m", "app.gateways.sms.simulator", f"fd:{taken.fileno()}"]
        command = [*simulator, self.var / "sms_gateway.jsonl"]
        self._keep_running("gateway", partial(self._spawn, command, "gateway", keep=(taken.fileno(),)))

    def _start_kkt(self) -> None:
        """For the demo clinic fiscal devices that print on the screen, one for each branch."""
        if self.environ.get("KKT_URL"):
            return
        taken = self.exit.enter_context(socket.create_server(("127.0.0.1", 0)))
        taken.set_inheritable(True)
        self.kkt = f"http://127.0.0.1:{taken.getsockname()[1]}"
        self.environ.update(KKT_URL=self.kkt + "/{device}", KKT_POLL_SECONDS="0.2")
        simulator = [sys.executable, "-m", "app.gateways.kkt.simulator", f"fd:{taken.fileno()}"]
        command = [*simulator, self.var / "kkt.json"]
        self._keep_running("kkt", partial(self._spawn, command, "kkt", keep=(taken.fileno(),)))

    def _start_slips(self) -> None:
        """For the demo clinic a slip printer that prints on the screen."""
        if self.environ.get("SLIP_PRINTER"):
            return
        tape, screen = (self.exit.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        for taken in (tape, screen):
            taken.set_inheritable(True)
        self.environ.update(SLIP_PRINTER=f"127.0.0.1:{tape.getsockname()[1]}")
        self.slips = f"http://127.0.0.1:{screen.getsockname()[1]}"
        handed = (tape.fileno(), screen.fileno())
        command = [sys.executable, "-m", "app.gateways.slip.simulator", *(f"fd:{fileno}" for fileno in handed)]
        self._keep_running("slips", partial(self._spawn, command, "slips", keep=handed))

    def _start_workers(self) -> None:
        for name, part in (("worker", ["worker", "desk"]), ("printer", ["worker", "papers"]), ("clock", ["clock"])):
            command = [sys.executable, ROOT / "run.py", *part]
            self._keep_running(name, partial(self._spawn, command, name))

    def _keep_running(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        child = Child(name, start)
        self.children.append(child)
        self.exit.callback(self._end, child)
        self._record_children()

    def _spawn(self, command: list[Any], name: str, *, keep: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        env = {**self.environ, "PYTHONUNBUFFERED": "1"}
        return spawn(command, log=self.logs / f"{name}.log", env=env, cwd=ROOT, keep=keep)

    def _end(self, child: Child) -> None:
        end(child.process, wait=10)  # the process of now: it may have been started again

    def _wait_for_health(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self.stopping.is_set() and not self._healthy():
            self._watch()
            if time.monotonic() > deadline:
                raise CannotRun(f"Веб-сервер не отвечает {seconds:.0f} секунд. Журнал: {self.logs / 'web.log'}")
            self.stopping.wait(0.05)

    def _healthy(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        try:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _watch(self) -> None:
        """Start again what can be started again; give up with a sentence where data or pages are at stake."""
        if self.postgres and not self.postgres.alive:
            raise CannotRun(f"База данных остановилась: {self.postgres.complaint}. Журнал: {self.postgres.log}")
        if self.broker and not self.broker.alive:
            self.broker.start()
        for child in self.children:
            if child.name == "web" and child.process.poll() is not None:
                log = self.logs / "web.log"
                raise CannotRun(f"Веб-сервер остановился: {tail(log, after=self._web_log_start)}. Журнал: {log}")
            before = child.process.pid
            child.revive()
            if child.process.pid != before:
                self._record_children()

    def _welcome(self, logins: list[list[str]]) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        print(f"Регистратура: http://{host}:{self.port}", flush=True)
        if logins:
            width = max(len(login) for _, login in logins)
            for role, login in logins:
                print(f"  {login:<{width}} / demo   {role}", flush=True)
        if "gateway" in (child.name for child in self.children):
            print(f"СМС примера: {self.environ['SMS_GATEWAY_URL']}", flush=True)
        if self.kkt:
            print(f"Чеки примера (ККТ): {self.kkt}", flush=True)
        if self.slips:
            print(f"Лента чекового принтера: {self.slips}", flush=True)
        print("Остановить: Ctrl+C", flush=True)


def _last_line(log: Path, after: int) -> str:
    """What the preparing process said last: its traceback ends with the cause."""
    said = log.read_bytes()[after:].decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else "причина не названа."


def prepare(answer: Path, *, demo: bool) -> None:
    """The preparing process: bring the database to the newest state and write down the demo logins."""
    from sqlalchemy.exc import OperationalError

    from app import create_app
    from app.cli import prepare_database

    app = create_app()
    try:
        prepare_database(app)
    except OperationalError as error:
        said = str(error.orig).strip().splitlines()
        sys.exit(f"сервер базы данных не отвечает ({said[0] if said else type(error).__name__}).")
    from app.demo.clinic import load_if_empty, logins

    if demo:
        load_if_empty(app)
    answer.write_text(json.dumps(logins(app)))


def worker(names: list[str]) -> None:
    """The process that runs the jobs of these queues; of all of them when none is named."""
    from app import create_app
    from app.queue import PAPERS, QUEUES, worker

    if unknown := set(names) - set(QUEUES):
        raise CannotRun(f"Нет очереди {', '.join(unknown)}: есть {', '.join(QUEUES)}.")
    made = worker(create_app(), names or QUEUES)
    if names == [PAPERS]:
        os.nice(10)  # a hundred papers are printed in what the desk leaves free
    made.work(logging_level="WARNING")


def clock() -> None:
    """The process that puts the timed jobs in the queue."""
    from redis import Redis

    from app.queue import schedule

    schedule(Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=5)).start()


def main(arguments: list[str]) -> int:
    """Run until stopped; 0 when asked to stop, 1 with one sentence when it cannot go on."""
    streams: tuple[IO[str], ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        stream.reconfigure(errors="replace")  # type: ignore[attr-defined]  # a terminal without Cyrillic must not stop us
    os.chdir(ROOT)
    try:
        match arguments:
            case []:
                Desk(os.environ).run()
            case ["prepare", answer, what]:
                prepare(Path(answer), demo=what == "demo")
            case ["worker" | "clock" as part, *names] if part == "worker" or not names:
                logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
                worker(names) if part == "worker" else clock()
            case _:
                raise CannotRun("run.py запускает всё; run.py worker или run.py clock — только одну часть.")
    except (CannotRun, LocalServiceError, config.BadSetting) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
