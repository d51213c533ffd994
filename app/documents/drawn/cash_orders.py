"""Cash orders as the statutory forms КО-1 and КО-2, on A5 across. What is long is set smaller, never cut.

Where next: `cash_values.py` for what stands in them, `app/pdf.py` for the font.
"""

import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepInFrame, Paragraph, Spacer, Table

from app import money, pdf
from app.documents import rules
from app.documents.queries import CashOrder

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]+")
_BLACK = colors.black


_FLAT = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
]  # fmt: skip


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    font = more.pop("font", pdf.FONT)
    # a double surname goes on after its hyphen, not in the middle of a syllable
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.2, embeddedHyphenation=1, **more)


TEXT = _style("text", 8)
SMALL = _style("small", 5.5, alignment=1)
TINY_RIGHT = _style("tiny", 6, alignment=2)
CENTRE = _style("centre", 8, alignment=1)
RIGHT = _style("right", 8, alignment=2)
TITLE = _style("title", 11, font=pdf.BOLD)
BOLD = _style("bold", 8, font=pdf.BOLD, alignment=1)


def p(text: object, style: ParagraphStyle = TEXT) -> Paragraph:
    """Text without control characters and markup."""
    return Paragraph(escape(_UNPRINTABLE.sub(" ", str(text)).replace("№ ", "№\u00a0")), style)


def sum_shown(amount: Decimal) -> str:
    """1 500,50 with spaces that every reader's search knows."""
    return money.shown(amount).replace("\u202f", "\u00a0")


def grid(rows: Sequence[Sequence[Any]], widths: Sequence[float], *styles: tuple[Any, ...]) -> Table:
    """A table with lines; widths in millimetres."""
    return Table(
        [[cell if not isinstance(cell, str) else p(cell, SMALL) for cell in row] for row in rows],
        colWidths=[width * mm for width in widths],
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, _BLACK), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 1), ("RIGHTPADDING", (0, 0), (-1, -1), 1),
            ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5), *styles,
        ],
    )  # fmt: skip


def line(label: str, value: object, width: float, label_width: float, under: str = "") -> Table:
    """A label, a value over a line, and what belongs there in small letters under it."""
    rows: list[list[Any]] = [[p(label), p(value or "\u00a0")]]
    if under:
        rows.append([p("", SMALL), p(under, SMALL)])
    return Table(
        rows, colWidths=[label_width * mm, (width - label_width) * mm],
        style=[
            ("LINEBELOW", (1, 0), (1, 0), 0.4, _BLACK), ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ],
    )  # fmt: skip


def signed(label: str, name: str, width: float, label_width: float, post: str | None = None) -> Table:
    """Who signs: a post (when the form has one), a line for the hand, the name."""
    cells = [(post, "должность")] if post is not None else []
    cells += [("", "подпись"), (name, "расшифровка подписи")]
    gap, each = 2.0, (width - label_width - 2.0 * (len(cells) - 1)) / len(cells)
    rows: list[list[Any]] = [[p(label)], [p("", SMALL)]]
    widths, styles = [label_width], []
    for place, (value, under) in enumerate(cells):
        if place:
            for row in rows:
                row.append(p("", SMALL))
            widths.append(gap)
        rows[0].append(p(value or "\u00a0", CENTRE))
        rows[1].append(p(under, SMALL))
        widths.append(each)
        at = len(widths) - 1
        styles.append(("LINEBELOW", (at, 0), (at, 0), 0.4, _BLACK))
    return Table(
        rows, colWidths=[each * mm for each in widths],
        style=[
            *styles, ("VALIGN", (0, 0), (-1, 0), "BOTTOM"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ],
    )  # fmt: skip


def codes(form: str, okpo: str, organisation: str, department: str, width: float) -> Table:
    """The head of a form: the organisation at the left, its codes in a box at the right."""
    box = grid([[p("Код", SMALL)], [p(form, CENTRE)], [p(okpo or "\u00a0", CENTRE)], [p("\u00a0", CENTRE)]], [24])
    labels = Table(
        [[p("\u00a0", SMALL)], [p("Форма по ОКУД", TINY_RIGHT)], [p("по ОКПО", TINY_RIGHT)]],
        colWidths=[20 * mm],
        rowHeights=[2.5 * mm, 4.5 * mm, 4.5 * mm],
        style=[*_FLAT, ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("RIGHTPADDING", (0, 0), (-1, -1), 4)],
    )
    names = [line("", organisation, width - 46, 0, "организация")]
    names.append(line("", department, width - 46, 0, "структурное подразделение"))
    return Table(
        [[names, labels, box]], colWidths=[(width - 45) * mm, 21 * mm, 24 * mm],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *_FLAT],
    )  # fmt: skip


