"""The card index' directories as generated tables."""

from flask_babel import lazy_gettext as _

from app.models import Patient, PatientTag, ReferralSource
from app.panels import DeskInterface, PanelView, ReadOnlyPanel
from app.vocab import CardStatus


class ReferralSourcePanel(PanelView):
    """Where patients learn about the clinic."""

    datamodel = DeskInterface(ReferralSource)
    route_base = "/directories/referral-sources"
    one, list_title = _("Referral source"), _("Referral sources")
    list_columns = ["name", "archived"]
    show_columns = ["name", "archived"]
    add_columns = ["name"]
    edit_columns = ["name", "archived"]
    search_columns = ["name", "archived"]
    label_columns = {"name": _("Name"), "archived": _("In the archive")}
    base_order = ("name", "asc")


class PatientTagPanel(PanelView):
    """Words that are put on cards; alerts are shown in red."""

    datamodel = DeskInterface(PatientTag)
    route_base = "/directories/patient-tags"
    one, list_title = _("Tag"), _("Tags of patients")
    list_columns = ["name", "alert", "archived"]
    show_columns = ["name", "alert", "archived"]
    add_columns = ["name", "alert"]
    edit_columns = ["name", "alert", "archived"]
    search_columns = ["name", "archived"]
    audited = ("name", "alert", "archived")
    label_columns = {"name": _("Name"), "alert": _("Alert, shown in red"), "archived": _("In the archive")}
    base_order = ("name", "asc")


class PatientPanel(ReadOnlyPanel):
    """All cards as a table; they are changed on the card."""

    class_permission_name = "audit"
    datamodel = DeskInterface(Patient)
    route_base = "/tables/patients"
    nothing = _("No card yet: the first one is made on the page “Patients”.")
    one, list_title = _("Patient's card"), _("Patients' cards")
    list_columns = ["card_number", "surname", "name", "patronymic", "birth_date", "status"]
    show_columns = ["card_number", "surname", "name", "patronymic", "birth_date", "status", "comment"]
    search_columns = ["card_number", "surname", "birth_date"]
    label_columns = {
        "card_number": _("Card"), "surname": _("Surname"), "name": _("First name"), "patronymic": _("Patronymic"),
        "birth_date": _("Birth date"), "status": _("Status"), "comment": _("Comment"),
    }  # fmt: skip
    words = {"status": CardStatus}
    base_order = ("id", "desc")
