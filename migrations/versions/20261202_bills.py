"""Bills that stay as issued and are paid to their own entity; papers of what a bill says now; prices taken back."""

import sqlalchemy as sa
from alembic import op

revision = "20261202_bills"
down_revision = "20261202_fiscal"
branch_labels = None
depends_on = None

ORDERS = r"""
-- An issued order stays, and a draft keeps its number. Whether a bill is paid, the ledger says; it is a draft again only
-- while nobody has paid for it.
CREATE OR REPLACE FUNCTION issued_order_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a work order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    IF NEW.due <> OLD.due AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the due sum is kept by the ledger' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
    END IF;
    IF (NEW.number, NEW.year, NEW.legal_entity_id, NEW.created_at) IS DISTINCT FROM (OLD.number, OLD.year, OLD.legal_entity_id, OLD.created_at)
       OR OLD.status <> 'draft'
          AND (NEW.total, NEW.patient_id, NEW.doctor_id, NEW.branch_id, NEW.appointment_id, NEW.reason, NEW.reverses_id)
              IS DISTINCT FROM (OLD.total, OLD.patient_id, OLD.doctor_id, OLD.branch_id, OLD.appointment_id, OLD.reason, OLD.reverses_id)
          AND NOT moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW))
       OR NEW.status = OLD.status AND (NEW.issued_at, NEW.issued_day) IS DISTINCT FROM (OLD.issued_at, OLD.issued_day) THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    IF OLD.status IN ('issued', 'paid') AND NEW.status IN ('issued', 'paid') THEN
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'the ledger says what is paid' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
        END IF;
    ELSIF NEW.status = 'draft' THEN
        IF OLD.status NOT IN ('issued', 'paid') OR EXISTS (
                SELECT FROM ledger_entry WHERE work_order_id = OLD.id AND kind IN ('payment', 'refund')) THEN
            RAISE EXCEPTION 'a bill that was paid stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
        END IF;
    ELSIF OLD.status <> 'draft' OR (NEW.status = 'reversal') <> (NEW.reverses_id IS NOT NULL) THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    ELSIF NEW.status <> 'annulled' AND EXISTS (SELECT FROM work_order_line WHERE work_order_id = NEW.id AND name IS NULL) THEN
        RAISE EXCEPTION 'a bill names its services' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_line_named';
    END IF;
    RETURN NEW;
END $$;

-- Lines belong to a draft, where they come from and where they go.
CREATE OR REPLACE FUNCTION lines_of_draft_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched integer[];
BEGIN
    IF TG_OP = 'INSERT' THEN touched := ARRAY[NEW.work_order_id];
    ELSIF TG_OP = 'DELETE' THEN touched := ARRAY[OLD.work_order_id];
    ELSE touched := ARRAY[OLD.work_order_id, NEW.work_order_id];
    END IF;
    IF EXISTS (SELECT FROM work_order WHERE id = ANY(touched) AND status <> 'draft') THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;

-- Issued and taken back, it is in the ledger as such. At the transaction's end.
CREATE FUNCTION status_is_of_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM work_order o WHERE o.id = NEW.id AND o.reverses_id IS NULL
               AND CASE WHEN o.status IN ('issued', 'paid') THEN o.total ELSE 0 END IS DISTINCT FROM (
                   SELECT COALESCE(sum(debt_change), 0) FROM ledger_entry
                   WHERE work_order_id = o.id AND kind IN ('bill', 'bill_reopened'))) THEN
        RAISE EXCEPTION 'the ledger says what is issued' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_work_order_status_of_ledger AFTER UPDATE OF status ON work_order
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status = 'draft' OR NEW.status = 'draft')) EXECUTE FUNCTION status_is_of_the_ledger();
"""

ENTITIES = """
-- A bill is paid to the legal entity that issued it, through desks of that entity.
CREATE FUNCTION bill_paid_to_its_entity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payment p, work_order o WHERE p.id = NEW.payment_id AND o.id = NEW.work_order_id
               AND p.legal_entity_id <> o.legal_entity_id) THEN
        RAISE EXCEPTION 'a bill is paid to its own legal entity'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_payment_of_one_entity';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_ledger_entry_of_one_entity AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.kind = 'payment') EXECUTE FUNCTION bill_paid_to_its_entity();
CREATE FUNCTION money_into_its_entity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payment p, cash_desk d WHERE p.id = NEW.payment_id AND d.id = NEW.desk_id
               AND p.legal_entity_id <> d.legal_entity_id) THEN
        RAISE EXCEPTION 'money comes into a desk of its legal entity'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_payment_of_one_entity';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_payment_part_of_one_entity AFTER INSERT ON payment_part
    FOR EACH ROW WHEN (NEW.desk_id IS NOT NULL) EXECUTE FUNCTION money_into_its_entity();
"""

