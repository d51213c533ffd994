"""Money taken from a patient.

Where next: `refunds.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import branch_of, entry, id_of, place_of, receipt_for
from app.billing.operations.certificates import spend_certificate
from app.billing.operations.relatives import lend
from app.billing.rules import Due, Part
from app.cash import operations as cash
from app.cash import queries as cash_queries
from app.cash import rules as cash_rules
from app.db import reserve, write
from app.errors import Invalid, NoDesk, NotFound, WrongDesk, WrongEntity
from app.fiscal import operations as fiscal
from app.fiscal import queries as fiscal_queries
from app.fiscal import rules as fiscal_rules
from app.models import CashMovement, FiscalReceipt, LedgerEntry, Payment, PaymentPart, Receipt, User
from app.money import ZERO
from app.patients.queries import lock_account
from app.tasks import operations as tasks
from app.vocab import N_, DeskKind, LedgerKind, PaymentMethod, ReceiptKind, TaskReasonKind


def take_payment(
    patient_id: int, parts: Sequence[Part | Mapping[str, Any]], *,
    bills: Sequence[Due | Mapping[str, Any]] | None = None, seen: Sequence[Due] | None = None,
    tendered: Decimal | None = None, payer_id: int | None = None, certificate: str | None = None, receipt_to: str = "",
    branch_id: int | None = None, actor: User | None,
) -> Payment:  # fmt: skip
    """Take a patient's money: cash, card, transfer, or from the advance, in several parts.

    It pays the given bills, or all that are due, the oldest first; the rest becomes an advance. `seen` is what was due
    when it was looked at: nothing is taken when that has changed. Change is what the
    patient gave over the cash part and never comes into a desk. Without `desk_id` a part goes to the branch's desk of
    its kind. A part `advance` with `from_patient_id` is a relative's, with `certificate` it is paid by one. The
    payment's own `certificate` is the number of the one it buys, for the receipt. `payer_id` is whose money it is: the
    patient's or another card's; without it as the card says, see `rules.usual_payer`. `receipt_to` is the phone or
    e-mail to which the fiscal receipt is sent, when the patient asked for it; without a device here nobody sends any.

    Writes the payment, its movements, the ledger and the receipt together.

    Raises:
        NotFound, Invalid, BillsChanged, NotDue, WrongSplit, AdvanceOnlyForBills, NotEnoughAdvance, TenderedTooLittle
        WrongEntity: a bill of another legal entity.
        NoDesk, WrongDesk: no desk of the branch for this kind of money; another branch's desk.
        ShiftClosed: with the desk to be opened.
        NotAllowed, NotRelative: another patient's advance.
        CertificateUnknown, CertificateExpired, CertificateSpent
    """
    paid = [part if isinstance(part, Part) else Part(**part) for part in parts]
    chosen = None if bills is None else [bill if isinstance(bill, Due) else Due(**bill) for bill in bills]
    whole = rules.check_parts(paid)
    address = rules.receipt_to(receipt_to)
    given_back = rules.change(rules.sum_of(paid, PaymentMethod.CASH), tendered)
    from_advance = rules.sum_of(paid, PaymentMethod.ADVANCE)
    named = _named_payer(patient_id, paid, payer_id, actor)

    lent = _borrowed(patient_id, paid, branch_id, actor)
    patient = queries.owing_locked(patient_id)
    if patient is None:
        raise NotFound()
    if seen is not None:
        rules.check_seen(seen, patient.dues)
    spread = rules.allocate(patient.dues, whole, from_advance=from_advance, chosen=chosen)
    rules.check_advance(patient.balance.advance, from_advance)
    place, desks = _desks_for(paid, branch_id, actor)
    for bill in spread.bills:
        if patient.entities[bill.work_order_id] != place.legal_entity_id:
            number, entity = queries.issuer_of(bill.work_order_id)
            raise WrongEntity({"number": number, "entity": entity}, work_order_id=bill.work_order_id)
    bills_paid = queries.paid_bills([bill.work_order_id for bill in spread.bills])
    series = Counter(cash_rules.series(desk.kind, paid[n].amount) for n, desk in desks.items())
    entries = _entries_of(spread, from_advance, patient_id, place.branch_id, actor)
    numbers, ids = reserve(
        place.legal_entity_id, {"payment": 1, "receipt": 1} | series,
        {
            Payment: 1, PaymentPart: len(paid), LedgerEntry: len(entries), CashMovement: len(desks), Receipt: 1,
            FiscalReceipt: 1,
        },
    )  # fmt: skip
    movements = cash.received(
        [(desk, paid[n].amount) for n, desk in desks.items()],
        ids=ids[CashMovement], numbers=numbers, patient_id=patient_id, actor=actor,
    )  # fmt: skip
    now = clock.now()
    debt_left = patient.balance.debt - sum((bill.amount for bill in spread.bills), ZERO)
    payment = Payment(
        id=ids[Payment][0], legal_entity_id=place.legal_entity_id, branch_id=place.branch_id, year=clock.today().year,
        number=numbers["payment"][0], patient_id=patient_id, amount=whole, tendered=tendered, change=given_back,
        payer_id=named if named is not None else rules.usual_payer(patient.card, clock.today()),
        business_day=clock.today(), paid_at=now, created_at=now, created_by_id=id_of(actor), entries=entries,
        parts=_parts_of(paid, dict(zip(desks, movements, strict=True)), lent),
    )  # fmt: skip
    payment.receipt = receipt_for(
        ReceiptKind.SALE, numbers["receipt"][0], patient_id, patient.full_name, patient.card_number, place,
        [(part.method, part.amount, _source(part)) for part in paid],
        [line for bill in spread.bills for line in bills_paid[bill.work_order_id].lines],
        amount=whole, tendered=tendered, change=given_back, to_advance=spread.to_advance,
        debt_left=debt_left, certificate=certificate,
        for_lines=sum((bill.amount for bill in spread.bills), ZERO), payer=queries.name_of_payer(payment), actor=actor,
    )  # fmt: skip
    written: list[PaymentPart | LedgerEntry | Receipt] = [*entries, *payment.parts, payment.receipt]
    for row, pk in zip(written, [*ids[LedgerEntry], *ids[PaymentPart], *ids[Receipt]], strict=True):
        row.id, row.payment_id = pk, payment.id
    after = {
        **audit.facts(payment, ("number", "amount", "change", "branch_id")),
        "parts": [f"{part.method} {part.amount}" for part in paid],
        "bills": [f"{bill.work_order_id}: {bill.amount}" for bill in spread.bills],
        "to_advance": str(spread.to_advance),
    } | ({"payer_id": payment.payer_id} if payment.payer_id not in (None, patient_id) else {})
    deed = audit.event("payment.taken", payment, after=after, patient_id=patient_id, actor=actor)
    device = _device_at(place, desks)
    told = [_told(bill, bills_paid[bill.work_order_id]) for bill in spread.bills] if device else []
    pk = ids[FiscalReceipt][0]
    fiscal_rows = fiscal.intended(payment, pk, device, told, client=address, actor=actor) if device else []
    write([*movements, payment, *written, *fiscal_rows, deed])
    if patient.balance.debt and not debt_left:
        tasks.reasons_gone(kinds=(TaskReasonKind.DEBT,), patient_id=patient_id, actor=actor)
    return payment


def _named_payer(patient_id: int, parts: Sequence[Part], payer_id: int | None, actor: User | None) -> int | None:
    """The payer who was named, or whose advance pays; None: as the card says.

    Raises:
        Invalid: there is no such card in use that the actor may see; two people pay.
    """
    lenders = {part.from_patient_id for part in parts if part.from_patient_id is not None}
    others = lenders | ({payer_id} if payer_id is not None and payer_id != patient_id else set())
    if not others:
        return payer_id
    own = access.account(actor).own_only("card.see") if actor else None
    cards = queries.living_cards(others, doctor_id=own)
    if payer_id is not None and payer_id != patient_id and payer_id not in cards:
        raise Invalid(fields={"payer_id": N_("There is no such card in use: choose another payer.")})
    return rules.check_one_payer(payer_id, [cards[pk] for pk in lenders if pk in cards], clock.today())


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


def _device_at(place: cash_queries.Place, desks: Mapping[int, cash_queries.Desk]) -> fiscal_queries.Device | None:
    """The device that prints there, as the desks know it; who takes no money asks for it."""
    if desks:
        return next(iter(desks.values())).device
    return fiscal_queries.device_at(place.legal_entity_id, place.branch_id)


def _told(paid: Due, bill: queries.PaidBill) -> fiscal_rules.Bill:
    """A bill that is paid, as a fiscal receipt tells it: what is due of it is as it was before."""
    lines = [
        fiscal_rules.line(
            line["code"], line["name"], line["tooth"], line["quantity"], Decimal(line["total"]), kind=line["kind"],
            vat=line["vat"],
        )
        for line in bill.lines
    ]  # fmt: skip
    due, amount, credit = map(fiscal_rules.kopecks, (bill.due, paid.amount, bill.credit))
    return fiscal_rules.Bill(paid.work_order_id, bill.number, lines, due, amount, credit)


def _parts_of(
    paid: Sequence[Part], movements: Mapping[int, CashMovement], lent: Mapping[int, int]
) -> list[PaymentPart]:
    """The parts of a payment: each that is money with its movement, a borrowed one with the advance that was passed."""
    return [
        PaymentPart(
            method=part.method, amount=part.amount, transfer_id=lent.get(n),
            desk_id=movements[n].desk_id if n in movements else None,
            movement_id=movements[n].id if n in movements else None,
        )
        for n, part in enumerate(paid)
    ]  # fmt: skip


def _source(part: Part) -> dict[str, Any]:
    """Where an advance came from, as the receipt says it; a relative has no name there, for it is the patient's."""
    if part.certificate:
        return {"certificate": part.certificate}
    return {"relative": True} if part.from_patient_id is not None else {}


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
) -> tuple[cash_queries.Place, dict[int, cash_queries.Desk]]:
    """Where the payment is taken, and the desk of each part that is money; the desks are locked.

    Raises:
        Invalid, NoDesk
        WrongDesk: cash into the bank's desk, a card into a drawer, desks of two branches, an archived one.
        ShiftClosed: a drawer whose shift is not open.
    """
    named = {part.desk_id for part in parts if part.desk_id is not None}
    if branch_id is None and not named:
        branch_id = (access.account(actor).branch_id if actor else None) or branch_of(None, actor).id
    if all(part.method == PaymentMethod.ADVANCE for part in parts):
        return place_of(branch_of(branch_id, actor)), {}
    found = {desk.id: desk for desk in cash.desks_of_branch(branch_id, named)}
    if not named <= set(found):
        raise Invalid(fields={"desk_id": N_("There is no such desk.")})
    branches = {found[pk].place.branch_id for pk in named} | ({branch_id} if branch_id is not None else set())
    if len(branches) > 1:
        raise WrongDesk()
    if any(desk.branch_archived for desk in found.values()):
        raise Invalid(fields={"branch_id": N_("There is no such branch.")})
    place = next((desk.place for desk in found.values()), None) or place_of(branch_of(branch_id, actor))
    chosen = {}
    for n, part in enumerate(parts):
        if part.method == PaymentMethod.ADVANCE:
            continue
        if part.desk_id is not None:
            desk = found[part.desk_id]
        else:
            taker = cash_queries.taker([(one, one.shift_id) for one in found.values()], part.method)
            if taker is None:
                raise NoDesk()
            desk = taker
        if (desk.kind == DeskKind.NON_CASH) == (part.method == PaymentMethod.CASH):
            raise WrongDesk()
        cash.check_taking(desk)
        chosen[n] = desk
    return place, chosen
