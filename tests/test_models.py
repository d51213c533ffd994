# ruff: noqa: E501  a statement is read whole
"""What PostgreSQL itself refuses, whoever asks and whatever the code believes: each promise by its name."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.billing import operations as billing
from app.cash import operations as cash
from app.db import constraint_of, session, transaction
from app.documents import operations as documents
from app.models import WorkOrder


def refused_by(statement: str, **values: Any) -> str | None:
    """Send a statement past the code; the name of the constraint that refused it, None when it went through."""
    try:
        session.execute(text(statement), values)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except DBAPIError as error:
        return constraint_of(error)
    finally:
        session.rollback()
    return None


# --- money ----------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(make: Any) -> dict[str, int]:
    """A bill of 1000 ₽ paid in cash with 400 ₽ returned, in an open shift: the ids of all rows."""
    branch, patient, doctor, service = make.branch(), make.patient(), make.doctor(), make.service("1000")
    director = make.user("director")
    with transaction():
        shift = cash.open_shift(branch.desk_id, Decimal(0), actor=director)
    with transaction():
        order = billing.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=branch.id, actor=director
        )
        billing.issue(order.id, actor=director)
    with transaction():
        payment = billing.take_payment(
            patient.id, [{"method": "cash", "amount": Decimal(1000)}], branch_id=branch.id, actor=director
        )
    with transaction():
        refund = billing.refund(payment.id, Decimal(400), "проверка", actor=director)
    ids = {
        "patient": patient.id, "order": order.id, "payment": payment.id, "part": payment.parts[0].id,
        "refund": refund.id, "desk": branch.desk_id, "shift": shift.id, "entity": branch.legal_entity_id,
        "branch": branch.id, "service": service.id,
    }  # fmt: skip
    session.rollback()
    return ids


APPEND_ONLY = (
    "payment", "payment_part", "refund", "refund_part", "ledger_entry", "cash_movement", "receipt", "audit_event",
)  # fmt: skip


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_is_written_about_money_stays_as_it_was_written(paid: dict[str, int], table: str) -> None:
    name = f"ck_{table}_append_only"
    assert refused_by(f"UPDATE {table} SET id = id") == name
    assert refused_by(f"DELETE FROM {table}") == name
    assert refused_by(f"TRUNCATE {table} CASCADE") == name


def test_advances_passed_certificates_and_acts_stay_as_they_were_written(make: Any, paid: dict[str, int]) -> None:
    director, ways = make.user("director"), [{"method": "cash", "amount": Decimal(100)}]
    with transaction():
        billing.sell_certificate(paid["patient"], Decimal(100), ways, branch_id=paid["branch"], actor=director)
        documents.number_act(session.get_one(WorkOrder, paid["order"]), actor=director)
    for table, change, name in (
        ("advance_transfer", "amount = 1", "ck_advance_transfer_append_only"),
        ("certificate", "balance = balance + 1", "ck_certificate_kept_by_ledger"),
        ("service_act", "number = 9", "ck_service_act_append_only"),
    ):
        assert refused_by(f"UPDATE {table} SET {change}") == name
        assert refused_by(f"DELETE FROM {table}") == f"ck_{table}_append_only"
        assert refused_by(f"TRUNCATE {table} CASCADE") == f"ck_{table}_append_only"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE patient_account SET debt = 0 WHERE patient_id = :patient", "ck_patient_account_kept_by_ledger"),
        ("DELETE FROM patient_account WHERE patient_id = :patient", "ck_patient_account_kept_by_ledger"),
        ("UPDATE cash_desk SET balance = balance + 1 WHERE id = :desk", "ck_cash_desk_kept_by_ledger"),
        ("UPDATE work_order SET due = 0 WHERE id = :order", "ck_work_order_kept_by_ledger"),
        ("UPDATE work_order SET total = 1 WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("DELETE FROM work_order WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order_line SET quantity = 2, total = 2000 WHERE work_order_id = :order", "ck_work_order_issued_unchanged"),
        ("DELETE FROM work_order_line WHERE work_order_id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET status = 'draft', issued_day = NULL, issued_at = NULL WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET status = 'paid' WHERE id = :order", "ck_work_order_kept_by_ledger"),
        ("UPDATE work_order SET status = 'annulled', issued_day = NULL WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET issued_day = issued_day - 1 WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET issued_at = now() - interval '1 day' WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET reason = 'x' WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order SET appointment_id = 1 WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order_line SET name = 'x' WHERE work_order_id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE work_order_line SET tooth = '11' WHERE work_order_id = :order", "ck_work_order_issued_unchanged"),
        ("TRUNCATE work_order CASCADE", "ck_work_order_append_only"),
        ("TRUNCATE work_order_line CASCADE", "ck_work_order_line_append_only"),
        ("TRUNCATE service_price CASCADE", "ck_service_price_append_only"),
        ("TRUNCATE price_import CASCADE", "ck_price_import_append_only"),
        ("TRUNCATE patient_account CASCADE", "ck_patient_account_append_only"),
        ("UPDATE cash_shift SET opening = 5 WHERE id = :shift", "ck_cash_shift_unchanged"),
        ("DELETE FROM cash_shift WHERE id = :shift", "ck_cash_shift_unchanged"),
        ("UPDATE cash_shift SET opened_by_id = NULL WHERE id = :shift", "ck_cash_shift_unchanged"),
        ("UPDATE cash_shift SET opened_at = opened_at - interval '1 hour' WHERE id = :shift", "ck_cash_shift_unchanged"),
        ("UPDATE cash_shift SET number = 7 WHERE id = :shift", "ck_cash_shift_unchanged"),
        ("UPDATE work_order SET created_by_id = NULL WHERE id = :order", "ck_work_order_issued_unchanged"),
        ("UPDATE cash_desk SET kind = 'non_cash' WHERE id = :desk", "ck_cash_desk_moved_stays"),
        (
            "WITH other AS (INSERT INTO branch (name, legal_entity_id) VALUES (gen_random_uuid()::text, :entity) RETURNING id)"
            " UPDATE cash_desk SET branch_id = (SELECT id FROM other) WHERE id = :desk",
            "ck_cash_desk_moved_stays",
        ),
        (
            "WITH other AS (INSERT INTO legal_entity (name, short_name) VALUES ('x', 'x') RETURNING id)"
            " UPDATE cash_desk SET legal_entity_id = (SELECT id FROM other) WHERE id = :desk",
            "ck_cash_desk_moved_stays",
        ),
        ("UPDATE number_series SET last_number = last_number - 1 WHERE legal_entity_id = :entity", "ck_number_series_onward"),
        ("UPDATE number_series SET year = year + 1 WHERE legal_entity_id = :entity", "ck_number_series_onward"),
        ("DELETE FROM number_series WHERE legal_entity_id = :entity", "ck_number_series_onward"),
        ("TRUNCATE number_series", "ck_number_series_append_only"),
        ("TRUNCATE cash_shift CASCADE", "ck_cash_shift_append_only"),
        ("TRUNCATE cash_desk CASCADE", "ck_cash_desk_append_only"),
        (
            "INSERT INTO cash_shift (desk_id, number, opened_at, business_day, opening, opened_with)"
            " VALUES (:desk, 99, now(), current_date, 0, 0)",
            "uq_cash_shift_one_open_per_desk",
        ),
        (
            "INSERT INTO refund_part (refund_id, payment_part_id, amount) VALUES (:refund, :part, 600.01)",
            "ck_refund_within_payment",
        ),
        (
            "INSERT INTO cash_movement (desk_id, shift_id, series, year, number, legal_entity_id, kind, delta, moved_at,"
            " business_day) VALUES (:desk, :shift, 'out', 2026, 999, :entity, 'collection', -600.01, now(), current_date)",
            "ck_cash_desk_balance_not_negative",
        ),
        (
            "INSERT INTO cash_movement (desk_id, series, year, number, legal_entity_id, kind, delta, moved_at,"
            " business_day) VALUES (:desk, 'in', 2026, 999, :entity, 'pay_in', 1, now(), current_date)",
            "ck_cash_movement_shift_open",
        ),
        (
            "INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, work_order_id, payment_id, debt_change, advance_change)"
            " VALUES ('payment', current_date, :branch, :patient, :order, :payment, -400.01, 0)",
            "ck_work_order_due_within_total",
        ),
        (
            "INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, payment_id, debt_change, advance_change)"
            " VALUES ('advance_used', current_date, :branch, :patient, :payment, 0, -0.01)",
            "ck_patient_account_advance_not_negative",
        ),
        (
            "INSERT INTO payment (legal_entity_id, branch_id, year, number, patient_id, amount, change, business_day, paid_at)"
            " VALUES (:entity, :branch, 2026, 999, :patient, 5, 0, current_date, now())",
            "ck_payment_adds_up",
        ),
        (
            "INSERT INTO refund (legal_entity_id, branch_id, year, number, payment_id, patient_id, amount, reason,"
            " business_day, refunded_at) VALUES (:entity, :branch, 2026, 999, :payment, :patient, 5, 'x', current_date, now())",
            "ck_refund_adds_up",
        ),
        (
            "INSERT INTO service_price (service_id, valid_from, price) VALUES (:service, '2020-01-01', 5)",
            "uq_service_price_day",
        ),
    ],
)  # fmt: skip
def test_sums_are_kept_by_the_ledger_alone(paid: dict[str, int], statement: str, name: str) -> None:
    values = {key: value for key, value in paid.items() if f":{key}" in statement}
    assert refused_by(statement, **values) == name


#: What somebody might write beside the operations, and the promise that refuses it.
ENTRY = "INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, work_order_id, payment_id, refund_id, debt_change, advance_change)"
MOVEMENT = (
    "INSERT INTO cash_movement (desk_id, shift_id, series, year, number, legal_entity_id, kind, delta, moved_at, business_day)"
    " VALUES (:desk, :shift, {series}, 2026, 999, :entity, {kind}, {delta}, now(), current_date)"
)
PART = (
    "WITH m AS ({money} RETURNING id) INSERT INTO payment_part (payment_id, method, amount, desk_id, movement_id)"
    " SELECT :payment, 'cash', 100, :desk, m.id FROM m"
)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (ENTRY + " VALUES ('advance_in', current_date, :branch, :patient, NULL, NULL, NULL, 0, 100)", "ck_ledger_entry_of_an_operation"),
        (ENTRY + " VALUES ('advance_in', current_date, :branch, :patient, NULL, :payment, NULL, 0, 100)", "ck_payment_adds_up"),
        (ENTRY + " VALUES ('payment', current_date, :branch, :patient, :order, :payment, NULL, -400, 0)", "ck_payment_adds_up"),
        (ENTRY + " VALUES ('refund', current_date, :branch, :patient, NULL, :payment, NULL, 0, 5)", "ck_ledger_entry_of_an_operation"),
        (ENTRY + " VALUES ('refund', current_date, :branch, :patient, NULL, :payment, :refund, 0, 5)", "ck_refund_adds_up"),
        (ENTRY + " VALUES ('bill', current_date, :branch, :patient, :order, NULL, NULL, 100, 0)", "ck_work_order_kept_by_ledger"),
        (ENTRY + " VALUES ('bill_reopened', current_date, :branch, :patient, :order, NULL, NULL, -100, 0)", "ck_work_order_issued_unchanged"),
        (ENTRY + " VALUES ('advance_moved', current_date, :branch, :patient, NULL, NULL, NULL, 0, 100)", "ck_ledger_entry_transfer_named"),
        (
            "INSERT INTO ledger_entry (kind, business_day, branch_id, patient_id, work_order_id, payment_id, reversal_id, debt_change, advance_change)"
            " VALUES ('paid_to_advance', current_date, :branch, :patient, :order, :payment, :order, 100, 100)",
            "ck_work_order_reversal_adds_up",
        ),
        (MOVEMENT.format(series="'in'", kind="'payment'", delta="100"), "ck_cash_movement_of_a_part"),
        (MOVEMENT.format(series="'out'", kind="'refund'", delta="-100"), "ck_cash_movement_of_a_part"),
        (PART.format(money=MOVEMENT.format(series="'in'", kind="'payment'", delta="100")), "ck_payment_adds_up"),
        (PART.format(money=MOVEMENT.format(series="'in'", kind="'pay_in'", delta="100")), "ck_cash_movement_of_a_part"),
        ("INSERT INTO refund_part (refund_id, payment_part_id, amount) VALUES (:refund, :part, 5)", "ck_refund_adds_up"),
    ],
)  # fmt: skip
def test_nothing_is_written_beside_the_operations(paid: dict[str, int], statement: str, name: str) -> None:
    values = {key: value for key, value in paid.items() if f":{key}" in statement}
    assert refused_by(statement, **values) == name


def test_a_receipt_tells_of_its_own_bills_on_credit(paid: dict[str, int]) -> None:
    receipt = (
        "WITH device AS (INSERT INTO fiscal_device (name, legal_entity_id, branch_id, taxation)"
        " VALUES ('x', :entity, :branch, 'usnIncome') RETURNING id),"
        " receipt AS (INSERT INTO fiscal_receipt (uuid, device_id, kind, payment_id, amount, body, due_at)"
        " SELECT gen_random_uuid(), id, 'sell', :payment, 1000, '{}', now() FROM device RETURNING id)"
    )
    own = " INSERT INTO fiscal_credit (receipt_id, work_order_id, change) SELECT id, :order, {} FROM receipt"
    of = {key: paid[key] for key in ("entity", "branch", "payment")}
    other = (
        ", other AS (INSERT INTO work_order (legal_entity_id, branch_id, year, number, patient_id, doctor_id, status, total, due)"
        " SELECT legal_entity_id, branch_id, year, number + 500, patient_id, doctor_id, 'draft', 0, 0"
        " FROM work_order WHERE id = :order RETURNING id) INSERT INTO fiscal_credit (receipt_id, work_order_id, change)"
        " SELECT receipt.id, other.id, 5 FROM receipt, other"
    )
    assert refused_by(receipt + other, **of, order=paid["order"]) == "ck_fiscal_credit_of_its_bill"
    assert refused_by(receipt + own.format(-5), **of, order=paid["order"]) == "ck_fiscal_credit_of_its_bill"
    assert refused_by(receipt + own.format(5), **of, order=paid["order"]) is None


def test_a_draft_whose_lines_do_not_make_its_total_is_refused(make: Any) -> None:
    branch, patient, doctor, service = make.branch(), make.patient(), make.doctor(), make.service("100")
    with transaction():
        order = billing.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=branch.id,
            actor=make.user("director"),
        )  # fmt: skip
    pk = order.id
    session.rollback()
    name = "ck_work_order_lines_make_total"
    assert refused_by("UPDATE work_order SET total = 99 WHERE id = :pk", pk=pk) == name
    assert refused_by("UPDATE work_order_line SET quantity = 2, total = 200 WHERE work_order_id = :pk", pk=pk) == name
    assert refused_by("DELETE FROM work_order_line WHERE work_order_id = :pk", pk=pk) == name


def test_a_bill_is_issued_and_taken_back_by_the_ledger_only(make: Any) -> None:
    """A draft keeps its number and names its services once it is a bill; a bill is no draft while the ledger has it."""
    branch, patient, doctor, service = make.branch(), make.patient(), make.doctor(), make.service("100")
    director = make.user("director")
    with transaction():
        draft, bill = (
            billing.create_work_order(
                patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=branch.id, actor=director
            )
            for _ in range(2)
        )
        billing.issue(bill.id, actor=director)
    pk, issued = draft.id, bill.id
    session.rollback()
    stays, ledger = "ck_work_order_issued_unchanged", "ck_work_order_kept_by_ledger"
    assert refused_by("DELETE FROM work_order WHERE id = :pk", pk=pk) == stays
    assert refused_by("UPDATE work_order SET number = number + 100 WHERE id = :pk", pk=pk) == stays
    to_issued = "UPDATE work_order SET status = 'issued', issued_day = current_date, issued_at = now() WHERE id = :pk"
    assert refused_by(to_issued, pk=pk) == "ck_work_order_line_named"
    with transaction():
        session.execute(
            text("UPDATE work_order_line SET code = 'A1', name = 'x' WHERE work_order_id = :pk"), {"pk": pk}
        )
    assert refused_by(to_issued, pk=pk) == ledger
    back = "UPDATE work_order SET status = 'draft', issued_day = NULL, issued_at = NULL WHERE id = :pk"
    assert refused_by(back, pk=issued) == ledger
    move = "UPDATE work_order_line SET work_order_id = :pk, position = 9 WHERE work_order_id = :issued"
    assert refused_by(move, pk=pk, issued=issued) == stays
    with transaction():
        billing.annul(pk, actor=make.user("director"))
    session.rollback()
    assert refused_by("UPDATE work_order SET status = 'draft' WHERE id = :pk", pk=pk) == stays
    assert refused_by(to_issued, pk=pk) == stays


def test_a_new_desk_is_empty_whatever_it_says(make: Any) -> None:
    branch = make.branch()
    session.execute(
        text(
            "INSERT INTO cash_desk (name, kind, branch_id, legal_entity_id, balance)"
            " VALUES ('Лишняя', 'main', :branch, :entity, 1000000)"
        ),
        {"branch": branch.id, "entity": branch.legal_entity_id},
    )
    assert session.scalar(text("SELECT balance FROM cash_desk WHERE name = 'Лишняя'")) == 0
    session.rollback()


def test_a_closed_shift_stays_as_it_was_counted(paid: dict[str, int], make: Any) -> None:
    with transaction():
        cash.close_shift(paid["shift"], Decimal(600), actor=make.user())
    for change in ("counted = 1", "closed_at = NULL, counted = NULL, expected = NULL", "close_reason = 'x'"):
        assert (
            refused_by(f"UPDATE cash_shift SET {change} WHERE id = :pk", pk=paid["shift"]) == "ck_cash_shift_unchanged"
        )
