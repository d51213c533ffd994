"""Writing dated hours: what a change adds and takes away, who is in the way, which visits lose their hours.

One writer at a time (the word `hours`); hours are taken away only under the words of those days, which a booking takes
too: it either sees the hours gone, or is seen here. Where next: `hours.py` for the desk's verbs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import delete, insert, update

from app import clock
from app.db import lock_word, session
from app.errors import HoursHoldVisits, HoursTaken, Invalid
from app.models import User, WorkingHours
from app.schedule import queries, rules
from app.schedule.operations.places import hold
from app.schedule.queries import Dated, DoctorDay, Standing
from app.schedule.rules import Hours, Shift, Slot, Weekly
from app.tasks import operations as tasks
from app.vocab import N_, TaskReasonKind

#: What a day is to look like: shifts, each with the pattern that gives it; None: set by hand.
Wanted = Mapping[DoctorDay, Sequence[tuple[Shift, int | None]]]


@dataclass(frozen=True)
class Clash:
    """A shift that was not made, and who has the chair or the time."""

    doctor_id: int
    day: date
    shift: Shift
    what: str

    def facts(self) -> dict[str, object]:
        return {"doctor_id": self.doctor_id, "day": self.day.isoformat(), "what": self.what}


@dataclass
class Written:
    """What came of a change of hours."""

    added: int = 0
    removed: int = 0
    clashes: list[Clash] = field(default_factory=list)
    visits: list[Standing] = field(default_factory=list)
    skipped: list[date] = field(default_factory=list)


def one_at_a_time() -> None:
    """Hours are changed by one transaction at a time: two people who want one chair are told of each other."""
    lock_word("hours")


def horizon() -> date:
    """The last day for which hours are made: whole weeks, so many as the clinic has set."""
    return rules.monday_of(clock.today()) + timedelta(weeks=queries.weeks_ahead(), days=6)


def check_places(doctor_id: int, shifts: Sequence[Shift], place: str) -> None:
    """Doctor, branches and chairs must be there and in use, each chair in its branch.

    Raises:
        Invalid: a sentence for each shift that is wrong, under `<place>.0`, `<place>.1`, …
    """
    found = queries.hours_places(
        [doctor_id],
        {shift.branch_id for shift in shifts},
        {shift.chair_id for shift in shifts if shift.chair_id is not None},
    )
    wrong = {}
    if doctor_id not in found["doctor"]:
        wrong["doctor_id"] = N_("There is no such doctor, or the doctor no longer sees patients.")
    for number, shift in enumerate(shifts):
        if shift.branch_id not in found["branch"]:
            wrong[f"{place}.{number}"] = N_("There is no such branch.")
        elif shift.chair_id is not None and shift.chair_id not in found["chair"]:
            wrong[f"{place}.{number}"] = N_("There is no such chair.")
        elif shift.chair_id is not None and found["chair"][shift.chair_id].branch_id != shift.branch_id:
            wrong[f"{place}.{number}"] = N_("This chair is in another branch.")
    if wrong:
        raise Invalid(fields=wrong)


def set_by_hand(first: date, last: date, have: Iterable[Dated], doctor_ids: Collection[int] | None) -> set[DoctorDay]:
    """The doctors' days that somebody set by hand: an exception, or hours that no pattern made."""
    return {(row.doctor_id, row.day) for row in have if row.pattern_id is None} | set(
        queries.hours_exceptions(first, last, doctor_ids)
    )


def wanted_by_patterns(
    first: date, last: date, week: Sequence[Weekly], by_hand: Collection[DoctorDay]
) -> dict[DoctorDay, list[tuple[Shift, int | None]]]:
    """What the patterns of these doctors give on the days that nobody set by hand."""
    closed = rules.closed_days(first, last, {day: shut for day, (shut, _) in queries.overrides(first, last).items()})
    found: dict[DoctorDay, list[tuple[Shift, int | None]]] = {}
    for doctor_id in sorted({shift.doctor_id for shift in week}):
        own = [shift for shift in week if shift.doctor_id == doctor_id]
        hand = {day for doctor, day in by_hand if doctor == doctor_id}
        for day, shift in rules.hours_made(first, last, own, closed=closed, by_hand=hand):
            found.setdefault((doctor_id, day), []).append((shift, shift.id))
    return found


