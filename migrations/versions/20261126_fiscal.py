"""Corrections and totals of the fiscal device."""

revision = "20261126_fiscal"
down_revision = "20261126_papers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
