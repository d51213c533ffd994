"""Changes of money: work orders, bills, payments, refunds; one module per subject.

Locks, everywhere in this order: the patient's account, certificates by number, work orders by number, desks by number,
series of numbers.
What is due and owed is kept by the ledger's trigger; operations only add entries. Where next: `rules.py`, `queries.py`.
"""

from app.billing.operations.certificates import take_certificate_back
from app.billing.operations.collecting import AskedToPay, ask_to_pay
from app.billing.operations.imports import apply_prices, look_at_prices
from app.billing.operations.orders import Line, annul, change_work_order, create_work_order, issue, reopen
from app.billing.operations.payments import take_payment
from app.billing.operations.prices import make_room_for_price, take_price_back
from app.billing.operations.refunds import cancel_payment, refund, return_advance
from app.billing.operations.relatives import pass_advance
from app.billing.operations.reversals import reverse_order
from app.billing.operations.selling import sell_certificate

__all__ = [
    "AskedToPay",
    "Line",
    "annul",
    "apply_prices",
    "ask_to_pay",
    "cancel_payment",
    "change_work_order",
    "create_work_order",
    "issue",
    "look_at_prices",
    "make_room_for_price",
    "pass_advance",
    "refund",
    "reopen",
    "return_advance",
    "reverse_order",
    "sell_certificate",
    "take_certificate_back",
    "take_payment",
    "take_price_back",
]  # fmt: skip
