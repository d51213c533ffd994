"""Old card indexes read from a file, row by row; the number of the old card."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "20261201_imports"
down_revision = "20261201_erasure"
branch_labels = None
depends_on = None

OLD_KEY = r"lower(regexp_replace(regexp_replace(old_number, '[\s№#]', '', 'g'), '^0+(?=.)', ''))"
TRIGGER = """
CREATE TRIGGER tr_card_import_applied_stays BEFORE UPDATE OR DELETE ON card_import
    FOR EACH ROW WHEN (OLD.state = 'applied') EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.add_column("patient", sa.Column("old_number", sa.String(40), server_default="", nullable=False))
    op.add_column("patient", sa.Column("old_key", sa.Text(), sa.Computed(OLD_KEY, persisted=True), nullable=False))
    op.create_index("ix_patient_old_key", "patient", ["old_key"], postgresql_where=sa.text("old_key <> ''"))
    op.create_table(
        "card_import",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("sheet", sa.Integer(), nullable=False),
        sa.Column("head_line", sa.Integer(), nullable=False),
        sa.Column("headless", sa.Boolean(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.Column("day_order", sa.String(3), nullable=False),
        sa.Column("area_code", sa.String(5), nullable=False),
        sa.Column("fill", sa.Boolean(), nullable=False),
        sa.Column("with_maybe", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", JSONB(none_as_null=True)),
        sa.Column("counts", JSONB(none_as_null=True)),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.Column("applied_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.CheckConstraint(
            "state IN ('mapping', 'reading', 'judging', 'judged', 'applying', 'applied', 'refused')",
            name="ck_card_import_state_known",
        ),
        sa.CheckConstraint("day_order IN ('dmy', 'mdy')", name="ck_card_import_day_order_known"),
        sa.CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name="ck_card_import_applied_at"),
    )
    op.execute(TRIGGER)
    op.create_table(
        "card_import_row",
        sa.Column("import_id", sa.Integer(), sa.ForeignKey("card_import.id"), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column("cells", JSONB(none_as_null=True)),
        sa.Column("card", JSONB(none_as_null=True)),
        sa.Column("name_key", sa.Text(), server_default="", nullable=False),
        sa.Column("patronymic_key", sa.Text(), server_default="", nullable=False),
        sa.Column("born", sa.Date()),
        sa.Column("old_key", sa.Text(), server_default="", nullable=False),
        sa.Column("numbers", ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.Column("verdict", sa.String(10)),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", JSONB(none_as_null=True)),
        sa.Column("warnings", JSONB(), server_default="[]", nullable=False),
        sa.Column("twin_id", sa.Integer()),
        sa.Column("twin_line", sa.Integer()),
        sa.Column("neighbour_id", sa.Integer()),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id")),
        sa.CheckConstraint(
            "verdict IN ('new', 'there', 'maybe', 'twice', 'refused')", name="ck_card_import_row_verdict_known"
        ),
        sa.CheckConstraint(
            "patient_id IS NULL OR verdict <> 'refused'", name="ck_card_import_row_written_is_not_refused"
        ),
    )
    op.create_index("ix_card_import_row_import_id_verdict_line", "card_import_row", ["import_id", "verdict", "line"])
    op.create_index(
        "ix_card_import_row_patient_id", "card_import_row", ["patient_id"],
        postgresql_where=sa.text("patient_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
