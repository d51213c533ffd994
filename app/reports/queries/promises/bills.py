"""Bills: their lines, what is due, what reversing orders take back."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

BILLS = (
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
        either(
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
        either(
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
        either(
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
)
