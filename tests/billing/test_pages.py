"""The pages of billing as people use them."""

import html
import re
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app import clock
from app.billing import operations, queries
from app.cash import operations as cash
from app.db import session, transaction
from app.models import CancelReason, CashDesk, Employee, Family, Patient, Payment, Refund, ServicePrice, WorkOrder
from app.patients import operations as cards

D = Decimal


@pytest.fixture
def shift(make):
    """The shift of branch 1's drawer, where the accounts of the tests work."""
    desk = session.scalars(select(CashDesk).where(CashDesk.branch_id == 1, CashDesk.kind == "main")).first()
    from app.cash import queries as cash_queries

    found = cash_queries.open_shift_of(desk.id)
    if found is None:
        with transaction():
            found = cash.open_shift(desk.id, desk.balance, actor=make.user())
    return found


@pytest.fixture
def bill(make, shift):
    patient, doctor, service = make.patient("Сергеев"), make.doctor(), make.service("1500.00", name="Лечение кариеса")
    with transaction():
        order = operations.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=1, actor=make.user()
        )
        operations.issue(order.id, actor=make.user())
    return order


def taken(patient_id):
    return session.scalar(select(func.count()).select_from(Payment).where(Payment.patient_id == patient_id))


def test_settling_from_the_queue_to_the_receipt(client_of, bill):
    browser = client_of("administrator")
    assert "Сергеев" in browser.get("/settlement/").text
    page = browser.get(f"/settlement/{bill.patient_id}").text
    assert f"№ {bill.number}" in page and "1 500,00".replace(" ", "\u202f") in page
    answer = browser.post(
        f"/settlement/{bill.patient_id}/pay",
        data={"cash": "1 500,00", "tendered": "2000", "bill": bill.id, "request_id": str(uuid4())},
    )
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.location).text
    assert "500,00" in page and "/documents/receipts/" in page and f"/planned/next/{bill.patient_id}?" in page
    assert queries.balance_of(bill.patient_id).debt == 0


def test_a_double_click_pays_once(client_of, bill):
    browser, key = client_of("administrator"), str(uuid4())
    data = {"cash": "1500", "request_id": key}
    first = browser.post(f"/settlement/{bill.patient_id}/pay", data=data)
    second = browser.post(f"/settlement/{bill.patient_id}/pay", data=data)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert taken(bill.patient_id) == 1


def test_a_sum_with_a_digit_too_many_comes_back(client_of, bill):
    """With what lies in the drawer it is more than the database holds: said in a sentence; what was typed stays."""
    browser, address = client_of("administrator"), f"/settlement/{bill.patient_id}/pay"
    assert browser.post(address, data={"cash": "1", "request_id": str(uuid4())}).status_code == 303
    answer = browser.post(address, data={"cash": "9999999999.99", "tendered": "", "request_id": str(uuid4())})
    assert answer.status_code == 422 and "Число слишком большое" in answer.text
    assert 'value="9999999999.99"' in answer.text
    assert taken(bill.patient_id) == 1


def test_the_way_back_to_a_sent_form_leads_on(client_of, bill):
    """Changed and sent again with its old key: nothing is paid twice, and the page says where to go on."""
    browser, key, address = client_of("administrator"), str(uuid4()), f"/settlement/{bill.patient_id}"
    done = browser.post(f"{address}/pay", data={"cash": "1000", "request_id": key})
    again = browser.post(f"{address}/pay", data={"cash": "500", "request_id": key})
    assert again.status_code == 409 and "новый ключ" not in again.text
    assert f'href="{address}"' in again.text and f'href="{done.location}"' in again.text
    assert taken(bill.patient_id) == 1
    loaded = browser.get(f"{address}/pay")  # the address of a form that was refused
    assert (loaded.status_code, loaded.location) == (303, address)
    assert browser.get(f"/work-orders/{bill.id}/reopen").location == f"/work-orders/{bill.id}"
    assert browser.get("/logout/none/none").status_code == 404


def test_what_was_typed_stays_when_a_payment_is_refused(client_of, bill):
    browser = client_of("administrator")
    for data in (
        {"cash": "сто"}, {"cash": "-5"}, {"cash": "NaN"}, {"cash": "1e9"}, {"cash": "1500", "tendered": "10"}, {},
        {"card": "0.001"}, {"advance": "700"}, {"cash": "9" * 1_000_000}, {"cash": "<b>проба</b>"}, {"cash": "1\x00"},
    ):  # fmt: skip
        answer = browser.post(f"/settlement/{bill.patient_id}/pay", data={**data, "request_id": str(uuid4())})
        assert answer.status_code == 422, (data, answer.status_code)
        if data.get("cash") == "сто":
            assert 'value="сто"' in answer.text
        assert "<b>проба</b>" not in answer.text
    assert taken(bill.patient_id) == 0


