"""The schedule over JSON. Every address runs the operation of the page beside it."""

from app.schedule.api.day import ScheduleApi
from app.schedule.api.hours import HoursApi
from app.schedule.api.saved import SavedViewApi
from app.schedule.api.visits import AppointmentApi

__all__ = ["AppointmentApi", "HoursApi", "SavedViewApi", "ScheduleApi"]
