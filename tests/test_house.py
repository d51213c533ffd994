"""The rules of the house that a machine can look after: see DESIGN in ARCHITECTURE.md."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "app").rglob("*.py"))
TEMPLATES = sorted((ROOT / "app" / "templates").rglob("*.html"))


def test_floors() -> None:
    """A room looks down, never up or sideways; rules know neither the web nor the database."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "db.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_edge_commits(path: Path) -> None:
    """`session.commit()` and `session.begin()` stand in app/db.py alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("commit", "begin")
        ):
            owner = ast.unparse(node.func.value)
            assert "session" not in owner, f"{path.name}:{node.lineno} commits"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "clock.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_clock_reads_the_time(path: Path) -> None:
    """Nothing but app/clock.py asks the machine for the time of day."""
    source = path.read_text()
    assert not re.search(r"datetime\.(now|today|utcnow)\(|date\.today\(", source), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_load_nothing_from_elsewhere(path: Path) -> None:
    """No address of another host and no inline handler in a page."""
    page = path.read_text()
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//""", page), path
    assert not re.search(r"\son(?:click|change|submit|load|input|keyup|keydown)\s*=", page), path


def test_no_vague_rooms() -> None:
    """No utils, helpers, common, manager."""
    vague = {"utils", "helpers", "common", "manager", "misc"}
    assert not [p for p in SOURCES if p.stem in vague or p.parent.name in vague]
