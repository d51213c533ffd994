"""Fiscal receipts and the drawer of the cash register (54-ФЗ), told once."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

FISCAL = (
    Promise(
        "fiscal_receipt_once",
        N_("While a fiscal device works, each payment of its organisation and each refund of one has one receipt."),
        either(
            """
            WITH living AS (SELECT * FROM fiscal_receipt WHERE status <> 'replaced'),
                 device AS (SELECT d.id, d.legal_entity_id, d.branch_id, min(f.payment_id) AS first,
                                   CASE WHEN d.archived THEN max(f.payment_id) END AS last
                              FROM fiscal_device d JOIN living f ON f.device_id = d.id GROUP BY d.id)
            SELECT m.what || ' ' || m.id, m.amount::text, COALESCE(f.amount::text, 'no fiscal_receipt')
            FROM device d
            JOIN (SELECT 'payment' AS what, id, legal_entity_id, branch_id, amount, id AS payment_id FROM payment
                  UNION ALL SELECT 'refund', id, legal_entity_id, branch_id, amount, payment_id FROM refund) m
              ON m.legal_entity_id = d.legal_entity_id AND m.branch_id = d.branch_id AND m.payment_id >= d.first
                 AND (d.last IS NULL OR m.what = 'payment' AND m.payment_id <= d.last)
            LEFT JOIN (SELECT 'payment' AS what, payment_id AS id, amount FROM living
                       UNION ALL SELECT 'refund', refund_id, amount FROM living) f ON f.what = m.what AND f.id = m.id
            WHERE f.amount IS DISTINCT FROM m.amount
            UNION ALL
            SELECT 'fiscal_receipt ' || f.id, {shown} FROM living f
            CROSS JOIN LATERAL (SELECT COALESCE(sum((one ->> 'sum')::numeric), 0) AS whole,
                                       COALESCE(sum((one ->> 'sum')::numeric) FILTER (WHERE one ->> 'type' <> 'credit'),
                                                0) AS paid
                                  FROM jsonb_array_elements(f.body -> 'payments') AS one) b
            CROSS JOIN LATERAL (SELECT COALESCE(sum((one ->> 'amount')::numeric), 0) AS whole
                                  FROM jsonb_array_elements(f.body -> 'items') AS one) i
            WHERE f.kind NOT IN ('cashIn', 'cashOut') AND {broken}""",
            ("f.kind IS DISTINCT FROM f.body ->> 'type'", "f.body ->> 'type'", "f.kind"),
            ("f.amount IS DISTINCT FROM b.paid", "b.paid", "f.amount"),
            (
                "i.whole <> b.whole",
                "concat('items ', b.whole::numeric(12, 2))",
                "concat('items ', i.whole::numeric(12, 2))",
            ),
            (
                "(f.body ->> 'total')::numeric <> i.whole",
                "concat('total ', i.whole::numeric(12, 2))",
                "concat('total ', (f.body ->> 'total')::numeric(12, 2))",
            ),
        ),
    ),
    Promise(
        "fiscal_drawer_once",
        N_("While a fiscal device works, it is told once of all cash in the drawers that no receipt tells of."),
        either(
            """
            WITH cash AS (SELECT m.id, m.delta, d.legal_entity_id, d.branch_id FROM cash_movement m
                            JOIN cash_desk d ON d.id = m.desk_id
                           WHERE d.kind <> 'non_cash' AND m.kind NOT IN ('payment', 'refund')),
                 device AS (SELECT k.*, f.first, CASE WHEN k.archived THEN f.last END AS last FROM fiscal_device k
                              JOIN (SELECT device_id, min(movement_id) AS first, max(movement_id) AS last
                                      FROM fiscal_receipt GROUP BY 1) f ON f.device_id = k.id)
            SELECT 'cash_movement ' || m.id, m.delta::text,
                   concat(t.told, CASE WHEN t.many <> 1 THEN ' (x' || t.many || ')' END)
            FROM cash m
            CROSS JOIN LATERAL (SELECT count(*) AS many,
                                       sum(CASE kind WHEN 'cashIn' THEN amount ELSE -amount END) AS told
                                  FROM fiscal_receipt WHERE movement_id = m.id) t
            WHERE t.many > 1 OR t.told <> m.delta
               OR t.many = 0 AND EXISTS (
                    SELECT FROM device k WHERE (k.legal_entity_id, k.branch_id) = (m.legal_entity_id, m.branch_id)
                       AND m.id >= k.first AND (k.last IS NULL OR m.id <= k.last))
            UNION ALL
            SELECT 'fiscal_receipt ' || f.id, {shown} FROM fiscal_receipt f
            LEFT JOIN fiscal_device k ON k.id = f.device_id LEFT JOIN cash m ON m.id = f.movement_id
            WHERE f.kind IN ('cashIn', 'cashOut') AND {broken}""",
            ("f.kind IS DISTINCT FROM f.body ->> 'type'", "f.body ->> 'type'", "f.kind"),
            (
                "f.amount IS DISTINCT FROM (f.body ->> 'cashSum')::numeric",
                "(f.body ->> 'cashSum')::numeric(12, 2)",
                "f.amount",
            ),
            (
                "f.movement_id IS NOT NULL"
                " AND (m.legal_entity_id, m.branch_id) IS DISTINCT FROM (k.legal_entity_id, k.branch_id)",
                "concat('branch ', k.branch_id, ', legal_entity ', k.legal_entity_id)",
                "concat('branch ', m.branch_id, ', legal_entity ', m.legal_entity_id)",
            ),
        ),
    ),
    Promise(
        "fiscal_reversal",
        N_("What receipts told of a bill that was taken back is returned by one, and told of as an advance."),
        """
        WITH living AS (SELECT f.*, (SELECT COALESCE(sum((one ->> 'sum')::numeric), 0)
                                       FROM jsonb_array_elements(f.body -> 'payments') AS one
                                      WHERE one ->> 'type' IN ('cash', 'electronically')) AS money
                          FROM fiscal_receipt f WHERE f.status <> 'replaced'),
             kept AS (SELECT * FROM living WHERE reversal_id IS NOT NULL AND kind IN ('sell', 'sellCorrection')),
             back AS (SELECT * FROM living WHERE reversal_id IS NOT NULL AND kind NOT IN ('sell', 'sellCorrection'))
        SELECT 'work_order ' || r.id, t.paid, back.amount
        FROM (SELECT e.reversal_id, sum(e.debt_change) AS paid FROM ledger_entry e
                JOIN living f ON f.payment_id = e.payment_id WHERE e.kind = 'paid_to_advance' GROUP BY 1) t
        JOIN work_order r ON r.id = t.reversal_id
        JOIN fiscal_device d ON d.legal_entity_id = r.legal_entity_id AND d.branch_id = r.branch_id AND NOT d.archived
             AND r.created_at >= (SELECT min(created_at) FROM living WHERE device_id = d.id)
        LEFT JOIN back ON back.reversal_id = r.id WHERE back.amount IS DISTINCT FROM t.paid
        UNION ALL
        SELECT 'work_order ' || COALESCE(back.reversal_id, kept.reversal_id), back.money, kept.money
        FROM back FULL JOIN kept USING (reversal_id) WHERE COALESCE(back.money, 0) <> COALESCE(kept.money, 0)
        UNION ALL
        SELECT 'work_order ' || work_order_id, 0, sum(change) FROM fiscal_credit GROUP BY work_order_id
        HAVING sum(change) < 0""",
    ),
    Promise(
        "fiscal_credit",
        N_("What a receipt sells on credit, and what it takes for such before, is kept of its bills."),
        # a correction says what the receipt of which it takes the place said, and that one's credit stays
        """
        SELECT 'fiscal_receipt ' || f.id, (b.credit - i.paid_back)::numeric(12, 2), COALESCE(c.change, 0)
        FROM fiscal_receipt f
        CROSS JOIN LATERAL (SELECT COALESCE(sum((one ->> 'sum')::numeric), 0) AS credit
                              FROM jsonb_array_elements(f.body -> 'payments') AS one
                             WHERE one ->> 'type' = 'credit') b
        CROSS JOIN LATERAL (SELECT COALESCE(sum((one ->> 'amount')::numeric), 0) AS paid_back
                              FROM jsonb_array_elements(f.body -> 'items') AS one
                             WHERE one ->> 'paymentMethod' = 'creditPayment') i
        LEFT JOIN (SELECT receipt_id, sum(change) AS change FROM fiscal_credit GROUP BY 1) c ON c.receipt_id = f.id
        WHERE f.kind = 'sell' AND f.bills <> '[]' AND b.credit - i.paid_back <> COALESCE(c.change, 0)""",
    ),
)
