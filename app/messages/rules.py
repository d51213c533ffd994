"""What a message says, when it is due, and what to do when the gateway does not take it.

Plain values in, answers out. Where next: `operations.py`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from babel.dates import format_date

from app.vocab import N_, AppointmentStatus, MessageKind

#: What a template may name. No diagnosis, no procedure: a text is read by whoever holds the phone.
FIELDS: dict[str, str] = {
    "patient": N_("the patient's name and patronymic"),
    "day": N_("the day of the visit"),
    "time": N_("the time of the visit"),
    "doctor": N_("the doctor's surname and initials"),
    "clinic": N_("the clinic's name"),
    "branch": N_("the branch"),
    "address": N_("the address of the branch"),
    "phone": N_("the phone of the branch"),
    "link": N_("the address where the patient answers with one touch; empty until the clinic has set PUBLIC_URL"),
}
#: What a new clinic starts with; edited in the directory of templates.
FIRST_TEMPLATES: dict[MessageKind, tuple[str, str]] = {
    MessageKind.BOOKED: ("Запись на приём", "{patient}, вы записаны {day} в {time}, {doctor}. {clinic}, {phone}"),
    MessageKind.REMINDER: ("Напоминание", "{patient}, ждём вас {day} в {time}, {doctor}. {clinic}, {phone} {link}"),
    MessageKind.SECOND_REMINDER: (
        "Второе напоминание",
        "{patient}, напоминаем: сегодня в {time} ваш приём. {clinic}, {phone}",
    ),
    MessageKind.MOVED: (
        "Перенос приёма",
        "{patient}, ваш приём перенесён на {day}, {time}, {doctor}. {clinic}, {phone}",
    ),
    MessageKind.CANCELLED: ("Отмена приёма", "{patient}, ваш приём {day} в {time} отменён. {clinic}, {phone}"),
    MessageKind.NO_SHOW: (
        "Пациент не пришёл",
        "{patient}, мы ждали вас {day} в {time}. Позвоните, подберём другое время. {clinic}, {phone}",
    ),
    MessageKind.ASK: (
        "Просьба подтвердить",
        "{patient}, вы записаны {day} в {time}, {doctor}. Придёте? Ответьте ДА или НЕТ. {clinic}, {phone} {link}",
    ),
}
#: Kinds that a clinic has to switch on itself: their first template is archived.
OFF_AT_FIRST = (MessageKind.NO_SHOW,)
#: Kinds that ask the patient to come; who got one has been notified.
ASKING = (MessageKind.REMINDER, MessageKind.SECOND_REMINDER, MessageKind.ASK)
#: Kinds that say that the visit will be.
INVITING = (*ASKING, MessageKind.BOOKED, MessageKind.MOVED)
#: A missed visit is written about soon, or not at all.
MISSED_LATELY = timedelta(hours=48)
#: A reply is to what was sent so long ago at most.
REPLY_WITHIN = timedelta(hours=72)
#: Delivery is asked about for so long.
DELIVERY_KNOWN_WITHIN = timedelta(days=3)
#: A reminder that would come at night comes so long before the end of the sending hours.
EVENING = timedelta(hours=1)
#: Messages wait this long, so that what was undone at once is never told.
UNDO_WINDOW = timedelta(minutes=2)
#: Pauses between attempts; after the last one the message has failed.
PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=2))
LONGEST_BODY = 1000


class Sending(NamedTuple):
    """The hours in which messages may leave, wall clock; the end is not in them."""

    start: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """May a message leave now?"""
        return self.start <= moment.time() < self.end


ANY_TIME = Sending(time.min, time.max)

_FIELD = re.compile(r"\{([^{}]*)\}")
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = set("^{}\\[~]|€\f")


def unknown_fields(body: str) -> list[str]:
    """Names in braces that no message can fill in."""
    return sorted({name for name in _FIELD.findall(body) if name not in FIELDS})


def text(body: str, fields: Mapping[str, str]) -> str:
    """A template with its fields filled in, without the blanks that empty fields leave."""
    filled = _FIELD.sub(lambda found: fields.get(found[1], ""), body)
    filled = re.sub(r"(?<=\w)\.\.(?!\.)", ".", filled)  # initials at the end of a sentence
    return re.sub(r"(, )+(?=[.,]|$)|^[ ,]+", "", re.sub(r" {2,}", " ", filled)).rstrip(" ,")


def day_in_words(day: date) -> str:
    """«пн 23 ноября»: as a patient reads it."""
    return format_date(day, "EEE d MMMM", locale="ru")


def parts(body: str) -> int:
    """How many short messages a text costs: 160 Latin or 70 Cyrillic letters in one, 153 or 67 in each of several."""
    if all(char in _GSM or char in _GSM_DOUBLE for char in body):
        length, one, several = sum(2 if char in _GSM_DOUBLE else 1 for char in body), 160, 153
    else:
        length, one, several = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= one else -(-length // several)


def in_hours(moment: datetime, sending: Sending) -> datetime:
    """The first moment from this one on when a message may leave (wall clock)."""
    if sending.holds(moment):
        return moment
    day = moment.date() if moment.time() < sending.start else moment.date() + timedelta(days=1)
    return datetime.combine(day, sending.start)


def reminder_due(starts_at: datetime, hours: int, now: datetime, sending: Sending = ANY_TIME) -> datetime | None:
    """When to remind of a visit (wall clock); None when that moment has passed.

    A reminder that falls into the night comes in the morning when at least half of the notice is left then, else in
    the evening before.
    """
    due = starts_at - timedelta(hours=hours)
    if due <= now:
        return None
    morning = in_hours(due, sending)
    if starts_at - morning >= timedelta(hours=hours) / 2:
        return morning
    night = due.date() - timedelta(days=1) if due.time() < sending.start else due.date()
    end = datetime.combine(night, sending.end)
    evening = max(datetime.combine(night, sending.start), end - EVENING)
    if evening > now:
        return evening
    return morning if morning < starts_at else None


def told_together(letters: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The fields of one text for several visits of a patient's day, in the order of their times: «10:00 и 14:00».

    What is the same for all is said once.
    """
    fields = dict(letters[0])
    for name in fields:
        values = [letter.get(name, "") for letter in letters]
        if len(set(values)) > 1:
            fields[name] = ", ".join(values[:-1]) + " и " + values[-1]
    return fields


def still_true(kind: str, planned_time: datetime, *, status: str, starts_at: datetime, now: datetime) -> bool:
    """Does the message still say what is so? A visit that was moved or called off never gets the old text."""
    if planned_time != starts_at:
        return False
    if kind == MessageKind.NO_SHOW:
        return status == AppointmentStatus.NO_SHOW and now - planned_time <= MISSED_LATELY
    wanted = AppointmentStatus.CANCELLED if kind == MessageKind.CANCELLED else AppointmentStatus.BOOKED
    return status == wanted and planned_time > now


def counts_as_notice(kind: str, told_at: datetime, starts_at: datetime, hours: int) -> bool:
    """Has the patient been notified by this message: it asked to come, or came when a reminder would have come."""
    return kind in ASKING or (kind in INVITING and starts_at - told_at <= timedelta(hours=hours))


def ask_delivery_after(sent_at: datetime, now: datetime) -> timedelta:
    """How long to wait between two questions whether a message was delivered: the older, the longer."""
    return max(timedelta(minutes=1), (now - sent_at) / 4)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts; None when it is over."""
    return PAUSES[attempts - 1] if 0 < attempts <= len(PAUSES) else None
