"""The whole of the first edition: tables, constraints, and the promises that only triggers keep."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_first"
down_revision = None
branch_labels = None
depends_on = None


# --- promises that no CHECK can keep ------------------------------------------------------------------

APPEND_ONLY = (
    "payment", "payment_part", "refund", "refund_part", "ledger_entry", "cash_movement", "receipt",
    "issued_document", "audit_event", "right_change",
)  # fmt: skip

PROMISES = r"""
-- Append-only: what was written about money, rights and deeds stays as it was written.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_append_only';
END $$;

-- The ledger moves the balances: of the patient, and of the bill. The CHECKs of both have the last word.
CREATE FUNCTION ledger_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.work_order_id IS NOT NULL THEN
        UPDATE work_order SET due = due + NEW.debt_change,
            status = CASE WHEN NEW.kind = 'bill_reopened' THEN 'draft'
                          WHEN due + NEW.debt_change = 0 THEN 'paid' ELSE 'issued' END
        WHERE id = NEW.work_order_id;
    END IF;
    INSERT INTO patient_account AS account (patient_id, debt, advance) VALUES (NEW.patient_id, 0, 0)
        ON CONFLICT (patient_id) DO NOTHING;
    UPDATE patient_account SET debt = debt + NEW.debt_change, advance = advance + NEW.advance_change
        WHERE patient_id = NEW.patient_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_ledger_entry_moves_balances AFTER INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_moves_balances();

-- Balances change only through the ledger and the movements.
CREATE FUNCTION refuse_outside_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'balances are kept by the ledger'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_kept_by_ledger';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER tr_patient_account_kept_by_ledger BEFORE INSERT OR UPDATE OR DELETE ON patient_account
    FOR EACH ROW EXECUTE FUNCTION refuse_outside_ledger();
CREATE TRIGGER tr_cash_desk_kept_by_movements BEFORE UPDATE OF balance ON cash_desk
    FOR EACH ROW WHEN (NEW.balance IS DISTINCT FROM OLD.balance) EXECUTE FUNCTION refuse_outside_ledger();
CREATE FUNCTION new_desk_is_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.balance := 0;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_cash_desk_new_is_empty BEFORE INSERT ON cash_desk
    FOR EACH ROW EXECUTE FUNCTION new_desk_is_empty();

-- An issued order is a bill: its figures no longer change, and it is never deleted.
CREATE FUNCTION issued_order_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'draft' THEN
            RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.status <> 'draft' AND (NEW.total, NEW.patient_id, NEW.doctor_id, NEW.branch_id, NEW.legal_entity_id, NEW.number, NEW.year)
            IS DISTINCT FROM (OLD.total, OLD.patient_id, OLD.doctor_id, OLD.branch_id, OLD.legal_entity_id, OLD.number, OLD.year) THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    IF NEW.due <> OLD.due AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the due sum is kept by the ledger' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_work_order_issued_unchanged BEFORE UPDATE OR DELETE ON work_order
    FOR EACH ROW EXECUTE FUNCTION issued_order_unchanged();
CREATE FUNCTION lines_of_draft_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM work_order WHERE id = COALESCE(NEW.work_order_id, OLD.work_order_id) AND status <> 'draft') THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER tr_work_order_line_of_draft BEFORE INSERT OR UPDATE OR DELETE ON work_order_line
    FOR EACH ROW EXECUTE FUNCTION lines_of_draft_only();

-- Sum of lines = total, looked at when the transaction ends.
CREATE FUNCTION lines_make_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
    IF TG_TABLE_NAME = 'work_order' THEN wanted := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN wanted := OLD.work_order_id;
    ELSE wanted := NEW.work_order_id;
    END IF;
    IF EXISTS (SELECT FROM work_order o WHERE o.id = wanted
               AND o.total <> COALESCE((SELECT sum(l.total) FROM work_order_line l WHERE l.work_order_id = o.id), 0)) THEN
        RAISE EXCEPTION 'lines do not make the total' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_lines_make_total';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_work_order_lines_make_total AFTER INSERT OR UPDATE OF total ON work_order
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lines_make_total();
CREATE CONSTRAINT TRIGGER tr_work_order_line_makes_total AFTER INSERT OR UPDATE OR DELETE ON work_order_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lines_make_total();

-- Returns of a payment's part never exceed it, whoever returns at the same moment.
CREATE FUNCTION refund_within_payment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE paid numeric; returned numeric;
BEGIN
    SELECT amount INTO paid FROM payment_part WHERE id = NEW.payment_part_id FOR UPDATE;
    SELECT COALESCE(sum(amount), 0) INTO returned FROM refund_part WHERE payment_part_id = NEW.payment_part_id;
    IF returned > paid THEN
        RAISE EXCEPTION 'more returned than paid' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_within_payment';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_refund_part_within_payment AFTER INSERT ON refund_part
    FOR EACH ROW EXECUTE FUNCTION refund_within_payment();

