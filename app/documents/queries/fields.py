"""What a paper is filled in with: the merge fields of the clinic, the patient, who signs, the services.

What the clinic does not know is an empty text, and the paper has a line there. Where next: `samples.py`, the same for
people who do not exist; `../rules/dictionary.py`, what each field means; `../paper.py`, which puts them into a text.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from flask_babel import force_locale, gettext
from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased, joinedload

from app import clock
from app.billing import queries as billing
from app.db import session
from app.documents import rules
from app.documents.queries.health import health_fields
from app.documents.queries.treatment import OF_TREATMENT, diagnosis_for, paid_fields, stage_fields, treatment_fields
from app.models import (
    Appointment,
    Branch,
    ClinicSetting,
    Employee,
    IssuedDocument,
    LegalEntity,
    Patient,
    PatientPhone,
    ServiceAct,
    User,
    WorkOrder,
    WorkOrderLine,
)
from app.patients import queries as cards
from app.patients import rules as patients
from app.vocab import AppointmentStatus, IdentityType, TemplateKind, WorkOrderStatus

#: In force since 01.09.2026; the clinic's setting overrides it when the act changes.
PAID_SERVICES_ACT = (
    "Правила предоставления медицинскими организациями платных медицинских услуг,"
    " утв. Постановлением Правительства РФ от 30.05.2026 № 659"
)
#: What a work order is while its services are agreed or were done.
_STANDS = (WorkOrderStatus.DRAFT, WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)
_PERSON = (
    "fio", "fio_gen", "fio_dat", "fio_short", "last_name", "first_name", "middle_name", "birth_date", "age", "sex",
    "phone", "email", "address_reg", "address_live", "inn", "snils", "insurance", "oms_insurer", "oms_policy",
    "card_number", "card_opened", "allergy", "relation", "basis_document",
)  # fmt: skip
#: The parts of an identity document as templates name them; `text` is all of it in one line.
_PASSPORT = ("type", "code", "series", "number", "issued_by", "issued_date", "dept_code", "text")


def person(patient: Patient | None, day: date) -> dict[str, Any]:
    """The merge fields of a patient or a representative; all empty when there is none."""
    if patient is None:
        return {**dict.fromkeys(_PERSON, ""), "passport": dict.fromkeys(_PASSPORT, "")}
    insurer, policy = rules.policy_of(patient.insurance)
    return {
        "fio": patient.full_name,
        "fio_gen": patients.genitive_of(patient),
        "fio_dat": patients.dative_of(patient),
        "fio_short": patient.short_name,
        "last_name": patient.surname,
        "first_name": patient.name,
        "middle_name": patient.patronymic,
        "birth_date": rules.short_day(patient.birth_date),
        "age": rules.age_in_words(patient.birth_date, day),
        "sex": {"male": "мужской", "female": "женский"}.get(patient.sex or "", ""),
        "phone": _first_phone(patient.phones),
        "email": patient.email,
        "address_reg": patient.address,
        "address_live": "",
        "inn": patient.inn,
        "snils": patient.snils,
        "insurance": patient.insurance,
        "oms_insurer": insurer,
        "oms_policy": policy,
        "card_number": str(patient.card_number),
        "card_opened": rules.short_day(clock.wall(patient.created_at).date()) if patient.created_at else "",
        "allergy": patient.allergy,
        "relation": "",
        "basis_document": "",
        "passport": passport(patient),
    }


def passport(patient: Patient) -> dict[str, str]:
    """The merge fields of a patient's identity document; `code` is the tax office's."""
    kind = patient.identity_type or ""
    with force_locale("ru"):
        word = gettext(IdentityType(kind).label) if kind else ""
    values = (
        word, kind, patient.identity_series, patient.identity_number, patient.identity_issued_by,
        rules.short_day(patient.identity_issued_on), patient.identity_dept_code, cards.identity_of(patient),
    )  # fmt: skip
    return dict(zip(_PASSPORT, values, strict=True))


def employee_fields(employee: Employee | None) -> dict[str, Any]:
    """The merge fields of a doctor, or of who issues the paper."""
    if employee is None:
        return dict.fromkeys(("fio", "fio_gen", "fio_short", "post", "post_gen", "basis"), "")
    post = employee.post or (employee.speciality.name if employee.speciality else "")
    return {
        "fio": employee.full_name, "fio_gen": patients.genitive_of(employee), "fio_short": employee.short_name,
        "post": post, "post_gen": employee.post_genitive or rules.post_genitive(post), "basis": employee.acting_on,
    }  # fmt: skip


def clinic_fields(entity: LegalEntity, branch: Branch | None) -> dict[str, Any]:
    """The merge fields of the clinic."""
    company = len(entity.inn or "") == 10
    return {
        "legal_name": entity.name, "short_name": entity.short_name, "brand": entity.brand or entity.short_name,
        "address": entity.address, "actual_address": (branch.address if branch else "") or entity.address,
        "branch": branch.name if branch else "",
        "phone": rules.phone((branch.phone if branch else "") or entity.phone or ""),
        "email": entity.email, "site": entity.site,
        "inn": entity.inn, "kpp": entity.kpp, "ogrn": entity.ogrn, "okpo": entity.okpo,
        "bank_name": entity.bank_name, "bik": entity.bank_bik, "account": entity.bank_account,
        "corr_account": entity.bank_corr_account,
        "bank_details": rules.bank_line(
            entity.bank_account, entity.bank_name, entity.bank_bik, entity.bank_corr_account
        ) or entity.bank_details,
        "director_fio": entity.director_name, "director_fio_short": rules.short_name(entity.director_name or ""),
        "director_fio_gen": entity.director_name_genitive or patients.genitive_of_text(entity.director_name or ""),
        "director_post": entity.director_post,
        "director_post_gen": entity.director_post_genitive or rules.post_genitive(entity.director_post or ""),
        "acting_on": entity.acting_on or ("Устава" if company else ""),
        "license": {
            "text": rules.licence_line(
                entity.licence_number, entity.licence_day, entity.licence_issuer, entity.licence_issuer_address,
                entity.licence_issuer_phone,
            ) or entity.licence,
            "number": entity.licence_number, "date": rules.short_day(entity.licence_day),
            "issuer": entity.licence_issuer, "issuer_address": entity.licence_issuer_address,
            "issuer_phone": rules.phone(entity.licence_issuer_phone or ""), "works": entity.licence_works,
        },
    }  # fmt: skip


def merge_fields(
    patient: Patient, entity: LegalEntity, branch: Branch, number: int, actor: User | None, *, kind: str
) -> dict[str, Any]:
    """Every value that a text of a paper from the card may name; bills are of the legal entity whose paper it is."""
    day = clock.today()
    planned = kind == TemplateKind.TREATMENT_PLAN
    order = _agreed(patient.id, entity.id, planned=planned)
    agreed = left_fields(order) if order else order_fields([], None)
    own = {"number": str(number), "date": rules.short_day(day)}
    doctor = session.get(Employee, patient.doctor_id) if patient.doctor_id else None
    signer = session.scalars(select(Employee).where(Employee.user_id == actor.id)).first() if actor else None
    clinic = clinic_fields(entity, branch)
    return {
        "clinic": clinic,
        "legal": legal_fields(),
        **parties(patient, day, kind),
        "contract": {**own, "place": rules.town_of(clinic["actual_address"]), "valid_until": ""},
        "agreement": agreement_fields(patient.id, entity.id, day),
        "plan": plan_fields(
            own if planned else newest_paper(patient.id, entity.id, day, TemplateKind.TREATMENT_PLAN), order
        ),
        "trusted": trusted_fields(patient),
        "doctor": employee_fields(doctor),
        "staff": employee_fields(signer),
        "visit": visit_fields(_next_visit(patient.id, day)),
        "today": {"date": rules.short_day(day), "long": rules.long_day(day)},
        "pd": personal_data_fields(clinic),
        **agreed,
        **treatment_fields(
            agreed["services"] if _is_of_now(order, day) else [], diagnosis_for(patient.id, kind, actor)
        ),
        **health_fields(patient, kind),
    }  # fmt: skip


def legal_fields() -> dict[str, str]:
    """The acts that papers refer to."""
    setting = session.get(ClinicSetting, 1)
    return {"paid_services_act": (setting.paid_services_act if setting else "") or PAID_SERVICES_ACT}


def personal_data_fields(clinic: dict[str, Any]) -> dict[str, str]:
    """What a consent to the processing of personal data says of this clinic."""
    setting = session.get(ClinicSetting, 1)
    third_parties = setting.personal_data_processors if setting else ""
    return rules.personal_data(clinic["address"], clinic["email"], third_parties)


def payer_fields(patient: Patient, day: date) -> dict[str, Any]:
    """The merge fields of who pays: a person's, under the names that a company has them by too."""
    values = person(patient, day)
    return {**values, "name": values["fio"], "address": values["address_reg"], "ogrn": ""}


