"""PDFs of the schedule, drawn by reportlab: a day's lists, the spare sheets of a branch, the blank sheet, the slip.

Whole lists of hundreds of visits in a second; every letter is in our font and nothing is cut: what does not fit into
a cell goes on in the next line, what does not fit on a page on the next page. Where next: `queries/printed.py` for
what is drawn, `spare.py` for the files, `app/pdf.py` for the font.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from babel.dates import format_date, get_day_names
from flask_babel import get_locale, gettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, A6, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    KeepTogether,
    LongTable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from app import clock, money, pdf
from app.patients import alerts
from app.phones import shown as shown_phone
from app.schedule.queries import PaperLine, PaperList, Slip, SpareBranch
from app.vocab import AppointmentStatus

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]+")
_SIDE = 10 * mm
_GREY = colors.HexColor("#777777")


@dataclass(frozen=True)
class Wanted:
    """What a list shows beside times and names."""

    phones: bool = True
    debts: bool = False
    #: A list per chair names the doctor in each row, a list per doctor the chair.
    by_chair: bool = False
    #: Every list on a page of its own.
    apart: bool = False


def in_words(day: date) -> str:
    """понедельник, 23 ноября 2026 г."""
    return str(format_date(day, "full", locale=get_locale()))


def weekdays() -> list[str]:
    """понедельник … воскресенье."""
    names = get_day_names(locale=get_locale())
    return [str(names[n]) for n in range(7)]


def moment_in_words() -> str:
    """Now, as a stamp of a paper: 23.11.2026 10:42."""
    return f"{clock.wall_now():%d.%m.%Y %H:%M}"


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=more.pop("font", pdf.FONT), fontSize=size, leading=size * 1.25, **more)


_CELL = _style("cell", 8)
_NUMBER = _style("number", 8, alignment=2)
_HEAD = _style("head", 7.5, font=pdf.BOLD)
_QUIET = _style("quiet", 8, textColor=_GREY)
_TITLE = _style("title", 14, font=pdf.BOLD, spaceAfter=2)
_DAY = _style("day", 12, font=pdf.BOLD, spaceBefore=6, spaceAfter=2, keepWithNext=1)
_NAME = _style("name", 10, font=pdf.BOLD, spaceBefore=8, spaceAfter=3)
#: A list that is not longer stays on one page; a longer one begins where the last one ended.
_TOGETHER = 80 * mm
_EMPTY = _style("empty", 9, textColor=_GREY, spaceAfter=4)


def clean(text: Any) -> str:
    """Text for a paragraph: no control characters, no markup, new lines as spaces."""
    return escape(" ".join(_UNPRINTABLE.sub(" ", str(text)).split()))


class _Numbered(Canvas):
    """Writes at the foot of each page what it is, when it was made, and which of how many pages it is."""

    foot = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self.setFont(pdf.FONT, 7)
            self.setFillColor(_GREY)
            words = gettext("page %(page)s of %(pages)s", page=number, pages=len(self._pages))
            self.drawString(_SIDE, 6 * mm, self.foot)
            self.drawRightString(self._pagesize[0] - _SIDE, 6 * mm, words)
            super().showPage()
        super().save()


def _made(story: list[Any], title: str, foot: str, *, size: tuple[float, float] = landscape(A4)) -> bytes:
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=size, leftMargin=_SIDE, rightMargin=_SIDE, topMargin=_SIDE, bottomMargin=12 * mm, title=title
    )
    document.build(story, canvasmaker=type("Numbered", (_Numbered,), {"foot": foot}))
    return out.getvalue()


def _table(
    rows: list[list[Any]], widths: Sequence[float], *, height: float | None = None, roomy: Sequence[int] = ()
) -> LongTable:
    """A table that goes on over pages under its head; `roomy` rows leave space to write by hand."""
    return LongTable(
        rows,
        colWidths=[width * mm for width in widths],
        rowHeights=[None, *[height] * (len(rows) - 1)] if height else None,
        repeatRows=1,
        splitInRow=1,
        style=TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, _GREY),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                *(("BOTTOMPADDING", (0, row), (-1, row), 11) for row in roomy),
            ]
        ),
    )


# --- lists of a day -----------------------------------------------------------------------------------------


def _columns(wanted: Wanted) -> list[tuple[str, float]]:
    """Titles and widths (mm, 277 in sum) of a list."""
    columns = [(gettext("Time"), 24.0), (gettext("Patient"), 78.0)]
    if wanted.phones:
        columns.append((gettext("Phone"), 35.0))
    columns.append((gettext("Doctor") if wanted.by_chair else gettext("Chair"), 40.0))
    columns.append((gettext("Service and comment"), 0.0))
    if wanted.debts:
        columns.append((gettext("Debt, ₽"), 24.0))
    left = 277 - sum(width for _, width in columns)
    return [(title, width or left) for title, width in columns]


def _patient(line: PaperLine) -> str:
    visit = line.visit or {}
    patient = visit["patient"]
    words = f'<font name="{pdf.BOLD}">{clean(patient["name"])}</font>, №\u00a0{clean(patient["card_number"])}'
    if visit["first_visit"]:
        words += f" ({clean(gettext('first visit'))})"
    if patient["allergy"]:
        words += f'<br/><font name="{pdf.BOLD}">{clean(gettext("Allergy:"))} {clean(patient["allergy"])}</font>'
    if dangers := alerts.in_words(patient["alerts"]):
        words += f'<br/><font name="{pdf.BOLD}">{clean("; ".join(dangers))}</font>'
    return words


def about(line: PaperLine) -> str:
    """What the visit is for, what became of it, and what the desk wrote."""
    visit = line.visit or {}
    status = visit.get("status")
    became = "" if status in (None, AppointmentStatus.BOOKED) else gettext(AppointmentStatus(status).label)
    parts = (became, visit.get("service"), visit.get("comment"))
    return ". ".join(str(part).strip().rstrip(".") for part in parts if part)


def _row(line: PaperLine, wanted: Wanted, chairs: dict[int, str]) -> list[Any]:
    visit, many = line.visit, len(_columns(wanted))
    if visit is None:
        words = clean(line.why) or clean(gettext("free"))
        return [Paragraph(line.time, _CELL), Paragraph(words, _QUIET), *[""] * (many - 2)]
    patient = visit["patient"]
    cells = [line.time, _patient(line)]
    if wanted.phones:
        cells.append(clean(shown_phone(patient["phone"])) if patient["phone"] else "")
    cells.append(clean(visit["doctor"] if wanted.by_chair else chairs.get(visit["chair_id"], "")))
    cells.append(clean(about(line)))
    made = [Paragraph(cell, _CELL) for cell in cells]
    if wanted.debts:
        debt = Decimal((patient["balance"] or {}).get("debt") or 0)
        # the thin space is not in every reader's search; an ordinary no-break space is
        made.append(Paragraph(money.shown(debt).replace("\u202f", "\u00a0") if debt else "", _NUMBER))
    return made


def _lists(lists: Sequence[PaperList], wanted: Wanted, chairs: dict[int, str]) -> list[Any]:
    story: list[Any] = []
    columns = _columns(wanted)
    for n, one in enumerate(lists):
        story.append(PageBreak() if wanted.apart and n else CondPageBreak(40 * mm))
        name = one.name or gettext("No chair yet")
        hours = f' <font name="{pdf.FONT}" color="#555555">{clean(one.hours)}</font>' if one.spans else ""
        heading = Paragraph(clean(name) + hours, _NAME)
        if not one.lines:
            story += [heading, Paragraph(clean(gettext("No visits.")), _EMPTY)]
            continue
        head = [Paragraph(clean(title), _HEAD) for title, _ in columns]
        rows = [_row(line, wanted, chairs) for line in one.lines]
        roomy = [n for n, line in enumerate(one.lines, 1) if line.visit is None and not line.why]
        table = _table([head, *rows], [width for _, width in columns], roomy=roomy)
        short = table.wrap(landscape(A4)[0] - 2 * _SIDE, landscape(A4)[1])[1] < _TOGETHER
        story += [KeepTogether([heading, table])] if short else [heading, table]
    if not lists:
        story.append(Paragraph(clean(gettext("Nobody sees patients on this day.")), _EMPTY))
    return story


def day(day: date, lists: Sequence[PaperList], wanted: Wanted, *, where: str, chairs: dict[int, str]) -> bytes:
    """The lists of a day; `where` names the branch."""
    pdf.use_font()
    title = f"{gettext('Schedule of the day')}: {in_words(day)}"
    story = [Paragraph(clean(title), _TITLE)]
    if where:
        story.append(Paragraph(clean(where), _QUIET))
    story += _lists(lists, wanted, chairs)
    return _made(story, title, _stamp(where or gettext("All branches")))


def _stamp(where: str) -> str:
    return f"{where} · {gettext('Made at %(moment)s', moment=moment_in_words())}"


def spare(branch: SpareBranch, *, chairs: dict[int, str]) -> bytes:
    """The spare sheet of a branch: today and the next working day, with phones, debts, comments and free times."""
    pdf.use_font()
    title = f"{gettext('Spare sheet')}: {branch.name}"
    made = gettext("Made at %(moment)s", moment=moment_in_words())
    warning = gettext("Personal data: keep it where patients do not see it, and destroy it after use.")
    story: list[Any] = [
        Paragraph(f'{clean(title)} <font name="{pdf.FONT}" size="10">{clean(made)}</font>', _TITLE),
        Paragraph(clean(warning), _QUIET),
    ]
    for n, (when, lists) in enumerate(branch.days):
        if n:
            story.append(PageBreak())
        story.append(Paragraph(clean(in_words(when)), _DAY))
        story += _lists(lists, Wanted(debts=True), chairs)
    return _made(story, title, _stamp(branch.name))


# --- the blank sheet ----------------------------------------------------------------------------------------


def grid_times(start: time, end: time, minutes: int) -> list[str]:
    """The times of a day's empty lines, every so many minutes; the end 00:00 is midnight."""
    first = start.hour * 60 + start.minute
    last = end.hour * 60 + end.minute or 24 * 60
    return [f"{at // 60:02d}:{at % 60:02d}" for at in range(first, last, minutes)]


