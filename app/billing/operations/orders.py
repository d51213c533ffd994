"""Changes of work orders: draft, change, issue, reopen, annul.

Where next: `payments.py`, `../rules.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import branch_of, entry, id_of
from app.db import lock, next_number, session
from app.errors import (
    AlreadyIssued,
    AlreadyPaid,
    EmptyWorkOrder,
    Invalid,
    NoPrice,
    NotFound,
    OrderReversed,
    PriceChanged,
    Stale,
    WrongStatus,
)
from app.models import Appointment, Employee, Patient, User, WorkOrder, WorkOrderLine
from app.money import ZERO, shown
from app.patients import operations as cards
from app.patients.queries import lock_account, lock_accounts
from app.vocab import N_, LedgerKind, WorkOrderStatus

Line = Mapping[str, Any]
#: A discount that stands in a draft: service, quantity, percent (if it was given so), roubles.
Given = tuple[int, int, Decimal | None, Decimal]


def create_work_order(
    patient_id: int, doctor_id: int, lines: Sequence[Line], *, appointment_id: int | None = None,
    branch_id: int | None = None, actor: User | None,
) -> WorkOrder:  # fmt: skip
    """Write down what was done: a draft with the prices of today, which stay until it is issued.

    A line is `{service_id, quantity, tooth?, discount_percent? | discount_amount?, discount_reason?, assistant_id?,
    seen_price?}`; `seen_price` is what stood on the screen. A doctor writes only his own orders, for patients of his.

    Raises:
        NotAllowed, NotFound, CardArchived, CardMerged, CardErased
        VisitNotHeld: the visit is cancelled or a no-show; an order without a visit stays possible.
        EmptyWorkOrder, NoPrice, WrongTooth, DiscountTooLarge
        PriceChanged: since the line was filled in.
        Invalid: `fields` name the line, for instance `lines.0.quantity`.
    """
    access.require_own(actor, "work_order.fill", doctor_id)
    lock_account(patient_id)  # before all else, as everybody does: it may be issued in the same step
    # whoever empties or merges the card at this moment is waited for, and waits for the order
    stays = {"read": True, "key_share": True, "of": Patient}
    patient = session.get(Patient, patient_id, with_for_update=stays, populate_existing=True)
    if patient is None:
        raise Invalid(fields={"patient_id": N_("There is no such patient.")})
    cards.check_open(patient)
    doctor = session.get(Employee, doctor_id)
    if doctor is None or not doctor.is_doctor or doctor.archived:
        raise Invalid(fields={"doctor_id": N_("There is no such doctor.")})
    if appointment_id is not None:
        visit = _visit_that_stays(appointment_id)
        if visit is None or visit.patient_id != patient_id:
            raise Invalid(fields={"appointment_id": N_("This patient has no such visit.")})
        rules.check_held(visit.status)
        branch_id = branch_id or visit.branch_id
    if actor and access.account(actor).own_only("work_order.fill") and not queries.is_patient_of(patient_id, doctor_id):
        raise Invalid(fields={"patient_id": N_("This is not a patient of yours: there is no visit to you.")})
    branch = branch_of(branch_id, actor)
    now = clock.now()
    priced = _priced(lines, None, patient.discount_percent, day=clock.today(), actor=actor)
    order = WorkOrder(
        legal_entity_id=branch.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=next_number(branch.legal_entity_id, "work_order"), patient_id=patient_id, doctor_id=doctor_id,
        appointment_id=appointment_id, status=WorkOrderStatus.DRAFT, lines=priced,
        total=sum((line.total for line in priced), ZERO), created_at=now, created_by_id=id_of(actor),
    )  # fmt: skip
    session.add(order)
    session.flush()
    audit.record("work_order.created", order, after=_figures(order), patient_id=patient_id, actor=actor)
    return order


def change_work_order(order_id: int, version: int | None, lines: Sequence[Line], *, actor: User | None) -> WorkOrder:
    """Write the lines of a draft anew.

    A service that stands in it keeps the price that was written down, however many lines there are of it; one that was
    not there has the price of the day the draft was made. A discount that somebody with a larger limit gave stays while
    its line stays as it was. What the patient's card gives, anybody may give. `version` is the one that was looked at;
    None overwrites whatever is there.

    Raises:
        NotAllowed, NotFound, AlreadyIssued, Stale, and as `create_work_order`.
    """
    order = _locked_order(order_id, actor)
    _require_draft(order)
    if version is not None and version != order.version:
        raise Stale(current={"id": order.id, "version": order.version, "total": str(order.total)})
    before = _figures(order)
    always = session.scalar(select(Patient.discount_percent).where(Patient.id == order.patient_id))
    priced = _priced(lines, order, always, day=clock.wall(order.created_at).date(), actor=actor)
    order.lines.clear()
    session.flush()  # the old positions must be gone before the new ones come
    order.lines = priced
    order.total = sum((line.total for line in priced), ZERO)
    order.version += 1
    session.flush()
    audit.record(
        "work_order.changed", order, before=before, after=_figures(order), patient_id=order.patient_id, actor=actor
    )
    return order


def issue(order_id: int, *, actor: User | None) -> WorkOrder:
    """Issue a draft: it becomes a bill, its figures are fixed, the patient owes its total. A zero bill is paid at once.

    Raises:
        NotAllowed, NotFound, AlreadyIssued, EmptyWorkOrder
        VisitNotHeld: its visit was cancelled or missed since the draft was begun.
        WrongStatus: it is annulled.
    """
    order = _locked_order(order_id, actor)
    _require_draft(order)
    if not order.lines:
        raise EmptyWorkOrder()
    if order.appointment_id is not None and (visit := _visit_that_stays(order.appointment_id)):
        rules.check_held(visit.status)
    for line in order.lines:
        line.code, line.name = line.service.code, line.service.name
    session.flush()
    order.status, order.issued_at, order.issued_day = WorkOrderStatus.ISSUED, clock.now(), clock.today()
    order.version += 1
    session.flush()
    session.add(
        entry(LedgerKind.BILL, order.patient_id, order.branch_id, order_id=order.id, debt=order.total, actor=actor)
    )
    session.flush()
    session.refresh(order)
    audit.record("work_order.issued", order, after=_figures(order), patient_id=order.patient_id, actor=actor)
    return order


def reopen(order_id: int, *, actor: User | None) -> WorkOrder:
    """Take a bill back to a draft, as long as no money was ever taken for it.

    Raises:
        NotAllowed, NotFound
        WrongStatus: it is a draft, or annulled.
        AlreadyPaid: also when what was paid has been returned.
        OrderReversed: there is a reversing order, or it is one.
    """
    order = _locked_order(order_id, actor)
    if order.status in (WorkOrderStatus.DRAFT, WorkOrderStatus.ANNULLED):
        raise WrongStatus({"status": WorkOrderStatus(order.status).label}, status=order.status)
    if queries.was_paid(order.id):
        raise AlreadyPaid()
    if order.status == WorkOrderStatus.REVERSAL or queries.reversals_of(order.id):
        raise OrderReversed()
    due = order.due
    order.status, order.issued_at, order.issued_day = WorkOrderStatus.DRAFT, None, None
    order.version += 1
    session.flush()
    session.add(
        entry(LedgerKind.BILL_REOPENED, order.patient_id, order.branch_id, order_id=order.id, debt=-due, actor=actor)
    )
    session.flush()
    session.refresh(order)
    audit.record("work_order.reopened", order, after=_figures(order), patient_id=order.patient_id, actor=actor)
    return order


def annul(order_id: int, *, actor: User | None) -> WorkOrder:
    """Annul a draft that was made by mistake: its number stays, and it is in nobody's way any more.

    Raises:
        NotAllowed, NotFound, AlreadyIssued
        WrongStatus: it is annulled.
    """
    order = _locked_order(order_id, actor)
    _require_draft(order)
    order.status = WorkOrderStatus.ANNULLED
    order.version += 1
    session.flush()
    audit.record("work_order.annulled", order, after=_figures(order), patient_id=order.patient_id, actor=actor)
    return order


def _visit_that_stays(appointment_id: int) -> Appointment | None:
    """A visit that is as it is for as long as we work: whoever cancels it is waited for, and waits for the order."""
    held = {"read": True, "of": Appointment}
    return session.get(Appointment, appointment_id, with_for_update=held, populate_existing=True)


def _require_draft(order: WorkOrder) -> None:
    if order.status == WorkOrderStatus.ANNULLED:
        raise WrongStatus({"status": WorkOrderStatus.ANNULLED.label}, status=order.status)
    if order.status != WorkOrderStatus.DRAFT:
        raise AlreadyIssued()


def _locked_order(order_id: int, actor: User | None) -> WorkOrder:
    """An order for changing, its patient's account locked before it."""
    doctor_id = session.scalar(select(WorkOrder.doctor_id).where(WorkOrder.id == order_id))
    if doctor_id is None:
        raise NotFound()
    access.require_own(actor, "work_order.fill", doctor_id)
    lock_accounts(lambda: session.scalars(select(WorkOrder.patient_id).where(WorkOrder.id == order_id)))
    order = lock(WorkOrder, order_id)
    assert isinstance(order, WorkOrder)
    return order


