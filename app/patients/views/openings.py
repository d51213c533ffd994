"""«Кто открывал карты»: the director's page of who looked at whose card, and who took cards away.

Where next: `../queries/openings.py`, `../rules/openings.py`.
"""

from datetime import timedelta
from typing import Any

from flask import request
from flask_babel import gettext

from app import clock
from app.errors import Invalid
from app.patients import queries
from app.patients.forms import OpeningsQuery
from app.schemas import load
from app.vocab import N_, OpenedKind
from app.web import DeskView, expose, guarded

PAGE = 50
#: The longest period, and the usual one, in days.
_MOST, _USUAL = 366, 7

#: How the openings are put together: what the address says, the word on the page.
BY = {"day": N_("By employee and day"), "card": N_("By card"), "one": N_("One by one")}
_ASKS = {"day": queries.looked_by_day, "card": queries.looked_by_card, "one": queries.looked_one_by_one}


class OpeningsView(DeskView):
    """Who opened cards."""

    route_base = "/openings"
    default_view = "index"

    @expose("/", methods=["GET"])
    @guarded("audit.see")
    def index(self) -> Any:
        """Who looked at whose card in these days, by employee, by card or each by itself; and what was exported."""
        given = {name: value for name, value in request.args.items() if value}
        try:
            query, wrong = load(OpeningsQuery, given), dict[str, str]()
        except Invalid as refusal:
            query, wrong = load(OpeningsQuery, {}), refusal.facts["fields"]
        last = query["last"] or clock.today()
        first = min(query["first"] or last - timedelta(days=_USUAL - 1), last)
        asked = queries.Looked(max(first, last - timedelta(days=_MOST)), last, query["user_id"], query["patient_id"])
        count, rows = _ASKS[query["by"]](asked, limit=PAGE, offset=query["page"] * PAGE)
        kept = {
            "from": asked.first.isoformat(), "to": asked.last.isoformat(), "user_id": asked.user_id,
            "patient_id": asked.patient_id,
        }  # fmt: skip
        return self.page(
            "patients/openings.html", 422 if wrong else 200, title=gettext("Who opened cards"), wrong=wrong,
            by=query["by"], ways=BY, rows=rows, opened=OpenedKind, count=count, page=query["page"],
            size=PAGE, kept=kept,
            taken=queries.taken_away(asked), lookers=queries.lookers(), patient=queries.named(asked.patient_id),
        )  # fmt: skip
