"""What the device does not tell is decided by a person with the paper in the hand, and nobody waits any longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app import errors
from app.db import session, transaction
from app.fiscal import jobs, operations, queries
from app.fiscal.operations.decisions import LOOKED_AT
from app.gateways.kkt.atol import Outcome, Printed
from app.models import AuditEvent
from tests.test_races import together

PAPER = Printed("9999078900000961", 77, "1494325660", "", 0, 0, None, 0)
OTHER = replace(PAPER, document=78)


@pytest.fixture
def stuck(shop):
    """A receipt of which nobody knows, and one that waits behind it."""
    first, second = (shop.pay(shop.bill().patient_id, ("cash", "1000")) for _ in range(2))
    with transaction():
        operations.mark_unknown(operations.claim(first.id, timedelta(seconds=60)), "?")
    assert shop.send(second).status == "planned"
    return shop.of(id=first.id), second


def test_it_was_printed(shop, stuck, client_of):
    first, second = stuck
    at = f"/fiscal/{first.id}/decide"
    senior = client_of("senior")
    assert "Чек напечатан" in senior.get(f"/fiscal/{first.id}").text
    for wrong in ({}, {"fn": "9999", "document": "0"}, {"fn": "abc", "document": "5"}, {"document": "5"}):
        assert senior.post(at, data={"printed": "1", **wrong}).status_code == 422
    sent = {"printed": "1", "fn": PAPER.fn, "document": "77", "sign": PAPER.sign}
    assert senior.post(at, data=sent).status_code == 303
    done = shop.of(id=first.id)
    assert (done.status, done.fn, done.document, done.sign) == ("done", PAPER.fn, 77, PAPER.sign)
    assert senior.post(at, data=sent).status_code == 409  # known already
    assert shop.send(second).status == "done"
    assert session.query(AuditEvent).filter_by(action="fiscal.decided", object_id=first.id).count() == 1


def test_it_was_not_printed(shop, stuck, client_of):
    first, second = stuck
    assert client_of("senior").post(f"/fiscal/{first.id}/decide", data={}).status_code == 303
    failed = shop.of(id=first.id)
    assert (failed.status, failed.error) == ("failed", LOOKED_AT) and operations.correctable(failed)
    assert shop.send(second).status == "done"
    with transaction():
        operations.retry(first.id, actor=shop.make.user("senior"))
    assert shop.send(first).status == "done" and len(shop.printed()) == 2


def test_who_decides(stuck, client_of):
    first, _ = stuck
    for who in ("administrator", "doctor", "sysadmin"):
        assert client_of(who).post(f"/fiscal/{first.id}/decide", data={}).status_code == 403, who
    assert client_of("senior").post("/fiscal/999999/decide", data={}).status_code == 404


def test_two_receipts_have_no_number_together(shop, stuck):
    first, _ = stuck
    other = shop.pay(shop.make.patient().id, ("card", "5"))
    with transaction():
        operations.decide_printed(first.id, OTHER, actor=shop.make.user("senior"))
        operations.mark_unknown(operations.claim(_before(shop, other), timedelta(seconds=60)), "?")
    with pytest.raises(errors.Invalid), transaction():
        operations.decide_printed(_before(shop, other), OTHER, actor=shop.make.user("senior"))


def _before(shop, receipt) -> int:
    """The receipt whose turn it is before this one."""
    session.expire_all()
    found = queries.receipts(unfinished=True, since=None, limit=1_000, offset=0)[1]
    return min(line.receipt.id for line in found if line.receipt.device_id == receipt.device_id)


def test_a_decision_and_a_worker_at_once(shop, stuck, app):
    """Whoever is first has it: the worker asks the device, or the person says it was not printed; never both."""
    first, _ = stuck
    results = together(app, [
        lambda: operations.decide_not_printed(first.id, actor=shop.make.user("senior")),
        lambda: operations.claim(first.id, timedelta(seconds=60)),
    ])  # fmt: skip
    decided = not isinstance(results[0], errors.Refusal)
    assert decided != (results[1] is not None)
    assert shop.of(id=first.id).status == ("failed" if decided else "sending")


def test_done_without_numbers_is_not_printed(shop, monkeypatch):
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    monkeypatch.setattr(jobs, "_printed", lambda device, claim: Outcome("ready"))
    shown = shop.send(receipt)
    assert (shown.status, shown.error) == ("unknown", jobs.NO_NUMBERS)


def test_the_desk_sees_what_waits_for_it(stuck, client_of, shop):
    page = client_of("administrator").get(f"/cash/?desk={shop.branch.desk_id}").text
    assert "не напечатан" in page and 'href="/fiscal/"' in page
