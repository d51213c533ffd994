"""What the tax office and the fiscal device must know about a service."""

revision = "20261124_prices"
down_revision = "20261123_settings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
