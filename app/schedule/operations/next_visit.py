"""After a visit: the patient wants no next one, and says why."""

from sqlalchemy import select

from app import audit, clock
from app.db import session
from app.errors import NotFound
from app.models import NextVisitRefusal, Patient, User
from app.patients import operations as cards
from app.schedule.operations.planned import check_refusal


def refuse_next_visit(
    patient_id: int, reason_id: int, *, comment: str = "", actor: User | None
) -> NextVisitRefusal:  # fmt: skip
    """Write down that the patient leaves today without a next visit, and why. Said again on the same day, it changes.

    Locks the patient's card. Records `next_visit.refused`.

    Raises:
        NotFound, CardArchived, CardMerged, CardErased
        Invalid: there is no such reason.
    """
    patient = session.scalars(
        select(Patient).where(Patient.id == patient_id).with_for_update(of=Patient, key_share=True)
    ).first()
    if patient is None:
        raise NotFound()
    cards.check_open(patient)
    reason, today = check_refusal(reason_id), clock.today()
    row = session.scalars(
        select(NextVisitRefusal).where(
            NextVisitRefusal.patient_id == patient_id, NextVisitRefusal.business_day == today
        )
    ).first()
    if row is None:
        row = NextVisitRefusal(patient_id=patient_id, business_day=today, created_at=clock.now())
        session.add(row)
    row.refusal_reason, row.comment, row.created_by_id = reason, comment.strip(), actor.id if actor else None
    session.flush()
    after = {"reason": reason.name, **audit.facts(row, ("comment", "business_day"))}
    audit.record("next_visit.refused", row, after=after, patient_id=patient_id, actor=actor)
    return row
