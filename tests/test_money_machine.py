"""Random days at the desk: whatever is done and refused, the promises about money hold and the reports agree.

Hypothesis plays orders, payments, refunds, movements, shifts, reversals, merges of cards over several days of one
branch; after each step that the desk did not refuse `verify` proves every promise over the whole database, and the
four reports are compared with each other.
RANDOM_DAYS=1000 plays as many times, longer than a commit wants to wait.
"""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from app import clock
from app.access import Window
from app.billing import operations as billing
from app.cash import operations as cash
from app.cash import rules
from app.db import session, transaction
from app.documents import operations as documents
from app.errors import Refusal
from app.fiscal import operations as fiscal
from app.gateways.kkt.atol import Printed
from app.models import (
    CardMerge,
    CashDesk,
    CashMovement,
    CashShift,
    Certificate,
    ExpenseCategory,
    FiscalDevice,
    FiscalReceipt,
    Payment,
    User,
    WorkOrder,
)
from app.patients import operations as patients
from app.reports import queries
from app.vocab import PaymentMethod, WorkOrderStatus
from tests.conftest import Maker, _serial, copied
from tests.reports.agreement import agree

START = datetime(2026, 3, 2, 9)
#: How often it is played, and how often in one clinic: the promises are proved over all that was played in it.
PLAYS, IN_ONE_CLINIC = int(os.environ.get("RANDOM_DAYS", "5")), 10
#: Few sums, so that equal payments on one day happen often; odd ones, so that kopecks must be split.
SUMS = st.sampled_from([Decimal(text) for text in ("0.01", "33.33", "100.00", "100.00", "250.50", "999.99", "5000.00")])
METHODS = st.sampled_from([*PaymentMethod, PaymentMethod.CASH, PaymentMethod.CARD])
#: Which of the patients pays; mostly nobody is named.
PAYERS = st.sampled_from([None, None, None, 0, 1, 2])


#: The money of receipts and of desks; the services of receipts less what is on credit, and what bills were paid.
TOLD_AND_DONE = """
    WITH living AS (SELECT id, body, CASE WHEN kind IN ('sell', 'sellCorrection') THEN 1 ELSE -1 END AS way
                      FROM fiscal_receipt WHERE device_id = :device AND status <> 'replaced'),
         paid AS (SELECT p ->> 'type' AS type, way * (p ->> 'sum')::numeric AS sum
                    FROM living, jsonb_array_elements(body -> 'payments') p),
         told AS (SELECT i ->> 'paymentMethod' AS method, way * (i ->> 'amount')::numeric AS sum
                    FROM living, jsonb_array_elements(body -> 'items') i)
    SELECT (SELECT COALESCE(sum(sum), 0) FROM paid WHERE type IN ('cash', 'electronically')),
           (SELECT COALESCE(sum(delta), 0) FROM cash_movement m JOIN cash_desk d ON d.id = m.desk_id
             WHERE d.branch_id = :branch AND m.kind IN ('payment', 'refund')),
           (SELECT COALESCE(sum(sum), 0) FROM told WHERE method <> 'advance')
           - (SELECT COALESCE(sum(sum), 0) FROM paid WHERE type = 'credit'),
           (SELECT COALESCE(-sum(debt_change), 0) FROM ledger_entry
             WHERE branch_id = :branch AND kind IN ('payment', 'refund', 'paid_to_advance'))
"""
#: What the device was told to count in its drawer, and what moved in the drawers beside receipts.
COUNTED_AND_MOVED = """
    SELECT (SELECT COALESCE(sum(CASE kind WHEN 'cashIn' THEN amount ELSE -amount END), 0) FROM fiscal_receipt
             WHERE device_id = :device AND kind IN ('cashIn', 'cashOut')),
           (SELECT COALESCE(sum(delta), 0) FROM cash_movement m JOIN cash_desk d ON d.id = m.desk_id
             WHERE d.branch_id = :branch AND d.kind <> 'non_cash' AND m.kind NOT IN ('payment', 'refund'))
"""
CREDIT_OVER_DEBT = """
    SELECT o.id, o.due, sum(c.change) FROM fiscal_credit c JOIN work_order o ON o.id = c.work_order_id
    WHERE o.branch_id = :branch GROUP BY o.id HAVING sum(c.change) NOT BETWEEN 0 AND o.due
"""


