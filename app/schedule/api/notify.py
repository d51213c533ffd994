"""Writing to patients by hand over JSON: what may be written about some visits, and sending it."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from app import access
from app.db import after_commit, session, transaction
from app.errors import NotFound
from app.messages import jobs as messages
from app.messages import operations as outbox
from app.messages import rules
from app.models import Appointment
from app.queue import enqueue
from app.schedule import forms
from app.vocab import MessageKind
from app.web import DeskApi, actor, asks, expose, guarded, takes


class NotifyApi(DeskApi):
    resource_name = "notify"
    openapi_spec_tag = "Schedule"

    @expose("/letter", methods=["GET"])
    @guarded("message.send")
    @asks(forms.LetterQuery)
    def letter(self, query: dict[str, Any]) -> Any:
        """What may be written about a visit: fields, texts, and why not"""
        [visit] = _visits([query["appointment_id"]])
        written = outbox.letter(visit)
        link = f"{messages.public_url()}/c/" + "x" * 12 if messages.public_url() else ""
        kinds = (MessageKind.ASK, MessageKind.REMINDER, MessageKind.BOOKED, MessageKind.MOVED)
        return self.answer(
            {
                "fields": {**written.fields, "link": link},
                "phone": written.phone,
                "texts": [
                    {"kind": kind, "name": gettext(kind.label), "body": written.templates[kind]}
                    for kind in kinds
                    if kind in written.templates
                ],
                "why_not": gettext(written.why_not) if written.why_not else "",
                "longest": rules.LONGEST_BODY,
            }
        )

    @expose("/sms", methods=["POST"])
    @guarded("message.send")
    @takes(forms.Writing)
    def sms(self, body: dict[str, Any]) -> Any:
        """Write to the patients of some visits: one message for a patient and a day, once for a visit and its time"""
        with transaction():
            _visits(body["appointment_ids"])
            written = outbox.write(
                body["appointment_ids"], body["body"], public_url=messages.public_url(), actor=actor()
            )
            for pk in {one.message_id for one in written if one.message_id}:
                after_commit(lambda pk=pk: _hurry(pk))  # type: ignore[misc]
            answer = self.answer(
                {
                    "written": [
                        {"appointment_id": one.appointment_id, "due_at": one.due_at}
                        for one in written
                        if one.message_id
                    ],
                    "refused": [
                        {"appointment_id": one.appointment_id, "why": gettext(one.why_not)}
                        for one in written
                        if not one.message_id
                    ],
                }
            )
        return answer


def _hurry(message_id: int) -> None:
    enqueue("app.messages.jobs.send", message_id, job_id=f"message-{message_id}")


def _visits(appointment_ids: Sequence[int]) -> list[Appointment]:
    """The visits, if the account may see every one of them.

    Raises:
        NotFound, NotAllowed
    """
    visits = list(session.scalars(select(Appointment).where(Appointment.id.in_(appointment_ids))))
    if len(visits) != len(set(appointment_ids)):
        raise NotFound()
    for visit in visits:
        access.require_own(actor(), "schedule.see", visit.doctor_id)
    return visits
