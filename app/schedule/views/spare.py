"""«Запасной лист»: the sheets that are kept for an outage, how fresh they are, and what to do when it is over.

A sheet holds phones and debts of everybody, so it opens to who may see all three. Where next: `app/schedule/spare.py`.
"""

from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext

from app import access
from app.errors import NotAllowed, NotFound
from app.pdf import as_pdf
from app.schedule import queries, spare
from app.web import DeskView, actor, expose, guarded, may


def _require_everybody() -> None:
    """Schedule and cards of all patients, and their debts.

    Raises:
        NotAllowed
    """
    account = access.account(actor())
    for right in ("schedule.see", "card.see", "payment.see"):
        if account.own_only(right) is not None:
            raise NotAllowed(right=right)


def _folder() -> Path:
    return Path(current_app.config["SPARE_DIR"])


class SpareView(DeskView):
    route_base = "/schedule/spare"

    @expose("/")
    @guarded("schedule.see")
    def index(self) -> Any:
        """The sheets of all branches with their age, and the steps of an outage."""
        _require_everybody()
        folder, kept = _folder(), spare.files(_folder())
        rows = [{"id": pk, "name": name, "file": kept.get(pk)} for pk, name, _ in queries.spare_branches()]
        return self.page(
            "schedule/spare.html", title=gettext("Spare sheet"), rows=rows, folder=folder,
            is_open=spare.is_open_to_others(folder), stale_minutes=spare.STALE_MINUTES, may_book=may("schedule.book"),
        )  # fmt: skip

    @expose("/<int:pk>.pdf")
    @guarded("schedule.see")
    def sheet(self, pk: int) -> Any:
        """The sheet of a branch as it lies in the folder."""
        _require_everybody()
        kept = spare.files(_folder()).get(pk)
        try:
            made = kept.path.read_bytes() if kept else b""
        except OSError:
            made = b""
        if not made:
            raise NotFound()
        return as_pdf(made, f"spare-{pk}")
