"""What can be wrong with the text of a paper, in a sentence that says the line and what to write instead.

Where next: `layout.py`, which looks at the HTML; `../paper.py`, which looks at the fields and fills them in.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.vocab import N_


@dataclass(frozen=True)
class Problem:
    """A mistake in a text: the line it is on, the sentence, the words of the sentence."""

    line: int
    sentence: str
    words: dict[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """The words with the line, as the sentence wants them."""
        return {"line": self.line, **self.words}


UNKNOWN_FIELD = N_("Line %(line)s: there is no field “%(name)s” in this document. Choose one from the list of fields.")
NEAR_FIELD = N_("Line %(line)s: there is no field “%(name)s” in this document. Did you mean “%(near)s”?")
UNKNOWN_FILTER = N_("Line %(line)s: there is no filter “%(name)s”. There are: %(known)s.")
UNKNOWN_TAG = N_("Line %(line)s: there is no {%% %(name)s %%}. There are {%% if … %%} and {%% for … %%}.")
NOT_CLOSED = N_("Line %(line)s: {%% %(name)s %%} is not closed. Add {%% end%(name)s %%}.")
NO_BEGINNING = N_("Line %(line)s: {%% %(name)s %%} closes what was not opened. Remove it or add the beginning.")
NOT_THAT_ONE = N_(
    "Line %(line)s: {%% %(name)s %%} stands where {%% %(wanted)s %%} is needed: close the inner one first."
)
BRACKETS = N_("Line %(line)s: the brackets are not closed. A field is written {{ patient.fio }}.")
STRAY = N_("Line %(line)s: “%(what)s” does not belong inside the brackets. A field is written {{ patient.fio }}.")
EMPTY = N_("Line %(line)s: there is nothing inside the brackets. A field is written {{ patient.fio }}.")
COMMENT = N_("Line %(line)s: the comment {# … is not closed. Add #} at its end.")
NOT_UNDERSTOOD = N_("Line %(line)s: this cannot be understood: %(what)s. A field is written {{ patient.fio }}.")
FORBIDDEN = N_("Line %(line)s: “%(what)s” cannot be used in the text of a document. %(instead)s")
NOT_A_LIST = N_("Line %(line)s: “%(name)s” is not a list, it cannot be repeated. Lists here: %(lists)s.")
TOO_DEEP = N_("Line %(line)s: too many repetitions inside each other. One inside another is the most.")
NO_VALUE = N_("Line %(line)s: the filter “%(filter)s” cannot show this value. It is for %(wants)s.")
WHOLE_GROUP = N_("Line %(line)s: “%(name)s” is not one value. Choose a field of it: %(inner)s.")
CANNOT_FILL = N_("Line %(line)s: this field cannot be filled in here. Check what stands inside the brackets.")
NOTHING_THERE = N_(
    "Line %(line)s: this cannot be filled in for everybody: a list may be empty and a value unknown, as of a patient "
    "without work orders or without a patronymic. Put it inside {%% if … %%} or {%% for … %%}."
)
SINGLE = N_(
    "Line %(line)s: { %(name)s } is printed as it stands, with its brackets. A field has two of them: {{ %(name)s }}."
)
ENDLESS = N_("The text is too long: a document is a few pages. Remove what is repeated.")
TOO_COMPLICATED = N_("The text is too complicated to be filled in. Split it or make it simpler.")
BAD_TAG = N_("Line %(line)s: the tag <%(tag)s> cannot be printed. %(instead)s")
BAD_ATTRIBUTE = N_("Line %(line)s: “%(name)s” of <%(tag)s> cannot be used. %(instead)s")
BAD_SPAN = N_("Line %(line)s: %(name)s=“%(value)s” is too much: a cell can span %(most)s cells at most.")
TOO_MANY_PARTS = N_("The text has too many parts (%(count)s): %(most)s paragraphs, cells and lines are the most.")
TOO_NESTED = N_("Line %(line)s: <%(tag)s> lies too deep inside other tags. Make the layout simpler.")
BAD_PICTURE = N_("Line %(line)s: this picture cannot be printed. A PNG or a JPEG of at most %(kilobytes)s KB can.")

_WRITE_FIELD = N_("A field is written without round brackets: {{ patient.fio }}.")
_WRITE_VALUE = N_("Write the field where it is needed.")
_WRITE_TEXT = N_("Write the text itself here.")
_NO_COUNTING = N_("Sums are counted by the program: choose a field of “Totals”.")
_NO_INSIDE = N_("Choose a field from the list.")
#: What stands in a text that may not, and what to do instead: by the name of Jinja's node.
INSTEAD = {
    "Assign": ("set", _WRITE_VALUE), "AssignBlock": ("set", _WRITE_VALUE), "Macro": ("macro", _WRITE_TEXT),
    "CallBlock": ("call", _WRITE_TEXT), "FilterBlock": ("filter", _WRITE_VALUE), "Include": ("include", _WRITE_TEXT),
    "Import": ("import", _WRITE_TEXT), "FromImport": ("from", _WRITE_TEXT), "Extends": ("extends", _WRITE_TEXT),
    "Block": ("block", _WRITE_TEXT), "Call": ("( )", _WRITE_FIELD), "Mul": ("*", _NO_COUNTING),
    "Pow": ("**", _NO_COUNTING), "Mod": ("%", _NO_COUNTING), "FloorDiv": ("//", _NO_COUNTING),
    "Div": ("/", _NO_COUNTING), "Add": ("+", _NO_COUNTING), "Sub": ("-", _NO_COUNTING), "Private": ("_", _NO_INSIDE),
    "Slice": ("[ : ]", _NO_INSIDE),
}  # fmt: skip


def forbidden(line: int, node: str) -> Problem:
    """A construction that a text of a paper has no need of."""
    what, instead = INSTEAD[node]
    return Problem(line, FORBIDDEN, {"what": what, "instead": instead})


def unknown_field(line: int, name: str, known: Iterable[str]) -> Problem:
    """A field that is not there, with the one that was probably meant."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1, 0.6)
    if not near:  # «patient.name» is «patient.first_name»: the last word alone
        last = name.rpartition(".")[2]
        same = [one for one in names if one.rpartition(".")[2] == last]
        near = same or difflib.get_close_matches(name.split(".")[0], names, 1, 0.8)
    if near:
        return Problem(line, NEAR_FIELD, {"name": name[:80], "near": near[0]})
    return Problem(line, UNKNOWN_FIELD, {"name": name[:80]})


