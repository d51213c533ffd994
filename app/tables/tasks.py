"""Call tasks «Задачи для обзвона»: a patient once, with all reasons, and every attempt to reach."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Instant, LongText, Made, Model, Pk, WallTime, index, one_of
from app.vocab import AttemptResult, TaskReasonKind, TaskResult, TaskStatus


class CallTask(Made, Model):
    """A patient must be called. One open task per patient; why is in its reasons.

    `due_at` is the clinic's wall clock: the earliest reason, or the next try.
    """

    __tablename__ = "call_task"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    status: Mapped[str] = mapped_column(String(20), default=TaskStatus.OPEN)
    due_at: Mapped[WallTime]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    last_result: Mapped[str | None] = mapped_column(String(20))
    comment: Mapped[LongText]
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    responsible = relationship("Employee", lazy="select")
    #: Who is calling now: nobody else calls until the claim is given up or runs out.
    claimed_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    claimed_at: Mapped[Instant | None]
    result: Mapped[str | None] = mapped_column(String(20))
    refusal_reason_id: Mapped[int | None] = mapped_column(ForeignKey("refusal_reason.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    closed_at: Mapped[Instant | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        one_of("status", TaskStatus, "call_task"),
        one_of("last_result", AttemptResult, "call_task"),
        one_of("result", TaskResult, "call_task"),
        CheckConstraint("(status = 'closed') = (result IS NOT NULL AND closed_at IS NOT NULL)",
                        name="ck_call_task_closed_with_result"),
        CheckConstraint("result <> 'refused' OR refusal_reason_id IS NOT NULL",
                        name="ck_call_task_refused_with_reason"),
        CheckConstraint("(claimed_by_id IS NULL) = (claimed_at IS NULL)", name="ck_call_task_claimed_by_somebody"),
        Index("uq_call_task_one_open_per_patient", "patient_id", unique=True, postgresql_where=sql("status = 'open'")),
        Index("ix_call_task_due", "due_at", postgresql_where=sql("status = 'open'")),
        index("call_task", "patient_id"),
        index("call_task", "closed_at"),
        index("call_task", "appointment_id"),
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.due_at:%d.%m.%Y %H:%M}"


class CallTaskReason(Made, Model):
    """Why a patient must be called: what it comes from, from which day on, in words."""

    __tablename__ = "call_task_reason"
    id: Mapped[Pk]
    task_id: Mapped[int] = mapped_column(ForeignKey("call_task.id"))
    task: Mapped[CallTask] = relationship(lazy="select")
    kind: Mapped[str] = mapped_column(String(20))
    due_on: Mapped[date]
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    planned_visit_id: Mapped[int | None] = mapped_column(ForeignKey("planned_visit.id"))
    waiting_entry_id: Mapped[int | None] = mapped_column(ForeignKey("waiting_entry.id"))
    note: Mapped[LongText]
    closed_at: Mapped[Instant | None]
    __table_args__ = (
        one_of("kind", TaskReasonKind, "call_task_reason"),
        index("call_task_reason", "task_id"),
        Index("uq_call_task_reason_once", "task_id", "kind",
              sql("COALESCE(appointment_id, 0)"), sql("COALESCE(planned_visit_id, 0)"),
              sql("COALESCE(waiting_entry_id, 0)"), unique=True, postgresql_where=sql("closed_at IS NULL")),
        index("call_task_reason", "appointment_id"),
        index("call_task_reason", "planned_visit_id"),
        index("call_task_reason", "waiting_entry_id"),
    )  # fmt: skip

    def __repr__(self) -> str:
        return self.kind


class CallAttempt(Made, Model):
    """One try to reach the patient, and what came of it. Append-only."""

    __tablename__ = "call_attempt"
    id: Mapped[Pk]
    task_id: Mapped[int] = mapped_column(ForeignKey("call_task.id"))
    task: Mapped[CallTask] = relationship(lazy="select")
    result: Mapped[str] = mapped_column(String(20))
    phone: Mapped[str] = mapped_column(String(20), default="", server_default="")
    comment: Mapped[LongText]
    next_try_at: Mapped[WallTime | None]
    __table_args__ = (
        one_of("result", AttemptResult, "call_attempt"),
        index("call_attempt", "task_id"),
        index("call_attempt", "created_at"),
    )

    def __repr__(self) -> str:
        return self.result
