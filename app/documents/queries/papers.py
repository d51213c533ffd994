"""Reads of the documents' room: the values of a paper, the papers of a patient, whose patient it is.

Where next: `paper.py`, which puts the values into a template.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import force_locale, gettext
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app import clock
from app.billing import queries as billing
from app.db import session
from app.documents import rules
from app.models import (
    Appointment,
    Branch,
    ClinicSetting,
    DocumentTemplate,
    Employee,
    LegalEntity,
    Patient,
    Printing,
    Receipt,
    User,
    WorkOrder,
    WorkOrderLine,
)
from app.patients import queries as cards
from app.patients import rules as patients
from app.vocab import IdentityType, PrintedKind, TemplateKind, WorkOrderStatus

#: In force since 01.09.2026; the clinic's setting overrides it when the act changes.
PAID_SERVICES_ACT = (
    "Правила предоставления медицинскими организациями платных медицинских услуг,"
    " утв. Постановлением Правительства РФ от 30.05.2026 № 659"
)


def active_template(kind: str) -> DocumentTemplate | None:
    """The version of a text that is printed now."""
    return session.scalars(
        select(DocumentTemplate).where(DocumentTemplate.kind == kind, DocumentTemplate.active)
    ).one_or_none()


def receipts_of(patient_id: int) -> Sequence[Receipt]:
    """The receipts of a patient, the newest first."""
    return session.scalars(select(Receipt).where(Receipt.patient_id == patient_id).order_by(Receipt.id.desc())).all()


def receipt_fields(row: Receipt) -> dict[str, Any]:
    """A receipt's values as they were frozen, with the words that stand on paper."""
    return rules.receipt_fields(row.snapshot, row.kind, row.number, row.business_day)


def original(kind: str, subject_id: int, state: str) -> bytes | None:
    """The original of a paper of money in a state as it was printed; None when it never was, or has a snapshot."""
    return session.scalar(
        select(Printing.pdf).where(
            Printing.kind == kind, Printing.subject_id == subject_id, Printing.state == state, Printing.original
        )
    )


def state_of(order: WorkOrder, kind: PrintedKind) -> str:
    """What can change of a paper of a bill: its lines, and on the work order itself what was reversed and paid of it.

    Of a reversing order its own; its bill has no other act while it is the newest.
    """
    if kind != PrintedKind.WORK_ORDER:
        return f"version {order.version}"
    back = sum((row.total for row in billing.reversals_of(order.id)), Decimal(0))
    return f"version {order.version}, reversed {-back}, due {order.due}"


def last_reversal(order_id: int) -> WorkOrder | None:
    """The newest reversing order of a bill: since then its act and its guarantee are other papers."""
    return session.scalar(
        select(WorkOrder).where(WorkOrder.reverses_id == order_id).order_by(WorkOrder.id.desc()).limit(1)
    )


def is_left(order: WorkOrder) -> bool:
    """Was anything of a bill not taken back?"""
    return any(line.left for line in billing.left_to_reverse(order))


def is_patient_of(doctor_id: int, patient_id: int) -> bool:
    """Has the patient a visit or a work order of this doctor, or is under the doctor's care?"""
    of_doctor = or_(
        exists().where(Appointment.patient_id == patient_id, Appointment.doctor_id == doctor_id),
        exists().where(WorkOrder.patient_id == patient_id, WorkOrder.doctor_id == doctor_id),
        exists().where(Patient.id == patient_id, Patient.doctor_id == doctor_id),
    )
    return bool(session.scalar(select(of_doctor)))


def legal_entity_for(actor: User | None) -> tuple[LegalEntity, Branch] | None:
    """Who signs: the legal entity of the actor's branch, else of the first branch that works."""
    query = select(Branch).where(Branch.archived.is_(False)).order_by(Branch.id)
    own = select(Employee.branch_id).where(Employee.user_id == actor.id).scalar_subquery() if actor else None
    branch = session.scalars(query.where(Branch.id == own)).first() if own is not None else None
    branch = branch or session.scalars(query.limit(1)).first()
    return (branch.legal_entity, branch) if branch else None


def card(patient_id: int) -> Patient | None:
    """A patient with the representative and all phones."""
    return session.scalars(
        select(Patient)
        .options(joinedload(Patient.guardian).selectinload(Patient.phones), selectinload(Patient.phones))
        .where(Patient.id == patient_id)
    ).one_or_none()


def order_to_print(order_id: int) -> WorkOrder | None:
    """A work order with all that its print shows."""
    return session.scalars(
        select(WorkOrder)
        .options(
            joinedload(WorkOrder.patient), joinedload(WorkOrder.doctor),
            joinedload(WorkOrder.branch).joinedload(Branch.legal_entity), selectinload(WorkOrder.lines),
        )
        .where(WorkOrder.id == order_id)
    ).one_or_none()  # fmt: skip


