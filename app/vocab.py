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


#: The teeth as a chart shows them, in the two-digit notation of FDI (ISO 3950), upper jaw first, as seen from the
#: front: permanent, then milk teeth.
TEETH = tuple(
    tuple(f"{quarter}{place}" for quarter, places in row for place in places)
    for row in (
        ((1, range(8, 0, -1)), (2, range(1, 9))), ((4, range(8, 0, -1)), (3, range(1, 9))),
        ((5, range(5, 0, -1)), (6, range(1, 6))), ((8, range(5, 0, -1)), (7, range(1, 6))),
    )
)  # fmt: skip

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


class IdentityType(Labelled):
    """What proves who somebody is, with the code of the tax office (приказ ФНС № ЕА-7-11/824@)."""

    PASSPORT = "21", N_("Passport of Russia")
    BIRTH_CERTIFICATE = "03", N_("Birth certificate")
    FOREIGN_PASSPORT = "10", N_("Passport of another country")
    RESIDENCE_PERMIT = "12", N_("Residence permit")
    MILITARY_ID = "07", N_("Military ID")
    OTHER = "91", N_("Another document")


class Answer(Labelled):
    """To a question of the health questionnaire."""

    YES = "yes", N_("Yes")
    NO = "no", N_("No")
    UNKNOWN = "unknown", N_("Do not know")


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
    REVERSAL = "reversal", N_("Reversing order")
    ANNULLED = "annulled", N_("Annulled")


class ItemKind(Labelled):
    """What is sold; the fiscal device tells it to the tax office."""

    SERVICE = "service", N_("Medical service")
    GOODS = "goods", N_("Goods")


class Vat(Labelled):
    """The rate of the tax on a service or goods; treatment under a licence has none."""

    NONE = "none", N_("Without VAT")
    VAT0 = "vat0", "0 %"
    VAT5 = "vat5", "5 %"
    VAT7 = "vat7", "7 %"
    VAT10 = "vat10", "10 %"
    VAT20 = "vat20", "20 %"
    VAT22 = "vat22", "22 %"


class TaxCode(Labelled):
    """The code of treatment in a patient's tax certificate: 2 is expensive treatment, deducted without a limit."""

    USUAL = "1", N_("1 – usual treatment")
    EXPENSIVE = "2", N_("2 – expensive treatment")


class PriceVerdict(Labelled):
    """What a row of a price list that came as a file would do."""

    NEW = "new", N_("New service")
    PRICE = "price", N_("New price")
    CHANGED = "changed", N_("Renamed or changed")
    SAME = "same", N_("No change")
    REFUSED = "refused", N_("Row refused")


class ImportState(Labelled):
    """How far an old card index that came as a file has come."""

    MAPPING = "mapping", N_("Columns are to be checked")
    READING = "reading", N_("The file is being read")
    JUDGING = "judging", N_("Rows are being checked")
    JUDGED = "judged", N_("Checked, not loaded yet")
    APPLYING = "applying", N_("Cards are being written")
    APPLIED = "applied", N_("Loaded")
    REFUSED = "refused", N_("Not read")


#: In these the worker has something to do.
IMPORT_WORKS = (ImportState.READING, ImportState.JUDGING, ImportState.APPLYING)


class CardVerdict(Labelled):
    """What becomes of a row of an old card index."""

    NEW = "new", N_("New card")
    THERE = "there", N_("The card is there")
    MAYBE = "maybe", N_("Perhaps it is there")
    TWICE = "twice", N_("Repeated in the file")
    REFUSED = "refused", N_("Row refused")


class CardColumn(Labelled):
    """What a column of an old card index says."""

    FULL_NAME = "full_name", N_("Surname, first name and patronymic in one")
    SURNAME = "surname", N_("Surname")
    NAME = "name", N_("First name")
    PATRONYMIC = "patronymic", N_("Patronymic")
    BIRTH_DATE = "birth_date", N_("Birth date")
    SEX = "sex", N_("Sex")
    PHONE = "phone", N_("Phone or several")
    EMAIL = "email", N_("E-mail")
    ADDRESS = "address", N_("Address")
    OLD_NUMBER = "old_number", N_("Number of the old card")
    PASSPORT = "passport", N_("Identity document")
    SNILS = "snils", N_("SNILS")
    INN = "inn", N_("INN")
    INSURANCE = "insurance", N_("Insurance")
    ALLERGY = "allergy", N_("Allergy")
    SOURCE = "source", N_("Where they learned about us")
    TAGS = "tags", N_("Tags")
    CONSENT_ON = "consent_on", N_("Day of the consent to processing of personal data")
    COMMENT = "comment", N_("Comment")


