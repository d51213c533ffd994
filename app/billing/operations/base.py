"""What every change of money is made with: the branch, an entry of the ledger, the receipt."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app import access, clock, money
from app.billing import queries
from app.cash.queries import Place
from app.db import session
from app.errors import Invalid
from app.models import Branch, LedgerEntry, Receipt, User
from app.money import ZERO
from app.vocab import N_, LedgerKind, ReceiptKind


def branch_of(branch_id: int | None, actor: User | None) -> Branch:
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


def place_of(branch: Branch) -> Place:
    """Where money is taken, as its papers name it."""
    entity = branch.legal_entity
    return Place(branch.id, branch.name, entity.id, entity.name, entity.inn, entity.address or branch.address)


def id_of(actor: User | None) -> int | None:
    return actor.id if actor else None


def entry(
    kind: LedgerKind, patient_id: int, branch_id: int, *, order_id: int | None = None, payment_id: int | None = None,
    refund_id: int | None = None, reversal_id: int | None = None, transfer_id: int | None = None,
    debt: Decimal = ZERO, advance: Decimal = ZERO, actor: User | None,
) -> LedgerEntry:  # fmt: skip
    """One entry of the ledger; once written, its trigger moves the balances."""
    return LedgerEntry(
        kind=kind, business_day=clock.today(), branch_id=branch_id, patient_id=patient_id, work_order_id=order_id,
        payment_id=payment_id, refund_id=refund_id, reversal_id=reversal_id, transfer_id=transfer_id,
        debt_change=debt, advance_change=advance,
        created_at=clock.now(), created_by_id=id_of(actor),
    )  # fmt: skip


def receipt_for(
    kind: ReceiptKind, number: int, patient_id: int, full_name: str, card_number: int, place: Place,
    parts: Sequence[tuple[str, Decimal, Mapping[str, Any]]], lines: Sequence[Mapping[str, Any]], *, amount: Decimal,
    debt_left: Decimal,
    tendered: Decimal | None = None, change: Decimal = ZERO, to_advance: Decimal = ZERO, certificate: str | None = None,
    for_lines: Decimal, payer: str, returned: Mapping[str, Any] | None = None, actor: User | None,
) -> Receipt:  # fmt: skip
    """The paper of a payment or a refund: its number, and every value as it is now, for ever.

    A part is how, how much, and where an advance came from; `certificate` is the one that was bought. `for_lines`: so
    much of it pays, or gives back, the lines. `payer` is who brings the money, or gets it back, when it is not the
    patient. `returned`: of which receipt money is given back, and why.
    """
    wall = clock.wall_now()
    return Receipt(
        kind=kind, legal_entity_id=place.legal_entity_id, year=wall.year, number=number, patient_id=patient_id,
        business_day=wall.date(), created_at=clock.now(), created_by_id=id_of(actor),
        snapshot={
            "number": number,
            "kind": str(kind),
            "legal_entity": {"name": place.legal_entity, "inn": place.inn, "address": place.address},
            "branch": place.branch,
            "day": wall.date().isoformat(),
            "time": f"{wall:%H:%M}",
            "patient": full_name,
            "card_number": card_number,
            "payer": payer,
            "cashier": access.account(actor).short_name if actor else "",
            "lines": list(lines),
            "parts": [
                {"method": str(method), "amount": str(money.rounded(share)), **source}
                for method, share, source in parts
            ],
            "amount": str(money.rounded(amount)),
            "tendered": None if tendered is None else str(money.rounded(tendered)),
            "change": str(money.rounded(change)),
            "to_advance": str(money.rounded(to_advance)),
            "debt_left": str(money.rounded(debt_left)),
            "for_lines": str(money.rounded(for_lines)),
        }
        | dict(returned or {})
        | ({"certificate": certificate} if certificate else {}),
    )  # fmt: skip
