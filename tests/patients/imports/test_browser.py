"""An old card index in a real browser: a file, its columns, a look at the rows, the cards, and the search."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from tests.browser import windows
from tests.conftest import Maker, copied
from tests.patients.imports.conftest import table


@pytest.fixture
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


@pytest.fixture
def worker(clinic: Flask) -> Iterator[threading.Event]:
    """A worker that comes when it is let."""
    from app.db import session
    from app.models import CardImport
    from app.patients import jobs
    from app.vocab import IMPORT_WORKS

    let, stop = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            with clinic.app_context():
                asked = select(CardImport.id).where(CardImport.state.in_(IMPORT_WORKS))
                for pk in session.scalars(asked).all() if let.is_set() else ():
                    session.rollback()
                    jobs.carry(pk)
                session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    yield let
    stop.set()
    thread.join()


@pytest.mark.browser
def test_from_a_file_to_the_search(clinic: Flask, worker: threading.Event, tmp_path: Path) -> None:
    with clinic.app_context():
        Maker().patient("Тутошний", "+79165551122", name="Иван", patronymic="", birth_date=None)
    file = tmp_path / "старая картотека.csv"
    file.write_bytes(
        table(
            ["А-101", "Щукина", "Мария", "Олеговна", "07.03.1979", "8 916 555-33-44", "112-233-445 95", "боится"],
            ["А-102", "Щукин", "Олег", "Ильич", "31.02.1950", "8 495 555-33-44", "", ""],
            ["А-103", "Тутошний", "Иван", "", "", "8 916 555-11-22", "", ""],
            ["А-104", "", "Пётр", "", "", "", "", ""],
            head=["№", "Фамилия", "Имя", "Отчество", "Когда родился", "Тел.", "СНИЛС", "Прочее"],
            charset="cp1251",
        )
    )
    with windows(clinic) as w:
        desk = w.sign_in("senior")
        desk.goto(f"{w.base}/patients/")
        desk.click("text=Загрузить картотеку")
        desk.set_input_files("#file", str(file))
        desk.dblclick("button:has-text('Указать столбцы')")
        # what was not guessed is said by hand
        desk.wait_for_url("**/columns")
        expect(desk.locator(".import-columns")).to_contain_text("07.03.1979 · 31.02.1950")
        for column, meaning in (("Когда родился", "Дата рождения"), ("Прочее", "Комментарий")):
            desk.get_by_label(column).select_option(label=meaning)
        expect(desk.get_by_label("Фамилия", exact=True)).to_have_value("surname")
        desk.click("button:has-text('Проверить строки')")
        expect(desk.locator(".import-progress")).to_contain_text("Файл читается")
        worker.set()
        # the page itself comes to the verdicts
        expect(desk.locator(".import-rows tbody tr")).to_have_count(4)
        expect(desk.locator(".import-rows tbody tr").nth(1)).to_contain_text("Проверьте дату рождения")
        expect(desk.locator(".import-rows tbody tr").nth(2)).to_contain_text("Карта уже есть")
        desk.click("a.figure:has-text('Отказ')")
        expect(desk.locator(".import-rows tbody tr")).to_have_count(1)
        expect(desk.locator(".import-rows")).to_contain_text("В строке нет фамилии")
        with desk.expect_download() as got:
            desk.click("text=Эти строки в XLSX, с причиной")
        assert got.value.suggested_filename.startswith("rows-refused")
        worker.clear()
        desk.get_by_label("дополнить их пустые поля").check()
        desk.dblclick("button:has-text('Записать карты')")
        expect(desk.locator(".import-progress")).to_contain_text("Карты записываются")
        worker.set()
        expect(desk.locator(".alert-success")).to_contain_text("Создано 2 карты. Дополнена 1 карта.")
        # found by the number on the paper card, by the name with a mistake, by the phone
        for typed in ("а-101", "щюкина мария", "555-33-44 мария"):
            desk.fill(".find input", typed)
            expect(desk.locator(".find .found")).to_contain_text("Щукина Мария Олеговна")
        desk.click(".find .found a:has-text('Щукина')")
        expect(desk.locator("h1")).to_contain_text("старая карта А-101")
        desk.click("button:has-text('История')")
        expect(desk.locator("#tab")).to_contain_text("Карта загружена из файла")
        expect(desk.locator("#tab")).to_contain_text("старая картотека.csv")
        assert not w.faults, w.faults
