"""The cash desk «касса»: desks, shifts from count to count, pay-ins, withdrawals, transfers, X reports.

Words: desk, shift, movement (signed `delta`), expense category. Movements are append-only and a desk's balance is
kept by the database; every change locks the desks first, by number, then everything else.
Where next: `operations.py`; patients' payments are `app/billing`'s, which calls `receive` and `give_back`.
"""
