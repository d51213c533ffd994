"""The fields of people who do not exist, for the check and the preview of a text: one adult, one child, two newcomers.

The same tree as the real values have, kind by kind: what a text may name here it may name when it is issued.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from app import clock
from app.documents import rules
from app.documents.queries.fields import (
    PAID_SERVICES_ACT,
    clinic_fields,
    employee_fields,
    parties,
    person,
)
from app.documents.queries.health import medical_fields, survey_fields
from app.documents.queries.treatment import stage_fields, treatment_fields
from app.models import Employee, LegalEntity, Patient, PatientPhone
from app.vocab import TemplateKind

#: The papers that are made of a work order.
OF_ORDER = (TemplateKind.WORK_ORDER, TemplateKind.ACT, TemplateKind.GUARANTEE)


def _clinic() -> dict[str, Any]:
    entity = LegalEntity(
        name="Общество с ограниченной ответственностью «Стоматология»", short_name="ООО «Стоматология»",
        brand="Стоматология на Примерной", inn="7701234567", kpp="770101001", ogrn="1027700132195", okpo="12345678",
        address="101000, г. Москва, ул. Примерная, д. 1", phone="+74951234567", email="info@example.ru",
        site="example.ru", licence="", licence_number="Л041-01137-77/00000000", licence_day=date(2021, 2, 1),
        licence_issuer="Департамент здравоохранения города Москвы",
        licence_issuer_address="127006, г. Москва, Оружейный пер., д. 43", licence_issuer_phone="+74957772777",
        licence_works="стоматология терапевтическая, стоматология хирургическая, рентгенология",
        bank_details="", bank_name="АО «Банк»", bank_bik="044525000", bank_account="40702810000000000000",
        bank_corr_account="30101810400000000000", director_name="Образцова Анна Павловна", director_post="Директор",
        director_name_genitive="", director_post_genitive="", acting_on="",
    )  # fmt: skip
    return clinic_fields(entity, None)


def _adult() -> Patient:
    return Patient(
        surname="Примерова", name="Мария", patronymic="Сергеевна", sex="female", birth_date=date(1990, 5, 17),
        name_genitive="", name_dative="", address="г. Москва, ул. Лесная, д. 5, кв. 12",
        insurance="АО «Страховая компания», полис № 7700 1234 5678 9012",
        identity_type="21", identity_series="4510", identity_number="123456", identity_issued_on=date(2010, 6, 1),
        identity_issued_by="ОВД «Лесной»", identity_dept_code="770-001", identity_text="",
        email="primerova@example.ru", snils="112-233-445 95", inn="500100732259", allergy="пенициллин",
        card_number=1001, created_at=clock.now(), phones=[PatientPhone(number="+79161234567")],
    )  # fmt: skip


def _child() -> Patient:
    born = clock.today().replace(day=1)
    return Patient(
        surname="Примеров", name="Пётр", patronymic="Ильич", sex="male", birth_date=born.replace(year=born.year - 7),
        name_genitive="", name_dative="", address="г. Москва, ул. Лесная, д. 5, кв. 12", insurance="",
        identity_type="03", identity_series="V-МЮ", identity_number="123456", identity_issued_by="",
        identity_dept_code="", identity_text="", email="", snils="", inn="", allergy="", card_number=1002,
        created_at=clock.now(), guardian=_adult(),
    )  # fmt: skip


def sample_fields(kind: str, *, child: bool = False) -> dict[str, Any]:
    """The values of an invented patient, an adult or a child with a mother, for a paper of this kind."""
    day = clock.today()
    if kind == TemplateKind.RECEIPT:
        return _receipt(day, _child() if child else _adult())
    clinic = _clinic()
    doctor = Employee(
        surname="Образцов", name="Пётр", patronymic="Ильич", post="врач-стоматолог-терапевт", name_genitive="",
        name_dative="", post_genitive="", acting_on="",
    )  # fmt: skip
    common = {
        "clinic": clinic,
        "legal": {"paid_services_act": PAID_SERVICES_ACT},
        **parties(_child() if child else _adult(), day, kind),
        "agreement": {"number": "87", "date": rules.short_day(day)},
        "doctor": employee_fields(doctor),
        "today": {"date": rules.short_day(day), "long": rules.long_day(day)},
        **_services(),
    }
    if kind in OF_ORDER:
        order = {
            "number": "45", "draft": False, "day": rules.short_day(day), "date": rules.short_day(day), "reverses": "",
            "reason": "", "assistants": "Помощникова И. В.", "methods": "Банковская карта",
            "cashier": "Дежурная О. П.",
        }  # fmt: skip
        contract = {**common["agreement"], "place": "г. Москва", "valid_until": ""}
        act = {"number": "31", "date": rules.short_day(day), "period": rules.days_between(day, day)}
        return {**common, "order": order, "contract": contract} | ({"act": act} if kind == TemplateKind.ACT else {})
    common |= {
        "contract": {"number": "123", "date": rules.short_day(day), "place": "г. Москва", "valid_until": ""},
        "plan": {
            "number": "123" if kind == TemplateKind.TREATMENT_PLAN else "31", "date": rules.short_day(day),
            "variant": "",
            "stage": [
                stage_fields(place, name, [row])
                for place, (name, row) in enumerate(zip(("Терапия", "Анестезия"), common["services"], strict=True), 1)
            ],
        },
        "trusted": [{"fio": "Примеров Илья Петрович", "phone": rules.phone("+79167654321")}],
        "staff": {
            **employee_fields(doctor), "fio": "Дежурная Ольга Петровна", "fio_gen": "Дежурной Ольги Петровны",
            "fio_short": "Дежурная О. П.", "post": "администратор", "post_gen": "администратора",
            "basis": "доверенности № 3 от 01.02.2026",
        },
        "visit": {"date": rules.short_day(day), "time": "10:30", "doctor": doctor.full_name, "number": "456"},
        "pd": rules.personal_data(
            clinic["address"], clinic["email"],
            "ООО «Зуботехническая лаборатория», 101000, г. Москва, ул. Примерная, д. 2",
        ),
        **treatment_fields(common["services"], "K02.1 Кариес дентина"),
        "survey": survey_fields(_child() if child else _adult(), None),
        "medical": medical_fields(None, []),
    }  # fmt: skip
    if kind == TemplateKind.TAX_CERTIFICATE:
        common |= {
            "tax": {
                "number": "123", "year": str(day.year - 1), "correction": "0", "same": not child,
                "usual": Decimal("45000.00"), "expensive": Decimal("120000.50"),
            },
            "taxpayer": person(_adult(), day),
        }  # fmt: skip
    return common


def bare_fields(kind: str, *, child: bool = False) -> dict[str, Any]:
    """The same of a newcomer, of whom a name is known and no more: no services, no visit, no guardian even of a child.

    A paper of a bill always has its services; a receipt of an advance has no lines.
    """
    day, fields = clock.today(), sample_fields(kind, child=child)
    if kind == TemplateKind.RECEIPT:
        return {**fields, "lines": []}
    known = _child().birth_date if child else None
    newcomer = Patient(
        surname="Примеров", name="Пётр", patronymic="", birth_date=known, name_genitive="", name_dative="", address="",
        insurance="", identity_series="", identity_number="", identity_issued_by="", identity_dept_code="",
        identity_text="", email="", snils="", inn="", allergy="", card_number=1003, created_at=clock.now(),
    )  # fmt: skip
    fields |= {
        **parties(newcomer, day, kind),
        "agreement": {"number": "", "date": ""},
        "survey": survey_fields(newcomer, None),
    }
    if kind == TemplateKind.ACT:  # looked at before it is printed
        fields["act"] = {**fields["act"], "number": "", "date": ""}
    if kind in OF_ORDER:
        return fields
    nothing = {name: Decimal(0) for name, value in fields["totals"].items() if isinstance(value, Decimal)}
    return {
        **fields,
        "doctor": employee_fields(None),
        "staff": employee_fields(None),
        "visit": {"date": "", "time": "", "doctor": "", "number": ""},
        "plan": {**fields["plan"], "stage": []},
        "trusted": [],
        "pd": {**fields["pd"], "third_parties": ""},
        **treatment_fields([], ""),
        "services": [],
        "totals": {**fields["totals"], **nothing, "order": "", "net_words": rules.rubles_in_words(Decimal(0))},
    }


def _services() -> dict[str, Any]:
    return {
        "services": [
            {
                "no": "1", "code": "A16.07.002.010", "name": "Восстановление зуба пломбой из фотополимера",
                "tooth": "36", "qty": "1", "price": Decimal(5500), "discount": Decimal(500), "sum": Decimal(5000),
            },
            {
                "no": "2", "code": "B01.003.004.004", "name": "Аппликационная анестезия", "tooth": "36", "qty": "2",
                "price": Decimal(400), "discount": Decimal(0), "sum": Decimal(800),
            },
        ],
        "totals": {
            "gross": Decimal(6300), "discount": Decimal(500), "net": Decimal(5800), "paid": Decimal(1000),
            "debt": Decimal(4800), "reversed": Decimal(0), "order": "45",
            "net_words": rules.rubles_in_words(Decimal(5800)), "vat": "Без налога (НДС)",
        },
    }  # fmt: skip


def _receipt(day: date, patient: Patient) -> dict[str, Any]:
    """A receipt of money that was never taken: the same snapshot as billing freezes."""
    lines = [
        {"name": row["name"], "tooth": row["tooth"], "quantity": row["qty"], "price": str(row["price"]),
         "discount": str(row["discount"]), "total": str(row["sum"])}
        for row in _services()["services"]
    ]  # fmt: skip
    clinic = _clinic()
    snapshot = {
        "number": 17, "day": f"{day:%Y-%m-%d}", "time": "14:05", "branch": "На Примерной",
        "legal_entity": {"name": clinic["legal_name"], "inn": clinic["inn"], "address": clinic["address"]},
        "patient": patient.full_name, "card_number": patient.card_number, "cashier": "Дежурная О. П.", "lines": lines,
        "amount": "5800.00", "parts": [{"method": "cash", "amount": "5800.00"}], "tendered": "6000.00",
        "change": "200.00", "to_advance": "0", "debt_left": "0",
    }  # fmt: skip
    return rules.receipt_fields(snapshot, "sale", 17, day)
