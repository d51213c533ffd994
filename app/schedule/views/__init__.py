"""The pages of the schedule."""

from app.schedule.views.day import ScheduleView
from app.schedule.views.feeds import CalendarView, FeedsView
from app.schedule.views.hours import HoursView

__all__ = ["CalendarView", "FeedsView", "HoursView", "ScheduleView"]
