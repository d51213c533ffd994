"""Undo, the shelf, series, restoring elsewhere, blocks that move and end: what the desk gets, what it is refused."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock
from app.billing import operations as billing
from app.db import session, transaction
from app.errors import NotFound, NotUndoable, OnShelf, SlotTaken, Stale, WrongStatus
from app.messages import operations as messages
from app.models import Appointment, CallTask, CancelReason, OutboxMessage, Role, ShelfItem, TimeBlock, User
from app.schedule import jobs, operations, queries
from app.schedule.rules.series import series_days
from app.tasks import operations as tasks
from app.vocab import MessageStatus, TaskReasonKind
from tests.conftest import Maker

DAY = clock.today() + timedelta(days=120)


def at(hour: int, minute: int = 0, day: Any = None) -> datetime:
    return datetime.combine(day or DAY, time(hour, minute))


def person(make: Maker, role: str = "senior") -> User:
    """Somebody who has done nothing yet."""
    name = f"u{datetime.now().timestamp()}".replace(".", "")
    roles = [session.scalars(select(Role).where(Role.name == role)).one()]
    user = User(username=name, first_name="Анна", last_name=name, email=f"{name}@example.ru", active=True, roles=roles)
    user.password = "-"
    row: User = make._save(user)
    return row


@pytest.fixture
def me(make: Maker) -> User:
    return person(make)


@pytest.fixture
def other(make: Maker) -> User:
    return person(make)


@pytest.fixture
def doctor(make: Maker) -> Any:
    row = make.doctor()
    make.hours(row, DAY)
    return row


@pytest.fixture
def reason(make: Maker) -> int:
    return int(make._save(CancelReason(name=f"Причина {datetime.now().timestamp()}")).id)


def do(operation: Any, *args: Any, **kwargs: Any) -> Any:
    with transaction():
        return operation(*args, **kwargs)


def book(make: Maker, doctor: Any, hour: int, actor: Any, patient: Any = None, **more: Any) -> Appointment:
    patient = patient or make.patient()
    visit: Appointment = do(operations.book, patient.id, doctor.id, at(hour), at(hour, 30), actor=actor, **more)
    return visit


def undo(actor: User) -> operations.Undone:
    undone: operations.Undone = do(operations.undo_last, actor=actor)
    return undone


def outbox(visit_id: int) -> dict[str, str]:
    asked = select(OutboxMessage.kind, OutboxMessage.status).where(
        OutboxMessage.appointment_id == visit_id, OutboxMessage.planned_time.is_not(None)
    )
    rows = session.execute(asked.where(OutboxMessage.kind != "reminder").order_by(OutboxMessage.id))
    return dict(tuple(row) for row in rows)


# --- undo -------------------------------------------------------------------------------------------------


def test_a_booking_that_was_undone_never_was(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    pk, patient_id = visit.id, visit.patient_id
    undone = undo(me)
    assert (undone.removed, undone.visits) == (True, (pk,))
    assert session.get(Appointment, pk) is None
    assert not session.scalars(select(OutboxMessage).where(OutboxMessage.patient_id == patient_id)).all()
    assert [row["what"] for row in queries.history(pk)] == ["appointment.booked", "appointment.taken_back"]
    assert book(make, doctor, 10, me).id != pk
    with pytest.raises(NotFound):
        do(operations.cancel, pk, 1, "patient", actor=me)


def test_moves_are_undone_one_after_another(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    for hour in (12, 14):
        do(operations.move, visit.id, visit.version, starts_at=at(hour), actor=me)
    assert visit.moves == 2
    undo(me)
    assert (visit.starts_at, visit.moves, visit.version) == (at(12), 1, 4)
    undo(me)
    assert (visit.starts_at, visit.moves, visit.version) == (at(10), 0, 5)
    assert undo(me).removed
    with pytest.raises(NotUndoable) as refused:
        undo(me)
    assert refused.value.facts["cause"] == "nothing"


def test_what_was_undone_is_not_undone_again(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    do(operations.move, visit.id, 1, starts_at=at(12), actor=me)
    [newest, _] = queries.last_actions(me.id)
    do(operations.undo_action, newest.id, actor=me)
    with pytest.raises(NotUndoable) as refused:
        do(operations.undo_action, newest.id, actor=me)
    assert refused.value.facts["cause"] == "undone"


def test_nobody_undoes_what_another_did(make: Maker, doctor: Any, me: User, other: User) -> None:
    visit = book(make, doctor, 10, me)
    with pytest.raises(NotFound):
        do(operations.undo_action, queries.last_actions(me.id)[0].id, actor=other)
    do(operations.move, visit.id, 1, starts_at=at(12), actor=other)
    with pytest.raises(NotUndoable) as refused:
        undo(me)
    assert refused.value.facts["cause"] == "changed"
    assert other.last_name in refused.value.words["who"]
    do(operations.undo_last, actor=other)
    assert undo(me).removed


def test_a_time_that_was_taken_meanwhile_is_not_taken_back(make: Maker, doctor: Any, me: User, other: User) -> None:
    visit = book(make, doctor, 10, me)
    do(operations.move, visit.id, 1, starts_at=at(12), actor=me)
    taker = book(make, doctor, 10, other)
    with pytest.raises(SlotTaken) as refused:
        undo(me)
    assert refused.value.facts["by"]["id"] == taker.id
    assert visit.starts_at == at(12)


def test_a_work_order_holds_a_visit_in_place(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    make.service()
    line = {"service_id": make.service().id, "quantity": 1}
    do(billing.create_work_order, visit.patient_id, doctor.id, [line], branch_id=1, appointment_id=visit.id, actor=me)
    with pytest.raises(NotUndoable) as refused:
        undo(me)
    assert refused.value.facts["cause"] == "work_order"


def test_who_was_written_to_is_not_forgotten(make: Maker, doctor: Any, me: User) -> None:
    messages.add_first_templates()
    session.commit()
    visit = book(make, doctor, 10, me)
    [message] = session.scalars(
        select(OutboxMessage).where(OutboxMessage.appointment_id == visit.id, OutboxMessage.kind == "booked")
    )
    with transaction(), clock.at(datetime.combine(DAY - timedelta(days=1), time(12))):  # nobody is written to at night
        claim = messages.claim(message.id, timedelta(minutes=1))
        assert claim is not None
        messages.mark_sent(claim)
    with pytest.raises(NotUndoable) as refused:
        undo(me)
    assert refused.value.facts["cause"] == "message"
    do(operations.move, visit.id, visit.version, starts_at=at(12), actor=me)
    assert outbox(visit.id)["moved"] == MessageStatus.PENDING
    undo(me)
    assert outbox(visit.id) == {"booked": MessageStatus.SENT, "moved": MessageStatus.CANCELLED}


def test_a_cancellation_that_was_undone_is_not_told(make: Maker, doctor: Any, me: User, reason: int) -> None:
    messages.add_first_templates()
    session.commit()
    visit = book(make, doctor, 10, me)
    do(operations.confirm, visit.id, actor=me)
    do(operations.cancel, visit.id, reason, "patient", "передумал", actor=me)
    undo(me)
    assert (visit.status, visit.confirmation, visit.cancel_comment) == ("booked", "confirmed", "")
    assert visit.cancelled_at is None
    assert outbox(visit.id) == {"booked": MessageStatus.PENDING}
    undo(me)
    assert visit.confirmation == "not_notified"


def test_a_call_that_a_booking_settled_is_to_be_made_again(make: Maker, doctor: Any, me: User) -> None:
    patient = make.patient()
    do(tasks.ask, patient.id, TaskReasonKind.NO_SHOW, due_on=clock.today(), actor=None)
    open_tasks = select(func.count()).select_from(CallTask)
    open_tasks = open_tasks.where(CallTask.patient_id == patient.id, CallTask.status == "open")
    book(make, doctor, 10, me, patient)
    assert session.scalar(open_tasks) == 0
    undo(me)
    assert session.scalar(open_tasks) == 1


def test_steps_are_undone_on_their_day_only(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    with clock.at(at(10)):
        do(operations.arrive, visit.id, actor=me)
        do(operations.start, visit.id, actor=me)
        undo(me)
        assert visit.status == "arrived"
    with clock.at(at(10) + timedelta(days=1)), pytest.raises(NotUndoable) as refused:
        undo(me)
    assert refused.value.facts["cause"] == "day_over"


def test_only_the_last_twenty(make: Maker, doctor: Any, me: User) -> None:
    first = book(make, doctor, 8, me)
    [booking] = queries.last_actions(me.id)
    visit = book(make, doctor, 10, me)
    for n in range(20):
        do(operations.move, visit.id, visit.version, comment=f"слово {n}", actor=me)
    assert len(queries.last_actions(me.id)) == 20
    with pytest.raises(NotUndoable) as refused:
        do(operations.undo_action, booking.id, actor=me)
    assert refused.value.facts["cause"] == "old"
    assert session.get(Appointment, first.id) is not None


# --- closed and held time ---------------------------------------------------------------------------------


def block(doctor: Any, hour: int, actor: Any, **more: Any) -> TimeBlock:
    row: TimeBlock = do(
        operations.block_time, "hold", at(hour), at(hour + 1), "Для Петровой", doctor_id=doctor.id, actor=actor, **more
    )
    return row


def test_a_hold_that_ended_counts_nowhere(make: Maker, doctor: Any, me: User) -> None:
    held = block(doctor, 10, me, expires_at=clock.now() + timedelta(minutes=15))
    with pytest.raises(SlotTaken):
        book(make, doctor, 10, me)
    before = queries.day_sheet(DAY, doctor_id=doctor.id)
    assert [row["id"] for row in before.blocks] == [held.id]
    with clock.at(clock.wall_now() + timedelta(minutes=16)):
        after = queries.day_sheet(DAY, doctor_id=doctor.id)
        assert after.blocks == [] and after.version != before.version
        found = queries.free_slots(720, first=DAY, days=1, doctor_id=doctor.id)
        assert [row["starts_at"] for row in found] == [f"{DAY}T08:00"]
        with pytest.raises(NotFound):
            do(operations.change_block, held.id, held.version, starts_at=at(12), actor=me)
        with pytest.raises(NotUndoable):
            do(operations.lift_block, held.id, actor=me)
            undo(me)
        session.rollback()
        assert book(make, doctor, 10, me).id


def test_the_job_writes_down_that_a_hold_ended(make: Maker, doctor: Any, me: User) -> None:
    held = block(doctor, 10, me, expires_at=clock.now() + timedelta(minutes=15))
    jobs.lift_ended_holds()
    assert held.lifted_at is None
    with clock.at(clock.wall_now() + timedelta(minutes=16)):
        jobs.lift_ended_holds()
        jobs.lift_ended_holds()
    session.refresh(held)
    assert held.lifted_at == held.expires_at


def test_a_block_is_moved_and_saved_over_nobody(make: Maker, doctor: Any, me: User) -> None:
    closed = block(doctor, 10, me)
    visit = book(make, doctor, 14, me)
    do(operations.change_block, closed.id, 1, starts_at=at(12), actor=me)
    assert (closed.starts_at, closed.ends_at, closed.version) == (at(12), at(13), 2)
    with pytest.raises(Stale) as stale:
        do(operations.change_block, closed.id, 1, starts_at=at(16), actor=me)
    assert stale.value.facts["current"]["starts_at"] == at(12)
    with pytest.raises(SlotTaken) as refused:
        do(operations.change_block, closed.id, 2, ends_at=at(14, 15), actor=me)
    assert refused.value.facts["by"]["id"] == visit.id
    do(operations.change_block, closed.id, 2, starts_at=at(12), ends_at=at(14), actor=me)
    assert closed.ends_at == at(14)
    for wanted in (at(13), at(11)):
        undo(me)
        if wanted == at(13):
            assert closed.ends_at == wanted
            do(operations.lift_block, closed.id, actor=me)
            undo(me)
            assert closed.lifted_at is None


# --- restoring --------------------------------------------------------------------------------------------


def test_a_cancelled_visit_whose_time_is_taken_comes_back_elsewhere(
    make: Maker, doctor: Any, me: User, reason: int
) -> None:
    patient = make.patient()
    visit = book(make, doctor, 10, me, patient)
    do(operations.cancel, visit.id, reason, "patient", actor=me)
    book(make, doctor, 10, me)
    busy = make.doctor()
    make.hours(busy, DAY)
    do(operations.book, patient.id, busy.id, at(9, 30), at(10), actor=me)
    with pytest.raises(SlotTaken) as refused:
        do(operations.restore, visit.id, actor=me)
    offered = [row["starts_at"][11:] for row in refused.value.facts["free"]]
    assert offered == ["08:30", "09:00", "10:30", "11:00", "11:30"]
    do(operations.restore, visit.id, starts_at=at(10, 30), actor=me)
    assert (visit.status, visit.starts_at, visit.ends_at, visit.moves) == ("booked", at(10, 30), at(11), 1)
    row = queries.history(visit.id)[-1]
    assert (row["what"], row["from"]["starts_at"], row["to"]["starts_at"]) == (
        "appointment.restored", f"{DAY}T10:00", f"{DAY}T10:30",
    )  # fmt: skip
    undo(me)
    assert (visit.status, visit.starts_at, visit.moves) == ("cancelled", at(10), 0)


# --- the shelf ---------------------------------------------------------------------------------------------


def on_shelf(visit: Appointment) -> bool:
    return session.scalar(select(func.count()).where(ShelfItem.appointment_id == visit.id)) == 1


def test_a_visit_on_the_shelf_keeps_its_place(make: Maker, doctor: Any, me: User, other: User) -> None:
    visit = book(make, doctor, 10, me)
    before = queries.day_sheet(DAY, doctor_id=doctor.id).version
    for _ in range(2):
        do(operations.put_on_shelf, visit.id, actor=me)
    assert [row["id"] for row in queries.shelf_of(me.id)] == [visit.id]
    sheet = queries.day_sheet(DAY, doctor_id=doctor.id)
    assert sheet.version != before
    assert sheet.appointments[0]["shelf"] == {"user_id": me.id, "who": f"{me.last_name} А."}
    with pytest.raises(SlotTaken):
        book(make, doctor, 10, me)
    with pytest.raises(OnShelf) as refused:
        do(operations.put_on_shelf, visit.id, actor=other)
    assert refused.value.words["who"] == f"{me.last_name} А."
    do(operations.take_off_shelf, visit.id, actor=other)
    assert on_shelf(visit)
    do(operations.take_off_shelf, visit.id, actor=me)
    assert not on_shelf(visit)


def test_a_visit_leaves_the_shelf_by_itself(make: Maker, doctor: Any, me: User, other: User, reason: int) -> None:
    leaves: list[Any] = [
        lambda visit: do(operations.move, visit.id, visit.version, starts_at=at(18), actor=other),
        lambda visit: do(operations.cancel, visit.id, reason, "clinic", actor=other),
        lambda visit: do(operations.arrive, visit.id, actor=other),
    ]
    for n, leave in enumerate(leaves):
        visit = book(make, doctor, 8 + n, me)
        do(operations.put_on_shelf, visit.id, actor=me)
        do(operations.move, visit.id, visit.version, comment="позвонить", actor=other)
        assert on_shelf(visit)
        leave(visit)
        assert not on_shelf(visit)
    with pytest.raises(WrongStatus):
        visit = book(make, doctor, 12, me)
        do(operations.cancel, visit.id, reason, "clinic", actor=other)
        do(operations.put_on_shelf, visit.id, actor=me)


# --- series -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "every", "weekdays", "times", "days"),
    [
        ("days", 10, (), 3, ["03-11", "03-21", "03-31"]),
        ("weeks", 1, (), 3, ["03-08", "03-15", "03-22"]),
        ("weeks", 2, (1, 7), 4, ["03-09", "03-15", "03-23", "03-29"]),
        ("weeks", 1, (7, 2, 4), 4, ["03-03", "03-05", "03-08", "03-10"]),
    ],
)
def test_the_days_of_a_series(unit: str, every: int, weekdays: tuple[int, ...], times: int, days: list[str]) -> None:
    # 2026-03-01 is a Sunday: the first week of a series is the one that it ends.
    first = date(2026, 3, 1)
    assert [f"{day:%m-%d}" for day in series_days(first, unit, every, weekdays, times)] == days


def test_a_series_says_what_it_would_meet(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me)
    for week in (1, 2):
        make.hours(doctor, DAY + timedelta(weeks=week))
    taken_by = make.patient("Занятова")
    day = DAY + timedelta(weeks=1)
    do(operations.book, taken_by.id, doctor.id, at(10, 0, day), at(10, 40, day), actor=me)
    rows = operations.preview_series(visit.id, "weeks", 1, (), 3, actor=me)
    assert [row["starts_at"] for row in rows] == [f"{DAY + timedelta(weeks=n)}T10:00" for n in (1, 2, 3)]
    assert [row["refusal"] and row["refusal"].code for row in rows] == ["slot_taken", None, "outside_hours"]
    assert rows[0]["instead"]["starts_at"] in (f"{day}T10:40", f"{day}T09:30")
    assert rows[2]["instead"] is None


def test_a_series_is_booked_wholly_or_not_at_all(make: Maker, doctor: Any, me: User) -> None:
    visit = book(make, doctor, 10, me, comment="швы")
    days = [DAY + timedelta(weeks=n) for n in (1, 2, 3)]
    for day in days:
        make.hours(doctor, day)
    in_the_way = make.patient()
    do(operations.book, in_the_way.id, doctor.id, at(10, 0, days[1]), at(11, 0, days[1]), actor=None)
    slots = [{"starts_at": at(10, 0, day)} for day in days]
    with pytest.raises(SlotTaken) as refused:
        do(operations.book_series, visit.id, slots, actor=me)
    assert refused.value.facts["at"] == f"{days[1]}T10:00"
    session.refresh(visit)
    assert visit.series_id is None
    slots[1] = {"starts_at": at(11, 0, days[1])}
    made = do(operations.book_series, visit.id, slots, actor=me)
    assert {copy.series_id for copy in made} == {visit.series_id}
    assert [copy.comment for copy in made] == ["швы"] * 3
    assert len(queries.series_of(visit.series_id)) == 4
    do(operations.move, made[0].id, 1, starts_at=at(15, 0, days[0]), actor=me)
    assert [copy.starts_at for copy in made[1:]] == [at(11, 0, days[1]), at(10, 0, days[2])]


def test_a_series_is_one_action(make: Maker, doctor: Any, me: User, other: User) -> None:
    visit = book(make, doctor, 10, me)
    days = [DAY + timedelta(weeks=n) for n in (1, 2, 3, 4)]
    for day in days:
        make.hours(doctor, day)
    for half in (days[:2], days[2:]):
        do(operations.book_series, visit.id, [{"starts_at": at(10, 0, day)} for day in half], actor=me)
    second, first, _ = queries.last_actions(me.id)
    assert (len(first.deeds), len(second.deeds)) == (2, 2)
    moved = session.get_one(Appointment, second.visits[0])
    do(operations.move, moved.id, 1, starts_at=at(12, 0, moved.starts_at.date()), actor=other)
    with pytest.raises(NotUndoable):
        do(operations.undo_action, second.id, actor=me)
    assert len(queries.series_of(visit.series_id)) == 5
    do(operations.undo_last, actor=other)
    for action in (second, first):
        do(operations.undo_action, action.id, actor=me)
    session.refresh(visit)
    assert visit.series_id is None
    assert visit.status == "booked"


def test_a_series_tells_the_patient_once(make: Maker, doctor: Any, me: User) -> None:
    messages.add_first_templates()
    session.commit()
    visit = book(make, doctor, 10, me)
    days = [DAY + timedelta(weeks=n) for n in (1, 2, 3)]
    for day in days:
        make.hours(doctor, day)
    made = do(operations.book_series, visit.id, [{"starts_at": at(10, 0, day)} for day in days], actor=me)
    assert [set(outbox(copy.id)) for copy in made] == [{"booked"}, set(), set()]