def test_ticked_bills_are_paid_and_the_others_not(client_of, make, bill):
    service = make.service("100.00")
    with transaction():
        newer = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": service.id, "quantity": 1}], branch_id=1, actor=make.user()
        )
        operations.issue(newer.id, actor=make.user())
    answer = client_of("administrator").post(
        f"/settlement/{bill.patient_id}/pay", data={"card": "100", "bill": newer.id, "request_id": str(uuid4())}
    )
    assert answer.status_code == 303
    session.expire_all()
    assert (newer.due, bill.due) == (D(0), D(1500))


def seen_on(page):
    """What the settlement page says was due, as its form carries it."""
    return page.partition('name="seen" value="')[2].partition('"')[0]


def field(page, name):
    """What stands in a field of the settlement."""
    found = re.search(rf'<input[^>]* name="{name}"[^>]*?\svalue="([^"]*)"', page, re.S)
    assert found, name
    return html.unescape(found[1]).replace("\u202f", " ").replace("\u2009", " ")


def ticked(page):
    """The bills that are ticked to be paid."""
    boxes = re.findall(r'<input type="checkbox" name="bill"[^>]*>', page)
    return [int(re.search(r'value="(\d+)"', box)[1]) for box in boxes if " checked" in box]


def another(make, bill, quantity=2):
    """One more bill of the same patient."""
    with transaction():
        order = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": bill.lines[0].service_id, "quantity": quantity}],
            branch_id=1, actor=make.user(),
        )  # fmt: skip
        operations.issue(order.id, actor=make.user())
    return order


def test_a_refusal_of_another_form_leaves_the_payment_as_it_was(client_of, make, bill):
    """Its bills stay ticked: the next payment would pay none of them."""
    relative = make._save(Family(name="Сергеевы"))
    mother = make.patient("Сергеева", family_id=relative.id)
    with transaction():
        session.get_one(Patient, bill.patient_id).family_id = relative.id
        payment = operations.take_payment(
            bill.patient_id, [{"method": "card", "amount": D(1700)}], branch_id=1, actor=make.user()
        )
    owed, senior = another(make, bill), client_of("senior")
    for form in ("refund", "return-advance", "cancel"):
        answer = senior.post(f"/settlement/payments/{payment.id}/{form}", data={"amount": "9999", "reason": ""})
        assert answer.status_code == 422 and ticked(answer.text) == [owed.id], form
        assert field(answer.text, "cash") == "3 000,00"
    answer = senior.post(f"/settlement/{bill.patient_id}/pass-advance", data={"to_id": mother.id, "amount": "9999"})
    assert answer.status_code == 422 and ticked(answer.text) == [owed.id]
    third = another(make, bill, 1)  # what was chosen in the payment form itself stays so
    page = senior.get(f"/settlement/{bill.patient_id}").text
    data = {"card": "сто", "bill": third.id, f"share_{third.id}": "5", "seen": seen_on(page)}
    answer = senior.post(f"/settlement/{bill.patient_id}/pay", data=data)
    assert answer.status_code == 422 and ticked(answer.text) == [third.id]
    assert field(answer.text, "card") == "сто" and field(answer.text, f"share_{third.id}") == "5"


def test_a_stale_page_takes_nothing_and_is_counted_anew(client_of, make, bill):
    """Two windows, one debt: the second is told, nothing is written, and pressed again it is no advance either."""
    first, second = client_of("administrator"), client_of("administrator2")
    address = f"/settlement/{bill.patient_id}"
    pages = [browser.get(address).text for browser in (first, second)]
    typed = [{"cash": "1500", "tendered": "2000", "bill": bill.id, "seen": seen_on(page)} for page in pages]
    assert first.post(f"{address}/pay", data=typed[0]).status_code == 303
    answer = second.post(f"{address}/pay", data=typed[1])
    assert answer.status_code == 409 and "ничего не принято, суммы пересчитаны заново" in answer.text
    assert (taken(bill.patient_id), queries.balance_of(bill.patient_id).advance) == (1, 0)
    assert [field(answer.text, name) for name in ("seen", "cash", "tendered")] == ["", "", ""]
    # a bill that was ticked and then taken back by the doctor is not another bill
    with transaction():
        other = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": bill.lines[0].service_id, "quantity": 2}], branch_id=1,
            actor=make.user(),
        )  # fmt: skip
        operations.issue(other.id, actor=make.user())
    page = first.get(address).text
    another(make, bill, 1)
    answer = first.post(f"{address}/pay", data={"card": "3000", "bill": other.id, "seen": seen_on(page)})
    assert answer.status_code == 409 and field(answer.text, "cash") == "4 500,00" and field(answer.text, "card") == ""
    page = first.get(address).text
    with transaction():
        operations.reopen(other.id, actor=make.user())
    for more in ({"seen": seen_on(page)}, {}):
        answer = first.post(f"{address}/pay", data={"cash": "3000", "bill": other.id, **more})
        assert answer.status_code == 409, answer.text
    assert first.post(f"{address}/pay", data={"cash": "5", "seen": "x:1 <b>"}).status_code == 422
    assert taken(bill.patient_id) == 1


