"""The texts of papers: shipped once, checked, tried out, saved as the next version.

Papers issued before keep the text they were printed with. Where next: `../paper.py`, `issuing.py`.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app import access, audit, clock, pdf
from app.db import lock, lock_word, session
from app.documents import paper, queries
from app.documents.operations.issuing import TITLES, NoLegalEntity
from app.errors import Invalid, NotFound, Refusal, Stale
from app.models import DocumentTemplate, User
from app.patients import operations as patients
from app.vocab import N_, TemplateKind

LONGEST_TEXT = 100_000
#: What stands across the sheet of a trial, so that nobody takes it for a paper.
_SPECIMEN = "ОБРАЗЕЦ"


class NoExample(Refusal):
    code = "no_example"
    sentence = N_("This patient has nothing that such a document is made of yet. Choose another one.")


def ship_templates() -> None:
    """Give each kind of paper the text that comes with the product.

    A text that nobody has edited follows the product as its next version; one that a clinic made its own stays.
    """
    newest = {
        row.kind: row
        for row in session.scalars(select(DocumentTemplate).order_by(DocumentTemplate.kind, DocumentTemplate.version))
    }
    for kind in TemplateKind:
        old, body = newest.get(kind), paper.shipped(kind)
        if old is not None and (old.created_by_id is not None or not old.active or old.body == body):
            continue
        if old is not None:
            old.active = False
            session.flush()
        session.add(
            DocumentTemplate(
                kind=kind, name=old.name if old else TITLES[kind], version=old.version + 1 if old else 1, body=body,
                active=True, created_at=clock.now(),
            )
        )  # fmt: skip
    session.flush()


def text_of(kind: TemplateKind) -> str:
    """The text that is printed now; the one that came with the product while the clinic has none."""
    row = queries.active_template(kind)
    return row.body if row is not None else paper.shipped(kind)


def check_text(kind: str, body: str) -> list[paper.Problem]:
    """All that is wrong with a text; it is tried for an adult and a child, and printed when nothing else is found.

    And for newcomers, of whom nothing is known yet, so that the first of them is not refused a paper at the desk.
    """
    body = _tidy(body)
    if len(body) > LONGEST_TEXT:
        return [paper.Problem(0, paper.problems.ENDLESS)]
    for child in (False, True):
        if found := paper.check(body, queries.sample_fields(kind, child=child)):
            return found
    for child in (False, True):
        if found := paper.check(body, queries.bare_fields(kind, child=child)):
            return [paper.problems.when_empty(problem) for problem in found]
    try:
        for child in (False, True):
            try_out(kind, body, child=child)
    except pdf.NotPrintable as refusal:
        return [paper.Problem(0, refusal.sentence)]
    return []


def try_out(
    kind: str, body: str, *, child: bool = False, patient_id: int | None = None, actor: User | None = None
) -> bytes:
    """A text printed for an invented adult, an invented child or a patient; marked as a specimen, nothing is saved.

    Whose card was looked at is written down like any opening of it.

    Raises:
        NotFound, NoExample, NoLegalEntity, TemplateBroken, NotPrintable
    """
    if patient_id is None:
        values: Mapping[str, Any] = queries.sample_fields(kind, child=child)
    else:
        values = _of_patient(kind, patient_id, actor)
        patients.note_opening(patient_id, actor=actor)
    body = _tidy(body)
    if len(body) > LONGEST_TEXT:
        raise paper.TemplateBroken([paper.Problem(0, paper.problems.ENDLESS)])
    title = TITLES[TemplateKind(kind)]
    size = "a5" if kind == TemplateKind.RECEIPT else "a4"
    html = paper.sheet(title, f"{title} № 123", paper.fill_in(body, values), size)
    return pdf.stamped(pdf.render(html), _SPECIMEN)


def _of_patient(kind: str, patient_id: int, actor: User | None) -> Mapping[str, Any]:
    """The values that a paper of this kind would have for the patient now."""
    patient, signing = queries.card(patient_id), queries.legal_entity_for(actor)
    if patient is None:
        raise NotFound()
    if signing is None:
        raise NoLegalEntity()
    values = queries.example_of(kind, patient, *signing, actor)
    if values is None:
        raise NoExample()
    return values


def new_version(template_id: int, name: str, body: str, *, actor: User | None) -> DocumentTemplate:
    """Save a changed text as the next version; papers issued before keep theirs.

    The text is checked and printed for people who do not exist first. Locks the kind of paper.

    Raises:
        NotAllowed, NotFound
        Invalid: no name or no text, or too much of it.
        Stale: somebody saved a newer version meanwhile; `newest` is its number.
        TemplateBroken
    """
    access.require(actor, "directory.edit")
    old = lock(DocumentTemplate, template_id)
    if not isinstance(old, DocumentTemplate):
        raise NotFound()
    lock_word(f"template {old.kind}")
    newest = session.scalar(select(func.max(DocumentTemplate.version)).where(DocumentTemplate.kind == old.kind))
    if newest != old.version:
        raise Stale(newest=newest)
    wrong, body = {}, _tidy(body)
    if not name.strip() or len(name) > 200:
        wrong["name"] = N_("Fill in this field.") if not name.strip() else N_("This text is too long.")
    if not body.strip() or len(body) > LONGEST_TEXT:
        wrong["body"] = N_("Fill in this field.") if not body.strip() else N_("This text is too long.")
    if wrong:
        raise Invalid(fields=wrong)
    if found := check_text(old.kind, body):
        raise paper.TemplateBroken(found)
    if (old.name, old.body) == (name.strip(), body):
        return old
    old.active = False
    session.flush()
    row = DocumentTemplate(
        kind=old.kind, name=name.strip(), version=old.version + 1, body=body, active=True,
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    names = ("kind", "name", "version")
    audit.record("template.changed", row, before=audit.facts(old, names), after=audit.facts(row, names), actor=actor)
    return row


def _tidy(body: str) -> str:
    return body.replace("\r\n", "\n").replace("\x00", "").strip() + "\n"
