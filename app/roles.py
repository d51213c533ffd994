"""Who may do what: the one table of rights and roles.

A right is `room.verb`. Each role has it wholly (`yes`), for what is the person's own (`own`), only when
the director granted it (`grant`), as a setting of the clinic says (`setting`), or not at all (`no`).
Where next: `app/access.py`, which answers "may this account do it now".
"""

from dataclasses import dataclass

from app.vocab import N_

ADMINISTRATOR, SENIOR, DOCTOR, DIRECTOR, SYSADMIN = "administrator", "senior", "doctor", "director", "sysadmin"

ROLES: dict[str, str] = {
    ADMINISTRATOR: N_("Administrator"),
    SENIOR: N_("Senior administrator"),
    DOCTOR: N_("Doctor"),
    DIRECTOR: N_("Director"),
    SYSADMIN: N_("System administrator"),
}


@dataclass(frozen=True)
class Right:
    """One thing that an employee may do, in the words of the desk."""

    code: str
    title: str
    by_role: dict[str, str]

    @property
    def module(self) -> str | None:
        """The module that must be switched on for it; None: always there."""
        room = self.code.split(".")[0]
        return next((module for module, rooms in MODULES.items() if room in rooms), None)

    @property
    def permission(self) -> tuple[str, str]:
        """The same right as the panel's framework names it: (permission, view)."""
        room, verb = self.code.split(".")
        return f"can_{verb}", room


def _right(code: str, title: str, roles: str) -> Right:
    """`roles` lists administrator, senior, doctor, director, system administrator, in this order."""
    return Right(code, title, dict(zip(ROLES, roles.split(), strict=True)))


