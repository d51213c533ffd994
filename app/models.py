"""The contents page of the data model: every table of every room, and the accounts of the framework.

It defines nothing. `from app.models import Patient`.
"""

from flask_appbuilder.security.sqla.models import Role, User

from app.tables.access import AccessGrant, AuditEvent, RequestKey, RightChange
from app.tables.billing import (
    AdvanceTransfer,
    Certificate,
    LedgerEntry,
    PatientAccount,
    Payment,
    PaymentPart,
    Refund,
    RefundPart,
    WorkOrder,
    WorkOrderLine,
)
from app.tables.cash import CashCount, CashDesk, CashMovement, CashShift, ExpenseCategory, Receipt
from app.tables.clinic import Branch, Chair, ClinicSetting, LegalEntity, NumberSeries
from app.tables.documents import (
    DocumentTemplate,
    FirstVisitPaper,
    IssuedDocument,
    MistakenScan,
    PaperJob,
    Printing,
    ServiceAct,
    SignedScan,
    TaxCertificate,
)
from app.tables.fiscal import FiscalCredit, FiscalDevice, FiscalReceipt, FiscalShift, SlipPrinter
from app.tables.health import DiaryEntry, HealthSurvey, MedicalRecord
from app.tables.hours import HolidayOverride, HoursException, HoursPattern, WorkingHours
from app.tables.imports import CardImport, CardImportRow
from app.tables.messages import ConfirmLink, IncomingMessage, MessageTemplate, OutboxMessage
from app.tables.patients import (
    CardErasure,
    CardMerge,
    CardOpening,
    Family,
    NameWord,
    Patient,
    PatientConsent,
    PatientPhone,
    PatientSelection,
    PatientTag,
    PatientTagged,
    ReferralSource,
)
from app.tables.prices import PriceImport, Service, ServiceCategory, ServicePrice
from app.tables.schedule import Appointment, CalendarFeed, CancelReason, SavedView, ShelfItem, TimeBlock
from app.tables.staff import Employee, Speciality
from app.tables.tasks import CallAttempt, CallTask, CallTaskReason
from app.tables.waiting import NextVisitRefusal, PlannedVisit, RefusalReason, WaitingEntry, WaitingOffer

__all__ = [
    "AccessGrant",
    "AdvanceTransfer",
    "Appointment",
    "AuditEvent",
    "Branch",
    "CalendarFeed",
    "CallAttempt",
    "CallTask",
    "CallTaskReason",
    "CancelReason",
    "CardErasure",
    "CardImport",
    "CardImportRow",
    "CardMerge",
    "CardOpening",
    "CashCount",
    "CashDesk",
    "CashMovement",
    "CashShift",
    "Certificate",
    "Chair",
    "ClinicSetting",
    "ConfirmLink",
    "DiaryEntry",
    "DocumentTemplate",
    "Employee",
    "ExpenseCategory",
    "Family",
    "FirstVisitPaper",
    "FiscalCredit",
    "FiscalDevice",
    "FiscalReceipt",
    "FiscalShift",
    "HealthSurvey",
    "HolidayOverride",
    "HoursException",
    "HoursPattern",
    "IncomingMessage",
    "IssuedDocument",
    "LedgerEntry",
    "LegalEntity",
    "MedicalRecord",
    "MessageTemplate",
    "MistakenScan",
    "NameWord",
    "NextVisitRefusal",
    "NumberSeries",
    "OutboxMessage",
    "PaperJob",
    "Patient",
    "PatientAccount",
    "PatientConsent",
    "PatientPhone",
    "PatientSelection",
    "PatientTag",
    "PatientTagged",
    "Payment",
    "PaymentPart",
    "PlannedVisit",
    "PriceImport",
    "Printing",
    "Receipt",
    "ReferralSource",
    "Refund",
    "RefundPart",
    "RefusalReason",
    "RequestKey",
    "RightChange",
    "Role",
    "SavedView",
    "Service",
    "ServiceAct",
    "ServiceCategory",
    "ServicePrice",
    "ShelfItem",
    "SignedScan",
    "SlipPrinter",
    "Speciality",
    "TaxCertificate",
    "TimeBlock",
    "User",
    "WaitingEntry",
    "WaitingOffer",
    "WorkOrder",
    "WorkOrderLine",
    "WorkingHours",
]