def person(patient: Patient | None, day: date) -> dict[str, Any]:
    """The merge fields of a patient or a representative; all empty when there is none."""
    if patient is None:
        names = (
            "fio fio_gen fio_short last_name first_name middle_name birth_date age sex phone email address_reg"
            " address_live inn snils card_number allergy basis_document"
        )
        return {**dict.fromkeys(names.split(), ""), "passport": dict.fromkeys(_PASSPORT, "")}
    return {
        "fio": patient.full_name,
        "fio_gen": rules.genitive(patient.surname, patient.name, patient.patronymic, patient.sex),
        "fio_short": patient.short_name,
        "last_name": patient.surname,
        "first_name": patient.name,
        "middle_name": patient.patronymic,
        "birth_date": rules.short_day(patient.birth_date),
        "age": rules.age_in_words(patient.birth_date, day),
        "sex": {"male": "мужской", "female": "женский"}.get(patient.sex or "", ""),
        "phone": patient.phones[0].number if patient.phones else "",
        "email": patient.email,
        "address_reg": patient.address,
        "address_live": "",
        "inn": patient.inn,
        "snils": patient.snils,
        "card_number": str(patient.card_number),
        "allergy": patient.allergy,
        "basis_document": "",
        "passport": passport(patient),
    }


#: The parts of an identity document as templates name them; `text` is all of it in one line.
_PASSPORT = ("type", "code", "series", "number", "issued_by", "issued_date", "dept_code", "text")


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


def _employee(employee: Employee | None) -> dict[str, Any]:
    if employee is None:
        return {"fio": "", "fio_short": "", "post": "", "basis": ""}
    post = employee.post or (employee.speciality.name if employee.speciality else "")
    return {"fio": employee.full_name, "fio_short": employee.short_name, "post": post, "basis": ""}


def _agreed(patient_id: int) -> dict[str, Any]:
    """The services of the patient's newest work order: what a contract signed now is about."""
    order = session.scalars(
        select(WorkOrder).options(selectinload(WorkOrder.lines))
        .where(
            WorkOrder.patient_id == patient_id, WorkOrder.reverses_id.is_(None),
            WorkOrder.status != WorkOrderStatus.ANNULLED,
        )
        .order_by(WorkOrder.id.desc()).limit(1)
    ).one_or_none()  # fmt: skip
    return order_fields(order.lines if order else [], order)


def order_fields(lines: Sequence[WorkOrderLine], order: WorkOrder | None) -> dict[str, Any]:
    """The merge fields of a work order's services and totals."""
    services = [
        {
            "no": str(line.position), "code": line.called[0], "name": line.called[1], "tooth": line.tooth,
            "qty": str(line.quantity), "price": line.price, "discount": line.discount, "sum": line.total,
        }
        for line in lines
    ]  # fmt: skip
    net = order.total if order else Decimal(0)
    gross = sum((line.price * line.quantity for line in lines), Decimal(0))
    back = -sum((row.total for row in billing.reversals_of(order.id)), Decimal(0)) if order else Decimal(0)
    billed = order is not None and order.status in (WorkOrderStatus.ISSUED, WorkOrderStatus.PAID)
    return {
        "services": services,
        "totals": {
            "gross": gross, "discount": gross - net, "net": net, "net_words": rules.rubles_in_words(abs(net)),
            "order": str(order.number) if order else "", "debt": order.due if order else Decimal(0),
            "paid": net - back - order.due if billed and order else Decimal(0), "reversed": back,
        },
    }  # fmt: skip


def order_print(order: WorkOrder) -> dict[str, Any]:
    """The values of a work order's print."""
    day = clock.today()
    return {
        "clinic": clinic_fields(order.branch.legal_entity, order.branch),
        "order": {
            "number": str(order.number),
            "draft": order.status in (WorkOrderStatus.DRAFT, WorkOrderStatus.ANNULLED),
            "day": rules.short_day(order.issued_day or clock.wall(order.created_at).date()),
            "reverses": _number_of(order.reverses_id), "reason": order.reason,
        },
        "patient": person(order.patient, day),
        "doctor": _employee(order.doctor),
        **order_fields(order.lines, order),
    }  # fmt: skip


def _number_of(order_id: int | None) -> str:
    return str(session.get_one(WorkOrder, order_id).number) if order_id is not None else ""


def provided_print(order: WorkOrder) -> dict[str, Any]:
    """The values of an act or a guarantee: what of a bill is left after reversing."""
    of_line = {line.id: line for line in order.lines}
    left = [(line, line.back(line.left)) for line in billing.left_to_reverse(order) if line.left]
    services = [
        {
            "no": str(place), "code": of_line[line.line_id].called[0], "name": line.service,
            "tooth": of_line[line.line_id].tooth, "qty": str(line.left), "price": line.price,
            "discount": cost.discount, "sum": cost.total,
        }
        for place, (line, cost) in enumerate(left, 1)
    ]  # fmt: skip
    values = order_print(order)
    net = sum((cost.total for _, cost in left), Decimal(0))
    totals = {**values["totals"], "net": net, "net_words": rules.rubles_in_words(net)}
    return {**values, "services": services, "totals": totals}


