"""What every test stands on: a real PostgreSQL with the migrated clinic, accounts of every role, and makers.

One database serves the whole run and is not emptied: a test makes the doctors, patients and desks it
needs and looks only at those. A test that must count everything asks for `fresh_app`.
DATABASE_URL lets the run use another server; its user must be allowed to create databases.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.globals import _cv_app
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from werkzeug.security import generate_password_hash

# No test watches the clock: how fast things are is measured in bench/. The rest stays as the place has it (CI, a desk).
settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

PASSWORD = "demo"
#: What no paper of a legal entity goes without.
REQUISITES = {"kpp": "770101001", "ogrn": "1027700132195", "licence_number": "Л041-01137-77/00368421"}
_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
_serial = itertools.count(100)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A temporary folder of this run alone.

    The one that all runs share loses its rights for others whenever another run starts, and a database server that
    runs under a name of its own dies of it.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.option.basetemp = tempfile.mkdtemp(prefix="desk-tests-")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


#: Files that take longest; they start first, so that none runs alone when the others are done.
LONGEST = (
    "test_run", "test_spare", "test_nonsense", "test_a_day", "test_paper_jobs", "imports/test_killed", "test_jobs",
    "test_roles", "test_panel", "test_free_model",
    "test_money_machine", "tasks/test_pages", "test_notifying", "test_managing_browser", "test_waiting_browser",
    "test_prints", "test_undo_machine", "test_corpus",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        path = item.path.with_suffix("").as_posix()
        return next((at for at, name in enumerate(LONGEST) if path.endswith(f"/{name}")), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run; the environment points at it before the application reads it."""
    path = tmp_path_factory.mktemp("var")
    os.environ["VAR_DIR"] = str(path)
    return path


@pytest.fixture(scope="session")
def server(var_dir: Path) -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server: `server("name")` is the address of a database on it."""
    given = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if given:
        head, _, tail = given.partition("?")
        yield lambda name: head.rsplit("/", 1)[0] + "/" + name + ("?" + tail if tail else "")
        return
    from app.local.postgres import Postgres

    with Postgres(var_dir / "pg", durable=False) as postgres:
        yield postgres.url_for


def _admin(server: Callable[[str], str], statement: str) -> None:
    with psycopg.connect(server("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def template(server: Callable[[str], str], var_dir: Path) -> str:
    """A migrated database with the accounts, copied for whoever needs one of its own."""
    name = f"template_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name}")
    app = make_app(server(name))
    from app.cli import prepare_database
    from app.db import db

    prepare_database(app)
    with app.app_context():
        _accounts()
        db.engine.dispose()
    return name


class Browser(FlaskClient):
    """A client whose requests have an application context of their own, as in production.

    Flask would lend them the test's context, and with it the account of the client that asked first.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        def apart() -> Any:
            _cv_app.set(None)  # type: ignore[arg-type]
            return super(Browser, self).open(*args, **kwargs)

        return copy_context().run(apart)


def make_app(url: str, **config: Any) -> Flask:
    """The application on a database, with CSRF off unless a test wants it."""
    from app import create_app

    settings = {
        "TESTING": False,
        "SQLALCHEMY_DATABASE_URI": url.replace("postgresql://", "postgresql+psycopg://"),
        "WTF_CSRF_ENABLED": False,
        "FAB_PASSWORD_HASH_METHOD": "pbkdf2:sha256:1",
        "RATELIMIT_STORAGE_URI": "memory://",
        "REDIS_URL": "",  # a test that wants a broker asks for one: `broker_url`
    }
    application = create_app({**settings, **config})
    application.test_client_class = Browser
    return application


