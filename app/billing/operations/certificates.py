"""Gift certificates: spent, taken back.

A certificate is bought with an advance and spent into one, so that a bill knows money and advances alone. What is left
on it is moved by passed advances (trigger). Where next: `selling.py`.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import audit, clock
from app.billing import queries, rules
from app.billing.operations.base import entry, id_of
from app.db import lock, session
from app.errors import NotFound, ReasonNeeded
from app.models import AdvanceTransfer, Certificate, User
from app.money import shown
from app.patients.queries import lock_accounts
from app.vocab import LedgerKind


def spend_certificate(number: str, patient_id: int, amount: Decimal, *, branch_id: int, actor: User | None) -> int:
    """A part of a payment from a certificate: so much becomes the patient's advance. Returns the passed advance.

    The patient's account is locked already; locks the certificate.

    Raises:
        CertificateUnknown, CertificateExpired
        CertificateSpent: with what is left.
    """
    row = queries.certificate_locked(number)
    rules.check_certificate(row.number, row.balance, amount, row.valid_until, clock.today())
    transfer = pass_certificate(row, amount, patient_id, branch_id, "", actor=actor)
    after = {**certificate_facts(row), "amount": str(amount)}
    audit.record("certificate.used", row, after=after, patient_id=patient_id, actor=actor)
    return transfer.id


def take_certificate_back(certificate_id: int, reason: str, *, actor: User | None) -> Certificate:
    """What is left of a certificate becomes the buyer's advance again, which can then be returned as money.

    Raises:
        NotFound, ReasonNeeded
        CertificateSpent: nothing is left.
    """
    if not reason.strip():
        raise ReasonNeeded()
    buyer = select(Certificate.buyer_id).where(Certificate.id == certificate_id)
    lock_accounts(lambda: session.scalars(buyer))
    row = lock(Certificate, certificate_id)
    if row is None:
        raise NotFound()
    left = row.balance
    rules.check_certificate(row.number, left, max(left, Decimal("0.01")), None, clock.today())
    pass_certificate(row, left, row.buyer_id, row.branch_id, reason, actor=actor)
    after = {**certificate_facts(row), "amount": str(left), "reason": reason.strip()}
    audit.record("certificate.returned", row, after=after, patient_id=row.buyer_id, actor=actor)
    return row


def pass_certificate(
    row: Certificate, change: Decimal, patient_id: int, branch_id: int, reason: str, *, actor: User | None
) -> AdvanceTransfer:
    """Between a certificate and the advance of a patient, whose `change` it is."""
    transfer = AdvanceTransfer(
        branch_id=branch_id, certificate_id=row.id, amount=abs(change), business_day=clock.today(),
        from_id=patient_id if change < 0 else None, to_id=patient_id if change > 0 else None,
        reason=reason.strip(), created_at=clock.now(), created_by_id=id_of(actor),
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    kind = LedgerKind.TO_CERTIFICATE if change < 0 else LedgerKind.FROM_CERTIFICATE
    session.add(entry(kind, patient_id, branch_id, transfer_id=transfer.id, advance=change, actor=actor))
    session.flush()
    session.refresh(row, ["balance"])
    return transfer


def certificate_facts(row: Certificate) -> dict[str, Any]:
    return {"number": row.number, "left": shown(row.balance)} | (
        {"valid_until": row.valid_until.isoformat()} if row.valid_until else {}
    )
