"""Ways in without a browser: preparing the database, founding a clinic of one's own.

`python -m app prepare`, `python -m app init`, `python -m app verify`. Where next: `run.py`, `app/demo/clinic.py`.
"""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask_babel import force_locale, gettext
from flask_migrate import upgrade
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.security import generate_password_hash

from app.db import db, session, transaction
from app.documents import operations as documents
from app.messages import operations as messages
from app.models import (
    Branch,
    CancelReason,
    CashDesk,
    ClinicSetting,
    Employee,
    LegalEntity,
    RefusalReason,
    Role,
    User,
)
from app.reports import queries as reports
from app.roles import DIRECTOR, ROLES

#: Why patients refuse, for a clinic that has no list of its own yet; changed in the directory.
FIRST_REFUSALS = ("Дорого", "Лечится в другой клинике", "Не устроило время", "Переехал", "Пока не готов", "Передумал")
#: Why visits are cancelled, for a new clinic: without a reason no visit can be, and the desk may not write its own.
FIRST_CANCELLATIONS = ("Заболел", "Изменились планы", "Не устроила цена", "Врач не принимает", "Записан по ошибке")
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def prepare_database(app: Flask) -> None:
    """Bring the database to the newest state: migrations, roles, settings, templates. Safe to repeat.

    Two at once wait for each other (an advisory lock).
    """
    with app.app_context(), db.engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(hashtextextended('prepare', 0))"))
        guard.commit()
        try:
            upgrade(directory=str(MIGRATIONS))
            with transaction():
                _what_every_clinic_has()
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(hashtextextended('prepare', 0))"))
            guard.commit()


def _what_every_clinic_has() -> None:
    have = set(session.scalars(select(Role.name)))
    session.add_all(Role(name=name) for name in ROLES if name not in have)
    if session.get(ClinicSetting, 1) is None:
        session.add(ClinicSetting(id=1))
    if session.scalar(select(func.count()).select_from(RefusalReason)) == 0:
        session.add_all(RefusalReason(name=name) for name in FIRST_REFUSALS)
    documents.ship_templates()
    messages.add_first_templates()


def found_clinic(name: str, surname: str, login: str, password: str, clinic: str) -> None:
    """The first rows of a clinic of one's own: the legal entity with who signs for it, a branch with its desks, why
    visits are cancelled, the director's login."""
    entity = LegalEntity(name=clinic, short_name=clinic, director_post="Директор", director_name=f"{surname} {name}")
    branch = Branch(name=clinic, legal_entity=entity)
    session.add_all([entity, branch, *(CancelReason(name=why) for why in FIRST_CANCELLATIONS)])
    session.flush()
    desk = {"branch_id": branch.id, "legal_entity_id": entity.id}
    session.add(CashDesk(name="Касса", kind="main", **desk))
    session.add(CashDesk(name="Безналичная касса", kind="non_cash", **desk))
    director = User(
        username=login, first_name=name, last_name=surname, email=f"{login}@clinic.invalid", active=True,
        password=generate_password_hash(password),
        roles=[session.scalars(select(Role).where(Role.name == DIRECTOR)).one()],
    )  # fmt: skip
    session.add(director)
    session.flush()
    session.add(Employee(surname=surname, name=name, post="Директор", user_id=director.id, branch_id=branch.id))


def _answered(work: Callable[..., None]) -> Callable[..., None]:
    """A command that says in one sentence that there is no database to talk to, and which command starts one."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            work(*args, **kwargs)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) is not None:  # the server answered: it refused something else
                raise
            raise click.ClickException(
                "База данных по адресу из DATABASE_URL не отвечает."
                if os.environ.get("DATABASE_URL")
                else f"База данных не отвечает. Выполните python -m app {click.get_current_context().info_name}:"
                " эта команда сама запускает базу данных этой машины."
            ) from None

    return run


def install(app: Flask) -> None:
    """Add the commands to `flask`."""

    @app.cli.command("prepare")
    @_answered
    def prepare() -> None:
        """Migrate the database and fill in what every clinic has."""
        prepare_database(app)
        click.echo("База данных готова.")

    @app.cli.command("verify")
    @_answered
    def verify() -> None:
        """Prove the promises about money from the beginning; says which are broken, by what, and ends with 1."""
        broken = 0
        with force_locale("ru"):
            for promise in reports.PROMISES:
                found = reports.breaches(promise)
                broken += bool(found)
                click.echo(f"{'НАРУШЕНО' if found else 'верно   '}  {gettext(promise.sentence)}")
                for breach in found:
                    must, is_ = ("—" if one is None else one for one in (breach.must, breach.found))
                    click.echo(f"          {breach.what}: должно быть {must}, записано {is_}")
        if broken:
            raise click.ClickException(f"Нарушено: {broken}. Ничего не изменено; покажите этот список разработчику.")
        click.echo("Деньги сходятся с самого начала.")

    @app.cli.command("init")
    @click.option("--clinic", prompt="Название клиники")
    @click.option("--surname", prompt="Фамилия директора")
    @click.option("--name", prompt="Имя директора")
    @click.option("--login", prompt="Логин директора", default="director")
    @click.password_option(prompt="Пароль директора", confirmation_prompt="Пароль ещё раз")
    @_answered
    def init(clinic: str, surname: str, name: str, login: str, password: str) -> None:
        """Found a clinic of one's own: no demo data, one login for the director."""
        prepare_database(app)
        if len(password) < 8:
            raise click.ClickException("Пароль короче 8 знаков: придумайте длиннее и повторите make init.")
        if session.scalar(select(func.count()).select_from(User)):
            raise click.ClickException(
                "В этой базе уже есть клиника. Для новой задайте другую папку: VAR_DIR=… make init."
            )
        with transaction():
            found_clinic(name.strip(), surname.strip(), login.strip(), password, clinic.strip())
        click.echo(
            "Готово. Запустите make run и войдите как директор. Сначала заполните «Справочники»: юрлицо (его реквизиты"
            " стоят в договорах), кресла, сотрудники, график врачей, услуги и цены."
        )
