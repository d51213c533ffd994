"""The page «Чеки ККТ» and the fiscal numbers on a payment's page, as the desk sees them."""

import html

from flask_babel import gettext

from app.fiscal import jobs, queries
from tests.conftest import sign_in


def text_of(answer) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.get_data(as_text=True))


def test_a_receipt_goes_from_the_queue_to_its_numbers(shop, client_of):
    desk = client_of("administrator")
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"))
    page = text_of(desk.get(f"/settlement/payments/{shop.last}"))
    assert gettext("In the queue") in page and "<svg" not in page and queries.square_of(receipt) == ""
    shop.simulator.device.fault("no_paper")
    shop.send(receipt)
    assert gettext(jobs.NO_PAPER) in text_of(desk.get("/fiscal/?page=0"))
    shop.simulator.device.fault("")
    receipt = shop.send(receipt)
    jobs.look()
    page = text_of(desk.get("/fiscal/?all=1"))
    assert receipt.sign in page and receipt.fn in page and "23 ч 5" in page
    page = text_of(desk.get(f"/settlement/payments/{shop.last}"))
    assert receipt.sign in page and queries.square_of(receipt) in page and "<svg" in page
    wall = queries.clock.wall(receipt.printed_at)
    assert queries.qr_of(receipt) == (
        f"t={wall:%Y%m%dT%H%M}&s=1000.00&fn={receipt.fn}&i={receipt.document}&fp={receipt.sign}&n=1"
    )


def test_a_refused_receipt_is_tried_again_from_the_page(shop, client_of):
    shop.send(shop.pay(shop.bill().patient_id, ("cash", "1000")))
    shop.simulator.device.state["cash"] = 0
    returned = shop.send(shop.give_back(shop.last, "1000"))
    desk = client_of("administrator")
    assert "Недостаточно наличных" in text_of(desk.get("/fiscal/"))
    answer = desk.post(f"/fiscal/{returned.id}/retry", data={"request_id": "00000000-0000-4000-8000-00000000f15c"})
    assert answer.status_code == 303
    shop.simulator.device.state["cash"] = 100_000
    assert shop.send(returned).status == "done"


def test_a_doctor_has_no_business_here(client_of):
    assert client_of("doctor").get("/fiscal/").status_code == 403


def test_without_a_device_nothing_is_said_to_be_printed(fresh_app):
    desk = sign_in(fresh_app, "administrator")
    page = text_of(desk.get("/fiscal/"))
    assert "ККТ не настроена" in page and "Все чеки напечатаны" not in page
    assert 'href="/fiscal-devices/list/">Открыть справочник' in page
    assert "ККТ не настроена" in text_of(desk.get("/fiscal/?all=1"))
