"""Generated views of the schedule: the reasons of a cancellation; visits to look at."""

from typing import Any

from flask_appbuilder.models.sqla.filters import BaseFilter
from flask_babel import lazy_gettext

from app import access
from app.models import Appointment, CancelReason
from app.panels import DeskInterface, PanelView, ReadOnlyPanel
from app.vocab import AppointmentStatus, CancelledBy, Confirmation
from app.web import actor


class CancelReasonPanel(PanelView):
    """Why visits are cancelled."""

    datamodel = DeskInterface(CancelReason)
    route_base = "/cancel-reasons"
    list_title, one = lazy_gettext("Cancellation reasons"), lazy_gettext("Cancellation reason")
    list_columns = ["name", "archived"]
    show_columns = ["name", "archived"]
    add_columns = ["name"]
    edit_columns = ["name", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    label_columns = {"name": lazy_gettext("Name"), "archived": lazy_gettext("Archived")}


class _OwnVisits(BaseFilter):
    """A doctor sees own visits only."""

    def apply(self, query: Any, value: Any) -> Any:
        own = access.account(actor()).own_only("schedule.see")
        return query if own is None else query.where(Appointment.doctor_id == own)


class AppointmentPanel(ReadOnlyPanel):
    """All visits: for looking up, never for changing; the schedule changes them."""

    datamodel = DeskInterface(Appointment, eager=("patient", "doctor", "branch", "cancel_reason"))
    route_base = "/appointment-list"
    nothing = lazy_gettext("No visit yet: patients are booked in the schedule.")
    class_permission_name = "schedule"
    base_filters = [["doctor_id", _OwnVisits, None]]
    base_order = ("starts_at", "desc")
    list_title, one = lazy_gettext("List of visits"), lazy_gettext("Visit")
    list_columns = ["starts_at", "ends_at", "patient", "doctor", "branch", "status", "confirmation", "moves"]
    show_columns = [
        *list_columns, "first_visit", "comment", "overbook_reason", "outside_hours_reason", "arrived_at", "started_at",
        "completed_at", "cancelled_at", "cancelled_by", "cancel_reason", "cancel_comment", "late_cancel", "created_at",
    ]  # fmt: skip
    search_columns = ["starts_at", "doctor", "status", "confirmation", "first_visit", "late_cancel"]
    order_columns = ["starts_at"]
    words = {"status": AppointmentStatus, "confirmation": Confirmation, "cancelled_by": CancelledBy}
    label_columns = {
        "starts_at": lazy_gettext("Start"), "ends_at": lazy_gettext("End"), "patient": lazy_gettext("Patient"),
        "doctor": lazy_gettext("Doctor"), "branch": lazy_gettext("Branch"), "status": lazy_gettext("Status"),
        "confirmation": lazy_gettext("Confirmation"), "moves": lazy_gettext("Moves"),
        "first_visit": lazy_gettext("First visit"), "comment": lazy_gettext("Comment"),
        "overbook_reason": lazy_gettext("Why over another visit"),
        "outside_hours_reason": lazy_gettext("Why outside working hours"), "arrived_at": lazy_gettext("Arrived"),
        "started_at": lazy_gettext("Started"), "completed_at": lazy_gettext("Completed"),
        "cancelled_at": lazy_gettext("Cancelled"), "cancelled_by": lazy_gettext("Who cancelled"),
        "cancel_reason": lazy_gettext("Cancellation reason"), "cancel_comment": lazy_gettext("Comment to cancellation"),
        "late_cancel": lazy_gettext("Late cancellation"), "created_at": lazy_gettext("Booked"),
    }  # fmt: skip
