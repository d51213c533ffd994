"""The page «Messages»: what goes out today, and the messages of a patient on the card.

Where next: `panel.py` for the templates, `jobs.py` for sending.
"""

from datetime import date
from typing import Any

from flask import request
from flask_babel import gettext

from app import clock
from app.messages import jobs, queries
from app.models import Patient
from app.vocab import MessageKind, MessageStatus
from app.web import DeskView, expose, fetched, guarded

PAGE = 100


def _day() -> date:
    """The day of the address; today when there is none, or nonsense."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return clock.today()
    return day if 1900 <= day.year <= 2200 else clock.today()


class MessagesView(DeskView):
    """Messages to patients, as the desk sees them."""

    route_base = "/messages"

    @expose("/")
    @guarded("message.see")
    def index(self) -> Any:
        """The outbox of a day: who, when, what, and what became of it."""
        day, asked = _day(), request.args.get("status", "")
        status = asked if asked in set(MessageStatus) else None
        page = min(request.args.get("page", 0, type=int), 1000)
        count, lines = queries.outbox(day, status, limit=PAGE, offset=max(page, 0) * PAGE)
        return self.page(
            "messages/index.html", title=gettext("Messages"), day=day, chosen=status, lines=lines, count=count,
            page=max(page, 0), pages=-(-count // PAGE), counts=queries.counts(day), statuses=MessageStatus,
            kinds=MessageKind, no_gateway=jobs.gateway() is None,
        )  # fmt: skip

    @expose("/patient/<int:pk>")
    @guarded("message.see")
    def patient_messages(self, pk: int) -> Any:
        """The tab of the card: every message to this patient."""
        patient = fetched(Patient, pk)
        lines = queries.of_patient(patient.id)
        return self.page("messages/patient.html", lines=lines, statuses=MessageStatus, kinds=MessageKind)
