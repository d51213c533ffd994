"""Slip printers of the branches; the original of a paper is kept, so that its copies are like it for ever."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_papers"
down_revision = "20261129_fiscal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slip_printer",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("branch_id", sa.Integer(), sa.ForeignKey("branch.id"), nullable=False),
        sa.Column("address", sa.String(200), server_default="", nullable=False),
        sa.Column("columns", sa.SmallInteger(), server_default="42", nullable=False),
        sa.Column("code_page", sa.SmallInteger(), server_default="17", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_slip_printer_name_not_blank"),
        sa.CheckConstraint("address ~ '^([^:/]+:[0-9]{1,5})?$'", name="ck_slip_printer_address_with_port"),
        sa.CheckConstraint("columns BETWEEN 24 AND 64", name="ck_slip_printer_columns_of_a_tape"),
        sa.CheckConstraint("code_page BETWEEN 0 AND 255", name="ck_slip_printer_code_page_one_byte"),
    )
    op.create_index(
        "uq_slip_printer_of_branch",
        "slip_printer",
        ["branch_id"],
        unique=True,
        postgresql_where=sa.text("NOT archived"),
    )

    op.add_column("printing", sa.Column("pdf", sa.LargeBinary()))
    op.drop_constraint("ck_printing_kind_known", "printing")
    op.create_check_constraint(
        "ck_printing_kind_known", "printing", "kind IN ('receipt', 'cash_order', 'work_order', 'act', 'guarantee')"
    )
    op.create_check_constraint("ck_printing_original_kept", "printing", "number = 1 OR pdf IS NULL")


def downgrade() -> None:
    raise NotImplementedError("what was printed is not forgotten")
