"""Which papers were printed, when and by whom: the first is the original, the others are copies."""

import sqlalchemy as sa
from alembic import op

revision = "20261128_printing"
down_revision = "20261127_tax"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "printing",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("kind", "subject_id", "number", name="uq_printing_number"),
        sa.CheckConstraint("kind IN ('receipt', 'cash_order')", name="ck_printing_kind_known"),
        sa.CheckConstraint("number > 0", name="ck_printing_number_positive"),
    )
    op.execute(
        "CREATE TRIGGER tr_printing_append_only BEFORE UPDATE OR DELETE ON printing"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER tr_printing_no_truncate BEFORE TRUNCATE ON printing"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    raise NotImplementedError("what was printed is not forgotten")
