"""Planned visits «Запланировать прием»: made, called about, postponed, declined, fulfilled.

Their rows are locked after the words of the day and before the patient's call task. Where next: `waiting.py`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from app import audit, clock
from app.db import lock, session
from app.errors import Invalid, NotFound, Stale
from app.models import (
    Appointment,
    ClinicSetting,
    Employee,
    Patient,
    PlannedVisit,
    RefusalReason,
    Service,
    Speciality,
    User,
)
from app.patients import operations as cards
from app.schedule import queries, rules
from app.tasks import operations as tasks
from app.vocab import N_, PlannedFrom, PlannedStatus, TaskReasonKind

#: What the log keeps of a planned visit.
_KEPT = (
    "status", "target_from", "target_to", "tolerance_days", "doctor_id", "speciality_id", "service_id", "minutes",
    "reason", "wishes", "comment", "call_on",
)  # fmt: skip


def plan(
    patient_id: int,
    *,
    months: int | None = None,
    target_from: date | None = None,
    target_to: date | None = None,
    tolerance_days: int = 0,
    doctor_id: int | None = None,
    speciality_id: int | None = None,
    service_id: int | None = None,
    minutes: int | None = None,
    reason: str = "",
    wishes: str = "",
    comment: str = "",
    call_on: date | None = None,
    made_from: str = PlannedFrom.CARD,
    from_appointment_id: int | None = None,
    actor: User | None,
) -> PlannedVisit:
    """A patient should come in about so many `months`, or between two days; there is no date yet.

    Without a doctor and a speciality anybody will do; the length and the words come from the service when nothing
    else is said. Called about so many days before as the clinic has set, or on `call_on`. What was planned from a
    cancelled visit takes the place of the call about it. Records `planned.made`. Flushes, never commits.

    Raises:
        Invalid, CardArchived, CardMerged, CardErased
    """
    today = clock.today()
    if months is not None:
        target_from, target_to = rules.target_of(today, months)
    if target_from is None:
        raise Invalid(fields={"target_from": N_("Choose when the patient should come.")})
    target_to = target_to or target_from
    rules.check_target(target_from, target_to, today)
    service = check_wanted(patient_id, doctor_id, speciality_id, service_id)
    _check_origin(patient_id, from_appointment_id)
    reason = reason.strip() or (service.name if service else "")
    if not reason:
        raise Invalid(fields={"reason": N_("Write what the visit is for.")})
    planned = PlannedVisit(
        patient_id=patient_id, target_from=target_from, target_to=target_to, tolerance_days=tolerance_days,
        doctor_id=doctor_id, speciality_id=speciality_id, service_id=service_id,
        minutes=minutes or (service.minutes if service else 30), reason=reason[:400], wishes=wishes.strip(),
        comment=comment.strip(), call_on=_call_on(call_on, target_from, target_to), status=PlannedStatus.PLANNED,
        made_from=PlannedFrom(made_from), from_appointment_id=from_appointment_id, created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(planned)
    session.flush()
    _record("planned.made", planned, after=audit.facts(planned, _KEPT), actor=actor)
    if made_from == PlannedFrom.CANCELLATION and from_appointment_id is not None:
        gone = (TaskReasonKind.CANCELLED,)
        tasks.reasons_gone(kinds=gone, appointment_id=from_appointment_id, actor=actor)
    return planned


def check_wanted(
    patient_id: int | None, doctor_id: int | None, speciality_id: int | None, service_id: int | None
) -> Service | None:
    """Patient, doctor, speciality and service must be there and in use; the service.

    Raises:
        Invalid, CardArchived, CardMerged, CardErased
    """
    wrong = {}
    patient = session.get(Patient, patient_id) if patient_id is not None else None
    doctor = session.get(Employee, doctor_id) if doctor_id is not None else None
    speciality = session.get(Speciality, speciality_id) if speciality_id is not None else None
    service = session.get(Service, service_id) if service_id is not None else None
    if patient_id is not None and patient is None:
        wrong["patient_id"] = N_("There is no such patient.")
    if doctor_id is not None and (doctor is None or not doctor.is_doctor or doctor.archived):
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if speciality_id is not None and (speciality is None or speciality.archived):
        wrong["speciality_id"] = N_("There is no such speciality.")
    if service_id is not None and (service is None or service.archived):
        wrong["service_id"] = N_("There is no such service.")
    if wrong:
        raise Invalid(fields=wrong)
    if patient is not None:
        cards.check_open(patient)
    return service


def _check_origin(patient_id: int, appointment_id: int | None) -> None:
    if appointment_id is not None:
        visit = session.get(Appointment, appointment_id)
        if visit is None or visit.patient_id != patient_id:
            raise Invalid(fields={"from_appointment_id": N_("This is not a visit of this patient.")})


def _call_on(call_on: date | None, target_from: date, target_to: date) -> date:
    if call_on is None:
        return rules.call_day(target_from, queries.lead_days(), clock.today())
    if call_on < clock.today() or call_on > target_to:
        raise Invalid(fields={"call_on": N_("Call between today and the day by which the patient should come.")})
    return call_on


def locked_plan(planned_id: int, version: int | None = None) -> PlannedVisit:
    """A planned visit that still waits for a date, locked.

    Raises:
        NotFound
        WrongStatus: it is booked, declined or closed.
        Stale: somebody changed it since; carries it as it is now.
    """
    planned = lock(PlannedVisit, planned_id)
    if planned is None:
        raise NotFound()
    if version is not None and planned.version != version:
        raise Stale(current=queries.planned_visit(planned_id))
    if planned.status not in queries.OPEN_PLANNED:
        raise rules.ended(PlannedStatus(planned.status))
    return planned


def change_plan(planned_id: int, version: int, *, actor: User | None, **values: Any) -> PlannedVisit:
    """Change what was planned; another target is called about anew, unless the day of the call is said too.

    Raises:
        NotFound, WrongStatus, Stale, Invalid
    """
    planned = locked_plan(planned_id, version)
    before = audit.facts(planned, _KEPT)
    call_on = values.pop("call_on", None)
    today = clock.today()
    if values.get("months") is not None:
        values["target_from"], values["target_to"] = rules.target_of(today, values["months"])
    values.pop("months", None)
    check_wanted(None, values.get("doctor_id"), values.get("speciality_id"), values.get("service_id"))
    old_target = planned.target_from, planned.target_to
    for name, value in values.items():
        setattr(planned, name, value.strip() if isinstance(value, str) else value)
    if not planned.reason:
        raise Invalid(fields={"reason": N_("Write what the visit is for.")})
    if (planned.target_from, planned.target_to) != old_target:
        rules.check_target(planned.target_from, planned.target_to, today)
    if call_on is not None or planned.target_from != old_target[0]:
        planned.call_on = _call_on(call_on, planned.target_from, planned.target_to)
        _wait_for_call(planned, actor)
    return _written(planned, "planned.changed", before, actor)


def _wait_for_call(planned: PlannedVisit, actor: User | None) -> None:
    """The day of the call has moved: nobody calls about it before."""
    if planned.status == PlannedStatus.CALL_DUE and planned.call_on > clock.today():
        planned.status = PlannedStatus.POSTPONED
        _no_call(planned, actor)


def postpone_plan(
    planned_id: int, version: int | None, call_on: date, *, comment: str = "", actor: User | None
) -> PlannedVisit:
    """Call about it later; a target that would be over by then moves along.

    Raises:
        NotFound, WrongStatus, Stale
        Invalid: the day is not ahead, or farther than five years.
    """
    planned = locked_plan(planned_id, version)
    today = clock.today()
    if call_on <= today:
        raise Invalid(fields={"call_on": N_("Choose a day after today.")})
    before = audit.facts(planned, _KEPT)
    if call_on > planned.target_to:
        length = planned.target_to - planned.target_from
        planned.target_from, planned.target_to = call_on, call_on + length
    rules.check_target(planned.target_from, planned.target_to, today)
    planned.call_on, planned.status = call_on, PlannedStatus.POSTPONED
    if comment.strip():
        planned.comment = "\n".join(filter(None, (planned.comment, comment.strip())))
    _no_call(planned, actor)
    return _written(planned, "planned.postponed", before, actor)


def decline_plan(planned_id: int, version: int | None, reason_id: int, *, actor: User | None) -> PlannedVisit:
    """The patient does not want the visit, and says why.

    Raises:
        NotFound, WrongStatus, Stale, Invalid
    """
    planned = locked_plan(planned_id, version)
    before = audit.facts(planned, _KEPT)
    reason = check_refusal(reason_id)
    planned.refusal_reason_id = reason.id
    _end(planned, PlannedStatus.DECLINED, actor)
    return _written(planned, "planned.declined", before, actor, refusal=reason.name)


def check_refusal(reason_id: int) -> RefusalReason:
    """Raises:
    Invalid: there is no such reason.
    """
    reason = session.get(RefusalReason, reason_id)
    if reason is None or reason.archived:
        raise Invalid(fields={"reason_id": N_("Choose the reason from the list.")})
    return reason


def close_plan(planned_id: int, version: int | None, *, comment: str = "", actor: User | None) -> PlannedVisit:
    """It is no longer needed: written by mistake, done elsewhere, a later visit covers it.

    Raises:
        NotFound, WrongStatus, Stale
    """
    planned = locked_plan(planned_id, version)
    before = audit.facts(planned, _KEPT)
    if comment.strip():
        planned.comment = "\n".join(filter(None, (planned.comment, comment.strip())))
    _end(planned, PlannedStatus.CLOSED, actor)
    return _written(planned, "planned.closed", before, actor)


def locked_of_patient(planned_ids: Sequence[int], patient_id: int) -> list[PlannedVisit]:
    """The planned visits that a booking of this patient closes, locked; one that is closed already is left alone.

    Raises:
        Invalid: one is not this patient's.
    """
    found = []
    for pk in sorted(set(planned_ids)):
        planned = lock(PlannedVisit, pk)
        if planned is None or planned.patient_id != patient_id:
            raise Invalid(fields={"planned_visit_id": N_("This is not a planned visit of this patient.")})
        if planned.status in queries.OPEN_PLANNED:
            found.append(planned)
    return found


def fulfilled(planned: PlannedVisit, visit: Appointment, *, actor: User | None) -> None:
    """The patient is booked: the planned visit is closed by it. Its call is settled by whoever booked."""
    before = audit.facts(planned, _KEPT)
    planned.status, planned.appointment_id, planned.closed_at = PlannedStatus.BOOKED, visit.id, clock.now()
    _written(planned, "planned.booked", before, actor)


def call_due(day: date | None = None, *, limit: int = 200) -> int:
    """Whose call day has come is put on the list of those to be called; how many. Nothing while the module is off."""
    if session.scalar(select(ClinicSetting.crm)) is False:
        return 0
    day = day or clock.today()
    done = 0
    for pk in queries.due_plans(day, limit=limit):
        planned = lock(PlannedVisit, pk)
        open_ = (PlannedStatus.PLANNED, PlannedStatus.POSTPONED)
        if planned is None or planned.status not in open_ or planned.call_on > day:
            continue
        task = tasks.ask(
            planned.patient_id, TaskReasonKind.PLANNED_VISIT, due_on=planned.call_on, doctor_id=planned.doctor_id,
            planned_visit_id=planned.id, note=planned.reason, actor=None,
        )  # fmt: skip
        before = audit.facts(planned, _KEPT)
        if task is None:
            # an archived card is called by nobody
            _end(planned, PlannedStatus.CLOSED, None)
            _written(planned, "planned.closed", before, None)
            continue
        planned.status = PlannedStatus.CALL_DUE
        _written(planned, "planned.call_due", before, None)
        done += 1
    return done


def _end(planned: PlannedVisit, status: PlannedStatus, actor: User | None) -> None:
    planned.status, planned.closed_at = status, clock.now()
    _no_call(planned, actor)


def _no_call(planned: PlannedVisit, actor: User | None) -> None:
    session.flush()
    tasks.reasons_gone(kinds=(TaskReasonKind.PLANNED_VISIT,), planned_visit_id=planned.id, actor=actor)


def _written(
    planned: PlannedVisit, action: str, before: dict[str, Any], actor: User | None, **more: Any
) -> PlannedVisit:
    planned.version += 1
    session.flush()
    _record(action, planned, before=before, after={**audit.facts(planned, _KEPT), **more}, actor=actor)
    return planned


def _record(action: str, planned: PlannedVisit, *, actor: User | None, **facts: Any) -> None:
    audit.record(action, planned, patient_id=planned.patient_id, actor=actor, **facts)
    session.flush()
