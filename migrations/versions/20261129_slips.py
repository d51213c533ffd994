"""Slip printers of the branches."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_slips"
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


def downgrade() -> None:
    op.drop_table("slip_printer")
