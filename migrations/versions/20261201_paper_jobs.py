"""Papers get their bytes after they are issued; what a newcomer signs is chosen; who opened which paper."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_paper_jobs"
down_revision = "20261130_scans"
branch_labels = None
depends_on = None

PROMISES = r"""
-- A paper is as it was issued. Its bytes come once, from nothing; whose it is changes with a recorded merge only.
CREATE FUNCTION issued_document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.pdf IS NULL AND NEW.pdf IS NOT NULL
       AND to_jsonb(NEW) - '{pdf,sha256}'::text[] = to_jsonb(OLD) - '{pdf,sha256}'::text[] THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'issued_document is append-only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_issued_document_append_only';
END $$;
DROP TRIGGER tr_issued_document_append_only ON issued_document;
CREATE TRIGGER tr_issued_document_append_only BEFORE UPDATE OR DELETE ON issued_document
    FOR EACH ROW EXECUTE FUNCTION issued_document_stays();

-- Nothing waits for bytes that are there, and a paper without them is not forgotten before they are.
CREATE FUNCTION paper_job_until_printed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE printed boolean;
BEGIN
    SELECT sha256 IS NOT NULL INTO printed FROM issued_document WHERE id = COALESCE(NEW.document_id, OLD.document_id);
    IF printed IS DISTINCT FROM (TG_OP = 'DELETE') THEN
        RAISE EXCEPTION 'a paper waits until it has its bytes'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_paper_job_until_printed';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER tr_paper_job_until_printed BEFORE INSERT OR DELETE ON paper_job
    FOR EACH ROW EXECUTE FUNCTION paper_job_until_printed();

-- An opening of a card, a paper or a scan is counted on, never taken back, and goes to another card with a merge only.
CREATE OR REPLACE FUNCTION card_opening_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NOT moved_by_merge(TG_RELID, to_jsonb(OLD), to_jsonb(NEW))
       AND ((NEW.user_id, NEW.patient_id, NEW.day, NEW.what, NEW.object_id, NEW.first_at) IS DISTINCT FROM
            (OLD.user_id, OLD.patient_id, OLD.day, OLD.what, OLD.object_id, OLD.first_at)
            OR NEW.times <= OLD.times OR NEW.last_at < OLD.last_at) THEN
        RAISE EXCEPTION 'who opened a card is not taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_card_opening_stays';
    END IF;
    RETURN NEW;
END $$;
"""

#: What was printed at once before the clinic could choose.
FIRST_VISIT = ("contract", "consent_personal_data", "consent_treatment", "health_questionnaire")
KINDS = (
    "contract", "consent_personal_data", "consent_treatment", "consent_advertising", "health_questionnaire",
    "treatment_plan", "referral", "medical_card", "tax_certificate",
)  # fmt: skip


def upgrade() -> None:
    op.alter_column("issued_document", "pdf", nullable=True)
    op.alter_column("issued_document", "sha256", nullable=True)
    op.add_column("issued_document", sa.Column("first_id", sa.Integer(), sa.ForeignKey("issued_document.id")))
    op.create_check_constraint(
        "ck_issued_document_hash_with_bytes", "issued_document", "(pdf IS NULL) = (sha256 IS NULL)"
    )
    op.create_check_constraint(
        "ck_issued_document_hash_of_bytes", "issued_document", "sha256 = encode(sha256(pdf), 'hex')"
    )
    op.create_index("ix_issued_document_first_id", "issued_document", ["first_id"])
    op.create_index("ix_issued_document_day", "issued_document", ["day"])
    op.create_table(
        "paper_job",
        sa.Column("document_id", sa.Integer(), sa.ForeignKey("issued_document.id"), primary_key=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(400), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
    )
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    op.create_table(
        "first_visit_paper",
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(f"kind IN ({listed})", name="ck_first_visit_paper_kind_known"),
        sa.CheckConstraint("kind <> 'tax_certificate'", name="ck_first_visit_paper_from_the_card"),
        sa.CheckConstraint("place > 0", name="ck_first_visit_paper_place_positive"),
    )
    for place, kind in enumerate(FIRST_VISIT, 1):
        op.execute(f"INSERT INTO first_visit_paper (kind, place) VALUES ('{kind}', {place})")
    op.add_column("card_opening", sa.Column("what", sa.String(20), server_default="card", nullable=False))
    op.add_column("card_opening", sa.Column("object_id", sa.Integer(), server_default="0", nullable=False))
    op.create_check_constraint("ck_card_opening_what_known", "card_opening", "what IN ('card', 'document', 'scan')")
    op.drop_constraint("card_opening_pkey", "card_opening")
    op.create_primary_key("card_opening_pkey", "card_opening", ["patient_id", "user_id", "day", "what", "object_id"])
    op.execute(sa.text(PROMISES.replace("::", r"\:\:")))


def downgrade() -> None:
    raise NotImplementedError("what was issued is not dropped")
