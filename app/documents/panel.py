"""Generated views of the documents' room: templates with versions. Issued papers have a journal of their own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder.models.sqla.filters import FilterEqual
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from app.db import transaction
from app.documents import operations, paper, queries
from app.errors import NotFound, Refusal, Stale
from app.models import DocumentTemplate
from app.panels import DeskInterface, PanelView
from app.vocab import N_, Labelled, TemplateKind
from app.web import actor, expose, fetched, guarded, say


def _to_pdf(url: str) -> Markup:
    return Markup('<a href="{}" target="_blank">PDF</a>').format(url)


class DocumentTemplatePanel(PanelView):
    """Texts of papers, the versions that are printed now. Saving one makes its next version; papers keep theirs."""

    datamodel = DeskInterface(DocumentTemplate)
    route_base = "/document-templates"
    include_route_methods: ClassVar[set[str]] = {"list", "show", "edit"}
    list_title, show_title = lazy_gettext("Document templates"), lazy_gettext("Document template")
    base_filters: ClassVar[list[Any]] = [["active", FilterEqual, True]]
    list_columns: ClassVar[list[str]] = ["kind", "name", "version", "created_at", "sheet"]
    show_columns: ClassVar[list[str]] = ["kind", "name", "version", "created_at", "sheet", "body"]
    search_columns: ClassVar[list[str]] = ["name", "kind"]
    order_columns: ClassVar[list[str]] = ["kind", "name", "version"]
    words: ClassVar[dict[str, type[Labelled]]] = {"kind": TemplateKind}
    base_order = ("id", "asc")
    page_size = 50
    label_columns: ClassVar[dict[str, Any]] = {
        "kind": lazy_gettext("Document"), "name": lazy_gettext("Name"), "version": lazy_gettext("Version"),
        "created_at": lazy_gettext("Saved"), "body": lazy_gettext("Text"), "sheet": lazy_gettext("Preview"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "body": lambda body: Markup('<pre class="template-body">{}</pre>').format(body),
        "sheet": lambda pk: _to_pdf(url_for("TemplatesView.preview", pk=pk)),
    }

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @permission_name("edit")
    @guarded("directory.edit")
    def edit(self, pk: int) -> Any:
        """Change a text; what was typed stays when something is wrong with it.

        `?take=2` begins with the text of an older version, 0 with the one that came with the product.
        """
        row = fetched(DocumentTemplate, pk)
        newest = queries.newest_of(row.kind) or row
        if request.method == "GET":
            if newest.id != row.id:
                return redirect(url_for(".edit", pk=newest.id, take=row.version))
            return self._editor(row, _taken(row))
        typed = {name: request.form.get(name, "").replace("\x00", "") for name in ("name", "body")}
        try:
            with transaction():
                saved = operations.new_version(pk, typed["name"], typed["body"], actor=actor())
                same, pk, version = saved.id == pk, saved.id, saved.version
        except Stale as stale:
            # the next save is on top of what somebody else saved, and on purpose
            newest = queries.newest_of(row.kind) or row
            return self._editor(newest, typed, status=stale.status, seen=row.version)
        except paper.TemplateBroken as broken:
            return self._editor(row, typed, status=broken.status, problems=broken.problems)
        except Refusal as refusal:
            say(refusal)
            row = fetched(DocumentTemplate, pk)
            return self._editor(row, typed, status=refusal.status, wrong=refusal.facts.get("fields", {}))
        said = gettext("Nothing was changed.") if same else gettext("Saved as version %(version)s.", version=version)
        flash(said, "info" if same else "success")
        return redirect(url_for(".edit", pk=pk), 303)

    def _editor(self, row: DocumentTemplate, typed: Mapping[str, Any], status: int = 200, **more: Any) -> Any:
        page = self.render_template(
            "documents/template_edit.html", row=row, typed=typed, title=gettext("Document template"),
            kinds=TemplateKind, groups=queries.fields_of(row.kind), versions=queries.versions_of(row.kind),
            filters=FILTER_WORDS, shipped=paper.shipped(row.kind) != row.body,
            **{"wrong": {}, "problems": None, "seen": None, **more},
        )  # fmt: skip
        return page, status


#: The filters that the list offers, with an example; the others are understood too.
FILTER_WORDS = (
    ("money", N_("a sum as people write it"), "{{ totals.net | money }} ₽", "5 800,00 ₽"),
    ("words", N_("a sum in words"), "{{ totals.net | words }}", "Пять тысяч восемьсот рублей 00 копеек"),
    ("day", N_("a day as 23.11.2026"), "{{ today.date | day }}", "23.11.2026"),
    ("line", N_("the value, or a line of so many signs to write it by hand"), "{{ patient.inn | line(14) }}", "_" * 14),
    ("upper", N_("in capital letters"), "{{ patient.last_name | upper }}", "ПРИМЕРОВА"),
)


def _taken(row: DocumentTemplate) -> dict[str, Any]:
    """The text to begin with: the newest one, or the older one that was asked for."""
    asked = request.args.get("take", "")
    version = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else row.version
    if version == row.version:
        return {"name": row.name, "body": row.body, "taken": None}
    if version == 0:
        return {"name": row.name, "body": paper.shipped(row.kind), "taken": 0}
    old = queries.version_of(row.kind, version)
    if old is None:
        raise NotFound()
    return {"name": old.name, "body": old.body, "taken": version}
