"""Changes of the documents' room: issue a paper.

A paper is numbered, filled in and frozen in one short transaction; its bytes are made by a job, once. Where next:
`rendering.py`, `templates.py`, `paper.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext

from app import access, audit, clock
from app.db import next_numbers, session
from app.documents import paper, queries, rules
from app.errors import CardArchived, Invalid, NotFound, Refusal
from app.models import IssuedDocument, LegalEntity, PaperJob, Patient, User
from app.patients import operations as cards
from app.vocab import N_, CardStatus, TemplateKind


class NoTemplate(Refusal):
    code = "no_template"
    sentence = N_("There is no text for this document yet. Add it in the directory “Document templates”.")


class NoLegalEntity(Refusal):
    code = "no_legal_entity"
    sentence = N_("The clinic has no branch with a legal entity yet. Add them in the directories.")


class NoRequisites(Refusal):
    """A paper would be void without these requisites of the legal entity. `missing`."""

    code = "no_requisites"
    status = 409
    sentence = N_(
        "“%(entity)s” lacks in its requisites: %(missing)s. The director fills this in, directory “Legal entities”;"
        " without it this document is void."
    )


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
#: What is asked for of a patient who has left.
OF_THE_PAST = (TemplateKind.MEDICAL_CARD,)
#: The papers that say what else than a card's face is known of a patient, and the right that covers it.
SECRET = {TemplateKind.HEALTH_QUESTIONNAIRE: "survey.see", TemplateKind.MEDICAL_CARD: "medical.print"}


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


def require_person(patient_id: int, *, actor: User | None) -> None:
    """Refuse what names a patient whose card was emptied to everybody but the director, for whom the law keeps it.

    Raises:
        NotAllowed
    """
    if actor is not None and queries.is_erased(patient_id):
        access.require(actor, "card.erase")


def require_paper(paper_kind: str, patient_id: int, *, actor: User | None) -> None:
    """Refuse a paper of somebody else's patient, and one that tells what the account may not see.

    Raises:
        NotAllowed, NotFound
    """
    require_patient_of(patient_id, "document.print", actor=actor)
    require_person(patient_id, actor=actor)
    if right := SECRET.get(TemplateKind(paper_kind)):
        access.require(actor, right)
        require_patient_of(patient_id, right, actor=actor)


def issue(kind: str, patient_id: int, *, actor: User | None) -> IssuedDocument:
    """Number a paper for a patient and freeze it, filled in by the newest text; a job makes its bytes.

    Issuing says nothing about consent: a signature is a separate act. Locks the series of the kind's
    numbers until the end of the transaction. Whoever commits hands it to `jobs.hand_over`.

    Raises:
        NotAllowed, NotFound, CardArchived, CardErased, CardMerged
        Invalid: no such kind of paper, or one that is made of more than the card.
        NoTemplate, NoLegalEntity, NoRequisites, TemplateBroken
    """
    if kind not in FROM_CARD:
        access.require(actor, "document.print")
        raise Invalid(fields={"kind": N_("Unknown value.")})
    patient = _patient_for(patient_id, actor)
    require_paper(kind, patient_id, actor=actor)
    _require_issuable(patient, [TemplateKind(kind)])
    [row] = freeze([TemplateKind(kind)], patient, {}, actor=actor)
    return row


def issue_first_visit(patient_id: int, *, actor: User | None) -> list[IssuedDocument]:
    """Number and freeze all that a newcomer signs, in one go: all of it or nothing.

    Raises:
        As `issue`.
    """
    patient, kinds = _patient_for(patient_id, actor), queries.first_visit_kinds()
    for kind in kinds:
        require_paper(kind, patient_id, actor=actor)
    _require_issuable(patient, kinds)
    return freeze(kinds, patient, {}, actor=actor)


def _patient_for(patient_id: int, actor: User | None) -> Patient:
    access.require(actor, "document.print")
    patient = queries.card(patient_id)
    if patient is None:
        raise NotFound()
    require_patient_of(patient_id, "document.print", actor=actor)
    return patient


def issuable(patient: Patient, kinds: Sequence[TemplateKind]) -> list[TemplateKind]:
    """Which of these papers a card can still get: none that is gone, and of the archive what was written of it."""
    if patient.erased_at is not None or patient.merged_into_id is not None:
        return []
    return [kind for kind in kinds if patient.status != CardStatus.ARCHIVED or kind in OF_THE_PAST]


def _require_issuable(patient: Patient, kinds: Sequence[TemplateKind]) -> None:
    cards.check_there(patient)
    if len(issuable(patient, kinds)) < len(kinds):
        raise CardArchived()


def require_requisites(kind: str, entity: LegalEntity) -> None:
    """Refuse a paper that would be void without what the legal entity's requisites lack.

    Raises:
        NoRequisites
    """
    has = {
        "name": entity.name, "inn": entity.inn, "kpp": entity.kpp, "ogrn": entity.ogrn, "address": entity.address,
        "licence": entity.licence_number or entity.licence,
    }  # fmt: skip
    if missing := rules.missing_requisites(kind, has):
        said = ", ".join(gettext(word) for word in missing.values())
        raise NoRequisites({"entity": entity.short_name, "missing": said}, missing=list(missing))


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
    for kind in kinds:
        require_requisites(kind, signing[0])
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