def test_a_stale_page_that_was_refused_for_something_else_is_still_stale(client_of, bill):
    """What stays typed was counted for the old bills: put right and sent again, it is not taken for new ones."""
    first, second = client_of("administrator"), client_of("administrator2")
    address = f"/settlement/{bill.patient_id}"
    data = {"cash": "1500", "tendered": "15", "bill": bill.id, "seen": seen_on(second.get(address).text)}
    assert first.post(f"{address}/pay", data={"card": "1500"}).status_code == 303
    answer = second.post(f"{address}/pay", data=data)
    assert answer.status_code == 422 and field(answer.text, "tendered") == "15"
    answer = second.post(f"{address}/pay", data={**data, "tendered": "", "seen": seen_on(answer.text)})
    assert answer.status_code == 409 and field(answer.text, "cash") == ""
    assert (taken(bill.patient_id), queries.balance_of(bill.patient_id).advance) == (1, 0)


def test_a_bill_of_another_legal_entity_is_named_and_not_ticked(client_of, make, bill):
    other, service = make.branch(), make.service("700.00")
    with transaction():
        there = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": service.id, "quantity": 1}], branch_id=other.id,
            actor=make.user("director"),
        )  # fmt: skip
        operations.issue(there.id, actor=make.user("director"))
    page = client_of("administrator").get(f"/settlement/{bill.patient_id}").text
    row = page.partition(f'value="{there.id}"')[2].partition("</tr>")[0]
    assert "disabled" in row and "checked" not in row and "Клиника" in row
    assert "data-due-sum>1 500,00<" in page.replace("\u202f", " ").replace("\u2009", " ")


def test_the_queue_asks_for_itself(client_of, make, bill):
    browser = client_of("administrator")
    again = browser.get("/settlement/").text.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    asks = {"HX-Request": "true"}
    assert browser.get(again, headers=asks).status_code == 204
    with transaction():
        operations.reopen(bill.id, actor=make.user())
    answer = browser.get(again, headers=asks)
    assert answer.status_code == 200 and 'id="queue"' in answer.text


def test_beyond_its_end_the_queue_shows_its_last_page(client_of, make, bill):
    oldest = session.scalars(
        select(WorkOrder).where(WorkOrder.status == "issued").order_by(WorkOrder.issued_at, WorkOrder.id).limit(1)
    ).one()
    page = client_of("administrator").get("/settlement/?page=999").text
    assert f'id="settle-{oldest.id}"' in page and "Неоплаченных счетов нет" not in page
    count, _ = queries.to_be_paid(limit=1)
    last = page.partition('hx-get="')[2].partition('"')[0].partition("page=")[2].partition("&")[0]
    assert int(last or 0) == (count - 1) // 50


def test_money_is_paid_ahead_though_there_is_a_debt(client_of, bill):
    """No bill is ticked: nothing of them is paid."""
    browser, address = client_of("administrator"), f"/settlement/{bill.patient_id}"
    data = {"cash": "700", "seen": seen_on(browser.get(address).text)}
    assert browser.post(f"{address}/pay", data=data).status_code == 303
    balance = queries.balance_of(bill.patient_id)
    assert (balance.debt, balance.advance) == (D(1500), D(700))


def test_a_draft_is_annulled_on_its_page(client_of, make, bill):
    with transaction():
        draft = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": bill.lines[0].service_id, "quantity": 1}], branch_id=1,
            actor=make.user(),
        )  # fmt: skip
    browser, address = client_of("administrator"), f"/work-orders/{draft.id}"
    assert f"№ {draft.number}:" in browser.get(f"/settlement/{bill.patient_id}").text.replace("</a>", "")
    assert f'action="{address}/annul"' in browser.get(address).text
    assert client_of("doctor").post(f"{address}/annul", data={}).status_code == 403
    assert browser.post(f"{address}/annul", data={}).status_code == 303
    page = browser.get(address).text
    assert "Аннулирован" in page and "/act/print" not in page and "/reopen" not in page
    assert f"№ {draft.number}:" not in browser.get(f"/settlement/{bill.patient_id}").text.replace("</a>", "")