def agree(
    doctor_ids: Collection[int] | None,
    first: date,
    last: date,
    *,
    besides: Collection[int] = (),
    make_tasks: bool,
    note: str,
    actor: User | None,
) -> Written:
    """Let the dated hours of a period be what the patterns give; days set by hand stay as they are.

    `besides` are patterns that no longer count. Raises as `rewrite`.
    """
    have = queries.dated(first, last, doctor_ids)
    by_hand = set_by_hand(first, last, have, doctor_ids)
    week = [shift for shift in queries.weekly(doctor_ids, since=first) if shift.id not in besides]
    wanted = wanted_by_patterns(first, last, week, by_hand)
    mine = [row for row in have if (row.doctor_id, row.day) not in by_hand]
    in_use = {shift.id for shift in queries.weekly(doctor_ids, since=first, in_use=True)}
    return rewrite(wanted, mine, in_use=in_use, make_tasks=make_tasks, note=note, actor=actor)


def rewrite(
    wanted: Wanted,
    have: Sequence[Dated],
    *,
    in_use: Collection[int | None] | None = None,
    strict: bool = False,
    only_add: bool = False,
    make_tasks: bool = False,
    note: str = "",
    actor: User | None,
) -> Written:
    """Write what is wanted in place of what stands; visits stay where they are.

    `strict`: a clash refuses everything; else the shift is left out and told of. `in_use`: patterns that may give new
    hours. Visits that lose their hours become call tasks, but only when `make_tasks` says so.

    Raises:
        HoursTaken: strict, and somebody else has the chair then.
        HoursHoldVisits: visits lose their hours, and nobody has said yes.
    """
    stay = {(row.doctor_id, row.hours): row for row in have}
    new, repointed = [], {}
    for (doctor_id, day), shifts in wanted.items():
        for shift, pattern_id in shifts:
            row = stay.pop((doctor_id, shift.on(day)), None)
            if row is None and (in_use is None or pattern_id in in_use):
                new.append((doctor_id, day, shift, pattern_id))
            elif row is not None and row.pattern_id != pattern_id:
                repointed[row.id] = pattern_id
    gone = [] if only_add else list(stay.values())
    accepted, clashes = _without_clashes(new, gone)
    if strict and clashes:
        raise HoursTaken({"what": clashes[0].what}, clashes=[clash.facts() for clash in clashes])
    displaced, regained = _visits_touched(gone, accepted, have)
    if displaced and not make_tasks:
        raise HoursHoldVisits(
            {"count": len(displaced), "first": f"{displaced[0].starts_at:%d.%m.%Y %H:%M}"},
            appointments=[visit.id for visit in displaced],
            visits=[visit.facts() for visit in displaced],
        )
    _write(accepted, gone, repointed, actor)
    _tell_tasks(displaced, regained, note, actor)
    return Written(len(accepted), len(gone), clashes, displaced)


_New = tuple[int, date, Shift, int | None]


def _without_clashes(new: Sequence[_New], gone: Sequence[Dated]) -> tuple[list[_New], list[Clash]]:
    """New shifts that find their doctor and chair free, and what stands in the way of the others."""
    if not new:
        return [], []
    days = [day for _, day, _, _ in new]
    chairs = {shift.chair_id for _, _, shift, _ in new if shift.chair_id is not None}
    left = {row.id for row in gone}
    standing: dict[tuple[str, int, date], list[tuple[int, Hours]]] = {}

    def stand(doctor_id: int, hours: Hours) -> None:
        day = hours.starts_at.date()
        standing.setdefault(("doctor", doctor_id, day), []).append((doctor_id, hours))
        if hours.chair_id is not None:
            standing.setdefault(("chair", hours.chair_id, day), []).append((doctor_id, hours))

    for row in queries.dated(min(days), max(days), {doctor for doctor, *_ in new}, chair_ids=chairs):
        if row.id not in left:
            stand(row.doctor_id, row.hours)
    accepted, refused = [], []
    for item in new:
        doctor_id, day, shift, _ = item
        hours = shift.on(day)
        near = [*standing.get(("doctor", doctor_id, day), []), *standing.get(("chair", shift.chair_id or 0, day), [])]
        other = next(((who, busy) for who, busy in near if busy.meets(hours)), None)
        if other is None:
            accepted.append(item)
            stand(doctor_id, hours)
        else:
            refused.append((item, *other))
    return accepted, _named(refused)


