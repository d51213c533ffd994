"""Replies of patients, confirm links, one message for several visits of a day."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_messages"
down_revision = "20261123_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox_message", sa.Column("joined_to_id", sa.Integer(), nullable=True))
    op.add_column("outbox_message", sa.Column("said", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE outbox_message SET said = body")
    op.add_column("outbox_message", sa.Column("resends", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("outbox_message", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_message_undelivered",
        "outbox_message",
        ["sent_at"],
        unique=False,
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.create_index(
        "ix_outbox_message_joined",
        "outbox_message",
        ["joined_to_id"],
        unique=False,
        postgresql_where=sa.text("joined_to_id IS NOT NULL"),
    )
    op.create_foreign_key(
        "outbox_message_joined_to_id_fkey", "outbox_message", "outbox_message", ["joined_to_id"], ["id"]
    )
    op.create_table(
        "incoming_message",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("gateway_id", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meaning", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("meaning IN ('yes', 'no', 'stop', 'unknown')", name="ck_incoming_message_meaning_known"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["handled_by_id"], ["ab_user.id"]),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patient.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gateway_id", name="uq_incoming_message_once"),
    )
    op.create_index("ix_incoming_message_appointment_id", "incoming_message", ["appointment_id"], unique=False)
    op.create_index("ix_incoming_message_patient_id", "incoming_message", ["patient_id"], unique=False)
    op.create_index(
        "ix_incoming_message_unhandled",
        "incoming_message",
        ["id"],
        unique=False,
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_index("ix_incoming_message_received_at", "incoming_message", ["received_at"], unique=False)
    op.create_table(
        "confirm_link",
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=False),
        sa.Column("planned_time", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token"),
        sa.UniqueConstraint("appointment_id", "planned_time", name="uq_confirm_link_one_per_time"),
    )
    op.drop_constraint("ck_message_template_kind_known", "message_template")
    op.create_check_constraint(
        "ck_message_template_kind_known",
        "message_template",
        "kind IN ('booked', 'reminder', 'second_reminder', 'moved', 'cancelled', 'no_show', 'ask')",
    )
    op.drop_constraint("ck_outbox_message_kind_known", "outbox_message")
    op.create_check_constraint(
        "ck_outbox_message_kind_known",
        "outbox_message",
        "kind IN ('booked', 'reminder', 'second_reminder', 'moved', 'cancelled', 'no_show', 'ask')",
    )
    op.drop_constraint("ck_outbox_message_status_known", "outbox_message")
    op.create_check_constraint(
        "ck_outbox_message_status_known",
        "outbox_message",
        "status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'cancelled', 'joined')",
    )
    op.create_check_constraint(
        "ck_outbox_message_joined_to_another", "outbox_message", "(status = 'joined') = (joined_to_id IS NOT NULL)"
    )


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
