"""The closed lists of the trade: every status, kind and method, with the word the desk uses for it.

A stored value is always one of these. Labels are message ids; whoever shows them translates them.
Where next: `app/tables/`, where the lists become CHECK constraints.
"""

from enum import StrEnum


def N_(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


class Labelled(StrEnum):
    """A value with the word that stands on the screen."""

    label: str

    def __new__(cls, value: str, label: str = "") -> "Labelled":
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class AppointmentStatus(Labelled):
    BOOKED = "booked", N_("Booked")
    ARRIVED = "arrived", N_("Arrived")
    IN_PROGRESS = "in_progress", N_("In the chair")
    COMPLETED = "completed", N_("Completed")
    CANCELLED = "cancelled", N_("Cancelled")
    NO_SHOW = "no_show", N_("No-show")


#: Statuses that leave the doctor's, the chair's and the patient's time free again.
FREES_TIME = (AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW)


class Confirmation(Labelled):
    NOT_NOTIFIED = "not_notified", N_("Not notified")
    NOTIFIED = "notified", N_("Notified")
    CONFIRMED = "confirmed", N_("Confirmed")
    ASKS_TO_MOVE = "asks_to_move", N_("Asks to move")
    DECLINED = "declined", N_("Declined")
    NOT_REACHED = "not_reached", N_("Not reached")


class CancelledBy(Labelled):
    PATIENT = "patient", N_("By the patient")
    CLINIC = "clinic", N_("By the clinic")


class Sex(Labelled):
    MALE = "male", N_("Male")
    FEMALE = "female", N_("Female")


class CardStatus(Labelled):
    DRAFT = "draft", N_("Draft")
    ACTIVE = "active", N_("Active")
    ARCHIVED = "archived", N_("Archived")


class ConsentKind(Labelled):
    PERSONAL_DATA = "personal_data", N_("Processing of personal data")
    TREATMENT = "treatment", N_("Informed consent to treatment")
    SERVICE_MESSAGES = "service_messages", N_("Messages about visits")
    ADVERTISING = "advertising", N_("Advertising messages")


class WorkOrderStatus(Labelled):
    DRAFT = "draft", N_("Draft")
    ISSUED = "issued", N_("To be paid")
    PAID = "paid", N_("Paid")


class PaymentMethod(Labelled):
    CASH = "cash", N_("Cash")
    CARD = "card", N_("Bank card")
    TRANSFER = "transfer", N_("Bank transfer")
    ADVANCE = "advance", N_("From the advance")


class LedgerKind(Labelled):
    BILL = "bill", N_("Bill")
    BILL_REOPENED = "bill_reopened", N_("Bill taken back to draft")
    PAYMENT = "payment", N_("Payment of a bill")
    ADVANCE_IN = "advance_in", N_("Advance received")
    ADVANCE_USED = "advance_used", N_("Advance used")
    REFUND = "refund", N_("Refund")


class DeskKind(Labelled):
    MAIN = "main", N_("Main desk")
    ADDITIONAL = "additional", N_("Additional desk")
    NON_CASH = "non_cash", N_("Non-cash desk")


class MovementKind(Labelled):
    PAYMENT = "payment", N_("Payment from a patient")
    REFUND = "refund", N_("Refund to a patient")
    PAY_IN = "pay_in", N_("Pay-in")
    WITHDRAWAL = "withdrawal", N_("Withdrawal")
    COLLECTION = "collection", N_("Collection by the bank")
    SALARY = "salary", N_("Salary")
    TRANSFER_OUT = "transfer_out", N_("Transfer to another desk")
    TRANSFER_IN = "transfer_in", N_("Transfer from another desk")
    CORRECTION = "correction", N_("Correction")
    SURPLUS = "surplus", N_("Surplus found by the count")
    SHORTAGE = "shortage", N_("Shortage found by the count")
    REVERSAL = "reversal", N_("Reversal")


class ReceiptKind(Labelled):
    SALE = "sale", N_("Receipt")
    RETURN = "return", N_("Return receipt")


class BlockKind(Labelled):
    BLOCK = "block", N_("Closed time")
    HOLD = "hold", N_("Held time")


class MessageKind(Labelled):
    BOOKED = "booked", N_("Right after booking")
    REMINDER = "reminder", N_("Reminder before the visit")
    MOVED = "moved", N_("The visit was moved")
    CANCELLED = "cancelled", N_("The visit was cancelled")


class MessageStatus(Labelled):
    PENDING = "pending", N_("Waiting")
    SENDING = "sending", N_("Being sent")
    SENT = "sent", N_("Sent")
    DELIVERED = "delivered", N_("Delivered")
    FAILED = "failed", N_("Not sent")
    CANCELLED = "cancelled", N_("Called off")


class TemplateKind(Labelled):
    CONTRACT = "contract", N_("Contract for paid medical services")
    CONSENT_PERSONAL_DATA = "consent_personal_data", N_("Consent to processing of personal data")
    CONSENT_TREATMENT = "consent_treatment", N_("Informed consent to treatment")


class ReportKind(Labelled):
    PATIENTS = "patients", N_("Patients")
    BILLS_PAYMENTS = "bills-payments", N_("Bills and payments")
    SERVICES = "services", N_("Services provided")
    CASH = "cash", N_("Cash flow")
