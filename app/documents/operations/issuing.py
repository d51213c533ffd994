"""Changes of the documents' room: issue a paper.

A paper is numbered, filled in and frozen in one short transaction; its bytes are made by a job, once. Where next:
`rendering.py`, `templates.py`, `paper.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app import access, audit, clock
from app.db import next_numbers, session
from app.documents import paper, queries
from app.errors import Invalid, NotFound, Refusal
from app.models import IssuedDocument, PaperJob, Patient, User
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
