"""Generated views of billing: the price list to change; work orders, payments and refunds to look at."""

from typing import Any, ClassVar

from flask_appbuilder.models.sqla.filters import BaseFilter
from flask_babel import lazy_gettext
from sqlalchemy.orm import selectinload
from wtforms.validators import InputRequired, NumberRange, Regexp

from app import access, clock
from app.models import Payment, Refund, Service, ServiceCategory, ServicePrice, WorkOrder
from app.panels import DayPanel, DeskInterface, OpenDays, PanelView, RemoteSelectField
from app.vocab import ReportKind, WorkOrderStatus
from app.web import actor, label, moment_filter, money_filter


class _WithPeople(DeskInterface):
    """Loads the named relations of a whole page at once."""

    relations: tuple[str, ...] = ("patient", "doctor")

    def apply_all(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        loads = [selectinload(getattr(self.obj, name)) for name in self.relations if hasattr(self.obj, name)]
        return super().apply_all(query, *args, **kwargs).options(*loads)


class ServiceCategoryPanel(PanelView):
    """Groups of the price list."""

    datamodel = DeskInterface(ServiceCategory)
    route_base = "/service-categories"
    list_title, show_title = lazy_gettext("Service categories"), lazy_gettext("Service category")
    add_title, edit_title = lazy_gettext("Add a service category"), lazy_gettext("Change a service category")
    list_columns: ClassVar[list[str]] = ["name", "archived"]
    show_columns: ClassVar[list[str]] = list_columns
    add_columns: ClassVar[list[str]] = ["name"]
    edit_columns: ClassVar[list[str]] = ["name", "archived"]
    search_columns: ClassVar[list[str]] = ["name", "archived"]
    order_columns: ClassVar[list[str]] = ["name"]
    label_columns: ClassVar[dict[str, Any]] = {"name": lazy_gettext("Name"), "archived": lazy_gettext("Archived")}


class ServicePanel(PanelView):
    """Services of the price list; their prices are rows of their own."""

    datamodel = DeskInterface(Service)
    route_base = "/service-list"
    list_title, show_title = lazy_gettext("Services"), lazy_gettext("Service")
    add_title, edit_title = lazy_gettext("Add a service"), lazy_gettext("Change a service")
    list_columns: ClassVar[list[str]] = ["code", "name", "category", "minutes", "archived"]
    show_columns: ClassVar[list[str]] = list_columns
    add_columns: ClassVar[list[str]] = ["code", "name", "category", "minutes"]
    edit_columns: ClassVar[list[str]] = ["code", "name", "category", "minutes", "archived"]
    search_columns: ClassVar[list[str]] = ["code", "name", "archived"]
    order_columns: ClassVar[list[str]] = ["code", "name", "minutes"]
    label_columns: ClassVar[dict[str, Any]] = {
        "code": lazy_gettext("Code"), "name": lazy_gettext("Name"), "category": lazy_gettext("Category"),
        "minutes": lazy_gettext("Minutes"), "archived": lazy_gettext("Archived"),
    }  # fmt: skip
    description_columns: ClassVar[dict[str, Any]] = {
        "code": lazy_gettext("Latin letters and digits, as in the nomenclature: A16.07.002")
    }
    validators_columns: ClassVar[dict[str, Any]] = {
        "code": [
            Regexp(
                r"^[A-Z0-9][A-Za-z0-9.\-]*$",
                message=lazy_gettext("Write the code in Latin letters, digits and dots, for instance A16.07.002."),
            )
        ],
        "minutes": [NumberRange(5, 720, message=lazy_gettext("From 5 to 720 minutes."))],
    }


class ServicePricePanel(PanelView):
    """Prices with the day they begin. A price is never changed: the next one is added."""

    datamodel = DeskInterface(ServicePrice)
    route_base = "/service-prices"
    include_route_methods: ClassVar[set[str]] = {"list", "show", "add"}
    base_permissions: ClassVar[list[str]] = ["can_see", "can_edit"]
    list_title, show_title = lazy_gettext("Prices"), lazy_gettext("Price")
    add_title = lazy_gettext("Set a new price")
    list_columns: ClassVar[list[str]] = ["service", "valid_from", "price"]
    show_columns: ClassVar[list[str]] = [*list_columns, "created_at"]
    add_columns: ClassVar[list[str]] = ["service", "valid_from", "price"]
    search_columns: ClassVar[list[str]] = ["valid_from", "price"]
    order_columns: ClassVar[list[str]] = ["valid_from", "price"]
    base_order = ("id", "desc")
    label_columns: ClassVar[dict[str, Any]] = {
        "service": lazy_gettext("Service"), "valid_from": lazy_gettext("Valid from"), "price": lazy_gettext("Price"),
        "created_at": lazy_gettext("Added"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {"price": money_filter, "created_at": moment_filter}
    validators_columns: ClassVar[dict[str, Any]] = {
        "price": [
            InputRequired(message=lazy_gettext("Fill in this field.")),
            NumberRange(min=0, message=lazy_gettext("The sum must not be below zero.")),
        ]
    }
    add_form_extra_fields: ClassVar[dict[str, Any]] = {
        "service": RemoteSelectField(
            lazy_gettext("Service"), datamodel=datamodel, col_name="service", endpoint="WorkOrdersView.services",
            required=True,
        )
    }  # fmt: skip

    def pre_add(self, item: ServicePrice) -> None:
        item.created_at, item.created_by_id = clock.now(), actor().id


class _OwnOrders(BaseFilter):
    """A doctor sees own work orders only."""

    def apply(self, query: Any, value: Any) -> Any:
        own = access.account(actor()).own_only("work_order.see")
        return query if own is None else query.where(WorkOrder.doctor_id == own)


class WorkOrderPanel(DayPanel):
    """Work orders: drafts, those issued today, and those of the days that the account may look at."""

    datamodel = _WithPeople(WorkOrder)
    route_base = "/work-order-list"
    class_permission_name = "work_order"
    report = ReportKind.BILLS_PAYMENTS
    base_filters: ClassVar[list[Any]] = [
        ["doctor_id", _OwnOrders, None], ["issued_day", OpenDays, ReportKind.BILLS_PAYMENTS],
    ]  # fmt: skip
    base_order = ("id", "desc")
    list_title, show_title = lazy_gettext("Work orders"), lazy_gettext("Work order")
    list_columns: ClassVar[list[str]] = ["number", "issued_day", "patient", "doctor", "status", "total", "due"]
    show_columns: ClassVar[list[str]] = list_columns
    search_columns: ClassVar[list[str]] = ["number", "issued_day", "status"]
    order_columns: ClassVar[list[str]] = ["number", "issued_day", "total", "due"]
    label_columns: ClassVar[dict[str, Any]] = {
        "number": lazy_gettext("Number"), "issued_day": lazy_gettext("Issued"), "patient": lazy_gettext("Patient"),
        "doctor": lazy_gettext("Doctor"), "status": lazy_gettext("Status"), "total": lazy_gettext("Total"),
        "due": lazy_gettext("Due"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "status": lambda status: label(WorkOrderStatus, status), "total": money_filter, "due": money_filter,
        "issued_day": lambda day: day or "",
    }  # fmt: skip


class PaymentPanel(DayPanel):
    """Payments: of today, and of the days that the account may look at."""

    datamodel = _WithPeople(Payment)
    route_base = "/payment-list"
    class_permission_name = "payment"
    report = ReportKind.BILLS_PAYMENTS
    base_filters: ClassVar[list[Any]] = [["business_day", OpenDays, ReportKind.BILLS_PAYMENTS]]
    base_order = ("id", "desc")
    list_title, show_title = lazy_gettext("Payments"), lazy_gettext("Payment")
    list_columns: ClassVar[list[str]] = ["number", "paid_at", "patient", "amount"]
    show_columns: ClassVar[list[str]] = [*list_columns, "tendered", "change"]
    search_columns: ClassVar[list[str]] = ["number", "business_day"]
    order_columns: ClassVar[list[str]] = ["number", "paid_at", "amount"]
    label_columns: ClassVar[dict[str, Any]] = {
        "number": lazy_gettext("Number"), "paid_at": lazy_gettext("When"), "patient": lazy_gettext("Patient"),
        "amount": lazy_gettext("Sum"), "tendered": lazy_gettext("Tendered"), "change": lazy_gettext("Change"),
        "business_day": lazy_gettext("Day"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "paid_at": moment_filter, "amount": money_filter, "tendered": money_filter, "change": money_filter,
    }  # fmt: skip


class RefundPanel(DayPanel):
    """Refunds: of today, and of the days that the account may look at."""

    datamodel = _WithPeople(Refund)
    route_base = "/refund-list"
    class_permission_name = "payment"
    report = ReportKind.BILLS_PAYMENTS
    base_filters: ClassVar[list[Any]] = [["business_day", OpenDays, ReportKind.BILLS_PAYMENTS]]
    base_order = ("id", "desc")
    list_title, show_title = lazy_gettext("Refunds"), lazy_gettext("Refund")
    list_columns: ClassVar[list[str]] = ["number", "refunded_at", "amount", "reason"]
    show_columns: ClassVar[list[str]] = list_columns
    search_columns: ClassVar[list[str]] = ["number", "business_day"]
    order_columns: ClassVar[list[str]] = ["number", "refunded_at", "amount"]
    label_columns: ClassVar[dict[str, Any]] = {
        "number": lazy_gettext("Number"), "refunded_at": lazy_gettext("When"), "amount": lazy_gettext("Sum"),
        "reason": lazy_gettext("Reason"), "business_day": lazy_gettext("Day"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {"refunded_at": moment_filter, "amount": money_filter}
