"""A day of the cash desk in a real browser: opened by notes, moved, corrected, looked at, closed by notes."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import windows
from tests.conftest import Maker, copied


@pytest.fixture
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


def second_desk(app: Flask) -> int:
    """Another open drawer in the administrator's branch."""
    from app import access
    from app.cash import operations as cash
    from app.db import session, transaction
    from app.models import Branch, CashDesk

    with app.app_context():
        make = Maker()
        branch = session.get_one(Branch, access.account(make.user()).branch_id)
        entity = {"branch_id": branch.id, "legal_entity_id": branch.legal_entity_id}
        desk = make._save(CashDesk(name="Вторая касса", kind="additional", **entity)).id
        with transaction():
            cash.open_shift(desk, Decimal(0), actor=make.user())
        return int(desk)


def holds(page: Page, sum_: str) -> None:
    """What the desk says is in it; the digits are grouped by a thin space."""
    expect(page.locator(".cash-sums .total .money")).to_contain_text(re.compile(sum_.replace(" ", r"\s?")))


def move(page: Page, kind: str, amount: str, **fields: str) -> None:
    page.check(f"input[name=kind][value={kind}]")
    page.fill("[data-cash-move] input[name=amount]", amount)
    for name, value in fields.items():
        control = page.locator(f"[data-cash-move] [name={name}]")
        if control.evaluate("it => it.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    page.dblclick("[data-cash-move] button[type=submit]")
    page.wait_for_load_state()


def count(page: Page, **pieces: str) -> None:
    """So many of a value: n5000="2"."""
    for value, many in pieces.items():
        page.locator(f'[data-value="{value[1:]}"]').fill(many)


def test_a_day_of_the_cash_desk(clinic: Flask) -> None:
    other = second_desk(clinic)
    with windows(clinic) as w:
        desk = w.sign_in("administrator")
        desk.goto(f"{w.base}/cash/")

        # Opened note by note; five roubles more than at the last closing need a reason.
        desk.locator("form[data-count] details summary").click()
        count(desk, n5000="1", n100="2", n5="1")
        assert desk.locator("[name=counted]").input_value() == "5205,00"
        desk.click("form[data-count] button[type=submit]")  # the browser itself asks for the reason
        expect(desk.locator("form[data-count]")).to_be_visible()
        desk.fill("[name=reason]", "Размен из сейфа")
        desk.click("form[data-count] button[type=submit]")
        holds(desk, "5 205,00")

        # Double clicks all along; each operation is written once.
        move(desk, "pay_in", "1 000", comment="Размен")
        holds(desk, "6 205,00")
        move(desk, "withdrawal", "310,50", new_category="Вода для кулера", counterparty="Курьер")
        holds(desk, "5 894,50")
        move(desk, "transfer", "894,50", to_desk_id=str(other))
        holds(desk, "5 000,00")
        move(desk, "collection", "9 000", counterparty="Инкассатор")
        expect(desk.locator(".alert-danger")).to_contain_text("5")
        assert desk.locator("[data-cash-move] input[name=amount]").input_value() == "9 000"
        move(desk, "salary", "1 000", counterparty="Смирнова А. П.")
        holds(desk, "4 000,00")

        # The salary was a mistake.
        row = desk.locator(".cash-journal tr", has_text="Смирнова А. П.").first
        row.locator("details.reverse summary").click()
        row.locator("input[name=reason]").fill("Не та сумма")
        row.locator("details.reverse button[type=submit]").click()
        holds(desk, "5 000,00")
        expect(desk.locator(".cash-journal tr.reversed")).to_have_count(1)

        # X at any time, and the other desk got its money.
        desk.click("a:has-text('X-отчёт')")
        expect(desk.locator("h1")).to_contain_text("X-отчёт")
        for words in ("Вода для кулера", "Размен из сейфа", "Пересчитано при открытии"):
            expect(desk.locator("section.sheet")).to_contain_text(words)
        desk.goto(f"{w.base}/cash/?desk={other}")
        holds(desk, "894,50")

        # Closed by notes, ten roubles short; the way back to the closed shift's form leads to its report.
        desk.goto(f"{w.base}/cash/")
        desk.click("a[href$='/close']")
        count(desk, n2000="2", n500="1", n100="4", n50="1", n10="4")
        expect(desk.locator("[data-difference]")).to_contain_text("10,00")
        desk.fill("[name=reason]", "Десять рублей не нашли")
        desk.dblclick("form[data-count] button[type=submit]")
        desk.wait_for_url("**/cash/shifts/*")
        expect(desk.locator("section.sheet")).to_contain_text("Десять рублей не нашли")
        expect(desk.locator("table:has(caption)")).to_have_count(2)
        desk.go_back()  # the form reloads itself
        desk.wait_for_url(lambda url: "close" not in url)
        assert not w.faults, w.faults
    check(clinic, {"pay_in": 1, "withdrawal": 1, "transfer_out": 1, "transfer_in": 1, "salary": 1, "reversal": 1,
                   "surplus": 1, "shortage": 1})  # fmt: skip


def check(app: Flask, wanted: dict[str, Any]) -> None:
    from app.db import session
    from app.models import CashMovement
    from app.reports import queries as reports

    with app.app_context():
        kinds = [row.kind for row in session.query(CashMovement)]
        assert {kind: kinds.count(kind) for kind in kinds} == wanted
        assert not [promise.name for promise in reports.PROMISES if reports.breaches(promise)]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 800)])
def test_forms_are_in_sight(clinic: Flask, width: int, height: int) -> None:
    """The reversal of an operation is typed without scrolling sideways; an error under one field moves no other."""
    second_desk(clinic)
    with windows(clinic) as w:
        desk = w.sign_in("administrator")
        desk.set_viewport_size({"width": width, "height": height})
        desk.goto(f"{w.base}/cash/")
        desk.click("form[data-count] button[type=submit]")
        move(desk, "pay_in", "100", counterparty="Поставщик воды", comment="Возврат денег за непривезённую воду")
        move(desk, "salary", "10", counterparty="Смирнова Анастасия Петровна", comment="Аванс за первую половину")
        for place in (1, 2):  # the form opens over its row and makes the list no longer
            row = desk.locator(".cash-journal tbody tr").nth(place - 1)
            row.locator("details.reverse summary").click()
            for control in (row.locator("input[name=reason]"), row.locator("details.reverse button[type=submit]")):
                box = control.bounding_box()
                assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, (place, box)
            row.locator("details.reverse summary").click()
        holder = desk.locator(".scroll:has(.cash-journal)")
        assert holder.evaluate("it => it.scrollHeight <= it.clientHeight + 1")

        def tops() -> set[int]:
            seen = "all => all.filter(it => it.offsetParent).map(it => Math.round(it.getBoundingClientRect().top))"
            return set(desk.locator("[data-cash-move] .form-row label").evaluate_all(seen))

        desk.check("input[name=kind][value=salary]")
        before = tops()
        desk.check("input[name=kind][value=salary]")
        desk.fill("[data-cash-move] input[name=amount]", "-5")
        desk.click("[data-cash-move] button[type=submit]")
        expect(desk.locator("[data-cash-move] .field-error")).to_be_visible()
        if width > 1000:
            assert len(before) == 1 and len(tops()) == 1, tops()
        assert not w.faults, w.faults
