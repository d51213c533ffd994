"""Gift certificates, bought with a patient's advance and spent into one; who wants no next visit, and why."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_certificates"
down_revision = "20261126_papers"
branch_labels = None
depends_on = None

TRIGGERS = r"""
-- What is left on a certificate is moved by passed advances alone.
CREATE FUNCTION keep_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE certificate SET balance = balance + CASE WHEN NEW.to_id IS NULL THEN NEW.amount ELSE -NEW.amount END
     WHERE id = NEW.certificate_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_advance_transfer_keeps_certificate AFTER INSERT ON advance_transfer
    FOR EACH ROW WHEN (NEW.certificate_id IS NOT NULL) EXECUTE FUNCTION keep_certificate();

CREATE TRIGGER tr_certificate_kept_by_ledger BEFORE UPDATE ON certificate
    FOR EACH ROW EXECUTE FUNCTION refuse_outside_ledger();
CREATE TRIGGER tr_certificate_new_is_empty BEFORE INSERT ON certificate
    FOR EACH ROW EXECUTE FUNCTION new_desk_is_empty();
CREATE TRIGGER tr_certificate_append_only BEFORE DELETE ON certificate
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_certificate_no_truncate BEFORE TRUNCATE ON certificate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A certificate is sold whole: the advance that bought it is its sum. At the transaction's end.
CREATE FUNCTION certificate_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount IS DISTINCT FROM (SELECT sum(amount) FROM advance_transfer
                                     WHERE certificate_id = NEW.id AND from_id = NEW.buyer_id AND to_id IS NULL) THEN
        RAISE EXCEPTION 'the certificate was not paid'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_certificate_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_certificate_adds_up AFTER INSERT ON certificate
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION certificate_adds_up();

-- An advance leaves one patient or certificate and comes to another, the same sum. At the transaction's end.
CREATE OR REPLACE FUNCTION transfer_of_advance_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entry WHERE transfer_id = NEW.id HAVING count(*) = num_nonnulls(NEW.from_id, NEW.to_id)
                   AND sum(advance_change) FILTER (WHERE patient_id = NEW.from_id) IS NOT DISTINCT FROM
                       CASE WHEN NEW.from_id IS NOT NULL THEN -NEW.amount END
                   AND sum(advance_change) FILTER (WHERE patient_id = NEW.to_id) IS NOT DISTINCT FROM
                       CASE WHEN NEW.to_id IS NOT NULL THEN NEW.amount END
                   AND bool_and(kind = CASE WHEN NEW.certificate_id IS NULL THEN 'advance_moved'
                                            WHEN NEW.to_id IS NULL THEN 'to_certificate' ELSE 'from_certificate' END)) THEN
        RAISE EXCEPTION 'the advance passed does not add up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_advance_transfer_adds_up';
    END IF;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    op.create_table(
        "next_visit_refusal",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("refusal_reason_id", sa.Integer(), sa.ForeignKey("refusal_reason.id"), nullable=False),
        sa.Column("comment", sa.String(400), server_default="", nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("patient_id", "business_day", name="uq_next_visit_refusal_once_a_day"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("branch_id", sa.Integer(), sa.ForeignKey("branch.id"), nullable=False),
        sa.Column("buyer_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("payment_id", sa.Integer(), sa.ForeignKey("payment.id")),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("balance", sa.Numeric(12, 2), server_default="0", nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.CheckConstraint("btrim(number) <> ''", name="ck_certificate_number_not_blank"),
        sa.CheckConstraint("amount > 0", name="ck_certificate_amount_positive"),
        sa.CheckConstraint("balance BETWEEN 0 AND amount", name="ck_certificate_balance_within_amount"),
        sa.CheckConstraint("valid_until >= business_day", name="ck_certificate_valid_after_sale"),
        sa.UniqueConstraint("payment_id", name="uq_certificate_payment"),
    )
    op.create_index("uq_certificate_number", "certificate", [sa.text("lower(number)")], unique=True)
    for column in ("buyer_id", "legal_entity_id", "branch_id"):
        op.create_index(f"ix_certificate_{column}", "certificate", [column])
    op.add_column("advance_transfer", sa.Column("certificate_id", sa.Integer(), sa.ForeignKey("certificate.id")))
    op.create_index("ix_advance_transfer_certificate_id", "advance_transfer", ["certificate_id"])
    for column in ("from_id", "to_id"):
        op.alter_column("advance_transfer", column, nullable=True)
    op.create_check_constraint(
        "ck_advance_transfer_of_a_certificate",
        "advance_transfer",
        "num_nonnulls(from_id, to_id) = CASE WHEN certificate_id IS NULL THEN 2 ELSE 1 END",
    )
    for name, rule in {
        "ck_ledger_entry_kind_known": "kind IN ('bill', 'bill_reopened', 'bill_reversed', 'payment', 'paid_to_advance',"
        " 'advance_in', 'advance_used', 'advance_moved', 'to_certificate', 'from_certificate', 'refund')",
        "ck_ledger_entry_transfer_named": "(kind IN ('advance_moved', 'to_certificate', 'from_certificate'))"
        " = (transfer_id IS NOT NULL)",
    }.items():
        op.drop_constraint(name, "ledger_entry")
        op.create_check_constraint(name, "ledger_entry", rule)
    op.execute(sa.text(TRIGGERS))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
