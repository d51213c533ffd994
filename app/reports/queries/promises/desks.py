"""Cash desks: movements, shifts, counted notes and coins, transfers, expense categories."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

DESKS = (
    Promise(
        "money_came_into_desk",
        N_("Each part of a payment or a refund that is money is one movement of a desk of its kind, and back."),
        either(
            """
            SELECT 'cash_movement ' || COALESCE(m.id, part.movement_id), {shown}
            FROM (SELECT movement_id, amount AS delta, desk_id, 'payment' AS kind FROM payment_part
                   WHERE method <> 'advance'
                  UNION ALL SELECT f.movement_id, -f.amount, p.desk_id, 'refund' FROM refund_part f
                    JOIN payment_part p ON p.id = f.payment_part_id WHERE p.method <> 'advance') part
            FULL JOIN (SELECT * FROM cash_movement WHERE kind IN ('payment', 'refund')) m ON m.id = part.movement_id
            WHERE {broken}
            UNION ALL SELECT 'payment_part ' || p.id, CASE WHEN p.method = 'cash' THEN 'main' ELSE 'non_cash' END,
                   d.kind FROM payment_part p
              JOIN cash_desk d ON d.id = p.desk_id WHERE (p.method = 'cash') = (d.kind = 'non_cash')""",
            ("m.id IS NULL OR part.movement_id IS NULL OR m.delta <> part.delta", "part.delta", "m.delta"),
            ("m.desk_id <> part.desk_id", "concat('cash_desk ', part.desk_id)", "concat('cash_desk ', m.desk_id)"),
            ("m.kind <> part.kind", "part.kind", "m.kind"),
        ),
    ),
    Promise(
        "movements_make_desk",
        N_("A desk holds the sum of its movements, and never held less than nothing."),
        either(
            """
            SELECT 'cash_desk ' || d.id, {shown} FROM cash_desk d
            LEFT JOIN (SELECT desk_id, sum(delta) AS total, min(running) AS lowest
                         FROM (SELECT desk_id, delta, sum(delta) OVER (PARTITION BY desk_id ORDER BY id) AS running
                                 FROM cash_movement) r GROUP BY 1) m ON m.desk_id = d.id
            WHERE {broken}""",
            ("d.balance <> COALESCE(m.total, 0)", "COALESCE(m.total, 0)", "d.balance"),
            ("m.lowest < 0", "'0 or more'", "m.lowest"),
        ),
    ),
    Promise(
        "movements_make_shift",
        N_("Opening and movements of a shift make what was counted, or what its desk holds; none is of another desk."),
        either(
            """
            SELECT 'cash_shift ' || s.id, {shown} FROM cash_shift s JOIN cash_desk d ON d.id = s.desk_id
            LEFT JOIN (SELECT shift_id, sum(delta) AS total, max(id) AS last FROM cash_movement
                        WHERE shift_id IS NOT NULL GROUP BY 1) m ON m.shift_id = s.id
            LEFT JOIN cash_movement l ON l.id = m.last
            WHERE {broken}
            UNION ALL
            SELECT 'cash_movement ' || m.id, 'cash_desk ' || s.desk_id, 'cash_desk ' || m.desk_id
            FROM cash_movement m JOIN cash_shift s ON s.id = m.shift_id WHERE m.desk_id <> s.desk_id
            UNION ALL
            SELECT 'cash_movement ' || m.id, CASE d.kind WHEN 'non_cash' THEN 'no cash_shift' ELSE 'a cash_shift' END,
                   COALESCE('cash_shift ' || m.shift_id, 'no cash_shift')
              FROM cash_movement m JOIN cash_desk d ON d.id = m.desk_id
             WHERE (m.shift_id IS NULL) <> (d.kind = 'non_cash')""",
            (
                "COALESCE(s.counted, d.balance) <> s.opening + COALESCE(m.total, 0)",
                "s.opening + COALESCE(m.total, 0)",
                "COALESCE(s.counted, d.balance)",
            ),
            (
                "s.counted <> s.expected AND l.delta IS DISTINCT FROM s.counted - s.expected",
                "s.counted - s.expected",
                "l.delta",
            ),
        ),
    ),
    Promise(
        "counts_make_shift",
        N_("Notes and coins counted at an opening or a closing make the sum the shift was opened or closed with."),
        """
        SELECT c.moment || ' of cash_shift ' || s.id, c.must, c.sum FROM cash_shift s
        CROSS JOIN LATERAL (SELECT moment, CASE moment WHEN 'opening' THEN s.opened_with ELSE s.counted END AS must,
                                   sum(value * pieces) AS sum
                              FROM cash_count WHERE shift_id = s.id GROUP BY 1) c
        WHERE c.must IS DISTINCT FROM c.sum""",
    ),
    Promise(
        "shift_follows_shift",
        N_("A shift opens with what the one before was closed with; a difference is its first movement."),
        either(
            """
            SELECT 'cash_shift ' || id, {shown}
            FROM (SELECT id, opening, number, lag(counted, 1, 0.00) OVER w AS before,
                         lag(number, 1, 0) OVER w AS previous
                    FROM cash_shift WINDOW w AS (PARTITION BY desk_id ORDER BY number)) s
            WHERE {broken}
            UNION ALL
            SELECT 'cash_shift ' || s.id, s.opening::text, s.opened_with::text FROM cash_shift s
            WHERE s.opened_with <> s.opening AND s.opened_with - s.opening IS DISTINCT FROM
                  (SELECT delta FROM cash_movement WHERE shift_id = s.id ORDER BY id LIMIT 1)""",
            ("before IS DISTINCT FROM opening", "before", "opening"),
            ("number <> previous + 1", "concat('№ ', previous + 1)", "concat('№ ', number)"),
        ),
    ),
    Promise(
        "category_tree",
        N_("Expense categories make a tree, and what was merged leaves nothing behind it."),
        """
        WITH RECURSIVE down AS (SELECT id FROM expense_category WHERE parent_id IS NULL
                                UNION SELECT c.id FROM expense_category c JOIN down ON c.parent_id = down.id)
        SELECT 'expense_category ' || c.id, NULL, c.parent_id FROM expense_category c
         WHERE c.id NOT IN (SELECT id FROM down)
        UNION ALL
        SELECT 'expense_category ' || c.id, NULL, m.id FROM expense_category c
          JOIN expense_category m ON m.id IN (c.parent_id, c.merged_into_id) WHERE m.merged_into_id IS NOT NULL""",
    ),
    Promise(
        "reversed_once",
        N_("A reversed movement was turned back by the same sum, on the same desk."),
        either(
            """
            SELECT 'cash_movement ' || r.id, {shown} FROM cash_movement r
            JOIN cash_movement m ON m.id = r.reverses_id WHERE {broken}""",
            ("r.delta <> -m.delta", "-m.delta", "r.delta"),
            ("r.desk_id <> m.desk_id", "concat('cash_desk ', m.desk_id)", "concat('cash_desk ', r.desk_id)"),
        ),
    ),
    Promise(
        "transfer_of_two",
        N_("A transfer left one desk and came into another, the same sum."),
        either(
            """
            SELECT 'cash_movement ' || o.id, {shown} FROM cash_movement o
            LEFT JOIN cash_movement i ON i.paired_id = o.id AND i.kind = 'transfer_in'
            WHERE o.kind = 'transfer_out' AND {broken}""",
            ("i.id IS NULL OR i.delta <> -o.delta", "-o.delta", "i.delta"),
            ("i.desk_id = o.desk_id", "'another cash_desk'", "concat('cash_desk ', i.desk_id)"),
        ),
    ),
)
