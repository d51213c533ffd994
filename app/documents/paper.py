"""From a template and its values to HTML: a sandbox where a template can read its fields and nothing else.

A template is the text between the head and the foot of a sheet; `frame.html` is the sheet. Where next:
`queries/fields.py` for the values, `rules/problems.py` for what may be wrong, `app/pdf.py` for the print.
"""

import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from app import money
from app.documents import rules
from app.documents.reading import FieldReader, names_of, not_a_list, path_of
from app.documents.rules import problems
from app.documents.rules.problems import Problem
from app.errors import Refusal
from app.vocab import N_, TemplateKind

SHIPPED = Path(__file__).resolve().parent / "shipped"
#: A paper is a few pages; more is a template that went astray.
LONGEST = 300_000
#: How deep loops may lie in each other: a table of a table.
DEEPEST = 2
#: How many nodes of a text all its repetitions together may walk through.
STEPS = 400_000
#: How many nodes a text may have, and how deep they may lie; a contract has some five hundred.
NODES, NESTED = 6_000, 60
#: How much may stand inside one pair of brackets, and inside all of them: reading it takes time too.
LONGEST_BRACKET, ALL_BRACKETS = 2_000, 30_000
_BRACKETS = re.compile(r"\{[{%].*?(?:[}%]\}|\Z)", re.S)


class TemplateBroken(Refusal):
    """A template that cannot be filled in; its sentence is that of the first of its `problems`."""

    code = "template_broken"

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__(found[0].facts, line=found[0].line)
        self.sentence = found[0].sentence
        self.problems = list(found)


#: What a text of a paper has no need of, and an attack has: values that grow, texts that call themselves or others.
_FORBIDDEN = (
    nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Include, nodes.Import,
    nodes.FromImport, nodes.Extends, nodes.Block, nodes.Call, nodes.Mul, nodes.Pow, nodes.Mod, nodes.FloorDiv,
    nodes.Div, nodes.Add, nodes.Sub, nodes.Slice,
)  # fmt: skip
#: Names that the machine of templates gives away by itself.
_OF_THE_MACHINE = frozenset(("self", "caller", "varargs", "kwargs"))
#: The repetition's own filter: its name cannot be written in a template.
_EACH, _LEFT = "each of", "steps left"


class _NotForIt(ValueError):
    """A value that a filter cannot show. `wants` says what it is for."""

    def __init__(self, name: str, wants: str) -> None:
        super().__init__(name)
        self.name, self.wants = name, wants


def _line(value: Any, width: int = 30) -> Markup | str:
    """The value, or a line to write it by hand."""
    return value or Markup("_" * max(1, min(int(width), 90)))


def _sum(amount: Any, name: str) -> Decimal:
    try:
        if isinstance(amount, Decimal | int | str) and len(str(amount)) < 30:
            return money.rounded(Decimal(amount))
    except ArithmeticError:
        pass
    raise _NotForIt(name, N_("sums of money"))


def _lines(value: Any) -> Markup:
    """A text of several lines as it was written."""
    return Markup("<br>").join(escape(value).splitlines())


def _money(amount: Any) -> str:
    return "" if amount in (None, "") else money.shown(_sum(amount, "money")).replace("\u202f", "\u00a0")


def _words(amount: Any) -> str:
    return "" if amount in (None, "") else rules.rubles_in_words(abs(_sum(amount, "words")))


def _day(day: Any) -> str:
    return rules.short_day(day) if isinstance(day, date) else str(day or "")


def _join(values: Any, between: str = "") -> Markup:
    """Values in a row; never longer than a paper."""
    found, size = [], 0
    for value in values:
        found.append(escape(value))
        size += len(found[-1]) + len(between)
        if size > LONGEST:
            raise TemplateBroken([Problem(0, problems.ENDLESS)])
    return escape(between).join(found)


@pass_context
def _each(context: Context, values: Any, cost: int, line: int, name: str) -> list[Any]:
    """What a repetition goes over: a list of the paper, within the steps that are left."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise TemplateBroken([not_a_list(line, name, context.parent)])
    found = list(values)
    left = context.parent[_LEFT]
    left[0] -= cost * len(found)
    if left[0] < 0:
        raise TemplateBroken([Problem(line, problems.TOO_COMPLICATED)])
    return found


class _Sandbox(ImmutableSandboxedEnvironment):
    """Reads values and calls nothing: a template knows its fields and a few filters."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "**", "%", "//"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError(f"“{operator}”")

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # fields are items of dictionaries and need no attribute at all
        return isinstance(obj, LoopContext) and not attr.startswith("_")


class _Group(ValueError):
    """A group of values where one value should be printed."""


def _one_value(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        raise _Group()
    return value


_environment = _Sandbox(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_one_value
)
_environment.globals.clear()
_environment.filters = {
    **{
        name: _environment.filters[name]
        for name in ("upper", "lower", "capitalize", "length", "first", "last", "default", "e", "escape")
    },
    "join": _join,
    "line": _line,
    "lines": _lines,
    "money": _money,
    "day": _day,
    "words": _words,
    _EACH: _each,
}
#: What a text may write after a field.
FILTERS = tuple(name for name in _environment.filters if " " not in name)


def _parsed(body: str) -> nodes.Template:
    """The text as a tree.

    Raises:
        TemplateBroken: a mistake of grammar.
    """
    inside = [(found.end() - found.start(), found.start()) for found in _BRACKETS.finditer(body)]
    longest, at = max(inside, default=(0, 0))
    if longest > LONGEST_BRACKET or sum(size for size, _ in inside) > ALL_BRACKETS:
        raise TemplateBroken([Problem(body.count("\n", 0, at) + 1, problems.TOO_COMPLICATED)])
    try:
        return _environment.parse(body)
    except TemplateSyntaxError as error:
        found = problems.of_syntax(error.message or "", error.lineno)
        raise TemplateBroken([problems.opened_at(found, body)]) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise TemplateBroken([Problem(0, problems.TOO_COMPLICATED)]) from error


def _misshapen(template: nodes.Template) -> list[Problem]:
    """What a text may not do: it shows its fields, chooses and repeats, and nothing could run away."""
    found: list[Problem] = []

    walked = 0

    def walk(node: nodes.Node, loops: int, depth: int) -> None:
        nonlocal walked
        walked += 1
        line = int(getattr(node, "lineno", 0) or 0)
        loops += isinstance(node, nodes.For)
        if isinstance(node, _FORBIDDEN):
            found.append(problems.forbidden(line, type(node).__name__))
        elif isinstance(node, nodes.Filter | nodes.Test) and _unknown(node):
            known = ", ".join(FILTERS)
            found.append(Problem(line, problems.UNKNOWN_FILTER, {"name": node.name[:40], "known": known}))
        elif isinstance(node, nodes.Name | nodes.Getattr) and (
            _name_of(node).startswith("_") or _name_of(node) in _OF_THE_MACHINE
        ):
            found.append(problems.forbidden(line, "Private"))
        elif (isinstance(node, nodes.For) and loops > DEEPEST) or (isinstance(node, nodes.For) and node.recursive):
            found.append(Problem(line, problems.TOO_DEEP))
        if depth > NESTED or walked > NODES:
            raise TemplateBroken([Problem(line, problems.TOO_COMPLICATED)])
        for child in node.iter_child_nodes():
            walk(child, loops, depth + 1)

    walk(template, 0, 0)
    return found


def _unknown(node: nodes.Filter | nodes.Test) -> bool:
    return node.name not in (FILTERS if isinstance(node, nodes.Filter) else _environment.tests)


def _name_of(node: nodes.Name | nodes.Getattr) -> str:
    return node.name if isinstance(node, nodes.Name) else node.attr


def _limited(template: nodes.Template) -> nodes.Template:
    """Every repetition goes through `_each`, which knows what it costs."""
    for loop in template.find_all(nodes.For):
        cost = 1 + sum(1 for part in loop.body for _ in part.find_all(nodes.Node))
        arguments: list[nodes.Expr] = [nodes.Const(cost), nodes.Const(loop.lineno), nodes.Const(path_of(loop.iter))]
        loop.iter = nodes.Filter(loop.iter, _EACH, arguments, [], None, None, lineno=loop.lineno)
    return template.set_environment(_environment)  # type: ignore[return-value]


@lru_cache(maxsize=64)
def _compiled(body: str) -> Template:
    """A text that was read and found harmless, once per process: it takes ten times as long as filling it in."""
    shape = _parsed(body)
    if found := _misshapen(shape):
        raise TemplateBroken(found)
    return _environment.from_string(_limited(shape))


def fill_in(body: str, values: Mapping[str, Any]) -> str:
    """The text of a paper, with its fields.

    Raises:
        TemplateBroken: a mistake in the template, an unknown field, something it may not do, a layout that cannot be
            printed; with the line and what to write instead.
    """
    filled = _filled(body, values)
    if found := rules.check_layout(filled, body):
        raise TemplateBroken(found)
    return filled


def _filled(body: str, values: Mapping[str, Any]) -> str:
    try:
        pieces: list[str] = []
        size = 0
        for piece in _compiled(body).generate({**values, _LEFT: [STEPS]}):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST:
                raise TemplateBroken([Problem(0, problems.ENDLESS)])
        return "".join(pieces)
    except (UndefinedError, _Group) as error:
        missing = check_fields(body, values) or [Problem(_line_of(error), problems.CANNOT_FILL)]
        raise TemplateBroken(missing) from error
    except (SyntaxError, MemoryError, RecursionError) as error:
        # deeper than Python itself can nest
        raise TemplateBroken([Problem(0, problems.TOO_COMPLICATED)]) from error
    except _NotForIt as error:
        words = {"filter": error.name, "wants": error.wants}
        raise TemplateBroken([Problem(_line_of(error), problems.NO_VALUE, words)]) from error
    except (TemplateError, ArithmeticError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise TemplateBroken([Problem(_line_of(error), problems.CANNOT_FILL)]) from error


def _line_of(error: BaseException) -> int:
    """The line of the template where it happened."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return (lines[-1] if lines else 0) or 0


# --- the check of a text -------------------------------------------------------------------------------


def check(body: str, values: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with a text, in the order of its lines: also in the branches that these values do not take."""
    try:
        shape = _parsed(body)
        found = _misshapen(shape) + check_fields(body, values) + problems.single_brackets(body, _written(values))
    except TemplateBroken as broken:
        return broken.problems
    if not found:
        try:
            fill_in(body, values)
        except TemplateBroken as broken:
            found = broken.problems
    return sorted(found, key=lambda problem: problem.line)


def _written(values: Mapping[str, Any]) -> list[str]:
    """Every name that a text writes: the fields, and those of a row as the list of fields offers them."""
    rows = ((row, values[name]) for name, row in rules.ROWS.items() if values.get(name))
    return names_of(values) + [f"{row}.{name}" for row, of_list in rows for name in of_list[0]]


def check_fields(body: str, values: Mapping[str, Any]) -> list[Problem]:
    """The fields that are not among the values, wherever in the text they stand."""
    reader = FieldReader(values)
    reader.read(_parsed(body), dict(values))
    return reader.found


# --- the sheet ------------------------------------------------------------------------------------------


def sheet(title: str, foot: str, body: str, size: str = "a4") -> str:
    """A whole page of HTML: the frame around a text that is already filled in."""
    values = {"title": title, "foot": foot, "body": Markup(body), "size": size}
    return _filled((SHIPPED / "frame.html").read_text(encoding="utf-8"), values)


#: The dental consents are one sheet: who agrees, then the middle of each, then the signatures.
_OF_ONE_SHEET = tuple(
    kind for kind in TemplateKind if (SHIPPED / "consents" / f"{kind.removeprefix('consent_')}.html").is_file()
)


def shipped(name: str) -> str:
    """A text that came with the product."""
    if name in _OF_ONE_SHEET:
        middle = (SHIPPED / "consents" / f"{name.removeprefix('consent_')}.html").read_text(encoding="utf-8")
        title, _, rest = middle.partition("\n")
        whole = (SHIPPED / "consents" / "sheet.html").read_text(encoding="utf-8")
        return whole.replace("[title]", title.strip()).replace("[middle]\n", rest)
    return (SHIPPED / f"{name}.html").read_text(encoding="utf-8")
