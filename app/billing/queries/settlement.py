"""What the settlement page and the card's tab «Money» show of one patient: open orders, payments, what can go back.

Asked all day long, so each question is one statement that is compiled once and builds no records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app import clock
from app.billing.queries.balances import Balance
from app.billing.rules import Card
from app.db import Fixed
from app.money import ZERO
from app.vocab import WorkOrderStatus


@dataclass(frozen=True)
class OpenOrder:
    """A draft that is not issued yet, or a bill that is not paid in full."""

    id: int
    number: int
    status: str
    total: Decimal
    due: Decimal
    issued_day: date | None
    doctor: str
    #: The legal entity that issued it, when its money is not taken here.
    elsewhere: str = ""


@dataclass(frozen=True)
class Settling:
    """A patient who is settled with: whose money it is, and what is open, the oldest first."""

    id: int
    full_name: str
    card_number: int
    birth_date: date | None
    balance: Balance
    orders: list[OpenOrder]
    card: Card
    #: Whether there is anything to ask further: relatives, passed advances and certificates.
    related: bool
    passed: bool
    #: Does a fiscal device print here, and where its receipt can be sent: phones for messages and e-mails, of the card
    #: and of the guardian's.
    prints: bool
    contacts: list[str]
    #: The card that stayed when this one was merged: all its money is there.
    merged_into_id: int | None
    archived: bool

    @property
    def bills(self) -> list[OpenOrder]:
        return [order for order in self.orders if order.status == WorkOrderStatus.ISSUED]

    @property
    def due_here(self) -> Decimal:
        """What is due on the bills that are paid here."""
        return sum((bill.due for bill in self.bills if not bill.elsewhere), ZERO)

    @property
    def drafts(self) -> list[OpenOrder]:
        return [order for order in self.orders if order.status == WorkOrderStatus.DRAFT]


_SETTLING = Fixed(
    text("""
    WITH card AS MATERIALIZED (  -- once, and not at each of its orders
        SELECT p.id AS patient_id, concat_ws(' ', p.surname, p.name, nullif(p.patronymic, '')) AS full_name,
            p.card_number, p.birth_date, p.merged_into_id, p.status = 'archived' AS archived,
            COALESCE(a.debt, 0) AS debt, COALESCE(a.advance, 0) AS advance,
            (SELECT g.id FROM patient g WHERE g.id = p.guardian_id AND g.status <> 'archived') AS guardian_id,
            (SELECT g.id FROM patient g WHERE g.id = p.payer_id AND g.status <> 'archived') AS payer_id,
            p.family_id IS NOT NULL OR p.guardian_id IS NOT NULL
                OR EXISTS (SELECT FROM patient c WHERE c.guardian_id = p.id) AS related,
            EXISTS (SELECT FROM advance_transfer t WHERE t.from_id = p.id)
                OR EXISTS (SELECT FROM advance_transfer t WHERE t.to_id = p.id) AS passed,
            EXISTS (SELECT FROM fiscal_device d JOIN branch b
                        ON b.id = d.branch_id AND b.legal_entity_id = d.legal_entity_id
                    WHERE NOT d.archived AND b.id = COALESCE(
                        (SELECT id FROM branch WHERE id = CAST(:branch AS int) AND NOT archived),
                        (SELECT min(id) FROM branch WHERE NOT archived))) AS prints,
            ARRAY(SELECT f.number FROM patient_phone f WHERE f.patient_id IN (p.id, p.guardian_id) AND f.for_sms
                  ORDER BY f.patient_id <> p.id, f.id)
                || ARRAY(SELECT m.email FROM patient m WHERE m.id IN (p.id, p.guardian_id) AND m.email <> ''
                         ORDER BY m.id <> p.id) AS contacts
        FROM patient p LEFT JOIN patient_account a ON a.patient_id = p.id WHERE p.id = :patient)
    SELECT card.*, o.id, o.number, o.status, o.total, o.due, o.issued_day,
        concat_ws(' ', e.surname, nullif(left(e.name, 1), '') || '.',
            nullif(left(e.patronymic, 1), '') || '.') AS doctor,
        COALESCE((SELECT n.short_name FROM legal_entity n WHERE n.id = o.legal_entity_id
                  AND n.id IS DISTINCT FROM COALESCE(
                      (SELECT legal_entity_id FROM branch WHERE id = CAST(:branch AS int) AND NOT archived),
                      (SELECT legal_entity_id FROM branch WHERE NOT archived ORDER BY id LIMIT 1))), '') AS elsewhere
    FROM card
    LEFT JOIN work_order o ON o.patient_id = :patient AND o.status IN ('issued', 'draft')
    LEFT JOIN employee e ON e.id = o.doctor_id
    ORDER BY o.issued_at, o.id
    """)
)


def settling(patient_id: int, branch_id: int | None) -> Settling | None:
    """A patient with the balance and all that is open, as seen from a branch; None when there is no such patient."""
    rows = _SETTLING(patient=patient_id, branch=branch_id).all()
    if not rows:
        return None
    first = rows[0]
    return Settling(
        first.patient_id, first.full_name, first.card_number, first.birth_date, Balance(first.debt, first.advance),
        [
            OpenOrder(row.id, row.number, row.status, row.total, row.due, row.issued_day, row.doctor, row.elsewhere)
            for row in rows
            if row.id is not None
        ],
        Card(first.patient_id, first.birth_date, first.guardian_id, first.payer_id),
        first.related, first.passed, first.prints, first.contacts, first.merged_into_id,
        first.archived,
    )  # fmt: skip


@dataclass(frozen=True)
class PartLine:
    """A part of a payment as a list shows it."""

    method: str
    amount: Decimal
    movement_id: int | None
    #: Whose advance it was, when it was a relative's; which certificate paid it.
    relative: str = ""
    certificate: str = ""


@dataclass(frozen=True)
class RefundLine:
    """A refund under its payment; `cash_orders`: the movements of a drawer that it has."""

    number: int
    kind: str
    reason: str
    amount: Decimal
    receipt_id: int | None
    cash_orders: list[int]


@dataclass(frozen=True)
class PaymentLine:
    """A payment as the card shows it."""

    id: int
    number: int
    business_day: date
    paid_at: datetime
    amount: Decimal
    parts: list[PartLine]
    returned: Decimal
    #: What can still be returned, and how much of it as money: the rest goes back to the advance that it came from.
    left: Decimal
    left_money: Decimal
    cancellable: bool
    receipt_id: int | None
    refunds: list[RefundLine]


#: A payment's share of the advance (`_OF_ITS_SHARE` in payments.py).
_SHARE = "(kind IN ('advance_in', 'paid_to_advance') OR kind = 'refund' AND advance_change < 0)"
_PARTS = """
    (SELECT json_agg(json_build_object('method', t.method, 'amount', CAST(t.amount AS text), 'movement', t.movement_id,
         'relative', (SELECT concat_ws(' ', q.surname, q.name, nullif(q.patronymic, ''))
                      FROM advance_transfer v JOIN patient q ON q.id = v.from_id WHERE v.id = t.transfer_id),
         'certificate', (SELECT c.number FROM advance_transfer v JOIN certificate c ON c.id = v.certificate_id
                         WHERE v.id = t.transfer_id)
         ) ORDER BY t.id) FROM payment_part t WHERE t.payment_id = y.id) AS parts