def notes(amount: Decimal, n: int) -> dict[Decimal, int] | None:
    """The sum in notes and coins, now and then; None when it is not made of them."""
    pieces, left = {}, amount
    for value in rules.DENOMINATIONS:
        many, left = divmod(left, value)
        if many:
            pieces[value] = int(many)
    return pieces if pieces and not left and n % 2 else None


class Desk(RuleBasedStateMachine):
    """A branch with a mother, her child and a second card of the mother; two drawers and the bank's desk."""

    @initialize()
    def open_the_clinic(self) -> None:
        make = Maker()
        self.branch = make.branch()
        entity = {"branch_id": self.branch.id, "legal_entity_id": self.branch.legal_entity_id}
        self.desks = [self.branch.desk_id, make._save(CashDesk(name="Вторая", kind="additional", **entity)).id]
        self.all_desks = [*self.desks, self.branch.non_cash_id]
        parent = make.patient().id
        self.patients = [parent, make.patient(guardian_id=parent).id, make.patient().id]
        self.doctor = make.doctor(self.branch.id).id
        self.services = [make.service(price).id for price in ("33.33", "1000.00", "0.00")]
        self.device = make._save(FiscalDevice(name="ККТ", taxation="usnIncome", **entity)).id
        self.categories = [make._save(ExpenseCategory(name=f"Статья {next(_serial)}")).id for _ in range(3)]
        self.moment = START
        self.done: list[str] = []
        #: Was something written since the promises were proved?
        self.changed = True
        self.open_the_drawers()

    def open_the_drawers(self) -> None:
        """As every morning: what is in them is counted, and there is money to give change from."""
        for pk in self.desks:
            self.play("open", cash.open_shift, pk, session.get_one(CashDesk, pk).balance)
            self.play("pay_in", cash.move, pk, "pay_in", Decimal("1000.00"), comment="Размен")

    def play(self, name: str, operation: Any, *args: Any, **kwargs: Any) -> None:
        """One deed of the director; the desk may refuse it, and then nothing is written."""
        self.moment += timedelta(minutes=7)
        with clock.at(self.moment):
            try:
                with transaction():
                    operation(*args, actor=session.query(User).filter_by(username="director").one(), **kwargs)
                self.done.append(name)
                self.changed = True
            except Refusal:
                pass

    def pick(self, model: Any, n: int, **of: Any) -> Any:
        """One of the rows of this branch, whichever the number says; None when there is none yet."""
        found = session.query(model).filter_by(**of).order_by(model.id).all()
        return found[n % len(found)] if found else None

    numbers = st.integers(0, 50)

    @rule(n=numbers, quantity=st.integers(1, 3), percent=st.sampled_from(["0", "5", "33.33", "100"]))
    def fill_order(self, n: int, quantity: int, percent: str) -> None:
        lines = [
            {"service_id": pk, "quantity": quantity, "discount_percent": Decimal(percent), "discount_reason": "Проба"}
            for pk in self.services[: n % 3 + 1]
        ]
        patient = self.patients[n % 3]
        self.play("order", billing.create_work_order, patient, self.doctor, lines, branch_id=self.branch.id)

    @rule(n=numbers, quantity=st.integers(1, 3))
    def bill(self, n: int, quantity: int) -> None:
        """What doctors do most: an order is filled in and issued at once."""
        self.fill_order(n, quantity, "0")
        if order := self.pick(WorkOrder, -1, branch_id=self.branch.id, status=WorkOrderStatus.DRAFT):
            self.play("issue", billing.issue, order.id)

    @rule(n=numbers)
    def issue_order(self, n: int) -> None:
        if order := self.pick(WorkOrder, n, branch_id=self.branch.id):
            self.play("issue", billing.issue, order.id)

    @rule(n=numbers)
    def reopen_order(self, n: int) -> None:
        if order := self.pick(WorkOrder, n, branch_id=self.branch.id):
            self.play("reopen", billing.reopen, order.id)

    @rule(n=numbers, parts=st.lists(st.tuples(METHODS, SUMS), min_size=1, max_size=3), more=SUMS, payer=PAYERS)
    def pay(self, n: int, parts: list[Any], more: Decimal, payer: int | None) -> None:
        cash_part = sum((amount for method, amount in parts if method == PaymentMethod.CASH), Decimal(0))
        given = [{"method": method, "amount": amount} for method, amount in parts]
        tendered = cash_part + more if cash_part and n % 3 == 0 else None
        who = {"payer_id": None if payer is None else self.patients[payer], "branch_id": self.branch.id}
        self.play("pay", billing.take_payment, self.patients[n % 3], given, tendered=tendered, **who)

    @rule(n=numbers, amount=SUMS)
    def pay_ahead(self, n: int, amount: Decimal) -> None:
        """Bills or none: all of it is an advance."""
        part, kept = (
            {"method": "cash" if n % 2 else "card", "amount": amount},
            {"bills": [], "branch_id": self.branch.id},
        )
        self.play("pay ahead", billing.take_payment, self.patients[n % 3], [part], **kept)

    @rule(n=numbers)
    def pay_what_is_due(self, n: int) -> None:
        """To the kopeck, so that nothing of it is an advance until the bill is taken back."""
        if order := self.pick(WorkOrder, n, branch_id=self.branch.id, status=WorkOrderStatus.ISSUED):
            part, bill = {"method": "card", "amount": order.due}, {"work_order_id": order.id, "amount": order.due}
            self.play("pay due", billing.take_payment, order.patient_id, [part], bills=[bill], branch_id=self.branch.id)

    @rule(n=numbers, amount=SUMS)
    def refund_part(self, n: int, amount: Decimal) -> None:
        if payment := self.pick(Payment, n, branch_id=self.branch.id):
            self.play("refund", billing.refund, payment.id, amount, "Проба")

    @rule(n=numbers)
    def refund_whole(self, n: int) -> None:
        if payment := self.pick(Payment, n, branch_id=self.branch.id):
            self.play("refund", billing.refund, payment.id, payment.amount, "Проба")

    @rule(n=numbers, amount=SUMS, more=SUMS)
    def sell_certificate(self, n: int, amount: Decimal, more: Decimal) -> None:
        parts = [{"method": "cash", "amount": min(amount, more)}] if n % 3 else []
        buyer = self.patients[n % 3]
        self.play("sell", billing.sell_certificate, buyer, amount, parts, branch_id=self.branch.id)

    @rule(n=numbers, amount=SUMS, cash_part=SUMS)
    def spend_certificate(self, n: int, amount: Decimal, cash_part: Decimal) -> None:
        bill = self.pick(WorkOrder, n, branch_id=self.branch.id, status=WorkOrderStatus.ISSUED)
        if bill and (certificate := self.pick(Certificate, n, branch_id=self.branch.id)):
            parts = [{"method": "advance", "amount": min(amount, bill.due), "certificate": certificate.number}]
            parts += [{"method": "cash", "amount": cash_part}] if n % 2 else []
            self.play("spend", billing.take_payment, bill.patient_id, parts, branch_id=self.branch.id)

    @rule(n=numbers)
    def take_certificate_back(self, n: int) -> None:
        if certificate := self.pick(Certificate, n, branch_id=self.branch.id):
            self.play("take back", billing.take_certificate_back, certificate.id, "Проба")

    @rule(n=numbers, amount=SUMS)
    def return_advance(self, n: int, amount: Decimal) -> None:
        if payment := self.pick(Payment, n, branch_id=self.branch.id):
            self.play("return advance", billing.return_advance, payment.id, amount, "Проба")

    @rule(n=numbers)
    def cancel_mistake(self, n: int) -> None:
        if payment := self.pick(Payment, n, branch_id=self.branch.id):
            self.play("cancel", billing.cancel_payment, payment.id, "Ошибка")

    @rule(n=numbers, quantity=st.integers(0, 3))
    def reverse_order(self, n: int, quantity: int) -> None:
        if order := self.pick(WorkOrder, n, branch_id=self.branch.id):
            lines = {order.lines[n % len(order.lines)].id: quantity} if quantity else None
            self.play("reversal", billing.reverse_order, order.id, "Ошибка", lines=lines)

    @rule(n=numbers, amount=SUMS)
    def pass_advance(self, n: int, amount: Decimal) -> None:
        one, other = self.patients[n % 2], self.patients[(n + 1) % 2]
        self.play("pass", billing.pass_advance, one, other, amount, "Семья", branch_id=self.branch.id)

    @rule(n=numbers, amount=SUMS)
    def pay_from_relative(self, n: int, amount: Decimal) -> None:
        one, other = self.patients[n % 2], self.patients[(n + 1) % 2]
        if order := self.pick(WorkOrder, n, patient_id=one, status=WorkOrderStatus.ISSUED):
            part = {"method": "advance", "amount": min(amount, order.due), "from_patient_id": other}
            self.play("relative", billing.take_payment, one, [part], branch_id=self.branch.id)

    @rule(n=numbers)
    def merge_cards(self, n: int) -> None:
        one, other = self.patients[n % 3], self.patients[2]
        self.play("merge cards", patients.merge_cards, other, one, {}, "Одно лицо")

    @rule(n=numbers)
    def part_cards(self, n: int) -> None:
        if merge := self.pick(CardMerge, n, loser_id=self.patients[2]):
            self.play("part cards", patients.part_cards, merge.id)

    @rule(n=numbers)
    def print_act(self, n: int) -> None:
        """Of a bill, before or after it was paid."""
        order = self.pick(WorkOrder, n, branch_id=self.branch.id)
        if order and order.status in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID):
            self.play("act", lambda actor: documents.number_act(order, actor=actor))

    @rule(n=numbers, amount=SUMS, kind=st.sampled_from(["pay_in", "collection", "salary", "transfer", "correction"]))
    def move_cash(self, n: int, amount: Decimal, kind: str) -> None:
        desk, other = self.all_desks[n % 3], self.all_desks[(n + 1) % 3]
        self.play(kind, cash.move, desk, kind, amount, to_desk_id=other if kind == "transfer" else None, comment="Банк")

    @rule(n=numbers, amount=SUMS)
    def withdraw(self, n: int, amount: Decimal) -> None:
        self.play("withdraw", cash.move, self.desks[n % 2], "withdrawal", amount, category_id=self.categories[n % 3])

    @rule(n=numbers)
    def merge_categories(self, n: int) -> None:
        self.play("merge", cash.merge_category, self.categories[n % 3], self.categories[(n + 1) % 3])

    @rule(many=st.integers(1, 5), how=st.sampled_from(["printed", "printed", "printed", "later", "unknown", "failed"]))
    def carry_receipts(self, many: int, how: str) -> None:
        """The device prints some, or it cannot, or nobody knows."""
        with clock.at(self.moment):
            for _ in range(many):
                with transaction():
                    due = [pk for pk in fiscal.due(clock.now(), timedelta()) if self.is_mine(pk)]
                    claim = fiscal.claim(due[0], timedelta()) if due else None
                    if claim is None:
                        return
                    self.documents = getattr(self, "documents", 0) + 1
                    match how:
                        case "printed" if claim.body["type"] in ("cashIn", "cashOut"):
                            fiscal.mark_counted(claim, None)
                        case "printed":
                            numbers = (f"{self.device}", self.documents, "1", "1", self.moment.day, self.documents)
                            fiscal.mark_printed(claim, Printed(*numbers, clock.now(), 0))
                        case "later":
                            fiscal.mark_later(claim, "Проба", at_once=True)
                        case "unknown":
                            fiscal.mark_unknown(claim, "Проба")
                        case "failed":
                            fiscal.mark_failed(claim, "Проба")
                self.done.append("carried")
                self.changed = True

    def is_mine(self, receipt_id: int) -> bool:
        return session.get_one(FiscalReceipt, receipt_id).device_id == self.device

    @rule(n=numbers)
    def correct_receipt(self, n: int) -> None:
        if receipt := self.pick(FiscalReceipt, n, device_id=self.device):
            day = self.moment.date()
            self.play("correct", fiscal.correct, receipt.id, kind="self", day=day, number="1")

    @rule(n=numbers)
    def reverse_movement(self, n: int) -> None:
        movement = self.pick(CashMovement, n, legal_entity_id=self.branch.legal_entity_id)
        if movement:
            self.play("reverse", cash.reverse, movement.id, "Ошибка")

    @rule(n=numbers, wrong=st.sampled_from(["0", "0", "0", "5.00"]))
    def open_shift(self, n: int, wrong: str) -> None:
        desk = session.get_one(CashDesk, self.desks[n % 2])
        counted = desk.balance + Decimal(wrong)
        self.play("open", cash.open_shift, desk.id, counted, pieces=notes(counted, n), reason="Нашлось")

    @rule(n=numbers, wrong=st.sampled_from(["0", "0", "-0.01", "5.00"]))
    def close_shift(self, n: int, wrong: str) -> None:
        desk = session.get_one(CashDesk, self.desks[n % 2])
        if shift := self.pick(CashShift, 0, desk_id=desk.id, closed_at=None):
            counted = max(desk.balance + Decimal(wrong), Decimal(0))
            self.play("close", cash.close_shift, shift.id, counted, pieces=notes(counted, n), reason="Пересчитали")

    @rule(n=numbers)
    def next_day(self, n: int) -> None:
        """The evening and the morning; now and then a drawer is left open overnight."""
        for pk in self.desks[: 2 - n % 5 // 3]:
            if shift := self.pick(CashShift, 0, desk_id=pk, closed_at=None):
                self.play("close", cash.close_shift, shift.id, session.get_one(CashDesk, pk).balance)
        session.expire_all()
        self.reports_of(self.moment.date())
        self.moment = (self.moment + timedelta(days=1)).replace(hour=9, minute=0)
        self.open_the_drawers()

    @invariant()
    def all_is_well(self) -> None:
        if getattr(self, "changed", False):
            self.changed = False
            self.every_promise_holds()
            self.the_device_is_told_what_the_desk_did()

    def every_promise_holds(self) -> None:
        session.expire_all()
        broken = {promise.name: queries.breaches(promise) for promise in queries.PROMISES}
        assert not any(broken.values()), broken
        self.reports_of(START.date())

    def reports_of(self, first: date) -> None:
        """The reports from this day until today agree."""
        with clock.at(self.moment):
            agree(Window(first, self.moment.date()), self.branch.id)

    def the_device_is_told_what_the_desk_did(self) -> None:
        """Money and what bills were paid, as the receipts tell it and as the ledger does; credit is within the debt."""
        of_branch = {"branch": self.branch.id, "device": self.device}
        told, moved, services, paid = session.execute(text(TOLD_AND_DONE), of_branch).one()
        assert (told, services) == (moved, paid), (self.done, told, moved, services, paid)
        assert not session.execute(text(CREDIT_OVER_DEBT), of_branch).all(), self.done
        counted, moved = session.execute(text(COUNTED_AND_MOVED), of_branch).one()
        assert counted == moved, (self.done, counted, moved)

    def teardown(self) -> None:
        session.rollback()
        if hasattr(self, "done"):
            self.reports_of(self.moment.date())


@pytest.fixture
def clinic(server: Any, template: str) -> Any:
    with copied(server, template) as application, application.app_context():
        yield application


@pytest.mark.parametrize("first", range(0, PLAYS, IN_ONE_CLINIC))
def test_random_days(clinic: Any, first: int) -> None:
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=min(IN_ONE_CLINIC, PLAYS - first),
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
