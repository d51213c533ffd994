"""Receipts as the patient got them, and numbers without gaps."""

from app.reports.queries.promises.base import Promise, either
from app.vocab import N_

RECEIPTS = (
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
        either(
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
            -- read once, so that whole receipts are not carried about
            shown AS MATERIALIZED (
                      SELECT id, created_at, CASE WHEN refund_id IS NULL THEN 'payment' ELSE 'refund' END AS of,
                             COALESCE(refund_id, payment_id) AS of_id, number, patient_id,
                             (snapshot ->> 'number')::int AS said, (snapshot ->> 'card_number')::int AS card_number,
                             (snapshot ->> 'amount')::numeric AS amount,
                             -- most have one part: to sort each by itself takes as long as all the rest
                             CASE jsonb_array_length(snapshot -> 'parts') WHEN 1
                             THEN concat(snapshot #>> '{{parts,0,method}}', ' ',
                                         (snapshot #>> '{{parts,0,amount}}')::numeric(12, 2))
                             ELSE (SELECT string_agg(concat(one ->> 'method', ' ', (one ->> 'amount')::numeric(12, 2)),
                                                     ', ' ORDER BY one ->> 'method', (one ->> 'amount')::numeric)
                                     FROM jsonb_array_elements(snapshot -> 'parts') AS one) END AS parts
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
        N_("The numbers of work orders, acts, payments, refunds, receipts and movements have no gaps, year by year."),
        either(
            """
            SELECT series || ' ' || n.year || ' of legal_entity ' || n.legal_entity_id, {shown}
            FROM (SELECT legal_entity_id, year, series, max(number) AS last, count(*) AS many
                    FROM (SELECT legal_entity_id, year, 'work_order' AS series, number FROM work_order
                          UNION ALL SELECT legal_entity_id, year, 'act', number FROM service_act
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
)
