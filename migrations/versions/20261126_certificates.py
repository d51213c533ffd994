"""Gift certificates."""

revision = "20261126_certificates"
down_revision = "20261126_fiscal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
