"""One day at the desk in a real browser: booked, met, treated, billed, paid, returned, counted, reported.

An administrator, a doctor and the director, each in a window of their own; at the end the four reports say
to the kopeck what was done. Selectors are names and data-attributes, so that wording may change.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import clock
from tests.browser import Windows, windows
from tests.conftest import Maker, copied


@pytest.fixture
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    """The application as it is served, CSRF and all, on a database where nothing has happened yet."""
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


def furnish(app: Flask) -> SimpleNamespace:
    """What stands in the clinic before the day: the doctor's hours, two services, a reason, a known patient."""
    from app.db import session, transaction
    from app.models import CancelReason, Employee

    with app.app_context():
        make = Maker()
        doctor_user = make.user("doctor")
        doctor = session.query(Employee).filter_by(user_id=doctor_user.id).one()
        other = session.query(Employee).filter_by(user_id=make.user("doctor2").id).one()
        for one, chair in ((doctor, 1), (other, make.chair().id)):
            make.hours(one, clock.today(), time(0), time(23, 45), chair_id=chair)
        filling, cleaning = make.service("5500.00", "Восстановление зуба пломбой"), make.service("3333.33", "Гигиена")
        patient = make.patient("Королёва", name="Анна", phone="+79161112233")
        with transaction():
            session.add(CancelReason(name="Заболела"))
        return SimpleNamespace(
            doctor_id=doctor.id, other_id=other.id, filling=filling.id, cleaning=cleaning.id, patient_id=patient.id
        )


def kopecks(text: str) -> Decimal:
    """A sum as it stands on the screen."""
    return Decimal(re.sub(r"[^\d,.-]", "", text.replace("\u2212", "-")).replace(",", "."))


def open_visit(page: Page, pk: int) -> None:
    with page.expect_response(lambda r: r.url.endswith(f"/appointments/{pk}")):
        page.locator(f'[data-visit="{pk}"]').first.click()
    expect(page.locator("[data-side] .side-status")).to_be_visible()


