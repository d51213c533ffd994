"""«Подбор пациентов»: who fits several wishes at once, kept under a name, and as a file."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from app import access, audit, clock, spreadsheets
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal
from app.patients import operations, queries
from app.patients.forms import SelectionQuery
from app.schemas import load
from app.vocab import Sex
from app.web import DeskView, actor, expose, guarded, say, say_wrong

PAGE = 50


class SelectionsView(DeskView):
    """The advanced search of the card index."""

    route_base = "/patients/selections"

    @expose("/")
    @guarded("card.see")
    def index(self) -> Any:
        """The form, the selections that were kept, and a page of who fits."""
        try:
            wanted, page = self._asked()
            wrong: dict[str, str] = {}
        except Invalid as refusal:
            wanted, page, wrong = queries.Selection(), 0, refusal.facts["fields"]
        own = access.account(actor()).own_only("card.see")
        asked = wanted.asks and not wrong
        count, found = queries.select_cards(wanted, limit=PAGE, offset=page * PAGE, doctor_id=own) if asked else (0, [])
        criteria = {key: value for key, value in request.args.items() if value and key not in ("page", "kept")}
        kept = queries.selections(actor().id)
        return self.page(
            "patients/selections.html", 422 if wrong else 200, title=gettext("Selection of patients"), asked=asked,
            count=count, found=found, page=page, size=PAGE, wrong=wrong, criteria=criteria, kept=kept,
            here=next((row for row in kept if str(row.id) == request.args.get("kept")), None),
            doctors=queries.doctors(wanted.doctor_id), sources=queries.sources(), tags=queries.tags(),
            services=queries.service_names(), sexes=Sex, fields=queries.Selection.__dataclass_fields__,
        )  # fmt: skip

    def _asked(self) -> tuple[queries.Selection, int]:
        given = {key: value for key, value in request.args.items() if value and key != "kept"}
        form = load(SelectionQuery, given)
        page = form.pop("page")
        return queries.Selection(**form), page

    @expose("/export.xlsx")
    @guarded("card.export")
    def export(self) -> Any:
        """Everybody who fits, for Excel; who took it is written down."""
        wanted, _ = self._asked()
        if not wanted.asks:
            raise Invalid(fields={"doctor_id": gettext("Choose at least one condition.")})
        own = access.account(actor()).own_only("card.export")
        _, found = queries.select_cards(wanted, limit=spreadsheets.MOST_ROWS, doctor_id=own)
        heads = [
            gettext("Card"), gettext("Patient"), gettext("Birth date"), gettext("Phone"), gettext("Last visit"),
            gettext("Debt, ₽"), gettext("Advance, ₽"),
        ]  # fmt: skip
        rows = [
            [
                row["card_number"], row["full_name"], row["birth_date"],
                ", ".join(phone["number"] for phone in row["phones"]), row["last_visit"],
                row["balance"]["debt"], row["balance"]["advance"],
            ]
            for row in found
        ]  # fmt: skip
        with transaction():
            after = {"rows": len(found), "criteria": request.query_string.decode("ascii", "replace")[:500]}
            audit.record("cards.exported", actor(), after=after, actor=actor())
        answer = Response(spreadsheets.workbook(gettext("Patients"), heads, rows), mimetype=spreadsheets.XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="patients-{clock.today().isoformat()}.xlsx"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/keep", methods=["POST"])
    @guarded("card.see")
    def keep(self) -> Any:
        """Keep the conditions under a name."""
        criteria = {
            key: value for key, value in request.form.items() if value and key in queries.Selection.__dataclass_fields__
        }
        try:
            load(SelectionQuery, criteria)
            with transaction():
                row = operations.keep_selection(
                    request.form.get("name", "")[:60], criteria, shared=request.form.get("shared") == "1", actor=actor()
                )
                kept = row.id
            flash(gettext("The selection is kept."), "success")
            return redirect(_at(criteria, kept), 303)
        except Invalid as wrong:
            say_wrong(wrong)
        except Refusal as refusal:
            say(refusal)
        return redirect(_at(criteria), 303)

    @expose("/<int:pk>/forget", methods=["POST"])
    @guarded("card.see")
    def forget(self, pk: int) -> Any:
        """Remove a selection of one's own."""
        if not 0 < pk < 2**31:
            raise NotFound()
        with transaction():
            operations.forget_selection(pk, actor=actor())
        flash(gettext("The selection is removed."), "success")
        return redirect(url_for(".index"), 303)


def _at(criteria: dict[str, str], kept: int | None = None) -> str:
    address: str = url_for("SelectionsView.index", **{"kept": kept, **criteria})  # type: ignore[arg-type]
    return address
