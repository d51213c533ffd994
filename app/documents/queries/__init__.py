"""What papers are filled in with; one module per subject.

Where next: `papers.py`, `fields.py` and `treatment.py` (the merge fields), `samples.py` (invented ones), `templates.py`
(versions), `issued.py` and `journal.py` (what was issued), `cash_orders.py` (КО-1, КО-2), `cash_book.py` (КО-4),
`tax.py`.
"""

from app.documents.queries.cash_book import BookRow, BookSheet, book_sheet
from app.documents.queries.cash_orders import CashOrder, cash_order, employee_of, name_of, other_account, short
from app.documents.queries.fields import (
    PAID_SERVICES_ACT,
    clinic_fields,
    employee_fields,
    merge_fields,
    order_fields,
    order_print,
    parties,
    person,
    provided_print,
)
from app.documents.queries.issued import (
    first_visit_kinds,
    first_visit_places,
    is_mistaken,
    issued_papers,
    printed_state,
    scans_of,
    stored_bytes,
)
from app.documents.queries.journal import Asked, issuers, journal
from app.documents.queries.papers import (
    active_template,
    card,
    is_erased,
    is_left,
    is_patient_of,
    last_reversal,
    legal_entity_for,
    order_to_print,
    original,
    receipt_fields,
    receipts_of,
    state_of,
)
from app.documents.queries.samples import OF_ORDER, bare_fields, sample_fields
from app.documents.queries.tax import YEARS_BACK, certificates_of, paid_in_year, payers, relatives, years
from app.documents.queries.templates import compared, example_of, fields_of, newest_of, version_of, versions_of

__all__ = [
    "OF_ORDER",
    "PAID_SERVICES_ACT",
    "YEARS_BACK",
    "Asked",
    "BookRow",
    "BookSheet",
    "CashOrder",
    "active_template",
    "bare_fields",
    "book_sheet",
    "card",
    "cash_order",
    "certificates_of",
    "clinic_fields",
    "compared",
    "employee_fields",
    "employee_of",
    "example_of",
    "fields_of",
    "first_visit_kinds",
    "first_visit_places",
    "is_erased",
    "is_left",
    "is_mistaken",
    "is_patient_of",
    "issued_papers",
    "issuers",
    "journal",
    "last_reversal",
    "legal_entity_for",
    "merge_fields",
    "name_of",
    "newest_of",
    "order_fields",
    "order_print",
    "order_to_print",
    "original",
    "other_account",
    "paid_in_year",
    "parties",
    "payers",
    "person",
    "printed_state",
    "provided_print",
    "receipt_fields",
    "receipts_of",
    "relatives",
    "sample_fields",
    "scans_of",
    "short",
    "state_of",
    "stored_bytes",
    "version_of",
    "versions_of",
    "years",
]