"""
_PARTS_OF = Fixed(text(f"SELECT {_PARTS} FROM payment y WHERE y.id = :payment"))
#: A mistake of today can be cancelled while no drawer that took it has been closed. Receipts are asked one by one:
#: where few payments were ever returned, a join with them is taken for a large one.
_PAYMENTS = Fixed(
    text(f"""
    WITH y AS MATERIALIZED (SELECT * FROM payment WHERE patient_id = :patient ORDER BY id DESC LIMIT :most)
    SELECT y.id, y.number, y.business_day, y.paid_at, y.amount, {_PARTS},
        (SELECT id FROM receipt WHERE payment_id = y.id) AS receipt_id,
        (SELECT COALESCE(sum(t.amount - COALESCE((SELECT sum(amount) FROM refund_part
                                                  WHERE payment_part_id = t.id), 0)), 0)
         FROM payment_part t WHERE t.payment_id = y.id AND t.method <> 'advance') AS money_left,
        least((SELECT COALESCE(sum(advance_change), 0) FROM ledger_entry WHERE payment_id = y.id AND {_SHARE}),
              (SELECT advance FROM patient_account WHERE patient_id = y.patient_id))
        + (SELECT COALESCE(sum(paid), 0) FROM (SELECT -sum(debt_change) AS paid FROM ledger_entry
           WHERE payment_id = y.id GROUP BY work_order_id HAVING sum(debt_change) < 0) bills) AS undoable,
        (SELECT json_agg(json_build_object('number', f.number, 'kind', f.kind, 'reason', f.reason,
                 'amount', CAST(f.amount AS text), 'receipt', (SELECT id FROM receipt WHERE refund_id = f.id),
                 'cash_orders',
                 (SELECT json_agg(b.movement_id ORDER BY b.id) FROM refund_part b
                  JOIN payment_part t ON t.id = b.payment_part_id
                  WHERE b.refund_id = f.id AND b.movement_id IS NOT NULL AND t.method = 'cash')) ORDER BY f.id)
         FROM refund f WHERE f.payment_id = y.id) AS refunds,
        y.business_day = :today AND NOT EXISTS (
            SELECT FROM payment_part t JOIN cash_movement m ON m.id = t.movement_id
            JOIN cash_shift h ON h.id = m.shift_id
            WHERE t.payment_id = y.id AND h.closed_at IS NOT NULL) AS of_open_shift
    FROM y ORDER BY y.id DESC
    """)
)


def payments_of(patient_id: int, *, limit: int = 30) -> list[PaymentLine]:
    """A patient's payments, the newest first, with what was and what can be returned."""
    lines = []
    for row in _PAYMENTS(patient=patient_id, today=clock.today(), most=limit):
        refunds = [
            RefundLine(
                one["number"], one["kind"], one["reason"], Decimal(one["amount"]), one["receipt"],
                one["cash_orders"] or [],
            )
            for one in row.refunds or ()
        ]  # fmt: skip
        returned = sum((refund.amount for refund in refunds), ZERO)
        lines.append(
            PaymentLine(
                row.id, row.number, row.business_day, row.paid_at, row.amount, _parts(row.parts), returned,
                left := min(row.amount - returned, row.undoable), min(left, row.money_left),
                row.of_open_shift and not refunds, row.receipt_id, refunds,
            )
        )  # fmt: skip
    return lines