def _accounts() -> None:
    """One employee with a login for each role, and the branch they work in."""
    from sqlalchemy import select

    from app.db import session, transaction
    from app.models import Branch, CashDesk, Chair, Employee, LegalEntity, Role, Speciality, User
    from app.roles import ROLES

    with transaction():
        entity = LegalEntity(
            name="ООО «Улыбка»", short_name="Улыбка", inn="7701234567", address="Москва", phone="+74951234567",
            **REQUISITES,
        )  # fmt: skip
        branch = Branch(name="На Тверской", legal_entity=entity)
        speciality = Speciality(name="Стоматолог-терапевт")
        session.add_all([entity, branch, speciality])
        session.flush()
        session.add(Chair(name="Кресло 1", branch=branch))
        session.add(CashDesk(name="Касса", kind="main", branch_id=branch.id, legal_entity_id=entity.id))
        session.add(CashDesk(name="Эквайринг", kind="non_cash", branch_id=branch.id, legal_entity_id=entity.id))
        logins = [(role, role) for role in ROLES] + [("administrator2", "administrator"), ("doctor2", "doctor")]
        for number, (username, role) in enumerate(logins, 1):
            user = User(
                username=username, first_name="Имя", last_name=f"Сотрудник{number}", email=f"{username}@example.ru",
                active=True, password=_HASH,
                roles=[session.scalars(select(Role).where(Role.name == role)).one()],
            )  # fmt: skip
            session.add(user)
            session.flush()
            session.add(
                Employee(
                    surname=f"Сотрудник{number}", name="Имя", patronymic="Отчествович", user_id=user.id,
                    is_doctor=role == "doctor", branch_id=branch.id,
                    speciality=speciality if role == "doctor" else None,
                )
            )  # fmt: skip


