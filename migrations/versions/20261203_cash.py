"""What the database itself refuses of money: entries and movements of no operation, a desk that becomes another one."""

import sqlalchemy as sa
from alembic import op

revision = "20261203_cash"
down_revision = "20261201_search"
branch_labels = None
depends_on = None

KEPT = r"""
-- A desk whose money was counted stays what it is, and its legal entity's.
CREATE FUNCTION desk_with_money_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM cash_movement WHERE desk_id = OLD.id) OR EXISTS (SELECT FROM cash_shift WHERE desk_id = OLD.id) THEN
        RAISE EXCEPTION 'a desk with movements stays what it is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_desk_moved_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_cash_desk_moved_stays BEFORE UPDATE OF kind, legal_entity_id ON cash_desk FOR EACH ROW
    WHEN ((OLD.kind, OLD.legal_entity_id) IS DISTINCT FROM (NEW.kind, NEW.legal_entity_id))
    EXECUTE FUNCTION desk_with_money_stays();

-- Numbers go onward: one that was given out is not given out again.
CREATE FUNCTION numbers_go_onward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a number is given out once'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_number_series_onward';
END $$;
CREATE TRIGGER tr_number_series_onward BEFORE UPDATE ON number_series FOR EACH ROW
    WHEN (NEW.last_number < OLD.last_number
          OR (NEW.legal_entity_id, NEW.series, NEW.year) IS DISTINCT FROM (OLD.legal_entity_id, OLD.series, OLD.year))
    EXECUTE FUNCTION numbers_go_onward();
CREATE TRIGGER tr_number_series_stays BEFORE DELETE ON number_series FOR EACH ROW EXECUTE FUNCTION numbers_go_onward();

-- What a shift was opened and closed with stays, and who opened it; what it opened with is said when it opens.
CREATE OR REPLACE FUNCTION closed_shift_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
       OR (NEW.desk_id, NEW.number, NEW.opened_at, NEW.opened_by_id, NEW.opening, NEW.opened_with, NEW.open_reason,
           NEW.business_day) IS DISTINCT FROM
          (OLD.desk_id, OLD.number, OLD.opened_at, OLD.opened_by_id, OLD.opening, OLD.opened_with, OLD.open_reason,
           OLD.business_day) THEN
        RAISE EXCEPTION 'a shift is opened and closed once' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_unchanged';
    END IF;
    RETURN NEW;
END $$;
"""

