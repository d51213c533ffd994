"""Managing visits in a real browser: dragging, the shelf, undo, series, closed time, two windows, a lost connection."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import torn, windows
from tests.conftest import Maker, copied


@pytest.fixture(scope="module")
def clinic(server: Any, template: str) -> Iterator[SimpleNamespace]:
    """Two doctors in two chairs, on two days running and the same weekday later; two people at the desk."""
    with copied(server, template) as app:
        from app import clock
        from app.db import session

        with app.app_context():
            make = Maker()
            day = clock.today() + timedelta(days=3)
            doctors = [make.doctor() for _ in range(2)]
            chairs = [make.chair() for _ in range(2)]
            for n in (0, 1, 7, 14):
                for doctor, chair in zip(doctors, chairs, strict=True):
                    make.hours(doctor, day + timedelta(days=n), chair_id=chair.id)
            from app.models import CancelReason

            make._save(CancelReason(name="Передумал"))
            ids = SimpleNamespace(doctors=[row.id for row in doctors], chairs=[row.id for row in chairs])
            session.remove()
        with windows(app) as w:
            desk = w.sign_in("administrator")
            yield SimpleNamespace(app=app, day=day, w=w, desk=desk, senior=w.sign_in("senior"), **vars(ids))
            assert not w.faults, w.faults


class Day:
    """A day of the schedule of its own for one test: the visits that stand in it, and the page that shows it."""

    def __init__(self, clinic: SimpleNamespace, page: Page) -> None:
        self.c, self.page = clinic, page

    def book(self, hour: int, minute: int = 0, *, doctor: int = 0, minutes: int = 30, surname: str = "") -> int:
        from app.db import session, transaction
        from app.schedule import operations

        with self.c.app.app_context():
            patient, start = Maker().patient(surname).id, self.at(hour, minute)
            with transaction():
                pk = operations.book(
                    patient, self.c.doctors[doctor], start, start + timedelta(minutes=minutes),
                    chair_id=self.c.chairs[doctor], actor=None,
                ).id  # fmt: skip
            session.remove()
        return int(pk)

    def at(self, hour: int, minute: int = 0, days: int = 0) -> datetime:
        return datetime.combine(self.c.day + timedelta(days=days), time(hour, minute))

    def visit(self, pk: int) -> Any:
        """The visit as the database has it now; None when there is no such visit."""
        from app.db import session
        from app.models import Appointment

        with self.c.app.app_context():
            row = session.get(Appointment, pk)
            if row is not None:
                session.expunge(row)
            session.remove()
        return row

    def open(self, day: date | None = None, **query: str) -> None:
        more = "".join(f"&{key}={value}" for key, value in query.items())
        self.page.goto(f"{self.c.w.base}/schedule/?day={day or self.c.day}{more}")
        self.page.wait_for_selector(".open-hours", state="attached")

    def box(self, pk: int) -> dict[str, float]:
        """Where it stands; asked again when it was just drawn anew and the old element is gone."""
        while (found := self.page.locator(f"[data-visit='{pk}']").bounding_box()) is None:
            expect(self.page.locator(f"[data-visit='{pk}']")).to_be_visible()
        return {**found}

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, wait: str | None = "PATCH") -> Any:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(start[0] + 4, start[1] + 8)
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        if wait is None:
            return mouse.up()
        with self.page.expect_response(lambda r: r.request.method == wait) as answer:
            mouse.up()
        return answer.value

    def told(self, text: str) -> None:
        expect(self.page.locator(".telling", has_text=text).last).to_be_visible()


@pytest.fixture
def day(clinic: SimpleNamespace) -> Iterator[Day]:
    """The desk's day, empty again afterwards."""
    yield Day(clinic, clinic.desk)
    from sqlalchemy import text

    from app.db import session

    with clinic.app.app_context():
        session.execute(text("DELETE FROM outbox_message; DELETE FROM time_block; DELETE FROM appointment"))
        session.commit()
        session.remove()


