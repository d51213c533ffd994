"""The device's drawer: told once of all cash that no receipt tells of, in its order, whatever goes wrong."""

import html
import random
import threading
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import errors
from app.cash import operations as cash
from app.db import db, session, transaction
from app.fiscal import jobs, operations, queries
from app.fiscal.operations.decisions import NOT_COUNTED
from app.models import AuditEvent, Branch, CashDesk, CashMovement, CashShift, FiscalDevice, FiscalReceipt, User
from app.money import shown
from app.reports import queries as reports
from tests.fiscal.conftest import Shop
from tests.messages.test_jobs import until
from tests.test_races import together

(PROMISE,) = [promise for promise in reports.PROMISES if promise.name == "fiscal_drawer_once"]


def words(answer) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def tasks_of(shop) -> list[tuple[str, Decimal, str]]:
    session.expire_all()
    rows = session.query(FiscalReceipt).filter_by(device_id=shop.device_id).order_by(FiscalReceipt.id)
    return [(row.kind, row.amount, row.status) for row in rows]


def counted(shop) -> list[tuple[str, float]]:
    return [(one["task"]["type"], one["task"]["cashSum"]) for one in shop.simulator.device.counted]


def short(shop) -> FiscalReceipt:
    """A withdrawal that the device refuses: somebody took its cash on the device itself."""
    shop.send(shop.move("pay_in", "1000"))
    shop.simulator.device.state["cash"] = 0
    return shop.send(shop.move("collection", "600"))


# --- what is told of


def test_cash_that_comes_and_goes_is_told_of_with_the_movement(shop):
    first = shop.move("pay_in", "5000")
    assert first.body == {
        "type": "cashIn", "operator": {"name": first.body["operator"]["name"]}, "cashSum": 5000.0,
    }  # fmt: skip
    category = _category()
    shop.move("withdrawal", "100", category_id=category)
    shop.move("collection", "200.50")
    shop.move("salary", "300")
    shop.move("correction", "-50")
    shop.move("correction", "70")
    assert [(kind, amount) for kind, amount, _ in tasks_of(shop)] == [
        ("cashIn", Decimal(5000)), ("cashOut", Decimal(100)), ("cashOut", Decimal("200.50")),
        ("cashOut", Decimal(300)), ("cashOut", Decimal(50)), ("cashIn", Decimal(70)),
    ]  # fmt: skip
    shop.carry()
    assert {status for _, _, status in tasks_of(shop)} == {"done"}
    assert shop.simulator.device.state["cash"] == shop.balance() == 441_950
    assert shop.told().drawer == Decimal("4419.50") and shop.told().drawer_at
    assert not reports.breaches(PROMISE)


def _category() -> int:
    with transaction():
        return cash.add_category(f"Расходы {uuid4().hex}", actor=None).id


def test_what_a_count_finds_is_told_of(shop):
    shop.move("pay_in", "1000")
    desk = shop.make.user()
    shift = session.query(CashShift).filter_by(desk_id=shop.branch.desk_id, closed_at=None).one()
    with transaction():
        cash.close_shift(shift.id, Decimal(990), reason="Недостача", actor=desk)
    with transaction():
        cash.open_shift(shop.branch.desk_id, Decimal(995), reason="Нашлось", actor=desk)
    assert [(kind, amount) for kind, amount, _ in tasks_of(shop)] == [
        ("cashIn", Decimal(1000)), ("cashOut", Decimal(10)), ("cashIn", Decimal(5)),
    ]  # fmt: skip
    shop.carry()
    assert shop.simulator.device.state["cash"] == shop.balance() == 99_500


def test_a_mistake_is_told_back(shop):
    movement = shop.move("pay_in", "1000").movement_id
    with transaction():
        cash.reverse(movement, "Ошибка", actor=shop.make.user())
    assert [(kind, amount) for kind, amount, _ in tasks_of(shop)] == [
        ("cashIn", Decimal(1000)), ("cashOut", Decimal(1000)),
    ]  # fmt: skip
    shop.carry()
    assert shop.simulator.device.state["cash"] == 0 and not reports.breaches(PROMISE)