#: Each of these is asked at the transaction's end of the operation itself, and now of whatever is written into it too.
OPERATIONS = r"""
-- A payment is what its parts are, and the ledger of its patient tells the same.
CREATE OR REPLACE FUNCTION payment_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'payment' THEN wanted := NEW.id; ELSE wanted := NEW.payment_id; END IF;
    IF EXISTS (SELECT FROM payment m WHERE m.id = wanted AND (
           m.amount <> (SELECT COALESCE(sum(amount), 0) FROM payment_part WHERE payment_id = m.id)
           OR (SELECT COALESCE(sum(amount), 0) FROM payment_part WHERE payment_id = m.id AND method <> 'advance')
              <> (SELECT COALESCE(sum(advance_change - debt_change), 0) FROM ledger_entry
                  WHERE payment_id = m.id AND refund_id IS NULL)
           OR EXISTS (SELECT FROM ledger_entry WHERE payment_id = m.id AND patient_id <> m.patient_id
                      AND kind IN ('payment', 'advance_in', 'advance_used')))) THEN
        RAISE EXCEPTION 'the payment does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_payment_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_ledger_entry_of_payment AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('payment', 'advance_in', 'advance_used')) EXECUTE FUNCTION payment_adds_up();
CREATE CONSTRAINT TRIGGER tr_payment_part_of_payment AFTER INSERT ON payment_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payment_adds_up();

-- Likewise a refund.
CREATE OR REPLACE FUNCTION refund_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'refund' THEN wanted := NEW.id; ELSE wanted := NEW.refund_id; END IF;
    IF EXISTS (SELECT FROM refund b WHERE b.id = wanted AND (
           b.amount <> (SELECT COALESCE(sum(amount), 0) FROM refund_part WHERE refund_id = b.id)
           OR (SELECT COALESCE(sum(r.amount), 0) FROM refund_part r JOIN payment_part p ON p.id = r.payment_part_id
               WHERE r.refund_id = b.id AND p.method <> 'advance')
              <> (SELECT COALESCE(sum(debt_change - advance_change), 0) FROM ledger_entry WHERE refund_id = b.id)
           OR EXISTS (SELECT FROM ledger_entry WHERE refund_id = b.id
                      AND (patient_id <> b.patient_id OR payment_id <> b.payment_id)))) THEN
        RAISE EXCEPTION 'the refund does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_ledger_entry_of_refund AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'refund') EXECUTE FUNCTION refund_adds_up();
CREATE CONSTRAINT TRIGGER tr_refund_part_of_refund AFTER INSERT ON refund_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refund_adds_up();

-- An advance leaves one patient or certificate and comes to another, the same sum.
CREATE OR REPLACE FUNCTION transfer_of_advance_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer; passed advance_transfer;
BEGIN
    IF TG_TABLE_NAME = 'advance_transfer' THEN wanted := NEW.id; ELSE wanted := NEW.transfer_id; END IF;
    SELECT * INTO passed FROM advance_transfer WHERE id = wanted;
    IF NOT EXISTS (SELECT FROM ledger_entry WHERE transfer_id = passed.id HAVING count(*) = num_nonnulls(passed.from_id, passed.to_id)
                   AND sum(advance_change) FILTER (WHERE patient_id = passed.from_id) IS NOT DISTINCT FROM
                       CASE WHEN passed.from_id IS NOT NULL THEN -passed.amount END
                   AND sum(advance_change) FILTER (WHERE patient_id = passed.to_id) IS NOT DISTINCT FROM
                       CASE WHEN passed.to_id IS NOT NULL THEN passed.amount END
                   AND bool_and(kind = CASE WHEN passed.certificate_id IS NULL THEN 'advance_moved'
                                            WHEN passed.to_id IS NULL THEN 'to_certificate' ELSE 'from_certificate' END)) THEN
        RAISE EXCEPTION 'the advance passed does not add up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_advance_transfer_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_ledger_entry_of_transfer AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.transfer_id IS NOT NULL) EXECUTE FUNCTION transfer_of_advance_adds_up();

-- A reversing order is of an issued bill of the same patient, and the ledger tells its sum; no more than that sum of
-- what was paid becomes an advance.
CREATE OR REPLACE FUNCTION reversal_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'work_order' THEN wanted := NEW.id; ELSE wanted := NEW.reversal_id; END IF;
    IF NOT EXISTS (SELECT FROM work_order r JOIN work_order o ON o.id = r.reverses_id WHERE r.id = wanted
               AND r.status = 'reversal' AND o.status IN ('issued', 'paid') AND o.reverses_id IS NULL
               AND (r.patient_id, r.doctor_id, r.branch_id, r.legal_entity_id)
                   IS NOT DISTINCT FROM (o.patient_id, o.doctor_id, o.branch_id, o.legal_entity_id)
               AND r.total IS NOT DISTINCT FROM (SELECT sum(debt_change) FROM ledger_entry
                                                 WHERE reversal_id = r.id AND work_order_id = o.id AND kind = 'bill_reversed')
               AND NOT EXISTS (SELECT FROM ledger_entry WHERE reversal_id = r.id
                               AND (work_order_id, patient_id) IS DISTINCT FROM (o.id, o.patient_id))
               AND -r.total >= (SELECT COALESCE(sum(advance_change), 0) FROM ledger_entry
                                WHERE reversal_id = r.id AND kind = 'paid_to_advance')) THEN
        RAISE EXCEPTION 'the reversal does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_reversal_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_ledger_entry_of_reversal AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reversal_id IS NOT NULL) EXECUTE FUNCTION reversal_adds_up();

-- Issued and taken back, it is in the ledger as such, to its own patient.
CREATE OR REPLACE FUNCTION status_is_of_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'work_order' THEN wanted := NEW.id; ELSE wanted := NEW.work_order_id; END IF;
    IF EXISTS (SELECT FROM work_order o WHERE o.id = wanted AND o.reverses_id IS NULL
               AND (CASE WHEN o.status IN ('issued', 'paid') THEN o.total ELSE 0 END IS DISTINCT FROM (
                        SELECT COALESCE(sum(debt_change), 0) FROM ledger_entry
                        WHERE work_order_id = o.id AND kind IN ('bill', 'bill_reopened'))
                    OR o.patient_id <> NEW.patient_id)) THEN
        RAISE EXCEPTION 'the ledger says what is issued' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_ledger_entry_of_bill AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('bill', 'bill_reopened')) EXECUTE FUNCTION status_is_of_the_ledger();

-- A patient's money in a desk is a part of a payment or a refund, and such a part is its money: the same sum and desk.
CREATE FUNCTION money_of_a_patient() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'cash_movement' THEN wanted := NEW.id; ELSE wanted := NEW.movement_id; END IF;
    IF NOT EXISTS (
        SELECT FROM cash_movement m JOIN payment_part p ON p.movement_id = m.id
        WHERE m.id = wanted AND m.kind = 'payment' AND (m.delta, m.desk_id) = (p.amount, p.desk_id)
        UNION ALL
        SELECT FROM cash_movement m JOIN refund_part f ON f.movement_id = m.id JOIN payment_part p ON p.id = f.payment_part_id
        WHERE m.id = wanted AND m.kind = 'refund' AND (m.delta, m.desk_id) = (-f.amount, p.desk_id)) THEN
        RAISE EXCEPTION 'money of no payment and no refund'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_of_a_part';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_cash_movement_of_a_part AFTER INSERT ON cash_movement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('payment', 'refund')) EXECUTE FUNCTION money_of_a_patient();
CREATE CONSTRAINT TRIGGER tr_payment_part_money_in_desk AFTER INSERT ON payment_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.movement_id IS NOT NULL) EXECUTE FUNCTION money_of_a_patient();
CREATE CONSTRAINT TRIGGER tr_refund_part_money_in_desk AFTER INSERT ON refund_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.movement_id IS NOT NULL) EXECUTE FUNCTION money_of_a_patient();

-- A receipt tells of the bills that its operation is of, and no more is paid on credit than was given.
CREATE FUNCTION credit_of_its_bill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM fiscal_receipt f WHERE f.id = NEW.receipt_id AND (
           f.payment_id IS NOT NULL AND EXISTS (
               SELECT FROM ledger_entry WHERE payment_id = f.payment_id AND kind = 'payment' AND work_order_id = NEW.work_order_id)
           OR f.refund_id IS NOT NULL AND EXISTS (
               SELECT FROM ledger_entry WHERE refund_id = f.refund_id AND work_order_id = NEW.work_order_id)
           OR f.reversal_id IS NOT NULL AND EXISTS (
               SELECT FROM work_order WHERE id = f.reversal_id AND reverses_id = NEW.work_order_id)))
       OR (SELECT sum(change) FROM fiscal_credit WHERE work_order_id = NEW.work_order_id) < 0 THEN
        RAISE EXCEPTION 'a receipt of another bill'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fiscal_credit_of_its_bill';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_fiscal_credit_of_its_bill AFTER INSERT ON fiscal_credit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION credit_of_its_bill();
"""

OF_AN_OPERATION = """
CASE WHEN kind IN ('bill', 'bill_reopened') THEN work_order_id IS NOT NULL AND num_nonnulls(payment_id, refund_id) = 0
     WHEN kind IN ('payment', 'advance_in', 'advance_used') THEN payment_id IS NOT NULL AND refund_id IS NULL
     WHEN kind = 'refund' THEN num_nonnulls(payment_id, refund_id) = 2
     WHEN kind = 'paid_to_advance' THEN payment_id IS NOT NULL AND refund_id IS NULL AND debt_change = advance_change
     ELSE num_nonnulls(payment_id, refund_id) = 0 END
"""


def upgrade() -> None:
    op.execute(sa.text(KEPT))
    op.execute(sa.text(OPERATIONS.replace(":=", r"\:=")))
    op.create_check_constraint("ck_ledger_entry_of_an_operation", "ledger_entry", OF_AN_OPERATION)
    for table in ("number_series", "cash_desk", "cash_shift"):
        op.execute(
            f"CREATE TRIGGER tr_{table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("what the database refuses of money it goes on refusing")
