"""Opening a report: who may, whose figures, which days; what a grant opened is written down.

Every way to a figure (page, print, file, drill-down, JSON) comes through here. Where next: `app/access.py`.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from app import access
from app.access import Window
from app.db import session
from app.errors import Invalid, NotAllowed
from app.models import Branch, User
from app.vocab import N_, ReportKind


@dataclass(frozen=True)
class Opened:
    """A report that this account may look at: its days, its branch, and the doctor whose figures alone it tells."""

    kind: str
    window: Window
    branch_id: int | None
    doctor_id: int | None


def open_report(
    kind: str, first: date | None, last: date | None, branch_id: int | None = None, *, how: str, actor: User
) -> Opened:
    """The days that were asked for, if the account may look at all of them.

    A doctor gets own figures only, and no cash report. Records `report.opened` when a grant opened the days.

    Raises:
        NotAllowed, OutsideWindow
        Invalid: days in the wrong order, an unknown branch.
    """
    own = access.account(actor).own_only("report.see")
    if own is not None and kind == ReportKind.CASH:
        raise NotAllowed(right="report.see")
    window = access.window(actor, kind, first, last)
    if branch_id is not None and session.scalar(select(Branch.id).where(Branch.id == branch_id)) is None:
        raise Invalid(fields={"branch_id": N_("There is no such branch.")})
    access.record_opening(actor, kind, window, how)
    return Opened(kind, window, branch_id, own)
