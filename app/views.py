"""Every page and table of the product, and the whole menu on one screen.

A room's pages are registered here and nowhere else. Where next: the room's own `views.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from flask import current_app, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, IndexView, expose
from flask_babel import get_locale, gettext
from markupsafe import Markup

from app import access, clock
from app.alive import HealthApi
from app.billing.api import PaymentApi, ServiceApi, WorkOrderApi
from app.billing.panel import (
    PaymentPanel,
    RefundPanel,
    ServiceCategoryPanel,
    ServicePanel,
    ServicePricePanel,
    WorkOrderPanel,
)
from app.billing.views import CertificatesView, MoneyListsView, PricesView, SettlementView, WorkOrdersView
from app.cash.api import CashApi, ExpenseCategoryApi
from app.cash.panel import CashDeskPanel, CashMovementPanel, CashShiftPanel, ExpenseCategoryPanel, ReceiptPanel
from app.cash.views import CashView, ExpenseCategoriesView
from app.documents.panel import DocumentTemplatePanel
from app.documents.views import CashPapersView, DocumentsView, FirstVisitView, JournalView, TemplatesView
from app.fiscal.panel import FiscalDevicePanel, SlipPrinterPanel
from app.fiscal.views import FiscalView
from app.messages.panel import MessageTemplatePanel, OutboxPanel
from app.messages.views import MessagesView
from app.patients.api import PatientApi
from app.patients.panel import PatientPanel, PatientTagPanel, ReferralSourcePanel
from app.patients.views import (
    CardImportsView,
    ErasingView,
    MedicalView,
    MergingView,
    OpeningsView,
    PatientLookupView,
    PatientsView,
    SelectionsView,
    SurveysView,
)
from app.reports.api import ReportApi
from app.reports.views import ReportsView
from app.schedule.api import (
    AppointmentApi,
    CarriedApi,
    FitsApi,
    HoursApi,
    NotifyApi,
    OfferApi,
    PlannedApi,
    SavedViewApi,
    ScheduleActionsApi,
    ScheduleApi,
    WaitingApi,
)
from app.schedule.panel import AppointmentPanel, CancelReasonPanel
from app.schedule.views import (
    CalendarView,
    ConfirmView,
    FeedsView,
    HoursView,
    NotifyView,
    PlannedView,
    PrintsView,
    ScheduleView,
    SpareView,
    WaitingView,
)
from app.staff.api import AccessGrantApi
from app.staff.panel import AuditPanel, BranchPanel, ChairPanel, EmployeePanel, LegalEntityPanel, SpecialityPanel
from app.staff.views import AccessView, LoginView, MyView, SettingsView
from app.tasks import queries as tasks
from app.tasks.api import CallTaskApi
from app.tasks.panel import RefusalReasonPanel
from app.tasks.views import TasksView
from app.vocab import N_
from app.web import guarded, may, rights_held

#: Of a page of the menu: how many are late there, and how many are for today.
Counted = Mapping[str, tuple[int, int]]
Waiting = tuple[tuple[str, tuple[int, int]], ...]


class Home(IndexView):
    """`/`: the schedule for who may see it, else the first page of the menu that is open."""

    @expose("/")
    @guarded(None)
    def index(self) -> object:
        for group in menu():
            return redirect(group["items"][0]["url"])
        return self.render_template("desk/empty.html", title=gettext("Front desk"))


@dataclass(frozen=True)
class Item:
    """A line of the menu: shown to who holds the right."""

    title: str
    endpoint: str
    right: str
    #: What waits there: (late, today); asked once a page, and only for who may see it.
    waiting: Callable[[], tuple[int, int]] | None = None


MENU: list[tuple[str, list[Item]]] = [
    (N_("Schedule"), [Item(N_("Schedule"), "ScheduleView.day", "schedule.see")]),
    (N_("Patients"), [Item(N_("Patients"), "PatientsView.index", "card.see")]),
    (
        N_("Calls"),
        [
            Item(N_("Calls"), "TasksView.index", "task.see", waiting=tasks.counts),
            Item(N_("Notifying"), "NotifyView.index", "message.see"),
            Item(N_("Waiting list"), "WaitingView.index", "waiting.see"),
            Item(N_("Planned visits"), "PlannedView.index", "planned.see"),
            Item(N_("Report of calls"), "TasksView.report", "task.report"),
        ],
    ),
    (
        N_("Settlement"),
        [
            Item(N_("To be paid"), "SettlementView.index", "payment.see"),
            Item(N_("Work orders"), "WorkOrdersView.index", "work_order.see"),
            Item(N_("Debtors"), "MoneyListsView.debtors", "payment.see"),
            Item(N_("Advances"), "MoneyListsView.advances", "payment.see"),
            Item(N_("Certificates"), "CertificatesView.index", "payment.see"),
        ],
    ),
    (
        N_("Cash desk"),
        [
            Item(N_("Cash desk"), "CashView.index", "cash.see"),
            Item(N_("Fiscal receipts"), "FiscalView.index", "fiscal.see"),
        ],
    ),
    (
        N_("Reports"),
        [
            Item(N_("Patients"), "ReportsView.patients", "report.see"),
            Item(N_("Bills and payments"), "ReportsView.bills_payments", "report.see"),
            Item(N_("Services provided"), "ReportsView.services", "report.see"),
            Item(N_("Cash flow"), "ReportsView.cash", "cash.see"),
        ],
    ),
    (
        N_("Journals"),
        [
            Item(N_("Messages"), "MessagesView.index", "message.see"),
            Item(N_("List of visits"), "AppointmentPanel.list", "schedule.see"),
            Item(N_("List of work orders"), "WorkOrderPanel.list", "work_order.see"),
            Item(N_("Payments"), "PaymentPanel.list", "payment.see"),
            Item(N_("Refunds"), "RefundPanel.list", "payment.see"),
            Item(N_("Receipts"), "ReceiptPanel.list", "payment.see"),
            Item(N_("Cash shifts"), "CashShiftPanel.list", "cash.see"),
            Item(N_("Cash movements"), "CashMovementPanel.list", "cash.see"),
            Item(N_("Journal of issued documents"), "JournalView.index", "document.print"),
            Item(N_("All messages"), "OutboxPanel.list", "message.see"),
            Item(N_("Patients' cards"), "PatientPanel.list", "audit.see"),
            Item(N_("Who opened cards"), "OpeningsView.index", "audit.see"),
            Item(N_("Log of actions"), "AuditPanel.list", "audit.see"),
        ],
    ),
    (
        N_("Directories"),
        [
            Item(N_("Calendars for phones"), "FeedsView.index", "schedule.feed"),
            Item(N_("Doctors' hours"), "HoursView.index", "schedule.hours"),
            Item(N_("Price list"), "PricesView.index", "directory.see"),
            Item(N_("Services"), "ServicePanel.list", "directory.see"),
            Item(N_("Prices"), "ServicePricePanel.list", "directory.see"),
            Item(N_("Service categories"), "ServiceCategoryPanel.list", "directory.see"),
            Item(N_("Employees"), "EmployeePanel.list", "staff.see"),
            Item(N_("Specialities"), "SpecialityPanel.list", "directory.see"),
            Item(N_("Branches"), "BranchPanel.list", "directory.see"),
            Item(N_("Chairs"), "ChairPanel.list", "directory.see"),
            Item(N_("Legal entities"), "LegalEntityPanel.list", "directory.see"),
            Item(N_("Cash desks"), "CashDeskPanel.list", "directory.see"),
            Item(N_("Fiscal devices"), "FiscalDevicePanel.list", "directory.see"),
            Item(N_("Slip printers"), "SlipPrinterPanel.list", "directory.see"),
            Item(N_("Expense categories"), "ExpenseCategoriesView.index", "expense_category.see"),
            Item(N_("Cancellation reasons"), "CancelReasonPanel.list", "directory.see"),
            Item(N_("Reasons of refusal"), "RefusalReasonPanel.list", "directory.see"),
            Item(N_("Referral sources"), "ReferralSourcePanel.list", "directory.see"),
            Item(N_("Tags of patients"), "PatientTagPanel.list", "directory.see"),
            Item(N_("Message templates"), "MessageTemplatePanel.list", "directory.see"),
            Item(N_("Document templates"), "DocumentTemplatePanel.list", "directory.see"),
            Item(N_("Papers of a first visit"), "FirstVisitView.index", "directory.edit"),
        ],
    ),
    (
        N_("Management"),
        [
            Item(N_("Rights"), "AccessView.rights", "access.manage"),
            Item(N_("Access to other days"), "AccessView.days", "access.manage"),
            Item(N_("Clinic's settings"), "SettingsView.index", "settings.edit"),
        ],
    ),
]

PAGES: list[type] = [
    NotifyView,
    NotifyApi,
    ConfirmView,
    PatientsView,
    PatientLookupView,
    SelectionsView,
    MergingView,
    ErasingView,
    OpeningsView,
    CardImportsView,
    SurveysView,
    MedicalView,
    PatientApi,
    ReferralSourcePanel,
    PatientTagPanel,
    PatientPanel,
    MyView,
    HealthApi,
    LoginView,
    AccessView,
    AccessGrantApi,
    SettingsView,
    LegalEntityPanel,
    BranchPanel,
    ChairPanel,
    SpecialityPanel,
    EmployeePanel,
    AuditPanel,
    FiscalView,
    FiscalDevicePanel,
    SlipPrinterPanel,
    MessagesView,
    MessageTemplatePanel,
    OutboxPanel,
    ScheduleView,
    PrintsView,
    SpareView,
    FeedsView,
    CalendarView,
    ScheduleApi,
    SavedViewApi,
    ScheduleActionsApi,
    CarriedApi,
    HoursView,
    HoursApi,
    WaitingView,
    PlannedView,
    FitsApi,
    WaitingApi,
    OfferApi,
    PlannedApi,
    AppointmentApi,
    CancelReasonPanel,
    AppointmentPanel,
    TasksView,
    CallTaskApi,
    RefusalReasonPanel,
    DocumentsView,
    JournalView,
    FirstVisitView,
    CashPapersView,
    TemplatesView,
    DocumentTemplatePanel,
    ReportsView,
    ReportApi,
    CashView,
    ExpenseCategoriesView,
    CashApi,
    ExpenseCategoryApi,
    CashDeskPanel,
    ExpenseCategoryPanel,
    CashShiftPanel,
    CashMovementPanel,
    ReceiptPanel,
    SettlementView,
    MoneyListsView,
    CertificatesView,
    WorkOrdersView,
    PricesView,
    ServiceApi,
    WorkOrderApi,
    PaymentApi,
    ServiceCategoryPanel,
    ServicePanel,
    ServicePricePanel,
    WorkOrderPanel,
    PaymentPanel,
    RefundPanel,
]


def menu(waiting: Counted | None = None) -> list[dict[str, Any]]:
    """The menu of this account: groups with at least one open page; a group of one is a plain link."""
    groups = []
    urls, waiting = _urls(request.script_root), waiting or {}
    for title, items in MENU:
        open_items = [
            {
                "title": gettext(item.title),
                "url": urls[item.endpoint],
                "waiting": _waiting(waiting.get(item.endpoint, (0, 0))),
            }
            for item in items
            if may(item.right)
        ]
        if open_items:
            words = next((item["waiting"] for item in open_items if item["waiting"]), None)
            groups.append(
                {
                    "title": gettext(title) if title else open_items[0]["title"],
                    "items": open_items,
                    "waiting": words,
                }
            )
    return groups


def header() -> Markup:
    """The bar above every page: where to go, what waits there, the search box, the account.

    Drawn once for all that it shows: of an account its name and its rights, which this request has read, of the page
    that one line of the menu leads to it.
    """
    user = g.get("user")
    if user is None or not user.is_authenticated:
        return _drawn(str(get_locale()), request.script_root, None, frozenset(), "", ())
    held = access.account(user)
    waiting = tuple(
        (item.endpoint, _counted(item.waiting, held.as_of, clock.today()))
        for _, items in MENU
        for item in items
        if item.waiting is not None and held.may(item.right)
    )
    path = request.path
    here = path if path in _urls(request.script_root).values() else ""
    return _drawn(str(get_locale()), request.script_root, held.name, rights_held(), here, waiting)


@lru_cache(maxsize=20)
def _counted(waiting: Callable[[], tuple[int, int]], as_of: str, today: date) -> tuple[int, int]:
    """How much waits, counted anew when anything at all was written since, or a day has ended."""
    return waiting()


@lru_cache(maxsize=500)
def _drawn(
    locale: str, script_root: str, name: str | None, rights: frozenset[str], here: str, waiting: Waiting
) -> Markup:
    """The arguments are all that the bar depends on, `may` and `gettext` answering by the first four."""
    page = current_app.jinja_env.get_template("desk/navbar.html")
    groups = menu(dict(waiting)) if name is not None else []
    return Markup(
        page.render(menu=groups, name=name, here=here, locale=locale, languages=current_app.config["LANGUAGES"])
    )


@cache
def _urls(script_root: str) -> dict[str, str]:
    """The addresses of the menu; they change with where the program is hung only."""
    return {item.endpoint: url_for(item.endpoint) for _, items in MENU for item in items}


def _waiting(counted: tuple[int, int]) -> dict[str, Any] | None:
    """How much waits there, for the menu: the late in red, and those of today."""
    late, today = counted
    if not late and not today:
        return None
    words = gettext("Overdue: %(late)s, today: %(today)s", late=late, today=today)
    most = f"{tasks.MOST_COUNTED - 1}+"
    return {
        "late": most if late >= tasks.MOST_COUNTED else late,
        "today": most if today >= tasks.MOST_COUNTED else today,
        "words": words,
    }


def register_views(builder: AppBuilder) -> None:
    """Hang every page, table and address of every room on the application."""
    for page in PAGES:
        builder.add_view_no_menu(page)
    current_app.jinja_env.globals["header"] = header
