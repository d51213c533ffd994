"""Doctors' hours «График»: a frame; the calendar comes from `api/hours.py`, `static/schedule/hours.js` draws it."""

from datetime import date
from typing import Any

from flask import request
from flask_babel import get_locale, gettext

from app import clock
from app.models import Branch
from app.schedule import queries, rules
from app.web import DeskView, expose, fetched, guarded, may


def _asked_monday() -> date:
    """The Monday of the asked day; of today when there is none or it is not a day."""
    try:
        day = date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        day = clock.today()
    return rules.monday_of(day if 1900 < day.year < 2200 else clock.today())


class HoursView(DeskView):
    route_base = "/schedule/hours"

    @expose("/")
    @guarded("schedule.hours")
    def index(self) -> Any:
        """Doctors' hours: the week of everybody, or four weeks of one doctor, edited on the calendar."""
        doctors = queries.doctors()
        doctor = request.args.get("doctor", type=int)
        branch = request.args.get("branch", type=int)
        settings = {
            "first": _asked_monday().isoformat(),
            "today": clock.today().isoformat(),
            "doctor_id": doctor if doctor in {row["id"] for row in doctors} else None,
            "branch_id": fetched(Branch, branch).id if branch else None,
            "doctors": doctors,
            "branches": [{"id": pk, "name": name} for pk, name in queries.branches()],
            "chairs": queries.chairs(),
            "weeks_ahead": queries.weeks_ahead(),
            "locale": str(get_locale()),
            "crm": may("task.see"),
        }
        return self.page(
            "schedule/hours.html", title=gettext("Doctors' hours"), settings=settings, doctors=doctors,
            branches=queries.branches(), weeks_ahead=settings["weeks_ahead"],
        )  # fmt: skip
