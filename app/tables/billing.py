"""Work orders, payments, refunds, and the ledger that all balances are sums of.

Payments, refunds and ledger entries are append-only (triggers); mistakes are mended by new rows.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Instant, Made, Model, Money, Pk, index, not_blank, one_of
from app.tables.prices import Service
from app.vocab import LedgerKind, PaymentMethod, RefundKind, WorkOrderStatus


class WorkOrder(Made, Model):
    """Наряд: what was done for a patient in a visit and what it costs. Issued, it is a bill.

    `due` is what is still to be paid; the ledger's trigger keeps it and the status `paid`. A draft is never deleted: an
    annulled one keeps its number. A reversing order takes
    lines of the one it `reverses` back: its quantities and sums are below zero, so that sums over orders are right.
    """

    __tablename__ = "work_order"
    id: Mapped[Pk]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="select")
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="select")
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    appointment = relationship("Appointment", lazy="select")
    status: Mapped[str] = mapped_column(String(10), default=WorkOrderStatus.DRAFT)
    total: Mapped[Money] = mapped_column(default=Decimal(0))
    due: Mapped[Money] = mapped_column(default=Decimal(0), server_default="0")
    issued_at: Mapped[Instant | None]
    issued_day: Mapped[date | None]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    reason: Mapped[str] = mapped_column(String(400), default="", server_default="")
    lines: Mapped[list["WorkOrderLine"]] = relationship(
        back_populates="work_order", lazy="selectin", order_by="WorkOrderLine.position", cascade="all, delete-orphan"
    )
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "year", "number", name="uq_work_order_number"),
        one_of("status", WorkOrderStatus, "work_order"),
        CheckConstraint(
            "CASE WHEN reverses_id IS NULL THEN total >= 0 ELSE total <= 0 END", name="ck_work_order_total_not_negative"
        ),
        CheckConstraint("due BETWEEN 0 AND greatest(total, 0)", name="ck_work_order_due_within_total"),
        CheckConstraint(
            "status <> 'reversal' OR (reverses_id IS NOT NULL AND btrim(reason) <> '')",
            name="ck_work_order_reversal_of_an_order",
        ),
        CheckConstraint(
            "(status IN ('draft', 'annulled')) = (issued_day IS NULL)", name="ck_work_order_issued_with_day"
        ),
        CheckConstraint("status <> 'paid' OR due = 0", name="ck_work_order_paid_in_full"),
        index("work_order", "patient_id"),
        index("work_order", "doctor_id", "issued_day"),
        index("work_order", "appointment_id"),
        index("work_order", "issued_day", "branch_id"),
        index("work_order", "branch_id"),
        Index("ix_work_order_reverses_id", "reverses_id", postgresql_where=sql("reverses_id IS NOT NULL")),
        Index("ix_work_order_unpaid", "patient_id", "issued_at", postgresql_where=sql("status = 'issued'")),
        Index("ix_work_order_unpaid_day", "issued_day", "patient_id", postgresql_where=sql("status = 'issued'")),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class WorkOrderLine(Model):
    """A service of a work order, with the price of the day and the discount given.

    A trigger keeps all that reversing lines take back within the line they reverse.
    """

    __tablename__ = "work_order_line"
    id: Mapped[Pk]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    work_order: Mapped[WorkOrder] = relationship(back_populates="lines", lazy="select")
    position: Mapped[int] = mapped_column(SmallInteger)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    service: Mapped[Service] = relationship(lazy="joined")
    #: As the bill was issued; a draft is called as the price list calls it now.
    code: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str | None] = mapped_column(String(400))
    tooth: Mapped[str] = mapped_column(String(2), default="", server_default="")
    quantity: Mapped[int] = mapped_column(SmallInteger)
    price: Mapped[Money]
    discount_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    discount: Mapped[Money] = mapped_column(default=Decimal(0))
    discount_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    assistant_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    total: Mapped[Money]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("work_order_line.id"))
    __table_args__ = (
        UniqueConstraint("work_order_id", "position", name="uq_work_order_line_position"),
        CheckConstraint(
            "CASE WHEN reverses_id IS NULL THEN quantity BETWEEN 1 AND 999 ELSE quantity BETWEEN -999 AND -1 END",
            name="ck_work_order_line_quantity_sane",
        ),
        CheckConstraint("price >= 0", name="ck_work_order_line_price_not_negative"),
        CheckConstraint(
            "discount BETWEEN SYMMETRIC 0 AND price * quantity", name="ck_work_order_line_discount_within_price"
        ),
        CheckConstraint("total = price * quantity - discount", name="ck_work_order_line_total"),
        CheckConstraint("(code IS NULL) = (name IS NULL)", name="ck_work_order_line_named"),
        CheckConstraint("tooth ~ '^([1-4][1-8]|[5-8][1-5])?$'", name="ck_work_order_line_tooth_fdi"),
        index("work_order_line", "service_id"),
        Index("ix_work_order_line_reverses_id", "reverses_id", postgresql_where=sql("reverses_id IS NOT NULL")),
    )

    @property
    def called(self) -> tuple[str, str]:
        """Code and name of what was done."""
        return (self.code or self.service.code, self.name or self.service.name)

    def __repr__(self) -> str:
        return f"{self.position}"


class Payment(Made, Model):
    """Money taken for a patient at one moment, in one or several ways. Never edited, never deleted.

    `payer_id` is whose money it was, the patient's too; None where nobody knows: it was taken before that was asked,
    or for a child whose card names no adult.
    """

    __tablename__ = "payment"
    id: Mapped[Pk]
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select", foreign_keys="Payment.patient_id")
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    payer = relationship("Patient", lazy="select", foreign_keys="Payment.payer_id")
    amount: Mapped[Money]
    tendered: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    change: Mapped[Money] = mapped_column(default=Decimal(0))
    business_day: Mapped[date]
    paid_at: Mapped[Instant]
    parts: Mapped[list["PaymentPart"]] = relationship(
        back_populates="payment", lazy="selectin", order_by="PaymentPart.id"
    )
    entries: Mapped[list["LedgerEntry"]] = relationship(
        back_populates="payment", lazy="select", order_by="LedgerEntry.id"
    )
    receipt = relationship("Receipt", back_populates="payment", lazy="select", uselist=False)
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "year", "number", name="uq_payment_number"),
        CheckConstraint("amount > 0", name="ck_payment_amount_positive"),
        CheckConstraint("change >= 0", name="ck_payment_change_not_negative"),
        index("payment", "patient_id"),
        Index("ix_payment_payer_id", "payer_id", postgresql_where=sql("payer_id IS NOT NULL")),
        index("payment", "business_day", "branch_id"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class PaymentPart(Model):
    """The share of a payment paid in one way; money goes into a desk, an advance does not."""

    __tablename__ = "payment_part"
    id: Mapped[Pk]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    payment: Mapped[Payment] = relationship(back_populates="parts", lazy="select")
    method: Mapped[str] = mapped_column(String(10))
    amount: Mapped[Money]
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("cash_desk.id"))
    movement_id: Mapped[int | None] = mapped_column(ForeignKey("cash_movement.id"))
    #: Where the advance came from, when it was a relative's or a certificate's.
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("advance_transfer.id"))
    __table_args__ = (
        one_of("method", PaymentMethod, "payment_part"),
        CheckConstraint("transfer_id IS NULL OR method = 'advance'", name="ck_payment_part_of_a_relative_is_advance"),
        UniqueConstraint("transfer_id", name="uq_payment_part_transfer"),
        CheckConstraint("amount > 0", name="ck_payment_part_amount_positive"),
        CheckConstraint("(method = 'advance') = (movement_id IS NULL)", name="ck_payment_part_money_in_desk"),
        CheckConstraint("(desk_id IS NULL) = (movement_id IS NULL)", name="ck_payment_part_desk_with_movement"),
        index("payment_part", "payment_id"),
        UniqueConstraint("movement_id", name="uq_payment_part_movement"),
    )

    def __repr__(self) -> str:
        return f"{self.method}: {self.amount}"


class Certificate(Made, Model):
    """A gift certificate: a sum somebody paid ahead for whoever brings the number.

    Passed advances move what is left of it.
    """

    __tablename__ = "certificate"
    id: Mapped[Pk]
    number: Mapped[str] = mapped_column(String(20))
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    buyer_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    #: None: bought with an advance that was there.
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    amount: Mapped[Money]
    balance: Mapped[Money] = mapped_column(default=Decimal(0), server_default="0")
    business_day: Mapped[date]
    #: The last day it is taken; None: for ever.
    valid_until: Mapped[date | None]
    __table_args__ = (
        Index("uq_certificate_number", sql("lower(number)"), unique=True),
        UniqueConstraint("payment_id", name="uq_certificate_payment"),
        not_blank("number", "certificate"),
        CheckConstraint("amount > 0", name="ck_certificate_amount_positive"),
        CheckConstraint("balance BETWEEN 0 AND amount", name="ck_certificate_balance_within_amount"),
        CheckConstraint("valid_until >= business_day", name="ck_certificate_valid_after_sale"),
        index("certificate", "buyer_id"),
        index("certificate", "legal_entity_id"),
        index("certificate", "branch_id"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class AdvanceTransfer(Made, Model):
    """An advance of one patient passed to a relative, into a certificate, or out of one.

    Never edited; the ledger has the patients' sides (trigger). Without `from_id` it came from the certificate, without
    `to_id` it went into it. `refund_id`: the refund that gave it back to the relative whose advance had paid.
    """

    __tablename__ = "advance_transfer"
    id: Mapped[Pk]
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    from_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    amount: Mapped[Money]
    business_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(400), default="", server_default="")
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_advance_transfer_amount_positive"),
        CheckConstraint(
            "refund_id IS NULL OR certificate_id IS NULL", name="ck_advance_transfer_given_back_to_a_relative"
        ),
        CheckConstraint("from_id <> to_id", name="ck_advance_transfer_of_two"),
        CheckConstraint(
            "num_nonnulls(from_id, to_id) = CASE WHEN certificate_id IS NULL THEN 2 ELSE 1 END",
            name="ck_advance_transfer_of_a_certificate",
        ),
        index("advance_transfer", "certificate_id"),
        index("advance_transfer", "from_id"),
        index("advance_transfer", "refund_id"),
        index("advance_transfer", "to_id"),
    )

    def __repr__(self) -> str:
        return f"{self.amount}"


class Refund(Made, Model):
    """Money of one payment returned to the patient, with the reason; of a bill, of an advance, or a mistake of today.

    A cancellation is whole, of the payment's own day and shift (trigger).
    """

    __tablename__ = "refund"
    id: Mapped[Pk]
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    payment: Mapped[Payment] = relationship(lazy="select")
    kind: Mapped[str] = mapped_column(String(20), default=RefundKind.REFUND, server_default="refund")
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient = relationship("Patient", lazy="select")
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(String(400))
    business_day: Mapped[date]
    refunded_at: Mapped[Instant]
    parts: Mapped[list["RefundPart"]] = relationship(back_populates="refund", lazy="selectin", order_by="RefundPart.id")
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "year", "number", name="uq_refund_number"),
        one_of("kind", RefundKind, "refund"),
        CheckConstraint("amount > 0", name="ck_refund_amount_positive"),
        not_blank("reason", "refund"),
        index("refund", "payment_id"),
        index("refund", "patient_id"),
        index("refund", "business_day", "branch_id"),
    )

    def __repr__(self) -> str:
        return f"№ {self.number}"


class RefundPart(Model):
    """The share of a refund that goes back the way it came: the same method, the same desk.

    A trigger keeps the sum of all returns of a payment's part within that part.
    """

    __tablename__ = "refund_part"
    id: Mapped[Pk]
    refund_id: Mapped[int] = mapped_column(ForeignKey("refund.id"))
    refund: Mapped[Refund] = relationship(back_populates="parts", lazy="select")
    payment_part_id: Mapped[int] = mapped_column(ForeignKey("payment_part.id"))
    payment_part: Mapped[PaymentPart] = relationship(lazy="joined")
    amount: Mapped[Money]
    movement_id: Mapped[int | None] = mapped_column(ForeignKey("cash_movement.id"))
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_refund_part_amount_positive"),
        index("refund_part", "refund_id"),
        index("refund_part", "payment_part_id"),
        UniqueConstraint("movement_id", name="uq_refund_part_movement"),
    )

    def __repr__(self) -> str:
        return f"{self.amount}"


class LedgerEntry(Made, Model):
    """One change of what a patient owes or has paid ahead. Balances and reports are sums of these.

    Triggers look that the operation it is of adds up with it.
    """

    __tablename__ = "ledger_entry"
    id: Mapped[Pk]
    kind: Mapped[str] = mapped_column(String(20))
    business_day: Mapped[date]
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"))
    payment: Mapped[Payment | None] = relationship(back_populates="entries", lazy="select")
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"))
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("advance_transfer.id"))
    debt_change: Mapped[Money] = mapped_column(default=Decimal(0))
    advance_change: Mapped[Money] = mapped_column(default=Decimal(0))
    __table_args__ = (
        one_of("kind", LedgerKind, "ledger_entry"),
        CheckConstraint("debt_change = 0 OR work_order_id IS NOT NULL", name="ck_ledger_entry_debt_of_a_bill"),
        CheckConstraint(
            "CASE WHEN kind IN ('bill', 'bill_reopened')"
            " THEN work_order_id IS NOT NULL AND num_nonnulls(payment_id, refund_id) = 0"
            " WHEN kind IN ('payment', 'advance_in', 'advance_used') THEN payment_id IS NOT NULL AND refund_id IS NULL"
            " WHEN kind = 'refund' THEN num_nonnulls(payment_id, refund_id) = 2"
            " WHEN kind = 'paid_to_advance'"
            " THEN payment_id IS NOT NULL AND refund_id IS NULL AND debt_change = advance_change"
            " ELSE num_nonnulls(payment_id, refund_id) = 0 END",
            name="ck_ledger_entry_of_an_operation",
        ),
        index("ledger_entry", "patient_id", "id"),
        index("ledger_entry", "business_day", "branch_id"),
        index("ledger_entry", "work_order_id"),
        index("ledger_entry", "payment_id"),
        index("ledger_entry", "refund_id"),
        Index("ix_ledger_entry_reversal_id", "reversal_id", postgresql_where=sql("reversal_id IS NOT NULL")),
        CheckConstraint(
            "(kind IN ('bill_reversed', 'paid_to_advance')) = (reversal_id IS NOT NULL)",
            name="ck_ledger_entry_reversal_named",
        ),
        Index("ix_ledger_entry_transfer_id", "transfer_id", postgresql_where=sql("transfer_id IS NOT NULL")),
        CheckConstraint(
            "(kind IN ('advance_moved', 'to_certificate', 'from_certificate')) = (transfer_id IS NOT NULL)",
            name="ck_ledger_entry_transfer_named",
        ),
    )

    def __repr__(self) -> str:
        return f"{self.kind}: {self.debt_change} / {self.advance_change}"


class PatientAccount(Model):
    """A patient's debt and advance: the sums of the ledger, kept by its trigger."""

    __tablename__ = "patient_account"
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    debt: Mapped[Money] = mapped_column(default=Decimal(0), server_default="0")
    advance: Mapped[Money] = mapped_column(default=Decimal(0), server_default="0")
    __table_args__ = (
        CheckConstraint("debt >= 0", name="ck_patient_account_debt_not_negative"),
        CheckConstraint("advance >= 0", name="ck_patient_account_advance_not_negative"),
        Index("ix_patient_account_debtors", "debt", "patient_id", postgresql_where=sql("debt > 0")),
        Index("ix_patient_account_advances", "advance", "patient_id", postgresql_where=sql("advance > 0")),
    )

    def __repr__(self) -> str:
        return f"{self.debt} / {self.advance}"
