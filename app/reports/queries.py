"""The figures of the four reports: SQL aggregates over the whole set, rows beside them.

A bill belongs to the branch and the doctor of its work order, wherever it was paid; money belongs to the branch that
took it. Days are business days, both included. Where next: `tables.py`, which lays the figures out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from app import clock
from app.access import Window
from app.db import session
from app.models import (
    Appointment,
    Branch,
    CashDesk,
    CashMovement,
    CashShift,
    Employee,
    ExpenseCategory,
    LedgerEntry,
    Patient,
    PatientAccount,
    Payment,
    PaymentPart,
    Refund,
    RefundPart,
    Service,
    ServiceCategory,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.vocab import FREES_TIME, AppointmentStatus, DeskKind, LedgerKind, PaymentMethod, WorkOrderStatus

Row = dict[str, Any]
_BILLS = (LedgerKind.BILL, LedgerKind.BILL_REOPENED)


@dataclass(frozen=True)
class Figures:
    """A report: its rows (perhaps a page of them), totals over all of them, and how many rows there are in all."""

    rows: list[Row]
    totals: Row
    count: int
    #: further tables that belong to the report, by name.
    more: Mapping[str, list[Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """Which rows to read; totals are always of all."""

    limit: int | None = None
    offset: int = 0

    def of(self, statement: Select[Any]) -> Select[Any]:
        return statement.limit(self.limit).offset(self.offset or None)


EVERYTHING = Page()


def _sum(value: Any) -> Any:
    return func.coalesce(func.sum(value), ZERO)


def _in(column: Any, window: Window) -> ColumnElement[bool]:
    return and_(column >= window.first, column <= window.last)


def _moments(window: Window) -> tuple[datetime, datetime]:
    """The days as wall clock moments, half-open."""
    return datetime.combine(window.first, time()), datetime.combine(window.last + timedelta(days=1), time())


def _rows(statement: Any) -> list[Row]:
    return [dict(row) for row in session.execute(statement).mappings()]


def _fio(person: Any) -> Any:
    """Surname and initials, made by the database."""
    return func.concat(
        person.surname,
        case((person.name != "", func.concat(" ", func.left(person.name, 1), ".")), else_=""),
        case((person.patronymic != "", func.concat(" ", func.left(person.patronymic, 1), ".")), else_=""),
    )


def _of_orders(branch_id: int | None, doctor_id: int | None) -> list[ColumnElement[bool]]:
    """Whose work orders: conditions on `WorkOrder`."""
    conditions: list[ColumnElement[bool]] = []
    if branch_id is not None:
        conditions.append(WorkOrder.branch_id == branch_id)
    if doctor_id is not None:
        conditions.append(WorkOrder.doctor_id == doctor_id)
    return conditions


def branches() -> list[tuple[int, str]]:
    """The branches to choose from."""
    return [(pk, name) for pk, name in session.execute(select(Branch.id, Branch.name).order_by(Branch.name))]


def directors() -> list[str]:
    """Whom to ask for access to other days."""
    from app.models import Role, User
    from app.roles import DIRECTOR

    return list(
        session.scalars(
            select(func.concat(Employee.surname, " ", Employee.name))
            .join(User, User.id == Employee.user_id)
            .where(User.active, User.roles.any(Role.name == DIRECTOR))
            .order_by(Employee.surname)
        )
    )


# --- patients -----------------------------------------------------------------------------------------

CAME = (AppointmentStatus.ARRIVED, AppointmentStatus.IN_PROGRESS, AppointmentStatus.COMPLETED)


def _patients_set(window: Window, branch_id: int | None, doctor_id: int | None) -> Any:
    """A row for each visit of the days with the money of its bills, and for each patient whose bills moved without one.

    Every entry of the ledger about bills is in exactly one row, so the sums are those of the report of bills.
    """
    starts, ends = _moments(window)
    here = [Appointment.starts_at >= starts, Appointment.starts_at < ends]
    if branch_id is not None:
        here.append(Appointment.branch_id == branch_id)
    if doctor_id is not None:
        here.append(Appointment.doctor_id == doctor_id)
    later = (
        select(_sum(LedgerEntry.debt_change))
        .where(LedgerEntry.work_order_id == WorkOrder.id, LedgerEntry.business_day > window.last)
        .correlate(WorkOrder)
        .scalar_subquery()
    )
    moved = (
        select(
            LedgerEntry.work_order_id,
            _sum(case((LedgerEntry.kind.in_(_BILLS), LedgerEntry.debt_change), else_=ZERO)).label("billed"),
            _sum(case((LedgerEntry.kind.in_(_BILLS), ZERO), else_=-LedgerEntry.debt_change)).label("paid"),
        )
        .where(_in(LedgerEntry.business_day, window), LedgerEntry.work_order_id.is_not(None))
        .group_by(LedgerEntry.work_order_id)
        .cte("moved")
    )
    bill = (
        select(
            WorkOrder.patient_id, WorkOrder.doctor_id, moved.c.billed, moved.c.paid,
            (WorkOrder.due - later).label("debt"),
            case((WorkOrder.appointment_id.in_(select(Appointment.id).where(*here)), WorkOrder.appointment_id)).label("visit_id"),
        )
        .join(moved, moved.c.work_order_id == WorkOrder.id)
        .where(*_of_orders(branch_id, doctor_id))
        .cte("bill")
    )  # fmt: skip
    of_visit = (
        select(bill.c.visit_id, func.sum(bill.c.billed).label("billed"), func.sum(bill.c.paid).label("paid"),
               func.sum(bill.c.debt).label("debt"))
        .where(bill.c.visit_id.is_not(None))
        .group_by(bill.c.visit_id)
        .cte("of_visit")
    )  # fmt: skip
    visits = (
        select(
            Appointment.id.label("visit_id"), Appointment.starts_at, Appointment.patient_id, Appointment.doctor_id,
            Appointment.status, Appointment.first_visit,
            cast(
                func.round(func.extract("epoch", Appointment.started_at - Appointment.arrived_at) / 60), Integer
            ).label("waited"),
            func.coalesce(of_visit.c.billed, ZERO).label("billed"),
            func.coalesce(of_visit.c.paid, ZERO).label("paid"),
            func.coalesce(of_visit.c.debt, ZERO).label("debt"),
        )
        .outerjoin(of_visit, of_visit.c.visit_id == Appointment.id)
        .where(*here)
    )  # fmt: skip
    without = (
        select(
            null().label("visit_id"), null().label("starts_at"), bill.c.patient_id, bill.c.doctor_id,
            null().label("status"), null().label("first_visit"), null().label("waited"),
            func.sum(bill.c.billed).label("billed"), func.sum(bill.c.paid).label("paid"), func.sum(bill.c.debt).label("debt"),
        )
        .where(bill.c.visit_id.is_(None))
        .group_by(bill.c.patient_id, bill.c.doctor_id)
    )  # fmt: skip
    return union_all(visits, without).subquery("line")


def patients(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING,
    doctor: int | None = None, status: str | None = None, first: bool | None = None, money: str | None = None,
) -> Figures:  # fmt: skip
    """Who was booked and came; what was billed and paid for it in these days, and what is owed at their end.

    `doctor`, `status` (or `came`), `first` and `money` (billed, paid, debt, none) narrow the rows and the totals.
    """
    line = _patients_set(window, branch_id, doctor_id)
    wanted: list[ColumnElement[bool]] = []
    if doctor is not None:
        wanted.append(line.c.doctor_id == doctor)
    if status == "came":
        wanted.append(line.c.status.in_(CAME))
    elif status == "visits":
        wanted.append(line.c.visit_id.is_not(None))
    elif status is not None:
        wanted.append(line.c.status == status)
    if first is not None:
        wanted.append(line.c.first_visit.is_(first))
    if money is not None:
        wanted.append(line.c[money] != ZERO)
    came = line.c.status.in_(CAME)
    totals = _rows(
        select(
            func.count().label("rows"), func.count(line.c.visit_id).label("visits"),
            func.count().filter(came).label("came"),
            *(func.count().filter(line.c.status == status).label(str(status)) for status in AppointmentStatus),
            func.count().filter(line.c.first_visit).label("first_visits"),
            func.count().filter(line.c.first_visit.is_(False)).label("repeat_visits"),
            cast(func.round(func.avg(line.c.waited)), Integer).label("average_waiting"),
            _sum(line.c.billed).label("billed"), _sum(line.c.paid).label("paid"), _sum(line.c.debt).label("debt"),
        ).where(*wanted)
    )[0]  # fmt: skip
    count = totals.pop("rows")
    following = aliased(Appointment)
    next_visit = (
        select(func.min(following.starts_at))
        .where(
            following.patient_id == line.c.patient_id,
            following.starts_at > func.coalesce(line.c.starts_at, _moments(window)[1]),
            following.status.not_in(FREES_TIME),
        )
        .correlate(line)
        .scalar_subquery()
    )
    rows = _rows(
        page.of(
            select(
                line, _fio(Patient).label("patient"), Patient.card_number, _fio(Employee).label("doctor"),
                next_visit.label("next_visit"),
            )
            .join(Patient, Patient.id == line.c.patient_id)
            .join(Employee, Employee.id == line.c.doctor_id)
            .where(*wanted)
            .order_by(line.c.starts_at.nulls_last(), line.c.patient_id, line.c.doctor_id)
        )
    )  # fmt: skip
    return Figures(rows, totals, count)


# --- bills and payments -------------------------------------------------------------------------------


def _ledger(
    window: Window | None, branch_id: int | None, doctor_id: int | None, *columns: Any, after: date | None = None
) -> Select[Any]:
    """Sums over the ledger: bills by the branch and doctor of their work order, advances by the branch that took them."""
    statement = select(*columns).select_from(LedgerEntry)
    if window is not None:
        statement = statement.where(_in(LedgerEntry.business_day, window))
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
    """What the ledger says of the days: billed, paid, refunded; advances in, used, returned, restored."""
    kind, debt, advance = LedgerEntry.kind, LedgerEntry.debt_change, LedgerEntry.advance_change
    refund = kind == LedgerKind.REFUND
    row = session.execute(
        _ledger(
            window, branch_id, doctor_id,
            _sum(case((kind.in_(_BILLS), debt))).label("billed"),
            _sum(case((kind == LedgerKind.PAYMENT, -debt))).label("paid"),
            _sum(case((refund, debt))).label("refunded"),
            _sum(case((kind == LedgerKind.ADVANCE_IN, advance))).label("advance_in"),
            _sum(case((kind == LedgerKind.ADVANCE_USED, -advance))).label("advance_used"),
            _sum(case((and_(refund, advance < 0), -advance))).label("advance_returned"),
            _sum(case((and_(refund, advance > 0), advance))).label("advance_restored"),
        )
    ).mappings().one()  # fmt: skip
    return dict(row)


def _standing(window: Window, branch_id: int | None, doctor_id: int | None) -> tuple[Decimal, Decimal | None]:
    """Debt and advance when the last day ended: what is now, less what came later."""
    later = session.execute(
        _ledger(
            None, branch_id, doctor_id, _sum(LedgerEntry.debt_change), _sum(LedgerEntry.advance_change),
            after=window.last,
        )
    ).one()  # fmt: skip
    if branch_id is None and doctor_id is None:
        # two sums, so that each reads only the accounts it needs
        debt = select(_sum(PatientAccount.debt)).where(PatientAccount.debt > 0).scalar_subquery()
        advance = select(_sum(PatientAccount.advance)).where(PatientAccount.advance > 0).scalar_subquery()
        now = session.execute(select(debt, advance)).one()
        return now[0] - later[0], now[1] - later[1]
    due = session.scalar(
        select(_sum(WorkOrder.due)).where(
            WorkOrder.status == WorkOrderStatus.ISSUED, *_of_orders(branch_id, doctor_id)
        )
    )
    return due - later[0], None


def _by_method(window: Window, branch_id: int | None) -> list[Row]:
    """Money and advances taken and returned, by the way they were paid."""
    taken = (
        select(PaymentPart.method, PaymentPart.amount.label("paid"), literal(ZERO).label("refunded"))
        .join(Payment, Payment.id == PaymentPart.payment_id)
        .where(_in(Payment.business_day, window), Payment.branch_id == branch_id if branch_id is not None else true())
    )
    returned = (
        select(PaymentPart.method, literal(ZERO).label("paid"), RefundPart.amount.label("refunded"))
        .join(RefundPart, RefundPart.payment_part_id == PaymentPart.id)
        .join(Refund, Refund.id == RefundPart.refund_id)
        .where(_in(Refund.business_day, window), Refund.branch_id == branch_id if branch_id is not None else true())
    )
    both = union_all(taken, returned).subquery()
    found = {
        row["method"]: row
        for row in _rows(
            select(both.c.method, _sum(both.c.paid).label("paid"), _sum(both.c.refunded).label("refunded")).group_by(
                both.c.method
            )
        )
    }
    rows = []
    for method in PaymentMethod:
        row = found.get(method, {"method": str(method), "paid": ZERO, "refunded": ZERO})
        rows.append({**row, "net": row["paid"] - row["refunded"]})
    return rows


def _to_bills(window: Window, branch_id: int | None) -> Decimal:
    """What was paid here for bills of any branch."""
    statement = select(_sum(-LedgerEntry.debt_change)).where(
        LedgerEntry.kind == LedgerKind.PAYMENT, _in(LedgerEntry.business_day, window)
    )
    if branch_id is not None:
        statement = statement.where(LedgerEntry.branch_id == branch_id)
    return Decimal(session.scalar(statement) or 0)


def bills_payments(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING,
    block: str | None = None, method: str | None = None, doctor: int | None = None, rows: bool = True,
) -> Figures:  # fmt: skip
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
        moved = advances["advance_in"] - advances["advance_used"] - advances["advance_returned"] + advances["advance_restored"]
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
    both = union_all(*statements).subquery("line")
    sums = ("amount", "due", "to_bills", "to_advance")
    of_rows = _rows(select(func.count().label("count"), *(_sum(both.c[name]).label(name) for name in sums)))[0]
    found = _rows(
        page.of(
            select(both, _fio(Patient).label("patient"), Patient.card_number, _fio(Employee).label("doctor"))
            .join(Patient, Patient.id == both.c.patient_id)
            .outerjoin(Employee, Employee.id == both.c.doctor_id)
            .order_by(both.c.block, both.c.day, both.c.at, both.c.id)
        )
    )
    return Figures(found, totals, of_rows.pop("count"), {"of_rows": [of_rows]})


_LINE = {
    "id": Integer, "day": Date, "at": DateTime(timezone=True), "number": Integer, "patient_id": Integer,
    "doctor_id": Integer, "work_order_id": Integer, "payment_id": Integer, "methods": JSONB, "reason": Text,
    "amount": Numeric, "due": Numeric, "to_bills": Numeric, "to_advance": Numeric,
}  # fmt: skip


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
                "bill", id=LedgerEntry.id, day=LedgerEntry.business_day, at=LedgerEntry.created_at,
                number=WorkOrder.number, patient_id=LedgerEntry.patient_id, doctor_id=WorkOrder.doctor_id,
                work_order_id=WorkOrder.id, amount=LedgerEntry.debt_change, due=WorkOrder.due,
            )
        )
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(LedgerEntry.kind.in_(_BILLS), _in(LedgerEntry.business_day, window), *_of_orders(branch_id, doctor_id))
    )  # fmt: skip
    return statement if doctor is None else statement.where(WorkOrder.doctor_id == doctor)


def _payment_rows(window: Window, branch_id: int | None, doctor_id: int | None, method: str | None) -> Select[Any]:
    if doctor_id is not None:
        return _entries_of_doctor("payment", LedgerKind.PAYMENT, window, branch_id, doctor_id)
    methods, whole = _methods_of(method)
    entries = _entries_of(LedgerEntry.payment_id == Payment.id, LedgerEntry.refund_id.is_(None), Payment)
    statement = (
        select(
            *_line(
                "payment", id=Payment.id, day=Payment.business_day, at=Payment.paid_at, number=Payment.number,
                patient_id=Payment.patient_id, payment_id=Payment.id,
                amount=whole,
                methods=methods, to_bills=entries(-LedgerEntry.debt_change, LedgerKind.PAYMENT),
                to_advance=entries(LedgerEntry.advance_change, LedgerKind.ADVANCE_IN),
            )
        )
        .where(_in(Payment.business_day, window), Payment.branch_id == branch_id if branch_id is not None else true())
    )  # fmt: skip
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
        .where(_in(of_days.business_day, window))
        .group_by(PaymentPart.method, RefundPart.refund_id)
        .subquery()
    )
    of_refund = select(func.jsonb_object_agg(parts.c.method, parts.c.amount)).where(parts.c.refund_id == Refund.id)
    amount: Any = Refund.amount
    if method is not None:
        amount = (
            select(_sum(parts.c.amount))
            .where(parts.c.refund_id == Refund.id, parts.c.method == method)
            .correlate(Refund)
            .scalar_subquery()
        )
    entries = _entries_of(LedgerEntry.refund_id == Refund.id, true(), Refund)
    statement = (
        select(
            *_line(
                "refund", id=Refund.id, day=Refund.business_day, at=Refund.refunded_at, number=Refund.number,
                patient_id=Refund.patient_id, payment_id=Refund.payment_id, amount=amount,
                methods=of_refund.correlate(Refund).scalar_subquery(),
                to_bills=entries(LedgerEntry.debt_change, LedgerKind.REFUND),
                to_advance=entries(-LedgerEntry.advance_change, LedgerKind.REFUND), reason=Refund.reason,
            )
        )
        .where(_in(Refund.business_day, window), Refund.branch_id == branch_id if branch_id is not None else true())
    )  # fmt: skip
    if method is not None:
        statement = statement.where(
            select(parts.c.refund_id).where(parts.c.refund_id == Refund.id, parts.c.method == method).exists()
        )
    return statement


def _methods_of(method: str | None) -> tuple[Any, Any]:
    """The parts of a payment as {method: amount}, and the sum of its parts (of one method)."""
    summed = (
        select(PaymentPart.method, func.sum(PaymentPart.amount).label("amount"))
        .where(PaymentPart.payment_id == Payment.id)
        .group_by(PaymentPart.method)
        .correlate(Payment)
        .lateral()
    )
    whole: Any = Payment.amount
    if method is not None:
        whole = (
            select(_sum(PaymentPart.amount))
            .where(PaymentPart.payment_id == Payment.id, PaymentPart.method == method)
            .correlate(Payment)
            .scalar_subquery()
        )
    parts = select(func.jsonb_object_agg(summed.c.method, summed.c.amount)).select_from(summed)
    return parts.scalar_subquery(), whole


def _entries_of(condition: Any, further: Any, owner: Any) -> Any:
    def of(value: Any, kind: LedgerKind) -> Any:
        return select(_sum(value)).where(condition, further, LedgerEntry.kind == kind).correlate(owner).scalar_subquery()

    return of


def _entries_of_doctor(
    block: str, kind: LedgerKind, window: Window, branch_id: int | None, doctor_id: int
) -> Select[Any]:
    """What was paid for, or returned from, the bills of one doctor: entries of the ledger."""
    amount = LedgerEntry.debt_change if kind == LedgerKind.REFUND else -LedgerEntry.debt_change
    return (
        select(
            *_line(
                block, id=LedgerEntry.id, day=LedgerEntry.business_day, at=LedgerEntry.created_at,
                number=WorkOrder.number, patient_id=LedgerEntry.patient_id, doctor_id=WorkOrder.doctor_id,
                work_order_id=WorkOrder.id, payment_id=LedgerEntry.payment_id, amount=amount, to_bills=amount,
            )
        )
        .join(WorkOrder, WorkOrder.id == LedgerEntry.work_order_id)
        .where(LedgerEntry.kind == kind, _in(LedgerEntry.business_day, window), *_of_orders(branch_id, doctor_id))
    )  # fmt: skip


def open_bills(
    day: date, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The bills that were unpaid when a day ended: what the debt is made of."""
    then = (
        select(LedgerEntry.work_order_id, func.sum(LedgerEntry.debt_change).label("debt"))
        .where(LedgerEntry.business_day <= day, LedgerEntry.work_order_id.is_not(None))
        .group_by(LedgerEntry.work_order_id)
        .having(func.sum(LedgerEntry.debt_change) != 0)
        .subquery()
    )
    base = (
        select(
            WorkOrder.id.label("work_order_id"), WorkOrder.number, WorkOrder.issued_day.label("day"), WorkOrder.total,
            then.c.debt, Patient.id.label("patient_id"), _fio(Patient).label("patient"), Patient.card_number,
            _fio(Employee).label("doctor"), WorkOrder.doctor_id,
        )
        .join(then, then.c.work_order_id == WorkOrder.id)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(*_of_orders(branch_id, doctor_id))
    )  # fmt: skip
    whole = base.subquery()
    count, debt = session.execute(select(func.count(), _sum(whole.c.debt)).select_from(whole)).one()
    rows = _rows(page.of(base.order_by(Patient.surname, Patient.name, WorkOrder.id)))
    return Figures(rows, {"debt": debt}, count)


def standing_advances(day: date, *, page: Page = EVERYTHING) -> Figures:
    """The patients who had paid ahead when a day ended: what the advances are made of."""
    base = (
        select(
            Patient.id.label("patient_id"), _fio(Patient).label("patient"), Patient.card_number,
            func.sum(LedgerEntry.advance_change).label("advance"),
        )
        .join(LedgerEntry, LedgerEntry.patient_id == Patient.id)
        .where(LedgerEntry.business_day <= day)
        .group_by(Patient.id)
        .having(func.sum(LedgerEntry.advance_change) != 0)
    )  # fmt: skip
    whole = base.subquery()
    count, advance = session.execute(select(func.count(), _sum(whole.c.advance)).select_from(whole)).one()
    return Figures(_rows(page.of(base.order_by(Patient.surname, Patient.name, Patient.id))), {"advance": advance}, count)


def advance_moves(
    window: Window, branch_id: int | None = None, *, which: str, page: Page = EVERYTHING
) -> Figures:
    """The entries of the ledger behind an advance figure: `in`, `used`, `returned` or `restored`."""
    change = LedgerEntry.advance_change
    condition, sign = {
        "in": (LedgerEntry.kind == LedgerKind.ADVANCE_IN, 1),
        "used": (LedgerEntry.kind == LedgerKind.ADVANCE_USED, -1),
        "returned": (and_(LedgerEntry.kind == LedgerKind.REFUND, change < 0), -1),
        "restored": (and_(LedgerEntry.kind == LedgerKind.REFUND, change > 0), 1),
    }[which]
    base = (
        select(
            LedgerEntry.business_day.label("day"), LedgerEntry.created_at.label("at"), LedgerEntry.payment_id,
            Payment.number, Patient.id.label("patient_id"), _fio(Patient).label("patient"), Patient.card_number,
            (change * sign).label("amount"),
        )
        .join(Patient, Patient.id == LedgerEntry.patient_id)
        .outerjoin(Payment, Payment.id == LedgerEntry.payment_id)
        .where(condition, _in(LedgerEntry.business_day, window))
    )  # fmt: skip
    if branch_id is not None:
        base = base.where(LedgerEntry.branch_id == branch_id)
    whole = base.subquery()
    count, amount = session.execute(select(func.count(), _sum(whole.c.amount)).select_from(whole)).one()
    return Figures(_rows(page.of(base.order_by(LedgerEntry.id))), {"amount": amount}, count)


