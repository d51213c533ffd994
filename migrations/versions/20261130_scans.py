"""Signed papers, scanned and attached."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_scans"
down_revision = "20261130_openings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signed_scan",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("issued_document.id"), nullable=False),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("mimetype", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("document_id", "sha256", name="uq_signed_scan_once"),
        sa.CheckConstraint(
            "mimetype IN ('application/pdf', 'image/jpeg', 'image/png')", name="ck_signed_scan_mimetype_known"
        ),
        sa.CheckConstraint("octet_length(content) BETWEEN 1 AND 3670016", name="ck_signed_scan_size"),
    )
    op.create_index("ix_signed_scan_patient_id", "signed_scan", ["patient_id"])
    for when, name in (("UPDATE OR DELETE", "append_only"), ("TRUNCATE", "no_truncate")):
        each = "ROW" if name == "append_only" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER tr_signed_scan_{name} BEFORE {when} ON signed_scan"
            f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("what was signed is not thrown away")
