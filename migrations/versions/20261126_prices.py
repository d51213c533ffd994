"""Price lists read from a file, row by row."""

revision = "20261126_prices"
down_revision = "20261125_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
