"""The texts of papers beside their editor: the check, the preview, what was changed between two versions.

Saving is `../panel.py`; nothing here changes a text. Where next: `../operations/templates.py`.
"""

from typing import Any

from flask import request
from flask_babel import gettext

from app import access
from app.db import transaction
from app.documents import operations, paper, queries
from app.errors import NotFound
from app.looks import label
from app.models import DocumentTemplate
from app.pdf import as_pdf
from app.vocab import TemplateKind
from app.web import DeskView, actor, expose, fetched, guarded


def _typed_body() -> str:
    return request.form.get("body", "").replace("\x00", "")


class TemplatesView(DeskView):
    """What one does with a text before it is saved."""

    route_base = "/document-templates"

    @expose("/<int:pk>/preview.pdf")
    @guarded("directory.see")
    def preview(self, pk: int) -> Any:
        """The stored text, printed for an invented patient."""
        row = fetched(DocumentTemplate, pk)
        with transaction():
            made = operations.try_out(row.kind, row.body, child=request.args.get("whose") == "child")
        return as_pdf(made, f"template-{row.kind}-v{row.version}")

    @expose("/<int:pk>/check", methods=["POST"])
    @guarded("directory.edit")
    def check(self, pk: int) -> Any:
        """What is wrong with the text as it is being typed: a part of the page."""
        row = fetched(DocumentTemplate, pk)
        return self.page("documents/_problems.html", problems=operations.check_text(row.kind, _typed_body()))

    @expose("/<int:pk>/try.pdf", methods=["POST"])
    @guarded("directory.edit")
    def try_out(self, pk: int) -> Any:
        """The text as it is being typed, printed for an invented adult, an invented child or a patient; not saved."""
        row = fetched(DocumentTemplate, pk)
        given = request.form.get("patient_id", "")
        patient_id = None
        if request.form.get("whose") == "patient":
            access.require(actor(), "card.see")
            patient_id = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
            if queries.card(patient_id) is None:
                raise NotFound()
        with transaction():
            made = operations.try_out(
                row.kind,
                _typed_body(),
                child=request.form.get("whose") == "child",
                patient_id=patient_id,
                actor=actor(),
            )
        return as_pdf(made, f"template-{row.kind}-draft")

    @expose("/compare/<kind>")
    @guarded("directory.see")
    def compare(self, kind: str) -> Any:
        """Two versions of a text, what differs marked; 0 is the text that came with the product."""
        versions = queries.versions_of(kind) if kind in set(TemplateKind) else []
        if not versions:
            raise NotFound()
        newest = versions[0].version
        new = _number("new", newest)
        old = _number("old", new - 1)
        texts = [self._text(kind, version) for version in (old, new)]
        return self.page(
            "documents/template_compare.html", title=gettext("Versions of a text"), kind=label(TemplateKind, kind),
            versions=versions, old=old, new=new, lines=queries.compared(*texts), code=kind, newest=versions[0],
        )  # fmt: skip

    @staticmethod
    def _text(kind: str, version: int) -> str:
        if version == 0:
            return paper.shipped(kind)
        row = queries.version_of(kind, version)
        if row is None:
            raise NotFound()
        return row.body


def _number(name: str, otherwise: int) -> int:
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 5 else max(otherwise, 0)
