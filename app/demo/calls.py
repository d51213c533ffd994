"""The demo clinic's calls: two weeks of calling behind, some twenty patients still to be called.

What the schedule asked for is already in the list; here people call, and the doctors ask for more.
Where next: `app/demo/clinic.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from sqlalchemy import select

from app import clock
from app.db import session
from app.errors import Refusal
from app.models import Appointment, CallTask, Employee, Patient, PatientAccount, RefusalReason, User
from app.schedule import operations as schedule
from app.schedule import queries
from app.tasks import operations as tasks
from app.tasks.queries import IS_OPEN
from app.vocab import AppointmentStatus, TaskReasonKind

REFUSALS = ["Дорого", "Лечится в другой клинике", "Не устроило время", "Переехал", "Пока не готов"]
REQUESTS = [
    "Готов снимок КТ, пригласить на обсуждение плана лечения",
    "Узнать о самочувствии после удаления зуба",
    "Пора снимать швы",
    "Готова коронка, пригласить на примерку",
]
BY_HAND = [
    "Просила перезвонить о стоимости имплантации",
    "Спросить, удобна ли запись на субботу",
    "Узнать, получена ли справка для налоговой",
]
HOW_IT_FEELS = ["Самочувствие, температура, отёк", "Не болит ли при накусывании", "Напомнить о назначениях врача"]
#: So many stay to be called.
LEFT = 20


@dataclass
class Calls:
    """Two weeks of calls, made from the clinic's people and its list of tasks."""

    chance: Random
    now: datetime
    desk: User
    second: User
    patients: list[Patient]
    doctors: list[Employee]

    def make(self) -> None:
        """The reasons, the calls of the days behind, what is asked for today."""
        with clock.at(self.now - timedelta(days=40)):
            have = {row.name: row for row in session.scalars(select(RefusalReason))}
            self.reasons = [have.get(name) or RefusalReason(name=name) for name in REFUSALS]
            session.add_all(self.reasons)
            session.flush()
        self._ask(self.now.date() - timedelta(days=6), REQUESTS[:2], BY_HAND[:1])
        self._debtors()
        for behind in range(13, -1, -1):
            self._after_treatment(self.now.date() - timedelta(days=behind))
        self._call()
        self._ask(self.now.date(), REQUESTS[2:], BY_HAND[1:])
        with clock.at(self.now):
            waiting = list(session.scalars(select(CallTask).where(IS_OPEN).order_by(CallTask.due_at, CallTask.id)))
            for task in waiting[:3]:
                tasks.change(task.id, None, responsible_id=self._employee(self.desk), actor=self.second)
            if len(waiting) > 3:
                tasks.change(waiting[3].id, None, comment="Звонить после шести вечера", actor=self.desk)

    def _employee(self, user: User) -> int:
        return session.scalars(select(Employee.id).where(Employee.user_id == user.id)).one()

    def _ask(self, day: date, requests: list[str], by_hand: list[str]) -> None:
        moment = min(datetime.combine(day, time(9, 30)), self.now)
        with clock.at(moment):
            for note in requests:
                doctor, patient = self.chance.choice(self.doctors), self.chance.choice(self.patients)
                tasks.add(patient.id, due_on=moment.date(), note=note, kind=TaskReasonKind.DOCTOR_REQUEST,
                          doctor_id=doctor.id, actor=self.desk)  # fmt: skip
            for note in by_hand:
                patient = self.chance.choice(self.patients)
                tasks.add(patient.id, due_on=moment.date(), note=note, actor=self.second)

    def _debtors(self) -> None:
        day = self.now.date() - timedelta(days=2)
        owe = session.scalars(
            select(PatientAccount.patient_id).where(PatientAccount.debt > 5000).order_by(PatientAccount.debt.desc())
        )
        with clock.at(min(datetime.combine(day, time(10)), self.now)):
            for patient_id in sorted(list(owe)[:4]):
                tasks.ask(patient_id, TaskReasonKind.DEBT, due_on=day, actor=None)

    def _after_treatment(self, day: date) -> None:
        """Who was treated the day before is asked how it feels."""
        before = datetime.combine(day - timedelta(days=1), time())
        treated = session.scalars(
            select(Appointment)
            .where(
                Appointment.status == AppointmentStatus.COMPLETED,
                Appointment.starts_at >= before,
                Appointment.starts_at < before + timedelta(days=1),
            )
            .order_by(Appointment.id)
            .limit(5)
        ).all()
        with clock.at(min(datetime.combine(day, time(8, 30)), self.now)):
            for visit in sorted(treated, key=lambda one: one.patient_id):
                tasks.ask(visit.patient_id, TaskReasonKind.AFTER_TREATMENT, due_on=day, doctor_id=visit.doctor_id,
                          appointment_id=visit.id, note=self.chance.choice(HOW_IT_FEELS), actor=None)  # fmt: skip

    def _call(self) -> None:
        """Who was due before today was called, the oldest first, until few enough are left."""
        midnight = datetime.combine(self.now.date(), time())
        for _ in range(400):
            due = list(
                session.scalars(
                    select(CallTask)
                    .where(IS_OPEN, CallTask.due_at < midnight)
                    .order_by(CallTask.due_at, CallTask.id)
                )
            )  # fmt: skip
            if len(due) <= 6:
                break
            task = due[0]
            moment = task.due_at + timedelta(minutes=self.chance.randint(5, 300))
            with clock.at(min(moment, midnight - timedelta(hours=4))):
                self._one(task, self.chance.choice([self.desk, self.desk, self.second]))
        self._close_the_rest()

    def _one(self, task: CallTask, who: User) -> None:
        tasks.claim(task.id, actor=who)
        phone = session.get_one(Patient, task.patient_id).phones
        number = phone[0].number if phone else ""
        fate = self.chance.random()
        try:
            if fate < 0.30 and task.attempts < 3:
                tasks.not_reached(task.id, phone=number, actor=who)
            elif fate < 0.40:
                later = clock.wall_now() + timedelta(days=self.chance.randint(1, 4))
                tasks.postpone(task.id, until=later.replace(hour=18, minute=0), asked=True, phone=number,
                               comment="Просит позвонить вечером", actor=who)  # fmt: skip
            elif fate < 0.62 and self._book(task, who):
                pass
            elif fate < 0.74:
                reason = self.chance.choice(self.reasons)
                tasks.close(task.id, None, "refused", refusal_reason_id=reason.id, phone=number, actor=who)
            elif fate < 0.78:
                tasks.close(task.id, None, "wrong_number", phone=number, actor=who)
            else:
                tasks.close(task.id, None, "informed", phone=number, comment="Позвонит сам, когда решит", actor=who)
        except Refusal:
            tasks.close(task.id, None, "informed", phone=number, actor=who)

    def _book(self, task: CallTask, who: User) -> bool:
        """Into the first free time after tomorrow, if there is one that suits."""
        free = queries.free_slots(30, first=self.now.date() + timedelta(days=2), days=10, limit=20)
        if not free:
            return False
        slot = self.chance.choice(free)
        times = [datetime.fromisoformat(slot[end]) for end in ("starts_at", "ends_at")]
        schedule.book(task.patient_id, slot["doctor_id"], *times, chair_id=slot["chair_id"], actor=who)
        return True

    def _close_the_rest(self) -> None:
        """A clinic that keeps up: what is too much for the demo's list was told on the phone too."""
        waiting = list(session.scalars(select(CallTask).where(IS_OPEN).order_by(CallTask.due_at.desc(), CallTask.id)))
        evening = datetime.combine(self.now.date() - timedelta(days=1), time(19))
        for task in waiting[: max(0, len(waiting) - LEFT + 4)]:
            with clock.at(evening):
                tasks.claim(task.id, actor=self.desk)
                tasks.close(task.id, None, "informed", actor=self.desk)
