"""Fiscal devices, and the receipts they must print: what was meant, what the device answered."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Instant, LongText, Made, Model, Money, Name, Pk, index, not_blank, one_of
from app.tables.clinic import Branch
from app.vocab import FiscalKind, FiscalStatus, Taxation


class FiscalDevice(Archivable, Model):
    """The cash register of a branch (ККТ) behind ATOL's web server; without an address the one of the settings.

    What it said last of itself stands here: its shift, what the ОФД has not got, what is wrong with it.
    """

    __tablename__ = "fiscal_device"
    id: Mapped[Pk]
    name: Mapped[Name]
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch: Mapped[Branch] = relationship(lazy="joined")
    address: Mapped[str] = mapped_column(String(200), default="", server_default="")
    taxation: Mapped[str] = mapped_column(String(20), default=Taxation.USN_INCOME)
    asked_at: Mapped[Instant | None]
    shift_state: Mapped[str] = mapped_column(String(10), default="", server_default="")
    shift_number: Mapped[int] = mapped_column(default=0, server_default="0")
    shift_expires_at: Mapped[Instant | None]
    not_sent: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[LongText]
    __table_args__ = (
        one_of("taxation", Taxation, "fiscal_device"),
        not_blank("name", "fiscal_device"),
        CheckConstraint("address ~ '^(https?://.+)?$'", name="ck_fiscal_device_address_of_a_server"),
        Index(
            "uq_fiscal_device_of_branch",
            "legal_entity_id",
            "branch_id",
            unique=True,
            postgresql_where=sql("NOT archived"),
        ),
        index("fiscal_device", "branch_id"),
    )

    def __repr__(self) -> str:
        return self.name


class FiscalReceipt(Made, Model):
    """A receipt that the device must print for a payment or a refund, exactly once.

    Written with the money. The device knows it by `uuid` and `round`: the round grows only after the device itself
    said that it printed nothing. What is printed is never changed (trigger).
    """

    __tablename__ = "fiscal_receipt"
    id: Mapped[Pk]
    uuid: Mapped[UUID] = mapped_column(Uuid, default=uuid4)
    round: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    device_id: Mapped[int] = mapped_column(ForeignKey("fiscal_device.id"))
    device: Mapped[FiscalDevice] = relationship(lazy="joined")
    kind: Mapped[str] = mapped_column(String(20))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    amount: Mapped[Money]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(10), default=FiscalStatus.PLANNED, server_default="planned")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    due_at: Mapped[Instant]
    sending_since: Mapped[Instant | None]
    error: Mapped[LongText]
    fn: Mapped[str] = mapped_column(String(20), default="", server_default="")
    document: Mapped[int | None]
    sign: Mapped[str] = mapped_column(String(20), default="", server_default="")
    registration: Mapped[str] = mapped_column(String(20), default="", server_default="")
    shift_number: Mapped[int | None]
    receipt_number: Mapped[int | None]
    printed_at: Mapped[Instant | None]
    __table_args__ = (
        UniqueConstraint("uuid", name="uq_fiscal_receipt_uuid"),
        UniqueConstraint("payment_id", name="uq_fiscal_receipt_payment"),
        UniqueConstraint("refund_id", name="uq_fiscal_receipt_refund"),
        UniqueConstraint("fn", "document", name="uq_fiscal_receipt_document"),
        one_of("kind", FiscalKind, "fiscal_receipt"),
        one_of("status", FiscalStatus, "fiscal_receipt"),
        CheckConstraint("(payment_id IS NULL) <> (refund_id IS NULL)", name="ck_fiscal_receipt_of_one_operation"),
        CheckConstraint("amount > 0", name="ck_fiscal_receipt_amount_positive"),
        CheckConstraint("(status = 'sending') = (sending_since IS NOT NULL)", name="ck_fiscal_receipt_sending_since"),
        CheckConstraint("(status = 'done') = (document IS NOT NULL)", name="ck_fiscal_receipt_printed_with_document"),
        Index("ix_fiscal_receipt_open", "due_at", postgresql_where=sql("status <> 'done'")),
        index("fiscal_receipt", "device_id", "id"),
    )

    def __repr__(self) -> str:
        return f"{self.kind} {self.amount}"
