"""The pages of the schedule: the day, its printed list, a patient's visits on the card.

The day page is a frame: the grid comes from `api.py` and is kept fresh by `static/schedule/day.js`.
"""

from datetime import date
from typing import Any

from flask import request
from flask_babel import get_locale, gettext

from app import access, clock
from app.errors import NotAllowed
from app.models import Branch, Patient
from app.patients import alerts
from app.schedule import queries
from app.vocab import DEEDS, AppointmentStatus, BlockKind, CancelledBy, Confirmation, Labelled
from app.web import DeskView, actor, expose, fetched, guarded, may

#: The rights that decide which buttons the scripts show; the server asks again on every call.
_RIGHTS = ("book", "move", "cancel", "attend", "overbook", "outside_hours", "block")


def own_doctor() -> int | None:
    """The doctor whose visits alone this account sees; None when everybody's."""
    return access.account(actor()).own_only("schedule.see")


def asked_day() -> date:
    """The day of the address; today when there is none or it is not a day."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return clock.today()
    return day if 1900 < day.year < 2200 else clock.today()


def asked_branch() -> int | None:
    """The branch of the address; None means all."""
    branch = request.args.get("branch", type=int)
    return fetched(Branch, branch).id if branch else None


def _words(values: type[Labelled]) -> dict[str, str]:
    return {str(value): gettext(value.label) for value in values}


def _patient_to_book() -> dict[str, Any] | None:
    """Whom a time is to be chosen for, when the page was opened from a card."""
    pk = request.args.get("patient", type=int)
    if not pk:
        return None
    patient: Patient = fetched(Patient, pk)
    if access.account(actor()).own_only("card.see") is not None and not queries.visits_of(pk, doctor_id=own_doctor()):
        raise NotAllowed(right="card.see")
    task = request.args.get("task", type=int)  # the call that this is about
    calling = {"call_task_id": task} if task and 0 < task < 2**31 and may("task.work") else {}
    # what the booking is to close: the planned visit or the waiting entry that it was opened from
    closing = {
        f"{kind}_id": request.args.get(kind, type=int) for kind in ("planned", "waiting") if kind in request.args
    }
    return {
        "id": patient.id, "name": patient.full_name, "card_number": patient.card_number, **calling, **closing
    }  # fmt: skip


def _asked_view(own: int | None) -> dict[str, Any]:
    """Day, week or month, and of whom; `asked` when the address says how the page is to look."""
    view = request.args.get("view", "")
    doctor = own or request.args.get("doctor", type=int)
    return {
        "view": view if view in ("week", "month") else "day",
        "doctor_id": doctor if doctor and 0 < doctor < 2**31 else None,
        "asked": any(name in request.args for name in ("view", "by", "branch", "doctor")),
    }


class ScheduleView(DeskView):
    route_base = "/schedule"

    @expose("/")
    @guarded("schedule.see")
    def day(self) -> Any:
        """One day, a column per doctor or per chair."""
        own = own_doctor()
        settings = {
            "day": asked_day().isoformat(),
            "today": clock.today().isoformat(),
            "user_id": actor().id,
            "branch_id": asked_branch(),
            **_asked_view(own),
            "by": "chair" if request.args.get("by") == "chair" and own is None else "doctor",
            "open": request.args.get("visit", type=int),
            "patient": _patient_to_book(),
            "locale": str(get_locale()),
            "rights": {right: may(f"schedule.{right}") for right in _RIGHTS},
            "may_fill": may("work_order.fill"),
            "may_card": may("card.see"),
            "may_settle": may("payment.see"),
            "may_write": may("message.send"),
            "statuses": _words(AppointmentStatus),
            "confirmations": _words(Confirmation),
            "blocks": _words(BlockKind),
            "alerts": alerts.words(),
            "cancelled_by": _words(CancelledBy),
            "deeds": {deed: gettext(title) for deed, title in DEEDS.items() if deed.startswith("appointment.")},
            "own": own is not None,
            "views": queries.saved_views(actor().id),
            "free": request.args.get("free") == "1",
            "doctors": queries.doctors(doctor_id=own),
            "chairs": queries.chairs(),
            **queries.grid(),
        }
        return self.page(
            "schedule/day.html", title=gettext("Schedule"), settings=settings, branches=queries.branches(),
            reasons=queries.cancel_reasons(), services=queries.services(), specialities=queries.specialities(),
            cancelled_by=CancelledBy, confirmations=Confirmation, block_kinds=BlockKind, own=own is not None,
        )  # fmt: skip

    @expose("/patient/<int:pk>")
    @guarded("schedule.see")
    def patient_visits(self, pk: int) -> Any:
        """The tab «visits» of a patient's card; a doctor sees own visits only."""
        patient = fetched(Patient, pk)
        visits = queries.visits_of(patient.id, doctor_id=own_doctor(), with_money=may("payment.see"))
        now = clock.wall_now().isoformat(timespec="minutes")
        return self.page(
            "schedule/patient_visits.html", patient=patient, visits=visits, now=now,
            days={visit["id"]: date.fromisoformat(visit["starts_at"][:10]) for visit in visits},
            statuses=AppointmentStatus, confirmations=Confirmation, cancelled_by=CancelledBy,
        )  # fmt: skip
