"""What a browser or a program may send to the schedule; page and JSON are checked by the same schemas."""

from typing import Any

from marshmallow import fields, validate

from app.schedule.rules.series import MOST, Unit
from app.schemas import (
    Body,
    ClockField,
    DayField,
    IdField,
    PageQuery,
    Query,
    TextField,
    WallTimeField,
    WholeField,
    one_of,
)
from app.vocab import (
    N_,
    BlockKind,
    CancelledBy,
    Confirmation,
    PlannedFrom,
    PlannedStatus,
    Urgency,
    WaitingKind,
    WaitingStatus,
    WantedDoctors,
    Weeks,
)

_COMMENT = 2000
_REASON = 400


class WeekdaysField(fields.Field):
    """Weekdays from 1, Monday, to 7: `1,3,5` or [1, 3, 5]."""

    default_error_messages = {
        "required": N_("Choose the weekdays."),
        "null": N_("Choose the weekdays."),
        "invalid": N_("These are not weekdays: write them as 1,2,3, Monday is 1."),
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[int, ...]:
        parts = value.split(",") if isinstance(value, str) and len(value) < 40 else value
        if not isinstance(parts, list) or not parts or len(parts) > 14:
            raise self.make_error("invalid")
        days = set()
        for part in parts:
            text = str(part).strip()
            if isinstance(part, bool | float) or text not in tuple("1234567"):
                raise self.make_error("invalid")
            days.add(int(text))
        return tuple(sorted(days))


class DayQuery(Query):
    day = DayField(load_default=None)
    branch_id = IdField(load_default=None)


class FreeQuery(Query):
    minutes = WholeField(5, 720, load_default=30)
    doctor_id = IdField(load_default=None)
    speciality_id = IdField(load_default=None)
    branch_id = IdField(load_default=None)
    first = DayField(data_key="from", load_default=None)
    days = WholeField(1, 366, load_default=14)
    weekdays = WeekdaysField(load_default=(1, 2, 3, 4, 5, 6, 7))
    after = ClockField(load_default=None)
    before = ClockField(load_default=None)
    limit = WholeField(1, 200, load_default=10)


def _listed(field: fields.Field, most: int, **kwargs: Any) -> fields.List:
    messages = {"required": N_("Fill in this field."), "null": N_("Fill in this field."),
                "invalid": N_("This must be a list.")}  # fmt: skip
    too_many = validate.Length(max=most, error=N_("This list is too long."))
    return fields.List(field, validate=too_many, error_messages=messages, **kwargs)


def _word(*words: str) -> fields.String:
    """One of these words; the first when nothing is sent."""
    return fields.String(load_default=words[0], validate=validate.OneOf(words, error=N_("Unknown value.")))


class WeekQuery(Query):
    day = DayField(load_default=None)
    doctor_id = IdField(load_default=None)


class MonthQuery(DayQuery):
    doctor_id = IdField(load_default=None)


class ViewSettings(Body):
    """How the schedule looks: no doctors chosen means all of them."""

    branch_id = IdField(load_default=None, allow_none=True)
    view = _word("day", "week", "month")
    by = _word("doctor", "chair")
    doctors = _listed(IdField(), 200, load_default=list)
    colours = _word("status", "doctor")
    cancelled = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class NewView(Body):
    name = TextField(60, blank=False, required=True)
    settings = fields.Nested(ViewSettings, required=True)


class ChangedView(Body):
    name = TextField(60, blank=False)
    settings = fields.Nested(ViewSettings)


class LastView(Body):
    view_id = IdField(required=True, allow_none=True)


class Booking(Body):
    patient_id = IdField(required=True)
    doctor_id = IdField(required=True)
    chair_id = IdField(load_default=None, allow_none=True)
    branch_id = IdField(load_default=None, allow_none=True)
    service_id = IdField(load_default=None, allow_none=True)
    starts_at = WallTimeField(required=True)
    ends_at = WallTimeField(required=True)
    comment = TextField(_COMMENT, load_default="")
    overbook_reason = TextField(_REASON, load_default="")
    outside_hours_reason = TextField(_REASON, load_default="")
    call_task_id = IdField(load_default=None, allow_none=True)
    #: What the booking fulfils: it is closed with it.
    planned_visit_id = IdField(load_default=None, allow_none=True)
    waiting_entry_id = IdField(load_default=None, allow_none=True)
    planned_visit_ids = _listed(IdField(), 20, load_default=list)
    waiting_entry_ids = _listed(IdField(), 20, load_default=list)


class Moving(Body):
    version = WholeField(1, 2**31 - 1, required=True)
    doctor_id = IdField()
    chair_id = IdField(allow_none=True)
    starts_at = WallTimeField()
    ends_at = WallTimeField()
    comment = TextField(_COMMENT)
    overbook_reason = TextField(_REASON)
    outside_hours_reason = TextField(_REASON)


class Cancelling(Body):
    reason_id = IdField(required=True)
    by = one_of(CancelledBy, required=True)
    comment = TextField(_COMMENT, load_default="")
    #: Put the patient on the list of those to be called, unless there is another visit ahead.
    call = fields.Boolean(load_default=True, error_messages={"invalid": N_("Unknown value.")})


class Answering(Body):
    """What the patient answered; without a word: confirmed."""

    confirmation = one_of(Confirmation, load_default=Confirmation.CONFIRMED)
    #: The version of the visit that was looked at; a newer one refuses the answer.
    version = WholeField(1, 2**31 - 1, load_default=None)


class Restoring(Body):
    """Another time or doctor, when the visit's own time is taken; nothing: where it was."""

    starts_at = WallTimeField()
    ends_at = WallTimeField()
    doctor_id = IdField()
    chair_id = IdField(allow_none=True)


class Nothing(Body):
    """A step needs no more than its address."""


class Blocking(Body):
    kind = one_of(BlockKind, load_default=BlockKind.BLOCK)
    doctor_id = IdField(load_default=None, allow_none=True)
    chair_id = IdField(load_default=None, allow_none=True)
    branch_id = IdField(load_default=None, allow_none=True)
    starts_at = WallTimeField(required=True)
    ends_at = WallTimeField(required=True)
    reason = TextField(200, blank=False, required=True)
    #: By the clinic's clock: then the time is free again by itself.
    expires_at = WallTimeField(load_default=None, allow_none=True)


class BlockChange(Body):
    version = WholeField(1, 2**31 - 1, required=True)
    doctor_id = IdField(allow_none=True)
    chair_id = IdField(allow_none=True)
    starts_at = WallTimeField()
    ends_at = WallTimeField()
    reason = TextField(200, blank=False)
    expires_at = WallTimeField(allow_none=True)


class Undoing(Body):
    """Which action: the newest one; or the one that made this version of a visit or of closed time."""

    appointment_id = IdField()
    block_id = IdField()
    version = WholeField(1, 2**31 - 1)


class SeriesQuery(Query):
    """Every N days, or every N weeks on these weekdays, so many times."""

    unit = one_of(Unit, load_default=Unit.WEEKS)
    every = WholeField(1, 52, load_default=1)
    weekdays = WeekdaysField(load_default=())
    times = WholeField(1, MOST, load_default=5)


class SeriesSlot(Body):
    starts_at = WallTimeField(required=True)
    ends_at = WallTimeField()
    doctor_id = IdField()
    chair_id = IdField(allow_none=True)


class HoursQuery(Query):
    first = DayField(data_key="from", load_default=None)
    days = WholeField(1, 62, load_default=7)
    doctor_id = IdField(load_default=None)
    branch_id = IdField(load_default=None)


class ShiftBody(Body):
    """A shift of a day; 00:00 as the end is midnight."""

    start = ClockField(required=True)
    end = ClockField(required=True)
    branch_id = IdField(required=True)
    chair_id = IdField(load_default=None, allow_none=True)


class LineBody(ShiftBody):
    """A shift of every such weekday, or of every odd or even ISO week."""

    weekday = WholeField(1, 7, required=True)
    weeks = one_of(Weeks, load_default=Weeks.EVERY)


class Series(Body):
    """The times of the copies, all or none; the reason when some lie outside working hours."""

    slots = _listed(fields.Nested(SeriesSlot), MOST, required=True)
    outside_hours_reason = TextField(_REASON, load_default="")


class HoursPattern(Body):
    """The week of a doctor from a day on; no lines: no hours any more."""

    first_day = DayField(required=True)
    last_day = DayField(load_default=None, allow_none=True)
    lines = _listed(fields.Nested(LineBody), 56, required=True)
    make_tasks = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class HoursDays(Body):
    """Days of a doctor otherwise: other shifts, or none with the reason; `by_pattern`: as the pattern gives them."""

    days = _listed(DayField(), 92, required=True)
    shifts = _listed(fields.Nested(ShiftBody), 8, load_default=list)
    reason = TextField(200, load_default="")
    by_pattern = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})
    make_tasks = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class HoursCopy(Body):
    first = DayField(required=True)
    last = DayField(required=True)
    onto = DayField(required=True)
    make_tasks = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class Holiday(Body):
    """Closed, or open all the same; null: as the calendar of holidays says."""

    day = DayField(required=True)
    closed = fields.Boolean(required=True, allow_none=True, error_messages={
        "required": N_("Fill in this field."), "invalid": N_("Unknown value.")})  # fmt: skip
    name = TextField(200, load_default="")
    make_tasks = fields.Boolean(load_default=False, error_messages={"invalid": N_("Unknown value.")})


