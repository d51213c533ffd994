"""Intents of fiscal receipts: written with the money, claimed by one job, marked with what the device said.

A claim is fenced: only the worker that holds it may mark the receipt. Where next: `jobs.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4, uuid5

from sqlalchemy import ColumnElement, func, or_, select

from app import access, audit, clock
from app.db import after_commit, lock, session
from app.errors import NotAllowed, NotFound
from app.fiscal import rules
from app.gateways.kkt import tasks
from app.gateways.kkt.atol import Printed
from app.models import (
    FiscalDevice,
    FiscalReceipt,
    LedgerEntry,
    Payment,
    Refund,
    Service,
    User,
    WorkOrder,
    WorkOrderLine,
)
from app.queue import enqueue
from app.vocab import FiscalKind, FiscalStatus, LedgerKind

_OBJECTS = {"goods": "commodity"}


def device_of(legal_entity_id: int, branch_id: int) -> FiscalDevice | None:
    """The cash register that prints for this organisation in this branch."""
    return session.scalar(
        select(FiscalDevice).where(
            FiscalDevice.legal_entity_id == legal_entity_id,
            FiscalDevice.branch_id == branch_id,
            ~FiscalDevice.archived,
        )
    )


def intend(payment: Payment, *, actor: User | None) -> FiscalReceipt | None:
    """Write which receipt a payment needs, in its transaction; None when the organisation has no device here."""
    device = device_of(payment.legal_entity_id, payment.branch_id)
    if device is None:
        return None
    paid = {
        entry.work_order_id: rules.kopecks(-entry.debt_change)
        for entry in payment.entries
        if entry.kind == LedgerKind.PAYMENT and entry.work_order_id is not None
    }
    to_advance = sum(
        rules.kopecks(entry.advance_change) for entry in payment.entries if entry.kind == LedgerKind.ADVANCE_IN
    )
    items, payments = rules.sale(
        _bills(paid, payment.id), [(part.method, rules.kopecks(part.amount)) for part in payment.parts], to_advance
    )
    return _planned(device, FiscalKind.SELL, items, payments, actor, payment_id=payment.id, amount=payment.amount)


def intend_return(refund: Refund, from_advance: Any, *, actor: User | None) -> FiscalReceipt | None:
    """Write which return receipt a refund needs, in its transaction; `from_advance` is what leaves the advance."""
    device = device_of(refund.legal_entity_id, refund.branch_id)
    if device is None:
        return None
    sold = session.scalar(select(FiscalReceipt).where(FiscalReceipt.payment_id == refund.payment_id))
    original = rules.items_of(sold.body) if sold else []
    credit = sum(tasks.kopecks(one["sum"]) for one in sold.body["payments"] if one["type"] == "credit") if sold else 0
    items, payments = rules.give_back(
        original, credit, [(part.payment_part.method, rules.kopecks(part.amount)) for part in refund.parts],
        rules.kopecks(from_advance), refund.payment.number,
    )  # fmt: skip
    return _planned(device, FiscalKind.SELL_RETURN, items, payments, actor, refund_id=refund.id, amount=refund.amount)


def _bills(paid: dict[int, int], payment_id: int) -> list[rules.Bill]:
    if not paid:
        return []
    orders = session.execute(
        select(WorkOrder.id, WorkOrder.number, WorkOrder.due).where(WorkOrder.id.in_(paid)).order_by(WorkOrder.id)
    ).all()
    told = session.execute(
        select(LedgerEntry.work_order_id, func.sum(-LedgerEntry.debt_change))
        .where(
            LedgerEntry.work_order_id.in_(paid),
            LedgerEntry.kind.in_((LedgerKind.PAYMENT, LedgerKind.REFUND, LedgerKind.PAID_TO_ADVANCE)),
            LedgerEntry.payment_id.is_distinct_from(payment_id),
        )
        .group_by(LedgerEntry.work_order_id)
    )
    begun = {row[0]: row[1] for row in told}
    lines: dict[int, list[rules.Line]] = {pk: [] for pk in paid}
    for line, service in session.execute(
        select(WorkOrderLine, Service)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .where(WorkOrderLine.work_order_id.in_(paid))
        .order_by(WorkOrderLine.work_order_id, WorkOrderLine.position)
    ):
        lines[line.work_order_id].append(_line(line, service))
    return [
        rules.Bill(number, lines[pk], rules.kopecks(due) + paid[pk], paid[pk], begun=begun.get(pk, 0) > 0)
        for pk, number, due in orders
    ]


def _line(line: WorkOrderLine, service: Service) -> rules.Line:
    tooth = f" (зуб {line.tooth[0]}.{line.tooth[1]})" if line.tooth else ""
    name = f"{service.code} {service.name}"[: tasks.NAME_LENGTH - len(tooth)] + tooth
    kind = str(getattr(service, "item_kind", "service"))
    vat = str(getattr(service, "vat", "none"))
    return rules.Line(name.strip(), line.quantity, rules.kopecks(line.total), _OBJECTS.get(kind, "service"), vat)


def _planned(
    device: FiscalDevice, kind: FiscalKind, items: list[tasks.Item], payments: dict[str, int], actor: User | None,
    **of: Any,
) -> FiscalReceipt:  # fmt: skip
    cashier = access.account(actor).name if actor else ""
    now = clock.now()
    row = FiscalReceipt(
        uuid=uuid4(), device_id=device.id, kind=kind, created_at=now, due_at=now,
        created_by_id=actor.id if actor else None, status=FiscalStatus.PLANNED,
        body=tasks.receipt(str(kind), items, payments, taxation=device.taxation, cashier=cashier), **of,
    )  # fmt: skip
    session.add(row)
    session.flush()
    hurry(row.id)
    return row


def hurry(receipt_id: int) -> None:
    """Send it as soon as it is committed; with a dead broker the sweep finds it."""
    after_commit(lambda: _enqueue(receipt_id))


def _enqueue(receipt_id: int) -> None:
    enqueue("app.fiscal.jobs.send", receipt_id, job_id=f"fiscal-{receipt_id}")


# --- carrying it to the device


@dataclass(frozen=True)
class Claim:
    """A receipt that this worker, and no other, carries to the device. `ask_first`: it may be there already."""

    id: int
    uuid: str
    body: dict[str, Any]
    device_id: int
    since: datetime
    ask_first: bool


def _ready(now: datetime, stale: timedelta) -> ColumnElement[bool]:
    waiting = FiscalReceipt.status.in_((FiscalStatus.PLANNED, FiscalStatus.UNKNOWN)) & (FiscalReceipt.due_at <= now)
    dead = (FiscalReceipt.status == FiscalStatus.SENDING) & (FiscalReceipt.sending_since <= now - stale)
    return or_(waiting, dead)


def due(now: datetime, stale: timedelta, *, limit: int = 200) -> list[int]:
    """Receipts to be carried to the device now, the oldest first."""
    return list(session.scalars(select(FiscalReceipt.id).where(_ready(now, stale)).order_by("id").limit(limit)))


def claim(receipt_id: int, stale: timedelta) -> Claim | None:
    """Take a receipt; None when it is not due or another worker has it.

    The caller commits before the device is called.
    """
    now = clock.now()
    row = session.scalar(
        select(FiscalReceipt)
        .where(FiscalReceipt.id == receipt_id, _ready(now, stale))
        .with_for_update(of=FiscalReceipt, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    ask_first = row.attempts > 0
    row.status, row.sending_since, row.attempts = FiscalStatus.SENDING, now, min(row.attempts + 1, 30_000)
    session.flush()
    wire = row.uuid if not row.round else uuid5(row.uuid, str(row.round))
    return Claim(row.id, str(wire), row.body, row.device_id, now, ask_first)


def _mark(claim: Claim, change: Callable[[FiscalReceipt], None]) -> None:
    """Change the receipt of a claim; nothing when another worker took it over."""
    row = lock(FiscalReceipt, claim.id)
    if row is None or row.status != FiscalStatus.SENDING or row.sending_since != claim.since:
        return
    row.sending_since = None
    change(row)
    session.flush()


def mark_printed(claim: Claim, printed: Printed) -> None:
    """The device printed it: its fiscal numbers, for ever."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.DONE, ""
        row.fn, row.document, row.sign = printed.fn, printed.document, printed.sign
        row.registration, row.shift_number, row.receipt_number = printed.registration, printed.shift, printed.number
        row.printed_at = printed.printed_at or clock.now()
        session.flush()
        after = {"number": row.document, "amount": str(row.amount)}
        audit.record("fiscal.printed", row, after=after, actor=None)

    _mark(claim, change)


