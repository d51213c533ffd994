"""Giving a doctor the secret address of the own calendar, and taking it back."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select, update

from app import access, audit, clock
from app.db import lock, session
from app.errors import NotFound
from app.models import CalendarFeed, Employee, User

#: A reading is written down so often at most: a phone asks every quarter of an hour.
_NOTED = timedelta(hours=1)


def hash_of(secret: str) -> str:
    """What is kept of a secret address; the secret itself is shown once and stored nowhere."""
    return hashlib.sha256(secret.encode()).hexdigest()


def give_feed(doctor_id: int, *, actor: User | None) -> str:
    """A new secret for the doctor's calendar; the address that worked before is revoked at once.

    Locks the doctor. Records `calendar_feed.given`. Flushes, never commits.

    Raises:
        NotFound: no such doctor, or not one who sees patients.
        NotAllowed: the calendar of somebody else.
    """
    access.require_own(actor, "schedule.feed", doctor_id)
    doctor = lock(Employee, doctor_id)
    if doctor is None or not doctor.is_doctor or doctor.archived:
        raise NotFound()
    for old in session.scalars(
        select(CalendarFeed).where(CalendarFeed.doctor_id == doctor_id, CalendarFeed.revoked_at.is_(None))
    ):
        old.revoked_at = clock.now()
    session.flush()
    secret = secrets.token_urlsafe(24)
    feed = CalendarFeed(
        doctor_id=doctor_id,
        secret_hash=hash_of(secret),
        created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )
    session.add(feed)
    session.flush()
    audit.record("calendar_feed.given", feed, after={"doctor_id": doctor_id}, actor=actor)
    return secret


def revoke_feed(feed_id: int, *, actor: User | None) -> CalendarFeed:
    """Close a calendar's address; from the next reading on it is not there. Twice is the same as once.

    Raises:
        NotFound, NotAllowed
    """
    feed = lock(CalendarFeed, feed_id)
    if feed is None:
        raise NotFound()
    access.require_own(actor, "schedule.feed", feed.doctor_id)
    if feed.revoked_at is None:
        feed.revoked_at = clock.now()
        audit.record("calendar_feed.revoked", feed, after={"doctor_id": feed.doctor_id}, actor=actor)
        session.flush()
    return feed


def note_reading(feed: CalendarFeed) -> None:
    """Write down that the calendar was read, once an hour at most, so that a forgotten address is noticed."""
    now = clock.now()
    if feed.last_read_at is None or feed.last_read_at < now - _NOTED:
        session.execute(update(CalendarFeed).where(CalendarFeed.id == feed.id).values(last_read_at=now))
