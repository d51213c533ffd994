"""The pages of the schedule."""

from app.schedule.views.day import ScheduleView

__all__ = ["ScheduleView"]