def _named(refused: Sequence[tuple[_New, int, Hours]]) -> list[Clash]:
    if not refused:
        return []
    doctors, chairs = queries.hours_names(
        {who for _, who, _ in refused}, {busy.chair_id for _, _, busy in refused if busy.chair_id is not None}
    )
    return [
        Clash(doctor_id, day, shift, clash_in_words(busy, doctors[who], chairs.get(busy.chair_id or 0, "")))
        for (doctor_id, day, shift, _), who, busy in refused
    ]


def clash_in_words(busy: Hours, doctor: str, chair: str) -> str:
    """«30.11.2026 09:00–15:00, Кресло 1, Петрова А. С»: the sentence has its own full stop."""
    hours = f"{busy.starts_at:%d.%m.%Y %H:%M}–{rules.end_in_words(busy.ends_at.time())}"
    return ", ".join(filter(None, (hours, chair, doctor))).removesuffix(".")


def _visits_touched(
    gone: Sequence[Dated], new: Sequence[_New], have: Sequence[Dated]
) -> tuple[list[Standing], list[Standing]]:
    """The visits that lose their hours, and those that regain them. Holds the days on which hours are taken away."""
    hold(*{Slot(row.starts_at, row.ends_at, row.doctor_id, None) for row in gone})
    left = {row.id for row in gone}
    old: dict[DoctorDay, list[Hours]] = {}
    now: dict[DoctorDay, list[Hours]] = {}
    for row in have:
        old.setdefault((row.doctor_id, row.day), []).append(row.hours)
        if row.id not in left:
            now.setdefault((row.doctor_id, row.day), []).append(row.hours)
    for doctor_id, day, shift, _ in new:
        now.setdefault((doctor_id, day), []).append(shift.on(day))
    changed = {(row.doctor_id, row.day) for row in gone} | {(doctor, day) for doctor, day, _, _ in new}
    displaced, regained = [], []
    for visit in queries.standing_visits(changed, clock.wall_now()):
        key = visit.doctor_id, visit.starts_at.date()
        before, after = old.get(key, []), now.get(key, [])
        if rules.is_displaced(visit, visit.branch_id, before, after):
            displaced.append(visit)
        elif rules.is_displaced(visit, visit.branch_id, after, before):
            regained.append(visit)
    return displaced, regained


def _tell_tasks(displaced: Sequence[Standing], regained: Sequence[Standing], note: str, actor: User | None) -> None:
    """Have the patients called whose visits lost their hours; no longer those whose visits regained them."""
    for visit in sorted(regained, key=lambda visit: visit.patient_id):
        tasks.reasons_gone(kinds=[TaskReasonKind.HOURS_CLOSED], appointment_id=visit.id, actor=actor)
    for visit in sorted(displaced, key=lambda visit: visit.patient_id):
        tasks.ask(
            visit.patient_id, TaskReasonKind.HOURS_CLOSED, due_on=clock.today(), doctor_id=visit.doctor_id,
            appointment_id=visit.id, note=note, actor=actor,
        )  # fmt: skip


def _write(new: Sequence[_New], gone: Sequence[Dated], repointed: Mapping[int, int | None], actor: User | None) -> None:
    if gone:
        session.execute(delete(WorkingHours).where(WorkingHours.id.in_([row.id for row in gone])))
    for pattern_id in set(repointed.values()):
        ids = [pk for pk, pattern in repointed.items() if pattern == pattern_id]
        session.execute(update(WorkingHours).where(WorkingHours.id.in_(ids)).values(pattern_id=pattern_id))
    if new:
        session.execute(
            insert(WorkingHours),
            [
                {
                    "doctor_id": doctor_id,
                    "branch_id": shift.branch_id,
                    "chair_id": shift.chair_id,
                    "starts_at": shift.on(day).starts_at,
                    "ends_at": shift.on(day).ends_at,
                    "pattern_id": pattern_id,
                    "created_by_id": actor.id if actor else None,
                }
                for doctor_id, day, shift, pattern_id in new
            ],
        )
    session.flush()
