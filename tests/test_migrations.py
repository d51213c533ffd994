"""An empty database with the migrations is what the models say, and the promises are in it."""

from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.cli import MIGRATIONS


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


def _alone(name: str) -> Any:
    """A migration by itself, wherever it stands among the others."""
    path = MIGRATIONS / "versions" / f"{name}.py"
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_movements_of_before_get_the_names_of_their_categories(fresh_app: Flask) -> None:
    """There and back on a database where money moved: what was printed and moved meanwhile stays."""
    from app.cash import operations as cash
    from app.db import db, session, transaction
    from app.documents import operations as papers
    from app.models import CashDesk, CashMovement

    with fresh_app.app_context():
        desk_id = session.query(CashDesk.id).filter_by(kind="main").scalar()
        with transaction():
            category_id = cash.add_category("Канцтовары", actor=None).id
            shift = cash.open_shift(desk_id, Decimal(0), actor=None)
            cash.move(desk_id, "pay_in", Decimal(5), actor=None)
            cash.move(desk_id, "withdrawal", Decimal(5), category_id=category_id, actor=None)
            papers.print_paper("shift_report", shift, actor=None)
        module = _alone("20261206_sheets")
        with db.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
            module.downgrade()
            module.upgrade()
        session.expire_all()
        found = session.query(CashMovement.kind, CashMovement.category_name).order_by(CashMovement.id).all()
        assert [tuple(row) for row in found] == [("pay_in", None), ("withdrawal", "Канцтовары")]
        with transaction():
            cash.move(desk_id, "pay_in", Decimal(5), actor=None)
            row = cash.move(desk_id, "withdrawal", Decimal(5), category_id=category_id, actor=None)
            assert row.category_name == "Канцтовары"
        with db.engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text("UPDATE cash_movement SET category_name = 'x'"))
