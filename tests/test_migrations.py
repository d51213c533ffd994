"""An empty database with the migrations is what the models say, and the promises are in it."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import text


def test_migrations_make_the_models(fresh_app: Flask) -> None:
    from app.db import db
    from app.tables.base import Model

    with fresh_app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Model.metadata) == []


def test_constraints_are_there(fresh_app: Flask) -> None:
    """Alembic does not compare CHECKs and EXCLUDEs: every one that a model names must be in the database."""
    from sqlalchemy import CheckConstraint
    from sqlalchemy.dialects.postgresql import ExcludeConstraint

    from app.db import db
    from app.tables.base import Model

    wanted = {
        constraint.name
        for table in Model.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint) and constraint.name
    }
    with fresh_app.app_context(), db.engine.connect() as connection:
        have = set(connection.scalars(text("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x')")))
    assert wanted <= have, wanted - have


def test_preparing_twice_changes_nothing(fresh_app: Flask) -> None:
    from app.cli import prepare_database
    from app.db import session
    from app.models import ClinicSetting, DocumentTemplate, Role

    def counts() -> list[int]:
        with fresh_app.app_context():
            return [session.query(model).count() for model in (Role, ClinicSetting, DocumentTemplate)]

    before = counts()
    prepare_database(fresh_app)
    assert counts() == before
