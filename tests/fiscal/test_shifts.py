"""The device's shift is closed and its totals are compared; corrections; the order of receipts; a device that hangs."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import clock, errors
from app.db import session, transaction
from app.fiscal import jobs, operations
from app.gateways.kkt import atol
from app.gateways.kkt.atol import NoAnswer
from app.gateways.kkt.simulator import running
from app.models import FiscalDevice, FiscalReceipt, FiscalShift
from app.money import shown
from tests.fiscal.conftest import said


def closed(shop, by: str = "administrator") -> FiscalShift:
    """The shift of the device after somebody asked to close it and the worker came."""
    with transaction():
        operations.ask_to_close(shop.device_id, actor=shop.make.user(by))
    jobs.close_shift(shop.device_id)
    session.expire_all()
    return session.query(FiscalShift).filter_by(device_id=shop.device_id).order_by(FiscalShift.id.desc()).first()


def device_of(shop) -> FiscalDevice:
    session.expire_all()
    return session.get_one(FiscalDevice, shop.device_id)


def test_the_totals_agree(shop):
    patient = shop.bill().patient_id
    shop.send(shop.pay(patient, ("cash", "400"), ("card", "600")))
    shop.send(shop.give_back(shop.last, "250"))
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "300")))  # 700 on credit
    shift = closed(shop)
    sums = {"count": 2, "sum": 200_000, "cash": 70_000, "electronically": 60_000, "prepaid": 0, "credit": 70_000}
    assert shift.told == shift.counted and shift.told["sell"] == sums
    assert shift.told["sellReturn"]["sum"] == 25_000 and shift.document and shift.closed_at
    assert device_of(shop).shift_state == "closed" and not device_of(shop).closing_by
    jobs.close_shift(shop.device_id)  # nobody asked
    assert session.query(FiscalShift).filter_by(device_id=shop.device_id).count() == 1


def test_a_receipt_made_on_the_device_by_hand_is_a_difference(shop, client_of):
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    kkt = jobs.kkt(shop.device_id)
    kkt.add("by-hand", receipt.body)
    assert kkt.outcome("by-hand").done
    shift = closed(shop)
    assert (shift.told["sell"]["sum"], shift.counted["sell"]["sum"]) == (200_000, 100_000)
    page = client_of("director").get("/fiscal/").text
    assert shown(Decimal(2000)) in page and shown(Decimal(1000)) in page and "Расхождение" in page
    for broken in ("UPDATE fiscal_shift SET counted = told", "DELETE FROM fiscal_shift"):
        with pytest.raises(DBAPIError, match="stays as it is"):
            session.execute(text(broken))
        session.rollback()


def test_a_shift_of_a_day_ago_is_closed_with_its_totals(shop):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.age(24)
    assert shop.send(shop.pay(shop.bill().patient_id, ("cash", "500"))).shift_number == 2
    (shift,) = session.query(FiscalShift).filter_by(device_id=shop.device_id)
    assert shift.number == 1 and shift.told == shift.counted and shift.closed_at


@pytest.mark.parametrize("step", (1, 2, 3, 4, 5, 6))
@pytest.mark.parametrize("fault", ["lost_answer", "offline", "no_paper"])
def test_one_close_whatever_goes_wrong(shop, fault, step):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    device = shop.simulator.device
    with transaction():
        operations.ask_to_close(shop.device_id, actor=shop.make.user())
    device.fault(fault, step)
    for _ in range(10):
        jobs.close_shift(shop.device_id)
    jobs.look()
    assert not device_of(shop).closing_by and device.shift_state() == "closed"
    (shift,) = session.query(FiscalShift).filter_by(device_id=shop.device_id)
    assert shift.closed_at and shift.told == shift.counted and shift.told["sell"]["sum"] == 100_000
    assert sum(one["task"]["type"] == "closeShift" and one["status"] == "ready" for one in device.tasks) == 1


def test_the_worker_died_after_the_close(shop, monkeypatch):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    with transaction():
        operations.ask_to_close(shop.device_id, actor=shop.make.user())
    with monkeypatch.context() as patch:
        patch.setattr(operations, "mark_closed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            jobs.close_shift(shop.device_id)
    session.rollback()
    jobs.close_shift(shop.device_id)
    (shift,) = session.query(FiscalShift).filter_by(device_id=shop.device_id)
    assert shift.closed_at and shift.document and shift.told["sell"]["sum"] == 100_000


def test_who_closes_and_corrects(shop, client_of):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    at = f"/fiscal/{receipt.id}/correct"
    assert client_of("doctor").post(f"/fiscal/devices/{shop.device_id}/close").status_code == 403
    assert client_of("administrator").post(at, data={"kind": "self", "day": "2026-01-01"}).status_code == 403
    assert client_of("administrator").post(f"/fiscal/devices/{shop.device_id}/close").status_code == 303
    assert device_of(shop).closing_by
    assert client_of("administrator").post("/fiscal/devices/999999/close").status_code == 404


# --- corrections


def refused_receipt(shop) -> FiscalReceipt:
    """A return that the device refuses: its drawer is empty."""
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.state["cash"] = 0
    return shop.send(shop.give_back(shop.last, "1000"))


def test_a_correction_takes_the_place_of_what_was_not_printed(shop, client_of):
    old = refused_receipt(shop)
    senior = client_of("senior")
    page = senior.get(f"/fiscal/{old.id}").text
    assert "Оформить чек коррекции" in page and shown(Decimal(1000)) in page
    at, day = f"/fiscal/{old.id}/correct", clock.today()
    for wrong in ({"kind": "instruction", "day": day}, {"kind": "self"}, {"kind": "x", "day": day},
                  {"kind": "self", "day": day + timedelta(days=1)}, {"kind": "self", "day": "вчера"}):  # fmt: skip
        assert senior.post(at, data=wrong).status_code == 422
    answer = senior.post(at, data={"kind": "self", "day": day, "number": "Акт 7"})
    new = shop.of(corrects_id=old.id)
    assert answer.status_code == 303 and answer.location.endswith(f"/fiscal/{new.id}")
    assert (new.kind, new.refund_id, said(new).items) == ("sellReturnCorrection", old.refund_id, said(old).items)
    assert (new.body["correctionType"], new.body["correctionBaseNumber"]) == ("self", "Акт 7")
    ground = senior.get(answer.location).text
    assert f"Акт 7, {day:%d.%m.%Y}" in ground and f"{day:%Y.%m.%d}" not in ground
    assert new.body["correctionBaseDate"] == f"{day:%Y.%m.%d}" and shop.of(id=old.id).status == "replaced"
    shop.simulator.device.state["cash"] = 100_000
    assert shop.send(new).status == "done" and shop.send(old).status == "replaced"
    assert senior.post(at, data={"kind": "self", "day": day}).status_code == 422
    with pytest.raises(errors.NotAllowed), transaction():
        operations.retry(old.id, actor=shop.make.user("senior"))


@pytest.mark.parametrize("status", ["done", "unknown", "sending"])
def test_what_is_or_may_be_printed_is_not_corrected(shop, status):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    if status == "done":
        shop.send(receipt)
    else:
        with transaction():
            claim = operations.claim(receipt.id, timedelta(seconds=60))
            if status == "unknown":
                operations.mark_unknown(claim, "?")
    with pytest.raises(errors.NotCorrectable), transaction():
        operations.correct(receipt.id, kind="self", day=clock.today(), number="", actor=shop.make.user("director"))


def test_ten_people_make_one_correction(shop, app):
    old = refused_receipt(shop).id
    director = shop.make.user("director").id
    start, came = threading.Barrier(10), []

    def run() -> None:
        from app.models import User

        with app.app_context():
            start.wait()
            try:
                with transaction():
                    operations.correct(
                        old, kind="self", day=clock.today(), number="", actor=session.get(User, director)
                    )
                came.append("corrected")
            except errors.NotCorrectable:
                came.append("refused")
            finally:
                session.remove()

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["corrected"] + ["refused"] * 9
    assert session.query(FiscalReceipt).filter_by(corrects_id=old).count() == 1


def test_the_database_lets_nothing_printed_be_corrected(shop):
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    with pytest.raises(DBAPIError, match="never printed"):
        session.execute(text(
            "INSERT INTO fiscal_receipt (uuid, device_id, kind, payment_id, amount, body, due_at, corrects_id, status)"
            " SELECT gen_random_uuid(), device_id, 'sellCorrection', payment_id, amount, body, now(), id, 'planned'"
            f" FROM fiscal_receipt WHERE id = {receipt.id}"
        ))  # fmt: skip
    session.rollback()


# --- in order, and without heaping up


def test_receipts_of_a_device_go_in_their_order(shop):
    """An outage: what was written first is printed first, however the jobs come."""
    first, second, third = (shop.pay(shop.bill().patient_id, ("cash", str(sum_))) for sum_ in (100, 200, 300))
    device = shop.simulator.device
    device.fault("offline", 1)
    assert shop.send(first).status in ("planned", "unknown")
    assert [shop.send(one).status for one in (third, second)] == ["planned", "planned"]
    assert {first.id, second.id, third.id} & set(operations.due(clock.now(), jobs._stale())) == {first.id}
    for one in (first, third, second, third):
        shop.send(one)
    assert [one["task"]["payments"][0]["sum"] for one in shop.printed()] == [100.0, 200.0, 300.0]


def test_what_waits_for_a_person_holds_nobody_up(shop):
    stuck = refused_receipt(shop)
    assert stuck.status == "failed"
    assert shop.send(shop.pay(shop.bill().patient_id, ("card", "1000"))).status == "done"


def test_a_task_that_the_server_does_not_understand_waits_for_a_person(shop, monkeypatch):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    add = atol.Kkt.add

    def refusing(self, uuid, task):
        if task["type"] == "sell":
            raise atol.Refused("Неверный формат", 400)
        return add(self, uuid, task)

    monkeypatch.setattr(atol.Kkt, "add", refusing)
    receipt = shop.send(receipt)
    assert (receipt.status, receipt.error) == ("failed", "Неверный формат")


def test_a_device_that_hangs_is_asked_one_thing(shop):
    device = shop.simulator.device
    device.fault("hang")
    for _ in range(5):
        jobs.look()
    assert len(device.tasks) == 1 and device_of(shop).problem == jobs.HANGS
    device.fault("")
    jobs.look()
    assert not device_of(shop).problem and device_of(shop).shift_state == "closed"


def test_a_question_that_a_new_device_never_heard_of_is_forgotten(shop, tmp_path):
    """The device was replaced while it was asked."""
    shop.simulator.device.fault("hang")
    jobs.look()
    with running(tmp_path / "other.json") as other:
        with transaction():
            device_of(shop).address = other.url
        jobs.look()
        assert device_of(shop).shift_state == "closed" and not device_of(shop).pending


def test_an_hour_without_the_device(shop, app, monkeypatch):
    """Six payments while it was off; the minute it is back all are printed, once, in their order."""
    device, start = shop.simulator.device, clock.now()
    device.fault("offline")
    monkeypatch.setattr(jobs, "enqueue", lambda *_, **__: True)
    mine = []
    for minute in range(0, 60, 10):
        with clock.at(start + timedelta(minutes=minute)):
            mine.append(shop.pay(shop.bill().patient_id, ("cash", f"{100 + minute}")).id)
            for pk in mine:
                jobs.send(pk)
    session.expire_all()
    assert not shop.printed() and all(shop.of(id=pk).status in ("planned", "unknown") for pk in mine)
    assert device_of(shop).problem
    device.fault("")
    with clock.at(start + timedelta(minutes=61)):
        while (following := operations.next_of(shop.device_id)) is not None:
            session.rollback()
            jobs.send(following)
    assert [one["task"]["payments"][0]["sum"] for one in shop.printed()] == [
        100.0 + minute for minute in range(0, 60, 10)
    ]


def test_one_address_of_the_settings_leads_to_each_device(shop, app, monkeypatch):
    monkeypatch.setitem(app.config, "KKT_URL", "http://127.0.0.1:16732/{device}")
    assert jobs.kkt(shop.device_id).url == shop.simulator.url
    with transaction():
        device_of(shop).address = ""
    assert jobs.kkt(shop.device_id).url == f"http://127.0.0.1:16732/{shop.device_id}"


def test_only_what_was_handed_over_may_be_printed(shop, monkeypatch):
    """A device that goes away before the receipt was handed over has not printed it."""
    device, add = shop.simulator.device, atol.Kkt.add
    device.fault("offline")
    receipt = shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    assert (receipt.status, receipt.error) == ("planned", atol.NO_ANSWER)
    device.fault("")

    def lost(self, uuid, task):
        taken = add(self, uuid, task)
        if task["type"] == "sell":
            raise NoAnswer(atol.NO_ANSWER)
        return taken

    monkeypatch.setattr(atol.Kkt, "add", lost)
    receipt = shop.send(receipt)
    assert (receipt.status, receipt.error) == ("unknown", jobs.MAYBE_PRINTED)
    assert device_of(shop).problem == atol.NO_ANSWER


def test_a_closed_shift_is_not_shown_as_open(shop, client_of):
    """Closed by the next receipt after a day: the page tells of the new one at once, not at the next look."""
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    jobs.look()
    shop.simulator.device.age(24)
    with transaction():
        device_of(shop).shift_expires_at = clock.now() + timedelta(minutes=42)
    assert "№ 1 открыта, осталось 0 ч 4" in client_of("senior").get("/fiscal/").text
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "500")))
    page = client_of("senior").get("/fiscal/").text
    assert "№ 1 открыта" not in page and "№ 2 открыта" in page


def test_the_cash_desk_warns_of_a_device_that_stops_soon(shop, client_of):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    jobs.look()
    at, desk = f"/cash/?desk={shop.branch.desk_id}", client_of("senior")
    assert "Смена ККТ" not in desk.get(at).text
    with transaction():
        device_of(shop).shift_expires_at = clock.now() + timedelta(minutes=90, seconds=30)
    assert "Смена ККТ № 1 пробивает чеки ещё 1 ч 30 мин" in desk.get(at).text
    with transaction():
        device_of(shop).shift_expires_at = clock.now() - timedelta(minutes=1)
    assert "Смена ККТ № 1 истекла" in desk.get(at).text


def test_the_task_that_blocks_the_queue_is_named(shop, client_of):
    """A receipt that hangs on the device: whoever comes after it reads which one it is."""
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    receipt = shop.pay(shop.bill().patient_id, ("cash", "777.50"))
    with transaction():
        claim = operations.claim(receipt.id, timedelta(seconds=60))
    shop.simulator.device.fault("hang")
    jobs.kkt(shop.device_id).add(claim.uuid, claim.body)
    jobs.look()
    assert "заданием «Чек прихода» на 777,50 ₽" in device_of(shop).problem
    assert "777,50 ₽ от" in client_of("senior").get("/fiscal/").text
