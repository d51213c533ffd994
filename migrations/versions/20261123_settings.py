"""The clinic's choices about messages, offers, planned visits and hours."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_settings"
down_revision = "20261123_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "clinic_setting", sa.Column("second_reminder_hours", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("clinic_setting", sa.Column("sending_from", sa.Time(), server_default="09:00", nullable=False))
    op.add_column("clinic_setting", sa.Column("sending_to", sa.Time(), server_default="21:00", nullable=False))
    op.add_column("clinic_setting", sa.Column("offer_minutes", sa.SmallInteger(), server_default="60", nullable=False))
    op.add_column("clinic_setting", sa.Column("call_lead_days", sa.SmallInteger(), server_default="14", nullable=False))
    op.add_column(
        "clinic_setting", sa.Column("hours_weeks_ahead", sa.SmallInteger(), server_default="8", nullable=False)
    )
    op.add_column("clinic_setting", sa.Column("crm", sa.Boolean(), server_default="true", nullable=False))
    op.create_check_constraint(
        "ck_clinic_setting_second_reminder_sane", "clinic_setting", "second_reminder_hours BETWEEN 0 AND 48"
    )
    op.create_check_constraint(
        "ck_clinic_setting_sending_hours_in_order", "clinic_setting", "sending_from < sending_to"
    )
    op.create_check_constraint(
        "ck_clinic_setting_offer_minutes_sane", "clinic_setting", "offer_minutes BETWEEN 5 AND 2880"
    )
    op.create_check_constraint("ck_clinic_setting_call_lead_sane", "clinic_setting", "call_lead_days BETWEEN 0 AND 90")
    op.create_check_constraint(
        "ck_clinic_setting_hours_ahead_sane", "clinic_setting", "hours_weeks_ahead BETWEEN 1 AND 52"
    )


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
