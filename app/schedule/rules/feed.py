"""A doctor's visits as an iCalendar (RFC 5545), for the calendar of a phone: who may read it knows no secrets.

Times carry the clinic's zone, so ten o'clock stays ten o'clock over summer time. Where next: `../views/feeds.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from app.vocab import AppointmentStatus

#: How far back and ahead a calendar reaches.
BACK, AHEAD = timedelta(days=30), timedelta(days=180)
#: How often a calendar program should ask.
REFRESH = timedelta(minutes=15)


@dataclass(frozen=True)
class Entry:
    """A visit as the calendar shows it: no surname in full, no phone, nothing of the treatment."""

    id: int
    version: int
    starts_at: datetime
    ends_at: datetime
    status: str
    who: str
    place: str
    changed_at: datetime


def initials(surname: str, name: str) -> str:
    """«И. М.»: enough for the doctor to know, too little for anybody else."""
    return " ".join(f"{part[0]}." for part in (surname, name) if part)


def calendar_text(name: str, entries: Iterable[Entry], zone: ZoneInfo, host: str) -> bytes:
    """The calendar of a doctor; a visit keeps its UID for ever, and a change raises its SEQUENCE.

    A cancelled visit and a no-show stay, as CANCELLED, so that a program that had them takes them out.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Registratura//Schedule//RU")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", zone.key)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        gone = entry.status in (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW)
        event = Event()
        event.add("uid", f"visit-{entry.id}@{host}")
        event.add("sequence", entry.version)
        event.add("dtstamp", entry.changed_at)
        event.add("dtstart", entry.starts_at.replace(tzinfo=zone))
        event.add("dtend", entry.ends_at.replace(tzinfo=zone))
        event.add("summary", entry.who)
        if entry.place:
            event.add("location", entry.place)
        event.add("status", "CANCELLED" if gone else "CONFIRMED")
        event.add("transp", "TRANSPARENT" if gone else "OPAQUE")
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