def trusted_fields(patient: Patient) -> list[dict[str, str]]:
    """Who may be told of the patient's health, to choose from: grown-up relatives, owners of other phones.

    The patient chooses by signing, so no text that comes with the product prints them by itself.
    """
    day, found = clock.today(), []
    ids = [row["id"] for row in cards.family(patient)]
    known = select(Patient).where(Patient.id.in_(ids), Patient.erased_at.is_(None)).order_by(Patient.id)
    for relative in session.scalars(known) if ids else ():
        if patients.signs(patients.age(relative.birth_date, day)) == patients.Signs.PATIENT:
            found.append({"fio": relative.full_name, "phone": _first_phone(relative.phones)})
    told = {one["phone"] for one in found}
    owned = [(phone.owner, rules.phone(phone.number)) for phone in patient.phones if phone.owner]
    return found + [{"fio": owner, "phone": number} for owner, number in owned if number not in told]


def _first_phone(numbers: Sequence[PatientPhone]) -> str:
    return rules.phone(numbers[0].number) if numbers else ""


def parties(patient: Patient, day: date, kind: str) -> dict[str, Any]:
    """The patient, the representative, who signs, who pays.

    `rep` is the guardian when the patient may not sign a paper of this kind by age; `rep.signs` is so even when the
    card names nobody: then the paper has lines. `payer` is who of the family pays, `signer` who signs.
    """
    signs = patients.signs(patients.age(patient.birth_date, day))
    alone = signs == patients.Signs.PATIENT or (signs == patients.Signs.TREATMENT_ONLY and kind in OF_TREATMENT)
    guardian = None if alone and patient.birth_date else patient.guardian
    by_rep = guardian is not None or not alone
    return {
        "patient": person(patient, day),
        "rep": {**person(guardian, day), "signs": by_rep},
        "payer": payer_fields(patient.payer or guardian or patient, day),
        "signer": person(guardian if by_rep else patient, day),
    }


