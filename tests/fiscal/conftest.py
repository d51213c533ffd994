"""A clinic with a fiscal device: the simulated one, over real HTTP."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app.billing import operations as billing
from app.cash import operations as cash
from app.db import session, transaction
from app.fiscal import jobs, rules
from app.gateways.kkt.simulator import Simulator, running
from app.models import CashDesk, FiscalCredit, FiscalDevice, FiscalReceipt
from tests.conftest import Maker


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(tmp_path / "kkt.json") as server:
        yield server


@pytest.fixture
def shop(app: Flask, make: Maker, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A branch with an open drawer and a device."""
    monkeypatch.setitem(app.config, "KKT_POLL_SECONDS", 0.0)
    monkeypatch.setattr(rules, "pause_after", lambda attempts: jobs.timedelta())
    with transaction():  # the devices of other tests are gone: nobody asks them
        session.query(FiscalDevice).update({"archived": True})
    return Shop(make, simulator)


class Shop:
    """Bills, payments and refunds of one branch, and what the device printed of them."""

    def __init__(self, make: Maker, simulator: Simulator) -> None:
        self.make, self.simulator = make, simulator
        self.branch = make.branch()
        with transaction():
            cash.open_shift(self.branch.desk_id, Decimal(0), actor=make.user())
            self.device = FiscalDevice(
                name="ККТ 1", legal_entity_id=self.branch.legal_entity_id, branch_id=self.branch.id,
                address=simulator.url, taxation="usnIncome",
            )  # fmt: skip
            session.add(self.device)
        self.device_id = self.device.id

    def bill(self, *lines: dict[str, Any], patient: Any = None, price: str = "1000.00") -> Any:
        patient = patient or self.make.patient()
        given = list(lines) or [{"service_id": self.make.service(price).id, "quantity": 1}]
        director, doctor = self.make.user("director"), self.make.doctor()
        with transaction():
            order = billing.create_work_order(patient.id, doctor.id, given, branch_id=self.branch.id, actor=director)
        with transaction():
            return billing.issue(order.id, actor=director)

    def pay(self, patient_id: int, *parts: tuple[str, str], **more: Any) -> FiscalReceipt:
        with transaction():
            payment = billing.take_payment(
                patient_id, [{"method": method, "amount": Decimal(amount)} for method, amount in parts],
                branch_id=self.branch.id, actor=self.make.user(), **more,
            )  # fmt: skip
            self.last = payment.id
        return self.of(payment_id=payment.id)

    def give_back(self, payment_id: int, amount: str) -> FiscalReceipt:
        with transaction():
            row = billing.refund(payment_id, Decimal(amount), "передумал", actor=self.make.user("senior"))
        return self.of(refund_id=row.id)

    def reverse(self, order_id: int, lines: dict[int, int] | None = None) -> list[FiscalReceipt]:
        """A reversing order, and the receipts that it needs, in their order."""
        with transaction():
            row = billing.reverse_order(order_id, "ошибка", lines=lines, actor=self.make.user("senior"))
            pk = row.id
        session.expire_all()
        return session.query(FiscalReceipt).filter_by(reversal_id=pk).order_by(FiscalReceipt.id).all()

    def on_credit(self, order_id: int) -> Decimal:
        """What receipts told of a bill on credit and nobody paid since."""
        found = session.query(FiscalCredit).filter_by(work_order_id=order_id).all()
        return sum((row.change for row in found), Decimal(0))

    def move(self, kind: str, amount: str, *, desk_id: int | None = None, **more: Any) -> FiscalReceipt:
        """Cash that moves at the desk, and what the device must be told of it."""
        if kind != "transfer" and kind != "pay_in":
            more |= {"comment": "нужно"}
        with transaction():
            movement = cash.move(
                desk_id or self.branch.desk_id, kind, Decimal(amount), actor=self.make.user("director"), **more
            )
            pk = movement.id
        return self.of(movement_id=pk)

    def balance(self) -> int:
        """What the drawer's desk holds, in kopecks."""
        session.expire_all()
        return rules.kopecks(session.get_one(CashDesk, self.branch.desk_id).balance)

    def told(self) -> FiscalDevice:
        """The device as the program knows it."""
        session.expire_all()
        return session.get_one(FiscalDevice, self.device_id)

    def carry(self) -> None:
        """Send whatever waits for the device, in its order, until nothing can go on."""
        for _ in range(100):
            session.rollback()
            following = jobs.operations.next_of(self.device_id)
            session.rollback()
            if following is None:
                return
            jobs.send(following)

    def of(self, **which: Any) -> FiscalReceipt:
        session.expire_all()
        return session.query(FiscalReceipt).filter_by(**which).one()

    def send(self, receipt: FiscalReceipt) -> FiscalReceipt:
        pk = receipt.id
        jobs.send(pk)
        return self.of(id=pk)

    def printed(self) -> list[dict[str, Any]]:
        return self.simulator.device.printed


def said(receipt: FiscalReceipt) -> SimpleNamespace:
    """Positions as (name, price, quantity, method), and payments, of a receipt's body."""
    return SimpleNamespace(
        items=[(i["price"], i["quantity"], i["paymentMethod"], i["paymentObject"]) for i in receipt.body["items"]],
        paid={one["type"]: one["sum"] for one in receipt.body["payments"]},
    )
