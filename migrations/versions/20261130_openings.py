"""Who opened which card, day by day."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_openings"
down_revision = "20261130_merges"
branch_labels = None
depends_on = None

PROMISES = r"""
-- An opening is written once a day and counted on; it is never taken back, and goes to another card with a merge only.
CREATE FUNCTION card_opening_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NOT moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW))
       AND ((NEW.user_id, NEW.patient_id, NEW.day, NEW.first_at) IS DISTINCT FROM
            (OLD.user_id, OLD.patient_id, OLD.day, OLD.first_at) OR NEW.times <= OLD.times OR NEW.last_at < OLD.last_at) THEN
        RAISE EXCEPTION 'who opened a card is not taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_card_opening_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_card_opening_stays BEFORE UPDATE OR DELETE ON card_opening
    FOR EACH ROW EXECUTE FUNCTION card_opening_stays();
CREATE TRIGGER tr_card_opening_no_truncate BEFORE TRUNCATE ON card_opening
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "card_opening",
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("ab_user.id"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("times > 0", name="ck_card_opening_times_positive"),
    )
    op.create_index("ix_card_opening_user_id_day", "card_opening", ["user_id", "day"])
    op.execute(sa.text(PROMISES))


def downgrade() -> None:
    raise NotImplementedError("who looked is not forgotten")