class DayOrder(Labelled):
    """How a file writes days."""

    DAY_FIRST = "dmy", N_("day.month.year")
    MONTH_FIRST = "mdy", N_("month/day/year")


class PaymentMethod(Labelled):
    CASH = "cash", N_("Cash")
    CARD = "card", N_("Bank card")
    TRANSFER = "transfer", N_("Bank transfer")
    ADVANCE = "advance", N_("From the advance")


class LedgerKind(Labelled):
    BILL = "bill", N_("Bill")
    BILL_REOPENED = "bill_reopened", N_("Bill taken back to draft")
    BILL_REVERSED = "bill_reversed", N_("Bill taken back by a reversing order")
    PAYMENT = "payment", N_("Payment of a bill")
    PAID_TO_ADVANCE = "paid_to_advance", N_("What was paid for a reversed bill goes to the advance")
    ADVANCE_IN = "advance_in", N_("Advance received")
    ADVANCE_USED = "advance_used", N_("Advance used")
    ADVANCE_MOVED = "advance_moved", N_("Advance passed between relatives")
    TO_CERTIFICATE = "to_certificate", N_("Certificate bought")
    FROM_CERTIFICATE = "from_certificate", N_("Certificate used")
    REFUND = "refund", N_("Refund")


class RefundKind(Labelled):
    REFUND = "refund", N_("Refund")
    ADVANCE = "advance", N_("Return of an advance")
    CANCELLATION = "cancellation", N_("Cancellation of a mistake")


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


class CountMoment(Labelled):
    """When the notes and coins of a drawer were counted."""

    OPENING = "opening", N_("Opening")
    CLOSING = "closing", N_("Closing")


class ReceiptKind(Labelled):
    SALE = "sale", N_("Receipt")
    RETURN = "return", N_("Return receipt")


class FiscalKind(Labelled):
    """As the fiscal device calls them."""

    SELL = "sell", N_("Sale receipt")
    SELL_RETURN = "sellReturn", N_("Return receipt")
    SELL_CORRECTION = "sellCorrection", N_("Correction receipt")
    SELL_RETURN_CORRECTION = "sellReturnCorrection", N_("Correction receipt of a return")
    CASH_IN = "cashIn", N_("Paid into the device's drawer")
    CASH_OUT = "cashOut", N_("Paid out of the device's drawer")


class FiscalStatus(Labelled):
    PLANNED = "planned", N_("In the queue")
    SENDING = "sending", N_("Being printed")
    DONE = "done", N_("Printed")
    FAILED = "failed", N_("Not printed")
    UNKNOWN = "unknown", N_("Being found out")
    REPLACED = "replaced", N_("Replaced by a correction")
    LEFT = "left", N_("Left as it is")


class Taxation(Labelled):
    OSN = "osn", N_("General taxation")
    USN_INCOME = "usnIncome", N_("Simplified, income")
    USN_INCOME_OUTCOME = "usnIncomeOutcome", N_("Simplified, income less expenses")
    PATENT = "patent", N_("Patent")


class BlockKind(Labelled):
    BLOCK = "block", N_("Closed time")
    HOLD = "hold", N_("Held time")


class Weeks(Labelled):
    EVERY = "every", N_("Every week")
    ODD = "odd", N_("Odd weeks")
    EVEN = "even", N_("Even weeks")


class PlannedStatus(Labelled):
    PLANNED = "planned", N_("Planned")
    CALL_DUE = "call_due", N_("Time to call")
    BOOKED = "booked", N_("Booked")
    POSTPONED = "postponed", N_("Postponed")
    DECLINED = "declined", N_("Declined")
    CLOSED = "closed", N_("Closed")


class PlannedFrom(Labelled):
    CARD = "card", N_("From the card")
    VISIT = "visit", N_("From the visit")
    SETTLEMENT = "settlement", N_("At the settlement")
    CANCELLATION = "cancellation", N_("At the cancellation")
    CALL = "call", N_("From a call")


class WaitingKind(Labelled):
    NO_TIME = "no_time", N_("Wants a visit, no time fits")
    CANCELLED = "cancelled", N_("Cancelled, no free time")
    MOVE_UP = "move_up", N_("Booked, wants sooner")


