"""Message templates and the outbox: what must be sent is a row first."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Instant, LongText, Made, Model, Name, Pk, index, not_blank, one_of
from app.vocab import MessageKind, MessageStatus


class MessageTemplate(Archivable, Model):
    """The text of a message to a patient, with fields in braces: {patient}, {day}, {time}, {doctor}…"""

    __tablename__ = "message_template"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[Name]
    body: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("kind", name="uq_message_template_kind"),
        one_of("kind", MessageKind, "message_template"),
        not_blank("body", "message_template"),
        CheckConstraint("length(body) <= 1000", name="ck_message_template_body_length"),
    )

    def __repr__(self) -> str:
        return self.name


class OutboxMessage(Made, Model):
    """A message to be sent: committed with the change that caused it, sent by a job.

    `id` is also the reference that the gateway gets, so that after a crash between sending and
    marking the outcome can be asked for. One message per visit, kind and planned time.
    """

    __tablename__ = "outbox_message"
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"))
    appointment = relationship("Appointment", lazy="select")
    planned_time: Mapped[datetime]
    phone: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), default=MessageStatus.PENDING)
    due_at: Mapped[Instant]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    sending_since: Mapped[Instant | None]
    sent_at: Mapped[Instant | None]
    parts: Mapped[int | None] = mapped_column(SmallInteger)
    price: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    error: Mapped[LongText]
    __table_args__ = (
        UniqueConstraint("appointment_id", "kind", "planned_time", name="uq_outbox_message_once"),
        one_of("kind", MessageKind, "outbox_message"),
        one_of("status", MessageStatus, "outbox_message"),
        Index("ix_outbox_message_due", "due_at", postgresql_where=sql("status IN ('pending', 'sending')")),
        index("outbox_message", "patient_id"),
    )

    def __repr__(self) -> str:
        return f"{self.kind} {self.phone}"
