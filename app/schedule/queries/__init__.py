"""What the schedule is asked. Each question is one or two statements; answers are ready to show.

Where next: `visits.py`, `day.py`, `looks.py` (what stands in a slot), `free.py`, `hours.py`, `lists.py`.
"""

from app.schedule.queries.actions import action_rows, before_of, last_actions, own_deed, place_before, why_not
from app.schedule.queries.day import DaySheet, WeekSheet, day_sheet, week_sheet
from app.schedule.queries.free import free_near, free_slots
from app.schedule.queries.hours import (
    Dated,
    DoctorDay,
    Standing,
    dated,
    hours_exceptions,
    hours_names,
    hours_places,
    last_dated,
    midnight,
    overrides,
    standing_visits,
    weekly,
    weeks_ahead,
)
from app.schedule.queries.hours_calendar import calendar_days, holidays_ahead, hours_calendar, pattern_of
from app.schedule.queries.lists import branches, cancel_reasons, chairs, doctors, grid, services, specialities
from app.schedule.queries.load import MonthSheet, month_load
from app.schedule.queries.looks import Look, came_before, last_change, last_deed, look
from app.schedule.queries.saved import as_view, saved_views
from app.schedule.queries.visits import Visit, history, short_name, visit, visits_of

__all__ = [
    "Dated",
    "DaySheet",
    "DoctorDay",
    "Look",
    "MonthSheet",
    "Standing",
    "Visit",
    "WeekSheet",
    "action_rows",
    "as_view",
    "before_of",
    "branches",
    "calendar_days",
    "came_before",
    "cancel_reasons",
    "chairs",
    "dated",
    "day_sheet",
    "doctors",
    "free_near",
    "free_slots",
    "grid",
    "history",
    "holidays_ahead",
    "hours_calendar",
    "hours_exceptions",
    "hours_names",
    "hours_places",
    "last_actions",
    "last_change",
    "last_dated",
    "last_deed",
    "look",
    "midnight",
    "month_load",
    "overrides",
    "own_deed",
    "pattern_of",
    "place_before",
    "saved_views",
    "services",
    "short_name",
    "specialities",
    "standing_visits",
    "visit",
    "visits_of",
    "week_sheet",
    "weekly",
    "weeks_ahead",
    "why_not",
]
