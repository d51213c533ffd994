"""Papers as a clinic keeps them: who else processes its patients' data."""

import sqlalchemy as sa
from alembic import op

revision = "20261208_scans"
down_revision = "20261205_gone"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic_setting", sa.Column("personal_data_processors", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("clinic_setting", "personal_data_processors")
