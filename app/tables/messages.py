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
from app.vocab import MessageKind, MessageStatus, ReplyMeaning


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
    #: What it says of its own visit; the body says more when several visits are told in one.
    said: Mapped[LongText]
    #: How often it was sent again by hand after it had not been delivered: each time a new reference at the gateway.
    resends: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    #: When the gateway was last asked whether it was delivered.
    asked_at: Mapped[Instant | None]
    #: The message that told of this visit too: several visits of a patient on a day are told in one.
    joined_to_id: Mapped[int | None] = mapped_column(ForeignKey("outbox_message.id"))
    __table_args__ = (
        UniqueConstraint("appointment_id", "kind", "planned_time", name="uq_outbox_message_once"),
        one_of("kind", MessageKind, "outbox_message"),
        one_of("status", MessageStatus, "outbox_message"),
        Index("ix_outbox_message_due", "due_at", postgresql_where=sql("status IN ('pending', 'sending')")),
        index("outbox_message", "patient_id"),
        CheckConstraint("(status = 'joined') = (joined_to_id IS NOT NULL)", name="ck_outbox_message_joined_to_another"),
        Index("ix_outbox_message_undelivered", "sent_at", postgresql_where=sql("status = 'sent'")),
        Index("ix_outbox_message_joined", "joined_to_id", postgresql_where=sql("joined_to_id IS NOT NULL")),
    )

    def __repr__(self) -> str:
        return f"{self.kind} {self.phone}"


class IncomingMessage(Model):
    """A patient's reply, as the gateway gave it, and what was understood. Taken once, by the gateway's number.

    `handled_at` is empty while somebody at the desk must look at it.
    """

    __tablename__ = "incoming_message"
    id: Mapped[Pk]
    gateway_id: Mapped[str] = mapped_column(String(60))
    phone: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(Text)
    received_at: Mapped[Instant]
    meaning: Mapped[str] = mapped_column(String(20))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id", ondelete="SET NULL"))
    handled_at: Mapped[Instant | None]
    handled_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        UniqueConstraint("gateway_id", name="uq_incoming_message_once"),
        one_of("meaning", ReplyMeaning, "incoming_message"),
        index("incoming_message", "received_at"),
        Index("ix_incoming_message_unhandled", "id", postgresql_where=sql("handled_at IS NULL")),
        index("incoming_message", "patient_id"),
        index("incoming_message", "appointment_id"),
    )

    def __repr__(self) -> str:
        return self.phone


class ConfirmLink(Model):
    """The short address in a reminder where the patient says yes or no. Good for one visit at one time."""

    __tablename__ = "confirm_link"
    token: Mapped[str] = mapped_column(String(16), primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    planned_time: Mapped[datetime]
    created_at: Mapped[Instant]
    answered_at: Mapped[Instant | None]
    __table_args__ = (UniqueConstraint("appointment_id", "planned_time", name="uq_confirm_link_one_per_time"),)

    def __repr__(self) -> str:
        return str(self.appointment_id)
