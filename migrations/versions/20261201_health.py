"""Health questionnaires, the medical card 043/у and its diary, as data that is only added to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261201_health"
down_revision = "20261201_money"
branch_labels = None
depends_on = None

ICD = "icd = '' OR icd ~ '^[A-Z][0-9]{2}([.][0-9]{1,2})?$'"

PROMISES = r"""
-- The newest survey stands on its patient's card; a merge moves surveys, and with them what stands there.
CREATE FUNCTION survey_on_card() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE whose integer;
BEGIN
    FOREACH whose IN ARRAY CASE TG_OP WHEN 'UPDATE' THEN ARRAY[least(OLD.patient_id, NEW.patient_id), greatest(OLD.patient_id, NEW.patient_id)]
                           ELSE ARRAY[NEW.patient_id] END LOOP
        -- one after another: who waited here sees the survey that was written meanwhile
        PERFORM FROM patient WHERE id = whose FOR NO KEY UPDATE;
        UPDATE patient SET surveyed_on = newest.day, health_alerts = coalesce(newest.alerts, '[]')
            FROM (SELECT) one LEFT JOIN LATERAL (SELECT day, alerts FROM health_survey WHERE patient_id = whose
                                                 ORDER BY day DESC, id DESC LIMIT 1) newest ON true
            WHERE patient.id = whose;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_health_survey_on_card AFTER INSERT OR UPDATE ON health_survey
    FOR EACH ROW EXECUTE FUNCTION survey_on_card();

CREATE FUNCTION health_kept_by_surveys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 AND (NEW.surveyed_on, NEW.health_alerts) IS DISTINCT FROM (OLD.surveyed_on, OLD.health_alerts) THEN
        RAISE EXCEPTION 'what surveys say is kept by the surveys'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_patient_health_kept_by_surveys';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_patient_health_kept_by_surveys BEFORE UPDATE OF surveyed_on, health_alerts ON patient
    FOR EACH ROW EXECUTE FUNCTION health_kept_by_surveys();

-- A medical card is saved over the newest one that there is, or not at all.
CREATE FUNCTION record_follows_newest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newest integer;
BEGIN
    PERFORM FROM patient WHERE id = NEW.patient_id FOR NO KEY UPDATE;
    SELECT max(id) INTO newest FROM medical_record WHERE patient_id = NEW.patient_id;
    IF newest IS DISTINCT FROM NEW.after_id THEN
        RAISE EXCEPTION 'somebody saved the medical card meanwhile'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_medical_record_follows_newest';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_medical_record_follows_newest BEFORE INSERT ON medical_record
    FOR EACH ROW EXECUTE FUNCTION record_follows_newest();

CREATE FUNCTION correction_of_same_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM diary_entry WHERE id = NEW.corrects_id AND patient_id = NEW.patient_id) THEN
        RAISE EXCEPTION 'an entry corrects one of the same patient'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_diary_entry_corrects_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tr_diary_entry_corrects_own BEFORE INSERT ON diary_entry
    FOR EACH ROW WHEN (NEW.corrects_id IS NOT NULL) EXECUTE FUNCTION correction_of_same_patient();
"""


def made() -> list[sa.Column]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
    ]


def text_column(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def short_column(name: str, most: int) -> sa.Column:
    return sa.Column(name, sa.String(most), server_default="", nullable=False)


def key() -> sa.Column:
    return sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True)


def whose() -> sa.Column:
    return sa.Column("patient_id", sa.Integer(), sa.ForeignKey("patient.id"), nullable=False)


def upgrade() -> None:
    op.add_column("patient", sa.Column("surveyed_on", sa.Date()))
    op.add_column(
        "patient",
        sa.Column("health_alerts", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("clinic_setting", sa.Column("survey_months", sa.SmallInteger(), server_default="12", nullable=False))
    op.create_check_constraint(
        "ck_clinic_setting_survey_months_sane", "clinic_setting", "survey_months BETWEEN 1 AND 36"
    )
    op.create_table(
        "health_survey",
        key(), whose(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("answers", postgresql.JSONB(), nullable=False),
        sa.Column("alerts", postgresql.JSONB(), nullable=False),
        sa.Column("pregnancy_weeks", sa.SmallInteger()),
        short_column("last_dentist", 200), text_column("complaints"),
        *made(),
        sa.CheckConstraint("jsonb_typeof(answers) = 'object' AND answers <> '{}'", name="ck_health_survey_answered"),
        sa.CheckConstraint("jsonb_typeof(alerts) = 'array'", name="ck_health_survey_alerts_listed"),
        sa.CheckConstraint("pregnancy_weeks BETWEEN 1 AND 42", name="ck_health_survey_weeks_sane"),
    )  # fmt: skip
    op.create_index("ix_health_survey_patient_id_day", "health_survey", ["patient_id", "day"])
    op.create_table(
        "medical_record",
        key(), whose(),
        sa.Column("after_id", sa.Integer(), sa.ForeignKey("medical_record.id")),
        short_column("occupation", 200), text_column("diagnosis"), short_column("icd", 6), text_column("complaints"),
        text_column("past_illnesses"), text_column("anamnesis"), text_column("examination"),
        sa.Column("formula", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        text_column("bite"), text_column("mucosa"), text_column("findings"), short_column("shade", 40),
        sa.Column("hygiene_taught_on", sa.Date()),
        sa.Column("hygiene_checks", postgresql.ARRAY(sa.Date()), server_default=sa.text("'{}'"), nullable=False),
        text_column("examination_plan"), text_column("treatment_plan"), text_column("consultations"),
        text_column("epicrisis"),
        *made(),
        sa.CheckConstraint(ICD, name="ck_medical_record_icd_code"),
        sa.CheckConstraint("jsonb_typeof(formula) = 'object'", name="ck_medical_record_formula_of_teeth"),
    )  # fmt: skip
    op.create_index("ix_medical_record_patient_id", "medical_record", ["patient_id"])
    op.create_index("ix_medical_record_after_id", "medical_record", ["after_id"])
    op.create_table(
        "diary_entry",
        key(), whose(),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), sa.ForeignKey("employee.id"), nullable=False),
        text_column("complaints"), text_column("objective"), text_column("diagnosis"), short_column("icd", 6),
        text_column("treatment"),
        sa.Column("corrects_id", sa.Integer(), sa.ForeignKey("diary_entry.id")),
        *made(),
        sa.UniqueConstraint("corrects_id", name="uq_diary_entry_corrected_once"),
        sa.CheckConstraint(ICD, name="ck_diary_entry_icd_code"),
        sa.CheckConstraint(
            "btrim(complaints || objective || diagnosis || treatment) <> ''", name="ck_diary_entry_not_blank"
        ),
    )  # fmt: skip
    op.create_index("ix_diary_entry_patient_id_day", "diary_entry", ["patient_id", "day"])
    op.create_index("ix_diary_entry_doctor_id", "diary_entry", ["doctor_id"])
    op.execute(sa.text(PROMISES.replace("::", r"\:\:")))
    for table in ("health_survey", "medical_record", "diary_entry"):
        for when, name in (("UPDATE OR DELETE", "append_only"), ("TRUNCATE", "no_truncate")):
            each = "ROW" if name == "append_only" else "STATEMENT"
            op.execute(
                f"CREATE TRIGGER tr_{table}_{name} BEFORE {when} ON {table}"
                f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )


def downgrade() -> None:
    raise NotImplementedError("what doctors wrote is not thrown away")
