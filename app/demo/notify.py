"""The demo clinic notifies its patients: the next working day in every state, and a few replies."""

from datetime import timedelta
from random import Random

from sqlalchemy import select, update

from app import clock
from app.db import session
from app.messages import queries as outbox
from app.models import Appointment, OutboxMessage, User
from app.schedule import operations as schedule
from app.schedule import queries
from app.vocab import AppointmentStatus, Confirmation, MessageKind, MessageStatus

#: What the desk heard on the phone, and how often it tried.
_HEARD = [
    (Confirmation.CONFIRMED, 1), (Confirmation.NOT_REACHED, 1), (Confirmation.CONFIRMED, 1),
    (Confirmation.NOT_REACHED, 3), (Confirmation.ASKS_TO_MOVE, 1), (Confirmation.DECLINED, 1),
]  # fmt: skip
#: What patients wrote back.
_WROTE = ["Да", "да, приду", "+", "Нет, не смогу", "А можно на час позже?", "Спасибо, буду", "👍", "Ок"]


class Notifying:
    """The work list of the next working day, half done."""

    def __init__(self, chance: Random, desk: User) -> None:
        self.chance, self.desk = chance, desk

    def make(self) -> None:
        """Most have got their reminder, some were called, some wrote back."""
        [day] = queries.working_days(1) or [clock.today() + timedelta(days=1)]
        rows = queries.to_notify([day])
        visits = [row["id"] for row in rows]
        reminded = [pk for pk in visits if self.chance.random() < 0.75]
        self._remind(reminded)
        for told in outbox.told_but_not_noted():
            schedule.note_notified(told.appointment_id, told.planned_time)
        for pk, (heard, times) in zip([pk for pk in visits if pk not in reminded], _HEARD, strict=False):
            for _ in range(times):
                schedule.confirm(pk, heard, actor=self.desk)
        self._write_back(reminded)

    def _remind(self, visits: list[int]) -> None:
        sent = clock.now() - timedelta(minutes=50)
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.appointment_id.in_(visits),
                OutboxMessage.kind == MessageKind.REMINDER,
                OutboxMessage.status.in_((MessageStatus.PENDING, MessageStatus.SENT)),
            )
            .values(status=MessageStatus.DELIVERED, due_at=sent, sent_at=sent, sending_since=sent, parts=2)
        )

    def _write_back(self, visits: list[int]) -> None:
        phones = session.execute(
            select(OutboxMessage.phone, Appointment.patient_id)
            .join(Appointment, Appointment.id == OutboxMessage.appointment_id)
            .where(
                OutboxMessage.appointment_id.in_(visits),
                OutboxMessage.kind == MessageKind.REMINDER,
                OutboxMessage.status == MessageStatus.DELIVERED,
                Appointment.status == AppointmentStatus.BOOKED,
            )
            .order_by(OutboxMessage.id)
        ).all()
        numbers = list(dict.fromkeys(row.phone for row in phones))
        received = clock.now() - timedelta(minutes=40)
        for place, (number, text) in enumerate(
            zip(numbers[:: max(len(numbers) // len(_WROTE), 1)], _WROTE, strict=False)
        ):
            schedule.take_reply(f"demo-{place}", number, text, received + timedelta(minutes=place * 3))