-- A payment is what its parts are, and the ledger tells the same; likewise a refund. At the transaction's end.
CREATE FUNCTION payment_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount <> (SELECT COALESCE(sum(amount), 0) FROM payment_part WHERE payment_id = NEW.id)
       OR (SELECT COALESCE(sum(amount), 0) FROM payment_part WHERE payment_id = NEW.id AND method <> 'advance')
          <> (SELECT COALESCE(sum(advance_change - debt_change), 0) FROM ledger_entry WHERE payment_id = NEW.id AND refund_id IS NULL) THEN
        RAISE EXCEPTION 'the payment does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_payment_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_payment_adds_up AFTER INSERT ON payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payment_adds_up();
CREATE FUNCTION refund_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount <> (SELECT COALESCE(sum(amount), 0) FROM refund_part WHERE refund_id = NEW.id)
       OR (SELECT COALESCE(sum(r.amount), 0) FROM refund_part r JOIN payment_part p ON p.id = r.payment_part_id
           WHERE r.refund_id = NEW.id AND p.method <> 'advance')
          <> (SELECT COALESCE(sum(debt_change - advance_change), 0) FROM ledger_entry WHERE refund_id = NEW.id) THEN
        RAISE EXCEPTION 'the refund does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_refund_adds_up AFTER INSERT ON refund
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refund_adds_up();

-- A movement changes its desk's balance; a drawer moves money only in an open shift of its own.
CREATE FUNCTION movement_moves_desk() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE drawer text; closed timestamptz; of_desk integer;
BEGIN
    SELECT kind INTO drawer FROM cash_desk WHERE id = NEW.desk_id;
    IF drawer <> 'non_cash' OR NEW.shift_id IS NOT NULL THEN
        SELECT desk_id, closed_at INTO of_desk, closed FROM cash_shift WHERE id = NEW.shift_id FOR SHARE;
        IF of_desk IS DISTINCT FROM NEW.desk_id OR closed IS NOT NULL THEN
            RAISE EXCEPTION 'the shift is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_shift_open';
        END IF;
    END IF;
    UPDATE cash_desk SET balance = balance + NEW.delta WHERE id = NEW.desk_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_cash_movement_moves_desk AFTER INSERT ON cash_movement
    FOR EACH ROW EXECUTE FUNCTION movement_moves_desk();

-- A closed shift stays as it was counted.
CREATE FUNCTION closed_shift_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
       OR (NEW.desk_id, NEW.number, NEW.opened_at, NEW.opening, NEW.business_day) IS DISTINCT FROM (OLD.desk_id, OLD.number, OLD.opened_at, OLD.opening, OLD.business_day) THEN
        RAISE EXCEPTION 'a shift is opened and closed once' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_unchanged';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_cash_shift_unchanged BEFORE UPDATE OR DELETE ON cash_shift
    FOR EACH ROW EXECUTE FUNCTION closed_shift_unchanged();