def agreement_fields(patient_id: int, legal_entity_id: int, day: date) -> dict[str, str]:
    """The patient's newest contract with this legal entity on the day of the paper."""
    return newest_paper(patient_id, legal_entity_id, day, TemplateKind.CONTRACT)


def newest_paper(patient_id: int, legal_entity_id: int, day: date, kind: TemplateKind) -> dict[str, str]:
    """Number and day of the patient's newest paper of a kind: none is younger than the paper that names it."""
    row = session.execute(
        select(IssuedDocument.number, IssuedDocument.day)
        .where(IssuedDocument.patient_id == patient_id, IssuedDocument.kind == kind,
               IssuedDocument.legal_entity_id == legal_entity_id, IssuedDocument.day <= day)
        .order_by(IssuedDocument.day.desc(), IssuedDocument.id.desc()).limit(1)
    ).first()  # fmt: skip
    return {"number": str(row.number) if row else "", "date": rules.short_day(row.day) if row else ""}


def _next_visit(patient_id: int, day: date) -> Appointment | None:
    """Today's visit; else the next one."""
    return session.scalars(
        select(Appointment).options(joinedload(Appointment.doctor))
        .where(Appointment.patient_id == patient_id, Appointment.starts_at >= datetime.combine(day, time()),
               Appointment.status.not_in((AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW)))
        .order_by(Appointment.starts_at).limit(1)
    ).first()  # fmt: skip