def test_a_visit_is_dragged_and_put_back(day: Day) -> None:
    pk = day.book(10)
    day.open()
    box = day.box(pk)
    assert day.drag((box["x"] + 30, box["y"] + 4), (box["x"] + 30, box["y"] + 4 + 4 * box["height"])).status == 200
    assert day.visit(pk).starts_at == day.at(12)
    day.told("Перенесено")
    with day.page.expect_response(lambda r: r.url.endswith("/schedule/undo")) as undone:
        day.page.click(".telling-deed")
    assert undone.value.status == 200
    assert (day.visit(pk).starts_at, day.visit(pk).moves) == (day.at(10), 0)
    expect(day.page.locator(f"[data-visit='{pk}']")).to_contain_text("10:00")


def test_the_cursor_stays_on_its_visit_when_others_book(day: Day) -> None:
    """The grid gives drawn elements to other visits; the next key must not reach one that nobody chose."""
    pk = day.book(12)
    day.open()
    day.page.locator(f"[data-visit='{pk}']").focus()
    for hour in (9, 10, 11):
        day.book(hour)
        day.page.evaluate("async () => { await schedule.load(true); await 0; }")
        here = day.page.evaluate("document.activeElement.innerText")
        assert "12:00" in here, here
        expect(day.page.locator(f"[data-visit='{pk}']")).to_be_focused()
    # Other columns, so that the whole grid is made anew.
    day.page.evaluate("async () => { await schedule.go({colours: 'doctor'}); await 0; }")
    assert "12:00" in day.page.evaluate("document.activeElement.innerText")


def test_an_edge_is_dragged_and_undone_by_a_key(day: Day) -> None:
    pk = day.book(10)
    day.open()
    box = day.box(pk)
    edge = (box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)
    assert day.drag(edge, (edge[0], edge[1] + box["height"])).status == 200
    assert (day.visit(pk).starts_at, day.visit(pk).ends_at) == (day.at(10), day.at(11))
    day.page.wait_for_timeout(200)
    with day.page.expect_response(lambda r: r.url.endswith("/schedule/undo")):
        day.page.keyboard.press("Control+KeyZ")
    day.told("Отменено")
    assert day.visit(pk).ends_at == day.at(10, 30)


def test_a_refused_drag_snaps_back_with_the_cause(day: Day) -> None:
    pk, other = day.book(10), day.book(11, surname="Занятова")
    day.open()
    box, to = day.box(pk), day.box(other)
    assert day.drag((box["x"] + 30, box["y"] + 4), (to["x"] + 30, to["y"] + 4)).status == 409
    day.told("Занятова")
    assert day.visit(pk).starts_at == day.at(10)
    expect(day.page.locator(f"[data-visit='{pk}']")).to_contain_text("10:00")
    assert abs(day.box(pk)["y"] - box["y"]) < 2


def test_a_visit_is_dragged_to_another_chair(day: Day) -> None:
    pk, other = day.book(10), day.book(10, doctor=1)
    day.open(by="chair")
    box, beside = day.box(pk), day.box(other)
    down = 4 + 2 * box["height"]
    assert day.drag((box["x"] + 30, box["y"] + 4), (beside["x"] + 30, beside["y"] + down)).status == 200
    moved = day.visit(pk)
    assert (moved.chair_id, moved.doctor_id) == (day.c.chairs[1], day.c.doctors[0])
    assert moved.starts_at == day.at(11)


