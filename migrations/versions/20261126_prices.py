"""Price lists read from a file, row by row; prices that stay as they were written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261126_prices"
down_revision = "20261125_search"
branch_labels = None
depends_on = None

TRIGGERS = """
CREATE TRIGGER tr_price_import_applied_stays BEFORE UPDATE OR DELETE ON price_import
    FOR EACH ROW WHEN (OLD.applied_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
-- A price is never changed: the next one is added. What was billed by it can be looked up for ever.
CREATE TRIGGER tr_service_price_append_only BEFORE UPDATE OR DELETE ON service_price
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "price_import",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("verdicts", JSONB(none_as_null=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["applied_by_id"], ["ab_user.id"]),
        sa.ForeignKeyConstraint(["created_by_id"], ["ab_user.id"]),
        sa.CheckConstraint("(applied_at IS NULL) = (verdicts IS NULL)", name="ck_price_import_applied_with_verdicts"),
    )
    op.execute(TRIGGERS)


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
