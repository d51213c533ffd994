"""«Загрузка картотеки»: a file, its columns, what becomes of each row, and the cards.

The worker does the work, the page shows how far it is. Where next: `../operations/importing.py`, `../jobs.py`.
"""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from app import spreadsheets
from app.db import transaction
from app.errors import Invalid, NotFound, Refusal
from app.models import CardImport
from app.patients import card_files, operations, queries
from app.vocab import IMPORT_WORKS, CardColumn, CardVerdict, DayOrder, ImportState
from app.web import DeskView, actor, expose, fetched, guarded, say, takes_file

PAGE = 100
#: A file and the form around it.
_BODY = card_files.MOST_BYTES + 64 * 1024


class CardImportsView(DeskView):
    """The way of an old card index into ours."""

    route_base = "/patients/import"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    @takes_file(_BODY)
    @guarded("card.import")
    def index(self) -> Any:
        """Choose a file; the files before."""
        if request.method == "GET":
            return self._form()
        sent = request.files.get("file")
        try:
            if sent is None or not sent.filename:
                raise Invalid(fields={"file": gettext("Choose a file.")})
            name = "".join(c for c in sent.filename if c.isprintable())[-200:] or "?"
            with transaction():
                pk = operations.take_file(name, sent.read(card_files.MOST_BYTES + 1), actor=actor()).id
        except Refusal as refusal:
            say(refusal)
            return self._form(refusal.status, refusal.facts.get("fields", {}))
        return redirect(url_for(".columns", pk=pk), 303)

    def _form(self, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        return self.page(
            "patients/import.html", status, title=gettext("Loading a card index"), wrong=wrong or {},
            imports=queries.card_imports(), states=ImportState, most_rows=card_files.MOST_ROWS,
            most_mb=card_files.MOST_BYTES // 1024 // 1024,
        )  # fmt: skip

    @expose("/<int:pk>/columns", methods=["GET", "POST"])
    @guarded("card.import")
    def columns(self, pk: int) -> Any:
        """What the columns of the file mean."""
        row: CardImport = fetched(CardImport, pk)
        if request.method == "GET":
            if row.state not in (ImportState.MAPPING, ImportState.JUDGED):
                return redirect(url_for(".one", pk=pk))
            return self._columns(row)
        try:
            mapping = [given[:20] for given in request.form.getlist("mapping")[:200]]
            with transaction():
                operations.say_columns(
                    pk, mapping, day_order=request.form.get("day_order", ""), headless="headless" in request.form,
                    area_code=request.form.get("area_code", "").strip()[:10], actor=actor(),
                )  # fmt: skip
        except Refusal as refusal:
            say(refusal)
            if not isinstance(refusal, Invalid):
                return redirect(url_for(".one", pk=pk), 303)
            return self._columns(fetched(CardImport, pk), refusal.status, refusal.facts["fields"])
        return redirect(url_for(".one", pk=pk), 303)

    def _columns(self, row: CardImport, status: int = 200, wrong: dict[str, str] | None = None) -> Any:
        given = request.form.getlist("mapping") if request.method == "POST" else row.mapping
        return self.page(
            "patients/import_columns.html", status, title=gettext("Loading a card index"), row=row, wrong=wrong or {},
            mapping=[*given, *[""] * len(row.columns)], meanings=CardColumn, orders=DayOrder, typed=request.form,
        )  # fmt: skip

    @expose("/<int:pk>", methods=["GET"])
    @guarded("card.import")
    def one(self, pk: int) -> Any:
        """How far it is; when the rows are checked, what becomes of each."""
        row: CardImport = fetched(CardImport, pk)
        if row.state == ImportState.MAPPING:
            return redirect(url_for(".columns", pk=pk))
        return self._one(row)

    def _one(self, row: CardImport, status: int = 200) -> Any:
        many, show = row.counts or {}, request.args.get("show", "")
        show = show if show in (*CardVerdict, "warned") else ""
        count = many.get(show, 0) if show else sum(many.get(kind, 0) for kind in CardVerdict)
        given = request.args.get("page", "")
        page = min(int(given), count // PAGE) if given.isascii() and given.isdigit() and len(given) < 6 else 0
        shown = row.counts is not None and row.state not in IMPORT_WORKS
        rows = queries.import_rows(row.id, show, limit=PAGE, offset=page * PAGE) if shown else []
        return self.page(
            "patients/import_one.html", status, title=gettext("Loading a card index"), row=row, many=many, show=show,
            rows=rows, count=count, page=page, size=PAGE, kinds=CardVerdict, states=ImportState,
            works=row.state in IMPORT_WORKS, shown=shown,
        )  # fmt: skip

    @expose("/<int:pk>/progress", methods=["GET"])
    @guarded("card.import")
    def progress(self, pk: int) -> Any:
        """How far the worker is: a fragment that asks again; done, it lets the page be loaded anew."""
        row: CardImport = fetched(CardImport, pk)
        if row.state not in IMPORT_WORKS:
            answer = Response("")
            answer.headers["HX-Redirect"] = url_for(".one", pk=pk)
            return answer
        return self.page("patients/_import_progress.html", row=row, states=ImportState)

    @expose("/<int:pk>/apply", methods=["POST"])
    @guarded("card.import")
    def apply(self, pk: int) -> Any:
        """Let the cards be written."""
        fetched(CardImport, pk)
        try:
            with transaction():
                operations.apply_import(
                    pk, fill=request.form.get("fill") == "1", with_maybe=request.form.get("with_maybe") == "1",
                    actor=actor(),
                )  # fmt: skip
        except Refusal as refusal:
            say(refusal)
        return redirect(url_for(".one", pk=pk), 303)

    @expose("/<int:pk>/forget", methods=["POST"])
    @guarded("card.import")
    def forget(self, pk: int) -> Any:
        """Throw a file away that was not loaded, with all that was read from it."""
        fetched(CardImport, pk)
        try:
            with transaction():
                operations.throw_away(pk)
            flash(gettext("The file and all that was read from it are removed."), "success")
        except Refusal as refusal:
            say(refusal)
            return redirect(url_for(".one", pk=pk), 303)
        return redirect(url_for(".index"), 303)

    @expose("/<int:pk>/rows.xlsx", methods=["GET"])
    @guarded("card.import")
    def rows(self, pk: int) -> Any:
        """The rows of a verdict as they came, with the reason, to be mended and loaded again."""
        row: CardImport = fetched(CardImport, pk)
        kind = request.args.get("show", CardVerdict.REFUSED)
        if kind not in list(CardVerdict):
            raise NotFound()
        headings = [column["heading"] for column in row.columns]
        heads = [*headings, gettext("Row of the file"), gettext("Why")]
        lines = [
            [*cells, *[""] * (len(headings) - len(cells)), line, gettext(why) % facts if why else label_of(kind)]
            for line, cells, why, facts in queries.cells_of(pk, kind)
        ]
        content = spreadsheets.workbook(gettext("Patients"), heads, lines)
        answer = Response(content, mimetype=spreadsheets.XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="rows-{kind}-{pk}.xlsx"'
        answer.headers["Cache-Control"] = "no-store"
        return answer


def label_of(kind: str) -> str:
    return gettext(CardVerdict(kind).label)