def test_the_shelf_carries_a_visit_to_another_day(day: Day) -> None:
    first, second = day.book(10), day.book(12)
    day.open()
    for pk in (first, second):
        day.page.locator(f"[data-visit='{pk}']").click()
        day.page.click("[data-shelve]")
        expect(day.page.locator(f"[data-shelved='{pk}']")).to_be_visible()
        day.page.keyboard.press("Escape")
    expect(day.page.locator(f"[data-visit='{first}'].visit-shelved")).to_be_visible()
    day.c.senior.goto(f"{day.c.w.base}/schedule/?day={day.c.day}")
    mark = day.c.senior.locator(f"[data-visit='{first}'] .fa-archive")
    expect(mark).to_have_attribute("title", "На полке: Сотрудник1 И. О.")
    day.page.click("[data-day='1']")
    expect(day.page.locator("[data-visit]")).to_have_count(0)
    # Only the background of hours stands there: a free time of the first doctor.
    day.page.wait_for_selector("[data-grid]:not(.is-old) .open-hours", state="attached")
    hours = day.page.locator(".open-hours").first.bounding_box()
    assert hours is not None
    day.page.wait_for_selector("[data-shelved] >> nth=1")
    day.page.locator(f"[data-shelved='{first}'] button").first.click()
    with day.page.expect_response(lambda r: r.request.method == "PATCH") as put:
        day.page.mouse.click(hours["x"] + 40, hours["y"] + 100)
    assert put.value.status == 200, put.value.text()
    assert day.visit(first).starts_at.date() == day.c.day + timedelta(days=1)
    expect(day.page.locator("[data-shelved]")).to_have_count(1)
    grid = day.page.locator("[data-grid]").bounding_box()
    assert grid is not None
    with day.page.expect_response(lambda r: r.request.method == "PATCH") as dropped:
        day.page.locator(f"[data-shelved='{second}']").drag_to(
            day.page.locator("[data-grid]"),
            target_position={"x": hours["x"] - grid["x"] + 40, "y": hours["y"] - grid["y"] + 250},
        )
    assert dropped.value.status == 200, dropped.value.text()
    assert day.visit(second).starts_at.date() == day.c.day + timedelta(days=1)
    expect(day.page.locator("[data-shelf]")).to_be_hidden()


def test_two_windows_see_the_difference(day: Day) -> None:
    pk = day.book(10)
    senior = Day(day.c, day.c.senior)
    for window in (day, senior):
        window.open(visit=str(pk))
        window.page.wait_for_selector("[data-change]")
    senior.page.locator("details[data-move] summary").click()
    senior.page.fill("#visit-start", "15:00")
    day.page.fill("#visit-comment", "Позвонить маме")
    with day.page.expect_response(lambda r: r.request.method == "PATCH"):
        day.page.click("[data-change] [data-save]")
    with senior.page.expect_response(lambda r: r.request.method == "PATCH") as stale:
        senior.page.click("[data-change] [data-save]")
    assert stale.value.status == 409
    table = senior.page.locator(".stale-table")
    expect(senior.page.locator("[data-refusal]")).to_contain_text("Сотрудник1 И. О.")
    expect(table).to_contain_text("15:00")
    with senior.page.expect_response(lambda r: r.request.method == "PATCH") as anew:
        senior.page.get_by_role("button", name="Применить моё").click()
    assert anew.value.status == 200
    assert (day.visit(pk).starts_at, day.visit(pk).comment) == (day.at(15), "Позвонить маме")
    # The other window hears of it by itself, and its undo is refused: somebody else changed the visit after it.
    expect(day.page.locator(f"[data-visit='{pk}']")).to_contain_text("15:00", timeout=8000)
    day.page.keyboard.press("Escape")
    day.page.click("[data-actions]")
    expect(day.page.locator(".action").first).to_contain_text("После вас это изменил")


def test_free_time_is_closed_and_the_closed_time_dragged(day: Day) -> None:
    pk = day.book(10)
    day.open()
    box = day.box(pk)
    top = box["y"] + 4 * box["height"]
    day.drag((box["x"] + 30, top + 2), (box["x"] + 30, top + 2 * box["height"] - 2), wait=None)
    day.page.click("[data-block-instead]")
    assert (day.page.input_value("#block-start"), day.page.input_value("#block-minutes")) == ("12:00", "60")
    day.page.fill("#block-reason", "Собрание")
    with day.page.expect_response(lambda r: r.url.endswith("/blocks/")) as closed:
        day.page.click("[data-block-form] [data-save]")
    assert closed.value.status == 201
    block = day.page.locator(".time-block").first
    expect(block).to_contain_text("12:00–13:00")
    stood = block.bounding_box()
    assert stood is not None
    moved = day.drag((stood["x"] + 30, stood["y"] + 6), (stood["x"] + 30, stood["y"] + 6 + 2 * box["height"]))
    assert moved.json()["starts_at"] == f"{day.c.day}T13:00:00" or moved.json()["starts_at"] == f"{day.c.day}T13:00"
    refused = day.drag((stood["x"] + 30, stood["y"] + 6 + 2 * box["height"]), (stood["x"] + 30, box["y"] + 6))
    assert refused.status == 409
    expect(day.page.locator(".time-block").first).to_contain_text("13:00–14:00")


