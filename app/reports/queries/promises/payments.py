"""Payments and refunds: their parts, days and patients; what is allocated and returned of them."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

PAYMENTS = (
    Promise(
        "parts_make_payment",
        N_("The parts of a payment make its sum, and the ledger tells the same."),
        either(
            """
            SELECT 'payment ' || p.id, {shown} FROM payment p
            LEFT JOIN (SELECT payment_id, sum(amount) AS amount,
                              sum(amount) FILTER (WHERE method <> 'advance') AS money
                         FROM payment_part GROUP BY 1) part ON part.payment_id = p.id
            LEFT JOIN (SELECT payment_id, sum(advance_change - debt_change) AS told FROM ledger_entry
                        WHERE payment_id IS NOT NULL AND refund_id IS NULL GROUP BY 1) e ON e.payment_id = p.id
            WHERE {broken}""",
            ("p.amount <> COALESCE(part.amount, 0)", "COALESCE(part.amount, 0)", "p.amount"),
            ("COALESCE(part.money, 0) <> COALESCE(e.told, 0)", "COALESCE(part.money, 0)", "COALESCE(e.told, 0)"),
        ),
    ),
    Promise(
        "of_one_day",
        N_("A payment or a refund, its movements, its ledger and its receipt are of the same day."),
        """
        SELECT DISTINCT 'payment ' || p.id, p.business_day::text, o.day::text FROM payment p JOIN (
            SELECT t.payment_id AS id, m.business_day AS day FROM payment_part t
              JOIN cash_movement m ON m.id = t.movement_id
            UNION ALL SELECT payment_id, business_day FROM ledger_entry
             WHERE kind IN ('payment', 'advance_in', 'advance_used')
            UNION ALL SELECT payment_id, business_day FROM receipt) o USING (id) WHERE p.business_day <> o.day
        UNION ALL SELECT DISTINCT 'refund ' || r.id, r.business_day::text, o.day::text FROM refund r JOIN (
            SELECT t.refund_id AS id, m.business_day AS day FROM refund_part t
              JOIN cash_movement m ON m.id = t.movement_id
            UNION ALL SELECT refund_id, business_day FROM ledger_entry WHERE kind = 'refund'
            UNION ALL SELECT refund_id, business_day FROM receipt) o USING (id) WHERE r.business_day <> o.day""",
    ),
    Promise(
        "of_one_patient",
        N_("A bill, a payment or a refund, its ledger, its movements and its receipt are of the same patient."),
        # each with what was written together with it, and so moved together with it when cards were merged
        """
        SELECT concat('ledger_entry ', e.id, ' of work_order ', o.id), o.patient_id, e.patient_id FROM work_order o
        JOIN ledger_entry e ON e.work_order_id = o.id
         WHERE e.kind IN ('bill', 'bill_reopened') AND e.patient_id <> o.patient_id
        UNION ALL SELECT concat('ledger_entry ', e.id, ' of work_order ', o.id), o.patient_id, e.patient_id
        FROM work_order o JOIN ledger_entry e ON e.reversal_id = o.id WHERE e.patient_id <> o.patient_id
        UNION ALL SELECT concat('ledger_entry ', e.id, ' of payment ', p.id), p.patient_id, e.patient_id
        FROM payment p JOIN ledger_entry e ON e.payment_id = p.id
         WHERE e.kind IN ('payment', 'advance_in', 'advance_used') AND e.patient_id <> p.patient_id
        UNION ALL SELECT concat('ledger_entry ', e.id, ' of refund ', r.id), r.patient_id, e.patient_id
        FROM refund r JOIN ledger_entry e ON e.refund_id = r.id WHERE e.patient_id <> r.patient_id
        UNION ALL SELECT concat('cash_movement ', m.id, ' of payment ', p.id), p.patient_id, m.patient_id
        FROM payment p JOIN payment_part t ON t.payment_id = p.id JOIN cash_movement m ON m.id = t.movement_id
         WHERE m.patient_id IS DISTINCT FROM p.patient_id
        UNION ALL SELECT concat('cash_movement ', m.id, ' of refund ', r.id), r.patient_id, m.patient_id
        FROM refund r JOIN refund_part t ON t.refund_id = r.id JOIN cash_movement m ON m.id = t.movement_id
         WHERE m.patient_id IS DISTINCT FROM r.patient_id
        UNION ALL SELECT concat('receipt ', c.id, ' of payment ', p.id), p.patient_id, c.patient_id
        FROM payment p JOIN receipt c ON c.payment_id = p.id WHERE c.patient_id <> p.patient_id
        UNION ALL SELECT concat('receipt ', c.id, ' of refund ', r.id), r.patient_id, c.patient_id
        FROM refund r JOIN receipt c ON c.refund_id = r.id WHERE c.patient_id <> r.patient_id
        UNION ALL SELECT concat('advance_transfer ', t.id, ' of refund ', r.id), r.patient_id, t.from_id
        FROM refund r JOIN advance_transfer t ON t.refund_id = r.id WHERE t.from_id <> r.patient_id""",
    ),
    Promise(
        "change_of_cash",
        N_("What the patient gave less the change is what was paid in cash."),
        """
        SELECT 'payment ' || p.id, CASE WHEN p.tendered IS NULL THEN 0 ELSE COALESCE(c.cash, 0) END,
               COALESCE(p.tendered, 0) - p.change FROM payment p
        LEFT JOIN (SELECT payment_id, sum(amount) AS cash FROM payment_part WHERE method = 'cash' GROUP BY 1) c
               ON c.payment_id = p.id
        WHERE CASE WHEN p.tendered IS NULL THEN p.change <> 0 ELSE p.tendered - p.change <> COALESCE(c.cash, 0) END""",
    ),
    Promise(
        "allocated_within_payment",
        N_("Not more of a payment goes to bills than was paid."),
        """
        SELECT 'payment ' || p.id, p.amount, e.allocated FROM payment p
        JOIN (SELECT payment_id, -sum(debt_change) AS allocated FROM ledger_entry
               WHERE payment_id IS NOT NULL AND refund_id IS NULL GROUP BY 1) e ON e.payment_id = p.id
        WHERE e.allocated > p.amount""",
    ),
    Promise(
        "parts_make_refund",
        N_("The parts of a refund make its sum, and the ledger tells the same."),
        either(
            """
            SELECT 'refund ' || r.id, {shown} FROM refund r
            LEFT JOIN (SELECT f.refund_id, sum(f.amount) AS amount,
                              sum(f.amount) FILTER (WHERE p.method <> 'advance') AS money
                         FROM refund_part f JOIN payment_part p ON p.id = f.payment_part_id GROUP BY 1) part
                   ON part.refund_id = r.id
            LEFT JOIN (SELECT refund_id, sum(debt_change - advance_change) AS told FROM ledger_entry
                        WHERE refund_id IS NOT NULL GROUP BY 1) e ON e.refund_id = r.id
            WHERE {broken}""",
            ("r.amount <> COALESCE(part.amount, 0)", "COALESCE(part.amount, 0)", "r.amount"),
            ("COALESCE(part.money, 0) <> COALESCE(e.told, 0)", "COALESCE(part.money, 0)", "COALESCE(e.told, 0)"),
        ),
    ),
    Promise(
        "refunded_within_payment",
        N_("Not more is returned of a payment's part than was paid in that way, and only to who paid."),
        either(
            """
            SELECT 'payment_part ' || p.id, {shown} FROM refund_part f
            JOIN payment_part p ON p.id = f.payment_part_id JOIN payment m ON m.id = p.payment_id
            JOIN refund r ON r.id = f.refund_id GROUP BY p.id, p.amount, m.id HAVING {broken}""",
            ("sum(f.amount) > p.amount", "p.amount", "sum(f.amount)"),
            (
                "bool_or(r.payment_id <> m.id)",
                "concat('payment ', m.id)",
                "concat('payment ', max(r.payment_id) FILTER (WHERE r.payment_id <> m.id))",
            ),
            (
                "bool_or(r.patient_id <> m.patient_id)",
                "concat('patient ', m.patient_id)",
                "concat('patient ', max(r.patient_id) FILTER (WHERE r.patient_id <> m.patient_id))",
            ),
        ),
    ),
)
