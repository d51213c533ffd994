"""Generated views of messages: the templates to change, the outbox to look at."""

from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext

from app.errors import Invalid
from app.messages import rules
from app.models import MessageTemplate, OutboxMessage
from app.panels import DeskInterface, PanelView, ReadOnlyPanel
from app.vocab import MessageKind, MessageStatus


def _hint() -> str:
    """The fields that a template may use, with what they mean."""
    return "; ".join(f"{{{name}}} — {gettext(meaning)}" for name, meaning in rules.FIELDS.items())


class MessageTemplatePanel(PanelView):
    """Texts of the messages that the desk sends by itself."""

    datamodel = DeskInterface(MessageTemplate)
    route_base = "/message-templates"
    include_route_methods: ClassVar[set[str]] = {"list", "show", "edit"}
    one, list_title = lazy_gettext("Message template"), lazy_gettext("Message templates")
    hint = lazy_gettext("One text for each occasion; an archived one is not sent.")
    base_order = ("id", "asc")
    words: ClassVar[dict[str, Any]] = {"kind": MessageKind}
    list_columns: ClassVar[list[str]] = ["kind", "name", "body", "archived"]
    show_columns = list_columns
    edit_columns: ClassVar[list[str]] = ["name", "body", "archived"]
    search_columns: ClassVar[list[str]] = ["kind", "body"]
    order_columns: ClassVar[list[str]] = ["kind", "name"]
    label_columns: ClassVar[dict[str, Any]] = {
        "kind": lazy_gettext("Occasion"), "name": lazy_gettext("Name"), "body": lazy_gettext("Text"),
        "archived": lazy_gettext("Do not send"),
    }  # fmt: skip
    edit_template = "messages/template_form.html"
    fields = rules.FIELDS

    def pre_update(self, item: MessageTemplate) -> None:
        if wrong := rules.unknown_fields(item.body):
            raise Invalid(fields={"body": gettext("There is no such field: {%(name)s}.", name=wrong[0])})
        if len(item.body) > rules.LONGEST_BODY:
            raise Invalid(fields={"body": gettext("This text is too long.")})


class OutboxPanel(ReadOnlyPanel):
    """Every message of all days; only bookings and the worker write it."""

    datamodel = DeskInterface(OutboxMessage, eager=("patient",))
    route_base = "/outbox"
    nothing = lazy_gettext("No message yet: they are written by themselves when patients are booked.")
    class_permission_name = "message"
    one, list_title = lazy_gettext("Message"), lazy_gettext("All messages")
    words: ClassVar[dict[str, Any]] = {"kind": MessageKind, "status": MessageStatus}
    list_columns: ClassVar[list[str]] = ["due_at", "kind", "status", "patient", "phone", "body"]
    show_columns: ClassVar[list[str]] = [
        "kind", "status", "patient", "phone", "body", "planned_time", "due_at", "sent_at", "attempts", "parts", "price",
        "error",
    ]  # fmt: skip
    search_columns: ClassVar[list[str]] = ["due_at", "kind", "status", "phone"]
    order_columns: ClassVar[list[str]] = ["due_at", "kind", "status"]
    label_columns: ClassVar[dict[str, Any]] = {
        "due_at": lazy_gettext("Send at"), "kind": lazy_gettext("Occasion"), "status": lazy_gettext("Status"),
        "patient": lazy_gettext("Patient"), "phone": lazy_gettext("Phone"), "body": lazy_gettext("Text"),
        "planned_time": lazy_gettext("Time of the visit"), "sent_at": lazy_gettext("Sent"),
        "attempts": lazy_gettext("Attempts"), "parts": lazy_gettext("Parts"), "price": lazy_gettext("Price, ₽"),
        "error": lazy_gettext("What went wrong"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {"error": lambda why: gettext(why) if why else ""}
