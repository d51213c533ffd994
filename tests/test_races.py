"""Real threads, real PostgreSQL: whoever comes at the same moment, the promises hold.

Each section belongs to a room. `together` lets many people do their work at once, each in a session of their own.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app import clock
from app.db import Busy, db, session, transaction
from app.errors import Refusal, SlotTaken

pytestmark = pytest.mark.servers
CROWD = 50


def _do(app: Flask, deed: Callable[[], Any], results: list[Any], place: int) -> None:
    """One deed in a session and a transaction of its own; its result, or the refusal instead."""
    with app.app_context():
        try:
            with transaction():
                results[place] = deed()
        except Exception as error:
            results[place] = error


def together(app: Flask, deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment, each in a thread and a transaction; results, or the refusals instead."""
    gate = threading.Barrier(len(deeds))
    results: list[Any] = [None] * len(deeds)

    def one(place: int) -> None:
        gate.wait()
        _do(app, deeds[place], results, place)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    strange = [r for r in results if isinstance(r, Exception) and not isinstance(r, Refusal)]
    assert not strange, strange[0]
    return results


# --- the schedule ---------------------------------------------------------------------------------------------

DAY = clock.today() + timedelta(days=50)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


def one_won(results: list[Any], busy: str) -> int:
    """Exactly one succeeded; all others were told who is in their way: the winner."""
    won = [result for result in results if not isinstance(result, Refusal)]
    lost = [result for result in results if isinstance(result, Refusal)]
    assert len(won) == 1, results
    assert all(isinstance(refusal, SlotTaken) for refusal in lost), lost
    assert {refusal.facts["busy"] for refusal in lost} == {busy}
    assert {refusal.facts["by"]["id"] for refusal in lost} == {won[0]}
    return int(won[0])


def visits_of(column: Any, value: int) -> int:
    from app.models import Appointment

    return session.scalar(select(func.count()).select_from(Appointment).where(column == value)) or 0


def _doctors(make: Any, count: int) -> list[int]:
    found = []
    for _ in range(count):
        doctor = make.doctor()
        make.hours(doctor, DAY)
        found.append(doctor.id)
    return found


def _starts(how: str) -> list[tuple[datetime, datetime]]:
    if how == "same":
        return [(at(10), at(10, 30))] * CROWD
    # all of these meet at 10:29: starting before, inside, reaching over, or enclosing all the others
    return [(at(10, n % 29), at(10, 30 + n % 29)) if n % 2 else (at(9, n), at(11, n)) for n in range(CROWD)]


@pytest.mark.parametrize("how", ["same", "overlapping"])
@pytest.mark.parametrize("who", ["doctor", "chair", "patient"])
def test_many_book_the_same_time(app: Flask, make: Any, who: str, how: str) -> None:
    from app.models import Appointment
    from app.schedule import operations

    doctors = _doctors(make, 1) * CROWD if who == "doctor" else _doctors(make, CROWD)
    patients = [make.patient().id] * CROWD if who == "patient" else [make.patient().id for _ in range(CROWD)]
    chair_id = make.chair().id if who == "chair" else None

    def deed(n: int, start: datetime, end: datetime) -> Callable[[], int]:
        return lambda: operations.book(patients[n], doctors[n], start, end, chair_id=chair_id, actor=None).id

    results = together(app, [deed(n, start, end) for n, (start, end) in enumerate(_starts(how))])
    winner = one_won(results, who)
    row = session.get_one(Appointment, winner)
    column = {"doctor": Appointment.doctor_id, "chair": Appointment.chair_id, "patient": Appointment.patient_id}[who]
    assert visits_of(column, getattr(row, f"{who}_id")) == 1


