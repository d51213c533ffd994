"""Changes of the documents' room: issue a paper.

A paper is numbered, filled in, printed and frozen in one transaction. Where next:
`templates.py`, `paper.py`, `app/pdf.py`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from app import access, audit, clock, pdf
from app.db import next_number, session
from app.documents import paper, queries
from app.errors import Invalid, NotFound, Refusal
from app.models import IssuedDocument, Patient, User
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
    TemplateKind.CONSENT_ANESTHESIA: "Согласие на местную анестезию",
    TemplateKind.CONSENT_THERAPY: "Согласие на лечение кариеса",
    TemplateKind.CONSENT_ENDODONTICS: "Согласие на лечение корневых каналов",
    TemplateKind.CONSENT_EXTRACTION: "Согласие на удаление зуба",
    TemplateKind.CONSENT_IMPLANTATION: "Согласие на имплантацию и костную пластику",
    TemplateKind.CONSENT_PROSTHETICS: "Согласие на протезирование",
    TemplateKind.CONSENT_ORTHODONTICS: "Согласие на ортодонтическое лечение",
    TemplateKind.CONSENT_HYGIENE: "Согласие на гигиену и отбеливание",
    TemplateKind.CONSENT_CHILDREN: "Согласие на лечение ребёнка",
    TemplateKind.CONSENT_XRAY: "Согласие на рентгенологическое исследование",
    TemplateKind.REFUSAL: "Отказ от медицинского вмешательства",
    TemplateKind.WORK_ORDER: "Наряд",
    TemplateKind.ACT: "Акт",
    TemplateKind.GUARANTEE: "Гарантийный талон",
    TemplateKind.RECEIPT: "Квитанция",
}
#: What is asked before a kind of treatment, and its refusal: chosen from a list.
OF_TREATMENT = (
    TemplateKind.CONSENT_ANESTHESIA, TemplateKind.CONSENT_XRAY, TemplateKind.CONSENT_THERAPY,
    TemplateKind.CONSENT_ENDODONTICS, TemplateKind.CONSENT_EXTRACTION, TemplateKind.CONSENT_IMPLANTATION,
    TemplateKind.CONSENT_PROSTHETICS, TemplateKind.CONSENT_ORTHODONTICS, TemplateKind.CONSENT_HYGIENE,
    TemplateKind.CONSENT_CHILDREN, TemplateKind.REFUSAL,
)  # fmt: skip
#: The papers that are made of money: of a receipt, a work order, what a year paid.
OF_MONEY = (TemplateKind.TAX_CERTIFICATE, TemplateKind.RECEIPT, *queries.OF_ORDER)
#: The papers that need nothing but the card.
FROM_CARD = tuple(kind for kind in TemplateKind if kind not in OF_MONEY)
#: What a newcomer signs; printed together.
FIRST_VISIT = (
    TemplateKind.CONTRACT, TemplateKind.CONSENT_PERSONAL_DATA, TemplateKind.CONSENT_TREATMENT,
    TemplateKind.HEALTH_QUESTIONNAIRE,
)  # fmt: skip


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
    require_patient_of(patient_id, "document.print", actor=actor)
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
