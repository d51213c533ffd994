"""A red answer travels from the questionnaire to the card and the schedule; a doctor's words to the printed card."""

import io
from collections.abc import Callable, Iterator
from datetime import datetime, time

import pypdf
import pytest
from flask import Flask
from playwright.sync_api import expect

from app import access, clock
from app.models import Employee, Patient
from app.patients import operations
from tests.browser import windows
from tests.conftest import PASSWORD, Maker, copied

pytestmark = pytest.mark.browser


@pytest.fixture
def clinic(server: Callable[[str], str], template: str) -> Iterator[Flask]:
    with copied(server, template, WTF_CSRF_ENABLED=True) as app:
        yield app


def test_from_the_questionnaire_to_the_schedule_and_the_printed_card(clinic: Flask) -> None:
    with clinic.app_context():
        from app.db import session

        make = Maker()
        employee_id = access.load(make.user("doctor").id).account.employee_id  # type: ignore[union-attr]
        doctor = session.get_one(Employee, employee_id)
        patient = make.patient("Опасная", doctor_id=employee_id, sex="female")
        today = clock.today()
        make.hours(doctor, today)
        visit = make.appointment(patient, doctor, datetime.combine(today, time(12)))
        pk, visit_id = patient.id, visit.id
    with windows(clinic) as seen:
        desk = seen.sign_in("administrator", PASSWORD)
        desk.goto(f"{seen.base}/schedule/?visit={visit_id}")
        desk.click("[data-step=arrive]")
        lacking = desk.locator("[data-f=lacking]")
        expect(lacking).to_contain_text("анкета о здоровье")
        lacking.get_by_role("link", name="анкета о здоровье").click()
        desk.wait_for_url("**/surveys/patient/**")
        desk.fill("[name=comment_allergy]", "артикаин")
        assert desk.is_checked("[name=answer_allergy][value=yes]")  # a comment means yes
        desk.check("[name=answer_pregnancy][value=yes]")
        desk.fill("[name=pregnancy_weeks]", "14")
        desk.click("[data-rest]")
        desk.get_by_role("button", name="Сохранить").click()
        flag = "Аллергия: артикаин; Беременность: 14 нед."
        expect(desk.locator(".card-head .alert-danger")).to_contain_text(flag)
        expect(desk.locator("table.survey tr.red")).to_have_count(2)
        desk.goto(f"{seen.base}/schedule/")
        expect(desk.locator(f"[data-of-visit='{visit_id}'] .fa-heartbeat")).to_have_attribute("title", flag)
        desk.goto(f"{seen.base}/schedule/print")
        expect(desk.locator(".print-day")).to_contain_text(flag)

        chair = seen.sign_in("doctor", PASSWORD)
        chair.goto(f"{seen.base}/patients/{pk}?tab=medical")
        chair.get_by_role("link", name="Заполнить медкарту").click()
        expect(chair.locator(".alert-danger")).to_contain_text("артикаин")
        chair.focus("[name=tooth_17]")
        chair.keyboard.type("о")
        chair.keyboard.press("ArrowRight")
        chair.keyboard.type("п")
        chair.locator("[data-mark='С']").click()
        chair.keyboard.press("ArrowDown")
        chair.keyboard.type("pt")
        chair.keyboard.press("Enter")
        expect(chair.locator("[name=tooth_45]")).to_be_focused()
        chair.fill("[name=icd]", "к04.5")
        chair.fill("[name=diagnosis]", "Хронический периодонтит 46")
        other = seen.sign_in("doctor", PASSWORD)
        other.goto(f"{seen.base}/medical/patient/{pk}/edit")
        chair.get_by_role("button", name="Сохранить").click()
        expect(chair.locator(".formula").first).to_contain_text("С, П")
        other.fill("[name=bite]", "глубокий")
        other.get_by_role("button", name="Сохранить").click()
        expect(other.locator("body")).to_contain_text("Сейчас: Хронический периодонтит 46")
        assert other.input_value("[name=bite]") == "глубокий"

        chair.get_by_role("link", name="Записать в дневник").click()
        chair.fill("[name=treatment]", "Удалён 46")
        chair.get_by_role("button", name="Записать в дневник").click()
        chair.get_by_role("link", name="Исправить").click()
        chair.fill("[name=treatment]", "Каналы 46 запломбированы")
        chair.get_by_role("button", name="Записать в дневник").click()
        expect(chair.locator("table.diary tr.corrected")).to_contain_text("Удалён 46")

        desk.goto(f"{seen.base}/patients/{pk}?tab=documents")
        with desk.context.expect_event("response", lambda answer: answer.url.endswith(".pdf")) as got:
            desk.locator("#tab").get_by_role("button", name="Медицинская карта").click()
        made = desk.request.get(got.value.url).body()
        words = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())
        for must in ("С, П", "Pt", "K04.5", "Хронический периодонтит 46", "Каналы 46 запломбированы"):
            assert must in words, must
        assert "Удалён 46" not in words
        assert not seen.faults, seen.faults


def test_one_press_answers_the_rest_and_leaves_what_stands_on_the_card(clinic: Flask) -> None:
    with clinic.app_context():
        from app.db import session, transaction

        make = Maker()
        pk = make.patient("Прежняя", sex="male").id
        with transaction():
            said = {"allergy": ("yes", "лидокаин"), "habits": ("no", "")}
            operations.add_survey(pk, clock.today(), said, {}, actor=make.user("administrator"))
    with windows(clinic) as seen:
        desk = seen.sign_in("administrator", PASSWORD)
        desk.goto(f"{seen.base}/surveys/patient/{pk}/new")
        desk.click("[data-rest]")
        assert desk.is_checked("[name=answer_habits][value=no]")
        assert not desk.locator("[name=answer_allergy]:checked").count()
        expect(desk.locator("[name=answer_allergy]").first).to_be_focused()
        desk.get_by_role("button", name="Сохранить").click()
        expect(desk.locator(".survey-question.has-error")).to_contain_text("лидокаин")
        with clinic.app_context():
            assert session.get_one(Patient, pk).health_alerts == [["allergy", "лидокаин"]]
        desk.check("[name=answer_allergy][value=no]")
        desk.get_by_role("button", name="Сохранить").click()
        expect(desk.locator(".alert-success")).to_contain_text("Анкета записана")
        expect(desk.locator(".card-head .alert-danger")).to_have_count(0)
        assert not seen.faults, seen.faults
