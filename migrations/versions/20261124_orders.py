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

REVERSALS = r"""
-- What reversing lines take back stays within the line they reverse, whoever reverses at the same moment.
CREATE FUNCTION reversed_within_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_line work_order_line; taken record;
BEGIN
    SELECT * INTO of_line FROM work_order_line WHERE id = NEW.reverses_id FOR UPDATE;
    SELECT -sum(quantity) AS quantity, -sum(discount) AS discount, -sum(total) AS total INTO taken
        FROM work_order_line WHERE reverses_id = NEW.reverses_id;
    IF taken.quantity > of_line.quantity OR taken.discount > of_line.discount OR taken.total > of_line.total
       OR (NEW.service_id, NEW.price, NEW.tooth) IS DISTINCT FROM (of_line.service_id, of_line.price, of_line.tooth)
       OR of_line.work_order_id IS DISTINCT FROM (SELECT reverses_id FROM work_order WHERE id = NEW.work_order_id) THEN
        RAISE EXCEPTION 'more taken back than was there'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_line_reversed_within';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_work_order_line_reversed_within AFTER INSERT OR UPDATE ON work_order_line
    FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION reversed_within_line();

-- A reversing order stays, and so does a bill that has one.
CREATE FUNCTION reversed_order_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'reversal' OR EXISTS (SELECT FROM work_order WHERE reverses_id = OLD.id AND status = 'reversal') THEN
        RAISE EXCEPTION 'a reversed order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_reversed_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_work_order_reversed_stays BEFORE UPDATE ON work_order FOR EACH ROW
    WHEN (OLD.status = 'reversal' OR (OLD.status <> 'draft' AND NEW.status = 'draft')) EXECUTE FUNCTION reversed_order_stays();

-- A reversing order is of an issued bill of the same patient, and the ledger tells its sum. At the transaction's end.
CREATE FUNCTION reversal_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM work_order r JOIN work_order o ON o.id = r.reverses_id WHERE r.id = NEW.id
               AND (r.status <> 'reversal' OR o.status NOT IN ('issued', 'paid') OR o.reverses_id IS NOT NULL
                    OR (r.patient_id, r.doctor_id, r.branch_id, r.legal_entity_id)
                       IS DISTINCT FROM (o.patient_id, o.doctor_id, o.branch_id, o.legal_entity_id)
                    OR r.total IS DISTINCT FROM (SELECT sum(debt_change) FROM ledger_entry
                                                 WHERE reversal_id = r.id AND work_order_id = o.id AND kind = 'bill_reversed')))
       OR EXISTS (SELECT FROM ledger_entry WHERE reversal_id = NEW.id AND kind = 'paid_to_advance'
                  AND (debt_change <> advance_change OR payment_id IS NULL)) THEN
        RAISE EXCEPTION 'the reversal does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_reversal_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_work_order_reversal_adds_up AFTER INSERT ON work_order
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.reverses_id IS NOT NULL) EXECUTE FUNCTION reversal_adds_up();
"""

TRANSFERS = r"""
-- An advance leaves one patient and comes to the other, the same sum. At the transaction's end.
CREATE FUNCTION transfer_of_advance_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entry WHERE transfer_id = NEW.id HAVING count(*) = 2
                   AND sum(advance_change) FILTER (WHERE patient_id = NEW.from_id) = -NEW.amount
                   AND sum(advance_change) FILTER (WHERE patient_id = NEW.to_id) = NEW.amount) THEN
        RAISE EXCEPTION 'the advance passed does not add up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_advance_transfer_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_advance_transfer_adds_up AFTER INSERT ON advance_transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transfer_of_advance_adds_up();
CREATE TRIGGER tr_advance_transfer_append_only BEFORE UPDATE OR DELETE ON advance_transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_advance_transfer_no_truncate BEFORE TRUNCATE ON advance_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def _check(table: str, name: str, rule: str) -> None:
    """A CHECK said anew."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    op.create_check_constraint(name, table, rule)


