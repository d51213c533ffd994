"""Reversing orders, advances of relatives, what a return gives back."""

revision = "20261124_orders"
down_revision = "20261124_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
