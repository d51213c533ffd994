"""Papers of the desk that say what they said: sheets with originals, named categories, numbered acts, desks that stay.

Only withdrawals have a category, and their index finds them: the movements are neither rewritten nor read through.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261206_sheets"
down_revision = "20261205_gone"
branch_labels = None
depends_on = None

PRINTED = ("receipt", "cash_order", "work_order", "act", "guarantee")

CATEGORIES = r"""
-- A merged category takes nothing new; a merge that is under way is waited for. A movement keeps the name that its
-- category has now: it stands on papers.
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

CATEGORIES_BEFORE = r"""
CREATE OR REPLACE FUNCTION category_takes_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE heir integer;
BEGIN
    SELECT merged_into_id INTO heir FROM expense_category WHERE id = NEW.category_id FOR SHARE;
    IF heir IS NOT NULL AND NEW.reverses_id IS NULL THEN
        RAISE EXCEPTION 'the category was merged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cash_movement_category_living';
    END IF;
    RETURN NEW;
END $$;
"""

#: Which columns of a desk with money stay. A desk is of the branch whose drawer was counted, too.
DESKS = """
DROP TRIGGER tr_cash_desk_moved_stays ON cash_desk;
CREATE TRIGGER tr_cash_desk_moved_stays BEFORE UPDATE OF {columns} ON cash_desk FOR EACH ROW
    WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION desk_with_money_stays();
"""

#: Who wrote an order stays with it, as who issued and who reversed it do.
AUTHORS = """
CREATE FUNCTION order_keeps_its_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an order keeps who wrote it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_work_order_issued_unchanged';
END $$;
CREATE TRIGGER tr_work_order_keeps_its_author BEFORE UPDATE OF created_by_id ON work_order FOR EACH ROW
    WHEN (OLD.status <> 'draft' AND OLD.created_by_id IS DISTINCT FROM NEW.created_by_id)
    EXECUTE FUNCTION order_keeps_its_author();
"""


def _desk_keeps(*columns: str) -> None:
    old, new = (", ".join(f"{side}.{column}" for column in columns) for side in ("OLD", "NEW"))
    op.execute(DESKS.format(columns=", ".join(columns), old=old, new=new))


def _acts() -> None:
    op.create_table(
        "service_act",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("work_order_id", sa.Integer(), sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("legal_entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("work_order_id", name="uq_service_act_of_order"),
        sa.UniqueConstraint("legal_entity_id", "year", "number", name="uq_service_act_number"),
        sa.CheckConstraint("number > 0", name="ck_service_act_number_positive"),
    )
    op.execute(
        "CREATE TRIGGER tr_service_act_append_only BEFORE UPDATE OR DELETE ON service_act"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER tr_service_act_no_truncate BEFORE TRUNCATE ON service_act"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _printed(*kinds: str) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.drop_constraint("ck_printing_kind_known", "printing")
    op.execute(f"ALTER TABLE printing ADD CONSTRAINT ck_printing_kind_known CHECK (kind IN ({listed})) NOT VALID")


def upgrade() -> None:
    _printed(*PRINTED, "book_sheet", "shift_report")
    op.execute("ALTER TABLE printing VALIDATE CONSTRAINT ck_printing_kind_known")
    _acts()
    _desk_keeps("kind", "legal_entity_id", "branch_id")
    op.execute(AUTHORS)
    # the movements last: their table is locked from here on
    op.add_column("cash_movement", sa.Column("category_name", sa.String(200)))
    op.execute(
        "ALTER TABLE cash_movement DISABLE TRIGGER tr_cash_movement_append_only;"
        " UPDATE cash_movement m SET category_name = c.name FROM expense_category c"
        " WHERE c.id = m.category_id AND m.category_id IS NOT NULL;"
        " ALTER TABLE cash_movement ENABLE TRIGGER tr_cash_movement_append_only;"
    )
    op.execute(CATEGORIES)


def downgrade() -> None:
    op.execute(CATEGORIES_BEFORE)
    op.drop_column("cash_movement", "category_name")
    op.execute("DROP TRIGGER tr_work_order_keeps_its_author ON work_order; DROP FUNCTION order_keeps_its_author();")
    _desk_keeps("kind", "legal_entity_id")
    op.drop_table("service_act")
    _printed(*PRINTED)  # not asked of what was printed meanwhile
