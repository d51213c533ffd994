"""What a card says besides the name: tags, who pays, insurance, the patient's discount. Selections of patients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261127_cards"
down_revision = "20261126_certificates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("insurance", sa.String(200), server_default="", nullable=False))
    op.add_column("patient", sa.Column("discount_percent", sa.Numeric(5, 2)))
    op.add_column("patient", sa.Column("discount_reason", sa.String(200), server_default="", nullable=False))
    op.add_column("patient", sa.Column("payer_id", sa.Integer(), sa.ForeignKey("patient.id")))
    op.create_check_constraint("ck_patient_payer_other", "patient", "payer_id <> id")
    op.create_check_constraint(
        "ck_patient_discount_sane", "patient", "discount_percent > 0 AND discount_percent <= 100"
    )
    op.create_index("ix_patient_payer_id", "patient", ["payer_id"], postgresql_where=sa.text("payer_id IS NOT NULL"))
    op.create_table(
        "patient_tag",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("alert", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_patient_tag_name_not_blank"),
    )
    op.create_index("uq_patient_tag_name", "patient_tag", [sa.text("lower(name)")], unique=True)
    op.create_table(
        "patient_tagged",
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("tag_id", sa.Integer(), sa.ForeignKey("patient_tag.id"), primary_key=True),
    )
    op.create_index("ix_patient_tagged_tag_id", "patient_tagged", ["tag_id"])
    op.create_table(
        "patient_selection",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("ab_user.id"), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_patient_selection_name_not_blank"),
    )
    op.create_index("uq_patient_selection_name", "patient_selection", ["user_id", sa.text("lower(name)")], unique=True)


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
