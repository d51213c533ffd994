"""Decisions about money: plain values in, an answer or a refusal out.

Where next: `orders.py` for what a line costs, `payments.py` for how money is spread and returned, `prices.py` for the
codes of the price list, `price_rows.py` for what a file would change in it, `payers.py` for whose money it is.
"""

from app.billing.rules.orders import (
    MOST_LINES,
    Cost,
    LineLeft,
    check_held,
    check_lines,
    check_tooth,
    cost,
    take_lines_back,
)
from app.billing.rules.payers import (
    Card,
    Relative,
    check_one_payer,
    of_age,
    offered_payers,
    payer_of_advance,
    usual_payer,
)
from app.billing.rules.payments import (
    MOST_PARTS,
    Allocation,
    Due,
    PaidPart,
    Part,
    Return,
    allocate,
    change,
    check_advance,
    check_cancellable,
    check_certificate,
    check_parts,
    check_seen,
    check_unspent,
    only_money,
    receipt_to,
    refundable,
    shares,
    spread,
    sum_of,
    take_back,
)
from app.billing.rules.price_rows import DETAILS, Known, Verdict, as_kept, category_key, counts, digest, judge
from app.billing.rules.prices import service_code

__all__ = [
    "DETAILS", "MOST_LINES", "MOST_PARTS", "Allocation", "Card", "Cost", "Due", "Known", "LineLeft", "PaidPart", "Part",
    "Relative", "Return", "Verdict", "allocate", "as_kept", "category_key", "change", "check_advance",
    "check_cancellable", "check_certificate", "check_held", "check_lines", "check_one_payer",
    "check_parts", "check_seen", "check_tooth", "check_unspent", "cost", "counts", "digest", "judge", "of_age",
    "offered_payers", "only_money", "payer_of_advance", "receipt_to", "refundable", "service_code", "shares", "spread",
    "sum_of", "take_back", "take_lines_back", "usual_payer",
]  # fmt: skip
