"""What happens to each table when a patient demands to be forgotten: what goes, what the law keeps, and for how long.

The patient's demand ends the processing (152-ФЗ, ст. 9 ч. 2, ст. 21 ч. 5), but for what other laws make the clinic
keep (152-ФЗ, ст. 6 ч. 1 п. 2, ст. 10 ч. 2 п. 4). A table without a rule is not erased around: it stops everything.
Where next: `../queries/erasing.py` for whose rows they are, `../operations/erasing.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from app.vocab import N_


class Law(StrEnum):
    """Why a row stays, and so how long the card's identity is kept for it."""

    MEDICAL = "medical"
    MONEY = "money"
    PAPERS = "papers"
    LOG = "log"


#: Years after the last such row; money is counted from the end of its year.
YEARS = {Law.MEDICAL: 25, Law.MONEY: 5, Law.PAPERS: 5}

SOURCES = {
    Law.MEDICAL: N_("The medical card is kept for 25 years after the last visit (form 043/у; 323-ФЗ, art. 13, 22)."),
    Law.MONEY: N_("Papers of money are kept for 5 years after the year of the last one (402-ФЗ, art. 29)."),
    Law.PAPERS: N_("Contracts, consents and other papers are kept for 5 years: they prove what was agreed (152-ФЗ,"
                   " art. 9)."),
    Law.LOG: N_("The log of who did what stays, without the patient's data."),
}  # fmt: skip


class Fate(StrEnum):
    """What becomes of the rows of a table."""

    KEPT = "kept"
    EMPTIED = "emptied"
    REMOVED = "removed"


class Now:
    """The moment of the erasure, in a rule."""


@dataclass(frozen=True)
class Rule:
    """What becomes of the rows of a table: `clears` in all of them, `ends` in those that are still `going_on`.

    `words`: columns of words that stay, for they say nothing of the patient or the law keeps them.
    """

    fate: Fate
    law: Law | None = None
    clears: Mapping[str, Any] = field(default_factory=dict)
    #: (column, values): how a row is known that is not over yet.
    going_on: tuple[str, Collection[str | None]] | None = None
    ends: Mapping[str, Any] = field(default_factory=dict)
    words: Collection[str] = ()


def _kept(law: Law, *words: str) -> Rule:
    return Rule(Fate.KEPT, law, words=words)


_REMOVED = Rule(Fate.REMOVED)