@pytest.mark.parametrize("who", ["doctor", "chair", "patient"])
def test_many_move_into_the_same_time(app: Flask, make: Any, who: str) -> None:
    from app.models import Appointment
    from app.schedule import operations

    doctors = _doctors(make, CROWD)
    patient, [target], chair_id = make.patient(), _doctors(make, 1), make.chair().id
    visits = []
    for n in range(CROWD):
        if who == "patient":
            start = datetime.combine(DAY + timedelta(days=1 + n), time(10))
            visits.append(make.appointment(patient, make.doctor(), start).id)
            make.hours(session.get_one(Appointment, visits[-1]).doctor, DAY)
        else:
            visits.append(make.appointment(make.patient(), session.get_one(type(make.doctor()), doctors[n]), at(14)).id)
    new: dict[str, Any] = {"starts_at": at(10), "ends_at": at(10, 30)}
    if who == "doctor":
        new["doctor_id"] = target
    if who == "chair":
        new["chair_id"] = chair_id

    def deed(visit: int) -> Callable[[], int]:
        return lambda: operations.move(visit, 1, **new, actor=None).id

    winner = one_won(together(app, [deed(visit) for visit in visits]), who)
    session.expire_all()
    moved = session.scalars(select(Appointment.id).where(Appointment.id.in_(visits), Appointment.moves > 0)).all()
    assert list(moved) == [winner]


def test_many_move_one_visit(app: Flask, make: Any) -> None:
    from app.errors import Stale
    from app.models import Appointment
    from app.schedule import operations

    [doctor] = _doctors(make, 1)
    visit = make.appointment(make.patient(), session.get_one(type(make.doctor()), doctor), at(9)).id
    deeds = [lambda n=n: operations.move(visit, 1, starts_at=at(10 + n % 8), actor=None).id for n in range(CROWD)]
    results = together(app, deeds)
    assert sum(isinstance(result, Stale) for result in results) == CROWD - 1
    session.expire_all()
    assert session.get_one(Appointment, visit).version == 2


def test_a_block_and_bookings_at_the_same_moment(app: Flask, make: Any) -> None:
    from app.models import TimeBlock
    from app.schedule import operations

    [doctor] = _doctors(make, 1)
    patients = [make.patient().id for _ in range(CROWD)]

    def deed(n: int) -> Callable[[], Any]:
        if n % 2:
            return lambda: operations.book(patients[n], doctor, at(10, n % 20), at(10, 30), actor=None).id
        return lambda: operations.block_time("hold", at(10), at(10, 30), "Держим", doctor_id=doctor, actor=None).id

    results = together(app, [deed(n) for n in range(CROWD)])
    assert sum(not isinstance(result, Refusal) for result in results) == 1
    blocks = session.scalar(select(func.count()).select_from(TimeBlock).where(TimeBlock.doctor_id == doctor)) or 0
    from app.models import Appointment

    assert blocks + visits_of(Appointment.doctor_id, doctor) == 1


def test_two_visits_change_places_back_and_forth(app: Flask, make: Any) -> None:
    """Crosswise moves never wait for each other for ever: each is done or refused with a reason."""
    from app.models import Appointment
    from app.schedule import operations

    first, second = _doctors(make, 2)
    kind = type(make.doctor())
    visits = [make.appointment(make.patient(), session.get_one(kind, d), at(10)).id for d in (first, second)]
    deeds = [
        lambda n=n: operations.move(visits[n % 2], 1, doctor_id=(second, first)[n % 2], actor=None).id
        for n in range(20)
    ]
    assert all(isinstance(result, Refusal) for result in together(app, deeds))
    assert visits_of(Appointment.doctor_id, first) == visits_of(Appointment.doctor_id, second) == 1


