"""The page «Messages»: what goes out today, what patients answered, and the messages of a patient on the card.

Where next: `panel.py` for the templates, `jobs.py` for sending.
"""

from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app import clock
from app.db import after_commit, transaction
from app.errors import Refusal
from app.messages import jobs, operations, queries
from app.models import IncomingMessage, OutboxMessage, Patient
from app.queue import enqueue
from app.vocab import MessageKind, MessageStatus, ReplyMeaning
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 100


def _day() -> date:
    """The day of the address; today when there is none, or nonsense."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return clock.today()
    return day if 1900 <= day.year <= 2200 else clock.today()


def _hurry(message_id: int) -> None:
    enqueue("app.messages.jobs.send", message_id, job_id=f"message-{message_id}")


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
            kinds=MessageKind, no_gateway=jobs.gateway() is None, waiting_replies=queries.waiting_replies(),
        )  # fmt: skip

    @expose("/replies")
    @guarded("message.see")
    def replies(self) -> Any:
        """What patients answered; first of all what somebody must look at."""
        waiting = request.args.get("all") != "1"
        page = max(min(request.args.get("page", 0, type=int), 1000), 0)
        count, lines = queries.inbox(waiting=waiting, limit=PAGE, offset=page * PAGE)
        return self.page(
            "messages/replies.html", title=gettext("Replies of patients"), lines=lines, count=count, page=page,
            pages=-(-count // PAGE), waiting=waiting, meanings=ReplyMeaning, waiting_replies=queries.waiting_replies(),
        )  # fmt: skip

    @expose("/replies/<int:pk>/handled", methods=["POST"])
    @guarded("message.send")
    def handled(self, pk: int) -> Any:
        """Somebody has looked at a reply and done what it asks for."""
        fetched(IncomingMessage, pk)
        with transaction():
            operations.handle(pk, actor=actor())
        return redirect(url_for("MessagesView.replies"))

    @expose("/<int:pk>/again", methods=["POST"])
    @guarded("message.send")
    def again(self, pk: int) -> Any:
        """Try a message once more that was not sent."""
        message: OutboxMessage = fetched(OutboxMessage, pk)
        day = request.form.get("day", "")[:10]
        try:
            with transaction():
                operations.send_again(message.id, actor=actor())
                after_commit(lambda: _hurry(pk))
            flash(gettext("The message will be sent once more."), "success")
        except Refusal as refusal:
            say(refusal)
        if request.form.get("back") == "card":
            return redirect(url_for("PatientsView.card", pk=message.patient_id, tab="messages") + "#tab")
        return redirect(url_for("MessagesView.index", day=day or None))

    @expose("/patient/<int:pk>")
    @guarded("message.see")
    def patient_messages(self, pk: int) -> Any:
        """The tab of the card: every message to this patient."""
        patient = fetched(Patient, pk)
        lines = queries.of_patient(patient.id)
        return self.page("messages/patient.html", lines=lines, statuses=MessageStatus, kinds=MessageKind)
