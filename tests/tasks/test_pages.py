"""The pages of the calls: the list, its freshness, the panel, the card's tab, the report, the menu; and a browser."""

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock
from app.db import session, transaction
from app.models import CallTask, PlannedVisit, RefusalReason
from app.tasks import operations
from app.vocab import TaskReasonKind as Kind
from tests.browser import windows
from tests.conftest import Maker, counted_statements, sign_in

TODAY = clock.today()


def asked(patient: Any, kind: Kind = Kind.BY_HAND, **values: Any) -> CallTask:
    with transaction():
        task = operations.ask(patient.id, kind, **{"due_on": TODAY, "note": "Снимок", "actor": None, **values})
    assert task is not None
    return task


def test_the_list(client_of: Any, make: Maker) -> None:
    patient = make.patient("Списочнова")
    asked(patient, note="<script>alert(1)</script>")
    asked(patient, Kind.NO_SHOW, due_on=TODAY - timedelta(days=3))
    page = client_of("administrator").get("/tasks/?q=Списочнова").text
    assert page.count("data-task=") == 1
    assert "Не пришёл" in page and "Добавлено вручную" in page and "3 дня просрочки" in page
    assert "&lt;script&gt;" in page and "<script>alert" not in page
    task_id = session.scalar(select(CallTask.id).where(CallTask.patient_id == patient.id))
    assert f"/schedule/?patient={patient.id}&amp;task={task_id}" in page


def test_the_button_of_a_task_says_that_one_calls(client_of: Any, make: Maker) -> None:
    """In the list of debtors the like button puts a patient among the calls; here it takes the call."""
    task = asked(make.patient("Кнопкина"))
    client = client_of("administrator")
    for page in (client.get("/tasks/rows?q=Кнопкина").text, client.get(f"/tasks/{task.id}/panel").text):
        assert "</i> Позвонить" in page and "В обзвон" not in page


def test_nobody_to_call_says_what_to_do(fresh_app: Flask) -> None:
    page = sign_in(fresh_app, "administrator").get("/tasks/").text
    assert "Звонить некому" in page
    assert 'class="waiting"' not in page[page.index('class="bar-menu"') : page.index("bar-right")]


@pytest.mark.parametrize(
    "query",
    ["when=x", "kind=x", "doctor_id=-1", "doctor_id=" + "9" * 30, "page=-1", "page=999", "mine=z", "q=%00",
     "q=" + "я" * 500, "page_size=0", "when=closed&page=5"],
)  # fmt: skip
def test_nonsense_in_the_address(client_of: Any, query: str) -> None:
    client = client_of("senior")
    assert client.get(f"/tasks/?{query}").status_code == 200
    assert client.get(f"/tasks/rows?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["from=x", "to=0001-01-01", "from=2199-01-01&to=1950-01-01", "format=exe", "from=%00"]
)
def test_nonsense_in_the_report(client_of: Any, query: str) -> None:
    assert client_of("director").get(f"/tasks/report?{query}").status_code == 200


def test_unchanged_rows_are_not_sent_again(client_of: Any, app: Flask, make: Maker) -> None:
    client, other = client_of("administrator"), client_of("administrator2")
    task = asked(make.patient("Свежева"))
    first = client.get("/tasks/rows?q=Свежева")
    tag = {"If-None-Match": first.headers["ETag"]}
    with counted_statements(app) as seen:
        assert client.get("/tasks/rows?q=Свежева", headers=tag).status_code == 304
    assert len([one for one in seen if "call_task" in one]) == 1
    assert other.post(f"/api/v1/call-tasks/{task.id}/claim", json={}).status_code == 200
    fresh = client.get("/tasks/rows?q=Свежева", headers=tag)
    assert fresh.status_code == 200 and "data-taken" in fresh.text and fresh.headers["ETag"] != first.headers["ETag"]


def test_the_menu_counts_in_one_statement(fresh_app: Flask) -> None:
    with fresh_app.app_context():
        make = Maker()
        for ahead in (-2, -1, 0, 1):
            asked(make.patient(), due_on=TODAY + timedelta(days=ahead))
        session.remove()
    for role, shown in (("administrator", True), ("doctor", False), ("sysadmin", False)):
        client = sign_in(fresh_app, role)
        with counted_statements(fresh_app) as seen:
            page = client.get("/me/password").text
        assert len([one for one in seen if "call_task" in one]) == int(shown), role
        assert ('<b class="late">2</b><b>1</b>' in page) is shown, role
        assert ("Просрочено: 2, на сегодня: 1" in page) is shown


