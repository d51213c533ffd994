"""Two users play at random in the schedule, then undo everything: the schedule is as it was before they came.

After each undo the whole state of visits and closed time is compared with the one remembered before that action.
RANDOM_DAYS=300 plays longer than a commit wants to wait.
"""

import os
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from app import clock
from app.db import session, transaction
from app.errors import NotUndoable, Refusal
from app.models import Appointment, CancelReason, Employee, OutboxMessage, Role, TimeBlock, User
from app.schedule import operations, queries
from tests.conftest import Maker, copied

DAY = date(2026, 3, 3)
NOW = datetime.combine(DAY, time(9))
NUMBERS = st.integers(0, 40)
#: Few quarters of an hour and few lengths, so that everybody is often in everybody's way.
STARTS = st.integers(0, 7)
LENGTHS = st.sampled_from([15, 30, 45])
WHO = st.integers(0, 1)
#: Not compared: the version only grows.
BESIDES = ("version", "created_at")


def state_of(doctors: list[int]) -> dict[str, Any]:
    """All that stands in the schedule of these doctors."""

    def rows(model: Any, *conditions: Any) -> dict[int, Any]:
        found = session.scalars(select(model).where(model.doctor_id.in_(doctors), *conditions))
        columns = [column.name for column in model.__table__.columns if column.name not in BESIDES]
        return {row.id: {name: getattr(row, name) for name in columns} for row in found}

    return {"visits": rows(Appointment), "blocks": rows(TimeBlock, TimeBlock.lifted_at.is_(None))}


