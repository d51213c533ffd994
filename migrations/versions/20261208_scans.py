"""Papers as a clinic keeps them: a scan attached by mistake is put out of sight; who else processes patients' data."""

import sqlalchemy as sa
from alembic import op

revision = "20261208_scans"
down_revision = "20261205_gone"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinic_setting", sa.Column("personal_data_processors", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "mistaken_scan",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("scan_id", sa.Integer(), sa.ForeignKey("signed_scan.id"), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("scan_id", name="uq_mistaken_scan_once"),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_mistaken_scan_reason_not_blank"),
    )
    for when, name in (("UPDATE OR DELETE", "append_only"), ("TRUNCATE", "no_truncate")):
        each = "ROW" if name == "append_only" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER tr_mistaken_scan_{name} BEFORE {when} ON mistaken_scan"
            f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("mistaken_scan")
    op.drop_column("clinic_setting", "personal_data_processors")