def test_a_transfer_leaves_one_device_and_comes_to_the_other(shop, simulator):
    """Two branches of one organisation, each with its drawer and its device."""
    entity = shop.branch.legal_entity_id
    with transaction():
        branch = Branch(name="Второй филиал", legal_entity_id=entity)
        session.add(branch)
        session.flush()
        other = CashDesk(name="Касса 2", kind="main", branch_id=branch.id, legal_entity_id=entity)
        device = FiscalDevice(name="ККТ 2", legal_entity_id=entity, branch_id=branch.id, address=f"{simulator.url}/2")
        session.add_all([other, device])
        session.flush()
        cash.open_shift(other.id, Decimal(0), actor=shop.make.user())
        there, device_id = other.id, device.id
    shop.move("pay_in", "1000")
    left = shop.move("transfer", "400", to_desk_id=there)
    came = session.query(FiscalReceipt).filter_by(device_id=device_id).one()
    assert (left.kind, left.device_id, came.kind, came.amount) == ("cashOut", shop.device_id, "cashIn", Decimal(400))
    shop.carry()
    jobs.send(came.id)
    assert (shop.simulator.device.state["cash"], simulator.one("2").state["cash"]) == (60_000, 40_000)
    with transaction():
        cash.reverse(left.movement_id, "Не туда", actor=shop.make.user())
    shop.carry()
    jobs.sweep()
    jobs.send(session.query(FiscalReceipt).filter_by(device_id=device_id, kind="cashOut").one().id)
    assert (shop.simulator.device.state["cash"], simulator.one("2").state["cash"]) == (100_000, 0)
    assert not reports.breaches(PROMISE)


def test_a_transfer_between_two_drawers_of_one_device_changes_nothing_in_it(shop):
    with transaction():
        safe = CashDesk(
            name="Сейф", kind="additional", branch_id=shop.branch.id, legal_entity_id=shop.branch.legal_entity_id
        )
        session.add(safe)
        session.flush()
        cash.open_shift(safe.id, Decimal(0), actor=shop.make.user())
        safe_id = safe.id
    shop.move("pay_in", "1000")
    shop.move("transfer", "400", to_desk_id=safe_id)
    shop.carry()
    assert counted(shop) == [("cashIn", 1000.0), ("cashOut", 400.0), ("cashIn", 400.0)]
    (drawer,) = queries.drawers(shop.branch.legal_entity_id, shop.branch.id)
    assert (drawer.told, drawer.desks, drawer.difference) == (1000, 1000, 0)


def test_what_is_no_cash_or_has_a_receipt_is_not_told_of(shop):
    shop.pay(shop.bill().patient_id, ("cash", "1000"))
    shop.give_back(shop.last, "100")
    with transaction():
        cash.move(shop.branch.non_cash_id, "pay_in", Decimal(500), actor=shop.make.user())
        cash.move(shop.branch.non_cash_id, "salary", Decimal(50), comment="x", actor=shop.make.user())
    assert [kind for kind, _, _ in tasks_of(shop)] == ["sell", "sellReturn"]


def test_without_a_device_nobody_is_told(shop):
    with transaction():
        session.get_one(FiscalDevice, shop.device_id).archived = True
    with transaction():
        cash.move(shop.branch.desk_id, "pay_in", Decimal(500), actor=shop.make.user())
    assert tasks_of(shop) == [] and not reports.breaches(PROMISE)


def test_a_refused_movement_leaves_no_task(shop):
    with pytest.raises(errors.NotEnoughCash):
        shop.move("salary", "1")
    assert tasks_of(shop) == []


# --- carried to the device


