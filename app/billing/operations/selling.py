"""Selling a gift certificate: its money is taken as an advance, and the advance passed onto it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app import audit, clock
from app.billing import queries, rules
from app.billing.operations.base import branch_of, id_of
from app.billing.operations.certificates import certificate_facts, pass_certificate
from app.billing.operations.payments import take_payment
from app.billing.rules import Part
from app.db import next_numbers, session
from app.errors import CertificateExists, CertificateUnpaid, Invalid, NotFound
from app.models import Certificate, Patient, User
from app.money import LARGEST, rounded, shown
from app.patients.queries import lock_account
from app.vocab import N_, PaymentMethod


def sell_certificate(
    buyer_id: int, amount: Decimal, parts: Sequence[Part | Mapping[str, Any]], *, number: str = "",
    valid_until: date | None = None, tendered: Decimal | None = None, branch_id: int | None = None, actor: User | None,
) -> Certificate:  # fmt: skip
    """Sell a certificate: `parts` pay its whole sum, and what they do not is taken from the buyer's advance.

    Without a number it gets the next one of the year.

    Raises:
        Invalid: no sum; parts that make more; a day that has passed; whatever `take_payment` raises.
        CertificateExists, CertificateUnpaid
    """
    if not amount.is_finite() or not 0 < amount <= LARGEST or amount != rounded(amount):
        raise Invalid(fields={"amount": N_("The sum must be above zero.")})
    if valid_until is not None and valid_until < clock.today():
        raise Invalid(fields={"valid_until": N_("This day has passed.")})
    paid = [part if isinstance(part, Part) else Part(**part) for part in parts]
    whole = rules.sum_of(paid, *PaymentMethod)
    if rules.sum_of(paid, PaymentMethod.ADVANCE) or whole > amount:
        raise Invalid(fields={"amount": N_("More is paid than the certificate costs.")})
    lock_account(buyer_id)
    branch = branch_of(branch_id, actor)
    number = number.strip() or _next_number(branch.legal_entity_id)
    if queries.certificate_numbered(number) is not None:
        raise CertificateExists()
    missing = amount - whole - queries.balance_of(buyer_id).advance
    if missing > 0:
        raise CertificateUnpaid({"missing": shown(missing)}, missing=str(missing))
    payment = None
    if paid:
        payment = take_payment(
            buyer_id, paid, bills=[], tendered=tendered, certificate=number, branch_id=branch_id, actor=actor
        )
        branch = branch_of(payment.branch_id, actor)
    elif session.get(Patient, buyer_id) is None:
        raise NotFound()
    row = Certificate(
        number=number, legal_entity_id=branch.legal_entity_id, branch_id=branch.id, buyer_id=buyer_id, amount=amount,
        payment_id=payment.id if payment else None, business_day=clock.today(), valid_until=valid_until,
        created_at=clock.now(), created_by_id=id_of(actor),
    )  # fmt: skip
    session.add(row)
    session.flush()
    pass_certificate(row, -amount, buyer_id, branch.id, "", actor=actor)
    audit.record("certificate.sold", row, after=certificate_facts(row), patient_id=buyer_id, actor=actor)
    return row


def _next_number(legal_entity_id: int) -> str:
    """The next of the year that nobody has written by hand."""
    while True:
        (number,) = next_numbers(legal_entity_id, {"certificate": 1})["certificate"]
        text = f"{clock.today():%y}-{number:04}"
        if queries.certificate_numbered(text) is None:
            return text
