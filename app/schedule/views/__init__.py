"""The pages of the schedule."""

from app.schedule.views.day import ScheduleView
from app.schedule.views.feeds import CalendarView, FeedsView
from app.schedule.views.hours import HoursView
from app.schedule.views.prints import PrintsView
from app.schedule.views.spare import SpareView

__all__ = ["CalendarView", "FeedsView", "HoursView", "PrintsView", "ScheduleView", "SpareView"]