def _parts(found: list[Mapping[str, Any]] | None) -> list[PartLine]:
    return [
        PartLine(
            one["method"], Decimal(one["amount"]), one["movement"], one["relative"] or "", one["certificate"] or ""
        )
        for one in found or ()
    ]  # fmt: skip


def parts_of(payment_id: int) -> list[PartLine]:
    """How a payment was paid, and from whose advance."""
    return _parts(_PARTS_OF(payment=payment_id).one().parts)


@dataclass(frozen=True)
class AdvanceSource:
    """A payment that an advance can be returned from, and how much."""

    id: int
    number: int
    business_day: date
    parts: list[PartLine]
    left: Decimal


#: Of its share of the advance (`_OF_ITS_SHARE` in payments.py) no more than its money that was not returned, and than
#: the patient has.
_SOURCES = Fixed(
    text(f"""
    SELECT y.id, y.number, y.business_day, {_PARTS}, least(brought.share, money.rest, a.advance) AS left
    FROM (SELECT payment_id, sum(advance_change) AS share FROM ledger_entry
          WHERE patient_id = :patient AND {_SHARE}
          GROUP BY payment_id HAVING sum(advance_change) > 0) brought
    JOIN payment y ON y.id = brought.payment_id
    JOIN patient_account a ON a.patient_id = y.patient_id
    CROSS JOIN LATERAL (
        SELECT sum(t.amount - COALESCE((SELECT sum(amount) FROM refund_part WHERE payment_part_id = t.id), 0)) AS rest
        FROM payment_part t WHERE t.payment_id = y.id AND t.method <> 'advance') money
    WHERE least(brought.share, COALESCE(money.rest, 0), a.advance) > 0 ORDER BY y.id DESC LIMIT 50
    """)
)


def advance_sources(patient_id: int) -> list[AdvanceSource]:
    """The payments that a patient's advance can be returned from, the newest first, with how much of each."""
    return [
        AdvanceSource(row.id, row.number, row.business_day, _parts(row.parts), row.left)
        for row in _SOURCES(patient=patient_id)
    ]
