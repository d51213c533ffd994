"""Changes of money: work orders, bills, payments, refunds.

Locks, everywhere in this order: the patient's account, work orders by number, desks by number, series of numbers.
What is due and owed is kept by the ledger's trigger; operations only add entries. Where next: `rules.py`, `queries.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access, audit, clock, money
from app.billing import queries, rules
from app.billing.rules import Due, Part
from app.cash import operations as cash
from app.cash import queries as cash_queries
from app.db import lock, next_number, next_numbers, session
from app.errors import (
    AlreadyIssued,
    AlreadyPaid,
    CardArchived,
    EmptyWorkOrder,
    Invalid,
    NoDesk,
    NoPrice,
    NotFound,
    ReasonNeeded,
    Stale,
    WrongDesk,
    WrongStatus,
)
from app.models import (
    Appointment,
    Branch,
    CashDesk,
    Employee,
    LedgerEntry,
    Patient,
    PatientAccount,
    Payment,
    PaymentPart,
    Receipt,
    Refund,
    RefundPart,
    User,
    WorkOrder,
    WorkOrderLine,
)
from app.money import ZERO
from app.tasks import operations as tasks
from app.vocab import (
    N_,
    CardStatus,
    DeskKind,
    LedgerKind,
    PaymentMethod,
    ReceiptKind,
    TaskReasonKind,
    WorkOrderStatus,
)

Line = Mapping[str, Any]


def _lock_account(patient_id: int) -> None:
    """One payment, refund or bill of a patient at a time. Who has no account yet has no money to be moved twice."""
    session.execute(
        select(PatientAccount.patient_id).where(PatientAccount.patient_id == patient_id).with_for_update()
    ).all()


def _branch(branch_id: int | None, actor: User | None) -> Branch:
    """The given branch, else the one the actor works in, else the clinic's first.

    Raises:
        Invalid: there is no such branch, or it is closed.
    """
    chosen = branch_id or (access.account(actor).branch_id if actor else None)
    branch = session.get(Branch, chosen) if chosen else None
    if branch_id is None and (branch is None or branch.archived):
        branch = queries.first_branch()
    if branch is None or branch.archived:
        raise Invalid(fields={"branch_id": N_("There is no such branch.")})
    return branch


def _id(actor: User | None) -> int | None:
    return actor.id if actor else None


# --- work orders --------------------------------------------------------------------------------------


def create_work_order(
    patient_id: int, doctor_id: int, lines: Sequence[Line], *, appointment_id: int | None = None,
    branch_id: int | None = None, actor: User | None,
) -> WorkOrder:  # fmt: skip
    """Write down what was done: a draft with the prices of today, which stay until it is issued.

    A line is `{service_id, quantity, tooth?, discount_percent? | discount_amount?, discount_reason?, assistant_id?}`. A
    doctor writes only his own orders, for patients of his.

    Raises:
        NotAllowed, NotFound, CardArchived
        EmptyWorkOrder, NoPrice, WrongTooth, DiscountTooLarge
        Invalid: `fields` name the line, for instance `lines.0.quantity`.
    """
    access.require_own(actor, "work_order.fill", doctor_id)
    patient = session.get(Patient, patient_id)
    if patient is None:
        raise Invalid(fields={"patient_id": N_("There is no such patient.")})
    if patient.status == CardStatus.ARCHIVED:
        raise CardArchived()
    doctor = session.get(Employee, doctor_id)
    if doctor is None or not doctor.is_doctor or doctor.archived:
        raise Invalid(fields={"doctor_id": N_("There is no such doctor.")})
    if appointment_id is not None:
        visit = session.get(Appointment, appointment_id)
        if visit is None or visit.patient_id != patient_id:
            raise Invalid(fields={"appointment_id": N_("This patient has no such visit.")})
        branch_id = branch_id or visit.branch_id
    if actor and access.account(actor).own_only("work_order.fill") and not queries.is_patient_of(patient_id, doctor_id):
        raise Invalid(fields={"patient_id": N_("This is not a patient of yours: there is no visit to you.")})
    branch = _branch(branch_id, actor)
    now = clock.now()
    priced = _priced(lines, set(), day=clock.today(), actor=actor)
    order = WorkOrder(
        legal_entity_id=branch.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=next_number(branch.legal_entity_id, "work_order"), patient_id=patient_id, doctor_id=doctor_id,
        appointment_id=appointment_id, status=WorkOrderStatus.DRAFT, lines=priced,
        total=sum((line.total for line in priced), ZERO), created_at=now, created_by_id=_id(actor),
    )  # fmt: skip
    session.add(order)
    session.flush()
    audit.record("work_order.created", order, after=_figures(order), patient_id=patient_id, actor=actor)
    return order


def change_work_order(order_id: int, version: int | None, lines: Sequence[Line], *, actor: User | None) -> WorkOrder:
    """Write the lines of a draft anew, with the prices of the day it was made.

    A discount that somebody with a larger limit gave stays while its line stays as it was. `version` is the one that
    was looked at; None overwrites whatever is there.

    Raises:
        NotAllowed, NotFound, AlreadyIssued, Stale, and as `create_work_order`.
    """
    order = _locked_order(order_id, actor)
    if order.status != WorkOrderStatus.DRAFT:
        raise AlreadyIssued()
    if version is not None and version != order.version:
        raise Stale(current={"id": order.id, "version": order.version, "total": str(order.total)})
    before = _figures(order)
    priced = _priced(lines, _discounts(order), day=clock.wall(order.created_at).date(), actor=actor)
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
    """
    order = _locked_order(order_id, actor)
    if order.status != WorkOrderStatus.DRAFT:
        raise AlreadyIssued()
    if not order.lines:
        raise EmptyWorkOrder()
    order.status, order.issued_at, order.issued_day = WorkOrderStatus.ISSUED, clock.now(), clock.today()
    order.version += 1
    session.flush()
    session.add(
        _entry(LedgerKind.BILL, order.patient_id, order.branch_id, order_id=order.id, debt=order.total, actor=actor)
    )
    session.flush()
    session.refresh(order)
    audit.record("work_order.issued", order, after=_figures(order), patient_id=order.patient_id, actor=actor)
    return order


