"""`python -m bench.browser`: a day of 40 columns, 12 hours and 600 visits in a real browser.

Makes a clinic of that size, serves it, opens the schedule at 1280×800 and prints, each the median of the rounds: from the
data in the page to the painted grid; the frames while a visit is dragged; a poll that brought a change; the bytes.
"""

import argparse
import os
import statistics
from contextlib import ExitStack
from datetime import datetime, time, timedelta
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select, text

from app.local.broker import Broker
from app.local.postgres import Postgres
from bench.programs import ROOT, Program

COLUMNS, VISITS, MINUTES = 40, 15, 48
CHROMIUM = "/usr/bin/chromium"

#: Notes when the day's data is in the page, and when all its visits have been painted.
WATCH = """
window.seen = {};
const real = window.fetch;
window.fetch = async (...given) => {
  const answer = await real(...given), url = String(given[0]);
  if (url.includes("/schedule/day") && answer.status === 200) {
    const json = answer.json.bind(answer);
    answer.json = async () => { const data = await json(); window.seen.data = performance.now(); watch(data.appointments.length); return data; };
  }
  return answer;
};
function watch(count) {
  if (document.querySelectorAll("[data-visit]").length < count) { requestAnimationFrame(() => watch(count)); return; }
  requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => { window.seen.painted = performance.now(); }; channel.port2.postMessage(0); });
}
window.frames_of = (work) => { const found = []; let last = performance.now(), on = true; const beat = (now) => { found.push(now - last); last = now; if (on) requestAnimationFrame(beat); }; requestAnimationFrame(beat); return () => { on = false; return found.slice(1); }; };
"""


def furnish() -> None:
    """One branch, forty doctors in forty chairs, every hour of the day taken."""
    from werkzeug.security import generate_password_hash

    from app import clock
    from app.db import session, transaction
    from app.models import (
        Appointment,
        Branch,
        Chair,
        Employee,
        LegalEntity,
        Patient,
        PatientPhone,
        Role,
        User,
        WorkingHours,
    )

    start = datetime.combine(clock.today(), time(8))
    states = ["booked", "booked", "arrived", "in_progress", "completed", "no_show"]
    with transaction():
        entity = LegalEntity(
            name="ООО «Большая клиника»", short_name="Большая клиника", inn="7701234567", kpp="770101001",
            ogrn="1027700132195", address="г. Москва, ул. Большая, д. 1", licence_number="Л041-01137-77/00368421",
        )  # fmt: skip
        branch = Branch(name="Филиал", legal_entity=entity)
        session.add_all([entity, branch])
        session.flush()
        role = session.scalars(select(Role).where(Role.name == "director")).one()
        session.add(
            User(username="director", first_name="Имя", last_name="Фамилия", email="director@clinic.invalid", active=True,
                 password=generate_password_hash("demo"), roles=[role])
        )  # fmt: skip
        for n in range(COLUMNS):
            chair = Chair(name=f"Кресло {n + 1}", branch_id=branch.id)
            doctor = Employee(
                surname=f"Врачев-Длинный{n}", name="Олег", patronymic="Ильич", is_doctor=True, branch_id=branch.id
            )
            session.add_all([chair, doctor])
            session.flush()
            session.add(
                WorkingHours(doctor_id=doctor.id, chair_id=chair.id, branch_id=branch.id, starts_at=start,
                             ends_at=start + timedelta(hours=12))
            )  # fmt: skip
            for v in range(VISITS):
                patient = Patient(surname=f"Больнов{n}", name="Иван", patronymic="Петрович", status="active")
                patient.phones.append(PatientPhone(number=f"+7916{n:04d}{v:03d}"))
                session.add(patient)
                session.flush()
                state = states[(n + v) % len(states)] if v < 8 else "booked"
                session.add(
                    Appointment(
                        patient_id=patient.id, doctor_id=doctor.id, chair_id=chair.id, branch_id=branch.id, status=state,
                        starts_at=start + timedelta(minutes=v * MINUTES), ends_at=start + timedelta(minutes=(v + 1) * MINUTES),
                        first_visit=v % 5 == 0, comment="Просит позвонить за час" if v % 3 == 0 else "",
                        confirmation="confirmed" if v % 2 else "not_notified",
                        arrived_at=clock.now() if state == "arrived" else None,
                    )
                )  # fmt: skip