class Desk(RuleBasedStateMachine):
    """Two doctors, three patients, two people at the desk."""

    @initialize()
    def open_the_day(self) -> None:
        make = Maker()
        self.doctors = [make.doctor().id for _ in range(2)]
        self.chairs = [make.chair().id, None]
        self.patients = [make.patient().id for _ in range(3)]
        self.reason = make._save(CancelReason(name=f"Причина {uuid4().hex[:8]}")).id
        for doctor in self.doctors:
            make.hours(session.get_one(Employee, doctor), DAY)
        role = session.query(Role).filter_by(name="senior").one()
        names = [uuid4().hex[:12] for _ in range(2)]
        make._save(*(
            User(username=name, first_name="И", last_name=name, email=f"{name}@example.ru", active=True, password="-",
                 roles=[role])
            for name in names
        ))  # fmt: skip
        self.names = names
        self.moment = NOW
        self.first = self.state()
        #: user → what stood before each of the actions that can still be undone, as (deed, state)
        self.done: list[tuple[int, str, dict[str, Any]]] = []

    def state(self) -> dict[str, Any]:
        session.expire_all()
        return state_of(self.doctors)

    def user(self, who: int) -> User:
        return session.query(User).filter_by(username=self.names[who]).one()

    def play(self, who: int, operation: Any, *args: Any, **kwargs: Any) -> None:
        self.moment += timedelta(seconds=20)
        before = self.state()
        with clock.at(self.moment):
            try:
                with transaction():
                    operation(*args, **kwargs, actor=self.user(who))
            except Refusal:
                return
        if self.state() != before:
            self.done.append((who, operation.__name__, before))

    def visit(self, n: int) -> Any:
        found = session.query(Appointment).filter(Appointment.doctor_id.in_(self.doctors)).order_by("id").all()
        return found[n % len(found)] if found else None

    def block(self, n: int) -> Any:
        found = session.query(TimeBlock).filter(TimeBlock.doctor_id.in_(self.doctors)).order_by("id").all()
        return found[n % len(found)] if found else None

    @staticmethod
    def slot(start: int, length: int) -> tuple[datetime, datetime]:
        begin = NOW + timedelta(hours=1, minutes=15 * start)
        return begin, begin + timedelta(minutes=length)

    @rule(who=WHO, n=NUMBERS, start=STARTS, length=LENGTHS, over=st.sampled_from(["", "боль"]))
    def book(self, who: int, n: int, start: int, length: int, over: str) -> None:
        self.play(
            who, operations.book, self.patients[n % 3], self.doctors[n % 2], *self.slot(start, length),
            chair_id=self.chairs[n // 3 % 2], overbook_reason=over,
        )  # fmt: skip

    @rule(who=WHO, n=NUMBERS, start=STARTS, length=LENGTHS, over=st.sampled_from(["", "очень надо"]))
    def move(self, who: int, n: int, start: int, length: int, over: str) -> None:
        if visit := self.visit(n):
            begin, end = self.slot(start, length)
            self.play(
                who, operations.move, visit.id, visit.version, starts_at=begin, ends_at=end,
                doctor_id=self.doctors[n % 2], comment=f"слово {n}" if n % 4 == 0 else None, overbook_reason=over,
            )  # fmt: skip

    @rule(who=WHO, n=NUMBERS)
    def cancel(self, who: int, n: int) -> None:
        if visit := self.visit(n):
            self.play(who, operations.cancel, visit.id, self.reason, "patient", "передумал")

    @rule(who=WHO, n=NUMBERS, start=STARTS)
    def restore(self, who: int, n: int, start: int) -> None:
        if visit := self.visit(n):
            place = {"starts_at": self.slot(start, 30)[0]} if n % 2 else {}
            self.play(who, operations.restore, visit.id, **place)

    @rule(who=WHO, n=NUMBERS, step=st.sampled_from(["arrive", "start", "complete", "no_show", "undo", "confirm"]))
    def step(self, who: int, n: int, step: str) -> None:
        if visit := self.visit(n):
            self.play(who, getattr(operations, step), visit.id)

    @rule(who=WHO, n=NUMBERS, start=STARTS, length=LENGTHS)
    def block_time(self, who: int, n: int, start: int, length: int) -> None:
        self.play(
            who, operations.block_time, "hold" if n % 2 else "block", *self.slot(start, length), "Собрание",
            doctor_id=self.doctors[n % 2],
        )  # fmt: skip

    @rule(who=WHO, n=NUMBERS, start=STARTS)
    def change_block(self, who: int, n: int, start: int) -> None:
        if block := self.block(n):
            self.play(who, operations.change_block, block.id, block.version, starts_at=self.slot(start, 30)[0])

    @rule(who=WHO, n=NUMBERS)
    def lift_block(self, who: int, n: int) -> None:
        if block := self.block(n):
            self.play(who, operations.lift_block, block.id)

    def undo(self) -> None:
        """Undo the newest action of all; it must work, and put back exactly what was."""
        who, name, before = self.done.pop()
        self.moment += timedelta(seconds=20)
        with clock.at(self.moment):
            actor = self.user(who)
            [row] = queries.last_actions(actor.id)[:1]
            [why] = queries.why_not([row], may_look_back=True)
            assert why is None, (name, why)
            with transaction():
                operations.undo_action(row.id, actor=actor)
        after = self.state()
        assert after == before, name

    @rule(many=st.integers(1, 4))
    def undo_some(self, many: int) -> None:
        for _ in range(min(many, len(self.done))):
            self.undo()

    @rule(who=WHO, n=NUMBERS)
    def undo_out_of_turn(self, who: int, n: int) -> None:
        """Any of the user's actions, whichever: it works only if nothing stands on it, and says why else."""
        actor = self.user(who)
        with clock.at(self.moment):
            actions = queries.last_actions(actor.id)
            if not actions:
                return
            action = actions[n % len(actions)]
            newest = self.done and self.done[-1][0] == who and action is actions[0]
            if newest:
                return
            before = self.state()
            try:
                with transaction():
                    operations.undo_action(action.id, actor=actor)
            except Refusal:
                assert self.state() == before
                return
        # An older action of another visit was undone: from here on only what comes later can be compared.
        self.done = []
        self.first = None  # type: ignore[assignment]

    def teardown(self) -> None:
        if not hasattr(self, "done"):
            return
        while self.done:
            self.undo()
        if self.first is not None:
            assert self.state() == self.first
            visits = list(self.first["visits"])
            assert not session.scalars(
                select(OutboxMessage.id).where(
                    OutboxMessage.patient_id.in_(self.patients), OutboxMessage.appointment_id.not_in(visits)
                )
            ).all()
        with pytest.raises((NotUndoable, Refusal)), transaction():
            operations.undo_action(2**31 - 1, actor=self.user(0))


def test_whatever_was_done_is_undone(server: Any, template: str) -> None:
    with copied(server, template) as app, app.app_context():
        run_state_machine_as_test(
            Desk,
            settings=settings(
                max_examples=int(os.environ.get("RANDOM_DAYS", "12")), stateful_step_count=14,
                suppress_health_check=list(HealthCheck), print_blob=False, derandomize=True,
            ),
        )  # fmt: skip
