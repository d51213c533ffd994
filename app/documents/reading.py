"""The fields that the text of a paper names, followed through its repetitions: which of them are not there.

Also in the branches that the values at hand do not take. Where next: `paper.py`.
"""

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes
from jinja2.runtime import LoopContext

from app.documents.rules import problems
from app.documents.rules.problems import Problem

#: A value that the reader knows nothing of: what comes out of a filter or a comparison.
_OPAQUE = object()


class FieldReader:
    """Follows the names of a text through its repetitions; the values are an example of what they will be."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.known = names_of(values)
        self.found: list[Problem] = []

    def read(self, node: nodes.Node, scope: dict[str, Any]) -> Any:
        """The value of a node, as far as it is known; what is missing is noted."""
        match node:
            case nodes.Name():
                if node.name not in scope:
                    return self._missing(node, path_of(node), scope)
                return scope[node.name]
            case nodes.Getattr() | nodes.Getitem():
                return self._member(node, scope)
            case nodes.For():
                self._loop(node, scope)
                return None
            case nodes.Output():
                for child in node.nodes:
                    self._shown(child, scope)
                return None
        for inner in node.iter_child_nodes():
            self.read(inner, scope)
        return _OPAQUE

    def _shown(self, node: nodes.Node, scope: dict[str, Any]) -> None:
        """What is printed is one value, not a group of them."""
        value = self.read(node, scope)
        if isinstance(value, Mapping | list) and value:
            one = value[0] if isinstance(value, list) else value
            inner = ", ".join(list(one)[:4]) if isinstance(one, Mapping) else "—"
            self.found.append(Problem(node.lineno, problems.WHOLE_GROUP, {"name": path_of(node), "inner": inner}))

    def _member(self, node: nodes.Getattr | nodes.Getitem, scope: dict[str, Any]) -> Any:
        root = _root(node)
        if root is not None and root.name not in scope:
            return self._missing(root, path_of(node), scope)
        whole = self.read(node.node, scope)
        if whole is _OPAQUE or isinstance(whole, LoopContext):
            return _OPAQUE
        if isinstance(node, nodes.Getattr):
            key: Any = node.attr
        elif isinstance(node.arg, nodes.Const):
            key = node.arg.value
        else:
            self.read(node.arg, scope)
            return _OPAQUE
        if isinstance(whole, Mapping) and key in whole:
            return whole[key]
        if isinstance(whole, list) and isinstance(key, int):
            return whole[0] if whole else _OPAQUE
        return self._missing(node, path_of(node), scope)

    def _loop(self, node: nodes.For, scope: dict[str, Any]) -> None:
        over = self.read(node.iter, scope)
        inner: dict[str, Any] = dict(scope)
        if isinstance(over, list):
            item: Any = over[0] if over else _OPAQUE
        elif over is _OPAQUE:
            item = _OPAQUE
        else:
            self.found.append(not_a_list(node.lineno, path_of(node.iter), self.values))
            item = _OPAQUE
        if isinstance(node.target, nodes.Name):
            inner[node.target.name] = item
        for name in node.target.find_all(nodes.Name):  # `for a, b in …`
            inner[name.name] = _OPAQUE
        inner["loop"] = _OPAQUE
        for part in (*([node.test] if node.test else []), *node.body):
            self.read(part, inner)
        for part in node.else_:
            self.read(part, scope)

    def _missing(self, node: nodes.Node, path: str, scope: dict[str, Any]) -> Any:
        of_loop = {name: value for name, value in scope.items() if name not in self.values}
        self.found.append(problems.unknown_field(node.lineno, path, [*self.known, *names_of(of_loop)]))
        return _OPAQUE


def _root(node: nodes.Node) -> nodes.Name | None:
    """The first name of a chain."""
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return node if isinstance(node, nodes.Name) else None


def path_of(node: nodes.Node) -> str:
    """A chain of names as it is written: patient.passport.text."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{path_of(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const()):
            return f"{path_of(node.node)}.{node.arg.value}"  # type: ignore[attr-defined]
    return "…"


def names_of(values: Mapping[str, Any], before: str = "") -> list[str]:
    """Every field as a template writes it; a list by its own name."""
    names: list[str] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            names += names_of(value, f"{before}{key}.")
        elif " " not in key:
            names.append(f"{before}{key}")
    return names


def not_a_list(line: int, name: str, values: Mapping[str, Any]) -> Problem:
    lists = ", ".join(key for key, value in values.items() if isinstance(value, list) and " " not in key)
    return Problem(line, problems.NOT_A_LIST, {"name": name[:80], "lists": lists or "—"})
