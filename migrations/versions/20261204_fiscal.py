"""The fiscal device's drawer: what it must be told of cash that no receipt tells of, and what it says it holds."""

import sqlalchemy as sa
from alembic import op

revision = "20261204_fiscal"
down_revision = "20261203_cash"
branch_labels = None
depends_on = None

#: What the device was told stays, and what a task is for never changes.
KEPT = r"""
CREATE OR REPLACE FUNCTION fiscal_receipt_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('done', 'replaced', 'left')
        OR (NEW.uuid, NEW.device_id, NEW.kind, NEW.amount, NEW.body, NEW.bills)
        IS DISTINCT FROM (OLD.uuid, OLD.device_id, OLD.kind, OLD.amount, OLD.body, OLD.bills)
        OR (NEW.payment_id, NEW.refund_id, NEW.reversal_id, NEW.movement_id, NEW.corrects_id)
        IS DISTINCT FROM (OLD.payment_id, OLD.refund_id, OLD.reversal_id, OLD.movement_id, OLD.corrects_id)
        OR NEW.round < OLD.round
    THEN
        RAISE EXCEPTION 'a fiscal receipt stays as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_receipt_stays';
    END IF;
    RETURN NEW;
END $$;

-- The device is told of a movement as it is: its sum, its way, the drawer of its branch; never of what a receipt tells.
CREATE FUNCTION fiscal_drawer_of_its_movement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM cash_movement m JOIN cash_desk d ON d.id = m.desk_id JOIN fiscal_device k ON k.id = NEW.device_id
        WHERE m.id = NEW.movement_id AND m.kind NOT IN ('payment', 'refund') AND d.kind <> 'non_cash'
          AND (k.legal_entity_id, k.branch_id) = (d.legal_entity_id, d.branch_id) AND NEW.amount = abs(m.delta)
          AND NEW.kind = CASE WHEN m.delta > 0 THEN 'cashIn' ELSE 'cashOut' END) THEN
        RAISE EXCEPTION 'the device is told of a movement as it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_receipt_of_its_movement';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_fiscal_receipt_of_its_movement BEFORE INSERT ON fiscal_receipt
    FOR EACH ROW WHEN (NEW.movement_id IS NOT NULL) EXECUTE FUNCTION fiscal_drawer_of_its_movement();
"""

_OF_DRAWER = "kind IN ('cashIn', 'cashOut')"
#: The new rules of a row, by the names of those they take the place of, and one that is new.
RULES = {
    "kind_known": "kind IN ('sell', 'sellReturn', 'sellCorrection', 'sellReturnCorrection', 'cashIn', 'cashOut')",
    "status_known": "status IN ('planned', 'sending', 'done', 'failed', 'unknown', 'replaced', 'left')",
    "of_one_operation": f"CASE WHEN {_OF_DRAWER} THEN num_nonnulls(payment_id, refund_id, reversal_id) = 0"
    " ELSE num_nonnulls(payment_id, refund_id, reversal_id) = 1 AND movement_id IS NULL END",
    "printed_with_document": f"CASE WHEN {_OF_DRAWER} THEN document IS NULL ELSE (status = 'done') = (document IS NOT NULL) END",
}
DRAWER_LEFT = f"CASE WHEN {_OF_DRAWER} THEN amount > 0 AND status <> 'replaced' ELSE status <> 'left' END"


def upgrade() -> None:
    op.add_column("fiscal_receipt", sa.Column("movement_id", sa.Integer(), sa.ForeignKey("cash_movement.id")))
    op.create_unique_constraint("uq_fiscal_receipt_movement", "fiscal_receipt", ["movement_id"])
    for name, rule in RULES.items():
        op.drop_constraint(f"ck_fiscal_receipt_{name}", "fiscal_receipt")
        op.create_check_constraint(f"ck_fiscal_receipt_{name}", "fiscal_receipt", rule)
    op.create_check_constraint("ck_fiscal_receipt_drawer_left", "fiscal_receipt", DRAWER_LEFT)
    op.drop_index("ix_fiscal_receipt_open", "fiscal_receipt")
    op.create_index(
        "ix_fiscal_receipt_open", "fiscal_receipt", ["device_id", "id"],
        postgresql_where=sa.text("status NOT IN ('done', 'replaced', 'left')"),
    )  # fmt: skip
    op.add_column("fiscal_device", sa.Column("drawer", sa.Numeric(12, 2)))
    op.add_column("fiscal_device", sa.Column("drawer_at", sa.DateTime(timezone=True)))
    op.add_column("fiscal_device", sa.Column("levelling_by", sa.String(200), server_default="", nullable=False))
    op.create_check_constraint(
        "ck_fiscal_device_drawer_said_when", "fiscal_device", "(drawer IS NULL) = (drawer_at IS NULL)"
    )
    op.execute(sa.text(KEPT))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
