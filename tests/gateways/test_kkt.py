"""The fiscal device's wire against the simulated device, over real HTTP."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.gateways.kkt import atol, tasks
from app.gateways.kkt.atol import Kkt, NoAnswer, NotTaken
from app.gateways.kkt.simulator import Simulator, running

ITEM = tasks.Item("Пломба", 450_050, 2)


@pytest.fixture
def simulator(tmp_path) -> Iterator[Simulator]:
    with running(tmp_path / "kkt.json") as server:
        yield server


@pytest.fixture
def kkt(simulator) -> Kkt:
    return Kkt(simulator.url)


def sale(kind="sell", paid=None, items=(ITEM,)):
    return tasks.receipt(kind, items, paid or {"cash": 900_100}, taxation="usnIncome", cashier="Смирнова А. П.")


def done(kkt, task):
    uuid = str(uuid4())
    kkt.add(uuid, task)
    outcome = kkt.outcome(uuid)
    while outcome.waiting:
        outcome = kkt.outcome(uuid)
    return outcome


def opened(kkt):
    assert done(kkt, tasks.of_shift("openShift", "Смирнова")).done


def test_a_receipt_has_its_fiscal_numbers(kkt):
    opened(kkt)
    printed = atol.printed(done(kkt, sale()).result)
    assert (printed.total, printed.shift, printed.number, printed.document) == (900_100, 1, 1, 2)
    assert printed.fn and printed.sign and printed.printed_at.tzinfo


def test_the_same_uuid_twice_is_one_receipt(kkt, simulator):
    opened(kkt)
    uuid = str(uuid4())
    for _ in range(2):
        kkt.add(uuid, sale())
        while kkt.outcome(uuid).waiting:
            pass
    assert len(simulator.device.printed) == 1


def test_a_closed_and_an_expired_shift_take_no_receipt(kkt, simulator):
    assert done(kkt, sale()).code == 73
    opened(kkt)
    simulator.device.age(24)
    assert done(kkt, sale()).code == 68
    assert atol.shift(done(kkt, tasks.ask("getShiftStatus")).result).state == "expired"
    assert done(kkt, tasks.of_shift("closeShift", "Смирнова")).done


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (sale(paid={"cash": 100}), 64),
        (sale(paid={"electronically": 900_101}), 65),
        (sale("sellReturn"), 66),
        (tasks.cash("cashOut", 1, "Смирнова"), 66),
    ],
)
def test_the_device_refuses_what_does_not_add_up(kkt, task, code):
    opened(kkt)
    assert done(kkt, task).code == code


def test_totals_and_cash_are_those_of_the_shift(kkt):
    opened(kkt)
    done(kkt, tasks.cash("cashIn", 300_000, "Смирнова"))
    done(kkt, sale())
    done(kkt, sale("sellReturn"))
    done(kkt, sale(paid={"electronically": 900_100}))
    found = atol.totals(done(kkt, tasks.ask("getShiftTotals")).result)
    nothing = {"prepaid": 0, "credit": 0}
    assert found == {
        "sell": {"count": 2, "sum": 1_800_200, "cash": 900_100, "electronically": 900_100, **nothing},
        "sellReturn": {"count": 1, "sum": 900_100, "cash": 900_100, "electronically": 0, **nothing},
    }
    assert atol.not_sent(done(kkt, tasks.ask("ofdExchangeStatus")).result) == 4


def test_the_drawer_is_told_after_each_change_and_when_asked(kkt, simulator):
    assert done(kkt, tasks.cash("cashIn", 100, "Смирнова")).code == 73  # as a receipt, in an open shift
    opened(kkt)
    assert atol.drawer(done(kkt, tasks.cash("cashIn", 300_050, "Смирнова")).result) == 300_050
    assert atol.drawer(done(kkt, tasks.cash("cashOut", 50, "Смирнова")).result) == 300_000
    assert atol.drawer(done(kkt, tasks.ask("getCashDrawerStatus")).result) == 300_000
    assert atol.drawer({}) is None and atol.drawer({"counters": {"cashSum": "много"}}) is None
    simulator.device.fault("no_cash")
    assert done(kkt, tasks.cash("cashOut", 1, "Смирнова")).code == 66
    simulator.device.fault("no_paper", 1)
    assert done(kkt, tasks.cash("cashIn", 1, "Смирнова")).code == atol.NO_PAPER
    simulator.device.age(24)
    assert done(kkt, tasks.cash("cashIn", 1, "Смирнова")).code == 68
    page = requests.get(simulator.url, timeout=5).text
    assert "ВНЕСЕНИЕ" in page and "ВЫПЛАТА" in page and "3000.00" in page


def test_every_misdeed_is_told_apart(kkt, simulator):
    opened(kkt)
    device = simulator.device
    device.fault("no_paper", 1)
    assert done(kkt, sale()).code == atol.NO_PAPER
    device.fault("error500", 1)
    with pytest.raises(NoAnswer):
        kkt.add(str(uuid4()), sale())
    device.fault("lost_answer", 1)
    lost = str(uuid4())
    with pytest.raises(NoAnswer):
        kkt.add(lost, sale())
    assert kkt.outcome(lost) is not None
    device.fault("offline", 1)
    with pytest.raises(NoAnswer):
        kkt.outcome(lost)
    device.fault("hang")
    hung = str(uuid4())
    kkt.add(hung, sale())
    assert [kkt.outcome(hung).status for _ in range(3)] == ["inProgress"] * 3
    assert kkt.add(str(uuid4()), sale()).blocked_by == hung
    assert kkt.outcome(str(uuid4())) is None
    device.fault("blocked")
    assert kkt.outcome(hung).status == "blocked", "what stands in a blocked queue is told from what hangs by itself"
    device.fault("")
    assert kkt.outcome(hung).status == "ready"


def test_nobody_at_the_address_took_nothing(simulator):
    import socket

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NotTaken):
            Kkt(f"http://127.0.0.1:{closed.getsockname()[1]}").add(str(uuid4()), sale())


def test_a_restart_forgets_nothing(tmp_path):
    file = tmp_path / "kkt.json"
    with running(file) as server:
        opened(Kkt(server.url))
        done(Kkt(server.url), sale())
        before = server.device.state
    with running(file) as server:
        assert server.device.state == before


def test_the_paper_and_the_switch_are_on_a_page(kkt, simulator):
    opened(kkt)
    done(kkt, sale(items=[tasks.Item("<script>", 900_100, 1)]))
    page = requests.post(simulator.url + "/faults", {"fault": "no_paper", "page": "1"}, timeout=5).text
    assert "КАССОВЫЙ ЧЕК" in page and "9001.00" in page and "<script>" not in page
    assert simulator.device.state["fault"] == "no_paper"
    assert requests.post(simulator.url + "/faults", {"fault": "fire"}, timeout=5).status_code == 422


@given(st.integers(0, 10**11))
def test_kopecks_survive_the_wire(amount):
    assert tasks.kopecks(tasks.roubles(amount)) == amount


def test_each_branch_has_a_device_of_its_own(simulator, tmp_path):
    """One simulator is many devices: the totals, drawers and pages of one have nothing of another."""
    first, second = Kkt(f"{simulator.url}/1"), Kkt(f"{simulator.url}/2")
    opened(first)
    opened(second)
    first_paper = atol.printed(done(first, sale()).result)
    done(second, sale())
    second_paper = atol.printed(done(second, sale()).result)
    totals = [atol.totals(done(kkt, tasks.ask("getShiftTotals")).result)["sell"]["count"] for kkt in (first, second)]
    assert totals == [1, 2] and first_paper.fn != second_paper.fn
    assert not simulator.device.tasks
    page = requests.get(f"{simulator.url}/1", timeout=5).text
    assert page.count("КАССОВЫЙ ЧЕК") == 1 and 'href="/2"' in page and 'action="/1/faults"' in page
    requests.post(f"{simulator.url}/2/faults", data={"fault": "no_paper"}, timeout=5)
    assert done(first, sale()).done and done(second, sale()).code == atol.NO_PAPER
    with running(tmp_path / "kkt.json") as again:
        assert again.names() == ["1", "2"]
        assert [len(again.one(name).printed) for name in ("", "1", "2")] == [0, 2, 2]


def test_the_paper_shows_the_clinics_clock(simulator):
    with clock.at(datetime(2026, 11, 29, 12, 30)):
        opened(Kkt(simulator.url))
        simulator.device.add("of-noon", sale())
        while simulator.device.poll("of-noon")["status"] != "ready":
            pass
    assert "29.11.2026 12:30" in requests.get(simulator.url, timeout=5).text
