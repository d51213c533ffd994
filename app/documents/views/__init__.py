"""Pages of papers; one module per subject."""

from app.documents.views.cash import CashPapersView
from app.documents.views.first_visit import FirstVisitView
from app.documents.views.journal import JournalView
from app.documents.views.papers import DocumentsView
from app.documents.views.templates import TemplatesView

__all__ = ["CashPapersView", "DocumentsView", "FirstVisitView", "JournalView", "TemplatesView"]