@pytest.fixture(scope="session")
def app(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    """The application on the database of the run."""
    name = f"run_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    application = make_app(server(name))
    yield application
    with application.app_context():
        from app.db import db

        db.engine.dispose()


@contextmanager
def copied(server: Callable[[str], str], template: str, **config: Any) -> Iterator[Flask]:
    """The application on a copy of the migrated database, which is dropped afterwards."""
    name = f"copy_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    application = make_app(server(name), **config)
    yield application
    with application.app_context():
        from app.db import db, session

        session.remove()
        db.engine.dispose()
    # FORCE would be refused over a vacuum worker, which is the superuser's; a plain DROP sends it away and waits.
    ours = f"datname = '{name}' AND usename = current_user"
    _admin(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
    _admin(server, f"DROP DATABASE {name}")


@pytest.fixture
def fresh_app(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    """The application on a database of its own, where nothing has happened yet."""
    with copied(server, template) as application:
        yield application


@pytest.fixture(scope="module")
def fresh_module_app(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    """The same, for all tests of a file together."""
    with copied(server, template) as application:
        yield application


@pytest.fixture
def broker_url(tmp_path: Path) -> Iterator[str]:
    """A broker; with REDIS_URL the one of the system, where each process of the tests has a database of its own."""
    if given := os.environ.get("REDIS_URL"):
        from redis import Redis

        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        own = urlsplit(given)._replace(path="/" + worker.removeprefix("gw")).geturl()
        Redis.from_url(own).flushdb()
        yield own
        return
    from app.local.broker import Broker

    with Broker(tmp_path / "broker", durable=False) as broker:
        yield broker.url


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context for tests of operations and queries."""
    with app.app_context():
        yield


@pytest.fixture
def make(context: None) -> "Maker":
    """Makers of what a test needs, on the database of the run."""
    return Maker()


def sign_in(app: Flask, username: str) -> FlaskClient:
    """A browser of this account."""
    client = app.test_client()
    answer = client.post("/login/", data={"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return client


@pytest.fixture
def client_of(app: Flask) -> Callable[[str], FlaskClient]:
    """`client_of("administrator")`: a signed-in browser."""
    return lambda username: sign_in(app, username)


class Program:
    """A program that calls the API with a token; each POST carries a fresh key unless told otherwise."""

    def __init__(self, app: Flask, username: str) -> None:
        self.client = app.test_client()
        answer = self.client.post(
            "/api/v1/security/login", json={"username": username, "password": PASSWORD, "provider": "db"}
        )
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs)

    def post(self, path: str, body: Any = None, *, key: Any = None, **kwargs: Any) -> Any:
        headers = {**self.headers, "Idempotency-Key": str(key or uuid4()), **kwargs.pop("headers", {})}
        return self.client.post(f"/api/v1/{path}", json={} if body is None else body, headers=headers, **kwargs)

    def patch(self, path: str, body: Any, **kwargs: Any) -> Any:
        return self.client.patch(f"/api/v1/{path}", json=body, headers=self.headers, **kwargs)


@pytest.fixture
def program(app: Flask) -> Callable[[str], Program]:
    """`program("director")`: a program with that account's token."""
    return lambda username: Program(app, username)


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements sent inside."""
    from sqlalchemy import event

    from app.db import db

    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


class Maker:
    """Fresh rows with names of their own; everything is committed."""

    def _save(self, *rows: Any) -> Any:
        from app.db import session, transaction

        with transaction():
            session.add_all(rows)
        return rows[0]

    def user(self, username: str = "administrator") -> Any:
        """The account of a role."""
        from sqlalchemy import select

        from app.db import session
        from app.models import User

        return session.scalars(select(User).where(User.username == username)).one()

    def branch(self) -> Any:
        """A branch with a drawer, a non-cash desk and a chair: `.desk`, `.non_cash`, `.chair` ids on the namespace."""
        from app.models import Branch, CashDesk, Chair, LegalEntity

        n = next(_serial)
        entity = LegalEntity(
            name=f"ООО «Клиника {n}»", short_name=f"Клиника {n}", inn="7701234567", address="Тула", **REQUISITES
        )
        branch = self._save(Branch(name=f"Филиал {n}", legal_entity=entity), entity)
        desk = self._save(CashDesk(name="Касса", kind="main", branch_id=branch.id, legal_entity_id=entity.id))
        other = self._save(CashDesk(name="Эквайринг", kind="non_cash", branch_id=branch.id, legal_entity_id=entity.id))
        chair = self._save(Chair(name="Кресло 1", branch_id=branch.id))
        return SimpleNamespace(
            id=branch.id, legal_entity_id=entity.id, desk_id=desk.id, non_cash_id=other.id, chair_id=chair.id
        )

    def chair(self, branch_id: int = 1) -> Any:
        from app.models import Chair

        return self._save(Chair(name=f"Кресло {next(_serial)}", branch_id=branch_id))

    def doctor(self, branch_id: int = 1) -> Any:
        from app.models import Employee

        n = next(_serial)
        return self._save(
            Employee(surname=f"Врачев{n}", name="Олег", patronymic="Ильич", is_doctor=True, branch_id=branch_id)
        )

    def hours(
        self,
        doctor: Any,
        day: date,
        start: time = time(8),
        end: time = time(20),
        branch_id: int = 1,
        chair_id: int | None = None,
    ) -> Any:
        from app.models import WorkingHours

        return self._save(
            WorkingHours(
                doctor_id=doctor.id, branch_id=branch_id, chair_id=chair_id,
                starts_at=datetime.combine(day, start), ends_at=datetime.combine(day, end),
            )
        )  # fmt: skip

    def patient(self, surname: str = "", phone: str | None = None, **values: Any) -> Any:
        from app.models import Patient, PatientPhone

        n = next(_serial)
        row = Patient(
            **{
                "surname": surname or f"Больной{n}",
                "name": "Иван",
                "patronymic": "Петрович",
                "status": "active",
                **values,
            }
        )
        row.phones.append(PatientPhone(number=phone or f"+7916{n:07d}"))
        return self._save(row)

    def service(self, price: str = "1000.00", name: str = "") -> Any:
        from app.models import Service, ServiceCategory, ServicePrice

        n = next(_serial)
        category = self._save(ServiceCategory(name=f"Категория {n}"))
        service = self._save(Service(code=f"T{n}", name=name or f"Услуга {n}", category_id=category.id, minutes=30))
        self._save(ServicePrice(service_id=service.id, valid_from=date(2020, 1, 1), price=Decimal(price)))
        return service

    def printed(self, document_id: int) -> bytes:
        """The bytes of an issued paper, made as the worker makes them."""
        from app.db import session
        from app.documents import jobs
        from app.models import IssuedDocument

        jobs.render(document_id)
        session.expire_all()
        made: bytes = session.get_one(IssuedDocument, document_id).pdf
        return made

    def appointment(self, patient: Any, doctor: Any, starts_at: datetime, minutes: int = 30, **values: Any) -> Any:
        """A row as it is, past the rules; for what only reads."""
        from app.models import Appointment

        return self._save(
            Appointment(**{
                "patient_id": patient.id, "doctor_id": doctor.id, "branch_id": 1,
                "starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=minutes), **values,
            })
        )  # fmt: skip