def mark_unknown(claim: Claim, why: str) -> None:
    """Nobody knows whether it was printed: the device is asked about the same uuid until it says."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.UNKNOWN, why
        row.due_at = clock.now() + rules.pause_after(row.attempts)

    _mark(claim, change)


def mark_later(claim: Claim, why: str, *, refused: bool = False, at_once: bool = False) -> None:
    """Certainly not printed now; tried again by itself. `refused`: the device ended the task, so it needs a new one."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.PLANNED, why
        row.round += refused
        row.due_at = clock.now() + (timedelta() if at_once else rules.pause_after(row.attempts))

    _mark(claim, change)


def mark_failed(claim: Claim, why: str) -> None:
    """The device said that it cannot print this; somebody must look."""

    def change(row: FiscalReceipt) -> None:
        row.status, row.error = FiscalStatus.FAILED, why
        audit.record("fiscal.failed", row, after={"error": why}, actor=None)

    _mark(claim, change)


def retry(receipt_id: int, *, actor: User | None) -> FiscalReceipt:
    """Try a receipt now: one that the device refused under a new task, any other under its own.

    Raises:
        NotAllowed, NotFound
    """
    access.require(actor, "fiscal.retry")
    row = lock(FiscalReceipt, receipt_id)
    if row is None:
        raise NotFound()
    if row.status in (FiscalStatus.DONE, FiscalStatus.SENDING):
        raise NotAllowed()
    if row.status == FiscalStatus.FAILED:
        row.round += 1
        row.status = FiscalStatus.PLANNED
    row.due_at = clock.now()
    audit.record("fiscal.retried", row, after={"amount": str(row.amount)}, actor=actor)
    session.flush()
    hurry(row.id)
    return row


def note(
    device_id: int, *, problem: str = "", state: str = "", number: int = 0, expires_at: datetime | None = None,
    not_sent: int | None = None,
) -> None:  # fmt: skip
    """Write what a device said of itself; with a problem the rest stays as it was."""
    device = lock(FiscalDevice, device_id)
    if device is None:
        return
    device.asked_at, device.problem = clock.now(), problem
    if state:
        device.shift_state, device.shift_number, device.shift_expires_at = state, number, expires_at
    if not_sent is not None:
        device.not_sent = not_sent
    session.flush()
