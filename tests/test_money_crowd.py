"""The same day played by many at once: nobody waits crosswise, and the promises about money hold."""

import inspect
import os
import threading
from collections.abc import Callable
from copy import copy
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.billing import operations as billing
from app.db import Busy, session, transaction
from app.errors import Refusal
from app.models import User
from app.vocab import PaymentMethod
from tests.conftest import Maker
from tests.test_money_machine import Desk, clinic  # noqa: F401

pytestmark = pytest.mark.servers
PEOPLE, DEEDS = 8, 60
#: How many days are played; DAYS_AT_ONCE=50 plays longer than a commit wants to wait.
DAYS = int(os.environ.get("DAYS_AT_ONCE", "1"))
#: Cards are not parted here: who waits for the bills of a card that becomes two may have to try again.
NAMES = [
    "fill_order", "bill", "bill", "bill_at_once", "issue_order", "reopen_order", "pay", "pay", "pay_ahead",
    "pay_what_is_due", "refund_part", "refund_whole", "sell_certificate", "spend_certificate", "take_certificate_back",
    "return_advance", "cancel_mistake", "reverse_order", "pass_advance", "pay_from_relative", "merge_cards",
    "print_act", "move_cash", "withdraw", "reverse_movement", "open_shift", "close_shift", "carry_receipts",
    "correct_receipt", "new_patient",
]  # fmt: skip
SUMS = [Decimal(sum_) for sum_ in ("0.01", "33.33", "100.00", "250.50", "999.99", "5000.00")]


def a_sum(dice: Random) -> Decimal:
    return dice.choice(SUMS)


#: What a deed asks for, by the names of its parameters.
GIVEN: dict[str, Callable[[Random], Any]] = {
    "n": lambda dice: dice.randint(0, 50), "quantity": lambda dice: dice.randint(1, 3), "percent": lambda _: "5",
    "amount": a_sum, "more": a_sum, "cash_part": a_sum, "wrong": lambda _: "0", "many": lambda _: 2,
    "payer": lambda dice: dice.choice([None, None, 0, 1, 2]),
    "parts": lambda dice: [(dice.choice([*PaymentMethod]), a_sum(dice)) for _ in range(dice.randint(1, 3))],
    "kind": lambda dice: dice.choice(["pay_in", "collection", "salary", "transfer", "correction"]),
    "how": lambda dice: dice.choice(["printed", "later", "unknown", "failed"]),
}  # fmt: skip


class Person(Desk):
    """One of those who sit at the desks; all work with the same patients."""

    refused: list[Refusal]

    def play(self, name: str, operation: Any, *args: Any, **kwargs: Any) -> None:
        try:
            with clock.at(self.moment), transaction():
                operation(*args, actor=session.query(User).filter_by(username="director").one(), **kwargs)
            self.done.append(name)
        except Refusal as refusal:
            self.refused.append(refusal)

    def bill_at_once(self, n: int) -> None:
        """A doctor writes an order and issues it in the same step."""

        def both(actor: User) -> None:
            lines = [{"service_id": self.services[1], "quantity": 1}]
            patient, here = self.patients[n % 3], self.branch.id
            order = billing.create_work_order(patient, self.doctor, lines, branch_id=here, actor=actor)
            billing.issue(order.id, actor=actor)

        self.play("bill at once", both)

    def new_patient(self, n: int) -> None:
        """Somebody comes for the first time, in the place of one of the three."""
        parent = {"guardian_id": self.patients[0]} if n % 3 == 1 else {}
        self.patients[n % 3] = Maker().patient(**parent).id

    def work(self, app: Flask, seed: int) -> None:
        dice = Random(seed)
        with app.app_context():
            for _ in range(DEEDS):
                deed = getattr(self, dice.choice(NAMES))
                deed(**{name: GIVEN[name](dice) for name in inspect.signature(deed).parameters})
                session.remove()


@pytest.mark.parametrize("day", range(DAYS))
def test_many_play_the_same_day(clinic: Flask, day: int) -> None:  # noqa: F811
    """Whatever they do at once, each is served or told why not; none is told to try again for locks taken crosswise."""
    desk = Person()
    desk.open_the_clinic()
    people = [copy(desk) for _ in range(PEOPLE)]
    faults: list[BaseException] = []

    def sit(place: int, person: Person) -> None:
        try:
            person.work(clinic, day * PEOPLE + place)
        except BaseException as fault:
            faults.append(fault)

    for place, person in enumerate(people):
        person.done, person.refused, person.documents = [], [], 1000 * place
    threads = [threading.Thread(target=sit, args=one) for one in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    crosswise = [refusal.__cause__ for one in people for refusal in one.refused if isinstance(refusal, Busy)]
    assert not any(crosswise), [str(cause) for cause in crosswise]
    assert len({name for one in people for name in one.done}) > 20
    desk.every_promise_holds()
    desk.the_device_is_told_what_the_desk_did()
