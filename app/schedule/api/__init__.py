"""The schedule over JSON. Every address runs the operation of the page beside it."""

from app.schedule.api.day import ScheduleApi
from app.schedule.api.hours import HoursApi
from app.schedule.api.managing import CarriedApi, ScheduleActionsApi
from app.schedule.api.notify import NotifyApi
from app.schedule.api.saved import SavedViewApi
from app.schedule.api.visits import AppointmentApi
from app.schedule.api.waiting import FitsApi, OfferApi, PlannedApi, WaitingApi

__all__ = [
    "AppointmentApi",
    "CarriedApi",
    "FitsApi",
    "HoursApi",
    "NotifyApi",
    "OfferApi",
    "PlannedApi",
    "SavedViewApi",
    "ScheduleActionsApi",
    "ScheduleApi",
    "WaitingApi",
]
