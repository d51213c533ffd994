"""Texts of papers: names in their cases, what a contract says of the clinic, a template for every paper."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_texts"
down_revision = "20261201_identity"
branch_labels = None
depends_on = None

#: table: (column, length; 0 is a long text).
COLUMNS = {
    "patient": (("name_genitive", 300), ("name_dative", 300)),
    "employee": (("name_genitive", 300), ("name_dative", 300), ("post_genitive", 200), ("acting_on", 200)),
    "legal_entity": (
        ("brand", 200), ("email", 200), ("site", 200), ("licence_number", 60), ("licence_issuer", 300),
        ("licence_issuer_address", 300), ("licence_issuer_phone", 40), ("licence_works", 0), ("bank_name", 200),
        ("bank_bik", 9), ("bank_account", 20), ("bank_corr_account", 20), ("director_name_genitive", 200),
        ("director_post_genitive", 200), ("acting_on", 200),
    ),
}  # fmt: skip
KINDS = (
    "contract", "consent_personal_data", "consent_treatment", "consent_advertising", "health_questionnaire",
    "treatment_plan", "referral", "medical_card", "tax_certificate", "consent_anesthesia", "consent_therapy",
    "consent_endodontics", "consent_extraction", "consent_implantation", "consent_prosthetics",
    "consent_orthodontics", "consent_hygiene", "consent_children", "consent_xray", "refusal", "work_order", "act",
    "guarantee", "receipt",
)  # fmt: skip


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, length in columns:
            kind = sa.String(length) if length else sa.Text()
            op.add_column(table, sa.Column(name, kind, server_default="", nullable=False))
    op.add_column("legal_entity", sa.Column("licence_day", sa.Date()))
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    for table in ("document_template", "issued_document", "first_visit_paper"):
        name = f"ck_{table}_kind_known"
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, f"kind IN ({listed})")
    name = "ck_first_visit_paper_from_the_card"
    op.drop_constraint(name, "first_visit_paper", type_="check")
    of_money = "'tax_certificate', 'work_order', 'act', 'guarantee', 'receipt'"
    op.create_check_constraint(name, "first_visit_paper", f"kind NOT IN ({of_money})")


def downgrade() -> None:
    raise NotImplementedError("papers issued of the new kinds are not thrown away")
