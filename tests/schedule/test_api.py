"""The contract of the schedule, word for word, as another program meets it."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app import clock
from app.models import Appointment, CancelReason
from tests.conftest import counted_statements

DAY = clock.today() + timedelta(days=40)


def at(hour: int, minute: int = 0) -> str:
    return datetime.combine(DAY, time(hour, minute)).isoformat(timespec="minutes")


@pytest.fixture
def desk(program: Any) -> Any:
    return program("administrator")


@pytest.fixture
def doctor(make: Any) -> Any:
    row = make.doctor()
    make.hours(row, DAY)
    return row


def body(patient: Any, doctor: Any, hour: int = 10, **more: Any) -> dict[str, Any]:
    return {"patient_id": patient.id, "doctor_id": doctor.id, "starts_at": at(hour), "ends_at": at(hour, 30), **more}


@pytest.fixture
def visit(desk: Any, make: Any, doctor: Any) -> dict[str, Any]:
    answer = desk.post("appointments/", body(make.patient("Иванова"), doctor))
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


CONTRACT = {
    "id", "version", "patient", "doctor_id", "chair_id", "starts_at", "ends_at", "status", "confirmation",
    "first_visit", "overbooked", "comment",
}  # fmt: skip


def test_a_booking_answers_with_the_visit(visit: dict[str, Any], desk: Any) -> None:
    assert set(visit) >= CONTRACT
    assert set(visit["patient"]) >= {"id", "name", "phone", "balance"}
    assert (visit["starts_at"], visit["ends_at"]) == (at(10), at(10, 30))
    assert (visit["status"], visit["confirmation"], visit["version"]) == ("booked", "not_notified", 1)
    assert visit["patient"]["balance"] == {"debt": "0.00", "advance": "0.00"}
    assert desk.get(f"appointments/{visit['id']}").json == visit


def test_the_day(visit: dict[str, Any], desk: Any, make: Any, doctor: Any) -> None:
    make.appointment(make.patient(), doctor, datetime.combine(DAY, time(15)), status="no_show")
    answer = desk.get(f"schedule/day?day={DAY}")
    day = answer.json
    assert set(day) >= {"day", "version", "columns", "hours", "blocks", "appointments"}
    assert day["day"] == DAY.isoformat()
    assert {"doctor_id": doctor.id, "name": f"{doctor.surname} О. И."} in day["columns"]
    hours = next(row for row in day["hours"] if row["doctor_id"] == doctor.id)
    assert (hours["chair_id"], hours["starts_at"], hours["ends_at"]) == (None, at(8), at(20))
    assert visit in day["appointments"]


def test_the_day_is_not_sent_twice(visit: dict[str, Any], desk: Any) -> None:
    first = desk.get(f"schedule/day?day={DAY}&branch_id=1")
    tag = first.headers["ETag"]
    again = desk.get(f"schedule/day?day={DAY}&branch_id=1", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    desk.post(f"appointments/{visit['id']}/confirm")
    changed = desk.get(f"schedule/day?day={DAY}&branch_id=1", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json["version"] != first.json["version"]


def test_hot_calls_take_few_statements(app: Any, desk: Any, make: Any, doctor: Any) -> None:
    for call, most in [(f"schedule/day?day={DAY}", 3), (f"schedule/free?from={DAY}&days=60", 3)]:
        with counted_statements(app) as seen:
            assert desk.get(call).status_code == 200
        assert len(seen) <= most, seen
    patient, doctor_id = make.patient(), doctor.id
    sent = {"patient_id": patient.id, "doctor_id": doctor_id, "starts_at": at(17), "ends_at": at(17, 30)}
    with counted_statements(app) as seen:
        assert desk.post("appointments/", sent).status_code == 201
    assert len(seen) <= 12, seen


def test_free_times_are_the_earliest_first(visit: dict[str, Any], desk: Any, doctor: Any) -> None:
    answer = desk.get(f"schedule/free?minutes=45&doctor_id={doctor.id}&from={DAY}&days=1&after=09:30&limit=2")
    assert [row["starts_at"] for row in answer.json["result"]] == [at(10, 30), at(11, 15)]
    assert set(answer.json["result"][0]) >= {"doctor_id", "chair_id", "starts_at", "ends_at"}


def test_taken_time_names_who_is_there(visit: dict[str, Any], desk: Any, make: Any, doctor: Any) -> None:
    answer = desk.post("appointments/", body(make.patient(), doctor))
    assert answer.status_code == 409
    assert (answer.json["error"], answer.json["busy"]) == ("slot_taken", "doctor")
    assert answer.json["by"]["id"] == visit["id"]
    assert answer.json["by"]["patient"] == "Иванова И. П."
    assert "Иванова" in answer.json["message"]


def test_a_move_and_a_stale_one(visit: dict[str, Any], desk: Any) -> None:
    moved = desk.patch(f"appointments/{visit['id']}", {"version": 1, "starts_at": at(12), "comment": "позже"})
    assert moved.status_code == 200, moved.text
    assert (moved.json["starts_at"], moved.json["ends_at"], moved.json["version"]) == (at(12), at(12, 30), 2)
    stale = desk.patch(f"appointments/{visit['id']}", {"version": 1, "starts_at": at(14)})
    assert (stale.status_code, stale.json["error"]) == (409, "stale")
    assert stale.json["current"] == moved.json


def test_the_steps(visit: dict[str, Any], desk: Any) -> None:
    path = f"appointments/{visit['id']}"
    for step, status in [
        ("arrive", "arrived"), ("start", "in_progress"), ("complete", "completed"), ("undo", "in_progress"),
    ]:  # fmt: skip
        answer = desk.post(f"{path}/{step}", {})
        assert (answer.status_code, answer.json["status"]) == (200, status)
    assert (desk.post(f"{path}/confirm").status_code, desk.post(f"{path}/arrive").json["error"]) == (
        409,
        "wrong_status",
    )
    history = desk.get(f"{path}/history").json["result"]
    assert [row["what"] for row in history][:2] == ["appointment.booked", "appointment.arrived"]
    assert history[1]["who"].startswith("Сотрудник")
    assert (history[1]["from"]["status"], history[1]["to"]["status"]) == ("booked", "arrived")


def test_no_show_is_too_early(visit: dict[str, Any], desk: Any) -> None:
    answer = desk.post(f"appointments/{visit['id']}/no_show", {})
    assert (answer.status_code, answer.json["error"]) == (422, "too_early")


def test_cancel_and_restore(visit: dict[str, Any], desk: Any, make: Any) -> None:
    why = make._save(CancelReason(name=f"Причина {visit['id']}")).id
    path = f"appointments/{visit['id']}"
    answer = desk.post(f"{path}/cancel", {"reason_id": why, "by": "patient", "comment": "заболел"})
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    answer = desk.post(f"{path}/restore", {})
    assert (answer.status_code, answer.json["status"]) == (200, "booked")


def test_the_same_key_books_once(desk: Any, make: Any, doctor: Any) -> None:
    key, patient = uuid4(), make.patient()
    first = desk.post("appointments/", body(patient, doctor), key=key)
    again = desk.post("appointments/", body(patient, doctor), key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = desk.post("appointments/", body(patient, doctor, 15), key=key)
    assert (other.status_code, other.json["error"]) == (422, "key_reused")


BAD = [
    ({"patient_id": "x"}, "patient_id"), ({"patient_id": None}, "patient_id"), ({"patient_id": -1}, "patient_id"),
    ({"patient_id": 1.5}, "patient_id"), ({"patient_id": 2**40}, "patient_id"), ({"patient_id": True}, "patient_id"),
    ({"patient_id": 2_000_000_000}, "patient_id"), ({"doctor_id": 2_000_000_000}, "doctor_id"),
    ({"doctor_id": [1]}, "doctor_id"), ({"chair_id": "кресло"}, "chair_id"), ({"chair_id": 2_000_000_000}, "chair_id"),
    ({"service_id": 2_000_000_000}, "service_id"), ({"starts_at": "завтра"}, "starts_at"),
    ({"starts_at": "2026-02-30T10:00"}, "starts_at"), ({"starts_at": "2026-11-23T10:00+03:00"}, "starts_at"),
    ({"starts_at": float("nan")}, "starts_at"), ({"ends_at": {}}, "ends_at"),
    ({"starts_at": "9999-12-31T23:59"}, "starts_at"),
    ({"comment": "x" * 1_000_000}, "comment"), ({"comment": "a\x00b"}, "comment"), ({"comment": 5}, "comment"),
    ({"overbook_reason": "y" * 500}, "overbook_reason"), ({"colour": "red"}, "colour"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "name"), BAD, ids=[f"{n}-{str(next(iter(w.values())))[:12]}" for w, n in BAD])
def test_bad_bookings_are_a_sentence(desk: Any, make: Any, doctor: Any, wrong: dict[str, Any], name: str) -> None:
    answer = desk.post("appointments/", {**body(make.patient(), doctor), **wrong})
    assert (answer.status_code, answer.json["error"]) == (422, "invalid"), answer.text[:300]
    assert answer.json["fields"][name]


@pytest.mark.parametrize("sent", [[], "x", 5, None, [{}]])
def test_a_body_that_is_no_object(desk: Any, visit: dict[str, Any], sent: Any) -> None:
    for path in ("appointments/", f"appointments/{visit['id']}/cancel", "schedule/blocks/"):
        answer = desk.client.post(f"/api/v1/{path}", json=sent, headers=desk.headers)
        assert (answer.status_code, answer.json["error"]) == (422, "invalid"), (path, answer.text[:200])


def test_times_in_the_wrong_order_and_another_day(desk: Any, make: Any, doctor: Any) -> None:
    for end in (at(9), at(10), (datetime.combine(DAY, time(1)) + timedelta(days=1)).isoformat(timespec="minutes")):
        answer = desk.post("appointments/", {**body(make.patient(), doctor), "ends_at": end})
        assert (answer.status_code, answer.json["error"]) == (422, "wrong_times")


@pytest.mark.parametrize(
    "query",
    ["day=x", "day=2026-02-30", "day=0001-01-01", "branch_id=x", "branch_id=-1", "branch_id=99999999999", "nope=1"],
)
def test_bad_days(desk: Any, query: str) -> None:
    assert desk.get(f"schedule/day?{query}").status_code == 422


@pytest.mark.parametrize(
    "query",
    ["minutes=0", "minutes=x", "minutes=NaN", "weekdays=8", "weekdays=1,,2", "after=25:00", "before=9", "limit=100000",
     "days=-1", "from=yesterday", "doctor_id=0", "speciality_id=%00"],
)  # fmt: skip
def test_bad_questions_for_free_time(desk: Any, query: str) -> None:
    answer = desk.get(f"schedule/free?{query}")
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")


def test_visits_that_are_not_there(desk: Any) -> None:
    for pk in (2_000_000_000, 2**40):
        assert desk.get(f"appointments/{pk}").status_code == 404
        assert desk.get(f"appointments/{pk}/history").status_code == 404
        assert desk.patch(f"appointments/{pk}", {"version": 1}).status_code == 404
        assert desk.post(f"appointments/{pk}/arrive").status_code == 404
        assert desk.post(f"appointments/{pk}/cancel", {"reason_id": 1, "by": "clinic"}).status_code in (404, 422)
        assert desk.post(f"schedule/blocks/{pk}/lift").status_code == 404


def test_a_doctor_sees_and_meets_own_patients_only(program: Any, make: Any, visit: dict[str, Any]) -> None:
    from sqlalchemy import select

    from app.db import session
    from app.models import Employee

    user = make.user("doctor")
    own = session.scalars(select(Employee).where(Employee.user_id == user.id)).one()
    mine = make.appointment(make.patient(), own, datetime.combine(DAY, time(11)))
    doctor = program("doctor")
    day = doctor.get(f"schedule/day?day={DAY}").json
    assert {row["doctor_id"] for row in day["appointments"]} == {own.id}
    assert [column["doctor_id"] for column in day["columns"]] == [own.id]
    assert day["appointments"][0]["patient"]["balance"] is None
    assert doctor.get(f"appointments/{visit['id']}").status_code == 403
    assert doctor.get(f"appointments/{visit['id']}/history").status_code == 403
    assert doctor.post(f"appointments/{visit['id']}/arrive").status_code == 403
    assert doctor.get(f"schedule/free?doctor_id={visit['doctor_id']}").status_code == 403
    assert doctor.post(f"appointments/{mine.id}/arrive").json["status"] == "arrived"
    assert doctor.patch(f"appointments/{mine.id}", {"version": 2, "comment": "x"}).status_code == 403


def test_outsiders(app: Any, program: Any, visit: dict[str, Any]) -> None:
    client = app.test_client()
    assert client.get("/api/v1/schedule/day").status_code == 401
    assert client.post(f"/api/v1/appointments/{visit['id']}/arrive").status_code == 401
    sysadmin = program("sysadmin")
    assert sysadmin.get("schedule/day").status_code == 403
    assert sysadmin.get(f"appointments/{visit['id']}").status_code == 403


def test_time_is_blocked_and_opened(desk: Any, make: Any, doctor: Any) -> None:
    sent = {"doctor_id": doctor.id, "starts_at": at(18), "ends_at": at(19), "reason": "Совещание"}
    block = desk.post("schedule/blocks/", sent)
    assert block.status_code == 201, block.text
    taken = desk.post("appointments/", body(make.patient(), doctor, 18))
    assert (taken.status_code, taken.json["by"]["kind"]) == (409, "block")
    assert [b["reason"] for b in desk.get(f"schedule/day?day={DAY}").json["blocks"] if b["doctor_id"] == doctor.id] == [
        "Совещание"
    ]
    assert desk.post(f"schedule/blocks/{block.json['id']}/lift").json["lifted_at"]
    for wrong in ({"reason": " "}, {"doctor_id": None}, {"kind": "nap"}, {"doctor_id": 2_000_000_000}):
        answer = desk.post("schedule/blocks/", {**sent, **wrong})
        assert (answer.status_code, answer.json["error"]) == (422, "invalid")


def test_the_row_is_the_same(visit: dict[str, Any], make: Any) -> None:
    from app.db import session

    assert session.get(Appointment, visit["id"]) is not None


# --- managing: undo, shelf, series ---------------------------------------------------------------------------------


def test_the_last_actions_over_json(program: Any, make: Any) -> None:
    desk, other = program("senior"), program("director")
    doctor, patient = make.doctor(), make.patient("Отменяева")
    make.hours(doctor, DAY)
    body = {"patient_id": patient.id, "doctor_id": doctor.id, "starts_at": f"{DAY}T10:00", "ends_at": f"{DAY}T10:30"}
    visit = desk.post("appointments/", body).json
    moved = desk.patch(f"appointments/{visit['id']}", {"version": 1, "starts_at": f"{DAY}T12:00"}).json
    newest, booking, *_ = desk.get("schedule/actions").json["result"]
    assert (newest["action"], newest["undoable"], newest["who"]) == ("appointment.moved", True, "Отменяева И. П.")
    assert (booking["action"], booking["undoable"]) == ("appointment.booked", False)
    assert "сначала отмените" in booking["why"] or "undo the later" in booking["why"]
    assert other.post(f"schedule/actions/{newest['id']}/undo").status_code == 404
    refused = desk.post(f"schedule/actions/{booking['id']}/undo")
    assert (refused.status_code, refused.json["error"]) == (409, "not_undoable")
    undone = desk.post("schedule/undo", {"appointment_id": visit["id"], "version": moved["version"]})
    assert undone.json["visit"]["starts_at"] == f"{DAY}T10:00"
    again = desk.post("schedule/undo", {"appointment_id": visit["id"], "version": moved["version"]})
    assert again.status_code == 409
    key = "5f0b3f1e-8c34-4d2c-9d5e-3a8b3a0c1d2e"
    first = desk.post(f"schedule/actions/{booking['id']}/undo", key=key)
    assert (first.status_code, first.json["removed"], first.json["visit"]) == (200, True, None)
    assert desk.post(f"schedule/actions/{booking['id']}/undo", key=key).json == first.json
    assert desk.get(f"appointments/{visit['id']}").status_code == 404


def test_managing_is_for_the_desk_alone(program: Any, make: Any) -> None:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    visit = make.appointment(make.patient(), doctor, datetime.fromisoformat(f"{DAY}T14:00"))
    own = program("doctor")
    for path in ("shelf", "series"):
        assert (
            own.post(f"appointments/{visit.id}/{path}", {"slots": [{"starts_at": f"{DAY}T15:00"}]}).status_code == 403
        )
    for path in ("series", "series/preview"):
        assert own.get(f"appointments/{visit.id}/{path}").status_code == 403
    assert own.get("schedule/actions").json["count"] >= 0
    nobody = program("sysadmin")
    assert [nobody.get(f"schedule/{path}").status_code for path in ("actions", "shelf")] == [403, 403]
    assert nobody.post("schedule/undo").status_code == 403
    desk = program("administrator")
    assert desk.post(f"appointments/{visit.id}/series", {"slots": []}).status_code == 422
    assert desk.post("schedule/undo", {"appointment_id": "x"}).status_code == 422
    assert desk.post(f"schedule/actions/{10**18}/undo").status_code == 404
    wrong = desk.get(f"appointments/{visit.id}/series/preview?unit=moons&every=0&times=999")
    assert set(wrong.json["fields"]) == {"unit", "every", "times"}
    assert desk.patch("schedule/blocks/2000000000", {"version": 1}).status_code == 404