"""


def keep_promises() -> None:
    """Triggers and functions; the statements are kept together so that they can be read together."""
    op.execute(sa.text(PROMISES.replace(":=", r"\:=")))
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER tr_{table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change();"
            f" CREATE TRIGGER tr_{table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
        )


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "ab_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=150), nullable=True),
        sa.Column("description", sa.String(length=512), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_permission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_register_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("registration_date", sa.DateTime(), nullable=True),
        sa.Column("registration_hash", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "ab_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "ab_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("last_login", sa.DateTime(), nullable=True),
        sa.Column("login_count", sa.Integer(), nullable=True),
        sa.Column("fail_login_count", sa.Integer(), nullable=True),
        sa.Column("created_on", sa.DateTime(), nullable=True),
        sa.Column("changed_on", sa.DateTime(), nullable=True),
        sa.Column("created_by_fk", sa.Integer(), nullable=True),
        sa.Column("changed_by_fk", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by_fk"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_fk"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "ab_view_menu",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "cancel_reason",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_cancel_reason_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_cancel_reason_name"),
    )
    op.create_table(
        "clinic_setting",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("grid_step", sa.SmallInteger(), nullable=False),
        sa.Column("waiting_limit", sa.SmallInteger(), nullable=False),
        sa.Column("administrators_fill_work_orders", sa.Boolean(), nullable=False),
        sa.Column("discount_limit_administrator", sa.SmallInteger(), nullable=False),
        sa.Column("discount_limit_senior", sa.SmallInteger(), nullable=False),
        sa.Column("discount_limit_doctor", sa.SmallInteger(), nullable=False),
        sa.Column("reminder_hours", sa.SmallInteger(), nullable=False),
        sa.Column("paid_services_act", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "discount_limit_administrator BETWEEN 0 AND 100 AND discount_limit_senior BETWEEN 0 AND 100 AND discount_limit_doctor BETWEEN 0 AND 100",
            name="ck_clinic_setting_discount_limit_percent",
        ),
        sa.CheckConstraint("grid_step IN (5, 10, 15, 30)", name="ck_clinic_setting_grid_step_known"),
        sa.CheckConstraint("id = 1", name="ck_clinic_setting_one_row"),
        sa.CheckConstraint("reminder_hours BETWEEN 1 AND 240", name="ck_clinic_setting_reminder_hours_sane"),
        sa.CheckConstraint("waiting_limit BETWEEN 1 AND 240", name="ck_clinic_setting_waiting_limit_sane"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "legal_entity",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=200), nullable=False),
        sa.Column("inn", sa.String(length=12), server_default="", nullable=False),
        sa.Column("kpp", sa.String(length=9), server_default="", nullable=False),
        sa.Column("ogrn", sa.String(length=15), server_default="", nullable=False),
        sa.Column("okpo", sa.String(length=10), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=40), server_default="", nullable=False),
        sa.Column("licence", sa.Text(), server_default="", nullable=False),
        sa.Column("bank_details", sa.Text(), server_default="", nullable=False),
        sa.Column("director_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("director_post", sa.String(length=200), server_default="", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_legal_entity_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "message_template",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(body) <> ''", name="ck_message_template_body_not_blank"),
        sa.CheckConstraint(
            "kind IN ('booked', 'reminder', 'moved', 'cancelled')", name="ck_message_template_kind_known"
        ),
        sa.CheckConstraint("length(body) <= 1000", name="ck_message_template_body_length"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", name="uq_message_template_kind"),
    )
    op.create_table(
        "referral_source",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_referral_source_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_referral_source_name"),
    )
    op.create_table(
        "service_category",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_service_category_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_service_category_name"),
    )
    op.create_table(
        "speciality",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_speciality_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_speciality_name"),
    )
    op.create_table(
        "ab_api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("key_hash", sa.String(length=256), nullable=False),
        sa.Column("lookup_hash", sa.String(length=256), nullable=True),
        sa.Column("key_prefix", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_on", sa.DateTime(), nullable=True),
        sa.Column("expires_on", sa.DateTime(), nullable=True),
        sa.Column("revoked_on", sa.DateTime(), nullable=True),
        sa.Column("last_used_on", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lookup_hash"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index("idx_api_key_lookup_hash", "ab_api_key", ["lookup_hash"], unique=True)
    op.create_index("idx_api_key_prefix", "ab_api_key", ["key_prefix"], unique=False)
    op.create_index("idx_api_key_user_id", "ab_api_key", ["user_id"], unique=False)
    op.create_table(
        "ab_group_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["ab_group.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group_id", "role_id"),
    )
    op.create_index("idx_group_id", "ab_group_role", ["group_id"], unique=False)
    op.create_index("idx_group_role_id", "ab_group_role", ["role_id"], unique=False)
    op.create_table(
        "ab_permission_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_id", sa.Integer(), nullable=False),
        sa.Column("view_menu_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["ab_permission.id"],
        ),
        sa.ForeignKeyConstraint(
            ["view_menu_id"],
            ["ab_view_menu.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("permission_id", "view_menu_id"),
    )
    op.create_index("idx_permission_id", "ab_permission_view", ["permission_id"], unique=False)
    op.create_index("idx_view_menu_id", "ab_permission_view", ["view_menu_id"], unique=False)
    op.create_table(
        "ab_user_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["ab_group.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "group_id"),
    )
    op.create_index("idx_user_group_id", "ab_user_group", ["group_id"], unique=False)
    op.create_index("idx_user_id", "ab_user_group", ["user_id"], unique=False)
    op.create_table(
        "ab_user_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "role_id"),
    )
    op.create_table(
        "access_grant",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("reports", sa.ARRAY(sa.String(length=40)), nullable=True),
        sa.Column("days_from", sa.Date(), nullable=True),
        sa.Column("days_to", sa.Date(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_access_grant_reason_not_blank"),
        sa.CheckConstraint("reports <> '{}'", name="ck_access_grant_reports_some"),
        sa.CheckConstraint("(user_id IS NULL) <> (role IS NULL)", name="ck_access_grant_to_one"),
        sa.CheckConstraint("days_to >= days_from", name="ck_access_grant_days_in_order"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_access_grant_open_role",
        "access_grant",
        ["role"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        "ix_access_grant_open_user",
        "access_grant",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "branch",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=40), server_default="", nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_branch_name_not_blank"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_branch_name"),
    )
    op.create_index("ix_branch_legal_entity_id", "branch", ["legal_entity_id"], unique=False)
    op.create_table(
        "document_template",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(body) <> ''", name="ck_document_template_body_not_blank"),
        sa.CheckConstraint(
            "kind IN ('contract', 'consent_personal_data', 'consent_treatment')", name="ck_document_template_kind_known"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "version", name="uq_document_template_version"),
    )
    op.create_index(
        "uq_document_template_active", "document_template", ["kind"], unique=True, postgresql_where=sa.text("active")
    )
    op.create_table(
        "expense_category",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_expense_category_name_not_blank"),
        sa.CheckConstraint("parent_id <> id", name="ck_expense_category_parent_other"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["expense_category.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_expense_category_parent_id", "expense_category", ["parent_id"], unique=False)
    op.create_index("uq_expense_category_name", "expense_category", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "family",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "number_series",
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.PrimaryKeyConstraint("legal_entity_id", "series", "year"),
    )
    op.create_table(
        "request_key",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("key", "user_id"),
    )
    op.create_index("ix_request_key_created_at", "request_key", ["created_at"], unique=False)
    op.create_table(
        "right_change",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("right", sa.String(length=60), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_right_change_reason_not_blank"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_right_change_user_id_right_id", "right_change", ["user_id", "right", "id"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_service_name_not_blank"),
        sa.CheckConstraint("code ~ '^[A-Z0-9][A-Za-z0-9.\\-]*$'", name="ck_service_code_latin"),
        sa.CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_service_minutes_sane"),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["service_category.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", name="uq_service_code"),
    )
    op.create_index("ix_service_category_id", "service", ["category_id"], unique=False)
    op.create_index(
        "ix_service_name",
        "service",
        ["name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_table(
        "ab_permission_view_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("permission_view_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["permission_view_id"], ["ab_permission_view.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["ab_role.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("permission_view_id", "role_id"),
    )
    op.create_index("idx_permission_view_id", "ab_permission_view_role", ["permission_view_id"], unique=False)
    op.create_index("idx_role_id", "ab_permission_view_role", ["role_id"], unique=False)
    op.create_table(
        "cash_desk",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Numeric(precision=12, scale=2), server_default="0", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_cash_desk_name_not_blank"),
        sa.CheckConstraint("kind IN ('main', 'additional', 'non_cash')", name="ck_cash_desk_kind_known"),
        sa.CheckConstraint("balance >= 0", name="ck_cash_desk_balance_not_negative"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("branch_id", "name", name="uq_cash_desk_name"),
    )
    op.create_index("ix_cash_desk_legal_entity_id", "cash_desk", ["legal_entity_id"], unique=False)
    op.create_table(
        "chair",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_chair_name_not_blank"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("branch_id", "name", name="uq_chair_name"),
    )
    op.create_table(
        "employee",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("surname", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("patronymic", sa.String(length=100), server_default="", nullable=False),
        sa.Column("post", sa.String(length=200), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=40), server_default="", nullable=False),
        sa.Column("is_doctor", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("speciality_id", sa.Integer(), nullable=True),
        sa.Column("branch_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("color", sa.String(length=7), server_default="", nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(surname) <> ''", name="ck_employee_surname_not_blank"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["speciality_id"],
            ["speciality.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", name="uq_employee_user"),
    )
    op.create_index("ix_employee_branch_id", "employee", ["branch_id"], unique=False)
    op.create_index(
        "ix_employee_doctors",
        "employee",
        ["surname"],
        unique=False,
        postgresql_where=sa.text("is_doctor AND NOT archived"),
    )
    op.create_index("ix_employee_speciality_id", "employee", ["speciality_id"], unique=False)
    op.create_table(
        "service_price",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("price >= 0", name="ck_service_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("service_id", "valid_from", name="uq_service_price_day"),
    )
    op.create_table(
        "cash_shift",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("opening", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("open_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("expected", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("counted", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("close_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (counted IS NULL) AND (closed_at IS NULL) = (expected IS NULL)",
            name="ck_cash_shift_closed_with_count",
        ),
        sa.CheckConstraint("counted >= 0", name="ck_cash_shift_counted_not_negative"),
        sa.CheckConstraint("opening >= 0", name="ck_cash_shift_opening_not_negative"),
        sa.ForeignKeyConstraint(
            ["closed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["cash_desk.id"],
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("desk_id", "number", name="uq_cash_shift_number"),
    )
    op.create_index("ix_cash_shift_business_day", "cash_shift", ["business_day"], unique=False)
    op.create_index(
        "uq_cash_shift_one_open_per_desk",
        "cash_shift",
        ["desk_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("card_number", sa.Integer(), sa.Identity(always=False, start=1001), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("surname", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("patronymic", sa.String(length=100), server_default="", nullable=False),
        sa.Column(
            "search_name",
            sa.Text(),
            sa.Computed(
                "translate(lower(' ' || surname || ' ' || name || ' ' || patronymic), 'ё-''’ʼ‐–', 'е      ')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(length=10), nullable=True),
        sa.Column("email", sa.String(length=200), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("passport", sa.Text(), server_default="", nullable=False),
        sa.Column("snils", sa.String(length=14), server_default="", nullable=False),
        sa.Column("inn", sa.String(length=12), server_default="", nullable=False),
        sa.Column("allergy", sa.Text(), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("family_id", sa.Integer(), nullable=True),
        sa.Column("guardian_id", sa.Integer(), nullable=True),
        sa.Column("doctor_id", sa.Integer(), nullable=True),
        sa.Column("archive_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("birth_date >= DATE '1900-01-01'", name="ck_patient_birth_date_sane"),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_patient_name_not_blank"),
        sa.CheckConstraint("btrim(surname) <> ''", name="ck_patient_surname_not_blank"),
        sa.CheckConstraint("sex IN ('male', 'female')", name="ck_patient_sex_known"),
        sa.CheckConstraint("status IN ('draft', 'active', 'archived')", name="ck_patient_status_known"),
        sa.CheckConstraint("guardian_id <> id", name="ck_patient_guardian_other"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["family.id"],
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["referral_source.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("card_number", name="uq_patient_card_number"),
    )
    op.create_index("ix_patient_birth_date", "patient", ["birth_date"], unique=False)
    op.create_index("ix_patient_by_name", "patient", ["search_name", "id"], unique=False)
    op.create_index("ix_patient_doctor_id", "patient", ["doctor_id"], unique=False)
    op.create_index("ix_patient_family_id", "patient", ["family_id"], unique=False)
    op.create_index("ix_patient_guardian_id", "patient", ["guardian_id"], unique=False)
    op.create_index(
        "ix_patient_search_name",
        "patient",
        ["search_name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_name": "gin_trgm_ops"},
    )
    op.create_index("ix_patient_source_id", "patient", ["source_id"], unique=False)
    op.create_table(
        "time_block",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=True),
        sa.Column("chair_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(ends_at - interval '1 second')::date = starts_at::date", name="ck_time_block_within_a_day"
        ),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_time_block_reason_not_blank"),
        sa.CheckConstraint("kind IN ('block', 'hold')", name="ck_time_block_kind_known"),
        sa.CheckConstraint("doctor_id IS NOT NULL OR chair_id IS NOT NULL", name="ck_time_block_of_somebody"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_time_block_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["chair_id"],
            ["chair.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_time_block_chair_id_starts_at", "time_block", ["chair_id", "starts_at"], unique=False)
    op.create_index("ix_time_block_doctor_id_starts_at", "time_block", ["doctor_id", "starts_at"], unique=False)
    op.create_index(
        "ix_time_block_open",
        "time_block",
        ["starts_at", "branch_id"],
        unique=False,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "working_hours",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("chair_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("chair_id"), "="),
            (sa.text("tsrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_working_hours_chair",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("doctor_id"), "="),
            (sa.text("tsrange(starts_at, ends_at)"), "&&"),
            using="gist",
            name="ex_working_hours_doctor",
        ),
        sa.CheckConstraint(
            "(ends_at - interval '1 second')::date = starts_at::date", name="ck_working_hours_within_a_day"
        ),
        sa.CheckConstraint("ends_at > starts_at", name="ck_working_hours_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["chair_id"],
            ["chair.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_working_hours_doctor_id_starts_at", "working_hours", ["doctor_id", "starts_at"], unique=False)
    op.create_index("ix_working_hours_starts_at_branch_id", "working_hours", ["starts_at", "branch_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("chair_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("confirmation", sa.String(length=20), nullable=False),
        sa.Column("first_visit", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("overbooked", sa.Boolean(), nullable=False),
        sa.Column("overbook_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("outside_hours_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("moves", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(length=10), nullable=True),
        sa.Column("cancel_reason_id", sa.Integer(), nullable=True),
        sa.Column("cancel_comment", sa.Text(), server_default="", nullable=False),
        sa.Column("late_cancel", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("chair_id"), "="),
            (sa.text("tsrange(starts_at, ends_at)"), "&&"),
            where=sa.text("status NOT IN ('cancelled', 'no_show') AND NOT overbooked"),
            using="gist",
            name="ex_appointment_chair_busy",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("doctor_id"), "="),
            (sa.text("tsrange(starts_at, ends_at)"), "&&"),
            where=sa.text("status NOT IN ('cancelled', 'no_show') AND NOT overbooked"),
            using="gist",
            name="ex_appointment_doctor_busy",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("patient_id"), "="),
            (sa.text("tsrange(starts_at, ends_at)"), "&&"),
            where=sa.text("status NOT IN ('cancelled', 'no_show')"),
            using="gist",
            name="ex_appointment_patient_busy",
        ),
        sa.CheckConstraint(
            "(ends_at - interval '1 second')::date = starts_at::date", name="ck_appointment_within_a_day"
        ),
        sa.CheckConstraint("cancelled_by IN ('patient', 'clinic')", name="ck_appointment_cancelled_by_known"),
        sa.CheckConstraint(
            "confirmation IN ('not_notified', 'notified', 'confirmed', 'asks_to_move', 'declined', 'not_reached')",
            name="ck_appointment_confirmation_known",
        ),
        sa.CheckConstraint("overbooked = (overbook_reason <> '')", name="ck_appointment_overbooked_with_reason"),
        sa.CheckConstraint(
            "status <> 'cancelled' OR (cancelled_by IS NOT NULL AND cancel_reason_id IS NOT NULL)",
            name="ck_appointment_cancelled_with_reason",
        ),
        sa.CheckConstraint(
            "status IN ('booked', 'arrived', 'in_progress', 'completed', 'cancelled', 'no_show')",
            name="ck_appointment_status_known",
        ),
        sa.CheckConstraint("ends_at > starts_at", name="ck_appointment_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["cancel_reason_id"],
            ["cancel_reason.id"],
        ),
        sa.ForeignKeyConstraint(
            ["chair_id"],
            ["chair.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_appointment_branch_id", "appointment", ["branch_id"], unique=False)
    op.create_index("ix_appointment_chair_id_starts_at", "appointment", ["chair_id", "starts_at"], unique=False)
    op.create_index("ix_appointment_doctor_id_starts_at", "appointment", ["doctor_id", "starts_at"], unique=False)
    op.create_index("ix_appointment_patient_id_starts_at", "appointment", ["patient_id", "starts_at"], unique=False)
    op.create_index("ix_appointment_service_id", "appointment", ["service_id"], unique=False)
    op.create_index("ix_appointment_starts_at_branch_id", "appointment", ["starts_at", "branch_id"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["ab_user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_audit_event_object_type_object_id_id", "audit_event", ["object_type", "object_id", "id"], unique=False
    )
    op.create_index("ix_audit_event_patient_id_id", "audit_event", ["patient_id", "id"], unique=False)
    op.create_index("ix_audit_event_user_id_id", "audit_event", ["user_id", "id"], unique=False)
    op.create_table(
        "cash_movement",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=True),
        sa.Column("series", sa.String(length=10), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("delta", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("counterparty", sa.String(length=200), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("paired_id", sa.Integer(), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(series = 'in') = (delta > 0)", name="ck_cash_movement_series_by_sign"),
        sa.CheckConstraint(
            "kind <> 'withdrawal' OR category_id IS NOT NULL", name="ck_cash_movement_withdrawal_category"
        ),
        sa.CheckConstraint(
            "kind IN ('payment', 'refund', 'pay_in', 'withdrawal', 'collection', 'salary', 'transfer_out', 'transfer_in', 'correction', 'surplus', 'shortage', 'reversal')",
            name="ck_cash_movement_kind_known",
        ),
        sa.CheckConstraint("series IN ('in', 'out')", name="ck_cash_movement_series_known"),
        sa.CheckConstraint("delta <> 0", name="ck_cash_movement_not_zero"),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["expense_category.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["cash_desk.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["paired_id"],
            ["cash_movement.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["cash_movement.id"],
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["cash_shift.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "series", "year", "number", name="uq_cash_movement_number"),
        sa.UniqueConstraint("reverses_id", name="uq_cash_movement_reversed_once"),
    )
    op.create_index("ix_cash_movement_business_day", "cash_movement", ["business_day"], unique=False)
    op.create_index("ix_cash_movement_category_id", "cash_movement", ["category_id"], unique=False)
    op.create_index("ix_cash_movement_desk_id_business_day", "cash_movement", ["desk_id", "business_day"], unique=False)
    op.create_index("ix_cash_movement_paired_id", "cash_movement", ["paired_id"], unique=False)
    op.create_index("ix_cash_movement_patient_id", "cash_movement", ["patient_id"], unique=False)
    op.create_index("ix_cash_movement_shift_id", "cash_movement", ["shift_id"], unique=False)
    op.create_table(
        "issued_document",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('contract', 'consent_personal_data', 'consent_treatment')", name="ck_issued_document_kind_known"
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["document_template.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "kind", "year", "number", name="uq_issued_document_number"),
    )
    op.create_index("ix_issued_document_patient_id", "issued_document", ["patient_id"], unique=False)
    op.create_index("ix_issued_document_template_id", "issued_document", ["template_id"], unique=False)
    op.create_table(
        "patient_account",
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("debt", sa.Numeric(precision=12, scale=2), server_default="0", nullable=False),
        sa.Column("advance", sa.Numeric(precision=12, scale=2), server_default="0", nullable=False),
        sa.CheckConstraint("advance >= 0", name="ck_patient_account_advance_not_negative"),
        sa.CheckConstraint("debt >= 0", name="ck_patient_account_debt_not_negative"),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("patient_id"),
    )
    op.create_index(
        "ix_patient_account_advances",
        "patient_account",
        ["advance"],
        unique=False,
        postgresql_where=sa.text("advance > 0"),
    )
    op.create_index(
        "ix_patient_account_debtors", "patient_account", ["debt"], unique=False, postgresql_where=sa.text("debt > 0")
    )
    op.create_table(
        "patient_consent",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('personal_data', 'treatment', 'service_messages', 'advertising')",
            name="ck_patient_consent_kind_known",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_patient_consent_in_force",
        "patient_consent",
        ["patient_id", "kind"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "patient_phone",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "reversed_number", sa.String(length=20), sa.Computed("reverse(number)", persisted=True), nullable=False
        ),
        sa.Column("owner", sa.String(length=100), server_default="", nullable=False),
        sa.Column("for_sms", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint("number ~ '^\\+[0-9]{7,15}$'", name="ck_patient_phone_number_international"),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("patient_id", "number", name="uq_patient_phone_number"),
    )
    op.create_index("ix_patient_phone_number", "patient_phone", ["number"], unique=False)
    op.create_index(
        "ix_patient_phone_tail",
        "patient_phone",
        ["reversed_number"],
        unique=False,
        postgresql_ops={"reversed_number": "text_pattern_ops"},
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("tendered", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("change", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_payment_amount_positive"),
        sa.CheckConstraint("change >= 0", name="ck_payment_change_not_negative"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "year", "number", name="uq_payment_number"),
    )
    op.create_index("ix_payment_business_day_branch_id", "payment", ["business_day", "branch_id"], unique=False)
    op.create_index("ix_payment_patient_id", "payment", ["patient_id"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=False),
        sa.Column("planned_time", sa.DateTime(), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sending_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parts", sa.SmallInteger(), nullable=True),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('booked', 'reminder', 'moved', 'cancelled')", name="ck_outbox_message_kind_known"),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'cancelled')",
            name="ck_outbox_message_status_known",
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("appointment_id", "kind", "planned_time", name="uq_outbox_message_once"),
    )
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'sending')"),
    )
    op.create_index("ix_outbox_message_patient_id", "outbox_message", ["patient_id"], unique=False)
    op.create_table(
        "payment_part",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("desk_id", sa.Integer(), nullable=True),
        sa.Column("movement_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(method = 'advance') = (movement_id IS NULL)", name="ck_payment_part_money_in_desk"),
        sa.CheckConstraint("method IN ('cash', 'card', 'transfer', 'advance')", name="ck_payment_part_method_known"),
        sa.CheckConstraint("(desk_id IS NULL) = (movement_id IS NULL)", name="ck_payment_part_desk_with_movement"),
        sa.CheckConstraint("amount > 0", name="ck_payment_part_amount_positive"),
        sa.ForeignKeyConstraint(
            ["desk_id"],
            ["cash_desk.id"],
        ),
        sa.ForeignKeyConstraint(
            ["movement_id"],
            ["cash_movement.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("movement_id", name="uq_payment_part_movement"),
    )
    op.create_index("ix_payment_part_payment_id", "payment_part", ["payment_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_refund_reason_not_blank"),
        sa.CheckConstraint("amount > 0", name="ck_refund_amount_positive"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "year", "number", name="uq_refund_number"),
    )
    op.create_index("ix_refund_business_day_branch_id", "refund", ["business_day", "branch_id"], unique=False)
    op.create_index("ix_refund_patient_id", "refund", ["patient_id"], unique=False)
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_table(
        "work_order",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("due", sa.Numeric(precision=12, scale=2), server_default="0", nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_day", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(status = 'draft') = (issued_day IS NULL)", name="ck_work_order_issued_with_day"),
        sa.CheckConstraint("status <> 'paid' OR due = 0", name="ck_work_order_paid_in_full"),
        sa.CheckConstraint("status IN ('draft', 'issued', 'paid')", name="ck_work_order_status_known"),
        sa.CheckConstraint("due BETWEEN 0 AND total", name="ck_work_order_due_within_total"),
        sa.CheckConstraint("total >= 0", name="ck_work_order_total_not_negative"),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "year", "number", name="uq_work_order_number"),
    )
    op.create_index("ix_work_order_appointment_id", "work_order", ["appointment_id"], unique=False)
    op.create_index("ix_work_order_branch_id", "work_order", ["branch_id"], unique=False)
    op.create_index("ix_work_order_doctor_id_issued_day", "work_order", ["doctor_id", "issued_day"], unique=False)
    op.create_index("ix_work_order_issued_day_branch_id", "work_order", ["issued_day", "branch_id"], unique=False)
    op.create_index("ix_work_order_patient_id", "work_order", ["patient_id"], unique=False)
    op.create_index(
        "ix_work_order_unpaid",
        "work_order",
        ["patient_id", "issued_at"],
        unique=False,
        postgresql_where=sa.text("status = 'issued'"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("work_order_id", sa.Integer(), nullable=True),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("debt_change", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("advance_change", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('bill', 'bill_reopened', 'payment', 'advance_in', 'advance_used', 'refund')",
            name="ck_ledger_entry_kind_known",
        ),
        sa.CheckConstraint("debt_change = 0 OR work_order_id IS NOT NULL", name="ck_ledger_entry_debt_of_a_bill"),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"],
            ["refund.id"],
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"],
            ["work_order.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_ledger_entry_business_day_branch_id", "ledger_entry", ["business_day", "branch_id"], unique=False
    )
    op.create_index("ix_ledger_entry_patient_id_id", "ledger_entry", ["patient_id", "id"], unique=False)
    op.create_index("ix_ledger_entry_payment_id", "ledger_entry", ["payment_id"], unique=False)
    op.create_index("ix_ledger_entry_refund_id", "ledger_entry", ["refund_id"], unique=False)
    op.create_index("ix_ledger_entry_work_order_id", "ledger_entry", ["work_order_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('sale', 'return')", name="ck_receipt_kind_known"),
        sa.CheckConstraint("(payment_id IS NULL) <> (refund_id IS NULL)", name="ck_receipt_of_one_operation"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"],
            ["legal_entity.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"],
            ["refund.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("legal_entity_id", "year", "number", name="uq_receipt_number"),
        sa.UniqueConstraint("payment_id", name="uq_receipt_payment"),
        sa.UniqueConstraint("refund_id", name="uq_receipt_refund"),
    )
    op.create_index("ix_receipt_patient_id", "receipt", ["patient_id"], unique=False)
    op.create_table(
        "refund_part",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("refund_id", sa.Integer(), nullable=False),
        sa.Column("payment_part_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("movement_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_refund_part_amount_positive"),
        sa.ForeignKeyConstraint(
            ["movement_id"],
            ["cash_movement.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payment_part_id"],
            ["payment_part.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"],
            ["refund.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("movement_id", name="uq_refund_part_movement"),
    )
    op.create_index("ix_refund_part_payment_part_id", "refund_part", ["payment_part_id"], unique=False)
    op.create_index("ix_refund_part_refund_id", "refund_part", ["refund_id"], unique=False)
    op.create_table(
        "work_order_line",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("work_order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("tooth", sa.String(length=2), server_default="", nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("discount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("discount_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("assistant_id", sa.Integer(), nullable=True),
        sa.Column("total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.CheckConstraint("tooth ~ '^([1-4][1-8]|[5-8][1-5])?$'", name="ck_work_order_line_tooth_fdi"),
        sa.CheckConstraint("discount BETWEEN 0 AND price * quantity", name="ck_work_order_line_discount_within_price"),
        sa.CheckConstraint("price >= 0", name="ck_work_order_line_price_not_negative"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 999", name="ck_work_order_line_quantity_sane"),
        sa.CheckConstraint("total = price * quantity - discount", name="ck_work_order_line_total"),
        sa.ForeignKeyConstraint(
            ["assistant_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"],
            ["work_order.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("work_order_id", "position", name="uq_work_order_line_position"),
    )
    op.create_index("ix_work_order_line_service_id", "work_order_line", ["service_id"], unique=False)

    keep_promises()


def downgrade() -> None:
    raise NotImplementedError("the first migration is not taken back: it would drop the clinic")
