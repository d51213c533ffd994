"""Papers are issued, printed, certified; one module per subject. Flush, never commit.

Where next: `issuing.py`, `rendering.py` (their bytes), `printing.py` (originals and copies), `scans.py`, `tax.py`.
"""

from app.documents.operations.first_visit import choose_first_visit
from app.documents.operations.issuing import (
    FROM_CARD,
    TITLES,
    NoLegalEntity,
    NoTemplate,
    filled_in,
    freeze,
    issue,
    issue_first_visit,
    new_version,
    require_patient_of,
    ship_templates,
    try_out,
)
from app.documents.operations.printing import look_at_day, look_at_shift, print_paper, print_slip
from app.documents.operations.rendering import GAVE_UP, MOST_ATTEMPTS, begin, due, give_up, store, text_to_print
from app.documents.operations.scans import attach_scan
from app.documents.operations.tax import AlreadyCertified, NoTaxpayer, NothingPaid, annul_certificate, issue_certificate

__all__ = [
    "FROM_CARD",
    "GAVE_UP",
    "MOST_ATTEMPTS",
    "TITLES",
    "AlreadyCertified",
    "NoLegalEntity",
    "NoTaxpayer",
    "NoTemplate",
    "NothingPaid",
    "annul_certificate",
    "attach_scan",
    "begin",
    "choose_first_visit",
    "due",
    "filled_in",
    "freeze",
    "give_up",
    "issue",
    "issue_certificate",
    "issue_first_visit",
    "look_at_day",
    "look_at_shift",
    "new_version",
    "print_paper",
    "print_slip",
    "require_patient_of",
    "ship_templates",
    "store",
    "text_to_print",
    "try_out",
]