def _reversals() -> None:
    op.add_column("work_order", sa.Column("reverses_id", sa.Integer(), sa.ForeignKey("work_order.id")))
    op.add_column("work_order", sa.Column("reason", sa.String(400), server_default="", nullable=False))
    op.add_column("work_order_line", sa.Column("reverses_id", sa.Integer(), sa.ForeignKey("work_order_line.id")))
    op.add_column("ledger_entry", sa.Column("reversal_id", sa.Integer(), sa.ForeignKey("work_order.id")))
    for table, column in (("work_order", "reverses_id"), ("work_order_line", "reverses_id"),
                          ("ledger_entry", "reversal_id")):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    _check("work_order", "ck_work_order_status_known", "status IN ('draft', 'issued', 'paid', 'reversal')")
    _check("work_order", "ck_work_order_total_not_negative",
           "CASE WHEN reverses_id IS NULL THEN total >= 0 ELSE total <= 0 END")  # fmt: skip
    _check("work_order", "ck_work_order_due_within_total", "due BETWEEN 0 AND greatest(total, 0)")
    _check("work_order", "ck_work_order_reversal_of_an_order",
           "status <> 'reversal' OR (reverses_id IS NOT NULL AND btrim(reason) <> '')")  # fmt: skip
    _check(
        "work_order_line",
        "ck_work_order_line_quantity_sane",
        "CASE WHEN reverses_id IS NULL THEN quantity BETWEEN 1 AND 999 ELSE quantity BETWEEN -999 AND -1 END",
    )
    _check("work_order_line", "ck_work_order_line_discount_within_price",
           "discount BETWEEN SYMMETRIC 0 AND price * quantity")  # fmt: skip
    _check("ledger_entry", "ck_ledger_entry_kind_known", "kind IN ('bill', 'bill_reopened', 'bill_reversed', 'payment',"
           " 'paid_to_advance', 'advance_in', 'advance_used', 'advance_moved', 'refund')")  # fmt: skip
    _check("ledger_entry", "ck_ledger_entry_reversal_named",
           "(kind IN ('bill_reversed', 'paid_to_advance')) = (reversal_id IS NOT NULL)")  # fmt: skip
    op.execute(sa.text(REVERSALS))


def _transfers() -> None:
    op.create_table(
        "advance_transfer",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("branch_id", sa.Integer(), sa.ForeignKey("branch.id"), nullable=False),
        sa.Column("from_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("to_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(400), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.CheckConstraint("amount > 0", name="ck_advance_transfer_amount_positive"),
        sa.CheckConstraint("from_id <> to_id", name="ck_advance_transfer_of_two"),
    )
    op.create_index("ix_advance_transfer_from_id", "advance_transfer", ["from_id"])
    op.create_index("ix_advance_transfer_to_id", "advance_transfer", ["to_id"])
    op.add_column("payment_part", sa.Column("transfer_id", sa.Integer(), sa.ForeignKey("advance_transfer.id")))
    op.create_unique_constraint("uq_payment_part_transfer", "payment_part", ["transfer_id"])
    op.create_check_constraint(
        "ck_payment_part_of_a_relative_is_advance", "payment_part", "transfer_id IS NULL OR method = 'advance'"
    )
    op.add_column("ledger_entry", sa.Column("transfer_id", sa.Integer(), sa.ForeignKey("advance_transfer.id")))
    op.create_index(
        "ix_ledger_entry_transfer_id",
        "ledger_entry",
        ["transfer_id"],
        postgresql_where=sa.text("transfer_id IS NOT NULL"),
    )
    op.create_check_constraint(
        "ck_ledger_entry_transfer_named", "ledger_entry", "(kind = 'advance_moved') = (transfer_id IS NOT NULL)"
    )
    op.execute(sa.text(TRANSFERS))


def _lists() -> None:
    """The lists of debtors and advances go on after a row, not after a number of rows."""
    for name, column in (("ix_patient_account_debtors", "debt"), ("ix_patient_account_advances", "advance")):
        op.drop_index(name, "patient_account")
        op.create_index(name, "patient_account", [column, "patient_id"], postgresql_where=sa.text(f"{column} > 0"))


def upgrade() -> None:
    op.add_column("refund", sa.Column("kind", sa.String(20), server_default="refund", nullable=False))
    op.create_check_constraint("ck_refund_kind_known", "refund", "kind IN ('refund', 'advance', 'cancellation')")
    op.execute(sa.text(CANCELLATIONS))
    _reversals()
    _transfers()
    _lists()


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
