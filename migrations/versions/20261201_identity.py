"""The identity document by its parts: type, series, number, by whom and when; one line that was typed is kept."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_identity"
down_revision = "20261201_paper_jobs"
branch_labels = None
depends_on = None

# A line that says nothing but «45 10 123456» is a passport of Russia; anything more stays as it was typed.
PLAIN = r"^\s*(?:паспорт\s*(?:рф|гражданина рф)?[:,]?\s*)?(?:серия\s*)?(\d{2})\s?(\d{2})[\s,]*(?:№|номер|N)?\s*(\d{6})\s*\.?\s*$"


def upgrade() -> None:
    op.alter_column("patient", "passport", new_column_name="identity_text")
    op.add_column("patient", sa.Column("identity_type", sa.String(2)))
    for name, most in (("series", 20), ("number", 30), ("issued_by", 300), ("dept_code", 7)):
        op.add_column("patient", sa.Column(f"identity_{name}", sa.String(most), server_default="", nullable=False))
    op.add_column("patient", sa.Column("identity_issued_on", sa.Date()))
    op.execute(
        sa.text(
            "UPDATE patient SET identity_type = '21', identity_series = found[1] || found[2],"
            " identity_number = found[3], identity_text = ''"
            " FROM (SELECT id AS of_id, regexp_match(identity_text, :plain, 'i') AS found FROM patient) plain"
            " WHERE of_id = id AND found IS NOT NULL"
        ).bindparams(plain=PLAIN)
    )
    op.create_check_constraint(
        "ck_patient_identity_type_known", "patient", "identity_type IN ('21', '03', '10', '12', '07', '91')"
    )
    op.create_check_constraint(
        "ck_patient_identity_number_of_its_type",
        "patient",
        "CASE identity_type WHEN '21' THEN identity_series ~ '^[0-9]{4}$' AND identity_number ~ '^[0-9]{6}$'"
        " WHEN '03' THEN identity_series ~ '^[IVXLC]+-[А-ЯЁ]{2}$' AND identity_number ~ '^[0-9]{6}$'"
        " ELSE (identity_type IS NULL) = (identity_number = '') END",
    )
    op.create_check_constraint(
        "ck_patient_identity_of_a_type",
        "patient",
        "identity_type IS NOT NULL OR (identity_series || identity_issued_by = '' AND identity_issued_on IS NULL)",
    )
    op.create_check_constraint(
        "ck_patient_identity_dept_code",
        "patient",
        "identity_dept_code = '' OR (identity_type = '21' AND identity_dept_code ~ '^[0-9]{3}-[0-9]{3}$')",
    )
    op.create_check_constraint("ck_patient_identity_after_birth", "patient", "identity_issued_on >= birth_date")


def downgrade() -> None:
    raise NotImplementedError("what stands on a document is not made one line again")
