"""What the schedule is asked. Each question is one or two statements; answers are ready to show.

Where next: `visits.py`, `day.py`, `looks.py` (what stands in a slot), `free.py`, `hours.py`, `lists.py`.
"""

from app.schedule.queries.day import DaySheet, day_sheet
from app.schedule.queries.free import free_slots
from app.schedule.queries.hours import coming_hours, hours_in_the_way, visits_in_hours
from app.schedule.queries.lists import branches, cancel_reasons, chairs, doctors, grid, services, specialities
from app.schedule.queries.looks import Look, came_before, last_deed, look
from app.schedule.queries.visits import Visit, history, short_name, visit, visits_of

__all__ = [
    "DaySheet",
    "Look",
    "Visit",
    "branches",
    "came_before",
    "cancel_reasons",
    "chairs",
    "coming_hours",
    "day_sheet",
    "doctors",
    "free_slots",
    "grid",
    "history",
    "hours_in_the_way",
    "last_deed",
    "look",
    "services",
    "short_name",
    "specialities",
    "visit",
    "visits_in_hours",
    "visits_of",
]