def _titled(title: str, order: CashOrder, width: float) -> Table:
    box = grid(
        [["Номер документа", "Дата составления"], [p(order.number, BOLD), p(rules.short_day(order.day), BOLD)]],
        [24, 26],
    )
    return Table(
        [[p(title, TITLE), box]], colWidths=[(width - 50) * mm, 50 * mm],
        style=[("VALIGN", (0, 0), (-1, -1), "BOTTOM"), *_FLAT],
    )  # fmt: skip


def _approved(form: str) -> Paragraph:
    words = f"Унифицированная форма № {form}. Утверждена постановлением Госкомстата России от 18.08.1998 № 88"
    return p(words, TINY_RIGHT)


def _accounts(order: CashOrder, width: float) -> Table:
    """Debit and credit: the drawer's account is the debit of what came in and the credit of what went out."""
    side = ["код структурного подразделения", "корреспондирующий счёт, субсчёт", "код аналитического учёта"]
    rest = width - 18 - 26 - 22
    three = [rest * 0.30, rest * 0.38, rest * 0.32]
    blank, other = p("\u00a0", CENTRE), p(order.other_account, CENTRE)
    own, amount = p(order.own_account, CENTRE), p(sum_shown(order.amount), RIGHT)
    tail = ["Сумма, руб. коп.", "Код целевого назначения"]
    if order.came_in:
        rows: list[list[Any]] = [["Дебет", "Кредит", "", "", *tail], ["", *side, "", ""]]
        rows.append([own, blank, other, blank, amount, blank])
        return grid(
            rows, [18, *three, 26, 22], ("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (3, 0)), ("SPAN", (4, 0), (4, 1)),
            ("SPAN", (5, 0), (5, 1)),
        )  # fmt: skip
    rows = [["Дебет", "", "", "Кредит", *tail], [*side, "", "", ""], [blank, other, blank, own, amount, blank]]
    return grid(
        rows, [*three, 18, 26, 22], ("SPAN", (0, 0), (2, 0)), ("SPAN", (3, 0), (3, 1)), ("SPAN", (4, 0), (4, 1)),
        ("SPAN", (5, 0), (5, 1)),
    )  # fmt: skip


def _left(order: CashOrder, width: float) -> list[Any]:
    return [
        _approved("КО-1"), codes("0310001", order.okpo, order.organisation, order.department, width), Spacer(1, 2 * mm),
        _titled("ПРИХОДНЫЙ КАССОВЫЙ ОРДЕР", order, width), Spacer(1, 2 * mm), _accounts(order, width),
        Spacer(1, 2 * mm), line("Принято от", order.person, width, 21), line("Основание:", order.basis, width, 21),
        line("Сумма", rules.rubles_in_words(order.amount), width, 21, "прописью"),
        line("В том числе", order.vat, width, 21), line("Приложение", order.attachment, width, 21), Spacer(1, 2 * mm),
        signed("Главный бухгалтер", order.accountant, width, 32), signed("Получил кассир", order.cashier, width, 32),
    ]  # fmt: skip


def _stub(order: CashOrder, width: float) -> list[Any]:
    """The receipt «квитанция» that is torn off and given to the payer."""
    title = _style("stub", 9, font=pdf.BOLD, alignment=1)
    return [
        line("", order.organisation, width, 0, "организация"), p("КВИТАНЦИЯ", title),
        p(f"к приходному кассовому ордеру № {order.number}", CENTRE), p(f"от {rules.long_day(order.day)}", CENTRE),
        line("Принято от", order.person, width, 20), line("Основание:", order.basis, width, 20),
        line("Сумма", f"{sum_shown(order.amount)} руб.", width, 20, "цифрами"),
        line("", rules.rubles_in_words(order.amount), width, 0, "прописью"),
        line("В том числе", order.vat, width, 20), p(rules.long_day(order.day)), Spacer(1, 1 * mm),
        p("М.П. (штампа)"), p("Главный бухгалтер"), signed("", order.accountant, width, 0), p("Кассир"),
        signed("", order.cashier, width, 0),
    ]  # fmt: skip


def _out(order: CashOrder, width: float) -> list[Any]:
    hand = "«____» ______________ 20___ г."
    return [
        _approved("КО-2"), codes("0310002", order.okpo, order.organisation, order.department, width), Spacer(1, 1 * mm),
        _titled("РАСХОДНЫЙ КАССОВЫЙ ОРДЕР", order, width), Spacer(1, 2 * mm), _accounts(order, width),
        Spacer(1, 1 * mm), line("Выдать", order.person, width, 21, "фамилия, имя, отчество"),
        line("Основание:", order.basis, width, 21),
        line("Сумма", rules.rubles_in_words(order.amount), width, 21, "прописью"),
        line("Приложение", order.attachment, width, 21),
        signed("Руководитель организации", order.head, width, 42, order.head_post),
        signed("Главный бухгалтер", order.accountant, width, 42),
        line("Получил", "", width, 21, "сумма прописью"),
        Table(
            [[p(hand), p("Подпись"), ""]], colWidths=[70 * mm, 18 * mm, (width - 88) * mm],
            style=[("LINEBELOW", (2, 0), (2, 0), 0.4, _BLACK), ("VALIGN", (0, 0), (-1, -1), "BOTTOM"), *_FLAT],
        ),
        line(
            "По", order.identity, width, 21,
            "наименование, номер, дата и место выдачи документа, удостоверяющего личность получателя",
        ),
        signed("Выдал кассир", order.cashier, width, 42),
    ]  # fmt: skip


def cash_order(order: CashOrder) -> bytes:
    """КО-1 with the receipt to tear off, or КО-2."""
    pdf.use_font()
    out, size = io.BytesIO(), landscape(A5)
    canvas = Canvas(out, pagesize=size)
    canvas.setTitle(f"{'Приходный' if order.came_in else 'Расходный'} кассовый ордер № {order.number}")
    high = size[1] - 16 * mm
    if order.came_in:
        _put(canvas, _left(order, 126), 8 * mm, 126 * mm, high)
        canvas.setDash(2, 2)
        canvas.line(138 * mm, 5 * mm, 138 * mm, size[1] - 5 * mm)
        canvas.setDash()
        canvas.saveState()
        canvas.translate(137 * mm, 12 * mm)
        canvas.rotate(90)
        canvas.setFont(pdf.FONT, 5)
        canvas.drawString(0, 0, "линия отреза")
        canvas.restoreState()
        _put(canvas, _stub(order, 60), 142 * mm, 60 * mm, high)
    else:
        _put(canvas, _out(order, 194), 8 * mm, 194 * mm, high)
    if order.annulled:
        canvas.setFont(pdf.BOLD, 9)
        canvas.drawCentredString(size[0] / 2, 3 * mm, order.annulled)
        canvas.setFillAlpha(0.15)
        canvas.setFont(pdf.BOLD, 44)
        canvas.translate(size[0] / 2, size[1] / 2)
        canvas.rotate(25)
        canvas.drawCentredString(0, 0, "АННУЛИРОВАН")
    canvas.save()
    return out.getvalue()


def _put(canvas: Canvas, story: list[Any], left: float, width: float, high: float) -> None:
    """Draw from the top down; what is too high for the page is set smaller as a whole."""
    frame = KeepInFrame(width, high, story, mode="shrink", hAlign="LEFT")
    _, used = frame.wrapOn(canvas, width, high)
    frame.drawOn(canvas, left, 8 * mm + high - used)