class WaitingStatus(Labelled):
    WAITING = "waiting", N_("Waits for a time")
    OFFERED = "offered", N_("Time offered")
    BOOKED = "booked", N_("Booked")
    CANCELLED = "cancelled", N_("Taken off the list")
    EXPIRED = "expired", N_("Expired")


class WantedDoctors(Labelled):
    ANY = "any", N_("Any doctor")
    PREFERRED = "preferred", N_("Preferred doctors")
    ONLY = "only", N_("Only these doctors")


class Urgency(Labelled):
    ACUTE = "acute", N_("Acute pain")
    SOON = "soon", N_("As soon as possible")
    USUAL = "usual", N_("No hurry")


class OfferStatus(Labelled):
    OPEN = "open", N_("Waiting for an answer")
    ACCEPTED = "accepted", N_("Accepted")
    DECLINED = "declined", N_("Declined")
    EXPIRED = "expired", N_("Expired")
    LOST = "lost", N_("Taken by another patient")


class TaskStatus(Labelled):
    OPEN = "open", N_("To be called")
    CLOSED = "closed", N_("Closed")


class TaskReasonKind(Labelled):
    PLANNED_VISIT = "planned_visit", N_("Planned visit is due")
    CANCELLED = "cancelled", N_("Cancelled and not booked again")
    NO_SHOW = "no_show", N_("Did not come")
    HOURS_CLOSED = "hours_closed", N_("Doctor's hours closed: move the visit")
    WAITING_EXPIRED = "waiting_expired", N_("Waited in vain for free time")
    WAITING_OFFER = "waiting_offer", N_("Offer of free time")
    ASKS_TO_MOVE = "asks_to_move", N_("Asks to move the visit")
    MISSED_CALL = "missed_call", N_("Missed call")
    CHECK_UP = "check_up", N_("Check-up is due")
    DEBT = "debt", N_("Debt")
    AFTER_TREATMENT = "after_treatment", N_("Call after treatment")
    DOCTOR_REQUEST = "doctor_request", N_("The doctor asks to call")
    BY_HAND = "by_hand", N_("Added by hand")


class TaskResult(Labelled):
    BOOKED = "booked", N_("Booked")
    PLANNED = "planned", N_("Planned visit")
    WAITING = "waiting", N_("On the waiting list")
    INFORMED = "informed", N_("Informed")
    REFUSED = "refused", N_("Refused")
    WRONG_NUMBER = "wrong_number", N_("Wrong number")
    NOT_NEEDED = "not_needed", N_("The reason is gone")


class AttemptResult(Labelled):
    NOT_REACHED = "not_reached", N_("Not reached")
    POSTPONED = "postponed", N_("Asked to call later")
    TALKED = "talked", N_("Talked")


class AnsweredBy(Labelled):
    """How an answer about a visit came, when nobody at the desk took it."""

    REPLY = "reply", N_("By a reply")
    LINK = "link", N_("By the link")


class ReplyMeaning(Labelled):
    YES = "yes", N_("Confirms")
    NO = "no", N_("Declines")
    STOP = "stop", N_("Asks not to write")
    UNKNOWN = "unknown", N_("Not understood")


class MessageKind(Labelled):
    BOOKED = "booked", N_("Right after booking")
    REMINDER = "reminder", N_("Reminder before the visit")
    SECOND_REMINDER = "second_reminder", N_("Second reminder, shortly before the visit")
    MOVED = "moved", N_("The visit was moved")
    CANCELLED = "cancelled", N_("The visit was cancelled")
    NO_SHOW = "no_show", N_("The patient did not come")
    ASK = "ask", N_("Sent by hand: asks to confirm")


class MessageStatus(Labelled):
    PENDING = "pending", N_("Waiting")
    SENDING = "sending", N_("Being sent")
    SENT = "sent", N_("Sent")
    DELIVERED = "delivered", N_("Delivered")
    FAILED = "failed", N_("Not sent")
    CANCELLED = "cancelled", N_("Called off")
    JOINED = "joined", N_("In one message with another visit")