def test_a_series_is_previewed_booked_and_undone(day: Day) -> None:
    pk = day.book(10)
    day.open(visit=str(pk))
    day.page.click("details[data-series] summary")
    day.page.fill("#series-times", "3")
    day.page.click("[data-preview]")
    lines = day.page.locator("[data-dates] li")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text("свободно")
    expect(lines.nth(2)).to_contain_text("врач не принимает")
    expect(day.page.locator("[data-book-series]")).to_have_text("Записать отмеченные: 2")
    with day.page.expect_response(lambda r: r.url.endswith("/series") and r.request.method == "POST") as made:
        day.page.click("[data-book-series]")
    assert made.value.status == 201
    copies = made.value.json()["made"]
    assert [day.visit(copy).starts_at for copy in copies] == [day.at(10, days=7), day.at(10, days=14)]
    with day.page.expect_response(lambda r: r.url.endswith("/schedule/undo")) as undone:
        day.page.click(".telling-deed")
    assert undone.value.status == 200
    assert [day.visit(copy) for copy in copies] == [None, None]


def held(page: Page, pattern: str) -> Callable[[], None]:
    """What is asked like this gets no answer until the returned function is called."""
    waiting: list[Any] = []
    page.route(pattern, lambda route: waiting.append(route))

    def let_go() -> None:
        while not waiting:
            page.wait_for_timeout(20)
        for route in waiting:
            route.continue_()
        page.unroute(pattern)

    return let_go


def test_the_visit_that_was_pressed_last_is_the_one_that_is_shown(day: Day) -> None:
    """A late answer must not put another visit under the hand that is about to cancel."""
    first, second = day.book(10, surname="Первая"), day.book(12, surname="Вторая")
    day.open()
    let_go = held(day.page, f"**/appointments/{first}")
    day.page.locator(f"[data-visit='{first}']").click()
    day.page.locator(f"[data-visit='{second}']").click()
    expect(day.page.locator("[data-side] [data-f=card]")).to_contain_text("Вторая")
    with day.page.expect_response(lambda r: r.url.endswith(f"/appointments/{first}")):
        let_go()
    day.page.wait_for_function("desk && !schedule.pending")
    expect(day.page.locator("[data-side] [data-f=card]")).to_contain_text("Вторая")


def cancel(day: Day) -> None:
    """The visit that is open, for the first reason of the list."""
    day.page.click("details[data-cancel] summary")
    day.page.select_option("#cancel-reason", index=1)
    day.page.check("[data-cancel-form] input[value=patient]")
    day.page.click("[data-cancel-form] button[type=submit]")
    day.told("Отменён")


def opened_before_the_answer(day: Day, visit: int, let_go: Callable[[], None]) -> None:
    """A visit that is opened while who fits is being asked stays open when the answer comes."""
    day.page.locator(f"[data-visit='{visit}']").click()
    expect(day.page.locator("[data-side] [data-f=card]")).to_contain_text("Вторая")
    with day.page.expect_response(lambda r: "/schedule/fits" in r.url):
        let_go()
    day.page.click("details[data-cancel] summary")
    expect(day.page.locator("[data-side] [data-f=card]")).to_contain_text("Вторая")


def test_who_fits_a_freed_time_does_not_interrupt(day: Day) -> None:
    first, second = day.book(10, surname="Первая"), day.book(12, surname="Вторая")
    day.open(visit=str(first))
    let_go = held(day.page, "**/schedule/fits?**")
    cancel(day)
    opened_before_the_answer(day, second, let_go)


def test_who_fits_is_asked_anew_without_interrupting(day: Day) -> None:
    """The list of who fits keeps up with the day; its late answer must not take the place of what was opened since."""
    first, second = day.book(10, surname="Первая"), day.book(12, surname="Вторая")
    day.open(visit=str(first))
    cancel(day)
    expect(day.page.locator("[data-side] [data-after]").first).to_be_visible()
    let_go = held(day.page, "**/schedule/fits?**")
    day.page.evaluate("document.dispatchEvent(new CustomEvent('wishes:answered'))")
    opened_before_the_answer(day, second, let_go)