RULES: Mapping[str, Rule] = {
    # what the law keeps: as it is
    "payment": _kept(Law.MONEY), "payment_part": _kept(Law.MONEY), "refund": _kept(Law.MONEY, "reason"),
    "refund_part": _kept(Law.MONEY), "receipt": _kept(Law.MONEY, "snapshot"), "ledger_entry": _kept(Law.MONEY),
    "fiscal_receipt": _kept(Law.MONEY, "body", "bills", "error", "fn", "sign", "registration"),
    "fiscal_credit": _kept(Law.MONEY), "service_act": _kept(Law.MONEY),
    "cash_movement": _kept(Law.MONEY, "counterparty", "comment", "series", "category_name"),
    "patient_account": _kept(Law.MONEY), "advance_transfer": _kept(Law.MONEY, "reason"),
    "certificate": _kept(Law.MONEY, "number"), "tax_certificate": _kept(Law.MONEY, "annul_reason"),
    "work_order": _kept(Law.MONEY, "reason"),
    "work_order_line": _kept(Law.MONEY, "tooth", "discount_reason", "code", "name"),
    "issued_document": _kept(Law.PAPERS, "kind", "html", "pdf", "sha256"),
    "paper_job": _kept(Law.PAPERS, "error"),
    "signed_scan": _kept(Law.PAPERS, "mimetype", "content", "sha256"),
    "mistaken_scan": _kept(Law.PAPERS, "reason"),
    # a visit is a part of the medical card; what the desk wrote about it is not
    "appointment": Rule(
        Fate.EMPTIED, Law.MEDICAL, {"comment": "", "cancel_comment": ""},
        words=("overbook_reason", "outside_hours_reason"),
    ),
    "health_survey": _kept(Law.MEDICAL, "answers", "alerts", "last_dentist", "complaints"),
    "medical_record": _kept(
        Law.MEDICAL, "occupation", "diagnosis", "icd", "complaints", "past_illnesses", "anamnesis", "examination",
        "formula", "bite", "mucosa", "findings", "shade", "examination_plan", "treatment_plan", "consultations",
        "epicrisis",
    ),
    "diary_entry": _kept(Law.MEDICAL, "complaints", "objective", "diagnosis", "icd", "treatment"),
    # that it was agreed to, and taken back, is what the clinic must be able to prove
    "patient_consent": Rule(
        Fate.EMPTIED, Law.LOG, going_on=("withdrawn_at", (None,)), ends={"withdrawn_at": Now},
    ),
    "audit_event": Rule(Fate.EMPTIED, Law.LOG, words=("action", "object_type", "before", "after")),
    "card_opening": _kept(Law.LOG, "what"),
    "card_merge": Rule(
        Fate.EMPTIED, Law.LOG, {"fields": {}, "reason": "—"}, words=("moved", "made_in", "undone_in"),
    ),
    "card_erasure": _kept(Law.LOG, "reason", "made_in", "kept"),
    # what nobody needs without the patient
    "patient_phone": _REMOVED, "patient_tagged": _REMOVED, "confirm_link": _REMOVED, "shelf_item": _REMOVED,
    "card_import_row": _REMOVED,
    "outbox_message": Rule(
        Fate.EMPTIED, None, {"phone": "", "body": "", "said": "", "error": ""},
        going_on=("status", ("pending",)), ends={"status": "cancelled"},
    ),
    "incoming_message": Rule(Fate.EMPTIED, None, {"phone": "", "body": ""}, words=("gateway_id",)),
    "call_task": Rule(
        Fate.EMPTIED, None, {"comment": "", "claimed_by_id": None, "claimed_at": None}, going_on=("status", ("open",)),
        ends={"status": "closed", "result": "not_needed", "closed_at": Now},
    ),
    "call_task_reason": Rule(Fate.EMPTIED, None, {"note": ""}),
    "call_attempt": Rule(Fate.EMPTIED, None, {"phone": "", "comment": ""}),
    "planned_visit": Rule(
        Fate.EMPTIED, None, {"reason": "—", "wishes": "", "comment": ""},
        going_on=("status", ("planned", "call_due", "postponed")), ends={"status": "closed", "closed_at": Now},
    ),
    "next_visit_refusal": Rule(Fate.EMPTIED, None, {"comment": ""}),
    "waiting_entry": Rule(
        Fate.EMPTIED, None, {"comment": ""}, going_on=("status", ("waiting", "offered")),
        ends={"status": "expired", "closed_at": Now},
    ),
    "waiting_offer": Rule(
        Fate.EMPTIED, None, going_on=("status", ("open",)), ends={"status": "expired", "answered_at": Now},
    ),
}  # fmt: skip

#: Of the card itself all is emptied but this: a column that is added tomorrow is emptied too.
STAYS_ON_CARD = frozenset({
    "id", "card_number", "status", "merged_into_id", "version", "created_at", "created_by_id", "search_name",
    "archive_reason", "erased_at", "surname", "name", "surveyed_on", "health_alerts",
})  # fmt: skip

#: Who the papers that the law keeps are of: put away with the erasure, read by nobody but the director.
PERSON = ("surname", "name", "patronymic", "birth_date", "sex")
#: What the medical card says besides.
MEDICAL = ("allergy",)

#: What the log may say of an erased patient: when, which, how much; never in whose words.
LOGGED = frozenset({
    "status", "confirmation", "starts_at", "ends_at", "amount", "total", "number", "kind", "due_at", "result", "day",
    "first_day", "last_day", "given_on", "cancelled_by", "answered_by", "target_from", "target_to", "call_on", "price",
    "urgency", "method", "asked_on",
})  # fmt: skip


def forgotten(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The log's `before` or `after` without what was written of the patient: words become nothing, numbers stay."""
    if told is None:
        return None
    return {
        key: value if key in LOGGED or isinstance(value, bool | int | float) else None for key, value in told.items()
    }


def kept_until(last: Mapping[Law, date]) -> date | None:
    """Until when the law keeps who the patient was, by the day of the last row of each kind; None: not at all."""
    ends = []
    for law, years in YEARS.items():
        if law in last:
            day = date(last[law].year, 12, 31) if law == Law.MONEY else last[law]
            ends.append(_later(day, years))
    return max(ends, default=None)


def _later(day: date, years: int) -> date:
    """So many years later; 29 February is 1 March then."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def put_away(card: Mapping[str, Any], laws: Collection[Law]) -> dict[str, Any] | None:
    """What of the card is put away for the law; None when no law asks."""
    if not laws:
        return None
    return {name: card[name] for name in (*PERSON, *(MEDICAL if Law.MEDICAL in laws else ())) if card[name]}
