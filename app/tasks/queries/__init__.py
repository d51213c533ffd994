"""Questions about call tasks. Where next: `rows.py` for the list, `one.py` for a single task, `report.py`."""

from app.tasks.queries.one import (
    attempts,
    employees,
    made_of,
    name_of,
    open_days,
    open_kinds,
    refusal_reasons,
    results_of,
    summary,
)
from app.tasks.queries.report import Figures, figures
from app.tasks.queries.rows import IS_OPEN, MOST_COUNTED, Row, Wanted, counts, of_patient, one, page, stamp

__all__ = [
    "IS_OPEN",
    "MOST_COUNTED",
    "Figures",
    "Row",
    "Wanted",
    "attempts",
    "counts",
    "employees",
    "figures",
    "made_of",
    "name_of",
    "of_patient",
    "one",
    "open_days",
    "open_kinds",
    "page",
    "refusal_reasons",
    "results_of",
    "stamp",
    "summary",
]