def clinic_fields(entity: LegalEntity, branch: Branch | None) -> dict[str, Any]:
    """The merge fields of the clinic."""
    return {
        "legal_name": entity.name, "short_name": entity.short_name, "brand": entity.short_name,
        "address": entity.address, "actual_address": (branch.address if branch else "") or entity.address,
        "branch": branch.name if branch else "", "phone": (branch.phone if branch else "") or entity.phone,
        "inn": entity.inn, "kpp": entity.kpp, "ogrn": entity.ogrn, "okpo": entity.okpo,
        "bank_details": entity.bank_details, "director_fio": entity.director_name,
        "director_post": entity.director_post, "license": {"text": entity.licence},
    }  # fmt: skip


def merge_fields(
    patient: Patient, entity: LegalEntity, branch: Branch, number: int, actor: User | None, *, kind: str
) -> dict[str, Any]:
    """Every value that a template may name. What the clinic does not know is an empty string.

    `rep` is the guardian when the patient may not sign a paper of this kind oneself, by age; `payer` is who signs.
    """
    day = clock.today()
    setting = session.get(ClinicSetting, 1)
    doctor = session.get(Employee, patient.doctor_id) if patient.doctor_id else None
    signer = session.scalars(select(Employee).where(Employee.user_id == actor.id)).first() if actor else None
    signs = patients.signs(patients.age(patient.birth_date, day))
    alone = signs == patients.Signs.PATIENT or (
        signs == patients.Signs.TREATMENT_ONLY and kind == TemplateKind.CONSENT_TREATMENT
    )
    guardian = None if alone and patient.birth_date else patient.guardian
    return {
        "clinic": clinic_fields(entity, branch),
        "legal": {"paid_services_act": (setting.paid_services_act if setting else "") or PAID_SERVICES_ACT},
        "patient": person(patient, day),
        "rep": person(guardian, day),
        "payer": person(guardian or patient, day),
        "contract": {"number": str(number), "date": rules.short_day(day), "place": "", "valid_until": ""},
        "doctor": _employee(doctor),
        "staff": _employee(signer),
        "today": {"date": rules.short_day(day), "long": rules.long_day(day)},
        "pd": {"third_parties": ""},
        **_agreed(patient.id),
    }


def sample_fields() -> dict[str, Any]:
    """The values of an invented patient, for the preview of a template."""
    day = clock.today()
    entity = LegalEntity(
        name="ООО «Стоматология»", short_name="Стоматология", inn="7701234567", kpp="770101001", ogrn="1027700132195",
        okpo="", address="101000, г. Москва, ул. Примерная, д. 1", phone="+7 495 123-45-67",
        licence="Л041-01137-77/00000000 от 01.02.2021, Департамент здравоохранения города Москвы",
        bank_details="р/с 40702810000000000000", director_name="Образцова Анна Павловна", director_post="директор",
    )  # fmt: skip
    patient = Patient(
        surname="Примерова", name="Мария", patronymic="Сергеевна", sex="female", birth_date=date(1990, 5, 17),
        address="г. Москва, ул. Лесная, д. 5, кв. 12", identity_type="21", identity_series="4510",
        identity_number="123456", identity_issued_on=date(2010, 6, 1), identity_issued_by="ОВД «Лесной»",
        identity_dept_code="770-001", identity_text="",
        email="", snils="112-233-445 95", inn="", allergy="пенициллин", card_number=1001,
    )  # fmt: skip
    doctor = Employee(surname="Образцов", name="Пётр", patronymic="Ильич", post="врач-стоматолог-терапевт")
    person_ = {**person(patient, day), "phone": "+79161234567", "inn": "500100732259"}
    return {
        "clinic": clinic_fields(entity, None),
        "legal": {"paid_services_act": PAID_SERVICES_ACT},
        "patient": person_, "rep": person(None, day), "payer": person_,
        "contract": {"number": "123", "date": rules.short_day(day), "place": "г. Москва", "valid_until": ""},
        "doctor": _employee(doctor),
        "staff": {**_employee(doctor), "post": "администратор", "basis": "доверенности № 3"},
        "today": {"date": rules.short_day(day), "long": rules.long_day(day)},
        "pd": {"third_parties": ""},
        "tax": {
            "number": "123", "year": str(day.year - 1), "correction": "0", "same": True, "usual": Decimal("45000.00"),
            "expensive": Decimal("120000.50"),
        },
        "taxpayer": person_,
        "services": [{
            "no": "1", "code": "A16.07.002.010", "name": "Восстановление зуба пломбой", "tooth": "36", "qty": "1",
            "price": Decimal(5500), "discount": Decimal(500), "sum": Decimal(5000),
        }],
        "totals": {
            "gross": Decimal(5500), "discount": Decimal(500), "net": Decimal(5000), "paid": Decimal(0),
            "debt": Decimal(5000), "reversed": Decimal(0), "order": "45",
            "net_words": rules.rubles_in_words(Decimal(5000)),
        },
    }  # fmt: skip
