"""What is next for a patient who leaves: booked, planned, waiting, or nothing, with the reason."""

from dataclasses import dataclass

from sqlalchemy import select

from app import clock
from app.db import session
from app.models import Appointment, Employee, NextVisitRefusal
from app.schedule.queries.planned import wishes_of
from app.schedule.queries.waiting import Row
from app.vocab import FREES_TIME


@dataclass(frozen=True)
class NextVisit:
    """`booked` are the coming visits with their doctors, the nearest first; `refused` is of today."""

    booked: list[tuple[Appointment, Employee]]
    planned: list[Row]
    waiting: list[Row]
    refused: NextVisitRefusal | None


def next_visit(patient_id: int) -> NextVisit:
    """What the patient leaves the desk with."""
    booked = session.execute(
        select(Appointment, Employee)
        .join(Employee, Employee.id == Appointment.doctor_id)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.starts_at > clock.wall_now(),
            Appointment.status.not_in(FREES_TIME),
        )
        .order_by(Appointment.starts_at)
        .limit(3)
    ).all()
    refused = session.scalars(
        select(NextVisitRefusal).where(
            NextVisitRefusal.patient_id == patient_id, NextVisitRefusal.business_day == clock.today()
        )
    ).first()
    return NextVisit([(visit, doctor) for visit, doctor in booked], **wishes_of(patient_id), refused=refused)
