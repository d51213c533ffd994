"""«Bills and payments»: two blocks and the bridge between the debts, and what each figure is made of.

Where next: `outstanding.py`, what stood when a day ended.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from app.access import Window
from app.db import session
from app.models import (
    Employee,
    LedgerEntry,
    Patient,
    PatientAccount,
    Payment,
    PaymentPart,
    Refund,
    RefundPart,
    WorkOrder,
)
from app.money import ZERO
from app.reports.queries.base import (
    BILLS,
    EVERYTHING,
    UNPAID,
    Figures,
    Page,
    Row,
    fio,
    of_orders,
    rows_of,
    summed,
    within,
)
from app.vocab import LedgerKind, PaymentMethod, WorkOrderStatus


def ledger(
    window: Window | None, branch_id: int | None, doctor_id: int | None, *columns: Any, after: date | None = None
) -> Select[Any]:
    """Sums over the ledger: bills by the branch and doctor of their order, advances by the branch that took them."""
    statement = select(*columns).select_from(LedgerEntry)
    if window is not None:
        statement = statement.where(within(LedgerEntry.business_day, window))
    if after is not None:
        statement = statement.where(LedgerEntry.business_day > after)
    if branch_id is not None or doctor_id is not None:
        statement = statement.outerjoin(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
    if branch_id is not None:
        statement = statement.where(func.coalesce(WorkOrder.branch_id, LedgerEntry.branch_id) == branch_id)
    if doctor_id is not None:
        statement = statement.where(WorkOrder.doctor_id == doctor_id)
    return statement


def _flows(window: Window, branch_id: int | None, doctor_id: int | None) -> Row:
    """What the ledger says of the days: billed, paid, refunded; advances in, used, returned, restored, certificates."""
    kind, debt, advance = LedgerEntry.kind, LedgerEntry.debt_change, LedgerEntry.advance_change
    refund = kind.in_(UNPAID)
    row = (
        session.execute(
            ledger(
                window,
                branch_id,
                doctor_id,
                summed(case((kind.in_(BILLS), debt))).label("billed"),
                summed(case((kind == LedgerKind.PAYMENT, -debt))).label("paid"),
                summed(case((refund, debt))).label("refunded"),
                summed(case((kind == LedgerKind.ADVANCE_IN, advance))).label("advance_in"),
                summed(case((kind == LedgerKind.ADVANCE_USED, -advance))).label("advance_used"),
                summed(case((and_(refund, advance < 0), -advance))).label("advance_returned"),
                summed(case((and_(refund, advance > 0), advance))).label("advance_restored"),
                summed(case((kind == LedgerKind.TO_CERTIFICATE, -advance))).label("advance_to_certificate"),
                summed(case((kind == LedgerKind.FROM_CERTIFICATE, advance))).label("advance_from_certificate"),
            )
        )
        .mappings()
        .one()
    )
    return dict(row)


def _standing(window: Window, branch_id: int | None, doctor_id: int | None) -> tuple[Decimal, Decimal | None]:
    """Debt and advance when the last day ended: what is now, less what came later."""
    later = session.execute(
        ledger(
            None,
            branch_id,
            doctor_id,
            summed(LedgerEntry.debt_change),
            summed(LedgerEntry.advance_change),
            after=window.last,
        )
    ).one()
    if branch_id is None and doctor_id is None:
        # two sums, so that each reads only the accounts it needs
        debt = select(summed(PatientAccount.debt)).where(PatientAccount.debt > 0).scalar_subquery()
        advance = select(summed(PatientAccount.advance)).where(PatientAccount.advance > 0).scalar_subquery()
        now = session.execute(select(debt, advance)).one()
        return now[0] - later[0], now[1] - later[1]
    due = session.scalar(
        select(summed(WorkOrder.due)).where(
            WorkOrder.status == WorkOrderStatus.ISSUED, *of_orders(branch_id, doctor_id)
        )
    )
    return due - later[0], None


def _by_method(window: Window, branch_id: int | None) -> list[Row]:
    """Money and advances taken and returned, by the way they were paid."""
    taken = (
        select(PaymentPart.method, PaymentPart.amount.label("paid"), literal(ZERO).label("refunded"))
        .join(Payment, Payment.id == PaymentPart.payment_id)
        .where(
            within(Payment.business_day, window), Payment.branch_id == branch_id if branch_id is not None else true()
        )
    )
    returned = (
        select(PaymentPart.method, literal(ZERO).label("paid"), RefundPart.amount.label("refunded"))
        .join(RefundPart, RefundPart.payment_part_id == PaymentPart.id)
        .join(Refund, Refund.id == RefundPart.refund_id)
        .where(within(Refund.business_day, window), Refund.branch_id == branch_id if branch_id is not None else true())
    )
    left = (
        select(
            literal(str(PaymentMethod.ADVANCE)).label("method"), literal(ZERO).label("paid"),
            LedgerEntry.debt_change.label("refunded"),
        )
        .where(
            LedgerEntry.kind == LedgerKind.PAID_TO_ADVANCE,
            within(LedgerEntry.business_day, window),
            LedgerEntry.branch_id == branch_id if branch_id is not None else true(),
        )
    )  # fmt: skip
    both = union_all(taken, returned, left).subquery()
    found = {
        row["method"]: row
        for row in rows_of(
            select(
                both.c.method, summed(both.c.paid).label("paid"), summed(both.c.refunded).label("refunded")
            ).group_by(both.c.method)
        )
    }
    rows = []
    for method in PaymentMethod:
        row = found.get(method, {"method": str(method), "paid": ZERO, "refunded": ZERO})
        rows.append({**row, "net": row["paid"] - row["refunded"]})
    return rows


def _to_bills(window: Window, branch_id: int | None) -> Decimal:
    """What was paid here for bills of any branch."""
    statement = select(summed(-LedgerEntry.debt_change)).where(
        LedgerEntry.kind == LedgerKind.PAYMENT, within(LedgerEntry.business_day, window)
    )
    if branch_id is not None:
        statement = statement.where(LedgerEntry.branch_id == branch_id)
    return Decimal(session.scalar(statement) or 0)


def bills_payments(
    window: Window,
    branch_id: int | None = None,
    doctor_id: int | None = None,
    *,
    page: Page = EVERYTHING,
    block: str | None = None,
    method: str | None = None,
    doctor: int | None = None,
    rows: bool = True,
) -> Figures:
    """Bills and payments of the days, two blocks with a bridge: debt + billed − paid + refunded = debt.

    `block` (bill, payment, refund) and `method` narrow the rows; the totals are always the whole bridge. For one
    doctor: the bills of own orders and what was paid for them, without methods and advances.
    """
    flows = _flows(window, branch_id, doctor_id)
    debt_end, advance_end = _standing(window, branch_id, doctor_id)
    totals: Row = {
        "debt_start": debt_end - flows["billed"] + flows["paid"] - flows["refunded"],
        "billed": flows["billed"],
        "paid": flows["paid"],
        "refunded": flows["refunded"],
        "debt_end": debt_end,
    }
    if doctor_id is None:
        advances = {key: value for key, value in flows.items() if key.startswith("advance_")}
        moved = (
            advances["advance_in"]
            - advances["advance_used"]
            - advances["advance_returned"]
            + advances["advance_restored"]
            - advances["advance_to_certificate"]
            + advances["advance_from_certificate"]
        )
        methods = _by_method(window, branch_id)
        real = [row for row in methods if row["method"] != PaymentMethod.ADVANCE]
        totals |= {
            "advance_start": None if advance_end is None else advance_end - moved,
            **advances,
            "advance_end": advance_end,
            "to_bills": _to_bills(window, branch_id) if branch_id is not None else flows["paid"],
            "by_method": methods,
            "money_in": sum((row["paid"] for row in real), ZERO),
            "money_out": sum((row["refunded"] for row in real), ZERO),
            "money_net": sum((row["net"] for row in real), ZERO),
        }
    if not rows:
        return Figures([], totals, 0)
    statements = []
    if block in (None, "bill"):
        statements.append(_bill_rows(window, branch_id, doctor_id, doctor))
    if block in (None, "payment"):
        statements.append(_payment_rows(window, branch_id, doctor_id, method))
    if block in (None, "refund"):
        statements.append(_refund_rows(window, branch_id, doctor_id, method))
        if doctor_id is None and method in (None, PaymentMethod.ADVANCE):
            statements.append(_left_rows(window, branch_id))
    both = union_all(*statements).subquery("line")
    sums = ("amount", "due", "to_bills", "to_advance")
    of_rows = rows_of(select(func.count().label("count"), *(summed(both.c[name]).label(name) for name in sums)))[0]
    found = rows_of(
        page.of(
            select(both, fio(Patient).label("patient"), Patient.card_number, fio(Employee).label("doctor"))
            .join(Patient, Patient.id == both.c.patient_id)
            .outerjoin(Employee, Employee.id == both.c.doctor_id)
            .order_by(both.c.block, both.c.day, both.c.at, both.c.id)
        )
    )
    return Figures(found, totals, of_rows.pop("count"), {"of_rows": [of_rows]})


_LINE: dict[str, Any] = {
    "id": Integer,
    "day": Date,
    "at": DateTime(timezone=True),
    "number": Integer,
    "patient_id": Integer,
    "doctor_id": Integer,
    "work_order_id": Integer,
    "payment_id": Integer,
    "methods": JSONB,
    "reason": Text,
    "amount": Numeric,
    "due": Numeric,
    "to_bills": Numeric,
    "to_advance": Numeric,
}


def _line(block: str, **columns: Any) -> list[Any]:
    """The columns of a bill, a payment or a refund, in one order."""
    return [
        literal(block).label("block"),
        *(columns.get(name, cast(null(), form)).label(name) for name, form in _LINE.items()),
    ]


def _bill_rows(window: Window, branch_id: int | None, doctor_id: int | None, doctor: int | None) -> Select[Any]:
    statement = (
        select(
            *_line(
                "bill",
                id=LedgerEntry.id,
                day=LedgerEntry.business_day,
                at=LedgerEntry.created_at,
                number=WorkOrder.number,
                patient_id=LedgerEntry.patient_id,
                doctor_id=WorkOrder.doctor_id,
                work_order_id=WorkOrder.id,
                amount=LedgerEntry.debt_change,
                due=WorkOrder.due,
            )
        )
        .join(WorkOrder, WorkOrder.id == func.coalesce(LedgerEntry.reversal_id, LedgerEntry.work_order_id))
        .where(LedgerEntry.kind.in_(BILLS), within(LedgerEntry.business_day, window), *of_orders(branch_id, doctor_id))
    )
    return statement if doctor is None else statement.where(WorkOrder.doctor_id == doctor)


def _payment_rows(window: Window, branch_id: int | None, doctor_id: int | None, method: str | None) -> Select[Any]:
    if doctor_id is not None:
        return _entries_of_doctor("payment", LedgerKind.PAYMENT, window, branch_id, doctor_id)
    methods, whole = _methods_of(method)
    entries = _entries_of(LedgerEntry.payment_id == Payment.id, LedgerEntry.refund_id.is_(None), Payment)
    statement = select(
        *_line(
            "payment",
            id=Payment.id,
            day=Payment.business_day,
            at=Payment.paid_at,
            number=Payment.number,
            patient_id=Payment.patient_id,
            payment_id=Payment.id,
            amount=whole,
            methods=methods,
            to_bills=entries(-LedgerEntry.debt_change, LedgerKind.PAYMENT),
            to_advance=entries(LedgerEntry.advance_change, LedgerKind.ADVANCE_IN),
        )
    ).where(within(Payment.business_day, window), Payment.branch_id == branch_id if branch_id is not None else true())
    if method is not None:
        statement = statement.where(
            select(PaymentPart.id).where(PaymentPart.payment_id == Payment.id, PaymentPart.method == method).exists()
        )
    return statement


def _refund_rows(window: Window, branch_id: int | None, doctor_id: int | None, method: str | None) -> Select[Any]:
    if doctor_id is not None:
        return _entries_of_doctor("refund", LedgerKind.REFUND, window, branch_id, doctor_id)
    of_days = aliased(Refund)
    parts = (
        select(PaymentPart.method, func.sum(RefundPart.amount).label("amount"), RefundPart.refund_id)
        .join(RefundPart, RefundPart.payment_part_id == PaymentPart.id)
        .join(of_days, of_days.id == RefundPart.refund_id)
        .where(within(of_days.business_day, window))
        .group_by(PaymentPart.method, RefundPart.refund_id)
        .subquery()
    )
    of_refund = select(func.jsonb_object_agg(parts.c.method, cast(parts.c.amount, Text))).where(
        parts.c.refund_id == Refund.id
    )
    amount: Any = Refund.amount
    if method is not None:
        amount = (
            select(summed(parts.c.amount))
            .where(parts.c.refund_id == Refund.id, parts.c.method == method)
            .correlate(Refund)
            .scalar_subquery()
        )
    entries = _entries_of(LedgerEntry.refund_id == Refund.id, true(), Refund)
    statement = select(
        *_line(
            "refund",
            id=Refund.id,
            day=Refund.business_day,
            at=Refund.refunded_at,
            number=Refund.number,
            patient_id=Refund.patient_id,
            payment_id=Refund.payment_id,
            amount=amount,
            methods=of_refund.correlate(Refund).scalar_subquery(),
            to_bills=entries(LedgerEntry.debt_change, LedgerKind.REFUND),
            to_advance=entries(-LedgerEntry.advance_change, LedgerKind.REFUND),
            reason=Refund.reason,
        )
    ).where(within(Refund.business_day, window), Refund.branch_id == branch_id if branch_id is not None else true())
    if method is not None:
        statement = statement.where(
            select(parts.c.refund_id).where(parts.c.refund_id == Refund.id, parts.c.method == method).exists()
        )
    return statement


def _left_rows(window: Window, branch_id: int | None) -> Select[Any]:
    """What reversing orders left as an advance: no money moved."""
    return (
        select(
            *_line(
                "refund",
                id=LedgerEntry.id,
                day=LedgerEntry.business_day,
                at=LedgerEntry.created_at,
                number=WorkOrder.number,
                patient_id=LedgerEntry.patient_id,
                doctor_id=WorkOrder.doctor_id,
                work_order_id=WorkOrder.id,
                payment_id=LedgerEntry.payment_id,
                methods=func.jsonb_build_object(str(PaymentMethod.ADVANCE), cast(LedgerEntry.debt_change, Text)),
                amount=LedgerEntry.debt_change,
                to_bills=LedgerEntry.debt_change,
                to_advance=-LedgerEntry.advance_change,
                reason=WorkOrder.reason,
            )
        )
        .join(WorkOrder, WorkOrder.id == LedgerEntry.reversal_id)
        .where(
            LedgerEntry.kind == LedgerKind.PAID_TO_ADVANCE,
            within(LedgerEntry.business_day, window),
            LedgerEntry.branch_id == branch_id if branch_id is not None else true(),
        )
    )


def _methods_of(method: str | None) -> tuple[Any, Any]:
    """The parts of a payment as {method: amount}, sums as text, and the sum of its parts (of one method)."""
    by_method = (
        select(PaymentPart.method, func.sum(PaymentPart.amount).label("amount"))
        .where(PaymentPart.payment_id == Payment.id)
        .group_by(PaymentPart.method)
        .correlate(Payment)
        .lateral()
    )
    whole: Any = Payment.amount
    if method is not None:
        whole = (
            select(summed(PaymentPart.amount))
            .where(PaymentPart.payment_id == Payment.id, PaymentPart.method == method)
            .correlate(Payment)
            .scalar_subquery()
        )
    parts = select(func.jsonb_object_agg(by_method.c.method, cast(by_method.c.amount, Text))).select_from(by_method)
    return parts.scalar_subquery(), whole


def _entries_of(condition: Any, further: Any, owner: Any) -> Any:
    def of(value: Any, kind: LedgerKind) -> Any:
        return (
            select(summed(value)).where(condition, further, LedgerEntry.kind == kind).correlate(owner).scalar_subquery()
        )

    return of


def _entries_of_doctor(
    block: str, kind: LedgerKind, window: Window, branch_id: int | None, doctor_id: int
) -> Select[Any]:
    """What was paid for, or returned from, the bills of one doctor: entries of the ledger."""
    back = kind == LedgerKind.REFUND
    amount = LedgerEntry.debt_change if back else -LedgerEntry.debt_change
    return (
        select(
            *_line(
                block,
                id=LedgerEntry.id,
                day=LedgerEntry.business_day,
                at=LedgerEntry.created_at,
                number=WorkOrder.number,
                patient_id=LedgerEntry.patient_id,
                doctor_id=WorkOrder.doctor_id,
                work_order_id=WorkOrder.id,
                payment_id=LedgerEntry.payment_id,
                amount=amount,
                to_bills=amount,
            )
        )
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(
            LedgerEntry.kind.in_(UNPAID) if back else LedgerEntry.kind == kind,
            within(LedgerEntry.business_day, window),
            *of_orders(branch_id, doctor_id),
        )
    )
