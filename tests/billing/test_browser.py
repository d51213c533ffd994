"""From the order to the next visit in a real browser: a tooth from the chart, one key for the card, a plan."""

from collections.abc import Iterator
from decimal import Decimal
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


def of_bills(clinic: SimpleNamespace, *prices: str, ahead: str, lent: str) -> tuple[int, str]:
    """A patient who owes, has paid ahead, and whose relative has: the patient, the field of the relative's advance."""
    from app.billing import operations
    from app.db import session, transaction
    from app.models import Family

    with clinic.app.app_context():
        make = Maker()
        actor, doctor, kin = make.user("director"), make.doctor(), make._save(Family(name="Зубовы"))
        patient, mother = (make.patient("Зубова", family_id=kin.id) for _ in range(2))
        for payer, amount in ((patient, ahead), (mother, lent)):
            with transaction():
                operations.take_payment(
                    payer.id, [{"method": "card", "amount": Decimal(amount)}], branch_id=1, actor=actor
                )
        for price in prices:
            line = {"service_id": make.service(price).id, "quantity": 1}
            with transaction():
                order = operations.create_work_order(patient.id, doctor.id, [line], branch_id=1, actor=actor)
                operations.issue(order.id, actor=actor)
        made = patient.id, f"relative_{mother.id}"
        session.remove()
    return made


@pytest.mark.browser
def test_all_this_way_takes_no_more_from_the_other_ways_than_it_needs(clinic: SimpleNamespace) -> None:
    patient, lent = of_bills(clinic, "8500", "4000", ahead="3000", lent="3000")
    page = clinic.w.sign_in("director")
    page.goto(f"{clinic.w.base}/settlement/{patient}")
    page.wait_for_load_state("load")

    def typed(**sums: str) -> None:
        for name in ("cash", "card", "transfer", "advance", lent):
            page.fill(f"#{name}", sums.get(name, ""))

    def stands(**sums: str) -> None:
        for name in ("cash", "card", "transfer", "advance", lent):
            expect(page.locator(f"#{name}")).to_have_value(sums.get(name, "").replace(" ", "\u00a0"))

    def all_by(name: str) -> None:
        page.click(f"[data-all={name}]")

    all_by("advance")
    stands(advance="3 000,00", cash="9 500,00")
    expect(page.locator("#payer_id")).to_have_value(str(patient))
    all_by(lent)
    stands(**{lent: "3 000,00"}, advance="3 000,00", cash="6 500,00")
    expect(page.locator("#payer_id")).to_have_value(lent.removeprefix("relative_"))  # whose advance it is
    all_by(lent)  # pressed again it changes nothing
    stands(**{lent: "3 000,00"}, advance="3 000,00", cash="6 500,00")
    all_by("card")  # what was left for cash, and the advances stay
    stands(**{lent: "3 000,00"}, advance="3 000,00", card="6 500,00")

    typed(cash="12500", card="2000", transfer="1500,50")
    all_by("advance")
    stands(cash="5 999,50", card="2000", transfer="1500,50", advance="3 000,00")
    all_by(lent)
    stands(**{lent: "3 000,00"}, cash="2 999,50", card="2000", transfer="1500,50", advance="3 000,00")

    typed(card="2000", transfer="10500")  # no cash to take it from: the rest of the money gives way
    all_by("advance")
    stands(transfer="9 500,00", advance="3 000,00")

    page.locator("[name=bill]").first.uncheck()
    typed(cash="1000", advance="3000")
    all_by(lent)  # of the other advance no more than is needed
    stands(**{lent: "3 000,00"}, advance="1 000,00")
    page.locator("[name=bill]").last.uncheck()
    typed(card="700")
    all_by("cash")  # nothing is due: what is paid ahead stays as it was typed
    stands(card="700")


