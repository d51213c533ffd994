"""`verify`: an honest clinic keeps every promise about money, and whoever breaks one is named."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from app.db import session, transaction
from app.reports import queries
from tests.conftest import Maker, copied
from tests.reports.a_day import make_day, user

PROMISES = {promise.name: promise for promise in queries.PROMISES}
MONEY = ("work_order", "work_order_line", "ledger_entry", "patient_account", "payment", "payment_part", "refund",
         "refund_part", "advance_transfer", "certificate", "receipt", "cash_movement", "cash_desk", "cash_shift",
         "cash_count", "fiscal_receipt", "fiscal_credit", "number_series",
         "expense_category")  # fmt: skip
OTHER = "(SELECT max(p.id) FROM patient p WHERE p.id <> patient_id)"
OF_OPEN_SHIFT = "shift_id IN (SELECT id FROM cash_shift WHERE closed_at IS NULL)"
OF_BILL = "work_order_id IN (SELECT id FROM work_order WHERE status IN ('issued', 'paid'))"
#: What somebody with the database's password might do, and the promise that tells of it.
CRIMES = [
    ("lines_make_total", "UPDATE work_order SET total = total + 1 WHERE status = 'draft'"),
    ("ledger_makes_bill", "UPDATE work_order SET due = 0, status = 'paid' WHERE status = 'issued'"),
    ("ledger_makes_bill", "UPDATE ledger_entry SET debt_change = debt_change - 1 WHERE kind = 'bill'"),
    ("bill_as_issued", "UPDATE work_order SET issued_day = issued_day - 1 WHERE status = 'paid'"),
    ("bill_as_issued", "UPDATE work_order SET issued_day = issued_day - 1 WHERE status = 'reversal'"),
    ("bill_as_issued", f"UPDATE work_order_line SET tooth = '11' WHERE {OF_BILL}"),
    (
        "bill_as_issued",
        f"UPDATE work_order_line SET service_id = (SELECT max(id) FROM service) WHERE {OF_BILL}",
    ),
    ("bill_as_issued", f"UPDATE work_order_line SET price = price + 1, discount = discount + quantity WHERE {OF_BILL}"),
    ("reversal_of_bill", "UPDATE work_order SET total = total - 1 WHERE status = 'reversal'"),
    (
        "reversal_of_bill",
        "ALTER TABLE ledger_entry DROP CONSTRAINT ck_ledger_entry_of_an_operation;"
        " UPDATE ledger_entry SET advance_change = 0 WHERE kind = 'paid_to_advance'",
    ),
    (
        "reversed_within_bill",
        "UPDATE work_order_line SET quantity = quantity - 5, total = total - 5 * price WHERE reverses_id IS NOT NULL",
    ),
    (
        "advance_of_relatives",
        "UPDATE ledger_entry SET advance_change = advance_change + 1 WHERE kind = 'advance_moved'",
    ),
    ("advance_of_relatives", "UPDATE advance_transfer SET amount = amount + 1"),
    ("counts_make_shift", "INSERT INTO cash_count SELECT id, 0.10, 999999, 'closing' FROM cash_shift"),
    ("counts_make_shift", "INSERT INTO cash_count SELECT id, 0.10, 999999, 'opening' FROM cash_shift"),
    (
        "category_tree",
        "UPDATE expense_category SET parent_id = (SELECT max(id) FROM expense_category m"
        " WHERE m.id <> expense_category.id)",
    ),
    (
        "category_tree",
        "UPDATE expense_category SET archived = true, merged_into_id = (SELECT max(id) FROM expense_category m"
        " WHERE m.id <> expense_category.id)",
    ),
    ("certificates", "UPDATE certificate SET balance = balance - 0.01"),
    ("parts_make_payment", "UPDATE payment SET amount = amount + 1"),
    ("parts_make_payment", "DELETE FROM ledger_entry WHERE kind = 'payment'"),
    ("allocated_within_payment", "UPDATE ledger_entry SET debt_change = debt_change - 100000 WHERE kind = 'payment'"),
    ("parts_make_refund", "UPDATE refund SET amount = amount + 1"),
    ("refunded_within_payment", "UPDATE refund_part SET amount = amount + 100000"),
    (
        "refunded_within_payment",
        "UPDATE refund SET patient_id = (SELECT min(p.id) FROM patient p WHERE p.id <> refund.patient_id)",
    ),
    ("ledger_makes_account", "UPDATE patient_account SET advance = advance + 1"),
    ("ledger_makes_account", "DELETE FROM patient_account WHERE debt > 0"),
    ("bills_make_debt", "UPDATE patient_account SET debt = debt + 1"),
    ("clinic_bridge", "UPDATE payment_part SET amount = amount + 1 WHERE method = 'cash'"),
    ("money_came_into_desk", "UPDATE cash_movement SET delta = delta + 1 WHERE kind = 'payment'"),
    ("money_came_into_desk", "UPDATE cash_movement SET kind = 'pay_in' WHERE kind = 'payment'"),
    ("money_came_into_desk", "UPDATE payment_part SET method = 'card' WHERE method = 'cash'"),
    ("money_came_into_desk", "UPDATE cash_desk SET kind = 'non_cash' WHERE kind = 'main'"),
    ("of_one_day", "UPDATE payment SET business_day = business_day - 1"),
    ("of_one_day", "UPDATE cash_movement SET business_day = business_day - 1 WHERE kind = 'refund'"),
    ("of_one_day", "UPDATE ledger_entry SET business_day = business_day - 1 WHERE kind = 'advance_in'"),
    ("of_one_day", "UPDATE receipt SET business_day = business_day - 1 WHERE refund_id IS NOT NULL"),
    ("of_one_patient", f"UPDATE payment SET patient_id = {OTHER}"),
    ("of_one_patient", f"UPDATE refund SET patient_id = {OTHER}"),
    ("of_one_patient", f"UPDATE cash_movement SET patient_id = {OTHER} WHERE kind = 'payment'"),
    ("of_one_patient", "UPDATE cash_movement SET patient_id = NULL WHERE kind = 'refund'"),
    ("of_one_patient", f"UPDATE receipt SET patient_id = {OTHER} WHERE payment_id IS NOT NULL"),
    ("of_one_patient", f"UPDATE receipt SET patient_id = {OTHER} WHERE refund_id IS NOT NULL"),
    ("of_one_patient", f"UPDATE work_order SET patient_id = {OTHER} WHERE status = 'issued'"),
    ("of_one_patient", f"UPDATE work_order SET patient_id = {OTHER} WHERE status = 'reversal'"),
    ("of_one_patient", f"UPDATE ledger_entry SET patient_id = {OTHER} WHERE kind = 'advance_in'"),
    ("of_one_patient", f"UPDATE ledger_entry SET patient_id = {OTHER} WHERE kind = 'refund'"),
    ("change_of_cash", "UPDATE payment SET tendered = amount + 50, change = 40"),
    ("change_of_cash", "UPDATE payment SET change = 1 WHERE tendered IS NULL"),
    ("movements_make_desk", "UPDATE cash_desk SET balance = balance + 1"),
    ("movements_make_desk", "DELETE FROM cash_movement WHERE kind = 'collection'"),
    ("movements_make_shift", "UPDATE cash_shift SET counted = counted + 1, expected = expected + 1 WHERE counted >= 0"),
    (
        "movements_make_shift",
        "UPDATE cash_shift SET expected = expected + 1, close_reason = 'x' WHERE counted >= 0",
    ),
    ("movements_make_shift", f"UPDATE cash_movement SET shift_id = NULL WHERE {OF_OPEN_SHIFT}"),
    (
        "movements_make_shift",
        "UPDATE cash_movement SET shift_id = (SELECT max(id) FROM cash_shift WHERE desk_id <> cash_movement.desk_id"
        f" AND closed_at IS NULL) WHERE {OF_OPEN_SHIFT}",
    ),
    ("shift_follows_shift", "UPDATE cash_shift SET opening = opening + 1, opened_with = opened_with + 1"),
    ("shift_follows_shift", "UPDATE cash_shift SET opened_with = opened_with + 1, open_reason = 'x'"),
    ("reversed_once", "UPDATE cash_movement SET delta = delta + 1 WHERE reverses_id IS NOT NULL"),
    ("transfer_of_two", "UPDATE cash_movement SET delta = delta + 1 WHERE kind = 'transfer_in'"),
    ("one_receipt", "DELETE FROM receipt WHERE kind = 'sale'"),
    ("receipt_as_written", "UPDATE receipt SET snapshot = jsonb_set(snapshot, '{amount}', '\"1.00\"')"),
    ("receipt_as_written", "UPDATE receipt SET snapshot = jsonb_set(snapshot, '{parts,0,method}', '\"advance\"')"),
    ("receipt_as_written", "UPDATE receipt SET snapshot = jsonb_set(snapshot, '{number}', '77')"),
    ("receipt_as_written", "UPDATE receipt SET snapshot = jsonb_set(snapshot, '{card_number}', '77')"),
    ("receipt_as_written", f"UPDATE receipt SET patient_id = {OTHER}"),
    ("receipt_as_written", "UPDATE refund SET amount = amount + 1"),
    ("numbers_without_gaps", "UPDATE work_order SET number = number + 1000 WHERE status = 'draft'"),
    ("numbers_without_gaps", "UPDATE number_series SET last_number = last_number + 1 WHERE series = 'work_order'"),
    ("numbers_without_gaps", "UPDATE receipt SET number = number + 1000"),
    ("fiscal_receipt_once", "UPDATE fiscal_receipt SET amount = amount + 1"),
    (
        "fiscal_receipt_once",
        "UPDATE fiscal_receipt SET body = jsonb_set(body, '{items,0,amount}', '1.5') WHERE payment_id > 0",
    ),
    ("fiscal_receipt_once", "UPDATE fiscal_receipt SET body = jsonb_set(body, '{total}', '1') WHERE payment_id > 0"),
    ("fiscal_drawer_once", "UPDATE fiscal_receipt SET amount = amount + 1 WHERE kind = 'cashOut'"),
    ("fiscal_drawer_once", "UPDATE fiscal_receipt SET kind = 'cashIn' WHERE kind = 'cashOut'"),
    (
        "fiscal_drawer_once",
        "DELETE FROM fiscal_receipt WHERE movement_id > (SELECT min(movement_id) FROM fiscal_receipt)",
    ),
    ("fiscal_drawer_once", "UPDATE cash_movement SET delta = delta - 1 WHERE kind = 'salary'"),
    ("fiscal_drawer_once", "UPDATE cash_movement SET kind = 'payment' WHERE kind = 'salary'"),
    (
        "fiscal_drawer_once",
        "UPDATE fiscal_device SET branch_id = (SELECT max(b.id) FROM branch b WHERE b.id <> branch_id)",
    ),
    ("fiscal_receipt_once", "UPDATE fiscal_receipt SET kind = 'sellReturn' WHERE kind = 'sell' AND payment_id > 0"),
    ("fiscal_credit", "DELETE FROM fiscal_credit"),
    ("fiscal_credit", "UPDATE fiscal_credit SET change = change + 1 WHERE change > 0"),
    ("fiscal_reversal", "DELETE FROM fiscal_receipt WHERE reversal_id IS NOT NULL"),
    ("fiscal_reversal", "DELETE FROM fiscal_receipt WHERE reversal_id IS NOT NULL AND kind = 'sell'"),
    ("fiscal_reversal", "INSERT INTO fiscal_credit SELECT f.id, o.id, -1 FROM fiscal_receipt f, work_order o LIMIT 1"),
    (
        "fiscal_receipt_once",
        "DELETE FROM fiscal_receipt WHERE id = (SELECT max(id) FROM fiscal_receipt WHERE payment_id > 0"
        " AND id NOT IN (SELECT receipt_id FROM fiscal_credit))",
    ),
]


@pytest.fixture(scope="module")
def clinic(server, template):
    """A clinic with a day of money in it, a transfer between desks and a reversal."""
    from app.billing import operations as billing
    from app.cash import operations as cash
    from app.models import CashDesk, CashShift, FiscalDevice, WorkOrder

    with copied(server, template) as application:
        with application.app_context():
            make_day(Maker())
            director = user("director")
            paid = session.query(WorkOrder).filter(WorkOrder.status != "draft", WorkOrder.due < WorkOrder.total).first()
            ward = Maker().patient("Подопечный", guardian_id=paid.patient_id)
            shift = session.query(CashShift).filter_by(closed_at=None).first()
            if shift is None:
                desk = session.query(CashDesk).filter(CashDesk.kind == "main", CashDesk.balance > 0).first()
            else:
                desk = session.get_one(CashDesk, shift.desk_id)
            with transaction():
                if shift is None:
                    cash.open_shift(desk.id, desk.balance, actor=director)
                entity = {"branch_id": desk.branch_id, "legal_entity_id": desk.legal_entity_id}
                other = CashDesk(name="Вторая касса", kind="additional", **entity)
                session.add(other)
                session.flush()
                cash.open_shift(other.id, Decimal(0), actor=director)
                for name in ("Одна статья", "Другая статья"):
                    cash.add_category(name, actor=director)
                cash.move(desk.id, "pay_in", Decimal(50), actor=director)
                cash.move(desk.id, "transfer", Decimal(20), to_desk_id=other.id, actor=director)
                wrong = cash.move(desk.id, "pay_in", Decimal(7), actor=director)
                cash.reverse(wrong.id, "Ошибка", actor=director)
                billing.reverse_order(paid.id, "Ошибка", actor=director)
                billing.pass_advance(paid.patient_id, ward.id, Decimal("0.01"), "На лечение", actor=director)
                part = {"method": "cash", "amount": Decimal(9)}
                billing.sell_certificate(ward.id, Decimal(9), [part], branch_id=desk.branch_id, actor=director)
                session.add(FiscalDevice(name="ККТ", **entity))
                session.flush()
                cash.move(desk.id, "pay_in", Decimal(11), actor=director)
                cash.move(desk.id, "salary", Decimal(2), counterparty="Иванова", actor=director)
                cash.move(desk.id, "transfer", Decimal(1), to_desk_id=other.id, actor=director)
            for _ in range(2):
                with transaction():
                    part = {"method": "cash", "amount": Decimal(5), "desk_id": desk.id}
                    billing.take_payment(ward.id, [part], branch_id=desk.branch_id, actor=director)
            service = Maker().service("70.00").id
            with transaction():
                doctor = session.get_one(WorkOrder, paid.id).doctor_id
                lines = [{"service_id": service, "quantity": 1}]
                again = billing.create_work_order(ward.id, doctor, lines, branch_id=desk.branch_id, actor=director)
                billing.issue(again.id, actor=director)
            for some in (30, 40):  # the rest is on credit, and paid later
                with transaction():
                    part = {"method": "cash", "amount": Decimal(some), "desk_id": desk.id}
                    bills = [{"work_order_id": again.id, "amount": Decimal(some)}]
                    billing.take_payment(ward.id, [part], bills=bills, branch_id=desk.branch_id, actor=director)
            with transaction():
                billing.reverse_order(again.id, "Ошибка", actor=director)
        yield application


def test_an_honest_clinic_keeps_every_promise(clinic):
    with clinic.app_context():
        assert {name: queries.breaches(promise) for name, promise in PROMISES.items()} == {
            name: [] for name in PROMISES
        }


def test_every_promise_is_tried(clinic):
    assert {name for name, _ in CRIMES} == set(PROMISES)


@pytest.mark.parametrize(("name", "crime"), CRIMES)
def test_who_breaks_a_promise_is_named(clinic, name, crime):
    with clinic.app_context():
        try:
            for table in MONEY:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            assert session.execute(text(crime)).rowcount, "the crime touched nobody"
            told = queries.breaches(PROMISES[name])
            assert told and not [breach for breach in told if breach.must == breach.found]
        finally:
            session.rollback()


@pytest.mark.parametrize(
    ("crime", "name", "must", "found"),
    [
        ("UPDATE receipt SET snapshot = jsonb_set(snapshot, '{number}', '77')", "receipt_as_written", "№ ", "№ 77"),
        (
            "UPDATE receipt SET snapshot = jsonb_set(snapshot, '{parts,0,method}', '\"advance\"')",
            "receipt_as_written", "cash ", "advance ",
        ),
        ("UPDATE receipt SET snapshot = jsonb_set(snapshot, '{card_number}', '1')", "receipt_as_written", "patient ",
         "(card № 1)"),
        ("DELETE FROM receipt WHERE kind = 'sale'", "one_receipt", "1 receipt", "0 receipts"),
        ("UPDATE receipt SET number = number + 1000", "numbers_without_gaps", ": 10", ": "),
        ("DELETE FROM ledger_entry WHERE kind = 'payment'", "parts_make_payment", "", "0"),
        ("UPDATE work_order SET status = 'issued' WHERE status = 'paid'", "ledger_makes_bill", "paid", "issued"),
    ],
)  # fmt: skip
def test_what_differs_is_shown(clinic, crime, name, must, found):
    with clinic.app_context():
        try:
            for table in MONEY:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            session.execute(text(crime))
            told = queries.breaches(PROMISES[name])
            assert any(must in breach.must and found in breach.found for breach in told), told
            assert not [breach for breach in told if breach.must == breach.found]
        finally:
            session.rollback()


def test_merged_and_parted_cards_keep_every_promise(clinic):
    """A receipt keeps the number of the card that it was given to; its money goes with the card, and comes back."""
    from app.models import Payment
    from app.patients import operations as patients

    with clinic.app_context():
        director, paid = user("director"), session.query(Payment).first().patient_id
        second, third = (Maker().patient("Двойникова").id for _ in range(2))
        merges = []
        for loser, winner in ((paid, second), (second, third)):
            with transaction():
                merges.append(patients.merge_cards(loser, winner, {}, "Один человек", actor=director).id)
            assert not [promise.name for promise in queries.PROMISES if queries.breaches(promise)]
        for merge_id in reversed(merges):
            with transaction():
                patients.part_cards(merge_id, actor=director)
            assert not [promise.name for promise in queries.PROMISES if queries.breaches(promise)]


def test_the_command(clinic):
    """It ends with 0 over an honest clinic; otherwise with 1, the promise and the row."""
    done = clinic.test_cli_runner().invoke(args=["verify"])
    assert done.exit_code == 0 and "Деньги сходятся" in done.output, done.output
    with clinic.app_context(), transaction():
        session.execute(text("ALTER TABLE cash_desk DISABLE TRIGGER USER"))
        session.execute(text("UPDATE cash_desk SET balance = balance + 1 WHERE name = 'Вторая касса'"))
    try:
        caught = clinic.test_cli_runner().invoke(args=["verify"])
        assert caught.exit_code == 1 and "должно быть 21.00, записано 22.00" in caught.output
    finally:
        with clinic.app_context(), transaction():
            session.execute(text("UPDATE cash_desk SET balance = balance - 1 WHERE name = 'Вторая касса'"))
            session.execute(text("ALTER TABLE cash_desk ENABLE TRIGGER USER"))


def test_the_command_without_a_database(var_dir, monkeypatch):
    """`flask verify` starts no server: one sentence names the command that does, instead of a traceback."""
    from tests.conftest import make_app

    monkeypatch.delenv("DATABASE_URL", raising=False)
    nobody = make_app(f"postgresql://clinic@/clinic?host={var_dir / 'nobody'}")
    said = nobody.test_cli_runner().invoke(args=["verify"])
    assert said.exit_code == 1 and said.output.strip().splitlines() == [
        "Error: База данных не отвечает. Выполните python -m app verify: эта команда сама запускает базу данных этой"
        " машины."
    ]
