"""HTML becomes a PDF: xhtml2pdf with our own font, which knows every Russian letter, ☐, № and ₽.

Nothing is read but the font's two files, whatever the HTML asks for. Where next: `app/documents/paper.py`, which
makes the HTML; `app/reports/files.py`, which draws long tables with the same font.
"""

import base64
import functools
import io
import logging
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from flask import Response
from pypdf import PdfReader, PdfWriter
from reportlab import rl_config
from reportlab.lib.fonts import addMapping
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from xhtml2pdf import default, pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from app import deadline
from app.errors import Refusal
from app.vocab import N_

log = logging.getLogger(__name__)

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
_PLACES = (
    Path(__file__).resolve().parent / "static" / "vendor",
    Path("/usr/share/fonts/truetype/dejavu"),
)
#: A paper is printed in a moment; what takes longer (seconds) is none.
LONGEST = 25.0
#: Every PDF reader has these without any file, and none of them has Cyrillic letters.
_WITHOUT_CYRILLIC = re.compile(rb"/BaseFont\s*/(?:Helvetica|Times|Courier)[^>]*?/Name\s*/([\w+]+)")
#: A stream; the font's own, which has a `Length1`, is no text.
_STREAM = re.compile(rb"(/Length1 \d+[^>]*>>\s*)?stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_DRAWN = re.compile(rb"/([\w+]+)\s+[\d.]+\s+Tf|\(((?:[^()\\]|\\.)*)\)\s*Tj", re.DOTALL)


class NoFont(RuntimeError):
    """The font is nowhere on this machine: a fault of the installation, not of a person."""


class NotPrintable(Refusal):
    """HTML that cannot become a paper: too deep, too large, broken."""

    code = "not_printable"
    sentence = N_("This text cannot be printed: simplify the tables and the layout.")


def font_files() -> tuple[Path, Path]:
    """The regular and the bold face.

    Raises:
        NoFont: neither the front-end packages nor the system have them.
    """
    for place in _PLACES:
        files = place / f"{FONT}.ttf", place / f"{BOLD}.ttf"
        if all(file.is_file() for file in files):
            return files
    raise NoFont(f"{FONT}.ttf is in none of: {', '.join(map(str, _PLACES))}")


@functools.cache
def use_font() -> Path:
    """Make the font known, once per process, and put it in the place of every other; its folder is the answer."""
    regular, bold = font_files()
    pdfmetrics.registerFont(TTFont(FONT, str(regular)))
    pdfmetrics.registerFont(TTFont(BOLD, str(bold)))
    for italic in (0, 1):  # the font has no slanted face
        addMapping(FONT, 0, italic, FONT)
        addMapping(FONT, 1, italic, BOLD)
    rl_config.canvas_basefontname = FONT
    rl_config.useA85 = 0  # binary streams: a fifth less time and bytes than as letters
    for family in default.DEFAULT_FONT:
        default.DEFAULT_FONT[family] = BOLD if "bold" in family else FONT
    default.DEFAULT_FONT["dejavu sans"] = FONT
    return regular.parent


#: How many pages each paper had when it was last printed, by its title.
_page_counts: dict[str, int] = {}
_COUNT = re.compile(r"<pdf:pagecount\s*/?>")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_PAGES = re.compile(rb"/Count (\d+) /Kids \[[^\]]*\] /Type /Pages\b")


def render(html: str) -> bytes:
    """The paper as a PDF.

    The library learns «стр. 1 из 2» by laying everything out twice. Papers of a kind are mostly of one length, so the
    number of the last one is tried first, and believed when it is right.

    Raises:
        NoFont: nothing is printed rather than squares in the place of letters.
        NotPrintable: the layout defeats the printer.
    """
    if not _COUNT.search(html):
        return _laid_out(html)
    titled = _TITLE.search(html)
    title = titled[1][:200] if titled else ""
    guess = _page_counts.get(title, 1)
    for _ in range(2):
        made = _laid_out(_COUNT.sub(str(guess), html))
        told = _PAGES.search(made)
        if told is None:
            break
        if int(told[1]) == guess:
            if len(_page_counts) > 200:
                _page_counts.clear()
            _page_counts[title] = guess
            return made
        guess = int(told[1])
    return _laid_out(html)


def _laid_out(html: str) -> bytes:
    fonts = use_font()
    policy = ResourceAccessPolicy.server(
        fonts, allow_remote=False, max_render_seconds=20.0, max_document_bytes=2_000_000, max_resource_bytes=2_000_000
    )
    out = io.BytesIO()
    try:
        with deadline.within(LONGEST):
            result = pisa.CreatePDF(html, dest=out, encoding="utf-8", resource_policy=policy)
    except deadline.OutOfTime as error:
        log.warning("not printable: more than %s seconds", LONGEST)
        raise NotPrintable() from error
    except Exception as error:  # xhtml2pdf and reportlab raise whatever the layout led them to
        log.info("not printable: %s", type(error).__name__)
        raise NotPrintable() from error
    pdf = out.getvalue()
    if result.err or not pdf.startswith(b"%PDF-") or lost_letters(pdf):
        raise NotPrintable()
    return pdf


def as_pdf(made: bytes, name: str) -> Response:
    """A PDF shown in the browser; papers of patients stay out of shared caches."""
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def lost_letters(pdf: bytes) -> bool:
    """Is any text of this PDF drawn with a font that has no Cyrillic letters?"""
    poor = set(_WITHOUT_CYRILLIC.findall(pdf))
    if not poor:
        return False
    for of_font, packed in _STREAM.findall(pdf):
        if of_font:
            continue
        try:
            content = zlib.decompress(base64.a85decode(packed[:-2]) if packed.endswith(b"~>") else packed)
        except (ValueError, zlib.error):
            continue  # a picture
        font = None
        for name, text in _DRAWN.findall(content):
            font = name or font
            if font in poor and text.strip():
                return True
    return False


def joined(papers: Iterable[bytes]) -> bytes:
    """Several papers as one file, in their order, to be printed at once."""
    whole = PdfWriter()
    for paper in papers:
        whole.append(PdfReader(io.BytesIO(paper)))
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()


def stamped(paper: bytes, words: str) -> bytes:
    """The same paper with a word across the upper edge of each page, for instance that it is a copy."""
    use_font()
    whole = PdfWriter(clone_from=io.BytesIO(paper))
    for page in whole.pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=(width, height))
        canvas.setFont(BOLD, 9)
        canvas.drawRightString(width - 24, height - 18, words)
        canvas.save()
        page.merge_page(PdfReader(out).pages[0])
    made = io.BytesIO()
    whole.write(made)
    return made.getvalue()
