"""Fiscal receipts: what was meant, what the device answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_fiscal"
down_revision = "20261124_orders"
branch_labels = None
depends_on = None

#: A printed receipt stays, and what a receipt is for never changes.
KEPT = """
CREATE FUNCTION fiscal_receipt_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status = 'done' OR (NEW.uuid, NEW.device_id, NEW.kind, NEW.amount, NEW.body)
        IS DISTINCT FROM (OLD.uuid, OLD.device_id, OLD.kind, OLD.amount, OLD.body)
        OR (NEW.payment_id, NEW.refund_id) IS DISTINCT FROM (OLD.payment_id, OLD.refund_id) OR NEW.round < OLD.round
    THEN
        RAISE EXCEPTION 'a fiscal receipt stays as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_receipt_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_fiscal_receipt_stays BEFORE UPDATE OR DELETE ON fiscal_receipt
    FOR EACH ROW EXECUTE FUNCTION fiscal_receipt_stays();
CREATE TRIGGER tr_fiscal_receipt_no_truncate BEFORE TRUNCATE ON fiscal_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def _devices() -> None:
    op.create_table(
        "fiscal_device",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("branch_id", sa.Integer(), sa.ForeignKey("branch.id"), nullable=False),
        sa.Column("address", sa.String(200), server_default="", nullable=False),
        sa.Column("taxation", sa.String(20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.Column("shift_state", sa.String(10), server_default="", nullable=False),
        sa.Column("shift_number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shift_expires_at", sa.DateTime(timezone=True)),
        sa.Column("not_sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(
            "taxation IN ('osn', 'usnIncome', 'usnIncomeOutcome', 'patent')", name="ck_fiscal_device_taxation_known"
        ),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_fiscal_device_name_not_blank"),
        sa.CheckConstraint("address ~ '^(https?://.+)?$'", name="ck_fiscal_device_address_of_a_server"),
    )
    op.create_index(
        "uq_fiscal_device_of_branch", "fiscal_device", ["legal_entity_id", "branch_id"], unique=True,
        postgresql_where=sa.text("NOT archived"),
    )  # fmt: skip
    op.create_index("ix_fiscal_device_branch_id", "fiscal_device", ["branch_id"])


def _receipts() -> None:
    op.create_table(
        "fiscal_receipt",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("device_id", sa.Integer(), sa.ForeignKey("fiscal_device.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("payment_id", sa.Integer(), sa.ForeignKey("payment.id")),
        sa.Column("refund_id", sa.Integer(), sa.ForeignKey("refund.id")),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(10), server_default="planned", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_since", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("fn", sa.String(20), server_default="", nullable=False),
        sa.Column("document", sa.Integer()),
        sa.Column("sign", sa.String(20), server_default="", nullable=False),
        sa.Column("registration", sa.String(20), server_default="", nullable=False),
        sa.Column("shift_number", sa.Integer()),
        sa.Column("receipt_number", sa.Integer()),
        sa.Column("printed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("uuid", name="uq_fiscal_receipt_uuid"),
        sa.UniqueConstraint("payment_id", name="uq_fiscal_receipt_payment"),
        sa.UniqueConstraint("refund_id", name="uq_fiscal_receipt_refund"),
        sa.UniqueConstraint("fn", "document", name="uq_fiscal_receipt_document"),
        sa.CheckConstraint("kind IN ('sell', 'sellReturn')", name="ck_fiscal_receipt_kind_known"),
        sa.CheckConstraint(
            "status IN ('planned', 'sending', 'done', 'failed', 'unknown')", name="ck_fiscal_receipt_status_known"
        ),
        sa.CheckConstraint("(payment_id IS NULL) <> (refund_id IS NULL)", name="ck_fiscal_receipt_of_one_operation"),
        sa.CheckConstraint("amount > 0", name="ck_fiscal_receipt_amount_positive"),
        sa.CheckConstraint(
            "(status = 'sending') = (sending_since IS NOT NULL)", name="ck_fiscal_receipt_sending_since"
        ),
        sa.CheckConstraint(
            "(status = 'done') = (document IS NOT NULL)", name="ck_fiscal_receipt_printed_with_document"
        ),
    )
    op.create_index(
        "ix_fiscal_receipt_open", "fiscal_receipt", ["due_at"], postgresql_where=sa.text("status <> 'done'")
    )
    op.create_index("ix_fiscal_receipt_device_id_id", "fiscal_receipt", ["device_id", "id"])
    op.execute(sa.text(KEPT.replace(":", r"\:")))


def upgrade() -> None:
    _devices()
    _receipts()


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
