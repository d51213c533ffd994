"""Generated views of the cash desk: desks and expense categories; shifts, movements and receipts to look at."""

from flask import url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from wtforms import SelectField
from wtforms.fields import SelectChoice

from app import clock
from app.cash import queries
from app.errors import DeskInUse, Invalid
from app.models import Branch, CashDesk, CashMovement, CashShift, ExpenseCategory, Receipt
from app.panels import DayPanel, DeskInterface, OpenDays, PanelView
from app.vocab import N_, DeskKind, MovementKind, ReceiptKind, ReportKind
from app.web import actor


class CashDeskPanel(PanelView):
    """Desks of the branches. A desk in use is archived only when it is empty and closed."""

    datamodel = DeskInterface(CashDesk)
    route_base = "/cash-desks"
    list_title, one = lazy_gettext("Cash desks"), lazy_gettext("Cash desk")
    list_columns = ["branch", "name", "kind", "archived"]
    show_columns = ["branch", "legal_entity", "name", "kind", "cash_limit", "archived"]
    add_columns = ["name", "kind", "branch", "cash_limit"]
    edit_columns = ["name", "cash_limit", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name", "kind"]
    audited = ("name", "kind", "branch_id", "cash_limit", "archived")
    label_columns = {
        "branch": lazy_gettext("Branch"), "legal_entity": lazy_gettext("Legal entity"), "name": lazy_gettext("Name"),
        "kind": lazy_gettext("Kind"), "archived": lazy_gettext("Archived"),
        "cash_limit": lazy_gettext("Limit of cash at the day's end, ₽"),
    }  # fmt: skip
    words = {"kind": DeskKind}
    add_form_extra_fields = {
        "kind": SelectField(
            lazy_gettext("Kind"), choices=[SelectChoice(str(kind), lazy_gettext(kind.label)) for kind in DeskKind],
            render_kw={"class": "form-control"},
        )
    }  # fmt: skip

    def pre_add(self, item: CashDesk) -> None:
        branch: Branch = item.branch
        item.legal_entity_id = branch.legal_entity_id

    def pre_update(self, item: CashDesk) -> None:
        if item.archived and (item.balance or queries.open_shift_of(item.id)):
            raise DeskInUse()


class ExpenseCategoryPanel(PanelView):
    """Expense categories: the administrator adds, the director renames and archives."""

    datamodel = DeskInterface(ExpenseCategory)
    route_base = "/expense-category-list"
    class_permission_name = "expense_category"
    method_permission_name = {
        "list": "see", "show": "see", "add": "add", "edit": "edit", "delete": "edit",
    }  # fmt: skip
    list_title, one = lazy_gettext("Expense categories"), lazy_gettext("Expense category")
    list_columns = ["name", "parent", "archived"]
    show_columns = ["name", "parent", "archived", "created_at"]
    add_columns = ["name", "parent"]
    edit_columns = ["name", "parent", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    audited = ("name", "parent_id", "archived")
    label_columns = {
        "name": lazy_gettext("Name"), "parent": lazy_gettext("Part of"), "archived": lazy_gettext("Archived"),
        "created_at": lazy_gettext("Added"),
    }  # fmt: skip

    def pre_add(self, item: ExpenseCategory) -> None:
        item.created_at, item.created_by_id = clock.now(), actor().id

    def pre_update(self, item: ExpenseCategory) -> None:
        parent = item.parent
        if parent is not None and (parent.merged_into_id or queries.is_part_of(parent.id, item.id)):
            raise Invalid(fields={"parent": N_("Choose a category that is in use and is not a part of this one.")})


class CashShiftPanel(DayPanel):
    """Shifts: of today, and of the days that the account may look at."""

    datamodel = DeskInterface(CashShift)
    route_base = "/cash-shifts"
    nothing = lazy_gettext("No shift yet: they are opened at the cash desk.")
    class_permission_name = "cash"
    report = ReportKind.CASH
    base_filters = [["business_day", OpenDays, ReportKind.CASH]]
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Cash shifts"), lazy_gettext("Cash shift")
    list_columns = [
        "business_day", "desk.branch", "desk", "number", "opened_at", "closed_at", "opening", "expected", "counted",
        "difference", "sheet",
    ]  # fmt: skip
    show_columns = [*list_columns, "open_reason", "close_reason"]
    search_columns = ["business_day", "number"]
    order_columns = ["business_day", "number"]
    label_columns = {
        "business_day": lazy_gettext("Day"), "desk.branch": lazy_gettext("Branch"),
        "desk": lazy_gettext("Cash desk"), "number": lazy_gettext("Number"),
        "opened_at": lazy_gettext("Opened"), "closed_at": lazy_gettext("Closed"), "opening": lazy_gettext("Opening"),
        "expected": lazy_gettext("Expected"), "counted": lazy_gettext("Counted"),
        "difference": lazy_gettext("Difference"), "sheet": lazy_gettext("Shift report"),
        "open_reason": lazy_gettext("Reason of the difference at opening"),
        "close_reason": lazy_gettext("Reason of the difference at closing"),
    }  # fmt: skip
    formatters_columns = {
        "sheet": lambda pk: Markup('<a href="{}">{}</a>').format(url_for("CashView.shift", pk=pk), gettext("Open")),
    }

    def is_number(self, name: str) -> bool:
        """The difference is computed, and stands under its sums all the same."""
        return name == "difference" or super().is_number(name)


class CashMovementPanel(DayPanel):
    """Movements of money: of today, and of the days that the account may look at."""

    datamodel = DeskInterface(CashMovement, eager=("paired", "pairing"))
    route_base = "/cash-movements"
    nothing = lazy_gettext("No operation yet: they come from payments and from the cash desk.")
    class_permission_name = "cash"
    report = ReportKind.CASH
    base_filters = [["business_day", OpenDays, ReportKind.CASH]]
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Cash movements"), lazy_gettext("Cash movement")
    list_columns = [
        "moved_at", "desk.branch", "desk", "number", "kind", "delta", "other_desk", "category", "counterparty",
        "comment",
    ]  # fmt: skip
    show_columns = list_columns
    search_columns = ["business_day", "number", "counterparty"]
    order_columns = ["moved_at", "delta"]
    label_columns = {
        "business_day": lazy_gettext("Day"), "moved_at": lazy_gettext("When"),
        "desk.branch": lazy_gettext("Branch"), "desk": lazy_gettext("Cash desk"),
        "other_desk": lazy_gettext("The other desk"),
        "number": lazy_gettext("Number"), "kind": lazy_gettext("Operation"), "delta": lazy_gettext("Sum"),
        "category": lazy_gettext("Expense category"), "counterparty": lazy_gettext("From or to whom"),
        "comment": lazy_gettext("Comment"),
    }  # fmt: skip
    words = {"kind": MovementKind}


class ReceiptPanel(DayPanel):
    """Receipts of payments and refunds; printed again they are the same."""

    datamodel = DeskInterface(Receipt)
    route_base = "/receipt-list"
    nothing = lazy_gettext("No receipt yet: one is made with every payment.")
    class_permission_name = "payment"
    report = ReportKind.BILLS_PAYMENTS
    base_filters = [["business_day", OpenDays, ReportKind.BILLS_PAYMENTS]]
    base_order = ("id", "desc")
    list_title, one = lazy_gettext("Receipts"), lazy_gettext("Receipt")
    list_columns = ["number", "kind", "business_day", "sheet"]
    show_columns = list_columns
    search_columns = ["number", "business_day"]
    order_columns = ["number", "business_day"]
    words = {"kind": ReceiptKind}
    label_columns = {
        "number": lazy_gettext("Number"), "kind": lazy_gettext("Kind"), "business_day": lazy_gettext("Day"),
        "sheet": lazy_gettext("Paper"),
    }  # fmt: skip
    formatters_columns = {
        "sheet": lambda pk: Markup('<a href="{}" target="_blank">PDF</a>').format(
            url_for("DocumentsView.receipt", pk=pk)
        ),
    }
