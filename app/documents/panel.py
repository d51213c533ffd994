"""Generated views of the documents' room: templates with versions. Issued papers have a journal of their own."""

from typing import Any, ClassVar

from flask import redirect, request, url_for
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup

from app.db import transaction
from app.documents import operations, queries
from app.errors import Refusal
from app.models import DocumentTemplate
from app.panels import DeskInterface, PanelView
from app.pdf import as_pdf
from app.vocab import TemplateKind
from app.web import actor, expose, fetched, guarded, label, say


def _kind(value: str) -> str:
    return label(TemplateKind, value)


def _to_pdf(url: str) -> Markup:
    return Markup('<a href="{}" target="_blank">PDF</a>').format(url)


class DocumentTemplatePanel(PanelView):
    """Texts of papers. Saving one makes its next version; papers already issued keep theirs."""

    datamodel = DeskInterface(DocumentTemplate)
    route_base = "/document-templates"
    include_route_methods: ClassVar[set[str]] = {"list", "show", "edit", "preview", "try_out"}
    list_title, show_title = lazy_gettext("Document templates"), lazy_gettext("Document template")
    list_columns: ClassVar[list[str]] = ["kind", "name", "version", "active", "created_at", "sheet"]
    show_columns: ClassVar[list[str]] = ["kind", "name", "version", "active", "created_at", "sheet", "body"]
    search_columns: ClassVar[list[str]] = ["name", "active"]
    order_columns: ClassVar[list[str]] = ["kind", "version"]
    base_order = ("id", "desc")
    label_columns: ClassVar[dict[str, Any]] = {
        "kind": lazy_gettext("Document"), "name": lazy_gettext("Name"), "version": lazy_gettext("Version"),
        "active": lazy_gettext("Printed now"), "created_at": lazy_gettext("Saved"), "body": lazy_gettext("Text"),
        "sheet": lazy_gettext("Preview"),
    }  # fmt: skip
    formatters_columns: ClassVar[dict[str, Any]] = {
        "kind": _kind,
        "body": lambda body: Markup('<pre class="template-body">{}</pre>').format(body),
        "sheet": lambda pk: _to_pdf(url_for("DocumentTemplatePanel.preview", pk=pk)),
    }

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @permission_name("edit")
    @guarded("directory.edit")
    def edit(self, pk: int) -> Any:
        """Change a text; what was typed stays when something is wrong with it."""
        row = fetched(DocumentTemplate, pk)
        typed = {"name": row.name, "body": row.body}
        status, wrong = 200, {}
        if request.method == "POST":
            typed = {name: request.form.get(name, "").replace("\x00", "") for name in typed}
            try:
                with transaction():
                    new = operations.new_version(pk, typed["name"], typed["body"], actor=actor())
                    saved = new.id
                return redirect(url_for(".show", pk=saved), 303)
            except Refusal as refusal:
                say(refusal)
                status, wrong = refusal.status, refusal.facts.get("fields", {})
                row = fetched(DocumentTemplate, pk)
        page = self.render_template(
            "documents/template_edit.html", row=row, typed=typed, wrong=wrong, fields=_field_names(),
            title=gettext("Document template"), kinds=TemplateKind,
        )  # fmt: skip
        return page, status

    @expose("/<int:pk>/preview.pdf")
    @permission_name("show")
    @guarded("directory.see")
    def preview(self, pk: int) -> Any:
        """The stored text, printed for an invented patient."""
        row = fetched(DocumentTemplate, pk)
        return as_pdf(operations.try_out(row.kind, row.body), f"template-{row.kind}-v{row.version}")

    @expose("/<int:pk>/try.pdf", methods=["POST"])
    @permission_name("edit")
    @guarded("directory.edit")
    def try_out(self, pk: int) -> Any:
        """The text as it is being typed, printed for an invented patient; nothing is saved."""
        row = fetched(DocumentTemplate, pk)
        body = request.form.get("body", "").replace("\x00", "")[:100_000]
        return as_pdf(operations.try_out(row.kind, body), f"template-{row.kind}-draft")


def _field_names() -> list[str]:
    """Every merge field as a template writes it."""
    names = []
    for key, value in queries.sample_fields("contract").items():
        if isinstance(value, dict):
            for inner, deeper in value.items():
                names += (
                    [f"{key}.{inner}.{last}" for last in deeper] if isinstance(deeper, dict) else [f"{key}.{inner}"]
                )
    return names
