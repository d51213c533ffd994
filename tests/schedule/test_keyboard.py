"""The schedule in a real browser: booked without the mouse, a week dragged over, a month opened, views kept.

One served application and one window for all of it; every key press is counted where a number of actions is promised.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import clock
from tests.browser import torn, windows
from tests.conftest import Maker, copied

TOMORROW = clock.today() + timedelta(days=1)


@pytest.fixture(scope="module")
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


@pytest.fixture(scope="module")
def furniture(clinic: Flask) -> SimpleNamespace:
    """Two doctors who work tomorrow and the week after, two patients, visits to walk over."""
    from app.db import session
    from app.models import Employee

    with clinic.app_context():
        make = Maker()
        doctors = [
            session.query(Employee).filter_by(user_id=make.user(name).id).one() for name in ("doctor", "doctor2")
        ]
        chairs = [1, make.chair().id]
        for doctor, chair in zip(doctors, chairs, strict=True):
            for days in range(1, 16):
                make.hours(doctor, clock.today() + timedelta(days=days), time(9), time(17), chair_id=chair)
        known = make.patient("Королёва", name="Анна", phone="+79161112233")
        make.patient("Королькова", name="Алла")
        visits = [
            make.appointment(make.patient(f"Ходячий{n}"), doctors[n % 2], datetime.combine(TOMORROW, time(10 + n)), 60,
                             chair_id=chairs[n % 2])
            for n in range(4)
        ]  # fmt: skip
        return SimpleNamespace(doctors=[doctor.id for doctor in doctors], known=known.id, visits=[v.id for v in visits])


@pytest.fixture(scope="module")
def window(clinic: Flask, furniture: SimpleNamespace) -> Iterator[Any]:
    with windows(clinic) as opened:
        page = opened.sign_in("administrator")
        yield SimpleNamespace(page=page, base=opened.base)
        assert opened.faults == []


@pytest.fixture
def page(window: Any) -> Page:
    found: Page = window.page
    found.goto(f"{window.base}/schedule/?day={TOMORROW}&by=doctor")
    expect(found.locator("[data-visit]").first).to_be_visible()
    return found


class Hands:
    """The keyboard; `actions` counts the presses that are not the typed search."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def press(self, key: str) -> None:
        self.actions += 1
        self.page.keyboard.press(key)


def shown(page: Page) -> str:
    return str(page.locator("[data-title]").inner_text())


def posted(path: str, method: str = "POST") -> Callable[[Any], bool]:
    return lambda answer: path in answer.url and answer.request.method == method


def test_a_known_patient_into_the_first_free_time_in_three_actions(
    page: Page, window: Any, furniture: SimpleNamespace
) -> None:
    """N, the name, Enter, Enter; and it is the first free time that is taken."""
    hands = Hands(page)
    first = page.request.get(f"{window.base}/api/v1/schedule/free?minutes=30&from={TOMORROW}&limit=1")
    [slot] = first.json()["result"]
    hands.press("n")
    expect(page.locator("[data-times] [role=radio]").first).to_be_visible()
    page.keyboard.type("королева анна")
    hands.press("Enter")
    expect(page.locator("[data-picked-name]")).to_contain_text("Королёва Анна")
    expect(page.locator("[data-times] [aria-checked=true]")).to_be_focused()
    expect(page.locator("[data-others]")).to_be_visible()
    with page.expect_response(posted("/appointments/")) as answer:
        hands.press("Enter")
    assert answer.value.status == 201
    visit = answer.value.json()
    assert hands.actions == 3
    assert (visit["patient"]["id"], visit["starts_at"], visit["doctor_id"], visit["chair_id"]) == (
        furniture.known, slot["starts_at"], slot["doctor_id"], slot["chair_id"],
    )  # fmt: skip
    expect(page.locator(f'[data-visit="{visit["id"]}"]')).to_be_visible()
    expect(page.locator("[data-side]")).to_be_hidden()