def painted(page: Page, address: str) -> float:
    """Milliseconds from the data in the page to the painted day."""
    page.goto(address)
    page.wait_for_function("window.seen.painted", timeout=60_000)
    return float(page.evaluate("window.seen.painted - window.seen.data"))


def dragged(page: Page) -> list[float]:
    """The frames, in milliseconds, while a visit is dragged over the columns and let go where it was."""
    box = page.evaluate(
        """() => { const one = [...document.querySelectorAll(".visit-booked")].find((each) => {
          const box = each.getBoundingClientRect(); return box.left > 150 && box.top > 250 && box.bottom < 600; });
          const {x, y, width, height} = one.getBoundingClientRect(); return {x, y, width, height}; }"""
    )
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.evaluate("window.frames_end = window.frames_of(), null")
    page.mouse.move(x, y)
    page.mouse.down()
    for n in range(90):
        page.mouse.move(x + n * 5, y + (n % 30) * 4)
    page.mouse.move(x, y)
    frames: list[float] = page.evaluate("window.frames_end()")
    page.mouse.up()
    return frames


def changed(page: Page, engine: Any) -> float:
    """Milliseconds that a poll which brought a change keeps the page busy."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE appointment SET comment = comment || '!' WHERE id = (SELECT max(id) FROM appointment)")
        )
    return float(
        page.evaluate(
            """async () => { window.seen.painted = 0; await schedule.load(true); const start = window.seen.data;
            while (!window.seen.painted) await new Promise((done) => setTimeout(done, 5)); return window.seen.painted - start; }"""
        )
    )


def main() -> None:
    """Build, start, look, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.browser")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    var = ROOT / "var" / "bench-browser"
    var.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(var / "postgres"))
        broker = stack.enter_context(Broker(var / "broker"))
        os.environ |= {"VAR_DIR": str(var), "REDIS_URL": broker.url, "DATABASE_URL": postgres.url}
        from app import clock, create_app
        from app.cli import prepare_database
        from app.db import db, session
        from app.models import Appointment

        flask_app = create_app()
        prepare_database(flask_app)
        with flask_app.app_context():
            day = session.scalar(select(Appointment.starts_at).limit(1))
            session.rollback()
            if day is None:
                furnish()
                day = datetime.combine(clock.today(), time())
            engine = db.engine
        ours = Program("app:served()", {}, stack)
        ours.wait()
        base = f"http://127.0.0.1:{ours.port}"
        playwright = stack.enter_context(sync_playwright())
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        stack.callback(browser.close)
        page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ru-RU", bypass_csp=True).new_page()
        page.add_init_script(WATCH)
        page.goto(f"{base}/login/")
        page.fill("#username", "director")
        page.fill("#password", "demo")
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        times, frames, polls = [], [], []
        for _ in range(options.rounds):
            times.append(painted(page, f"{base}/schedule/?day={day:%Y-%m-%d}"))
            frames += dragged(page)
            polls.append(changed(page, engine))
        frames.sort()
        print(f"visits in the page       {page.locator('[data-visit]').count():>8}")
        print(
            f"data → painted           {statistics.median(times):>8.0f} ms   (all: {', '.join(f'{t:.0f}' for t in times)})"
        )
        print(f"a poll with a change     {statistics.median(polls):>8.0f} ms")
        print(
            f"frame while dragging     {statistics.median(frames):>8.1f} ms   95 %: {frames[int(len(frames) * 0.95)]:.1f}, worst: {frames[-1]:.1f}"
        )


if __name__ == "__main__":
    main()
