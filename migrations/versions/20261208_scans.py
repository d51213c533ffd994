"""Papers as a clinic keeps them: a scan attached by mistake is put out of sight; who else processes patients' data.

And a flag of a health questionnaire stands until the patient says «no».
"""

import sqlalchemy as sa
from alembic import op

revision = "20261208_scans"
down_revision = "20261207_payer"
branch_labels = None
depends_on = None


#: What stands on a card: of each question the newest clear answer, and of it what is dangerous; «не знаю» and silence
#: are none. The newest questionnaire's first, each in the order of its paper.
STANDING = r"""
CREATE FUNCTION standing_alerts(whose integer) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(alert.value ORDER BY said.day DESC, said.id DESC, alert.ordinality), '[]')
    FROM (SELECT DISTINCT ON (answer.key) answer.key, survey.day, survey.id, survey.alerts
          FROM health_survey survey, jsonb_each(survey.answers) answer
          WHERE survey.patient_id = whose AND answer.value ->> 0 IN ('yes', 'no')
          ORDER BY answer.key, survey.day DESC, survey.id DESC) said,
         jsonb_array_elements(said.alerts) WITH ORDINALITY alert
    WHERE alert.value ->> 0 = said.key
$$
"""
ON_CARD = r"""
CREATE OR REPLACE FUNCTION survey_on_card() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE whose integer;
BEGIN
    FOREACH whose IN ARRAY CASE TG_OP WHEN 'UPDATE' THEN ARRAY[least(OLD.patient_id, NEW.patient_id), greatest(OLD.patient_id, NEW.patient_id)]
                           ELSE ARRAY[NEW.patient_id] END LOOP
        -- one after another: who waited here sees the survey that was written meanwhile
        PERFORM FROM patient WHERE id = whose FOR NO KEY UPDATE;
        UPDATE patient SET surveyed_on = newest.day, health_alerts = %s
            FROM (SELECT) one LEFT JOIN LATERAL (SELECT day, alerts FROM health_survey WHERE patient_id = whose
                                                 ORDER BY day DESC, id DESC LIMIT 1) newest ON true
            WHERE patient.id = whose;
    END LOOP;
    RETURN NULL;
END $$
"""
#: The flags that «не знаю» took away stand again; only cards whose flags differ are written.
AGAIN = """
UPDATE patient SET health_alerts = flags.standing
FROM (SELECT patient_id, standing_alerts(patient_id) AS standing FROM health_survey GROUP BY patient_id) flags
WHERE patient.id = flags.patient_id AND patient.erased_at IS NULL AND patient.health_alerts <> flags.standing
"""


def upgrade() -> None:
    op.add_column("clinic_setting", sa.Column("personal_data_processors", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "mistaken_scan",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("scan_id", sa.Integer(), sa.ForeignKey("signed_scan.id"), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("ab_user.id")),
        sa.UniqueConstraint("scan_id", name="uq_mistaken_scan_once"),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_mistaken_scan_reason_not_blank"),
    )
    for when, name in (("UPDATE OR DELETE", "append_only"), ("TRUNCATE", "no_truncate")):
        each = "ROW" if name == "append_only" else "STATEMENT"
        op.execute(
            f"CREATE TRIGGER tr_mistaken_scan_{name} BEFORE {when} ON mistaken_scan"
            f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(STANDING)
    op.execute(ON_CARD % "standing_alerts(whose)")
    op.execute("ALTER TABLE patient DISABLE TRIGGER tr_patient_health_kept_by_surveys")
    op.execute(AGAIN)
    op.execute("ALTER TABLE patient ENABLE TRIGGER tr_patient_health_kept_by_surveys")


def downgrade() -> None:
    op.execute(ON_CARD % "coalesce(newest.alerts, '[]')")
    op.execute("DROP FUNCTION standing_alerts(integer)")
    op.drop_table("mistaken_scan")
    op.drop_column("clinic_setting", "personal_data_processors")
