"""The client of SMSC's protocol against the simulator, over HTTP."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from app.gateways.sms import smsc
from app.gateways.sms.simulator import Outbox, Simulator, running


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running() as server:
        yield server


@pytest.fixture
def gateway(simulator: Simulator) -> smsc.Gateway:
    return smsc.Gateway(simulator.url, "clinic", "secret", "Ulybka")


def test_send_and_ask(gateway: smsc.Gateway, simulator: Simulator) -> None:
    assert gateway.status("+79161234567", reference=14) is None
    taken = gateway.send("+79161234567", "ж" * 71, reference=14)
    assert taken == smsc.Taken(parts=2, price=Decimal("8.20"))
    assert gateway.status("+79161234567", reference=14) is not None
    [message] = simulator.outbox.messages
    assert (message["id"], message["phone"], message["sender"]) == (14, "79161234567", "Ulybka")
    assert gateway.balance() == Decimal("9995.90")


def test_the_same_reference_twice_is_seen(gateway: smsc.Gateway, simulator: Simulator) -> None:
    gateway.send("+79161234567", "раз", reference=1)
    gateway.send("+79161234567", "раз", reference=1)
    assert [m["duplicate"] for m in simulator.outbox.messages] == [False, True]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 7, 8, 9, 99])
def test_refusals(gateway: smsc.Gateway, simulator: Simulator, code: int) -> None:
    final = code in (1, 6, 7, 8)
    simulator.outbox.faults = [f"error:{code}"]
    with pytest.raises(smsc.NotTaken) as caught:
        gateway.send("+79161234567", "раз", reference=1)
    assert caught.value.final is final and caught.value.why.endswith((".", "card."))


@pytest.mark.parametrize("fault", ["lost_answer", "nonsense"])
def test_no_answer_is_not_a_refusal(gateway: smsc.Gateway, simulator: Simulator, fault: str) -> None:
    simulator.outbox.faults = [fault]
    with pytest.raises(smsc.NoAnswer):
        gateway.send("+79161234567", "раз", reference=1)
    assert len(simulator.outbox.messages) == 1


def test_a_silent_gateway(gateway: smsc.Gateway, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smsc, "TIMEOUT", (0.2, 0.2))
    simulator.outbox.faults = ["hang_before"]
    with pytest.raises(smsc.NoAnswer):
        gateway.send("+79161234567", "раз", reference=1)


def test_nobody_there() -> None:
    gateway = smsc.Gateway("http://127.0.0.1:9", "clinic", "secret")
    with pytest.raises(smsc.NotTaken) as caught:
        gateway.send("+79161234567", "раз", reference=1)
    assert not caught.value.final
    with pytest.raises(smsc.NoAnswer):
        gateway.status("+79161234567", reference=1)


def test_wrong_password_and_wrong_number(simulator: Simulator) -> None:
    with pytest.raises(smsc.NotTaken, match="password"):
        smsc.Gateway(simulator.url, "", "").send("+79161234567", "раз", reference=1)
    with pytest.raises(smsc.NotTaken, match="number"):
        smsc.Gateway(simulator.url, "a", "b").send("+12", "раз", reference=1)


def test_the_simulator_remembers_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "gateway.jsonl"
    Outbox(file).take(7, "79161234567", "раз", "")
    assert Outbox(file).find(7, "79161234567") is not None


def test_the_simulator_shows_what_it_took_and_takes_faults(gateway: smsc.Gateway, simulator: Simulator) -> None:
    gateway.send("+79161234567", "<b>раз</b>", reference=1)
    page = requests.get(simulator.url, timeout=5).text
    assert "&lt;b&gt;раз" in page and "<b>" not in page
    assert requests.post(f"{simulator.url}/faults?fault=error:3&times=2", timeout=5).json() == {
        "faults": ["error:3", "error:3"]
    }
    assert requests.get(f"{simulator.url}/faults?fault=magic", timeout=5).status_code == 422
    assert requests.get(f"{simulator.url}/messages", timeout=5).json()["messages"][0]["id"] == 1


def test_replies_come_again_and_again(gateway: smsc.Gateway, simulator: Simulator) -> None:
    assert gateway.replies() == []
    simulator.outbox.reply("+79161234567", "Да")
    for _ in range(2):
        [reply] = gateway.replies()
        assert (reply.id, reply.phone, reply.text) == ("1", "+79161234567", "Да") and reply.received_at is not None


def test_a_message_that_did_not_come(gateway: smsc.Gateway, simulator: Simulator) -> None:
    gateway.send("+79161234567", "раз", reference=1)
    simulator.outbox.status = 25
    with pytest.raises(smsc.NotDelivered):
        gateway.status("+79161234567", reference=1)
    simulator.outbox.status = 0
    assert gateway.status("+79161234567", reference=1) == smsc.Taken(delivered=False)


def test_a_person_plays_the_phone_and_switches_faults(simulator: Simulator) -> None:
    simulator.outbox.take(1, "79161234567", "<b>Ждём</b> https://x.example/c/abc", "Ulybka")
    assert "79161234567" in requests.get(simulator.url, timeout=5).text
    page = requests.get(f"{simulator.url}/?phone=79161234567", timeout=5).text
    assert "&lt;b&gt;Ждём" in page and '<a href="https://x.example/c/abc">' in page
    answer = requests.post(f"{simulator.url}/reply", data={"phone": "79161234567", "text": "Да"}, timeout=5)
    assert "Да" in answer.text and [one["message"] for one in simulator.outbox.replies] == ["Да"]
    assert requests.get(f"{simulator.url}/reply?phone=1&text=x", timeout=5).status_code == 422  # looking sends nothing
    requests.post(
        f"{simulator.url}/faults", data={"fault": "error:3", "times": "2", "status": "25", "page": "1"}, timeout=5
    )
    assert simulator.outbox.faults == ["error:3"] * 2 and simulator.outbox.status == 25
    assert requests.post(f"{simulator.url}/faults", data={"fault": "x"}, timeout=5).status_code == 422


def test_a_restart_forgets_no_reply(tmp_path: Path) -> None:
    file = tmp_path / "gateway.jsonl"
    Outbox(file).reply("+79161234567", "Да")
    again = Outbox(file)
    assert [one["message"] for one in again.replies] == ["Да"] and again.messages == []
