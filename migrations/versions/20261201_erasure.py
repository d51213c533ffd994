"""Cards that were erased on the patient's demand: what is emptied, by whom, and that nothing else is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261201_erasure"
down_revision = "20261201_texts"
branch_labels = None
depends_on = None

PROMISES = r"""
-- Is this card being erased by this very transaction?
CREATE FUNCTION erased_now(card int) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM card_erasure WHERE made_in = pg_current_xact_id()::text AND card = ANY(cards))
$$;

-- Has only been emptied what stood there: the same keys, each as it was or nothing; of these keys only, when given.
CREATE FUNCTION only_emptied(was jsonb, is_now jsonb, of_keys text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT was IS NOT DISTINCT FROM is_now OR (
        jsonb_typeof(was) = 'object' AND jsonb_typeof(is_now) = 'object'
        AND (SELECT count(*) FROM jsonb_object_keys(was)) = (SELECT count(*) FROM jsonb_object_keys(is_now))
        AND NOT EXISTS (
            SELECT FROM jsonb_each(was) w WHERE NOT is_now ? w.key
                OR is_now -> w.key <> w.value AND (is_now -> w.key <> 'null' OR w.key <> ALL (of_keys))))
$$;

-- May this row of the log, of a merge, of a call change so? It loses what an erasure takes, and nothing else.
CREATE FUNCTION emptied_by_erasure(of_table text, old_row jsonb, new_row jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE changed text[];
BEGIN
    SELECT array_agg(key) INTO changed FROM jsonb_each(new_row) n WHERE n.value IS DISTINCT FROM old_row -> n.key;
    IF changed IS NULL THEN
        RETURN false;
    END IF;
    IF of_table = 'audit_event' THEN
        RETURN changed <@ '{before,after}' AND (
            erased_now((old_row ->> 'patient_id')::int)
                AND only_emptied(old_row -> 'before', new_row -> 'before', NULL)
                AND only_emptied(old_row -> 'after', new_row -> 'after', NULL)
            -- a relative's log names the patient
            OR old_row ->> 'action' IN ('family.joined', 'family.payer')
                AND EXISTS (SELECT FROM card_erasure WHERE made_in = pg_current_xact_id()::text)
                AND only_emptied(old_row -> 'before', new_row -> 'before', '{relative,payer}')
                AND only_emptied(old_row -> 'after', new_row -> 'after', '{relative,payer}'));
    ELSIF of_table = 'call_attempt' THEN
        RETURN changed <@ '{phone,comment}' AND new_row ->> 'phone' = '' AND new_row ->> 'comment' = ''
            AND erased_now((SELECT patient_id FROM call_task WHERE id = (old_row ->> 'task_id')::int));
    ELSIF of_table = 'card_merge' THEN
        RETURN changed <@ '{fields,reason}' AND new_row -> 'fields' = '{}' AND new_row ->> 'reason' = '—'
            AND (erased_now((old_row ->> 'loser_id')::int) OR erased_now((old_row ->> 'winner_id')::int));
    END IF;
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW))
                             OR emptied_by_erasure(TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_' || TG_TABLE_NAME || '_append_only';
END $$;

CREATE OR REPLACE FUNCTION card_merge_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND emptied_by_erasure('card_merge', to_jsonb(OLD), to_jsonb(NEW)) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL
       OR to_jsonb(NEW) - '{undone_at,undone_by_id,undone_in}'::text[]
          <> to_jsonb(OLD) - '{undone_at,undone_by_id,undone_in}'::text[] THEN
        RAISE EXCEPTION 'a merge stays as it was'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_card_merge_stays';
    END IF;
    RETURN NEW;
END $$;

-- An erased card stays erased: nobody writes a name into it, and none is erased without its paper.
CREATE FUNCTION erased_card_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL OR NOT erased_now(NEW.id) THEN
        RAISE EXCEPTION 'an erased card stays erased'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_patient_erased_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_patient_erased_stays BEFORE UPDATE ON patient FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL OR NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erased_card_stays();

-- Whoever booked, wrote or took money while the card was being erased or merged waited for it (the foreign key), and
-- learns it now.
CREATE FUNCTION gone_card_takes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE how text;
BEGIN
    SELECT CASE WHEN erased_at IS NOT NULL THEN 'erased' ELSE 'merged' END INTO how FROM patient
        WHERE id = NEW.patient_id AND (erased_at IS NOT NULL OR merged_into_id IS NOT NULL);
    IF how IS NOT NULL THEN
        RAISE EXCEPTION 'a card that is gone takes nothing new'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_patient_' || how || '_takes_nothing';
    END IF;
    RETURN NULL;
END $$;

-- What is said to be erased is erased when the transaction ends.
CREATE FUNCTION erasure_is_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM patient WHERE id = ANY(NEW.cards) AND erased_at IS NULL) OR NOT NEW.patient_id = ANY(NEW.cards) THEN
        RAISE EXCEPTION 'an erasure that erased nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_card_erasure_done';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tr_card_erasure_is_done AFTER INSERT ON card_erasure
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION erasure_is_done();
CREATE TRIGGER tr_card_erasure_append_only BEFORE UPDATE OR DELETE ON card_erasure
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tr_card_erasure_no_truncate BEFORE TRUNCATE ON card_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

#: What no longer happens to a card that was erased or merged. Names sort after the foreign key's own trigger, which waits for the card.
TAKES_NOTHING = (
    "appointment", "patient_phone", "patient_consent", "outbox_message", "planned_visit", "waiting_entry", "call_task",
    "payment",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("patient", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "ck_patient_erased_is_archived", "patient", "erased_at IS NULL OR status = 'archived'"
    )  # fmt: skip
    op.create_table(
        "card_erasure",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("cards", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("kept", postgresql.JSONB(none_as_null=True)),
        sa.Column("kept_until", sa.Date()),
        sa.Column("made_in", sa.String(20), server_default=sa.text("pg_current_xact_id()\\:\\:text"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("patient_id", name="uq_card_erasure_once"),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_card_erasure_reason_not_blank"),
        sa.CheckConstraint("(kept IS NULL) = (kept_until IS NULL)", name="ck_card_erasure_kept_until"),
    )
    op.create_index("ix_card_erasure_made_in", "card_erasure", ["made_in"])
    op.create_index(
        "ix_audit_event_taken", "audit_event", ["at"],
        postgresql_where=sa.text("action IN ('card.exported', 'cards.exported')"),
    )  # fmt: skip
    op.execute(sa.text(PROMISES.replace("::", r"\:\:")))
    for table in TAKES_NOTHING:
        op.execute(
            f"CREATE TRIGGER tr_{table}_not_of_gone AFTER INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION gone_card_takes_nothing()"
        )


def downgrade() -> None:
    raise NotImplementedError("what was erased does not come back")