def _discounts(order: WorkOrder) -> list[Given]:
    """The discounts that stand in a draft, each once, with what they were given for."""
    return [(line.service_id, line.quantity, line.discount_percent, line.discount) for line in order.lines]


def _stands(standing: list[Given], service_id: int, quantity: int, percent: Decimal | None, amount: Any) -> bool:
    """Was this discount given before? One that was taken over for a line is not there for the next."""
    for place, (of_service, of_quantity, of_percent, discount) in enumerate(standing):
        same = of_percent == percent if percent is not None else discount == amount
        if (of_service, of_quantity) == (service_id, quantity) and same:
            del standing[place]
            return True
    return False


def _priced(
    lines: Sequence[Line], order: WorkOrder | None, always: Decimal | None, *, day: date, actor: User | None
) -> list[WorkOrderLine]:
    """Lines with their prices and totals; a complaint names its line. `always` is the card's discount.

    What stands in the order was shown and agreed upon: it keeps its price, though the price list was changed on the
    very day. The rest has the prices of `day`.
    """
    rules.check_lines(lines)
    limit = max(access.discount_limit(actor), always or ZERO)
    ids = {line["service_id"] for line in lines}
    standing = _discounts(order) if order else []
    kept = {line.service_id: line.price for line in order.lines} if order else {}
    services, prices = queries.services_by_id(ids), {**queries.prices_of(ids - kept.keys(), day), **kept}
    priced, other = [], []
    for place, line in enumerate(lines):
        service, quantity, tooth = services.get(line["service_id"]), line["quantity"], line.get("tooth") or ""
        if service is None:
            raise Invalid(fields={f"lines.{place}.service_id": N_("There is no such service.")})
        if service.archived and service.id not in kept:
            raise Invalid(fields={f"lines.{place}.service_id": N_("This service is in the archive: choose another.")})
        if service.id not in prices:
            raise NoPrice({"service": service.name}, service_id=service.id)
        seen = line.get("seen_price")
        if seen is not None and seen != prices[service.id]:
            other.append((place, service.name, seen, prices[service.id]))
        rules.check_tooth(tooth)
        percent, amount = line.get("discount_percent"), line.get("discount_amount")
        allowed = Decimal(100) if _stands(standing, service.id, quantity, percent, amount) else limit
        try:
            cost = rules.cost(prices[service.id], quantity, percent=percent, amount=amount, limit=allowed)
        except Invalid as wrong:
            named = {f"lines.{place}.{name}": said for name, said in wrong.facts["fields"].items()}
            raise Invalid(fields=named) from wrong
        assistant_id = line.get("assistant_id")
        if assistant_id is not None and session.get(Employee, assistant_id) is None:
            raise Invalid(fields={f"lines.{place}.assistant_id": N_("There is no such employee.")})
        priced.append(
            WorkOrderLine(
                position=place + 1, service_id=service.id, service=service, tooth=tooth, quantity=quantity,
                price=prices[service.id], discount_percent=percent, discount=cost.discount,
                discount_reason=line.get("discount_reason") or "", assistant_id=assistant_id, total=cost.total,
            )
        )  # fmt: skip
    if other:
        raise PriceChanged(
            {"what": "; ".join(f"{name}: {shown(seen)} → {shown(now)} ₽" for _, name, seen, now in other)},
            prices={place: str(now) for place, _, _, now in other},
        )
    return priced


def _figures(order: WorkOrder) -> dict[str, Any]:
    """What the log keeps of an order."""
    lines = [
        f"{line.service_id} x{line.quantity} {line.price}-{line.discount}={line.total} {line.tooth}".strip()
        for line in order.lines
    ]
    return {**audit.facts(order, ("number", "status", "total", "due")), "lines": lines}
