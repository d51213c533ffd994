"""Unpaid bills by their day: the list of debtors, the oldest debt first, reads as far as its page."""

from alembic import op
from sqlalchemy import text

revision = "20261201_money"
down_revision = "20261201_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_work_order_unpaid_day",
        "work_order",
        ["issued_day", "patient_id"],
        postgresql_where=text("status = 'issued'"),
    )


def downgrade() -> None:
    op.drop_index("ix_work_order_unpaid_day", "work_order")
