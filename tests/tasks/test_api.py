"""The list of calls over JSON: the contract, rights, statements."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.db import session, transaction
from app.models import CallTask, ClinicSetting
from app.tasks import operations
from app.vocab import TaskReasonKind as Kind
from tests.conftest import Maker, counted_statements, make_app, sign_in

TODAY = clock.today()
SOON = (datetime.combine(TODAY + timedelta(days=3), time(12))).isoformat(timespec="minutes")


@pytest.fixture
def desk(program: Any) -> Any:
    return program("administrator")


def asked(patient: Any, kind: Kind = Kind.BY_HAND, **values: Any) -> CallTask:
    with transaction():
        task = operations.ask(patient.id, kind, **{"due_on": TODAY, "note": "Снимок", "actor": None, **values})
    assert task is not None
    return task


ROW = {
    "id", "version", "status", "due_at", "overdue_days", "patient", "phones", "reasons", "doctors", "last_visit",
    "next_visit", "balance", "attempts", "last_result", "comment", "responsible_id", "responsible", "claimed",
    "result", "closed_at", "closed_by", "appointment_id",
}  # fmt: skip


def test_the_whole_cycle(desk: Any, program: Any, make: Maker) -> None:
    patient = make.patient("Обзвонова", birth_date=TODAY.replace(year=TODAY.year - 30, day=1))
    added = desk.post("call-tasks/", {"patient_id": patient.id, "note": "Снимок готов"})
    assert added.status_code == 201 and set(added.json) >= ROW
    task = added.json
    assert task["patient"]["name"].startswith("Обзвонова") and task["patient"]["age"] in (29, 30)
    assert [(one["kind"], one["note"]) for one in task["reasons"]] == [("by_hand", "Снимок готов")]
    assert task["phones"][0]["number"] == patient.phones[0].number
    at = f"call-tasks/{task['id']}"
    claimed = desk.post(f"{at}/claim").json
    assert claimed["claimed"]["mine"] is True
    other = program("administrator2")
    taken = other.post(f"{at}/claim")
    assert (taken.status_code, taken.json["error"]) == (409, "task_taken") and taken.json["by"] in taken.json["message"]
    assert other.get(at).json["claimed"]["mine"] is False
    tried = desk.post(f"{at}/not_reached", {"version": claimed["version"], "phone": task["phones"][0]["number"]})
    assert (tried.json["attempts"], tried.json["last_result"], tried.json["claimed"]) == (1, "not_reached", None)
    stale = desk.post(f"{at}/close", {"version": claimed["version"], "result": "informed"})
    assert (stale.status_code, stale.json["error"]) == (409, "stale")
    assert stale.json["current"]["version"] == tried.json["version"]
    later = desk.post(f"{at}/postpone", {"until": SOON, "asked": True})
    assert later.json["due_at"] == SOON and later.json["last_result"] == "postponed"
    changed = desk.patch(at, {"version": later.json["version"], "comment": "Звонить вечером"})
    assert changed.json["comment"] == "Звонить вечером"
    nothing = desk.post(f"{at}/close", {"version": changed.json["version"], "result": "booked"})
    assert (nothing.status_code, nothing.json["error"]) == (422, "nothing_came_of_it")
    done = desk.post(f"{at}/close", {"version": changed.json["version"], "result": "informed"})
    assert (done.json["status"], done.json["result"]) == ("closed", "informed")
    assert desk.post(f"{at}/claim").json["error"] == "task_closed"
    assert [one["result"] for one in desk.get(at).json["history"]] == ["postponed", "not_reached"]


def test_once(desk: Any, make: Maker) -> None:
    from uuid import uuid4

    task, key = asked(make.patient()), uuid4()
    first = desk.post(f"call-tasks/{task.id}/not_reached", {}, key=key)
    again = desk.post(f"call-tasks/{task.id}/not_reached", {}, key=key)
    assert first.json == again.json and first.json["attempts"] == 1


def test_finding(desk: Any, make: Maker) -> None:
    doctor = make.doctor()
    one = asked(make.patient("Щукинодинова"), Kind.DOCTOR_REQUEST, doctor_id=doctor.id)
    two = asked(make.patient("Щукиндвова"), Kind.NO_SHOW)
    late = asked(make.patient("Щукинтриева"), due_on=TODAY - timedelta(days=2))
    far = asked(make.patient("Щукинпятова"), due_on=TODAY + timedelta(days=2))

    def found(query: str) -> list[int]:
        rows = desk.get(f"call-tasks/?q=Щукин&page_size=200{query}").json["result"]
        return [row["id"] for row in rows]

    assert found("") == [late.id, one.id, two.id, far.id]  # the most urgent first
    assert found("&kind=no_show") == [two.id]
    assert found(f"&doctor_id={doctor.id}") == [one.id]
    assert found("&when=overdue") == [late.id]
    assert found("&when=today") == [one.id, two.id]
    assert found("&when=later") == [far.id]
    assert found("&when=closed") == [] and found("&mine=1") == []
    desk.post(f"call-tasks/{two.id}/claim")
    assert found("&mine=1") == [two.id]
    assert desk.get("call-tasks/?q=Щукин&page_size=1&page=1").json["count"] == 4
    assert desk.get("call-tasks/?q=нетуникого").json == {"count": 0, "result": []}
    assert next(row for row in desk.get("call-tasks/?q=Щукинтри").json["result"])["overdue_days"] == 2


def test_a_page_of_rows_is_one_statement(app: Flask, make: Maker) -> None:
    from app.tasks import queries

    doctor = make.doctor()
    for hour in range(8, 20):
        patient = make.patient("Многоженова")
        asked(patient, Kind.DOCTOR_REQUEST, doctor_id=doctor.id)
        asked(patient, Kind.NO_SHOW)
        make.appointment(patient, doctor, datetime.combine(TODAY - timedelta(days=9), time(hour)), status="completed")
    with counted_statements(app) as seen:
        count, rows = queries.page(queries.Wanted(q="Многоженова"), me=1, limit=10)
    assert (count, len(rows), len(seen)) == (12, 10, 1)
    assert all(len(row["reasons"]) == 2 and row["last_visit"] for row in rows)
    with counted_statements(app) as seen:
        queries.counts()
        queries.stamp()
    assert len(seen) == 2


def test_money_needs_its_right(desk: Any, program: Any, make: Maker) -> None:
    from app import access

    task = asked(make.patient())
    assert desk.get(f"call-tasks/{task.id}").json["balance"] == {"debt": "0.00", "advance": "0.00"}
    with transaction():
        director = make.user("director")
        access.change_right(make.user("administrator2"), "payment.see", allowed=False, reason="Проба", actor=director)
    try:
        assert "balance" not in program("administrator2").get(f"call-tasks/{task.id}").json
    finally:
        with transaction():
            user = make.user("administrator2")
            access.change_right(user, "payment.see", allowed=None, reason="Проба", actor=director)


def test_a_doctor_asks_for_own_patients_only(program: Any, make: Maker) -> None:
    from sqlalchemy import select

    from app.models import CallTaskReason, Employee

    me = session.scalars(select(Employee).where(Employee.user_id == make.user("doctor").id)).unique().one()
    own, stranger = make.patient(), make.patient()
    make.appointment(own, me, datetime.combine(TODAY - timedelta(days=1), time(9)), status="completed")
    doctor = program("doctor")
    assert doctor.get("call-tasks/").status_code == 403
    assert doctor.post("call-tasks/", {"patient_id": stranger.id, "note": "Боль?"}).status_code == 403
    added = doctor.post("call-tasks/", {"patient_id": own.id, "note": "Боль?", "kind": "by_hand"})
    assert added.status_code == 201 and set(added.json) == {"id"}
    reason = session.scalars(select(CallTaskReason).where(CallTaskReason.task_id == added.json["id"])).one()
    assert (reason.kind, reason.doctor_id) == ("doctor_request", me.id)
    assert doctor.post(f"call-tasks/{added.json['id']}/claim").status_code == 403


NONSENSE = [
    {"version": 1, "result": "not_needed"}, {"version": 1, "result": "x"}, {"version": "x", "result": "informed"},
    {"version": 1, "result": "refused"}, {"version": 1, "result": "refused", "refusal_reason_id": 10**12},
    {"result": "informed"}, {"version": 1, "result": "informed", "comment": "\x00"}, {"version": 1, "result": ["a"]},
    {"version": 1, "result": "informed", "more": 1}, [], "x",
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE, ids=str)
def test_nonsense_is_refused(desk: Any, make: Maker, body: Any) -> None:
    task = asked(make.patient())
    answer = desk.post(f"call-tasks/{task.id}/close", body)
    assert answer.status_code == 422 and answer.json["message"], answer.text
    session.refresh(task)
    assert task.status == "open"


@pytest.mark.parametrize(
    ("deed", "body"),
    [
        ("postpone", {}),
        ("postpone", {"until": "завтра"}),
        ("postpone", {"until": "1999-01-01T10:00"}),
        ("postpone", {"until": "2199-01-01T10:00"}),
        ("not_reached", {"until": "1999-01-01T10:00"}),
        ("not_reached", {"phone": "9" * 50}),
        ("claim", {"x": 1}),
    ],
)
def test_nonsense_times(desk: Any, make: Maker, deed: str, body: Any) -> None:
    task = asked(make.patient())
    assert desk.post(f"call-tasks/{task.id}/{deed}", body).status_code == 422


def test_nobody_there(desk: Any) -> None:
    for pk in (999_999_999, 2**31, 10**15):
        assert desk.get(f"call-tasks/{pk}").status_code == 404
        assert desk.post(f"call-tasks/{pk}/claim").status_code == 404


def test_the_module_switched_off_is_not_there(server: Any, template: str) -> None:
    """No menu, no page, no address, no job; what was asked for stays in the database."""
    from uuid import uuid4

    from app.db import db
    from app.tasks import jobs
    from tests.conftest import _admin

    name = f"off_{uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    app = make_app(server(name))
    with app.app_context():
        make = Maker()
        task = asked(make.patient(), Kind.DEBT)  # no debt: the job would end it
        director = sign_in(app, "director")
        assert "/tasks/" in director.get("/me/password").text
        with transaction():
            session.merge(ClinicSetting(id=1, crm=False))
        for address in ("/tasks/", "/tasks/rows", "/tasks/report", f"/tasks/{task.id}/panel", "/tasks/patient/1"):
            assert director.get(address).status_code == 404, address
        assert director.get("/api/v1/call-tasks/").status_code == 404
        assert director.post(f"/api/v1/call-tasks/{task.id}/claim", json={}).status_code == 404
        with counted_statements(app) as seen:
            page = director.get("/me/password").text
        assert "/tasks/" not in page and not [one for one in seen if "call_task" in one]
        assert "tasks/patient" not in director.get(f"/patients/{task.patient_id}").text
        jobs.tidy()
        session.refresh(task)
        assert task.status == "open"
        with transaction():
            session.get_one(ClinicSetting, 1).crm = True
        jobs.tidy()
        session.refresh(task)
        assert (task.status, task.result) == ("closed", "not_needed")
        session.remove()
        db.engine.dispose()
