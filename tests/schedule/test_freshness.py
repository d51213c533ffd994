"""A screen asks whether anything is new: whatever it shows must change the answer, and nothing else costs anything."""

from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.db import session, transaction
from app.models import CancelReason
from tests.conftest import counted_statements

DAY = clock.today() + timedelta(days=90)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(DAY, time(hour, minute))


@pytest.fixture
def room(make: Any) -> SimpleNamespace:
    """A branch with one visit that has everything a visit may have."""
    branch, doctor, service = make.branch(), make.doctor(), make.service()
    make.hours(doctor, DAY, branch_id=branch.id)
    patient = make.patient()
    visit = make.appointment(patient, doctor, at(10), branch_id=branch.id, service_id=service.id)
    reason = make._save(CancelReason(name=f"Причина {visit.id}"))
    return SimpleNamespace(
        branch=branch.id, chair=branch.chair_id, doctor=doctor.id, service=service.id, patient=patient.id,
        visit=visit.id, reason=reason.id, other=make.doctor().id, user=make.user("senior").id,
        morning=at(9), noon=at(12),
    )  # fmt: skip


@pytest.fixture
def poll(program: Any, room: SimpleNamespace) -> Any:
    """Ask for the day with the tag that was told last; gives the status and keeps the new tag."""
    desk, told = program("administrator"), {"tag": ""}

    def ask() -> int:
        answer = desk.get(f"schedule/day?day={DAY}&branch_id={room.branch}", headers={"If-None-Match": told["tag"]})
        told["tag"] = answer.headers["ETag"]
        return int(answer.status_code)

    assert (ask(), ask()) == (200, 304)
    return ask


def write(statement: str, room: SimpleNamespace) -> None:
    values = {name: value for name, value in vars(room).items() if f":{name}" in statement}
    with transaction():
        session.execute(text(statement), values)


OF_THE_VISIT = {
    "version": "7", "chair_id": ":chair", "service_id": "NULL", "doctor_id": ":other", "starts_at": ":morning",
    "ends_at": ":noon", "status": "'arrived'", "confirmation": "'confirmed'", "first_visit": "NOT first_visit",
    "comment": "'с дочкой'", "outside_hours_reason": "'просил'", "moves": "3", "arrived_at": "now()",
    "started_at": "now()", "completed_at": "now()", "cancelled_at": "now()", "cancelled_by": "'clinic'",
    "cancel_reason_id": ":reason", "cancel_comment": "'заболел'", "late_cancel": "true", "series_id": "5",
}  # fmt: skip
SHOWN = {
    **{name: f"UPDATE appointment SET {name} = {value} WHERE id = :visit" for name, value in OF_THE_VISIT.items()},
    "overbooked": "UPDATE appointment SET overbooked = true, overbook_reason = 'боль' WHERE id = :visit",
    "another visit": "INSERT INTO appointment (patient_id, doctor_id, branch_id, starts_at, ends_at, status,"
    " confirmation, first_visit, overbooked)"
    " VALUES (:patient, :doctor, :branch, :noon, :noon + interval '30 minutes', 'booked',"
    " 'not_notified', false, false)",
    "surname": "UPDATE patient SET surname = 'Другая' WHERE id = :patient",
    "name": "UPDATE patient SET name = 'Пётр' WHERE id = :patient",
    "patronymic": "UPDATE patient SET patronymic = '' WHERE id = :patient",
    "card": "UPDATE patient SET status = 'draft' WHERE id = :patient",
    "allergy": "UPDATE patient SET allergy = 'лидокаин' WHERE id = :patient",
    "phone": "UPDATE patient_phone SET number = '+7000' || lpad(:patient::text, 7, '0') WHERE patient_id = :patient",
    "service's name": "UPDATE service SET name = name || ' с анестезией' WHERE id = :service",
    "doctor's name": "UPDATE employee SET surname = 'Новая' WHERE id = :doctor",
    "chair's name": "UPDATE chair SET name = 'У окна' WHERE id = :chair",
    "no chair": "UPDATE chair SET archived = true WHERE id = :chair",
    "hours": "UPDATE working_hours SET ends_at = :noon WHERE doctor_id = :doctor",
    "no hours": "DELETE FROM working_hours WHERE doctor_id = :doctor",
    "block": "INSERT INTO time_block (kind, branch_id, doctor_id, starts_at, ends_at, reason)"
    " VALUES ('block', :branch, :doctor, :noon, :noon + interval '1 hour', 'обход')",
    "shelf": "INSERT INTO shelf_item (appointment_id, user_id, put_at) VALUES (:visit, :user, now())",
}


