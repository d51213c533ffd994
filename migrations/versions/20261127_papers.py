"""More kinds of papers that are printed from the card."""

from alembic import op

revision = "20261127_papers"
down_revision = "20261127_cards"
branch_labels = None
depends_on = None

KINDS = (
    "contract", "consent_personal_data", "consent_treatment", "consent_advertising", "health_questionnaire",
    "treatment_plan", "referral", "medical_card",
)  # fmt: skip


def upgrade() -> None:
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    for table in ("document_template", "issued_document"):
        op.drop_constraint(f"ck_{table}_kind_known", table)
        op.create_check_constraint(f"ck_{table}_kind_known", table, f"kind IN ({listed})")


def downgrade() -> None:
    raise NotImplementedError("papers that were issued are not dropped")
