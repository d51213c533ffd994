"""Reversing orders, advances of relatives, what a return gives back."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_orders"
down_revision = "20261124_prices"
branch_labels = None
depends_on = None

CANCELLATIONS = r"""
-- A mistake is cancelled whole, on its own day, through the shifts that took it.
CREATE FUNCTION cancellation_of_today() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payment p WHERE p.id = NEW.payment_id
               AND (p.amount <> NEW.amount OR p.business_day <> NEW.business_day))
       OR EXISTS (SELECT FROM refund_part f JOIN payment_part p ON p.id = f.payment_part_id
                  LEFT JOIN cash_movement took ON took.id = p.movement_id
                  LEFT JOIN cash_movement gave ON gave.id = f.movement_id
                  WHERE f.refund_id = NEW.id AND gave.shift_id IS DISTINCT FROM took.shift_id) THEN
        RAISE EXCEPTION 'only a mistake of today is cancelled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_cancels_today';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_refund_cancels_today AFTER INSERT ON refund
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'cancellation') EXECUTE FUNCTION cancellation_of_today();
"""


def upgrade() -> None:
    op.add_column("refund", sa.Column("kind", sa.String(20), server_default="refund", nullable=False))
    op.create_check_constraint("ck_refund_kind_known", "refund", "kind IN ('refund', 'advance', 'cancellation')")
    op.execute(sa.text(CANCELLATIONS))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