@dataclass(frozen=True)
class Blank:
    """An empty sheet of one doctor: whose day it is and the times of its lines."""

    name: str
    hours: str
    times: list[str]


def blank_titles() -> list[tuple[str, float]]:
    """The columns of the blank sheet with their widths, mm: what is asked of a patient while nothing works."""
    return [
        (gettext("Time"), 16), (gettext("Until"), 14), (gettext("Patient, birth date"), 68), (gettext("Phone"), 36),
        (gettext("Chair"), 22), (gettext("What for"), 45), (gettext("Came at"), 18), (gettext("Paid, ₽, how"), 28),
        (gettext("Who wrote"), 30),
    ]  # fmt: skip


def blank(day: date | None, sheets: Sequence[Blank], *, where: str) -> bytes:
    """Sheets to be filled in by hand, one doctor a page; without a day there is a line to write it."""
    pdf.use_font()
    columns = blank_titles()
    story: list[Any] = []
    when = in_words(day) if day else f"{gettext('Day')}: ____________________"
    for n, sheet in enumerate(sheets):
        if n:
            story.append(PageBreak())
        name = sheet.name or f"{gettext('Doctor')}: ______________________________"
        hours = f' <font name="{pdf.FONT}" color="#555555">{clean(sheet.hours)}</font>' if sheet.hours else ""
        story.append(Paragraph(f"{clean(name)}{hours}", _TITLE))
        story.append(Paragraph(clean(f"{when} · {where}" if where else when), _CELL))
        story.append(Spacer(1, 2 * mm))
        head = [Paragraph(clean(title), _HEAD) for title, _ in columns]
        rows = [[Paragraph(at, _CELL), *[""] * (len(columns) - 1)] for at in sheet.times]
        story.append(_table([head, *rows], [width for _, width in columns], height=7.2 * mm))
    return _made(story or [Paragraph(clean(gettext("Nobody sees patients on this day.")), _EMPTY)],
                 gettext("Blank sheet"), where)  # fmt: skip


