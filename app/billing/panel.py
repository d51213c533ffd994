"""Generated views of billing: the price list to change; work orders, payments and refunds to look at."""

from typing import Any

from flask import request, url_for
from flask_appbuilder.models.sqla.filters import BaseFilter
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Regexp

from app import access, clock
from app.billing import operations, queries, rules
from app.db import session
from app.models import Payment, Refund, Service, ServiceCategory, ServicePrice, WorkOrder
from app.panel_fields import RemoteSelectField
from app.panels import DayPanel, DeskInterface, OpenDays, PanelView
from app.vocab import ItemKind, Labelled, RefundKind, ReportKind, TaxCode, Vat, WorkOrderStatus
from app.web import actor, may


class ServiceCategoryPanel(PanelView):
    """Groups of the price list."""

    datamodel = DeskInterface(ServiceCategory)
    route_base = "/service-categories"
    list_title, one = lazy_gettext("Service categories"), lazy_gettext("Service category")
    list_columns = ["name", "archived"]
    show_columns = list_columns
    add_columns = ["name"]
    edit_columns = ["name", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    label_columns = {"name": lazy_gettext("Name"), "archived": lazy_gettext("Archived")}


def _choice(label: Any, listed: type[Labelled], description: Any = "") -> SelectField:
    return SelectField(
        label,
        description=description,
        choices=[SelectChoice(str(one), lazy_gettext(one.label)) for one in listed],
        render_kw={"class": "form-control"},
    )


def latin_code(_form: Any, field: Any) -> None:
    """What was typed in Russian letters is kept in Latin ones; before any check of the code."""
    field.data = rules.service_code(field.data or "")


class ServicePanel(PanelView):
    """Services of the price list; their prices are rows of their own."""

    datamodel = DeskInterface(Service)
    route_base = "/service-list"
    show_template, edit_template = "billing/service_show.html", "billing/service_edit.html"
    list_title, one = lazy_gettext("Services"), lazy_gettext("Service")
    list_columns = ["code", "name", "category", "minutes", "tax_code", "archived"]
    show_columns = ["code", "name", "category", "minutes", "item_kind", "vat", "tax_code", "archived"]
    add_columns = ["code", "name", "category", "minutes", "item_kind", "vat", "tax_code"]
    edit_columns = [*add_columns, "archived"]
    search_columns = ["code", "name", "item_kind", "vat", "tax_code", "archived"]
    order_columns = ["code", "name", "minutes"]
    label_columns = {
        "code": lazy_gettext("Code"), "name": lazy_gettext("Name"), "category": lazy_gettext("Category"),
        "minutes": lazy_gettext("Minutes"), "item_kind": lazy_gettext("What is sold"), "vat": lazy_gettext("VAT"),
        "tax_code": lazy_gettext("Code for the tax certificate"), "archived": lazy_gettext("Archived"),
    }  # fmt: skip
    words = {"item_kind": ItemKind, "vat": Vat, "tax_code": TaxCode}
    add_form_extra_fields = edit_form_extra_fields = {
        "item_kind": _choice(label_columns["item_kind"], ItemKind), "vat": _choice(label_columns["vat"], Vat),
        "tax_code": _choice(
            label_columns["tax_code"], TaxCode,
            lazy_gettext("2 – expensive treatment from the government's list: implants, prostheses"),
        ),
    }  # fmt: skip
    description_columns = {
        "code": lazy_gettext("As in the nomenclature: A16.07.002; Russian letters that look alike become Latin ones"),
        "category": lazy_gettext("A new one is added in the directory “Service categories”."),
    }
    validators_columns = {
        "code": [
            latin_code,
            Regexp(
                r"^[A-Z0-9][A-Za-z0-9.\-]*$",
                message=lazy_gettext("Write the code in Latin letters, digits and dots, for instance A16.07.002."),
            ),
        ],
        "minutes": [NumberRange(5, 720, message=lazy_gettext("From 5 to 720 minutes."))],
    }

    def _wanted(self) -> dict[str, str]:
        """A code is looked for as it is kept, in whatever letters it was typed."""
        wanted = super()._wanted()
        return {name: (name == "code" and rules.service_code(text)) or text for name, text in wanted.items()}


class ServicePricePanel(PanelView):
    """Prices with the day they begin. A price is never changed: the next one is added.

    Written for the same day anew, while that is possible, the one before it is taken back.
    """

    datamodel = DeskInterface(ServicePrice)
    route_base = "/service-prices"
    list_template = "billing/service_prices.html"
    include_route_methods = {"list", "show", "add"}
    base_permissions = ["can_see", "can_edit"]
    list_title, one = lazy_gettext("Prices"), lazy_gettext("Price")
    list_columns = ["service", "valid_from", "price", "annulled_at"]
    show_columns = [*list_columns, "created_at"]
    add_columns = ["service", "valid_from", "price"]
    search_columns = ["valid_from", "price"]
    order_columns = ["valid_from", "price"]
    base_order = ("id", "desc")
    label_columns = {
        "service": lazy_gettext("Service"), "valid_from": lazy_gettext("Valid from"), "price": lazy_gettext("Price"),
        "created_at": lazy_gettext("Added"), "annulled_at": lazy_gettext("Taken back"),
    }  # fmt: skip
    validators_columns = {
        "price": [
            InputRequired(message=lazy_gettext("Fill in this field.")),
            NumberRange(min=0, message=lazy_gettext("The sum must not be below zero.")),
        ]
    }
    add_form_extra_fields = {
        "service": RemoteSelectField(
            lazy_gettext("Service"), datamodel=datamodel, col_name="service", endpoint="WorkOrdersView.services",
            required=True, description=lazy_gettext("A new one is added in the directory “Services”."),
        )
    }  # fmt: skip

    def begin(self, form: Any) -> None:
        """From today, and of the service whose prices one came from."""
        form.valid_from.data = clock.today()
        form.service.process_data(self.datamodel.get_related_interface("service").get(request.args.get("service", "")))

    def pre_add(self, item: ServicePrice) -> None:
        item.created_at, item.created_by_id = clock.now(), actor().id
        service = item.service or session.get(Service, item.service_id)
        if service is not None:
            operations.make_room_for_price(service.id, item.valid_from, item.price, actor=actor())


class _OwnOrders(BaseFilter):
    """A doctor sees own work orders only."""

    def apply(self, query: Any, value: Any) -> Any:
        own = access.account(actor()).own_only("work_order.see")
        return query if own is None else query.where(WorkOrder.doctor_id == own)


class WorkOrderPanel(DayPanel):
    """Work orders: drafts, those issued today, and those of the days that the account may look at."""

    datamodel = DeskInterface(WorkOrder, eager=("patient", "doctor"))
    route_base = "/work-order-list"
    nothing = lazy_gettext("No work order yet: it is filled in from the visit or from the card.")
    class_permission_name = "work_order"
    report = ReportKind.BILLS_PAYMENTS
    base_filters = [
        ["doctor_id", _OwnOrders, None], ["issued_day", OpenDays, ReportKind.BILLS_PAYMENTS],
    ]  # fmt: skip
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Work orders"), lazy_gettext("Work order")
    list_columns = ["number", "issued_day", "patient", "doctor", "status", "total", "due"]
    show_columns = list_columns
    search_columns = ["number", "issued_day", "status"]
    order_columns = ["number", "issued_day", "total", "due"]
    label_columns = {
        "number": lazy_gettext("Number"), "issued_day": lazy_gettext("Issued"), "patient": lazy_gettext("Patient"),
        "doctor": lazy_gettext("Doctor"), "status": lazy_gettext("Status"), "total": lazy_gettext("Total"),
        "due": lazy_gettext("Due"),
    }  # fmt: skip
    words = {"status": WorkOrderStatus}


def _to_card(patient: Any) -> Any:
    """The patient by name, as a way to the card for whoever may look at it."""
    if not may("card.see"):
        return patient
    return Markup('<a href="{}">{}</a>').format(url_for("PatientsView.card", pk=patient.id), patient)


def _to_payment(payment: Any) -> Any:
    return Markup('<a href="{}">{}</a>').format(url_for("SettlementView.paid", pk=payment.id), payment)


class PaymentPanel(DayPanel):
    """Payments: of today, and of the days that the account may look at; with what was returned of each."""

    datamodel = DeskInterface(Payment, eager=("patient",))
    route_base = "/payment-list"
    show_template = "billing/payment_show.html"
    nothing = lazy_gettext("No payment yet: it is taken on the page “Settlement”.")
    class_permission_name = "payment"
    report = ReportKind.BILLS_PAYMENTS
    base_filters = [["business_day", OpenDays, ReportKind.BILLS_PAYMENTS]]
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Payments"), lazy_gettext("Payment")
    list_columns = ["number", "paid_at", "patient", "amount"]
    show_columns = [*list_columns, "tendered", "change"]
    search_columns = ["number", "business_day"]
    order_columns = ["number", "paid_at", "amount"]
    label_columns = {
        "number": lazy_gettext("Number"), "paid_at": lazy_gettext("When"), "patient": lazy_gettext("Patient"),
        "amount": lazy_gettext("Sum"), "tendered": lazy_gettext("Tendered"), "change": lazy_gettext("Change"),
        "business_day": lazy_gettext("Day"),
    }  # fmt: skip

    def _show(self, pk: Any) -> dict[str, Any]:
        found = super()._show(pk)
        return {**found, "refunds": queries.refunds_of(found["row"].id), "kinds": RefundKind}


class RefundPanel(DayPanel):
    """Refunds: of today, and of the days that the account may look at."""

    datamodel = DeskInterface(Refund, eager=("patient", "payment"))
    route_base = "/refund-list"
    nothing = lazy_gettext("No refund yet: money is returned from the patient's settlement.")
    class_permission_name = "payment"
    report = ReportKind.BILLS_PAYMENTS
    base_filters = [["business_day", OpenDays, ReportKind.BILLS_PAYMENTS]]
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Refunds"), lazy_gettext("Refund")
    list_columns = ["number", "refunded_at", "patient", "payment", "kind", "amount", "reason"]
    show_columns = list_columns
    search_columns = ["number", "business_day"]
    order_columns = ["number", "refunded_at", "amount"]
    label_columns = {
        "number": lazy_gettext("Number"), "refunded_at": lazy_gettext("When"), "amount": lazy_gettext("Sum"),
        "reason": lazy_gettext("Reason"), "business_day": lazy_gettext("Day"), "kind": lazy_gettext("Kind"),
        "patient": lazy_gettext("Patient"), "payment": lazy_gettext("Payment"),
    }  # fmt: skip
    words = {"kind": RefundKind}
    formatters_columns = {"patient": _to_card, "payment": _to_payment}
