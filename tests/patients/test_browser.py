"""The card index in a real browser: found from any page, opened, booked from, selected, merged and parted again.

One served application and one window for all of it.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import clock
from tests.browser import windows
from tests.conftest import Maker, copied


@pytest.fixture(scope="module")
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


@pytest.fixture(scope="module")
def cards(clinic: Flask) -> SimpleNamespace:
    """Twenty-three of one surname, one with much to show, and two cards of one person."""
    with clinic.app_context():
        make = Maker()
        for n in range(23):
            make.patient("Многолюдова", name=f"А{'абвгдежзиклмнопрстуфхцч'[n]}на")
        one = make.patient(
            "Королёва", name="Анна", phone="+79161112233", allergy="Лидокаин", sex="female", email="maria@mail.ru",
            inn="500100732259", identity_type="21", identity_series="4510", identity_number="123456",
        )  # fmt: skip
        visited = datetime.combine(clock.today() - timedelta(days=9), datetime.min.time()).replace(hour=10)
        make.appointment(one, make.doctor(), visited, status="completed")
        stays = make.patient("Двойная", name="Вера", phone="+79162223344", birth_date=date(1980, 1, 2))
        goes = make.patient("Двойная", name="Вера", phone="+79163334455", comment="Просит окно")
        make.appointment(goes, make.doctor(), visited.replace(hour=12), status="completed")
        return SimpleNamespace(
            one=one.id, stays=stays.id, goes=goes.id, number=goes.card_number, last=f"{visited:%d.%m.%Y}"
        )


@pytest.fixture(scope="module")
def window(clinic: Flask, cards: SimpleNamespace) -> Iterator[Any]:
    with windows(clinic) as opened:
        page = opened.sign_in("senior")
        yield SimpleNamespace(page=page, base=opened.base)
        assert opened.faults == []


def look_for(page: Page, typed: str) -> Any:
    """Ctrl+K and the typed words; what is found stands below."""
    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    return page.locator(".find .found a")


@pytest.mark.parametrize("at", ["/schedule/", "/patients/", "/cash/", "/settlement/"])
def test_found_from_any_page_in_the_wrong_layout(window: Any, cards: SimpleNamespace, at: str) -> None:
    page = window.page
    page.goto(f"{window.base}{at}")
    found = look_for(page, "rjhjk`df")  # «королёва» with the other layout on
    expect(found).to_have_count(1)
    expect(found.first).to_contain_text("Королёва Анна")
    expect(found.first).to_contain_text("…2233")
    expect(found.first).to_contain_text(cards.last)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{cards.one}")
    expect(page.locator("h1")).to_contain_text("Королёва Анна")


def test_found_ones_are_paged_past_ten(window: Any) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/")
    found = look_for(page, "многолюдова")
    where, marked = page.locator(".find .pages span"), page.locator(".find .found a.at")
    expect(where).to_have_text("1–10 из 23")
    for _ in range(11):  # past the tenth the page turns by itself
        page.keyboard.press("ArrowDown")
    expect(where).to_have_text("11–20 из 23")
    expect(marked).to_contain_text("Ална")
    page.keyboard.press("ArrowUp")
    expect(where).to_have_text("1–10 из 23")
    expect(marked).to_contain_text("Акна")
    page.keyboard.press("PageDown")
    expect(where).to_have_text("11–20 из 23")
    page.locator(".find .pages button").last.click()
    expect(where).to_have_text("21–23 из 23")
    expect(found).to_have_count(3)
    expect(page.locator(".find .pages button").last).to_be_disabled()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/patients/\d+$"))
    expect(page.locator("h1")).to_contain_text("Многолюдова Ахна")


def test_nothing_found_says_so_and_enter_opens_the_index(window: Any) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/")
    look_for(page, "щщщщъъъ")
    expect(page.locator(".find .found .note")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".find .found")).to_be_hidden()
    look_for(page, "многолюдова")
    page.keyboard.press("Enter")
    page.wait_for_url("**/patients/?q=*")
    expect(page.locator("section table tbody tr")).to_have_count(23)


def test_the_card_its_tabs_and_booking_from_it(window: Any, cards: SimpleNamespace) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/{cards.one}")
    expect(page.locator(".alert-danger")).to_contain_text("Лидокаин")
    tabs = page.locator("[data-tabs] button")
    for n in range(tabs.count()):
        with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "tab") as answered:
            tabs.nth(n).click()
        assert answered.value.status == 200, tabs.nth(n).inner_text()
        expect(tabs.nth(n)).to_have_class(re.compile("here"))
    page.keyboard.press("n")  # «Записать»
    page.wait_for_url(f"**/schedule/?patient={cards.one}*")
    expect(page.locator("body")).to_contain_text("Королёва")


def test_a_long_label_leaves_room_for_what_it_says(window: Any, cards: SimpleNamespace) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/{cards.one}")
    lines = """(said) => { const all = document.createRange();
        all.selectNodeContents([...document.querySelectorAll(".card-head dd")].find((dd) => dd.textContent === said));
        return all.getClientRects().length; }"""
    try:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert [page.evaluate(lines, said) for said in ("maria@mail.ru", "500100732259")] == [1, 1], width
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_selection_is_saved_and_found_again(window: Any) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/selections/")
    page.select_option("#sex", "female")
    page.check("[name=no_future]")
    page.click("form button:has-text('Подобрать')")
    expect(page.locator("section tbody tr")).to_have_count(1)
    page.fill("[name=name]", "Женщины без записи")
    page.click("form button:has-text('Сохранить')")
    expect(page.locator("h1")).to_contain_text("Женщины без записи")
    page.goto(f"{window.base}/patients/selections/")
    page.click(".kept a:has-text('Женщины без записи')")
    expect(page.locator("section tbody tr")).to_contain_text("Королёва Анна")
    expect(page.locator("#sex")).to_have_value("female")


def test_two_cards_are_merged_and_parted_again(window: Any, cards: SimpleNamespace) -> None:
    page = window.page
    page.goto(f"{window.base}/patients/{cards.stays}")
    page.click("a:has-text('Объединить с другой картой')")
    page.goto(f"{page.url}?with={cards.goes}")
    preview = page.locator(".merge-table")
    expect(preview).to_contain_text("Просит окно")
    expect(preview).to_contain_text("+7 916 333-44-55")
    expect(page.locator(".plain-list, section ul")).to_contain_text("Приёмы: 1")
    page.fill("#reason", "Одна и та же")
    page.click("button:has-text('Объединить карты')")
    page.wait_for_url(f"**/patients/{cards.stays}")
    expect(page.locator(".facts").first).to_contain_text("+7 916 333-44-55")
    expect(page.locator(".facts").first).to_contain_text("Просит окно")
    # the old number leads to the card that stayed
    found = look_for(page, str(cards.number))
    expect(found.first).to_contain_text("Двойная Вера")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{cards.stays}")
    page.click("button:has-text('Разъединить')")
    expect(page.locator(".alert-success, .flash, [role=alert]").first).to_be_visible()
    expect(page.locator(".facts").first).not_to_contain_text("+7 916 333-44-55")
    page.goto(f"{window.base}/patients/{cards.goes}")
    expect(page.locator("h1")).to_contain_text(f"№ {cards.number}")
    expect(page.locator(".facts").first).to_contain_text("Просит окно")
