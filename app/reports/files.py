"""A report as a file: XLSX, CSV, PDF. The same tables as the page, all rows of them.

What people typed never becomes a formula: a text that begins like one gets an apostrophe. Where next: `tables/`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from flask import Response
from flask_babel import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from app import clock, money, pdf
from app.errors import Refusal
from app.reports.tables import Column, Sheet, Table
from app.spreadsheets import safe
from app.vocab import N_

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
#: Beyond this a PDF is a book that nobody opens, and takes a minute to make.
MOST_PDF_ROWS = 3000
#: What Excel can hold on one sheet.
MOST_XLSX_ROWS = 1_000_000


class TooManyRows(Refusal):
    code = "too_many_rows"
    sentence = N_("This is too much for one file: %(rows)s rows. Choose fewer days, or take another kind of file.")


def make(sheet: Sheet, form: str) -> bytes:
    """The file.

    Raises:
        TooManyRows
    """
    return {"xlsx": _xlsx, "csv": _csv, "pdf": _pdf}[form](sheet)


def answer(sheet: Sheet, form: str) -> Response:
    """A report as a file to be saved."""
    file = Response(make(sheet, form), content_type=TYPES[form])
    days = sheet.window.first.isoformat()
    if sheet.window.last != sheet.window.first:
        days += f"_{sheet.window.last.isoformat()}"
    file.headers["Content-Disposition"] = f'attachment; filename="{sheet.kind}_{days}.{form}"'
    file.headers["Cache-Control"] = "private, no-store"
    return file


def title_of(sheet: Sheet) -> str:
    """What stands at the head of the file."""
    days = f"{sheet.window.first:%d.%m.%Y}"
    if sheet.window.last != sheet.window.first:
        days += f" – {sheet.window.last:%d.%m.%Y}"
    return " · ".join([sheet.title, days, *map(str, sheet.narrowed)])


def _value(column: Column, value: Any, clean: Callable[[Any], str] = safe) -> Any:
    """A cell as a value: a number, a wall clock moment, or text that is safe."""
    if value is None or value == "":
        return None
    if column.form in ("moment", "wall"):
        return clock.wall(value) if value.tzinfo else value
    if column.number or column.form == "day":
        return value
    return clean(value)


def _shown(value: Any) -> str:
    """A value as people write it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Decimal):
        return f"{money.rounded(value)}".replace(".", ",")
    return str(value)


def _cells(table: Table, clean: Callable[[Any], str] = safe) -> Iterator[list[Any]]:
    for row in table.rows:
        yield [_value(column, column.of(row), clean) for column in table.columns]


def _totals(table: Table) -> list[Any] | None:
    """The line below the rows: the word in the first free column, sums in theirs."""
    if table.totals is None or not table.rows:
        return None
    line = [_value(column, table.totals.get(column.key)) if column.number else None for column in table.columns]
    if not table.columns[0].number:
        word = table.totals.get(table.columns[0].key)
        line[0] = word if isinstance(word, str) else gettext("Total")
    return line


def _csv(sheet: Sheet) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([safe(title_of(sheet))])
    for group, figures in sheet.figures:
        if group:
            writer.writerow([safe(group)])
        for figure in figures:
            writer.writerow([safe(figure.title), _shown(figure.value)])
    for table in sheet.tables:
        writer.writerow([])
        writer.writerow([safe(table.title)])
        writer.writerow([safe(column.title) for column in table.columns])
        for cells in _cells(table):
            writer.writerow([_shown(cell) for cell in cells])
        totals = _totals(table)
        if totals:
            writer.writerow([_shown(cell) for cell in totals])
    return ("\ufeff" + out.getvalue()).encode()