def visit_fields(visit: Appointment | None) -> dict[str, str]:
    """The merge fields of a visit."""
    if visit is None:
        return {"date": "", "time": "", "doctor": "", "number": ""}
    return {
        "date": rules.short_day(visit.starts_at.date()), "time": f"{visit.starts_at:%H:%M}",
        "doctor": visit.doctor.full_name, "number": str(visit.id),
    }  # fmt: skip


def _is_of_now(order: WorkOrder | None, day: date) -> bool:
    """Is it what is about to be done or was done today? An older bill is no treatment that is agreed to now."""
    return order is not None and (order.status == WorkOrderStatus.DRAFT or order.issued_day == day)


def plan_fields(named: dict[str, str], order: WorkOrder | None) -> dict[str, Any]:
    """The merge fields of a treatment plan; its stages are the services by kinds of work, in the order of the lines."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for line, row in _left_services(order) if order else ():
        stages.setdefault(line.service.category.name, []).append(row)
    return {
        **named, "variant": "",
        "stage": [stage_fields(place, name, rows) for place, (name, rows) in enumerate(stages.items(), 1)],
    }  # fmt: skip


def _agreed(patient_id: int, legal_entity_id: int, *, planned: bool) -> WorkOrder | None:
    """What a contract signed now is about: the newest draft or bill of the legal entity of which anything is left.

    `planned`: a plan is about what is still to be done, so a draft goes before a bill.
    """
    back = aliased(WorkOrderLine)
    taken = (
        select(func.coalesce(func.sum(back.quantity), 0)).where(back.reverses_id == WorkOrderLine.id).scalar_subquery()
    )
    is_left = exists().where(WorkOrderLine.work_order_id == WorkOrder.id, WorkOrderLine.quantity + taken > 0)
    drafts_first = [(WorkOrder.status == WorkOrderStatus.DRAFT).desc()] if planned else []
    return session.scalars(
        select(WorkOrder)
        .where(WorkOrder.patient_id == patient_id, WorkOrder.legal_entity_id == legal_entity_id,
               WorkOrder.status.in_(_STANDS), is_left)
        .order_by(*drafts_first, WorkOrder.id.desc()).limit(1)
    ).one_or_none()  # fmt: skip


def _left_services(order: WorkOrder) -> list[tuple[WorkOrderLine, dict[str, Any]]]:
    """The lines of an order of which anything is left, with the merge fields of that."""
    of_line = {line.id: line for line in order.lines}
    left = [(of_line[one.line_id], one, one.back(one.left)) for one in billing.left_to_reverse(order) if one.left]
    return [
        (line, {
            "no": str(place), "code": line.called[0], "name": one.service, "tooth": line.tooth, "qty": str(one.left),
            "price": one.price, "discount": cost.discount, "sum": cost.total,
        })
        for place, (line, one, cost) in enumerate(left, 1)
    ]  # fmt: skip


def left_fields(order: WorkOrder) -> dict[str, Any]:
    """The merge fields of what reversing orders left of a bill, or of all of a draft."""
    left = _left_services(order)
    services = [row for _, row in left]
    net = sum((row["sum"] for row in services), Decimal(0))
    discount = sum((row["discount"] for row in services), Decimal(0))
    taxed = [{"vat": line.service.vat, "total": row["sum"]} for line, row in left]
    totals = {
        **order_fields(order.lines, order)["totals"],
        "gross": net + discount, "discount": discount, "net": net, "net_words": rules.rubles_in_words(net),
        "vat": rules.vat_sentence(rules.vat_words(taxed)),
    }  # fmt: skip
    return {"services": services, "totals": totals}


def order_fields(lines: Sequence[WorkOrderLine], order: WorkOrder | None) -> dict[str, Any]:
    """The merge fields of a work order's services and totals."""
    services = [
        {
            "no": str(line.position), "code": line.called[0], "name": line.called[1], "tooth": line.tooth,
            "qty": str(line.quantity), "price": line.price, "discount": line.discount, "sum": line.total,
        }
        for line in lines
    ]  # fmt: skip
    taxed = [{"vat": line.service.vat, "total": line.total} for line in lines]
    net = order.total if order else Decimal(0)
    gross = sum((line.price * line.quantity for line in lines), Decimal(0))
    back = -sum((row.total for row in billing.reversals_of(order.id)), Decimal(0)) if order else Decimal(0)
    billed = order is not None and order.status in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)
    return {
        "services": services,
        "totals": {
            "gross": gross, "discount": gross - net, "net": net, "net_words": rules.rubles_in_words(abs(net)),
            "vat": rules.vat_sentence(rules.vat_words(taxed)),
            "order": str(order.number) if order else "", "debt": order.due if order else Decimal(0),
            "paid": net - back - order.due if billed and order else Decimal(0), "reversed": back,
        },
    }  # fmt: skip


