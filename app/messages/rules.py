"""What a message says, when it is due, and what to do when the gateway does not take it.

Plain values in, answers out. Where next: `operations.py`.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

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
}
#: What a new clinic starts with; edited in the directory of templates.
FIRST_TEMPLATES: dict[MessageKind, tuple[str, str]] = {
    MessageKind.BOOKED: ("Запись на приём", "{patient}, вы записаны {day} в {time}, {doctor}. {clinic}, {phone}"),
    MessageKind.REMINDER: ("Напоминание", "{patient}, ждём вас {day} в {time}, {doctor}. {clinic}, {phone}"),
    MessageKind.MOVED: (
        "Перенос приёма",
        "{patient}, ваш приём перенесён на {day}, {time}, {doctor}. {clinic}, {phone}",
    ),
    MessageKind.CANCELLED: ("Отмена приёма", "{patient}, ваш приём {day} в {time} отменён. {clinic}, {phone}"),
}
#: Messages wait this long, so that what was undone at once is never told.
UNDO_WINDOW = timedelta(minutes=2)
#: Pauses between attempts; after the last one the message has failed.
PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=2))
LONGEST_BODY = 1000

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


def reminder_due(starts_at: datetime, hours: int, now: datetime) -> datetime | None:
    """When to remind of a visit (wall clock); None when that moment has passed."""
    due = starts_at - timedelta(hours=hours)
    return due if due > now else None


def still_true(kind: str, planned_time: datetime, *, status: str, starts_at: datetime, now: datetime) -> bool:
    """Does the message still say what is so? A visit that was moved or called off never gets the old text."""
    if planned_time <= now or planned_time != starts_at:
        return False
    wanted = AppointmentStatus.CANCELLED if kind == MessageKind.CANCELLED else AppointmentStatus.BOOKED
    return status == wanted


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts; None when it is over."""
    return PAUSES[attempts - 1] if 0 < attempts <= len(PAUSES) else None
