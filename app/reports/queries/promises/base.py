"""What a promise is, and who breaks one.

`must` and `found` are shown as they are; a promise that holds gives no row.
"""

from dataclasses import dataclass

from sqlalchemy import text

from app.db import session


@dataclass(frozen=True)
class Promise:
    """`broken` selects the rows that break it: what (table and number), what it should be, what it is."""

    name: str
    sentence: str
    broken: str


@dataclass(frozen=True)
class Breach:
    """Who breaks a promise: the row, what it should be, what it is."""

    what: str
    must: object
    found: object


def either(statement: str, *ways: tuple[str, str, str]) -> str:
    """A statement of a promise that can be broken in several ways: (condition, what it should be, what it is).

    Its `{broken}` is any of the conditions; `{shown}` is the two figures of the one that is broken, so that nobody
    reads «must be 5.00, is 5.00».
    """
    must, found = (" ".join(f"WHEN {way[0]} THEN ({way[place]})::text" for way in ways) for place in (1, 2))
    return statement.format(
        shown=f"CASE {must} END, CASE {found} END", broken="(" + " OR ".join(f"({way[0]})" for way in ways) + ")"
    )


def breaches(promise: Promise, limit: int = 20) -> list[Breach]:
    """Who breaks a promise, in the whole database, from the beginning; none when it holds."""
    rows = session.execute(text(f"SELECT * FROM ({promise.broken}) AS b(what, must, found) ORDER BY what LIMIT :limit"),
                           {"limit": limit})  # fmt: skip
    return [Breach(*row) for row in rows]
