"""What every report is made of: columns, tables, figures, the sheet; and what several reports say alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext

from app.access import Window
from app.reports.queries import Row
from app.vocab import MovementKind, PaymentMethod

Seek = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table. `form`: text, int, money, day, moment, time, wall (a wall clock moment)."""

    key: str
    title: str
    form: str = "text"
    #: what of the same report the cell opens, by row.
    seek: Callable[[Row], Seek | None] | None = None
    #: another page the cell opens: (endpoint, arguments), by row.
    page: Callable[[Row], tuple[str, dict[str, Any]] | None] | None = None
    value: Callable[[Row], Any] | None = None

    def of(self, row: Row) -> Any:
        return self.value(row) if self.value else row.get(self.key)

    @property
    def number(self) -> bool:
        return self.form in ("int", "money")


@dataclass(frozen=True)
class Table:
    """Rows under a title, with what they add up to."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    totals: Row | None = None
    count: int | None = None
    empty: str = ""


@dataclass(frozen=True)
class Figure:
    """One number on top of the page. `sign` stands before it in a bridge: + − =."""

    title: str
    value: Any
    form: str = "money"
    seek: Seek | None = None
    sign: str = ""


@dataclass(frozen=True)
class Sheet:
    """A whole report, ready to be shown."""

    kind: str
    title: str
    window: Window
    figures: Sequence[tuple[str, Sequence[Figure]]]
    tables: Sequence[Table]
    #: rows of the table that comes by pages.
    count: int = 0
    #: what the rows are narrowed to, in words; empty for the whole report.
    narrowed: Sequence[str] = field(default_factory=tuple)


def to_card(row: Row) -> tuple[str, dict[str, Any]] | None:
    """The card of the patient of a row."""
    return ("PatientsView.card", {"pk": row["patient_id"]}) if row.get("patient_id") else None


def to_order(row: Row) -> tuple[str, dict[str, Any]] | None:
    """The work order of a row."""
    return ("DocumentsView.work_order", {"pk": row["work_order_id"]}) if row.get("work_order_id") else None


def method_name(value: str | None) -> str:
    """A way of paying in words; nothing for none."""
    return gettext(PaymentMethod(value).label) if value else ""


def kind_name(value: str | None) -> str:
    """The kind of a movement of cash in words; nothing for none."""
    return gettext(MovementKind(value).label) if value else ""
