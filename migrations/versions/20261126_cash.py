"""Counts by denominations, limits of desks, categories that were merged."""

revision = "20261126_cash"
down_revision = "20261126_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
