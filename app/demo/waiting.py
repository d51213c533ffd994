"""The demo clinic's waiting list and planned visits, with a few offers that wait for an answer.

Made by the desk's operations over the last two weeks. Where next: `app/demo/clinic.py`.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from app import clock
from app.db import session
from app.errors import Refusal
from app.models import Appointment, Employee, Patient, RefusalReason, Service, User
from app.schedule import operations, queries
from app.vocab import AppointmentStatus

#: Why a patient should come in some months: words, months, minutes.
PLANS = [
    ("Осмотр и профессиональная гигиена", 6, 60),
    ("Контрольный осмотр", 3, 30),
    ("Контроль имплантата", 3, 30),
    ("Коррекция брекет-системы", 1, 30),
    ("Продолжение лечения", 1, 60),
    ("Протезирование, следующий этап", 3, 60),
    ("Замена временной коронки", 1, 45),
]
WISHES = ["", "", "лучше утром", "только после шести", "в субботу", "вместе с ребёнком"]
COMMENTS = [
    "", "", "", "Может приехать за час", "Звонить на мобильный", "Работает рядом, придёт в обед",
    "Приедет из области, предупредить заранее",
]  # fmt: skip
MORNING, DAY, EVENING = [(480, 720)], [(720, 1020)], [(1020, 1260)]


@dataclass
class Waits:
    """Who waits and what is planned, made from the clinic's people."""

    chance: Random
    now: datetime
    desk: User
    patients: list[Patient]
    doctors: list[Employee]

    def make(self) -> None:
        """Planned visits, entries, what came of some of them, open offers."""
        self.services = list(session.scalars(select(Service).order_by(Service.id).limit(20)))
        self.reason = session.scalars(select(RefusalReason).order_by(RefusalReason.id)).first()
        self._plans()
        entries = self._entries()
        self._sooner()
        self._settled(entries)
        self._offers()

    def _moment(self, behind: int) -> datetime:
        moment = datetime.combine(self.now.date() - timedelta(days=behind), time(self.chance.randint(9, 18), 5))
        return min(moment, self.now)

    def _plans(self) -> None:
        treated = session.scalars(
            select(Appointment)
            .where(Appointment.status == AppointmentStatus.COMPLETED)
            .order_by(Appointment.starts_at, Appointment.id)
            .limit(120)
        ).all()
        for n, visit in enumerate(treated[::4][:30]):
            words, months, minutes = self.chance.choice(PLANS)
            made = min(visit.ends_at, self.now)
            # a part of them was planned months ago: their time comes now
            target: dict[str, Any] = {"months": months}
            if n % 3 == 0:
                first = self.now.date() + timedelta(days=self.chance.randint(3, 20))
                target = {"target_from": first, "target_to": first + timedelta(days=13)}
            with clock.at(made):
                try:
                    operations.plan(
                        visit.patient_id, **target, reason=words, minutes=minutes, wishes=self.chance.choice(WISHES),
                        tolerance_days=self.chance.choice([0, 0, 7, 14]),
                        made_from=self.chance.choice(["visit", "settlement"]),
                        doctor_id=visit.doctor_id if self.chance.random() < 0.75 else None,
                        from_appointment_id=visit.id, actor=self.desk,
                    )  # fmt: skip
                except Refusal:
                    continue
        with clock.at(self.now):
            operations.call_due()

    def _entries(self) -> list[int]:
        found = []
        soon = self.now.date() + timedelta(days=self.chance.randint(5, 25))
        for patient in self.chance.sample(self.patients, 22):
            doctor = self.chance.choice(self.doctors)
            how = self.chance.choice(["only", "preferred", "preferred", "any"])
            with clock.at(self._moment(self.chance.randint(0, 12))):
                entry = operations.wait_for_time(
                    patient.id, wanted_doctors=how, doctor_ids=[] if how == "any" else [doctor.id],
                    speciality_id=doctor.speciality_id if how == "any" else None,
                    windows=self.chance.choice([[(0, 1440)], MORNING, DAY, EVENING, [*MORNING, *EVENING]]),
                    weekdays=self.chance.choice([range(1, 8), range(1, 8), range(1, 6), (6, 7), (1, 3, 5)]),
                    minutes=self.chance.choice([30, 30, 45, 60]),
                    last_day=self.chance.choice([None, None, soon]),
                    notice_hours=self.chance.choice([1, 2, 2, 4, 24]),
                    urgency=self.chance.choice(["usual", "usual", "usual", "soon", "soon", "acute"]),
                    comment=self.chance.choice(COMMENTS), actor=self.desk,
                )  # fmt: skip
                found.append(entry.id)
        return found

    def _sooner(self) -> None:
        """Booked far ahead, want to come sooner."""
        far = session.scalars(
            select(Appointment)
            .where(
                Appointment.status == AppointmentStatus.BOOKED,
                Appointment.starts_at > self.now + timedelta(days=6),
            )
            .order_by(Appointment.starts_at.desc(), Appointment.id)
            .limit(40)
        ).all()
        for visit in far[::7][:5]:
            with clock.at(self._moment(self.chance.randint(0, 4))):
                try:
                    operations.wait_for_time(
                        visit.patient_id, kind="move_up", appointment_id=visit.id, wanted_doctors="only",
                        doctor_ids=[visit.doctor_id], minutes=(visit.ends_at - visit.starts_at) // timedelta(minutes=1),
                        notice_hours=4, urgency="soon", actor=self.desk,
                    )  # fmt: skip
                except Refusal:
                    continue

    def _settled(self, entries: list[int]) -> None:
        """One has changed the mind, one found a time."""
        with clock.at(self.now):
            if self.reason is not None and entries:
                operations.call_off(entries[0], None, self.reason.id, actor=self.desk)
            for pk in entries[1:]:
                for time_ in queries.times_for(pk, limit=3):
                    row = queries.waiting_entry(pk)
                    assert row is not None
                    start, end = (datetime.fromisoformat(time_[at]) for at in ("starts_at", "ends_at"))
                    try:
                        operations.book(
                            row["patient"]["id"], time_["doctor_id"], start, end, chair_id=time_["chair_id"],
                            waiting_entry_ids=[pk], actor=self.desk,
                        )  # fmt: skip
                    except Refusal:
                        continue
                    return

    def _offers(self) -> None:
        """Two times are offered and held; one of them to two patients."""
        with clock.at(self.now):
            _, rows = queries.waiting_page(queries.WantedEntries(status="waiting"), limit=40)
            made = 0
            for row in rows:
                if made == 2:
                    break
                for time_ in queries.times_for(row["id"], limit=1):
                    start, end = (datetime.fromisoformat(time_[at]) for at in ("starts_at", "ends_at"))
                    try:
                        operations.offer_time(
                            row["id"], time_["doctor_id"], start, end, chair_id=time_["chair_id"], actor=self.desk
                        )
                    except Refusal:
                        continue
                    made += 1
                    others = queries.who_fits(time_["doctor_id"], start, end, with_planned=False, limit=1)
                    for other in others if made == 1 else ():
                        operations.offer_time(
                            other["id"], time_["doctor_id"], datetime.fromisoformat(other["starts_at"]),
                            datetime.fromisoformat(other["ends_at"]), chair_id=time_["chair_id"], actor=self.desk,
                        )  # fmt: skip
