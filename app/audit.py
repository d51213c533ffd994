"""Who did what: the history of every visit, card, bill and right, written in the transaction of the deed.

The table is append-only; the database refuses changes. Where next: `timeline` for the card and the visit.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, Select, insert, literal, select

from app import clock
from app.db import session
from app.models import AuditEvent, User


def plain(value: Any) -> Any:
    """A value as it is kept in the log: JSON."""
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo else value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, Decimal):
        return str(value)
    return value


def facts(obj: Any, names: Sequence[str]) -> dict[str, Any]:
    """The named values of a record, ready for the log."""
    return {name: plain(getattr(obj, name)) for name in names}


def record(
    action: str,
    obj: Any,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    patient_id: int | None = None,
    actor: User | None,
) -> AuditEvent:
    """Write down a deed: `record("appointment.moved", visit, before=…, after=…, patient_id=…, actor=…)`.

    Of `before` and `after` only what differs is kept when both are given. `obj` must have its id (flush first).
    """
    if before is not None and after is not None:
        changed = [key for key in after if before.get(key) != after[key]]
        before, after = {key: before.get(key) for key in changed}, {key: after[key] for key in changed}
    row = event(action, obj, before=before, after=after, patient_id=patient_id, actor=actor)
    session.add(row)
    return row


def event(
    action: str,
    obj: Any,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    patient_id: int | None = None,
    actor: User | None,
) -> AuditEvent:
    """The same, not written yet: for a change that writes all its rows together (`db.write`)."""
    return AuditEvent(
        at=clock.now(),
        user_id=actor.id if actor else None,
        action=action,
        object_type=obj.__tablename__,
        object_id=obj.id,
        patient_id=patient_id,
        before=before,
        after=after,
    )


def record_all(action: str, thing: str, rows: Select[Any], *, actor: User | None) -> None:
    """Write down the same deed with many records at once: `rows` gives object_id, patient_id, before, after of each.

    `thing` is the table of the records. One statement, in the transaction of the deed.
    """
    each = rows.subquery()
    values = select(
        literal(clock.now(), AuditEvent.at.type), literal(actor.id if actor else None, Integer), literal(action),
        literal(thing), each.c.object_id, each.c.patient_id, each.c.before, each.c.after,
    )  # fmt: skip
    names = ["at", "user_id", "action", "object_type", "object_id", "patient_id", "before", "after"]
    session.execute(insert(AuditEvent).from_select(names, values, include_defaults=False))


def history(obj: Any) -> list[AuditEvent]:
    """All that was done to a record, the oldest first."""
    return list(
        session.scalars(
            select(AuditEvent)
            .where(AuditEvent.object_type == obj.__tablename__, AuditEvent.object_id == obj.id)
            .order_by(AuditEvent.id)
        )
    )


def timeline(patient_id: int, *, limit: int = 100) -> list[AuditEvent]:
    """All that was done for a patient, the newest first."""
    return list(
        session.scalars(
            select(AuditEvent).where(AuditEvent.patient_id == patient_id).order_by(AuditEvent.id.desc()).limit(limit)
        )
    )
