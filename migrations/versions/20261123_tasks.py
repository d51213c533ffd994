"""Call tasks, their reasons, and every attempt."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_tasks"
down_revision = "20261123_waiting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_task",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("last_result", sa.String(length=20), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("claimed_by_id", sa.Integer(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(length=20), nullable=True),
        sa.Column("refusal_reason_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(status = 'closed') = (result IS NOT NULL AND closed_at IS NOT NULL)",
            name="ck_call_task_closed_with_result",
        ),
        sa.CheckConstraint(
            "last_result IN ('not_reached', 'postponed', 'talked')", name="ck_call_task_last_result_known"
        ),
        sa.CheckConstraint(
            "result <> 'refused' OR refusal_reason_id IS NOT NULL", name="ck_call_task_refused_with_reason"
        ),
        sa.CheckConstraint(
            "result IN ('booked', 'planned', 'waiting', 'informed', 'refused', 'wrong_number', 'not_needed')",
            name="ck_call_task_result_known",
        ),
        sa.CheckConstraint("status IN ('open', 'closed')", name="ck_call_task_status_known"),
        sa.CheckConstraint("(claimed_by_id IS NULL) = (claimed_at IS NULL)", name="ck_call_task_claimed_by_somebody"),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
        ),
        sa.ForeignKeyConstraint(
            ["claimed_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"],
            ["ab_user.id"],
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
            ["responsible_id"],
            ["employee.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_call_task_appointment_id", "call_task", ["appointment_id"], unique=False)
    op.create_index("ix_call_task_closed_at", "call_task", ["closed_at"], unique=False)
    op.create_index(
        "ix_call_task_due", "call_task", ["due_at"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index("ix_call_task_patient_id", "call_task", ["patient_id"], unique=False)
    op.create_index(
        "uq_call_task_one_open_per_patient",
        "call_task",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "call_task_reason",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("planned_visit_id", sa.Integer(), nullable=True),
        sa.Column("waiting_entry_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('planned_visit', 'cancelled', 'no_show', 'hours_closed', 'waiting_expired', 'waiting_offer', 'asks_to_move', 'missed_call', 'check_up', 'debt', 'after_treatment', 'doctor_request', 'by_hand')",
            name="ck_call_task_reason_kind_known",
        ),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["doctor_id"],
            ["employee.id"],
        ),
        sa.ForeignKeyConstraint(
            ["planned_visit_id"],
            ["planned_visit.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["call_task.id"],
        ),
        sa.ForeignKeyConstraint(
            ["waiting_entry_id"],
            ["waiting_entry.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_call_task_reason_appointment_id", "call_task_reason", ["appointment_id"], unique=False)
    op.create_index("ix_call_task_reason_planned_visit_id", "call_task_reason", ["planned_visit_id"], unique=False)
    op.create_index("ix_call_task_reason_task_id", "call_task_reason", ["task_id"], unique=False)
    op.create_index("ix_call_task_reason_waiting_entry_id", "call_task_reason", ["waiting_entry_id"], unique=False)
    op.create_index(
        "uq_call_task_reason_once",
        "call_task_reason",
        [
            "task_id",
            "kind",
            sa.literal_column("COALESCE(appointment_id, 0)"),
            sa.literal_column("COALESCE(planned_visit_id, 0)"),
            sa.literal_column("COALESCE(waiting_entry_id, 0)"),
        ],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "call_attempt",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("phone", sa.String(length=20), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("next_try_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("result IN ('not_reached', 'postponed', 'talked')", name="ck_call_attempt_result_known"),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["ab_user.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["call_task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_call_attempt_created_at", "call_attempt", ["created_at"], unique=False)
    op.create_index("ix_call_attempt_task_id", "call_attempt", ["task_id"], unique=False)
    op.execute(
        "CREATE TRIGGER tr_call_attempt_append_only BEFORE UPDATE OR DELETE ON call_attempt"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        " CREATE TRIGGER tr_call_attempt_no_truncate BEFORE TRUNCATE ON call_attempt"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
    )


def downgrade() -> None:
    raise NotImplementedError("what was written about patients is not dropped")
