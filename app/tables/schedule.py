"""The schedule: appointments, closed and held time, and what each person keeps beside it."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import (
    RANGE,
    Archivable,
    Instant,
    LongText,
    Made,
    Model,
    Name,
    Pk,
    WallTime,
    index,
    not_blank,
    one_of,
    same_day,
)
from app.vocab import FREES_TIME, AppointmentStatus, BlockKind, CancelledBy, Confirmation

_FREED = ", ".join(f"'{status}'" for status in FREES_TIME)
#: The row keeps its time busy.
BUSY = f"status NOT IN ({_FREED})"
#: The block still closes its time at `:now`: nobody lifted it, and a hold has not ended by itself.
STANDS = "lifted_at IS NULL AND (expires_at IS NULL OR expires_at > :now)"


class CancelReason(Archivable, Model):
    """Why visits are cancelled."""

    __tablename__ = "cancel_reason"
    id: Mapped[Pk]
    name: Mapped[Name]
    __table_args__ = (UniqueConstraint("name", name="uq_cancel_reason_name"), not_blank("name", "cancel_reason"))

    def __repr__(self) -> str:
        return self.name


class Appointment(Made, Model):
    """A visit: a patient, a doctor, a time, and what became of it. A move keeps the same row."""

    __tablename__ = "appointment"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="select")
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="select")
    chair_id: Mapped[int | None] = mapped_column(ForeignKey("chair.id"))
    chair = relationship("Chair", lazy="select")
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    starts_at: Mapped[WallTime]
    ends_at: Mapped[WallTime]
    status: Mapped[str] = mapped_column(String(20), default=AppointmentStatus.BOOKED)
    confirmation: Mapped[str] = mapped_column(String(20), default=Confirmation.NOT_NOTIFIED)
    first_visit: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[LongText]
    overbooked: Mapped[bool] = mapped_column(default=False)
    overbook_reason: Mapped[LongText]
    outside_hours_reason: Mapped[LongText]
    moves: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    #: How many times the desk tried to reach the patient about this time; a move begins anew.
    notify_attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    #: Visits that were booked as one series share a number of the sequence `appointment_series`; each is moved and
    #: cancelled by itself.
    series_id: Mapped[int | None]
    arrived_at: Mapped[Instant | None]
    started_at: Mapped[Instant | None]
    completed_at: Mapped[Instant | None]
    cancelled_at: Mapped[Instant | None]
    cancelled_by: Mapped[str | None] = mapped_column(String(10))
    cancel_reason_id: Mapped[int | None] = mapped_column(ForeignKey("cancel_reason.id"))
    cancel_reason: Mapped[CancelReason | None] = relationship(lazy="select")
    cancel_comment: Mapped[LongText]
    late_cancel: Mapped[bool] = mapped_column(default=False, server_default="false")
    __table_args__ = (
        *same_day("appointment"),
        one_of("status", AppointmentStatus, "appointment"),
        one_of("confirmation", Confirmation, "appointment"),
        one_of("cancelled_by", CancelledBy, "appointment"),
        CheckConstraint("status <> 'cancelled' OR (cancelled_by IS NOT NULL AND cancel_reason_id IS NOT NULL)",
                        name="ck_appointment_cancelled_with_reason"),
        CheckConstraint("overbooked = (overbook_reason <> '')", name="ck_appointment_overbooked_with_reason"),
        ExcludeConstraint(("doctor_id", "="), (RANGE, "&&"), using="gist",
                          where=sql(f"{BUSY} AND NOT overbooked"), name="ex_appointment_doctor_busy"),
        ExcludeConstraint(("chair_id", "="), (RANGE, "&&"), using="gist",
                          where=sql(f"{BUSY} AND NOT overbooked"), name="ex_appointment_chair_busy"),
        ExcludeConstraint(("patient_id", "="), (RANGE, "&&"), using="gist",
                          where=sql(BUSY), name="ex_appointment_patient_busy"),
        index("appointment", "starts_at", "branch_id"),
        index("appointment", "patient_id", "starts_at"),
        index("appointment", "doctor_id", "starts_at"),
        index("appointment", "chair_id", "starts_at"),
        index("appointment", "service_id"),
        index("appointment", "branch_id"),
        Index("ix_appointment_series", "series_id", postgresql_where=sql("series_id IS NOT NULL")),
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.starts_at:%d.%m.%Y %H:%M}"


class TimeBlock(Made, Model):
    """Time of a doctor or a chair that is closed (meeting, repair) or held for somebody."""

    __tablename__ = "time_block"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    kind: Mapped[str] = mapped_column(String(10), default=BlockKind.BLOCK)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    chair_id: Mapped[int | None] = mapped_column(ForeignKey("chair.id"))
    starts_at: Mapped[WallTime]
    ends_at: Mapped[WallTime]
    reason: Mapped[str] = mapped_column(String(200))
    #: A hold ends by itself then, whether a job has lifted it yet or not.
    expires_at: Mapped[Instant | None]
    lifted_at: Mapped[Instant | None]
    __table_args__ = (
        *same_day("time_block"),
        one_of("kind", BlockKind, "time_block"),
        not_blank("reason", "time_block"),
        CheckConstraint("doctor_id IS NOT NULL OR chair_id IS NOT NULL", name="ck_time_block_of_somebody"),
        Index("ix_time_block_open", "starts_at", "branch_id", postgresql_where=sql("lifted_at IS NULL")),
        index("time_block", "doctor_id", "starts_at"),
        index("time_block", "chair_id", "starts_at"),
    )

    def __repr__(self) -> str:
        return self.reason


class ShelfItem(Model):
    """A visit on somebody's shelf «Полка», on its way to another time; until then it keeps its place."""

    __tablename__ = "shelf_item"
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    put_at: Mapped[Instant]
    __table_args__ = (index("shelf_item", "user_id"),)

    def __repr__(self) -> str:
        return str(self.appointment_id)


class SavedView(Model):
    """How a person likes to see the schedule: branch, doctors, by doctor or by chair, colours."""

    __tablename__ = "saved_view"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    name: Mapped[str] = mapped_column(String(60))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: When the person chose it; only the view that was used last has it.
    used_at: Mapped[Instant | None]
    __table_args__ = (
        UniqueConstraint("user_id", "name", name="uq_saved_view_name"),
        not_blank("name", "saved_view"),
    )

    def __repr__(self) -> str:
        return self.name


class CalendarFeed(Made, Model):
    """A secret address from which a doctor's calendar program reads the doctor's visits; only its hash is kept."""

    __tablename__ = "calendar_feed"
    id: Mapped[Pk]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="joined")
    secret_hash: Mapped[str] = mapped_column(String(64))
    last_read_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
    __table_args__ = (
        UniqueConstraint("secret_hash", name="uq_calendar_feed_secret"),
        Index("uq_calendar_feed_one_per_doctor", "doctor_id", unique=True, postgresql_where=sql("revoked_at IS NULL")),
    )

    def __repr__(self) -> str:
        return str(self.doctor_id)
