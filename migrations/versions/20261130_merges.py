"""Cards that were merged: what was moved, so that it can be moved back; the promises know a recorded merge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261130_merges"
down_revision = "20261129_papers"
branch_labels = None
depends_on = None

PROMISES = r"""
-- May this row change so? Only whose it is has changed, and a merge of this transaction says from whom to whom.
CREATE FUNCTION moved_by_merge(of_table oid, old_row jsonb, new_row jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE whose text[]; changed text[];
BEGIN
    SELECT array_agg(a.attname::text) INTO whose FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.conrelid = of_table AND c.confrelid = 'patient'::regclass;
    SELECT array_agg(key) INTO changed FROM jsonb_each(new_row) n WHERE n.value IS DISTINCT FROM old_row -> n.key;
    RETURN changed IS NOT NULL AND changed <@ whose AND NOT EXISTS (
        SELECT FROM unnest(changed) AS key WHERE NOT EXISTS (
            SELECT FROM card_merge m WHERE
                (m.made_in = pg_current_xact_id()::text AND m.loser_id = (old_row ->> key)::int AND m.winner_id = (new_row ->> key)::int)
             OR (m.undone_in = pg_current_xact_id()::text AND m.winner_id = (old_row ->> key)::int AND m.loser_id = (new_row ->> key)::int)));
END $$;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_append_only';
END $$;

CREATE OR REPLACE FUNCTION refuse_outside_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 AND NOT (TG_OP = 'UPDATE' AND TG_TABLE_NAME <> 'patient_account'
                                       AND moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW))) THEN
        RAISE EXCEPTION 'balances are kept by the ledger'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_kept_by_ledger';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;

CREATE OR REPLACE FUNCTION issued_order_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'draft' THEN
            RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.status <> 'draft' AND (NEW.total, NEW.patient_id, NEW.doctor_id, NEW.branch_id, NEW.legal_entity_id, NEW.number, NEW.year)
            IS DISTINCT FROM (OLD.total, OLD.patient_id, OLD.doctor_id, OLD.branch_id, OLD.legal_entity_id, OLD.number, OLD.year)
            AND NOT moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW)) THEN
        RAISE EXCEPTION 'an issued order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
    END IF;
    IF NEW.due <> OLD.due AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the due sum is kept by the ledger' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_kept_by_ledger';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION reversed_order_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW)) AND (OLD.status = 'reversal'
       OR EXISTS (SELECT FROM work_order WHERE reverses_id = OLD.id AND status = 'reversal')) THEN
        RAISE EXCEPTION 'a reversed order stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_reversed_stays';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION tax_certificate_only_annulled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW)) THEN
        RETURN NEW;
    END IF;
    IF OLD.annulled_at IS NOT NULL OR NEW.annulled_at IS NULL
       OR to_jsonb(NEW) - '{annulled_at,annulled_by_id,annul_reason}'::text[]
          <> to_jsonb(OLD) - '{annulled_at,annulled_by_id,annul_reason}'::text[] THEN
        RAISE EXCEPTION 'a certificate is only annulled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tax_certificate_append_only';
    END IF;
    RETURN NEW;
END $$;

-- The ledger of a merged card moves its balance to the card that stays: all entries of a statement at once, for what
-- stands between them may be below nothing.
CREATE FUNCTION ledger_moves_with_its_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO patient_account (patient_id, debt, advance)
        SELECT DISTINCT patient_id, 0, 0 FROM new_rows ON CONFLICT (patient_id) DO NOTHING;
    UPDATE patient_account a SET debt = a.debt + d.debt, advance = a.advance + d.advance FROM (
        SELECT patient_id, sum(debt) AS debt, sum(advance) AS advance FROM (
            SELECT patient_id, debt_change AS debt, advance_change AS advance FROM new_rows
            UNION ALL SELECT patient_id, -debt_change, -advance_change FROM old_rows) moved GROUP BY patient_id) d
    WHERE a.patient_id = d.patient_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_ledger_entry_moves_with_its_patient AFTER UPDATE ON ledger_entry
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_moves_with_its_patient();

-- A merge is undone once and otherwise stays as it was written.
CREATE FUNCTION card_merge_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL
       OR to_jsonb(NEW) - '{undone_at,undone_by_id,undone_in}'::text[]
          <> to_jsonb(OLD) - '{undone_at,undone_by_id,undone_in}'::text[] THEN
        RAISE EXCEPTION 'a merge stays as it was'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_card_merge_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_card_merge_stays BEFORE UPDATE OR DELETE ON card_merge
    FOR EACH ROW EXECUTE FUNCTION card_merge_stays();
CREATE TRIGGER tr_card_merge_no_truncate BEFORE TRUNCATE ON card_merge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.add_column("patient", sa.Column("merged_into_id", sa.Integer(), sa.ForeignKey("patient.id")))
    op.create_index(
        "ix_patient_merged_into_id", "patient", ["merged_into_id"],
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )  # fmt: skip
    op.create_check_constraint(
        "ck_patient_merged_is_archived", "patient",
        "merged_into_id IS NULL OR (status = 'archived' AND merged_into_id <> id)",
    )  # fmt: skip
    op.create_table(
        "card_merge",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("loser_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("winner_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("moved", postgresql.JSONB(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("made_in", sa.String(20), server_default=sa.text("pg_current_xact_id()\\:\\:text"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.Column("undone_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.Column("undone_in", sa.String(20)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.CheckConstraint("loser_id <> winner_id", name="ck_card_merge_of_two"),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_card_merge_reason_not_blank"),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_in IS NULL)", name="ck_card_merge_undone_in"),
    )
    op.create_index("ix_card_merge_winner_id", "card_merge", ["winner_id"])
    op.create_index(
        "uq_card_merge_standing", "card_merge", ["loser_id"], unique=True, postgresql_where=sa.text("undone_at IS NULL")
    )
    op.execute(sa.text(PROMISES.replace("::", r"\:\:")))


def downgrade() -> None:
    raise NotImplementedError("whose money it was is not forgotten")