def test_refund_from_the_page(client_of, make, bill):
    with transaction():
        payment = operations.take_payment(
            bill.patient_id, [{"method": "card", "amount": D(1500)}], branch_id=1, actor=make.user()
        )
    senior = client_of("senior")
    address = f"/settlement/payments/{payment.id}/refund"
    answer = senior.post(address, data={"amount": "1500.01", "reason": "ошибка", "request_id": str(uuid4())})
    assert answer.status_code == 422 and "1500.01" in answer.text
    assert senior.post(address, data={"amount": "5", "reason": ""}).status_code == 422
    assert senior.post(address, data={"amount": "500", "reason": "ошибка"}).status_code == 303
    assert session.scalar(select(func.sum(Refund.amount)).where(Refund.payment_id == payment.id)) == D(500)
    assert client_of("administrator").post(address, data={"amount": "1", "reason": "нет права"}).status_code == 403


def test_a_work_order_is_filled_in_and_issued(client_of, make, shift):
    patient, doctor, service = make.patient(), make.doctor(), make.service("200.50")
    browser = client_of("administrator")
    address = f"/work-orders/new?patient={patient.id}"
    assert browser.get(address).status_code == 200
    typed = {
        "patient": patient.id, "doctor_id": doctor.id, "line_service_id": service.id, "line_name": "Пломба",
        "line_price": "200.50", "line_tooth": "36", "line_quantity": "два", "line_discount": "", "line_unit": "percent",
        "line_discount_reason": "",
    }  # fmt: skip
    answer = browser.post(address, data=typed)
    assert answer.status_code == 422 and 'value="два"' in answer.text
    answer = browser.post(address, data={**typed, "line_quantity": "-3"})
    assert answer.status_code == 422 and "Количество — от 1 до 999." in answer.text  # a line has many numbers
    answer = browser.post(address, data={**typed, "line_quantity": "2", "do": "save", "request_id": str(uuid4())})
    assert answer.status_code == 303, answer.text
    order = session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).one()
    assert (order.status, order.total) == ("draft", D("401.00"))
    answer = browser.post(
        f"/work-orders/{order.id}",
        data={**typed, "line_quantity": "3", "line_discount": "5", "version": "1", "do": "issue"},
    )
    assert answer.status_code == 303
    session.expire_all()
    assert (order.status, order.total) == ("issued", D("571.42"))
    assert browser.get(f"/work-orders/{order.id}").status_code == 200
    assert browser.post(f"/work-orders/{order.id}/reopen").status_code == 303
    session.expire_all()
    assert order.status == "draft"


def typed_line(service, **more):
    """A row of the form of a work order."""
    names = ("name", "price", "tooth", "discount", "discount_reason", "assistant_id")
    row = {**dict.fromkeys(names, ""), "service_id": service.id, "quantity": "1", "unit": "percent", **more}
    return {f"line_{name}": value for name, value in row.items()}


def test_an_empty_quantity_is_a_mistake_of_its_line(client_of, make, shift):
    """The page counts it as nothing, so no bill is made of it."""
    patient, doctor, service = make.patient(), make.doctor(), make.service("200.50")
    form = {"patient": patient.id, "doctor_id": doctor.id, "do": "issue"}
    address, browser = f"/work-orders/new?patient={patient.id}", client_of("administrator")
    for quantity in ("", " ", "1,5"):
        answer = browser.post(address, data={**form, **typed_line(service, quantity=quantity)})
        assert answer.status_code == 422 and answer.text.count("Количество — от 1 до 999.") == 1, quantity
        assert '<td class="has-error"><input class="form-control num quantity"' in answer.text
    assert session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).all() == []


def test_a_price_that_changed_since_is_said_and_not_billed(client_of, make, shift):
    """The line keeps what was typed and shows the price of now; saved again, it is billed."""
    patient, doctor = make.patient(), make.doctor()
    service, steady = make.service("200.50", name="Пломба"), make.service("100.00")
    browser, address = client_of("administrator"), f"/work-orders/new?patient={patient.id}"
    rows = [typed_line(service, price="200.50", quantity="2"), typed_line(steady, price="100.00")]
    form = {"patient": patient.id, "doctor_id": doctor.id, "do": "issue"} | {
        name: [row[name] for row in rows] for name in rows[0]
    }  # fmt: skip
    with transaction():
        session.add(ServicePrice(service_id=service.id, valid_from=clock.today(), price=D("250.00")))
    answer = browser.post(address, data={**form, "request_id": str(uuid4())})
    assert answer.status_code == 409 and "Пломба: 200,50 → 250,00" in html.unescape(answer.text)
    assert session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).all() == []
    prices = re.findall(r'name="line_price" value="([^"]*)"', answer.text)
    assert prices[:2] == ["250.00", "100.00"] and 'name="line_quantity" value="2"' in answer.text
    again = browser.post(address, data={**form, "line_price": prices[:2], "request_id": str(uuid4())})
    assert again.status_code == 303
    order = session.scalars(select(WorkOrder).where(WorkOrder.patient_id == patient.id)).one()
    assert (order.status, order.total) == ("issued", D(600))


