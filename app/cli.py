"""Ways in without a browser: preparing the database, founding a clinic of one's own.

`flask --app app prepare`, `flask --app app found`. Where next: `run.py`, `app/demo.py`.
"""

from pathlib import Path

import click
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text

from app.db import db, session, transaction
from app.models import ClinicSetting, Role
from app.roles import ROLES

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def prepare_database(app: Flask) -> None:
    """Bring the database to the newest state: migrations, roles, the row of settings. Safe to repeat.

    Two at once wait for each other (an advisory lock).
    """
    with app.app_context():
        with db.engine.connect() as guard:
            guard.execute(text("SELECT pg_advisory_lock(hashtextextended('prepare', 0))"))
            guard.commit()
            try:
                upgrade(directory=str(MIGRATIONS))
                with transaction():
                    have = set(session.scalars(select(Role.name)))
                    session.add_all(Role(name=name) for name in ROLES if name not in have)
                    if session.get(ClinicSetting, 1) is None:
                        session.add(ClinicSetting(id=1))
            finally:
                guard.execute(text("SELECT pg_advisory_unlock(hashtextextended('prepare', 0))"))
                guard.commit()


def install(app: Flask) -> None:
    """Add the commands to `flask`."""

    @app.cli.command("prepare")
    def prepare() -> None:
        """Migrate the database and fill in what every clinic has."""
        prepare_database(app)
        click.echo("ok")