def test_the_constraint_has_the_last_word(app: Flask, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when nobody takes the words of the day and the look comes too early, one wins."""
    from app.models import Appointment
    from app.schedule import operations

    monkeypatch.setattr(operations.visits, "hold", lambda *slots: None)
    [doctor] = _doctors(make, 1)
    patients = [make.patient().id for _ in range(CROWD)]
    deeds = [lambda p=p: operations.book(p, doctor, at(10), at(10, 30), actor=None).id for p in patients]
    one_won(together(app, deeds), "doctor")
    assert visits_of(Appointment.doctor_id, doctor) == 1


def test_many_restore_into_the_same_time(app: Flask, make: Any) -> None:
    from app.models import Appointment, CancelReason
    from app.schedule import operations

    [doctor] = _doctors(make, 1)
    who = session.get_one(type(make.doctor()), doctor)
    why = make._save(CancelReason(name=f"Причина гонки {doctor}")).id
    gone = {"status": "cancelled", "cancelled_by": "patient", "cancel_reason_id": why}
    visits = [make.appointment(make.patient(), who, at(10), **gone).id for _ in range(20)]
    one_won(together(app, [lambda v=v: operations.restore(v, actor=None).id for v in visits]), "doctor")
    kept = select(func.count()).where(Appointment.doctor_id == doctor, Appointment.status == "booked")
    assert session.scalar(kept) == 1


# --- money ----------------------------------------------------------------------------------------------------


def money_of(make: Any) -> tuple[Any, Any]:
    """A branch whose drawer is open with 1000 ₽, and a patient."""
    from app.cash import operations as cash

    branch = make.branch()
    with transaction():
        cash.open_shift(branch.desk_id, Decimal(1000), reason="размен", actor=make.user())
    return branch, make.patient()


def split_up(results: list[Any]) -> tuple[list[Any], list[Refusal]]:
    return [r for r in results if not isinstance(r, Refusal)], [r for r in results if isinstance(r, Refusal)]


def test_twenty_refunds_of_one_payment_never_return_more_than_was_paid(app: Flask, make: Any) -> None:
    from app.billing import operations as billing
    from app.billing import queries
    from app.models import CashDesk, Payment, Refund

    branch, patient = money_of(make)
    with transaction():
        paid = billing.take_payment(
            patient.id, [{"method": "cash", "amount": Decimal(1000)}], branch_id=branch.id, actor=make.user()
        )
    pk = paid.id
    results = together(app, [lambda: billing.refund(pk, Decimal(300), "разом", actor=make.user("senior"))] * 20)
    won, lost = split_up(results)
    assert len(won) == 3 and {refusal.code for refusal in lost} == {"over_refund"}
    assert session.scalar(select(func.sum(Refund.amount)).where(Refund.payment_id == pk)) == Decimal(900)
    assert queries.balance_of(patient.id).advance == Decimal(100)
    assert session.scalar(select(CashDesk.balance).where(CashDesk.id == branch.desk_id)) == Decimal(1100)
    assert session.get_one(Payment, pk).amount == Decimal(1000)


def in_line(app: Flask, held: str, pk: int, deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Each deed begins once the one before it waits or is done, all behind a row of `held`, which is let go at last."""
    results: list[Any] = [None] * len(deeds)

    threads = [threading.Thread(target=_do, args=(app, deed, results, place)) for place, deed in enumerate(deeds)]
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with db.engine.connect() as holder, db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        holder.execute(text(f"SELECT FROM {held} WHERE id = :pk FOR UPDATE"), {"pk": pk})
        for place, thread in enumerate(threads, 1):
            thread.start()
            while watcher.execute(text(waits)).scalar_one() < sum(begun.is_alive() for begun in threads[:place]):
                pass
        holder.rollback()
    for thread in threads:
        thread.join()
    return results


def test_the_first_payments_of_a_patient_wait_in_one_line(app: Flask, make: Any) -> None:
    """Whose account is not there yet: the first payment opens it while a second waits for the desk, a third comes."""
    from app.billing import operations as billing
    from app.billing import queries

    (here, patient), (there, _) = money_of(make), money_of(make)
    pk, parts, senior = patient.id, [{"method": "cash", "amount": Decimal(10)}], make.user("senior")
    results = in_line(app, "cash_desk", here.desk_id, [
        lambda: billing.take_payment(pk, parts, branch_id=here.id, actor=senior).id,
        lambda: billing.take_payment(pk, parts, branch_id=there.id, actor=senior).id,
        lambda: billing.take_payment(pk, parts, branch_id=here.id, actor=senior).id,
    ])  # fmt: skip
    assert all(isinstance(one, int) for one in results), results
    assert queries.balance_of(pk).advance == Decimal(30)


def test_a_bill_is_issued_at_once_while_another_is_reversed(app: Flask, make: Any) -> None:
    """Both want the patient's account and the next number of an order, in the same order."""
    from app.billing import operations as billing
    from app.billing import queries

    branch, patient = money_of(make)
    pk, senior, doctor = patient.id, make.user("senior"), make.doctor().id
    order, _ = _billed(make, branch, patient)
    lines = [{"service_id": make.service("700.00").id, "quantity": 1}]

    def at_once() -> int:
        row = billing.create_work_order(pk, doctor, lines, branch_id=branch.id, actor=senior)
        return billing.issue(row.id, actor=senior).id

    results = in_line(app, "employee", doctor, [
        at_once, lambda: billing.reverse_order(order, "разом", actor=senior).id
    ])  # fmt: skip
    assert all(isinstance(one, int) for one in results), results
    assert queries.balance_of(pk) == queries.Balance(Decimal(700), Decimal(1000))


def test_a_bill_of_a_card_that_is_merged_meanwhile_is_asked_for_again(app: Flask, make: Any) -> None:
    """Its money is another card's by the time it is waited for: at once «try again», and then it is the other's."""
    from app.billing import operations as billing
    from app.billing import queries
    from app.patients import operations as patients

    branch, patient = money_of(make)
    pk, stays, senior = patient.id, make.patient().id, make.user("senior")
    lines, doctor = [{"service_id": make.service("700.00").id, "quantity": 1}], make.doctor()
    with transaction():
        order = billing.create_work_order(pk, doctor.id, lines, branch_id=branch.id, actor=senior).id
    merged, refused = in_line(app, "patient", stays, [
        lambda: patients.merge_cards(pk, stays, {}, "одно лицо", actor=senior).id,
        lambda: billing.issue(order, actor=senior).id,
    ])  # fmt: skip
    assert isinstance(merged, int) and isinstance(refused, Busy) and refused.__cause__ is None, (merged, refused)
    with transaction():
        billing.issue(order, actor=senior)
    assert queries.balance_of(stays) == queries.Balance(Decimal(700))


def _billed(make: Any, branch: Any, patient: Any) -> tuple[int, int]:
    """A bill of 1000 paid in cash: the order and the payment."""
    from app.billing import operations as billing

    doctor, service = make.doctor(), make.service("1000.00")
    line = [{"service_id": service.id, "quantity": 1}]
    with transaction():
        order = billing.create_work_order(patient.id, doctor.id, line, branch_id=branch.id, actor=make.user())
        billing.issue(order.id, actor=make.user())
        parts = [{"method": "cash", "amount": Decimal(1000)}]
        paid = billing.take_payment(patient.id, parts, branch_id=branch.id, actor=make.user())
        return order.id, paid.id


def test_twenty_reverse_cancel_refund_and_return_one_bill_at_once(app: Flask, make: Any) -> None:
    """Whoever comes first: the money of the payment leaves the desk at most once, and every promise holds."""
    from app.billing import operations as billing
    from app.billing import queries
    from app.models import CashDesk, Payment, Refund, WorkOrder
    from app.reports import queries as reports

    branch, patient = money_of(make)
    order, payment = _billed(make, branch, patient)
    senior = make.user("senior")
    deeds: list[Callable[[], Any]] = [
        lambda: billing.reverse_order(order, "разом", actor=senior).id,
        lambda: billing.cancel_payment(payment, "разом", actor=senior).id,
        lambda: billing.refund(payment, Decimal(600), "разом", actor=senior).id,
        lambda: billing.return_advance(payment, Decimal(700), "разом", actor=senior).id,
    ]
    before = {
        promise.name: reports.breaches(promise) for promise in reports.PROMISES
    }  # what other tests put past the rules
    results = together(app, deeds * 5)
    won, lost = split_up(results)
    assert won and {refusal.code for refusal in lost} <= {
        "nothing_to_reverse", "not_cancellable", "over_refund",
    }  # fmt: skip
    session.expire_all()
    returned = session.scalar(select(func.sum(Refund.amount)).where(Refund.payment_id == payment)) or Decimal(0)
    assert returned <= Decimal(1000)
    assert session.scalar(select(CashDesk.balance).where(CashDesk.id == branch.desk_id)) == 2000 - returned
    assert (session.scalar(select(func.count()).where(WorkOrder.reverses_id == order)) or 0) <= 1
    assert session.get_one(Payment, payment).amount == Decimal(1000)
    account, due = queries.balance_of(patient.id), session.get_one(WorkOrder, order).due
    assert account.debt == due
    assert {promise.name: reports.breaches(promise) for promise in reports.PROMISES} == before


def test_a_family_passes_advances_crosswise_and_pays_with_them(app: Flask, make: Any) -> None:
    from app.billing import operations as billing
    from app.billing import queries

    branch, mother = money_of(make)
    child = make.patient(guardian_id=mother.id)
    pks = (mother.id, child.id)
    for pk in pks:
        with transaction():
            parts = [{"method": "cash", "amount": Decimal(1000)}]
            billing.take_payment(pk, parts, branch_id=branch.id, actor=make.user())
    user = make.user()

    def passes(one: int, other: int) -> Callable[[], int]:
        return lambda: billing.pass_advance(
            one, other, Decimal(300), "разом", branch_id=branch.id, actor=user
        ).id  # fmt: skip

    results = together(app, [passes(*(pks if n % 2 else pks[::-1])) for n in range(20)])
    _, lost = split_up(results)
    assert {refusal.code for refusal in lost} <= {"not_enough_advance"}
    session.expire_all()
    assert sum(queries.balance_of(pk).advance for pk in pks) == 2000


def test_two_closings_of_one_shift_one_closes(app: Flask, make: Any) -> None:
    from app.cash import operations as cash
    from app.cash import queries

    branch, _ = money_of(make)
    shift = queries.open_shift_of(branch.desk_id)
    assert shift is not None
    pk = shift.id
    session.rollback()
    results = together(app, [lambda: cash.close_shift(pk, Decimal(990), reason="недостача", actor=make.user())] * 2)
    won, [lost] = split_up(results)
    assert len(won) == 1 and lost.code == "shift_closed"


def test_twenty_openings_of_one_desk_one_opens(app: Flask, make: Any) -> None:
    from app.cash import operations as cash

    branch = make.branch()
    session.rollback()
    results = together(app, [lambda: cash.open_shift(branch.desk_id, Decimal(0), actor=make.user())] * 20)
    won, lost = split_up(results)
    assert len(won) == 1 and {refusal.code for refusal in lost} == {"shift_open"}


def test_twenty_withdrawals_at_once_never_make_the_desk_negative(app: Flask, make: Any) -> None:
    from app.cash import operations as cash
    from app.models import CashDesk, CashMovement

    branch, _ = money_of(make)
    session.rollback()
    results = together(
        app,
        [lambda: cash.move(branch.desk_id, "collection", Decimal(300), comment="В банк", actor=make.user()).number]
        * 20,
    )
    won, lost = split_up(results)
    assert len(won) == 3 and {refusal.code for refusal in lost} == {"not_enough_cash"}
    assert session.scalar(select(CashDesk.balance).where(CashDesk.id == branch.desk_id)) == Decimal(100)
    numbers = session.scalars(
        select(CashMovement.number).where(CashMovement.desk_id == branch.desk_id, CashMovement.series == "out")
    )
    assert sorted(numbers) == [1, 2, 3]


def test_transfers_crosswise_do_not_lock_each_other(app: Flask, make: Any) -> None:
    from app.cash import operations as cash
    from app.models import CashDesk

    branch, _ = money_of(make)
    with transaction():
        cash.move(branch.desk_id, "transfer", Decimal(500), to_desk_id=branch.non_cash_id, actor=make.user())

    def there() -> Any:
        return cash.move(branch.desk_id, "transfer", Decimal(10), to_desk_id=branch.non_cash_id, actor=make.user())

    def back() -> Any:
        return cash.move(branch.non_cash_id, "transfer", Decimal(10), to_desk_id=branch.desk_id, actor=make.user())

    results = together(app, [there, back] * 10)
    assert split_up(results)[1] == []
    balances = session.scalars(select(CashDesk.balance).where(CashDesk.branch_id == branch.id)).all()
    assert balances == [Decimal(500), Decimal(500)]


def test_the_same_payment_key_ten_times_takes_money_once(app: Flask, make: Any, program: Any) -> None:
    from app.models import Payment

    branch, patient = money_of(make)
    pk, key = patient.id, uuid4()
    session.rollback()
    programs = [program("administrator") for _ in range(10)]
    body = {"patient_id": pk, "parts": [{"method": "cash", "amount": "700.00", "desk_id": branch.desk_id}]}
    answers = together(app, [lambda one=one: one.post("payments/", body, key=key) for one in programs])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 9
    assert session.scalar(select(func.count()).select_from(Payment).where(Payment.patient_id == pk)) == 1


def test_twenty_payments_of_one_bill_pay_it_once_and_the_rest_is_an_advance(app: Flask, make: Any) -> None:
    from app.billing import operations as billing
    from app.billing import queries
    from app.models import Payment

    branch, patient = money_of(make)
    doctor, service, director = make.doctor(), make.service("1000"), make.user("director")
    with transaction():
        order = billing.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=branch.id, actor=director
        )
        billing.issue(order.id, actor=director)
    pk, branch_id = patient.id, branch.id
    session.rollback()
    together(
        app,
        [
            lambda: billing.take_payment(
                pk, [{"method": "card", "amount": Decimal(100)}], branch_id=branch_id, actor=make.user()
            )
        ]
        * 20,
    )
    assert (queries.balance_of(pk).debt, queries.balance_of(pk).advance) == (Decimal(0), Decimal(1000))
    numbers = sorted(session.scalars(select(Payment.number).where(Payment.branch_id == branch_id)))
    assert numbers == list(range(1, 21))


