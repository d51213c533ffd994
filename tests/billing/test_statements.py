"""How many statements the money pages and addresses send: the same for one row as for many."""

from decimal import Decimal

import pytest
from flask import Flask

from app.billing import operations, queries
from app.cash import operations as cash
from app.db import transaction
from tests.conftest import counted_statements

D = Decimal


@pytest.fixture
def branch(make):
    made = make.branch()
    with transaction():
        cash.open_shift(made.desk_id, D(0), actor=make.user())
    return made


def billed(make, branch, patient, price="1500.00"):
    lines, doctor, actor = [{"service_id": make.service(price).id, "quantity": 1}], make.doctor(), make.user()
    with transaction():
        order = operations.create_work_order(patient.id, doctor.id, lines, branch_id=branch.id, actor=actor)
        operations.issue(order.id, actor=actor)
    return order


def test_a_payment_is_read_and_written_with_eight_statements(app: Flask, make, branch, program):
    api = program("administrator")
    plain, split = make.patient(), make.patient()
    for _ in range(3):
        billed(make, branch, split)
    bodies = [
        {"patient_id": plain.id, "parts": [{"method": "cash", "amount": "100.00"}]},
        {"patient_id": split.id, "parts": [{"method": "cash", "amount": "4000"}, {"method": "card", "amount": "900"}]},
    ]
    for body, most in zip(bodies, (8, 9), strict=True):
        with counted_statements(app) as seen:
            answer = api.post("payments/", {**body, "branch_id": branch.id})
        assert answer.status_code == 201, answer.text
        # who asks; the key, claimed and answered; what is owed; the desks; numbers; the device; all rows. Who owes
        # nothing any more is looked for among the call tasks.
        assert len(seen) <= most, seen
    assert len(answer.json["allocated"]) == 3 and answer.json["to_advance"] == "400.00"


def test_a_settlement_costs_the_same_with_one_payment_as_with_many(app: Flask, make, branch, client_of):
    few, many = make.patient(), make.patient()
    for patient, times in ((few, 1), (many, 6)):
        for _ in range(times):
            billed(make, branch, patient)
            parts, actor = [{"method": "card", "amount": D(2000)}], make.user()
            with transaction():
                operations.take_payment(patient.id, parts, branch_id=branch.id, actor=actor)
        billed(make, branch, patient)
    sent, browser = {}, client_of("administrator")
    browser.get("/me/password")  # the menu counts its call tasks anew after something was written only
    for pk in (few.id, many.id):
        with counted_statements(app) as seen:
            assert browser.get(f"/settlement/{pk}").status_code == 200
        # who asks; the patient with what is open; payments; where the advance came from
        assert len(seen) <= 4, seen
        sent[pk] = len(seen)
    assert len(set(sent.values())) == 1, sent


def test_a_page_of_debtors_is_one_statement(app: Flask, make, branch):
    for _ in range(3):
        billed(make, branch, make.patient())
    for sort in queries.SORTS:
        with counted_statements(app) as seen:
            assert len(queries.debtors(sort=sort, limit=3)) == 3
        assert len(seen) == 1, seen
