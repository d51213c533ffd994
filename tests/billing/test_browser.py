"""From the order to the next visit in a real browser: a tooth from the chart, one key for the card, a plan."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import windows
from tests.conftest import Maker, copied


@pytest.fixture
def clinic(server: Any, template: str) -> Iterator[SimpleNamespace]:
    with copied(server, template) as app:
        from app.db import session
        from app.models import RefusalReason

        with app.app_context():
            make = Maker()
            make._save(RefusalReason(name="Уезжает"))
            doctor, helper, patient = make.doctor(), make.doctor(), make.patient("Зубова")
            made = SimpleNamespace(
                app=app, patient=patient.id, doctor=doctor.id, helper=helper.id, service=make.service("1234.50").code
            )
            session.remove()
        with windows(app) as made.w:
            yield made
            assert not made.w.faults, made.w.faults


@pytest.mark.browser
def test_an_order_is_filled_settled_with_one_key_and_the_next_visit_planned(clinic: SimpleNamespace) -> None:
    from app.models import Payment, WorkOrder

    page = clinic.w.sign_in("director")
    page.goto(f"{clinic.w.base}/work-orders/new?patient={clinic.patient}")
    page.select_option("#doctor_id", str(clinic.doctor))
    page.fill("#service-find", clinic.service)
    page.locator(".found a").first.wait_for()
    page.press("#service-find", "Enter")
    line = page.locator("tr[data-line]")
    expect(page.locator("[data-teeth]")).to_be_hidden()  # it would lie over the buttons
    line.locator("[name=line_tooth]").click()
    expect(page.locator("[data-teeth]")).to_be_visible()
    page.click("[data-pick='75']")
    expect(line.locator("[name=line_tooth]")).to_have_value("75")
    expect(page.locator("[data-teeth]")).to_be_hidden()
    line.locator("[name=line_assistant_id]").select_option(str(clinic.helper))
    page.click("button[value=issue]")
    page.wait_for_url("**/work-orders/*")
    page.goto(f"{clinic.w.base}/settlement/{clinic.patient}")
    page.wait_for_load_state("load")
    page.fill("#cash", "")
    page.fill("#certificate", "10")
    page.fill("#certificate_number", "77-77")
    page.press("#certificate_number", "Tab")
    expect(page.locator("[data-certificate]")).to_contain_text("Сертификата № 77-77 нет")
    expect(page.locator("#certificate")).to_have_value("10")  # what no certificate pays has not become cash
    expect(page.locator("#cash")).to_have_value("")
    page.locator("h1").click()
    page.keyboard.press("b")  # a letter takes no money
    page.keyboard.press("F9")
    page.wait_for_url("**/settlement/payments/*")
    page.locator("[data-wish-open]").first.click()
    expect(page.locator("[data-wish-side] form")).to_be_visible()
    page.locator("[data-wish-close]").first.click()
    page.locator("details.reverse summary").click()
    page.select_option("[name=reason_id]", label="Уезжает")
    page.get_by_role("button", name="Записать", exact=True).click()
    expect(page.locator(".next-visit")).to_contain_text("Уезжает")
    with clinic.app.app_context():
        from app.db import session

        order, payment = session.query(WorkOrder).one(), session.query(Payment).one()
        assert (order.lines[0].tooth, order.lines[0].assistant_id, order.status) == ("75", clinic.helper, "paid")
        assert [(part.method, str(part.amount)) for part in payment.parts] == [("card", "1234.50")]


@pytest.mark.browser
def test_what_was_saved_in_a_draft_stands_on_the_screen_as_it_will_on_the_bill(clinic: SimpleNamespace) -> None:
    """Its price, though the price list was changed; and the director's discount is no mistake of the administrator."""
    from decimal import Decimal

    from sqlalchemy import select

    from app import clock
    from app.billing import operations
    from app.db import session, transaction
    from app.models import Service, ServicePrice, WorkOrder

    with clinic.app.app_context():
        make = Maker()
        service = session.scalars(select(Service).where(Service.code == clinic.service)).one()
        line = {"service_id": service.id, "quantity": 2, "discount_percent": Decimal(50), "discount_reason": "Свой"}
        with transaction():
            order = operations.create_work_order(
                clinic.patient, clinic.doctor, [line], branch_id=1, actor=make.user("director")
            ).id
        make._save(ServicePrice(service_id=service.id, valid_from=clock.today(), price=Decimal(2000)))
        session.remove()
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/work-orders/{order}")
    lines = page.locator("tr[data-line]")
    expect(page.locator("[data-whole]")).to_have_text("1\u00a0234,50")
    expect(page.locator(".discount.has-error")).to_have_count(0)
    lines.locator("[name=line_quantity]").fill("3")  # another line than the one it was given for
    expect(page.locator(".discount.has-error")).to_have_count(1)
    lines.locator("[name=line_quantity]").fill("")  # counted as nothing, and marked: the server refuses it
    expect(lines.locator(".has-error [name=line_quantity]")).to_have_count(1)
    expect(page.locator("[data-whole]")).to_have_text("0,00")
    lines.locator("[name=line_quantity]").fill("2")
    expect(page.locator(".has-error")).to_have_count(0)
    page.fill("#service-find", clinic.service)
    page.locator(".found a").first.wait_for()
    page.press("#service-find", "Enter")
    expect(lines.nth(1).locator("[data-price]")).to_have_text("1\u00a0234,50")
    lines.nth(1).locator("[name=line_discount]").fill("50")  # given once, for one line
    expect(page.locator(".discount.has-error")).to_have_count(1)
    lines.nth(1).locator("[name=line_discount]").fill("")
    page.click("button[value=issue]")
    expect(page.locator("tfoot .money").first).to_have_text("2\u202f469,00")
    with clinic.app.app_context():
        assert session.get_one(WorkOrder, order).total == Decimal("2469.00")
