"""A freed time fills itself, in a real browser: cancel, who fits, offer, accept, and the next round."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import windows
from tests.conftest import Maker, copied


@pytest.fixture
def clinic(server: Any, template: str) -> Iterator[SimpleNamespace]:
    """A doctor's day with one visit to be cancelled, one to come sooner, and somebody who waits for the afternoon."""
    with copied(server, template) as app:
        from app import clock
        from app.db import session, transaction
        from app.models import CancelReason
        from app.schedule import operations

        with app.app_context():
            make = Maker()
            day = clock.today() + timedelta(days=2)
            doctor = make.doctor()
            make.hours(doctor, day)
            make._save(CancelReason(name="Заболел"))

            def at(hour: int) -> datetime:
                return datetime.combine(day, time(hour))

            cancels, sooner, waits = (make.patient(name) for name in ("Отменяев", "Раньшев", "Ждунова"))
            pks = {"doctor": doctor.id, "cancels": cancels.id, "sooner": sooner.id, "waits": waits.id}
            with transaction():
                first = operations.book(pks["cancels"], pks["doctor"], at(10), at(11), actor=None).id
                later = operations.book(pks["sooner"], pks["doctor"], at(15), at(16), actor=None).id
                wishes: dict[str, Any] = {"wanted_doctors": "only", "doctor_ids": [pks["doctor"]], "minutes": 60}
                operations.wait_for_time(pks["sooner"], kind="move_up", appointment_id=later, **wishes, actor=None)
                operations.wait_for_time(pks["waits"], windows=[(840, 1080)], **wishes, actor=None)
            session.remove()
        with windows(app) as w:
            yield SimpleNamespace(app=app, day=day, w=w, visit=first, later=later, **pks)
            assert not w.faults, w.faults


@pytest.mark.browser
def test_a_freed_time_is_offered_accepted_and_frees_the_next_one(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/schedule/?day={clinic.day}&visit={clinic.visit}")
    side = page.locator("[data-side]")
    side.get_by_text("Отменить приём").first.click()
    side.locator("[name=reason_id]").select_option(label="Заболел")
    side.locator("[name=by][value=patient]").check()
    side.locator("[data-cancel-form] button").click()

    # whom the freed time suits, and what becomes of who cancelled
    expect(side.locator("[data-after=wait]")).to_be_visible()
    row = side.locator(".fits > li", has_text="Раньшев")
    expect(row).to_contain_text("только к этому врачу")
    expect(side.locator(".fits > li")).to_have_count(1)
    row.get_by_role("button", name="Предложить").click()

    # held: the minutes run, nobody else gets it; the patient agrees
    offered = side.locator(".fits > li.is-offered", has_text="Раньшев")
    expect(offered).to_contain_text("осталось")
    offered.get_by_role("button", name="Согласен").click()

    # moved; the old time is the next round
    waits = side.locator(".fits > li", has_text="Ждунова")
    expect(waits).to_be_visible()
    expect(side.locator("[data-f=when]")).to_contain_text("15:00–16:00")
    waits.get_by_role("button", name="Записать").click()
    expect(side).to_be_hidden()

    from sqlalchemy import select

    from app.db import session
    from app.models import Appointment, WaitingEntry

    with clinic.app.app_context():
        moved = session.get_one(Appointment, clinic.later)
        assert (moved.starts_at.hour, moved.moves) == (10, 1)
        booked = session.scalars(select(Appointment).where(Appointment.patient_id == clinic.waits)).one()
        assert booked.starts_at.hour == 15
        assert set(session.scalars(select(WaitingEntry.status))) == {"booked"}


@pytest.mark.browser
def test_the_waiting_list_is_kept_and_a_booking_closes_what_was_planned(clinic: SimpleNamespace) -> None:
    page = clinic.w.sign_in("administrator")
    page.goto(f"{clinic.w.base}/patients/{clinic.cancels}?tab=waiting")
    page.get_by_role("button", name="Запланировать приём").click()
    panel = page.locator("[data-wish-side]")
    panel.get_by_role("button", name="через 1 месяц").click()
    panel.locator("[name=target_from]").fill(str(clinic.day))
    panel.locator("[name=reason]").fill("Осмотр")
    panel.get_by_role("button", name="Запланировать").click()
    expect(page.locator("#tab")).to_contain_text("Осмотр")

    page.goto(f"{clinic.w.base}/waiting/")
    expect(page.locator("[data-wish-row]")).to_have_count(2)
    page.locator("[data-wish-row]", has_text="Ждунова").get_by_role("button", name="Подходящее время").click()
    expect(panel.locator(".wish-times")).to_contain_text("14:00–15:00")
    panel.locator(".wish-times li").first.get_by_role("button", name="Предложить").click()
    expect(page.locator("[data-wish-row]", has_text="Ждунова")).to_contain_text("осталось")

    page.goto(f"{clinic.w.base}/planned/")
    page.get_by_role("link", name="Записать").click()
    side = page.locator("[data-side]")
    page.locator(".schedule-bar [data-new]").click()
    side.locator("[name=day]").fill(str(clinic.day))
    side.locator("[name=doctor_id]").select_option(value=str(clinic.doctor))
    tick = side.locator("input[name=planned_ids]")
    expect(tick).to_be_checked()
    side.locator("[name=start]").fill("12:00")
    side.locator("[data-save]").click()
    expect(side).to_be_hidden()

    from sqlalchemy import select

    from app.db import session
    from app.models import PlannedVisit

    with clinic.app.app_context():
        assert session.scalars(select(PlannedVisit.status)).one() == "booked"
