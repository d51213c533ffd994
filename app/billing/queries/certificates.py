"""Gift certificates: what is left on one, who bought it, where it was spent."""

from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from app.billing.queries.balances import Rows
from app.db import session
from app.errors import CertificateUnknown
from app.models import AdvanceTransfer, Certificate, Patient, Payment, PaymentPart


def certificate_numbered(number: str) -> Certificate | None:
    """The certificate with this number, as it was written on it or not."""
    return session.scalars(select(Certificate).where(func.lower(Certificate.number) == number.strip().lower())).first()


def certificate_locked(number: str) -> Certificate:
    """The same, and nobody else spends it now.

    Raises:
        CertificateUnknown
    """
    asked = select(Certificate).where(func.lower(Certificate.number) == number.strip().lower())
    found = session.scalars(asked.with_for_update().execution_options(populate_existing=True)).first()
    if found is None:
        raise CertificateUnknown(number=number.strip())
    return found


def certificates(q: str = "", *, left: bool = False, today: date, limit: int, offset: int = 0) -> tuple[int, Rows]:
    """Certificates with their buyers, the newest first, by number or the buyer's surname; and how many there are.

    `left`: only those that can still be spent.
    """
    asked = select(Certificate, Patient).join(Patient, Patient.id == Certificate.buyer_id)
    if q:
        asked = asked.where(
            or_(
                func.lower(Certificate.number).contains(q.lower(), autoescape=True),
                func.lower(Patient.surname).startswith(q.lower(), autoescape=True),
            )
        )
    if left:
        asked = asked.where(
            Certificate.balance > 0, or_(Certificate.valid_until.is_(None), Certificate.valid_until >= today)
        )
    count = session.scalar(select(func.count()).select_from(asked.with_only_columns(Certificate.id).subquery()))
    return count or 0, session.execute(asked.order_by(Certificate.id.desc()).limit(limit).offset(offset)).all()


def certificates_left() -> Any:
    """What the clinic still owes by its certificates."""
    return session.scalar(select(func.coalesce(func.sum(Certificate.balance), 0)).where(Certificate.balance > 0))


def moves_of_certificate(certificate_id: int) -> Rows:
    """What came onto a certificate and was spent: passed advance, patient, payment, the oldest first."""
    whose, spent = aliased(Patient), aliased(Payment)
    return session.execute(
        select(AdvanceTransfer, whose, spent)
        .join(whose, whose.id == func.coalesce(AdvanceTransfer.from_id, AdvanceTransfer.to_id))
        .outerjoin(PaymentPart, PaymentPart.transfer_id == AdvanceTransfer.id)
        .outerjoin(spent, spent.id == PaymentPart.payment_id)
        .where(AdvanceTransfer.certificate_id == certificate_id)
        .order_by(AdvanceTransfer.id)
    ).all()
