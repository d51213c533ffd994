"""The pages of the schedule."""

from app.schedule.views.confirm import ConfirmView
from app.schedule.views.day import ScheduleView
from app.schedule.views.feeds import CalendarView, FeedsView
from app.schedule.views.hours import HoursView
from app.schedule.views.notify import NotifyView
from app.schedule.views.prints import PrintsView
from app.schedule.views.spare import SpareView
from app.schedule.views.waiting import PlannedView, WaitingView

__all__ = [
    "CalendarView",
    "ConfirmView",
    "FeedsView",
    "HoursView",
    "NotifyView",
    "PlannedView",
    "PrintsView",
    "ScheduleView",
    "SpareView",
    "WaitingView",
]