def test_the_panel(client_of: Any, make: Maker) -> None:
    task = asked(make.patient("Панельнова", allergy="Лидокаин"))
    with transaction():
        operations.not_reached(task.id, phone="+79161112233", comment="Гудки", actor=make.user("senior"))
    page = client_of("administrator").get(f"/tasks/{task.id}/panel")
    assert page.status_code == 200
    for words in ("Панельнова", "Лидокаин", "Снимок", "Гудки", "+7 916 111-22-33", "Не дозвонились", 'href="tel:'):
        assert words in page.text, words
    assert client_of("administrator").get("/tasks/999999999/panel").status_code == 404
    assert client_of("doctor").get(f"/tasks/{task.id}/panel").status_code == 403


def test_adding_by_hand(client_of: Any, make: Maker) -> None:
    client, patient = client_of("administrator"), make.patient("Рукописнова")
    wrong = client.post("/tasks/add", data={"patient_id": patient.id, "note": "", "due_on": TODAY.isoformat()})
    assert wrong.status_code == 422 and "Рукописнова" in wrong.text
    for nonsense in ({"patient_id": "x"}, {"patient_id": "9" * 30}, {"due_on": "x"}, {"responsible_id": "0"}, {}):
        data = {"patient_id": patient.id, "note": "Снимок", **nonsense} if nonsense else {}
        assert client.post("/tasks/add", data=data).status_code in (404, 422), nonsense
    done = client.post("/tasks/add", data={"patient_id": patient.id, "note": "Снимок", "due_on": TODAY.isoformat()})
    assert done.status_code == 302 and done.location.endswith("/tasks/")
    on_card = client.post("/tasks/add", data={"patient_id": patient.id, "note": "Ещё", "back": "card"})
    assert on_card.location.endswith(f"/patients/{patient.id}?tab=tasks#tab")
    tab = client.get(f"/tasks/patient/{patient.id}").text
    assert "Снимок; Ещё" in tab and "Открыть в списке обзвона" in tab
    assert f"/tasks/patient/{patient.id}" in client.get(f"/patients/{patient.id}").text


def test_the_tab_of_a_doctor(client_of: Any, make: Maker) -> None:
    from app.models import Employee

    me = session.scalars(select(Employee).where(Employee.user_id == make.user("doctor").id)).unique().one()
    own = make.patient()
    make.appointment(own, me, datetime.combine(TODAY - timedelta(days=2), time(9)), status="completed")
    doctor = client_of("doctor")
    assert doctor.get(f"/tasks/patient/{make.patient().id}").status_code == 403
    tab = doctor.get(f"/tasks/patient/{own.id}").text
    assert "Попросить позвонить" in tab and "responsible_id" not in tab


def test_the_report(fresh_app: Flask) -> None:
    with fresh_app.app_context(), clock.at(datetime.combine(TODAY, time(12))):
        make = Maker()
        me, doctor = make.user("administrator"), make.doctor()
        with transaction():
            reason = RefusalReason(name="=Дорого")
            session.add(reason)
        booked, refused, gone, kept = (asked(make.patient(), kind) for kind in (Kind.DEBT, Kind.NO_SHOW) * 2)
        session.refresh(booked)
        visit = make.appointment(booked.patient, doctor, datetime.combine(TODAY + timedelta(days=2), time(9)))
        for task in (booked, refused, kept):
            with transaction():
                operations.claim(task.id, actor=me)
            with transaction():
                if task is booked:
                    operations.patient_booked(visit, actor=me)
                elif task is refused:
                    operations.close(task.id, None, "refused", refusal_reason_id=reason.id, actor=me)
                else:
                    operations.not_reached(task.id, actor=me)
        with transaction():
            operations.reasons_gone(patient_id=gone.patient_id, actor=None)
        session.remove()
    client = sign_in(fresh_app, "senior")
    page = client.get(f"/tasks/report?from={TODAY}&to={TODAY}").text
    figures = dict(re.findall(r'<div class="figure"><span>([^<]*)</span><b>(\d+)</b>', page))
    assert figures == {
        "Попыток": "3",
        "Закрыто по итогам звонка": "2",
        "Записано на приём": "1",
        "из них уже пришли": "0",
    }
    file = client.get(f"/tasks/report?from={TODAY}&to={TODAY}&format=csv")
    lines = file.data.decode("utf-8-sig").splitlines()
    assert file.mimetype == "text/csv"
    assert any(line.startswith("Сотрудник") and line.split(";")[1:4] == ["3", "2", "2"] for line in lines)
    assert "'=Дорого;1" in lines
    yesterday = TODAY - timedelta(days=1)
    assert "За эти дни никто не звонил" in client.get(f"/tasks/report?from={yesterday}&to={yesterday}").text
    assert sign_in(fresh_app, "administrator").get("/tasks/report").status_code == 403