def _closing(found: re.Match[str], line: int) -> Problem:
    name, wanted = found["name"], found["wanted"]
    if name.startswith("end") or name in ("else", "elif"):
        if wanted:
            return Problem(line, NOT_THAT_ONE, {"name": name, "wanted": wanted})
        return Problem(line, NO_BEGINNING, {"name": name})
    return Problem(line, UNKNOWN_TAG, {"name": name[:40]})


#: What Jinja says of a mistake in a text, and what a person is told.
_SAID: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int], Problem]], ...] = (
    (re.compile(r"Encountered unknown tag '(?P<name>[^']*)'(?:.*looking for .*'(?P<wanted>end\w+)')?", re.S),
     _closing),
    (re.compile(r"Unexpected end of template.*needs to be closed is '(?P<name>\w+)'", re.S),
     lambda found, line: Problem(line, NOT_CLOSED, {"name": found["name"]})),
    (re.compile(r"Missing end of comment tag"), lambda found, line: Problem(line, COMMENT)),
    (re.compile(r"Expected an expression, got 'end of print statement'"), lambda found, line: Problem(line, EMPTY)),
    (re.compile(r"unexpected char '(?P<what>.)'"),
     lambda found, line: Problem(line, STRAY, {"what": found["what"]})),
    (re.compile(r"unexpected end of template|unexpected '[})\]]'|got 'end of template'|unexpected 'end of "),
     lambda found, line: Problem(line, BRACKETS)),
    (re.compile(r"expected token '[^']*', got '(?P<what>[^']*)'|unexpected '(?P<other>[^']*)'"),
     lambda found, line: Problem(line, STRAY, {"what": (found["what"] or found["other"] or "")[:40]})),
)  # fmt: skip


#: A block's beginning or end, and what is not looked into: comments.
_BLOCK = re.compile(r"\{#.*?#\}|\{%[-+]?\s*(?P<word>if|for|endif|endfor)\b", re.S)


#: Brackets that are opened and not closed before the next ones; and what is not looked into.
_NEVER_CLOSED = re.compile(r"(?:\{\{|\{%)(?:(?!\{\{|\{%|\}\}|%\}).)*(?=\{\{|\{%|\Z)", re.S)
_COMMENT = re.compile(r"\{#.*?#\}", re.S)


def opened_at(problem: Problem, source: str) -> Problem:
    """The same mistake on the line where what is not closed begins, not where the grammar lost its way."""
    if problem.sentence == NOT_CLOSED:
        return _block_opened_at(problem, source)
    found = _NEVER_CLOSED.search(_COMMENT.sub(_blank, source))
    if found is None or problem.sentence == COMMENT:
        return problem
    line = source.count("\n", 0, found.start()) + 1
    return Problem(line, BRACKETS) if line <= problem.line else problem


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _block_opened_at(problem: Problem, source: str) -> Problem:
    open_blocks: list[tuple[str, int]] = []
    for found in _BLOCK.finditer(source):
        word = found["word"]
        if word in ("if", "for"):
            open_blocks.append((word, found.start()))
        elif word and open_blocks:
            open_blocks.pop()
    if not open_blocks or open_blocks[-1][0] != problem.words["name"]:
        return problem
    return Problem(source.count("\n", 0, open_blocks[-1][1]) + 1, problem.sentence, problem.words)


#: A name, perhaps with filters, between single brackets.
_SINGLE = re.compile(r"(?<!\{)\{\s*(?P<name>[A-Za-z_][\w.]*)\s*(?:\|[^{}]*)?\}")
_WITH_BRACKETS = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.S)


def single_brackets(source: str, known: Iterable[str]) -> list[Problem]:
    """Fields that were written with one bracket: nobody means `{ patient.fio }` to be printed so."""
    names = set(known)
    text = _WITH_BRACKETS.sub(_blank, source)
    return [
        Problem(text.count("\n", 0, found.start()) + 1, SINGLE, {"name": found["name"]})
        for found in _SINGLE.finditer(text)
        if found["name"] in names
    ]


def when_empty(problem: Problem) -> Problem:
    """What can be filled in for one and not for another, in words that say so."""
    return Problem(problem.line, NOTHING_THERE) if problem.sentence == CANNOT_FILL else problem


def of_syntax(message: str, line: int) -> Problem:
    """A mistake of grammar, in words."""
    for pattern, told in _SAID:
        if found := pattern.search(message):
            return told(found, line)
    return Problem(line, NOT_UNDERSTOOD, {"what": message[:120]})
