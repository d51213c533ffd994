"""The HTML of a paper: only what the printer can print in a moment, and nothing that it would fetch.

Looked at with the parser that the printer itself uses, after the fields are filled in: what a text could assemble
out of pieces is whole here. A cell of a hundred million columns took ten gigabytes. Where next: `problems.py`.
"""

import base64
import binascii
import io
import re
from collections.abc import Iterator
from typing import Any

import html5lib  # type: ignore[import-untyped]
from PIL import Image

from app.documents.rules import problems
from app.documents.rules.problems import Problem
from app.vocab import N_

TAGS = frozenset((
    "a", "abbr", "address", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup",
    "dd", "del", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong", "sub",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "article", "header",
    "footer", "pdf:nextpage", "pdf:pagenumber", "pdf:pagecount",
))  # fmt: skip
#: How many parts a paper may have, how deep they may lie in each other, how deep tables may.
MOST_PARTS, DEEPEST, TABLES_DEEP = 4_000, 40, 4
#: A table of many columns is none that a sheet could hold.
MOST_SPAN = 64
PICTURE_BYTES, PICTURE_PIXELS = 200_000, 4_000_000
_PICTURE = re.compile(r"\s*data:image/(?:png|jpe?g);base64,([A-Za-z0-9+/=\s]+)\s*", re.ASCII)
#: Attributes whose value is an address to fetch.
_FETCHES = frozenset(("src", "background", "srcset", "data", "poster", "action"))
#: What in a style would be fetched or would leave the sheet.
_STYLE = re.compile(r"url\s*\(|@|expression|\\|-pdf-frame|-pdf-page|position\s*:|/\*", re.IGNORECASE)

_TEXT_ONLY = N_("Write text, tables and lists.")
_NO_FETCH = N_("Nothing is fetched by an address: put a picture into the text as data:image/png;base64,….")
_NO_STYLE = N_("Write the look into style=“…” of the tag.")
_NO_SCRIPT = N_("Paper runs no programs: remove it.")
_NO_FORM = N_('Draw a box with ☐ or a line with {{ "" | line(30) }}.')
_INSTEAD = {
    "style": _NO_STYLE, "link": _NO_STYLE, "script": _NO_SCRIPT, "iframe": _NO_SCRIPT, "object": _NO_SCRIPT,
    "embed": _NO_SCRIPT, "input": _NO_FORM, "select": _NO_FORM, "textarea": _NO_FORM, "button": _NO_FORM,
    "form": _NO_FORM,
}  # fmt: skip


def check_layout(html: str, source: str) -> list[Problem]:
    """What in the HTML cannot be printed; `source` is the text as it was written, where the lines are counted."""
    if found := _too_much(html):
        return found
    parts = 0
    for element, depth, tables in _walked(html5lib.parseFragment(html, treebuilder="dom")):
        parts += 1
        tag = str(element.tagName)
        if parts > MOST_PARTS or len(found) > 20:
            break
        if depth > DEEPEST or tables > TABLES_DEEP:
            found.append(Problem(_line(source, tag), problems.TOO_NESTED, {"tag": tag[:40]}))
            break
        if tag not in TAGS:
            instead = _INSTEAD.get(tag, _TEXT_ONLY)
            found.append(Problem(_line(source, tag), problems.BAD_TAG, {"tag": tag[:40], "instead": instead}))
            continue
        found += _of_attributes(element, tag, source)
    if parts > MOST_PARTS:
        found.append(Problem(0, problems.TOO_MANY_PARTS, {"count": f"> {MOST_PARTS}", "most": MOST_PARTS}))
    return _once(found)


#: Tags that people leave open, and that close each other or hold nothing.
_OPEN_ENDED = frozenset(("p", "li", "td", "th", "tr", "tbody", "thead", "tfoot", "dd", "dt", "br", "hr", "img", "col"))
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")


def _too_much(html: str) -> list[Problem]:
    """Whether it is too much even to be looked at: the parser itself loses its way in what is never closed."""
    opened: dict[str, int] = {}
    parts = open_now = 0
    for found in _TAG.finditer(html):
        tag = found[2].lower()
        if found[1]:
            if opened.get(tag, 0):
                opened[tag] -= 1
                open_now -= 1
            continue
        parts += 1
        if tag not in _OPEN_ENDED and not tag.startswith("pdf:"):
            opened[tag] = opened.get(tag, 0) + 1
            open_now += 1
        if open_now > DEEPEST:
            return [Problem(_line(html, tag), problems.TOO_NESTED, {"tag": tag[:40]})]
        if parts > MOST_PARTS:
            return [Problem(0, problems.TOO_MANY_PARTS, {"count": f"> {MOST_PARTS}", "most": MOST_PARTS})]
    return []


def _walked(root: Any) -> Iterator[tuple[Any, int, int]]:
    """Each element with its depth and the number of tables around it; without recursion, however deep it is."""
    waiting = [(node, 1, 0) for node in reversed(root.childNodes)]
    while waiting:
        node, depth, tables = waiting.pop()
        if node.nodeType != node.ELEMENT_NODE:
            continue
        tables += node.tagName == "table"
        yield node, depth, tables
        if depth <= DEEPEST:
            waiting += [(child, depth + 1, tables) for child in reversed(node.childNodes)]


def _of_attributes(element: Any, tag: str, source: str) -> Iterator[Problem]:
    for name, value in list(element.attributes.items()):
        name = str(name).lower()
        if name in ("colspan", "rowspan", "cols", "span"):
            number = re.match(r"\s*\+?([0-9]+)", value)
            if number and (len(number[1]) > 4 or int(number[1]) > MOST_SPAN):
                words = {"name": name, "value": value[:20], "most": MOST_SPAN}
                yield Problem(_line(source, value, tag), problems.BAD_SPAN, words)
        elif name == "src" and tag == "img":
            if not _PICTURE.fullmatch(value):
                yield _bad(tag, name, _NO_FETCH, source)
            elif not _is_picture(value):
                kilobytes = PICTURE_BYTES // 1000
                yield Problem(_line(source, tag), problems.BAD_PICTURE, {"kilobytes": kilobytes})
        elif name in _FETCHES or (name == "href" and tag != "a") or (name == "style" and _STYLE.search(value)):
            yield _bad(tag, name, _NO_FETCH, source)


def _bad(tag: str, name: str, instead: str, source: str) -> Problem:
    return Problem(
        _line(source, f"{name}=", tag), problems.BAD_ATTRIBUTE, {"name": name, "tag": tag, "instead": instead}
    )


def _is_picture(value: str) -> bool:
    """A PNG or a JPEG of a size that a sheet can hold, told by its bytes."""
    given = _PICTURE.fullmatch(value)
    if given is None or len(given[1]) > PICTURE_BYTES * 3 // 2:
        return False
    try:
        data = base64.b64decode(given[1], validate=False)
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        return False
    return len(data) <= PICTURE_BYTES and width * height <= PICTURE_PIXELS


def _line(source: str, word: str, other: str = "") -> int:
    """The line where a tag or a value stands first; 1 when it was put together out of pieces."""
    for wanted in (f"<{word}", word, f"<{other}" if other else ""):
        at = source.lower().find(wanted.lower()) if wanted else -1
        if at >= 0:
            return source.count("\n", 0, at) + 1
    return 1


def _once(found: list[Problem]) -> list[Problem]:
    """The same mistake on the same line is told once."""
    seen: list[Problem] = []
    for problem in found:
        if problem not in seen:
            seen.append(problem)
    return seen
