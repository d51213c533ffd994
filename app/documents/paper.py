"""From a template and its values to HTML: a sandbox where a template can read its fields and nothing else.

A template is the text between the head and the foot of a sheet; `frame.html` is the sheet. Where next:
`queries.py` for the values, `app/pdf.py` for the print.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from app import money
from app.documents import rules
from app.errors import Refusal
from app.vocab import N_

SHIPPED = Path(__file__).resolve().parent / "shipped"
#: A paper is a few pages; more is a template that went astray.
LONGEST = 300_000


class TemplateBroken(Refusal):
    """A template that cannot be filled in."""

    code = "template_broken"
    sentence = N_("The template cannot be filled in: %(why)s. Correct it and save again.")


#: How deep loops may lie in each other: a table of a table. A hundred of a hundred of a hundred of them is for ever.
DEEPEST = 2
#: What a text of a paper has no need of, and an attack has: values that grow, texts that call themselves or others.
_FORBIDDEN = (
    nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Include, nodes.Import,
    nodes.FromImport, nodes.Extends, nodes.Block, nodes.Call,
)  # fmt: skip


def _line(value: Any, width: int = 30) -> Markup | str:
    """The value, or a line to write it by hand."""
    return value or Markup("_" * min(int(width), 90))


def _lines(value: Any) -> Markup:
    """A text of several lines as it was written."""
    return Markup("<br>").join(escape(value).splitlines())


def _money(amount: Decimal | str | None) -> str:
    return "" if amount in (None, "") else money.shown(Decimal(amount)).replace("\u202f", "\u00a0")


def _day(day: date | None) -> str:
    return rules.short_day(day)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Reads values and calls nothing: a template knows its fields and a few filters."""

    intercepted_binops = frozenset({"*", "**", "%", "//", "<<"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError(f"“{operator}”")

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # fields are items of dictionaries and need no attribute at all
        return isinstance(obj, LoopContext) and not attr.startswith("_")


def _join(values: Any, between: str = "") -> Markup:
    """Values in a row; never longer than a paper."""
    found, size = [], 0
    for value in values:
        found.append(escape(value))
        size += len(found[-1]) + len(between)
        if size > LONGEST:
            raise SecurityError("join")
    return escape(between).join(found)


def _check_shape(template: nodes.Template) -> None:
    """A text of a paper shows its fields, chooses and repeats; nothing that could run away.

    Raises:
        SecurityError
    """
    for node in template.find_all(_FORBIDDEN):
        raise SecurityError(f"{type(node).__name__} ({node.lineno})")

    def deep(node: nodes.Node, depth: int) -> None:
        depth += isinstance(node, nodes.For)
        if depth > DEEPEST:
            raise SecurityError(f"For ({getattr(node, 'lineno', '?')})")
        for child in node.iter_child_nodes():
            deep(child, depth)

    deep(template, 0)


_environment = _Sandbox(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
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
    "words": lambda amount: rules.rubles_in_words(Decimal(amount)),
}


def fill_in(body: str, values: Mapping[str, Any]) -> str:
    """The text of a paper, with its fields.

    Raises:
        TemplateBroken: a mistake in the template, an unknown field, something it may not do.
    """
    try:
        shape = _environment.parse(body)
        _check_shape(shape)
        template = _environment.from_string(shape)
        pieces: list[str] = []
        size = 0
        for piece in template.generate(dict(values)):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST:
                raise TemplateBroken({"why": N_("it is endless")})
        return "".join(pieces)
    except TemplateSyntaxError as error:
        raise TemplateBroken({"why": f"{error.message} ({error.lineno})"}) from error
    except UndefinedError as error:
        raise TemplateBroken({"why": error.message or ""}) from error
    except (TemplateError, RecursionError, ArithmeticError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise TemplateBroken({"why": str(error)[:200]}) from error


def sheet(title: str, foot: str, body: str, size: str = "a4") -> str:
    """A whole page of HTML: the frame around a text that is already filled in."""
    values = {"title": title, "foot": foot, "body": Markup(body), "size": size}
    return fill_in(shipped("frame"), values)


def shipped(name: str) -> str:
    """A text that came with the product."""
    return (SHIPPED / f"{name}.html").read_text(encoding="utf-8")