def test_a_line_that_stands_in_a_draft_keeps_its_price_and_a_new_one_is_as_it_was_shown(client_of, make, shift):
    patient, doctor, service, added = make.patient(), make.doctor(), make.service("100.00"), make.service("300.00")
    with transaction():
        order = operations.create_work_order(
            patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=1, actor=make.user()
        )
        for one in (service, added):
            session.add(ServicePrice(service_id=one.id, valid_from=clock.today(), price=D("999.00")))
    browser, address = client_of("administrator"), f"/work-orders/{order.id}"
    rows = [typed_line(service, price="100.00"), typed_line(added, price="300.00")]
    form = {name: [row[name] for row in rows] for name in rows[0]} | {"version": "1"}
    answer = browser.post(address, data={**form, "request_id": str(uuid4())})
    assert answer.status_code == 409 and f"{added.name}: 300,00 → 999,00" in html.unescape(answer.text)
    assert f"{service.name}: 100,00" not in html.unescape(answer.text)
    sent = {**form, "line_price": ["100.00", "999.00"], "request_id": str(uuid4())}
    assert browser.post(address, data=sent).status_code == 303
    session.expire_all()
    assert order.total == D(1099)


def test_a_draft_that_was_saved_elsewhere_can_be_saved_again_on_purpose(client_of, make, bill):
    """The form comes back with what is there now and with its version: the second saving wins."""
    service = make.service("300.00", name="Снимок")
    with transaction():
        order = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": service.id, "quantity": 1}], branch_id=1, actor=make.user()
        )
    first, second, address = client_of("administrator"), client_of("administrator2"), f"/work-orders/{order.id}"
    assert first.post(address, data={"version": "1", **typed_line(service, quantity="2")}).status_code == 303
    answer = second.post(address, data={"version": "1", **typed_line(service, quantity="7")})
    assert answer.status_code == 409 and 'name="line_quantity" value="7"' in answer.text
    now = answer.text.partition('class="alert alert-warning"')[2].partition("</div>")[0]
    assert f'href="{address}"' in now and "Снимок · 2 × 300,00 = 600,00" in now.replace("\u202f", " ")
    version = re.search(r'name="version" value="(\d+)"', answer.text)[1]
    # a mistake does not make the version newer
    wrong = second.post(address, data={"version": "1", **typed_line(service, quantity="")})
    assert wrong.status_code == 422 and 'name="version" value="1"' in wrong.text
    assert second.post(address, data={"version": version, **typed_line(service, quantity="7")}).status_code == 303
    session.expire_all()
    assert order.total == D(2100)


def test_a_draft_that_was_issued_elsewhere_is_shown_as_the_bill_it_is(client_of, make, bill):
    answer = client_of("administrator").post(
        f"/work-orders/{bill.id}", data={"version": "1", "do": "issue", **typed_line(bill.lines[0].service)}
    )
    assert answer.status_code == 409 and "Этот наряд выставлен и больше не меняется" in answer.text
    sheet = answer.text.partition("<main")[2]
    assert "Черновик" not in sheet and "data-work-order" not in sheet and f"/work-orders/{bill.id}/reopen" in sheet


def _opens_with(page):
    """The lines that stand in the form of an order: service, price, discount and its reason, without the empty one."""
    shown = html.unescape(page.text).split("<template>")[0]
    names = ("service_id", "price", "discount", "discount_reason")
    return list(zip(*(re.findall(rf'name="line_{name}" value="([^"]*)"', shown) for name in names), strict=True))