def test_several_of_a_name_are_chosen_with_arrows_and_so_is_the_time(page: Page) -> None:
    page.keyboard.press("n")
    page.keyboard.type("корол")
    expect(page.locator("#book-found a")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#book-found a").nth(1).locator("b").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("[data-picked-name]")).to_have_text(chosen)
    expect(page.locator("[data-times] [aria-checked=true]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    at = page.locator("[data-times] [aria-checked=true]").get_attribute("data-at") or ""
    assert at == page.locator("[data-times] [role=radio]").nth(1).get_attribute("data-at")
    assert page.locator("#book-start").input_value() == at[11:]
    page.keyboard.press("Escape")
    expect(page.locator("[data-side]")).to_be_hidden()


def test_first_free_times_for_who_was_called(page: Page, window: Any, furniture: SimpleNamespace) -> None:
    """From the card: the list has the focus, arrows choose, Enter takes it into the form, Enter books."""
    page.goto(f"{window.base}/schedule/?day={TOMORROW}&patient={furniture.known}&free=1")
    expect(page.locator(".free-slot").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wanted = page.locator(".free-slot").nth(2).locator("b").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("form[data-booking] [data-save]")).to_be_focused()
    assert page.locator("#book-start").input_value() == wanted[:5]
    with page.expect_response(posted("/appointments/")) as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 201
    assert answer.value.json()["patient"]["id"] == furniture.known


def test_keys_work_in_the_russian_layout_and_never_while_typing(page: Page) -> None:
    day = shown(page)

    def russian(key: str, code: str) -> None:
        press = "([key, code]) => document.activeElement.dispatchEvent("
        press += "new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true}))"
        page.evaluate(press, [key, code])

    russian("ь", "KeyM")
    expect(page.locator("[data-month] [data-open-day]").first).to_be_visible()
    russian("в", "KeyD")
    expect(page.locator("[data-visit]").first).to_be_visible()
    russian("т", "KeyN")
    expect(page.locator("#book-patient")).to_be_focused()
    page.keyboard.type("wmtd?/fn")
    assert page.locator("#book-patient").input_value() == "wmtd?/fn"
    assert shown(page) == day
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    russian(",", "Slash")
    expect(page.locator("[data-patient-search] input")).to_be_focused()


def test_the_list_of_keys_and_where_the_focus_goes(page: Page, window: Any) -> None:
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    expect(page.locator("dialog.keys [data-page-keys] kbd", has_text=re.compile("^N$"))).to_be_visible()
    before = shown(page)
    page.keyboard.press("m")
    assert shown(page) == before
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()
    page.goto(f"{window.base}/patients/")
    page.keyboard.press("Escape")  # out of the search field, where the page begins
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    expect(page.locator("dialog.keys [data-page-keys]")).to_be_hidden()


def test_visits_are_walked_over_and_met_by_keys(page: Page, furniture: SimpleNamespace) -> None:
    first, _, third, _ = furniture.visits
    left = "document.activeElement?.closest('[data-visit]')?.getBoundingClientRect().left"
    page.locator(f'[data-visit="{first}"]').focus()
    here = page.evaluate(left)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(here) => {left} > here + 100", arg=here)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"(here) => {left} === here", arg=here)
    page.locator(f'[data-visit="{first}"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f'[data-visit="{third}"]')).to_be_focused()
    with page.expect_response(posted(f"/appointments/{third}/confirm")) as answer:
        page.keyboard.press("c")
    assert answer.value.status == 200
    expect(page.locator("[data-side] .side-status")).to_be_visible()
    # The day is drawn anew; before that the cursor would stand on a visit that is replaced.
    expect(page.locator(f'[data-visit="{third}"] .fa-thumbs-up')).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-side]")).to_be_hidden()
    expect(page.locator(f'[data-visit="{third}"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-side] .side-status")).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator("#cancel-reason")).to_be_focused()


def test_days_weeks_and_months_by_keys_and_a_day_of_the_month_by_a_click(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(f"day={TOMORROW + timedelta(days=1)}"))
    page.keyboard.press("m")
    there = TOMORROW + timedelta(days=1)
    cell = page.locator(f'[data-open-day="{there}"]')
    expect(cell).to_be_visible()
    expect(cell).to_contain_text("16 ч")
    cell.focus()
    step = 1 if there.day == 1 else -1
    page.keyboard.press("ArrowLeft" if step == -1 else "ArrowRight")
    expect(page.locator(f'[data-open-day="{there + timedelta(days=step)}"]')).to_be_focused()
    cell.click()
    expect(page).to_have_url(re.compile(f"day={there}"))
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(2)
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile(f"day={clock.today()}"))


def test_a_visit_is_dragged_to_another_day_of_the_week(
    page: Page, window: Any, clinic: Flask, furniture: SimpleNamespace
) -> None:
    monday = clock.today() + timedelta(days=7 - clock.today().weekday())
    with clinic.app_context():
        make = Maker()
        from app.db import session
        from app.models import Employee

        doctor = session.get(Employee, furniture.doctors[0])
        pk = make.appointment(make.patient("Недельный"), doctor, datetime.combine(monday, time(11)), chair_id=1).id
    page.goto(f"{window.base}/schedule/?day={monday}&view=week&doctor={furniture.doctors[0]}")
    visit = page.locator(f'[data-visit="{pk}"]')
    expect(visit).to_be_visible()
    box, heads = visit.bounding_box(), page.locator("[data-grid] .ec-col-head")
    expect(heads).to_have_count(7)
    there = heads.nth(2).bounding_box()
    assert box and there
    page.mouse.move(box["x"] + 20, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 6, steps=3)
    with page.expect_response(posted(f"/appointments/{pk}", "PATCH")) as answer:
        page.mouse.move(there["x"] + there["width"] / 2, box["y"] + 6, steps=6)
        page.mouse.up()
    assert answer.value.status == 200, answer.value.text()
    assert answer.value.json()["starts_at"][:10] == (monday + timedelta(days=2)).isoformat()
    page.keyboard.press("]")
    expect(page.locator("[data-doctor]")).to_have_value(str(furniture.doctors[1]))
    expect(visit).to_have_count(0)


def test_a_view_is_kept_under_a_name_and_comes_back_with_one_key(
    page: Page, window: Any, furniture: SimpleNamespace
) -> None:
    page.click("[data-look] summary")
    page.check(f'[data-doctors] input[value="{furniture.doctors[1]}"]')
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(1)
    page.check("[name=colours][value=doctor]")
    page.fill("#view-name", "Только второй")
    page.keyboard.press("Enter")
    expect(page.locator("[data-views] [data-view]")).to_have_count(1)
    page.goto(f"{window.base}/schedule/?day={TOMORROW}&by=doctor")
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(2)
    page.keyboard.press("1")
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(1)
    page.goto(f"{window.base}/schedule/?day={TOMORROW}")  # as it was used last
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(1)
    page.click("[data-look] summary")
    page.click("[data-plain]")
    expect(page.locator("[data-grid] .ec-col-head")).to_have_count(2)


def test_a_failed_load_is_not_an_empty_day(page: Page) -> None:
    """The answer does not come: the failure is said, and what was never seen is not shown as free time."""
    with torn(page, "**/api/v1/schedule/day**", f"/api/v1/schedule/day?day={TOMORROW}"):
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-load-failed]")).to_be_visible()
        expect(page.locator("[data-grid]")).to_be_hidden()
        expect(page.locator("[data-empty]")).to_be_hidden()
    page.click("[data-retry]")
    expect(page.locator("[data-load-failed]")).to_be_hidden()
    expect(page.locator("[data-grid]")).to_be_visible()
