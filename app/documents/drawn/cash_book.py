"""The sheet of the cash book КО-4 and the report of a shift, on A4; long ones go on over pages under their heads.

Where next: `cash_book.py` for the figures.
"""

import io
from collections.abc import Mapping
from typing import Any

from flask_babel import force_locale, gettext
from num2words import num2words
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer

from app import clock, pdf
from app.cash.queries import Notes, ShiftReport
from app.documents import rules
from app.documents.drawn.cash_orders import CENTRE, RIGHT, SMALL, TINY_RIGHT, TITLE, grid, line, p, signed, sum_shown
from app.documents.queries import BookSheet, short
from app.vocab import CountMoment, MovementKind

_WIDE = 180.0
#: The page's frame adds six points of its own at each side.
_SIDE = 15 * mm - 6


def _word(kind: str) -> str:
    """A movement's kind as the pages call it; papers are Russian in every language of the screen."""
    with force_locale("ru"):
        return gettext(MovementKind(kind).label)


def _made(story: list[Flowable], title: str) -> bytes:
    out = io.BytesIO()
    SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_SIDE, rightMargin=_SIDE, topMargin=12 * mm, bottomMargin=12 * mm, title=title
    ).build(story)
    return out.getvalue()


def many(count: int) -> str:
    """A number of orders in words, in the genitive."""
    return str(num2words(count, lang="ru", case="g"))


def _table(rows: list[list[Any]], widths: list[float]) -> LongTable:
    """A table with lines that repeats its head on every page."""
    made = grid(rows, widths)
    return LongTable(
        made._cellvalues, colWidths=[width * mm for width in widths], repeatRows=1,
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, "black"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LEFTPADDING", (0, 0), (-1, -1), 3), ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ],
    )  # fmt: skip


def book_sheet(sheet: BookSheet) -> bytes:
    """КО-4 of a day."""
    pdf.use_font()
    blank, cross = p("\u00a0", CENTRE), p("X", CENTRE)
    rows: list[list[Any]] = [
        ["Номер документа", "От кого получено или кому выдано", "Номер корреспондирующего счёта, субсчёта",
         "Приход, руб. коп.", "Расход, руб. коп."],
        [blank, p("Остаток на начало дня"), cross, p(sum_shown(sheet.opening), RIGHT), cross],
    ]  # fmt: skip
    for row in sheet.rows:
        amount = p(sum_shown(row.amount), RIGHT)
        came, went = (amount, blank) if row.came_in else (blank, amount)
        rows.append([p(row.number, CENTRE), p(row.whom), p(row.account, CENTRE), came, went])
    total = [p(sum_shown(sheet.came_in), RIGHT), p(sum_shown(sheet.went_out), RIGHT)]
    rows.append([blank, p("Итого за день"), cross, *total])
    rows.append([blank, p("Остаток на конец дня"), cross, p(sum_shown(sheet.closing), RIGHT), cross])
    rows.append(
        [blank, p("в том числе на заработную плату, выплаты социального характера и стипендии"), blank, blank, cross]
    )
    ins = sum(row.came_in for row in sheet.rows)
    outs = len(sheet.rows) - ins
    head = "Унифицированная форма № КО-4. Утверждена постановлением Госкомстата России от 18.08.1998 № 88"
    checked = (
        f"Записи в кассовой книге проверил и документы в количестве {many(ins)} приходных"
        f" и {many(outs)} расходных получил."
    )
    story: list[Flowable] = [
        p(head, TINY_RIGHT), p("Форма по ОКУД 0310004", TINY_RIGHT),
        p(f"по ОКПО {sheet.entity.okpo or '________'}", TINY_RIGHT),
        line("", sheet.entity.name, _WIDE, 0, "организация"), Spacer(1, 2 * mm), p("КАССОВАЯ КНИГА", TITLE),
        Spacer(1, 1 * mm), p(f"Касса за {rules.long_day(sheet.day)}"), p(f"Лист {sheet.number}", RIGHT),
        Spacer(1, 2 * mm), _table(rows, [22, 80, 30, 24, 24]), Spacer(1, 4 * mm),
        signed("Кассир", sheet.cashier, _WIDE, 32), Spacer(1, 2 * mm), p(checked), Spacer(1, 1 * mm),
        signed("Бухгалтер", cash_accountant(sheet), _WIDE, 32),
    ]  # fmt: skip
    return _made(story, f"Кассовая книга, лист {sheet.number}")


