"""How migrations reach the database: one connection of the running application."""

from alembic import context
from flask import current_app

target = current_app.extensions["migrate"].db


def include(obj, name, kind, reflected, compare_to):
    """Look only at what the models declare."""
    return True


with target.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=target.metadatas[None],
        compare_type=True,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
