"""The waiting list and planned visits over JSON and as pages: owners, outsiders, nonsense, stale versions."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from app import clock
from app.db import session, transaction
from app.models import ClinicSetting, RefusalReason

DAY = clock.today() + timedelta(days=25)


def at(hour: int, minute: int = 0) -> str:
    return datetime.combine(DAY, time(hour, minute)).isoformat(timespec="minutes")


@pytest.fixture
def desk(program: Any) -> Any:
    return program("administrator")


@pytest.fixture
def ids(make: Any) -> dict[str, int]:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    reason = session.query(RefusalReason).first()
    assert reason is not None, "every clinic has the first reasons"
    return {"doctor": doctor.id, "patient": make.patient().id, "other": make.patient().id, "reason": reason.id}


def entry(desk: Any, ids: dict[str, int], **more: Any) -> dict[str, Any]:
    body = {"patient_id": ids["patient"], "wanted_doctors": "only", "doctor_ids": [ids["doctor"]], **more}
    answer = desk.post("waiting-entries/", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_the_whole_way_of_an_entry(desk: Any, ids: dict[str, int]) -> None:
    made = entry(desk, ids, windows=[{"from": "09:00", "to": "12:00"}], minutes=45, comment="утром")
    assert made["windows"] == [{"from": "09:00", "to": "12:00"}]
    fits = desk.get(f"schedule/fits?doctor_id={ids['doctor']}&starts_at={at(9)}&ends_at={at(10)}").json
    assert [row["id"] for row in fits["result"]] == [made["id"]]
    assert fits["result"][0]["why"] and fits["free"]["starts_at"] == at(9)
    times = desk.get(f"waiting-entries/{made['id']}/times").json["result"]
    assert times[0]["starts_at"] == at(9)
    offer = desk.post(
        f"waiting-entries/{made['id']}/offer", {"doctor_id": ids["doctor"], "starts_at": at(9), "ends_at": at(9, 45)}
    )
    assert offer.status_code == 201, offer.text
    fits = desk.get(f"schedule/fits?doctor_id={ids['doctor']}&starts_at={at(9)}&ends_at={at(10)}").json
    assert [row["entry_id"] for row in fits["offers"]] == [made["id"]]
    assert fits["free"] is not None, "a time that is held for an offer may be offered to others"
    accepted = desk.post(f"waiting-offers/{offer.json['offer']['id']}/accept")
    assert accepted.status_code == 200 and accepted.json["visit"]["starts_at"] == at(9)
    again = desk.post(f"waiting-offers/{offer.json['offer']['id']}/accept")
    assert (again.status_code, again.json["error"]) == (409, "offer_closed")
    assert desk.get(f"waiting-entries/{made['id']}").json["status"] == "booked"


def test_a_stale_change_is_refused_and_shows_what_stands_now(desk: Any, ids: dict[str, int]) -> None:
    made = entry(desk, ids)
    path = f"waiting-entries/{made['id']}"
    assert desk.patch(path, {"version": made["version"], "minutes": 60}).status_code == 200
    stale = desk.patch(path, {"version": made["version"], "minutes": 15})
    assert (stale.status_code, stale.json["error"], stale.json["current"]["minutes"]) == (409, "stale", 60)
    gone = desk.post(f"{path}/cancel", {"reason_id": ids["reason"]})
    assert gone.status_code == 200 and gone.json["refusal_reason"]
    assert desk.post(f"{path}/cancel", {"reason_id": ids["reason"]}).status_code == 409


def test_nonsense_is_answered_with_a_sentence(desk: Any, ids: dict[str, int]) -> None:
    made = entry(desk, ids)
    for path, body in (
        ("waiting-entries/", {"patient_id": 2**31 - 1}),
        ("waiting-entries/", {"patient_id": ids["patient"], "weekdays": []}),
        ("waiting-entries/", {"patient_id": ids["patient"], "weekdays": [8]}),
        ("waiting-entries/", {"patient_id": ids["patient"], "windows": [{"from": "12:00", "to": "09:00"}]}),
        ("waiting-entries/", {"patient_id": ids["patient"], "windows": []}),
        ("waiting-entries/", {"patient_id": ids["patient"], "wanted_doctors": "only"}),
        ("waiting-entries/", {"patient_id": ids["patient"], "doctor_ids": ["x"], "wanted_doctors": "only"}),
        ("waiting-entries/", {"patient_id": ids["patient"], "kind": "move_up"}),
        ("waiting-entries/", {"patient_id": ids["patient"], "surprise": 1}),
        (f"waiting-entries/{made['id']}/offer", {"doctor_id": 2**31 - 1, "starts_at": at(9)}),
        (f"waiting-entries/{made['id']}/offer", {"doctor_id": ids["doctor"], "starts_at": "2020-01-01T10:00"}),
        (f"waiting-entries/{made['id']}/offer", {"doctor_id": ids["doctor"], "starts_at": at(22)}),
        (f"waiting-entries/{made['id']}/cancel", {"reason_id": 2**31 - 1}),
        ("planned-visits/", {"patient_id": ids["patient"], "months": 3}),
        ("planned-visits/", {"patient_id": ids["patient"], "months": 0, "reason": "Осмотр"}),
        ("planned-visits/", {"patient_id": ids["patient"], "target_to": "2027-01-01", "reason": "Осмотр"}),
        ("planned-visits/", {"patient_id": ids["patient"], "target_from": "2020-01-01", "reason": "Осмотр"}),
        ("planned-visits/", {"patient_id": ids["patient"], "months": 3, "reason": "Осмотр", "speciality_id": 2**30}),
    ):
        answer = desk.post(path, body)
        assert answer.status_code == 422, (path, body, answer.text)
        assert answer.json["message"], body
    for path in ("waiting-entries/999999999", "waiting-entries/99999999999999", "planned-visits/999999999"):
        assert desk.get(path).status_code == 404
    for path in ("waiting-offers/99999999999/accept", "waiting-offers/999999999/decline"):
        assert desk.post(path).status_code == 404
    assert desk.get(f"schedule/fits?doctor_id={ids['doctor']}&starts_at={at(10)}&ends_at={at(9)}").status_code == 422
    assert desk.get("schedule/fits?doctor_id=x").status_code == 422


def test_a_planned_visit_over_json(desk: Any, ids: dict[str, int]) -> None:
    made = desk.post("planned-visits/", {"patient_id": ids["patient"], "months": 3, "reason": "Осмотр"})
    assert made.status_code == 201, made.text
    pk, version = made.json["id"], made.json["version"]
    assert desk.patch(f"planned-visits/{pk}", {"version": version, "minutes": 45}).json["minutes"] == 45
    assert desk.patch(f"planned-visits/{pk}", {"version": version, "minutes": 50}).status_code == 409
    later = (clock.today() + timedelta(days=30)).isoformat()
    assert desk.post(f"planned-visits/{pk}/postpone", {"call_on": later}).json["status"] == "postponed"
    wishes = desk.get(f"waiting-entries/of-patient/{ids['patient']}?doctor_id={ids['doctor']}&day={DAY}").json
    assert [row["id"] for row in wishes["planned"]] == [pk] and wishes["closes"]["planned"] == []
    booked = desk.post("appointments/", {
        "patient_id": ids["patient"], "doctor_id": ids["doctor"], "starts_at": at(14), "ends_at": at(14, 30),
        "planned_visit_id": pk,
    })  # fmt: skip
    assert booked.status_code == 201, booked.text
    assert desk.get(f"planned-visits/{pk}").json["appointment"]["id"] == booked.json["id"]
    strange = desk.post("appointments/", {
        "patient_id": ids["other"], "doctor_id": ids["doctor"], "starts_at": at(16), "ends_at": at(16, 30),
        "planned_visit_id": pk,
    })  # fmt: skip
    assert strange.status_code == 422


def test_outsiders_and_doctors(program: Any, app: Any, desk: Any, ids: dict[str, int]) -> None:
    made = entry(desk, ids)
    plan = desk.post("planned-visits/", {"patient_id": ids["patient"], "months": 3, "reason": "Осмотр"}).json
    outsider = app.test_client()
    assert outsider.get(f"/api/v1/waiting-entries/{made['id']}").status_code == 401
    assert outsider.get("/waiting/").status_code == 302
    doctor = program("doctor")
    assert doctor.get(f"waiting-entries/{made['id']}").status_code == 403
    assert doctor.get(f"planned-visits/{plan['id']}").status_code == 403, "somebody else's patient"
    assert doctor.post("planned-visits/", {"patient_id": ids["patient"], "months": 1, "reason": "x"}).status_code == 403
    assert doctor.post(f"planned-visits/{plan['id']}/close").status_code == 403


def test_the_pages_open_filter_and_forgive_nonsense(client_of: Any, desk: Any, ids: dict[str, int]) -> None:
    made = entry(desk, ids, urgency="acute")
    desk.post("planned-visits/", {"patient_id": ids["patient"], "months": 1, "reason": "Контроль <b>"})
    page = client_of("administrator")
    name = desk.get(f"patients/{ids['patient']}").json["card_number"]
    for path, text in (
        (f"/waiting/?doctor_id={ids['doctor']}&urgency=acute&kind=no_time&q={name}", "Острая боль"),
        (f"/waiting/{made['id']}/panel", "Подходящее"),
        (f"/waiting/form?entry={made['id']}", "Изменить пожелания"),
        (f"/waiting/form?patient={ids['patient']}", "В лист ожидания"),
        (f"/planned/?q={name}", "Контроль &lt;b&gt;"),
        (f"/planned/form?patient={ids['patient']}", "через 3 месяца"),
        (f"/waiting/patient/{ids['patient']}", "Контроль"),
        ("/waiting/?doctor_id=x&status=nonsense&page=-1", "Лист ожидания"),
        ("/planned/?from=2026-99-99&status=due", "Запланированные"),
        ("/waiting/rows?status=expired", "Срок вышел"),
    ):
        answer = page.get(path)
        assert answer.status_code == 200, path
        assert text in answer.text, path
    assert page.get("/waiting/999999/panel").status_code == 404
    assert page.get("/planned/form?planned=999999").status_code == 404


def test_nothing_of_it_is_there_when_the_module_is_off(client_of: Any, desk: Any, ids: dict[str, int]) -> None:
    from app.schedule import jobs

    made = entry(desk, ids, last_day=clock.today().isoformat())
    with transaction():
        session.get_one(ClinicSetting, 1).crm = False
    try:
        assert desk.get(f"waiting-entries/{made['id']}").status_code == 404
        page = client_of("administrator")
        assert page.get("/waiting/").status_code == 404
        day = page.get("/schedule/")
        assert day.status_code == 200 and "fits-panel" not in day.text
        with clock.at(datetime.combine(clock.today() + timedelta(days=3), time(9))):
            jobs.call_planned()
            jobs.end_offers()
    finally:
        with transaction():
            session.get_one(ClinicSetting, 1).crm = True
    assert desk.get(f"waiting-entries/{made['id']}").json["status"] == "waiting"
