"""Papers are issued, printed, certified; one module per subject. Flush, never commit.

Where next: `issuing.py`, `printing.py` (originals and copies), `scans.py`, `tax.py`.
"""

from app.documents.operations.issuing import (
    FIRST_VISIT,
    FROM_CARD,
    SECRET,
    TITLES,
    NoLegalEntity,
    NoTemplate,
    freeze,
    issue,
    issue_first_visit,
    new_version,
    printed,
    require_paper,
    require_patient_of,
    ship_templates,
    try_out,
)
from app.documents.operations.printing import look_at_day, look_at_shift, print_paper, print_slip
from app.documents.operations.scans import attach_scan
from app.documents.operations.tax import AlreadyCertified, NoTaxpayer, NothingPaid, annul_certificate, issue_certificate

__all__ = [
    "FIRST_VISIT",
    "FROM_CARD",
    "SECRET",
    "TITLES",
    "AlreadyCertified",
    "NoLegalEntity",
    "NoTaxpayer",
    "NoTemplate",
    "NothingPaid",
    "annul_certificate",
    "attach_scan",
    "freeze",
    "issue",
    "issue_certificate",
    "issue_first_visit",
    "look_at_day",
    "look_at_shift",
    "new_version",
    "print_paper",
    "print_slip",
    "printed",
    "require_paper",
    "require_patient_of",
    "ship_templates",
    "try_out",
]
