"""Planned visits, the waiting list and its offers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123_waiting"
down_revision = "20261123_schedule"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusal_reason",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name="ck_refusal_reason_name_not_blank"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_refusal_reason_name"),
    )
    op.create_table(
        "planned_visit",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("target_from", sa.Date(), nullable=False),
        sa.Column("target_to", sa.Date(), nullable=False),
        sa.Column("tolerance_days", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=True),
        sa.Column("speciality_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.SmallInteger(), server_default="30", nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("wishes", sa.Text(), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("call_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("made_from", sa.String(length=20), nullable=False),
        sa.Column("from_appointment_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("refusal_reason_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("btrim(reason) <> ''", name="ck_planned_visit_reason_not_blank"),
        sa.CheckConstraint(
            "made_from IN ('card', 'visit', 'settlement', 'cancellation', 'call')",
            name="ck_planned_visit_made_from_known",
        ),
        sa.CheckConstraint("status <> 'booked' OR appointment_id IS NOT NULL", name="ck_planned_visit_booked_as_visit"),
        sa.CheckConstraint(
            "status <> 'declined' OR refusal_reason_id IS NOT NULL", name="ck_planned_visit_declined_with_reason"
        ),
        sa.CheckConstraint(
            "status IN ('planned', 'call_due', 'booked', 'postponed', 'declined', 'closed')",
            name="ck_planned_visit_status_known",
        ),
        sa.CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_planned_visit_minutes_sane"),
        sa.CheckConstraint("target_to >= target_from", name="ck_planned_visit_target_in_order"),
        sa.CheckConstraint("tolerance_days BETWEEN 0 AND 180", name="ck_planned_visit_tolerance_sane"),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(["from_appointment_id"], ["appointment.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refusal_reason_id"],
            ["refusal_reason.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.ForeignKeyConstraint(
            ["speciality_id"],
            ["speciality.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_planned_visit_appointment_id", "planned_visit", ["appointment_id"], unique=False)
    op.create_index("ix_planned_visit_from_appointment_id", "planned_visit", ["from_appointment_id"], unique=False)
    op.create_index(
        "ix_planned_visit_open",
        "planned_visit",
        ["call_on"],
        unique=False,
        postgresql_where=sa.text("status IN ('planned', 'call_due', 'postponed')"),
    )
    op.create_index("ix_planned_visit_patient_id", "planned_visit", ["patient_id"], unique=False)
    op.create_index(
        "ix_planned_visit_target",
        "planned_visit",
        ["target_from", "target_to"],
        unique=False,
        postgresql_where=sa.text("status IN ('planned', 'call_due', 'postponed')"),
    )
    op.create_table(
        "waiting_entry",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("wanted_doctors", sa.String(length=20), nullable=False),
        sa.Column("doctor_ids", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("speciality_id", sa.Integer(), nullable=True),
        sa.Column("branch_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("weekdays", sa.ARRAY(sa.SmallInteger()), server_default="{1,2,3,4,5,6,7}", nullable=False),
        sa.Column(
            "windows",
            postgresql.INT4MULTIRANGE(),
            server_default=sa.text("'{[0,1440)}'::int4multirange"),
            nullable=False,
        ),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("notice_hours", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("refusal_reason_id", sa.Integer(), nullable=True),
        sa.Column("booked_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('no_time', 'cancelled', 'move_up')", name="ck_waiting_entry_kind_known"),
        sa.CheckConstraint("status <> 'booked' OR booked_id IS NOT NULL", name="ck_waiting_entry_booked_as_visit"),
        sa.CheckConstraint(
            "status <> 'cancelled' OR refusal_reason_id IS NOT NULL", name="ck_waiting_entry_cancelled_with_reason"
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'offered', 'booked', 'cancelled', 'expired')", name="ck_waiting_entry_status_known"
        ),
        sa.CheckConstraint("urgency IN ('acute', 'soon', 'usual')", name="ck_waiting_entry_urgency_known"),
        sa.CheckConstraint("wanted_doctors = 'any' OR doctor_ids <> '{}'", name="ck_waiting_entry_doctors_named"),
        sa.CheckConstraint(
            "wanted_doctors IN ('any', 'preferred', 'only')", name="ck_waiting_entry_wanted_doctors_known"
        ),
        sa.CheckConstraint(
            "weekdays <> '{}' AND weekdays <@ '{1,2,3,4,5,6,7}'", name="ck_waiting_entry_weekdays_known"
        ),
        sa.CheckConstraint(
            "NOT isempty(windows) AND windows <@ int4range(0, 1440)", name="ck_waiting_entry_windows_of_a_day"
        ),
        sa.CheckConstraint("last_day >= first_day", name="ck_waiting_entry_days_in_order"),
        sa.CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_waiting_entry_minutes_sane"),
        sa.CheckConstraint("notice_hours BETWEEN 0 AND 720", name="ck_waiting_entry_notice_sane"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["booked_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refusal_reason_id"],
            ["refusal_reason.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["service.id"],
        ),
        sa.ForeignKeyConstraint(
            ["speciality_id"],
            ["speciality.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_waiting_entry_appointment_id", "waiting_entry", ["appointment_id"], unique=False)
    op.create_index("ix_waiting_entry_booked_id", "waiting_entry", ["booked_id"], unique=False)
    op.create_index(
        "ix_waiting_entry_open",
        "waiting_entry",
        ["first_day", "last_day"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.create_index("ix_waiting_entry_patient_id", "waiting_entry", ["patient_id"], unique=False)
    op.create_index(
        "uq_waiting_entry_move_up_once",
        "waiting_entry",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'move_up' AND status IN ('waiting', 'offered')"),
    )
    op.create_table(
        "waiting_offer",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Integer(), nullable=False),
        sa.Column("chair_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(ends_at - interval '1 second')::date = starts_at::date", name="ck_waiting_offer_within_a_day"
        ),
        sa.CheckConstraint(
            "(status = 'accepted') = (appointment_id IS NOT NULL)", name="ck_waiting_offer_accepted_as_visit"
        ),
        sa.CheckConstraint(
            "status IN ('open', 'accepted', 'declined', 'expired', 'lost')", name="ck_waiting_offer_status_known"
        ),
        sa.CheckConstraint("ends_at > starts_at", name="ck_waiting_offer_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.id"],
        ),
        sa.ForeignKeyConstraint(
            ["chair_id"],
            ["chair.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["waiting_entry.id"],
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["time_block.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_waiting_offer_appointment_id", "waiting_offer", ["appointment_id"], unique=False)
    op.create_index("ix_waiting_offer_entry_id", "waiting_offer", ["entry_id"], unique=False)
    op.create_index("ix_waiting_offer_hold_id", "waiting_offer", ["hold_id"], unique=False)
    op.create_index(
        "ix_waiting_offer_open",
        "waiting_offer",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "uq_waiting_offer_one_open",
        "waiting_offer",
        ["entry_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "uq_waiting_offer_one_winner",
        "waiting_offer",
        ["hold_id"],
        unique=True,
        postgresql_where=sa.text("status = 'accepted'"),
    )


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
