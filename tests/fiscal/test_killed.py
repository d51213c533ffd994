"""The web process is killed in the middle of a payment or a pay-in: done again, the money is there and told once."""

import os
import signal
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from app.billing.operations import payments
from app.cash import operations as cash
from app.cash.operations import desks
from app.db import db, session
from app.fiscal import operations as fiscal
from app.fiscal.operations import carrying
from app.models import CashMovement, FiscalReceipt, LedgerEntry, Payment, Receipt
from app.reports import queries as reports
from tests.fiscal.conftest import Shop


def killed(deed: Callable[[], Any]) -> None:
    """Do it in a process of its own that kills itself on the way."""
    child = os.fork()
    if not child:
        try:
            db.engine.dispose(close=False)  # the parent's connections are not ours
            deed()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status


def dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def done(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return done


def dies(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "the desks are locked": (payments, "_desks_for", dies_after(payments._desks_for)),
    "the numbers are taken": (payments, "reserve", dies_after(payments.reserve)),
    "the money is ready for the desk": (cash, "received", dies_after(cash.received)),
    "the receipt is planned": (fiscal, "intended", dies_after(fiscal.intended)),
    "all is written, before the commit": (payments, "write", dies_after(payments.write)),
    "after the commit, before the queue": (carrying, "_enqueue", dies),
    "after the queue, before the answer": (carrying, "_enqueue", dies_after(carrying._enqueue)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_payment_that_died_is_taken_once(
    app: Flask, shop: Shop, program: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    patient_id = shop.bill().patient_id
    desk, key = program("administrator"), uuid4()
    part = {"method": "cash", "amount": "1000.00", "desk_id": shop.branch.desk_id}
    body = {"patient_id": patient_id, "parts": [part]}
    before = {promise.name: reports.breaches(promise) for promise in reports.PROMISES}
    session.remove()
    room, name, deadly = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(room, name, deadly)
        killed(lambda: desk.post("payments/", body, key=key))
    answer = desk.post("payments/", body, key=key)
    assert answer.status_code == 201, answer.text
    assert ("Idempotent-Replayed" in answer.headers) == step.startswith("after")
    (payment,) = session.query(Payment).filter_by(patient_id=patient_id)
    assert session.query(Receipt).filter_by(payment_id=payment.id).count() == 1
    assert session.query(CashMovement).filter_by(patient_id=patient_id).count() == 1
    assert session.query(LedgerEntry).filter_by(patient_id=patient_id, kind="payment").count() == 1
    receipt = session.query(FiscalReceipt).filter_by(payment_id=payment.id).one()
    assert shop.send(receipt).status == "done" and len(shop.printed()) == 1
    assert {promise.name: reports.breaches(promise) for promise in reports.PROMISES} == before


MOVES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "the desk is locked": (desks, "lock_desks", dies_after(desks.lock_desks)),
    "the device's task is planned": (fiscal, "intend_cash", dies_after(fiscal.intend_cash)),
    "all is written, before the commit": (desks, "_record", dies_after(desks._record)),
    "after the commit, before the queue": (carrying, "_enqueue", dies),
    "after the queue, before the answer": (carrying, "_enqueue", dies_after(carrying._enqueue)),
}


@pytest.mark.parametrize("step", MOVES)
def test_a_pay_in_that_died_is_told_once(
    app: Flask, shop: Shop, program: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    desk, key = program("administrator"), uuid4()
    body = {"desk_id": shop.branch.desk_id, "kind": "pay_in", "amount": "1000.00"}
    session.remove()
    room, name, deadly = MOVES[step]
    with monkeypatch.context() as patch:
        patch.setattr(room, name, deadly)
        killed(lambda: desk.post("cash/movements/", body, key=key))
    answer = desk.post("cash/movements/", body, key=key)
    assert answer.status_code == 201, answer.text
    assert ("Idempotent-Replayed" in answer.headers) == step.startswith("after")
    (movement,) = session.query(CashMovement).filter_by(desk_id=shop.branch.desk_id)
    (task,) = session.query(FiscalReceipt).filter_by(device_id=shop.device_id)
    assert task.movement_id == movement.id and shop.send(task).status == "done"
    assert shop.simulator.device.state["cash"] == shop.balance() == 100_000
