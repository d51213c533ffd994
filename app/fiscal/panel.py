"""Generated pages of what prints at the desk: fiscal devices, slip printers."""

from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.fields import SelectChoice

from app.models import FiscalDevice, SlipPrinter
from app.panels import DeskInterface, PanelView
from app.vocab import Taxation


def _taxation() -> SelectField:
    return SelectField(
        lazy_gettext("Taxation"), choices=[SelectChoice(str(one), lazy_gettext(one.label)) for one in Taxation],
        render_kw={"class": "form-control"},
    )  # fmt: skip


class FiscalDevicePanel(PanelView):
    """Cash registers of the branches; one that is archived prints nothing more."""

    datamodel = DeskInterface(FiscalDevice)
    route_base = "/fiscal-devices"
    list_title, one = lazy_gettext("Fiscal devices"), lazy_gettext("Fiscal device")
    list_columns = ["name", "branch", "taxation", "archived"]
    show_columns = ["name", "branch", "address", "taxation", "archived"]
    add_columns = ["name", "branch", "address", "taxation"]
    edit_columns = ["name", "address", "taxation", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    audited = ("name", "branch_id", "address", "taxation", "archived")
    label_columns = {
        "name": lazy_gettext("Name"), "branch": lazy_gettext("Branch"),
        "address": lazy_gettext("Address of its web server"), "taxation": lazy_gettext("Taxation"),
        "archived": lazy_gettext("Archived"),
    }  # fmt: skip
    words = {"taxation": Taxation}
    add_form_extra_fields = {"taxation": _taxation()}
    edit_form_extra_fields = {"taxation": _taxation()}

    def pre_add(self, item: FiscalDevice) -> None:
        item.legal_entity_id = item.branch.legal_entity_id


class SlipPrinterPanel(PanelView):
    """Thermal printers of slips; one that is archived prints nothing more."""

    datamodel = DeskInterface(SlipPrinter)
    route_base = "/slip-printers"
    list_title, one = lazy_gettext("Slip printers"), lazy_gettext("Slip printer")
    list_columns = ["name", "branch", "address", "columns", "archived"]
    show_columns = ["name", "branch", "address", "columns", "code_page", "archived"]
    add_columns = ["name", "branch", "address", "columns", "code_page"]
    edit_columns = ["name", "address", "columns", "code_page", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    audited = ("name", "branch_id", "address", "columns", "code_page", "archived")
    label_columns = {
        "name": lazy_gettext("Name"), "branch": lazy_gettext("Branch"),
        "address": lazy_gettext("Address in the network"), "columns": lazy_gettext("Letters in a row"),
        "code_page": lazy_gettext("Number of the page CP866"), "archived": lazy_gettext("Archived"),
    }  # fmt: skip
    description_columns = {
        "address": lazy_gettext("Like 192.168.1.50:9100; empty: the one of the settings."),
        "columns": lazy_gettext("32 on paper of 58 mm, 42 or 48 on 80 mm."),
        "code_page": lazy_gettext("Mostly 17; when the slip comes out in nonsense, look into the printer's manual."),
    }
