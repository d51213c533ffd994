"""Who has no date yet: planned visits, the waiting list, and the times that were offered from it."""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import (
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
from app.vocab import OfferStatus, PlannedFrom, PlannedStatus, Urgency, WaitingKind, WaitingStatus, WantedDoctors


class RefusalReason(Archivable, Model):
    """Why a patient does not want a visit: on a planned visit, a waiting entry, a call."""

    __tablename__ = "refusal_reason"
    id: Mapped[Pk]
    name: Mapped[Name]
    __table_args__ = (UniqueConstraint("name", name="uq_refusal_reason_name"), not_blank("name", "refusal_reason"))

    def __repr__(self) -> str:
        return self.name


class PlannedVisit(Made, Model):
    """A patient should come in about so many months; there is no date yet. Called about on `call_on`."""

    __tablename__ = "planned_visit"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    target_from: Mapped[date]
    target_to: Mapped[date]
    tolerance_days: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="select")
    speciality_id: Mapped[int | None] = mapped_column(ForeignKey("speciality.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    minutes: Mapped[int] = mapped_column(SmallInteger, default=30, server_default="30")
    reason: Mapped[str] = mapped_column(String(400))
    wishes: Mapped[LongText]
    comment: Mapped[LongText]
    call_on: Mapped[date]
    status: Mapped[str] = mapped_column(String(20), default=PlannedStatus.PLANNED)
    made_from: Mapped[str] = mapped_column(String(20), default=PlannedFrom.CARD)
    from_appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"))
    #: The visit that fulfils it.
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    refusal_reason_id: Mapped[int | None] = mapped_column(ForeignKey("refusal_reason.id"))
    refusal_reason: Mapped[RefusalReason | None] = relationship(lazy="select")
    closed_at: Mapped[Instant | None]
    __table_args__ = (
        one_of("status", PlannedStatus, "planned_visit"),
        one_of("made_from", PlannedFrom, "planned_visit"),
        not_blank("reason", "planned_visit"),
        CheckConstraint("target_to >= target_from", name="ck_planned_visit_target_in_order"),
        CheckConstraint("tolerance_days BETWEEN 0 AND 180", name="ck_planned_visit_tolerance_sane"),
        CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_planned_visit_minutes_sane"),
        CheckConstraint("status <> 'booked' OR appointment_id IS NOT NULL", name="ck_planned_visit_booked_as_visit"),
        CheckConstraint("status <> 'declined' OR refusal_reason_id IS NOT NULL",
                        name="ck_planned_visit_declined_with_reason"),
        index("planned_visit", "patient_id"),
        index("planned_visit", "appointment_id"),
        index("planned_visit", "from_appointment_id"),
        Index("ix_planned_visit_open", "call_on",
              postgresql_where=sql("status IN ('planned', 'call_due', 'postponed')")),
        Index("ix_planned_visit_target", "target_from", "target_to",
              postgresql_where=sql("status IN ('planned', 'call_due', 'postponed')")),
    )  # fmt: skip

    def __repr__(self) -> str:
        return self.reason


class NextVisitRefusal(Made, Model):
    """On this day the patient left without a next visit, and said why; the last word of the day counts."""

    __tablename__ = "next_visit_refusal"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    refusal_reason_id: Mapped[int] = mapped_column(ForeignKey("refusal_reason.id"))
    refusal_reason: Mapped[RefusalReason] = relationship(lazy="joined")
    comment: Mapped[str] = mapped_column(String(400), default="", server_default="")
    business_day: Mapped[date]
    __table_args__ = (UniqueConstraint("patient_id", "business_day", name="uq_next_visit_refusal_once_a_day"),)

    def __repr__(self) -> str:
        return f"{self.business_day}"


class WaitingEntry(Made, Model):
    """A patient waits for a time that is not free now, with wishes; a freed time is matched against them.

    `windows` are minutes of the day (600–720 is 10:00–12:00), `weekdays` from 1, Monday.
    """

    __tablename__ = "waiting_entry"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    kind: Mapped[str] = mapped_column(String(20), default=WaitingKind.NO_TIME)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    #: The visit that the patient wants sooner, or the cancelled one.
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"))
    wanted_doctors: Mapped[str] = mapped_column(String(20), default=WantedDoctors.ANY)
    doctor_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list, server_default="{}")
    speciality_id: Mapped[int | None] = mapped_column(ForeignKey("speciality.id"))
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branch.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
    minutes: Mapped[int] = mapped_column(SmallInteger, default=30)
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{1,2,3,4,5,6,7}")
    windows: Mapped[Any] = mapped_column(INT4MULTIRANGE, server_default=sql("'{[0,1440)}'::int4multirange"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    notice_hours: Mapped[int] = mapped_column(SmallInteger, default=2, server_default="2")
    urgency: Mapped[str] = mapped_column(String(20), default=Urgency.USUAL)
    comment: Mapped[LongText]
    status: Mapped[str] = mapped_column(String(20), default=WaitingStatus.WAITING)
    refusal_reason_id: Mapped[int | None] = mapped_column(ForeignKey("refusal_reason.id"))
    refusal_reason: Mapped[RefusalReason | None] = relationship(lazy="select")
    #: The visit that ended the waiting.
    booked_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    closed_at: Mapped[Instant | None]
    __table_args__ = (
        one_of("kind", WaitingKind, "waiting_entry"),
        one_of("status", WaitingStatus, "waiting_entry"),
        one_of("wanted_doctors", WantedDoctors, "waiting_entry"),
        one_of("urgency", Urgency, "waiting_entry"),
        CheckConstraint("minutes BETWEEN 5 AND 720", name="ck_waiting_entry_minutes_sane"),
        CheckConstraint("notice_hours BETWEEN 0 AND 720", name="ck_waiting_entry_notice_sane"),
        CheckConstraint("last_day >= first_day", name="ck_waiting_entry_days_in_order"),
        CheckConstraint("weekdays <> '{}' AND weekdays <@ '{1,2,3,4,5,6,7}'", name="ck_waiting_entry_weekdays_known"),
        CheckConstraint("NOT isempty(windows) AND windows <@ int4range(0, 1440)",
                        name="ck_waiting_entry_windows_of_a_day"),
        CheckConstraint("wanted_doctors = 'any' OR doctor_ids <> '{}'", name="ck_waiting_entry_doctors_named"),
        CheckConstraint("status <> 'cancelled' OR refusal_reason_id IS NOT NULL",
                        name="ck_waiting_entry_cancelled_with_reason"),
        CheckConstraint("status <> 'booked' OR booked_id IS NOT NULL", name="ck_waiting_entry_booked_as_visit"),
        index("waiting_entry", "patient_id"),
        index("waiting_entry", "appointment_id"),
        index("waiting_entry", "booked_id"),
        Index("ix_waiting_entry_open", "first_day", "last_day",
              postgresql_where=sql("status IN ('waiting', 'offered')")),
        Index("uq_waiting_entry_move_up_once", "appointment_id", unique=True,
              postgresql_where=sql("kind = 'move_up' AND status IN ('waiting', 'offered')")),
    )  # fmt: skip

    def __repr__(self) -> str:
        return self.kind


class WaitingOffer(Made, Model):
    """A free time that was offered to a waiting patient until a moment. Offers of one time share its hold."""

    __tablename__ = "waiting_offer"
    id: Mapped[Pk]
    entry_id: Mapped[int] = mapped_column(ForeignKey("waiting_entry.id"))
    entry: Mapped[WaitingEntry] = relationship(lazy="select")
    hold_id: Mapped[int] = mapped_column(ForeignKey("time_block.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    chair_id: Mapped[int | None] = mapped_column(ForeignKey("chair.id"))
    starts_at: Mapped[WallTime]
    ends_at: Mapped[WallTime]
    expires_at: Mapped[Instant]
    status: Mapped[str] = mapped_column(String(20), default=OfferStatus.OPEN)
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    answered_at: Mapped[Instant | None]
    __table_args__ = (
        *same_day("waiting_offer"),
        one_of("status", OfferStatus, "waiting_offer"),
        CheckConstraint("(status = 'accepted') = (appointment_id IS NOT NULL)",
                        name="ck_waiting_offer_accepted_as_visit"),
        Index("uq_waiting_offer_one_open", "entry_id", unique=True, postgresql_where=sql("status = 'open'")),
        Index("uq_waiting_offer_one_winner", "hold_id", unique=True, postgresql_where=sql("status = 'accepted'")),
        Index("ix_waiting_offer_open", "expires_at", postgresql_where=sql("status = 'open'")),
        index("waiting_offer", "entry_id"),
        index("waiting_offer", "hold_id"),
        index("waiting_offer", "appointment_id"),
    )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.starts_at:%d.%m.%Y %H:%M}"
