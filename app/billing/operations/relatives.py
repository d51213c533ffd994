"""Advances of relatives: one of a family pays with what another has paid ahead.

The advance is passed first, so that the patient pays from an advance of one's own; the ledger has both sides.
"""

from decimal import Decimal

from app import access, audit, clock
from app.billing import queries, rules
from app.billing.operations.base import branch_of, entry, id_of
from app.db import session
from app.errors import Invalid, NotRelative, ReasonNeeded
from app.models import AdvanceTransfer, Refund, User
from app.money import LARGEST, rounded
from app.patients.queries import lock_account
from app.vocab import N_, LedgerKind


def pass_advance(
    from_id: int, to_id: int, amount: Decimal, reason: str, *, branch_id: int | None = None, actor: User | None
) -> AdvanceTransfer:  # fmt: skip
    """Pass an advance to a relative, for instance back to who paid it.

    Raises:
        NotAllowed, NotRelative, ReasonNeeded, Invalid
        NotEnoughAdvance: with what there is.
    """
    if not reason.strip():
        raise ReasonNeeded()
    lock_account(from_id, to_id)
    return lend(from_id, to_id, amount, reason, branch_id=branch_of(branch_id, actor).id, actor=actor)


def lend(
    from_id: int, to_id: int, amount: Decimal, reason: str = "", *, branch_id: int, actor: User | None
) -> AdvanceTransfer:  # fmt: skip
    """As `pass_advance`, the accounts of both already locked: the first half of a payment from a relative's advance."""
    access.require(actor, "payment.relatives")
    if not amount.is_finite() or not 0 < amount <= LARGEST or amount != rounded(amount):
        raise Invalid(fields={"amount": N_("The sum must be above zero.")})
    if from_id not in queries.relatives_of(to_id):
        raise NotRelative()
    rules.check_advance(queries.balance_of(from_id).advance, amount)
    return _passed(from_id, to_id, amount, reason, branch_id=branch_id, actor=actor)


def give_back_lent(lender_id: int, refund: Refund, amount: Decimal, *, actor: User | None) -> AdvanceTransfer:
    """What a relative's advance had paid and was refunded is the relative's again, a relative still or not.

    The right is that of the refund; both accounts are locked.
    """
    return _passed(
        refund.patient_id, lender_id, amount, refund.reason, branch_id=refund.branch_id, refund_id=refund.id,
        actor=actor,
    )  # fmt: skip


def _passed(
    from_id: int, to_id: int, amount: Decimal, reason: str, *, branch_id: int, refund_id: int | None = None,
    actor: User | None,
) -> AdvanceTransfer:  # fmt: skip
    row = AdvanceTransfer(
        branch_id=branch_id, from_id=from_id, to_id=to_id, refund_id=refund_id, amount=amount,
        business_day=clock.today(), reason=reason.strip(), created_at=clock.now(), created_by_id=id_of(actor),
    )  # fmt: skip
    session.add(row)
    session.flush()
    for patient_id, change in ((from_id, -amount), (to_id, amount)):
        session.add(
            entry(LedgerKind.ADVANCE_MOVED, patient_id, branch_id, transfer_id=row.id, advance=change, actor=actor)
        )
    session.flush()
    after = audit.facts(row, ("amount", "from_id", "to_id", "reason"))
    for patient_id in (from_id, to_id):
        audit.record("advance.passed", row, after=after, patient_id=patient_id, actor=actor)
    return row
