"""The index of cards by name knows which are archived: to count a surname's bearers no card is looked at.

Revision ID: 20261201_search
Revises: 20261202_bills
"""

from alembic import op

revision = "20261201_search"
down_revision = "20261202_bills"
branch_labels = None
depends_on = None

ALSO = ["status", "merged_into_id"]


def upgrade() -> None:
    op.drop_index("ix_patient_by_name", table_name="patient")
    op.create_index("ix_patient_by_name", "patient", ["search_name", "id"], postgresql_include=ALSO)


def downgrade() -> None:
    op.drop_index("ix_patient_by_name", table_name="patient", postgresql_include=ALSO)
    op.create_index("ix_patient_by_name", "patient", ["search_name", "id"])
