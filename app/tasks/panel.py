"""Generated views of calls: the reasons of refusals to change."""

from flask_babel import lazy_gettext

from app.models import RefusalReason
from app.panels import DeskInterface, PanelView


class RefusalReasonPanel(PanelView):
    """Why patients do not want a visit: on a call, a planned visit, the waiting list."""

    datamodel = DeskInterface(RefusalReason)
    route_base = "/refusal-reasons"
    list_title, one = lazy_gettext("Reasons of refusal"), lazy_gettext("Reason of refusal")
    list_columns = ["name", "archived"]
    show_columns = ["name", "archived"]
    add_columns = ["name"]
    edit_columns = ["name", "archived"]
    search_columns = ["name", "archived"]
    order_columns = ["name"]
    label_columns = {"name": lazy_gettext("Name"), "archived": lazy_gettext("Archived")}
