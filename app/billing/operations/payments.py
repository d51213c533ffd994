"""Money taken from a patient.

Where next: `refunds.py`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import branch_of, entry, id_of, lock_account, receipt_for
from app.billing.operations.certificates import spend_certificate
from app.billing.operations.relatives import lend
from app.billing.rules import Due, Part
from app.cash import operations as cash
from app.cash import queries as cash_queries
from app.db import next_numbers, session
from app.errors import Invalid, NoDesk, NotFound, WrongDesk
from app.fiscal import operations as fiscal
from app.models import Branch, CashDesk, LedgerEntry, Payment, PaymentPart, User
from app.money import ZERO
from app.tasks import operations as tasks
from app.vocab import N_, DeskKind, LedgerKind, PaymentMethod, ReceiptKind, TaskReasonKind


def take_payment(
    patient_id: int, parts: Sequence[Part | Mapping[str, Any]], *,
    bills: Sequence[Due | Mapping[str, Any]] | None = None, tendered: Decimal | None = None,
    certificate: str | None = None, branch_id: int | None = None, actor: User | None,
) -> Payment:  # fmt: skip
    """Take a patient's money: cash, card, transfer, or from the advance, in several parts.

    It pays the given bills, or all that are due, the oldest first; the rest becomes an advance. Change is what the
    patient gave over the cash part and never comes into a desk. Without `desk_id` a part goes to the branch's desk of
    its kind. A part `advance` with `from_patient_id` is a relative's, with `certificate` it is paid by one. The
    payment's own `certificate` is the number of the one it buys, for the receipt.

    Writes the payment, its movements, the ledger and the receipt together.

    Raises:
        NotFound, Invalid, NotDue, WrongSplit, AdvanceOnlyForBills, NotEnoughAdvance, TenderedTooLittle
        NoDesk, WrongDesk: no desk of the branch for this kind of money; another branch's desk.
        ShiftClosed: with the desk to be opened.
        NotAllowed, NotRelative: another patient's advance.
        CertificateUnknown, CertificateExpired, CertificateSpent
    """
    paid = [part if isinstance(part, Part) else Part(**part) for part in parts]
    chosen = None if bills is None else [bill if isinstance(bill, Due) else Due(**bill) for bill in bills]
    whole = rules.check_parts(paid)
    given_back = rules.change(rules.sum_of(paid, PaymentMethod.CASH), tendered)
    from_advance = rules.sum_of(paid, PaymentMethod.ADVANCE)

    lent = _borrowed(patient_id, paid, branch_id, actor)
    patient = queries.owing_locked(patient_id)
    if patient is None:
        raise NotFound()
    spread = rules.allocate(patient.dues, whole, from_advance=from_advance, chosen=chosen)
    rules.check_advance(patient.balance.advance, from_advance)
    branch, desks = _desks_for(paid, branch_id, actor)
    wanted = cash.numbers_for(desk for desk, _ in desks.values())
    numbers = next_numbers(branch.legal_entity_id, {"payment": 1, "receipt": 1} | wanted)
    movements = dict(
        zip(
            desks,
            cash.receive(
                [(desk, shift_id, paid[place].amount) for place, (desk, shift_id) in desks.items()],
                numbers=numbers, patient_id=patient_id, actor=actor,
            ),
            strict=True,
        )
    )  # fmt: skip
    now = clock.now()
    debt_left = patient.balance.debt - sum((bill.amount for bill in spread.bills), ZERO)
    payment = Payment(
        legal_entity_id=branch.legal_entity_id, branch_id=branch.id, year=clock.today().year,
        number=numbers["payment"][0], patient_id=patient_id, amount=whole, tendered=tendered, change=given_back,
        business_day=clock.today(), paid_at=now, created_at=now, created_by_id=id_of(actor),
        parts=[
            PaymentPart(
                method=part.method, amount=part.amount,
                desk_id=desks[place][0].id if place in desks else None,
                movement_id=movements[place].id if place in movements else None,
                transfer_id=lent.get(place),
            )
            for place, part in enumerate(paid)
        ],
        entries=_entries_of(spread, from_advance, patient_id, branch.id, actor),
    )  # fmt: skip
    payment.receipt = receipt_for(
        ReceiptKind.SALE, numbers["receipt"][0], patient_id, patient.full_name, patient.card_number, branch,
        [(part.method, part.amount, part.certificate) for part in paid],
        [line for bill in spread.bills for line in patient.lines[bill.work_order_id]],
        amount=whole, tendered=tendered, change=given_back, to_advance=spread.to_advance,
        debt_left=debt_left, certificate=certificate, actor=actor,
    )  # fmt: skip
    session.add(payment)
    session.flush()
    fiscal.intend(payment, actor=actor)
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


def _borrowed(patient_id: int, parts: Sequence[Part], branch_id: int | None, actor: User | None) -> dict[int, int]:
    """What relatives lend and certificates pay is the patient's advance first: {part: transfer}. Locks all accounts."""
    lenders = {part.from_patient_id for part in parts if part.from_patient_id is not None}
    certificates = sorted((part.certificate.strip().lower(), n) for n, part in enumerate(parts) if part.certificate)
    if not lenders and not certificates:
        return {}
    lock_account(patient_id, *lenders)
    branch = branch_of(branch_id, actor)
    lent = {
        place: lend(part.from_patient_id, patient_id, part.amount, branch_id=branch.id, actor=actor).id
        for place, part in enumerate(parts)
        if part.from_patient_id is not None
    }
    for number, place in certificates:
        lent[place] = spend_certificate(number, patient_id, parts[place].amount, branch_id=branch.id, actor=actor)
    return lent


def _entries_of(
    spread: rules.Allocation, from_advance: Decimal, patient_id: int, branch_id: int, actor: User | None
) -> list[LedgerEntry]:
    """The ledger of a payment: the advance it used, the bills it paid, the advance it left."""
    entries = []
    if from_advance:
        entries.append(entry(LedgerKind.ADVANCE_USED, patient_id, branch_id, advance=-from_advance, actor=actor))
    entries += [
        entry(LedgerKind.PAYMENT, patient_id, branch_id, order_id=bill.work_order_id, debt=-bill.amount, actor=actor)
        for bill in spread.bills
    ]
    if spread.to_advance:
        entries.append(entry(LedgerKind.ADVANCE_IN, patient_id, branch_id, advance=spread.to_advance, actor=actor))
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
        branch_id = (access.account(actor).branch_id if actor else None) or branch_of(None, actor).id
    if all(part.method == PaymentMethod.ADVANCE for part in parts):
        return branch_of(branch_id, actor), {}
    found = {desk.id: (desk, shift_id) for desk, shift_id in cash.desks_of_branch(branch_id, named)}
    if not named <= set(found):
        raise Invalid(fields={"desk_id": N_("There is no such desk.")})
    branches = {found[pk][0].branch_id for pk in named} | ({branch_id} if branch_id is not None else set())
    if len(branches) > 1:
        raise WrongDesk()
    branch = next((desk.branch for desk, _ in found.values()), None) or branch_of(branch_id, actor)
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
