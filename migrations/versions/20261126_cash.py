"""Counts by denominations, limits of desks, categories that were merged."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_cash"
down_revision = "20261126_prices"
branch_labels = None
depends_on = None

TRIGGERS = r"""
CREATE TRIGGER tr_cash_count_append_only BEFORE UPDATE OR DELETE ON cash_count
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_cash_count_no_truncate BEFORE TRUNCATE ON cash_count
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was counted note by note is what the shift was closed with. At the transaction's end.
CREATE FUNCTION cash_count_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT counted FROM cash_shift WHERE id = NEW.shift_id)
       IS DISTINCT FROM (SELECT sum(value * pieces) FROM cash_count WHERE shift_id = NEW.shift_id) THEN
        RAISE EXCEPTION 'the count does not add up' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_count_adds_up';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_cash_count_adds_up AFTER INSERT ON cash_count
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cash_count_adds_up();

-- A category is merged into a living one, and what was merged into it goes along; parents make no circle.
CREATE FUNCTION expense_category_is_a_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.merged_into_id IS NOT NULL AND EXISTS (SELECT FROM expense_category WHERE id = NEW.merged_into_id
                                                  AND (merged_into_id IS NOT NULL OR archived)) THEN
        RAISE EXCEPTION 'merged into what is no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_expense_category_merged_into_living';
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
CREATE TRIGGER tr_expense_category_is_a_tree BEFORE INSERT OR UPDATE OF merged_into_id, parent_id ON expense_category
    FOR EACH ROW EXECUTE FUNCTION expense_category_is_a_tree();

-- A merged category takes nothing new; a merge that is under way is waited for.
CREATE FUNCTION category_takes_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE heir integer;
BEGIN
    SELECT merged_into_id INTO heir FROM expense_category WHERE id = NEW.category_id FOR SHARE;
    IF heir IS NOT NULL AND NEW.reverses_id IS NULL THEN
        RAISE EXCEPTION 'the category was merged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_category_living';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_cash_movement_category BEFORE INSERT ON cash_movement
    FOR EACH ROW WHEN (NEW.category_id IS NOT NULL) EXECUTE FUNCTION category_takes_no_more();
"""


def upgrade() -> None:
    op.create_table(
        "cash_count",
        sa.Column("shift_id", sa.Integer(), sa.ForeignKey("cash_shift.id"), primary_key=True),
        sa.Column("value", sa.Numeric(12, 2), primary_key=True),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.CheckConstraint("value > 0", name="ck_cash_count_value_positive"),
        sa.CheckConstraint("pieces > 0", name="ck_cash_count_pieces_positive"),
    )
    op.add_column("cash_desk", sa.Column("cash_limit", sa.Numeric(12, 2)))
    op.create_check_constraint("ck_cash_desk_limit_positive", "cash_desk", "cash_limit > 0")
    op.add_column("expense_category", sa.Column("merged_into_id", sa.Integer(), sa.ForeignKey("expense_category.id")))
    op.create_index("ix_expense_category_merged_into_id", "expense_category", ["merged_into_id"])
    op.create_check_constraint(
        "ck_expense_category_merged_is_archived",
        "expense_category",
        "merged_into_id IS NULL OR (archived AND merged_into_id <> id)",
    )
    op.execute(sa.text(TRIGGERS))


def downgrade() -> None:
    raise NotImplementedError("what was written about money is not dropped")