def cash_accountant(sheet: BookSheet) -> str:
    """Who checks the book."""
    return short(sheet.entity.accountant_name)


def shift_report(report: ShiftReport, cashier: str, counts: Mapping[str, Notes]) -> bytes:
    """The report of a shift: what was, came, went, must be and was counted, note by note when it was kept."""
    pdf.use_font()
    shift = report.shift
    rows: list[list[Any]] = [["Показатель", "Операций", "Сумма, руб."]]

    def add(name: str, amount: Any, count: Any = "\u00a0") -> None:
        rows.append([p(name), p(count, CENTRE), p(sum_shown(amount), RIGHT)])

    add("Остаток на начало" + (" дня" if report.since else " смены"), report.opening)
    if not report.since and shift.opened_with != shift.opening:
        add("Пересчитано при открытии", shift.opened_with)
    for found in report.lines:
        add(_word(found.kind), found.amount, found.count)
    add("Всего приход", report.came_in)
    add("Всего расход", report.went_out)
    add("Должно быть в кассе", report.expected)
    if shift.counted is not None and shift.difference is not None:
        add("Пересчитано", shift.counted)
        add("Расхождение", shift.difference)
    title = ("X-отчёт" if shift.closed_at is None else "Отчёт") + f" по смене № {shift.number}"
    story: list[Flowable] = [
        p(shift.desk.legal_entity.name), p(f"{shift.desk.branch.name} · {shift.desk.name}"), Spacer(1, 3 * mm),
        p(title, TITLE), Spacer(1, 2 * mm), p(f"Открыта {clock.wall(shift.opened_at):%d.%m.%Y %H:%M}"),
    ]  # fmt: skip
    if shift.closed_at is not None:
        story.append(p(f"Закрыта {clock.wall(shift.closed_at):%d.%m.%Y %H:%M}"))
    else:  # its sums are those of a moment, and the next report has others
        story.append(p(f"Составлен {clock.wall_now():%d.%m.%Y %H:%M}"))
    if report.since:
        story.append(p(f"Показаны операции с {rules.short_day(report.since)}"))
    story += [Spacer(1, 2 * mm), _table(rows, [110, 25, 45])]
    if report.by_category:
        spent: list[list[Any]] = [["Статья расходов", "Сумма, руб."]]
        spent += [[p(name), p(sum_shown(amount), RIGHT)] for name, amount in report.by_category]
        story += [Spacer(1, 4 * mm), _table(spent, [135, 45])]
    reasons = {CountMoment.OPENING: shift.open_reason, CountMoment.CLOSING: shift.close_reason}
    for moment, name in ((CountMoment.OPENING, "при открытии"), (CountMoment.CLOSING, "при закрытии")):
        if report.since and moment == CountMoment.OPENING:
            continue
        if moment in counts:
            notes = "; ".join(f"{sum_shown(value)} × {pieces}" for value, pieces in counts[moment])
            story += [Spacer(1, 2 * mm), p(f"Купюры и монеты {name}: {notes}")]
        if reasons[moment]:
            story += [Spacer(1, 2 * mm), p(f"Причина расхождения {name}: {reasons[moment]}")]
    story += [
        Spacer(1, 6 * mm), signed("Кассир", cashier, _WIDE, 32), Spacer(1, 2 * mm),
        signed("Проверил", "", _WIDE, 32), Spacer(1, 2 * mm), p("Не является фискальным документом", SMALL),
    ]  # fmt: skip
    return _made(story, title)