class DayOnly(Query):
    day = DayField(load_default=None)


# --- planned visits and the waiting list ------------------------------------------------------------------

_VERSION = (1, 2**31 - 1)


class FitsQuery(Query):
    doctor_id = IdField(required=True)
    chair_id = IdField(load_default=None)
    starts_at = WallTimeField(required=True)
    ends_at = WallTimeField(required=True)
    limit = WholeField(1, 100, load_default=20)


class EntriesQuery(PageQuery):
    """Without a word: everybody who waits, the most urgent first."""

    status = one_of(("open", *WaitingStatus), load_default="open")
    kind = one_of(WaitingKind, load_default=None)
    doctor_id = IdField(load_default=None)
    branch_id = IdField(load_default=None)
    urgency = one_of(Urgency, load_default=None)
    q = TextField(100, load_default="")


class WindowBody(Body):
    """Hours of a day that suit; 00:00 as the end is midnight."""

    start = ClockField(data_key="from", required=True)
    end = ClockField(data_key="to", required=True)


class Wishes(Body):
    """What would suit a waiting patient."""

    wanted_doctors = one_of(WantedDoctors)
    doctor_ids = _listed(IdField(), 50)
    speciality_id = IdField(allow_none=True)
    branch_id = IdField(allow_none=True)
    service_id = IdField(allow_none=True)
    minutes = WholeField(5, 720)
    weekdays = WeekdaysField()
    windows = _listed(fields.Nested(WindowBody), 12)
    last_day = DayField(allow_none=True)
    notice_hours = WholeField(0, 720)
    urgency = one_of(Urgency)
    comment = TextField(_COMMENT)