def test_an_order_from_a_visit_opens_with_the_booked_service(client_of, make, shift):
    """It stands there like one that was added by hand, until an order of the visit bills it."""
    doctor, service = make.doctor(), make.service("200.50", name="Лечение «кариеса»")
    patient = make.patient(discount_percent=D("7.5"), discount_reason="Ветеран")
    visit = make.appointment(patient, doctor, clock.wall(clock.now()).replace(hour=10), service_id=service.id)
    browser, address = client_of("administrator"), f"/work-orders/new?appointment={visit.id}"
    first = [(str(service.id), "200.50", "7.5", "Ветеран")]
    page = browser.get(address)
    assert _opens_with(page) == first and f"{service.code} Лечение «кариеса»" in html.unescape(page.text)
    assert _opens_with(browser.get(f"/work-orders/new?patient={patient.id}")) == []

    other = {"appointment": visit.id, "doctor_id": doctor.id, "line_quantity": "1", "line_unit": "percent"}
    empty = ("line_name", "line_price", "line_tooth", "line_discount", "line_discount_reason", "line_assistant_id")
    removed = browser.post(address, data={"appointment": visit.id, "doctor_id": doctor.id, "request_id": str(uuid4())})
    assert removed.status_code == 422 and _opens_with(removed) == []  # the doctor removed it, and it stays away
    sent = {**dict.fromkeys(empty, ""), **other, "line_service_id": service.id, "request_id": str(uuid4())}
    saved = browser.post(address, data=sent)
    assert saved.status_code == 303, saved.text
    assert _opens_with(browser.get(address)) == []  # nobody pays twice for it
    assert browser.post(f"{saved.location}/annul").status_code == 303
    assert _opens_with(browser.get(address)) == first


def test_a_booked_service_without_a_price_or_in_the_archive_is_no_line(client_of, make, shift):
    doctor, service = make.doctor(), make.service()
    visit = make.appointment(make.patient(), doctor, clock.wall(clock.now()).replace(hour=11), service_id=service.id)
    price = session.scalars(select(ServicePrice).where(ServicePrice.service_id == service.id)).one()
    browser, address = client_of("administrator"), f"/work-orders/new?appointment={visit.id}"
    with transaction():
        price.annulled_at = clock.now()
    assert _opens_with(browser.get(address)) == []
    priced = make.service()
    with transaction():
        visit.service_id, priced.archived = priced.id, True
    assert _opens_with(browser.get(address)) == []


def test_a_quantity_that_is_no_number_is_said_at_its_line_of_the_reversal(client_of, bill):
    senior, line = client_of("senior"), bill.lines[0].id
    for typed in ("abc", "-1", "1.5"):
        page = senior.post(f"/work-orders/{bill.id}/reverse", data={f"line_{line}": typed, "reason": "не делали"})
        assert page.status_code == 422
        cell = re.search(rf'id="line_{line}".*?</tr>', page.text, re.S)
        assert cell and 'class="field-error"' in cell[0] and f'value="{typed}"' in cell[0], typed


def test_a_draft_whose_visit_was_cancelled_shows_the_way_out(client_of, make, bill):
    visit = make.appointment(
        session.get_one(Patient, bill.patient_id), session.get_one(Employee, bill.doctor_id),
        clock.wall(clock.now()).replace(hour=10), status="cancelled", cancelled_by="patient",
        cancel_reason_id=make._save(CancelReason(name="Передумал")).id,
    )  # fmt: skip
    with transaction():
        draft = operations.create_work_order(
            bill.patient_id, bill.doctor_id, [{"service_id": bill.lines[0].service_id, "quantity": 1}], branch_id=1,
            actor=make.user(),
        )  # fmt: skip
        draft.appointment_id = visit.id
    browser, address = client_of("administrator"), f"/work-orders/{draft.id}"
    sent = {"version": draft.version, "line_service_id": bill.lines[0].service_id, "line_quantity": "1", "do": "issue"}
    refused = browser.post(address, data=sent)
    assert refused.status_code == 409
    for page in (browser.get(address).text, refused.text):
        assert "выставить этот наряд нельзя" in page and f"visit={visit.id}" in page
        assert f'href="/work-orders/new?patient={bill.patient_id}"' in page and f"{address}/annul" in page


def test_who_is_named_in_a_draft_stays_in_it_though_archived(client_of, make, bill):
    helper, doctor = make.doctor(), make.doctor()
    with transaction():
        draft = operations.create_work_order(
            bill.patient_id, doctor.id,
            [{"service_id": bill.lines[0].service_id, "quantity": 1, "assistant_id": helper.id}], branch_id=1,
            actor=make.user(),
        )  # fmt: skip
    with transaction():
        helper.archived = doctor.archived = True
    page = client_of("director").get(f"/work-orders/{draft.id}").text
    assert f'<option value="{helper.id}" selected>' in page and f'<option value="{doctor.id}" selected>' in page


def test_pages_of_what_is_not_there(client_of):
    browser = client_of("administrator")
    for address in (
        "/settlement/999999999", "/settlement/99999999999999", "/work-orders/999999999", "/settlement/payments/0",
        "/work-orders/new", "/work-orders/new?patient=abc", "/work-orders/new?appointment=99999999999",
        "/settlement/patient/999999999/money",
    ):  # fmt: skip
        answer = browser.get(address)
        assert answer.status_code == 404 and "<h1>Не найдено</h1>" in answer.text, address
    for address in ("/settlement/?page=-1", "/settlement/?page=x", "/settlement/?list=debtors&page=99999999999"):
        assert browser.get(address).status_code == 200, address


