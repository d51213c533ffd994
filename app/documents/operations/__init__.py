"""Papers are issued, printed, certified; one module per subject. Flush, never commit.

Where next: `issuing.py`, `rendering.py` (their bytes), `printing.py` (originals and copies), `scans.py`, `tax.py`,
`templates.py` (the texts).
"""

from app.documents.operations.first_visit import choose_first_visit
from app.documents.operations.issuing import (
    FROM_CARD,
    OF_TREATMENT,
    SECRET,
    TITLES,
    NoLegalEntity,
    NoRequisites,
    NoTemplate,
    filled_in,
    freeze,
    issuable,
    issue,
    issue_first_visit,
    require_paper,
    require_patient_of,
    require_person,
)
from app.documents.operations.printing import look_at_day, look_at_shift, number_act, print_paper, print_slip
from app.documents.operations.rendering import GAVE_UP, MOST_ATTEMPTS, begin, due, give_up, store, text_to_print
from app.documents.operations.scans import NotOwnScan, attach_scan, may_take_back, take_back_scan
from app.documents.operations.tax import (
    AlreadyCertified,
    ChildTaxpayer,
    NoTaxpayer,
    NothingPaid,
    PaidByOthers,
    annul_certificate,
    issue_certificate,
)
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
    "FROM_CARD",
    "GAVE_UP",
    "LONGEST_TEXT",
    "MOST_ATTEMPTS",
    "OF_TREATMENT",
    "SECRET",
    "TITLES",
    "AlreadyCertified",
    "ChildTaxpayer",
    "NoExample",
    "NoLegalEntity",
    "NoRequisites",
    "NoTaxpayer",
    "NoTemplate",
    "NotOwnScan",
    "NothingPaid",
    "PaidByOthers",
    "annul_certificate",
    "attach_scan",
    "begin",
    "check_text",
    "choose_first_visit",
    "due",
    "filled_in",
    "freeze",
    "give_up",
    "issuable",
    "issue",
    "issue_certificate",
    "issue_first_visit",
    "look_at_day",
    "look_at_shift",
    "may_take_back",
    "new_version",
    "number_act",
    "print_paper",
    "print_slip",
    "require_paper",
    "require_patient_of",
    "require_person",
    "ship_templates",
    "store",
    "take_back_scan",
    "text_of",
    "text_to_print",
    "try_out",
]
