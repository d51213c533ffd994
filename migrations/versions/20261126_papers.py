"""Cash orders with their numbers, and what was printed."""

revision = "20261126_papers"
down_revision = "20261126_cash"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