def test_a_doctor_sees_own_orders_and_no_money(client_of, bill):
    doctor = client_of("doctor")
    assert doctor.get("/settlement/").status_code == 403
    refused = doctor.get(f"/settlement/{bill.patient_id}")
    assert refused.status_code == 403 and "<h1>Нельзя</h1>" in refused.text
    assert doctor.get(f"/work-orders/{bill.id}").status_code == 403
    assert doctor.get(f"/work-orders/new?patient={bill.patient_id}").status_code == 403
    assert doctor.get("/work-orders/").status_code == 200
    assert "Сергеев" not in doctor.get("/work-orders/").text
    assert doctor.post(f"/work-orders/{bill.id}/reopen").status_code == 403


def test_outsiders_are_asked_to_sign_in(app, bill):
    browser = app.test_client()
    for address in ("/settlement/", f"/settlement/{bill.patient_id}", f"/work-orders/{bill.id}"):
        assert browser.get(address).status_code == 302
    assert browser.post(f"/settlement/{bill.patient_id}/pay", data={"cash": "1"}).status_code == 302
    assert taken(bill.patient_id) == 0


def test_the_cards_tab_shows_bills_and_payments(client_of, bill):
    text = client_of("administrator").get(f"/settlement/patient/{bill.patient_id}/money").text
    assert str(bill.number) in text and "<html" not in text


def test_panels_open_and_add_a_price(client_of, make):
    director, senior = client_of("director"), client_of("senior")
    service = make.service("10")
    for address in (
        "/service-categories/list/", "/service-list/list/", "/service-prices/list/", "/work-order-list/list/",
        "/payment-list/list/", "/refund-list/list/", "/service-list/add", "/service-prices/add",
    ):  # fmt: skip
        assert director.get(address).status_code == 200, address
    price = {"service": service.id, "valid_from": clock.today().isoformat(), "price": "12,50"}
    assert senior.post("/service-prices/add", data=price).status_code == 302
    assert queries.prices_of([service.id], clock.today()) == {service.id: D("12.50")}
    for wrong in ({"price": "NaN"}, {"price": "-1"}, {"price": ""}, {"valid_from": "x"}, {"service": "0"}, {}):
        answer = senior.post("/service-prices/add", data={**price, **wrong})
        assert answer.status_code == 422, wrong
    assert client_of("administrator").post("/service-prices/add", data=price).status_code == 403
    found = director.get(f"/work-orders/services?q={service.code}").json
    assert found["results"][0]["id"] == service.id


def test_the_journal_of_refunds_says_whose_and_of_what_and_the_payment_what_was_returned(client_of, make, bill):
    with transaction():
        payment = operations.take_payment(
            bill.patient_id, [{"method": "card", "amount": D(1500)}], branch_id=1, actor=make.user()
        )
    senior, record = client_of("senior"), f"/payment-list/show/{payment.id}"
    assert "Возвращено" not in senior.get(record).text
    with transaction():
        refund = operations.refund(payment.id, D("400.50"), "передумал лечиться", actor=make.user("senior"))
    row = senior.get(f"/refund-list/list/?_flt_0_number={refund.number}").text.partition("<tbody")[2]
    for page in (row, senior.get(f"/refund-list/show/{refund.id}").text.partition("<dl")[2]):
        assert f'<a href="/patients/{bill.patient_id}">' in page and "Сергеев" in page
        assert f'<a href="/settlement/payments/{payment.id}">№ {payment.number}</a>' in page
    page = senior.get(record).text
    assert f"№ {refund.number}" in page and "400,50" in page and "передумал лечиться" in page and "Возвращено" in page


def test_money_is_spread_over_bills_by_hand(client_of, make, bill):
    """What is typed beside a bill goes to that bill; more than is due, or than is paid, is refused and stays typed."""
    patient_id, doctor, service = bill.patient_id, make.doctor(), make.service("900.00")
    with transaction():
        second = operations.create_work_order(
            patient_id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=1, actor=make.user()
        )
        operations.issue(second.id, actor=make.user())
    browser, path = client_of("administrator"), f"/settlement/{patient_id}"
    first, other = f"share_{bill.id}", f"share_{second.id}"
    assert f'name="{first}"' in browser.get(path).text
    for data in (
        {"card": "1000", other: "900.01"}, {"card": "100", first: "60", other: "41"}, {"card": "100", first: "я"},
        {"card": "100", first: "-1"}, {"card": "100", "share_999999999999": "1"},
    ):  # fmt: skip
        answer = browser.post(f"{path}/pay", data={**data, "request_id": str(uuid4())})
        assert answer.status_code == 422, (data, answer.status_code)
        assert first not in data or f'value="{data[first]}"' in answer.text
    data = {"card": "1000", first: "100", other: "850,50", "request_id": str(uuid4())}
    assert browser.post(f"{path}/pay", data=data).status_code == 303
    session.expire_all()
    assert [session.get_one(WorkOrder, pk).due for pk in (bill.id, second.id)] == [D(1400), D("49.50")]
    assert queries.balance_of(patient_id).advance == D("49.50")


