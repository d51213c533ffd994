"""Doctors' hours over JSON: the calendar of hours, weekly patterns, days otherwise, copying, holidays."""

from datetime import timedelta
from typing import Any

from flask_babel import get_locale, gettext

from app import clock
from app.db import transaction
from app.errors import NotFound
from app.models import Branch, Employee
from app.schedule import forms, operations, queries, rules
from app.web import DeskApi, actor, asks, expose, fetched, guarded, may, takes

#: Holidays are listed for a year ahead.
_YEAR = timedelta(days=365)


def _doctor(pk: int) -> int:
    """A doctor who sees patients.

    Raises:
        NotFound
    """
    doctor: Employee = fetched(Employee, pk)
    if not doctor.is_doctor or doctor.archived:
        raise NotFound()
    return doctor.id


def _language() -> str:
    return str(get_locale())


def _shift(values: dict[str, Any]) -> rules.Shift:
    return rules.Shift(values["start"], values["end"], values["branch_id"], values["chair_id"])


def _what_came(written: Any) -> dict[str, Any]:
    """What a change of hours did, as JSON."""
    return {
        "added": written.added,
        "removed": written.removed,
        "clashes": [clash.facts() for clash in written.clashes],
        "visits": [visit.facts() for visit in written.visits],
        "skipped": [day.isoformat() for day in written.skipped],
    }


class HoursApi(DeskApi):
    resource_name = "hours"
    openapi_spec_tag = "Schedule"

    @expose("/", methods=["GET"])
    @guarded("schedule.hours")
    @asks(forms.HoursQuery)
    def calendar(self, query: dict[str, Any]) -> Any:
        """Doctors' hours of a period: days with holidays, each doctor's shifts, visits, planned visits"""
        if query["branch_id"] is not None:
            fetched(Branch, query["branch_id"])
        if query["doctor_id"] is not None:
            _doctor(query["doctor_id"])
        first = query["first"] or rules.monday_of(clock.today())
        last = first + timedelta(days=query["days"] - 1)
        doctors = queries.hours_calendar(
            first, last, doctor_id=query["doctor_id"], branch_id=query["branch_id"], with_planned=may("planned.see")
        )
        return self.answer(
            {"first": first, "last": last, "days": queries.calendar_days(first, last, _language()), "doctors": doctors}
        )

    @expose("/<int:pk>/pattern", methods=["GET"])
    @guarded("schedule.hours")
    @asks(forms.DayOnly)
    def pattern(self, pk: int, query: dict[str, Any]) -> Any:
        """The weekly pattern of a doctor as it counts on a day"""
        return self.answer(queries.pattern_of(_doctor(pk), query["day"] or clock.today()))

    @expose("/<int:pk>/pattern", methods=["POST"])
    @guarded("schedule.hours")
    @takes(forms.HoursPattern)
    def set_pattern(self, pk: int, body: dict[str, Any]) -> Any:
        """Let a doctor's week be exactly these shifts from a day on"""
        first, last = body["first_day"], body["last_day"]
        lines = [
            rules.Weekly(
                line["start"], line["end"], line["branch_id"], line["chair_id"], line["weekday"], line["weeks"],
                first, last, pk,
            )
            for line in body["lines"]
        ]  # fmt: skip
        with transaction():
            written = operations.set_pattern(
                _doctor(pk), lines, first_day=first, last_day=last, make_tasks=body["make_tasks"], actor=actor()
            )
            answer = _what_came(written)
        return self.answer(answer)

    @expose("/<int:pk>/days", methods=["POST"])
    @guarded("schedule.hours")
    @takes(forms.HoursDays)
    def change_days(self, pk: int, body: dict[str, Any]) -> Any:
        """Set days of a doctor otherwise than the pattern, or back to it"""
        how: dict[str, Any] = {"make_tasks": body["make_tasks"], "actor": actor()}
        with transaction():
            if body["by_pattern"]:
                written = operations.day_by_pattern(_doctor(pk), body["days"], **how)
            else:
                shifts = [_shift(values) for values in body["shifts"]]
                written = operations.change_day(_doctor(pk), body["days"], shifts, reason=body["reason"], **how)
            answer = _what_came(written)
        return self.answer(answer)

    @expose("/<int:pk>/copy", methods=["POST"])
    @guarded("schedule.hours")
    @takes(forms.HoursCopy)
    def copy(self, pk: int, body: dict[str, Any]) -> Any:
        """Copy a doctor's days onto a later period"""
        first, last = body["first"], body["last"]
        reason = gettext("As on %(first)s–%(last)s", first=f"{first:%d.%m}", last=f"{last:%d.%m.%Y}")
        with transaction():
            written = operations.copy_hours(
                _doctor(pk), first, last, body["onto"], reason=reason, make_tasks=body["make_tasks"], actor=actor()
            )
            answer = _what_came(written)
        return self.answer(answer)

    @expose("/holidays", methods=["GET"])
    @guarded("schedule.hours")
    @asks(forms.DayOnly)
    def holidays(self, query: dict[str, Any]) -> Any:
        """Public holidays of a year ahead, and the days on which the clinic does otherwise"""
        first = query["day"] or clock.today()
        rows = queries.holidays_ahead(first, first + _YEAR, _language())
        return self.listed(len(rows), rows)

    @expose("/holidays", methods=["POST"])
    @guarded("schedule.hours")
    @takes(forms.Holiday)
    def set_holiday(self, body: dict[str, Any]) -> Any:
        """Close a day for the whole clinic, open a public holiday, or let the calendar decide again"""
        with transaction():
            written = operations.set_holiday(
                body["day"], body["closed"], name=body["name"], make_tasks=body["make_tasks"], actor=actor()
            )
            answer = _what_came(written)
        return self.answer(answer)
