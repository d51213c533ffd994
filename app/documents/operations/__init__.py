"""Papers are issued, printed, certified; one module per subject. Flush, never commit.

Where next: `issuing.py`, `printing.py` (originals and copies), `scans.py`, `tax.py`,
`templates.py` (the texts).
"""

from app.documents.operations.issuing import (
    FIRST_VISIT,
    FROM_CARD,
    OF_TREATMENT,
    TITLES,
    NoLegalEntity,
    NoTemplate,
    freeze,
    issue,
    issue_first_visit,
    printed,
    require_patient_of,
)
from app.documents.operations.printing import look_at_day, look_at_shift, print_paper, print_slip
from app.documents.operations.scans import attach_scan
from app.documents.operations.tax import AlreadyCertified, NoTaxpayer, NothingPaid, annul_certificate, issue_certificate
from app.documents.operations.templates import (
    LONGEST_TEXT,
    NoExample,
    check_text,
    new_version,
    ship_templates,
    text_of,
    try_out,
)

__all__ = [
    "FIRST_VISIT",
    "FROM_CARD",
    "LONGEST_TEXT",
    "OF_TREATMENT",
    "TITLES",
    "AlreadyCertified",
    "NoExample",
    "NoLegalEntity",
    "NoTaxpayer",
    "NoTemplate",
    "NothingPaid",
    "annul_certificate",
    "attach_scan",
    "check_text",
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
    "require_patient_of",
    "ship_templates",
    "text_of",
    "try_out",
]
