"""Who paid: a payment names its payer, and a year of a patient is certified once to each of the payers."""

import sqlalchemy as sa
from alembic import op

revision = "20261207_payer"
down_revision = "20261206_sheets"
branch_labels = None
depends_on = None

#: As gone_card_takes_nothing(), which asks about the patient only. The name sorts after the foreign key's own trigger,
#: which waits for the card.
PAYER = """
CREATE FUNCTION gone_card_pays_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE how text;
BEGIN
    SELECT CASE WHEN erased_at IS NOT NULL THEN 'erased' ELSE 'merged' END INTO how FROM patient
        WHERE id = NEW.payer_id AND (erased_at IS NOT NULL OR merged_into_id IS NOT NULL);
    IF how IS NOT NULL THEN
        RAISE EXCEPTION 'a card that is gone pays nothing new'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_patient_' || how || '_takes_nothing';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_payment_payer_not_gone AFTER INSERT ON payment
    FOR EACH ROW WHEN (NEW.payer_id <> NEW.patient_id) EXECUTE FUNCTION gone_card_pays_nothing();
"""


def upgrade() -> None:
    """Of payments that were taken before nobody knows who paid; certificates of before have counted all of them."""
    op.add_column("payment", sa.Column("payer_id", sa.Integer(), sa.ForeignKey("patient.id")))
    op.create_index(
        "ix_payment_payer_id", "payment", ["payer_id"], postgresql_where=sa.text("payer_id IS NOT NULL")
    )  # fmt: skip
    op.execute(sa.text(PAYER.replace(":=", r"\:=")))
    op.add_column(
        "tax_certificate", sa.Column("of_unknown", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )  # fmt: skip
    op.drop_index("uq_tax_certificate_once", "tax_certificate")
    op.create_index(
        "uq_tax_certificate_once", "tax_certificate", ["legal_entity_id", "patient_id", "payer_id", "tax_year"],
        unique=True, postgresql_where=sa.text("annulled_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "uq_tax_certificate_unknown_once", "tax_certificate", ["legal_entity_id", "patient_id", "tax_year"],
        unique=True, postgresql_where=sa.text("annulled_at IS NULL AND of_unknown"),
    )  # fmt: skip


def downgrade() -> None:
    """Stops where two payers have a certificate of one year: one of them has to be annulled first."""
    op.drop_index("uq_tax_certificate_unknown_once", "tax_certificate")
    op.drop_index("uq_tax_certificate_once", "tax_certificate")
    op.create_index(
        "uq_tax_certificate_once", "tax_certificate", ["legal_entity_id", "patient_id", "tax_year"], unique=True,
        postgresql_where=sa.text("annulled_at IS NULL"),
    )  # fmt: skip
    op.drop_column("tax_certificate", "of_unknown")
    op.execute("DROP TRIGGER tr_payment_payer_not_gone ON payment; DROP FUNCTION gone_card_pays_nothing()")
    op.drop_column("payment", "payer_id")