def order_print(order: WorkOrder) -> dict[str, Any]:
    """The values of a work order's print."""
    today = clock.today()
    day = order.issued_day or clock.wall(order.created_at).date()
    assistants = {line.assistant_id for line in order.lines if line.assistant_id}
    names = session.scalars(select(Employee).where(Employee.id.in_(assistants)).order_by(Employee.surname)).all()
    clinic = clinic_fields(order.branch.legal_entity, order.branch)
    agreement = agreement_fields(order.patient_id, order.legal_entity_id, day)
    return {
        "clinic": clinic,
        "legal": legal_fields(),
        "order": {
            "number": str(order.number), "draft": order.status in (WorkOrderStatus.DRAFT, WorkOrderStatus.ANNULLED),
            "day": rules.short_day(day), "date": rules.short_day(day),
            "reverses": _number_of(order.reverses_id), "reason": order.reason,
            "assistants": ", ".join(employee.short_name for employee in names),
            **paid_fields(order.id),
        },
        **parties(order.patient, today, TemplateKind.WORK_ORDER),
        "agreement": agreement,
        "contract": {**agreement, "place": rules.town_of(clinic["actual_address"]), "valid_until": ""},
        "doctor": employee_fields(order.doctor),
        "today": {"date": rules.short_day(today), "long": rules.long_day(today)},
        **order_fields(order.lines, order),
    }  # fmt: skip


def _number_of(order_id: int | None) -> str:
    return str(session.get_one(WorkOrder, order_id).number) if order_id is not None else ""


def provided_print(order: WorkOrder) -> dict[str, Any]:
    """The values of a guarantee: what of a bill is left after reversing."""
    return {**order_print(order), **left_fields(order)}


def act_of(order_id: int) -> ServiceAct | None:
    """The number that the act of a bill, or of what a reversing order left of one, got when it was printed first."""
    return session.scalars(select(ServiceAct).where(ServiceAct.work_order_id == order_id)).one_or_none()


def act_print(order: WorkOrder, subject_id: int) -> dict[str, Any]:
    """The values of an act: those of a guarantee, its number and day, and the days when the services were provided.

    `subject_id` is the bill, or the newest order that reversed a part of it; until the act has a number, its day is of
    that. The days of the services are those from the visit to the bill; a bill that was made ahead of its visit is of
    the visit's day.
    """
    act, subject = act_of(subject_id), session.get_one(WorkOrder, subject_id)
    visit = session.get(Appointment, order.appointment_id) if order.appointment_id else None
    last = order.issued_day or clock.wall(order.created_at).date()
    first = visit.starts_at.date() if visit else last
    return {
        **provided_print(order),
        "act": {
            "number": str(act.number) if act else "",
            "date": rules.short_day(act.day if act else subject.issued_day or last),
            "period": rules.days_between(first, max(first, last)),
        },
    }  # fmt: skip