#                                                            admin   senior  doctor director sysadmin
_TABLE = [
    _right("schedule.see", N_("See the schedule"),          "yes     yes     own    yes      no"),
    _right("schedule.book", N_("Book patients"),            "yes     yes     no     yes      no"),
    _right("schedule.move", N_("Move visits"),              "yes     yes     no     yes      no"),
    _right("schedule.cancel", N_("Cancel and restore visits"), "yes  yes     no     yes      no"),
    _right("schedule.attend", N_("Mark arrival, start, end and no-show"), "yes yes own yes   no"),
    _right("schedule.overbook", N_("Book over another visit"), "grant yes    no     yes      no"),
    _right("schedule.outside_hours", N_("Book outside working hours"), "grant yes no yes     no"),
    _right("schedule.block", N_("Close and hold time"),     "yes     yes     no     yes      no"),
    _right("schedule.hours", N_("Change doctors' hours"),   "grant   yes     no     yes      no"),
    _right("schedule.feed", N_("Give doctors the address of their calendar"), "no yes own yes no"),
    _right("planned.see", N_("See planned visits"),         "yes     yes     own    yes      no"),
    _right("planned.edit", N_("Plan visits that have no date yet"), "yes yes own    yes      no"),
    _right("waiting.see", N_("See the waiting list"),       "yes     yes     no     yes      no"),
    _right("waiting.edit", N_("Keep the waiting list and offer free time"), "yes yes no yes  no"),
    _right("task.see", N_("See call tasks"),                "yes     yes     no     yes      no"),
    _right("task.work", N_("Call patients and write down results"), "yes yes no    yes      no"),
    _right("task.add", N_("Ask for a patient to be called"), "yes    yes     own    yes      no"),
    _right("task.report", N_("See the report of calls"),    "no      yes     no     yes      no"),
    _right("card.see", N_("See patients' cards"),           "yes     yes     own    yes      no"),
    _right("card.edit", N_("Create and edit cards"),        "yes     yes     own    yes      no"),
    _right("card.archive", N_("Archive the card"),          "no      yes     no     yes      no"),
    _right("card.merge", N_("Merge cards of one patient"),  "no      yes     no     yes      no"),
    _right("card.erase", N_("Empty cards on the patient's demand"), "no no  no     yes      no"),
    _right("card.export", N_("Export cards and selections of patients"), "no yes no    yes      no"),
    _right("card.import", N_("Load a card index from a file"), "no   yes     no     yes      no"),
    _right("survey.see", N_("See health questionnaires"),   "yes     yes     own    yes      no"),
    _right("survey.edit", N_("Fill in health questionnaires"), "yes  yes     own    yes      no"),
    _right("medical.see", N_("See the medical card"),       "grant   grant   own    yes      no"),
    _right("medical.edit", N_("Write the medical card and the diary"), "no no own   no       no"),
    _right("medical.print", N_("Print the medical card with what doctors wrote"), "yes yes own yes no"),
    _right("document.print", N_("Print documents from the card"), "yes yes   own    yes      no"),
    _right("document.take_back", N_("Take back any scan that was attached by mistake"), "no no no yes no"),
    _right("document.tax", N_("Issue certificates for the tax office"), "yes yes no yes      no"),
    _right("work_order.fill", N_("Fill in work orders"),    "setting setting own    yes      no"),
    _right("work_order.see", N_("See work orders"),         "yes     yes     own    yes      no"),
    _right("work_order.reverse", N_("Reverse issued and paid work orders"), "grant yes no yes no"),
    _right("payment.see", N_("See payments"),               "yes     yes     no     yes      no"),
    _right("payment.take", N_("Take payments"),             "yes     yes     no     yes      no"),
    _right("payment.refund", N_("Return money to patients"), "grant  yes     no     yes      no"),
    _right("payment.return_advance", N_("Return advances to patients"), "grant yes no  yes      no"),
    _right("payment.export", N_("Export the lists of debtors and advances"), "grant yes no yes no"),
    _right("payment.relatives", N_("Pay from a relative's advance"), "yes yes  no     yes      no"),
    _right("payment.cancel", N_("Cancel today's payment taken by mistake"), "grant yes no yes no"),
    _right("cash.see", N_("See the cash desk"),             "yes     yes     no     yes      no"),
    _right("cash.shift", N_("Open and close cash shifts"),  "yes     yes     no     yes      no"),
    _right("cash.move", N_("Pay in and withdraw cash"),     "yes     yes     no     yes      no"),
    _right("cash.correct", N_("Correct the cash desk"),     "no      no      no     yes      no"),
    _right("fiscal.see", N_("See fiscal receipts"),         "yes     yes     no     yes      no"),
    _right("fiscal.retry", N_("Send a fiscal receipt to the device again"), "yes yes no yes  no"),
    _right("fiscal.close", N_("Close the shift of the fiscal device"), "yes yes   no     yes      no"),
    _right("fiscal.correct", N_("Issue correction receipts"), "grant yes     no     yes      no"),
    _right("expense_category.see", N_("See expense categories"), "yes yes    no     yes      no"),
    _right("expense_category.add", N_("Add expense categories"), "yes yes    no     yes      no"),
    _right("expense_category.edit", N_("Rename and archive expense categories"), "no no no yes no"),
    _right("report.see", N_("See the four reports of today"), "yes   yes     own    yes      no"),
    _right("report.any_day", N_("See reports of any day"),  "no      no      no     yes      no"),
    _right("directory.see", N_("See directories"),          "yes     yes     yes    yes      yes"),
    _right("directory.edit", N_("Change directories and prices"), "no yes    no     yes      no"),
    _right("message.see", N_("See messages to patients"),   "yes     yes     no     yes      no"),
    _right("message.send", N_("Send messages to patients by hand"), "yes yes no    yes      no"),
    _right("settings.edit", N_("Change the clinic's settings"), "no  no      no     yes      no"),
    _right("staff.see", N_("See employees"),                "yes     yes     yes    yes      yes"),
    _right("staff.edit", N_("Change employees and their logins"), "no no     no     yes      yes"),
    _right("access.manage", N_("Grant rights and access to other days"), "no no no  yes      no"),
    _right("audit.see", N_("See the log of actions"),       "no      no      no     yes      no"),
]  # fmt: skip

#: What a clinic can switch off: the setting's name → the rooms of its rights. Off: no menu, no pages, no jobs.
MODULES: dict[str, frozenset[str]] = {"crm": frozenset({"planned", "waiting", "task"})}

RIGHTS: dict[str, Right] = {right.code: right for right in _TABLE}
BY_PERMISSION: dict[tuple[str, str], Right] = {right.permission: right for right in _TABLE}

#: Rights that the director may hand to one employee or take from one: all but those that would let
#: somebody hand out rights, the window of days, which is granted with a term (`access_grant`), and what is not undone.
GRANTABLE = tuple(code for code in RIGHTS if code not in ("access.manage", "report.any_day", "card.erase"))