def test_the_orders_that_a_visit_has_are_said_where_another_begins(client_of, make, shift):
    patient, doctor, service = make.patient("Двунарядов"), make.doctor(), make.service("1500.00")
    visit = make.appointment(patient, doctor, clock.wall_now().replace(hour=9))
    with transaction():
        first, other = (
            operations.create_work_order(
                patient.id, doctor.id, [{"service_id": service.id, "quantity": 1}], branch_id=1,
                appointment_id=visit.id, actor=make.user(),
            )
            for _ in range(2)
        )  # fmt: skip
        operations.issue(first.id, actor=make.user())
    desk = client_of("administrator")
    page = desk.get(f"/work-orders/new?appointment={visit.id}").text
    assert "К этому приёму уже есть" in page and page.count("1 500,00".replace(" ", "\u202f")) == 2
    assert f"/work-orders/{first.id}" in page and f"/work-orders/{other.id}" in page
    page = desk.get(f"/work-orders/{other.id}").text
    assert f"/work-orders/{first.id}" in page and page.count("К этому приёму уже есть") == 1
    lonely = make.appointment(make.patient("Однонарядов"), doctor, clock.wall_now().replace(hour=12))
    assert "К этому приёму" not in desk.get(f"/work-orders/new?appointment={lonely.id}").text


def test_the_settlement_of_a_merged_card_is_that_of_the_card_that_stayed(client_of, make, bill):
    """A window left open while another desk merged the cards: it takes nothing, and leads to where the bill is now."""
    stayed, gone = make.patient("Сергеева"), session.get(Patient, bill.patient_id)
    browser, number = client_of("administrator"), gone.card_number
    page = browser.get(f"/settlement/{bill.patient_id}").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    gone_id = bill.patient_id
    with transaction():
        cards.merge_cards(gone_id, stayed.id, {}, "Одно лицо", actor=make.user("senior"))
    typed = {"cash": "1500", "bill": bill.id, "seen": seen[1], "request_id": str(uuid4())}
    for answer in (
        browser.get(f"/settlement/{gone_id}"),
        browser.post(f"/settlement/{gone_id}/pay", data=typed),
        browser.post(f"/settlement/{gone_id}/pay", data={"cash": "10", "request_id": str(uuid4())}),
    ):
        assert answer.status_code == 303 and answer.location == f"/settlement/{stayed.id}"
    page = browser.get(answer.location).text
    assert f"Карта № {number} присоединена к этой." in page and f"№ {bill.number}" in page
    assert "Эта карта объединена с другой" in page
    assert taken(gone_id) == taken(stayed.id) == 0


def test_the_settlement_of_a_card_in_the_archive_says_so_and_takes_the_debt(client_of, make, bill):
    with transaction():
        cards.archive_card(bill.patient_id, "Переехал", actor=make.user("senior"))
    page = client_of("administrator").get(f"/settlement/{bill.patient_id}").text
    assert ">В архиве</span>" in page and "Принять оплату" in page


def test_no_work_order_is_begun_on_a_card_that_was_put_away(client_of, make, bill):
    """It is said before the lines are filled in; of a merged card not that it should be taken out of the archive."""
    stayed, gone, archived = make.patient("Сергеева"), bill.patient_id, make.patient("Убранов")
    with transaction():
        cards.merge_cards(gone, stayed.id, {}, "Одно лицо", actor=make.user("senior"))
        cards.archive_card(archived.id, "Переехал", actor=make.user("senior"))
    browser = client_of("director")
    order = {"doctor_id": bill.doctor_id, "line_service_id": "1", "line_quantity": "1", "request_id": str(uuid4())}
    for patient_id, said in (
        (gone, "Эта карта объединена с другой: откройте ту, что осталась."),
        (archived.id, "Эта карта в архиве. Сначала верните её из архива."),
    ):
        for answer in (
            browser.get(f"/work-orders/new?patient={patient_id}"),
            browser.post(f"/work-orders/new?patient={patient_id}", data=order | {"request_id": str(uuid4())}),
        ):
            assert answer.status_code in (409, 422) and said in answer.text, answer.text
