"""Reversing orders «сторно»: an issued bill is never edited; what was wrong in it is taken back by an order of its own.

Where next: `rules.take_lines_back`.
"""

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import select

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import entry, id_of
from app.db import lock, next_number, session
from app.errors import NotFound, NothingToReverse, ReasonNeeded
from app.fiscal import operations as fiscal
from app.models import LedgerEntry, User, WorkOrder, WorkOrderLine
from app.money import ZERO
from app.patients.queries import lock_accounts
from app.tasks import operations as tasks
from app.vocab import LedgerKind, TaskReasonKind, WorkOrderStatus


def reverse_order(
    order_id: int, reason: str, *, lines: Mapping[int, int] | None = None, actor: User | None
) -> WorkOrder:  # fmt: skip
    """Take back lines of a bill: `{line: quantity}`, or all that is left of it.

    The debt falls first; what was paid for the lines goes to the patient's advance, from the newest payment back, and
    can be returned from there. Amounts are of today. The order that is written has a number of its own.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        NothingToReverse: a draft, a reversing order, or nothing is left.
        OverReversal: with what is left of the line.
    """
    access.require(actor, "work_order.reverse")
    if not reason.strip():
        raise ReasonNeeded()
    lock_accounts(lambda: session.scalars(select(WorkOrder.patient_id).where(WorkOrder.id == order_id)))
    order = lock(WorkOrder, order_id)
    if order is None:
        raise NotFound()
    if order.status not in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID):
        raise NothingToReverse()
    back = rules.take_lines_back(queries.left_to_reverse(order), lines)
    total = sum((cost.total for _, _, cost in back), ZERO)
    due = order.due
    row = _written(order, back, total, reason, actor)
    session.flush()
    row.status, row.issued_at, row.issued_day = WorkOrderStatus.REVERSAL, row.created_at, clock.today()
    session.flush()
    to_advance = max(total - due, ZERO)
    # what was paid first: the bill is due again for a moment, and then it is not
    unpaid = _unpaid(order, row, to_advance, actor)
    session.add_all(unpaid)
    session.flush()
    session.add(
        entry(
            LedgerKind.BILL_REVERSED, order.patient_id, order.branch_id, order_id=order.id, reversal_id=row.id,
            debt=-total, actor=actor,
        )
    )  # fmt: skip
    session.flush()
    session.refresh(order)
    fiscal.intend_reversal(row, order, unpaid, actor=actor)
    after = {
        **audit.facts(row, ("number", "total", "reason", "reverses_id")),
        "lines": [f"{line.line_id} x{quantity} {cost.total}" for line, quantity, cost in back],
        "to_advance": str(to_advance),
    }
    audit.record("work_order.reversed", row, after=after, patient_id=order.patient_id, actor=actor)
    if due and not queries.balance_of(order.patient_id).debt:
        tasks.reasons_gone(kinds=(TaskReasonKind.DEBT,), patient_id=order.patient_id, actor=actor)
    return row


def _written(
    order: WorkOrder, back: list[tuple[rules.LineLeft, int, rules.Cost]], total: Decimal, reason: str,
    actor: User | None,
) -> WorkOrder:  # fmt: skip
    """The reversing order as a draft: its lines are those of the bill, below zero."""
    of_line = {line.id: line for line in order.lines}
    row = WorkOrder(
        legal_entity_id=order.legal_entity_id, branch_id=order.branch_id, year=clock.today().year,
        number=next_number(order.legal_entity_id, "work_order"), patient_id=order.patient_id,
        doctor_id=order.doctor_id, appointment_id=order.appointment_id, status=WorkOrderStatus.DRAFT, total=-total,
        reverses_id=order.id, reason=reason.strip(), created_at=clock.now(), created_by_id=id_of(actor),
        lines=[
            WorkOrderLine(
                position=place, service_id=of_line[left.line_id].service_id, code=of_line[left.line_id].called[0],
                name=left.service, tooth=of_line[left.line_id].tooth,
                quantity=-quantity, price=left.price, discount=-cost.discount, total=-cost.total,
                assistant_id=of_line[left.line_id].assistant_id, reverses_id=left.line_id,
            )
            for place, (left, quantity, cost) in enumerate(back, 1)
        ],
    )  # fmt: skip
    session.add(row)
    return row


def _unpaid(order: WorkOrder, row: WorkOrder, amount: Decimal, actor: User | None) -> list[LedgerEntry]:
    """So much of what was paid for a bill goes to the advance, from the newest payment back."""
    return [
        entry(
            LedgerKind.PAID_TO_ADVANCE, order.patient_id, order.branch_id, order_id=order.id, payment_id=payment_id,
            reversal_id=row.id, debt=share, advance=share, actor=actor,
        )
        for payment_id, share in rules.shares(queries.paid_for(order.id), amount)
    ]  # fmt: skip