@pytest.mark.parametrize("what", SHOWN)
def test_whatever_is_shown_changes_the_version(what: str, poll: Any, room: SimpleNamespace) -> None:
    write(SHOWN[what].replace(":patient::text", "CAST(:patient AS text)"), room)
    assert (poll(), poll()) == (200, 304)


def test_an_unpaid_bill_and_the_balance_change_the_version(poll: Any, room: SimpleNamespace, make: Any) -> None:
    from app.billing import operations

    with transaction():
        order = operations.create_work_order(
            room.patient, room.doctor, [{"service_id": room.service, "quantity": 1}], appointment_id=room.visit,
            branch_id=room.branch, actor=make.user("director"),
        )  # fmt: skip
        operations.issue(order.id, actor=make.user("director"))
    assert (poll(), poll()) == (200, 304)


def test_what_a_block_says_and_its_end_change_the_version(poll: Any, room: SimpleNamespace) -> None:
    write(SHOWN["block"], room)
    assert poll() == 200
    for change in ("reason = 'планёрка'", "kind = 'hold'", "version = 2", "expires_at = now() + interval '1 hour'",
                   "ends_at = ends_at + interval '5 minutes'", "lifted_at = now()"):  # fmt: skip
        write(f"UPDATE time_block SET {change} WHERE branch_id = :branch", room)
        assert (change, poll(), poll()) == (change, 200, 304)


def test_a_hold_that_ends_by_itself_changes_the_version_though_nobody_wrote(poll: Any, room: SimpleNamespace) -> None:
    write(SHOWN["block"], room)
    write(
        "UPDATE time_block SET kind = 'hold', expires_at = now() + interval '10 minutes' WHERE branch_id = :branch",
        room,
    )
    assert (poll(), poll()) == (200, 304)
    with clock.at(clock.now() + timedelta(minutes=11)):
        assert (poll(), poll()) == (200, 304)
    assert poll() == 200  # a clock that is set back shows it again


def test_a_poll_reads_the_account_and_nothing_else(app: Any, poll: Any, room: SimpleNamespace) -> None:
    with counted_statements(app) as seen:
        assert poll() == 304
    assert len(seen) == 1 and "ab_user" in seen[0]
    write("UPDATE employee SET surname = 'Чужая' WHERE id = :other", room)  # somebody committed something: look again
    with counted_statements(app) as seen:
        assert poll() == 304
    assert len(seen) == 3


def test_what_has_not_been_committed_is_not_told(app: Any, poll: Any, room: SimpleNamespace) -> None:
    """Nor is it forgotten that it was not: a poll in the middle of a change must not hide it afterwards."""
    from app.db import db

    with db.engine.connect() as connection:
        connection.execute(text("UPDATE patient SET surname = 'Ещё одна' WHERE id = :id"), {"id": room.patient})
        assert (poll(), poll()) == (304, 304)
        connection.commit()
    assert (poll(), poll()) == (200, 304)


def test_a_poll_of_an_account_that_lost_the_right_is_refused(program: Any, make: Any, room: SimpleNamespace) -> None:
    from app import access

    desk, path = program("senior"), f"schedule/day?day={DAY}&branch_id={room.branch}"
    tag = {"If-None-Match": desk.get(path).headers["ETag"]}
    assert desk.get(path, headers=tag).status_code == 304
    senior, director = make.user("senior"), make.user("director")
    with transaction():
        access.change_right(senior, "payment.see", allowed=False, reason="Проверка", actor=director)
    without = desk.get(path, headers=tag)
    assert (without.status_code, without.json["appointments"][0]["patient"]["balance"]) == (200, None)
    with transaction():
        access.change_right(senior, "payment.see", allowed=None, reason="Проверка", actor=director)
    assert desk.get(path, headers=tag).status_code == 304
    with transaction():
        session.execute(text("UPDATE ab_user SET active = false WHERE username = 'senior'"))
    try:
        assert desk.get(path, headers=tag).status_code == 401
    finally:
        with transaction():
            session.execute(text("UPDATE ab_user SET active = true WHERE username = 'senior'"))
