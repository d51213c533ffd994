"""The promises about money, proven from the beginning: each is one statement that looks for who breaks it.

The database keeps these while it writes (constraints, triggers); this reads everything again and trusts nothing that
is kept as a sum. Where next: the command `verify` in `app/cli.py`.
"""

from dataclasses import dataclass

from sqlalchemy import text

from app.db import session
from app.vocab import N_


@dataclass(frozen=True)
class Promise:
    """`broken` selects the rows that break it: what (table and number), what it should be, what it is."""

    name: str
    sentence: str
    broken: str


def _either(statement: str, *ways: tuple[str, str, str]) -> str:
    """A statement of a promise that can be broken in several ways: (condition, what it should be, what it is).

    Its `{broken}` is any of the conditions; `{shown}` is the two figures of the one that is broken, so that nobody
    reads «must be 5.00, is 5.00».
    """
    must, found = (" ".join(f"WHEN {way[0]} THEN ({way[place]})::text" for way in ways) for place in (1, 2))
    return statement.format(
        shown=f"CASE {must} END, CASE {found} END", broken="(" + " OR ".join(f"({way[0]})" for way in ways) + ")"
    )


#: `must` and `found` are shown as they are; a promise that holds gives no row.
PROMISES = (
    Promise(
        "lines_make_total",
        N_("The lines of a work order make its total."),
        """
        SELECT 'work_order ' || o.id AS what, COALESCE(l.total, 0) AS must, o.total AS found FROM work_order o
        LEFT JOIN (SELECT work_order_id, sum(total) AS total FROM work_order_line GROUP BY 1) l
               ON l.work_order_id = o.id
        WHERE o.total <> COALESCE(l.total, 0)""",
    ),
    Promise(
        "ledger_makes_bill",
        N_("What is due on a work order, and whether it is billed and paid, is what the ledger says."),
        _either(
            """
            SELECT 'work_order ' || o.id, {shown} FROM work_order o
            LEFT JOIN (SELECT work_order_id, sum(debt_change) AS due,
                              sum(debt_change) FILTER (WHERE kind IN ('bill', 'bill_reopened')) AS billed
                         FROM ledger_entry WHERE work_order_id IS NOT NULL GROUP BY 1) e ON e.work_order_id = o.id
            WHERE {broken}""",
            ("o.due <> COALESCE(e.due, 0)", "COALESCE(e.due, 0)", "o.due"),
            ("o.due < 0 OR o.due > greatest(o.total, 0)", "concat('0 - ', greatest(o.total, 0))", "o.due"),
            (
                "COALESCE(e.billed, 0) <> CASE WHEN o.status IN ('draft', 'annulled', 'reversal') THEN 0"
                " ELSE o.total END",
                "COALESCE(e.billed, 0)",
                "concat(CASE WHEN o.status IN ('draft', 'annulled', 'reversal') THEN 0 ELSE o.total END,"
                " ' (', o.status, ')')",
            ),
            (
                "(o.status = 'paid') <> (o.status NOT IN ('draft', 'annulled', 'reversal') AND o.due = 0)",
                "CASE WHEN o.due = 0 THEN 'paid' ELSE 'issued' END",
                "o.status",
            ),
        ),
    ),
    Promise(
        "bill_as_issued",
        N_("A bill is of the day, and has the lines, with which it was issued."),
        r"""
        SELECT 'work_order ' || o.id, e.day::text, o.issued_day::text FROM work_order o
        CROSS JOIN LATERAL (SELECT business_day AS day FROM ledger_entry
                             WHERE kind = 'bill' AND work_order_id = o.id ORDER BY id DESC LIMIT 1) e
        WHERE o.status IN ('issued', 'paid') AND o.issued_day <> e.day
        UNION ALL SELECT 'work_order ' || o.id, e.business_day::text, o.issued_day::text FROM work_order o
        JOIN ledger_entry e ON e.reversal_id = o.id AND e.kind = 'bill_reversed' WHERE o.issued_day <> e.business_day
        UNION ALL
        SELECT 'work_order ' || o.id, told.lines::text, array_to_string(l.said, ', ') FROM work_order o
        CROSS JOIN LATERAL (SELECT after -> 'lines' AS lines FROM audit_event
                             WHERE object_type = 'work_order' AND object_id = o.id AND action = 'work_order.issued'
                               -- of an erased patient the log keeps that a bill was issued, not its lines
                               AND jsonb_typeof(after -> 'lines') = 'array'
                             ORDER BY id DESC LIMIT 1) told
        CROSS JOIN LATERAL (SELECT array_agg(ARRAY[part[1], part[2], trim_scale(part[3]::numeric)::text,
                                   trim_scale(part[4]::numeric)::text, part[5]] ORDER BY place) AS lines
                              FROM jsonb_array_elements_text(told.lines) WITH ORDINALITY AS one(line, place),
                                   regexp_match(line, '^(\d+) x(\d+) (.+)-(.+)=\S+ ?(\S*)$') AS part) logged
        CROSS JOIN LATERAL (SELECT array_agg(ARRAY[service_id::text, quantity::text, trim_scale(price)::text,
                                   trim_scale(discount)::text, tooth] ORDER BY position) AS lines,
                                   array_agg(concat(service_id, ' x', quantity, ' ', price, '-', discount, ' ', tooth)
                                             ORDER BY position) AS said
                              FROM work_order_line WHERE work_order_id = o.id) l
        WHERE o.status IN ('issued', 'paid') AND logged.lines IS DISTINCT FROM l.lines""",
    ),
    Promise(
        "reversal_of_bill",
        N_("A reversing order takes back what its lines say, of one bill, and leaves to the patient what was paid."),
        _either(
            """
            SELECT 'work_order ' || r.id, {shown} FROM work_order r LEFT JOIN work_order o ON o.id = r.reverses_id
            LEFT JOIN (SELECT reversal_id, sum(debt_change) FILTER (WHERE kind = 'bill_reversed') AS taken,
                              sum(debt_change - advance_change) FILTER (WHERE kind = 'paid_to_advance') AS lost,
                              count(DISTINCT work_order_id) AS bills, min(work_order_id) AS bill
                         FROM ledger_entry WHERE reversal_id IS NOT NULL GROUP BY 1) e ON e.reversal_id = r.id
            WHERE (r.status = 'reversal' OR r.reverses_id IS NOT NULL) AND {broken}""",
            ("r.status <> 'reversal'", "'reversal'", "r.status"),
            ("r.reverses_id IS NULL", "concat('work_order ', e.bill)", "NULL"),
            ("e.taken IS DISTINCT FROM r.total", "r.total", "e.taken"),
            ("e.lost <> 0", "0", "e.lost"),
            (
                "e.bills <> 1 OR e.bill <> o.id",
                "concat('work_order ', o.id)",
                "concat('work_order ', e.bill, ' of ', e.bills)",
            ),
            ("o.reverses_id IS NOT NULL", "'work_order'", "concat('reversal ', o.id)"),
            (
                "o.patient_id <> r.patient_id",
                "concat('patient ', o.patient_id)",
                "concat('patient ', r.patient_id)",
            ),
        ),
    ),
    Promise(
        "reversed_within_bill",
        N_("Not more of a bill is taken back than was in it, and no more is due on it than is left."),
        _either(
            """
            SELECT 'work_order_line ' || l.id, {shown} FROM work_order_line b
            JOIN work_order_line l ON l.id = b.reverses_id GROUP BY l.id, l.total, l.quantity, l.discount
            HAVING {broken}
            UNION ALL SELECT 'work_order ' || o.id, (o.total + sum(r.total))::text, o.due::text FROM work_order o
            JOIN work_order r ON r.reverses_id = o.id GROUP BY o.id, o.total, o.due
            HAVING o.due > o.total + sum(r.total)""",
            ("-sum(b.total) > l.total", "l.total", "-sum(b.total)"),
            ("-sum(b.quantity) > l.quantity", "concat('x', l.quantity)", "concat('x', -sum(b.quantity))"),
            ("-sum(b.discount) > l.discount", "l.discount", "-sum(b.discount)"),
        ),
    ),
    Promise(
        "parts_make_payment",
        N_("The parts of a payment make its sum, and the ledger tells the same."),
        _either(
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
        WITH deed AS (SELECT 'payment' AS what, id, business_day AS day FROM payment
                      UNION ALL SELECT 'refund', id, business_day FROM refund)
        SELECT d.what || ' ' || d.id, d.day::text, o.day::text
        FROM (SELECT 'payment' AS what, p.payment_id AS id, m.business_day AS day FROM payment_part p
                JOIN cash_movement m ON m.id = p.movement_id
              UNION SELECT 'refund', f.refund_id, m.business_day FROM refund_part f
                JOIN cash_movement m ON m.id = f.movement_id
              UNION SELECT 'payment', payment_id, business_day FROM ledger_entry
                WHERE kind IN ('payment', 'advance_in', 'advance_used')
              UNION SELECT 'refund', refund_id, business_day FROM ledger_entry WHERE kind = 'refund'
              UNION SELECT 'payment', payment_id, business_day FROM receipt WHERE payment_id IS NOT NULL
              UNION SELECT 'refund', refund_id, business_day FROM receipt WHERE refund_id IS NOT NULL) o
        JOIN deed d ON (d.what, d.id) = (o.what, o.id) WHERE d.day <> o.day""",
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
        FROM refund r JOIN receipt c ON c.refund_id = r.id WHERE c.patient_id <> r.patient_id""",
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
        _either(
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
        _either(
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
    Promise(
        "ledger_makes_account",
        N_("A patient's debt and advance are the sums of the ledger, and not below zero."),
        _either(
            """
            SELECT 'patient ' || COALESCE(a.patient_id, e.patient_id), {shown}
            FROM patient_account a
            FULL JOIN (SELECT patient_id, sum(debt_change) AS debt, sum(advance_change) AS advance
                         FROM ledger_entry GROUP BY 1) e ON e.patient_id = a.patient_id
            WHERE {broken}""",
            ("COALESCE(a.debt, 0) <> COALESCE(e.debt, 0)", "COALESCE(e.debt, 0)", "COALESCE(a.debt, 0)"),
            ("COALESCE(a.advance, 0) <> COALESCE(e.advance, 0)", "COALESCE(e.advance, 0)", "COALESCE(a.advance, 0)"),
            ("a.debt < 0 OR a.advance < 0", "'0 or more'", "least(a.debt, a.advance)"),
        ),
    ),
    Promise(
        "bills_make_debt",
        N_("A patient owes what is due on the patient's bills."),
        """
        SELECT 'patient ' || a.patient_id, COALESCE(o.due, 0), a.debt FROM patient_account a
        LEFT JOIN (SELECT patient_id, sum(due) AS due FROM work_order GROUP BY 1) o ON o.patient_id = a.patient_id
        WHERE a.debt <> COALESCE(o.due, 0)""",
    ),
    Promise(
        "advance_of_relatives",
        N_("An advance that was passed left one patient or certificate and came to another, the same sum."),
        _either(
            """
            SELECT 'advance_transfer ' || t.id, {shown} FROM advance_transfer t
            LEFT JOIN (SELECT transfer_id, count(*) AS entries, sum(advance_change) AS sum, sum(debt_change) AS debt,
                              max(abs(advance_change)) AS moved
                         FROM ledger_entry WHERE transfer_id IS NOT NULL GROUP BY 1) e
                   ON e.transfer_id = t.id
            CROSS JOIN LATERAL (SELECT CASE WHEN t.to_id IS NULL THEN -t.amount ELSE t.amount END AS change) c
            WHERE {broken}""",
            (
                "e.entries IS DISTINCT FROM num_nonnulls(t.from_id, t.to_id)",
                "concat(num_nonnulls(t.from_id, t.to_id), ' ledger_entry')",
                "concat(COALESCE(e.entries, 0), ' ledger_entry')",
            ),
            ("e.debt <> 0", "0", "e.debt"),
            ("e.moved <> t.amount", "t.amount", "e.moved"),
            (
                "e.sum <> CASE WHEN t.certificate_id IS NULL THEN 0 ELSE c.change END",
                "CASE WHEN t.certificate_id IS NULL THEN 0 ELSE c.change END",
                "e.sum",
            ),
            (
                "NOT EXISTS (SELECT FROM ledger_entry l WHERE l.transfer_id = t.id"
                " AND l.patient_id = COALESCE(t.to_id, t.from_id) AND l.advance_change = c.change)",
                "concat('patient ', COALESCE(t.to_id, t.from_id), ': ', c.change)",
                "'no ledger_entry'",
            ),
        ),
    ),
    Promise(
        "certificates",
        N_("What is left on a certificate is what was paid for it less what was spent, never below zero."),
        _either(
            """
            SELECT 'certificate ' || c.id, {shown} FROM certificate c
            LEFT JOIN (SELECT certificate_id, COALESCE(sum(amount) FILTER (WHERE to_id IS NULL), 0) AS paid,
                              COALESCE(sum(amount) FILTER (WHERE from_id IS NULL), 0) AS spent
                         FROM advance_transfer WHERE certificate_id IS NOT NULL GROUP BY 1) t
                   ON t.certificate_id = c.id
            WHERE {broken}""",
            ("c.balance IS DISTINCT FROM t.paid - t.spent", "t.paid - t.spent", "c.balance"),
            ("c.amount <> t.paid", "t.paid", "c.amount"),
            ("c.balance < 0", "'0 or more'", "c.balance"),
        ),
    ),
    Promise(
        "clinic_bridge",
        N_("Debts of patients less their advances and certificates are what was billed less what was paid and kept."),
        """
        SELECT 'clinic', b.billed - m.paid + m.returned, a.balance
        FROM (SELECT COALESCE(sum(debt - advance), 0) - (SELECT COALESCE(sum(balance), 0) FROM certificate) AS balance
                FROM patient_account) a,
             (SELECT COALESCE(sum(total), 0) AS billed FROM work_order WHERE issued_day IS NOT NULL) b,
             (SELECT (SELECT COALESCE(sum(amount), 0) FROM payment_part WHERE method <> 'advance') AS paid,
                     (SELECT COALESCE(sum(f.amount), 0) FROM refund_part f
                        JOIN payment_part p ON p.id = f.payment_part_id WHERE p.method <> 'advance') AS returned) m
        WHERE b.billed - m.paid + m.returned <> a.balance""",
    ),
    Promise(
        "money_came_into_desk",
        N_("Each part of a payment or a refund that is money is one movement of a desk of its kind, and back."),
        _either(
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
        _either(
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
        _either(
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
        _either(
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
        _either(
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
        _either(
            """
            SELECT 'cash_movement ' || o.id, {shown} FROM cash_movement o
            LEFT JOIN cash_movement i ON i.paired_id = o.id AND i.kind = 'transfer_in'
            WHERE o.kind = 'transfer_out' AND {broken}""",
            ("i.id IS NULL OR i.delta <> -o.delta", "-o.delta", "i.delta"),
            ("i.desk_id = o.desk_id", "'another cash_desk'", "concat('cash_desk ', i.desk_id)"),
        ),
    ),
    Promise(
        "one_receipt",
        N_("Each payment and each refund has its receipt, once."),
        """
        SELECT 'payment ' || p.id, '1 receipt', count(r.id) || ' receipts' FROM payment p
        LEFT JOIN receipt r ON r.payment_id = p.id GROUP BY p.id HAVING count(r.id) <> 1
        UNION ALL SELECT 'refund ' || f.id, '1 receipt', count(r.id) || ' receipts' FROM refund f
        LEFT JOIN receipt r ON r.refund_id = f.id GROUP BY f.id HAVING count(r.id) <> 1""",
    ),
    Promise(
        "receipt_as_written",
        N_("A receipt shows the number, the sum, the ways of paying and the patient of its payment or refund."),
        _either(
            """
            WITH RECURSIVE merged AS (
                SELECT id, merged_into_id AS into_id FROM patient WHERE merged_into_id IS NOT NULL
                UNION SELECT m.id, p.merged_into_id FROM merged m JOIN patient p ON p.id = m.into_id
                 WHERE p.merged_into_id IS NOT NULL),
            -- whose card it is now: a receipt keeps the number of the card that was merged into another
            card AS (SELECT p.id AS own_id, p.card_number, COALESCE(m.into_id, p.id) AS patient_id FROM patient p
                       LEFT JOIN (SELECT m.* FROM merged m JOIN patient w ON w.id = m.into_id
                                   WHERE w.merged_into_id IS NULL) m ON m.id = p.id),
            -- and one that was written while two cards were one keeps the number of the card they were
            parted AS (SELECT loser_id AS id, winner_id AS into_id, created_at AS since, undone_at AS until
                         FROM card_merge WHERE undone_at IS NOT NULL
                       UNION SELECT a.id, b.winner_id, greatest(a.since, b.created_at), least(a.until, b.undone_at)
                         FROM parted a JOIN card_merge b ON b.loser_id = a.into_id AND b.undone_at IS NOT NULL),
            shown AS (SELECT id, created_at, CASE WHEN refund_id IS NULL THEN 'payment' ELSE 'refund' END AS of,
                             COALESCE(refund_id, payment_id) AS of_id, number, patient_id,
                             (snapshot ->> 'number')::int AS said, (snapshot ->> 'card_number')::int AS card_number,
                             (snapshot ->> 'amount')::numeric AS amount,
                             (SELECT string_agg(concat(one ->> 'method', ' ', (one ->> 'amount')::numeric(12, 2)), ', '
                                                ORDER BY one ->> 'method', (one ->> 'amount')::numeric)
                                FROM jsonb_array_elements(snapshot -> 'parts') AS one) AS parts
                        FROM receipt)
            SELECT 'receipt ' || s.id, {shown}
            FROM shown s JOIN (
                SELECT 'payment' AS of, p.id AS of_id, p.amount,
                       string_agg(concat(t.method, ' ', t.amount), ', ' ORDER BY t.method, t.amount) AS parts
                  FROM payment p JOIN payment_part t ON t.payment_id = p.id GROUP BY p.id
                UNION ALL
                SELECT 'refund', r.id, r.amount,
                       string_agg(concat(t.method, ' ', f.amount), ', ' ORDER BY t.method, f.amount)
                  FROM refund r JOIN refund_part f ON f.refund_id = r.id JOIN payment_part t ON t.id = f.payment_part_id
                 GROUP BY r.id) m USING (of, of_id)
            LEFT JOIN card c USING (card_number)
            WHERE {broken}""",
            ("s.amount IS DISTINCT FROM m.amount", "m.amount", "s.amount"),
            ("s.said IS DISTINCT FROM s.number", "concat('№ ', s.number)", "concat('№ ', s.said)"),
            ("s.parts IS DISTINCT FROM m.parts", "m.parts", "s.parts"),
            (
                "card_number IS NOT NULL AND c.patient_id IS DISTINCT FROM s.patient_id AND NOT EXISTS ("
                "SELECT FROM parted w JOIN card was ON was.own_id = w.id JOIN card wore ON wore.own_id = w.into_id"
                " WHERE was.patient_id = s.patient_id AND wore.patient_id = c.patient_id"
                " AND s.created_at BETWEEN w.since AND w.until)",
                "concat('patient ', s.patient_id)",
                "concat('patient ', c.patient_id, ' (card № ', card_number, ')')",
            ),
        ),
    ),
    Promise(
        "numbers_without_gaps",
        N_("The numbers of work orders, payments, refunds, receipts and movements have no gaps, year by year."),
        _either(
            """
            SELECT series || ' ' || n.year || ' of legal_entity ' || n.legal_entity_id, {shown}
            FROM (SELECT legal_entity_id, year, series, max(number) AS last, count(*) AS many
                    FROM (SELECT legal_entity_id, year, 'work_order' AS series, number FROM work_order
                          UNION ALL SELECT legal_entity_id, year, 'payment', number FROM payment
                          UNION ALL SELECT legal_entity_id, year, 'refund', number FROM refund
                          UNION ALL SELECT legal_entity_id, year, 'receipt', number FROM receipt
                          UNION ALL SELECT legal_entity_id, year, series, number FROM cash_movement) a
                   GROUP BY 1, 2, 3) n
            LEFT JOIN number_series s USING (legal_entity_id, year, series)
            WHERE {broken}""",
            ("n.last <> n.many", "concat('№ 1 - ', n.last, ': ', n.last)", "concat('№ 1 - ', n.last, ': ', n.many)"),
            ("s.last_number IS DISTINCT FROM n.last", "concat('№ ', n.last)", "concat('№ ', s.last_number)"),
        ),
    ),
    Promise(
        "fiscal_receipt_once",
        N_("While a fiscal device works, each payment of its organisation and each refund of one has one receipt."),
        _either(
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
        _either(
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
)


@dataclass(frozen=True)
class Breach:
    """Who breaks a promise: the row, what it should be, what it is."""

    what: str
    must: object
    found: object


def breaches(promise: Promise, limit: int = 20) -> list[Breach]:
    """Who breaks a promise, in the whole database, from the beginning; none when it holds."""
    rows = session.execute(text(f"SELECT * FROM ({promise.broken}) AS b(what, must, found) ORDER BY what LIMIT :limit"),
                           {"limit": limit})  # fmt: skip
    return [Breach(*row) for row in rows]