class NewEntry(Wishes):
    patient_id = IdField(required=True)
    kind = one_of(WaitingKind, load_default=WaitingKind.NO_TIME)
    appointment_id = IdField(load_default=None, allow_none=True)
    first_day = DayField(load_default=None, allow_none=True)


class ChangedEntry(Wishes):
    version = WholeField(*_VERSION, required=True)
    first_day = DayField()


class Refusing(Body):
    """The patient does not want it, and why."""

    version = WholeField(*_VERSION, load_default=None, allow_none=True)
    reason_id = IdField(required=True)


class Offering(Body):
    version = WholeField(*_VERSION, load_default=None, allow_none=True)
    doctor_id = IdField(required=True)
    chair_id = IdField(load_default=None, allow_none=True)
    starts_at = WallTimeField(required=True)
    ends_at = WallTimeField(load_default=None, allow_none=True)


class PlansQuery(PageQuery):
    """Without a word: every open planned visit, the earliest call first; `due`: those to be called about now."""

    status = one_of(("open", "due", *PlannedStatus), load_default="open")
    doctor_id = IdField(load_default=None)
    first = DayField(data_key="from", load_default=None)
    last = DayField(data_key="to", load_default=None)
    q = TextField(100, load_default="")


class Plan(Body):
    months = WholeField(1, 36)
    target_from = DayField()
    target_to = DayField()
    tolerance_days = WholeField(0, 180)
    doctor_id = IdField(allow_none=True)
    speciality_id = IdField(allow_none=True)
    service_id = IdField(allow_none=True)
    minutes = WholeField(5, 720)
    reason = TextField(_REASON)
    wishes = TextField(_COMMENT)
    comment = TextField(_COMMENT)
    call_on = DayField(allow_none=True)


class NewPlan(Plan):
    patient_id = IdField(required=True)
    made_from = one_of(PlannedFrom, load_default=PlannedFrom.CARD)
    from_appointment_id = IdField(load_default=None, allow_none=True)


class ChangedPlan(Plan):
    version = WholeField(*_VERSION, required=True)


class Postponing(Body):
    version = WholeField(*_VERSION, load_default=None, allow_none=True)
    call_on = DayField(required=True)
    comment = TextField(_COMMENT, load_default="")


class ClosingPlan(Body):
    version = WholeField(*_VERSION, load_default=None, allow_none=True)
    comment = TextField(_COMMENT, load_default="")


class WishesQuery(Query):
    """With a doctor and a day: which of the wishes such a visit would fulfil."""

    doctor_id = IdField(load_default=None)
    day = DayField(load_default=None)


class NotifyQuery(Query):
    """Which visits of the work list: of a day, or of the next working days."""

    day = DayField(load_default=None)
    days = WholeField(1, 5, load_default=1)
    branch_id = IdField(load_default=None)
    doctor_id = IdField(load_default=None)
    state = one_of(Confirmation, load_default=None)


class LetterQuery(Query):
    appointment_id = IdField(required=True)


class Writing(Body):
    """A text to the patients of some visits; fields in braces are filled in for each."""

    appointment_ids = _listed(IdField(), 300, required=True)
    body = TextField(1000, blank=False, required=True)


class NoNextVisit(Body):
    reason_id = IdField(required=True)
    comment = TextField(400, load_default="")
