"""What the desk asks about fiscal receipts: the queue, one receipt, the devices."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import segno
from sqlalchemy import Select, func, or_, select, text, true

from app import clock
from app.db import Fixed, session
from app.fiscal import rules
from app.gateways.kkt import tasks
from app.models import (
    FiscalDevice,
    FiscalReceipt,
    FiscalShift,
    Patient,
    Payment,
    Refund,
    Service,
    SlipPrinter,
    WorkOrder,
    WorkOrderLine,
)
from app.vocab import FiscalStatus


@dataclass(frozen=True)
class Device:
    """The cash register that prints for an organisation in a branch."""

    id: int
    taxation: str


@dataclass(frozen=True)
class Selling:
    """What a receipt is written from: the device, and the bills as they are before what is `paid` on them."""

    device: Device
    bills: list[rules.Bill]


#: One statement: a receipt is written with every payment.
_SELLING = Fixed(
    text("""
    SELECT d.id AS device_id, d.taxation, o.id, o.number, o.due,
        (SELECT json_agg(json_build_object('code', s.code, 'name', s.name, 'tooth', l.tooth, 'quantity', l.quantity,
                 'total', CAST(l.total AS text), 'kind', s.item_kind, 'vat', s.vat) ORDER BY l.position)
         FROM work_order_line l JOIN service s ON s.id = l.service_id WHERE l.work_order_id = o.id) AS lines,
        (SELECT COALESCE(sum(c.change), 0) FROM fiscal_credit c WHERE c.work_order_id = o.id) AS credit
    FROM fiscal_device d LEFT JOIN work_order o ON o.id = ANY(CAST(:orders AS int[]))
    WHERE d.legal_entity_id = :entity AND d.branch_id = :branch AND NOT d.archived ORDER BY o.id
    """)
)


def selling(legal_entity_id: int, branch_id: int, paid: Mapping[int, int] | Iterable[int]) -> Selling | None:
    """The device of a branch and the bills that a payment is about to pay: {work order: kopecks}, or the orders alone.

    None when the organisation has no device here.
    """
    amounts = dict(paid) if isinstance(paid, Mapping) else dict.fromkeys(paid, 0)
    rows = _SELLING(entity=legal_entity_id, branch=branch_id, orders=list(amounts)).all()
    if not rows:
        return None
    return Selling(
        Device(rows[0].device_id, rows[0].taxation),
        [
            rules.Bill(
                row.id, row.number, [_line(line) for line in row.lines or ()],
                rules.kopecks(row.due), amounts[row.id], rules.kopecks(row.credit),
            )
            for row in rows
            if row.id is not None
        ],
    )  # fmt: skip


_OBJECTS = {"goods": "commodity"}


def _line(found: Mapping[str, Any]) -> rules.Line:
    """A line of a bill as a receipt names it: code, service, tooth."""
    tooth = f" (зуб {found['tooth'][0]}.{found['tooth'][1]})" if found["tooth"] else ""
    name = f"{found['code']} {found['name']}"[: tasks.NAME_LENGTH - len(tooth)].strip() + tooth
    total = rules.kopecks(Decimal(found["total"]))
    return rules.Line(name.strip(), found["quantity"], total, _OBJECTS.get(found["kind"], "service"), found["vat"])


def lines_of(reversal_id: int) -> list[rules.Line]:
    """The lines that a reversing order takes back, above zero."""
    rows = session.execute(
        select(WorkOrderLine, Service)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .where(WorkOrderLine.work_order_id == reversal_id)
        .order_by(WorkOrderLine.position)
    )
    return [
        _line({
            "code": service.code, "name": service.name, "tooth": line.tooth, "quantity": -line.quantity,
            "total": -line.total, "kind": service.item_kind, "vat": service.vat,
        })
        for line, service in rows
    ]  # fmt: skip


def sold_by(payment_ids: Collection[int]) -> dict[int, FiscalReceipt]:
    """The receipts of payments; who has none is absent."""
    rows = session.scalars(
        select(FiscalReceipt).where(
            FiscalReceipt.payment_id.in_(payment_ids), FiscalReceipt.status != FiscalStatus.REPLACED
        )
    )
    return {row.payment_id: row for row in rows if row.payment_id is not None}


@dataclass(frozen=True)
class Line:
    """A receipt as the page shows it."""

    receipt: FiscalReceipt
    number: int
    patient_id: int
    patient: str


#: A receipt that is neither printed nor replaced by a correction.
_OPEN = FiscalReceipt.status.not_in((FiscalStatus.DONE, FiscalStatus.REPLACED))


def receipts(*, unfinished: bool, since: date | None, limit: int, offset: int) -> tuple[int, list[Line]]:
    """Receipts written since a day, the newest first; `unfinished`: those not printed, of any day, the oldest first."""
    which = _OPEN if unfinished else true() if since is None else FiscalReceipt.created_at >= clock.day_starts(since)
    count = session.scalar(select(func.count()).select_from(FiscalReceipt).where(which)) or 0
    newest = FiscalReceipt.id.asc() if unfinished else FiscalReceipt.id.desc()
    rows = session.execute(_lines().where(which).order_by(newest).limit(limit).offset(offset)).all()
    return count, [Line(row, number, patient.id, str(patient)) for row, number, patient in rows]


def line_of(receipt_id: int) -> Line | None:
    """One receipt with whose it is."""
    row = session.execute(_lines().where(FiscalReceipt.id == receipt_id)).one_or_none()
    return Line(row[0], row[1], row[2].id, str(row[2])) if row else None


def _lines() -> Select[FiscalReceipt, int, Patient]:
    return (
        select(FiscalReceipt, func.coalesce(Payment.number, Refund.number, WorkOrder.number), Patient)
        .outerjoin(Payment, Payment.id == FiscalReceipt.payment_id)
        .outerjoin(Refund, Refund.id == FiscalReceipt.refund_id)
        .outerjoin(WorkOrder, WorkOrder.id == FiscalReceipt.reversal_id)
        .join(Patient, Patient.id == func.coalesce(Payment.patient_id, Refund.patient_id, WorkOrder.patient_id))
    )


def waiting() -> int:
    """Receipts that are not printed yet."""
    return session.scalar(select(func.count()).select_from(FiscalReceipt).where(_OPEN)) or 0


def troubled() -> int:
    """Receipts that wait for a person: refused by the device, or nobody knows; or a first try came to nothing."""
    stuck = or_(
        FiscalReceipt.status.in_((FiscalStatus.FAILED, FiscalStatus.UNKNOWN)),
        (FiscalReceipt.status == FiscalStatus.PLANNED) & (FiscalReceipt.error != ""),
    )
    return session.scalar(select(func.count()).select_from(FiscalReceipt).where(_OPEN, stuck)) or 0


def devices() -> Sequence[FiscalDevice]:
    return session.scalars(select(FiscalDevice).where(~FiscalDevice.archived).order_by(FiscalDevice.id)).all()


def left_of_shift(device: FiscalDevice) -> timedelta | None:
    """How long the device's shift may still take receipts; None when it is not open, zero when it is over."""
    if device.shift_state not in ("opened", "expired") or device.shift_expires_at is None:
        return None
    return max(device.shift_expires_at - clock.now(), timedelta())