# --- the slip -----------------------------------------------------------------------------------------------


def slip(given: Slip) -> bytes:
    """«Талон на приём» on A6, half of a half of a sheet."""
    pdf.use_font()
    centre: dict[str, Any] = {"alignment": 1}
    small, plain = _style("small", 7.5, **centre), _style("plain", 9, spaceAfter=2)
    story: list[Any] = [
        Paragraph(clean(given.clinic), _style("clinic", 11, font=pdf.BOLD, **centre)),
        *(Paragraph(clean(part), small) for part in (given.address, shown_phone(given.phone)) if part),
        Spacer(1, 3 * mm),
        Paragraph(clean(gettext("Slip for a visit")), _style("what", 10, **centre)),
        Spacer(1, 1 * mm),
        Paragraph(clean(in_words(given.starts_at.date())), _style("when", 11, font=pdf.BOLD, **centre)),
        Paragraph(f"{given.starts_at:%H:%M}", _style("time", 22, font=pdf.BOLD, spaceAfter=4, **centre)),
    ]
    facts = [(gettext("Patient"), given.patient), (gettext("Doctor"), doctor_of(given))]
    if given.chair:
        facts.append((gettext("Chair"), given.chair))
    story += [Paragraph(f'{clean(name)}: <font name="{pdf.BOLD}">{clean(said)}</font>', plain) for name, said in facts]
    if given.later:
        story.append(Paragraph(clean(gettext("Your next visits")), _style("later", 8.5, font=pdf.BOLD, spaceBefore=5)))
        story += [Paragraph(clean(later_in_words(visit)), _style("line", 8)) for visit in given.later]
    story += [Spacer(1, 3 * mm), Paragraph(clean(gettext("If you cannot come, please call us beforehand.")), small)]
    out = io.BytesIO()
    SimpleDocTemplate(
        out, pagesize=A6, leftMargin=7 * mm, rightMargin=7 * mm, topMargin=6 * mm, bottomMargin=6 * mm,
        title=gettext("Slip for a visit"),
    ).build(story)  # fmt: skip
    return out.getvalue()


def doctor_of(given: Slip) -> str:
    """«Петрова Анна Олеговна, стоматолог-терапевт»."""
    return f"{given.doctor}, {given.speciality.lower()}" if given.speciality else given.doctor


def later_in_words(visit: dict[str, Any]) -> str:
    """среда, 2 декабря, 10:30 — Петрова А. О."""
    starts = datetime.fromisoformat(visit["starts_at"])
    form = "EEEE, d MMMM" if starts.year == clock.today().year else "EEEE, d MMMM y"
    return f"{format_date(starts.date(), form, locale=get_locale())}, {starts:%H:%M} — {visit['doctor']}"
