"""Offering free time from the waiting list: held until the patient answers; the first who accepts has it.

Locks: the visit that is to be sooner, the words of the day, the hold, its entries by number, then the call tasks.
Where next: `waiting.py` for the entries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from app import access, audit, clock
from app.db import lock, session
from app.errors import Invalid, NotFound, OfferClosed, Stale
from app.models import Appointment, ClinicSetting, TimeBlock, User, WaitingEntry, WaitingOffer
from app.schedule import queries, rules
from app.schedule.operations import visits, waiting
from app.schedule.operations.places import branch_for, hold, locked_visit, slot_of
from app.schedule.rules import Slot
from app.tasks import operations as tasks
from app.vocab import N_, BlockKind, OfferStatus, TaskReasonKind, WaitingKind, WaitingStatus


@dataclass(frozen=True)
class Accepted:
    """What came of an accepted offer: the visit, and the time that it left when it was moved: the next round."""

    offer: WaitingOffer
    visit: Appointment
    freed: Slot | None
    freed_branch_id: int | None = None


def offer_time(
    entry_id: int,
    doctor_id: int,
    starts_at: datetime,
    ends_at: datetime | None = None,
    *,
    version: int | None = None,
    chair_id: int | None = None,
    actor: User | None,
) -> WaitingOffer:
    """Offer a waiting patient a free time and hold it until the answer, as long as the clinic has set.

    Several may be offered the same time: they share its hold. The patient is put on the list of those to be called.
    Without an end the time is as long as the entry wants. Records `waiting.offered`. Flushes, never commits.

    Raises:
        NotFound, Invalid, WrongTimes, OutsideHours
        WrongStatus: the entry is closed, or was offered another time already.
        SlotTaken: somebody is there, or the patient has a visit then.
        Stale: the entry was changed since.
    """
    seen = session.get(WaitingEntry, entry_id)
    if seen is None:
        raise NotFound()
    ends_at = ends_at or starts_at + timedelta(minutes=seen.minutes)
    rules.check_times(starts_at, ends_at)
    now = clock.wall_now()
    keeps = session.scalar(select(ClinicSetting.offer_minutes)) or 60
    expires_at = clock.now() + (rules.offer_ends(now, keeps, starts_at) - now)
    slot = Slot(starts_at, ends_at, doctor_id, chair_id, seen.patient_id)
    hold(slot)
    shared = _shared_hold(slot)
    entry = _waiting(entry_id, version)
    branch_id = _check_free(slot, entry, shared)
    block = shared or _held(slot, branch_id, expires_at, actor)
    offer = WaitingOffer(
        entry_id=entry.id, hold_id=block.id, doctor_id=doctor_id, branch_id=branch_id, chair_id=chair_id,
        starts_at=starts_at, ends_at=ends_at, expires_at=expires_at, status=OfferStatus.OPEN, created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(offer)
    block.starts_at, block.ends_at = min(block.starts_at, starts_at), max(block.ends_at, ends_at)
    session.flush()
    waiting.keep_hold(block.id)
    before = waiting.entry_facts(entry)
    entry.status = WaitingStatus.OFFERED
    times = audit.facts(offer, ("doctor_id", "starts_at", "ends_at", "expires_at"))
    waiting.written(entry, "waiting.offered", before, actor, **times)
    tasks.ask(
        entry.patient_id, TaskReasonKind.WAITING_OFFER, due_on=clock.today(), doctor_id=doctor_id,
        waiting_entry_id=entry.id, note=f"{starts_at:%d.%m %H:%M}–{ends_at:%H:%M}", actor=actor,
    )  # fmt: skip
    return offer


def _shared_hold(slot: Slot) -> TimeBlock | None:
    """The hold of other offers of this time, locked; None when there is none."""
    return session.scalars(
        select(TimeBlock)
        .where(
            TimeBlock.id.in_(select(WaitingOffer.hold_id).where(WaitingOffer.status == OfferStatus.OPEN)),
            TimeBlock.doctor_id == slot.doctor_id,
            TimeBlock.starts_at < slot.ends_at,
            TimeBlock.ends_at > slot.starts_at,
            TimeBlock.lifted_at.is_(None),
            TimeBlock.expires_at > clock.now(),
        )
        .order_by(TimeBlock.id)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _waiting(entry_id: int, version: int | None) -> WaitingEntry:
    """An entry that waits and was not offered anything, locked."""
    entry = lock(WaitingEntry, entry_id)
    if entry is None:
        raise NotFound()
    if version is not None and entry.version != version:
        raise Stale(current=queries.waiting_entry(entry_id))
    if entry.status != WaitingStatus.WAITING:
        raise rules.ended(WaitingStatus(entry.status))
    return entry


def _check_free(slot: Slot, entry: WaitingEntry, shared: TimeBlock | None) -> int:
    """The time must be free but for the shared hold, within hours, and the patient free too; the branch of it."""
    besides = entry.appointment_id if entry.kind == WaitingKind.MOVE_UP else None
    whole = slot
    if shared is not None:
        start, end = min(shared.starts_at, slot.starts_at), max(shared.ends_at, slot.ends_at)
        whole = Slot(start, end, slot.doctor_id, slot.chair_id)
    look = queries.look(
        whole, patient_id=entry.patient_id, doctor_id=slot.doctor_id, chair_id=slot.chair_id, besides=besides or 0,
        besides_block=shared.id if shared else 0,
    )  # fmt: skip
    wrong = {}
    if look.doctor is None:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    if slot.chair_id is not None and look.chair is None:
        wrong["chair_id"] = N_("There is no such chair.")
    if wrong:
        raise Invalid(fields=wrong)
    branch_id = branch_for(look, slot, None, slot.chair_id)
    rules.check_slot(slot, look.busy, reason="", may_overbook=False)
    rules.check_slot(whole, look.busy, reason="", may_overbook=False)
    hours = [piece for piece in look.hours if piece.branch_id == branch_id]
    rules.check_hours(slot, hours, reason="", may_go_outside=False)
    return branch_id


def _held(slot: Slot, branch_id: int, expires_at: datetime, actor: User | None) -> TimeBlock:
    """A hold of the time; it is not an action of its own, so nobody undoes it apart from the offer."""
    block = TimeBlock(
        kind=BlockKind.HOLD, branch_id=branch_id, doctor_id=slot.doctor_id, chair_id=slot.chair_id,
        starts_at=slot.starts_at, ends_at=slot.ends_at, reason="—", expires_at=expires_at, version=0,
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(block)
    session.flush()
    return block


def _locked_hold(hold_id: int) -> tuple[TimeBlock, dict[int, tuple[WaitingOffer, WaitingEntry]]]:
    """A hold with its open offers and their entries, all locked: {offer id: (offer, entry)}."""
    block = lock(TimeBlock, hold_id)
    assert block is not None
    of_hold = select(WaitingOffer.entry_id).where(
        WaitingOffer.hold_id == hold_id, WaitingOffer.status == OfferStatus.OPEN
    )
    anew = {"populate_existing": True}
    entries = session.scalars(
        select(WaitingEntry).where(WaitingEntry.id.in_(of_hold)).order_by(WaitingEntry.id).with_for_update(),
        execution_options=anew,
    ).all()
    offers = session.scalars(
        select(WaitingOffer)
        .where(
            WaitingOffer.hold_id == hold_id,
            WaitingOffer.status == OfferStatus.OPEN,
            WaitingOffer.entry_id.in_([entry.id for entry in entries]),
        )
        .order_by(WaitingOffer.id),
        execution_options=anew,
    ).all()
    by_id = {entry.id: entry for entry in entries}
    return block, {offer.id: (offer, by_id[offer.entry_id]) for offer in offers}


def _closed(offer_id: int) -> OfferClosed:
    """The refusal that says what became of an offer."""
    found = session.get(WaitingOffer, offer_id, populate_existing=True)
    assert found is not None
    status = OfferStatus(found.status)
    if status == OfferStatus.OPEN:
        status = OfferStatus.EXPIRED
    return OfferClosed({"status": status.label}, offer_status=str(status))


def _stands(offer: WaitingOffer, block: TimeBlock) -> bool:
    return block.lifted_at is None and offer.expires_at > clock.now()


def accept_offer(offer_id: int, *, actor: User | None) -> Accepted:
    """The patient takes the time: booked in the same transaction, and lost for the others who were offered it.

    Who wanted a visit sooner is moved there, and the old time is free: `freed` is the next round. The first who
    accepts has it; whoever comes later is told so. Records `waiting.booked`. Flushes, never commits.

    Raises:
        NotFound, NotAllowed
        OfferClosed: answered, run out, or taken by another patient.
        SlotTaken, OutsideHours, CardArchived: as for any booking.
    """
    seen = session.get(WaitingOffer, offer_id)
    if seen is None:
        raise NotFound()
    entry = session.get_one(WaitingEntry, seen.entry_id)
    slot = Slot(seen.starts_at, seen.ends_at, seen.doctor_id, seen.chair_id, entry.patient_id)
    sooner = None
    if entry.kind == WaitingKind.MOVE_UP and entry.appointment_id is not None:
        sooner = locked_visit(entry.appointment_id)
    hold(slot, *([slot_of(sooner)] if sooner else []))
    block, open_ = _locked_hold(seen.hold_id)
    if offer_id not in open_ or not _stands(open_[offer_id][0], block):
        raise _closed(offer_id)
    offer, entry = open_.pop(offer_id)
    block.lifted_at = clock.now()
    block.version += 1
    session.flush()
    visit, freed, freed_branch_id = _take(entry, offer, sooner, actor)
    offer.status, offer.answered_at, offer.appointment_id = OfferStatus.ACCEPTED, clock.now(), visit.id
    waiting.met(entry, visit, actor=actor)
    for other, waits in open_.values():
        other.status, other.answered_at = OfferStatus.LOST, clock.now()
        _waits_again(waits, other, "waiting.offer_lost", actor)
    session.flush()
    for one in sorted((entry, *(waits for _, waits in open_.values())), key=lambda one: one.patient_id):
        _no_call(one, actor)
    return Accepted(offer, visit, freed, freed_branch_id)


def _take(
    entry: WaitingEntry, offer: WaitingOffer, sooner: Appointment | None, actor: User | None
) -> tuple[Appointment, Slot | None, int | None]:
    """Book the offered time, or move the visit there that was to be sooner: the visit, the time it left, its branch."""
    if sooner is not None and sooner.status == rules.BOOKED:
        access.require(actor, "schedule.move")
        freed, branch_id = slot_of(sooner), sooner.branch_id
        visit = visits.move(
            sooner.id, sooner.version, doctor_id=offer.doctor_id, chair_id=offer.chair_id, starts_at=offer.starts_at,
            ends_at=offer.ends_at, actor=actor,
        )  # fmt: skip
        return visit, freed, branch_id
    access.require(actor, "schedule.book")
    visit = visits.book(
        entry.patient_id, offer.doctor_id, offer.starts_at, offer.ends_at, chair_id=offer.chair_id,
        branch_id=offer.branch_id, service_id=entry.service_id, comment=entry.comment, actor=actor,
    )  # fmt: skip
    return visit, None, None


def _waits_again(entry: WaitingEntry, offer: WaitingOffer, action: str, actor: User | None) -> None:
    before = waiting.entry_facts(entry)
    entry.status = WaitingStatus.WAITING
    waiting.written(entry, action, before, actor, **audit.facts(offer, ("doctor_id", "starts_at", "ends_at")))


def _no_call(entry: WaitingEntry, actor: User | None) -> None:
    tasks.reasons_gone(kinds=(TaskReasonKind.WAITING_OFFER,), waiting_entry_id=entry.id, actor=actor)


def decline_offer(offer_id: int, *, actor: User | None) -> WaitingOffer:
    """The patient does not want this time and waits on; it is free when nobody else was offered it.

    Raises:
        NotFound
        OfferClosed: answered already, run out, or taken by another patient.
    """
    seen = session.get(WaitingOffer, offer_id)
    if seen is None:
        raise NotFound()
    block, open_ = _locked_hold(seen.hold_id)
    if offer_id not in open_ or not _stands(open_[offer_id][0], block):
        raise _closed(offer_id)
    offer, entry = open_[offer_id]
    waiting.answered(offer, OfferStatus.DECLINED)
    _waits_again(entry, offer, "waiting.declined", actor)
    _no_call(entry, actor)
    return offer


def expire_offers(*, limit: int = 200) -> int:
    """Offers that nobody answered in time end, their patients wait on; so do offers whose hold was lifted by hand."""
    due = or_(WaitingOffer.expires_at <= clock.now(), TimeBlock.lifted_at.is_not(None))
    holds = session.scalars(
        select(WaitingOffer.hold_id)
        .join(TimeBlock, TimeBlock.id == WaitingOffer.hold_id)
        .where(WaitingOffer.status == OfferStatus.OPEN, due)
        .group_by(WaitingOffer.hold_id)
        .order_by(WaitingOffer.hold_id)
        .limit(limit)
    ).all()
    done = 0
    for hold_id in holds:
        block, open_ = _locked_hold(hold_id)
        ended: list[WaitingEntry] = []
        for offer, entry in open_.values():
            if not _stands(offer, block):
                offer.status, offer.answered_at = OfferStatus.EXPIRED, clock.now()
                _waits_again(entry, offer, "waiting.offer_expired", None)
                ended.append(entry)
        session.flush()
        waiting.keep_hold(hold_id)
        for entry in sorted(ended, key=lambda one: one.patient_id):
            _no_call(entry, None)
        done += len(ended)
    return done
