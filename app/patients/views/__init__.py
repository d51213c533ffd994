"""Pages of the card index: the search and the card, selections of patients.

The card's tabs are fragments of the rooms that own them. Where next: `../operations`.
"""

from app.patients.views.cards import PatientLookupView, PatientsView
from app.patients.views.erasing import ErasingView
from app.patients.views.importing import CardImportsView
from app.patients.views.merging import MergingView
from app.patients.views.openings import OpeningsView
from app.patients.views.selections import SelectionsView

__all__ = [
    "CardImportsView",
    "ErasingView",
    "MergingView",
    "OpeningsView",
    "PatientLookupView",
    "PatientsView",
    "SelectionsView",
]
__all__ = ["CardImportsView", "MergingView", "PatientLookupView", "PatientsView", "SelectionsView"]
