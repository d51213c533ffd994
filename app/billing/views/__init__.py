"""Pages of billing: settlement of a patient, the queue «To be paid», work orders, the price list.

Where next: `operations`; the same over JSON is `api.py`.
"""

from app.billing.views.certificates import CertificatesView
from app.billing.views.lists import MoneyListsView
from app.billing.views.prices import PricesView
from app.billing.views.settlement import SettlementView
from app.billing.views.work_orders import WorkOrdersView

__all__ = ["CertificatesView", "MoneyListsView", "PricesView", "SettlementView", "WorkOrdersView"]
