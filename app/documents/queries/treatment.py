"""What papers say of a treatment: what was agreed, why, in which stages, how it was paid.

Where next: `fields.py`, which puts it beside the rest.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import access
from app.db import session
from app.documents import rules
from app.models import LedgerEntry, Receipt, User
from app.patients import queries as cards
from app.vocab import LedgerKind, TemplateKind

#: The papers about treatment: from 15 the patient signs them alone.
OF_TREATMENT = frozenset(
    kind for kind in TemplateKind if kind.startswith("consent_") or kind == TemplateKind.REFUSAL
) - {TemplateKind.CONSENT_PERSONAL_DATA, TemplateKind.CONSENT_ADVERTISING}
#: The papers that name a diagnosis besides the medical card itself.
_OF_DIAGNOSIS = OF_TREATMENT | {TemplateKind.TREATMENT_PLAN, TemplateKind.REFERRAL}


def treatment_fields(services: Sequence[dict[str, Any]], diagnosis: str) -> dict[str, str]:
    """The merge fields of a consent to a treatment, without a first word; what nobody keeps is a line."""
    teeth = dict.fromkeys(row["tooth"] for row in services if row["tooth"])
    names = dict.fromkeys(row["name"] for row in services)
    return {
        "tooth": ", ".join(teeth), "diagnosis": diagnosis, "method": "; ".join(names), "alternatives": "", "risks": "",
        "anesthetic": "",
    }  # fmt: skip


def diagnosis_for(patient_id: int, kind: str, actor: User | None) -> str:
    """The diagnosis of the medical card, on papers about treatment, for who may print that card."""
    if kind not in _OF_DIAGNOSIS or (actor is not None and not access.account(actor).may("medical.print")):
        return ""
    record = cards.medical_record(patient_id)
    return " ".join(filter(None, (record.icd, record.diagnosis))) if record else ""


def stage_fields(place: int, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A stage of a treatment plan: its services and what they cost."""
    cost = sum((row["sum"] for row in rows), Decimal(0))
    return {
        "no": str(place), "name": name, "services": list(rows), "sum": cost, "sum_words": rules.rubles_in_words(cost),
    }  # fmt: skip


def paid_fields(order_id: int) -> dict[str, str]:
    """How a bill was paid and who took the money, as its receipts say; each named once."""
    paid = select(LedgerEntry.payment_id).where(
        LedgerEntry.work_order_id == order_id, LedgerEntry.kind == LedgerKind.PAYMENT
    )
    receipts = session.scalars(select(Receipt).where(Receipt.payment_id.in_(paid)).order_by(Receipt.id)).all()
    told = [rules.receipt_fields(row.snapshot, row.kind, row.number, row.business_day) for row in receipts]
    methods = dict.fromkeys(part["label"] for one in told for part in one["parts"])
    return {
        "methods": ", ".join(methods),
        "cashier": ", ".join(dict.fromkeys(filter(None, (one["cashier"] for one in told)))),
    }
