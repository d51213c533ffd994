"""What the desk asks about fiscal receipts: the queue, one receipt, the devices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import segno
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from app import clock
from app.db import Fixed, given, session
from app.fiscal import rules
from app.models import (
    CashDesk,
    CashMovement,
    FiscalCredit,
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
from app.vocab import DeskKind, FiscalStatus


@dataclass(frozen=True)
class Device:
    """The cash register that prints for an organisation in a branch."""

    id: int
    taxation: str


_DEVICE = Fixed(
    select(FiscalDevice.id, FiscalDevice.taxation).where(
        FiscalDevice.legal_entity_id == given("entity"), FiscalDevice.branch_id == given("branch"),
        ~FiscalDevice.archived,
    )
)  # fmt: skip


def device_at(legal_entity_id: int, branch_id: int) -> Device | None:
    """The device whose drawer the drawers of an organisation in a branch are; None when it has none here."""
    found = _DEVICE(entity=legal_entity_id, branch=branch_id).one_or_none()
    return Device(found.id, found.taxation) if found is not None else None


def lines_of(reversal_id: int) -> list[rules.Line]:
    """The lines that a reversing order takes back, above zero."""
    rows = session.execute(
        select(WorkOrderLine, Service)
        .join(Service, Service.id == WorkOrderLine.service_id)
        .where(WorkOrderLine.work_order_id == reversal_id)
        .order_by(WorkOrderLine.position)
    )
    return [
        rules.line(*line.called, line.tooth, -line.quantity, -line.total, kind=service.item_kind, vat=service.vat)
        for line, service in rows
    ]


def on_credit(order_id: int) -> Decimal:
    """What receipts told of a bill that it is owed, and no receipt since that it was paid."""
    told = select(func.coalesce(func.sum(FiscalCredit.change), 0)).where(FiscalCredit.work_order_id == order_id)
    return session.scalars(told).one()


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
    """A receipt as the page shows it: its patient, or the movement that the device is told of."""

    receipt: FiscalReceipt
    number: int | None
    patient_id: int | None
    patient: str
    movement: CashMovement | None


#: What is neither done, nor replaced by a correction, nor left as it is.
_OPEN = FiscalReceipt.status.not_in((FiscalStatus.DONE, FiscalStatus.REPLACED, FiscalStatus.LEFT))


def receipts(*, unfinished: bool, since: date | None, limit: int, offset: int) -> tuple[int, list[Line]]:
    """Receipts written since a day, the newest first; `unfinished`: those not printed, of any day, the oldest first."""
    which = _OPEN if unfinished else true() if since is None else FiscalReceipt.created_at >= clock.day_starts(since)
    count = session.scalar(select(func.count()).select_from(FiscalReceipt).where(which)) or 0
    newest = FiscalReceipt.id.asc() if unfinished else FiscalReceipt.id.desc()
    rows = session.execute(_lines().where(which).order_by(newest).limit(limit).offset(offset)).all()
    return count, [_shown(*row) for row in rows]


def line_of(receipt_id: int) -> Line | None:
    """One receipt with whose it is."""
    row = session.execute(_lines().where(FiscalReceipt.id == receipt_id)).one_or_none()
    return _shown(*row) if row else None


def _shown(row: FiscalReceipt, number: int | None, patient: Patient | None, movement: CashMovement | None) -> Line:
    return Line(row, number, patient.id if patient else None, str(patient or ""), movement)


def _lines() -> Select[FiscalReceipt, int | None, Patient | None, CashMovement | None]:
    number = func.coalesce(Payment.number, Refund.number, WorkOrder.number, CashMovement.number)
    return (
        select(FiscalReceipt, number, Patient, CashMovement)
        .outerjoin(Payment, Payment.id == FiscalReceipt.payment_id)
        .outerjoin(Refund, Refund.id == FiscalReceipt.refund_id)
        .outerjoin(WorkOrder, WorkOrder.id == FiscalReceipt.reversal_id)
        .outerjoin(CashMovement, CashMovement.id == FiscalReceipt.movement_id)
        .outerjoin(Patient, Patient.id == func.coalesce(Payment.patient_id, Refund.patient_id, WorkOrder.patient_id))
    )


def waiting() -> int:
    """What the devices have not done yet."""
    return session.scalar(select(func.count()).select_from(FiscalReceipt).where(_OPEN)) or 0


@dataclass(frozen=True)
class Troubled:
    """What waits for a person: so many receipts, and so much cash that a device has not been told of."""

    receipts: int = 0
    cash: int = 0


def troubled() -> Troubled:
    """What waits for a person: refused by the device, or nobody knows; or a first try came to nothing."""
    stuck = or_(
        FiscalReceipt.status.in_((FiscalStatus.FAILED, FiscalStatus.UNKNOWN)),
        (FiscalReceipt.status == FiscalStatus.PLANNED) & (FiscalReceipt.error != ""),
    )
    cash = FiscalReceipt.kind.in_(rules.DRAWER)
    row = session.execute(
        select(func.count().filter(~cash), func.count().filter(cash)).select_from(FiscalReceipt).where(_OPEN, stuck)
    ).one()
    return Troubled(*row)


@dataclass(frozen=True)
class Drawer:
    """What a device counts in its drawer, when it said so, and what the desks of its branch hold.

    `waiting`: so much the device has still to do; until then the two may differ.
    """

    device: FiscalDevice
    told: Decimal | None
    at: datetime | None
    desks: Decimal
    waiting: int

    @property
    def difference(self) -> Decimal | None:
        """Told less held; None while it is not known."""
        return None if self.told is None or self.waiting else self.told - self.desks


def drawers(legal_entity_id: int | None = None, branch_id: int | None = None) -> list[Drawer]:
    """The drawers of the devices in use; or only that of an organisation in a branch."""
    held = (
        select(func.coalesce(func.sum(CashDesk.balance), 0))
        .where(_of_device(CashDesk.legal_entity_id, CashDesk.branch_id), CashDesk.kind != DeskKind.NON_CASH)
        .scalar_subquery()
    )
    waits = select(func.count()).where(FiscalReceipt.device_id == FiscalDevice.id, _OPEN).scalar_subquery()
    rows = select(FiscalDevice, held, waits).where(~FiscalDevice.archived).order_by(FiscalDevice.id)
    if branch_id is not None:
        rows = rows.where(FiscalDevice.legal_entity_id == legal_entity_id, FiscalDevice.branch_id == branch_id)
    return [Drawer(row, row.drawer, row.drawer_at, desks, many) for row, desks, many in session.execute(rows)]


def _of_device(legal_entity_id: Any, branch_id: Any) -> ColumnElement[bool]:
    return and_(legal_entity_id == FiscalDevice.legal_entity_id, branch_id == FiscalDevice.branch_id)


def rest_of(device_id: int) -> int | None:
    """The last thing that a device did, while it has nothing to do; None when it has: its drawer is about to change."""
    row = session.execute(
        select(func.coalesce(func.max(FiscalReceipt.id), 0), func.count().filter(_OPEN)).where(
            FiscalReceipt.device_id == device_id
        )
    ).one()
    return None if row[1] else row[0]


def left_of_shift(device: FiscalDevice) -> timedelta | None:
    """How long the device's shift may still take receipts; None when it is not open, zero when it is over."""
    if device.shift_state not in ("opened", "expired") or device.shift_expires_at is None:
        return None
    return max(device.shift_expires_at - clock.now(), timedelta())


def device_of_branch(legal_entity_id: int, branch_id: int) -> FiscalDevice | None:
    """The same device as it told of itself."""
    found = device_at(legal_entity_id, branch_id)
    return session.get(FiscalDevice, found.id) if found is not None else None


def sent_as(device_id: int, uuid: str) -> FiscalReceipt | None:
    """Which of what a device has still to do it knows under this uuid; None when it is none of the program's."""
    waiting_there = session.scalars(select(FiscalReceipt).where(FiscalReceipt.device_id == device_id, _OPEN))
    return next((row for row in waiting_there if rules.wire(row.uuid, row.round) == uuid), None)


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
