"""Fiscal receipts: what was meant, what the device answered."""

revision = "20261124_fiscal"
down_revision = "20261124_cash"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
