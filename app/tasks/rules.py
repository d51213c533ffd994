"""When to call, when to try again, who may touch a task, and which reasons a booking settles.

Plain values in, answers or refusals out. Where next: `operations.py`.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta

from app.errors import Invalid, NextTryNeeded, TaskClosed, TaskTaken
from app.vocab import N_, AttemptResult, TaskReasonKind, TaskResult, TaskStatus

#: Who claimed a row and forgot it does not keep it longer.
CLAIM_LASTS = timedelta(minutes=15)
#: Patients are called between these hours.
CALLS_FROM, CALLS_TO = time(9), time(20)
#: A task is put off by a year at most.
LONGEST_WAIT = timedelta(days=366)
#: The clinic's open days are looked up so far ahead; later ones count as open.
HORIZON = 14
LONGEST_TEXT = 2000

#: What a booking of the patient settles by itself, whoever books.
SETTLED_BY_BOOKING = frozenset({
    TaskReasonKind.CANCELLED, TaskReasonKind.NO_SHOW, TaskReasonKind.ASKS_TO_MOVE, TaskReasonKind.WAITING_EXPIRED,
    TaskReasonKind.MISSED_CALL, TaskReasonKind.CHECK_UP,
})  # fmt: skip
#: Reasons that are a visit which stands at a wrong time; a move or a cancellation of it settles them.
OF_A_STANDING_VISIT = frozenset({TaskReasonKind.HOURS_CLOSED, TaskReasonKind.ASKS_TO_MOVE})
#: What people ask for; the same again adds its words to the reason.
BY_PEOPLE = (TaskReasonKind.BY_HAND, TaskReasonKind.DOCTOR_REQUEST)
#: The results that a person may write; that the reason is gone is found out by itself.
RESULTS = tuple(result for result in TaskResult if result != TaskResult.NOT_NEEDED)
#: Results that the talk itself brought: there was one.
TALKED = frozenset(RESULTS) - {TaskResult.WRONG_NUMBER}


def due_from(day: date) -> datetime:
    """From when on a reason of this day is due."""
    return datetime.combine(day, CALLS_FROM)


def in_working_time(moment: datetime, open_days: Collection[date] = (), known_to: date | None = None) -> datetime:
    """The moment itself, or the next one at which patients are called.

    `open_days` are the days on which the clinic works, known up to `known_to`; later days count as open.
    """
    day = moment.date()
    if moment.time() >= CALLS_TO:
        day += timedelta(days=1)
    while known_to is not None and day <= known_to and day not in open_days:
        day += timedelta(days=1)
    if day != moment.date() or moment.time() < CALLS_FROM:
        return datetime.combine(day, CALLS_FROM)
    return moment


def missed(results: Sequence[str]) -> int:
    """How many attempts in a row, up to the last one, did not reach the patient; oldest first."""
    count = 0
    for result in reversed(results):
        if result != AttemptResult.NOT_REACHED:
            break
        count += 1
    return count


def next_try(
    times: int, now: datetime, open_days: Collection[date] = (), known_to: date | None = None
) -> datetime | None:
    """When to try again after the patient was not reached for so many times in a row (wall clock).

    In two hours; the next morning; in three days; after that a person decides (None). Always in working time.
    """
    if times == 1:
        moment = now + timedelta(hours=2)
    elif times == 2:
        moment = due_from(now.date() + timedelta(days=1))
    elif times == 3:
        moment = now + timedelta(days=3)
    else:
        return None
    return in_working_time(moment, open_days, known_to)


def chosen_try(until: datetime | None, now: datetime) -> datetime:
    """When to call next, as a person chose it.

    Raises:
        NextTryNeeded: nothing was chosen.
        Invalid: it has passed, or is more than a year away.
    """
    if until is None:
        raise NextTryNeeded()
    if until <= now:
        raise Invalid(fields={"until": N_("This time has already passed. Choose a time in the future.")})
    if until > now + LONGEST_WAIT:
        raise Invalid(fields={"until": N_("Choose a time within a year.")})
    return until


def is_claimed(claimed_by: int | None, claimed_at: datetime | None, now: datetime) -> bool:
    """Is somebody calling now? A claim runs out by itself."""
    return claimed_by is not None and claimed_at is not None and now - claimed_at < CLAIM_LASTS


def check_open(status: str, result: str | None) -> None:
    """Raises:
    TaskClosed: with its result.
    """
    if status != TaskStatus.OPEN:
        raise TaskClosed({"result": TaskResult(result).label if result else ""}, result=result)


def check_mine(claimed_by: int | None, claimed_at: datetime | None, now: datetime, *, me: int | None, who: str) -> None:
    """Nobody else may be calling the patient now.

    Raises:
        TaskTaken: with the name of who is.
    """
    if is_claimed(claimed_by, claimed_at, now) and claimed_by != me:
        raise TaskTaken({"who": who}, by=who)


def check_result(result: str, refusal_reason_id: int | None) -> TaskResult:
    """Raises:
    Invalid: not a result that a person writes; a refusal without its reason, or a reason without a refusal.
    """
    if result not in RESULTS:
        raise Invalid(fields={"result": N_("Choose the result from the list.")})
    if result == TaskResult.REFUSED and refusal_reason_id is None:
        raise Invalid(fields={"refusal_reason_id": N_("Choose why the patient refused.")})
    if result != TaskResult.REFUSED and refusal_reason_id is not None:
        raise Invalid(fields={"refusal_reason_id": N_("Only a refusal has a reason.")})
    return TaskResult(result)


def added_note(old: str, new: str) -> str:
    """What is already said about a reason, with what was said now."""
    old, new = old.strip(), new.strip()
    if not new or new in old:
        return old
    return f"{old}; {new}"[:LONGEST_TEXT] if old else new[:LONGEST_TEXT]
