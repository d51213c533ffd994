"""Accounts: debts and advances of patients, certificates, and the clinic as a whole."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

ACCOUNTS = (
    Promise(
        "ledger_makes_account",
        N_("A patient's debt and advance are the sums of the ledger, and not below zero."),
        either(
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
        either(
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
        either(
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
)
