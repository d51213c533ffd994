"""A card emptied on the patient's demand: what goes, what stays and why, and the deed, which is not undone.

Where next: `../rules/erasing.py`, `../operations/erasing.py`.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app.db import transaction
from app.errors import Invalid, Refusal
from app.models import Patient
from app.patients import operations, queries, rules
from app.patients.reach import visible
from app.patients.views.merging import BELONGINGS
from app.web import DeskView, actor, expose, guarded, say, say_wrong


class ErasingView(DeskView):
    """Emptying a card."""

    route_base = "/erasing"

    @expose("/<int:pk>", methods=["GET", "POST"])
    @guarded("card.erase")
    def erase(self, pk: int) -> Any:
        """What would go and what would stay; then the number typed by hand, and it goes."""
        patient, status, wrong = visible(pk), 200, dict[str, str]()
        if request.method == "POST":
            try:
                with transaction():
                    operations.erase_card(
                        pk, request.form.get("number", "")[:20], _day(request.form.get("asked_on", "")),
                        request.form.get("reason", ""), actor=actor(),
                    )  # fmt: skip
                flash(gettext("The card is emptied."), "success")
                return redirect(url_for("PatientsView.card", pk=pk), 303)
            except Invalid as refusal:
                status, patient = 422, visible(pk)
                wrong = {name: gettext(str(said)) for name, said in refusal.facts["fields"].items()}
                if not wrong:
                    say_wrong(refusal)
            except Refusal as refusal:
                say(refusal)
                status, patient = refusal.status, visible(pk)
        if patient.merged_into_id or patient.erased_at:
            return redirect(url_for("PatientsView.card", pk=pk), 303)
        return self.page(
            "patients/erase.html", status, title=gettext("Empty the card"), patient=patient, typed=request.form,
            wrong=wrong, **_preview(patient),
        )  # fmt: skip


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _law(table: str, last: Collection[rules.Law]) -> rules.Law | None:
    """Why the rows of a table stay; visits that did not take place and accounts without money are a log only."""
    law = rules.RULES[table].law
    return law if law is None or law in last else rules.Law.LOG


def _preview(patient: Patient) -> dict[str, Any]:
    """In words: what goes, what stays by which law and until when, what stands in the way."""
    cards = queries.cards_of(patient.id)
    many, last = queries.counts(cards), queries.last_days(cards)
    named = {name: (gettext(BELONGINGS[name]), count) for name, count in many.items() if name in BELONGINGS}
    goes = [said for name, said in named.items() if rules.RULES[name].law is None]
    stays = []
    for law, source in rules.SOURCES.items():
        rows = [said for name, said in named.items() if _law(name, last) == law]
        if rows:
            stays.append((gettext(source), rows))
    return {
        "goes": goes, "stays": stays, "until": rules.kept_until(last), "merged": len(cards) - 1,
        "medical": rules.Law.MEDICAL in last, "obstacles": operations.obstacles(cards),
    }  # fmt: skip
