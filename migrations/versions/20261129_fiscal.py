"""Receipts of reversing orders, corrections, what is given on credit, the shifts of a device and their totals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261129_fiscal"
down_revision = "20261129_cash"
branch_labels = None
depends_on = None

#: A printed receipt stays, one that a correction took the place of too, and what a receipt is for never changes.
KEPT = r"""
CREATE OR REPLACE FUNCTION fiscal_receipt_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('done', 'replaced')
        OR (NEW.uuid, NEW.device_id, NEW.kind, NEW.amount, NEW.body, NEW.bills)
        IS DISTINCT FROM (OLD.uuid, OLD.device_id, OLD.kind, OLD.amount, OLD.body, OLD.bills)
        OR (NEW.payment_id, NEW.refund_id, NEW.reversal_id, NEW.corrects_id)
        IS DISTINCT FROM (OLD.payment_id, OLD.refund_id, OLD.reversal_id, OLD.corrects_id) OR NEW.round < OLD.round
    THEN
        RAISE EXCEPTION 'a fiscal receipt stays as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_receipt_stays';
    END IF;
    RETURN NEW;
END $$;

-- What a correction takes the place of was never printed, and is corrected as it was meant.
CREATE FUNCTION fiscal_correction_of_unprinted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE corrected record;
BEGIN
    SELECT status, amount INTO corrected FROM fiscal_receipt WHERE id = NEW.corrects_id FOR UPDATE;
    IF corrected.status IS DISTINCT FROM 'replaced' OR corrected.amount <> NEW.amount THEN
        RAISE EXCEPTION 'only what was never printed is corrected'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_receipt_corrects_unprinted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_fiscal_receipt_corrects BEFORE INSERT ON fiscal_receipt
    FOR EACH ROW WHEN (NEW.corrects_id IS NOT NULL) EXECUTE FUNCTION fiscal_correction_of_unprinted();

CREATE TRIGGER tr_fiscal_credit_append_only BEFORE UPDATE OR DELETE ON fiscal_credit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_fiscal_credit_no_truncate BEFORE TRUNCATE ON fiscal_credit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION fiscal_shift_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
       OR (NEW.device_id, NEW.number) IS DISTINCT FROM (OLD.device_id, OLD.number) THEN
        RAISE EXCEPTION 'a closed shift of the device stays as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_shift_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_fiscal_shift_stays BEFORE UPDATE OR DELETE ON fiscal_shift
    FOR EACH ROW EXECUTE FUNCTION fiscal_shift_stays();
CREATE TRIGGER tr_fiscal_shift_no_truncate BEFORE TRUNCATE ON fiscal_shift
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def _receipts() -> None:
    op.add_column("fiscal_receipt", sa.Column("reversal_id", sa.Integer(), sa.ForeignKey("work_order.id")))
    op.add_column(
        "fiscal_receipt", sa.Column("bills", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("fiscal_receipt", sa.Column("corrects_id", sa.Integer(), sa.ForeignKey("fiscal_receipt.id")))
    for name in ("uq_fiscal_receipt_payment", "uq_fiscal_receipt_refund", "ck_fiscal_receipt_of_one_operation",
                 "ck_fiscal_receipt_amount_positive", "ck_fiscal_receipt_kind_known",
                 "ck_fiscal_receipt_status_known"):  # fmt: skip
        op.drop_constraint(name, "fiscal_receipt")
    living = sa.text("status <> 'replaced'")
    op.create_index("uq_fiscal_receipt_payment", "fiscal_receipt", ["payment_id"], unique=True, postgresql_where=living)
    op.create_index("uq_fiscal_receipt_refund", "fiscal_receipt", ["refund_id"], unique=True, postgresql_where=living)
    for name, kinds in (("returned", "'sellReturn', 'sellReturnCorrection'"), ("kept", "'sell', 'sellCorrection'")):
        op.create_index(
            f"uq_fiscal_receipt_reversal_{name}", "fiscal_receipt", ["reversal_id"], unique=True,
            postgresql_where=sa.text(f"status <> 'replaced' AND kind IN ({kinds})"),
        )  # fmt: skip
    op.create_unique_constraint("uq_fiscal_receipt_corrects", "fiscal_receipt", ["corrects_id"])
    for name, rule in (
        ("of_one_operation", "num_nonnulls(payment_id, refund_id, reversal_id) = 1"),
        ("amount_not_negative", "amount >= 0"),
        ("kind_known", "kind IN ('sell', 'sellReturn', 'sellCorrection', 'sellReturnCorrection')"),
        ("status_known", "status IN ('planned', 'sending', 'done', 'failed', 'unknown', 'replaced')"),
        ("correction_named", "(corrects_id IS NOT NULL) = (kind IN ('sellCorrection', 'sellReturnCorrection'))"),
    ):
        op.create_check_constraint(f"ck_fiscal_receipt_{name}", "fiscal_receipt", rule)
    op.drop_index("ix_fiscal_receipt_open", "fiscal_receipt")
    op.create_index(
        "ix_fiscal_receipt_open", "fiscal_receipt", ["device_id", "id"],
        postgresql_where=sa.text("status NOT IN ('done', 'replaced')"),
    )  # fmt: skip
    op.add_column("fiscal_device", sa.Column("closing_by", sa.String(200), server_default="", nullable=False))
    op.add_column("fiscal_device", sa.Column("pending", sa.String(36), server_default="", nullable=False))


def _credit() -> None:
    op.create_table(
        "fiscal_credit",
        sa.Column("receipt_id", sa.Integer(), sa.ForeignKey("fiscal_receipt.id"), primary_key=True),
        sa.Column("work_order_id", sa.Integer(), sa.ForeignKey("work_order.id"), primary_key=True),
        sa.Column("change", sa.Numeric(12, 2), nullable=False),
        sa.CheckConstraint("change <> 0", name="ck_fiscal_credit_not_zero"),
    )
    op.create_index("ix_fiscal_credit_work_order_id", "fiscal_credit", ["work_order_id"])


def _shifts() -> None:
    op.create_table(
        "fiscal_shift",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("device_id", sa.Integer(), sa.ForeignKey("fiscal_device.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.Column("counted", postgresql.JSONB(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("document", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("device_id", "number", name="uq_fiscal_shift_number"),
        sa.UniqueConstraint("uuid", name="uq_fiscal_shift_uuid"),
        sa.CheckConstraint("(closed_at IS NULL) = (document IS NULL)", name="ck_fiscal_shift_closed_with_document"),
    )


def upgrade() -> None:
    _receipts()
    _credit()
    _shifts()
    op.execute(sa.text(KEPT))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
