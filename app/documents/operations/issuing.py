"""Changes of the documents' room: issue a paper, give a template a new version.

A paper is numbered, filled in and frozen in one short transaction; its bytes are made by a job, once. Where next:
`rendering.py`, `paper.py`, `app/pdf.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from app import access, audit, clock, pdf
from app.db import lock, lock_word, next_numbers, session
from app.documents import paper, queries
from app.errors import Invalid, NotFound, Refusal, Stale
from app.models import DocumentTemplate, IssuedDocument, PaperJob, Patient, User
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


def ship_templates() -> None:
    """Give each kind of paper that has no text yet the one that came with the product."""
    have = set(session.scalars(select(DocumentTemplate.kind)))
    for kind in TemplateKind:
        if kind not in have:
            session.add(
                DocumentTemplate(
                    kind=kind, name=TITLES[kind], version=1, body=paper.shipped(kind), active=True,
                    created_at=clock.now(),
                )
            )  # fmt: skip
    session.flush()


def filled_in(title: str, number: str, body: str, values: Mapping[str, Any]) -> str:
    """A filled in paper as a page of HTML: the snapshot of every value.

    Raises:
        TemplateBroken
    """
    return paper.sheet(title, f"{title} № {number}", paper.fill_in(body, values))


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


def issue(kind: str, patient_id: int, *, actor: User | None) -> IssuedDocument:
    """Number a paper for a patient and freeze it, filled in by the newest text; a job makes its bytes.

    Issuing says nothing about consent: a signature is a separate act. Locks the series of the kind's
    numbers until the end of the transaction. Whoever commits hands it to `jobs.hand_over`.

    Raises:
        NotAllowed, NotFound
        Invalid: no such kind of paper, or one that is made of more than the card.
        NoTemplate, NoLegalEntity, TemplateBroken
    """
    if kind not in FROM_CARD:
        access.require(actor, "document.print")
        raise Invalid(fields={"kind": N_("Unknown value.")})
    [row] = freeze([TemplateKind(kind)], _patient_for(patient_id, actor), {}, actor=actor)
    return row


def issue_first_visit(patient_id: int, *, actor: User | None) -> list[IssuedDocument]:
    """Number and freeze all that a newcomer signs, in one go: all of it or nothing.

    Raises:
        As `issue`.
    """
    patient = _patient_for(patient_id, actor)
    return freeze(queries.first_visit_kinds(), patient, {}, actor=actor)


def _patient_for(patient_id: int, actor: User | None) -> Patient:
    access.require(actor, "document.print")
    patient = queries.card(patient_id)
    if patient is None:
        raise NotFound()
    require_patient_of(patient_id, "document.print", actor=actor)
    return patient


def freeze(
    kinds: Sequence[TemplateKind], patient: Patient, more: Mapping[str, Any], *, actor: User | None
) -> list[IssuedDocument]:
    """As `issue`, the right and the patient already checked: papers that go together, in this order.

    `more` are values that the card does not have. The numbers of all kinds are taken at once, so that two who issue
    the same kinds in another order do not wait crosswise.
    """
    templates = {kind: queries.active_template(kind) for kind in kinds}
    if None in templates.values():
        raise NoTemplate()
    signing = queries.legal_entity_for(actor)
    if signing is None:
        raise NoLegalEntity()
    day = clock.today()
    numbers = next_numbers(signing[0].id, dict.fromkeys(kinds, 1))
    rows: list[IssuedDocument] = []
    for kind in kinds:
        template, [number] = templates[kind], numbers[kind]
        assert template is not None
        values = queries.merge_fields(patient, *signing, number, actor, kind=kind)
        for name, value in more.items():
            values[name] = {**value, "number": str(number)} if name == "tax" else value
        html = filled_in(TITLES[kind], str(number), template.body, values)
        row = IssuedDocument(
            kind=kind, legal_entity_id=signing[0].id, year=day.year, number=number, day=day, patient_id=patient.id,
            template_id=template.id, first_id=rows[0].id if rows else None, html=html, created_at=clock.now(),
            created_by_id=actor.id if actor else None,
        )  # fmt: skip
        rows.append(_frozen(row, actor))
    return rows


def _frozen(row: IssuedDocument, actor: User | None) -> IssuedDocument:
    """Written, with the job that prints it. Records `document.issued`."""
    session.add(row)
    session.flush()
    session.add(PaperJob(document_id=row.id, created_at=row.created_at, created_by_id=row.created_by_id))
    audit.record(
        "document.issued", row, patient_id=row.patient_id, actor=actor,
        after=audit.facts(row, ("kind", "number", "year", "template_id")),
    )  # fmt: skip
    return row


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
    return pdf.render(filled_in(TITLES[TemplateKind(kind)], "123", body, queries.sample_fields()))
