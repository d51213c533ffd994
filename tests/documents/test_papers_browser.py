"""Printing from the card in a real browser: the window waits calmly and turns into the file."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import windows
from tests.conftest import Maker, copied

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def clinic(server: Any, template: str, broker_url: str) -> Iterator[SimpleNamespace]:
    """A patient at the desk, a broker, and nobody who prints yet."""
    with copied(server, template, REDIS_URL=broker_url) as app:
        from app.db import session

        with app.app_context():
            made = SimpleNamespace(app=app, patient=Maker().patient("Новичкова", name="Анна").id)
            session.remove()
        with windows(app) as made.w:
            yield made
            assert not made.w.faults, made.w.faults


def print_next(clinic: SimpleNamespace, many: int) -> None:
    """Do what the printing worker does with the oldest papers that wait."""
    from app.db import session
    from app.documents import jobs
    from app.models import PaperJob

    with clinic.app.app_context():
        for pk in [job.document_id for job in session.query(PaperJob).order_by(PaperJob.document_id).limit(many)]:
            jobs.render(pk)
        session.remove()


def pressed(page: Page, name: str) -> tuple[Page, list[bytes]]:
    """The window that opens, and the papers that come to it."""
    files: list[bytes] = []

    def note(response: Any) -> None:
        if response.headers.get("content-type") == "application/pdf":
            files.append(response.headers["content-length"])

    page.context.on("response", note)
    with page.expect_popup() as opened:
        page.get_by_role("button", name=name, exact=True).click()
    return opened.value, files


def test_the_papers_of_a_first_visit_from_the_card(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    window, files = pressed(page, "Документы первого визита")
    expect(window.locator("h1")).to_have_text("Готовим документы: 0 из 4")
    print_next(clinic, 3)
    expect(window.locator("h1")).to_have_text("Готовим документы: 3 из 4")
    assert not files
    print_next(clinic, 1)
    page.wait_for_timeout(100)
    for _ in range(150):
        if files:
            break
        page.wait_for_timeout(100)
    assert files, "the window did not turn into the file"
    page.reload()
    expect(page.locator("#papers")).to_contain_text("все 4")
    assert page.locator("#papers tbody tr").count() == 4


def test_back_from_a_refusal_in_a_window_of_its_own_is_the_card(clinic: SimpleNamespace) -> None:
    from app.db import session, transaction
    from app.models import LegalEntity

    with clinic.app.app_context():
        with transaction():
            session.get_one(LegalEntity, 1).inn = ""
        session.remove()
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    window, _ = pressed(page, "Договор на платные медицинские услуги")
    expect(window.locator(".refusal")).to_contain_text("ИНН")
    with window.expect_event("close"):
        window.get_by_role("link", name="Назад").click()
    assert len(page.context.pages) == 1


def test_a_paper_that_waits_is_prepared_by_hand(clinic: SimpleNamespace) -> None:
    """There is nobody who prints at all: the window says what to do, and does it."""
    from app.documents.views import papers

    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(papers, "LONG", papers.LONG * 0)
        window, files = pressed(page, "Направление")
        expect(window.locator("main")).to_contain_text("дольше обычного")
        window.get_by_role("button", name="Подготовить сейчас").click()
        for _ in range(150):
            if files:
                break
            page.wait_for_timeout(100)
    assert files


def test_the_journal_is_narrowed_and_its_links_open_the_card(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    pressed(page, "Документы первого визита")[0].close()
    print_next(clinic, 4)
    page.goto(f"{clinic.w.base}/documents/journal/")
    expect(page.locator("tbody tr")).to_have_count(4)
    page.select_option("#j-kind", "contract")
    page.fill("#j-q", "новичк")
    page.get_by_role("button", name="Показать").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody").get_by_role("link", name="Новичкова").click()
    expect(page.locator("#papers")).to_be_visible()


def test_what_was_begun_in_the_documents_of_a_card_outlives_another_window(
    clinic: SimpleNamespace, tmp_path: Path
) -> None:
    """The window gets the focus back from the file dialog, too: the block is drawn anew only when nothing is begun."""
    from app.db import session, transaction
    from app.documents import operations
    from app.models import SignedScan

    def issued() -> None:
        with clinic.app.app_context():
            with transaction():
                operations.issue("consent_personal_data", clinic.patient, actor=Maker().user())
            session.remove()

    def back(page: Page) -> None:
        """Come back to the window; whatever it asks for is answered."""
        page.evaluate("window.dispatchEvent(new Event('focus'))")
        page.wait_for_timeout(300)
        page.wait_for_load_state("networkidle")

    issued()
    scan = tmp_path / "scan.png"
    Image.new("L", (20, 30)).save(scan)
    page = clinic.w.sign_in("director")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    papers = page.locator("#papers")
    rows = papers.locator("tbody tr", has_text="персональных данных")
    expect(rows).to_have_count(1)
    issued()
    back(page)
    expect(rows).to_have_count(2)
    kind = papers.locator("select[name=kind]")
    kind.select_option("consent_xray")
    page.locator("h1").first.click()
    issued()
    back(page)
    expect(kind).to_have_value("consent_xray")
    expect(rows).to_have_count(2)
    page.reload()
    expect(rows).to_have_count(3)
    rows.first.get_by_text("Приложить скан").click()
    rows.first.locator("input[type=file]").set_input_files(scan)
    back(page)
    rows.first.get_by_role("button", name="Приложить", exact=True).click()
    expect(page.locator("body")).to_contain_text("Скан приложен")
    with clinic.app.app_context():
        assert session.query(SignedScan).count() == 1
        session.remove()


def test_a_scan_that_is_too_large_is_told_before_it_is_sent(clinic: SimpleNamespace, tmp_path: Path) -> None:
    from app.db import session, transaction
    from app.documents import operations
    from app.models import SignedScan

    with clinic.app.app_context():
        with transaction():
            operations.issue("contract", clinic.patient, actor=Maker().user())
        session.remove()
    photo, scan = tmp_path / "photo.jpg", tmp_path / "scan.png"
    photo.write_bytes(bytes(5_000_000))
    Image.new("L", (20, 30)).save(scan)
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.patient}?tab=documents")
    row = page.locator("#papers tbody tr").first
    row.get_by_text("Приложить скан").click()
    chosen = row.locator("input[type=file]")
    chosen.set_input_files(photo)
    assert "больше 3,5 МБ" in chosen.evaluate("file => file.validationMessage")
    row.get_by_role("button", name="Приложить").click()
    expect(chosen).to_be_visible()
    chosen.set_input_files(scan)
    row.get_by_role("button", name="Приложить").click()
    expect(page.locator(".alert-success")).to_contain_text("Скан приложен")
    with clinic.app.app_context():
        assert session.query(SignedScan).count() == 1
        session.remove()