class TemplateKind(Labelled):
    CONTRACT = "contract", N_("Contract for paid medical services")
    CONSENT_PERSONAL_DATA = "consent_personal_data", N_("Consent to processing of personal data")
    CONSENT_TREATMENT = "consent_treatment", N_("Informed consent to treatment")
    CONSENT_ADVERTISING = "consent_advertising", N_("Consent to advertising messages")
    HEALTH_QUESTIONNAIRE = "health_questionnaire", N_("Health questionnaire")
    TREATMENT_PLAN = "treatment_plan", N_("Treatment plan and estimate")
    REFERRAL = "referral", N_("Referral")
    MEDICAL_CARD = "medical_card", N_("Medical card 043/у")
    TAX_CERTIFICATE = "tax_certificate", N_("Certificate for the tax office")
    CONSENT_ANESTHESIA = "consent_anesthesia", N_("Consent: anaesthesia")
    CONSENT_THERAPY = "consent_therapy", N_("Consent: treatment of caries")
    CONSENT_ENDODONTICS = "consent_endodontics", N_("Consent: treatment of root canals")
    CONSENT_EXTRACTION = "consent_extraction", N_("Consent: removal of a tooth")
    CONSENT_IMPLANTATION = "consent_implantation", N_("Consent: implants and bone grafting")
    CONSENT_PROSTHETICS = "consent_prosthetics", N_("Consent: prosthetics")
    CONSENT_ORTHODONTICS = "consent_orthodontics", N_("Consent: orthodontics")
    CONSENT_HYGIENE = "consent_hygiene", N_("Consent: hygiene and whitening")
    CONSENT_CHILDREN = "consent_children", N_("Consent: treatment of a child")
    CONSENT_XRAY = "consent_xray", N_("Consent: x-ray")
    REFUSAL = "refusal", N_("Refusal of an intervention")
    WORK_ORDER = "work_order", N_("Work order")
    ACT = "act", N_("Act")
    GUARANTEE = "guarantee", N_("Guarantee")
    RECEIPT = "receipt", N_("Receipt of money")


class OpenedKind(Labelled):
    """What of a patient was looked at."""

    CARD = "card", N_("Card")
    DOCUMENT = "document", N_("Document")
    SCAN = "scan", N_("Scan of a signed document")


class PrintedKind(Labelled):
    """Papers of money that are handed out once; further prints are copies."""

    RECEIPT = "receipt", N_("Receipt")
    CASH_ORDER = "cash_order", N_("Cash order")
    WORK_ORDER = "work_order", N_("Work order")
    ACT = "act", N_("Act")
    GUARANTEE = "guarantee", N_("Guarantee")
    BOOK_SHEET = "book_sheet", N_("Sheet of the cash book")
    SHIFT_REPORT = "shift_report", N_("Shift report")


class ReportKind(Labelled):
    PATIENTS = "patients", N_("Patients")
    BILLS_PAYMENTS = "bills-payments", N_("Bills and payments")
    SERVICES = "services", N_("Services provided")
    CASH = "cash", N_("Cash flow")


