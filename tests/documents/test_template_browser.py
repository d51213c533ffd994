"""The editor of texts in a real browser: check as often as one likes, then save; what was typed is never lost."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import windows
from tests.conftest import copied

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def clinic(server: Any, template: str) -> Iterator[SimpleNamespace]:
    with copied(server, template) as app, windows(app) as seen:
        from app.db import session
        from app.documents import queries

        with app.app_context():
            pk = queries.newest_of("referral").id
            session.remove()
        yield SimpleNamespace(app=app, w=seen, at=f"{seen.base}/document-templates/edit/{pk}")
        assert not seen.faults, seen.faults


def checked(page: Page) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/check")) as got:
        page.get_by_role("button", name="Проверить").click()
    assert got.value.status == 200, got.value.text()


def test_check_and_check_again_and_save(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("director")
    page.goto(clinic.at)
    text, said = page.locator("#body"), page.locator("#problems")
    text.fill("<p>{{ patient.fio }} первая редакция</p>")
    checked(page)
    expect(said).to_contain_text("Ошибок нет")
    text.fill("<p>{{ patient.fioo }} вторая редакция</p>")
    expect(said).not_to_contain_text("Ошибок нет")  # it was said of another text
    checked(page)
    expect(said).to_contain_text("Может быть, «patient.fio»?")
    text.fill("<p>{{ patient.fio }} третья редакция</p>")
    checked(page)
    expect(said).to_contain_text("Ошибок нет")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Предпросмотр").click()
    opened.value.close()
    expect(page.locator(".telling")).to_have_count(0)
    page.get_by_role("button", name="Сохранить").click()
    expect(page.locator("body")).to_contain_text("Сохранено как версия 2")
    expect(page.locator("#body")).to_have_value("<p>{{ patient.fio }} третья редакция</p>\n")


def test_a_refused_part_of_a_page_says_the_server_s_sentence(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("director")
    page.goto(clinic.at)
    page.route("**/check", lambda route: route.continue_(url=route.request.url.replace("/check", "00000/check")))
    page.get_by_role("button", name="Проверить").click()
    told = page.locator(".telling-danger")
    expect(told).to_have_text(re.compile("^Такой записи нет"))
    page.unroute("**/check")
    page.route("**/check", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.get_by_role("button", name="Проверить").click()
    expect(told.nth(1)).to_contain_text("У нас что-то сломалось")
    page.unroute("**/check")
    page.route("**/check", lambda route: route.abort())
    page.get_by_role("button", name="Проверить").click()
    expect(told.nth(2)).to_contain_text("Нет связи")