PRICES = """
-- A price stays as it was written; one that was wrong is taken back, once.
CREATE FUNCTION price_only_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.annulled_at IS NOT NULL OR NEW.annulled_at IS NULL
       OR to_jsonb(NEW) - '{annulled_at,annulled_by_id}'::text[] <> to_jsonb(OLD) - '{annulled_at,annulled_by_id}'::text[] THEN
        RAISE EXCEPTION 'service_price is append-only but for what is taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_service_price_append_only';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER tr_service_price_append_only ON service_price;
CREATE TRIGGER tr_service_price_append_only BEFORE UPDATE OR DELETE ON service_price
    FOR EACH ROW EXECUTE FUNCTION price_only_taken_back();
"""

NOT_TRUNCATED = ("work_order", "work_order_line", "service_price", "price_import", "patient_account")


def _orders() -> None:
    """A draft can be annulled; a bill keeps the code and the name of each service as it was issued."""
    op.add_column("work_order_line", sa.Column("code", sa.String(40)))
    op.add_column("work_order_line", sa.Column("name", sa.String(400)))
    op.execute(
        "ALTER TABLE work_order_line DISABLE TRIGGER USER;"
        " UPDATE work_order_line l SET code = s.code, name = s.name FROM service s, work_order o"
        " WHERE s.id = l.service_id AND o.id = l.work_order_id AND o.status <> 'draft';"
        " ALTER TABLE work_order_line ENABLE TRIGGER USER;"
    )
    op.create_check_constraint("ck_work_order_line_named", "work_order_line", "(code IS NULL) = (name IS NULL)")
    op.drop_constraint("ck_work_order_status_known", "work_order")
    op.create_check_constraint(
        "ck_work_order_status_known", "work_order", "status IN ('draft', 'issued', 'paid', 'reversal', 'annulled')"
    )
    op.drop_constraint("ck_work_order_issued_with_day", "work_order")
    op.create_check_constraint(
        "ck_work_order_issued_with_day", "work_order", "(status IN ('draft', 'annulled')) = (issued_day IS NULL)"
    )
    op.execute(sa.text(ORDERS.replace(":=", r"\:=")))


def _prices() -> None:
    op.add_column("service_price", sa.Column("annulled_at", sa.DateTime(timezone=True)))
    op.add_column("service_price", sa.Column("annulled_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")))
    op.drop_constraint("uq_service_price_day", "service_price")
    op.create_index(
        "uq_service_price_day", "service_price", ["service_id", "valid_from"], unique=True,
        postgresql_where=sa.text("annulled_at IS NULL"),
    )  # fmt: skip
    op.execute(sa.text(PRICES.replace("::", r"\:\:")))


def _papers() -> None:
    """What was printed before is of a state that nobody wrote down: what never changes has its original by that."""
    op.add_column("printing", sa.Column("state", sa.String(80), server_default="", nullable=False))
    op.add_column("printing", sa.Column("original", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        "ALTER TABLE printing DISABLE TRIGGER USER; UPDATE printing SET original = true WHERE number = 1;"
        " ALTER TABLE printing ENABLE TRIGGER USER;"
    )
    op.drop_constraint("ck_printing_original_kept", "printing")
    op.create_check_constraint("ck_printing_original_kept", "printing", "original OR pdf IS NULL")
    op.create_index(
        "uq_printing_original", "printing", ["kind", "subject_id", "state"], unique=True,
        postgresql_where=sa.text("original"),
    )  # fmt: skip


def upgrade() -> None:
    _orders()
    op.execute(sa.text(ENTITIES))
    _prices()
    _papers()
    for table in NOT_TRUNCATED:
        op.execute(
            f"CREATE TRIGGER tr_{table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    raise NotImplementedError("what a bill said is not forgotten")
