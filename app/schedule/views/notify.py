"""The page «Оповещение пациентов»: the work list, its fresh rows, the texts that may be sent from it.

Deeds go through the API of visits and `api/notify.py`; `static/schedule/notify.js` keeps the rows fresh.
"""

from datetime import date
from typing import Any

from flask import current_app, request
from flask_babel import get_locale, gettext

from app import access
from app.errors import Invalid
from app.messages import jobs as messages
from app.messages import queries as outbox
from app.schedule import forms, queries
from app.schemas import load
from app.vocab import Confirmation, MessageKind, MessageStatus
from app.web import DeskView, actor, expose, guarded, may


def _query() -> dict[str, Any]:
    """The filters of the address; what cannot be understood is as if it were not there."""
    given = {name: value for name, value in request.args.items() if name in forms.NotifyQuery().fields and value}
    while True:
        try:
            return load(forms.NotifyQuery, given)
        except Invalid as refusal:
            wrong = set(refusal.facts["fields"]) & set(given)
            given = {name: value for name, value in given.items() if name not in wrong} if wrong else {}


class NotifyView(DeskView):
    route_base = "/schedule/notify"

    @expose("/")
    @guarded("message.see")
    def index(self) -> Any:
        """Who comes on the next working day, and who has been told."""
        query = _query()
        return self.page(
            "schedule/notify.html", title=gettext("Notifying of patients"), branches=queries.branches(),
            doctors=queries.doctors(doctor_id=self._own()), confirmations=Confirmation,
            waiting_replies=outbox.waiting_replies() if may("message.see") else 0, **self._rows(query),
        )  # fmt: skip

    def _own(self) -> int | None:
        return access.account(actor()).own_only("schedule.see")

    def _rows(self, query: dict[str, Any]) -> dict[str, Any]:
        days: list[date] = (
            [query["day"]] if query["day"] else queries.working_days(query["days"], branch_id=query["branch_id"])
        )
        own = self._own()
        everybody = queries.to_notify(
            days, branch_id=query["branch_id"], doctor_id=own if own is not None else query["doctor_id"]
        )
        wanted = query["state"]
        rows = [row for row in everybody if wanted in (None, row["confirmation"])]
        counts = {str(state): sum(row["confirmation"] == state for row in everybody) for state in Confirmation}
        kept = {name: query[name] for name in ("branch_id", "doctor_id", "state") if query[name]}
        kept |= {"day": query["day"].isoformat()} if query["day"] else {"days": query["days"]}
        return {
            "rows": rows, "days": days, "query": query, "kept": kept, "counts": counts, "count": len(everybody),
            "states": Confirmation, "kinds": MessageKind, "statuses": MessageStatus,
            "no_gateway": messages.gateway() is None,
        }  # fmt: skip

    @expose("/rows")
    @guarded("message.see")
    def rows(self) -> Any:
        """The rows of the list alone; 304 when nothing has changed since the ETag."""
        shown = self._rows(_query())
        tag = f"{queries.stamp_of(shown['rows'])}.{sum(shown['counts'].values())}.{actor().id}.{get_locale()}"
        if request.if_none_match.contains(tag):
            answer = current_app.response_class(status=304)
        else:
            body, status = self.page("schedule/_notify_rows.html", **shown)
            answer = current_app.response_class(body, status=status)
        answer.set_etag(tag)
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer
