"""Two cards of one person side by side: what each says, what will be moved, which of them stays.

Where next: `../operations/merges.py`.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app.db import session, transaction
from app.errors import Invalid, Refusal
from app.looks import label
from app.models import CardMerge, Employee, Family, Patient, ReferralSource
from app.patients import operations, queries, rules
from app.patients.reach import visible
from app.vocab import N_, Sex
from app.web import DeskView, actor, expose, fetched, guarded, say, say_wrong

_WORDS = {
    "surname": N_("Surname"), "name": N_("First name"), "patronymic": N_("Patronymic"), "birth_date": N_("Birth date"),
    "sex": N_("Sex"), "email": N_("E-mail"), "address": N_("Address"), "identity": N_("Identity document"),
    "snils": N_("SNILS"), "inn": N_("INN"), "allergy": N_("Allergy"), "comment": N_("Comment"),
    "source_id": N_("Source"), "insurance": N_("Insurance"), "guardian_id": N_("Guardian"), "payer_id": N_("Pays"),
    "family_id": N_("Family"), "doctor_id": N_("Treating doctor"), "discount_percent": N_("Discount, %"),
    "discount_reason": N_("Reason of the discount"),
}  # fmt: skip
_NAMED = {
    "source_id": ReferralSource, "guardian_id": Patient, "payer_id": Patient, "family_id": Family,
    "doctor_id": Employee,
}  # fmt: skip


#: What is moved, in words; the tests see to it that no table is left without one.
BELONGINGS = {
    "advance_transfer": N_("Passed advances"), "appointment": N_("Visits"), "audit_event": N_("Records of the history"),
    "call_task": N_("Call tasks"), "card_import_row": N_("Rows of loaded files"),
    "card_opening": N_("Openings of the card"),
    "cash_movement": N_("Operations of the cash desk"),
    "diary_entry": N_("Entries of the diary"), "health_survey": N_("Health questionnaires"),
    "medical_record": N_("Savings of the medical card"),
    "certificate": N_("Gift certificates"), "incoming_message": N_("Replies"), "issued_document": N_("Documents"),
    "ledger_entry": N_("Entries of the account"), "next_visit_refusal": N_("Refusals of a next visit"),
    "outbox_message": N_("Messages"), "patient": N_("Relatives"), "patient_consent": N_("Consents"),
    "patient_phone": N_("Phones"), "patient_tagged": N_("Tags"), "payment": N_("Payments"),
    "planned_visit": N_("Planned visits"), "receipt": N_("Receipts"), "refund": N_("Refunds"),
    "signed_scan": N_("Scans of signed documents"),
    "tax_certificate": N_("Certificates for the tax office"), "waiting_entry": N_("Waiting list"),
    "work_order": N_("Work orders"),
}  # fmt: skip


class MergingView(DeskView):
    """Merging cards, and parting them again."""

    route_base = "/merging"

    @expose("/<int:pk>", methods=["GET", "POST"])
    @guarded("card.merge")
    def merge(self, pk: int) -> Any:
        """The card that stays and another one: choose it, compare, merge."""
        winner = visible(pk)
        asked = request.values.get("with", "")
        other_id = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
        loser = visible(other_id) if other_id and other_id != pk else None
        status = 200
        if request.method == "POST":
            chosen = {name: request.form.get(f"field_{name}", "") for name in _WORDS}
            try:
                with transaction():
                    reason = request.form.get("reason", "")
                    operations.merge_cards(other_id, pk, chosen, reason, actor=actor())
                flash(gettext("The cards are merged."), "success")
                return redirect(url_for("PatientsView.card", pk=pk), 303)
            except Refusal as refusal:
                if isinstance(refusal, Invalid) and refusal.facts["fields"]:
                    say_wrong(refusal)
                else:
                    say(refusal)
                status, winner, loser = refusal.status, visible(pk), visible(other_id) if other_id else None
        back = request.method == "GET" and loser is not None and loser.merged_into_id == pk  # «Назад» after it was done
        if back or winner.merged_into_id or winner.erased_at:  # in another window, meanwhile
            return redirect(url_for("PatientsView.card", pk=pk), 303)
        words = {name: gettext(word) for name, word in _WORDS.items()}
        lines = _lines(winner, loser, words) if loser else []
        return self.page(
            "patients/merge.html", status, title=gettext("Merge cards"), winner=winner, loser=loser,
            lines=lines, doubtful=any(differ and name in ("birth_date", "sex") for name, *_, differ in lines),
            moved=_moved(loser) if loser else [],
            both=rules.BOTH, typed=request.form,
        )  # fmt: skip

    @expose("/<int:pk>/part", methods=["POST"])
    @guarded("card.merge")
    def part(self, pk: int) -> Any:
        """Undo a merge; back to the card that stayed."""
        merge = fetched(CardMerge, pk)
        visible(merge.winner_id)
        try:
            with transaction():
                operations.part_cards(pk, actor=actor())
            flash(gettext("The cards are two again."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for("PatientsView.card", pk=merge.winner_id), 303)


def _moved(loser: Patient) -> list[tuple[str, int]]:
    """What will be moved, in words."""
    return [(gettext(BELONGINGS[name]), many) for name, many in queries.belongings(loser.id)]


def _lines(winner: Patient, loser: Patient, words: dict[str, str]) -> list[tuple[str, str, str, str, bool]]:
    """Field, its word, what both cards say, and whether they differ; what both leave empty is left out."""
    lines = []
    for name, word in words.items():
        mine, other = _said(winner, name), _said(loser, name)
        if mine or other:
            lines.append((name, word, mine, other, bool(mine and other and mine != other)))
    return lines


def _said(card: Patient, name: str) -> str:
    if name == "identity":
        return queries.identity_of(card)
    return _shown(name, getattr(card, name))


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if name in _NAMED:
        return str(session.get(_NAMED[name], value) or "")
    if name == "sex":
        return label(Sex, value)
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}".replace(".", ",")
    return str(value)
