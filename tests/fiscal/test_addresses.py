"""The patient asks for the receipt on a phone or by e-mail before paying: the device is told where to send it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import pytest
from flask import Flask

from app import clock, errors
from app.db import session, transaction
from app.fiscal import operations
from app.models import Employee, FiscalReceipt
from tests.conftest import counted_statements


@pytest.fixture
def here(shop: Any) -> Iterator[Any]:
    """The administrator works in the branch with the device."""
    user_id = shop.make.user().id

    def works_in(branch_id: int | None) -> int | None:
        with transaction():
            employee = session.query(Employee).filter_by(user_id=user_id).one()
            before, employee.branch_id = employee.branch_id, branch_id
        return before

    home = works_in(shop.branch.id)
    yield shop
    session.rollback()
    works_in(home)


def address_of(receipt: FiscalReceipt) -> str | None:
    found = receipt.body.get("clientInfo")
    return found["emailOrPhone"] if found else None


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("8 (916) 123-45-67", "+79161234567"), ("+7 916 123 45 67", "+79161234567"), ("+49 30 901820", "+4930901820"),
        (" Ivanova@Example.ru; ", "Ivanova@Example.ru"), ("", None), ("   ", None),
    ],
)  # fmt: skip
def test_the_receipt_goes_where_the_patient_asked(shop: Any, typed: str, sent: str | None) -> None:
    receipt = shop.pay(shop.bill().patient_id, ("cash", "1000"), receipt_to=typed)
    assert address_of(receipt) == sent


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12", "There is no such phone number."), ("почта", "Write a phone number or an e-mail address."),
        ("a@b", "This is not an e-mail address."), ("a b@example.ru", "This is not an e-mail address."),
        ("a" * 60 + "@example.ru", "This text is too long."),
    ],
)  # fmt: skip
def test_what_is_no_address_takes_no_money(shop: Any, typed: str, said: str) -> None:
    patient = shop.make.patient()
    with pytest.raises(errors.Invalid) as refused:
        shop.pay(patient.id, ("cash", "10"), receipt_to=typed)
    assert refused.value.facts["fields"] == {"receipt_to": said}
    assert shop.balance() == 0


def test_the_device_prints_it_and_a_correction_keeps_it(shop: Any, make: Any) -> None:
    sale = shop.pay(shop.bill().patient_id, ("cash", "1000"), receipt_to="ivanova@example.ru")
    shop.carry()
    with urlopen(shop.simulator.url) as answer:
        page = answer.read().decode()
    assert "ЭЛ. АДР. ПОКУПАТЕЛЯ" in page and "ivanova@example.ru" in page
    back = shop.give_back(sale.payment_id, "100")
    assert address_of(back) is None, "asked for with the payment, and with nothing else"
    other = shop.pay(shop.bill().patient_id, ("card", "1000"), receipt_to="89161234567")
    with transaction():
        made = operations.correct(other.id, kind="self", day=clock.today(), number="", actor=make.user("director"))
    assert address_of(made) == "+79161234567"


def test_the_settlement_offers_what_the_card_knows(here: Any, client_of: Any, make: Any) -> None:
    mother = make.patient("Мамина", phone="+79161110001", email="mother@example.ru")
    child = make.patient("Мамина", phone="+79161110002", guardian_id=mother.id)
    order = here.bill(patient=child)
    desk, at = client_of("administrator"), f"/settlement/{child.id}"
    page = desk.get(at).text
    offered = re.findall(r'<option value="([^"]+)">', page.partition('id="receipt-addresses"')[2].partition("</")[0])
    assert offered == ["+79161110002", "+79161110001", "mother@example.ru"]
    assert re.search(r'name="receipt_to"[^>]* value=""', page), "nothing is sent that nobody asked for"

    def send(address: str) -> Any:
        form = {"card": "1000", "bill": order.id, "receipt_to": address, "request_id": str(uuid4())}
        return desk.post(f"{at}/pay", data=form)

    refused = send("мама")
    assert refused.status_code == 422 and 'value="мама"' in refused.text
    assert "Напишите номер телефона или адрес почты." in refused.text
    done = send("mother@example.ru")
    assert done.status_code == 303
    receipt = session.query(FiscalReceipt).order_by(FiscalReceipt.id.desc()).first()
    assert receipt is not None and address_of(receipt) == "mother@example.ru"
    assert "mother@example.ru" in desk.get(done.headers["Location"]).text


def test_without_a_device_nothing_is_offered(here: Any, client_of: Any, make: Any) -> None:
    patient = make.patient()
    with transaction():
        here.device.archived = True
    assert "receipt_to" not in client_of("administrator").get(f"/settlement/{patient.id}").text


def test_the_settlement_asks_no_more_than_before(here: Any, client_of: Any, app: Flask) -> None:
    pk, desk = here.bill().patient_id, client_of("administrator")
    desk.get("/me/password")  # the menu counts its call tasks anew after something was written only
    with counted_statements(app) as seen:
        assert 'name="receipt_to"' in desk.get(f"/settlement/{pk}").text
    assert len(seen) <= 4, seen


def test_a_program_says_it_too(shop: Any, program: Any, make: Any) -> None:
    order = shop.bill()
    body = {
        "patient_id": order.patient_id, "branch_id": shop.branch.id, "receipt_to": "8 916 123-45-67",
        "parts": [{"method": "card", "amount": "1000.00"}],
    }  # fmt: skip
    wrong = program("administrator").post("payments/", {**body, "receipt_to": "никуда"})
    assert wrong.status_code == 422 and list(wrong.json["fields"]) == ["receipt_to"]
    answer = program("administrator").post("payments/", body)
    assert answer.status_code == 201
    assert address_of(shop.of(payment_id=answer.json["id"])) == "+79161234567"


def test_the_page_of_a_receipt_says_where_it_went(shop: Any, client_of: Any) -> None:
    asked = shop.pay(shop.bill().patient_id, ("cash", "1000"), receipt_to="ivanova@example.ru").id
    plain = shop.pay(shop.bill().patient_id, ("cash", "1000")).id
    desk = client_of("administrator")
    page = desk.get(f"/fiscal/{asked}").text
    assert "Электронный чек" in page and "Отправляется и на ivanova@example.ru" in page
    assert "Электронный чек" not in desk.get(f"/fiscal/{plain}").text