@pytest.mark.browser
def test_calling_without_the_mouse(fresh_app: Flask) -> None:
    """Choose, call, not reached; the next one refuses; a claim shows on the other desk within 5 seconds; book."""
    with fresh_app.app_context():
        make = Maker()
        doctor = make.doctor()
        make.hours(doctor, TODAY + timedelta(days=1))
        with transaction():
            session.execute(update(RefusalReason).values(archived=True))
            session.add(RefusalReason(name="Дорого и далеко"))
        tasks = [asked(make.patient(name), due_on=TODAY - timedelta(days=9 - n)) for n, name in
                 enumerate(("Первова", "Вторнова", "Третьякова", "Пятницкая", "Четвергова"))]  # fmt: skip
        ids = [task.id for task in tasks]
        session.remove()
    with windows(fresh_app) as desks:
        page, other = desks.sign_in("administrator"), desks.sign_in("administrator2")
        other.goto(f"{desks.base}/tasks/")
        page.goto(f"{desks.base}/tasks/")
        keys = page.keyboard
        page.wait_for_selector(f"tbody.at[data-task='{ids[0]}']")
        keys.press("Enter")
        page.wait_for_selector(f"[data-panel-of='{ids[0]}'][data-calling='1']")
        other.wait_for_selector(f"tbody[data-task='{ids[0]}'][data-taken]", timeout=5000)
        keys.press("7")
        page.wait_for_selector(f"tbody.at[data-task='{ids[1]}']")  # the next one is at hand
        keys.press("Enter")
        page.wait_for_selector(f"[data-panel-of='{ids[1]}'][data-calling='1']")
        keys.press("c")
        keys.type("Дорого ей")
        keys.press("Escape")
        keys.press("5")
        page.wait_for_selector("form[data-form=refused]:not([hidden])")
        keys.press("ArrowDown")
        keys.press("Tab")
        keys.press("Enter")
        page.wait_for_selector(f"tbody.at[data-task='{ids[2]}']")
        page.wait_for_selector(f"tbody[data-task='{ids[1]}']", state="detached")
        keys.press("Enter")
        page.wait_for_selector(f"[data-panel-of='{ids[2]}'][data-calling='1']")
        other.wait_for_selector(f"tbody[data-task='{ids[2]}'][data-taken]", timeout=5000)
        keys.press("Escape")
        other.wait_for_selector(f"tbody[data-task='{ids[2]}']:not([data-taken])", timeout=5000)
        keys.press("j")
        page.wait_for_selector(f"tbody.at[data-task='{ids[3]}']")
        keys.press("Enter")
        page.wait_for_selector(f"[data-panel-of='{ids[3]}'][data-calling='1']")
        keys.press("2")  # nothing is planned yet: the form opens, and ends the call when it is saved
        form = page.locator("[data-wish-side] form")
        form.locator("[data-months]").first.click()
        form.locator("[name=reason]").fill("Гигиена")
        form.locator("[type=submit]").click()
        page.wait_for_selector(f"tbody[data-task='{ids[3]}']", state="detached")
        page.wait_for_selector(f"tbody.at[data-task='{ids[4]}']")
        keys.press("Enter")
        page.wait_for_selector(f"[data-panel-of='{ids[4]}'][data-calling='1']")
        keys.press("1")
        page.wait_for_url(lambda url: "/schedule/" in url and f"task={ids[4]}" in url)
        assert desks.faults == []
    with fresh_app.app_context():
        rows = {task.id: task for task in session.scalars(select(CallTask).where(CallTask.id.in_(ids)))}
        assert (rows[ids[0]].attempts, rows[ids[0]].last_result) == (1, "not_reached")
        assert (rows[ids[1]].result, rows[ids[1]].comment) == ("refused", "Дорого ей")
        assert rows[ids[2]].claimed_by_id is None
        assert rows[ids[3]].result == "planned"
        planned = session.scalars(select(PlannedVisit).where(PlannedVisit.patient_id == rows[ids[3]].patient_id)).one()
        assert (planned.reason, planned.made_from) == ("Гигиена", "call")
        assert rows[ids[4]].claimed_by_id is not None
        session.remove()
