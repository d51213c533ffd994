"""Refusals: what the desk is told when something cannot be done, and why.

A refusal is a fact that carries its facts: a code for programs, one sentence for people that says
what to do, an HTTP status. It is translated where it is shown. Where next: `app/db.py`, which turns a
broken constraint into the refusal of the same meaning.
"""

from typing import Any

from app.vocab import N_


class Refusal(Exception):
    """Something that the rules of the desk do not allow; nothing was written.

    `facts` go to the caller as they are (JSON); `words` fill the sentence.
    """

    code = "refused"
    status = 422
    sentence = N_("This cannot be done.")

    def __init__(self, words: dict[str, Any] | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts
        self.words = facts if words is None else words


class Invalid(Refusal):
    """Input that cannot be understood; `fields` maps each field to its sentence."""

    code = "invalid"
    sentence = N_("Some fields are filled in wrongly: correct them and save again.")


class ScanTakenBack(Refusal):
    code = "scan_taken_back"
    status = 409
    sentence = N_(
        "This scan was taken back as attached by mistake, and stays so. If it belongs here after all, scan the paper"
        " anew and attach that."
    )


class NumberTooLarge(Refusal):
    """A number that, alone or added to what is there, is more than the database holds."""

    code = "number_too_large"
    sentence = N_("The number is too large: see whether a digit is one too many.")


class NotFound(Refusal):
    code = "not_found"
    status = 404
    sentence = N_("There is no such record: perhaps it was removed, or the link is old.")


class NotAllowed(Refusal):
    code = "not_allowed"
    status = 403
    sentence = N_("You have no right to do this. The director can grant it on the page “Rights”.")


class OutsideWindow(Refusal):
    """A report of a day that the account may not look at. `allowed` = {from, to}."""

    code = "outside_window"
    status = 403
    sentence = N_("You may see reports from %(from)s to %(to)s. Ask the director for access to other days.")


class Stale(Refusal):
    code = "stale"
    status = 409
    sentence = N_("Somebody changed this record while you were editing it. Look at the new version and save again.")


class KeyReused(Refusal):
    code = "key_reused"
    sentence = N_("This request key was already used for another request. Send a new key.")


class FormSent(KeyReused):
    """The way back led to a form that was sent, and it was changed. `page`: where it is; `done`: what came of it."""

    status = 409
    sentence = N_("This form was already sent, and what stood in it then is done. If more is to be done, open it anew.")


# --- schedule ---------------------------------------------------------------------------------------


class SlotTaken(Refusal):
    """Somebody is there already. `by` tells who is in the way, `busy` is doctor, chair or patient."""

    code = "slot_taken"
    status = 409
    sentence = N_("This time is taken: %(what)s. Choose another time.")


class OutsideHours(Refusal):
    code = "outside_hours"
    sentence = N_("The doctor does not see patients at this time. Hours that day: %(hours)s.")


class WrongStatus(Refusal):
    """A step that the state of the record does not allow now."""

    code = "wrong_status"
    status = 409
    sentence = N_("This cannot be done with a record in the status “%(status)s”.")


class TooEarly(Refusal):
    code = "too_early"
    sentence = N_("A no-show can be marked only after the planned start of the visit.")


class WrongTimes(Refusal):
    code = "wrong_times"
    sentence = N_(
        "The end of the visit must be later than its start, on the same day, and the visit 5 minutes at least."
    )


class ReasonNeeded(Refusal):
    code = "reason_needed"
    sentence = N_("Write the reason: without it this is not saved.")


class InThePast(Refusal):
    code = "in_the_past"
    sentence = N_("This time has already passed. Choose a time in the future.")


class HoursTaken(Refusal):
    code = "hours_taken"
    status = 409
    sentence = N_("The doctor or the chair already has hours then: %(what)s.")


class HoursHoldVisits(Refusal):
    """Hours that are not taken away without a yes: `appointments` stand in them, `visits` tells of whom and when."""

    code = "hours_hold_visits"
    status = 409
    sentence = N_(
        "There are visits in these hours (%(count)s, the first on %(first)s). Move them first, or close the hours"
        " and have the patients called."
    )


class NothingToUndo(Refusal):
    code = "nothing_to_undo"
    status = 409
    sentence = N_("There is nothing to undo: only the last step of the same day can be taken back.")


class NotUndoable(Refusal):
    """An action of the schedule that can no longer be undone; `cause` says why, the sentence in words."""

    code = "not_undoable"
    status = 409
    sentence = N_("This action can no longer be undone.")


class OnShelf(Refusal):
    """The visit is on somebody else's shelf. `who` is the name."""

    code = "on_shelf"
    status = 409
    sentence = N_("%(who)s is carrying this visit on the shelf. Ask there, or move the visit itself.")


class OfferClosed(Refusal):
    """The offer of a free time was answered, ran out, or was lost to another patient; `offer_status` says which."""

    code = "offer_closed"
    status = 409
    sentence = N_("This offer no longer stands: “%(status)s”. Offer a time anew.")


class CannotWrite(Refusal):
    """A message that cannot be sent; `why` is the sentence."""

    code = "cannot_write"
    status = 409
    sentence = "%(why)s"


class NotMergeable(Refusal):
    """Two cards that cannot be one, or not be two again. `why` is a sentence."""

    code = "not_mergeable"
    sentence = "%(why)s"


class CardArchived(Refusal):
    code = "card_archived"
    sentence = N_("This card is in the archive. Take it out of the archive first.")


class CardMerged(Refusal):
    code = "card_merged"
    status = 409
    sentence = N_("This card was merged with another one: open the card that stayed.")


class CardErased(Refusal):
    code = "card_erased"
    status = 409
    sentence = N_("This card was emptied on the patient's demand: nothing new can be written into it.")


class ConsentInForce(Refusal):
    """The patient has given this consent already, on another day. `day`: since when it is in force."""

    code = "consent_in_force"
    status = 409
    sentence = N_("This consent is in force since %(day)s. Its day changes only when it is withdrawn and given anew.")


class NotErasable(Refusal):
    """A card that cannot be emptied yet: `why` is a sentence, or several."""

    code = "not_erasable"
    status = 409
    sentence = "%(why)s"


class DirectoryInUse(Refusal):
    code = "in_use"
    status = 409
    sentence = N_("This entry is in use and cannot be removed. Archive it: it will no longer be offered.")


class AlreadyThere(Refusal):
    code = "already_there"
    status = 409
    sentence = N_("There is such an entry already.")


class CategoryArchived(AlreadyThere):
    """An expense category of this name is kept, but takes nothing new, and is not among those to choose from."""

    sentence = N_(
        "The category “%(name)s” is in the archive: choose another one, or ask the director to bring it back."
    )


class CategoryMerged(AlreadyThere):
    """`heir` is the expense category that took the place of the one that was named."""

    sentence = N_("The category “%(name)s” was merged into “%(heir)s”: choose that one.")


# --- call tasks -------------------------------------------------------------------------------------


class TaskTaken(Refusal):
    """Somebody else is calling this patient now. `by` is the name."""

    code = "task_taken"
    status = 409
    sentence = N_("%(who)s is calling this patient now. Take the next one.")


class TaskClosed(Refusal):
    code = "task_closed"
    status = 409
    sentence = N_("This task is closed already: “%(result)s”.")


class NextTryNeeded(Refusal):
    code = "next_try_needed"
    sentence = N_("The patient was not reached several times. Choose yourself when to call again, or close the task.")


class NothingCameOfIt(Refusal):
    """The result says that something was made, but there is no such thing. `result` is the one asked for."""

    code = "nothing_came_of_it"
    sentence = N_("There is nothing of this yet. First book, plan or put on the waiting list, then write the result.")


# --- money ------------------------------------------------------------------------------------------


class AlreadyIssued(Refusal):
    code = "already_issued"
    status = 409
    sentence = N_("This work order is issued and no longer changes. Reopen it, if it has not been paid.")


class AlreadyPaid(Refusal):
    code = "already_paid"
    status = 409
    sentence = N_("Money was taken for this work order. It can no longer be reopened.")


class OrderReversed(Refusal):
    code = "order_reversed"
    status = 409
    sentence = N_("A reversing order was written for this work order: it can no longer be reopened.")


class OverReversal(Refusal):
    """More of a work order is taken back than is left. `left` is the quantity."""

    code = "over_reversal"
    sentence = N_("Only %(left)s of “%(service)s” can still be taken back.")


class NothingToReverse(Refusal):
    code = "nothing_to_reverse"
    status = 409
    sentence = N_("Nothing of this work order can be taken back: it is not issued, or all of it was reversed.")


class VisitNotHeld(Refusal):
    """A work order for a visit that is cancelled or that the patient did not come to."""

    code = "visit_not_held"
    status = 409
    sentence = N_(
        "The visit is in the status “%(status)s”: no work order is written for it. Restore the visit, or begin the"
        " work order from the patient's card, without a visit."
    )


class EmptyWorkOrder(Refusal):
    code = "empty_work_order"
    sentence = N_("There are no services in the work order. Add at least one.")


class PricesChanged(Refusal):
    """Services or prices are not what they were when the file was looked at."""

    code = "prices_changed"
    status = 409
    sentence = N_("The price list was changed after the file was checked. Nothing was written: look at the new result.")


class RowsRefused(Refusal):
    code = "rows_refused"
    sentence = N_("Refused rows: %(refused)s. Mend the file, or tick that they are left out.")


class ImportApplied(Refusal):
    code = "import_applied"
    status = 409
    sentence = N_("This file has already been applied.")


class ImportBusy(Refusal):
    """The worker is at this file; what was asked comes too early."""

    code = "import_busy"
    status = 409
    sentence = N_("The file is being worked at. Wait until it is done.")


class NothingToImport(Refusal):
    code = "nothing_to_import"
    sentence = N_("There is nothing new in this file.")


class NoPrice(Refusal):
    code = "no_price"
    sentence = N_("The service “%(service)s” has no price for today. Set it in the price list.")


class PriceChanged(Refusal):
    """A service costs something else than it did when the line was filled in. `prices`: {place of the line: price}."""

    code = "price_changed"
    status = 409
    sentence = N_("The price has changed: %(what)s. Nothing was saved yet: look at the total and save again.")


class PriceInForce(Refusal):
    code = "price_in_force"
    status = 409
    sentence = N_("This price has been in force for days, or was taken back already. Write a new one from today on.")


class WrongTooth(Refusal):
    code = "wrong_tooth"
    sentence = N_("There is no tooth %(tooth)s. Write the two digits of the FDI notation, for instance 36.")


class DiscountTooLarge(Refusal):
    code = "discount_too_large"
    sentence = N_("The discount is larger than you may give: %(limit)s %% at most.")


class NotDue(Refusal):
    """More than is due on a bill, or a bill that is not to be paid. `left` is what is due."""

    code = "not_due"
    sentence = N_("Only %(left)s ₽ is due on this bill.")


class BillsChanged(Refusal):
    """What the patient owes is not what was looked at. `bills`: what is due on each of them now."""

    code = "bills_changed"
    status = 409
    sentence = N_(
        "A bill was paid or changed meanwhile. Nothing was taken; the sums are counted anew from what is due now."
    )


class WrongEntity(Refusal):
    """A bill that another legal entity issued. `work_order_id`."""

    code = "wrong_entity"
    sentence = N_("Bill № %(number)s is of “%(entity)s”: it is paid in a branch of that legal entity. Untick it here.")


class WrongSplit(Refusal):
    code = "wrong_split"
    sentence = N_("The parts of the payment do not add up: %(parts)s ₽ is paid, %(bills)s ₽ is spread over the bills.")


class NotEnoughAdvance(Refusal):
    code = "not_enough_advance"
    sentence = N_("The patient's advance is only %(left)s ₽.")


class CertificateUnknown(Refusal):
    code = "certificate_unknown"
    sentence = N_("There is no certificate № %(number)s: check the number.")


class CertificateExpired(Refusal):
    code = "certificate_expired"
    sentence = N_("Certificate № %(number)s was valid until %(day)s.")


class CertificateSpent(Refusal):
    """A certificate has less than is to be taken of it. `left`."""

    code = "certificate_spent"
    sentence = N_("Only %(left)s ₽ is left on certificate № %(number)s.")


class CertificateUnpaid(Refusal):
    """What is paid and the buyer's advance do not make its sum. `missing`."""

    code = "certificate_unpaid"
    sentence = N_("The certificate is not paid in full: %(missing)s ₽ is missing.")


class CertificateExists(Refusal):
    code = "certificate_exists"
    status = 409
    sentence = N_("There is already a certificate with this number: write another one.")


class NothingOwed(Refusal):
    code = "nothing_owed"
    status = 409
    sentence = N_("This patient owes nothing any more.")


class NotRelative(Refusal):
    code = "not_relative"
    sentence = N_("These patients are not one family: add them to one family in their cards first.")


class AdvanceOnlyForBills(Refusal):
    code = "advance_only_for_bills"
    sentence = N_("The advance can only pay bills, and only %(due)s ₽ is due. Pay less from the advance.")


class TenderedTooLittle(Refusal):
    code = "tendered_too_little"
    sentence = N_("The patient gave less cash than is to be paid in cash: %(cash)s ₽.")


class OverRefund(Refusal):
    code = "over_refund"
    sentence = N_("Only %(left)s ₽ can be returned from this payment.")


class AdvanceSpent(OverRefund):
    """A payment of today cannot be cancelled whole: the advance that it brought is not there any more."""

    sentence = N_(
        "This payment cannot be cancelled: of the advance that it brought %(spent)s ₽ is already spent."
        " Only %(left)s ₽ can be returned from it."
    )


class NotCancellable(Refusal):
    code = "not_cancellable"
    status = 409
    sentence = N_(
        "Only a whole payment of today, in a shift that is still open and of which nothing was returned, can be"
        " cancelled as a mistake: return the money instead."
    )


class ShiftClosed(Refusal):
    code = "shift_closed"
    status = 409
    sentence = N_("The shift of the desk “%(desk)s” is not open. Open it on the page “Cash desk”.")


class ShiftClosedAlready(ShiftClosed):
    """Somebody else closed the shift that is to be closed."""

    sentence = N_("Shift № %(number)s is closed already: %(who)s, %(when)s.")


class ShiftOpen(Refusal):
    code = "shift_open"
    status = 409
    sentence = N_("The shift of this desk is already open.")


class NotEnoughCash(Refusal):
    code = "not_enough_cash"
    sentence = N_("There is only %(left)s ₽ in the desk “%(desk)s”.")


class WrongDesk(Refusal):
    code = "wrong_desk"
    sentence = N_("This desk does not take this kind of money. Choose another desk.")


class DeskOfAnother(WrongDesk):
    sentence = N_("The other desk is of another legal entity: cash passes between them only through the bank.")


class NoDesk(Refusal):
    code = "no_desk"
    sentence = N_("The branch has no desk for this kind of payment. Add one in the directory “Cash desks”.")


class DeskInUse(Refusal):
    code = "desk_in_use"
    status = 409
    sentence = N_("There is money in this desk, or its shift is open. Empty it and close the shift first.")


class DeskStays(Refusal):
    code = "desk_stays"
    status = 409
    sentence = N_("Money has gone through this desk: it keeps its branch, legal entity and kind. Add another desk.")


class AlreadyReversed(Refusal):
    code = "already_reversed"
    status = 409
    sentence = N_("This operation has already been reversed.")


class NotReversible(Refusal):
    code = "not_reversible"
    sentence = N_("Patients' payments and refunds, and differences of a count, are not reversed here.")


class NotCorrectable(Refusal):
    code = "not_correctable"
    sentence = N_(
        "A correction takes the place of a receipt that the device has certainly not printed; wait, or try it again."
    )


class CategoryNeeded(Refusal):
    code = "category_needed"
    sentence = N_("Choose the expense category or write a new one.")


class CountDiffers(Refusal):
    """The counted cash is not what it should be, and no reason was given."""

    code = "count_differs"
    sentence = N_("Counted %(counted)s ₽, expected %(expected)s ₽. Count again or write the reason of the difference.")


# --- staff ------------------------------------------------------------------------------------------


class OwnLogin(Refusal):
    code = "own_login"
    sentence = N_("Nobody changes the roles of his own login or switches it off. Ask another director.")


class LastDirector(Refusal):
    code = "last_director"
    status = 409
    sentence = N_("This is the only director who can sign in. Give the role to somebody else first.")


class NoLogin(Refusal):
    code = "no_login"
    status = 409
    sentence = N_("This employee has no login yet.")


class HasLogin(Refusal):
    code = "has_login"
    status = 409
    sentence = N_("This employee has a login already.")
