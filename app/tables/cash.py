"""The cash desk: desks, shifts, movements of money, expense categories, receipts.

Movements are append-only (triggers); a desk's balance is kept by the trigger and never negative for cash.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, FetchedValue, ForeignKey, Index, Numeric, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote

from app.tables.base import Archivable, Instant, LongText, Made, Model, Money, Name, Pk, index, not_blank, one_of
from app.vocab import CountMoment, DeskKind, MovementKind, ReceiptKind


class CashDesk(Archivable, Model):
    """A place where money is kept: a drawer of a branch, or the account that card payments reach."""

    __tablename__ = "cash_desk"
    id: Mapped[Pk]
    name: Mapped[Name]
    kind: Mapped[str] = mapped_column(String(10))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="joined")
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    legal_entity = relationship("LegalEntity", lazy="joined")
    balance: Mapped[Money] = mapped_column(default=Decimal(0), server_default="0")
    #: The most that may stay overnight by the clinic's own order; more is for the bank (3210-У). None: no limit.
    cash_limit: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    __table_args__ = (
        CheckConstraint("cash_limit > 0", name="ck_cash_desk_limit_positive"),
        UniqueConstraint("branch_id", "name", name="uq_cash_desk_name"),
        one_of("kind", DeskKind, "cash_desk"),
        not_blank("name", "cash_desk"),
        CheckConstraint("balance >= 0", name="ck_cash_desk_balance_not_negative"),
        index("cash_desk", "legal_entity_id"),
    )

    def __repr__(self) -> str:
        return self.name


class CashShift(Model):
    """A desk's working day from the count at opening to the count at closing."""

    __tablename__ = "cash_shift"
    id: Mapped[Pk]
    desk_id: Mapped[int] = mapped_column(ForeignKey("cash_desk.id"))
    desk: Mapped[CashDesk] = relationship(lazy="joined")
    number: Mapped[int]
    opened_at: Mapped[Instant]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    business_day: Mapped[date]
    #: What the shift before was closed with, and what was counted now; the difference is the first movement.
    opening: Mapped[Money]
    opened_with: Mapped[Money]
    open_reason: Mapped[LongText]
    closed_at: Mapped[Instant | None]
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    expected: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    counted: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    close_reason: Mapped[LongText]
    __table_args__ = (
        UniqueConstraint("desk_id", "number", name="uq_cash_shift_number"),
        Index("uq_cash_shift_one_open_per_desk", "desk_id", unique=True, postgresql_where=sql("closed_at IS NULL")),
        CheckConstraint("opening >= 0", name="ck_cash_shift_opening_not_negative"),
        CheckConstraint("opened_with >= 0", name="ck_cash_shift_opened_with_not_negative"),
        CheckConstraint("counted >= 0", name="ck_cash_shift_counted_not_negative"),
        CheckConstraint("opened_with = opening OR btrim(open_reason) <> ''", name="ck_cash_shift_opening_reason"),
        CheckConstraint("counted = expected OR btrim(close_reason) <> ''", name="ck_cash_shift_closing_reason"),
        CheckConstraint(
            "(closed_at IS NULL) = (counted IS NULL) AND (closed_at IS NULL) = (expected IS NULL)",
            name="ck_cash_shift_closed_with_count",
        ),
        index("cash_shift", "business_day"),
    )

    @property
    def difference(self) -> Decimal | None:
        """Counted less expected; None while the shift is open."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected

    @property
    def sheet(self) -> int:
        """The number under which its report is opened; the panel makes a link of it."""
        return self.id

    def __repr__(self) -> str:
        return f"№ {self.number}"


class CashCount(Model):
    """So many notes or coins of a value lay in the drawer when its shift was opened, or closed; together: the count."""

    __tablename__ = "cash_count"
    shift_id: Mapped[int] = mapped_column(ForeignKey("cash_shift.id"), primary_key=True)
    moment: Mapped[str] = mapped_column(String(10), primary_key=True)
    value: Mapped[Decimal] = mapped_column(Numeric(12, 2), primary_key=True)
    pieces: Mapped[int]
    __table_args__ = (
        one_of("moment", CountMoment, "cash_count"),
        CheckConstraint("value > 0", name="ck_cash_count_value_positive"),
        CheckConstraint("pieces > 0", name="ck_cash_count_pieces_positive"),
    )

    def __repr__(self) -> str:
        return f"{self.value} × {self.pieces}"


class ExpenseCategory(Archivable, Made, Model):
    """Статья расходов: what money was spent on."""

    __tablename__ = "expense_category"
    id: Mapped[Pk]
    name: Mapped[Name]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("expense_category.id"))
    parent: Mapped["ExpenseCategory | None"] = relationship(
        remote_side="ExpenseCategory.id", lazy="joined", join_depth=1, foreign_keys="ExpenseCategory.parent_id"
    )
    #: The category that has taken its place; its movements are counted there.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("expense_category.id"))
    __table_args__ = (
        CheckConstraint(
            "merged_into_id IS NULL OR (archived AND merged_into_id <> id)",
            name="ck_expense_category_merged_is_archived",
        ),
        index("expense_category", "merged_into_id"),
        Index("uq_expense_category_name", sql("lower(name)"), unique=True),
        not_blank("name", "expense_category"),
        CheckConstraint("parent_id <> id", name="ck_expense_category_parent_other"),
        index("expense_category", "parent_id"),
    )

    def __repr__(self) -> str:
        return self.name


class CashMovement(Made, Model):
    """Money that came into a desk (+) or left it (−). A mistake is reversed by a linked row."""

    __tablename__ = "cash_movement"
    id: Mapped[Pk]
    desk_id: Mapped[int] = mapped_column(ForeignKey("cash_desk.id"))
    desk: Mapped[CashDesk] = relationship(lazy="joined")
    shift_id: Mapped[int | None] = mapped_column(ForeignKey("cash_shift.id"))
    #: Of a drawer `in` and `out`, the cash orders КО-1 and КО-2; of the bank's desk `bank_in` and `bank_out`.
    series: Mapped[str] = mapped_column(String(10))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    kind: Mapped[str] = mapped_column(String(20))
    delta: Mapped[Money]
    moved_at: Mapped[Instant]
    business_day: Mapped[date]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("expense_category.id"))
    category: Mapped[ExpenseCategory | None] = relationship(lazy="joined")
    #: As the category was called when money went: its papers say so for ever. Filled in by the database.
    category_name: Mapped[str | None] = mapped_column(String(200), server_default=FetchedValue())
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    counterparty: Mapped[str] = mapped_column(String(200), default="", server_default="")
    comment: Mapped[LongText]
    paired_id: Mapped[int | None] = mapped_column(ForeignKey("cash_movement.id"))
    #: Of a transfer the other side: the one that came names the one that left.
    paired: Mapped["CashMovement | None"] = relationship(
        remote_side="CashMovement.id", foreign_keys="CashMovement.paired_id", viewonly=True
    )
    pairing: Mapped["CashMovement | None"] = relationship(
        primaryjoin=lambda: foreign(remote(CashMovement.paired_id)) == CashMovement.id, uselist=False, viewonly=True
    )
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("cash_movement.id"))
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "series", "year", "number", name="uq_cash_movement_number"),
        UniqueConstraint("reverses_id", name="uq_cash_movement_reversed_once"),
        one_of("kind", MovementKind, "cash_movement"),
        CheckConstraint("delta <> 0", name="ck_cash_movement_not_zero"),
        CheckConstraint("series IN ('in', 'out', 'bank_in', 'bank_out')", name="ck_cash_movement_series_known"),
        CheckConstraint("(series IN ('in', 'bank_in')) = (delta > 0)", name="ck_cash_movement_series_by_sign"),
        CheckConstraint("kind <> 'withdrawal' OR category_id IS NOT NULL", name="ck_cash_movement_withdrawal_category"),
        index("cash_movement", "desk_id", "business_day"),
        index("cash_movement", "business_day"),
        index("cash_movement", "shift_id"),
        index("cash_movement", "category_id"),
        index("cash_movement", "patient_id"),
        index("cash_movement", "paired_id"),
    )

    @property
    def other_desk(self) -> CashDesk | None:
        """The desk to or from which a transfer went."""
        other = self.paired or self.pairing
        return other.desk if other is not None else None

    def __repr__(self) -> str:
        return f"№ {self.number}"


class Receipt(Made, Model):
    """The paper a patient gets for a payment or a refund: number and snapshot, the same for ever."""

    __tablename__ = "receipt"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(10))
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    payment = relationship("Payment", back_populates="receipt", lazy="select")
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    business_day: Mapped[date]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "year", "number", name="uq_receipt_number"),
        UniqueConstraint("payment_id", name="uq_receipt_payment"),
        UniqueConstraint("refund_id", name="uq_receipt_refund"),
        one_of("kind", ReceiptKind, "receipt"),
        CheckConstraint("(payment_id IS NULL) <> (refund_id IS NULL)", name="ck_receipt_of_one_operation"),
        index("receipt", "patient_id"),
    )

    @property
    def sheet(self) -> int:
        """The number under which the paper is fetched; the panel makes a link of it."""
        return self.id

    def __repr__(self) -> str:
        return f"№ {self.number}"
