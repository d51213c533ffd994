"""Fiscal devices, and what they must print and be told of: what was meant, what the device answered."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, String, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Instant, LongText, Made, Model, Money, Name, Pk, index, not_blank, one_of
from app.tables.clinic import Branch
from app.vocab import FiscalKind, FiscalStatus, Taxation


class FiscalDevice(Archivable, Model):
    """The cash register of a branch (ККТ) behind ATOL's web server; without an address the one of the settings.

    What it said last of itself stands here: its shift, its drawer, what the ОФД has not got, what is wrong with it.
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
    #: Who asked that its shift be closed; empty: nobody.
    closing_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: The cash that it counts in its drawer, and when it said so; None: not asked since its receipts changed it.
    drawer: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    drawer_at: Mapped[Instant | None]
    #: Who asked that its drawer be levelled with the desks; empty: nobody.
    levelling_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: A question to the device that it has not answered yet: nothing else is asked before.
    pending: Mapped[str] = mapped_column(String(36), default="", server_default="")
    problem: Mapped[LongText]
    __table_args__ = (
        one_of("taxation", Taxation, "fiscal_device"),
        not_blank("name", "fiscal_device"),
        CheckConstraint("address ~ '^(https?://.+)?$'", name="ck_fiscal_device_address_of_a_server"),
        CheckConstraint("(drawer IS NULL) = (drawer_at IS NULL)", name="ck_fiscal_device_drawer_said_when"),
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


#: Receipts that are, or will be, on paper.
_LIVING = sql("status <> 'replaced'")
#: What is no receipt: the device counts it in its drawer.
_OF_DRAWER = "kind IN ('cashIn', 'cashOut')"


class FiscalReceipt(Made, Model):
    """What the device must do with money, exactly once: print the receipt of a payment, a refund or a reversing order,
    or count in its drawer the cash that came into a desk, or left it, otherwise.

    Written with the money. The device knows it by `uuid` and `round`: the round grows only after the device itself
    said that it printed nothing. What is printed is never changed (trigger). A receipt that was certainly never
    printed may be replaced by a correction, which is of the same operation. A reversing order has two: the return of
    what was paid, and the advance that it became. A movement has one, for ever; what counts cash without a movement
    levels the device's drawer with the desks.
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
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    movement_id: Mapped[int | None] = mapped_column(ForeignKey("cash_movement.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("fiscal_receipt.id"))
    #: What was paid or given back, without what is owed on credit.
    amount: Mapped[Money]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: Which of its positions are of which bill, in their order: [[work order, how many positions], …]; the rest none's.
    bills: Mapped[list[list[int]]] = mapped_column(JSONB, default=list, server_default=sql("'[]'"))
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
        Index("uq_fiscal_receipt_payment", "payment_id", unique=True, postgresql_where=_LIVING),
        Index("uq_fiscal_receipt_refund", "refund_id", unique=True, postgresql_where=_LIVING),
        Index(
            "uq_fiscal_receipt_reversal_returned",
            "reversal_id",
            unique=True,
            postgresql_where=sql("status <> 'replaced' AND kind IN ('sellReturn', 'sellReturnCorrection')"),
        ),
        Index(
            "uq_fiscal_receipt_reversal_kept",
            "reversal_id",
            unique=True,
            postgresql_where=sql("status <> 'replaced' AND kind IN ('sell', 'sellCorrection')"),
        ),
        UniqueConstraint("movement_id", name="uq_fiscal_receipt_movement"),
        UniqueConstraint("corrects_id", name="uq_fiscal_receipt_corrects"),
        UniqueConstraint("fn", "document", name="uq_fiscal_receipt_document"),
        one_of("kind", FiscalKind, "fiscal_receipt"),
        one_of("status", FiscalStatus, "fiscal_receipt"),
        CheckConstraint(
            f"CASE WHEN {_OF_DRAWER} THEN num_nonnulls(payment_id, refund_id, reversal_id) = 0"
            " ELSE num_nonnulls(payment_id, refund_id, reversal_id) = 1 AND movement_id IS NULL END",
            name="ck_fiscal_receipt_of_one_operation",
        ),
        CheckConstraint(
            "(corrects_id IS NOT NULL) = (kind IN ('sellCorrection', 'sellReturnCorrection'))",
            name="ck_fiscal_receipt_correction_named",
        ),
        CheckConstraint("amount >= 0", name="ck_fiscal_receipt_amount_not_negative"),
        CheckConstraint("(status = 'sending') = (sending_since IS NOT NULL)", name="ck_fiscal_receipt_sending_since"),
        CheckConstraint(
            f"CASE WHEN {_OF_DRAWER} THEN document IS NULL ELSE (status = 'done') = (document IS NOT NULL) END",
            name="ck_fiscal_receipt_printed_with_document",
        ),
        CheckConstraint(
            f"CASE WHEN {_OF_DRAWER} THEN amount > 0 AND status <> 'replaced' ELSE status <> 'left' END",
            name="ck_fiscal_receipt_drawer_left",
        ),
        CheckConstraint(
            "document IS NULL OR (document > 0 AND fn <> '')", name="ck_fiscal_receipt_printed_with_numbers"
        ),
        Index(
            "ix_fiscal_receipt_open",
            "device_id",
            "id",
            postgresql_where=sql("status NOT IN ('done', 'replaced', 'left')"),
        ),
        index("fiscal_receipt", "device_id", "id"),
    )

    def __repr__(self) -> str:
        return f"{self.kind} {self.amount}"


class FiscalCredit(Model):
    """How a receipt changed what of a bill is on credit: services told of but not paid (+), paid later (−)."""

    __tablename__ = "fiscal_credit"
    receipt_id: Mapped[int] = mapped_column(ForeignKey("fiscal_receipt.id"), primary_key=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), primary_key=True)
    change: Mapped[Money]
    __table_args__ = (
        CheckConstraint("change <> 0", name="ck_fiscal_credit_not_zero"),
        index("fiscal_credit", "work_order_id"),
    )

    def __repr__(self) -> str:
        return f"{self.change}"


class FiscalShift(Made, Model):
    """A shift of a device that was, or is being, closed: what the device told of it and what the program counted.

    Written before the device is told to close it, so that its totals are not lost with it. `uuid` is the task.
    """

    __tablename__ = "fiscal_shift"
    id: Mapped[Pk]
    device_id: Mapped[int] = mapped_column(ForeignKey("fiscal_device.id"))
    device: Mapped[FiscalDevice] = relationship(lazy="joined")
    number: Mapped[int]
    uuid: Mapped[UUID] = mapped_column(Uuid, default=uuid4)
    #: Both: {"sell": {"count", "sum", "cash", …}, "sellReturn": {…}}, sums in kopecks.
    told: Mapped[dict[str, Any]] = mapped_column(JSONB)
    counted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    closed_at: Mapped[Instant | None]
    document: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("device_id", "number", name="uq_fiscal_shift_number"),
        UniqueConstraint("uuid", name="uq_fiscal_shift_uuid"),
        CheckConstraint("(closed_at IS NULL) = (document IS NULL)", name="ck_fiscal_shift_closed_with_document"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class SlipPrinter(Archivable, Model):
    """A thermal printer of a branch that prints slips over the network; without an address the one of the settings."""

    __tablename__ = "slip_printer"
    id: Mapped[Pk]
    name: Mapped[Name]
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch: Mapped[Branch] = relationship(lazy="joined")
    #: host:port, like 192.168.1.50:9100.
    address: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: How many letters a row has: 32 on paper of 58 mm, 42 or 48 on 80 mm.
    columns: Mapped[int] = mapped_column(SmallInteger, default=42, server_default="42")
    #: The number under which this printer knows the code page CP866.
    code_page: Mapped[int] = mapped_column(SmallInteger, default=17, server_default="17")
    __table_args__ = (
        not_blank("name", "slip_printer"),
        CheckConstraint("address ~ '^([^:/]+:[0-9]{1,5})?$'", name="ck_slip_printer_address_with_port"),
        CheckConstraint("columns BETWEEN 24 AND 64", name="ck_slip_printer_columns_of_a_tape"),
        CheckConstraint("code_page BETWEEN 0 AND 255", name="ck_slip_printer_code_page_one_byte"),
        Index("uq_slip_printer_of_branch", "branch_id", unique=True, postgresql_where=sql("NOT archived")),
    )

    def __repr__(self) -> str:
        return self.name