#: What people did, as the log and the timelines tell it; the keys are the actions of `audit.record`.
DEEDS: dict[str, str] = {
    "fiscal.printed": N_("Fiscal receipt printed"),
    "fiscal.failed": N_("Fiscal receipt not printed"),
    "fiscal.told": N_("Fiscal device told of cash that moved"),
    "fiscal.not_told": N_("Fiscal device refused to be told of cash that moved"),
    "fiscal.left": N_("Fiscal device not told of cash that moved: left as it is"),
    "fiscal.levelling": N_("Drawer of the fiscal device to be levelled with the desks"),
    "fiscal.retried": N_("Fiscal receipt sent to the device again"),
    "fiscal.decided": N_("Decided by the paper whether a fiscal receipt was printed"),
    "fiscal.corrected": N_("Fiscal receipt replaced by a correction"),
    "fiscal.shift_closing": N_("Fiscal device told to close its shift"),
    "fiscal.shift_closed": N_("Shift of the fiscal device closed"),
    "appointment.booked": N_("Visit booked"),
    "appointment.moved": N_("Visit moved"),
    "appointment.changed": N_("Visit changed"),
    "appointment.confirmed": N_("Visit confirmed"),
    "appointment.notified": N_("Patient notified"),
    "appointment.arrived": N_("Patient arrived"),
    "appointment.started": N_("Visit started"),
    "appointment.completed": N_("Visit completed"),
    "appointment.no_show": N_("No-show marked"),
    "appointment.cancelled": N_("Visit cancelled"),
    "appointment.restored": N_("Visit restored"),
    "appointment.undone": N_("Last step of the visit undone"),
    "appointment.taken_back": N_("Action with the visit undone"),
    "time_block.added": N_("Time closed or held"),
    "time_block.changed": N_("Closed or held time changed"),
    "time_block.lifted": N_("Time opened again"),
    "time_block.taken_back": N_("Action with closed time undone"),
    "working_hours.added": N_("Doctor's hours added"),
    "working_hours.removed": N_("Doctor's hours removed"),
    "working_hours.pattern_set": N_("Doctor's weekly pattern set"),
    "working_hours.day_set": N_("Doctor's day set by hand"),
    "working_hours.day_by_pattern": N_("Doctor's day back to the pattern"),
    "working_hours.copied": N_("Doctor's hours copied"),
    "holiday.closed": N_("Day closed for the whole clinic"),
    "holiday.opened": N_("Holiday made a working day"),
    "holiday.lifted": N_("Day as in the calendar again"),
    "calendar_feed.given": N_("Calendar's address given"),
    "calendar_feed.revoked": N_("Calendar's address revoked"),
    "card.created": N_("Card created"),
    "card.imported": N_("Card loaded from a file"),
    "card.filled": N_("Card filled in from a file"),
    "cards.imported": N_("Card index loaded from a file"),
    "card.changed": N_("Card changed"),
    "card.exported": N_("Card exported"),
    "card.merged": N_("Cards merged"),
    "card.parted": N_("Merged cards parted"),
    "card.erased": N_("Card emptied on the patient's demand"),
    "card.archived": N_("Card archived"),
    "card.restored": N_("Card taken out of the archive"),
    "cards.exported": N_("Selection of patients exported"),
    "family.joined": N_("Joined to a relative"),
    "family.left": N_("No longer of the family"),
    "family.payer": N_("Who pays changed"),
    "consent.given": N_("Consent given"),
    "consent.taken_back": N_("Consent withdrawn"),
    "survey.added": N_("Health questionnaire filled in"),
    "medical.saved": N_("Medical card changed"),
    "diary.written": N_("Entry of the diary"),
    "document.issued": N_("Document issued"),
    "documents.exported": N_("Journal of documents exported"),
    "first_visit.chosen": N_("Papers of a first visit chosen"),
    "template.changed": N_("Document template changed"),
    "message.sent": N_("Message sent"),
    "message.failed": N_("Message not sent"),
    "message.written": N_("Message written by hand"),
    "message.again": N_("Message sent again"),
    "reply.handled": N_("Patient's reply looked at"),
    "consent.withdrawn": N_("Patient asked not to be written to"),
    "task.opened": N_("Asked to call the patient"),
    "task.reason_added": N_("One more reason to call"),
    "task.reason_gone": N_("A reason to call is gone"),
    "task.claimed": N_("Call begun"),
    "task.given_up": N_("Call given up"),
    "task.tried": N_("The patient was not reached"),
    "task.postponed": N_("Call put off"),
    "task.changed": N_("Call task changed"),
    "task.closed": N_("Call task closed"),
    "tax_certificate.annulled": N_("Certificate for the tax office annulled"),
    "scan.attached": N_("Scan of a signed document attached"),
    "scan.taken_back": N_("Scan of a signed document taken back: attached by mistake"),
    "paper.printed": N_("Paper printed"),
    "planned.made": N_("Visit planned without a date"),
    "planned.changed": N_("Planned visit changed"),
    "planned.call_due": N_("Time to call about a planned visit"),
    "planned.postponed": N_("Planned visit put off"),
    "planned.declined": N_("Planned visit declined"),
    "planned.closed": N_("Planned visit closed"),
    "planned.booked": N_("Planned visit booked"),
    "next_visit.refused": N_("No next visit"),
    "waiting.added": N_("Put on the waiting list"),
    "waiting.changed": N_("Wishes on the waiting list changed"),
    "waiting.offered": N_("Free time offered"),
    "waiting.declined": N_("Offered time declined"),
    "waiting.offer_expired": N_("Offered time not answered for"),
    "waiting.offer_lost": N_("Offered time taken by another patient"),
    "waiting.booked": N_("Booked from the waiting list"),
    "waiting.called_off": N_("Taken off the waiting list"),
    "waiting.expired": N_("Waited in vain for free time"),
    "work_order.created": N_("Work order created"),
    "work_order.changed": N_("Work order changed"),
    "work_order.issued": N_("Work order issued"),
    "work_order.reversed": N_("Work order reversed"),
    "work_order.annulled": N_("Work order annulled"),
    "work_order.reopened": N_("Work order taken back to draft"),
    "payment.taken": N_("Payment taken"),
    "advance.passed": N_("Advance passed to a relative"),
    "certificate.sold": N_("Certificate sold"),
    "certificate.used": N_("Certificate used"),
    "certificate.returned": N_("Certificate taken back"),
    "advance.returned": N_("Advance returned"),
    "payment.cancelled": N_("Payment cancelled as a mistake"),
    "payment.refunded": N_("Money returned"),
    "cash.shift_opened": N_("Cash shift opened"),
    "cash.shift_closed": N_("Cash shift closed"),
    "cash.moved": N_("Cash operation"),
    "cash.reversed": N_("Cash operation reversed"),
    "expense_category.merged": N_("Expense category merged"),
    "expense_category.added": N_("Expense category added"),
    "price.taken_back": N_("Price taken back"),
    "prices.imported": N_("Price list taken from a file"),
    "directory.added": N_("Directory entry added"),
    "directory.changed": N_("Directory entry changed"),
    "directory.removed": N_("Directory entry removed"),
    "settings.changed": N_("Clinic's settings changed"),
    "staff.login_given": N_("Login given"),
    "staff.login_switched_off": N_("Login switched off"),
    "staff.login_switched_on": N_("Login switched on"),
    "staff.roles_changed": N_("Roles changed"),
    "staff.password_reset": N_("Password reset"),
    "staff.own_password_changed": N_("Own password changed"),
    "access.granted": N_("Access to other days granted"),
    "access.revoked": N_("Access to other days revoked"),
    "access.right_changed": N_("Right changed"),
    "report.opened": N_("Report of other days opened"),
}