# --- services -----------------------------------------------------------------------------------------

_GROSS = WorkOrderLine.price * WorkOrderLine.quantity


def _of_services(category: int | None, service: int | None, doctor: int | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if category is not None:
        wanted.append(Service.category_id == category)
    if service is not None:
        wanted.append(WorkOrderLine.service_id == service)
    if doctor is not None:
        wanted.append(WorkOrder.doctor_id == doctor)
    return wanted


def services(window: Window, branch_id: int | None = None, doctor_id: int | None = None) -> Figures:
    """Services of the orders issued in these days, by category, service and doctor.

    Net and «taken back» (bills issued in these days and reopened later, or the other way round) make what was billed.
    Drafts begun in these days are counted apart.
    """
    rows = _rows(
        select(
            ServiceCategory.id.label("category_id"), ServiceCategory.name.label("category"),
            Service.id.label("service_id"), Service.code, Service.name.label("service"),
            Employee.id.label("doctor_id"), _fio(Employee).label("doctor"),
            func.sum(WorkOrderLine.quantity).label("quantity"), _sum(_GROSS).label("gross"),
            _sum(WorkOrderLine.discount).label("discount"), _sum(WorkOrderLine.total).label("net"),
        )
        .select_from(WorkOrder)
        .join(WorkOrderLine, WorkOrderLine.work_order_id == WorkOrder.id)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .join(ServiceCategory, ServiceCategory.id == Service.category_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(_in(WorkOrder.issued_day, window), *_of_orders(branch_id, doctor_id))
        .group_by(ServiceCategory.id, Service.id, Employee.id)
        .order_by(ServiceCategory.name, Service.code, Employee.surname, Employee.id)
    )  # fmt: skip
    orders = session.scalar(
        select(func.count()).select_from(WorkOrder).where(
            _in(WorkOrder.issued_day, window), *_of_orders(branch_id, doctor_id)
        )
    )  # fmt: skip
    drafts = session.execute(
        select(func.count(), _sum(WorkOrder.total)).where(*_drafts(window, branch_id, doctor_id))
    ).one()
    billed = session.scalar(
        _ledger(window, branch_id, doctor_id, _sum(LedgerEntry.debt_change)).where(LedgerEntry.kind.in_(_BILLS))
    )
    totals: Row = {
        name: sum((row[name] for row in rows), 0 if name == "quantity" else ZERO)
        for name in ("quantity", "gross", "discount", "net")
    }
    totals |= {
        "orders": orders, "taken_back": billed - totals["net"], "billed": billed,
        "drafts": drafts[0], "drafts_total": drafts[1],
    }  # fmt: skip
    return Figures(rows, totals, len(rows))


def _drafts(window: Window, branch_id: int | None, doctor_id: int | None) -> list[ColumnElement[bool]]:
    starts, ends = (moment.replace(tzinfo=clock.zone()) for moment in _moments(window))
    return [
        WorkOrder.issued_day.is_(None), WorkOrder.created_at >= starts, WorkOrder.created_at < ends,
        *_of_orders(branch_id, doctor_id),
    ]  # fmt: skip


def service_lines(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING,
    category: int | None = None, service: int | None = None, doctor: int | None = None,
) -> Figures:  # fmt: skip
    """The lines of the work orders behind a figure of the services."""
    base = (
        select(
            WorkOrder.issued_day.label("day"), WorkOrder.id.label("work_order_id"), WorkOrder.number,
            Patient.id.label("patient_id"), _fio(Patient).label("patient"), _fio(Employee).label("doctor"),
            Service.code, Service.name.label("service"), WorkOrderLine.tooth, WorkOrderLine.quantity,
            WorkOrderLine.price, _GROSS.label("gross"), WorkOrderLine.discount, WorkOrderLine.total.label("net"),
        )
        .select_from(WorkOrder)
        .join(WorkOrderLine, WorkOrderLine.work_order_id == WorkOrder.id)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(
            _in(WorkOrder.issued_day, window), *_of_orders(branch_id, doctor_id),
            *_of_services(category, service, doctor),
        )
    )  # fmt: skip
    whole = base.subquery()
    names = ("quantity", "gross", "discount", "net")
    found = session.execute(
        select(func.count(), *(_sum(whole.c[name]).label(name) for name in names)).select_from(whole)
    ).one()
    rows = _rows(page.of(base.order_by(WorkOrder.issued_day, WorkOrder.id, WorkOrderLine.position)))
    return Figures(rows, {name: getattr(found, name) for name in names}, found[0])


def _orders(condition: Any, amount: Any, page: Page) -> Figures:
    base = (
        select(
            WorkOrder.id.label("work_order_id"), WorkOrder.number, WorkOrder.created_at.label("at"),
            Patient.id.label("patient_id"), _fio(Patient).label("patient"), Patient.card_number,
            _fio(Employee).label("doctor"), amount.label("amount"),
        )
        .join(Patient, Patient.id == WorkOrder.patient_id)
        .join(Employee, Employee.id == WorkOrder.doctor_id)
        .where(condition)
    )  # fmt: skip
    whole = base.subquery()
    count, total = session.execute(select(func.count(), _sum(whole.c.amount)).select_from(whole)).one()
    return Figures(_rows(page.of(base.order_by(WorkOrder.id))), {"amount": total}, count)


def drafts(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The drafts begun in these days and not issued to this moment."""
    return _orders(and_(*_drafts(window, branch_id, doctor_id)), WorkOrder.total, page)


def taken_back(
    window: Window, branch_id: int | None = None, doctor_id: int | None = None, *, page: Page = EVERYTHING
) -> Figures:
    """The orders whose bills of these days differ from their lines: reopened later, or issued earlier."""
    billed = (
        _ledger(window, None, None, LedgerEntry.work_order_id, func.sum(LedgerEntry.debt_change).label("billed"))
        .where(LedgerEntry.kind.in_(_BILLS))
        .group_by(LedgerEntry.work_order_id)
        .subquery()
    )
    counted = case((func.coalesce(_in(WorkOrder.issued_day, window), false()), WorkOrder.total), else_=ZERO)
    amount = (
        select(billed.c.billed).where(billed.c.work_order_id == WorkOrder.id).correlate(WorkOrder).scalar_subquery()
    )
    different = and_(
        WorkOrder.id.in_(select(billed.c.work_order_id)), amount != counted, *_of_orders(branch_id, doctor_id)
    )
    return _orders(different, amount - counted, page)


# --- cash ---------------------------------------------------------------------------------------------


def _method() -> Any:
    """How a patient's movement was paid; empty for the desk's own movements."""
    of_payment = select(PaymentPart.method).where(PaymentPart.movement_id == CashMovement.id)
    of_refund = (
        select(PaymentPart.method)
        .join(RefundPart, RefundPart.payment_part_id == PaymentPart.id)
        .where(RefundPart.movement_id == CashMovement.id)
    )
    return func.coalesce(
        of_payment.correlate(CashMovement).scalar_subquery(), of_refund.correlate(CashMovement).scalar_subquery()
    )


def _of_desks(branch_id: int | None) -> list[ColumnElement[bool]]:
    return [] if branch_id is None else [CashDesk.branch_id == branch_id]


def cash(window: Window, branch_id: int | None = None) -> Figures:
    """Money by desk and shift: opening, what came in, what went out, closing, counted, difference.

    Opening and closing are sums of the desk's movements, so each row begins with what the one before left.
    """
    grouped = (
        select(CashMovement.desk_id, CashMovement.shift_id, CashMovement.kind, _method().label("method"),
               CashMovement.category_id, CashMovement.delta)
        .join(CashDesk, CashDesk.id == CashMovement.desk_id)
        .where(_in(CashMovement.business_day, window), *_of_desks(branch_id))
        .subquery()
    )  # fmt: skip
    sums = _rows(
        select(
            grouped.c.desk_id, grouped.c.shift_id, grouped.c.kind, grouped.c.method, grouped.c.category_id,
            ExpenseCategory.name.label("category"), func.count().label("count"),
            _sum(case((grouped.c.delta > 0, grouped.c.delta))).label("in"),
            _sum(case((grouped.c.delta < 0, -grouped.c.delta))).label("out"),
        )
        .outerjoin(ExpenseCategory, ExpenseCategory.id == grouped.c.category_id)
        .group_by(grouped.c.desk_id, grouped.c.shift_id, grouped.c.kind, grouped.c.method, grouped.c.category_id,
                  ExpenseCategory.name)
        .order_by(grouped.c.kind, grouped.c.method, ExpenseCategory.name)
    )  # fmt: skip
    since = (
        select(CashMovement.desk_id, func.sum(CashMovement.delta).label("moved"))
        .where(CashMovement.business_day >= window.first)
        .group_by(CashMovement.desk_id)
        .subquery()
    )
    desks = _rows(
        select(
            CashDesk.id, CashDesk.name, CashDesk.kind, CashDesk.branch_id, Branch.name.label("branch"), CashDesk.archived,
            (CashDesk.balance - func.coalesce(since.c.moved, ZERO)).label("opening"),
        )
        .join(Branch, Branch.id == CashDesk.branch_id)
        .outerjoin(since, since.c.desk_id == CashDesk.id)
        .where(*_of_desks(branch_id))
        .order_by(Branch.name, CashDesk.kind != DeskKind.MAIN, CashDesk.kind == DeskKind.NON_CASH, CashDesk.name)
    )  # fmt: skip
    shifts = _rows(
        select(
            CashShift.id, CashShift.desk_id, CashShift.number, CashShift.opened_at, CashShift.closed_at,
            CashShift.expected, CashShift.counted,
        )
        .join(CashDesk, CashDesk.id == CashShift.desk_id)
        .where(
            or_(
                _in(CashShift.business_day, window),
                CashShift.id.in_({row["shift_id"] for row in sums if row["shift_id"] is not None}),
            ),
            *_of_desks(branch_id),
        )
        .order_by(CashShift.desk_id, CashShift.number)
    )  # fmt: skip
    return _cash_figures(desks, shifts, sums)


def _cash_figures(desks: Sequence[Row], shifts: Sequence[Row], sums: Sequence[Row]) -> Figures:
    """Put movements to their shifts, and the shifts of a desk one after another."""
    of: dict[tuple[int, int | None], list[Row]] = defaultdict(list)
    for row in sums:
        of[row["desk_id"], row["shift_id"]].append(row)
    shifts_of: dict[int, list[Row]] = defaultdict(list)
    for shift in shifts:
        shifts_of[shift["desk_id"]].append(shift)
    rows: list[Row] = []
    for desk in desks:
        balance = desk["opening"]
        outside: list[Row | None] = [None] if (desk["id"], None) in of or not shifts_of[desk["id"]] else []
        for shift in outside + list(shifts_of[desk["id"]]):
            parts = of.get((desk["id"], shift["id"] if shift else None), [])
            came, went = sum((p["in"] for p in parts), ZERO), sum((p["out"] for p in parts), ZERO)
            if shift is None and not parts and not balance and (desk["archived"] or not desk["opening"]):
                continue
            counted, expected = (shift["counted"], shift["expected"]) if shift else (None, None)
            rows.append({
                "desk_id": desk["id"], "desk": desk["name"], "desk_kind": desk["kind"],
                "branch_id": desk["branch_id"], "branch": desk["branch"],
                "shift_id": shift["id"] if shift else None, "shift": shift["number"] if shift else None,
                "opened_at": shift["opened_at"] if shift else None, "closed_at": shift["closed_at"] if shift else None,
                "opening": balance, "in": came, "out": went, "closing": balance + came - went,
                "counted": counted, "expected": expected,
                "difference": None if counted is None else counted - expected,
                "incoming": [_part(p, "in") for p in parts if p["in"]],
                "outgoing": [_part(p, "out") for p in parts if p["out"]],
            })  # fmt: skip
            balance += came - went
    totals: Row = {
        "opening": sum((desk["opening"] for desk in desks), ZERO),
        "in": sum((row["in"] for row in rows), ZERO),
        "out": sum((row["out"] for row in rows), ZERO),
        "difference": sum((row["difference"] for row in rows if row["difference"] is not None), ZERO),
        "operations": sum(part["count"] for part in sums),
        "incoming": _together(sums, "in"),
        "outgoing": _together(sums, "out"),
    }
    totals["closing"] = totals["opening"] + totals["in"] - totals["out"]
    return Figures(rows, totals, len(rows))


def _part(row: Row, way: str) -> Row:
    return {"kind": row["kind"], "method": row["method"], "category_id": row["category_id"], "category": row["category"],
            "count": row["count"], "amount": row[way]}  # fmt: skip


def _together(sums: Sequence[Row], way: str) -> list[Row]:
    """The same kind, method and category of all desks, added up."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in sums:
        if row[way]:
            key = (row["kind"], row["method"], row["category_id"])
            part = _part(row, way)
            if key in found:
                found[key]["amount"] += part["amount"]
                found[key]["count"] += part["count"]
            else:
                found[key] = part
    return list(found.values())


def cash_operations(
    window: Window, branch_id: int | None = None, *, page: Page = EVERYTHING, desk: int | None = None,
    shift: int | None = None, kind: str | None = None, method: str | None = None, category: int | None = None,
    way: str | None = None,
) -> Figures:  # fmt: skip
    """Every operation of the days, or those behind a figure."""
    movement = CashMovement
    methods = _method()
    wanted = [_in(movement.business_day, window), *_of_desks(branch_id)]
    if desk is not None:
        wanted.append(movement.desk_id == desk)
    if shift is not None:
        wanted.append(movement.shift_id == shift)
    if kind is not None:
        wanted.append(movement.kind == kind)
    if method is not None:
        wanted.append(methods == method)
    if category is not None:
        wanted.append(movement.category_id == category)
    if way is not None:
        wanted.append(movement.delta > 0 if way == "in" else movement.delta < 0)
    base = (
        select(
            movement.id, movement.business_day.label("day"), movement.moved_at.label("at"), movement.series,
            movement.number, movement.desk_id, CashDesk.name.label("desk"), Branch.name.label("branch"),
            movement.shift_id, CashShift.number.label("shift"), movement.kind, methods.label("method"),
            movement.category_id, ExpenseCategory.name.label("category"), movement.patient_id,
            case((Patient.id.is_not(None), _fio(Patient))).label("patient"), movement.counterparty, movement.comment,
            movement.delta, movement.reverses_id,
        )
        .join(CashDesk, CashDesk.id == movement.desk_id)
        .join(Branch, Branch.id == CashDesk.branch_id)
        .outerjoin(CashShift, CashShift.id == movement.shift_id)
        .outerjoin(ExpenseCategory, ExpenseCategory.id == movement.category_id)
        .outerjoin(Patient, Patient.id == movement.patient_id)
        .where(*wanted)
    )  # fmt: skip
    totals = session.execute(
        select(
            func.count().label("count"), _sum(case((movement.delta > 0, movement.delta))).label("in"),
            _sum(case((movement.delta < 0, -movement.delta))).label("out"), _sum(movement.delta).label("delta"),
        )
        .select_from(movement)
        .join(CashDesk, CashDesk.id == movement.desk_id)
        .where(*wanted)
    ).mappings().one()  # fmt: skip
    rows = _rows(page.of(base.order_by(movement.moved_at, movement.id)))
    return Figures(rows, {key: totals[key] for key in ("in", "out", "delta")}, totals["count"])
