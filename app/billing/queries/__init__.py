"""Questions about money: what a service costs, what a patient owes, what can be returned.

Where next: `operations`; the reports of days are `app/reports`.
"""

from app.billing.queries.balances import (
    Balance,
    Rows,
    balance_of,
    balances_of,
    debtors,
)
from app.billing.queries.orders import (
    Owing,
    doctors,
    drafts_of,
    employees,
    first_branch,
    is_patient_of,
    left_to_reverse,
    orders_by_id,
    orders_of,
    orders_of_day,
    owing_locked,
    paid_for,
    reversals_of,
    to_be_paid,
    unpaid_bills,
    was_paid,
)
from app.billing.queries.payments import (
    PaymentLine,
    Returnable,
    advance_sources,
    allocated,
    of_closed_shifts,
    payments_of,
    receipt_lines,
    receipt_of_refund,
    returnable,
)
from app.billing.queries.prices import (
    price_list,
    prices_of,
    services_by_id,
    services_named,
)

__all__ = [
    "Balance",
    "Owing",
    "PaymentLine",
    "Returnable",
    "Rows",
    "advance_sources",
    "allocated",
    "balance_of",
    "balances_of",
    "debtors",
    "doctors",
    "drafts_of",
    "employees",
    "first_branch",
    "is_patient_of",
    "left_to_reverse",
    "of_closed_shifts",
    "orders_by_id",
    "orders_of",
    "orders_of_day",
    "owing_locked",
    "paid_for",
    "payments_of",
    "price_list",
    "prices_of",
    "receipt_lines",
    "receipt_of_refund",
    "returnable",
    "reversals_of",
    "services_by_id",
    "services_named",
    "to_be_paid",
    "unpaid_bills",
    "was_paid",
]