def of_payment(payment_id: int) -> FiscalReceipt | None:
    """The fiscal receipt of a payment; None when it needs none."""
    return sold_by([payment_id]).get(payment_id)


def square_of(receipt: FiscalReceipt) -> str:
    """The square of a printed receipt as a drawing for a page (SVG); empty while it is not printed."""
    said = qr_of(receipt)
    return str(segno.make(said, error="m").svg_inline(scale=3, border=2, svgclass="qr", lineclass=None)) if said else ""


def qr_of(receipt: FiscalReceipt) -> str:
    """What the square of a printed receipt says; empty while it is not printed."""
    if receipt.printed_at is None or receipt.document is None:
        return ""
    wall, total = clock.wall(receipt.printed_at), sum(item.amount for item in rules.items_of(receipt.body))
    return rules.qr(wall, total, receipt.fn, receipt.document, receipt.sign, receipt.kind)


# --- shifts of a device


def counted(device_id: int, shift_number: int) -> dict[str, dict[str, int]]:
    """What the program's receipts of a shift of a device add up to, by kind: how many, the sum, the ways; kopecks."""
    sums = rules.no_sums()
    for kind, body in session.execute(
        select(FiscalReceipt.kind, FiscalReceipt.body).where(
            FiscalReceipt.device_id == device_id,
            FiscalReceipt.shift_number == shift_number,
            FiscalReceipt.status == FiscalStatus.DONE,
            FiscalReceipt.kind.in_(sums),
        )
    ):
        rules.add_up(sums[kind], body)
    return sums


def shifts(since: date | None, limit: int = 30) -> Sequence[FiscalShift]:
    """The shifts of the devices that were closed since a day, or are being closed; the newest first."""
    which = true() if since is None else FiscalShift.created_at >= clock.day_starts(since)
    return session.scalars(select(FiscalShift).where(which).order_by(FiscalShift.id.desc()).limit(limit)).all()


def slip_printer_of(branch_id: int | None) -> SlipPrinter | None:
    """The slip printer of a branch; None when it has none."""
    return session.scalar(select(SlipPrinter).where(SlipPrinter.branch_id == branch_id, ~SlipPrinter.archived))
