"""A passed advance names the refund that gave it back; no withdrawal into an archived category, no order of a card that is gone."""

import sqlalchemy as sa
from alembic import op

revision = "20261210_returned"
down_revision = "20261209_twins"
branch_labels = None
depends_on = None

#: Until now nothing named the refund: it is known by the relative, the sum, the reason, the hand and the moment.
KNOWN = """
ALTER TABLE advance_transfer DISABLE TRIGGER USER;
UPDATE advance_transfer t SET refund_id = r.id
  FROM refund r JOIN refund_part f ON f.refund_id = r.id JOIN payment_part p ON p.id = f.payment_part_id
  JOIN advance_transfer lent ON lent.id = p.transfer_id
 WHERE t.from_id = r.patient_id AND t.to_id = lent.from_id AND t.amount = f.amount AND t.reason = r.reason
   AND t.created_by_id IS NOT DISTINCT FROM r.created_by_id
   AND t.created_at BETWEEN r.created_at AND r.created_at + interval '30 seconds';
ALTER TABLE advance_transfer ENABLE TRIGGER USER;
"""

CATEGORIES = r"""
-- A merged or an archived category takes nothing new; whoever merges or archives it at this moment is waited for. A
-- movement keeps the name that its category has now: it stands on papers.
CREATE OR REPLACE FUNCTION category_takes_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE gone boolean;
BEGIN
    SELECT archived, name INTO gone, NEW.category_name FROM expense_category WHERE id = NEW.category_id FOR SHARE;
    IF gone AND NEW.reverses_id IS NULL THEN
        RAISE EXCEPTION 'the category was merged or archived'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_category_living';
    END IF;
    RETURN NEW;
END $$;
"""

CATEGORIES_BEFORE = r"""
CREATE OR REPLACE FUNCTION category_takes_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE heir integer;
BEGIN
    SELECT merged_into_id, name INTO heir, NEW.category_name FROM expense_category WHERE id = NEW.category_id FOR SHARE;
    IF heir IS NOT NULL AND NEW.reverses_id IS NULL THEN
        RAISE EXCEPTION 'the category was merged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_category_living';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    op.add_column("advance_transfer", sa.Column("refund_id", sa.Integer(), sa.ForeignKey("refund.id")))
    op.execute(KNOWN)
    op.create_index("ix_advance_transfer_refund_id", "advance_transfer", ["refund_id"])
    op.create_check_constraint(
        "ck_advance_transfer_given_back_to_a_relative",
        "advance_transfer",
        "refund_id IS NULL OR certificate_id IS NULL",
    )
    op.execute(CATEGORIES)
    # a reversing order comes to a card that is gone as well; the name sorts after the foreign key's own trigger
    op.execute(
        "CREATE TRIGGER tr_work_order_not_of_gone AFTER INSERT ON work_order"
        " FOR EACH ROW WHEN (NEW.reverses_id IS NULL) EXECUTE FUNCTION gone_card_takes_nothing()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER tr_work_order_not_of_gone ON work_order")
    op.execute(CATEGORIES_BEFORE)
    op.drop_constraint("ck_advance_transfer_given_back_to_a_relative", "advance_transfer")
    op.drop_index("ix_advance_transfer_refund_id", table_name="advance_transfer")
    op.drop_column("advance_transfer", "refund_id")