def api(page: Page, path: str) -> Any:
    """What a program of this account is told."""
    answer = page.request.get(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/api/v1/" + path)
    assert answer.status == 200, answer.text()
    return answer.json()


def book(
    page: Page, base: str, surname: str, start: str, doctor_id: int, *, draft: tuple[str, str, str] | None = None
) -> int:
    """Book through the panel: a known patient by typing, or a newcomer by «+»."""
    page.goto(f"{base}/schedule/")
    page.click("[data-new]")
    if draft:
        page.click("[data-draft]")
        for name, value in zip(("surname", "name", "phone"), draft, strict=True):
            page.fill(f"#draft-{name}", value)
        page.click("[data-draft-save]")
    else:
        page.fill("#book-patient", surname)
        page.locator("#book-found a, #book-found li[role=option], #book-found button").first.click()
    expect(page.locator("[data-picked-name]")).to_contain_text(surname)
    page.fill("#book-day", clock.today().isoformat())
    page.fill("#book-start", start)
    page.fill("#book-minutes", "30")
    page.select_option("#book-doctor", str(doctor_id))
    with page.expect_response(lambda r: "/api/v1/appointments/" in r.url and r.request.method == "POST") as answer:
        page.click("form[data-booking] [data-save]")
    assert answer.value.status == 201, answer.value.text()
    pk = answer.value.json()["id"]
    expect(page.locator(f'[data-visit="{pk}"]').first).to_be_visible()
    return int(pk)


def step(page: Page, pk: int, name: str) -> None:
    open_visit(page, pk)
    with page.expect_response(lambda r: r.url.endswith(f"/{name}")) as answer:
        page.click(f'[data-side] [data-step="{name}"]')
    assert answer.value.status == 200, answer.value.text()


def the_day(w: Windows, app: Flask, c: SimpleNamespace) -> None:
    base, today = w.base, clock.today()
    desk = w.sign_in("administrator")

    # Morning: the drawer is counted, change is brought in.
    desk.goto(f"{base}/cash/")
    desk.fill("input[name=counted]", "0")
    desk.click("form.open-shift button[type=submit]")
    desk.check("input[name=kind][value=pay_in]")
    desk.fill("[data-cash-move] input[name=amount]", "5000")
    desk.click("[data-cash-move] button[type=submit]")
    expect(desk.locator(".cash-sums .total .money")).to_contain_text("5")

    # Bookings: a known patient, a newcomer, one who will not come, one who cancels.
    known = book(desk, base, "Королёва", "10:00", c.doctor_id)
    fresh = book(desk, base, "Новиков", "11:00", c.doctor_id, draft=("Новиков", "Пётр", "8 916 555-44-33"))
    lost = book(desk, base, "Забыванов", "00:00", c.other_id, draft=("Забыванов", "Олег", "8 916 555-44-34"))
    gone = book(desk, base, "Больнов", "12:00", c.other_id, draft=("Больнов", "Ян", "8 916 555-44-35"))

    # A second desk sees a move without a click; a refused one says why and stays.
    second = w.sign_in("administrator2")
    second.goto(f"{base}/schedule/")
    expect(second.locator(f'[data-visit="{fresh}"]').first).to_contain_text("11:00")
    move_by_panel(desk, fresh, "11:30")
    expect(second.locator(f'[data-visit="{fresh}"]').first).to_contain_text("11:30", timeout=10_000)
    open_visit(desk, fresh)
    desk.locator("[data-move] summary").click()
    desk.fill("#visit-start", "10:15")
    desk.click("[data-change] [data-save]")
    expect(desk.locator("[data-side] [data-refusal]")).to_be_visible()
    [row] = [a for a in api(desk, f"schedule/day?day={today}")["appointments"] if a["id"] == fresh]
    assert row["starts_at"] == f"{today}T11:30"

    # The day goes on.
    desk.goto(f"{base}/schedule/")
    step(desk, lost, "no_show")
    open_visit(desk, gone)
    desk.locator("[data-cancel] summary").click()
    desk.select_option("#cancel-reason", index=1)
    desk.check("[data-cancel-form] input[value=patient]")
    desk.click("[data-cancel-form] button[type=submit]")
    expect(desk.locator(f'[data-visit="{gone}"]')).to_have_count(0)
    for name in ("arrive", "start"):
        step(desk, known, name)

    # The doctor sees only the own column, fills in the order and issues it.
    doctor = w.sign_in("doctor")
    doctor.goto(f"{base}/schedule/")
    expect(doctor.locator(f'[data-visit="{known}"]').first).to_be_visible()
    assert {a["doctor_id"] for a in api(doctor, f"schedule/day?day={today}")["appointments"]} == {c.doctor_id}
    doctor.goto(f"{base}/work-orders/new?appointment={known}")
    for number, (service, tooth) in enumerate(((("пломбой"), "36"), (("Гигиена"), ""))):
        doctor.fill("[data-find]", service)
        expect(doctor.locator("[data-work-order] .found li").first).to_be_visible()
        doctor.press("[data-find]", "Enter")
        line = doctor.locator("tbody tr[data-line]").nth(number)
        line.locator("[name=line_tooth]").fill(tooth)
    doctor.locator("tbody tr[data-line]").nth(1).locator("[name=line_discount]").fill("10")
    doctor.locator("tbody tr[data-line]").nth(1).locator("[name=line_discount_reason]").fill("Постоянный пациент")
    doctor.click("button[name=do][value=issue]")
    expect(doctor.locator(".tag").first).to_be_visible()
    total = Decimal("5500.00") + Decimal("3333.33") - Decimal("333.33")

    # At the desk: cash with change and card, what is over goes to the advance; a double click pays once.
    step(desk, known, "complete")
    desk.goto(f"{base}/settlement/{c.patient_id}")
    assert kopecks(desk.locator("[data-due-sum]").inner_text()) == total
    desk.fill("#cash", "6000")
    desk.fill("#card", "3000")
    desk.fill("#tendered", "7000")
    desk.dblclick("form[data-settle] button[type=submit]")
    desk.wait_for_url("**/settlement/payments/*")
    assert kopecks(desk.locator("dd.change").inner_text()) == 1000
    receipt = desk.request.post(
        base + desk.locator("form[action*='/documents/receipts/']").get_attribute("action"),
        form={"csrf_token": desk.locator("[name=csrf_token]").first.get_attribute("value")},
    )
    assert receipt.status == 200 and receipt.body().startswith(b"%PDF")
    balance = api(desk, f"patients/{c.patient_id}/balance")
    assert balance == {"debt": "0.00", "advance": "500.00"}

    # The advance pays a small bill; the senior returns some of the cash of the first payment.
    doctor.goto(f"{base}/work-orders/new?appointment={known}")
    doctor.fill("[data-find]", "Гигиена")
    expect(doctor.locator("[data-work-order] .found li").first).to_be_visible()
    doctor.press("[data-find]", "Enter")
    doctor.click("button[name=do][value=issue]")
    desk.goto(f"{base}/settlement/{c.patient_id}")
    desk.fill("#cash", "")
    desk.fill("#advance", "500")
    desk.click("form[data-settle] button[type=submit]")
    desk.wait_for_url("**/settlement/payments/*")
    assert api(desk, f"patients/{c.patient_id}/balance") == {"debt": "2833.33", "advance": "0.00"}
    senior = w.sign_in("senior")
    senior.goto(f"{base}/settlement/{c.patient_id}")
    refund = senior.locator("details.reverse:has(form[action$='/refund'])").last
    refund.locator("summary").click()
    refund.locator("input[name=amount]").fill("200,50")
    refund.locator("input[name=reason]").fill("Ошибка в сумме")
    refund.locator("button[type=submit]").click()
    senior.wait_for_load_state()
    debt = Decimal("2833.33") + Decimal("200.50")
    assert Decimal(api(desk, f"patients/{c.patient_id}/balance")["debt"]) == debt

    # Papers from the card.
    desk.goto(f"{base}/patients/{c.patient_id}")
    desk.locator("[data-tab]").nth(2).click()
    expect(desk.locator("#tab form").first).to_be_visible()

    # A withdrawal under a category made on the spot, and the evening count.
    desk.goto(f"{base}/cash/")
    desk.check("input[name=kind][value=withdrawal]")
    desk.fill("[data-cash-move] input[name=amount]", "750,40")
    desk.fill("#new_category", "Вода для кулера")
    desk.click("[data-cash-move] button[type=submit]")
    cash = Decimal("5000") + 6000 - Decimal("200.50") - Decimal("750.40")
    expect(desk.locator(".cash-sums .total .money")).to_contain_text(re.compile(r"10.?049,10"))
    desk.click("a[href*='close']")
    desk.fill("input[name=counted]", str(cash - 10))
    desk.click("form[data-count] button[type=submit]")
    expect(desk.locator("form[data-count]")).to_be_visible()
    desk.fill("input[name=reason]", "Десять рублей не нашли")
    desk.click("form[data-count] button[type=submit]")
    desk.wait_for_url(lambda url: "close" not in url)

    # The four reports of today agree with what was done, to the kopeck.
    reports = {kind: api(desk, f"reports/{kind}") for kind in ("patients", "bills-payments", "services", "cash")}
    told = str(reports)
    billed, paid = total + Decimal("3333.33"), Decimal("9000.00")
    with app.app_context():
        check_figures(c, today, billed=billed, paid=paid, refunded=Decimal("200.50"), cash=cash - 10, debt=debt)
    for figure in (billed, paid, debt, Decimal("200.50"), Decimal("750.40"), cash, cash - 10):
        assert f"{figure:.2f}" in told, figure

    # Today only, until the director opens a day; closed again at once.
    yesterday = (today - timedelta(days=1)).isoformat()
    refused = desk.request.get(f"{base}/api/v1/reports/cash?from={yesterday}&to={yesterday}")
    assert refused.status == 403 and refused.json()["error"] == "outside_window"
    assert desk.goto(f"{base}/reports/cash?from={yesterday}&to={yesterday}").status == 403
    director = w.sign_in("director")
    director.goto(f"{base}/access/days")
    director.select_option("select[name=to]", index=1)
    options = director.locator("select[name=to] option").evaluate_all(
        "all => all.map(one => [one.value, one.textContent])"
    )
    administrator = next(value for value, _ in options if value.endswith("administrator"))
    director.select_option("select[name=to]", administrator)
    director.fill("input[name=reason]", "Сверка за вчера")
    director.locator("form input[name=reason]").locator("xpath=ancestor::form").locator("button[type=submit]").click()
    director.wait_for_load_state()
    assert desk.goto(f"{base}/reports/cash?from={yesterday}&to={yesterday}").status == 200
    director.locator("form[action*=revoke] button[type=submit]").first.click()
    director.wait_for_load_state()
    assert desk.goto(f"{base}/reports/cash?from={yesterday}&to={yesterday}").status == 403


def move_by_panel(page: Page, pk: int, start: str) -> None:
    page.goto(page.url)
    open_visit(page, pk)
    page.locator("[data-move] summary").click()
    page.fill("#visit-start", start)
    with page.expect_response(lambda r: r.request.method == "PATCH") as answer:
        page.click("[data-change] [data-save]")
    assert answer.value.status == 200, answer.value.text()


def check_figures(c: SimpleNamespace, today: date, **wanted: Decimal) -> None:
    """The database itself says the same: ledger, orders' lines, payments, movements."""
    from sqlalchemy import func, select

    from app.db import session
    from app.models import CashDesk, LedgerEntry, Payment, Refund, WorkOrder, WorkOrderLine

    one = lambda column, *where: session.scalar(select(func.coalesce(func.sum(column), 0)).where(*where))  # noqa: E731
    assert (
        one(LedgerEntry.debt_change, LedgerEntry.kind == "bill", LedgerEntry.business_day == today) == wanted["billed"]
    )
    assert one(WorkOrderLine.total) == one(WorkOrder.total) == wanted["billed"]
    assert one(Payment.amount) == wanted["paid"] + 500
    assert one(Refund.amount) == wanted["refunded"]
    assert one(LedgerEntry.debt_change) == wanted["debt"]
    assert one(CashDesk.balance, CashDesk.kind == "main") == wanted["cash"]
    assert one(CashDesk.balance, CashDesk.kind == "non_cash") == 3000


def test_a_day_at_the_desk(clinic: Flask) -> None:
    c = furnish(clinic)
    with windows(clinic) as w:
        the_day(w, clinic, c)
        assert not w.faults, w.faults
