"""What patients know of their visits and what they answer: the work list, replies, the link in a message.

A lower room sends the messages and keeps the replies; what they mean for a visit is decided here. Where next:
`app/messages/operations/`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app import clock
from app.db import session
from app.errors import NotFound
from app.messages import operations as messages
from app.messages import queries as outbox
from app.messages import replies
from app.models import Appointment, ClinicSetting, ConfirmLink, IncomingMessage
from app.schedule.operations.places import change
from app.schedule.operations.steps import confirm
from app.schedule.rules import BOOKED
from app.vocab import AnsweredBy, Confirmation, ReplyMeaning


def note_notified(appointment_id: int, planned_time: datetime) -> bool:
    """A message that asks the patient to come has left: from now on the patient counts as notified.

    What somebody has answered meanwhile stays. Records `appointment.notified`. Flushes, never commits.
    """
    visit = _standing([(appointment_id, planned_time)])
    if not visit or visit[0].confirmation != Confirmation.NOT_NOTIFIED:
        return False
    change(visit[0], "appointment.notified", {"confirmation": Confirmation.NOTIFIED}, {}, None)
    return True


def take_reply(gateway_id: str, phone: str, text: str, received_at: datetime) -> IncomingMessage | None:
    """Take a patient's reply, once; None when it was taken before.

    «Да» and «нет» are about the nearest day of which the patient of this phone was told lately. Whose phone several
    patients share is not guessed: the desk sees the reply. «Стоп» ends the messages to everybody who gets them on
    this phone. Flushes, never commits.
    """
    meaning = replies.meaning(text)
    reply = messages.take_in(gateway_id, phone, text, received_at, meaning)
    if reply is None:
        return None
    owners = outbox.patients_of_phone(phone)
    if meaning == ReplyMeaning.STOP:
        messages.stop_writing(outbox.written_to(phone), actor=None)
        messages.understood(reply, patient_id=owners[0] if len(owners) == 1 else None, handled=bool(owners))
        return reply
    told = outbox.told_on_phone(phone, received_at) if meaning in (ReplyMeaning.YES, ReplyMeaning.NO) else []
    patients = {one.patient_id for one in told}
    if len(patients) != 1:
        whose = next(iter(patients or owners)) if len(patients or owners) == 1 else None
        messages.understood(reply, patient_id=whose, handled=False)
        return reply
    day = min(one.planned_time for one in told).date()
    visits = _standing([(one.appointment_id, one.planned_time) for one in told if one.planned_time.date() == day])
    answer = Confirmation.CONFIRMED if meaning == ReplyMeaning.YES else Confirmation.DECLINED
    called = _answer(visits, answer, AnsweredBy.REPLY)
    messages.understood(
        reply, patient_id=patients.pop(), appointment_id=visits[0].id if visits else None,
        handled=bool(visits) and (answer == Confirmation.CONFIRMED or called),
    )  # fmt: skip
    return reply


@dataclass(frozen=True)
class Asked:
    """What the page behind a link shows. `state` is open, answered, moved, cancelled or over."""

    state: str
    visits: list[Appointment]
    visit: Appointment


def asked(link: ConfirmLink) -> Asked:
    """What a link is about, as it is now: the visits of the patient on that day."""
    visit = session.get_one(Appointment, link.appointment_id)
    now = clock.wall_now()
    if visit.status in ("arrived", "in_progress", "completed") or link.planned_time <= now:
        return Asked("over", [], visit)
    if visit.status != BOOKED:
        return Asked("cancelled", [], visit)
    if visit.starts_at != link.planned_time:
        return Asked("moved", [], visit)
    same_day = outbox.told_together(link.appointment_id, link.planned_time)
    visits = session.scalars(
        select(Appointment)
        .where(
            Appointment.id.in_([visit.id, *same_day]),
            Appointment.status == BOOKED,
            Appointment.starts_at > now,
        )
        .order_by(Appointment.starts_at)
    ).all()
    day = [one for one in visits if one.starts_at.date() == link.planned_time.date()]
    return Asked("answered" if link.answered_at else "open", day, visit)


def answer_link(token: str, answer: Confirmation, seen: list[datetime]) -> Asked:
    """The patient answers by the link in a message; the first answer counts. `seen` are the times that the page showed.

    Nothing is written when the visit was moved, cancelled, is over, or another time stands now than was shown; the
    answer tells what is so. Locks the visits, then the link. Flushes, never commits.

    Raises:
        NotFound: no such link.
    """
    found = session.get(ConfirmLink, token)
    if found is None:
        raise NotFound()
    told = [found.appointment_id, *outbox.told_together(found.appointment_id, found.planned_time)]
    session.scalars(
        select(Appointment).where(Appointment.id.in_(told)).order_by(Appointment.id).with_for_update(of=Appointment)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    link = session.scalars(
        select(ConfirmLink)
        .where(ConfirmLink.token == token)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    about = asked(link)
    if about.state != "open" or [visit.starts_at for visit in about.visits] != seen:
        return about
    _answer(about.visits, answer, AnsweredBy.LINK)
    messages.mark_answered(link)
    return Asked("answered", about.visits, about.visit)


def _standing(told: list[tuple[int, datetime]]) -> list[Appointment]:
    """Those of the visits that still stand at the time that was told, locked in the order of their numbers."""
    times = dict(told)
    rows = session.scalars(
        select(Appointment)
        .where(Appointment.id.in_(times))
        .order_by(Appointment.id)
        .with_for_update(of=Appointment)
        .execution_options(populate_existing=True)
    )
    now = clock.wall_now()
    visits = [row for row in rows if row.status == BOOKED and row.starts_at == times[row.id] and row.starts_at > now]
    return sorted(visits, key=lambda visit: visit.starts_at)


def _answer(visits: list[Appointment], answer: Confirmation, how: AnsweredBy) -> bool:
    """Write the patient's answer down; True when somebody will call because of it."""
    for visit in visits:
        confirm(visit.id, answer, by=how, actor=None)
    return answer != Confirmation.CONFIRMED and bool(session.scalar(select(ClinicSetting.crm)))