def test_a_cancelled_visit_comes_back_to_another_time(day: Day) -> None:
    pk = day.book(10)
    day.open(visit=str(pk))
    day.page.click("details[data-cancel] summary")
    day.page.select_option("#cancel-reason", label="Передумал")
    day.page.locator("[data-cancel-form] input[name=by]").first.check()
    with day.page.expect_response(lambda r: r.url.endswith("/cancel")):
        day.page.click("[data-cancel-form] button[type=submit]")
    day.book(10)
    day.open(visit=str(pk))
    with day.page.expect_response(lambda r: r.url.endswith("/restore")) as refused:
        day.page.click("[data-step=restore]")
    assert refused.value.status == 409
    with day.page.expect_response(lambda r: r.url.endswith("/restore")) as back:
        day.page.locator(".instead button", has_text="10:30").click()
    assert back.value.status == 200
    assert (day.visit(pk).status, day.visit(pk).starts_at) == ("booked", day.at(10, 30))
    day.page.click("details[data-history] summary")
    expect(day.page.locator("[data-f=history]")).to_contain_text("10:00–10:30 → ")


def test_a_lost_connection_is_not_an_empty_day(day: Day) -> None:
    pk = day.book(10)
    day.open()
    with torn(day.page, "**/api/v1/**", "/api/v1/schedule/shelf"):
        box = day.box(pk)
        day.drag((box["x"] + 30, box["y"] + 4), (box["x"] + 30, box["y"] + 4 + 2 * box["height"]), wait=None)
        day.told("Нет связи с сервером")
        expect(day.page.locator("[data-load-failed]")).to_be_visible()
        expect(day.page.locator("[data-last]")).to_contain_text("Показано расписание")
        expect(day.page.locator(f"[data-visit='{pk}']")).to_contain_text("10:00")
    day.page.click("[data-retry]")
    expect(day.page.locator("[data-load-failed]")).to_be_hidden()
    assert day.visit(pk).starts_at == day.at(10)


@pytest.mark.parametrize(
    ("typed", "surname", "name", "phone"),
    [
        ("Смирнова Анна", "Смирнова", "Анна", ""), ("8 916 123-45-67", "", "", "8 916 123-45-67"),
        ("Смирнова Анна 8(916)123-45-67", "Смирнова", "Анна", "8(916)123-45-67"),
        ("+7 916 123 45 67, Смирнова", "Смирнова", "", "+7 916 123 45 67"),
        ("тел. 8.916.123.45.67 Анна-Мария Ли", "Анна-Мария", "Ли", "8.916.123.45.67"),
        ("8 916 123–45–67", "", "", "8 916 123–45–67"), ("Смирнова 12.03.1985", "Смирнова", "", ""),
    ],
)  # fmt: skip
def test_a_draft_takes_over_what_was_typed(day: Day, typed: str, surname: str, name: str, phone: str) -> None:
    day.open()
    day.page.click("[data-new]")
    day.page.fill("#book-patient", typed)
    day.page.click("[data-draft]")
    for field, taken in (("surname", surname), ("name", name), ("phone", phone)):
        expect(day.page.locator(f"#draft-{field}")).to_have_value(taken)


def test_a_draft_keeps_what_was_filled_in_for_the_same_person_only(day: Day) -> None:
    day.open()
    day.page.click("[data-new]")
    phone, plus = day.page.locator("#draft-phone"), day.page.locator("[data-draft]")
    day.page.fill("#book-patient", "Смирнова Анна")
    plus.click()
    phone.fill("8 916 123-45-67")
    plus.click()
    plus.click()
    expect(phone).to_have_value("8 916 123-45-67")
    plus.click()
    day.page.fill("#book-patient", "Ли")
    plus.click()
    expect(day.page.locator("#draft-surname")).to_have_value("Ли")
    for field in ("name", "phone"):
        expect(day.page.locator(f"#draft-{field}")).to_have_value("")
