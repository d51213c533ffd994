"""The database and the broker of one machine: started, killed, left over, broken."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from app.local.broker import Broker
from app.local.postgres import Postgres
from app.local.processes import LocalServiceError

ROOT = Path(__file__).parents[1]

# A program that starts a server and hangs, to be killed.
HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from app.local.broker import Broker
from app.local.postgres import Postgres
kind, folder = sys.argv[2:]
server = (Postgres if kind == "postgres" else Broker)(folder).start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a row in it, to be copied: making one takes a second."""
    folder = tmp_path_factory.mktemp("pg")
    with Postgres(folder / "data", durable=False) as server, _connect(server) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('есть')")
    return folder / "data"


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    # cp keeps the owner: as root, the server runs as another user.
    subprocess.run(["cp", "-a", made, tmp_path / "data"], check=True)
    return tmp_path / "data"


@pytest.fixture
def holder() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def _connect(server: Postgres) -> psycopg.Connection:
    return psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)


def _kept(server: Postgres) -> str:
    with _connect(server) as connection:
        row = connection.execute("SELECT word FROM kept").fetchone()
        assert row is not None
        return str(row[0])


def _hold(kind: str, folder: Path, holder: list[subprocess.Popen[str]]) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-c", HOLDER, str(ROOT), kind, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    holder.append(process)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def _gone(pid: int, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_it_keeps_what_was_written(data: Path) -> None:
    for _ in range(2):
        with Postgres(data) as server:
            assert server.alive
            assert _kept(server) == "есть"
        assert not server.alive
    assert not (data / "postmaster.pid").exists()


def test_letters_are_russian(data: Path) -> None:
    with Postgres(data, durable=False) as server, _connect(server) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION btree_gist")
        row = connection.execute(
            "SELECT lower('ЁЖИК'), 'Иванов' ILIKE 'иван%', similarity('Иванов', 'Иваноф') > 0.4,"
            " current_setting('is_superuser')"
        ).fetchone()
        assert row == ("ёжик", True, True, "off")


def test_tests_may_make_databases(data: Path) -> None:
    with Postgres(data, durable=False) as server:
        with _connect(server) as connection:
            connection.execute("CREATE DATABASE another TEMPLATE clinic")
        with psycopg.connect(server.url_for("another").replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("есть",)


def test_a_second_start_joins_the_running_server(data: Path) -> None:
    with Postgres(data) as first:
        with Postgres(data) as second:
            assert second.url == first.url
            assert second.process is None
        assert _kept(first) == "есть"


def test_the_server_dies_with_its_program(data: Path, holder: list[subprocess.Popen[str]]) -> None:
    program, server = _hold("postgres", data, holder)
    program.send_signal(signal.SIGKILL)
    assert _gone(server)
    with Postgres(data) as again:
        assert _kept(again) == "есть"


def test_a_server_left_running_is_taken_over(data: Path, holder: list[subprocess.Popen[str]]) -> None:
    _, old = _hold("postgres", data, holder)
    with Postgres(data, take_over=True) as mine:
        assert mine.process is not None and mine.process.pid != old
        assert _gone(old)
        assert _kept(mine) == "есть"


def test_a_killed_server_starts_again(data: Path) -> None:
    server = Postgres(data).start()
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    assert (data / "postmaster.pid").exists()
    with Postgres(data) as again:
        assert _kept(again) == "есть"


def test_a_pid_file_of_somebody_else_is_stale(data: Path) -> None:
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n{data}\n\n  0 0\nready   \n")
    if os.geteuid() == 0:
        owner = data.stat()
        os.chown(data / "postmaster.pid", owner.st_uid, owner.st_gid)
    with Postgres(data) as server:
        assert _kept(server) == "есть"


def test_half_an_initdb_does_not_matter(tmp_path: Path) -> None:
    left = tmp_path / "data.new"
    left.mkdir()
    (left / "PG_VERSION").write_text("18\n")
    with Postgres(tmp_path / "data", durable=False) as server, _connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not left.exists()


@pytest.mark.parametrize("harm", ["no PG_VERSION", "other version", "no control file"])
def test_a_broken_folder_gets_one_sentence(data: Path, harm: str) -> None:
    if harm == "no PG_VERSION":
        (data / "PG_VERSION").unlink()
    elif harm == "other version":
        (data / "PG_VERSION").write_text("12\n")
    else:
        (data / "global" / "pg_control").unlink()
    with pytest.raises(LocalServiceError) as caught:
        Postgres(data).start()
    assert str(data) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_way_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    for server in (Postgres(tmp_path / "var" / "postgres"), Broker(tmp_path / "var" / "broker")):
        with pytest.raises(LocalServiceError, match="Не удалось создать папку"):
            server.start()


def test_a_long_path_is_no_obstacle(made: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("очень-длинный-путь-" * 4)
    deep.mkdir()
    subprocess.run(["cp", "-a", made, deep / "data"], check=True)
    with Postgres(deep / "data") as server:
        assert _kept(server) == "есть"
    with Broker(deep / "broker") as broker:
        assert redis.Redis.from_url(broker.url).ping()


def test_the_broker_keeps_its_list(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        redis.Redis.from_url(broker.url).rpush("list", "1")
        with Broker(tmp_path / "broker") as joined:
            assert joined.process is None
            assert joined.url == broker.url
    with Broker(tmp_path / "broker") as broker:
        assert redis.Redis.from_url(broker.url).llen("list") == 1


def test_the_broker_dies_with_its_program(tmp_path: Path, holder: list[subprocess.Popen[str]]) -> None:
    program, server = _hold("broker", tmp_path / "broker", holder)
    program.send_signal(signal.SIGKILL)
    assert _gone(server)
    with Broker(tmp_path / "broker") as again:
        assert again.alive


def test_a_broker_left_running_is_taken_over(tmp_path: Path, holder: list[subprocess.Popen[str]]) -> None:
    _, old = _hold("broker", tmp_path / "broker", holder)
    with Broker(tmp_path / "broker", take_over=True) as mine:
        assert mine.process is not None and mine.process.pid != old
        assert _gone(old)
        assert mine.alive


def test_a_killed_broker_starts_again(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker").start()
    assert broker.process is not None
    broker.process.kill()
    broker.process.wait()
    assert not broker.alive
    broker.start()
    assert broker.alive
    broker.stop()


def test_a_broken_broker_file_is_set_aside(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        redis.Redis.from_url(broker.url).set("a", "b")
    for file in (tmp_path / "broker" / "appendonlydir").iterdir():
        file.write_bytes(b"not an append-only file")
    with Broker(tmp_path / "broker") as again:
        assert again.alive
    assert list(tmp_path.glob("broker.broken-*"))
