"""The contents page of the data model: every table of every room, and the accounts of the framework.

It defines nothing. `from app.models import Patient`.
"""

from flask_appbuilder.security.sqla.models import Role, User

from app.tables.access import AccessGrant, AuditEvent, RequestKey, RightChange
from app.tables.billing import (
    LedgerEntry,
    PatientAccount,
    Payment,
    PaymentPart,
    Refund,
    RefundPart,
    Service,
    ServiceCategory,
    ServicePrice,
    WorkOrder,
    WorkOrderLine,
)
from app.tables.cash import CashDesk, CashMovement, CashShift, ExpenseCategory, Receipt
from app.tables.clinic import Branch, Chair, ClinicSetting, LegalEntity, NumberSeries
from app.tables.documents import DocumentTemplate, IssuedDocument
from app.tables.messages import MessageTemplate, OutboxMessage
from app.tables.patients import Family, Patient, PatientConsent, PatientPhone, ReferralSource
from app.tables.schedule import Appointment, CancelReason, TimeBlock, WorkingHours
from app.tables.staff import Employee, Speciality

__all__ = [
    "AccessGrant",
    "Appointment",
    "AuditEvent",
    "Branch",
    "CancelReason",
    "CashDesk",
    "CashMovement",
    "CashShift",
    "Chair",
    "ClinicSetting",
    "DocumentTemplate",
    "Employee",
    "ExpenseCategory",
    "Family",
    "IssuedDocument",
    "LedgerEntry",
    "LegalEntity",
    "MessageTemplate",
    "NumberSeries",
    "OutboxMessage",
    "Patient",
    "PatientAccount",
    "PatientConsent",
    "PatientPhone",
    "Payment",
    "PaymentPart",
    "Receipt",
    "ReferralSource",
    "Refund",
    "RefundPart",
    "RequestKey",
    "RightChange",
    "Role",
    "Service",
    "ServiceCategory",
    "ServicePrice",
    "Speciality",
    "TimeBlock",
    "User",
    "WorkOrder",
    "WorkOrderLine",
    "WorkingHours",
]
