"""What of the schedule goes on paper: the day, the week, the month, the blank sheet, a patient's slip.

Each is a page to look at and print; those that people keep as files are PDFs as well. What is printed is what the
account sees on the screen. Where next: `queries/printed.py`, `app/schedule/papers.py`.
"""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from flask import request
from flask_babel import get_locale, gettext

from app.errors import NotFound
from app.models import Branch
from app.patients.alerts import in_words
from app.pdf import as_pdf
from app.schedule import papers, queries, rules
from app.schedule.views.day import asked_branch, asked_day, own_doctor
from app.vocab import FREES_TIME, AppointmentStatus
from app.web import DeskView, expose, fetched, guarded, may

#: The blank sheet's lines stand so many minutes apart.
STEPS = (15, 20, 30, 60)
_VIEWS = ("day", "week", "month")


def _chosen(name: str) -> list[int]:
    """The numbers of the address under this name; what is not a number of a record is nothing."""
    given = request.args.getlist(name)[:200]
    return [int(text) for text in given if text.isascii() and text.isdigit() and 0 < int(text[:12]) < 2**31]


def _is_set(name: str, *, otherwise: bool) -> bool:
    """A box of the form: a form that was sent without it left it empty."""
    if name in request.args:
        return request.args[name] == "1"
    return otherwise and "set" not in request.args


@dataclass(frozen=True)
class Asked:
    """What is to be printed, as the address says, within what the account may see."""

    view: str
    day: date
    branch_id: int | None
    own: int | None
    doctors: list[int]
    chairs: list[int]
    wanted: papers.Wanted
    free: bool

    @property
    def by(self) -> str:
        return "chair" if self.wanted.by_chair else "doctor"


def _asked() -> Asked:
    own = own_doctor()
    view = request.args.get("view", "")
    by_chair = own is None and request.args.get("by") == "chair"
    return Asked(
        view=view if view in _VIEWS else "day",
        day=asked_day(),
        branch_id=asked_branch(),
        own=own,
        doctors=[own] if own is not None else _chosen("doctor"),
        chairs=_chosen("chair"),
        wanted=papers.Wanted(
            phones=may("card.see") and _is_set("phones", otherwise=True),
            by_chair=by_chair,
            apart=_is_set("apart", otherwise=False),
        ),
        free=_is_set("free", otherwise=False),
    )


def _where(branch_id: int | None) -> str:
    """The branch that is printed, where there are several."""
    return str(fetched(Branch, branch_id).name) if branch_id else ""


class PrintsView(DeskView):
    route_base = "/schedule"

    @expose("/print")
    @guarded("schedule.see")
    def schedule(self) -> Any:
        """What the schedule shows, on paper: lists of the day, the week of a doctor, the load of a month."""
        asked = _asked()
        shown = {"week": self._week, "month": self._month}.get(asked.view, self._day)
        return shown(asked)

    @expose("/print.pdf")
    @guarded("schedule.see")
    def day_file(self) -> Any:
        """The lists of the day as a PDF."""
        asked = _asked()
        made = papers.day(
            asked.day,
            _lists(asked),
            asked.wanted,
            where=_where(asked.branch_id),
            chairs=queries.chair_names(asked.branch_id),
        )
        return as_pdf(made, f"schedule-{asked.day}")

    def _day(self, asked: Asked) -> Any:
        return self._paper(
            "schedule/print.html", gettext("Schedule of the day"), asked, lists=_lists(asked),
            chairs=queries.chair_names(asked.branch_id), about=papers.about, alerts=in_words,
            phones_offered=may("card.see"),
            offered=queries.doctors(doctor_id=asked.own), chairs_offered=_chairs_of(asked.branch_id),
            step=timedelta(days=1),
        )  # fmt: skip

    def _week(self, asked: Asked) -> Any:
        offered = queries.doctors(doctor_id=asked.own)
        doctor = next((row for row in offered if row["id"] in asked.doctors), offered[0] if offered else None)
        sheet = queries.week_sheet(asked.day, doctor["id"], with_money=False) if doctor else None
        days, hours = queries.week_by_hours(sheet) if sheet else ([], [])
        return self._paper(
            "schedule/print_week.html", gettext("Schedule of the week"), asked, doctor=doctor, days=days, hours=hours,
            monday=rules.monday_of(asked.day), about=papers.about, phones_offered=may("card.see"), offered=offered,
            step=timedelta(days=7),
        )  # fmt: skip

    def _month(self, asked: Asked) -> Any:
        offered = queries.doctors(doctor_id=asked.own)
        doctor = next((row for row in offered if row["id"] in asked.doctors), None)
        whose = asked.own if asked.own is not None else doctor["id"] if doctor else None
        load = queries.month_load(asked.day, branch_id=asked.branch_id, doctor_id=whose, language=get_locale().language)
        first = asked.day.replace(day=1)
        rows = [{**row, "date": date.fromisoformat(row["day"]), "percent": _percent(row)} for row in load.days]
        sums: dict[str, Any] = {
            name: sum(row[name] for row in load.days) for name in ("hours", "booked", "closed", "free", "visits")
        }
        blanks: list[Any] = [None] * first.weekday()
        cells = [*blanks, *rows]
        cells += [None] * (-len(cells) % 7)
        return self._paper(
            "schedule/print_month.html", gettext("Load of the month"), asked, doctor=doctor, first=first,
            weekdays=papers.weekdays(), weeks=[cells[at : at + 7] for at in range(0, len(cells), 7)],
            sums={**sums, "percent": _percent(sums)}, offered=offered, in_hours=_in_hours,
            before=(first - timedelta(days=1)).replace(day=1), after=(first + timedelta(days=31)).replace(day=1),
        )  # fmt: skip

    def _paper(self, template: str, title: str, asked: Asked, *, step: timedelta = timedelta(), **context: Any) -> Any:
        here = {
            "view": asked.view, "by": asked.by, "branch": asked.branch_id, "doctor": asked.doctors,
            "chair": asked.chairs, "set": 1, "phones": int(asked.wanted.phones), "apart": int(asked.wanted.apart),
            "free": int(asked.free),
        }  # fmt: skip
        if step:
            context = {**context, "before": asked.day - step, "after": asked.day + step}
        return self.page(
            template, title=title, asked=asked, here=here, branches=queries.branches(), where=_where(asked.branch_id),
            made_at=papers.moment_in_words(), in_words=papers.in_words, statuses=AppointmentStatus,
            **context,
        )  # fmt: skip

    # --- the blank sheet

    @expose("/blank")
    @guarded("schedule.see")
    def blank(self) -> Any:
        """Empty lines with times, a page per doctor: to be filled in by hand while nothing works."""
        asked, minutes = _asked(), _minutes()
        return self.page(
            "schedule/blank.html", title=gettext("Blank sheet"), asked=asked, minutes=minutes, steps=STEPS,
            sheets=_blanks(asked, minutes), columns=papers.blank_titles(), branches=queries.branches(),
            where=_where(asked.branch_id), offered=queries.doctors(doctor_id=asked.own), in_words=papers.in_words,
            undated=_undated(),
        )  # fmt: skip

    @expose("/blank.pdf")
    @guarded("schedule.see")
    def blank_file(self) -> Any:
        """The blank sheets as a PDF."""
        asked = _asked()
        day = None if _undated() else asked.day
        return as_pdf(papers.blank(day, _blanks(asked, _minutes()), where=_where(asked.branch_id)), "blank")

    # --- the slip

    @expose("/slip/<int:pk>")
    @guarded("schedule.see")
    def slip(self, pk: int) -> Any:
        """«Талон на приём» for the patient's hand: when, where, to whom, and the next visits."""
        return self.page(
            "schedule/slip.html", title=gettext("Slip for a visit"), slip=_slip(pk), in_words=papers.in_words,
            doctor_of=papers.doctor_of, later_in_words=papers.later_in_words,
        )  # fmt: skip

    @expose("/slip/<int:pk>.pdf")
    @guarded("schedule.see")
    def slip_file(self, pk: int) -> Any:
        """The slip as a PDF of A6."""
        return as_pdf(papers.slip(_slip(pk)), f"slip-{pk}")


