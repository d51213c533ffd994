"""The generated page of the directory of fiscal devices."""

from flask_babel import lazy_gettext
from wtforms import SelectField
from wtforms.fields import SelectChoice

from app.models import FiscalDevice
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
