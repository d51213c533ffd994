"""Certificates for the tax office (КНД 1151156): what was paid in a year, once."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_tax"
down_revision = "20261127_papers"
branch_labels = None
depends_on = None

KINDS = (
    "contract", "consent_personal_data", "consent_treatment", "consent_advertising", "health_questionnaire",
    "treatment_plan", "referral", "medical_card", "tax_certificate",
)  # fmt: skip

TRIGGERS = r"""
-- A certificate is written once; afterwards it can only be annulled.
CREATE FUNCTION tax_certificate_only_annulled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.annulled_at IS NOT NULL OR NEW.annulled_at IS NULL
       OR to_jsonb(NEW) - '{annulled_at,annulled_by_id,annul_reason}'::text[]
          <> to_jsonb(OLD) - '{annulled_at,annulled_by_id,annul_reason}'::text[] THEN
        RAISE EXCEPTION 'a certificate is only annulled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tax_certificate_append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_tax_certificate_only_annulled BEFORE UPDATE ON tax_certificate
    FOR EACH ROW EXECUTE FUNCTION tax_certificate_only_annulled();
CREATE TRIGGER tr_tax_certificate_append_only BEFORE DELETE ON tax_certificate
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_tax_certificate_no_truncate BEFORE TRUNCATE ON tax_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    for table in ("document_template", "issued_document"):
        op.drop_constraint(f"ck_{table}_kind_known", table)
        op.create_check_constraint(f"ck_{table}_kind_known", table, f"kind IN ({listed})")
    op.create_table(
        "tax_certificate",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("issued_document.id"), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("payer_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("tax_year", sa.SmallInteger(), nullable=False),
        sa.Column("correction", sa.SmallInteger(), nullable=False),
        sa.Column("usual", sa.Numeric(12, 2), nullable=False),
        sa.Column("expensive", sa.Numeric(12, 2), nullable=False),
        sa.Column("annulled_at", sa.DateTime(timezone=True)),
        sa.Column("annulled_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.Column("annul_reason", sa.String(400), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("document_id", name="uq_tax_certificate_document"),
        sa.CheckConstraint("usual >= 0 AND expensive >= 0 AND usual + expensive > 0", name="ck_tax_certificate_sums"),
        sa.CheckConstraint("correction BETWEEN 0 AND 998", name="ck_tax_certificate_correction"),
        sa.CheckConstraint(
            "(annulled_at IS NULL) = (btrim(annul_reason) = '')", name="ck_tax_certificate_annulled_with_reason"
        ),
    )
    op.create_index(
        "uq_tax_certificate_once",
        "tax_certificate",
        ["legal_entity_id", "patient_id", "tax_year"],
        unique=True,
        postgresql_where=sa.text("annulled_at IS NULL"),
    )
    op.create_index("ix_tax_certificate_patient_id", "tax_certificate", ["patient_id"])
    op.create_index("ix_tax_certificate_payer_id", "tax_certificate", ["payer_id"])
    op.execute(sa.text(TRIGGERS))


def downgrade() -> None:
    raise NotImplementedError("papers that were issued are not dropped")