def _chairs_of(branch_id: int | None) -> list[dict[str, Any]]:
    return [row for row in queries.chairs() if branch_id in (None, row["branch_id"])]


def _lists(asked: Asked) -> list[queries.PaperList]:
    sheet = queries.day_sheet(asked.day, branch_id=asked.branch_id, doctor_id=asked.own, with_money=False)
    if asked.wanted.by_chair:
        return queries.chairs_lists(sheet, chosen=asked.chairs, free=asked.free)
    return queries.doctors_lists(sheet, doctors=asked.doctors, free=asked.free)


def _percent(row: dict[str, Any]) -> int:
    """How much of the hours is not free any more, as the month on the screen counts it."""
    return round((row["hours"] - row["free"]) / row["hours"] * 100) if row["hours"] else 0


def _in_hours(minutes: int) -> str:
    """7:30."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def _minutes() -> int:
    asked = request.args.get("step", type=int)
    return asked if asked in STEPS else 30


def _undated() -> bool:
    return request.args.get("undated") == "1"


def _blanks(asked: Asked, minutes: int) -> list[papers.Blank]:
    """A sheet per doctor who has hours on the day; per chosen doctor; without either one that names nobody."""
    sheet = queries.day_sheet(asked.day, branch_id=asked.branch_id, doctor_id=asked.own, with_money=False)
    lists = [] if _undated() else queries.doctors_lists(sheet, doctors=asked.doctors)
    found = {one.id: one for one in lists if one.spans}
    names = {row["id"]: row["name"] for row in queries.doctors(doctor_id=asked.own)}
    whose = [pk for pk in asked.doctors if pk in names] or [one.id for one in found.values() if one.id is not None]
    made = []
    for pk in whose:
        one = found.get(pk)
        start, end = (_edges(one.spans)) if one else (time(9), time(20))
        hours = one.hours if one else ""
        made.append(papers.Blank(one.name if one else names[pk], hours, papers.grid_times(start, end, minutes)))
    return made or [papers.Blank("", "", papers.grid_times(time(9), time(20), minutes))]


def _edges(spans: list[rules.Span]) -> tuple[time, time]:
    """From the first hour to the last, full hours."""
    start, end = spans[0].starts_at.replace(minute=0), max(span.ends_at for span in spans)
    if end.minute:
        end = end.replace(minute=0) + timedelta(hours=1)
    return start.time(), end.time()


def _slip(pk: int) -> queries.Slip:
    """The slip of a visit that takes place.

    Raises:
        NotFound: no such visit, or another doctor's.
        WrongStatus: cancelled or missed.
    """
    found = queries.slip(pk, doctor_id=own_doctor()) if pk < 2**31 else None
    if found is None:
        raise NotFound()
    if found.status in FREES_TIME:
        raise rules.wrong_status(found.status)
    return found
