"""Changes of the documents' room: issue a paper, give a template a new version.

A paper is numbered, filled in, printed and frozen in one transaction. Where next: `paper.py`, `app/pdf.py`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from app import access, audit, clock, pdf
from app.db import lock, lock_word, next_number, session
from app.documents import paper, queries
from app.errors import Invalid, NotFound, Refusal, Stale
from app.models import DocumentTemplate, IssuedDocument, Patient, User
from app.vocab import N_, TemplateKind


class NoTemplate(Refusal):
    code = "no_template"
    sentence = N_("There is no text for this document yet. Add it in the directory “Document templates”.")


class NoLegalEntity(Refusal):
    code = "no_legal_entity"
    sentence = N_("The clinic has no branch with a legal entity yet. Add them in the directories.")


#: The names that papers carry; they are Russian in every language of the screen.
TITLES = {
    TemplateKind.CONTRACT: "Договор на оказание платных медицинских услуг",
    TemplateKind.CONSENT_PERSONAL_DATA: "Согласие на обработку персональных данных",
    TemplateKind.CONSENT_TREATMENT: "Информированное добровольное согласие на медицинское вмешательство",
    TemplateKind.CONSENT_ADVERTISING: "Согласие на получение рекламных сообщений",
    TemplateKind.HEALTH_QUESTIONNAIRE: "Анкета о здоровье",
    TemplateKind.TREATMENT_PLAN: "План лечения и смета",
    TemplateKind.REFERRAL: "Направление",
    TemplateKind.MEDICAL_CARD: "Медицинская карта 043/у",
    TemplateKind.TAX_CERTIFICATE: "Справка об оплате медицинских услуг",
}
#: The papers that need nothing but the card.
FROM_CARD = tuple(kind for kind in TemplateKind if kind != TemplateKind.TAX_CERTIFICATE)
#: The papers that say what else than a card's face is known of a patient, and the right that covers it.
SECRET = {TemplateKind.HEALTH_QUESTIONNAIRE: "survey.see", TemplateKind.MEDICAL_CARD: "medical.print"}
#: What a newcomer signs; printed together.
FIRST_VISIT = (
    TemplateKind.CONTRACT, TemplateKind.CONSENT_PERSONAL_DATA, TemplateKind.CONSENT_TREATMENT,
    TemplateKind.HEALTH_QUESTIONNAIRE,
)  # fmt: skip


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


def printed(title: str, number: str, body: str, values: Mapping[str, Any]) -> tuple[str, bytes]:
    """A filled in paper: its HTML and its PDF.

    Raises:
        TemplateBroken, NotPrintable
    """
    html = paper.sheet(title, f"{title} № {number}", paper.fill_in(body, values))
    return html, pdf.render(html)


def require_patient_of(patient_id: int, right: str, *, actor: User | None) -> None:
    """Refuse a doctor the papers of other doctors' patients: as if there were no such card.

    Raises:
        NotAllowed, NotFound
    """
    if actor is None:
        return
    own = access.account(actor).own_only(right)
    if own is not None and not queries.is_patient_of(own, patient_id):
        raise NotFound()


def require_paper(paper_kind: str, patient_id: int, *, actor: User | None) -> None:
    """Refuse a paper of somebody else's patient, and one that tells what the account may not see.

    Raises:
        NotAllowed, NotFound
    """
    require_patient_of(patient_id, "document.print", actor=actor)
    if right := SECRET.get(TemplateKind(paper_kind)):
        access.require(actor, right)
        require_patient_of(patient_id, right, actor=actor)


def issue(kind: str, patient_id: int, *, actor: User | None) -> IssuedDocument:
    """Number a paper for a patient, fill in the newest text and freeze the bytes that are printed.

    Issuing says nothing about consent: a signature is a separate act. Locks the series of the kind's
    numbers until the end of the transaction.

    Raises:
        NotAllowed, NotFound
        Invalid: no such kind of paper, or one that is made of more than the card.
        NoTemplate, NoLegalEntity, TemplateBroken, NotPrintable
    """
    access.require(actor, "document.print")
    if kind not in FROM_CARD:
        raise Invalid(fields={"kind": N_("Unknown value.")})
    patient = queries.card(patient_id)
    if patient is None:
        raise NotFound()
    require_paper(kind, patient_id, actor=actor)
    return freeze(TemplateKind(kind), patient, {}, actor=actor)


def freeze(kind: TemplateKind, patient: Patient, more: Mapping[str, Any], *, actor: User | None) -> IssuedDocument:
    """As `issue`, the right and the patient already checked; `more` are values that the card does not have."""
    template = queries.active_template(kind)
    if template is None:
        raise NoTemplate()
    signing = queries.legal_entity_for(actor)
    if signing is None:
        raise NoLegalEntity()
    entity, branch = signing
    day = clock.today()
    number = next_number(entity.id, kind)
    values = queries.merge_fields(patient, entity, branch, number, actor, kind=kind)
    for name, value in more.items():
        values[name] = {**value, "number": str(number)} if name == "tax" else value
    html, made = printed(TITLES[kind], str(number), template.body, values)
    row = IssuedDocument(
        kind=kind, legal_entity_id=entity.id, year=day.year, number=number, day=day, patient_id=patient.id,
        template_id=template.id, html=html, pdf=made, sha256=hashlib.sha256(made).hexdigest(),
        created_at=clock.now(), created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(
        "document.issued", row, patient_id=patient.id, actor=actor,
        after=audit.facts(row, ("kind", "number", "year", "template_id", "sha256")),
    )  # fmt: skip
    return row


def issue_first_visit(patient_id: int, *, actor: User | None) -> list[IssuedDocument]:
    """Number and freeze all that a newcomer signs, in one go: all of it or nothing.

    Raises:
        As `issue`.
    """
    return [issue(kind, patient_id, actor=actor) for kind in FIRST_VISIT]


def new_version(template_id: int, name: str, body: str, *, actor: User | None) -> DocumentTemplate:
    """Save a changed text as the next version; papers issued before keep theirs.

    The text is tried on an invented patient first.

    Raises:
        NotAllowed, NotFound
        Invalid: no name or no text, or too much of it.
        Stale: somebody saved a newer version meanwhile.
        TemplateBroken, NotPrintable
    """
    access.require(actor, "directory.edit")
    old = lock(DocumentTemplate, template_id)
    if not isinstance(old, DocumentTemplate):
        raise NotFound()
    lock_word(f"template {old.kind}")
    newest = session.scalar(select(func.max(DocumentTemplate.version)).where(DocumentTemplate.kind == old.kind))
    if newest != old.version:
        raise Stale()
    wrong: dict[str, str] = {}
    if not name.strip() or len(name) > 200:
        wrong["name"] = N_("Fill in this field.") if not name.strip() else N_("This text is too long.")
    if not body.strip() or len(body) > 100_000:
        wrong["body"] = N_("Fill in this field.") if not body.strip() else N_("This text is too long.")
    if wrong:
        raise Invalid(fields=wrong)
    body = body.replace("\r\n", "\n").strip() + "\n"
    try_out(old.kind, body)
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


def try_out(kind: str, body: str) -> bytes:
    """A text printed for an invented patient.

    Raises:
        TemplateBroken, NotPrintable
    """
    return printed(TITLES[TemplateKind(kind)], "123", body, queries.sample_fields())[1]
