"""The directory «Papers of a first visit»: which papers a newcomer signs, and in which order they are printed."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from app.answers import refusal_body
from app.db import transaction
from app.documents import operations, queries
from app.errors import Invalid
from app.vocab import N_, TemplateKind
from app.web import DeskView, actor, expose, guarded, say


class FirstVisitView(DeskView):
    """A number beside a paper is its place in the file; without one it is not in it."""

    route_base = "/documents/first-visit-papers"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    @guarded("directory.edit")
    def index(self) -> Any:
        """Look at the papers and choose them; what was typed stays when something is wrong with it."""
        typed = {kind: str(place) for kind, place in queries.first_visit_places().items()}
        status, wrong = 200, dict[str, str]()
        if request.method == "POST":
            typed = {kind: request.form.get(kind, "").strip()[:10] for kind in operations.FROM_CARD}
            try:
                with transaction():
                    operations.choose_first_visit(_places(typed), actor=actor())
            except Invalid as refusal:
                say(refusal)
                status, wrong = refusal.status, refusal_body(refusal)["fields"]
            else:
                flash(gettext("Saved."), "success")
                return redirect(url_for(".index"), 303)
        rows = sorted(operations.FROM_CARD, key=lambda kind: (not typed.get(kind), _place(typed.get(kind)) or 0))
        return self.page(
            "documents/first_visit.html", status, title=gettext("Papers of a first visit"), rows=rows, typed=typed,
            wrong=wrong, kinds=TemplateKind,
        )  # fmt: skip


def _place(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _places(typed: dict[Any, str]) -> dict[str, int]:
    """The chosen kinds with their places.

    Raises:
        Invalid: a place that is no number.
    """
    chosen = {kind: text for kind, text in typed.items() if text}
    wrong = {kind: N_("A place is a number from 1 to 99.") for kind, text in chosen.items() if _place(text) is None}
    if wrong:
        raise Invalid(fields=wrong)
    return {kind: int(text) for kind, text in chosen.items()}