def test_a_pay_in_goes_before_the_refund_that_needs_it(shop):
    """The device was off: whatever job comes first, its drawer has the cash when the return is printed."""
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    out = shop.move("collection", "1000")
    came = shop.move("pay_in", "1000")
    back = shop.give_back(shop.last, "1000")
    assert [shop.send(one).status for one in (back, came)] == ["planned", "planned"]
    for one in (out, back, came, back):
        shop.send(one)
    assert shop.of(id=back.id).status == "done" and shop.simulator.device.state["cash"] == 0
    assert [one["task"]["type"] for one in shop.simulator.device.papers] == ["sell", "cashOut", "cashIn", "sellReturn"]


@pytest.mark.parametrize("fault", ["lost_answer", "error500", "offline", "no_paper"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_counted_once_whatever_goes_wrong_at_any_step(shop, fault, step):
    shop.send(shop.move("pay_in", "1000"))
    device, task = shop.simulator.device, shop.move("collection", "300")
    device.fault(fault, step)
    for _ in range(8):
        task = shop.send(task)
        assert len(device.counted) <= 2
    assert task.status == "done" and len(device.counted) == 2
    assert device.state["cash"] == shop.balance() == 70_000


@pytest.mark.parametrize("fault", ["hang", "blocked"])
def test_a_device_that_stands_is_told_once(shop, fault):
    shop.send(shop.move("pay_in", "1000"))
    device, task = shop.simulator.device, shop.move("pay_in", "1")
    device.fault(fault)
    for _ in range(3):
        task = shop.send(task)
        assert task.status in ("unknown", "planned") and task.error in (jobs.HANGS, jobs.BLOCKED)
    device.fault("")
    for _ in range(3):
        task = shop.send(task)
    assert task.status == "done" and device.state["cash"] == 100_100


def test_the_paper_ran_out(shop, client_of):
    shop.send(shop.move("pay_in", "1000"))
    shop.simulator.device.fault("no_paper")
    task = shop.send(shop.move("salary", "300"))
    assert (task.status, task.error, task.round) == ("planned", jobs.NO_PAPER, 1)
    assert "вставьте новый рулон" in words(client_of("administrator").get("/fiscal/"))
    assert "ККТ не учла в ящике 1 операцию" in words(client_of("administrator").get("/cash/"))
    shop.simulator.device.fault("")
    assert shop.send(task).status == "done" and shop.simulator.device.state["cash"] == 70_000


def test_a_worker_that_died_after_telling_tells_no_second_time(shop, app, monkeypatch):
    shop.send(shop.move("pay_in", "1000"))
    task = shop.move("pay_in", "5")
    with transaction():
        claim = operations.claim(task.id, timedelta(seconds=60))
    jobs.kkt(claim.device_id).add(claim.uuid, claim.body)
    assert shop.send(task).status == "sending"  # not stale yet: nobody else touches it
    monkeypatch.setitem(app.config, "KKT_STALE_SECONDS", 0.0)
    assert shop.send(task).status == "done"
    assert shop.simulator.device.state["cash"] == 100_500


def test_a_worker_that_woke_up_late_marks_nothing(shop):
    """Its claim was taken over by another, which is still at it: what the first brings comes to nothing."""
    task = shop.move("pay_in", "5")
    with transaction():
        late = operations.claim(task.id, timedelta(seconds=60))
    with transaction():
        mine = operations.claim(task.id, timedelta())
    assert mine.ask_first and mine.uuid == late.uuid
    with transaction():
        operations.mark_failed(late, "?")
        operations.mark_counted(late, 1)
    assert (shop.of(id=task.id).status, shop.told().drawer) == ("sending", None)
    with transaction():
        operations.mark_counted(mine, 500)
    assert (shop.of(id=task.id).status, shop.told().drawer) == ("done", 5)


def test_the_same_uuid_twice_is_counted_once(shop):
    task = shop.send(shop.move("pay_in", "1000"))
    kkt = jobs.kkt(shop.device_id)
    kkt.add(str(task.uuid), task.body)
    assert kkt.outcome(str(task.uuid)).done
    assert shop.simulator.device.state["cash"] == 100_000


def test_a_shift_that_is_over_is_closed_first(shop):
    shop.send(shop.move("pay_in", "1000"))
    shop.simulator.device.age(24)
    assert shop.send(shop.move("pay_in", "5")).status == "done"
    assert shop.simulator.device.state["shift"]["number"] == 2 and shop.simulator.device.state["cash"] == 100_500


def test_the_shift_expires_under_a_task(shop, monkeypatch):
    """The device was asked a moment before its 24 hours were over: the next try is a new task."""
    shop.send(shop.move("pay_in", "1000"))
    task = shop.move("pay_in", "5")
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_open_shift", lambda *_: shop.simulator.device.age(24))
        task = shop.send(task)
    assert (task.status, task.round) == ("planned", 1)
    assert shop.send(task).status == "done" and shop.simulator.device.state["cash"] == 100_500


# --- the device disagrees


def test_a_device_that_has_less_says_so_and_receipts_go_on(shop, client_of):
    task = short(shop)
    assert (task.status, task.error) == ("failed", "Недостаточно наличных в денежном ящике")
    assert shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000"))).status == "done"
    senior = client_of("senior")
    page = words(senior.get("/fiscal/"))
    assert "Чеки этого не ждут" in page and "Инкассация" in page and "Не учтено" in page
    assert words(senior.get(f"/fiscal/{task.id}")).count("Оставить как есть") == 1
    assert senior.post(f"/fiscal/{task.id}/retry").status_code == 303  # the sale brought cash
    assert shop.send(task).status == "done" and shop.simulator.device.state["cash"] == 40_000


def test_the_switch_of_a_short_drawer(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.fault("no_cash")
    assert shop.send(shop.move("collection", "1")).status == "failed"
    assert shop.send(shop.give_back(shop.last, "10")).status == "failed"
    assert shop.send(shop.move("pay_in", "1")).status == "done"
    assert shop.send(shop.pay(shop.bill().patient_id, ("card", "1000"))).status == "done"


def test_it_is_left_as_it_is(shop, client_of):
    task = short(shop)
    at = f"/fiscal/{task.id}/leave"
    for who in ("administrator", "doctor", "sysadmin"):
        assert client_of(who).post(at).status_code == 403, who
    assert shop.of(id=task.id).status == "failed"
    senior = client_of("senior")
    assert senior.post(at).status_code == 303
    assert shop.of(id=task.id).status == "left" and senior.post(at).status_code == 409
    assert senior.post("/fiscal/999999/leave").status_code == 404
    assert session.query(AuditEvent).filter_by(action="fiscal.left", object_id=task.id).count() == 1
    assert "Оставлено как есть" in words(senior.get("/fiscal/?all=1"))
    assert shop.send(task).status == "left"
    with pytest.raises(errors.NotAllowed), transaction():
        operations.retry(task.id, actor=shop.make.user("senior"))
    assert not reports.breaches(PROMISE)


def test_only_what_was_certainly_not_counted_is_left(shop):
    senior = shop.make.user("senior")
    receipt, done = shop.pay(shop.bill().patient_id, ("cash", "1000")), shop.move("pay_in", "5")
    shop.carry()
    maybe = shop.move("pay_in", "7")
    with transaction():
        operations.mark_unknown(operations.claim(maybe.id, timedelta(seconds=60)), "?")
    for pk in (receipt.id, done.id, maybe.id):
        with pytest.raises(errors.WrongStatus), transaction():
            operations.leave(pk, actor=senior)


@pytest.fixture
def stuck(shop):
    """Cash of which nobody knows whether the device counted it, and a receipt behind it."""
    first, second = shop.move("pay_in", "1000"), shop.pay(shop.bill().patient_id, ("cash", "1000"))
    with transaction():
        operations.mark_unknown(operations.claim(first.id, timedelta(seconds=60)), "?")
    assert shop.send(second).status == "planned"
    return shop.of(id=first.id), second


def test_somebody_saw_the_slip(shop, stuck, client_of):
    first, second = stuck
    at = f"/fiscal/{first.id}/decide"
    for who in ("administrator", "doctor", "sysadmin"):
        assert client_of(who).post(at, data={"printed": "1"}).status_code == 403, who
    senior = client_of("senior")
    assert "Посмотрите, вышел ли из неё документ" in words(senior.get(f"/fiscal/{first.id}"))
    assert senior.post(at, data={"printed": "1"}).status_code == 303
    assert shop.of(id=first.id).status == "done" and senior.post(at, data={"printed": "1"}).status_code == 409
    assert shop.send(second).status == "done" and len(shop.simulator.device.counted) == 0


def test_somebody_saw_that_no_slip_came(shop, stuck, client_of):
    first, second = stuck
    assert client_of("senior").post(f"/fiscal/{first.id}/decide").status_code == 303
    failed = shop.of(id=first.id)
    assert (failed.status, failed.error) == ("failed", NOT_COUNTED) and operations.can_be_left(failed)
    assert shop.send(second).status == "done"
    with transaction():
        operations.retry(first.id, actor=shop.make.user("senior"))
    assert shop.send(first).status == "done" and shop.simulator.device.state["cash"] == shop.balance() == 200_000


def test_a_receipt_is_not_decided_without_its_numbers(shop):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    with transaction():
        operations.mark_unknown(operations.claim(receipt.id, timedelta(seconds=60)), "?")
    with pytest.raises(errors.NotFound), transaction():
        operations.decide_counted(receipt.id, actor=shop.make.user("senior"))


# --- what it counts, beside the desks


def test_closing_the_shift_one_sees_what_the_device_counts(shop, client_of):
    shift = session.query(CashShift).filter_by(desk_id=shop.branch.desk_id, closed_at=None).one().id
    desk = client_of("administrator")
    assert "В ящике ККТ" in (page := words(desk.get(f"/cash/shifts/{shift}/close"))) and "пока неизвестно" in page
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    page = words(desk.get(f"/cash/shifts/{shift}/close"))
    assert f"{shown(Decimal(1000))} ₽" in page and "По счётчику ККТ" not in page
    shop.move("pay_in", "5")
    assert "У ККТ ещё 1 задание" in words(desk.get(f"/cash/shifts/{shift}/close"))
    shop.carry()
    shop.simulator.device.state["cash"] = 30_000  # somebody took it out on the device itself
    jobs.look()
    page = words(desk.get(f"/cash/shifts/{shift}/close"))
    assert f"По счётчику ККТ в её ящике {shown(Decimal(300))} ₽, а в кассах филиала {shown(Decimal(1005))} ₽" in page
    assert f"{shown(Decimal(300))} ₽" in words(desk.get("/fiscal/"))


def test_a_card_does_not_touch_the_drawer(shop):
    shop.send(shop.move("pay_in", "5"))
    asked = len(shop.simulator.device.tasks)
    shop.send(shop.pay(shop.bill().patient_id, ("card", "1000")))
    assert shop.told().drawer == 5 and len(shop.simulator.device.tasks) == asked + 2  # the shift, the receipt


def test_a_device_that_does_not_tell_of_its_drawer_is_no_trouble(shop, monkeypatch, client_of):
    """An old one knows no getCashDrawerStatus."""
    monkeypatch.delattr("app.gateways.kkt.device.Device._getCashDrawerStatus")
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    jobs.look()
    assert (shop.told().drawer, shop.told().problem, shop.told().shift_state) == (None, "", "opened")
    assert "пока неизвестно" in words(client_of("administrator").get("/fiscal/"))


# --- levelled with the desks


def test_a_new_device_is_told_what_the_desks_hold(shop, client_of):
    shop.move("pay_in", "1000")
    shop.carry()
    shop.simulator.device.state["cash"] = 12_345
    jobs.look()
    for who in ("administrator", "doctor", "sysadmin"):
        assert client_of(who).post(f"/fiscal/devices/{shop.device_id}/level").status_code == 403, who
    senior = client_of("senior")
    assert senior.post("/fiscal/devices/999999/level").status_code == 404
    assert "Выровнять ящик ККТ с кассами" in words(senior.get("/fiscal/"))
    for _ in range(2):
        assert senior.post(f"/fiscal/devices/{shop.device_id}/level").status_code == 303
    assert "будет выровнен с кассами, когда" in words(senior.get("/fiscal/"))
    for _ in range(3):
        jobs.level(shop.device_id)
    assert tasks_of(shop)[1:] == [("cashIn", Decimal("876.55"), "planned")] and not shop.told().levelling_by
    assert "Выравнивание с кассами" in words(senior.get("/fiscal/"))
    shop.carry()
    assert shop.simulator.device.state["cash"] == shop.balance() == 100_000
    page = words(senior.get("/fiscal/"))
    assert "столько же, сколько в кассах" in page and "Выровнять" not in page
    assert not reports.breaches(PROMISE)


def test_who_may_not_leave_or_level_is_refused_by_the_deed_itself(shop):
    task = short(shop)
    for who in ("administrator", "doctor", "sysadmin"):
        with pytest.raises(errors.NotAllowed), transaction():
            operations.leave(task.id, actor=shop.make.user(who))
        with pytest.raises(errors.NotAllowed), transaction():
            operations.ask_to_level(shop.device_id, actor=shop.make.user(who))
    assert shop.of(id=task.id).status == "failed" and not shop.told().levelling_by


def test_too_much_in_the_device_is_counted_out(shop):
    shop.simulator.device.state["cash"] = 500
    level(shop)
    assert tasks_of(shop) == [("cashOut", Decimal(5), "done")] and shop.simulator.device.state["cash"] == 0
    level(shop)  # nothing differs
    assert len(tasks_of(shop)) == 1 and not shop.told().levelling_by


def level(shop) -> None:
    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
    jobs.level(shop.device_id)
    shop.carry()


def test_it_is_levelled_when_it_has_nothing_else_to_do(shop):
    task = shop.move("pay_in", "1000")
    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
    jobs.level(shop.device_id)
    assert len(tasks_of(shop)) == 1 and shop.told().levelling_by  # the pay-in has to come first
    shop.send(task)
    jobs.level(shop.device_id)
    assert len(tasks_of(shop)) == 1 and not shop.told().levelling_by


def test_cash_that_moves_while_the_device_is_asked_is_not_levelled_away(shop, monkeypatch):
    """A payment came and was printed between the question and the answer: the device is asked again."""
    real = jobs._drawer

    def meanwhile(device, device_id):
        told = real(device, device_id)
        monkeypatch.setattr(jobs, "_drawer", real)
        shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
        return told

    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
    monkeypatch.setattr(jobs, "_drawer", meanwhile)
    jobs.level(shop.device_id)
    assert shop.told().levelling_by and [kind for kind, _, _ in tasks_of(shop)] == ["sell"]
    jobs.level(shop.device_id)
    assert not shop.told().levelling_by and len(tasks_of(shop)) == 1


@pytest.mark.parametrize("fault", ["offline", "hang", "lost_answer", "error500"])
def test_a_device_that_does_not_answer_is_levelled_later(shop, fault):
    shop.move("pay_in", "1000")
    shop.carry()
    shop.simulator.device.state["cash"] = 0
    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
    shop.simulator.device.fault(fault)
    jobs.level(shop.device_id)
    assert shop.told().levelling_by and shop.told().problem
    shop.simulator.device.fault("")
    for _ in range(3):
        jobs.level(shop.device_id)
    shop.carry()
    assert shop.simulator.device.state["cash"] == 100_000 and len(tasks_of(shop)) == 2


def test_a_device_that_was_archived_meanwhile_is_not_levelled(shop):
    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
        shop.told().archived = True
    shop.simulator.device.state["cash"] = 777
    jobs.level(shop.device_id)
    assert tasks_of(shop) == []
    with pytest.raises(errors.NotFound), transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))


# --- at once


def test_ten_people_pay_in_at_once(shop, app):
    desk, director = shop.branch.desk_id, shop.make.user("director").id

    def pay(amount: int):
        return lambda: cash.move(desk, "pay_in", Decimal(amount), actor=session.get(User, director)).id

    together(app, [pay(amount) for amount in range(1, 11)])
    rows = session.query(FiscalReceipt).filter_by(device_id=shop.device_id).order_by(FiscalReceipt.id).all()
    assert len(rows) == 10 and [row.movement_id for row in rows] == sorted(row.movement_id for row in rows)
    shop.carry()
    assert shop.simulator.device.state["cash"] == shop.balance() == 5500 and len(counted(shop)) == 10


def test_ten_workers_carry_one_task(shop, app):
    """Each of them would hand it over; one has the claim."""
    task, gate = shop.move("pay_in", "1000").id, threading.Barrier(10)

    def carry():
        with app.app_context():
            gate.wait()
            jobs.send(task)
            session.remove()

    workers = [threading.Thread(target=carry) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert shop.of(id=task).status == "done" and counted(shop) == [("cashIn", 1000.0)]
    assert sum(one["task"]["type"] == "cashIn" for one in shop.simulator.device.tasks) == 1


def test_ten_workers_claim_one_task(shop, app):
    task = shop.move("pay_in", "1000").id
    claims = together(app, [lambda: operations.claim(task, timedelta(seconds=60))] * 10)
    assert sum(claim is not None for claim in claims) == 1


def test_nobody_leaves_what_a_worker_takes(shop, app):
    """The worker has it and has not committed yet: whoever leaves it waits, and is refused."""
    task, senior, refused = shop.move("pay_in", "1").id, shop.make.user("senior").id, []

    def leave():
        with app.app_context():
            try:
                with transaction():
                    operations.leave(task, actor=session.get(User, senior))
            except errors.WrongStatus as refusal:
                refused.append(refusal)
            session.remove()

    def is_waiting() -> bool:
        with db.engine.connect() as other:
            asked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return bool(other.scalar(text(asked)))

    person = threading.Thread(target=leave)
    with transaction():
        assert operations.claim(task, timedelta(seconds=60))
        person.start()
        until(is_waiting)
    person.join()
    assert refused and shop.of(id=task).status == "sending"


def test_levelling_and_a_desk_at_once(shop, app):
    """Cash that moves while the two are levelled is told of by itself, or the levelling comes again."""
    director = shop.make.user("director").id
    with transaction():
        operations.ask_to_level(shop.device_id, actor=shop.make.user("senior"))
    shop.simulator.device.state["cash"] = 777
    since, desk = queries.rest_of(shop.device_id), shop.branch.desk_id

    def pay():
        return cash.move(desk, "pay_in", Decimal(10), actor=session.get(User, director)).id

    together(app, [pay, lambda: operations.level(shop.device_id, 777, since), pay])
    shop.carry()
    jobs.level(shop.device_id)
    shop.carry()
    assert shop.simulator.device.state["cash"] == shop.balance() == 2000 and not shop.told().levelling_by


# --- the last lock


def test_what_the_device_was_told_stays(shop):
    done, planned = shop.send(shop.move("pay_in", "1000")), shop.move("pay_in", "5")
    left = short(shop)
    with transaction():
        operations.leave(left.id, actor=shop.make.user("senior"))
    for statement in (
        f"UPDATE fiscal_receipt SET status = 'planned' WHERE id = {done.id}",
        f"UPDATE fiscal_receipt SET status = 'failed' WHERE id = {left.id}",
        f"UPDATE fiscal_receipt SET amount = 6 WHERE id = {planned.id}",
        f"UPDATE fiscal_receipt SET movement_id = NULL WHERE id = {planned.id}",
        f"DELETE FROM fiscal_receipt WHERE id = {planned.id}",
    ):
        with pytest.raises(DBAPIError, match="stays as it is"):
            session.execute(text(statement))
        session.rollback()


@pytest.mark.parametrize(
    ("kind", "amount", "movement", "status", "named"),
    [
        ("cashIn", "delta", "m.id", "planned", "uq_fiscal_receipt_movement"),
        ("cashIn", "delta", "p.id", "planned", "ck_fiscal_receipt_of_its_movement"),
        ("cashIn", "delta + 1", "m.id", "planned", "ck_fiscal_receipt_of_its_movement"),
        ("cashOut", "delta", "m.id", "planned", "ck_fiscal_receipt_of_its_movement"),
        ("sell", "delta", "m.id", "planned", "ck_fiscal_receipt_of_its_movement"),
        ("sell", "delta", "NULL", "planned", "ck_fiscal_receipt_of_one_operation"),
        ("cashIn", "0", "NULL", "planned", "ck_fiscal_receipt_drawer_left"),
        ("cashIn", "delta", "NULL", "replaced", "ck_fiscal_receipt_drawer_left"),
        ("gift", "delta", "NULL", "planned", "ck_fiscal_receipt_kind_known"),
    ],
)
def test_the_database_lets_the_device_be_told_of_nothing_else(shop, kind, amount, movement, status, named):
    told = shop.move("pay_in", "1000").movement_id
    shop.pay(shop.bill().patient_id, ("cash", "1000"))
    paid = session.query(CashMovement).filter_by(desk_id=shop.branch.desk_id, kind="payment").one().id
    with pytest.raises(DBAPIError) as caught:
        session.execute(text(
            "INSERT INTO fiscal_receipt (uuid, device_id, kind, movement_id, amount, body, due_at, status)"
            f" SELECT gen_random_uuid(), {shop.device_id}, '{kind}', {movement}, m.{amount}, '{{}}', now(), '{status}'"
            f" FROM cash_movement m, cash_movement p WHERE m.id = {told} AND p.id = {paid}".replace("m.0", "0")
        ))  # fmt: skip
    session.rollback()
    assert caught.value.orig.diag.constraint_name == named


def test_a_device_of_another_branch_is_not_told(shop, make, simulator):
    task, other = shop.move("pay_in", "1000"), Shop(make, simulator)
    with pytest.raises(DBAPIError, match="told of a movement as it is"):
        session.execute(text(
            "INSERT INTO fiscal_receipt (uuid, device_id, kind, movement_id, amount, body, due_at)"
            f" SELECT gen_random_uuid(), {other.device_id}, kind, movement_id, amount, body, now()"
            f" FROM fiscal_receipt WHERE id = {task.id}"
        ))  # fmt: skip
    session.rollback()


# --- a whole day


@pytest.mark.parametrize("seed", range(3))
def test_after_a_bad_day_the_device_counts_what_the_desk_holds(shop, seed):
    """Money comes and goes, the device fails in every way, jobs come in any order: in the evening both agree."""
    chance, device = random.Random(seed), shop.simulator.device
    shop.move("pay_in", "500")
    paid = []
    for _ in range(25):
        what = chance.choice(
            ["pay", "pay", "card", "pay_in", "collection", "salary", "refund", "fault", "send", "send"]
        )
        amount = Decimal(chance.randint(1, 30_000)) / 100
        try:
            if what in ("pay", "card"):
                shop.pay(shop.make.patient().id, ("cash" if what == "pay" else "card", str(amount)))
                paid.append(shop.last)
            elif what == "refund" and paid:
                shop.give_back(chance.choice(paid), str(amount))
            elif what == "fault":
                device.fault(
                    chance.choice(["no_paper", "offline", "error500", "blocked", "lost_answer", "hang"]),
                    chance.randint(1, 4),
                )
            elif what == "send":
                waiting = session.query(FiscalReceipt.id).filter_by(device_id=shop.device_id).all()
                session.rollback()
                jobs.send(chance.choice(waiting)[0])
            elif what not in ("refund",):
                shop.move(what, str(amount))
        except (errors.NotEnoughCash, errors.OverRefund):
            pass
    device.fault("")
    shop.carry()
    assert {status for _, _, status in tasks_of(shop)} == {"done"}
    assert device.state["cash"] == shop.balance()
    (drawer,) = queries.drawers(shop.branch.legal_entity_id, shop.branch.id)
    assert drawer.difference == 0 and not reports.breaches(PROMISE)