def test_twenty_pay_refund_withdraw_reverse_and_close_at_once(app: Flask, make: Any) -> None:
    """A busy evening on one desk: nothing is lost, whoever comes first, and the count of who closes is right."""
    from app.billing import operations as billing
    from app.cash import operations as cash
    from app.errors import CountDiffers
    from app.models import CashDesk, CashMovement, CashShift, ExpenseCategory, FiscalDevice
    from app.reports import queries as reports

    branch, patient = money_of(make)
    entity = {"branch_id": branch.id, "legal_entity_id": branch.legal_entity_id}
    make._save(FiscalDevice(name="ККТ", taxation="usnIncome", **entity))
    category = make._save(ExpenseCategory(name=f"Разом {uuid4()}")).id
    order, payment = _billed(make, branch, patient)
    pk, desk, branch_id = patient.id, branch.desk_id, branch.id
    shift = session.scalar(select(CashShift.id).where(CashShift.desk_id == desk))
    senior, clerk = make.user("senior"), make.user()
    cash_part = [{"method": "cash", "amount": Decimal(100)}]

    def close() -> Any:
        """Counts what is in the drawer now; somebody may have come between, and then it differs."""
        held = session.scalar(select(CashDesk.balance).where(CashDesk.id == desk)) or Decimal(0)
        return cash.close_shift(shift, held, actor=clerk).id

    deeds: list[Callable[[], Any]] = [
        lambda: billing.take_payment(pk, cash_part, branch_id=branch_id, actor=clerk).id,
        lambda: billing.refund(payment, Decimal(150), "разом", actor=senior).id,
        lambda: cash.move(desk, "withdrawal", Decimal(70), category_id=category, actor=clerk).id,
        lambda: billing.reverse_order(order, "разом", actor=senior).id,
        close,
    ]
    before = {promise.name: reports.breaches(promise) for promise in reports.PROMISES}
    won, lost = split_up(together(app, deeds * 4))
    assert won and {refusal.code for refusal in lost} <= {
        "over_refund", "nothing_to_reverse", "shift_closed", CountDiffers.code,
    }  # fmt: skip
    session.expire_all()
    held = session.scalar(select(CashDesk.balance).where(CashDesk.id == desk))
    assert held == session.scalar(select(func.sum(CashMovement.delta)).where(CashMovement.desk_id == desk))
    closed = session.get_one(CashShift, shift)
    assert closed.closed_at is None or closed.counted == held
    assert {promise.name: reports.breaches(promise) for promise in reports.PROMISES} == before
