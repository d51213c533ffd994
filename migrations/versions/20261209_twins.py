"""Who has this СНИЛС or ИНН is found at once: the same number is the same person.

Revision ID: 20261209_twins
Revises: 20261208_scans
"""

import sqlalchemy as sa
from alembic import op

revision = "20261209_twins"
down_revision = "20261208_scans"
branch_labels = None
depends_on = None

NUMBERS = ("snils", "inn")


def upgrade() -> None:
    for name in NUMBERS:
        op.create_index(f"ix_patient_{name}", "patient", [name], postgresql_where=sa.text(f"{name} <> ''"))


def downgrade() -> None:
    for name in NUMBERS:
        op.drop_index(f"ix_patient_{name}", table_name="patient", postgresql_where=sa.text(f"{name} <> ''"))
