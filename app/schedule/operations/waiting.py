"""The waiting list «Лист ожидания»: an entry is made, changed, called off, met by a booking, or waits in vain.

Locks, after the words of the day: the hold of an open offer, entries by number, then the patient's call task.
Where next: `offers.py` for what is offered from the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from app import audit, clock
from app.db import Busy, lock, session
from app.errors import AlreadyThere, Invalid, NotFound, Stale
from app.models import (
    Appointment,
    Branch,
    ClinicSetting,
    Employee,
    PlannedVisit,
    TimeBlock,
    User,
    WaitingEntry,
    WaitingOffer,
)
from app.schedule import queries, rules
from app.schedule.operations import planned
from app.tasks import operations as tasks
from app.vocab import (
    N_,
    AppointmentStatus,
    OfferStatus,
    TaskReasonKind,
    Urgency,
    WaitingKind,
    WaitingStatus,
    WantedDoctors,
)

#: What the log keeps of an entry.
_KEPT = (
    "status", "kind", "urgency", "minutes", "wanted_doctors", "doctor_ids", "speciality_id", "branch_id", "service_id",
    "weekdays", "first_day", "last_day", "notice_hours", "comment",
)  # fmt: skip
_OPEN = (WaitingStatus.WAITING, WaitingStatus.OFFERED)
#: The calls that an entry asked for.
_CALLS = (TaskReasonKind.WAITING_OFFER, TaskReasonKind.WAITING_EXPIRED)


def wait_for_time(
    patient_id: int,
    *,
    kind: str = WaitingKind.NO_TIME,
    appointment_id: int | None = None,
    wanted_doctors: str = WantedDoctors.ANY,
    doctor_ids: Sequence[int] = (),
    speciality_id: int | None = None,
    branch_id: int | None = None,
    service_id: int | None = None,
    minutes: int | None = None,
    weekdays: Sequence[int] = (1, 2, 3, 4, 5, 6, 7),
    windows: rules.Windows = (rules.WHOLE_DAY,),
    first_day: date | None = None,
    last_day: date | None = None,
    notice_hours: int = 2,
    urgency: str = Urgency.USUAL,
    comment: str = "",
    actor: User | None,
) -> WaitingEntry:
    """Put a patient on the waiting list, with what would suit.

    `appointment_id` is the visit that the patient wants sooner (kind move_up; once per visit), or the cancelled one.
    `windows` are minutes of the day; preferred doctors without a speciality mean their common one. The call about a
    cancelled visit is no longer needed. Records `waiting.added`. Flushes, never commits.

    Raises:
        Invalid, CardArchived, CardMerged, CardErased
        AlreadyThere: this visit is wanted sooner already.
    """
    today = clock.today()
    service = planned.check_wanted(patient_id, None, speciality_id, service_id)
    entry = WaitingEntry(
        patient_id=patient_id, kind=WaitingKind(kind), appointment_id=appointment_id, status=WaitingStatus.WAITING,
        wanted_doctors=WantedDoctors(wanted_doctors), doctor_ids=list(dict.fromkeys(doctor_ids)),
        speciality_id=speciality_id, branch_id=branch_id, service_id=service_id,
        minutes=minutes or (service.minutes if service else 30), weekdays=sorted(set(weekdays)),
        windows=_as_ranges(windows), first_day=max(first_day or today, today), last_day=last_day,
        notice_hours=notice_hours, urgency=Urgency(urgency), comment=comment.strip(), created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    _check(entry, windows)
    _check_visit(entry)
    session.add(entry)
    session.flush()
    _record("waiting.added", entry, after=audit.facts(entry, _KEPT), actor=actor)
    if appointment_id is not None and entry.kind == WaitingKind.CANCELLED:
        gone = (TaskReasonKind.CANCELLED,)
        tasks.reasons_gone(kinds=gone, appointment_id=appointment_id, actor=actor)
    return entry


def _as_ranges(windows: rules.Windows) -> list[Range[int]]:
    return [Range(start, end) for start, end in rules.merged(windows)]


def _check(entry: WaitingEntry, windows: rules.Windows | None) -> None:
    """The wishes must be possible, their doctors and branch in use.

    Raises:
        Invalid
    """
    rules.check_wishes(
        minutes=entry.minutes, windows=windows or queries.as_windows(entry.windows),
        wanted_doctors=entry.wanted_doctors, doctor_ids=entry.doctor_ids, first_day=entry.first_day,
        last_day=entry.last_day, today=clock.today(),
    )  # fmt: skip
    if entry.branch_id is not None:
        branch = session.get(Branch, entry.branch_id)
        if branch is None or branch.archived:
            raise Invalid(fields={"branch_id": N_("There is no such branch.")})
    if entry.wanted_doctors == WantedDoctors.ANY:
        entry.doctor_ids = []
        return
    found = session.execute(
        select(Employee.id, Employee.speciality_id).where(
            Employee.id.in_(entry.doctor_ids), Employee.is_doctor.is_(True), Employee.archived.is_(False)
        )
    ).all()
    if len(found) != len(entry.doctor_ids):
        wrong = N_("There is no such doctor, or the doctor no longer sees patients.")
        raise Invalid(fields={"doctor_ids": wrong})
    specialities = {row.speciality_id for row in found}
    if entry.wanted_doctors == WantedDoctors.PREFERRED and entry.speciality_id is None and len(specialities) == 1:
        entry.speciality_id = specialities.pop()


def _check_visit(entry: WaitingEntry) -> None:
    """The visit that is wanted sooner, or the cancelled one, must be the patient's own.

    Raises:
        Invalid, AlreadyThere
    """
    visit = session.get(Appointment, entry.appointment_id) if entry.appointment_id is not None else None
    if entry.appointment_id is not None and (visit is None or visit.patient_id != entry.patient_id):
        raise Invalid(fields={"appointment_id": N_("This is not a visit of this patient.")})
    if entry.kind != WaitingKind.MOVE_UP:
        return
    rules.check_sooner(visit.status if visit else None, visit.starts_at if visit else None, clock.wall_now())
    same = select(WaitingEntry.id).where(
        WaitingEntry.kind == WaitingKind.MOVE_UP,
        WaitingEntry.appointment_id == entry.appointment_id,
        queries.IS_WAITING,
    )
    with session.no_autoflush:
        if session.scalars(same.limit(1)).first() is not None:
            raise AlreadyThere()


def locked_entry(entry_id: int, version: int | None = None) -> tuple[WaitingEntry, WaitingOffer | None]:
    """An open entry with its open offer; the offer's hold is locked first, then the entry.

    Raises:
        NotFound
        WrongStatus: it is booked, called off or expired.
        Stale: somebody changed it since; carries it as it is now.
        Busy: a time is being offered at this very moment.
    """
    offered = select(WaitingOffer).where(WaitingOffer.entry_id == entry_id, WaitingOffer.status == OfferStatus.OPEN)
    before = session.scalars(offered).one_or_none()
    if before is not None:
        lock(TimeBlock, before.hold_id)
    entry = lock(WaitingEntry, entry_id)
    if entry is None:
        raise NotFound()
    if version is not None and entry.version != version:
        raise Stale(current=queries.waiting_entry(entry_id))
    if entry.status not in _OPEN:
        raise rules.ended(WaitingStatus(entry.status))
    offer = session.scalars(offered, execution_options={"populate_existing": True}).one_or_none()
    if offer is not None and (before is None or before.hold_id != offer.hold_id):
        raise Busy()
    return entry, offer


def change_wishes(
    entry_id: int, version: int, *, windows: rules.Windows | None = None, actor: User | None, **values: Any
) -> WaitingEntry:
    """Change what would suit; an open offer stays as it is.

    Raises:
        NotFound, WrongStatus, Stale, Invalid
    """
    entry, _ = locked_entry(entry_id, version)
    before = audit.facts(entry, _KEPT)
    planned.check_wanted(None, None, values.get("speciality_id"), values.get("service_id"))
    for name, value in values.items():
        setattr(entry, name, value.strip() if isinstance(value, str) else value)
    if windows is not None:
        entry.windows = _as_ranges(windows)
    entry.weekdays, entry.doctor_ids = sorted(set(entry.weekdays)), list(dict.fromkeys(entry.doctor_ids))
    with session.no_autoflush:
        _check(entry, windows)
    return written(entry, "waiting.changed", before, actor)


def call_off(entry_id: int, version: int | None, reason_id: int, *, actor: User | None) -> WaitingEntry:
    """The patient no longer waits, and says why; a time that was offered is free for the others.

    Raises:
        NotFound, WrongStatus, Stale, Invalid
    """
    entry, offer = locked_entry(entry_id, version)
    before = audit.facts(entry, _KEPT)
    reason = planned.check_refusal(reason_id)
    entry.refusal_reason_id = reason.id
    entry.status, entry.closed_at = WaitingStatus.CANCELLED, clock.now()
    if offer is not None:
        answered(offer, OfferStatus.DECLINED)
    written(entry, "waiting.called_off", before, actor, refusal=reason.name)
    tasks.reasons_gone(kinds=_CALLS, waiting_entry_id=entry.id, actor=actor)
    return entry


# --- offers: what they share with entries -----------------------------------------------------------------


def answered(offer: WaitingOffer, status: OfferStatus) -> None:
    """An open offer ends; its time is free again when nobody else was offered it. The hold must be locked."""
    offer.status, offer.answered_at = status, clock.now()
    session.flush()
    keep_hold(offer.hold_id)


def keep_hold(hold_id: int) -> None:
    """Let a locked hold stand as long as its open offers do, under the names of their patients."""
    block = session.get_one(TimeBlock, hold_id)
    open_ = session.scalars(
        select(WaitingOffer)
        .where(WaitingOffer.hold_id == hold_id, WaitingOffer.status == OfferStatus.OPEN)
        .order_by(WaitingOffer.id)
    ).all()
    if block.lifted_at is not None:
        return
    block.version += 1
    if open_:
        block.expires_at = max(offer.expires_at for offer in open_)
        who = [offer.entry.patient for offer in open_]
        names = [queries.short_name(one.surname, one.name, one.patronymic) for one in who]
        block.reason = ", ".join(names)[:200]
    else:
        block.lifted_at = clock.now()
    session.flush()


def written(entry: WaitingEntry, action: str, before: dict[str, Any], actor: User | None, **more: Any) -> WaitingEntry:
    """Write a changed entry with its next version, and record it."""
    entry.version += 1
    session.flush()
    _record(action, entry, before=before, after={**audit.facts(entry, _KEPT), **more}, actor=actor)
    return entry


def entry_facts(entry: WaitingEntry) -> dict[str, Any]:
    return audit.facts(entry, _KEPT)


def _record(action: str, entry: WaitingEntry, *, actor: User | None, **facts: Any) -> None:
    audit.record(action, entry, patient_id=entry.patient_id, actor=actor, **facts)
    session.flush()


# --- a booking closes what it fulfils ---------------------------------------------------------------------


@dataclass(frozen=True)
class Closing:
    """What a booking will close: planned visits, and entries of the waiting list with their open offers, all locked."""

    plans: list[PlannedVisit]
    entries: list[tuple[WaitingEntry, WaitingOffer | None]]


NOTHING = Closing([], [])


def to_close(patient_id: int, planned_visit_ids: Sequence[int], waiting_entry_ids: Sequence[int]) -> Closing:
    """Lock what a booking of this patient closes; what is closed already is left alone.

    Raises:
        Invalid: it is not this patient's.
    """
    if not planned_visit_ids and not waiting_entry_ids:
        return NOTHING
    plans = planned.locked_of_patient(planned_visit_ids, patient_id)
    entries = []
    for pk in sorted(set(waiting_entry_ids)):
        found = session.get(WaitingEntry, pk)
        if found is None or found.patient_id != patient_id:
            raise Invalid(fields={"waiting_entry_id": N_("This is not an entry of this patient.")})
        if found.status in _OPEN:
            entries.append(locked_entry(pk))
    return Closing(plans, entries)


def close(closing: Closing, visit: Appointment, *, actor: User | None) -> None:
    """The visit was booked: what it fulfils is closed by it. The calls about it are settled by `no_calls`, later."""
    for plan in closing.plans:
        planned.fulfilled(plan, visit, actor=actor)
    for entry, offer in closing.entries:
        if offer is not None:
            answered(offer, OfferStatus.DECLINED)
        met(entry, visit, actor=actor)


def met(entry: WaitingEntry, visit: Appointment, *, actor: User | None) -> None:
    """The waiting has ended with this visit."""
    before = audit.facts(entry, _KEPT)
    entry.status, entry.booked_id, entry.closed_at = WaitingStatus.BOOKED, visit.id, clock.now()
    written(entry, "waiting.booked", before, actor)


def no_calls(closing: Closing, *, actor: User | None) -> None:
    """Nobody needs to call about what the booking closed."""
    for plan in closing.plans:
        tasks.reasons_gone(planned_visit_id=plan.id, actor=actor)
    for entry, _ in closing.entries:
        tasks.reasons_gone(waiting_entry_id=entry.id, actor=actor)


# --- by itself --------------------------------------------------------------------------------------------


def give_up(*, limit: int = 200) -> int:
    """Entries that wait in vain end; how many. Nothing while the module is off.

    Past the last wished day the entry has expired and the patient is to be called: it is not lost. A visit that was to
    be sooner and took place ends its entry; one that was cancelled or missed ends it too, and has a call of its own.
    """
    if session.scalar(select(ClinicSetting.crm)) is False:
        return 0
    today, done = clock.today(), 0
    for pk in queries.due_entries(today, limit=limit):
        entry = lock(WaitingEntry, pk)
        if entry is None or entry.status != WaitingStatus.WAITING:
            continue
        visit = session.get(Appointment, entry.appointment_id) if entry.appointment_id else None
        came = (AppointmentStatus.ARRIVED, AppointmentStatus.IN_PROGRESS, AppointmentStatus.COMPLETED)
        if entry.kind == WaitingKind.MOVE_UP and visit is not None and visit.status in came:
            met(entry, visit, actor=None)
            done += 1
            continue
        before = audit.facts(entry, _KEPT)
        in_vain = entry.last_day is not None and entry.last_day < today
        entry.status, entry.closed_at = WaitingStatus.EXPIRED, clock.now()
        written(entry, "waiting.expired", before, None)
        if in_vain:
            tasks.ask(
                entry.patient_id, TaskReasonKind.WAITING_EXPIRED, due_on=today,
                doctor_id=entry.doctor_ids[0] if entry.doctor_ids else None, waiting_entry_id=entry.id,
                note=entry.comment, actor=None,
            )  # fmt: skip
        done += 1
    return done
