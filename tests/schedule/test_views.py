"""The week, the month and the saved views of the schedule over JSON, as each person may ask for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import clock
from app.db import transaction
from app.errors import Invalid, NotFound
from app.schedule import operations, queries

DAY = clock.today() + timedelta(days=50)
LOOK = {"branch_id": None, "view": "week", "by": "chair", "doctors": [1, 2], "colours": "doctor", "cancelled": True}


@pytest.fixture
def desk(program: Any) -> Any:
    return program("administrator")


@pytest.mark.parametrize("path", ["week", "month"])
def test_what_has_not_changed_is_not_sent_twice(desk: Any, make: Any, path: str) -> None:
    doctor = make.doctor()
    address = f"schedule/{path}?day={DAY}&doctor_id={doctor.id}"
    first = desk.get(address)
    assert first.status_code == 200, first.text
    tag = first.headers["ETag"]
    again = desk.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    make.hours(doctor, DAY)
    changed = desk.get(address, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag and "X-Wall-Clock" in changed.headers


def test_the_week_as_a_program_reads_it(desk: Any, make: Any) -> None:
    doctor, monday = make.doctor(), DAY - timedelta(days=DAY.weekday())
    visit = make.appointment(
        make.patient(), doctor, datetime.combine(monday, datetime.min.time()) + timedelta(hours=10)
    )
    week = desk.get(f"schedule/week?day={DAY}&doctor_id={doctor.id}").json
    assert set(week) >= {"day", "days", "doctor_id", "version", "columns", "hours", "blocks", "appointments"}
    assert (week["day"], week["days"][0], week["days"][-1]) == (
        monday.isoformat(), monday.isoformat(), (monday + timedelta(days=6)).isoformat(),
    )  # fmt: skip
    assert [row["id"] for row in week["appointments"]] == [visit.id]


def test_the_month_as_a_program_reads_it(desk: Any, make: Any) -> None:
    doctor = make.doctor()
    make.hours(doctor, DAY)
    month = desk.get(f"schedule/month?day={DAY}&doctor_id={doctor.id}").json
    assert month["month"] == f"{DAY:%Y-%m}"
    row = next(row for row in month["days"] if row["day"] == DAY.isoformat())
    assert row == {
        "day": DAY.isoformat(),
        "doctors": 1,
        "hours": 720,
        "booked": 0,
        "closed": 0,
        "holiday": row["holiday"],  # what day that is depends on today
        "free": 720,
        "visits": 0,
    }


def test_a_doctor_sees_the_own_week_and_month_only(program: Any, make: Any) -> None:
    from app.models import Employee

    me = make.user("doctor")
    from app.db import session

    own = session.query(Employee).filter_by(user_id=me.id).one().id
    other = make.doctor()
    make.hours(other, DAY)
    doctor = program("doctor")
    for path in ("week", "month"):
        assert doctor.get(f"schedule/{path}?day={DAY}&doctor_id={other.id}").status_code == 403
        assert doctor.get(f"schedule/{path}?day={DAY}&doctor_id={own}").status_code == 200
    assert doctor.get(f"schedule/week?day={DAY}").json["doctor_id"] == own
    assert sum(row["doctors"] for row in doctor.get(f"schedule/month?day={DAY}").json["days"]) == 0
    assert program("sysadmin").get("schedule/month").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("week", 422), ("week?doctor_id=999999", 404), ("week?doctor_id=0", 422), ("week?doctor_id=1&day=x", 422),
        ("month?doctor_id=999999", 404), ("month?branch_id=999999", 404), ("month?day=2026-13-01", 422),
        ("month?day=9999-12-31", 422), ("month?day=2200-12-31", 200), ("month?day=1900-01-01", 200), ("month?x=1", 422),
    ],
)  # fmt: skip
def test_nonsense_is_answered(desk: Any, path: str, status: int) -> None:
    assert desk.get(f"schedule/{path}").status_code == status


# --- saved views --------------------------------------------------------------------------------------------


@pytest.fixture
def mine(program: Any) -> Any:
    """A program whose account has no views yet."""
    found = program("senior")
    for view in found.get("schedule/views/").json["result"]:
        assert found.client.delete(f"/api/v1/schedule/views/{view['id']}", headers=found.headers).status_code == 200
    return found


def views(of: Any) -> list[Any]:
    return [(view["name"], view["last"]) for view in of.get("schedule/views/").json["result"]]


def test_a_view_is_saved_used_renamed_and_forgotten(mine: Any) -> None:
    first = mine.post("schedule/views/", {"name": " Утро ", "settings": LOOK})
    assert first.status_code == 201, first.text
    assert first.json == {"id": first.json["id"], "name": "Утро", "settings": LOOK, "last": True}
    second = mine.post("schedule/views/", {"name": "Вечер", "settings": {}})
    assert second.json["settings"]["by"] == "doctor" and second.json["settings"]["doctors"] == []
    assert views(mine) == [("Утро", False), ("Вечер", True)]
    assert mine.post("schedule/views/last", {"view_id": first.json["id"]}).status_code == 200
    assert views(mine) == [("Утро", True), ("Вечер", False)]
    renamed = mine.patch(f"schedule/views/{second.json['id']}", {"name": "Ночь", "settings": LOOK})
    assert (renamed.json["name"], renamed.json["settings"]) == ("Ночь", LOOK)
    assert mine.post("schedule/views/last", {"view_id": None}).status_code == 200
    assert views(mine) == [("Утро", False), ("Ночь", False)]
    address = f"/api/v1/schedule/views/{first.json['id']}"
    assert mine.client.delete(address, headers=mine.headers).status_code == 200
    assert mine.client.delete(address, headers=mine.headers).status_code == 404
    assert views(mine) == [("Ночь", False)]


def test_a_name_is_there_once_for_a_person(mine: Any, program: Any) -> None:
    first = mine.post("schedule/views/", {"name": "Утро", "settings": {}}).json
    second = mine.post("schedule/views/", {"name": "Вечер", "settings": {}}).json
    assert mine.post("schedule/views/", {"name": "Утро", "settings": {}}).status_code == 409
    assert mine.patch(f"schedule/views/{second['id']}", {"name": "Утро"}).status_code == 409
    assert mine.patch(f"schedule/views/{first['id']}", {"name": "Утро"}).status_code == 200
    other = program("administrator2").post("schedule/views/", {"name": f"Утро {first['id']}", "settings": {}})
    assert other.status_code == 201
    for answer in (
        mine.patch(f"schedule/views/{other.json['id']}", {"name": "Чужой"}),
        mine.client.delete(f"/api/v1/schedule/views/{other.json['id']}", headers=mine.headers),
        mine.post("schedule/views/last", {"view_id": other.json["id"]}),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "", "settings": {}}, 422), ({"name": "x" * 61, "settings": {}}, 422), ({"name": "x"}, 422),
        ({"name": "x", "settings": {"by": "moon"}}, 422), ({"name": "x", "settings": {"doctors": "1"}}, 422),
        ({"name": "x", "settings": {"doctors": [0]}}, 422), ({"name": "x", "settings": {"doctors": [1] * 300}}, 422),
        ({"name": "x", "settings": {"branch_id": 999999}}, 404), ({"name": "x", "settings": {"colour": 1}}, 422),
    ],
)  # fmt: skip
def test_nonsense_is_not_saved(mine: Any, body: Any, status: int) -> None:
    assert mine.post("schedule/views/", body).status_code == status
    assert views(mine) == []


def test_there_is_an_end_to_views(make: Any) -> None:
    actor = make.user("director")
    with transaction():
        for view in queries.saved_views(actor.id):
            operations.remove_view(view["id"], actor=actor)
        for n in range(30):
            operations.save_view(f"Вид {n}", {}, actor=actor)
    with pytest.raises(Invalid), transaction():
        operations.save_view("Ещё один", {}, actor=actor)
    with transaction():
        for view in queries.saved_views(actor.id):
            operations.remove_view(view["id"], actor=actor)
    with pytest.raises(NotFound), transaction():
        operations.use_view(2**31 - 1, actor=actor)


def test_the_page_opens_as_it_was_used_last(client_of: Any, mine: Any) -> None:
    """The saved views are on the page, the last one marked; an address that says how to look goes first."""
    import json
    import re

    mine.post("schedule/views/", {"name": "Неделя", "settings": LOOK})
    client = client_of("senior")

    def settings(address: str) -> Any:
        page = client.get(address).text
        return json.loads(re.search(r'id="schedule-settings">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]

    plain = settings("/schedule/")
    assert [(view["name"], view["last"]) for view in plain["views"]] == [("Неделя", True)]
    assert (plain["asked"], plain["view"], plain["own"]) == (False, "day", False)
    asked = settings("/schedule/?view=week&doctor=7&day=2026-11-23")
    assert (asked["asked"], asked["view"], asked["doctor_id"], asked["day"]) == (True, "week", 7, "2026-11-23")
    assert settings("/schedule/?view=year&doctor=-1&day=x")["view"] == "day"