def _xlsx(sheet: Sheet) -> bytes:
    book = Workbook(write_only=True)
    bold = Font(bold=True)

    def cell(page: Any, value: Any, column: Column | None = None, *, strong: bool = False) -> Any:
        made = WriteOnlyCell(page, value=value)
        if isinstance(value, str):
            made.data_type = "s"
        if isinstance(value, datetime):
            made.number_format = "dd.mm.yyyy hh:mm"
        elif isinstance(value, date):
            made.number_format = "dd.mm.yyyy"
        elif isinstance(value, Decimal) or (column is not None and column.form == "money"):
            made.number_format = "#,##0.00"
        if strong:
            made.font = bold
        return made

    first = book.create_sheet(_tab(gettext("Figures"), book))
    first.column_dimensions["A"].width, first.column_dimensions["B"].width = 40, 18
    first.append([cell(first, safe(title_of(sheet)), strong=True)])
    for group, figures in sheet.figures:
        if group:
            first.append([cell(first, safe(group), strong=True)])
        for figure in figures:
            first.append([cell(first, safe(figure.title)), cell(first, figure.value)])
    for table in sheet.tables:
        if len(table.rows) > MOST_XLSX_ROWS:
            raise TooManyRows(rows=len(table.rows))
        page = book.create_sheet(_tab(table.title, book))
        page.freeze_panes = "A2"
        for number, column in enumerate(table.columns, 1):
            width = {"money": 15, "int": 9, "day": 12, "moment": 17, "wall": 17}.get(column.form, 26)
            page.column_dimensions[get_column_letter(number)].width = width
        page.append([cell(page, safe(column.title), strong=True) for column in table.columns])
        for cells in _cells(table):
            page.append([cell(page, value, column) for value, column in zip(cells, table.columns, strict=True)])
        totals = _totals(table)
        if totals:
            page.append([cell(page, v, c, strong=True) for v, c in zip(totals, table.columns, strict=True)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _tab(title: str, book: Workbook) -> str:
    """A name that a sheet of Excel may have."""
    name = re.sub(r"[\[\]:*?/\\]", " ", title)[:28] or "-"
    taken = {page.title for page in book.worksheets}
    return name if name not in taken else f"{name} {len(taken)}"


def _pdf(sheet: Sheet) -> bytes:
    rows = sum(len(table.rows) for table in sheet.tables)
    if rows > MOST_PDF_ROWS:
        raise TooManyRows(rows=rows)
    pdf.use_font()
    small = ParagraphStyle("cell", fontName=pdf.FONT, fontSize=7, leading=8.6)
    right = ParagraphStyle("number", parent=small, alignment=2)
    strong = ParagraphStyle("strong", parent=small, fontName=pdf.BOLD)
    strong_right = ParagraphStyle("strong number", parent=strong, alignment=2)
    heading = ParagraphStyle("heading", fontName=pdf.BOLD, fontSize=10, leading=13, spaceBefore=8, spaceAfter=4)
    story: list[Any] = [
        Paragraph(
            escape(title_of(sheet)), ParagraphStyle("title", fontName=pdf.BOLD, fontSize=13, leading=17, spaceAfter=4)
        )
    ]
    for group, figures in sheet.figures:
        if group:
            story.append(Paragraph(escape(group), heading))
        words = "  ·  ".join(f"{figure.sign} {figure.title}: {_pretty(figure.value)}".strip() for figure in figures)
        story.append(Paragraph(escape(words), small))
    width = landscape(A4)[0] - 60
    for table in sheet.tables:
        story.append(Paragraph(escape(table.title), heading))
        if not table.rows:
            story.append(Paragraph(escape(table.empty), small))
            continue
        head = [Paragraph(escape(c.title), strong_right if c.number else strong) for c in table.columns]
        grid = [head]
        for cells in _cells(table, str):
            grid.append(
                [
                    Paragraph(escape(_pretty(v)), right if c.number else small)
                    for v, c in zip(cells, table.columns, strict=True)
                ]
            )
        totals = _totals(table)
        if totals:
            grid.append(
                [
                    Paragraph(escape(_pretty(v)), strong_right if c.number else strong)
                    for v, c in zip(totals, table.columns, strict=True)
                ]
            )
        weights = [
            {"money": 3.2, "int": 2.0, "day": 3.0, "moment": 4.0, "wall": 4.0}.get(c.form, 5.5) for c in table.columns
        ]
        widths = [width * weight / sum(weights) for weight in weights]
        story.append(
            LongTable(
                grid,
                colWidths=widths,
                repeatRows=1,
                style=TableStyle(
                    [
                        ("GRID", (0, 0), (-1, -1), 0.3, colors.grey),
                        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                        ("VALIGN", (0, 0), (-1, -1), "TOP"),
                        ("TOPPADDING", (0, 0), (-1, -1), 2),
                        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                        ("LEFTPADDING", (0, 0), (-1, -1), 3),
                        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                    ]
                ),
            )
        )
    story.append(Spacer(1, 6))
    out = io.BytesIO()

    def foot(canvas: Any, doc: Any) -> None:
        canvas.setFont(pdf.FONT, 7)
        canvas.drawCentredString(landscape(A4)[0] / 2, 14, str(doc.page))

    SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=30, rightMargin=30, topMargin=28, bottomMargin=28, title=title_of(sheet)
    ).build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _pretty(value: Any) -> str:
    # the thin space is not in every reader's search; an ordinary no-break space is
    return money.shown(value).replace("\u202f", "\u00a0") if isinstance(value, Decimal) else _shown(value)