@pytest.mark.browser
def test_a_child_s_advance_is_paid_by_who_pays_for_the_child(clinic: SimpleNamespace) -> None:
    """The guardian is chosen as soon as the advance is; all of the form is on a small screen, the change beside the
    cash, and no line moves when a way to pay is emptied."""
    from datetime import date

    from app.billing import operations
    from app.db import session, transaction
    from app.models import Family, Payment

    with clinic.app.app_context():
        make = Maker()
        actor, kin, born = make.user("director"), make._save(Family(name="Зубовы")), date(1980, 5, 5)
        father, mother = (make.patient("Зубов", family_id=kin.id, birth_date=born) for _ in range(2))
        child = make.patient("Зубов", family_id=kin.id, guardian_id=father.id, birth_date=date(2020, 5, 5))
        with transaction():
            operations.take_payment(child.id, [{"method": "card", "amount": Decimal(500)}], branch_id=1, actor=actor)
            operations.take_payment(mother.id, [{"method": "card", "amount": Decimal(10)}], branch_id=1, actor=actor)
        for _ in range(2):
            line = {"service_id": make.service("300").id, "quantity": 1}
            with transaction():
                order = operations.create_work_order(mother.id, clinic.doctor, [line], branch_id=1, actor=actor)
                operations.issue(order.id, actor=actor)
        payer, owing, lent = father.id, mother.id, f"relative_{child.id}"
        session.remove()
    page = clinic.w.sign_in("director")
    page.goto(f"{clinic.w.base}/settlement/{owing}")
    page.wait_for_load_state("load")
    expect(page.locator("#payer_id")).to_have_value(str(owing))
    take = page.get_by_role("button", name="Принять оплату").bounding_box()
    assert take and take["y"] + take["height"] <= 800
    page.focus("#cash")
    for field in ("[data-all=cash]", "#tendered", "#card"):
        page.keyboard.press("Tab")
        expect(page.locator(field)).to_be_focused()
    page.dblclick("[data-all=card]")
    expect(page.locator("#card")).to_have_value("600,00")  # not the transfer that would have come under the pointer
    expect(page.locator("#tendered")).to_be_disabled()
    page.click(f"[data-all={lent}]")
    expect(page.locator("#payer_id")).to_have_value(str(payer))
    page.get_by_role("button", name="Принять оплату").click()
    page.wait_for_url("**/settlement/payments/*")
    with clinic.app.app_context():
        payment = session.query(Payment).order_by(Payment.id.desc()).first()
        assert payment and (payment.patient_id, payment.payer_id) == (owing, payer)


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


@pytest.mark.browser
def test_on_a_phone_the_sums_due_stand_on_the_screen_without_scrolling_sideways(clinic: SimpleNamespace) -> None:
    """On the settlement page, on the card's tab «Money» and in the list of certificates, with the bill named."""
    from app.billing import operations
    from app.cash import operations as cash
    from app.db import session, transaction
    from app.models import CashDesk, Service

    with clinic.app.app_context():
        make = Maker()
        service = session.query(Service).filter_by(code=clinic.service).one().id
        with transaction():
            desk = session.query(CashDesk).filter_by(branch_id=1, kind="main").one()
            cash.open_shift(desk.id, desk.balance, actor=make.user())
            for quantity in (1, 2):
                order = operations.create_work_order(
                    clinic.patient, clinic.doctor, [{"service_id": service, "quantity": quantity}], branch_id=1,
                    actor=make.user(),
                )  # fmt: skip
                operations.issue(order.id, actor=make.user())
            number = order.number
            operations.sell_certificate(
                clinic.patient, Decimal(5000), [{"method": "cash", "amount": Decimal(5000)}], actor=make.user()
            )
        session.remove()
    page = clinic.w.sign_in("administrator")
    page.set_viewport_size({"width": 390, "height": 800})
    for address, sum_due in (
        (f"/settlement/{clinic.patient}", "2\u202f469,00"),
        (f"/patients/{clinic.patient}?tab=money", "2\u202f469,00"),
        ("/settlement/certificates/", "5\u202f000,00"),
    ):
        page.goto(clinic.w.base + address)
        table = page.locator(".scroll").filter(has=page.locator("td.money:visible")).first
        cell = table.locator("td.money:visible", has_text=sum_due).first
        expect(cell).to_be_visible()
        assert table.evaluate("it => it.scrollWidth <= it.clientWidth"), address
        right = cell.evaluate("it => it.getBoundingClientRect().right")
        assert right <= 390, (address, right)
    page.goto(f"{clinic.w.base}/settlement/{clinic.patient}")
    row = page.locator("tr", has=page.get_by_text(f"№ {number}"))
    expect(row.locator(".phone-only")).to_be_visible()  # whose bill it is
    expect(row.locator("[data-share]")).to_be_in_viewport()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(row.locator(".phone-only")).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Врач")).to_be_visible()


@pytest.mark.browser
def test_the_largest_discount_is_not_marked_though_it_is_rounded_up(clinic: SimpleNamespace) -> None:
    from app.db import session
    from app.models import ClinicSetting

    with clinic.app.app_context():
        code = Maker().service("100.10").code  # five percent of it are 5.005
        session.get_one(ClinicSetting, 1).discount_limit_administrator = 5
        session.commit()
        session.remove()
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/work-orders/new?patient={clinic.patient}")
    page.fill("#service-find", code)
    page.locator(".found a").first.wait_for()
    page.press("#service-find", "Enter")
    discount = page.locator("tr[data-line] [name=line_discount]")
    discount.fill("5")
    expect(page.locator("tr[data-line] [data-total]")).to_have_text("95,09")
    expect(page.locator("tr[data-line] .discount")).not_to_have_class("discount has-error")
    discount.fill("5,01")
    expect(page.locator("tr[data-line] .discount")).to_have_class("discount has-error")
