"""What papers are filled in with; one module per subject.

Where next: `papers.py`, `issued.py` and `journal.py` (what was issued), `cash_orders.py` (КО-1, КО-2), `cash_book.py`
(КО-4), `tax.py`.
"""

from app.documents.queries.cash_book import BookRow, BookSheet, book_sheet
from app.documents.queries.cash_orders import CashOrder, cash_order, employee_of, name_of, other_account, short
from app.documents.queries.issued import (
    first_visit_kinds,
    first_visit_places,
    issued_papers,
    printed_state,
    scans_of,
    stored_bytes,
)
from app.documents.queries.journal import Asked, issuers, journal
from app.documents.queries.papers import (
    PAID_SERVICES_ACT,
    active_template,
    card,
    clinic_fields,
    is_left,
    is_patient_of,
    last_reversal,
    legal_entity_for,
    merge_fields,
    order_fields,
    order_print,
    order_to_print,
    original,
    person,
    provided_print,
    receipt_fields,
    receipts_of,
    sample_fields,
    state_of,
)
from app.documents.queries.tax import YEARS_BACK, certificates_of, paid_in_year, payers, years

__all__ = [
    "PAID_SERVICES_ACT",
    "YEARS_BACK",
    "Asked",
    "BookRow",
    "BookSheet",
    "CashOrder",
    "active_template",
    "book_sheet",
    "card",
    "cash_order",
    "certificates_of",
    "clinic_fields",
    "employee_of",
    "first_visit_kinds",
    "first_visit_places",
    "is_left",
    "is_patient_of",
    "issued_papers",
    "issuers",
    "journal",
    "last_reversal",
    "legal_entity_for",
    "merge_fields",
    "name_of",
    "order_fields",
    "order_print",
    "order_to_print",
    "original",
    "other_account",
    "paid_in_year",
    "payers",
    "person",
    "printed_state",
    "provided_print",
    "receipt_fields",
    "receipts_of",
    "sample_fields",
    "scans_of",
    "short",
    "state_of",
    "stored_bytes",
    "years",
]
