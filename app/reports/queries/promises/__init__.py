"""The promises about money, proven from the beginning: each is one statement that looks for who breaks it.

The database keeps these while it writes (constraints, triggers); this reads everything again and trusts nothing that
is kept as a sum. A file per subject; joined here, in the order in which they are told. Where next: the command
`verify` in `app/cli.py`.
"""

from app.reports.queries.promises.accounts import ACCOUNTS
from app.reports.queries.promises.base import Breach, Promise, breaches
from app.reports.queries.promises.bills import BILLS
from app.reports.queries.promises.desks import DESKS
from app.reports.queries.promises.fiscal import FISCAL
from app.reports.queries.promises.payments import PAYMENTS
from app.reports.queries.promises.receipts import RECEIPTS

__all__ = ["PROMISES", "Breach", "Promise", "breaches"]

PROMISES = (*BILLS, *PAYMENTS, *ACCOUNTS, *DESKS, *RECEIPTS, *FISCAL)