#: What things are called; the keys are the tables.
THINGS: dict[str, str] = {
    "fiscal_device": N_("Fiscal device"),
    "slip_printer": N_("Slip printer"),
    "signed_scan": N_("Scan of a signed document"),
    "fiscal_receipt": N_("Fiscal receipt"),
    "fiscal_shift": N_("Shift of the fiscal device"),
    "access_grant": N_("Access to other days"),
    "advance_transfer": N_("Advance of relatives"),
    "certificate": N_("Certificate"),
    "price_import": N_("Price list from a file"),
    "card_import": N_("Card index from a file"),
    "appointment": N_("Visit"),
    "branch": N_("Branch"),
    "call_task": N_("Call task"),
    "calendar_feed": N_("Doctor's calendar"),
    "cancel_reason": N_("Reason of cancelling"),
    "cash_desk": N_("Cash desk"),
    "cash_movement": N_("Cash operation"),
    "cash_shift": N_("Cash shift"),
    "chair": N_("Chair"),
    "clinic_setting": N_("Clinic's settings"),
    "document_template": N_("Document template"),
    "employee": N_("Employee"),
    "expense_category": N_("Expense category"),
    "holiday_override": N_("Day of the clinic"),
    "incoming_message": N_("Patient's reply"),
    "issued_document": N_("Document"),
    "legal_entity": N_("Legal entity"),
    "message_template": N_("Message template"),
    "outbox_message": N_("Message"),
    "card_merge": N_("Merge of cards"),
    "patient": N_("Patient's card"),
    "payment": N_("Payment"),
    "referral_source": N_("Source of patients"),
    "patient_tag": N_("Tag of patients"),
    "patient_consent": N_("Consent"),
    "health_survey": N_("Health questionnaire"),
    "medical_record": N_("Medical card"),
    "diary_entry": N_("Entry of the diary"),
    "refund": N_("Refund"),
    "planned_visit": N_("Planned visit"),
    "tax_certificate": N_("Certificate for the tax office"),
    "next_visit_refusal": N_("No next visit"),
    "refusal_reason": N_("Reason of refusal"),
    "right_change": N_("Right of an employee"),
    "service": N_("Service"),
    "service_category": N_("Service category"),
    "service_price": N_("Price"),
    "speciality": N_("Speciality"),
    "time_block": N_("Closed or held time"),
    "waiting_entry": N_("Waiting list"),
    "work_order": N_("Work order"),
    "working_hours": N_("Doctor's hours"),
}
