"""The page of messages, and the tab of the card."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from app import clock
from app.db import session, transaction
from app.messages import operations
from app.models import OutboxMessage


@pytest.fixture
def message(make: Any) -> OutboxMessage:
    """A failed message of today, with a text that must not become HTML."""
    with transaction():
        operations.add_first_templates()
    start = datetime.combine(clock.today() + timedelta(days=40), time(10))
    visit = make.appointment(make.patient("Сообщеньева"), make.doctor(), start)
    with transaction():
        operations.plan_visit(visit, actor=None)
    with transaction():
        row = session.query(OutboxMessage).filter_by(appointment_id=visit.id, kind="booked").one()
        row.status, row.body = "failed", "<script>alert(1)</script>"
        row.due_at = clock.now()  # after nine in the evening it would be tomorrow's
        row.error = "The phone number is wrong: correct it in the card."
    return row


def test_the_outbox_of_a_day(client_of: Any, message: OutboxMessage) -> None:
    client = client_of("administrator")
    page = client.get("/messages/")
    assert page.status_code == 200 and "Сообщеньева" in page.text and message.phone in page.text
    assert "&lt;script&gt;" in page.text and "<script>alert" not in page.text
    assert client.get("/messages/?status=failed").text.count("Сообщеньева") >= 1
    sent = client.get("/messages/?status=sent")
    assert sent.status_code == 200 and "Сообщеньева" not in sent.text
    assert "Сообщеньева" not in client.get("/messages/?day=1999-01-01").text


NONSENSE = [
    "day=x",
    "day=0001-01-01",
    "day=99999-01-01",
    "status=x",
    "page=-5",
    "page=x",
    "page=" + "9" * 30,
    "status=%00",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_in_the_address(client_of: Any, query: str) -> None:
    assert client_of("director").get(f"/messages/?{query}").status_code == 200


def test_the_tab_of_the_card(client_of: Any, message: OutboxMessage) -> None:
    client = client_of("administrator")
    tab = client.get(f"/messages/patient/{message.patient_id}")
    assert tab.status_code == 200 and "<html" not in tab.text and message.phone in tab.text
    assert client.get("/messages/patient/999999").status_code == 404


def test_who_may_not(client_of: Any, app: Any) -> None:
    for username in ("doctor", "sysadmin"):
        assert client_of(username).get("/messages/").status_code == 403
        assert client_of(username).get("/messages/patient/1").status_code == 403
    assert app.test_client().get("/messages/").status_code == 302
