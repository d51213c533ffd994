"""The price list: as of a day, on paper, as a file, from a file; the history of a service's price."""

import io
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext, ngettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from app import clock
from app.billing import forms, operations, price_files, queries, rules
from app.billing.views.form import filled
from app.db import transaction
from app.errors import Invalid, Refusal
from app.looks import label
from app.models import PriceImport, Service, ServicePrice
from app.schemas import load
from app.spreadsheets import XLSX, safe
from app.vocab import ItemKind, PriceVerdict, Vat
from app.web import DeskView, actor, expose, fetched, guarded, say

PAGE = 100


def _day() -> date:
    """The day that was asked for; today when it is nonsense."""
    try:
        return load(forms.PricesOn, {"day": request.args["day"]})["day"] if request.args.get("day") else clock.today()
    except Invalid:
        return clock.today()


class PricesView(DeskView):
    route_base = "/prices"

    @expose("/")
    @guarded("directory.see")
    def index(self) -> Any:
        """The price list as of a day, by category; the same page is printed."""
        day = _day()
        rows = queries.whole_price_list(day)
        groups = [(name, list(group)) for name, group in groupby(rows, lambda row: row.category)]
        branch = queries.first_branch()
        return self.page(
            "billing/prices.html", title=gettext("Price list"), day=day, groups=groups, count=len(rows),
            entity=branch.legal_entity if branch else None, branch=branch, printed="print" in request.args,
        )  # fmt: skip

    @expose("/file")
    @guarded("directory.see")
    def file(self) -> Any:
        """The price list of a day as XLSX; taken back, every row is “no change”."""
        day = _day()
        answer = Response(_workbook(queries.whole_price_list(day), day), content_type=XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="prices_{day.isoformat()}.xlsx"'
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    @expose("/service/<int:pk>")
    @guarded("directory.see")
    def service(self, pk: int) -> Any:
        """The history of a service's price: from which day, how much, who wrote it."""
        row = fetched(Service, pk)
        prices = queries.price_history(row.id)
        today = clock.today()
        standing = (price for price, *_ in prices if price.annulled_at is None and price.valid_from <= today)
        return self.page(
            "billing/price_history.html", title=gettext("Prices of the service"), service=row, prices=prices,
            now=next(standing, None), today=today, can_be_taken_back=queries.may_be_taken_back,
        )  # fmt: skip

    @expose("/price/<int:pk>/take-back", methods=["POST"])
    @guarded("directory.edit")
    def take_back(self, pk: int) -> Any:
        """Take back a price that was written wrong; back to the history."""
        service_id = fetched(ServicePrice, pk).service_id
        try:
            with transaction():
                operations.take_price_back(pk, actor=actor())
            flash(gettext("The price is taken back."), "success")
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for(".service", pk=service_id), 303)

    @expose("/import", methods=["GET", "POST"])
    @guarded("directory.edit")
    def upload(self) -> Any:
        """Choose a file and a day; the file is only looked at."""
        if request.method == "GET":
            return self._form()
        sent = request.files.get("file")
        try:
            with transaction():
                form = load(forms.PriceFile, filled("valid_from"))
                if sent is None or not sent.filename:
                    raise Invalid(fields={"file": gettext("Choose a file.")})
                name = "".join(c for c in sent.filename if c.isprintable())[-200:] or "?"
                content = sent.read(price_files.MOST_BYTES + 1)
                row = operations.look_at_prices(name, content, form["valid_from"], actor=actor())
                pk = row.id
        except Refusal as refusal:
            say(refusal)
            return self._form(refusal.status, refusal.facts.get("fields", {}))
        return redirect(url_for(".looked", pk=pk), 303)

    def _form(self, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        return self.page(
            "billing/price_load.html", status, title=gettext("Price list from a file"), wrong=wrong or {},
            typed=request.form, today=clock.today(), imports=queries.imports(),
            most_rows=price_files.MOST_ROWS, most_mb=price_files.MOST_BYTES // 1024 // 1024,
        )  # fmt: skip

    @expose("/import/<int:pk>")
    @guarded("directory.edit")
    def looked(self, pk: int) -> Any:
        """What was understood, and a verdict for every row."""
        return self._looked(fetched(PriceImport, pk))

    def _looked(self, row: PriceImport, status: int = 200) -> Any:
        """Applied, it shows what was written; before that, the verdicts of this moment."""
        if row.verdicts is None:
            verdicts = queries.judged(row)
        else:
            verdicts = [rules.Verdict(**{**kept, "kind": PriceVerdict(kept["kind"])}) for kept in row.verdicts]
        asked = request.args.get("show", "")
        shown = [v for v in verdicts if v.kind == asked] if asked in list(PriceVerdict) else verdicts
        page = max(0, min(request.args.get("page", 0, type=int), len(shown) // PAGE))
        many = rules.counts(verdicts)
        return self.page(
            "billing/price_looked.html", status, title=gettext("Price list from a file"), row=row, many=many,
            verdicts=shown[page * PAGE : (page + 1) * PAGE], count=len(shown), page=page, size=PAGE,
            asked=asked if asked in list(PriceVerdict) else "", kinds=PriceVerdict, seen=rules.digest(verdicts),
            writes=sum(many[kind] for kind in (PriceVerdict.NEW, PriceVerdict.PRICE, PriceVerdict.CHANGED)),
            passed=row.valid_from < clock.today(), meaning=_headings(), changed=_changed,
            day_of=lambda day: f"{date.fromisoformat(day):%d.%m.%Y}",
        )  # fmt: skip

    @expose("/import/<int:pk>/apply", methods=["POST"])
    @guarded("directory.edit")
    def apply(self, pk: int) -> Any:
        """Write what was shown; changed meanwhile, the new verdicts are shown and nothing is written."""
        fetched(PriceImport, pk)
        try:
            with transaction():
                form = load(forms.AppliedPrices, filled("seen", "skip_refused"))
                many = operations.apply_prices(
                    pk, form["seen"], skip_refused=form["skip_refused"] == "1", actor=actor()
                )
        except Refusal as refusal:
            say(refusal)
            return self._looked(fetched(PriceImport, pk), refusal.status)
        written = sum(many[kind] for kind in (PriceVerdict.NEW, PriceVerdict.PRICE, PriceVerdict.CHANGED))
        flash(ngettext("The file is applied: %(num)s row.", "The file is applied: %(num)s rows.", written), "success")
        return redirect(url_for(".looked", pk=pk), 303)


def _headings() -> dict[str, str]:
    """The columns of a price list by their meaning, in the caller's language."""
    return {
        "code": gettext("Code"), "name": gettext("Name"), "category": gettext("Category"), "price": gettext("Price"),
        "minutes": gettext("Minutes"), "item_kind": gettext("What is sold"), "vat": gettext("VAT"),
        "tax_code": gettext("Code for the tax certificate"),
    }  # fmt: skip


def _words(name: str, value: str) -> str:
    return label({"vat": Vat, "item_kind": ItemKind}[name], value) if name in ("vat", "item_kind") else value


def _changed(name: str, pair: Sequence[str]) -> str:
    """«Name: old → new»."""
    return f"{_headings()[name]}: {_words(name, pair[0])} → {_words(name, pair[1])}"


def _workbook(rows: Sequence[Any], day: date) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(f"{gettext('Price list')} {day:%d.%m.%Y}"[:31])
    page.freeze_panes = "A2"
    headings = _headings()
    bold = Font(bold=True)

    def cell(value: Any, *, strong: bool = False) -> Any:
        made = WriteOnlyCell(page, value=safe(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            made.data_type = "s"
        elif not isinstance(value, int):
            made.number_format = "#,##0.00"
        if strong:
            made.font = bold
        return made

    for number, name in enumerate(headings, 1):
        width = {"name": 60, "category": 26, "code": 18, "tax_code": 20, "item_kind": 22}.get(name, 12)
        page.column_dimensions[get_column_letter(number)].width = width
    page.append([cell(title, strong=True) for title in headings.values()])
    for row in rows:
        page.append([
            cell(_words(name, value) if isinstance(value := getattr(row, name), str) else value) for name in headings
        ])  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