def reopen(order_id: int, *, actor: User | None) -> WorkOrder:
    """Take a bill back to a draft, as long as no money was ever taken for it.

    Raises:
        NotAllowed, NotFound
        WrongStatus: it is a draft.
        AlreadyPaid: also when what was paid has been returned.
    """
    order = _locked_order(order_id, actor)
    if order.status == WorkOrderStatus.DRAFT:
        raise WrongStatus({"status": WorkOrderStatus.DRAFT.label}, status=order.status)
    if queries.was_paid(order.id):
        raise AlreadyPaid()
    due = order.due
    order.status, order.issued_at, order.issued_day = WorkOrderStatus.DRAFT, None, None
    order.version += 1
    session.flush()
    session.add(
        _entry(LedgerKind.BILL_REOPENED, order.patient_id, order.branch_id, order_id=order.id, debt=-due, actor=actor)
    )
    session.flush()
    session.refresh(order)
    audit.record("work_order.reopened", order, after=_figures(order), patient_id=order.patient_id, actor=actor)
    return order


def _locked_order(order_id: int, actor: User | None) -> WorkOrder:
    """An order for changing, its patient's account locked before it."""
    found = session.execute(
        select(WorkOrder.patient_id, WorkOrder.doctor_id).where(WorkOrder.id == order_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    access.require_own(actor, "work_order.fill", found.doctor_id)
    _lock_account(found.patient_id)
    order = lock(WorkOrder, order_id)
    assert isinstance(order, WorkOrder)
    return order


def _discounts(order: WorkOrder) -> set[tuple[Any, ...]]:
    """The discounts that stand in a draft, with what they were given for."""
    return {
        given
        for line in order.lines
        for given in (
            (line.service_id, line.quantity, "percent", line.discount_percent),
            (line.service_id, line.quantity, "amount", line.discount),
        )
    }


def _priced(
    lines: Sequence[Line], standing: set[tuple[Any, ...]], *, day: date, actor: User | None
) -> list[WorkOrderLine]:
    """Lines with the prices of a day and their totals; a complaint names its line."""
    rules.check_lines(lines)
    limit = access.discount_limit(actor)
    ids = {line["service_id"] for line in lines}
    services, prices = queries.services_by_id(ids), queries.prices_of(ids, day)
    priced = []
    for place, line in enumerate(lines):
        service, quantity, tooth = services.get(line["service_id"]), line["quantity"], line.get("tooth") or ""
        if service is None:
            raise Invalid(fields={f"lines.{place}.service_id": N_("There is no such service.")})
        if service.id not in prices:
            raise NoPrice({"service": service.name}, service_id=service.id)
        rules.check_tooth(tooth)
        percent, amount = line.get("discount_percent"), line.get("discount_amount")
        given = ("percent", percent) if percent is not None else ("amount", amount)
        allowed = Decimal(100) if (service.id, quantity, *given) in standing else limit
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
    return priced


def _figures(order: WorkOrder) -> dict[str, Any]:
    """What the log keeps of an order."""
    lines = [
        f"{line.service_id} x{line.quantity} {line.price}-{line.discount}={line.total} {line.tooth}".strip()
        for line in order.lines
    ]
    return {**audit.facts(order, ("number", "status", "total", "due")), "lines": lines}


def _entry(
    kind: LedgerKind, patient_id: int, branch_id: int, *, order_id: int | None = None, payment_id: int | None = None,
    refund_id: int | None = None, debt: Decimal = ZERO, advance: Decimal = ZERO, actor: User | None,
) -> LedgerEntry:  # fmt: skip
    """One entry of the ledger; once written, its trigger moves the balances."""
    return LedgerEntry(
        kind=kind, business_day=clock.today(), branch_id=branch_id, patient_id=patient_id, work_order_id=order_id,
        payment_id=payment_id, refund_id=refund_id, debt_change=debt, advance_change=advance,
        created_at=clock.now(), created_by_id=_id(actor),
    )  # fmt: skip


# --- payments -----------------------------------------------------------------------------------------


def take_payment(
    patient_id: int, parts: Sequence[Part | Mapping[str, Any]], *,
    bills: Sequence[Due | Mapping[str, Any]] | None = None, tendered: Decimal | None = None,
    branch_id: int | None = None, actor: User | None,
) -> Payment:  # fmt: skip
    """Take a patient's money: cash, card, transfer, or from the advance, in several parts.

    It pays the given bills, or all that are due, the oldest first; the rest becomes an advance. Change is what the
    patient gave over the cash part and never comes into a desk. Without `desk_id` a part goes to the branch's desk of
    its kind. Writes the payment, its movements, the ledger and the receipt together.

    Raises:
        NotFound, Invalid, NotDue, WrongSplit, AdvanceOnlyForBills, NotEnoughAdvance, TenderedTooLittle
        NoDesk, WrongDesk: no desk of the branch for this kind of money; another branch's desk.
        ShiftClosed: with the desk to be opened.
    """
    paid = [part if isinstance(part, Part) else Part(**part) for part in parts]
    chosen = None if bills is None else [bill if isinstance(bill, Due) else Due(**bill) for bill in bills]
    whole = rules.check_parts(paid)
    given_back = rules.change(rules.sum_of(paid, PaymentMethod.CASH), tendered)
    from_advance = rules.sum_of(paid, PaymentMethod.ADVANCE)

    patient = queries.owing_locked(patient_id)
    if patient is None:
        raise NotFound()
    spread = rules.allocate(patient.dues, whole, from_advance=from_advance, chosen=chosen)
    rules.check_advance(patient.balance.advance, from_advance)
    branch, desks = _desks_for(paid, branch_id, actor)
    numbers = next_numbers(branch.legal_entity_id, {"payment": 1, "receipt": 1} | ({"in": len(desks)} if desks else {}))
    movements = dict(
        zip(
            desks,
            cash.receive(
                [(desk, shift_id, paid[place].amount) for place, (desk, shift_id) in desks.items()],
                numbers=numbers.get("in", range(0)), patient_id=patient_id, actor=actor,
            ),
            strict=True,
        )
    )  # fmt: skip
    now = clock.now()
    debt_left = patient.balance.debt - sum((bill.amount for bill in spread.bills), ZERO)
    payment = Payment(
        legal_entity_id=branch.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=numbers["payment"][0], patient_id=patient_id, amount=whole, tendered=tendered, change=given_back,
        business_day=clock.today(), paid_at=now, created_at=now, created_by_id=_id(actor),
        parts=[
            PaymentPart(
                method=part.method, amount=part.amount,
                desk_id=desks[place][0].id if place in desks else None,
                movement_id=movements[place].id if place in movements else None,
            )
            for place, part in enumerate(paid)
        ],
        entries=_entries_of(spread, from_advance, patient_id, branch.id, actor),
    )  # fmt: skip
    payment.receipt = _receipt(
        ReceiptKind.SALE, numbers["receipt"][0], patient_id, patient.full_name, patient.card_number, branch,
        [(part.method, part.amount) for part in paid],
        [line for bill in spread.bills for line in patient.lines[bill.work_order_id]],
        amount=whole, tendered=tendered, change=given_back, to_advance=spread.to_advance,
        debt_left=debt_left, actor=actor,
    )  # fmt: skip
    session.add(payment)
    session.flush()
    after = {
        **audit.facts(payment, ("number", "amount", "change", "branch_id")),
        "parts": [f"{part.method} {part.amount}" for part in paid],
        "bills": [f"{bill.work_order_id}: {bill.amount}" for bill in spread.bills],
        "to_advance": str(spread.to_advance),
    }
    audit.record("payment.taken", payment, after=after, patient_id=patient_id, actor=actor)
    if patient.balance.debt and not debt_left:
        tasks.reasons_gone(kinds=(TaskReasonKind.DEBT,), patient_id=patient_id, actor=actor)
    return payment


def _entries_of(
    spread: rules.Allocation, from_advance: Decimal, patient_id: int, branch_id: int, actor: User | None
) -> list[LedgerEntry]:
    """The ledger of a payment: the advance it used, the bills it paid, the advance it left."""
    entries = []
    if from_advance:
        entries.append(_entry(LedgerKind.ADVANCE_USED, patient_id, branch_id, advance=-from_advance, actor=actor))
    entries += [
        _entry(LedgerKind.PAYMENT, patient_id, branch_id, order_id=bill.work_order_id, debt=-bill.amount, actor=actor)
        for bill in spread.bills
    ]
    if spread.to_advance:
        entries.append(_entry(LedgerKind.ADVANCE_IN, patient_id, branch_id, advance=spread.to_advance, actor=actor))
    return entries


def _desks_for(
    parts: Sequence[Part], branch_id: int | None, actor: User | None
) -> tuple[Branch, dict[int, tuple[CashDesk, int | None]]]:
    """The branch that takes the payment, and for each part that is money its desk and open shift; the desks are locked.

    Raises:
        Invalid, NoDesk
        WrongDesk: cash into the bank's desk, a card into a drawer, desks of two branches, an archived one.
    """
    named = {part.desk_id for part in parts if part.desk_id is not None}
    if branch_id is None and not named:
        branch_id = (access.account(actor).branch_id if actor else None) or _branch(None, actor).id
    if all(part.method == PaymentMethod.ADVANCE for part in parts):
        return _branch(branch_id, actor), {}
    found = {desk.id: (desk, shift_id) for desk, shift_id in cash.desks_of_branch(branch_id, named)}
    if not named <= set(found):
        raise Invalid(fields={"desk_id": N_("There is no such desk.")})
    branches = {found[pk][0].branch_id for pk in named} | ({branch_id} if branch_id is not None else set())
    if len(branches) > 1:
        raise WrongDesk()
    branch = next((desk.branch for desk, _ in found.values()), None) or _branch(branch_id, actor)
    if branch.archived:
        raise Invalid(fields={"branch_id": N_("There is no such branch.")})
    chosen = {}
    for place, part in enumerate(parts):
        if part.method == PaymentMethod.ADVANCE:
            continue
        desk = (
            found[part.desk_id][0] if part.desk_id is not None else cash_queries.taker([*found.values()], part.method)
        )
        if desk is None:
            raise NoDesk()
        if (desk.kind == DeskKind.NON_CASH) == (part.method == PaymentMethod.CASH):
            raise WrongDesk()
        chosen[place] = found[desk.id]
    return branch, chosen


# --- refunds ------------------------------------------------------------------------------------------


def refund(payment_id: int, amount: Decimal, reason: str, *, actor: User | None) -> Refund:
    """Return money of a payment to the patient, the way it came and through the desk that took it.

    First what of it is still the patient's advance, then its bills, the newest first: they are owed again. A part that
    was paid from the advance goes back to the advance. Writes a return receipt.

    Raises:
        NotAllowed, NotFound, ReasonNeeded, Invalid
        OverRefund: with what can be returned.
        NotEnoughCash, ShiftClosed: the desk that took it lacks the cash, or its shift is not open.
    """
    access.require(actor, "payment.refund")
    if not reason.strip():
        raise ReasonNeeded()
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise NotFound()
    _lock_account(payment.patient_id)
    patient = session.get_one(Patient, payment.patient_id)
    undone = session.scalars(select(LedgerEntry.work_order_id).where(LedgerEntry.payment_id == payment.id)).all()
    session.execute(
        select(WorkOrder.id)
        .where(WorkOrder.id.in_({pk for pk in undone if pk is not None}))
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder, key_share=True)
    )
    left = queries.returnable(payment.id)
    back = rules.take_back(left.parts, left.advance_left, left.bills, amount)
    desk_of = {part.id: part.desk_id for part in payment.parts}
    cash.lock_desks(desk_id for part, _ in back.parts if (desk_id := desk_of[part.part_id]) is not None)
    branch = session.get_one(Branch, payment.branch_id)
    movements = [
        cash.give_back(desk_id, share, patient_id=patient.id, actor=actor)
        if (desk_id := desk_of[part.part_id]) is not None
        else None
        for part, share in back.parts
    ]
    numbers = next_numbers(payment.legal_entity_id, {"refund": 1, "receipt": 1})
    now = clock.now()
    row = Refund(
        legal_entity_id=payment.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=numbers["refund"][0], payment_id=payment.id, patient_id=patient.id, amount=amount,
        reason=reason.strip(), business_day=clock.today(), refunded_at=now, created_at=now, created_by_id=_id(actor),
        parts=[
            RefundPart(payment_part_id=part.part_id, amount=share, movement_id=movement.id if movement else None)
            for (part, share), movement in zip(back.parts, movements, strict=True)
        ],
    )  # fmt: skip
    session.add(row)
    session.flush()
    to_advance = sum((share for part, share in back.parts if part.method == PaymentMethod.ADVANCE), ZERO)
    link: dict[str, Any] = {"payment_id": payment.id, "refund_id": row.id, "actor": actor}
    changes: list[dict[str, Any]] = [{"advance": to_advance}] if to_advance else []
    changes += [{"advance": -back.from_advance}] if back.from_advance else []
    changes += [{"order_id": bill.work_order_id, "debt": bill.amount} for bill in back.bills]
    session.add_all(_entry(LedgerKind.REFUND, patient.id, branch.id, **change, **link) for change in changes)
    session.flush()
    receipt = _receipt(
        ReceiptKind.RETURN, numbers["receipt"][0], patient.id, patient.full_name, patient.card_number, branch,
        [(part.method, share) for part, share in back.parts],
        queries.receipt_lines([bill.work_order_id for bill in back.bills]),
        amount=amount, debt_left=queries.balance_of(patient.id).debt, actor=actor,
    )  # fmt: skip
    receipt.refund_id = row.id
    session.add(receipt)
    session.flush()
    after = {
        **audit.facts(row, ("number", "amount", "reason", "payment_id")),
        "parts": [f"{part.method} {share}" for part, share in back.parts],
        "from_advance": str(back.from_advance),
        "bills": [f"{bill.work_order_id}: {bill.amount}" for bill in back.bills],
    }
    audit.record("payment.refunded", row, after=after, patient_id=patient.id, actor=actor)
    return row


# --- receipts -----------------------------------------------------------------------------------------


def _receipt(
    kind: ReceiptKind, number: int, patient_id: int, full_name: str, card_number: int, branch: Branch,
    parts: Sequence[tuple[str, Decimal]], lines: Sequence[Mapping[str, Any]], *, amount: Decimal, debt_left: Decimal,
    tendered: Decimal | None = None, change: Decimal = ZERO, to_advance: Decimal = ZERO, actor: User | None,
) -> Receipt:  # fmt: skip
    """The paper of a payment or a refund: its number, and every value as it is now, for ever."""
    entity, wall = branch.legal_entity, clock.wall_now()
    return Receipt(
        kind=kind, legal_entity_id=branch.legal_entity_id, year=wall.year, number=number, patient_id=patient_id,
        business_day=wall.date(), created_at=clock.now(), created_by_id=_id(actor),
        snapshot={
            "number": number,
            "kind": str(kind),
            "legal_entity": {"name": entity.name, "inn": entity.inn, "address": entity.address or branch.address},
            "branch": branch.name,
            "day": wall.date().isoformat(),
            "time": f"{wall:%H:%M}",
            "patient": full_name,
            "card_number": card_number,
            "cashier": access.account(actor).name if actor else "",
            "lines": list(lines),
            "parts": [{"method": str(method), "amount": str(money.rounded(share))} for method, share in parts],
            "amount": str(money.rounded(amount)),
            "tendered": None if tendered is None else str(money.rounded(tendered)),
            "change": str(money.rounded(change)),
            "to_advance": str(money.rounded(to_advance)),
            "debt_left": str(money.rounded(debt_left)),
        },
    )  # fmt: skip
