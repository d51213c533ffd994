"""What a shift was opened with, note by note; a shift that adds up; a tree of categories that stays a tree."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_cash"
down_revision = "20261128_printing"
branch_labels = None
depends_on = None

#: A shift opened before this step: what was counted then is what was in the desk, and the difference found first.
OPENED = """
ALTER TABLE cash_shift DISABLE TRIGGER USER;
UPDATE cash_shift s SET opened_with = s.opening + COALESCE((
    SELECT m.delta FROM cash_movement m WHERE m.shift_id = s.id AND m.kind IN ('surplus', 'shortage')
    AND s.open_reason <> '' AND m.id = (SELECT min(id) FROM cash_movement WHERE shift_id = s.id)), 0);
ALTER TABLE cash_shift ENABLE TRIGGER USER;
"""

PROMISES = r"""
-- What a shift was opened and closed with stays; what it opened with is said when it opens.
CREATE OR REPLACE FUNCTION closed_shift_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
       OR (NEW.desk_id, NEW.number, NEW.opened_at, NEW.opening, NEW.opened_with, NEW.open_reason, NEW.business_day)
          IS DISTINCT FROM
          (OLD.desk_id, OLD.number, OLD.opened_at, OLD.opening, OLD.opened_with, OLD.open_reason, OLD.business_day) THEN
        RAISE EXCEPTION 'a shift is opened and closed once' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_unchanged';
    END IF;
    RETURN NEW;
END $$;

-- A shift opens with what the one before was closed with, and what was counted otherwise is its first movement;
-- it closes with opening + movements, and what was counted otherwise is its last. At the transaction's end.
CREATE FUNCTION cash_shift_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before record; moved numeric; difference numeric;
BEGIN
    SELECT number, counted INTO before FROM cash_shift
        WHERE desk_id = NEW.desk_id AND number < NEW.number ORDER BY number DESC LIMIT 1;
    IF NEW.number <> COALESCE(before.number, 0) + 1 OR before.number IS NOT NULL AND before.counted IS NULL
       OR NEW.opening <> COALESCE(before.counted, 0) THEN
        RAISE EXCEPTION 'a shift follows the one before'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_follows';
    END IF;
    IF NEW.opened_with <> NEW.opening THEN
        SELECT delta INTO difference FROM cash_movement WHERE shift_id = NEW.id ORDER BY id LIMIT 1;
        IF difference IS DISTINCT FROM NEW.opened_with - NEW.opening THEN
            RAISE EXCEPTION 'what was found at opening was not written down'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_opening_adds_up';
        END IF;
    END IF;
    IF NEW.closed_at IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT COALESCE(sum(delta), 0) INTO moved FROM cash_movement WHERE shift_id = NEW.id;
    SELECT delta INTO difference FROM cash_movement WHERE shift_id = NEW.id ORDER BY id DESC LIMIT 1;
    IF NEW.counted <> NEW.opening + moved
       OR NEW.counted <> NEW.expected AND difference IS DISTINCT FROM NEW.counted - NEW.expected THEN
        RAISE EXCEPTION 'the closing does not add up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_shift_closing_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_cash_shift_adds_up AFTER INSERT OR UPDATE ON cash_shift
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cash_shift_adds_up();

-- What was counted note by note is what the shift was opened, or closed, with. At the transaction's end.
CREATE OR REPLACE FUNCTION cash_count_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT CASE NEW.moment WHEN 'opening' THEN opened_with ELSE counted END FROM cash_shift WHERE id = NEW.shift_id)
       IS DISTINCT FROM (SELECT sum(value * pieces) FROM cash_count WHERE shift_id = NEW.shift_id AND moment = NEW.moment) THEN
        RAISE EXCEPTION 'the count does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_count_adds_up';
    END IF;
    RETURN NULL;
END $$;

-- Whoever changes the tree waits for who changes it now: two changes that are right alone may make a circle together.
CREATE OR REPLACE FUNCTION expense_category_is_a_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.merged_into_id IS NULL AND NEW.parent_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock('expense_category'::regclass::integer, 0);
    IF NEW.merged_into_id IS NOT NULL AND EXISTS (SELECT FROM expense_category WHERE id = NEW.merged_into_id
                                                  AND (merged_into_id IS NOT NULL OR archived)) THEN
        RAISE EXCEPTION 'merged into what is no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_expense_category_merged_into_living';
    END IF;
    IF NEW.parent_id IS NOT NULL AND EXISTS (
        SELECT FROM expense_category WHERE id = NEW.parent_id AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a part of what is no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_expense_category_parent_living';
    END IF;
    IF NEW.parent_id IS NOT NULL AND EXISTS (
        WITH RECURSIVE up AS (SELECT id, parent_id FROM expense_category WHERE id = NEW.parent_id
                              UNION SELECT c.id, c.parent_id FROM expense_category c JOIN up ON c.id = up.parent_id)
        SELECT FROM up WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'a category within itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_expense_category_no_circle';
    END IF;
    RETURN NEW;
END $$;

-- What was merged leaves nothing behind it: neither parts nor what had been merged into it. At the transaction's end.
CREATE FUNCTION merged_category_is_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM expense_category WHERE merged_into_id = NEW.id OR parent_id = NEW.id) THEN
        RAISE EXCEPTION 'a merged category with parts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_expense_category_merged_is_empty';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_expense_category_merged_is_empty AFTER INSERT OR UPDATE ON expense_category
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION merged_category_is_empty();
"""


def upgrade() -> None:
    op.add_column("cash_shift", sa.Column("opened_with", sa.Numeric(12, 2)))
    op.execute(sa.text(OPENED))
    op.alter_column("cash_shift", "opened_with", nullable=False)
    op.create_check_constraint("ck_cash_shift_opened_with_not_negative", "cash_shift", "opened_with >= 0")
    op.create_check_constraint(
        "ck_cash_shift_opening_reason", "cash_shift", "opened_with = opening OR btrim(open_reason) <> ''"
    )
    op.create_check_constraint(
        "ck_cash_shift_closing_reason", "cash_shift", "counted = expected OR btrim(close_reason) <> ''"
    )
    op.add_column("cash_count", sa.Column("moment", sa.String(10), server_default="closing", nullable=False))
    op.alter_column("cash_count", "moment", server_default=None)
    op.drop_constraint("cash_count_pkey", "cash_count")
    op.create_primary_key("cash_count_pkey", "cash_count", ["shift_id", "moment", "value"])
    op.create_check_constraint("ck_cash_count_moment_known", "cash_count", "moment IN ('opening', 'closing')")
    op.execute(sa.text(PROMISES.replace(":=", r"\:=").replace("::", r"\:\:")))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
